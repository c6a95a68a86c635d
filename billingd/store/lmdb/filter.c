#include "billingd/store/lmdb/filter.h"

enum {
    BLOCK_BITS = FILTER_BLOCK_BYTES * 8,
    BIT_DIGITS = 9, /* of 64, which give PROBES numbers of a bit */
    PROBES = 7,
    PROBES_FIRST = 3, /* turn all but one in 20 away of those who ask in vain */
};

static_assert(1 << BIT_DIGITS == BLOCK_BITS && PROBES * BIT_DIGITS <= 64, "bits are all in reach");

uint64_t filter_blocks(uint64_t n)
{
    uint64_t keys_a_block = BLOCK_BITS / FILTER_BITS_A_KEY;
    return n == 0 ? 1 : (n - 1) / keys_a_block + 1;
}

uint64_t filter_block_of(uint64_t high, uint64_t n_blocks)
{
    return (uint64_t)(((unsigned __int128)high * n_blocks) >> 64);
}

void filter_add(uint8_t *block, uint64_t low)
{
    for (int i = 0; i < PROBES; i++) {
        uint64_t bit = low % BLOCK_BITS;
        block[bit / 8] |= (uint8_t)(1 << bit % 8);
        low >>= BIT_DIGITS;
    }
}

/* Whether the bits of the next N of PROBES are all set. */
static unsigned has_bits(const uint8_t *block, uint64_t low, int n)
{
    unsigned all = 1;
    for (int i = 0; i < n; i++) { /* all of them: one line, and a guess less */
        uint64_t bit = low % BLOCK_BITS;
        all &= (unsigned)block[bit / 8] >> bit % 8;
        low >>= BIT_DIGITS;
    }
    return all & 1;
}

bool filter_may_have(const uint8_t *block, uint64_t low)
{
    return has_bits(block, low, PROBES_FIRST) != 0 &&
           has_bits(block, low >> PROBES_FIRST * BIT_DIGITS, PROBES - PROBES_FIRST) != 0;
}
