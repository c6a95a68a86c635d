/* Filters: whether a segment may have a fingerprint, from one line of memory.
 *
 * A blocked Bloom filter (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters,
 * 2007): one half of the fingerprint chooses a block of 64 bytes, the other the bits in it.  At 16
 * bits a key some 2 in 1,000 are false positives; there are no false negatives.
 *
 * The blocks are kept in chunks, which are stored as they are (segment.h) and read in place. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILTER_BLOCK_BYTES = 64,
    FILTER_BITS_A_KEY = 16,
};

/* How many blocks a filter of N keys has; at least 1. */
uint64_t filter_blocks(uint64_t n);

/* The block, of N_BLOCKS, that a fingerprint with HIGH belongs in. */
uint64_t filter_block_of(uint64_t high, uint64_t n_blocks);

/* Note the fingerprint whose other half is LOW in its BLOCK of FILTER_BLOCK_BYTES; and ask. */
void filter_add(uint8_t *block, uint64_t low);
bool filter_may_have(const uint8_t *block, uint64_t low);
