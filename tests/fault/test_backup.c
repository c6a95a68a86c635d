/* Backed up under load, and restored: the copy is the store as it was at one moment, and clients
 * who send everything again, after all that came behind it was lost, are billed once for it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billingd/store/store.h"
#include "tests/fault/checker.h"
#include "tests/fault/load.h"
#include "tests/fault/sender.h"
#include "tests/lib/check_store.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"
#include "tests/store/records.h"

enum {
    REQUESTS = 1200, /* logged before the backup, and again behind it */
    PATIENCE_MS = 60000,
    DOORS = 3,
};

/* Some hundreds of records fill a head, and three segments are merged: all of that goes on while
 * it is copied. */
static const char *const small_store = "lmdb:?head_records=60&slice_bytes=16368&merge_width=3";

struct site {
    const char *directory; /* data and backups are in it */
    const char *data_dir;
    const char *rpc;
    struct daemon_process *daemon;
    struct request_log *log;
    struct load *load;
};

static struct site *open_site(void)
{
    struct site *site = testkit_alloc(sizeof *site);
    site->directory = testkit_tmpdir();
    site->data_dir = testkit_format("%s/data", site->directory);
    site->rpc = testkit_format("unix:%s/s", site->directory);
    const char *const args[] = {"--data-dir", site->data_dir, "--store",
                                small_store,  "--listen",     site->rpc,
                                "--http",     "127.0.0.1:0",  NULL};
    const char **kept = testkit_alloc(sizeof args); /* for each start */
    memcpy(kept, args, sizeof args);
    struct daemon_options options = {.args = kept, .only_args = true};
    site->daemon = daemon_process_start(&options);
    site->log = request_log_create(NULL);
    return site;
}

static void start_load(struct site *site)
{
    struct rng rng = rng_make("load");
    struct load_options options = {
        .log = site->log,
        .seed = rng_next(&rng),
        .url = testkit_format("unix://%s/s", site->directory),
        .rpc = site->rpc,
        .http = daemon_process_http(site->daemon),
    };
    site->load = load_start(&options);
}

static void close_site(struct site *site)
{
    daemon_process_destroy(site->daemon);
    request_log_destroy(site->log);
}

/* Let the load go on for a while. */
static void await_requests(struct site *site, size_t more)
{
    size_t wanted = request_log_count(site->log) + more;
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (request_log_count(site->log) < wanted) {
        assert_true(testkit_now_ms() < deadline_ms);
        IGNORE(poll(NULL, 0, 1)); /* others are at work */
    }
}

/* --- backing up ------------------------------------------------------------------------------- */

static Billing__V1__Job *call_job(struct raw_client *client, Billing__V1__Request *request,
                                  Billing__V1__Response **ret_response)
{
    *ret_response = raw_client_call(client, request);
    if ((*ret_response)->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        const Billing__V1__Problem *problem = (*ret_response)->problem;
        testkit_fail("%.*s", (int)problem->detail.len, problem->detail.data);
    }
    return (*ret_response)->result_case == BILLING__V1__RESPONSE__RESULT_GET_JOB
               ? (*ret_response)->get_job->job
               : (*ret_response)->start_backup->job;
}

static const char *start_backup(struct raw_client *client, const char *directory)
{
    Billing__V1__Response *response;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__StartBackup m = BILLING__V1__START_BACKUP__INIT;
    m.has_directory = true;
    m.directory = raw_bytes(directory);
    request.call_case = BILLING__V1__REQUEST__CALL_START_BACKUP;
    request.start_backup = &m;
    const Billing__V1__Job *job = call_job(client, &request, &response);
    const char *id = testkit_format("%.*s", (int)job->id.len, job->id.data);
    billing__v1__response__free_unpacked(response, NULL);
    return id;
}

/* Wait until the job ID is done, whose steps only grow.  Returns the last record of the backup. */
static uint64_t await_backup(struct raw_client *client, const char *id)
{
    uint64_t done = 0;
    for (;;) {
        Billing__V1__Response *response;
        Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
        Billing__V1__GetJob m = BILLING__V1__GET_JOB__INIT;
        m.has_job_id = true;
        m.job_id = raw_bytes(id);
        request.call_case = BILLING__V1__REQUEST__CALL_GET_JOB;
        request.get_job = &m;
        const Billing__V1__Job *job = call_job(client, &request, &response);
        assert_true(job->steps_done >= done);
        done = job->steps_done;
        bool running = job->state == BILLING__V1__JOB__STATE__RUNNING;
        uint64_t position = job->journal_position;
        if (!running && job->state != BILLING__V1__JOB__STATE__DONE) {
            testkit_fail("state %d: %.*s", (int)job->state, (int)job->detail.len, job->detail.data);
        }
        if (!running) {
            assert_u64(done, job->steps);
            assert_true(job->bytes > 0);
        }
        billing__v1__response__free_unpacked(response, NULL);
        if (!running) {
            return position;
        }
    }
}

static uint64_t back_up(struct site *site, const char *directory)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, site->rpc));
    uint64_t position = await_backup(&client, start_backup(&client, directory));
    raw_client_close(&client);
    return position;
}

/* --- comparing -------------------------------------------------------------------------------- */

static struct store *open_store(const char *data_dir)
{
    struct store_options options = {
        .data_dir = data_dir,
        .map_bytes = UINT64_C(1) << 34,
        .readers_max = 1,
        .currency = "USD",
    };
    struct errinfo reason = {""};
    struct store *store;
    if (store_open(small_store, &options, &store, &reason) < 0) {
        testkit_fail("%s", reason.message);
    }
    return store;
}

/* Each record up to POSITION is the same in both, and found by its request id in the copy. */
static void compare_records(struct store_view *copy, struct store_view *original, uint64_t position)
{
    for (uint64_t seq = 1; seq <= position; seq++) {
        struct record copied;
        struct record record;
        assert_ok(store_record(copy, seq, &copied));
        assert_ok(store_record(original, seq, &record));
        assert_same_record(&copied, &record);
        if (record.request_id.length > 0) {
            struct store_key key = {record_scope(&record), record.request_id};
            assert_ok(store_request(copy, key, &copied));
            assert_u64(copied.seq, seq);
        }
    }
}

static void compare_stores(const char *copy_dir, const char *original_dir, uint64_t position)
{
    struct store *copy = open_store(copy_dir);
    struct store *original = open_store(original_dir);
    struct store_view *copy_view;
    struct store_view *original_view;
    struct store_info info;
    struct store_info original_info;
    assert_ok(store_snapshot(copy, &copy_view));
    assert_ok(store_snapshot(original, &original_view));
    assert_ok(store_info(copy_view, &info));
    assert_ok(store_info(original_view, &original_info));
    assert_u64(info.last_seq, position);
    assert_u64(info.id_key, original_info.id_key);
    assert_i64(info.created_at_us, original_info.created_at_us);
    compare_records(copy_view, original_view, position);
    store_release(copy_view);
    store_release(original_view);
    store_close(copy);
    store_close(original);
}

/* --- under load ------------------------------------------------------------------------------- */

static void backup__while_clients_record__is_the_store_at_one_moment(void **state)
{
    enum { BACKUPS = 3 };
    (void)state;
    struct site *site = open_site();
    uint64_t positions[BACKUPS];
    uint64_t ticks[BACKUPS];
    start_load(site);
    for (int i = 0; i < BACKUPS; i++) {
        await_requests(site, REQUESTS / 2);
        ticks[i] = request_log_tick(site->log);
        positions[i] = back_up(site, testkit_format("%s/backup-%d", site->directory, i));
    }
    assert_u64(load_stop(site->load, PATIENCE_MS), 0);
    daemon_process_stop(site->daemon);
    for (int i = 0; i < BACKUPS; i++) {
        const char *copy = testkit_format("%s/backup-%d", site->directory, i);
        uint64_t acknowledged = 0;
        for (size_t n = 0; n < request_log_count(site->log); n++) {
            acknowledged +=
                logged_outcome_at(request_log_at(site->log, n), ticks[i]) == LOGGED_ACKNOWLEDGED;
        }
        assert_true(positions[i] >= acknowledged); /* all that, and in order: see below */
        assert_true(positions[i] > (i == 0 ? 0 : positions[i - 1]));
        compare_stores(copy, site->data_dir, positions[i]);
        assert_u64(check_store(copy), positions[i]); /* what is derived follows from them */
    }
    close_site(site);
}

/* --- the drill -------------------------------------------------------------------------------- */

/* DIRECTORY as an operator copies it. */
static void copy_into_place(const char *from, const char *to)
{
    size_t bytes;
    char *data = testkit_read_file(testkit_format("%s/data.mdb", from), &bytes);
    assert_int_equal(mkdir(to, 0700), 0);
    testkit_write_file(testkit_format("%s/data.mdb", to), data, bytes);
    free(data);
}

/* The clients, who send again all that they were ever told was recorded, and what they were not. */
struct clients {
    struct request_log *log;         /* of this time */
    struct logged_request **renewed; /* by the index in the first log; NULL: not sent again */
    struct sender senders[DOORS];
    uint64_t replayed;
};

static struct logged_request *renewed(const struct clients *clients,
                                      const struct logged_request *request)
{
    return request == NULL ? NULL : clients->renewed[request->index];
}

static void send_again(struct clients *clients, const struct logged_request *request,
                       uint64_t backup_tick)
{
    struct logged_payload payload = request->payload;
    payload.customer = renewed(clients, payload.customer);
    payload.usage = renewed(clients, payload.usage);
    struct logged_request *again = request_log_send(clients->log, request->request_id, &payload);
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (!sender_try(&clients->senders[request->index % DOORS], &again, 1)) {
        assert_true(testkit_now_ms() < deadline_ms);
    }
    clients->renewed[request->index] = again;
    if (again->outcome == LOGGED_REFUSED) {
        assert_int_equal(payload.kind, LOGGED_INVOICE); /* in another order, another period */
        return;
    }
    bool in_backup = request->settled_tick != 0 && request->settled_tick <= backup_tick;
    clients->replayed += again->answer.replayed;
    assert_true(again->answer.replayed || !in_backup);
    if (again->answer.replayed) {
        assert_string_equal(again->answer.id, request->answer.id);
    }
}

static void send_all_again(struct clients *clients, struct site *site, uint64_t backup_tick)
{
    const char *const addresses[DOORS] = {
        [SENDER_LIBRARY] = testkit_format("unix://%s/s", site->directory),
        [SENDER_RPC] = site->rpc,
        [SENDER_HTTP] = daemon_process_http(site->daemon),
    };
    size_t n = request_log_count(site->log);
    clients->log = request_log_create(NULL);
    clients->renewed = testkit_alloc(n * sizeof(struct logged_request *));
    for (enum sender_door door = SENDER_LIBRARY; door < SENDER_DOORS; door++) {
        struct sender_options options = {door, addresses[door], PATIENCE_MS, 3};
        sender_init(&clients->senders[door], &options, clients->log);
    }
    for (size_t i = 0; i < n; i++) {
        const struct logged_request *request = request_log_at(site->log, i);
        if (request->outcome != LOGGED_REFUSED) {
            send_again(clients, request, backup_tick);
        }
    }
    for (int i = 0; i < DOORS; i++) {
        sender_done(&clients->senders[i]);
    }
}

static void restore__after_all_was_lost__bills_what_is_sent_again_once(void **state)
{
    (void)state;
    struct site *site = open_site();
    struct clients clients = {0};
    struct rng rng = rng_make("windows");
    const char *backup = testkit_format("%s/backup", site->directory);
    start_load(site);
    await_requests(site, REQUESTS);
    uint64_t tick = request_log_tick(site->log);
    uint64_t position = back_up(site, backup);
    await_requests(site, REQUESTS);
    assert_u64(load_stop(site->load, PATIENCE_MS), 0);

    daemon_process_kill(site->daemon);
    assert_int_equal(rename(site->data_dir, testkit_format("%s/lost", site->directory)), 0);
    copy_into_place(backup, site->data_dir);
    daemon_process_restart(site->daemon);
    send_all_again(&clients, site, tick);
    assert_true(clients.replayed > 0 && clients.replayed <= position);
    daemon_process_stop(site->daemon);

    struct checker_options options = {.seed = rng_next(&rng)};
    struct checker_result result = {0};
    checker_run_at(clients.log, small_store, site->data_dir, &options, &result);
    checker_print(&result, "  ");
    assert_u64(checker_violations(&result), 0);
    assert_true(result.acknowledged > REQUESTS && result.bills > 0);
    checker_result_done(&result);
    request_log_destroy(clients.log);
    close_site(site);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(backup__while_clients_record__is_the_store_at_one_moment),
    cmocka_unit_test(restore__after_all_was_lost__bills_what_is_sent_again_once),
};

TESTKIT_MAIN(tests)
