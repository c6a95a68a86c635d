/* Who is waited for: those who were answered last and have come back at once before. */
#include "billingd/commit/expected.h"
#include "tests/lib/testkit.h"

enum {
    PROMPT_US = 100,
};

static struct fair_queue queue;
static struct fair_queue arriving;
static struct expected expected;

static int begin(void **state)
{
    (void)state;
    return fair_queue_init(&queue) < 0 || fair_queue_init(&arriving) < 0 ||
           expected_init(&expected) < 0;
}

static int end(void **state)
{
    (void)state;
    fair_queue_done(&queue);
    fair_queue_done(&arriving);
    expected_done(&expected);
    return 0;
}

static void arrive(unsigned asker, size_t n, int64_t now_us)
{
    struct op *ops = testkit_alloc(n * sizeof *ops);
    for (size_t i = 0; i < n; i++) {
        ops[i] = (struct op){.asker = asker, .bytes = 100};
        fair_queue_push(&arriving, &ops[i]);
    }
    fair_queue_append(&queue, &arriving, now_us);
}

/* What waits is carried out, up to N, and answered at NOW_US. */
static void carry_out(size_t n, int64_t now_us)
{
    struct op_list group = {0};
    fair_queue_take(&queue, n, SIZE_MAX, &group);
    expected_taken(&expected, &group, &queue, PROMPT_US);
    expected_answered(&expected, now_us);
}

static int64_t wait_us(int64_t now_us)
{
    return expected_wait_us(&expected, &queue, PROMPT_US, now_us);
}

static void expected__who_was_prompt__is_waited_for_until_it_comes(void **state)
{
    (void)state;
    arrive(1, 1, 1000);
    carry_out(10, 2000);
    assert_i64(wait_us(2000), 0); /* nobody knows it yet */
    arrive(1, 1, 2050);
    carry_out(10, 3000);
    assert_i64(wait_us(3000), PROMPT_US);
    assert_i64(wait_us(3060), PROMPT_US - 60);
    arrive(1, 1, 3070);
    assert_i64(wait_us(3070), 0);
}

static void expected__who_does_not_come__is_waited_for_so_long_and_no_longer(void **state)
{
    (void)state;
    arrive(1, 1, 1000);
    carry_out(10, 2000);
    arrive(1, 1, 2050);
    carry_out(10, 3000);
    assert_i64(wait_us(3000 + PROMPT_US), 0);
    arrive(2, 1, 3200); /* a group without it */
    carry_out(10, 4000);
    assert_i64(wait_us(4000), 0);
}

static void expected__who_was_late__is_not_waited_for(void **state)
{
    (void)state;
    arrive(1, 1, 1000);
    carry_out(10, 2000);
    arrive(1, 1, 2000 + PROMPT_US + 1);
    carry_out(10, 3000);
    assert_i64(wait_us(3000), 0);
    arrive(1, 1, 3000 + PROMPT_US); /* it is given another chance as soon as it was prompt */
    carry_out(10, 4000);
    assert_i64(wait_us(4000), PROMPT_US);
}

static void expected__who_has_many__is_not_waited_for(void **state)
{
    (void)state;
    arrive(1, EXPECTED_OPS_MAX + 1, 1000);
    arrive(2, EXPECTED_OPS_MAX, 1000);
    carry_out(1000, 2000);
    assert_false(expected_is_few(&expected, 1));
    assert_true(expected_is_few(&expected, 2));
    assert_true(expected_has_few(&expected));
    arrive(1, EXPECTED_OPS_MAX + 1, 2010);
    carry_out(1000, 3000);
    assert_false(expected_has_few(&expected));
    assert_i64(wait_us(3000), 0);
}

/* Of whom little is in a group because it is small is no one who asks for little. */
static void expected__who_has_more_waiting__has_many(void **state)
{
    (void)state;
    arrive(1, 1000, 1000);
    carry_out(1, 2000);
    assert_false(expected_is_few(&expected, 1));
}

static void expected__more_askers_than_are_kept__counts_the_others_as_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EXPECTED_MAX + 10; i++) {
        arrive(i, 1, 1000);
    }
    carry_out(1000, 2000);
    assert_u64(expected.n, EXPECTED_MAX);
    assert_true(expected_is_few(&expected, 0));
    assert_false(expected_is_few(&expected, EXPECTED_MAX + 9));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(expected__who_was_prompt__is_waited_for_until_it_comes, begin,
                                    end),
    cmocka_unit_test_setup_teardown(
        expected__who_does_not_come__is_waited_for_so_long_and_no_longer, begin, end),
    cmocka_unit_test_setup_teardown(expected__who_was_late__is_not_waited_for, begin, end),
    cmocka_unit_test_setup_teardown(expected__who_has_many__is_not_waited_for, begin, end),
    cmocka_unit_test_setup_teardown(expected__who_has_more_waiting__has_many, begin, end),
    cmocka_unit_test_setup_teardown(expected__more_askers_than_are_kept__counts_the_others_as_many,
                                    begin, end),
};

TESTKIT_MAIN(tests)
