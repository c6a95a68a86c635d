/* The filter: it never forgets a key, and seldom knows one that it was not told. */
#include <stdlib.h>
#include <string.h>

#include "billingd/store/lmdb/filter.h"
#include "tests/lib/testkit.h"

enum {
    KEYS = 100000,
    STRANGERS = 1000000,
};

static void filter_blocks__any_number__is_16_bits_a_key_and_at_least_one(void **state)
{
    (void)state;
    assert_u64(filter_blocks(0), 1);
    assert_u64(filter_blocks(1), 1);
    assert_u64(filter_blocks(32), 1);
    assert_u64(filter_blocks(33), 2);
    assert_u64(filter_blocks(32000000), 1000000);
    assert_u64(filter_blocks(UINT64_MAX), UINT64_MAX / 32 + 1);
}

static void filter_block_of__any_fingerprint__is_in_reach_and_in_order(void **state)
{
    (void)state;
    assert_u64(filter_block_of(0, 1), 0);
    assert_u64(filter_block_of(UINT64_MAX, 1), 0);
    assert_u64(filter_block_of(0, 1000), 0);
    assert_u64(filter_block_of(UINT64_MAX / 2, 1000), 499);
    assert_u64(filter_block_of(UINT64_MAX / 2 + 1, 1000), 500);
    assert_u64(filter_block_of(UINT64_MAX, 1000), 999);
    assert_u64(filter_block_of(UINT64_MAX, UINT64_MAX / 32), UINT64_MAX / 32 - 1);
}

static void filter_may_have__empty_block__has_nothing_and_full_block_has_all(void **state)
{
    struct rng rng = rng_make("filter: empty and full");
    uint8_t empty[FILTER_BLOCK_BYTES] = {0};
    uint8_t full[FILTER_BLOCK_BYTES];
    (void)state;
    memset(full, 0xFF, sizeof full);
    for (int i = 0; i < 10000; i++) {
        uint64_t low = rng_next(&rng);
        assert_false(filter_may_have(empty, low));
        assert_true(filter_may_have(full, low));
    }
    assert_false(filter_may_have(empty, 0));
    assert_false(filter_may_have(empty, UINT64_MAX));
}

static void filter_may_have__one_bit_less__has_it_not(void **state)
{
    struct rng rng = rng_make("filter: one bit less");
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t low = rng_next(&rng);
        uint8_t block[FILTER_BLOCK_BYTES] = {0};
        filter_add(block, low);
        assert_true(filter_may_have(block, low));
        for (size_t bit = 0; bit < sizeof block * 8; bit++) {
            if ((block[bit / 8] >> bit % 8 & 1) != 0) {
                block[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_false(filter_may_have(block, low));
                block[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
        }
    }
}

static uint8_t *block_of(uint8_t *blocks, uint64_t high, uint64_t n_blocks)
{
    return blocks + filter_block_of(high, n_blocks) * FILTER_BLOCK_BYTES;
}

/* Of a fixed seed: the rate is one of the formula, and a chance failure would say nothing. */
static void filter__its_number_of_keys__all_are_there_and_few_others(void **state)
{
    struct rng keys = {.state = 20261127};
    struct rng again = keys;
    struct rng strangers = {.state = 4711};
    unsigned found = 0;
    uint64_t n_blocks = filter_blocks(KEYS);
    uint8_t *blocks = testkit_alloc(n_blocks * FILTER_BLOCK_BYTES);
    (void)state;
    for (int i = 0; i < KEYS; i++) {
        uint64_t high = rng_next(&keys);
        filter_add(block_of(blocks, high, n_blocks), rng_next(&keys));
    }
    for (int i = 0; i < KEYS; i++) {
        uint64_t high = rng_next(&again);
        assert_true(filter_may_have(block_of(blocks, high, n_blocks), rng_next(&again)));
    }
    for (int i = 0; i < STRANGERS; i++) {
        uint64_t high = rng_next(&strangers);
        found += filter_may_have(block_of(blocks, high, n_blocks), rng_next(&strangers));
    }
    print_message("false positives: %u in %d\n", found, STRANGERS);
    assert_true(found < STRANGERS / 1000 * 4);
    assert_true(found > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(filter_blocks__any_number__is_16_bits_a_key_and_at_least_one),
    cmocka_unit_test(filter_block_of__any_fingerprint__is_in_reach_and_in_order),
    cmocka_unit_test(filter_may_have__empty_block__has_nothing_and_full_block_has_all),
    cmocka_unit_test(filter_may_have__one_bit_less__has_it_not),
    cmocka_unit_test(filter__its_number_of_keys__all_are_there_and_few_others),
};

TESTKIT_MAIN(tests)
