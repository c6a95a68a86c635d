/* The manifest: which segments there are.  A row each in the table `manifest`, changed in the same
 * transactions that write or remove their chunks, so that a crash leaves no half of anything.
 *
 *   key: segment (8, big-endian)      value: struct segment as a row with a checksum (manifest.c)
 *
 * Live segments cover the journal from its first record on, without gaps. */
#pragma once

#include "billingd/store/lmdb/segment.h"

/* Stored: never renumber. */
enum segment_state {
    SEGMENT_BUILDING = 1, /* not to be read; after a crash, to be removed */
    SEGMENT_LIVE = 2,
    SEGMENT_DOOMED = 3, /* replaced: to be removed */
};

struct segment {
    uint64_t id; /* from 1 */
    enum segment_state state;
    unsigned level;     /* how often it was merged */
    uint64_t first_seq; /* of the records that it is about */
    uint64_t last_seq;
    uint64_t n_requests;
    uint64_t n_usage;
    uint64_t n_late;
    uint64_t n_sums;
    uint64_t filter_blocks;
};

struct manifest {
    struct segment *segments; /* owned; by first_seq */
    size_t n;
};

/* How many rows SEGMENT has in TABLE; of a filter, blocks. */
uint64_t segment_count(const struct segment *segment, enum segment_table table);

/* Read all rows as of TXN.  Returns 0, STATUS_CORRUPT, STATUS_NO_MEMORY, or the status of a failed
 * read.  Free it with manifest_done(). */
MUSTCHECK int manifest_read(const struct env *env, MDB_txn *txn, struct manifest *ret);
void manifest_done(struct manifest *manifest);

/* Write SEGMENT's row; remove that of ID.  Return 0, or the status of a failed write. */
MUSTCHECK int manifest_put(const struct env *env, MDB_txn *txn, const struct segment *segment);
MUSTCHECK int manifest_remove(const struct env *env, MDB_txn *txn, uint64_t id);

/* Forget those that are not live. */
void manifest_keep_live(struct manifest *manifest);

/* Whether the live ones cover the journal from its first record on, each record once. */
bool manifest_is_whole(const struct manifest *manifest);

/* What is wrong with rows that are damaged or not whole: REASON names the segment, or the records
 * of which there is none.  Returns STATUS_CORRUPT, or the status of a failed read. */
MUSTCHECK int manifest_explain(const struct env *env, MDB_txn *txn, struct errinfo *reason);

/* The last record that live segments cover; 0: none. */
uint64_t manifest_sealed_seq(const struct manifest *manifest);

/* An id that no segment has. */
uint64_t manifest_next_id(const struct manifest *manifest);
