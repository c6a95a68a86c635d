/* Those who ask: that each is found again, how often each may, and what accounts add up to. */
#include <stdio.h>

#include "billingd/rpc/account.h"
#include "tests/lib/testkit.h"

static struct askers askers;

static int end(void **state)
{
    (void)state;
    askers_done(&askers);
    return 0;
}

static struct asker *find(const char *name)
{
    return askers_find(&askers, slice_of(name), 1000);
}

static struct asker *find_number(unsigned i)
{
    return find(testkit_format("uid:%u", i));
}

/* --- places ----------------------------------------------------------------------------------- */

static void find__the_same_name__is_the_same_asker(void **state)
{
    (void)state;
    struct asker *a = find("uid:1");
    struct asker *b = find("key:billing");
    assert_ptr_not_equal(a, b);
    assert_int_not_equal(a->place, b->place);
    assert_ptr_equal(find("uid:1"), a);
    assert_ptr_equal(find("key:billing"), b);
    assert_ptr_not_equal(find("key:billin"), b);
}

static void find__all_places_taken__those_with_nothing_open_make_way(void **state)
{
    struct memory_use memory = {0};
    struct account held = {0};
    (void)state;
    account_open(&held, &memory, find_number(5));
    for (unsigned i = 0; i < OP_ASKERS_MAX; i++) {
        assert_true(find_number(i)->place < OP_ASKERS_MAX);
    }
    struct asker *late = find("late");
    assert_ptr_not_equal(late, held.asker);
    assert_ptr_equal(find("late"), late);
    for (unsigned i = 0; i < 3 * OP_ASKERS_MAX; i++) {
        find_number(100000 + i); /* everybody else is forgotten by now */
    }
    assert_ptr_equal(find_number(5), held.asker);
    account_close(&held);
}

static void find__all_places_held__who_comes_late_shares_the_last(void **state)
{
    struct memory_use memory = {0};
    struct account *accounts = testkit_alloc(OP_ASKERS_MAX * sizeof *accounts);
    (void)state;
    for (unsigned i = 0; i < OP_ASKERS_MAX; i++) {
        account_open(&accounts[i], &memory, find_number(i));
    }
    assert_ptr_equal(find("late"), accounts[OP_ASKERS_MAX - 1].asker);
    assert_ptr_equal(find("later"), accounts[OP_ASKERS_MAX - 1].asker);
    assert_ptr_equal(find_number(3), accounts[3].asker);
    account_close(&accounts[17]);
    assert_u64(find("late")->place, 17);
    for (unsigned i = 0; i < OP_ASKERS_MAX; i++) {
        account_close(&accounts[i]);
    }
}

/* --- how often -------------------------------------------------------------------------------- */

static size_t allowed(struct asker *asker, int64_t a_second, int64_t now_us)
{
    int64_t wait_us;
    size_t n = 0;
    while (n < 100000 && asker_may_ask(asker, a_second, 1, now_us, &wait_us)) {
        n++;
    }
    return n;
}

static void may_ask__a_seconds_worth_at_once_and_then_the_rate(void **state)
{
    struct asker *asker = find("a");
    int64_t wait_us = 0;
    (void)state;
    assert_u64(allowed(asker, 10, 5000000), 10);
    assert_false(asker_may_ask(asker, 10, 1, 5000000, &wait_us));
    assert_i64(wait_us, 100000);
    assert_false(asker_may_ask(asker, 10, 1, 5099999, &wait_us));
    assert_i64(wait_us, 1);
    assert_u64(allowed(asker, 10, 5100000), 1);
    assert_u64(allowed(asker, 10, 5600000), 5);
    assert_u64(allowed(asker, 10, 90000000), 10); /* it saves up no more than that */
    assert_u64(allowed(find("b"), 10, 90000000), 10);
    assert_u64(allowed(find("c"), 7000000, 1), 100000);
    assert_u64(allowed(find("d"), 0, 1), 100000); /* no bound */
}

static void may_ask__more_than_a_seconds_worth__is_let_in_and_waited_out(void **state)
{
    struct asker *asker = find("a");
    int64_t wait_us = 0;
    (void)state;
    assert_true(asker_may_ask(asker, 100, 1000, 1000000, &wait_us)); /* ten seconds' worth */
    assert_false(asker_may_ask(asker, 100, 1, 1000000, &wait_us));
    assert_i64(wait_us, 9010000);
    assert_u64(allowed(asker, 100, 1000000 + 9010000), 1);
}

static void forgive__another_rate__owes_nothing_of_the_one_before(void **state)
{
    struct asker *asker = find("a");
    int64_t wait_us;
    (void)state;
    assert_true(asker_may_ask(asker, 1, 10000, 1000, &wait_us)); /* hours' worth */
    assert_false(asker_may_ask(asker, 100000, 1, 1000, &wait_us));
    askers_forgive(&askers);
    assert_true(asker_may_ask(asker, 100000, 1, 1000, &wait_us));
}

static void find__who_must_wait__is_not_forgotten_meanwhile(void **state)
{
    int64_t wait_us;
    (void)state;
    struct asker *asker = find("a");
    assert_true(asker_may_ask(asker, 1, 100, 1000, &wait_us));
    for (unsigned i = 0; i < 3 * OP_ASKERS_MAX; i++) {
        find_number(i);
    }
    assert_false(asker_may_ask(find("a"), 1, 1, 1000, &wait_us));
}

/* --- accounts --------------------------------------------------------------------------------- */

static void account__bytes__move_with_who_asks_and_go_at_the_end(void **state)
{
    struct memory_use memory = {.bytes_max = 1000};
    struct account account = {0};
    struct asker *a = find("a");
    struct asker *b = find("b");
    (void)state;
    account_open(&account, &memory, a);
    account_count(&account, 300);
    account_count(&account, 200);
    assert_u64(a->bytes, 200);
    assert_ok(account_connect(&account, b, 0));
    assert_u64(a->bytes + a->holders + a->connections, 0);
    assert_u64(b->bytes, 200);
    assert_u64(b->connections, 1);
    assert_u64(memory.bytes, 200);
    account_close(&account);
    account_close(&account);
    assert_u64(memory.bytes + b->bytes + b->holders + b->connections, 0);
}

static void account_connect__past_the_bound__is_none_of_its_connections(void **state)
{
    struct memory_use memory = {0};
    struct account accounts[3] = {0};
    struct asker *a = find("a");
    (void)state;
    for (int i = 0; i < 3; i++) {
        account_open(&accounts[i], &memory, a);
        assert_int_equal(account_connect(&accounts[i], a, 2), i < 2 ? 0 : STATUS_RATE_LIMITED);
    }
    assert_u64(a->connections, 2);
    assert_ok(account_connect(&accounts[0], a, 2)); /* it is one already */
    account_close(&accounts[0]);
    assert_ok(account_connect(&accounts[2], a, 2));
    account_close(&accounts[1]);
    account_close(&accounts[2]);
    assert_u64(a->connections, 0);
}

static void account_is_full__half_for_one_and_all_for_all(void **state)
{
    struct memory_use memory = {.bytes_max = 1000};
    struct account of_a = {0};
    struct account of_b = {0};
    struct account of_c = {0};
    (void)state;
    account_open(&of_a, &memory, find("a"));
    account_open(&of_b, &memory, find("b"));
    account_open(&of_c, &memory, find("c"));
    account_count(&of_a, 500);
    assert_false(account_is_full(&of_a));
    account_count(&of_a, 501);
    assert_true(account_is_full(&of_a));
    assert_true(account_has_its_share(&of_a));
    assert_false(account_is_full(&of_b));
    account_count(&of_b, 499);
    assert_false(account_is_full(&of_c));
    account_count(&of_b, 500);
    assert_true(account_is_full(&of_c)); /* all of it is taken */
    assert_false(account_has_its_share(&of_c));
    memory.bytes_max = 0;
    assert_false(account_is_full(&of_a));
    account_close(&of_a);
    account_close(&of_b);
    account_close(&of_c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(find__the_same_name__is_the_same_asker, end),
    cmocka_unit_test_teardown(find__all_places_taken__those_with_nothing_open_make_way, end),
    cmocka_unit_test_teardown(find__all_places_held__who_comes_late_shares_the_last, end),
    cmocka_unit_test_teardown(may_ask__a_seconds_worth_at_once_and_then_the_rate, end),
    cmocka_unit_test_teardown(may_ask__more_than_a_seconds_worth__is_let_in_and_waited_out, end),
    cmocka_unit_test_teardown(forgive__another_rate__owes_nothing_of_the_one_before, end),
    cmocka_unit_test_teardown(find__who_must_wait__is_not_forgotten_meanwhile, end),
    cmocka_unit_test_teardown(account__bytes__move_with_who_asks_and_go_at_the_end, end),
    cmocka_unit_test_teardown(account_connect__past_the_bound__is_none_of_its_connections, end),
    cmocka_unit_test_teardown(account_is_full__half_for_one_and_all_for_all, end),
};

TESTKIT_MAIN(tests)
