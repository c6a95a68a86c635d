/* Reloading: what of the configuration holds from then on, and what a bad one does not change. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/door_kit.h"
#include "tests/integration/manager.h"

struct reloading {
    struct manager manager;
    const char *file;
    const char *args[8];
    const char *env[2];
    struct daemon_process *daemon;
};

static void write_config(const struct reloading *r, const char *text)
{
    testkit_write_file(r->file, text, strlen(text));
}

/* With TEXT for its config file. */
static void begin(struct reloading *r, const char *text)
{
    *r = (struct reloading){
        .manager = manager_open(false),
        .file = testkit_format("%s/billingd.conf", testkit_tmpdir()),
    };
    r->args[0] = "--config";
    r->args[1] = r->file;
    r->args[2] = "--pipeline-max";
    r->args[3] = "7";
    r->env[0] = r->manager.env;
    write_config(r, text);
    r->daemon = daemon_process_start(&(struct daemon_options){.args = r->args, .env = r->env});
    assert_non_null(manager_await(&r->manager, "READY=1"));
}

/* Give it TEXT to read; what it says when it is through. */
static const char *reload(struct reloading *r, const char *text)
{
    write_config(r, text);
    daemon_process_signal(r->daemon, SIGHUP);
    const char *begun = manager_await(&r->manager, "RELOADING=1");
    assert_true(strtoll(strstr(begun, "MONOTONIC_USEC=") + strlen("MONOTONIC_USEC="), NULL, 10) >
                0);
    return manager_await(&r->manager, "READY=1");
}

/* The status of recording usage of a service that is in no catalogue, and the answer's body. */
static int record_unlisted(const struct reloading *r)
{
    struct http_reply reply;
    const char *http = daemon_process_http(r->daemon);
    http_once(http, "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\", \"external_id\": \"acme\", \"request_id\": \"c-1\"}",
              &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
    http_once(http, "POST", "/api/v1/customers/external:acme/usage", NULL,
              "{\"service\": \"unlisted\", \"units_consumed\": 1, \"price_per_unit\": 1}", &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static void reload__another_catalogue_mode__holds_for_the_next_record(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    assert_int_equal(record_unlisted(&r), 201);
    assert_contains(reload(&r, "catalogue = \"listed\";\n"), "STATUS=Serving");
    daemon_process_await_stderr(r.daemon, "msg=\"option changed\" name=catalogue value=listed");
    assert_int_equal(record_unlisted(&r), 422);
    reload(&r, "");
    assert_int_equal(record_unlisted(&r), 201);
    manager_end(&r.manager, r.daemon);
}

static void reload__limits_and_log_level__hold_from_then_on(void **state)
{
    (void)state;
    struct reloading r;
    struct http_reply reply;
    struct http_conn first;
    begin(&r, "");
    assert_true(http_open(&first, daemon_process_http(r.daemon)));
    http_call(&first, "GET", "/healthz", NULL, NULL, &reply);
    http_reply_done(&reply);
    reload(&r, "body_bytes_max = 1024; require_request_id = true; log_level = \"error\";\n");
    const char *body = testkit_format("{\"customer_name\": \"%01100d\"}", 1);
    http_call(&first, "POST", "/api/v1/customers", NULL, body, &reply);
    assert_int_equal(reply.status, 413);
    http_reply_done(&reply);
    http_close(&first);
    http_once(daemon_process_http(r.daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 422);
    http_reply_done(&reply);
    daemon_process_stop(r.daemon);
    assert_null(strstr(daemon_process_stderr(r.daemon), "msg=draining")); /* of level info */
    daemon_process_destroy(r.daemon);
    close(r.manager.fd);
}

/* Create a customer called NAME. */
static void add_customer(const struct reloading *r, const char *name)
{
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "POST", "/api/v1/customers", NULL,
              testkit_format("{\"customer_name\": \"%s\"}", name), &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
}

static void reload__what_is_logged_of_requests__holds_for_the_next(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "log_requests_per_second_max = 0;\n");
    add_customer(&r, "Silent");
    reload(&r, "log_requests_per_second_max = 1000;\n");
    add_customer(&r, "Told");
    reload(&r, "log_requests_per_second_max = 1000; log_payloads = true;\n");
    add_customer(&r, "Quoted");
    reload(&r, "log_requests_per_second_max = 0; log_payloads = true;\n");
    add_customer(&r, "Silent");
    daemon_process_stop(r.daemon);
    unsigned lines = 0;
    const char *text = daemon_process_stderr(r.daemon);
    for (const char *at = text; (at = strstr(at, "method=CreateCustomer")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 2);
    assert_contains(text, "Quoted");
    assert_null(strstr(text, "Told"));
    daemon_process_destroy(r.daemon);
    close(r.manager.fd);
}

static int status_of(const struct reloading *r, const char *target)
{
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "GET", target, NULL, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

/* The status of an empty list on CONN. */
static int status_on(struct http_conn *conn)
{
    struct http_reply reply;
    http_call(conn, "GET", "/api/v1/customers", NULL, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static void reload__who_may__holds_for_the_next_request(void **state)
{
    (void)state;
    struct reloading r;
    struct http_conn open;
    struct raw_client client;
    begin(&r, "");
    assert_true(http_open(&open, daemon_process_http(r.daemon)));
    assert_true(raw_client_open(&client, daemon_process_tcp(r.daemon)));
    const Billing__V1__Request__CallCase call = BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS;
    assert_int_equal(status_on(&open), 200);
    assert_string_equal(kit_call(&client, call, NULL), "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    reload(&r, "require_auth = true;\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 401);
    assert_int_equal(status_on(&open), 401);
    assert_string_equal(kit_call(&client, call, NULL), "unauthenticated");
    reload(&r, "");
    assert_int_equal(status_on(&open), 200);
    assert_string_equal(kit_call(&client, call, NULL), "");
    reload(&r, "require_auth = true; head_timeout_ms = 300;\n");
    assert_int_equal(sock_wait_close(open.fd, testkit_now_ms() + SOCK_PATIENCE_MS, NULL),
                     SOCK_CLOSED); /* it has had its time to show one */
    assert_int_equal(raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL), SOCK_CLOSED);
    http_close(&open);
    raw_client_close(&client);
    reload(&r, "http_hosts = [\"billing.example\"];\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 403);
    reload(&r, "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    manager_end(&r.manager, r.daemon);
}

/* The status of what a page of ORIGIN asks for. */
static int status_from(const struct reloading *r, const char *origin)
{
    const char *const headers[] = {testkit_format("Origin: %s", origin), NULL};
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "GET", "/api/v1/customers", headers, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

/* Lists that become longer, shorter and none: the door is to have the new one, whole. */
static void reload__hosts_and_origins__are_those_of_the_new_lists(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "http_origins = [\"http://a.example\", \"http://b.example\"];\n");
    assert_int_equal(status_from(&r, "http://b.example"), 200);
    reload(&r, "");
    assert_int_equal(status_from(&r, "http://a.example"), 403);
    assert_int_equal(status_from(&r, "http://b.example"), 403);
    reload(&r, "http_hosts = [\"billing.example\"]; http_origins = [\"http://c.example\"];\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 403);
    reload(&r, "http_hosts = [\"localhost\"]; http_origins = [\"http://c.example\", "
               "\"http://a.example\"];\n");
    assert_int_equal(status_from(&r, "http://a.example"), 200);
    assert_int_equal(status_from(&r, "http://b.example"), 403);
    reload(&r, "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    assert_int_equal(status_from(&r, "http://c.example"), 403);
    manager_end(&r.manager, r.daemon);
}

static void assert_allowed_origin(const struct http_reply *reply, const char *origin)
{
    const char *allowed = http_reply_header(reply, "Access-Control-Allow-Origin");
    assert_non_null(allowed);
    assert_string_equal(allowed, origin);
}

/* Its head was taken under the old list; its answer is made when the old list is gone. */
static void reload__origins_while_a_body_is_to_come__its_answer_names_the_one_it_had(void **state)
{
    static const char awaited[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static const char body[] = "{\"customer_name\": \"Acme\"}";
    (void)state;
    struct reloading r;
    struct http_conn conn;
    struct http_reply reply;
    char got[sizeof awaited] = "";
    size_t bytes = 0;
    begin(&r, "http_origins = [\"http://first.example\", \"http://second.example\"];\n");
    const char *head = testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n"
                                      "Origin: http://second.example\r\nExpect: 100-continue\r\n"
                                      "Content-Type: application/json\r\n"
                                      "Content-Length: %zu\r\n\r\n",
                                      strlen(body));
    assert_true(http_open(&conn, daemon_process_http(r.daemon)));
    assert_int_equal(http_send(&conn, head, strlen(head)), SOCK_OK);
    while (bytes < strlen(awaited)) {
        size_t more;
        assert_int_equal(sock_receive(conn.fd, got + bytes, strlen(awaited) - bytes,
                                      testkit_now_ms() + SOCK_PATIENCE_MS, &more),
                         SOCK_OK);
        bytes += more;
    }
    assert_string_equal(got, awaited);
    reload(&r, "http_origins = [\"http://third0.example\", \"http://fourth.example\"];\n");
    reload(&r, "");
    assert_int_equal(http_send(&conn, body, strlen(body)), SOCK_OK);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, 201);
    assert_allowed_origin(&reply, "http://second.example");
    http_reply_done(&reply);
    assert_int_equal(status_from(&r, "http://second.example"), 403);
    http_close(&conn);
    manager_end(&r.manager, r.daemon);
}

/* More answers than all buffers on the way hold: some are made under the old list, some under the
 * new one, and one of them is half written meanwhile. */
static void reload__origins_while_a_reader_is_slow__each_answer_is_of_one_list(void **state)
{
    enum { ANSWERS = 500 };
    static const char *const request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
                                       "Origin: http://first.example\r\n\r\n";
    (void)state;
    struct reloading r;
    struct http_conn conn;
    struct http_reply reply;
    int status = 200;
    begin(&r, "http_origins = [\"http://first.example\"];\n");
    assert_true(http_open(&conn, daemon_process_http(r.daemon)));
    for (int i = 0; i < ANSWERS; i++) {
        assert_int_equal(http_send(&conn, request, strlen(request)), SOCK_OK);
    }
    struct pollfd begun = {.fd = conn.fd, .events = POLLIN};
    assert_int_equal(poll(&begun, 1, SOCK_PATIENCE_MS), 1);
    reload(&r, "http_origins = [\"http://other.example\"];\n");
    for (int i = 0; i < ANSWERS; i++) {
        int before = status;
        assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
        status = reply.status;
        assert_true(status == before || (status == 403 && i > 0));
        if (status == 200) {
            assert_allowed_origin(&reply, "http://first.example");
        } else {
            assert_null(http_reply_header(&reply, "Access-Control-Allow-Origin"));
        }
        http_reply_done(&reply);
    }
    assert_int_equal(status, 403);
    http_close(&conn);
    manager_end(&r.manager, r.daemon);
}

static void reload__a_user_that_there_is_not__changes_nothing(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    assert_contains(reload(&r, "catalogue = \"listed\";\nunix_admins = \"user:no-such\";\n"),
                    "was not reloaded");
    assert_int_equal(record_unlisted(&r), 201);
    manager_end(&r.manager, r.daemon);
}

static void reload__a_bad_file__changes_nothing_and_says_what_is_wrong_where(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    const char *said = reload(&r, "catalogue = \"listed\";\nreaders = 0;\nno_such = 1;\n");
    assert_contains(said, "was not reloaded");
    daemon_process_await_stderr(r.daemon, testkit_format("%s:2: readers: '0' is not", r.file));
    daemon_process_await_stderr(r.daemon,
                                testkit_format("%s:3: 'no_such' is not an option", r.file));
    assert_int_equal(record_unlisted(&r), 201);
    assert_int_equal(unlink(r.file), 0);
    daemon_process_signal(r.daemon, SIGHUP);
    assert_contains(manager_await(&r.manager, "READY=1"), "was not reloaded");
    assert_int_equal(record_unlisted(&r), 201);
    assert_null(strstr(daemon_process_stderr(r.daemon), "option changed"));
    manager_end(&r.manager, r.daemon);
}

static void reload__what_takes_a_restart__is_named_and_stays(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "");
    assert_contains(reload(&r, "readers = 3;\ncurrency = \"EUR\";\npipeline_max = 9;\n"
                               "sentry_dsn = \"http://planted@127.0.0.1:9/1\";\n"),
                    "STATUS=Serving");
    daemon_process_await_stderr(r.daemon, "msg=reloaded");
    const char *log = daemon_process_stderr(r.daemon);
    assert_contains(log, "msg=\"option changes with the next start\" name=readers value=3");
    assert_contains(log, "msg=\"option changes with the next start\" name=currency value=EUR");
    assert_null(strstr(log, "name=pipeline_max")); /* the command line's wins */
    assert_contains(log, "name=sentry_dsn value=\"(not shown)\"");
    assert_null(strstr(log, "planted"));
    manager_end(&r.manager, r.daemon);
}

/* Nobody writes into it: who waited for that would wait for ever. */
static void reload__a_fifo_for_a_file__changes_nothing_and_holds_nobody_up(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"listed\";\n");
    assert_int_equal(unlink(r.file), 0);
    assert_int_equal(mkfifo(r.file, 0600), 0);
    daemon_process_signal(r.daemon, SIGHUP);
    assert_contains(manager_await(&r.manager, "READY=1"), "is wrong and was not reloaded");
    daemon_process_await_stderr(r.daemon, "it is not a regular file but a FIFO");
    assert_int_equal(record_unlisted(&r), 422);
    manager_end(&r.manager, r.daemon);
}

static void reload__asked_for_while_one_is_under_way__happens_after_it(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "");
    for (int i = 1; i <= 100; i++) { /* the last one often finds another under way */
        write_config(&r, testkit_format("body_bytes_max = %d;\n", 100000 + i));
        daemon_process_signal(r.daemon, SIGHUP);
    }
    daemon_process_await_stderr(r.daemon, "name=body_bytes_max value=100100");
    manager_end(&r.manager, r.daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reload__another_catalogue_mode__holds_for_the_next_record),
    cmocka_unit_test(reload__limits_and_log_level__hold_from_then_on),
    cmocka_unit_test(reload__what_is_logged_of_requests__holds_for_the_next),
    cmocka_unit_test(reload__who_may__holds_for_the_next_request),
    cmocka_unit_test(reload__hosts_and_origins__are_those_of_the_new_lists),
    cmocka_unit_test(reload__origins_while_a_body_is_to_come__its_answer_names_the_one_it_had),
    cmocka_unit_test(reload__origins_while_a_reader_is_slow__each_answer_is_of_one_list),
    cmocka_unit_test(reload__a_user_that_there_is_not__changes_nothing),
    cmocka_unit_test(reload__a_bad_file__changes_nothing_and_says_what_is_wrong_where),
    cmocka_unit_test(reload__a_fifo_for_a_file__changes_nothing_and_holds_nobody_up),
    cmocka_unit_test(reload__asked_for_while_one_is_under_way__happens_after_it),
    cmocka_unit_test(reload__what_takes_a_restart__is_named_and_stays),
};

TESTKIT_MAIN(tests)
