/* How large groups get while each is waited for. */
#include "billingd/commit/fair_queue.h"
#include "billingd/commit/pace.h"
#include "tests/lib/testkit.h"

/* A disk that takes BASE_US for any group, and one more for each of its KiB. */
static void run(struct pace *pace, int64_t base_us, int groups)
{
    for (int i = 0; i < groups; i++) {
        size_t bytes = pace_next(pace);
        pace_note(pace, bytes, base_us + (int64_t)(bytes / 1024));
    }
}

static void pace_next__unknown__is_a_turn(void **state)
{
    struct pace pace = {.longer = PACE_EIGHTH};
    (void)state;
    assert_u64(pace_next(&pace), FAIR_QUEUE_TURN_BYTES);
    assert_u64(pace_next(&pace), FAIR_QUEUE_TURN_BYTES);
}

/* 4000 + 64 us for a small one: as much as takes 4572 us, which are 572 KiB. */
static void pace_next__after_many__takes_an_eighth_longer(void **state)
{
    struct pace pace = {.longer = PACE_EIGHTH};
    (void)state;
    run(&pace, 4000, 2000);
    assert_in_range(pace.small_us, 3500, 4700);
    assert_in_range(pace.bytes_max, 250 * 1024, 900 * 1024);
}

/* 2032 us more are 2032 KiB more. */
static void pace_next__half__takes_half_as_long_again(void **state)
{
    struct pace pace = {.longer = PACE_HALF};
    (void)state;
    run(&pace, 4000, 2000);
    assert_in_range(pace.small_us, 3500, 4700);
    assert_in_range(pace.bytes_max, 1400 * 1024, 2900 * 1024);
}

static void pace_next__much_always_there__does_not_creep_up(void **state)
{
    struct pace pace = {.longer = PACE_EIGHTH};
    (void)state;
    run(&pace, 4000, 2000);
    for (int i = 0; i < 100; i++) {
        run(&pace, 4000, 1000);
        assert_in_range(pace.bytes_max, 250 * 1024, 900 * 1024);
    }
}

static void pace_note__a_slow_one_in_ten__is_not_followed(void **state)
{
    struct pace pace = {.longer = PACE_EIGHTH};
    (void)state;
    run(&pace, 4000, 2000);
    for (int i = 0; i < 1000; i++) {
        size_t bytes = pace_next(&pace);
        int64_t hiccup_us = i % 10 == 0 ? 100000 : 0;
        pace_note(&pace, bytes, 4000 + (int64_t)(bytes / 1024) + hiccup_us);
    }
    assert_in_range(pace.small_us, 2800, 6000);
    assert_true(pace.bytes_max >= 2 * FAIR_QUEUE_TURN_BYTES);
    assert_true(pace.bytes_max <= 1000 * 1024);
}

static void pace_next__small_ones_come_now_and_then(void **state)
{
    struct pace pace = {.longer = PACE_EIGHTH};
    int small = 0;
    (void)state;
    run(&pace, 4000, 2000);
    for (int i = 0; i < 160; i++) {
        small += pace_next(&pace) == FAIR_QUEUE_TURN_BYTES;
    }
    assert_in_range(small, 5, 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pace_next__unknown__is_a_turn),
    cmocka_unit_test(pace_next__after_many__takes_an_eighth_longer),
    cmocka_unit_test(pace_next__half__takes_half_as_long_again),
    cmocka_unit_test(pace_next__much_always_there__does_not_creep_up),
    cmocka_unit_test(pace_note__a_slow_one_in_ten__is_not_followed),
    cmocka_unit_test(pace_next__small_ones_come_now_and_then),
};

TESTKIT_MAIN(tests)
