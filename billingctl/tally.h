/* How often each of many things was seen: 24 bytes a thing at up to 7/8 full, doubling.  Grows with
 * the things that differ, without a bound but the memory that there is: what it counts cannot be
 * told from less.  Main thread; pure but for the heap. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingctl/derive.h"

struct tally_slot {
    uint64_t key[2]; /* half of a SHA-256: no two things of one file have the same */
    uint64_t count;  /* 0: the slot is free */
};

/* Starts as {0}; ends with tally_done(). */
struct tally {
    struct tally_slot *slots; /* owned */
    size_t capacity;          /* a power of two, or 0 */
    size_t used;
};

/* Add HASH once more.  Returns how often it was added before. */
uint64_t tally_add(struct tally *tally, const struct derive_hash *hash);

/* Free what TALLY owns. */
void tally_done(struct tally *tally);
