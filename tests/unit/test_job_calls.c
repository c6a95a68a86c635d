/* StartBackup, StartVerification, GetJob and CancelJob at the desk. */
#include <sched.h>
#include <string.h>

#include "proto/limits.h"
#include "tests/lib/calls.h"

static Billing__V1__StartBackup *backup_input(const char *directory)
{
    Billing__V1__StartBackup *m = testkit_alloc(sizeof *m);
    billing__v1__start_backup__init(m);
    DESK_SET(m, directory, directory);
    return m;
}

static Billing__V1__StartVerification *verification_input(void)
{
    Billing__V1__StartVerification *m = testkit_alloc(sizeof *m);
    billing__v1__start_verification__init(m);
    return m;
}

static Billing__V1__GetJob *get_input(const char *id)
{
    Billing__V1__GetJob *m = testkit_alloc(sizeof *m);
    billing__v1__get_job__init(m);
    DESK_SET(m, job_id, id);
    return m;
}

static Billing__V1__CancelJob *cancel_input(const char *id)
{
    Billing__V1__CancelJob *m = testkit_alloc(sizeof *m);
    billing__v1__cancel_job__init(m);
    DESK_SET(m, job_id, id);
    return m;
}

static const char *start_verification(struct desk *desk)
{
    const Billing__V1__Job *job =
        call(desk, CALL(START_VERIFICATION), verification_input())->start_verification->job;
    assert_int_equal(job->kind, BILLING__V1__JOB__KIND__VERIFICATION);
    assert_true(job->state == BILLING__V1__JOB__STATE__RUNNING ||
                job->state == BILLING__V1__JOB__STATE__DONE); /* so little is soon verified */
    assert_true(job->has_started_at);
    assert_int_equal(job->has_ended_at, job->state == BILLING__V1__JOB__STATE__DONE);
    return desk_text(job->id);
}

static const Billing__V1__Job *await_end(struct desk *desk, const char *id)
{
    for (;;) {
        const Billing__V1__Job *job = call(desk, CALL(GET_JOB), get_input(id))->get_job->job;
        if (job->state != BILLING__V1__JOB__STATE__RUNNING) {
            return job;
        }
        sched_yield();
    }
}

static void start_verification__whole_store__is_done_without_findings(void **state)
{
    (void)state;
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    desk_add_usage(desk, customer, "r1");
    const char *id = start_verification(desk);
    assert_int_equal(strspn(id, "job_0123456789abcdef"), 20);
    const Billing__V1__Job *job = await_end(desk, id);
    assert_int_equal(job->state, BILLING__V1__JOB__STATE__DONE);
    assert_field(job->id, id);
    assert_true(job->has_ended_at && job->ended_at >= job->started_at);
    assert_u64(job->steps, 2);
    assert_u64(job->steps_done, 2);
    assert_u64(job->records, 2);
    assert_u64(job->journal_position, 2);
    assert_true(job->has_findings_count);
    assert_u64(job->findings_count, 0);
    assert_u64(job->n_findings, 0);
    assert_false(job->has_directory || job->has_bytes || job->has_detail);
    desk_close(desk);
}

static void start_verification__damaged_record__is_found(void **state)
{
    (void)state;
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    desk_add_usage(desk, customer, "r1");
    memory_store_damage(desk->memory, 2);
    const Billing__V1__Job *job = await_end(desk, start_verification(desk));
    assert_int_equal(job->state, BILLING__V1__JOB__STATE__DONE); /* it came to its end */
    assert_u64(job->findings_count, 1);
    assert_u64(job->n_findings, 1);
    assert_field(job->findings[0]->fault, "damaged");
    assert_field(job->findings[0]->table, "journal");
    assert_field(job->findings[0]->text, "record 2: a test has damaged it");
    assert_u64(job->findings[0]->rows, 1);
    assert_false(job->findings[0]->has_record); /* what cannot be read has no id */
    desk_close(desk);
}

static void jobs__role_below_admin__is_forbidden(void **state)
{
    (void)state;
    struct desk *desk = desk_open(NULL);
    desk->who.role = ROLE_WRITER;
    desk_problem(call(desk, CALL(START_BACKUP), backup_input("/b")), STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(START_VERIFICATION), verification_input()), STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(GET_JOB), get_input("job_0")), STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(CANCEL_JOB), cancel_input("job_0")), STATUS_FORBIDDEN);
    desk_close(desk);
}

static void job_id__that_names_none__is_not_found(void **state)
{
    static const char *const ids[] = {
        "",
        "job_",
        "job_0000000000000000",
        "job_0123456789abcdef",
        "job_0123456789ABCDEF",
        "cus_0123456789abcdef",
        "job_0123456789abcdef0",
    };
    (void)state;
    struct desk *desk = desk_open(NULL);
    IGNORE(await_end(desk, start_verification(desk)) == NULL); /* there is one */
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        desk_problem(call(desk, CALL(GET_JOB), get_input(ids[i])), STATUS_JOB_NOT_FOUND);
        desk_problem(call(desk, CALL(CANCEL_JOB), cancel_input(ids[i])), STATUS_JOB_NOT_FOUND);
    }
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(GET_JOB), get_input(NULL)), STATUS_INVALID_QUERY);
    desk_field(problem, "job_id", STATUS_MISSING_FIELD);
    problem = desk_problem(call(desk, CALL(CANCEL_JOB), cancel_input(NULL)), STATUS_MISSING_FIELD);
    desk_field(problem, "job_id", STATUS_MISSING_FIELD);
    desk_close(desk);
}

static void cancel_job__that_has_ended__is_answered_as_it_is(void **state)
{
    (void)state;
    struct desk *desk = desk_open(NULL);
    const char *id = start_verification(desk);
    IGNORE(await_end(desk, id) == NULL);
    const Billing__V1__Job *job = call(desk, CALL(CANCEL_JOB), cancel_input(id))->cancel_job->job;
    assert_field(job->id, id);
    assert_int_equal(job->state, BILLING__V1__JOB__STATE__DONE);
    desk_close(desk);
}

static void start_backup__bad_directory__names_the_field(void **state)
{
    char long_path[LIMIT_DIRECTORY_BYTES + 2];
    (void)state;
    struct desk *desk = desk_open(NULL);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(START_BACKUP), backup_input(NULL)), STATUS_MISSING_FIELD);
    desk_field(problem, "directory", STATUS_MISSING_FIELD);
    problem = desk_problem(call(desk, CALL(START_BACKUP), backup_input("")), STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "directory", STATUS_OUT_OF_BOUNDS);
    problem =
        desk_problem(call(desk, CALL(START_BACKUP), backup_input(long_path)), STATUS_OUT_OF_BOUNDS);
    assert_contains(desk_field(problem, "directory", STATUS_OUT_OF_BOUNDS), "1025");
    /* what the store says of it */
    problem =
        desk_problem(call(desk, CALL(START_BACKUP), backup_input("/b")), STATUS_NOT_IMPLEMENTED);
    assert_contains(desk_field(problem, "directory", STATUS_NOT_IMPLEMENTED), "in memory");
    desk_close(desk);
}

static void start__while_draining__is_refused(void **state)
{
    (void)state;
    struct desk *desk = desk_open(NULL);
    const char *id = start_verification(desk);
    IGNORE(await_end(desk, id) == NULL);
    jobs_drain(desk->jobs);
    dispatch_drain(&desk->dispatch);
    desk_problem(call(desk, CALL(START_VERIFICATION), verification_input()), STATUS_SHUTTING_DOWN);
    desk_problem(call(desk, CALL(START_BACKUP), backup_input("/b")), STATUS_SHUTTING_DOWN);
    assert_field(call(desk, CALL(GET_JOB), get_input(id))->get_job->job->id, id);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(start_verification__whole_store__is_done_without_findings),
    cmocka_unit_test(start_verification__damaged_record__is_found),
    cmocka_unit_test(jobs__role_below_admin__is_forbidden),
    cmocka_unit_test(job_id__that_names_none__is_not_found),
    cmocka_unit_test(cancel_job__that_has_ended__is_answered_as_it_is),
    cmocka_unit_test(start_backup__bad_directory__names_the_field),
    cmocka_unit_test(start__while_draining__is_refused),
};

TESTKIT_MAIN(tests)
