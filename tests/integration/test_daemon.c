/* The daemon as a process: where it puts things, who may have them, and how it ends. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

/* --- helpers ---------------------------------------------------------------------------------- */

static void send_customer(struct raw_client *client, const char *name, const char *request_id)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = create.has_request_id = true;
    create.customer_name = raw_bytes(name);
    create.request_id = raw_bytes(request_id);
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request.create_customer = &create;
    assert_int_equal(raw_client_send_request(client, &request), SOCK_OK);
}

static Billing__V1__Response *create_customer(struct raw_client *client, const char *name,
                                              const char *request_id)
{
    Billing__V1__Response *response = NULL;
    send_customer(client, name, request_id);
    assert_int_equal(raw_client_receive(client, SOCK_PATIENCE_MS, &response), SOCK_OK);
    return response;
}

static void assert_created(Billing__V1__Response *response)
{
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER);
    billing__v1__response__free_unpacked(response, NULL);
}

static struct daemon_process *spawn(const char *const *args, const char *const *env)
{
    struct daemon_options options = {.args = args, .env = env, .only_args = true};
    return daemon_process_spawn(&options);
}

/* The daemon ends by itself with STATUS and has said TEXT. */
static void assert_ends(struct daemon_process *daemon, int status, const char *text)
{
    assert_int_equal(daemon_process_wait(daemon), status);
    assert_contains(daemon_process_stderr(daemon), text);
    daemon_process_destroy(daemon);
}

/* --- places ----------------------------------------------------------------------------------- */

static void start__no_arguments__finds_its_places_in_the_environment(void **state)
{
    const char *home = testkit_tmpdir();
    const char *const env[] = {testkit_format("STATE_DIRECTORY=%s/state", home),
                               testkit_format("RUNTIME_DIRECTORY=%s/run", home), NULL};
    const char *const args[] = {NULL};
    struct raw_client client;
    struct stat file;
    (void)state;
    struct daemon_options options = {.args = args, .env = env, .only_args = true};
    struct daemon_process *daemon = daemon_process_start(&options);
    assert_string_equal(daemon_process_unix(daemon),
                        testkit_format("unix:%s/run/billingd.sock", home));
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_created(create_customer(&client, "Acme", "c-1"));
    assert_int_equal(stat(testkit_format("%s/state/data.mdb", home), &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    assert_int_equal(stat(testkit_format("%s/run/billingd.sock", home), &file), -1);
    daemon_process_destroy(daemon);
}

/* By which an operator sees whether it is the store that he means, or one that was just made. */
static void start__a_store__is_said_with_what_is_in_it(void **state)
{
    (void)state;
    struct raw_client client;
    struct daemon_process *daemon = daemon_process_start(NULL);
    const char *data = testkit_format("data=%s", daemon_process_data_dir(daemon));
    assert_contains(daemon_process_stderr(daemon),
                    testkit_format("msg=\"the store is open, with nothing in it yet\" %s "
                                   "journal_position=0 currency=USD",
                                   data));
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_created(create_customer(&client, "Acme", "1"));
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_restart(daemon);
    assert_contains(
        daemon_process_stderr(daemon),
        testkit_format("msg=\"the store is open\" %s journal_position=1 currency=USD", data));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void start__a_data_dir_in_use__says_so_and_exits_1(void **state)
{
    (void)state;
    struct daemon_process *first = daemon_process_start(NULL);
    const char *const args[] = {"--data-dir", daemon_process_data_dir(first), "--listen",
                                testkit_format("unix:%s/s", testkit_tmpdir()), NULL};
    const char *pid = testkit_format("%d", daemon_process_pid(first));
    struct daemon_process *second = spawn(args, NULL);
    assert_int_equal(daemon_process_wait(second), 1);
    assert_contains(daemon_process_stderr(second), daemon_process_data_dir(first));
    assert_contains(daemon_process_stderr(second), pid);
    daemon_process_destroy(second);
    daemon_process_stop(first);
    daemon_process_destroy(first);
}

static void start__a_live_socket__is_not_taken(void **state)
{
    struct raw_client client;
    (void)state;
    struct daemon_process *first = daemon_process_start(NULL);
    const char *const args[] = {"--data-dir", testkit_tmpdir(), "--listen",
                                daemon_process_unix(first), NULL};
    assert_ends(spawn(args, NULL), 1, "another process listens there");
    assert_true(raw_client_open(&client, daemon_process_unix(first)));
    assert_created(create_customer(&client, "Acme", "c-1"));
    raw_client_close(&client);
    daemon_process_stop(first);
    daemon_process_destroy(first);
}

static void start__a_stale_socket__is_replaced(void **state)
{
    struct raw_client client;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    const char *address = daemon_process_unix(daemon);
    daemon_process_kill(daemon);
    daemon_process_restart(daemon);
    assert_string_equal(daemon_process_unix(daemon), address);
    assert_true(raw_client_open(&client, address));
    assert_created(create_customer(&client, "Acme", "c-1"));
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void start__a_file_in_the_sockets_place__is_left_alone(void **state)
{
    const char *path = testkit_format("%s/s", testkit_tmpdir());
    const char *const args[] = {"--data-dir", testkit_tmpdir(), "--listen",
                                testkit_format("unix:%s", path), NULL};
    size_t bytes;
    (void)state;
    testkit_write_file(path, "precious", 8);
    assert_ends(spawn(args, NULL), 1, "no socket");
    char *text = testkit_read_file(path, &bytes);
    assert_text(text, bytes, "precious");
    free(text);
}

static void start__another_currency__is_refused(void **state)
{
    (void)state;
    struct daemon_process *first = daemon_process_start(NULL);
    daemon_process_stop(first);
    const char *const args[] = {"--data-dir", daemon_process_data_dir(first),
                                "--listen",   testkit_format("unix:%s/s", testkit_tmpdir()),
                                "--currency", "EUR",
                                NULL};
    assert_ends(spawn(args, NULL), 1, "EUR");
    daemon_process_destroy(first);
}

static void start__an_open_address__is_refused_unless_asked_for(void **state)
{
    const char *const args[] = {
        "--data-dir", testkit_tmpdir(), "--listen", testkit_format("unix:%s/s", testkit_tmpdir()),
        "--http",     "0.0.0.0:0",      NULL};
    (void)state;
    assert_ends(spawn(args, NULL), 2, "allow_insecure");
}

static void start__bad_options__are_all_named_and_exit_2(void **state)
{
    const char *const args[] = {"--readers", "many", "--no-such-option", "--currency", "usd", NULL};
    (void)state;
    struct daemon_process *daemon = spawn(args, NULL);
    assert_int_equal(daemon_process_wait(daemon), 2);
    assert_contains(daemon_process_stderr(daemon), "many");
    assert_contains(daemon_process_stderr(daemon), "no-such-option");
    assert_contains(daemon_process_stderr(daemon), "usd");
    daemon_process_destroy(daemon);
}

/* --- storage full ----------------------------------------------------------------------------- */

static int ready_status(const char *http)
{
    struct http_reply reply;
    http_once(http, "GET", "/readyz", NULL, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static void storage__full__refuses_writes_and_answers_reads_until_there_is_room(void **state)
{
    const char *const small[] = {"--map-bytes", "1MiB", NULL};
    struct daemon_options options = {.args = small};
    struct raw_client client;
    Billing__V1__Response *response = NULL;
    unsigned created = 0;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(&options);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_int_equal(ready_status(daemon_process_http(daemon)), 200);
    for (;; created++) {
        response = create_customer(&client, testkit_format("%01000u", created),
                                   testkit_format("c-%u", created));
        if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
            break;
        }
        billing__v1__response__free_unpacked(response, NULL);
    }
    assert_true(created > 10);
    assert_text(response->problem->code.data, response->problem->code.len, "storage_full");
    assert_int_equal(response->problem->status, 503);
    assert_int_equal(response->problem->recorded, BILLING__V1__PROBLEM__RECORDED__NO);
    assert_true(response->problem->retry_after_ms > 0);
    billing__v1__response__free_unpacked(response, NULL);
    /* It says so for seconds: who looks too late asks again. */
    for (int i = 0; ready_status(daemon_process_http(daemon)) != 503; i++) {
        assert_true(i < 100);
        response = create_customer(&client, testkit_format("%01000u", created), "c-full");
        assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_PROBLEM);
        billing__v1__response__free_unpacked(response, NULL);
    }

    /* A retry of what was recorded needs no room. */
    response = create_customer(&client, testkit_format("%01000u", 0), "c-0");
    assert_true(response->replayed);
    assert_created(response);
    raw_client_close(&client);
    daemon_process_stop(daemon);

    const char *const large[] = {"--map-bytes", "1GiB", NULL};
    struct daemon_options again = {.args = large, .data_dir = daemon_process_data_dir(daemon)};
    struct daemon_process *second = daemon_process_start(&again);
    assert_true(raw_client_open(&client, daemon_process_unix(second)));
    response = create_customer(&client, testkit_format("%01000u", created),
                               testkit_format("c-%u", created));
    assert_false(response->replayed);
    assert_created(response);
    assert_int_equal(ready_status(daemon_process_http(second)), 200);
    raw_client_close(&client);
    daemon_process_stop(second);
    daemon_process_destroy(second);
    daemon_process_destroy(daemon);
}

/* --- drain ------------------------------------------------------------------------------------ */

/* How many there are. */
static uint64_t count_customers(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetServerInfo info = BILLING__V1__GET_SERVER_INFO__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO;
    request.get_server_info = &info;
    Billing__V1__Response *response = raw_client_call(client, &request);
    uint64_t customers = response->get_server_info->server->customers;
    billing__v1__response__free_unpacked(response, NULL);
    return customers;
}

/* What was accepted is answered: pipelined requests, then SIGTERM, then every answer is there,
 * recorded or refused as nothing recorded, and what is acknowledged is in the store. */
static void drain__requests_in_flight__are_answered(void **state)
{
    enum {
        REQUESTS = 500,
    };
    static const char *const patient[] = {"--drain-timeout-ms", "10m", NULL};
    struct raw_client client;
    unsigned recorded = 0;
    unsigned refused = 0;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.args = patient});
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_created(create_customer(&client, "first", "first"));
    for (int i = 0; i < REQUESTS; i++) {
        send_customer(&client, "Acme", testkit_format("c-%d", i));
    }
    Billing__V1__Response *response = NULL;
    assert_int_equal(raw_client_receive(&client, SOCK_PATIENCE_MS, &response), SOCK_OK);
    billing__v1__response__free_unpacked(response, NULL);
    daemon_process_signal(daemon, SIGTERM);
    recorded++;
    while (raw_client_receive(&client, SOCK_PATIENCE_MS, &response) == SOCK_OK) {
        if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
            assert_text(response->problem->code.data, response->problem->code.len, "shutting_down");
            refused++;
        } else {
            recorded++;
        }
        billing__v1__response__free_unpacked(response, NULL);
    }
    assert_int_equal(daemon_process_wait(daemon), 0);
    raw_client_close(&client);

    daemon_process_restart(daemon);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_u64(count_customers(&client), recorded + 1);
    assert_true(recorded + refused <= REQUESTS);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* Of one who does not read there are more answers than a socket holds. */
static void drain__past_its_time__cuts_who_does_not_read_and_keeps_what_is_recorded(void **state)
{
    enum {
        REQUESTS = 300,
    };
    static const char *const impatient[] = {"--drain-timeout-ms", "200ms", NULL};
    struct raw_client client;
    struct raw_client other;
    (void)state;
    struct daemon_process *daemon =
        daemon_process_start(&(struct daemon_options){.args = impatient});
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_created(create_customer(&client, "first", "first"));
    for (int i = 0; i < REQUESTS; i++) {
        send_customer(&client, testkit_format("%01000d", i), testkit_format("c-%d", i));
    }
    assert_true(raw_client_open(&other, daemon_process_unix(daemon)));
    while (count_customers(&other) < REQUESTS + 1) {
        assert_true(testkit_now_ms() < end_ms);
    }
    raw_client_close(&other);
    daemon_process_signal(daemon, SIGTERM);
    assert_int_equal(daemon_process_wait(daemon), 0);
    assert_contains(daemon_process_stderr(daemon), "drain timed out, connections are cut");
    raw_client_close(&client);

    daemon_process_restart(daemon);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_u64(count_customers(&client), REQUESTS + 1);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void drain__idle_connections__do_not_hold_it_up(void **state)
{
    struct raw_client rpc;
    struct http_conn http;
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    assert_true(raw_client_open(&rpc, daemon_process_tcp(daemon)));
    assert_true(http_open(&http, daemon_process_http(daemon)));
    assert_created(create_customer(&rpc, "Acme", "c-1"));
    daemon_process_stop(daemon);
    raw_client_close(&rpc);
    http_close(&http);
    daemon_process_destroy(daemon);
}

/* --- memory ----------------------------------------------------------------------------------- */

static long rss_anon_kib(struct daemon_process *daemon)
{
    size_t bytes;
    char *status =
        testkit_read_file(testkit_format("/proc/%d/status", daemon_process_pid(daemon)), &bytes);
    const char *line = strstr(status, "RssAnon:");
    assert_non_null(line);
    long kib = strtol(line + strlen("RssAnon:"), NULL, 10);
    free(status);
    return kib;
}

/* A batch of ten thousand as JSON: the parsed tree is what the allocator would like to keep. */
static void load(struct daemon_process *daemon)
{
    enum {
        ITEMS = 10000,
        ITEM_BYTES = 256,
    };
    static const char *const headers[] = {"Idempotency-Key: load", NULL};
    char *body = testkit_alloc(ITEMS * ITEM_BYTES + ITEM_BYTES);
    struct http_reply reply;
    size_t length = (size_t)snprintf(body, ITEM_BYTES, "{\"usage\": [");
    for (int i = 0; i < ITEMS; i++) {
        length += (size_t)snprintf(body + length, ITEM_BYTES,
                                   "%s{\"customer_id\": \"external:acme\", \"service\": \"s\","
                                   " \"units_consumed\": %d, \"price_per_unit\": 0.05,"
                                   " \"labels\": {\"a\": \"%050d\"}}",
                                   i == 0 ? "" : ", ", i, i);
    }
    snprintf(body + length, ITEM_BYTES, "]}");
    http_once(daemon_process_http(daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\", \"external_id\": \"acme\"}", &reply);
    http_reply_done(&reply);
    http_once(daemon_process_http(daemon), "POST", "/api/v1/usage/batch", headers, body, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
}

/* What is freed goes back to the system once nobody has asked for a while; sanitizers keep it. */
static void idle__memory_of_its_own__is_below_16_mib(void **state)
{
    enum {
        BOUND_KIB = 16 * 1024,
        LOOK_MS = 50,
    };
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    long fresh = rss_anon_kib(daemon);
    load(daemon);
    long loaded = rss_anon_kib(daemon);
    long idle = loaded;
    int64_t deadline_ms = TESTKIT_SANITIZED ? 0 : testkit_now_ms() + SOCK_PATIENCE_MS;
    while (idle >= BOUND_KIB && testkit_now_ms() < deadline_ms) {
        poll(NULL, 0, LOOK_MS); /* nobody tells when it happens */
        idle = rss_anon_kib(daemon);
    }
    print_message("RssAnon: fresh %ld kB, under load %ld kB, idle %ld kB\n", fresh, loaded, idle);
    assert_true(fresh > 0 && (deadline_ms == 0 || (fresh < BOUND_KIB && idle < BOUND_KIB)));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(start__no_arguments__finds_its_places_in_the_environment),
    cmocka_unit_test(start__a_store__is_said_with_what_is_in_it),
    cmocka_unit_test(start__a_data_dir_in_use__says_so_and_exits_1),
    cmocka_unit_test(start__a_live_socket__is_not_taken),
    cmocka_unit_test(start__a_stale_socket__is_replaced),
    cmocka_unit_test(start__a_file_in_the_sockets_place__is_left_alone),
    cmocka_unit_test(start__another_currency__is_refused),
    cmocka_unit_test(start__an_open_address__is_refused_unless_asked_for),
    cmocka_unit_test(start__bad_options__are_all_named_and_exit_2),
    cmocka_unit_test(storage__full__refuses_writes_and_answers_reads_until_there_is_room),
    cmocka_unit_test(drain__requests_in_flight__are_answered),
    cmocka_unit_test(drain__past_its_time__cuts_who_does_not_read_and_keeps_what_is_recorded),
    cmocka_unit_test(drain__idle_connections__do_not_hold_it_up),
    cmocka_unit_test(idle__memory_of_its_own__is_below_16_mib),
};

TESTKIT_MAIN(tests)
