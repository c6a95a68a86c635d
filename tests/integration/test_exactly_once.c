/* The promise, through the doors of a real daemon: what was acknowledged is on disk, and a request
 * that is sent again records nothing and gets the first answer again. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

enum {
    TRIES = 10,
    CLIENTS = 64,
    BATCH = 10000,
};

static const char usage_body[] =
    "{\"service\": \"Database Hosting\", \"units_consumed\": 58, \"price_per_unit\": 0.05}";

/* --- helpers ---------------------------------------------------------------------------------- */

/* The id in BODY, which begins {"customer": {"id": "...". */
static const char *id_in(const char *body)
{
    const char *at = body == NULL ? NULL : strstr(body, "\"id\": \"");
    if (at == NULL) {
        testkit_fail("no id in %s", body == NULL ? "no answer" : body);
    }
    at += strlen("\"id\": \"");
    return testkit_format("%.*s", (int)strcspn(at, "\""), at);
}

static const char *create_customer(const char *http)
{
    struct http_reply reply;
    http_once(http, "POST", "/api/v1/customers", NULL, "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 201);
    const char *id = id_in(reply.body);
    http_reply_done(&reply);
    return id;
}

static const char *get(const char *http, const char *target)
{
    struct http_reply reply;
    http_once(http, "GET", target, NULL, NULL, &reply);
    if (reply.status != 200) {
        testkit_fail("GET %s: %d %s", target, reply.status, reply.body);
    }
    const char *body = testkit_format("%s", reply.body);
    http_reply_done(&reply);
    return body;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        n++;
    }
    return n;
}

static void assert_one_usage(const char *http, const char *customer)
{
    const char *target = testkit_format("/api/v1/customers/%s/usage", customer);
    assert_int_equal(count_of(get(http, target), "\"request_id\""), 1);
}

/* --- the same request id through HTTP --------------------------------------------------------- */

struct attempt {
    const char *http;
    const char *target;
    const char *body;
    const char *request_id;     /* NULL: "once-1" */
    pthread_barrier_t *barrier; /* NULL: none */
    pthread_t thread;
    enum sock_result result;
    struct http_reply reply;
};

/* No asserts: it may run on a thread of its own. */
static void *attempt_main(void *arg)
{
    struct attempt *attempt = arg;
    struct http_conn conn;
    const char *request_id = attempt->request_id != NULL ? attempt->request_id : "once-1";
    const char *request =
        testkit_format("POST %s HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %s\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       attempt->target, request_id, strlen(attempt->body), attempt->body);
    attempt->result = SOCK_CLOSED;
    bool open = http_open(&conn, attempt->http);
    if (attempt->barrier != NULL) {
        pthread_barrier_wait(attempt->barrier);
    }
    if (open) {
        attempt->result = http_send(&conn, request, strlen(request));
        if (attempt->result == SOCK_OK) {
            attempt->result = http_receive(&conn, SOCK_PATIENCE_MS, &attempt->reply);
        }
        http_close(&conn);
    }
    return NULL;
}

/* TRIES answers: equal bodies, and all but one marked replayed. */
static void assert_recorded_once(struct attempt *attempts)
{
    unsigned replayed = 0;
    for (int i = 0; i < TRIES; i++) {
        assert_int_equal(attempts[i].result, SOCK_OK);
        assert_int_equal(attempts[i].reply.status, 201);
        assert_string_equal(attempts[i].reply.body, attempts[0].reply.body);
        assert_string_equal(http_reply_header(&attempts[i].reply, "X-Request-Id"), "once-1");
        const char *mark = http_reply_header(&attempts[i].reply, "Idempotent-Replayed");
        replayed += mark != NULL && strcmp(mark, "true") == 0;
    }
    assert_int_equal(replayed, TRIES - 1);
    for (int i = 0; i < TRIES; i++) {
        http_reply_done(&attempts[i].reply);
    }
}

static void http__one_request_id_ten_times__is_recorded_once(void **state)
{
    struct attempt attempts[TRIES] = {0};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    const char *http = daemon_process_http(daemon);
    const char *customer = create_customer(http);
    for (int i = 0; i < TRIES; i++) {
        attempts[i].http = http;
        attempts[i].target = testkit_format("/api/v1/customers/%s/usage", customer);
        attempts[i].body = usage_body;
        attempt_main(&attempts[i]);
    }
    assert_recorded_once(attempts);
    assert_one_usage(http, customer);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void http__one_request_id_from_ten_connections_at_once__is_recorded_once(void **state)
{
    struct attempt attempts[TRIES] = {0};
    pthread_barrier_t barrier;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    const char *http = daemon_process_http(daemon);
    const char *customer = create_customer(http);
    pthread_barrier_init(&barrier, NULL, TRIES);
    for (int i = 0; i < TRIES; i++) {
        attempts[i].http = http;
        attempts[i].target = testkit_format("/api/v1/customers/%s/usage", customer);
        attempts[i].body = usage_body;
        attempts[i].barrier = &barrier;
        assert_int_equal(pthread_create(&attempts[i].thread, NULL, attempt_main, &attempts[i]), 0);
    }
    for (int i = 0; i < TRIES; i++) {
        assert_int_equal(pthread_join(attempts[i].thread, NULL), 0);
    }
    pthread_barrier_destroy(&barrier);
    assert_recorded_once(attempts);
    assert_one_usage(http, customer);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void http__another_payload_under_a_used_id__is_refused_naming_what_differs(void **state)
{
    static const char other_body[] =
        "{\"service\": \"Database Hosting\", \"units_consumed\": 59, \"price_per_unit\": 0.05}";
    struct attempt first = {.body = usage_body};
    struct attempt other = {.body = other_body};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    first.http = other.http = daemon_process_http(daemon);
    const char *customer = create_customer(first.http);
    first.target = other.target = testkit_format("/api/v1/customers/%s/usage", customer);
    attempt_main(&first);
    attempt_main(&other);
    assert_int_equal(first.reply.status, 201);
    assert_int_equal(other.reply.status, 422);
    assert_contains(other.reply.body, "\"code\": \"request_id_reused\"");
    assert_contains(other.reply.body, "\"field\": \"units_consumed\"");
    assert_contains(other.reply.body, id_in(first.reply.body));
    assert_contains(other.reply.body, "\"recorded\": \"no\"");
    assert_one_usage(first.http, customer);
    http_reply_done(&first.reply);
    http_reply_done(&other.reply);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void http__a_retry_after_a_restart__is_replayed(void **state)
{
    struct attempt first = {.body = usage_body};
    struct attempt second = {.body = usage_body};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    first.http = daemon_process_http(daemon);
    first.target = testkit_format("/api/v1/customers/%s/usage", create_customer(first.http));
    attempt_main(&first);
    assert_int_equal(first.reply.status, 201);
    daemon_process_stop(daemon);
    daemon_process_restart(daemon);
    second.http = daemon_process_http(daemon);
    second.target = first.target;
    attempt_main(&second);
    assert_int_equal(second.reply.status, 201);
    assert_string_equal(second.reply.body, first.reply.body);
    assert_string_equal(http_reply_header(&second.reply, "Idempotent-Replayed"), "true");
    http_reply_done(&first.reply);
    http_reply_done(&second.reply);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* --- killed between recording and answering --------------------------------------------------- */

/* The daemon kills itself at POINT of its second commit (the first makes the customer).  The retry
 * is answered once, whichever side of the commit it died on. */
static void survive_kill_at(const char *point, bool expect_replayed)
{
    const char *const env[] = {testkit_format("BILLING_FAILPOINT=%s:2", point), NULL};
    const char *const no_env[] = {"BILLING_FAILPOINT=", NULL};
    struct daemon_options options = {.program = BILLINGD_FAILPOINTS_PATH, .env = env};
    struct attempt attempt = {.body = usage_body};
    struct daemon_process *daemon = daemon_process_start(&options);
    attempt.http = daemon_process_http(daemon);
    const char *customer = create_customer(attempt.http);
    attempt.target = testkit_format("/api/v1/customers/%s/usage", customer);
    attempt_main(&attempt);
    assert_int_not_equal(attempt.result, SOCK_OK);
    assert_int_equal(daemon_process_wait(daemon), DAEMON_KILLED_BY + 9);

    struct daemon_options again = {.program = BILLINGD_FAILPOINTS_PATH,
                                   .data_dir = daemon_process_data_dir(daemon),
                                   .env = no_env};
    struct daemon_process *second = daemon_process_start(&again);
    attempt.http = daemon_process_http(second);
    attempt_main(&attempt);
    assert_int_equal(attempt.result, SOCK_OK);
    assert_int_equal(attempt.reply.status, 201);
    assert_int_equal(http_reply_header(&attempt.reply, "Idempotent-Replayed") != NULL,
                     expect_replayed);
    assert_one_usage(attempt.http, customer);
    http_reply_done(&attempt.reply);
    daemon_process_stop(second);
    daemon_process_destroy(second);
    daemon_process_destroy(daemon);
}

/* Make customers until the daemon at HTTP is no more, which it may be slow at. */
static void record_until_it_dies(const char *http)
{
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    struct attempt more = {
        .http = http, .target = "/api/v1/customers", .body = "{\"customer_name\": \"More\"}"};
    for (int i = 0; more.result == SOCK_OK; i++) {
        assert_true(testkit_now_ms() < deadline_ms);
        more.request_id = testkit_format("more-%d", i);
        attempt_main(&more);
        http_reply_done(&more.reply);
    }
}

/* The daemon kills itself at POINT of its sealer, which every record wakes, the TIMESth time; it
 * may have answered before.  What was answered is there, once. */
static void survive_kill_of_sealer(const char *point, int times)
{
    static const char *const args[] = {"--store", "lmdb:?head_records=1&merge_width=2", NULL};
    const char *const env[] = {testkit_format("BILLING_FAILPOINT=%s:%d", point, times), NULL};
    const char *const no_env[] = {"BILLING_FAILPOINT=", NULL};
    struct daemon_options options = {.program = BILLINGD_FAILPOINTS_PATH, .args = args, .env = env};
    struct attempt attempt = {.body = usage_body};
    struct daemon_process *daemon = daemon_process_start(&options);
    attempt.http = daemon_process_http(daemon);
    const char *customer = create_customer(attempt.http);
    attempt.target = testkit_format("/api/v1/customers/%s/usage", customer);
    attempt_main(&attempt);
    bool answered = attempt.result == SOCK_OK;
    if (answered) {
        assert_int_equal(attempt.reply.status, 201);
        http_reply_done(&attempt.reply);
        record_until_it_dies(attempt.http);
    }
    assert_int_equal(daemon_process_wait(daemon), DAEMON_KILLED_BY + 9);

    struct daemon_options again = {.program = BILLINGD_FAILPOINTS_PATH,
                                   .data_dir = daemon_process_data_dir(daemon),
                                   .args = args,
                                   .env = no_env};
    struct daemon_process *second = daemon_process_start(&again);
    attempt.http = daemon_process_http(second);
    attempt_main(&attempt);
    assert_int_equal(attempt.result, SOCK_OK);
    assert_int_equal(attempt.reply.status, 201);
    if (answered) {
        assert_non_null(http_reply_header(&attempt.reply, "Idempotent-Replayed"));
    }
    assert_one_usage(attempt.http, customer);
    http_reply_done(&attempt.reply);
    daemon_process_stop(second);
    daemon_process_destroy(second);
    daemon_process_destroy(daemon);
}

static void kill__while_sealing_and_merging__the_retry_is_answered_once(void **state)
{
    (void)state;
    survive_kill_of_sealer("sealed", 2); /* the second record's, behind the customer's */
    survive_kill_of_sealer("before_live", 2);
    survive_kill_of_sealer("before_live", 3); /* of the merge of both */
    survive_kill_of_sealer("merged", 1);
    survive_kill_of_sealer("before_removal", 1);
    survive_kill_of_sealer("after_removal", 2);
}

static void kill__between_recording_and_answering__the_retry_is_replayed(void **state)
{
    (void)state;
    survive_kill_at("after_commit", true);
}

static void kill__before_the_commit__the_retry_is_recorded(void **state)
{
    (void)state;
    survive_kill_at("before_commit", false);
}

/* --- RPC -------------------------------------------------------------------------------------- */

static const char *rpc_customer(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = true;
    create.customer_name = raw_bytes("Acme");
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &create;
    Billing__V1__Response *response = raw_client_call(client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER);
    ProtobufCBinaryData id = response->create_customer->customer->id;
    const char *copy = testkit_format("%.*s", (int)id.len, (const char *)id.data);
    billing__v1__response__free_unpacked(response, NULL);
    return copy;
}

static void fill_usage(Billing__V1__UsageInput *usage, const char *customer, const char *request_id)
{
    billing__v1__usage_input__init(usage);
    usage->has_customer_id = usage->has_service = usage->has_units_consumed = true;
    usage->has_price_per_unit = usage->has_request_id = true;
    usage->customer_id = raw_bytes(customer);
    usage->service = raw_bytes("Object Storage");
    usage->units_consumed = raw_bytes("1.5");
    usage->price_per_unit = raw_bytes("0.0000004");
    usage->request_id = raw_bytes(request_id);
}

/* The `server` object; fails the test where there is none.  Free the response. */
static Billing__V1__Response *server_info(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetServerInfo info = BILLING__V1__GET_SERVER_INFO__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO;
    request.get_server_info = &info;
    Billing__V1__Response *response = raw_client_call(client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_GET_SERVER_INFO);
    return response;
}

static void rpc__a_batch_of_ten_thousand__is_one_commit_and_its_retry_replayed(void **state)
{
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateUsageBatch batch = BILLING__V1__CREATE_USAGE_BATCH__INIT;
    Billing__V1__UsageInput *items = testkit_alloc(BATCH * sizeof *items);
    Billing__V1__UsageInput **pointers = testkit_alloc(BATCH * sizeof(Billing__V1__UsageInput *));
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    const char *customer = rpc_customer(&client);
    for (int i = 0; i < BATCH; i++) {
        fill_usage(&items[i], customer, testkit_format("batch-%d", i));
        pointers[i] = &items[i];
    }
    batch.usage = pointers;
    batch.n_usage = BATCH;
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
    request.create_usage_batch = &batch;
    static const Billing__V1__UsageBatchResult__Status expected[] = {
        BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED,
        BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED,
    };
    for (int round = 0; round < 2; round++) {
        request.has_call_id = false;
        Billing__V1__Response *response = raw_client_call(&client, &request);
        assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH);
        assert_int_equal(response->create_usage_batch->n_results, BATCH);
        for (int i = 0; i < BATCH; i++) {
            assert_int_equal(response->create_usage_batch->results[i]->status, expected[round]);
        }
        billing__v1__response__free_unpacked(response, NULL);
        response = server_info(&client);
        assert_u64(response->get_server_info->server->commits, 2); /* the customer's, the batch's */
        assert_u64(response->get_server_info->server->commit_records_max, BATCH);
        assert_u64(response->get_server_info->server->usage_records, BATCH);
        billing__v1__response__free_unpacked(response, NULL);
    }
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* Let DAEMON stand still, and wait until it does. */
static void pause_daemon(struct daemon_process *daemon)
{
    siginfo_t info;
    daemon_process_signal(daemon, SIGSTOP);
    assert_int_equal(waitid(P_PID, (id_t)daemon_process_pid(daemon), &info, WSTOPPED), 0);
}

/* What has come in by the time that it looks, from whomever, shares a commit. */
static void rpc__many_connections_with_one_record_each__share_commits(void **state)
{
    enum {
        ROUNDS = 20,
    };
    static struct raw_client clients[CLIENTS];
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(raw_client_open(&clients[i], daemon_process_unix(daemon)));
    }
    const char *customer = rpc_customer(&clients[0]);
    for (int round = 0; round < ROUNDS; round++) {
        pause_daemon(daemon); /* else how many it finds would be the machine's to say */
        for (int i = 0; i < CLIENTS; i++) {
            Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
            Billing__V1__UsageInput usage;
            fill_usage(&usage, customer, testkit_format("share-%d-%d", round, i));
            request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE;
            request.create_usage = &usage;
            assert_int_equal(raw_client_send_request(&clients[i], &request), SOCK_OK);
        }
        daemon_process_signal(daemon, SIGCONT);
        for (int i = 0; i < CLIENTS; i++) {
            Billing__V1__Response *response;
            assert_int_equal(raw_client_receive(&clients[i], SOCK_PATIENCE_MS, &response), SOCK_OK);
            assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_USAGE);
            billing__v1__response__free_unpacked(response, NULL);
        }
    }
    Billing__V1__Response *response = server_info(&clients[0]);
    assert_u64(response->get_server_info->server->usage_records, CLIENTS * ROUNDS);
    /* Each alone would take CLIENTS * ROUNDS commits; the loop takes some at a time. */
    print_message("%d records in %u commits\n", CLIENTS * ROUNDS,
                  (unsigned)response->get_server_info->server->commits);
    assert_true(response->get_server_info->server->commits < CLIENTS * ROUNDS / 2);
    billing__v1__response__free_unpacked(response, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        raw_client_close(&clients[i]);
    }
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* --- two threads, one request id -------------------------------------------------------------- */

struct race {
    const char *address;
    const char *customer;
    pthread_barrier_t *barrier;
    pthread_t thread;
    unsigned answered;
    unsigned replayed;
};

enum {
    RACE_ROUNDS = 200,
};

static void *race_main(void *arg)
{
    struct race *race = arg;
    struct raw_client client;
    bool open = raw_client_open(&client, race->address);
    for (int i = 0; i < RACE_ROUNDS; i++) {
        Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
        Billing__V1__Response *response = NULL;
        Billing__V1__UsageInput usage;
        fill_usage(&usage, race->customer, testkit_format("race-%d", i));
        request.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE;
        request.create_usage = &usage;
        pthread_barrier_wait(race->barrier);
        if (open && raw_client_send_request(&client, &request) == SOCK_OK &&
            raw_client_receive(&client, SOCK_PATIENCE_MS, &response) == SOCK_OK) {
            race->answered += response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
            race->replayed += response->replayed ? 1 : 0;
            billing__v1__response__free_unpacked(response, NULL);
        }
    }
    if (open) {
        raw_client_close(&client);
    }
    return NULL;
}

static void rpc__two_threads_with_the_same_ids__record_each_once(void **state)
{
    struct race races[2] = {0};
    struct raw_client client;
    pthread_barrier_t barrier;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    pthread_barrier_init(&barrier, NULL, 2);
    for (int i = 0; i < 2; i++) {
        races[i].address = daemon_process_unix(daemon);
        races[i].barrier = &barrier;
    }
    races[0].customer = races[1].customer = rpc_customer(&client);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&races[i].thread, NULL, race_main, &races[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(races[i].thread, NULL), 0);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(races[0].answered, RACE_ROUNDS);
    assert_int_equal(races[1].answered, RACE_ROUNDS);
    assert_int_equal(races[0].replayed + races[1].replayed, RACE_ROUNDS);
    Billing__V1__Response *response = server_info(&client);
    assert_u64(response->get_server_info->server->usage_records, RACE_ROUNDS);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(http__one_request_id_ten_times__is_recorded_once),
    cmocka_unit_test(http__one_request_id_from_ten_connections_at_once__is_recorded_once),
    cmocka_unit_test(http__another_payload_under_a_used_id__is_refused_naming_what_differs),
    cmocka_unit_test(http__a_retry_after_a_restart__is_replayed),
    cmocka_unit_test(kill__while_sealing_and_merging__the_retry_is_answered_once),
    cmocka_unit_test(kill__between_recording_and_answering__the_retry_is_replayed),
    cmocka_unit_test(kill__before_the_commit__the_retry_is_recorded),
    cmocka_unit_test(rpc__a_batch_of_ten_thousand__is_one_commit_and_its_retry_replayed),
    cmocka_unit_test(rpc__many_connections_with_one_record_each__share_commits),
    cmocka_unit_test(rpc__two_threads_with_the_same_ids__record_each_once),
};

TESTKIT_MAIN(tests)
