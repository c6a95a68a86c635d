/* What is taken of a body over HTTP, and from whom: nothing of one who may not send it. */
#include "tests/integration/door_kit.h"

static void open_and_send(struct http_conn *conn, const char *headers, const char *body)
{
    const char *text =
        testkit_format("POST /api/v1/customers HTTP/1.1\r\nContent-Type: application/json\r\n"
                       "%s\r\n%s",
                       headers, body);
    assert_true(http_open(conn, daemon_process_http(billingd)));
    assert_int_equal(http_send(conn, text, strlen(text)), SOCK_OK);
}

static void expect_status(struct http_conn *conn, int status, bool will_close)
{
    struct http_reply reply;
    assert_int_equal(http_receive(conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.will_close, will_close);
    http_reply_done(&reply);
}

static void expect_end(struct http_conn *conn)
{
    size_t dropped = 0;
    enum sock_result result =
        sock_wait_close(conn->fd, testkit_now_ms() + SOCK_PATIENCE_MS, &dropped);
    assert_true(result == SOCK_CLOSED || result == SOCK_RESET);
    assert_int_equal(dropped + conn->length, 0);
    http_close(conn);
}

/* No byte of the body is sent: who waited for it would never answer. */
static void body__of_one_who_may_not__is_not_waited_for(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    struct http_conn conn;
    (void)state;
    kit_start(args);
    const char *reader = kit_make_holder(BILLING__V1__ROLE__READER);
    const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"Host: localhost\r\n", 401},
        {"Host: localhost\r\nAuthorization: Bearer x\r\n", 401},
        {testkit_format("Host: localhost\r\nAuthorization: Bearer %s\r\n", reader), 403},
        {"Host: evil.example\r\n", 403},
        {"Host: localhost\r\nOrigin: http://evil.example\r\n", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_and_send(&conn, testkit_format("%sContent-Length: 1000000\r\n", cases[i].headers), "");
        expect_status(&conn, cases[i].status, true);
        expect_end(&conn);
        open_and_send(&conn, testkit_format("%sContent-Length: 10\r\n", cases[i].headers), "");
        expect_status(&conn, cases[i].status, false); /* it is passed by */
        http_close(&conn);
    }
}

static void body__past_a_limit_of_requests__is_not_waited_for(void **state)
{
    static const char *const args[] = {"--requests-per-second-max", "1", NULL};
    struct http_conn conn;
    struct http_reply reply;
    int status = 0;
    (void)state;
    kit_start(args);
    do { /* a second's worth may go through */
        open_and_send(&conn, "Host: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n",
                      "{}");
        assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
        status = reply.status;
        http_reply_done(&reply);
        http_close(&conn);
    } while (status != 429);
    do {
        open_and_send(&conn, "Host: localhost\r\nContent-Length: 1000000\r\n", "");
        if (http_receive(&conn, 200, &reply) == SOCK_OK) {
            status = reply.status;
            http_reply_done(&reply);
        } else { /* a second went by: it may send its body, which is not worth one here */
            status = 0;
            http_once(daemon_process_http(billingd), "GET", "/api/v1/customers", NULL, NULL,
                      &reply);
            http_reply_done(&reply);
        }
        http_close(&conn);
    } while (status != 429);
}

static void body__small_and_refused__is_passed_by_and_the_next_request_answered(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    static const char *const bodies[] = {
        "Content-Length: 19\r\n\r\n{\"customer_name\": 1",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3\r\nxyz\r\n0\r\n\r\n",
    };
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct http_conn conn;
        const char *text =
            testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n%s", bodies[i]);
        assert_true(http_open(&conn, daemon_process_http(billingd)));
        for (size_t at = 0; text[at] != '\0'; at++) {
            assert_int_equal(http_send(&conn, text + at, 1), SOCK_OK);
        }
        text = testkit_format("GET /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n"
                              "Authorization: Bearer %s\r\n\r\n",
                              token);
        assert_int_equal(http_send(&conn, text, strlen(text)), SOCK_OK);
        expect_status(&conn, 401, false);
        expect_status(&conn, 200, false);
        http_close(&conn);
    }
}

static void body__refused_and_without_end_or_broken__ends_the_connection(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    struct http_conn conn;
    char *chunk = testkit_alloc(80001);
    (void)state;
    kit_start(args);
    memset(chunk, 'x', 80000);
    chunk[80000] = '\0';
    open_and_send(&conn, "Host: localhost\r\nTransfer-Encoding: chunked\r\n", "");
    expect_status(&conn, 401, false);
    const char *text = testkit_format("%x\r\n%s\r\n", 80000u, chunk);
    IGNORE(http_send(&conn, text, strlen(text))); /* it may end in the middle */
    expect_end(&conn);
    open_and_send(&conn, "Host: localhost\r\nTransfer-Encoding: chunked\r\n", "zz\r\n");
    expect_status(&conn, 401, false);
    expect_end(&conn); /* with no second answer */
}

/* The first line that comes, as it is. */
static const char *first_line(struct http_conn *conn)
{
    char text[16] = {0};
    size_t at = 0;
    while (at < 12) {
        size_t got = 0;
        assert_int_equal(
            sock_receive(conn->fd, text + at, 12 - at, testkit_now_ms() + SOCK_PATIENCE_MS, &got),
            SOCK_OK);
        at += got;
    }
    return testkit_format("%s", text);
}

static const char expects[] = "Content-Length: 22\r\nExpect: 100-continue\r\n";

static void expect_continue__is_told_to_go_on_only_who_may(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    struct http_conn conn;
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__WRITER);
    open_and_send(&conn, testkit_format("Host: localhost\r\n%s", expects), "");
    assert_string_equal(first_line(&conn), "HTTP/1.1 401");
    http_close(&conn);
    open_and_send(
        &conn, testkit_format("Host: localhost\r\nAuthorization: Bearer %s\r\n%s", token, expects),
        "");
    assert_string_equal(first_line(&conn), "HTTP/1.1 100");
    http_close(&conn);
}

/* A key counts for no request that comes after it was revoked, and this one has come half way. */
static void body__its_key_revoked_meanwhile__nothing_is_recorded(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    struct http_conn conn;
    struct raw_client here;
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__WRITER);
    open_and_send(
        &conn, testkit_format("Host: localhost\r\nAuthorization: Bearer %s\r\n%s", token, expects),
        "");
    assert_string_equal(first_line(&conn), "HTTP/1.1 100");
    char rest[13] = {0}; /* " Continue", CRLF, CRLF */
    size_t got = 0;
    assert_int_equal(sock_receive(conn.fd, rest, 13, testkit_now_ms() + SOCK_PATIENCE_MS, &got),
                     SOCK_OK);
    assert_u64(got, 13);
    kit_revoke_holder();
    here = kit_open(daemon_process_unix(billingd));
    assert_int_equal(http_send(&conn, "{\"customer_name\": \"A\"}", 22), SOCK_OK);
    expect_status(&conn, 401, false);
    http_close(&conn);
    Billing__V1__Request ask = BILLING__V1__REQUEST__INIT;
    kit_set_call(&ask, CALL(LIST_CUSTOMERS));
    Billing__V1__Response *response = raw_client_call(&here, &ask);
    assert_int_equal(response->list_customers->n_customers, 0);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&here);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(body__of_one_who_may_not__is_not_waited_for, kit_stop),
    cmocka_unit_test_teardown(body__past_a_limit_of_requests__is_not_waited_for, kit_stop),
    cmocka_unit_test_teardown(body__small_and_refused__is_passed_by_and_the_next_request_answered,
                              kit_stop),
    cmocka_unit_test_teardown(body__refused_and_without_end_or_broken__ends_the_connection,
                              kit_stop),
    cmocka_unit_test_teardown(expect_continue__is_told_to_go_on_only_who_may, kit_stop),
    cmocka_unit_test_teardown(body__its_key_revoked_meanwhile__nothing_is_recorded, kit_stop),
};

TESTKIT_MAIN(tests)
