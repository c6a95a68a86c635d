/* The readers: each query from a view of its own, and everybody told in the end. */
#include <sched.h>

#include "billingd/base/clock.h"
#include "billingd/commit/readers.h"
#include "tests/lib/bell.h"
#include "tests/lib/memory_store.h"
#include "tests/lib/testkit.h"

/* --- the rig ---------------------------------------------------------------------------------- */

struct rig {
    struct memory_store *memory;
    struct bell bell;
    struct completions completions;
    struct readers *readers;
    size_t n_done;

    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t changed;
    unsigned running;       /* queries that have begun */
    unsigned heavy;         /* heavy ones that are at it */
    unsigned heavy_at_once; /* the most of them at the same time */
    bool gate;              /* they wait */
};

struct question {
    struct op op;
    struct rig *rig;
    int query_status; /* to be returned */
    bool reads;       /* a record, behind the gate */
    /* --- seen --- */
    unsigned asked;
    unsigned done;
    size_t order; /* among all that are done, from 1 on */
    struct store_view *view;
    uint64_t first_seq; /* what the view showed before the gate, and behind it */
    uint64_t second_seq;
    struct ledger_env env;
};

static struct question *question_of(struct op *op)
{
    return (struct question *)(void *)op;
}

static void pass_gate(struct rig *rig, bool heavy)
{
    pthread_mutex_lock(&rig->lock);
    rig->running++;
    rig->heavy += heavy;
    rig->heavy_at_once = rig->heavy > rig->heavy_at_once ? rig->heavy : rig->heavy_at_once;
    pthread_cond_broadcast(&rig->changed);
    while (rig->gate) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    rig->heavy -= heavy;
    pthread_mutex_unlock(&rig->lock);
}

static int query_cb(struct op *op, struct store_view *view, const struct ledger_env *env)
{
    struct question *question = question_of(op);
    struct store_info info;
    question->asked++;
    question->env = *env;
    question->view = view;
    int rc = store_info(view, &info);
    question->first_seq = info.last_seq;
    pass_gate(question->rig, op->heavy);
    if (rc == 0 && question->reads) {
        struct record record;
        rc = store_record(view, info.last_seq, &record);
    }
    if (rc == 0) {
        rc = store_info(view, &info);
        question->second_seq = info.last_seq;
    }
    return rc < 0 ? rc : question->query_status;
}

static void done_cb(struct op *op)
{
    struct question *question = question_of(op);
    question->done++;
    question->order = ++question->rig->n_done;
}

static struct rig *rig_open(unsigned threads, size_t queue_ops_max)
{
    struct rig *rig = testkit_alloc(sizeof *rig);
    rig->memory = memory_store_create();
    bell_init(&rig->bell);
    completions_init(&rig->completions, bell_ring, &rig->bell);
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    struct readers_options options = {
        .store = memory_store_handle(rig->memory),
        .env = {.currency = "JPY", .minor_digits = 0},
        .completions = &rig->completions,
        .threads = threads,
        .queue_ops_max = queue_ops_max,
        .queue_bytes_max = 1000,
    };
    assert_ok(readers_create(&options, &rig->readers));
    return rig;
}

static void rig_close(struct rig *rig)
{
    readers_destroy(rig->readers);
    completions_drain(&rig->completions);
    completions_done(&rig->completions);
    bell_done(&rig->bell);
    assert_int_equal(pthread_cond_destroy(&rig->changed), 0);
    assert_int_equal(pthread_mutex_destroy(&rig->lock), 0);
    memory_store_destroy(rig->memory);
}

static void set_gate(struct rig *rig, bool gate)
{
    pthread_mutex_lock(&rig->lock);
    rig->gate = gate;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void wait_running(struct rig *rig, unsigned n)
{
    pthread_mutex_lock(&rig->lock);
    while (rig->running < n) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

static struct question *make_questions(struct rig *rig, size_t n)
{
    struct question *questions = testkit_alloc(n * sizeof *questions);
    for (size_t i = 0; i < n; i++) {
        questions[i] = (struct question){
            .op = {.bytes = 10, .query = query_cb, .done = done_cb},
            .rig = rig,
        };
    }
    return questions;
}

static void submit_all(struct rig *rig, struct question *questions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_ok(readers_submit(rig->readers, &questions[i].op));
    }
}

static void drain_until(struct rig *rig, size_t n_done)
{
    while (rig->n_done < n_done) {
        bell_wait(&rig->bell);
        completions_drain(&rig->completions);
    }
}

static void record_one(struct rig *rig, const char *request_id)
{
    struct store_txn *txn;
    struct record record = {
        .kind = RECORD_CUSTOMER_CREATED,
        .request_id = slice_of(request_id),
        .customer_created = {.name = SLICE("A")},
    };
    assert_ok(store_begin(memory_store_handle(rig->memory), 1, &txn));
    assert_ok(store_append(txn, &record));
    assert_ok(store_commit(txn));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void readers__a_commit_meanwhile__is_seen_by_the_next_query_only(void **state)
{
    struct rig *rig = rig_open(2, 100);
    struct question *questions = make_questions(rig, 2);
    (void)state;
    record_one(rig, "1");
    set_gate(rig, true);
    submit_all(rig, questions, 1);
    wait_running(rig, 1);
    record_one(rig, "2");
    submit_all(rig, questions + 1, 1);
    wait_running(rig, 2);
    assert_u64(memory_store_counts(rig->memory).views_open, 2);
    set_gate(rig, false);
    drain_until(rig, 2);
    assert_ptr_not_equal(questions[0].view, questions[1].view);
    assert_u64(questions[0].first_seq, 1);
    assert_u64(questions[0].second_seq, 1);
    assert_u64(questions[1].first_seq, 2);
    assert_u64(memory_store_counts(rig->memory).views_open, 0);
    rig_close(rig);
}

static void readers__each_query__gets_the_time_and_the_deployments_constants(void **state)
{
    struct rig *rig = rig_open(1, 100);
    struct question *questions = make_questions(rig, 2);
    int64_t before_us = clock_wall_us();
    (void)state;
    submit_all(rig, questions, 2);
    drain_until(rig, 2);
    assert_true(questions[0].env.now_us >= before_us);
    assert_true(questions[1].env.now_us >= questions[0].env.now_us);
    assert_string_equal(questions[0].env.currency, "JPY");
    rig_close(rig);
}

static void readers__what_fails__is_told_and_its_view_released(void **state)
{
    struct rig *rig = rig_open(1, 100);
    struct question *questions = make_questions(rig, 4);
    (void)state;
    questions[0].query_status = STATUS_CUSTOMER_NOT_FOUND;
    questions[2].op.deadline_us = 1;
    questions[3].op.deadline_us = INT64_MAX;
    memory_store_fail(rig->memory, MEMORY_SNAPSHOT, STATUS_BUSY, 1, 1);
    for (size_t i = 0; i < 4; i++) {
        submit_all(rig, &questions[i], 1);
        drain_until(rig, i + 1);
    }
    assert_status(questions[0].op.status, STATUS_CUSTOMER_NOT_FOUND);
    assert_status(questions[1].op.status, STATUS_BUSY);
    assert_status(questions[2].op.status, STATUS_DEADLINE_EXCEEDED);
    assert_u64(questions[1].asked + questions[2].asked, 0);
    assert_ok(questions[3].op.status);
    assert_u64(memory_store_counts(rig->memory).views_open, 0);
    rig_close(rig);
}

static void readers_submit__queue_full__is_busy_until_there_is_room(void **state)
{
    struct rig *rig = rig_open(1, 2);
    struct question *questions = make_questions(rig, 4);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, questions, 1);
    wait_running(rig, 1);
    submit_all(rig, questions + 1, 2);
    assert_status(readers_submit(rig->readers, &questions[3].op), STATUS_BUSY);
    set_gate(rig, false);
    drain_until(rig, 3);
    assert_u64(questions[3].asked + questions[3].done, 0);
    submit_all(rig, questions + 3, 1);
    drain_until(rig, 4);
    rig_close(rig);
}

static void readers_adjust__other_constants_and_bounds__hold_for_what_comes(void **state)
{
    struct rig *rig = rig_open(1, 100);
    struct question *questions = make_questions(rig, 3);
    struct readers_options options = {
        .env.catalogue_listed = true,
        .queue_ops_max = 1,
        .queue_bytes_max = 1000,
    };
    (void)state;
    set_gate(rig, true);
    submit_all(rig, questions, 1);
    wait_running(rig, 1);
    readers_adjust(rig->readers, &options);
    submit_all(rig, questions + 1, 1);
    assert_status(readers_submit(rig->readers, &questions[2].op), STATUS_BUSY);
    set_gate(rig, false);
    drain_until(rig, 2);
    assert_false(questions[0].env.catalogue_listed);
    assert_true(questions[1].env.catalogue_listed);
    assert_string_equal(questions[1].env.currency, "JPY"); /* does not change */
    rig_close(rig);
}

static void readers_submit__queue_full_of_bytes__is_busy(void **state)
{
    struct rig *rig = rig_open(1, 100); /* 1000 bytes */
    struct question *questions = make_questions(rig, 4);
    (void)state;
    questions[1].op.bytes = 600;
    questions[2].op.bytes = 401;
    questions[3].op.bytes = 5000;
    set_gate(rig, true);
    submit_all(rig, questions, 1);
    wait_running(rig, 1);
    submit_all(rig, questions + 1, 1);
    assert_status(readers_submit(rig->readers, &questions[2].op), STATUS_BUSY);
    set_gate(rig, false);
    drain_until(rig, 2);
    submit_all(rig, questions + 3, 1); /* an empty queue takes any */
    drain_until(rig, 3);
    rig_close(rig);
}

/* --- light ones and heavy ones ---------------------------------------------------------------- */

static struct question *make_heavy(struct rig *rig, size_t n)
{
    struct question *questions = make_questions(rig, n);
    for (size_t i = 0; i < n; i++) {
        questions[i].op.heavy = true;
    }
    return questions;
}

static void readers__heavy_ones_waiting__leave_a_thread_to_the_light(void **state)
{
    struct rig *rig = rig_open(2, 100);
    struct question *heavy = make_heavy(rig, 10);
    struct question *light = make_questions(rig, 1);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, heavy, 10);
    submit_all(rig, light, 1);
    wait_running(rig, 2);
    assert_u64(heavy[0].asked, 1);
    assert_u64(light->asked, 1);
    set_gate(rig, false);
    drain_until(rig, 11);
    assert_u64(rig->heavy_at_once, 1);
    rig_close(rig);
}

static void readers__many_heavy_ones__take_all_threads_but_one(void **state)
{
    struct rig *rig = rig_open(4, 100);
    struct question *heavy = make_heavy(rig, 50);
    struct question *light = make_questions(rig, 50);
    (void)state;
    set_gate(rig, true);
    for (size_t i = 0; i < 50; i++) {
        submit_all(rig, heavy + i, 1);
        submit_all(rig, light + i, 1);
    }
    wait_running(rig, 4);
    set_gate(rig, false);
    drain_until(rig, 100);
    assert_in_range(rig->heavy_at_once, 1, 3);

    struct question *more = make_heavy(rig, 3);
    set_gate(rig, true);
    submit_all(rig, more, 3); /* with nothing else to do, all three go at once */
    wait_running(rig, 103);
    assert_u64(rig->heavy_at_once, 3);
    set_gate(rig, false);
    drain_until(rig, 103);
    rig_close(rig);
}

static void readers__one_thread__answers_heavy_ones_behind_the_light(void **state)
{
    struct rig *rig = rig_open(1, 100);
    struct question *heavy = make_heavy(rig, 3);
    struct question *light = make_questions(rig, 2);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, heavy, 1);
    wait_running(rig, 1);
    submit_all(rig, heavy + 1, 2);
    submit_all(rig, light, 2);
    set_gate(rig, false);
    drain_until(rig, 5);
    assert_u64(heavy[0].order, 1);
    assert_u64(light[0].order, 2);
    assert_u64(light[1].order, 3);
    assert_u64(heavy[1].order, 4);
    assert_u64(heavy[2].order, 5);
    rig_close(rig);
}

static void readers_submit__too_many_heavy_ones__are_busy_and_light_ones_are_not(void **state)
{
    struct rig *rig = rig_open(2, 100);
    struct question *heavy = make_heavy(rig, READERS_HEAVY_MAX + 2);
    struct question *light = make_questions(rig, 1);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, heavy, 1);
    wait_running(rig, 1);
    submit_all(rig, heavy + 1, READERS_HEAVY_MAX);
    assert_status(readers_submit(rig->readers, &heavy[READERS_HEAVY_MAX + 1].op), STATUS_BUSY);
    submit_all(rig, light, 1);
    set_gate(rig, false);
    drain_until(rig, READERS_HEAVY_MAX + 2);
    submit_all(rig, &heavy[READERS_HEAVY_MAX + 1], 1);
    drain_until(rig, READERS_HEAVY_MAX + 3);
    rig_close(rig);
}

static void readers_submit__bounds__count_light_and_heavy_ones_together(void **state)
{
    struct rig *rig = rig_open(1, 3); /* 1000 bytes */
    struct question *heavy = make_heavy(rig, 4);
    struct question *light = make_questions(rig, 3);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, heavy, 1);
    wait_running(rig, 1);
    heavy[1].op.bytes = 600;
    light[0].op.bytes = 401;
    submit_all(rig, heavy + 1, 1);
    assert_status(readers_submit(rig->readers, &light[0].op), STATUS_BUSY); /* bytes */
    submit_all(rig, light + 1, 1);
    submit_all(rig, heavy + 2, 1);
    assert_status(readers_submit(rig->readers, &light[2].op), STATUS_BUSY); /* ops */
    assert_status(readers_submit(rig->readers, &heavy[3].op), STATUS_BUSY);
    set_gate(rig, false);
    drain_until(rig, 4);
    rig_close(rig);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void *destroy_main(void *arg)
{
    readers_destroy(arg);
    return NULL;
}

/* What waits is not begun, and what runs learns of it at its next read. */
static void readers_destroy__queries_waiting__are_not_begun_and_those_running_end(void **state)
{
    struct rig *rig = rig_open(3, 100);
    struct question *questions = make_questions(rig, 50);
    pthread_t destroyer;
    (void)state;
    record_one(rig, "1");
    for (size_t i = 0; i < 50; i++) {
        questions[i].reads = i != 0;
        questions[i].op.heavy = i % 2 == 0;
    }
    set_gate(rig, true);
    submit_all(rig, questions, 3);
    wait_running(rig, 3);
    submit_all(rig, questions + 3, 47);
    assert_int_equal(pthread_create(&destroyer, NULL, destroy_main, rig->readers), 0);
    drain_until(rig, 47); /* while the three are still at it */
    for (size_t i = 0; i < 50; i++) {
        assert_u64(questions[i].done, i >= 3);
        assert_u64(questions[i].asked, i < 3);
    }
    set_gate(rig, false);
    assert_int_equal(pthread_join(destroyer, NULL), 0);
    rig->readers = NULL;
    completions_drain(&rig->completions);
    assert_u64(rig->n_done, 50);
    assert_ok(questions[0].op.status);
    for (size_t i = 1; i < 50; i++) {
        assert_status(questions[i].op.status, STATUS_SHUTTING_DOWN);
    }
    assert_u64(memory_store_counts(rig->memory).views_open, 0);
    rig_close(rig); /* destroys NULL */
}

static void readers_submit__after_destroy_began__is_shutting_down(void **state)
{
    struct rig *rig = rig_open(1, 1);
    struct question *questions = make_questions(rig, 3);
    pthread_t destroyer;
    (void)state;
    set_gate(rig, true);
    submit_all(rig, questions, 1);
    wait_running(rig, 1);
    submit_all(rig, questions + 1, 1);
    assert_int_equal(pthread_create(&destroyer, NULL, destroy_main, rig->readers), 0);
    int rc = STATUS_BUSY;
    while (rc == STATUS_BUSY) {
        rc = readers_submit(rig->readers, &questions[2].op);
        sched_yield();
    }
    assert_status(rc, STATUS_SHUTTING_DOWN);
    set_gate(rig, false);
    assert_int_equal(pthread_join(destroyer, NULL), 0);
    rig->readers = NULL;
    completions_drain(&rig->completions);
    assert_u64(rig->n_done, 2);
    rig_close(rig);
}

static void readers_stats__what_waits_and_what_runs__is_told(void **state)
{
    struct rig *rig = rig_open(2, 100);
    struct question *heavy = make_heavy(rig, 3);
    struct question *light = make_questions(rig, 5);
    (void)state;
    set_gate(rig, true);
    submit_all(rig, heavy, 1);
    wait_running(rig, 1);
    submit_all(rig, light, 1);
    wait_running(rig, 2); /* both threads are at one */
    submit_all(rig, heavy + 1, 2);
    submit_all(rig, light + 1, 4);
    struct readers_stats stats = readers_stats(rig->readers);
    assert_u64(stats.heavy_running, 1);
    assert_u64(stats.heavy, 2);
    assert_u64(stats.light, 4);
    assert_u64(stats.bytes, 60);
    set_gate(rig, false);
    drain_until(rig, 8);
    readers_destroy(rig->readers);
    rig->readers = NULL;
    completions_drain(&rig->completions);
    rig_close(rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(readers__a_commit_meanwhile__is_seen_by_the_next_query_only),
    cmocka_unit_test(readers__each_query__gets_the_time_and_the_deployments_constants),
    cmocka_unit_test(readers__what_fails__is_told_and_its_view_released),
    cmocka_unit_test(readers_submit__queue_full__is_busy_until_there_is_room),
    cmocka_unit_test(readers_adjust__other_constants_and_bounds__hold_for_what_comes),
    cmocka_unit_test(readers_submit__queue_full_of_bytes__is_busy),
    cmocka_unit_test(readers__heavy_ones_waiting__leave_a_thread_to_the_light),
    cmocka_unit_test(readers__many_heavy_ones__take_all_threads_but_one),
    cmocka_unit_test(readers__one_thread__answers_heavy_ones_behind_the_light),
    cmocka_unit_test(readers_submit__too_many_heavy_ones__are_busy_and_light_ones_are_not),
    cmocka_unit_test(readers_submit__bounds__count_light_and_heavy_ones_together),
    cmocka_unit_test(readers_stats__what_waits_and_what_runs__is_told),
    cmocka_unit_test(readers_destroy__queries_waiting__are_not_begun_and_those_running_end),
    cmocka_unit_test(readers_submit__after_destroy_began__is_shutting_down),
};

TESTKIT_MAIN(tests)
