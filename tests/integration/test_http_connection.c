/* How the HTTP door treats its connections: pipelining, keep-alive, 100 (Continue), half-closes,
 * deadlines, limits, clients that do not read or are gone, and the end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

#define GET_HEALTH "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const char json_type[] = "Content-Type: application/json\r\n";

static struct daemon_process *billingd;
static const char *address;

static void start_with(const char *const *args)
{
    billingd = daemon_process_start(&(struct daemon_options){.args = args});
    address = daemon_process_http(billingd);
}

static int start(void **state)
{
    (void)state;
    start_with(NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
    billingd = NULL;
    return 0;
}

/* --- helpers ---------------------------------------------------------------------------------- */

static void open_conn(struct http_conn *conn)
{
    if (!http_open(conn, address)) {
        testkit_fail("cannot connect to %s", address);
    }
}

static void send_text(struct http_conn *conn, const char *text)
{
    if (http_send(conn, text, strlen(text)) != SOCK_OK) {
        testkit_fail("cannot send");
    }
}

/* The status of the next answer; its body begins with BEGINNING, where given. */
static int receive(struct http_conn *conn, bool *ret_will_close, const char *beginning)
{
    struct http_reply reply;
    enum sock_result result = http_receive(conn, SOCK_PATIENCE_MS, &reply);
    if (result != SOCK_OK) {
        testkit_fail("no answer but %s", sock_result_name(result));
    }
    if (beginning != NULL && strncmp(reply.body, beginning, strlen(beginning)) != 0) {
        testkit_fail("answered %s, not %s", reply.body, beginning);
    }
    int status = reply.status;
    if (ret_will_close != NULL) {
        *ret_will_close = reply.will_close;
    }
    http_reply_done(&reply);
    return status;
}

static void expect_end(struct http_conn *conn)
{
    size_t dropped = 0;
    enum sock_result result =
        sock_wait_close(conn->fd, testkit_now_ms() + SOCK_PATIENCE_MS, &dropped);
    assert_string_equal(sock_result_name(result), sock_result_name(SOCK_CLOSED));
    assert_u64(dropped + conn->length, 0);
    http_close(conn);
}

static void expect_refusal_and_end(struct http_conn *conn, int status)
{
    bool will_close;
    assert_int_equal(receive(conn, &will_close, "{\"type\": "), status);
    assert_true(will_close);
    expect_end(conn);
}

/* Ask on a new CONN.  False, and closed again, where it was refused or closed before it asked: what
 * has room again, or closes soon, does so when the machine gets to it. */
static bool ask_in_time(struct http_conn *conn)
{
    struct http_reply reply = {0};
    open_conn(conn);
    bool answered = http_send(conn, GET_HEALTH, strlen(GET_HEALTH)) == SOCK_OK &&
                    http_receive(conn, SOCK_PATIENCE_MS, &reply) == SOCK_OK;
    bool served = answered && reply.status == 200;
    http_reply_done(&reply);
    if (!served) {
        http_close(conn);
    }
    return served;
}

/* Ask on a new CONN until it is answered by 200. */
static void await_served(struct http_conn *conn)
{
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    while (!ask_in_time(conn)) {
        assert_true(testkit_now_ms() < deadline_ms);
    }
}

static void expect_health(void)
{
    struct http_reply reply;
    http_once(address, "GET", "/readyz", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
}

static const char *customer_request(const char *name)
{
    const char *body = testkit_format("{\"customer_name\": \"%s\"}", name);
    return testkit_format(
        "POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n"
        "\r\n%s",
        json_type, strlen(body), body);
}

/* --- requests and answers --------------------------------------------------------------------- */

enum {
    PIPELINED = 200,
};

static const char *mixed_request(int i)
{
    switch (i % 3) {
    case 0:
        return GET_HEALTH;
    case 1:
        return customer_request(testkit_format("n%d", i));
    default:
        return "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n\r\n\r\n";
    }
}

/* Some answered at once, some after a commit: the order is that of the requests all the same. */
static void pipelined__answers_come_in_order(void **state)
{
    (void)state;
    struct http_conn conn;
    char *all = testkit_alloc((size_t)PIPELINED * 256);
    char *at = all;
    for (int i = 0; i < PIPELINED; i++) {
        at = stpcpy(at, mixed_request(i));
    }
    open_conn(&conn);
    send_text(&conn, all);
    for (int i = 0; i < PIPELINED; i++) {
        struct http_reply reply;
        assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
        assert_int_equal(reply.status, i % 3 == 0 ? 200 : i % 3 == 1 ? 201 : 404);
        if (i % 3 == 1) {
            assert_contains(reply.body, testkit_format("\"name\": \"n%d\"", i));
        }
        http_reply_done(&reply);
    }
    assert_u64(conn.length, 0);
    http_close(&conn);
}

static void continued__body_is_asked_for_and_then_taken(void **state)
{
    (void)state;
    struct http_conn conn;
    char got[64] = "";
    size_t length = 0;
    open_conn(&conn);
    send_text(&conn,
              testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n%sExpect: "
                             "100-continue\r\nContent-Length: 22\r\n\r\n",
                             json_type));
    while (length < strlen("HTTP/1.1 100 Continue\r\n\r\n")) {
        size_t n = 0;
        assert_int_equal(sock_receive(conn.fd, got + length, sizeof got - 1 - length,
                                      testkit_now_ms() + SOCK_PATIENCE_MS, &n),
                         SOCK_OK);
        length += n;
    }
    assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(&conn, "{\"customer_name\": \"a\"}");
    assert_int_equal(receive(&conn, NULL, "{\"customer\""), 201);
    http_close(&conn);
}

static void continued__too_large__is_refused_before_the_body(void **state)
{
    (void)state;
    struct http_conn conn;
    open_conn(&conn);
    send_text(&conn,
              "POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
              "Content-Length: 99999999999\r\n\r\n");
    char first[16] = "";
    size_t n = 0;
    assert_int_equal(sock_receive(conn.fd, first, 12, testkit_now_ms() + SOCK_PATIENCE_MS, &n),
                     SOCK_OK);
    assert_text(first, n, "HTTP/1.1 413");
    http_close(&conn);
}

static void http_1_0__closes_unless_asked_not_to(void **state)
{
    (void)state;
    struct http_conn conn;
    bool will_close;
    open_conn(&conn);
    send_text(&conn, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(receive(&conn, &will_close, "{\"status\""), 200);
    assert_false(will_close);
    send_text(&conn, "GET /healthz HTTP/1.0\r\n\r\n");
    assert_int_equal(receive(&conn, &will_close, "{\"status\""), 200);
    assert_true(will_close);
    expect_end(&conn);
}

static void close_asked_for__ends_behind_the_answer(void **state)
{
    (void)state;
    struct http_conn conn;
    bool will_close;
    open_conn(&conn);
    send_text(&conn,
              "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" GET_HEALTH);
    assert_int_equal(receive(&conn, &will_close, "{\"status\""), 200);
    assert_true(will_close);
    expect_end(&conn);
}

static void head_and_options__have_no_body(void **state)
{
    (void)state;
    struct http_conn conn;
    struct http_reply reply;
    open_conn(&conn);
    send_text(&conn, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    conn.no_body = true;
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, 200);
    assert_string_not_equal(http_reply_header(&reply, "Content-Length"), "0");
    http_reply_done(&reply);
    send_text(&conn, "OPTIONS /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n\r\n" GET_HEALTH);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, 204);
    assert_string_equal(http_reply_header(&reply, "Allow"), "POST, GET, HEAD, OPTIONS");
    http_reply_done(&reply);
    assert_int_equal(receive(&conn, NULL, "{\"status\""), 200);
    http_close(&conn);
}

static void wrong_requests__leave_the_connection_open(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
        {"DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"GET /healthz?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /api/v1/customers/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
        {"GET /api/v1/customers/nobody HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
        {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 400},
        {"POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 415},
        {"POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 5\r\n\r\n[NaN]",
         400},
        {"POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 2\r\n\r\n{}",
         422},
    };
    struct http_conn conn;
    open_conn(&conn);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool will_close;
        send_text(&conn, cases[i].text);
        assert_int_equal(receive(&conn, &will_close, "{\"type\": \"urn:"), cases[i].status);
        assert_false(will_close);
    }
    http_close(&conn);
}

/* --- halves ----------------------------------------------------------------------------------- */

static void half_closed__what_was_asked_is_answered(void **state)
{
    (void)state;
    struct http_conn conn;
    open_conn(&conn);
    send_text(&conn, customer_request("a"));
    send_text(&conn, customer_request("b"));
    sock_finish(conn.fd);
    assert_int_equal(receive(&conn, NULL, "{\"customer\""), 201);
    assert_int_equal(receive(&conn, NULL, "{\"customer\""), 201);
    expect_end(&conn);
}

static void half_closed__within_a_request__is_refused(void **state)
{
    (void)state;
    struct http_conn conn;
    open_conn(&conn);
    send_text(&conn, "GET /healthz HT");
    sock_finish(conn.fd);
    expect_refusal_and_end(&conn, 400);
    open_conn(&conn);
    send_text(&conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
    sock_finish(conn.fd);
    expect_refusal_and_end(&conn, 400);
}

static void half_closed__before_any_request__just_ends(void **state)
{
    (void)state;
    struct http_conn conn;
    open_conn(&conn);
    sock_finish(conn.fd);
    expect_end(&conn);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* The refusal is read although the client sent far more than anybody took. */
static void too_large__answer_arrives_before_the_end(void **state)
{
    (void)state;
    struct http_conn conn;
    enum { BYTES = 8 * 1024 * 1024 };
    char *body = testkit_alloc(BYTES);
    open_conn(&conn);
    send_text(
        &conn,
        "POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n");
    IGNORE(http_send(&conn, body, BYTES)); /* the daemon may have closed by now */
    assert_int_equal(receive(&conn, NULL, "{\"type\": "), 413);
    http_close(&conn);
}

static void too_large__in_the_middle_of_chunks(void **state)
{
    (void)state;
    struct http_conn conn;
    enum { CHUNK = 0x100000 };
    char *chunk = testkit_alloc(CHUNK + 32);
    size_t head = (size_t)snprintf(chunk, 32, "%x\r\n", (unsigned)CHUNK);
    chunk[head + CHUNK] = '\r';
    chunk[head + CHUNK + 1] = '\n';
    open_conn(&conn);
    send_text(
        &conn,
        "POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        if (http_send(&conn, chunk, head + CHUNK + 2) != SOCK_OK) {
            break; /* the daemon may have closed by now */
        }
    }
    assert_int_equal(receive(&conn, NULL, "{\"type\": "), 413);
    http_close(&conn);
}

static void connections__past_their_bound__are_told(void **state)
{
    (void)state;
    static const char *const args[] = {"--connections-max", "4", "--connections-per-identity-max",
                                       "4", NULL};
    struct http_conn conns[4];
    struct http_conn fifth;
    start_with(args);
    for (size_t i = 0; i < 4; i++) {
        open_conn(&conns[i]);
        send_text(&conns[i], GET_HEALTH);
        assert_int_equal(receive(&conns[i], NULL, NULL), 200);
    }
    open_conn(&fifth);
    expect_refusal_and_end(&fifth, 503);
    send_text(&conns[0], "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_int_equal(receive(&conns[0], NULL, NULL), 200);
    expect_end(&conns[0]);
    await_served(&fifth);
    http_close(&fifth);
    for (size_t i = 1; i < 4; i++) {
        http_close(&conns[i]);
    }
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* With OPTION alone as short as a test can wait: the other deadlines, short too, would strike where
 * the machine is slow. */
static void start_impatient(const char *option)
{
    const char *const args[] = {option, "300ms", NULL};
    start_with(args);
}

static void slow_head__is_refused_however_it_trickles(void **state)
{
    (void)state;
    struct http_conn conn;
    start_impatient("--head-timeout-ms");
    int64_t begun_ms = testkit_now_ms();
    open_conn(&conn);
    send_text(&conn, "GET / HTTP/1.1\r\nX: ");
    char byte;
    size_t got = 0;
    /* Always a byte more: being active is no excuse. */
    while (sock_receive(conn.fd, &byte, 1, testkit_now_ms() + 50, &got) == SOCK_TIMEOUT) {
        assert_true(testkit_now_ms() - begun_ms < SOCK_PATIENCE_MS);
        IGNORE(http_send(&conn, "a", 1)); /* it may be too late */
    }
    assert_u64(got, 1);
    assert_true(testkit_now_ms() - begun_ms >= 250);
    http_close(&conn);
}

static void slow_requests__are_refused_by_408(void **state)
{
    (void)state;
    struct http_conn conn;
    start_impatient("--head-timeout-ms");
    open_conn(&conn);
    send_text(&conn, "GET / HTTP/1.1\r\nX: ");
    expect_refusal_and_end(&conn, 408);
    IGNORE(stop(NULL));
    start_impatient("--body-timeout-ms");
    open_conn(&conn);
    send_text(&conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
    expect_refusal_and_end(&conn, 408);
}

static void idle__is_closed_without_a_word(void **state)
{
    (void)state;
    struct http_conn conn;
    start_impatient("--http-idle-timeout-ms");
    open_conn(&conn);
    expect_end(&conn);
    await_served(&conn);
    expect_end(&conn);
}

/* Its requests and answers fill every buffer on the way; then it is cut, and nobody else waits. */
static void client_that_never_reads__is_cut(void **state)
{
    (void)state;
    struct http_conn conn;
    enum { REQUESTS = 1000 };
    char *many = testkit_alloc(REQUESTS * sizeof GET_HEALTH);
    char *at = many;
    start_impatient("--write-timeout-ms");
    for (size_t i = 0; i < REQUESTS; i++) {
        at = stpcpy(at, GET_HEALTH);
    }
    open_conn(&conn);
    enum sock_result result = SOCK_OK;
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    while (result == SOCK_OK) {
        result = sock_send(conn.fd, many, (size_t)(at - many), deadline_ms, NULL);
        expect_health();
    }
    assert_string_equal(sock_result_name(result), sock_result_name(SOCK_RESET));
    http_close(&conn);
}

/* --- clients that are gone -------------------------------------------------------------------- */

static void reset(struct http_conn *conn)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    http_close(conn);
}

/* Their requests are with the committer when they go: they are recorded, and nobody is harmed. */
static void clients_that_vanish__while_their_requests_are_carried_out(void **state)
{
    (void)state;
    enum { CLIENTS = 500 };
    struct rng rng = rng_make("vanishing clients");
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct http_conn conn;
        open_conn(&conn);
        send_text(&conn, customer_request("gone"));
        if (rng_below(&rng, 2) == 0) {
            reset(&conn);
        } else {
            http_close(&conn);
        }
    }
    expect_health();
}

/* --- the end ---------------------------------------------------------------------------------- */

static void drain__idle_ones_close_and_half_requests_are_told(void **state)
{
    (void)state;
    struct http_conn idle;
    struct http_conn half;
    start_with(NULL);
    open_conn(&idle);
    send_text(&idle, GET_HEALTH);
    assert_int_equal(receive(&idle, NULL, NULL), 200);
    open_conn(&half);
    send_text(&half,
              GET_HEALTH "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
    assert_int_equal(receive(&half, NULL, NULL), 200);
    daemon_process_signal(billingd, SIGTERM);
    expect_end(&idle);
    expect_refusal_and_end(&half, 503);
    assert_int_equal(daemon_process_wait(billingd), 0);
    daemon_process_destroy(billingd);
    billingd = NULL;
}

#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define OWN_START(name) cmocka_unit_test_teardown(name, stop)

static const struct CMUnitTest tests[] = {
    DOOR_TEST(pipelined__answers_come_in_order),
    DOOR_TEST(continued__body_is_asked_for_and_then_taken),
    DOOR_TEST(continued__too_large__is_refused_before_the_body),
    DOOR_TEST(http_1_0__closes_unless_asked_not_to),
    DOOR_TEST(close_asked_for__ends_behind_the_answer),
    DOOR_TEST(head_and_options__have_no_body),
    DOOR_TEST(wrong_requests__leave_the_connection_open),
    DOOR_TEST(half_closed__what_was_asked_is_answered),
    DOOR_TEST(half_closed__within_a_request__is_refused),
    DOOR_TEST(half_closed__before_any_request__just_ends),
    DOOR_TEST(too_large__answer_arrives_before_the_end),
    DOOR_TEST(too_large__in_the_middle_of_chunks),
    OWN_START(connections__past_their_bound__are_told),
    OWN_START(slow_head__is_refused_however_it_trickles),
    OWN_START(slow_requests__are_refused_by_408),
    OWN_START(idle__is_closed_without_a_word),
    OWN_START(client_that_never_reads__is_cut),
    DOOR_TEST(clients_that_vanish__while_their_requests_are_carried_out),
    cmocka_unit_test(drain__idle_ones_close_and_half_requests_are_told),
};

TESTKIT_MAIN(tests)
