/* The corpus of hostile HTTP requests against a real daemon: none is let through, each gets the
 * answer that it should, and the connection carries nothing behind it. */
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"
#include "tests/unit/http_corpus.h"

enum {
    BYTEWISE_BYTES_MAX = 512, /* larger cases are sent in one piece only */
};

static struct daemon_process *billingd;
static const char *address;

static int start(void **state)
{
    (void)state;
    static const char *const args[] = {
        "--body-bytes-max", "1MiB", "--http-hosts", "h", "--http-hosts", "[::1]", NULL};
    billingd = daemon_process_start(&(struct daemon_options){.args = args});
    address = daemon_process_http(billingd);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
    return 0;
}

/* --- one case --------------------------------------------------------------------------------- */

/* A daemon that has refused what it saw may stop reading; then the rest cannot be sent. */
static void send_case(struct http_conn *conn, const struct http_case *row, bool bytewise)
{
    size_t piece = bytewise ? 1 : row->length;
    for (size_t at = 0; at < row->length; at += piece) {
        if (http_send(conn, row->bytes + at, piece) != SOCK_OK) {
            return;
        }
    }
}

static int receive_status(struct http_conn *conn, const struct http_case *row, bool *ret_will_close)
{
    struct http_reply reply;
    enum sock_result result = http_receive(conn, SOCK_PATIENCE_MS, &reply);
    if (result != SOCK_OK) {
        testkit_fail("%s: no answer but %s", row->name, sock_result_name(result));
    }
    int status = reply.status;
    *ret_will_close = reply.will_close;
    if (status >= 400) {
        assert_string_equal(http_reply_header(&reply, "Content-Type"), "application/problem+json");
        assert_contains(reply.body, "\"recorded\": \"no\"");
    }
    assert_non_null(http_reply_header(&reply, "X-Request-Id"));
    http_reply_done(&reply);
    return status;
}

/* Nothing but the end may follow: a second answer would mean that a second request was seen. */
static void expect_end(struct http_conn *conn, const struct http_case *row)
{
    size_t dropped = 0;
    enum sock_result result =
        sock_wait_close(conn->fd, testkit_now_ms() + SOCK_PATIENCE_MS, &dropped);
    if ((result != SOCK_CLOSED && result != SOCK_RESET) || dropped + conn->length > 0) {
        testkit_fail("%s: %s, and %zu bytes behind the last answer", row->name,
                     sock_result_name(result), dropped + conn->length);
    }
}

/* The connection is in step: what is sent next is answered next. */
static void expect_in_step(struct http_conn *conn, const struct http_case *row)
{
    bool will_close;
    static const char next[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    if (http_send(conn, next, sizeof next - 1) != SOCK_OK ||
        receive_status(conn, row, &will_close) != 200) {
        testkit_fail("%s: the next request is not answered", row->name);
    }
}

static void run_case(const struct http_case *row, bool bytewise)
{
    struct http_conn conn;
    bool will_close = false;
    assert_true(http_open(&conn, address));
    send_case(&conn, row, bytewise);
    for (unsigned i = 0; i < row->taken; i++) {
        int status = receive_status(&conn, row, &will_close);
        if (status != 404 && status != 204) { /* no path of the corpus leads anywhere */
            testkit_fail("%s: answer %u is %d", row->name, i, status);
        }
    }
    if (row->want == 0) {
        if (will_close) {
            expect_end(&conn, row);
        } else {
            expect_in_step(&conn, row);
        }
    } else {
        int wanted = row->want;
        if (wanted == STATUS_NEED_MORE) { /* but there is no more */
            sock_finish(conn.fd);
            wanted = STATUS_MALFORMED_HTTP;
        }
        int status = receive_status(&conn, row, &will_close);
        if (status != status_info(wanted)->http || !will_close) {
            testkit_fail("%s: answered %d, wanted %d", row->name, status,
                         status_info(wanted)->http);
        }
        expect_end(&conn, row);
    }
    http_close(&conn);
}

static void corpus__in_one_piece__none_let_through(void **state)
{
    (void)state;
    size_t n;
    struct http_case *cases = http_corpus_load(&n);
    for (size_t i = 0; i < n; i++) {
        run_case(&cases[i], false);
    }
    http_corpus_free(cases, n);
}

static void corpus__byte_by_byte__none_let_through(void **state)
{
    (void)state;
    size_t n;
    struct http_case *cases = http_corpus_load(&n);
    for (size_t i = 0; i < n; i++) {
        if (cases[i].length <= BYTEWISE_BYTES_MAX) {
            run_case(&cases[i], true);
        }
    }
    http_corpus_free(cases, n);
}

/* --- all at once, and gone -------------------------------------------------------------------- */

enum {
    CROWD = 64,
};

/* CROWD clients send a part of something and are gone. */
static void send_and_vanish(struct rng *rng, const struct http_case *cases, size_t n)
{
    struct http_conn crowd[CROWD];
    for (size_t i = 0; i < CROWD; i++) {
        const struct http_case *row = &cases[rng_below(rng, n)];
        size_t length = (size_t)rng_below(rng, row->length < 4096 ? row->length + 1 : 4096);
        assert_true(http_open(&crowd[i], address));
        IGNORE(http_send(&crowd[i], row->bytes, length)); /* it may be refused by now */
    }
    for (size_t i = 0; i < CROWD; i++) {
        http_close(&crowd[i]);
    }
}

static void corpus__from_clients_that_vanish__harms_nobody(void **state)
{
    (void)state;
    size_t n;
    struct rng rng = rng_make("vanishing clients");
    struct http_case *cases = http_corpus_load(&n);
    for (unsigned round = 0; round < 20; round++) {
        send_and_vanish(&rng, cases, n);
    }
    http_corpus_free(cases, n);
    struct http_reply reply;
    http_once(address, "GET", "/readyz", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(corpus__in_one_piece__none_let_through, start, stop),
    cmocka_unit_test_setup_teardown(corpus__byte_by_byte__none_let_through, start, stop),
    cmocka_unit_test_setup_teardown(corpus__from_clients_that_vanish__harms_nobody, start, stop),
};

TESTKIT_MAIN(tests)
