/* Who asks beside whom, and how much of one is heard in a turn then. */
#include "billingd/rpc/company.h"
#include "tests/lib/testkit.h"

enum {
    LONG_US = 1000000, /* after it nobody expects the others any more */
};

static void company__one_alone__is_heard_as_it_comes(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1000};
    (void)state;
    for (int64_t us = 1; us < 1000; us++) {
        company_note(&company, &one, us);
        assert_u64(company_turn(&company, us), 0);
    }
    assert_false(company_has_few(&company, 1000));
}

static void company__two_who_ask_many__have_turns_but_no_short_ones(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1000};
    struct asker other = {.holders = 1000};
    (void)state;
    company_note(&company, &one, 1);
    company_note(&company, &other, 2);
    company_note(&company, &one, 3);
    assert_u64(company_turn(&company, 4), COMPANY_TURN);
    assert_false(company_has_few(&company, 4));
    assert_u64(company_turn(&company, LONG_US), 0); /* and alone again */
}

static void company__one_of_few_beside_many__makes_turns_short(void **state)
{
    struct company company = {0};
    struct asker many = {.holders = 1000};
    struct asker few = {.holders = 3, .connections = 2};
    (void)state;
    company_note(&company, &many, 1);
    company_note(&company, &few, 2);
    company_note(&company, &many, 3);
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
    company_note(&company, &one, 1);
    company_note(&company, &other, 2);
    one.holders = 1;
    company_note(&company, &one, 3);
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
            company_heard(&one, turn);
        }
        company_heard(&other, turn);
    }
    company_note(&company, &other, 1);
    company_note(&company, &one, 2);
    assert_false(company_has_few(&company, 3));
    company_note(&company, &other, 4);
    assert_true(company_has_few(&company, 5));
}

static void company_heard__full_turns_with_pauses__are_not(void **state)
{
    struct company company = {0};
    struct asker one = {.holders = 1};
    struct asker other = {.holders = 1000};
    (void)state;
    for (uint64_t turn = 1; turn < 100; turn += 2) {
        for (int i = 0; i < COMPANY_SHORT_TURN; i++) {
            company_heard(&one, turn);
        }
    }
    company_note(&company, &other, 1);
    company_note(&company, &one, 2);
    assert_true(company_has_few(&company, 3));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(company__one_alone__is_heard_as_it_comes),
    cmocka_unit_test(company__two_who_ask_many__have_turns_but_no_short_ones),
    cmocka_unit_test(company__one_of_few_beside_many__makes_turns_short),
    cmocka_unit_test(company__who_had_many_a_moment_ago__has_not_few),
    cmocka_unit_test(company_heard__full_turns_in_a_row__are_of_one_who_asks_many),
    cmocka_unit_test(company_heard__full_turns_with_pauses__are_not),
};

TESTKIT_MAIN(tests)
