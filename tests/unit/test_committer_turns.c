/* Several who ask: each gets its turns in the groups of the committer, and its share of the
 * queue. */
#include <stdatomic.h>

#include "billingd/base/clock.h"
#include "tests/lib/committer_rig.h"

/* NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name */
int64_t __wrap_clock_monotonic_us(void);

static atomic_llong now_us = 1000000; /* it stands still, but for what a test lets pass */

int64_t __wrap_clock_monotonic_us(void)
{
    return atomic_load(&now_us);
}

static void committer__a_flood_of_one__another_ones_op_is_in_the_next_group(void **state)
{
    enum { FLOOD = 200, GROUP = 50 };
    struct committer_options options = roomy();
    options.queue_bytes_max = options.group_bytes_max = (size_t)100 * 1024 * 1024;
    options.group_ops_max = GROUP;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, FLOOD + 2);
    (void)state;
    for (size_t i = 0; i < FLOOD + 1; i++) {
        works[i].op.bytes = 8192; /* some thirty are a turn */
        works[i].op.asker = 1;
    }
    works[FLOOD + 1].op.asker = 2;
    submit_behind_first(rig, works, FLOOD + 2);
    memory_store_open_gate(rig->memory);
    drain_until(rig, FLOOD + 2);
    size_t at = 0;
    while (rig->done_ids[at] != FLOOD + 1) {
        at++;
    }
    assert_true(at <= GROUP);
    for (size_t i = 0, last = 0; i < rig->n_done; i++) { /* the others keep their order */
        if (rig->done_ids[i] != FLOOD + 1) {
            assert_int_equal(rig->done_ids[i], last);
            last++;
        }
    }
    rig_close(rig);
}

static void committer_submit__full_of_one__lets_another_in_up_to_its_share(void **state)
{
    struct committer_options options = roomy();
    options.queue_ops_max = 4;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 9);
    (void)state;
    submit_behind_first(rig, works, 5); /* of asker 0 */
    for (int i = 6; i < 9; i++) {
        works[i].op.asker = 2;
    }
    assert_status(committer_submit(rig->committer, &works[5].op), STATUS_BUSY);
    assert_ok(committer_submit(rig->committer, &works[6].op));
    assert_ok(committer_submit(rig->committer, &works[7].op));
    assert_status(committer_submit(rig->committer, &works[8].op), STATUS_BUSY); /* 2 of 4 */
    assert_status(committer_submit(rig->committer, &works[5].op), STATUS_BUSY);
    assert_true(committer_is_pressed(rig->committer, 0));
    assert_false(committer_is_pressed(rig->committer, 3));
    memory_store_open_gate(rig->memory);
    drain_until(rig, 7);
    rig_close(rig);
}

static void submit_shared(struct rig *rig, struct work *works, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_ok(committer_submit(rig->committer, &works[i].op));
    }
    committer_flush(rig->committer, COMMITTER_FEW);
}

/* Submit the first of N, and when its commit stands at the gate the others, as beside others. */
static void submit_shared_behind_first(struct rig *rig, struct work *works, size_t n)
{
    memory_store_hold_commits(rig->memory);
    submit_all(rig, works, 1);
    memory_store_wait_held(rig->memory);
    submit_shared(rig, works + 1, n - 1);
}

/* No group has more of the one than there is of the other; what is left comes behind. */
static void committer_flush__many__one_gets_no_more_than_the_other(void **state)
{
    enum { MUCH = 400, LESS = 100, TURN = 12 };
    struct committer_options options = roomy();
    options.queue_bytes_max = options.group_bytes_max = (size_t)100 * 1024 * 1024;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 1 + MUCH + LESS);
    (void)state;
    for (size_t i = 1; i <= MUCH + LESS; i++) {
        works[i].op.bytes = FAIR_QUEUE_TURN_BYTES / TURN;
        works[i].op.asker = i <= MUCH ? 1 : 2;
    }
    memory_store_hold_commits(rig->memory);
    submit_all(rig, works, 1);
    memory_store_wait_held(rig->memory);
    for (size_t i = 1; i <= MUCH + LESS; i++) {
        assert_ok(committer_submit(rig->committer, &works[i].op));
    }
    committer_flush(rig->committer, COMMITTER_MANY);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 1 + MUCH + LESS);
    uint64_t most = committer_stats(rig->committer).records_max;
    assert_in_range(most, 2 * LESS - TURN, 2 * LESS + TURN);
    rig_close(rig);
}

static void drain_shared(struct rig *rig, size_t n_done)
{
    memory_store_open_gate(rig->memory);
    completions_drain(&rig->completions);
    while (rig->n_done < n_done) {
        bell_wait(&rig->bell);
        completions_drain(&rig->completions);
    }
}

/* The first shared group is of one turn; how large the next may be says the pace of the first. */
static void committer_flush__shared__groups_are_no_larger_than_a_turn(void **state)
{
    struct committer_options options = roomy();
    options.queue_bytes_max = options.group_bytes_max = (size_t)100 * 1024 * 1024;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 7);
    (void)state;
    for (size_t i = 1; i < 7; i++) {
        works[i].op.bytes = (size_t)100 * 1024;
    }
    submit_shared_behind_first(rig, works, 7);
    drain_shared(rig, 7);
    assert_true(commits(rig) > 1 + 1);
    rig_close(rig);
}

/* As which one that has one op in a group, beside one that has forty, is answered; the first is a
 * group of its own. */
static size_t place_of_the_last(bool in_order)
{
    enum { MANY = 40 };
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, MANY + 2);
    for (size_t i = 1; i < MANY + 2; i++) {
        works[i].op.bytes = 100; /* all are one group */
        works[i].op.asker = i == MANY + 1 ? 2 : 1;
        works[i].op.in_order = in_order;
    }
    submit_shared_behind_first(rig, works, MANY + 2);
    drain_shared(rig, MANY + 2);
    size_t at = 0;
    while (rig->done_ids[at] != MANY + 1) {
        at++;
    }
    rig_close(rig);
    return at;
}

/* Whoever has few in a group is answered before whoever has many in it. */
static void committer_flush__shared__who_has_few_is_answered_first(void **state)
{
    (void)state;
    assert_true(place_of_the_last(false) <= 1);
}

/* Who sees that a key was revoked has seen that it was made. */
static void committer_flush__shared__what_is_in_order_overtakes_nothing(void **state)
{
    (void)state;
    assert_true(place_of_the_last(true) > 1);
}

/* A large op of asker 1 that took 10 ms; behind it LITTLE of asker 2, two a turn, and another large
 * one. */
static void submit_little_behind_large(struct rig *rig, struct work *works, size_t little)
{
    for (size_t i = 0; i < little + 2; i++) {
        bool is_large = i == 0 || i == little + 1;
        works[i].op.asker = is_large ? 1 : 2;
        works[i].op.bytes = FAIR_QUEUE_TURN_BYTES * (is_large ? 5 : 1) / 2;
    }
    memory_store_hold_commits(rig->memory);
    submit_shared(rig, works, 1);
    memory_store_wait_held(rig->memory);
    atomic_fetch_add(&now_us, 10000);
    submit_shared(rig, works + 1, little + 1);
}

/* By turns alone it would come behind four of them. */
static void committer_flush__shared__what_is_large_rests_while_others_ask_for_little(void **state)
{
    enum { LITTLE = 12, LARGE = LITTLE + 1 };
    struct committer_options options = roomy();
    options.group_ops_max = 1;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, LARGE + 2);
    (void)state;
    submit_little_behind_large(rig, works, LITTLE);
    drain_shared(rig, LARGE);
    assert_u64(works[LARGE].done, 0);
    works[LARGE + 1].op.asker = 2; /* which it waits for, too, though it is alone now */
    submit_shared(rig, works + LARGE + 1, 1);
    drain_shared(rig, LARGE + 1);
    assert_u64(works[LARGE].done, 0);
    atomic_fetch_add(&now_us, 100000);
    drain_shared(rig, LARGE + 2);
    rig_close(rig);
}

/* One who has much waiting is none for whom others rest. */
static void committer_flush__shared__nothing_rests_for_a_flood(void **state)
{
    enum { FLOOD = 40 };
    struct committer_options options = roomy();
    options.group_ops_max = 1;
    options.queue_bytes_max = (size_t)100 * 1024 * 1024;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, FLOOD + 2);
    (void)state;
    submit_little_behind_large(rig, works, FLOOD);
    drain_shared(rig, FLOOD);
    assert_u64(works[FLOOD + 1].done, 1);
    drain_shared(rig, FLOOD + 2);
    rig_close(rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(committer__a_flood_of_one__another_ones_op_is_in_the_next_group),
    cmocka_unit_test(committer_submit__full_of_one__lets_another_in_up_to_its_share),
    cmocka_unit_test(committer_flush__many__one_gets_no_more_than_the_other),
    cmocka_unit_test(committer_flush__shared__who_has_few_is_answered_first),
    cmocka_unit_test(committer_flush__shared__what_is_in_order_overtakes_nothing),
    cmocka_unit_test(committer_flush__shared__what_is_large_rests_while_others_ask_for_little),
    cmocka_unit_test(committer_flush__shared__nothing_rests_for_a_flood),
    cmocka_unit_test(committer_flush__shared__groups_are_no_larger_than_a_turn),
};

TESTKIT_MAIN(tests)
