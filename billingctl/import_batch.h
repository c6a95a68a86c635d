/* The rows between a reader and the daemon: usage waits until a batch is complete and is sent in
 * one call; adjustments and voids are sent one by one, once what stands before them is settled. All
 * are settled in the order of the file.  Main thread. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/import_counts.h"
#include "billingctl/import_row.h"
#include "billingctl/text.h"

struct ctl;

struct import_batch {
    const struct ctl *ctl;
    size_t rows_max;
    FILE *rejects;              /* gets the rejected rows as they are; or NULL */
    const char *header;         /* what stands in front of them there, "" for nothing */
    billing_usage_batch *items; /* owned; those of the rows that are to be recorded */
    billing_usage_input *input; /* owned; used again and again */
    struct batch_row *rows;     /* owned; rows_max of them */
    size_t row_count;
    struct text texts; /* raw rows, where they may be needed, and reasons */
    struct import_counts counts;
    uint64_t settled_line; /* all rows up to here are settled */
};

/* *BATCH sends up to ROWS_MAX rows at a time through CTL's client.  To be given to
 * import_batch_done().  Returns CTL_DONE, or another exit status, having said why. */
MUSTCHECK int import_batch_init(struct import_batch *batch, const struct ctl *ctl, size_t rows_max);

/* Free what BATCH owns; what still waits is forgotten. */
void import_batch_done(struct import_batch *batch);

/* Add ROW, rejected or not, and send what is complete.  Returns CTL_DONE, or another exit
 * status, having said why: then nothing more can be sent. */
MUSTCHECK int import_batch_add(struct import_batch *batch, const struct import_row *row);

/* Send what waits.  Returns as import_batch_add(). */
MUSTCHECK int import_batch_flush(struct import_batch *batch);

/* What to do where an import stopped for a reason outside its file. */
#define IMPORT_AGAIN "run the same command again"

/* Say up to where the file is settled, and ADVICE, how to import the rest. */
void import_batch_say_settled(const struct import_batch *batch, const char *advice);

/* Say that a call of an import failed with STATUS and ERROR, which is freed, and how the import is
 * taken up again.  Returns the exit status. */
int import_batch_failed(const struct import_batch *batch, int status, billing_error *error);
