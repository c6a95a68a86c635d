/* Group commit: what shares a sync, who is told what when the store fails, and that everybody is
 * told in the end.  The store's commits stand at a gate, so that a test decides what waits behind
 * the one that runs. */
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "billingd/base/clock.h"
#include "tests/lib/child.h"
#include "tests/lib/committer_rig.h"

/* --- groups ----------------------------------------------------------------------------------- */

static void committer__what_is_flushed_together__shares_a_commit(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 10);
    (void)state;
    submit_all(rig, works, 10); /* nothing holds the first back but the flush behind the last */
    committer_destroy(rig->committer);
    rig->committer = NULL;
    completions_drain(&rig->completions);
    assert_in_order(rig, 10);
    assert_u64(commits(rig), 1);
    rig_close(rig);
}

static void committer__what_waits_while_a_commit_runs__shares_the_next(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 11);
    (void)state;
    submit_behind_first(rig, works, 11);
    assert_u64(committer_stats(rig->committer).queued, 10);
    assert_u64(rig->n_done, 0);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 11);
    struct committer_stats stats = committer_stats(rig->committer);
    assert_in_order(rig, 11);
    assert_u64(commits(rig), 2);
    assert_u64(stats.commits, 2);
    assert_u64(stats.records, 11);
    assert_u64(stats.records_max, 10);
    assert_u64(stats.queued, 0);
    assert_false(stats.storage_full);
    for (size_t i = 0; i < 11; i++) {
        assert_ok(works[i].op.status);
        assert_u64(works[i].last_seq, i + 1);
        assert_u64(works[i].done, 1);
    }
    rig_close(rig);
}

static void committer__nothing_is_done__before_its_commit_returns(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 1);
    (void)state;
    submit_behind_first(rig, works, 1);
    assert_u64(completions_drain(&rig->completions), 0);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 1);
    rig_close(rig);
}

static void committer__a_group__has_one_time_and_the_deployments_constants(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 3);
    int64_t before_us = clock_wall_us();
    (void)state;
    submit_behind_first(rig, works, 3);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 3);
    assert_true(works[0].env.now_us >= before_us && works[0].env.now_us <= works[1].env.now_us);
    assert_i64(works[1].env.now_us, works[2].env.now_us);
    assert_string_equal(works[1].env.currency, "USD");
    assert_int_equal(works[1].env.minor_digits, 2);
    rig_close(rig);
}

static void committer__only_refusals_and_replays__make_no_commit(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 3);
    (void)state;
    for (int i = 0; i < 3; i++) {
        works[i].records = 0;
        submit_all(rig, &works[i], 1);
        drain_until(rig, (size_t)i + 1);
        assert_ok(works[i].op.status);
    }
    assert_u64(commits(rig), 0);
    assert_u64(committer_stats(rig->committer).commits, 0);
    assert_u64(memory_store_counts(rig->memory).aborts, 3);
    rig_close(rig);
}

static void committer__refusals_among_records__are_done_in_their_place(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 5);
    (void)state;
    works[2].records = 0;
    works[3].records = 7;
    submit_behind_first(rig, works, 5);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 5);
    assert_in_order(rig, 5);
    assert_u64(commits(rig), 2);
    assert_u64(committer_stats(rig->committer).records_max, 9);
    rig_close(rig);
}

static void committer__more_than_group_ops_max_waits__goes_in_several(void **state)
{
    struct committer_options options = roomy();
    options.group_ops_max = 3;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 8);
    (void)state;
    submit_behind_first(rig, works, 8); /* 1, then 3, 3, 1 */
    memory_store_open_gate(rig->memory);
    drain_until(rig, 8);
    assert_in_order(rig, 8);
    assert_u64(commits(rig), 4);
    assert_u64(committer_stats(rig->committer).records_max, 3);
    rig_close(rig);
}

static void committer__more_than_group_bytes_max_waits__goes_in_several(void **state)
{
    struct committer_options options = roomy();
    options.group_bytes_max = 25; /* two of 10 */
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 6);
    (void)state;
    works[3].op.bytes = 1000;           /* beyond a group all by itself */
    submit_behind_first(rig, works, 6); /* 0, then 1 2, 3, 4 5 */
    memory_store_open_gate(rig->memory);
    drain_until(rig, 6);
    assert_in_order(rig, 6);
    assert_u64(commits(rig), 4);
    rig_close(rig);
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void committer_adjust__other_constants_and_bounds__hold_for_the_next_group(void **state)
{
    struct committer_options options = roomy();
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 6);
    (void)state;
    submit_behind_first(rig, works, 1);
    options.env.catalogue_listed = true;
    options.queue_ops_max = 4;
    options.group_ops_max = 2;
    committer_adjust(rig->committer, &options);
    submit_all(rig, works + 1, 4);
    assert_status(committer_submit(rig->committer, &works[5].op), STATUS_BUSY);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 5);
    assert_false(works[0].env.catalogue_listed); /* was under way */
    for (int i = 1; i < 5; i++) {
        assert_true(works[i].env.catalogue_listed);
    }
    assert_u64(commits(rig), 3); /* 1, then 2, 2 */
    rig_close(rig);
}

/* What it says of a commit that does not end grows, and an idle committer is not busy. */
static void committer_busy_us__a_commit_that_hangs__grows_until_it_ends(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 1);
    (void)state;
    assert_i64(committer_busy_us(rig->committer), 0);
    int64_t before_us = clock_monotonic_us();
    submit_behind_first(rig, works, 1);
    int64_t first_us = committer_busy_us(rig->committer);
    assert_true(first_us >= 0 && first_us <= clock_monotonic_us() - before_us);
    int64_t later_us = first_us;
    while (later_us <= first_us) { /* the clock goes on */
        later_us = committer_busy_us(rig->committer);
    }
    memory_store_open_gate(rig->memory);
    drain_until(rig, 1);
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    while (committer_busy_us(rig->committer) != 0) { /* it is on its way to waiting */
        assert_true(testkit_now_ms() < end_ms);
        sched_yield();
    }
    rig_close(rig);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void committer_submit__queue_full__is_busy_until_there_is_room(void **state)
{
    struct committer_options options = roomy();
    options.queue_ops_max = 4;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 7);
    (void)state;
    submit_behind_first(rig, works, 5);
    assert_status(committer_submit(rig->committer, &works[5].op), STATUS_BUSY);
    assert_u64(committer_stats(rig->committer).queued, 4);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 5);
    assert_u64(works[5].done + works[5].applied, 0);
    submit_all(rig, &works[5], 1);
    drain_until(rig, 6);
    assert_in_order(rig, 6);
    rig_close(rig);
}

static void committer_submit__queue_full_of_bytes__is_busy(void **state)
{
    struct committer_options options = roomy();
    options.queue_bytes_max = 100;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 4);
    (void)state;
    works[1].op.bytes = 60;
    works[2].op.bytes = 41;
    works[3].op.bytes = 40;
    submit_behind_first(rig, works, 2);
    assert_status(committer_submit(rig->committer, &works[2].op), STATUS_BUSY);
    assert_ok(committer_submit(rig->committer, &works[3].op)); /* exactly full */
    memory_store_open_gate(rig->memory);
    drain_until(rig, 3);
    rig_close(rig);
}

/* "Send it again later" must come true one day. */
static void committer_submit__an_op_beyond_the_queues_bytes__has_its_turn_alone(void **state)
{
    struct committer_options options = roomy();
    options.queue_bytes_max = 100;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 3);
    (void)state;
    works[1].op.bytes = 500;
    works[2].op.bytes = 500;
    submit_behind_first(rig, works, 2);
    assert_status(committer_submit(rig->committer, &works[2].op), STATUS_BUSY);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 2);
    submit_all(rig, &works[2], 1);
    drain_until(rig, 3);
    assert_in_order(rig, 3);
    rig_close(rig);
}

static void committer_is_pressed__above_half_of_a_bound__until_it_is_below(void **state)
{
    struct committer_options options = roomy();
    options.queue_ops_max = 4;
    options.queue_bytes_max = 1000;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 5);
    (void)state;
    submit_behind_first(rig, works, 3);
    assert_false(committer_is_pressed(rig->committer, 0)); /* 2 of 4 */
    submit_all(rig, &works[3], 1);
    assert_true(committer_is_pressed(rig->committer, 0));
    memory_store_open_gate(rig->memory);
    drain_until(rig, 4);
    assert_false(committer_is_pressed(rig->committer, 0));
    memory_store_hold_commits(rig->memory);
    works[0].id = 100;
    submit_all(rig, &works[0], 1);
    memory_store_wait_held(rig->memory);
    works[4].op.bytes = 501;
    submit_all(rig, &works[4], 1);
    assert_true(committer_is_pressed(rig->committer, 0)); /* 1 of 4, but 501 of 1000 */
    memory_store_open_gate(rig->memory);
    drain_until(rig, 6);
    rig_close(rig);
}

static void committer__deadline_passed__is_not_begun_and_others_are(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 4);
    (void)state;
    works[1].op.deadline_us = 1; /* the monotonic clock is past it */
    works[2].op.deadline_us = INT64_MAX;
    works[3].op.deadline_us = clock_monotonic_us() - 1;
    submit_behind_first(rig, works, 4);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 4);
    assert_in_order(rig, 4);
    assert_status(works[1].op.status, STATUS_DEADLINE_EXCEEDED);
    assert_status(works[3].op.status, STATUS_DEADLINE_EXCEEDED);
    assert_u64(works[1].applied + works[3].applied, 0);
    assert_ok(works[2].op.status);
    assert_u64(memory_store_counts(rig->memory).records, 2);
    rig_close(rig);
}

/* --- the store fails -------------------------------------------------------------------------- */

static void committer__one_op_meets_damage__only_that_one_fails(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 6);
    (void)state;
    works[3].records = 2; /* what it appended before it failed is not kept */
    works[3].apply_status = STATUS_CORRUPT;
    submit_behind_first(rig, works, 6);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 6);
    assert_in_order(rig, 6);
    for (int i = 0; i < 6; i++) {
        assert_status(works[i].op.status, i == 3 ? STATUS_CORRUPT : 0);
        assert_u64(works[i].done, 1);
    }
    assert_u64(memory_store_counts(rig->memory).records, 5);
    assert_u64(committer_stats(rig->committer).records, 5);
    assert_u64(committer_stats(rig->committer).commits, 5); /* the others one by one */
    rig_close(rig);
}

static void committer__announcing_fails_for_one__only_that_one_fails(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 4);
    (void)state;
    works[2].announce_status = STATUS_CORRUPT;
    submit_behind_first(rig, works, 4);
    memory_store_open_gate(rig->memory);
    drain_until(rig, 4);
    assert_in_order(rig, 4);
    assert_status(works[2].op.status, STATUS_CORRUPT);
    assert_u64(works[2].applied, 0);
    assert_ok(works[1].op.status);
    assert_ok(works[3].op.status);
    rig_close(rig);
}

static void committer__the_store_fails_once_for_a_group__all_are_recorded_one_by_one(void **state)
{
    static const enum memory_call calls[] = {MEMORY_BEGIN, MEMORY_APPEND, MEMORY_COMMIT};
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct rig *rig = rig_open(roomy());
        struct work *works = make_works(rig, 4);
        memory_store_fail(rig->memory, calls[i], STATUS_CORRUPT, 1, 1); /* past the first op */
        submit_behind_first(rig, works, 4);
        memory_store_open_gate(rig->memory);
        drain_until(rig, 4);
        assert_in_order(rig, 4);
        for (int w = 0; w < 4; w++) {
            assert_ok(works[w].op.status);
        }
        assert_u64(memory_store_counts(rig->memory).records, 4);
        rig_close(rig);
    }
}

static void committer__the_store_fails_for_a_lone_op__it_fails_at_once(void **state)
{
    struct rig *rig = rig_open(roomy());
    struct work *works = make_works(rig, 2);
    (void)state;
    memory_store_fail(rig->memory, MEMORY_BEGIN, STATUS_CORRUPT, 0, 1);
    submit_all(rig, works, 1);
    drain_until(rig, 1);
    assert_status(works[0].op.status, STATUS_CORRUPT);
    submit_all(rig, works + 1, 1);
    drain_until(rig, 2);
    assert_ok(works[1].op.status);
    rig_close(rig);
}

/* It says that there is no room for 5 seconds, which may have passed on a machine that is busy. */
static void assert_full(struct rig *rig, int64_t since_us)
{
    bool full = committer_stats(rig->committer).storage_full;
    assert_true(full || clock_monotonic_us() - since_us >= 5000000);
}

static void committer__storage_full__refuses_what_needs_room_and_tries_the_next(void **state)
{
    static const enum memory_call calls[] = {MEMORY_APPEND, MEMORY_COMMIT};
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct rig *rig = rig_open(roomy());
        struct work *works = make_works(rig, 8);
        int64_t since_us = clock_monotonic_us();
        memory_store_fail(rig->memory, calls[i], STATUS_STORAGE_FULL, 1, 4); /* group, then each */
        works[4].records = 0; /* a replay, behind three that need room */
        submit_behind_first(rig, works, 5);
        memory_store_open_gate(rig->memory);
        drain_until(rig, 5);
        assert_in_order(rig, 5);
        assert_ok(works[0].op.status);
        for (int w = 1; w < 4; w++) {
            assert_status(works[w].op.status, STATUS_STORAGE_FULL);
            assert_u64(works[w].applied, w > 1 && calls[i] == MEMORY_APPEND ? 1 : 2);
        }
        assert_ok(works[4].op.status);
        assert_full(rig, since_us);
        assert_u64(memory_store_counts(rig->memory).records, 1);

        works[5].records = 0; /* what records nothing proves nothing */
        submit_all(rig, works + 5, 1);
        drain_until(rig, 6);
        assert_ok(works[5].op.status);
        assert_full(rig, since_us);

        submit_all(rig, works + 6, 1);
        drain_until(rig, 7);
        assert_ok(works[6].op.status);
        assert_false(committer_stats(rig->committer).storage_full);
        assert_u64(committer_stats(rig->committer).commits, 2);
        rig_close(rig);
    }
}

/* --- the outcome is unknown: in a child, which ends ------------------------------------------- */

enum {
    CHILD_FAILED_CALLED = 70,
    CHILD_ANSWERED = 71,
};

static void answered_cb(struct op *op)
{
    (void)op;
    _exit(CHILD_ANSWERED);
}

static void end_cb(int status, void *arg)
{
    _exit(status == STATUS_STORAGE_FAILED && *(int *)arg == 5 ? CHILD_FAILED_CALLED : 1);
}

static void return_cb(int status, void *arg)
{
    (void)status;
    (void)arg;
}

/* How the next commits at the gate fail. */
struct failures {
    struct memory_store *memory;
    const int *statuses;
    unsigned n;
};

/* Whatever else comes to the gate then goes well. */
static void *keep_gate(void *arg)
{
    const struct failures *failures = arg;
    for (unsigned i = 0; i < failures->n; i++) {
        memory_store_wait_held(failures->memory);
        memory_store_fail(failures->memory, MEMORY_COMMIT, failures->statuses[i], 0, 1);
        memory_store_let_one_commit(failures->memory);
    }
    memory_store_open_gate(failures->memory);
    return NULL;
}

/* A group of three whose commits fail so; nobody may hear of it. */
static void lose_storage(void (*failed)(int, void *), const int *statuses, unsigned n_statuses)
{
    pthread_t gatekeeper;
    struct committer_options options = roomy();
    int arg = 5;
    options.failed = failed;
    options.failed_arg = &arg;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 4);
    submit_behind_first(rig, works, 4);
    memory_store_let_one_commit(rig->memory);
    drain_until(rig, 1);
    for (int i = 1; i < 4; i++) {
        works[i].op.done = answered_cb;
    }
    struct failures failures = {rig->memory, statuses, n_statuses};
    assert_int_equal(pthread_create(&gatekeeper, NULL, keep_gate, &failures), 0);
    assert_int_equal(pthread_detach(gatekeeper), 0); /* the child ends without waiting for it */
    drain_until(rig, 2);                             /* answered_cb() ends the child */
}

static void lose_at_once(void *arg)
{
    static const int statuses[] = {STATUS_STORAGE_FAILED};
    (void)arg;
    lose_storage(end_cb, statuses, 1);
}

static void lose_one_by_one(void *arg)
{
    static const int statuses[] = {STATUS_CORRUPT, STATUS_STORAGE_FAILED};
    (void)arg;
    lose_storage(end_cb, statuses, 2);
}

static void lose_and_go_on(void *arg)
{
    static const int statuses[] = {STATUS_STORAGE_FAILED};
    (void)arg;
    lose_storage(return_cb, statuses, 1);
}

static void committer__outcome_unknown__failed_is_called_and_nobody_answered(void **state)
{
    (void)state;
    assert_int_equal(child_run(lose_at_once, NULL), CHILD_FAILED_CALLED);
    assert_int_equal(child_run(lose_one_by_one, NULL), CHILD_FAILED_CALLED);
}

static void committer__failed_returns__the_process_aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(lose_and_go_on, NULL), -SIGABRT);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void committer_destroy__ops_waiting__carries_them_all_out(void **state)
{
    struct committer_options options = roomy();
    options.group_ops_max = 2;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, 9);
    (void)state;
    submit_behind_first(rig, works, 9);
    memory_store_open_gate(rig->memory);
    committer_destroy(rig->committer);
    rig->committer = NULL;
    completions_drain(&rig->completions);
    assert_in_order(rig, 9);
    assert_u64(memory_store_counts(rig->memory).records, 9);
    rig_close(rig); /* destroys NULL */
}

/* --- everything at once ----------------------------------------------------------------------- */

static void committer__random_faults__everybody_is_told_once_in_order_and_rightly(void **state)
{
    struct rng rng = rng_make("committer");
    struct committer_options options = roomy();
    options.group_ops_max = 16;
    struct rig *rig = rig_open(options);
    struct work *works = make_works(rig, WORK_MAX);
    uint64_t records = 0;
    (void)state;
    for (size_t i = 0; i < WORK_MAX; i++) {
        works[i].records = (unsigned)rng_below(&rng, 4);
        works[i].apply_status = rng_below(&rng, 50) == 0 ? STATUS_CORRUPT : 0;
        works[i].op.deadline_us = rng_below(&rng, 20) == 0 ? 1 : 0;
        if (rng_below(&rng, 40) == 0) {
            memory_store_fail(rig->memory, (enum memory_call)rng_below(&rng, MEMORY_SNAPSHOT),
                              rng_below(&rng, 2) == 0 ? STATUS_STORAGE_FULL : STATUS_CORRUPT,
                              (unsigned)rng_below(&rng, 10), 1 + (unsigned)rng_below(&rng, 3));
        }
        assert_ok(committer_submit(rig->committer, &works[i].op));
        if (rng_below(&rng, 3) == 0) {
            committer_flush(rig->committer, COMMITTER_ALONE);
            completions_drain(&rig->completions);
        }
    }
    drain_until(rig, WORK_MAX);
    assert_in_order(rig, WORK_MAX);
    for (size_t i = 0; i < WORK_MAX; i++) {
        assert_u64(works[i].done, 1);
        if (works[i].op.status == 0) {
            assert_true(works[i].apply_status == 0 && works[i].op.deadline_us == 0);
            records += works[i].records;
        }
    }
    assert_u64(memory_store_counts(rig->memory).records, records);
    assert_u64(committer_stats(rig->committer).records, records);
    rig_close(rig);
}

static const struct CMUnitTest tests[] = {
    /* First: they fork, and want no threads beside them. */
    cmocka_unit_test(committer__outcome_unknown__failed_is_called_and_nobody_answered),
    cmocka_unit_test(committer__failed_returns__the_process_aborts),
    cmocka_unit_test(committer__what_is_flushed_together__shares_a_commit),
    cmocka_unit_test(committer__what_waits_while_a_commit_runs__shares_the_next),
    cmocka_unit_test(committer__nothing_is_done__before_its_commit_returns),
    cmocka_unit_test(committer__a_group__has_one_time_and_the_deployments_constants),
    cmocka_unit_test(committer__only_refusals_and_replays__make_no_commit),
    cmocka_unit_test(committer__refusals_among_records__are_done_in_their_place),
    cmocka_unit_test(committer__more_than_group_ops_max_waits__goes_in_several),
    cmocka_unit_test(committer__more_than_group_bytes_max_waits__goes_in_several),
    cmocka_unit_test(committer_adjust__other_constants_and_bounds__hold_for_the_next_group),
    cmocka_unit_test(committer_busy_us__a_commit_that_hangs__grows_until_it_ends),
    cmocka_unit_test(committer_submit__queue_full__is_busy_until_there_is_room),
    cmocka_unit_test(committer_submit__queue_full_of_bytes__is_busy),
    cmocka_unit_test(committer_submit__an_op_beyond_the_queues_bytes__has_its_turn_alone),
    cmocka_unit_test(committer_is_pressed__above_half_of_a_bound__until_it_is_below),
    cmocka_unit_test(committer__deadline_passed__is_not_begun_and_others_are),
    cmocka_unit_test(committer__one_op_meets_damage__only_that_one_fails),
    cmocka_unit_test(committer__announcing_fails_for_one__only_that_one_fails),
    cmocka_unit_test(committer__the_store_fails_once_for_a_group__all_are_recorded_one_by_one),
    cmocka_unit_test(committer__the_store_fails_for_a_lone_op__it_fails_at_once),
    cmocka_unit_test(committer__storage_full__refuses_what_needs_room_and_tries_the_next),
    cmocka_unit_test(committer_destroy__ops_waiting__carries_them_all_out),
    cmocka_unit_test(committer__random_faults__everybody_is_told_once_in_order_and_rightly),
};

TESTKIT_MAIN(tests)
