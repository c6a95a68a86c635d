/* Long bodies, which a worker reads: what is done meanwhile, and what becomes of them where the
 * workers, the client or the daemon fail them. */
#include <unistd.h>

#include "billingd/rpc/keyring.h"
#include "tests/lib/bell.h"
#include "tests/lib/http_rig.h"
#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

enum {
    LONG_BYTES = 20000, /* more than the loop reads by itself */
    READERS = 2,        /* as the desk has them */
};

#define CREATE BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER

/* A request for a customer with such HEADERS, whose body is OBJECT behind so many blanks that it is
 * long. */
static const char *long_request(const char *headers, const char *object)
{
    return testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n%s"
                          "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%*s",
                          headers, LONG_BYTES, LONG_BYTES, object);
}

static const char object_text[] = "{\"customer_name\": \"Acme\"}";

static const char *good(void)
{
    return long_request("", object_text);
}

/* --- readers that are at something else ------------------------------------------------------- */

/* A query that takes until the test lets it end. */
struct blocker {
    struct op op;
    struct bell begun;
    struct bell may_end;
    bool over;
};

static struct blocker *blocker_of(struct op *op)
{
    return (struct blocker *)(void *)op; /* its first member */
}

static int block_query(struct op *op, struct store_view *view, const struct ledger_env *env)
{
    struct blocker *blocker = blocker_of(op);
    (void)view;
    (void)env;
    bell_ring(&blocker->begun);
    bell_wait(&blocker->may_end);
    return 0;
}

static void over_cb(struct op *op)
{
    blocker_of(op)->over = true;
}

static void submit_blocker(struct http_rig *rig, struct blocker *blocker)
{
    *blocker = (struct blocker){.op = {.query = block_query, .done = over_cb}};
    bell_init(&blocker->begun);
    bell_init(&blocker->may_end);
    assert_ok(readers_submit(rig->door->desk->readers, &blocker->op));
}

/* All readers are at BLOCKERS. */
static void block(struct http_rig *rig, struct blocker *blockers)
{
    for (int i = 0; i < READERS; i++) {
        submit_blocker(rig, &blockers[i]);
        bell_wait(&blockers[i].begun);
    }
}

static void let_go(struct http_rig *rig, struct blocker *blockers, int n)
{
    for (int i = 0; i < n; i++) {
        bell_ring(&blockers[i].may_end);
    }
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    for (int i = 0; i < n; i++) {
        while (!blockers[i].over) {
            rig_turn(rig);
            assert_true(testkit_now_ms() < deadline_ms);
        }
        bell_done(&blockers[i].begun);
        bell_done(&blockers[i].may_end);
    }
}

/* Send REQUEST, and turn until the readers have it. */
static void send_to_readers(struct http_rig *rig, int fd, const char *request)
{
    rig_send(fd, request);
    door_wait_in_flight(rig->door, 1);
    assert_u64(readers_stats(rig->door->desk->readers).light, 1);
}

/* How many requests for a customer were answered with OUTCOME. */
static uint64_t answered(const struct http_rig *rig, int outcome)
{
    const uint64_t *answers = rig->door->desk->dispatch.counts.answered[CREATE];
    return outcome == OUTCOME_RECORDED ? answers[REQUEST_STATS_STATUSES] : answers[-outcome];
}

static void wait_answered(struct http_rig *rig, int outcome)
{
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    while (answered(rig, outcome) == 0) {
        rig_turn(rig);
        assert_true(testkit_now_ms() < deadline_ms);
    }
}

/* --- tests ------------------------------------------------------------------------------------ */

/* A client, and what keeps the readers from what it sends. */
struct scene {
    struct http_rig rig;
    int fd;
    struct blocker blockers[READERS + 1];
};

static void open_scene(struct scene *scene, size_t queue_ops_max)
{
    rig_open(&scene->rig, queue_ops_max);
    scene->fd = rig_connect(&scene->rig);
}

static void close_scene(struct scene *scene)
{
    close(scene->fd);
    rig_close(&scene->rig);
}

/* The client sends REQUEST, which waits for the readers. */
static void lend(struct scene *scene, const char *request)
{
    block(&scene->rig, scene->blockers);
    send_to_readers(&scene->rig, scene->fd, request);
}

/* It is read now, and comes to OUTCOME. */
static void expect_outcome(struct scene *scene, int outcome)
{
    let_go(&scene->rig, scene->blockers, READERS);
    door_wait_in_flight(scene->rig.door, 0);
    assert_u64(answered(&scene->rig, outcome), 1);
}

static void reading__long_body__others_are_answered_meanwhile(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    int other = rig_connect(&s.rig);
    lend(&s, good());
    assert_string_equal(
        rig_status(&s.rig, other, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        "HTTP/1.1 200");
    assert_u64(answered(&s.rig, OUTCOME_RECORDED), 0);
    expect_outcome(&s, OUTCOME_RECORDED);
    assert_string_equal(rig_status(&s.rig, s.fd, ""), "HTTP/1.1 201");
    close(other);
    close_scene(&s);
}

static void reading__long_body_that_is_wrong__is_refused_and_the_connection_goes_on(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    rig_send(s.fd, long_request("", "{\"customer_name\": "));
    wait_answered(&s.rig, STATUS_MALFORMED_JSON);
    rig_send(s.fd, long_request("", "{\"customer_name\": 5}"));
    wait_answered(&s.rig, STATUS_WRONG_TYPE);
    rig_send(s.fd, good());
    wait_answered(&s.rig, OUTCOME_RECORDED);
    close_scene(&s);
}

/* What the worker reads is not freed beneath it. */
static void reading__client_gone_meanwhile__is_carried_out(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    lend(&s, good());
    connection_cut(s.rig.http.connections.first);
    rig_turn(&s.rig); /* closes it */
    assert_u64(s.rig.http.connections.n, 0);
    expect_outcome(&s, OUTCOME_RECORDED);
    close_scene(&s);
}

static void reading__readers_have_too_much_to_do__is_busy(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 1);
    block(&s.rig, s.blockers);
    submit_blocker(&s.rig, &s.blockers[READERS]); /* which fills the queue */
    assert_string_equal(rig_status(&s.rig, s.fd, good()), "HTTP/1.1 503");
    assert_u64(answered(&s.rig, STATUS_BUSY), 1);
    let_go(&s.rig, s.blockers, READERS + 1);
    close_scene(&s);
}

/* What came before the end is answered; what comes behind it is not begun. */
static void reading__end_of_the_daemon__is_carried_out_if_it_came_before(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    int behind = rig_connect(&s.rig);
    lend(&s, good());
    dispatch_drain(&s.rig.door->desk->dispatch);
    assert_string_equal(rig_status(&s.rig, behind, good()), "HTTP/1.1 503");
    assert_u64(answered(&s.rig, STATUS_SHUTTING_DOWN), 1);
    expect_outcome(&s, OUTCOME_RECORDED);
    close(behind);
    close_scene(&s);
}

static void reading__over__the_connection_is_idle(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    rig_send(s.fd, good());
    wait_answered(&s.rig, OUTCOME_RECORDED);
    assert_int_equal(http_of(s.rig.http.connections.first)->stage, HTTP_STAGE_IDLE);
    close_scene(&s);
}

/* Its body does not count against its being let in, once that has been read. */
static void reading__memory_that_the_body_took__is_no_reason_to_refuse_it(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    lend(&s, good());
    /* Half of it is one asker's. */
    atomic_store(&s.rig.door->desk->dispatch.memory.bytes_max, 2 * LONG_BYTES);
    expect_outcome(&s, OUTCOME_RECORDED);
    close_scene(&s);
}

/* Nor does the message that it was read into, which is larger. */
static void reading__memory_that_the_message_takes__is_no_reason_to_refuse_it(void **state)
{
    static const char item[] = "{\"customer_id\": \"external:nobody\", \"request_id\": \"r\"}\n";
    enum { BYTES = (LONG_BYTES / (sizeof item - 1) + 1) * (sizeof item - 1) };
    static char body[BYTES + 1];
    struct scene s;
    (void)state;
    for (size_t at = 0; at < BYTES; at += sizeof item - 1) {
        memcpy(body + at, item, sizeof item - 1);
    }
    open_scene(&s, 0);
    lend(&s, testkit_format("POST /api/v1/usage/batch HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s",
                            BYTES, body));
    atomic_store(&s.rig.door->desk->dispatch.memory.bytes_max, 2 * LONG_BYTES);
    let_go(&s.rig, s.blockers, READERS);
    assert_string_equal(rig_status(&s.rig, s.fd, ""), "HTTP/1.1 200");
    close_scene(&s);
}

static void reading__key_revoked_meanwhile__is_refused(void **state)
{
    struct scene s;
    (void)state;
    open_scene(&s, 0);
    const char *key = testkit_format("Authorization: Bearer %s\r\n", rig_add_key(&s.rig));
    lend(&s, long_request(key, object_text));
    keyring_remove(s.rig.door->desk->keyring, s.rig.http.connections.first->caller.key);
    expect_outcome(&s, STATUS_UNAUTHENTICATED);
    close_scene(&s);
}

/* An asker who asks little is not refused for what he asked while this one waited. */
static void reading__waits_long__counts_for_the_rate_when_it_is_read(void **state)
{
    struct request request = {.received_us = 1};
    static const struct request_reading reading;
    (void)state;
    assert_int_equal(request_submitted_us(&request), 1);
    request.reading = &reading;
    assert_true(request_submitted_us(&request) > 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reading__long_body__others_are_answered_meanwhile),
    cmocka_unit_test(reading__long_body_that_is_wrong__is_refused_and_the_connection_goes_on),
    cmocka_unit_test(reading__client_gone_meanwhile__is_carried_out),
    cmocka_unit_test(reading__readers_have_too_much_to_do__is_busy),
    cmocka_unit_test(reading__end_of_the_daemon__is_carried_out_if_it_came_before),
    cmocka_unit_test(reading__over__the_connection_is_idle),
    cmocka_unit_test(reading__memory_that_the_body_took__is_no_reason_to_refuse_it),
    cmocka_unit_test(reading__memory_that_the_message_takes__is_no_reason_to_refuse_it),
    cmocka_unit_test(reading__key_revoked_meanwhile__is_refused),
    cmocka_unit_test(reading__waits_long__counts_for_the_rate_when_it_is_read),
};

TESTKIT_MAIN(tests)
