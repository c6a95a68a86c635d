/* Jobs: one at a time, seen while they run, ended when asked, and remembered for a while. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "billingd/commit/jobs.h"
#include "billingd/store/engine.h"
#include "tests/lib/testkit.h"

/* A store whose long work stands still after each step until the test lets it go on. */
struct slow {
    struct store base;
    struct store_view view;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool open;      /* nobody stands still any more */
    unsigned steps; /* that were taken */
    unsigned allowed;
    uint64_t findings; /* that a verification tells */
    int status;        /* how the work ends; 0: well */
    int snapshot_status;
    char directory[64]; /* of the last backup */
};

enum {
    STEPS = 4,
    LAST_SEQ = 77,
};

static struct slow *slow_of(struct store *store)
{
    return (struct slow *)store; /* its first member */
}

static struct slow *slow_of_view(struct store_view *view)
{
    return (struct slow *)(void *)((char *)view - offsetof(struct slow, view));
}

static void stand_still(struct slow *slow)
{
    pthread_mutex_lock(&slow->lock);
    slow->steps++;
    pthread_cond_broadcast(&slow->changed);
    while (!slow->open && slow->allowed == 0) {
        pthread_cond_wait(&slow->changed, &slow->lock);
    }
    slow->allowed -= slow->open ? 0 : 1;
    pthread_mutex_unlock(&slow->lock);
}

static int slow_work(struct slow *slow, int (*progress_cb)(uint64_t done, uint64_t all, void *arg),
                     void *arg)
{
    int rc = 0;
    for (uint64_t i = 1; i <= STEPS && rc == 0; i++) {
        rc = progress_cb(i, STEPS, arg);
        if (rc == 0) {
            stand_still(slow);
        }
    }
    if (rc == 0) { /* whatever it was told meanwhile */
        rc = progress_cb(STEPS, STEPS, arg);
    }
    return rc < 0 ? rc : slow->status;
}

static int slow_snapshot(struct store *store, struct store_view **ret_view)
{
    struct slow *slow = slow_of(store);
    slow->view.ops = store->ops;
    *ret_view = &slow->view;
    return slow->snapshot_status;
}

static void slow_release(struct store_view *view)
{
    (void)view;
}

static int slow_info(struct store_view *view, struct store_info *ret)
{
    (void)view;
    *ret = (struct store_info){.last_seq = LAST_SEQ};
    return 0;
}

static int slow_record(struct store_view *view, uint64_t seq, struct record *ret)
{
    (void)view;
    *ret = (struct record){.seq = seq, .kind = RECORD_USAGE};
    return seq == 1 ? STATUS_CORRUPT : 0;
}

static int slow_verify(struct store_view *view, const struct store_verify *how,
                       struct store_verified *ret)
{
    struct slow *slow = slow_of_view(view);
    int rc = 0;
    for (uint64_t i = 0; i < slow->findings && rc == 0; i++) {
        const struct store_finding finding = {.fault = STORE_WRONG,
                                              .table = "journal",
                                              .seq = i,
                                              .rows = 2,
                                              .text = "it was flipped"};
        rc = how->finding_cb(&finding, how->arg);
    }
    rc = rc < 0 ? rc : slow_work(slow, how->progress_cb, how->arg);
    *ret = (struct store_verified){.records = 5, .rows = 6, .findings = slow->findings};
    return rc;
}

static int slow_backup_check(struct store *store, const char *directory, struct errinfo *reason)
{
    (void)store;
    memcpy(reason->message, "bad", 4);
    return directory[0] == '/' ? 0 : STATUS_OUT_OF_BOUNDS;
}

static int slow_backup(struct store *store, const struct store_backup *how,
                       struct store_copied *ret, struct errinfo *reason)
{
    struct slow *slow = slow_of(store);
    memcpy(slow->directory, how->directory, strlen(how->directory) + 1);
    int rc = slow_work(slow, how->progress_cb, how->arg);
    memcpy(reason->message, "the disk is on fire", 20);
    *ret = (struct store_copied){.last_seq = LAST_SEQ, .bytes = 4096};
    return rc;
}

static const struct store_ops slow_ops = {
    .snapshot = slow_snapshot,
    .release = slow_release,
    .info = slow_info,
    .record = slow_record,
    .verify = slow_verify,
    .backup_check = slow_backup_check,
    .backup = slow_backup,
};

static struct slow *slow_create(void)
{
    struct slow *slow = testkit_alloc(sizeof *slow);
    slow->base.ops = &slow_ops;
    assert_int_equal(pthread_mutex_init(&slow->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&slow->changed, NULL), 0);
    return slow;
}

/* Wait until it has taken so many steps, and stands still. */
static void await_steps(struct slow *slow, unsigned steps)
{
    pthread_mutex_lock(&slow->lock);
    while (slow->steps < steps) {
        pthread_cond_wait(&slow->changed, &slow->lock);
    }
    pthread_mutex_unlock(&slow->lock);
}

static void let_go(struct slow *slow, bool open)
{
    pthread_mutex_lock(&slow->lock);
    slow->open = open;
    slow->allowed += !open;
    pthread_cond_broadcast(&slow->changed);
    pthread_mutex_unlock(&slow->lock);
}

static struct job job_of(struct jobs *jobs, uint64_t id)
{
    static struct arena arena; /* what it held before goes with the next call */
    struct job job;
    arena_done(&arena);
    arena_init(&arena, 1 << 20);
    assert_ok(jobs_get(jobs, id, &arena, &job));
    return job;
}

static struct job await_end(struct jobs *jobs, uint64_t id)
{
    struct job job = job_of(jobs, id);
    while (job.state == JOB_RUNNING) {
        sched_yield();
        job = job_of(jobs, id);
    }
    assert_true(job.ended_at_us >= job.started_at_us);
    return job;
}

static uint64_t start_verification(struct jobs *jobs)
{
    uint64_t id;
    assert_ok(jobs_start_verification(jobs, &id));
    return id;
}

static void jobs_get__while_it_runs__has_progress(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    assert_ok(jobs_create(&slow->base, &jobs));
    uint64_t id = start_verification(jobs);
    for (unsigned i = 1; i <= STEPS; i++) {
        await_steps(slow, i);
        struct job job = job_of(jobs, id);
        assert_int_equal(job.state, JOB_RUNNING);
        assert_int_equal(job.kind, JOB_VERIFICATION);
        assert_u64(job.steps_done, i);
        assert_u64(job.steps, STEPS);
        let_go(slow, i == STEPS);
    }
    struct job job = await_end(jobs, id);
    assert_int_equal(job.state, JOB_DONE);
    assert_u64(job.records, 5);
    assert_u64(job.rows, 6);
    assert_u64(job.n_findings, 0);
    assert_u64(job.last_seq, LAST_SEQ);
    jobs_destroy(jobs);
}

static void jobs_start__while_one_runs__names_that_one(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    struct errinfo reason;
    uint64_t other = 0;
    assert_ok(jobs_create(&slow->base, &jobs));
    uint64_t id = start_verification(jobs);
    assert_status(jobs_start_backup(jobs, SLICE("/b"), &other, &reason), STATUS_JOB_RUNNING);
    assert_u64(other, id);
    other = 0;
    assert_status(jobs_start_verification(jobs, &other), STATUS_JOB_RUNNING);
    assert_u64(other, id);
    let_go(slow, true);
    assert_int_equal(await_end(jobs, id).state, JOB_DONE);
    assert_ok(jobs_start_backup(jobs, SLICE("/b"), &other, &reason));
    assert_true(other != id);
    assert_int_equal(await_end(jobs, other).state, JOB_DONE);
    jobs_destroy(jobs);
}

static void jobs_start_backup__done__says_what_was_made(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    struct errinfo reason;
    uint64_t id;
    assert_ok(jobs_create(&slow->base, &jobs));
    assert_status(jobs_start_backup(jobs, SLICE("b"), &id, &reason), STATUS_OUT_OF_BOUNDS);
    assert_string_equal(reason.message, "bad");
    assert_ok(jobs_start_backup(jobs, (struct slice){"/backups/one.", 12}, &id, &reason));
    await_steps(slow, 1);
    assert_u64(job_of(jobs, id).bytes, 1);
    let_go(slow, true);
    struct job job = await_end(jobs, id);
    assert_int_equal(job.kind, JOB_BACKUP);
    assert_int_equal(job.state, JOB_DONE);
    assert_string_equal(job.directory, "/backups/one");
    assert_string_equal(slow->directory, "/backups/one");
    assert_u64(job.bytes, 4096);
    assert_u64(job.last_seq, LAST_SEQ);
    assert_string_equal(job.detail, "");
    jobs_destroy(jobs);
}

static void jobs__that_fail__say_why(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    struct errinfo reason;
    uint64_t id;
    assert_ok(jobs_create(&slow->base, &jobs));
    slow->open = true;
    slow->status = STATUS_STORAGE_FAILED;
    assert_ok(jobs_start_backup(jobs, SLICE("/b"), &id, &reason));
    struct job job = await_end(jobs, id);
    assert_int_equal(job.state, JOB_FAILED);
    assert_string_equal(job.detail, "the disk is on fire");
    id = start_verification(jobs);
    job = await_end(jobs, id);
    assert_int_equal(job.state, JOB_FAILED);
    assert_contains(job.detail, "Storage failed");
    slow->snapshot_status = STATUS_BUSY;
    id = start_verification(jobs);
    job = await_end(jobs, id);
    assert_int_equal(job.state, JOB_FAILED);
    assert_contains(job.detail, "Busy");
    jobs_destroy(jobs);
}

static void jobs_cancel__one_that_runs__ends_it(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    assert_ok(jobs_create(&slow->base, &jobs));
    uint64_t id = start_verification(jobs);
    await_steps(slow, 1);
    assert_ok(jobs_cancel(jobs, id));
    let_go(slow, false);
    assert_int_equal(await_end(jobs, id).state, JOB_CANCELLED);
    assert_u64(slow->steps, 1);
    assert_ok(jobs_cancel(jobs, id)); /* again: it stays as it is */
    assert_int_equal(job_of(jobs, id).state, JOB_CANCELLED);
    slow->open = true;
    id = start_verification(jobs); /* which nobody has cancelled */
    assert_int_equal(await_end(jobs, id).state, JOB_DONE);
    assert_ok(jobs_cancel(jobs, id));
    assert_int_equal(job_of(jobs, id).state, JOB_DONE);
    jobs_destroy(jobs);
}

/* A store that says "shutting down" by itself was not cancelled. */
static void jobs__ended_by_nobody__have_failed(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    assert_ok(jobs_create(&slow->base, &jobs));
    slow->open = true;
    slow->status = STATUS_SHUTTING_DOWN;
    assert_int_equal(await_end(jobs, start_verification(jobs)).state, JOB_FAILED);
    jobs_destroy(jobs);
}

static void jobs_get__many_findings__keeps_the_first_and_counts_all(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    assert_ok(jobs_create(&slow->base, &jobs));
    slow->findings = JOB_FINDINGS_MAX + 50;
    uint64_t id = start_verification(jobs);
    await_steps(slow, 1);
    assert_u64(job_of(jobs, id).n_findings, slow->findings); /* known before its end */
    let_go(slow, true);
    struct job job = await_end(jobs, id);
    assert_int_equal(job.state, JOB_DONE);
    assert_u64(job.n_findings, slow->findings);
    assert_u64(job.n_kept, JOB_FINDINGS_MAX);
    for (size_t i = 0; i < job.n_kept; i++) {
        assert_int_equal(job.findings[i].fault, STORE_WRONG);
        assert_string_equal(job.findings[i].table, "journal");
        assert_string_equal(job.findings[i].text, "it was flipped");
        assert_u64(job.findings[i].seq, i);
        assert_u64(job.findings[i].rows, 2);
        assert_int_equal(job.findings[i].kind, i < 2 ? 0 : RECORD_USAGE); /* 1 cannot be read */
    }
    jobs_destroy(jobs);
}

static void jobs_get__after_more_than_are_kept__is_forgotten(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    struct job job;
    struct arena arena;
    uint64_t ids[JOBS_KEPT + 1];
    assert_ok(jobs_create(&slow->base, &jobs));
    slow->open = true;
    for (int i = 0; i <= JOBS_KEPT; i++) {
        ids[i] = start_verification(jobs);
        assert_int_equal(await_end(jobs, ids[i]).state, JOB_DONE);
    }
    arena_init(&arena, 1 << 20);
    assert_status(jobs_get(jobs, ids[0], &arena, &job), STATUS_JOB_NOT_FOUND);
    assert_status(jobs_cancel(jobs, ids[0]), STATUS_JOB_NOT_FOUND);
    assert_status(jobs_get(jobs, 0, &arena, &job), STATUS_JOB_NOT_FOUND);
    arena_done(&arena);
    for (int i = 1; i <= JOBS_KEPT; i++) {
        assert_u64(job_of(jobs, ids[i]).id, ids[i]);
    }
    jobs_destroy(jobs);
}

static void jobs_drain__one_that_runs__is_cancelled_and_no_other_begins(void **state)
{
    (void)state;
    struct slow *slow = slow_create();
    struct jobs *jobs;
    struct errinfo reason;
    uint64_t other;
    assert_ok(jobs_create(&slow->base, &jobs));
    uint64_t id = start_verification(jobs);
    await_steps(slow, 1);
    jobs_drain(jobs);
    assert_status(jobs_start_verification(jobs, &other), STATUS_SHUTTING_DOWN);
    assert_status(jobs_start_backup(jobs, SLICE("/b"), &other, &reason), STATUS_SHUTTING_DOWN);
    let_go(slow, false);
    assert_int_equal(await_end(jobs, id).state, JOB_CANCELLED);
    jobs_destroy(jobs);
    jobs_destroy(NULL);
    jobs_drain(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(jobs_get__while_it_runs__has_progress),
    cmocka_unit_test(jobs_start__while_one_runs__names_that_one),
    cmocka_unit_test(jobs_start_backup__done__says_what_was_made),
    cmocka_unit_test(jobs__that_fail__say_why),
    cmocka_unit_test(jobs_cancel__one_that_runs__ends_it),
    cmocka_unit_test(jobs__ended_by_nobody__have_failed),
    cmocka_unit_test(jobs_get__many_findings__keeps_the_first_and_counts_all),
    cmocka_unit_test(jobs_get__after_more_than_are_kept__is_forgotten),
    cmocka_unit_test(jobs_drain__one_that_runs__is_cancelled_and_no_other_begins),
};

TESTKIT_MAIN(tests)
