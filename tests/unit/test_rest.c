/* How long what is large rests while others ask for little. */
#include "billingd/commit/rest.h"
#include "tests/lib/testkit.h"

enum {
    TOOK_US = 6000,
    END_US = 1000000,
};

static void rest_wait_us__nobody_asks_for_little__is_nothing(void **state)
{
    struct rest rest = {0};
    (void)state;
    assert_i64(rest_wait_us(&rest, 1), 0);
    rest_begin(&rest, TOOK_US, END_US);
    assert_i64(rest_wait_us(&rest, END_US), 0);
}

static void rest_wait_us__others_are_answered__is_longer_than_it_took(void **state)
{
    struct rest rest = {0};
    int64_t now_us = END_US;
    (void)state;
    rest_begin(&rest, TOOK_US, END_US);
    do {
        now_us += 1000;
        rest_note_little(&rest, now_us);
    } while (rest_wait_us(&rest, now_us) > 0);
    assert_in_range(now_us - END_US, 2 * TOOK_US, 4 * TOOK_US);
}

/* Who has asked for little once keeps nobody waiting for long. */
static void rest_wait_us__they_do_not_come_back__is_over_before_its_time(void **state)
{
    struct rest rest = {0};
    (void)state;
    rest_begin(&rest, TOOK_US, END_US);
    rest_note_little(&rest, END_US + 1000);
    int64_t us = rest_wait_us(&rest, END_US + 1000);
    assert_in_range(us, TOOK_US / 2, TOOK_US);
    assert_true(rest_wait_us(&rest, END_US + 1000 + us - 1) > 0);
    assert_i64(rest_wait_us(&rest, END_US + 1000 + us), 0);
}

static void rest_begin__a_group_that_hung__is_no_measure(void **state)
{
    struct rest rest = {0};
    (void)state;
    rest_begin(&rest, INT64_C(60) * 1000 * 1000, END_US);
    rest_note_little(&rest, END_US);
    assert_in_range(rest_wait_us(&rest, END_US), 1, 100 * 1000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rest_wait_us__nobody_asks_for_little__is_nothing),
    cmocka_unit_test(rest_wait_us__others_are_answered__is_longer_than_it_took),
    cmocka_unit_test(rest_wait_us__they_do_not_come_back__is_over_before_its_time),
    cmocka_unit_test(rest_begin__a_group_that_hung__is_no_measure),
};

TESTKIT_MAIN(tests)
