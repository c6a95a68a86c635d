/* Runs: the rows of so many records, one behind the other in the journal, sorted, in memory.
 *
 * What a transaction adds is collected in a builder, and becomes a run when it commits; runs are
 * merged into larger ones as they gather, and at last into a segment.  A run is sorted by whoever
 * needs it first; then it never changes, and is shared by all that see it; the last to let it go
 * frees it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "billingd/store/lmdb/rows.h"

struct run {
    atomic_uint refs;
    unsigned level;     /* how often it was merged */
    uint64_t first_seq; /* of the records that it is about, all of them between these two */
    uint64_t last_seq;
    atomic_bool sorted; /* else all below is guarded by lock, but for counts other than of
                           sums: see run_sort() */
    pthread_mutex_t lock;
    struct request_row *requests; /* each array is owned, and NULL where it is empty */
    size_t n_requests;
    struct place_row *usage; /* by occurred_at */
    size_t n_usage;
    struct place_row *late; /* by bills_at, only what came late */
    size_t n_late;
    struct sum_row *sums;
    size_t n_sums;
};

/* An empty run about the records from FIRST_SEQ to LAST_SEQ, held once; NULL where there is no
 * memory.  Its arrays are for the caller to fill, in order. */
struct run *run_create(uint64_t first_seq, uint64_t last_seq);

/* Take another hold of RUN, and let one go (RUN may be NULL).  Any thread. */
struct run *run_hold(struct run *run);
void run_release(struct run *run);

/* Sort RUN, unless it is sorted: to be called before its rows are read.  Returns 0 or
 * STATUS_NO_MEMORY.  Any thread. */
MUSTCHECK int run_sort(struct run *run);

/* Add ROW, which does not belong before the last sum of RUN, in whose array there is room: to that
 * one where it is the same and they fit, else behind it.  Then give back the room that is left. */
void run_add_sum(struct run *run, const struct sum_row *row);
void run_fit_sums(struct run *run);

/* Merge N runs (at least 1), in the order of their records and without gaps between them, into one
 * of the level above theirs.  Sums of the same become one where they fit.  Returns 0 or
 * STATUS_NO_MEMORY.  Any thread. */
MUSTCHECK int run_merge(struct run *const *runs, size_t n, struct run **ret_run);

/* --- building one ----------------------------------------------------------------------------- */

/* Rows of what is appended, as it comes, in arrays that grow and are used again. */
struct run_builder {
    uint64_t id_key;
    uint64_t first_seq; /* of the next run */
    uint64_t last_seq;
    size_t records_max;           /* there is room for so many */
    struct request_row *requests; /* owned, as all below */
    size_t n_requests;
    struct place_row *usage;
    size_t n_usage;
    struct place_row *late;
    size_t n_late;
    struct sum_row *sums; /* at most two of a record */
    size_t n_sums;
};

/* An empty builder, for records from 1 on, for the store with ID_KEY.  One thread at a time. */
void run_builder_init(struct run_builder *builder, uint64_t id_key);
void run_builder_done(struct run_builder *builder);

/* Begin anew with records from FIRST_SEQ on; the arrays keep their room up to some megabytes. */
void run_builder_reset(struct run_builder *builder, uint64_t first_seq);

/* Add the rows of RECORD, the next in the journal; REQUEST is that of its request id where it has
 * one, else NULL, and VOIDED the usage that it voids where it is a void, else NULL.  Returns 0 or
 * STATUS_NO_MEMORY; the builder can then only be reset. */
MUSTCHECK int run_builder_add(struct run_builder *builder, const struct record *record,
                              const struct request_row *request, const struct record *voided);

/* The row of RECORD's request id: *RET.  Returns whether it has one. */
bool run_builder_request(const struct run_builder *builder, const struct record *record,
                         struct request_row *ret);

/* How many records were added. */
uint64_t run_builder_count(const struct run_builder *builder);

/* The run of all that was added (at least one record), not sorted yet, of level 0; the builder
 * keeps its rows.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int run_build(struct run_builder *builder, struct run **ret_run);
