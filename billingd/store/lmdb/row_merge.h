/* Many sorted sources of rows of one table as one: runs in memory, segments on disk.
 *
 * A heap of the sources by their next rows.  One thread at a time. */
#pragma once

#include "billingd/store/lmdb/segment.h"

struct row_source {
    /* --- of an array --- */
    const uint8_t *rows; /* NULL: it is a scan */
    size_t n;
    size_t at;
    /* --- of a segment --- */
    struct segment_scan scan;

    const void *next; /* its next row; NULL: it has no more */
    uint64_t a;       /* the leading members of that, which mostly decide */
    uint64_t b;
};

struct row_merge {
    enum segment_table table;
    struct row_source *sources; /* owned */
    size_t n;
    size_t max;
    struct row_source **heap; /* owned; those that have more, the least first */
    size_t n_heap;
};

/* Merge rows of TABLE from up to MAX sources.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int row_merge_init(struct row_merge *merge, enum segment_table table, size_t max);

/* Closes what is open. */
void row_merge_done(struct row_merge *merge);

/* Add the N rows at ROWS, which stay where they are. */
void row_merge_add_rows(struct row_merge *merge, const void *rows, size_t n);

/* Add the rows of a segment from START on, which is in the table that is merged.  Returns as
 * segment_scan_open(). */
MUSTCHECK int row_merge_add_segment(struct row_merge *merge, const struct env *env, MDB_txn *txn,
                                    struct segment_start start);

/* The order of the rows of TABLE. */
int row_compare(enum segment_table table, const void *a, const void *b);

/* The least of all next rows, of equal ones that of the source that was added first; NULL: there
 * are no more.  It stays where it is until the merge steps on. */
const void *row_merge_peek(const struct row_merge *merge);

/* Pass over it.  Returns as segment_scan_peek(). */
MUSTCHECK int row_merge_step(struct row_merge *merge);
