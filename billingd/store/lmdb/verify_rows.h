/* Verifying the rows of segments and of the head: of each, those that its records call for and
 * those that are there. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* A segment, or the head: the rows of so many records. */
struct verify_unit {
    const struct segment *segment; /* NULL: the head */
    uint64_t first_seq;
    uint64_t last_seq;
    bool lost[SEGMENT_FILTER + 1]; /* chunks of the table cannot be read */
    bool expected;                 /* its records were read, and what is wrong with them told of */
    bool sums_unknown;             /* a record that they are made of cannot be read */
};

typedef int (*verify_row_fn)(struct verify *verify, enum segment_table table, const void *row,
                             void *arg);

/* Give each row that the records of UNIT call for, in no order; of sums, each in as many parts as
 * there are records to it.  Where a void's usage cannot be read, sums_unknown is set.  Returns 0,
 * what a callback returns, or the status of a failed read. */
MUSTCHECK int verify_rows_expected(struct verify *verify, struct verify_unit *unit,
                                   verify_row_fn row_cb, void *arg);

/* Give each row that UNIT has and whose records can be read; TELL of what is damaged.  Returns
 * likewise. */
MUSTCHECK int verify_rows_found(struct verify *verify, struct verify_unit *unit, bool tell,
                                verify_row_fn row_cb, void *arg);

/* Check the head and all segments.  Returns likewise, or STATUS_NO_MEMORY. */
MUSTCHECK int verify_rows(struct verify *verify);
