/* The HTTP door's turns: what one identity has of each turn of the loop, who comes next, what
 * there is while memory is full, and what the sweep makes of who is late. */
#include <sys/socket.h>

#include "billingd/rpc/keyring.h"
#include "tests/lib/http_rig.h"
#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

enum {
    TURN_REQUESTS = 16, /* as the door has it */
    PIPELINED = 100,
};

static const char request_text[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* A client that has sent N requests, which the daemon has not looked at yet. */
static int connect_and_send(struct http_rig *rig, int n)
{
    int fd = rig_connect(rig);
    for (int i = 0; i < n; i++) {
        rig_send(fd, request_text);
    }
    return fd;
}

static uint64_t answered(const struct http_rig *rig)
{
    return rig->door->desk->dispatch.stats.requests;
}

/* Turn until N requests are answered.  Returns the most that a turn has answered. */
static uint64_t turn_until(struct http_rig *rig, uint64_t n)
{
    uint64_t most = 0;
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    while (answered(rig) < n) {
        uint64_t before = answered(rig);
        rig_turn(rig);
        most = answered(rig) - before > most ? answered(rig) - before : most;
        assert_true(testkit_now_ms() < deadline_ms);
    }
    return most;
}

/* What the kernel has ready and what waits from the turn before are two helpings at most. */
static void turns__one_connection_pipelines__has_its_share_of_each(void **state)
{
    struct http_rig rig;
    (void)state;
    rig_open(&rig, 0);
    int fd = connect_and_send(&rig, PIPELINED);
    assert_in_range(turn_until(&rig, PIPELINED), 1, 2 * TURN_REQUESTS);
    assert_u64(answered(&rig), PIPELINED);
    close(fd);
    rig_close(&rig);
}

/* All are "anonymous" here. */
static void turns__many_connections_of_one_identity__share_it(void **state)
{
    enum { CLIENTS = 8, EACH = 20 };
    struct http_rig rig;
    int fds[CLIENTS];
    (void)state;
    rig_open(&rig, 0);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = rig_connect(&rig);
    }
    for (int i = 0; i < CLIENTS; i++) {
        for (int j = 0; j < EACH; j++) {
            rig_send(fds[i], request_text);
        }
    }
    assert_in_range(turn_until(&rig, (uint64_t)CLIENTS * EACH), 1, 2 * TURN_REQUESTS);
    for (int i = 0; i < CLIENTS; i++) {
        close(fds[i]);
    }
    rig_close(&rig);
}

/* One that waits is gone before its turn comes. */
static void turns__cut_while_it_waits__the_others_go_on(void **state)
{
    struct http_rig rig;
    (void)state;
    rig_open(&rig, 0);
    int gone = connect_and_send(&rig, PIPELINED);
    int stays = connect_and_send(&rig, PIPELINED);
    rig_turn(&rig);
    close(gone);
    turn_until(&rig, PIPELINED);
    while (rig.http.connections.n > 1) {
        rig_turn(&rig);
    }
    close(stays);
    rig_close(&rig);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void page__memory_is_full__is_refused_as_busy(void **state)
{
    struct http_rig rig;
    (void)state;
    rig_open(&rig, 0);
    int fd = rig_connect(&rig);
    atomic_store(&rig.door->desk->dispatch.memory.bytes_max, 1);
    assert_string_equal(
        rig_status(&rig, fd, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        "HTTP/1.1 503");
    close(fd);
    rig_close(&rig);
}

static const char head_text[] =
    "POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";

/* No byte of the body is sent, and yet it has come in and is counted as what it was told. */
static void head__memory_is_full__is_refused_and_counted(void **state)
{
    struct http_rig rig;
    (void)state;
    rig_open(&rig, 0);
    const struct dispatch *dispatch = &rig.door->desk->dispatch;
    int fd = rig_connect(&rig);
    atomic_store(&rig.door->desk->dispatch.memory.bytes_max, 1);
    assert_string_equal(rig_status(&rig, fd, head_text), "HTTP/1.1 503");
    assert_u64(dispatch->counts.answered[BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER][-STATUS_BUSY],
               1);
    assert_u64(dispatch->counts.problems[-STATUS_BUSY], 1);
    assert_u64(dispatch->stats.requests, 1);
    assert_u64(dispatch->stats.refusals, 1);
    close(fd);
    rig_close(&rig);
}

static void head__memory_is_full__counts_for_the_rate_of_who_asks(void **state)
{
    struct http_rig rig;
    (void)state;
    rig_open(&rig, 0);
    atomic_store(&rig.door->desk->dispatch.memory.bytes_max, 1);
    rig.door->desk->dispatch.options.requests_per_second_max = 1;
    bool limited = false;
    for (int i = 0; i < 1000 && !limited; i++) { /* a second may go by between two */
        int fd = rig_connect(&rig);
        limited = strcmp(rig_status(&rig, fd, head_text), "HTTP/1.1 429") == 0;
        close(fd);
        while (rig.http.connections.n > 0) {
            rig_turn(&rig);
        }
    }
    assert_true(limited);
    rig_close(&rig);
}

/* --- the sweep -------------------------------------------------------------------------------- */

/* The head of a request with a new key, and a byte of its body. */
static const char *begin_with_key(struct http_rig *rig)
{
    return testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\nContent-Length: 100\r\n"
                          "Authorization: Bearer %s\r\n\r\n{",
                          rig_add_key(rig));
}

/* Of the door, with nothing of the loop before it: what the kernel knows is not heard yet. */
static void sweep(struct http_rig *rig)
{
    uv_timer_t *timer = &rig->http.connections.sweep;
    timer->timer_cb(timer);
}

/* A client whose request counts for a key, has a body that is overdue, and whose key is revoked:
 * all of which the door has yet to find out. */
static int connect_late(struct http_rig *rig, struct newcomers *newcomers)
{
    static const bool needs_key = true;
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    *newcomers = (struct newcomers){.n_max = 4};
    rig->admission.needs_key = &needs_key;
    rig->admission.newcomers = newcomers;
    rig->http.options.body_timeout_ms = 1;
    int fd = rig_connect(rig);
    assert_u64(newcomers->n, 1);
    rig_send(fd, begin_with_key(rig));
    struct http_connection *c = http_of(rig->http.connections.first);
    while (c->stage != HTTP_STAGE_BODY) {
        rig_turn(rig);
        assert_true(testkit_now_ms() < deadline_ms);
    }
    assert_u64(newcomers->n, 0);
    keyring_remove(rig->door->desk->keyring, c->base.caller.key);
    c->stage_us = 1;
    return fd;
}

static void sweep__key_revoked_and_body_late__is_told_and_a_newcomer(void **state)
{
    struct http_rig rig;
    struct newcomers newcomers;
    char line[12];
    size_t got = 0;
    (void)state;
    rig_open(&rig, 0);
    int fd = connect_late(&rig, &newcomers);
    sweep(&rig);
    assert_u64(newcomers.n, 1);
    assert_int_equal(sock_receive(fd, line, 12, testkit_now_ms() + SOCK_PATIENCE_MS, &got),
                     SOCK_OK);
    assert_text(line, got, "HTTP/1.1 408");
    close(fd);
    rig_close(&rig);
}

/* Its refusal finds nobody, which cuts it: who is closing is no newcomer. */
static void sweep__key_revoked_and_body_late__is_none_where_it_has_reset(void **state)
{
    static const struct linger at_once = {.l_onoff = 1};
    struct http_rig rig;
    struct newcomers newcomers;
    (void)state;
    rig_open(&rig, 0);
    int fd = connect_late(&rig, &newcomers);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
    sweep(&rig);
    assert_u64(rig.http.connections.n, 0);
    assert_u64(newcomers.n, 0);
    rig_close(&rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(turns__one_connection_pipelines__has_its_share_of_each),
    cmocka_unit_test(turns__many_connections_of_one_identity__share_it),
    cmocka_unit_test(turns__cut_while_it_waits__the_others_go_on),
    cmocka_unit_test(page__memory_is_full__is_refused_as_busy),
    cmocka_unit_test(head__memory_is_full__is_refused_and_counted),
    cmocka_unit_test(head__memory_is_full__counts_for_the_rate_of_who_asks),
    cmocka_unit_test(sweep__key_revoked_and_body_late__is_told_and_a_newcomer),
    cmocka_unit_test(sweep__key_revoked_and_body_late__is_none_where_it_has_reset),
};

TESTKIT_MAIN(tests)
