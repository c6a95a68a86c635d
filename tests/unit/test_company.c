/* Who asks beside whom, and how much of one is heard in a turn then. */
#include "billingd/rpc/company.h"
#include "tests/lib/testkit.h"

enum {
    LONG_US = 1000000, /* after it nobody expects the others any more */
};

static void ask(struct company *company, struct asker *asker, int64_t now_us)
{
    company_note(company, asker, now_us);
    company_note_write(company, asker, now_us);
}

static void company__one_alone__has_long_turns(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1000};
    (void)state;
    for (int64_t us = 1; us < 1000; us++) {
        ask(&company, &one, us);
        assert_u64(company_turn(&company, us), COMPANY_LONE_TURN);
    }
    assert_true(company_is_alone(&company, 1000));
    assert_true(company_writes_alone(&company, 1000));
    assert_false(company_has_few(&company, 1000));
}

/* A health check is heard between two requests of a flood, and makes its commits no shorter. */
static void company__one_who_only_asks_beside_one_who_writes__shortens_turns_alone(void **state)
{
    struct company company = {0};
    struct asker writes = {.holders = 1000};
    struct asker asks = {.holders = 3, .connections = 2};
    (void)state;
    ask(&company, &writes, 1);
    company_note(&company, &asks, 2);
    ask(&company, &writes, 3);
    assert_u64(company_turn(&company, 4), COMPANY_SHORT_TURN);
    assert_false(company_is_alone(&company, 4));
    assert_true(company_writes_alone(&company, 4));
    assert_false(company_has_few(&company, 4));
}

static void company__two_who_ask_many__have_turns_but_no_short_ones(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1000};
    struct asker other = {.holders = 1000};
    (void)state;
    ask(&company, &one, 1);
    ask(&company, &other, 2);
    ask(&company, &one, 3);
    assert_u64(company_turn(&company, 4), COMPANY_TURN);
    assert_false(company_has_few(&company, 4));
    assert_u64(company_turn(&company, LONG_US), COMPANY_LONE_TURN); /* and alone again */
}

static void company__one_of_few_beside_many__makes_turns_short(void **state)
{
    struct company company = {0};
    struct asker many = {.holders = 1000};
    struct asker few = {.holders = 3, .connections = 2};
    (void)state;
    ask(&company, &many, 1);
    ask(&company, &few, 2);
    ask(&company, &many, 3);
    assert_u64(company_turn(&company, 4), COMPANY_SHORT_TURN);
    assert_true(company_has_few(&company, 4));
    assert_false(company_has_few(&company, LONG_US));
}

/* Whose answers were all just given has few in flight for a moment, and is no one who asks few. */
static void company__who_had_many_a_moment_ago__has_not_few(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1000};
    struct asker other = {.holders = 1000};
    (void)state;
    ask(&company, &one, 1);
    ask(&company, &other, 2);
    one.holders = 1;
    ask(&company, &one, 3);
    assert_false(company_has_few(&company, 4));
}

/* While turns are short, it is these that keep what is in flight low. */
static void company_heard__full_turns_in_a_row__are_of_one_who_asks_many(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1};
    struct asker other = {.holders = 1};
    (void)state;
    for (uint64_t turn = 1; turn < 10; turn++) {
        for (int i = 0; i < COMPANY_SHORT_TURN; i++) {
            company_heard(&one, turn, 0);
        }
        company_heard(&other, turn, 0);
    }
    ask(&company, &other, 1);
    ask(&company, &one, 2);
    assert_false(company_has_few(&company, 3));
    ask(&company, &other, 4);
    assert_true(company_has_few(&company, 5));
}

static void company_heard__a_large_request__counts_for_several(void **state)
{
    struct asker one = {.holders = 1};
    (void)state;
    company_heard(&one, 1, COMPANY_UNIT_BYTES - 1);
    assert_u64(one.in_turn, 1);
    company_heard(&one, 1, 40 * COMPANY_UNIT_BYTES);
    assert_u64(one.in_turn, 42);
    company_heard(&one, 2, 0);
    assert_u64(one.in_turn, 1);
}

static void company_heard__full_turns_with_pauses__are_not(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1};
    struct asker other = {.holders = 1000};
    (void)state;
    for (uint64_t turn = 1; turn < 100; turn += 2) {
        for (int i = 0; i < COMPANY_SHORT_TURN; i++) {
            company_heard(&one, turn, 0);
        }
    }
    ask(&company, &other, 1);
    ask(&company, &one, 2);
    assert_true(company_has_few(&company, 3));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(company__one_alone__has_long_turns),
    cmocka_unit_test(company__one_who_only_asks_beside_one_who_writes__shortens_turns_alone),
    cmocka_unit_test(company__two_who_ask_many__have_turns_but_no_short_ones),
    cmocka_unit_test(company__one_of_few_beside_many__makes_turns_short),
    cmocka_unit_test(company__who_had_many_a_moment_ago__has_not_few),
    cmocka_unit_test(company_heard__full_turns_in_a_row__are_of_one_who_asks_many),
    cmocka_unit_test(company_heard__a_large_request__counts_for_several),
    cmocka_unit_test(company_heard__full_turns_with_pauses__are_not),
};

TESTKIT_MAIN(tests)
