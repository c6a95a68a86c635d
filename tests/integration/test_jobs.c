/* Backups and verifications of a real daemon: refused, cancelled, killed in their midst, and what
 * they find. */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check_store.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/tamper.h"
#include "tests/lib/testkit.h"

enum {
    ITEMS = 5000, /* of a batch */
    TRIES = 50,   /* to catch a job while it runs */
};

static struct daemon_process *start(const char *program, const char *data_dir,
                                    const char *failpoint)
{
    const char *env[] = {failpoint, NULL};
    const char **kept = testkit_alloc(sizeof env);
    memcpy(kept, env, sizeof env);
    struct daemon_options options = {.program = program, .data_dir = data_dir, .env = kept};
    return daemon_process_start(&options);
}

static struct raw_client *open_client(struct daemon_process *daemon)
{
    struct raw_client *client = testkit_alloc(sizeof *client);
    assert_true(raw_client_open(client, daemon_process_unix(daemon)));
    return client;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Make REQUEST ask for a backup in DIRECTORY (NULL: it names none) by M. */
static void ask_for_backup(Billing__V1__Request *request, Billing__V1__StartBackup *m,
                           const char *directory)
{
    billing__v1__request__init(request);
    billing__v1__start_backup__init(m);
    m->has_directory = directory != NULL;
    m->directory = raw_bytes(directory == NULL ? "" : directory);
    request->call_case = BILLING__V1__REQUEST__CALL_START_BACKUP;
    request->start_backup = m;
}

static Billing__V1__Response *start_backup(struct raw_client *client, const char *directory)
{
    Billing__V1__Request request;
    Billing__V1__StartBackup m;
    ask_for_backup(&request, &m, directory);
    return raw_client_call(client, &request);
}

/* The same of a daemon that may be killed before it answers. */
static void start_last_backup(struct raw_client *client, const char *directory)
{
    Billing__V1__Request request;
    Billing__V1__StartBackup m;
    ask_for_backup(&request, &m, directory);
    assert_int_equal(raw_client_send_request(client, &request), SOCK_OK);
}

static Billing__V1__Response *start_verification(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__StartVerification m = BILLING__V1__START_VERIFICATION__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_START_VERIFICATION;
    request.start_verification = &m;
    return raw_client_call(client, &request);
}

static Billing__V1__Response *get_job(struct raw_client *client, const char *id)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetJob m = BILLING__V1__GET_JOB__INIT;
    m.has_job_id = true;
    m.job_id = raw_bytes(id);
    request.call_case = BILLING__V1__REQUEST__CALL_GET_JOB;
    request.get_job = &m;
    return raw_client_call(client, &request);
}

static Billing__V1__Response *cancel_job(struct raw_client *client, const char *id)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CancelJob m = BILLING__V1__CANCEL_JOB__INIT;
    m.has_job_id = true;
    m.job_id = raw_bytes(id);
    request.call_case = BILLING__V1__REQUEST__CALL_CANCEL_JOB;
    request.cancel_job = &m;
    return raw_client_call(client, &request);
}

/* The job in RESPONSE, which is freed. */
struct seen {
    const char *id;
    Billing__V1__Job__State state;
    uint64_t done;
    uint64_t steps;
    uint64_t position;
    uint64_t findings;
    const char *first; /* of the findings: fault, table, text */
    const char *detail;
};

static const char *text_of(ProtobufCBinaryData field)
{
    return testkit_format("%.*s", (int)field.len, (const char *)field.data);
}

static struct seen see(Billing__V1__Response *response)
{
    const Billing__V1__JobReply *reply = NULL;
    switch ((int)response->result_case) {
    case BILLING__V1__RESPONSE__RESULT_START_BACKUP:
        reply = response->start_backup;
        break;
    case BILLING__V1__RESPONSE__RESULT_START_VERIFICATION:
        reply = response->start_verification;
        break;
    case BILLING__V1__RESPONSE__RESULT_GET_JOB:
        reply = response->get_job;
        break;
    case BILLING__V1__RESPONSE__RESULT_CANCEL_JOB:
        reply = response->cancel_job;
        break;
    case BILLING__V1__RESPONSE__RESULT_PROBLEM:
        testkit_fail("refused: %s", text_of(response->problem->detail));
    default:
        testkit_fail("result %d", (int)response->result_case);
    }
    const Billing__V1__Job *job = reply->job;
    struct seen seen = {
        .id = text_of(job->id),
        .state = job->state,
        .done = job->steps_done,
        .steps = job->steps,
        .position = job->journal_position,
        .findings = job->findings_count,
        .first = job->n_findings == 0 ? ""
                                      : testkit_format("%s %s %s", text_of(job->findings[0]->fault),
                                                       text_of(job->findings[0]->table),
                                                       text_of(job->findings[0]->text)),
        .detail = text_of(job->detail),
    };
    billing__v1__response__free_unpacked(response, NULL);
    return seen;
}

/* Until ID has ended; its steps only grow. */
static struct seen await_end(struct raw_client *client, const char *id)
{
    uint64_t done = 0;
    for (;;) {
        struct seen seen = see(get_job(client, id));
        assert_true(seen.done >= done);
        done = seen.done;
        if (seen.state != BILLING__V1__JOB__STATE__RUNNING) {
            return seen;
        }
        sched_yield();
    }
}

static void assert_refused(Billing__V1__Response *response, const char *code, const char *part)
{
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_PROBLEM);
    assert_text(response->problem->code.data, response->problem->code.len, code);
    assert_contains(text_of(response->problem->detail), part);
    billing__v1__response__free_unpacked(response, NULL);
}

/* --- records ---------------------------------------------------------------------------------- */

static void add_customer(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer m = BILLING__V1__CREATE_CUSTOMER__INIT;
    m.has_customer_name = true;
    m.customer_name = raw_bytes("Acme");
    m.has_external_id = true;
    m.external_id = raw_bytes("acme");
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &m;
    Billing__V1__Response *response = raw_client_call(client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER);
    billing__v1__response__free_unpacked(response, NULL);
}

static Billing__V1__UsageInput *new_item(void)
{
    Billing__V1__UsageInput *m = testkit_alloc(sizeof *m);
    billing__v1__usage_input__init(m);
    m->has_customer_id = true;
    m->customer_id = raw_bytes("external:acme");
    m->has_service = true;
    m->service = raw_bytes("Database Hosting");
    m->has_units_consumed = true;
    m->units_consumed = raw_bytes("58");
    m->has_price_per_unit = true;
    m->price_per_unit = raw_bytes("0.05");
    return m;
}

/* Acme, and ITEMS records of it. */
static void add_records(struct raw_client *client)
{
    static Billing__V1__UsageInput *items[ITEMS];
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateUsageBatch m = BILLING__V1__CREATE_USAGE_BATCH__INIT;
    add_customer(client);
    for (int i = 0; i < ITEMS; i++) {
        items[i] = items[0] == NULL ? new_item() : items[0];
    }
    m.usage = items;
    m.n_usage = ITEMS;
    m.has_request_id = true;
    m.request_id = raw_bytes("batch");
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
    request.create_usage_batch = &m;
    Billing__V1__Response *response = raw_client_call(client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH);
    assert_u64(response->create_usage_batch->n_results, ITEMS);
    billing__v1__response__free_unpacked(response, NULL);
}

static unsigned count_entries(const char *directory)
{
    unsigned n = 0;
    DIR *list = opendir(directory);
    assert_non_null(list);
    for (const struct dirent *row = readdir(list); row != NULL; row = readdir(list)) {
        n += row->d_name[0] != '.';
    }
    closedir(list);
    return n;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void start_backup__bad_directory__names_field_and_value(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    const char *backups = testkit_tmpdir();
    assert_refused(start_backup(client, NULL), "missing_field", "directory: is missing");
    assert_refused(start_backup(client, "backup"), "out_of_bounds",
                   "directory: 'backup' is not absolute");
    assert_refused(start_backup(client, backups), "out_of_bounds", backups);
    assert_refused(start_backup(client, testkit_format("%s/none/one", backups)), "out_of_bounds",
                   "/none', is not there for the daemon");
    assert_refused(get_job(client, "job_0123456789abcdef"), "job_not_found", "no such job");
    assert_u64(count_entries(backups), 0);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* A place that takes no directories shows itself only when the job begins. */
static void start_backup__that_cannot_be_made__fails_in_words(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    struct seen seen = await_end(client, see(start_backup(client, "/proc/billing-backup")).id);
    assert_int_equal(seen.state, BILLING__V1__JOB__STATE__FAILED);
    assert_contains(seen.detail, "'/proc'");
    daemon_process_await_stderr(daemon, "level=error area=store msg=\"backup ended\" state=failed");
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* Start a backup behind a verification.  Returns whether it was refused, naming that. */
static bool is_second_refused(struct raw_client *client, const char *backup)
{
    struct seen running = see(start_verification(client));
    Billing__V1__Response *response = start_backup(client, backup);
    bool refused = response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
    if (refused) {
        assert_string_equal(text_of(response->problem->existing_id), running.id);
        assert_refused(response, "job_running", "one at a time");
    } else { /* the first had ended */
        IGNORE(await_end(client, see(response).id).done == 0);
        IGNORE(unlink(testkit_format("%s/data.mdb", backup)) < 0);
        IGNORE(rmdir(backup) < 0); /* else the next one is refused for it */
    }
    assert_int_equal(await_end(client, running.id).state, BILLING__V1__JOB__STATE__DONE);
    return refused;
}

static void start__while_a_job_runs__is_refused_naming_it(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    const char *backup = testkit_format("%s/one", testkit_tmpdir());
    bool refused = false;
    add_records(client);
    for (int i = 0; i < TRIES && !refused; i++) {
        refused = is_second_refused(client, backup);
    }
    assert_true(refused);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void cancel_job__while_it_runs__leaves_nothing(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    const char *backups = testkit_tmpdir();
    bool cancelled = false;
    add_records(client);
    for (int i = 0; i < TRIES && !cancelled; i++) {
        const char *backup = testkit_format("%s/%d", backups, i);
        const char *id = see(start_backup(client, backup)).id;
        IGNORE(see(cancel_job(client, id)).done == 0); /* whatever it had done */
        struct seen seen = await_end(client, id);
        cancelled = seen.state == BILLING__V1__JOB__STATE__CANCELLED;
        assert_int_equal(access(backup, F_OK), cancelled ? -1 : 0);
        assert_u64(count_entries(backups), i + !cancelled);
    }
    assert_true(cancelled);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* --- the end of the daemon -------------------------------------------------------------------- */

static void sigterm__while_a_job_runs__cancels_it_and_ends(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    const char *backups = testkit_tmpdir();
    add_records(client);
    IGNORE(see(start_backup(client, testkit_format("%s/one", backups))).state == 0);
    raw_client_close(client);
    daemon_process_stop(daemon); /* fails the test unless it ends well */
    bool made = access(testkit_format("%s/one", backups), F_OK) == 0;
    assert_u64(count_entries(backups), made ? 1 : 0);
    daemon_process_destroy(daemon);
}

/* What there is after it was killed at FAILPOINT is no backup, unless it was whole. */
static void survive_kill_at(const char *failpoint, bool named)
{
    const char *data_dir = testkit_format("%s/data", testkit_tmpdir());
    const char *backups = testkit_tmpdir();
    const char *backup = testkit_format("%s/one", backups);
    struct daemon_process *daemon = start(BILLINGD_FAILPOINTS_PATH, data_dir,
                                          testkit_format("BILLING_FAILPOINT=%s:1", failpoint));
    struct raw_client *client = open_client(daemon);
    add_records(client);
    start_last_backup(client, backup);
    assert_int_equal(daemon_process_wait(daemon), DAEMON_KILLED_BY + SIGKILL);
    raw_client_close(client);
    daemon_process_destroy(daemon);
    assert_int_equal(access(backup, F_OK), named ? 0 : -1);
    assert_u64(count_entries(backups), 1);

    daemon = start(NULL, data_dir, NULL);
    client = open_client(daemon);
    const char *next = named ? testkit_format("%s/two", backups) : backup;
    struct seen seen = await_end(client, see(start_backup(client, next)).id);
    assert_int_equal(seen.state, BILLING__V1__JOB__STATE__DONE);
    assert_u64(seen.position, 1 + ITEMS);
    assert_u64(count_entries(backups), named ? 2 : 1); /* what was left is gone */
    assert_u64(check_store(next), 1 + ITEMS);
    assert_u64(named ? check_store(backup) : 1 + ITEMS, 1 + ITEMS);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void backup__killed_in_its_midst__is_not_there(void **state)
{
    (void)state;
    survive_kill_at("backup_copied", false);
    survive_kill_at("backup_checked", false);
    survive_kill_at("backup_named", true);
}

/* --- verifying -------------------------------------------------------------------------------- */

static void verification__whole_store__finds_nothing(void **state)
{
    (void)state;
    struct daemon_process *daemon = start(NULL, NULL, NULL);
    struct raw_client *client = open_client(daemon);
    add_records(client);
    struct seen seen = await_end(client, see(start_verification(client)).id);
    assert_int_equal(seen.state, BILLING__V1__JOB__STATE__DONE);
    assert_u64(seen.findings, 0);
    assert_u64(seen.position, 1 + ITEMS);
    assert_true(seen.steps > 2 * ITEMS);
    assert_u64(seen.done, seen.steps);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void verification__flipped_byte__is_found_and_logged(void **state)
{
    (void)state;
    const char *data_dir = testkit_format("%s/data", testkit_tmpdir());
    struct daemon_process *daemon = start(NULL, data_dir, NULL);
    struct raw_client *client = open_client(daemon);
    add_records(client);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    /* the customer's name: in a block of its own, which no start reads once others are behind it */
    const struct tamper tamper = {
        .data_dir = data_dir, .seq = 1, .text = "Acme", .at = -1, .mask = 1};
    tamper_record(&tamper);

    daemon = start(NULL, data_dir, NULL);
    client = open_client(daemon);
    struct seen seen = await_end(client, see(start_verification(client)).id);
    assert_int_equal(seen.state, BILLING__V1__JOB__STATE__DONE);
    assert_true(seen.findings > 0);
    assert_contains(seen.first, "damaged journal");
    daemon_process_await_stderr(daemon, "level=error area=store msg=\"verification found damage\"");
    /* and what is damaged is not backed up */
    const char *backups = testkit_tmpdir();
    seen = await_end(client, see(start_backup(client, testkit_format("%s/one", backups))).id);
    assert_int_equal(seen.state, BILLING__V1__JOB__STATE__FAILED);
    assert_contains(seen.detail, "the block of record 1:");
    assert_u64(count_entries(backups), 0);
    raw_client_close(client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(start_backup__bad_directory__names_field_and_value),
    cmocka_unit_test(start_backup__that_cannot_be_made__fails_in_words),
    cmocka_unit_test(start__while_a_job_runs__is_refused_naming_it),
    cmocka_unit_test(cancel_job__while_it_runs__leaves_nothing),
    cmocka_unit_test(sigterm__while_a_job_runs__cancels_it_and_ends),
    cmocka_unit_test(backup__killed_in_its_midst__is_not_there),
    cmocka_unit_test(verification__whole_store__finds_nothing),
    cmocka_unit_test(verification__flipped_byte__is_found_and_logged),
};

TESTKIT_MAIN(tests)
