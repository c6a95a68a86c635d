/* Runs: the rows of so many records, one behind the other in the journal, sorted, in memory.
 *
 * What a transaction adds is collected in a builder, and becomes a run when it commits; runs are
 * merged into larger ones as they gather, and at last into a segment.  A run never changes, and is
 * shared by all that see it; the last to let it go frees it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "billingd/store/lmdb/rows.h"

struct run {
    atomic_uint refs;
    unsigned level;     /* how often it was merged */
    uint64_t first_seq; /* of the records that it is about, all of them between these two */
    uint64_t last_seq;
    struct request_row *requests; /* each array is owned, sorted, and NULL where it is empty */
    size_t n_requests;
    struct place_row *usage; /* by occurred_at */
    size_t n_usage;
    struct place_row *late; /* by bills_at, only what came late */
    size_t n_late;
    struct sum_row *sums;
    size_t n_sums;
};

/* An empty run about the records from FIRST_SEQ to LAST_SEQ, held once; NULL where there is no
 * memory.  Its arrays are for the caller to fill. */
struct run *run_create(uint64_t first_seq, uint64_t last_seq);

/* Take another hold of RUN, and let one go (RUN may be NULL).  Any thread. */
struct run *run_hold(struct run *run);
void run_release(struct run *run);

/* Merge N runs (at least 1), in the order of their records and without gaps between them, into one
 * of the level above theirs.  Sums of the same become one.  Returns 0, STATUS_NO_MEMORY, or
 * STATUS_OUT_OF_BOUNDS where a sum leaves what its members can hold.  Any thread. */
MUSTCHECK int run_merge(struct run *const *runs, size_t n, struct run **ret_run);

/* --- building one ----------------------------------------------------------------------------- */

/* Where a sum is found again, in a hash table: at most half full, and emptied by a new round. */
struct run_sum_slot {
    uint32_t round; /* of what lies here; another than the builder's: free */
    uint32_t at;    /* in its sums */
};

/* Rows of what is appended, as it comes, in arrays that grow and are used again; equal sums are
 * added up at once. */
struct run_builder {
    uint64_t id_key;
    uint64_t first_seq; /* of the next run */
    uint64_t last_seq;
    size_t records_max;           /* there is room for so many; a power of two, or 0 */
    struct request_row *requests; /* owned, as all below */
    size_t n_requests;
    struct place_row *usage;
    size_t n_usage;
    struct place_row *late;
    size_t n_late;
    struct sum_row *sums; /* at most two of a record */
    size_t n_sums;
    struct run_sum_slot *slots; /* four for a record */
    uint32_t round;             /* not 0 */
};

/* An empty builder, for records from 1 on, for the store with ID_KEY.  One thread at a time. */
void run_builder_init(struct run_builder *builder, uint64_t id_key);
void run_builder_done(struct run_builder *builder);

/* Begin anew with records from FIRST_SEQ on; the arrays keep their room up to some megabytes. */
void run_builder_reset(struct run_builder *builder, uint64_t first_seq);

/* Add the rows of RECORD, the next in the journal; VOIDED is the usage that it voids where it is a
 * void, else NULL.  Returns 0, STATUS_NO_MEMORY, STATUS_CORRUPT, or STATUS_OUT_OF_BOUNDS as
 * run_merge(); the builder can then only be reset. */
MUSTCHECK int run_builder_add(struct run_builder *builder, const struct record *record,
                              const struct record *voided);

/* How many records were added. */
uint64_t run_builder_count(const struct run_builder *builder);

/* The run of all that was added (at least one record), sorted, of level 0; the builder keeps its
 * rows.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int run_build(struct run_builder *builder, struct run **ret_run);
