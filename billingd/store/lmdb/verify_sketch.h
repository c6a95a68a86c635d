/* Whether two lots of rows are the same, without keeping any: each row is added to one number of
 * some thousands, chosen by its hash, and weighted by it; what one lot adds the other takes away.
 * All numbers are 0 where the lots are the same.  Where rows differ, the numbers that they were
 * added to are not, but for a chance of one in 2^58 or so: and so is known which rows to look at.
 *
 * Of sums it is their figures that are added, so that it does not matter in how many parts a sum
 * comes.  Pure; any thread. */
#pragma once

#include "billingd/store/lmdb/segment.h"

enum {
    SKETCH_BUCKETS = 4096,
};

struct sketch {
    uint64_t sums[SKETCH_BUCKETS]; /* modulo 2^61 - 1 */
    uint64_t rows[SKETCH_BUCKETS]; /* how many were added or taken away */
};

/* The bucket of ROW of TABLE, by the hashes that SEED gives. */
unsigned sketch_bucket(enum segment_table table, const void *row, uint64_t seed);

/* Add ROW of TABLE to SKETCH, or take it away; SEED is the same for all of one sketch. */
void sketch_add(struct sketch *sketch, enum segment_table table, const void *row, uint64_t seed);
void sketch_take(struct sketch *sketch, enum segment_table table, const void *row, uint64_t seed);

/* Whether rows of BUCKET differ. */
bool sketch_differs(const struct sketch *sketch, unsigned bucket);
