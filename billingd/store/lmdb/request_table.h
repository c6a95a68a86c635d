/* A hash table in memory: fingerprints of request ids to sequence numbers.  What the head of the
 * store holds is found here at once, without a search through its runs.
 *
 * It keeps 32 bits of a fingerprint, so that a slot takes 8 bytes and many are in the cache: one in
 * some thousand of those who ask in vain is given a candidate, which whoever asks compares anyway.
 *
 * Open addressing, linear probing, at most five eighths full.  One thread. */
#pragma once

#include <stddef.h>

#include "billingd/store/lmdb/rows.h"

struct request_slot {
    uint32_t tag;    /* the lowest bits of the fingerprint: also where it belongs */
    uint32_t offset; /* of the seq from the table's base; 0: free */
};

struct request_table {
    struct request_slot *slots; /* owned */
    size_t n_slots;             /* a power of two, at most 2^32, or 0 */
    size_t n;
    uint64_t base; /* seqs are within 2^31 of the first that was added: this is 2^31 below it */
};

/* An empty table; and free it. */
void request_table_init(struct request_table *table);
void request_table_done(struct request_table *table);

/* Forget all rows, keeping the room where it is at most BYTES_KEPT bytes. */
void request_table_clear(struct request_table *table, size_t bytes_kept);

/* Room for N more rows, so that adding so many cannot fail.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int request_table_reserve(struct request_table *table, size_t n);

/* Add ROW, for which there is room. */
void request_table_add(struct request_table *table, struct request_row row);

/* Take away what request_table_add() made of ROW, if it is there. */
void request_table_remove(struct request_table *table, struct request_row row);

/* The seq of the next row whose fingerprint may have this lower half: *AT begins as SIZE_MAX and
 * keeps the place.  Returns 0 when there are no more. */
uint64_t request_table_next(const struct request_table *table, uint64_t low, size_t *at);

/* Bring the slots of this fingerprint into the cache, to be read or written. */
void request_table_prefetch(const struct request_table *table, uint64_t low);
