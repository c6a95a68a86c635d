/* The RPC door under pressure: clients that do not read, send too much, or stop in the middle; and
 * honest ones that must not be taken for them.  The door's time passes when a test lets it, so that
 * no machine is too slow for a deadline. */
#include <stdatomic.h>

#include "billingd/base/clock.h"
#include "billingd/net/rpc_door.h"
#include "tests/lib/calls.h"
#include "tests/lib/door.h"
#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

enum {
    SWEPT_MS = 300, /* of real time: the door looks at its deadlines more often than that */
    STEP_MS = 50,
    PATIENCE_MS = 120000,
};

/* --- the door's time -------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int64_t __real_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void);
/* NOLINTEND(bugprone-reserved-identifier) */

static atomic_llong passed_us;

/* A thousandth of the real time, so that nothing stands still, and what a test lets pass. */
int64_t __wrap_clock_monotonic_us(void)
{
    return __real_clock_monotonic_us() / 1000 + atomic_load(&passed_us);
}

static void pass(int64_t ms)
{
    atomic_fetch_add(&passed_us, ms * 1000);
}

static void turn_for(struct door *door, int64_t ms)
{
    int64_t until_ms = testkit_now_ms() + ms;
    do {
        door_turn(door);
    } while (testkit_now_ms() < until_ms);
}

/* Let MS pass, and the door look at its deadlines. */
static void pass_and_sweep(struct door *door, int64_t ms)
{
    pass(ms);
    turn_for(door, SWEPT_MS);
}

/* Let time pass until N connections are left. */
static void pass_until_connections(struct door *door, unsigned n)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (door->rpc.connections.n != n) {
        assert_true(testkit_now_ms() < deadline_ms);
        pass(STEP_MS);
        door_turn(door);
    }
}

/* --- helpers ---------------------------------------------------------------------------------- */

static Billing__V1__Request *health_request(void)
{
    Billing__V1__CheckHealth *m = testkit_alloc(sizeof *m);
    billing__v1__check_health__init(m);
    return desk_request(CALL(CHECK_HEALTH), m);
}

static Billing__V1__Request *create_request(const char *request_id)
{
    return desk_request(CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, request_id));
}

static Billing__V1__Request *list_request(void)
{
    Billing__V1__ListCustomers *m = testkit_alloc(sizeof *m);
    billing__v1__list_customers__init(m);
    m->has_limit = true;
    m->limit = 1000;
    return desk_request(CALL(LIST_CUSTOMERS), m);
}

/* COPIES of REQUEST's frame behind each other. */
static uint8_t *frames_of(Billing__V1__Request *request, size_t copies, size_t *ret_bytes)
{
    size_t bytes;
    uint8_t *frame = client_frame(request, 1, &bytes);
    uint8_t *all = testkit_alloc(copies * bytes);
    for (size_t i = 0; i < copies; i++) {
        memcpy(all + i * bytes, frame, bytes);
    }
    *ret_bytes = copies * bytes;
    return all;
}

/* Make N customers whose names are as long as can be: lists of them are N KiB. */
static void fill(struct door *door, struct door_client *client, uint64_t n)
{
    char name[1025];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (uint64_t i = 0; i < n; i++) {
        client_request(
            client, desk_request(CALL(CREATE_CUSTOMER), desk_customer_input(name, NULL, NULL)), i);
        client_expect(client, i);
    }
    assert_u64(memory_store_counts(door->desk->memory).records, n);
}

/* --- a client that never reads ---------------------------------------------------------------- */

static void rpc_connection__answers_not_taken__no_more_is_asked_for_and_it_is_cut(void **state)
{
    struct rpc_options options = door_options();
    options.common.write_timeout_ms = 700;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *honest = client_open(door);
    struct door_client *client = client_open(door);
    size_t bytes;
    (void)state;
    fill(door, honest, 900);
    uint64_t before = memory_store_counts(door->desk->memory).calls[MEMORY_SNAPSHOT];
    uint8_t *frames = frames_of(list_request(), 500, &bytes);
    client_send(client, frames, bytes);
    pass_until_connections(door, 1); /* with nearly 1 MiB an answer, it took few to be cut */
    assert_true(memory_store_counts(door->desk->memory).calls[MEMORY_SNAPSHOT] - before < 40);
    client_request(honest, health_request(), 5);
    client_expect(honest, 5);
    door_close(door);
}

/* What it sends on stays in its own socket: we take no more than we can answer. */
static void rpc_connection__answers_not_taken__it_is_not_read_from(void **state)
{
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    uint8_t *more = testkit_alloc(65536);
    size_t bytes;
    size_t sent = 0;
    (void)state;
    fill(door, client, 900);
    uint8_t *frames = frames_of(list_request(), 500, &bytes);
    client_send(client, frames, bytes);
    for (int idle = 0; idle < 100;) { /* until nothing has gone for a while */
        long n = client_try_send(client, more, 65536);
        assert_true(n >= 0);
        sent += (size_t)n;
        idle = n > 0 ? 0 : idle + 1;
        door_turn(door);
    }
    assert_true(sent < 4000000); /* what sockets hold; else it would go on for ever */
    door_close(door);
}

/* After BYTES at FRAMES, go on sending MORE without ever reading: it must be cut. */
static void expect_cut(const void *frames, size_t bytes, const void *more, size_t more_bytes)
{
    struct rpc_options options = door_options();
    options.common.write_timeout_ms = 700;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    fill(door, client, 900);
    client_send(client, frames, bytes);
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (door->rpc.connections.n > 0) {
        IGNORE(client_try_send(client, more, more_bytes) < 0); /* until it is cut */
        pass(STEP_MS);
        door_turn(door);
        if (testkit_now_ms() > deadline_ms) {
            testkit_fail("it was not cut");
        }
    }
    door_close(door);
}

/* Bytes that come in do not excuse that none goes out. */
static void
rpc_connection__answers_not_taken_while_it_sends_on__it_is_cut_all_the_same(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    size_t bytes;
    size_t more_bytes;
    (void)state;
    uint8_t *frames = frames_of(list_request(), 1, &bytes); /* more than a socket holds */
    uint8_t *more = client_frame(health_request(), 1, &more_bytes);
    expect_cut(frames, bytes, more, more_bytes);

    uint8_t *refused = testkit_alloc(bytes + sizeof garbage);
    memcpy(refused, frames, bytes);
    memcpy(refused + bytes, garbage, sizeof garbage);
    expect_cut(refused, bytes + sizeof garbage, "x", 1); /* which is read only to be dropped */
}

static void rpc_connection__answers_taken_slowly__are_all_delivered(void **state)
{
    enum { LISTS = 4, STEP_BYTES = 256 * 1024 };
    struct rpc_options options = door_options();
    options.common.write_timeout_ms = 1200;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    size_t bytes;
    size_t got = 0;
    int answers = 0;
    int steps = 0;
    const uint8_t *payload;
    (void)state;
    fill(door, client, 900);
    uint8_t *frames = frames_of(list_request(), LISTS, &bytes);
    client_send(client, frames, bytes);
    while (answers < LISTS) { /* what a socket holds a step: it takes many times the timeout */
        enum sock_result result = SOCK_OK;
        for (size_t taken = 0; result == SOCK_OK && taken < STEP_BYTES; taken += got) {
            uint8_t *space;
            assert_ok(frame_reader_space(&client->reader, STEP_BYTES, &space, &bytes));
            got = 0;
            result = sock_receive(client->fd, space, STEP_BYTES - taken, 0, &got);
            assert_true(result == SOCK_OK || result == SOCK_TIMEOUT);
            frame_reader_fed(&client->reader, got);
        }
        while (frame_reader_next(&client->reader, &payload, &bytes) == 0) {
            answers++;
        }
        pass_and_sweep(door, 900);
        steps++;
    }
    assert_true(steps > 4);
    pass_and_sweep(door, 1700); /* and nobody is cut for what it took late */
    client_request(client, health_request(), 1);
    client_expect(client, 1);
    door_close(door);
}

/* --- too much at once ------------------------------------------------------------------------- */

static void rpc_connection__more_than_pipeline_max__waits_its_turn(void **state)
{
    struct rpc_options options = door_options();
    options.pipeline_max = 5;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    for (uint64_t i = 0; i < 40; i++) {
        client_request(client, create_request(testkit_format("r%d", (int)i)), i);
    }
    door_wait_in_flight(door, 5);
    turn_for(door, 50);
    assert_u64(door->in_flight_max, 5);
    memory_store_open_gate(door->desk->memory);
    for (uint64_t i = 0; i < 40; i++) {
        client_expect(client, i);
    }
    assert_u64(door->in_flight_max, 5);
    assert_u64(memory_store_counts(door->desk->memory).records, 40);
    door_close(door);
}

/* Answers to queries may be megabytes each: not a thousand of them at once for one client. */
static void rpc_connection__queries_pipelined__few_are_worked_on_at_once(void **state)
{
    enum { QUERIES = 500 };
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    size_t bytes;
    (void)state;
    fill(door, client, 10);
    uint8_t *frames = frames_of(list_request(), QUERIES, &bytes);
    door->in_flight_max = 0;
    client_send(client, frames, bytes);
    for (int i = 0; i < QUERIES; i++) {
        client_expect(client, 1);
    }
    assert_true(door->in_flight_max >= 2 && door->in_flight_max <= 32);
    door_close(door);
}

/* So may be the answer to a write that is a whole invoice, and a retry of it costs nothing. */
static void rpc_connection__invoices_pipelined__few_are_worked_on_at_once(void **state)
{
    enum { RETRIES = 500 };
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    size_t bytes;
    (void)state;
    client_request(client, create_request("r"), 1);
    Billing__V1__Customer *customer = client_expect(client, 1)->create_customer->customer;
    uint8_t *frames = frames_of(
        desk_request(CALL(FINALIZE_INVOICE), finalize_input(desk_text(customer->id), 2000, "i")),
        RETRIES, &bytes);
    door->in_flight_max = 0;
    client_send(client, frames, bytes);
    for (int i = 0; i < RETRIES; i++) {
        Billing__V1__Response *response = client_expect(client, 1);
        assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
        assert_u64(response->finalize_invoice->invoice->number, 1);
    }
    assert_in_range(door->in_flight_max, 2, 16);
    door_close(door);
}

/* --- a frame that is not finished ------------------------------------------------------------- */

static void rpc_connection__a_frame_left_half_sent__is_cut_after_its_time(void **state)
{
    struct rpc_options options = door_options();
    options.frame_timeout_ms = 300;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    struct door_client *other = client_open(door);
    size_t bytes;
    (void)state;
    uint8_t *frame = client_frame(create_request("r"), 1, &bytes);
    for (size_t i = 0; i + 1 < bytes; i++) { /* a byte now and then does not help */
        if (client_try_send(client, frame + i, 1) < 0) {
            break;
        }
        pass(20);
        turn_for(door, 20);
    }
    pass_until_connections(door, 1);
    client_wait_cut(client);
    assert_u64(memory_store_counts(door->desk->memory).records, 0);
    client_request(other, health_request(), 1);
    client_expect(other, 1);
    door_close(door);
}

/* Frames wait whole in our own buffer while the queue is full: their sender owes nothing. */
static void
rpc_connection__frames_that_wait_for_the_queue__are_not_taken_for_half_ones(void **state)
{
    enum { REQUESTS = 12 };
    struct rpc_options options = door_options();
    options.frame_timeout_ms = 800;
    struct door *door = door_open(&options, NULL, 4); /* pressed with three waiting */
    struct door_client *client = client_open(door);
    uint8_t *bytes = testkit_alloc(REQUESTS * 100);
    size_t length = 0;
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    client_request(client, create_request("first"), 100);
    door_wait_in_flight(door, 1);
    memory_store_wait_held(door->desk->memory);
    for (uint64_t i = 0; i < REQUESTS; i++) {
        size_t frame_bytes;
        uint8_t *frame =
            client_frame(create_request(testkit_format("r%d", (int)i)), i, &frame_bytes);
        memcpy(bytes + length, frame, frame_bytes);
        length += frame_bytes;
    }
    client_send(client, bytes, length - 1); /* the last one is half a frame, too */
    door_wait_in_flight(door, 4);
    pass_and_sweep(door, 1500);
    assert_u64(door->rpc.connections.n, 1);
    assert_u64(door->in_flight_max, 4);
    memory_store_open_gate(door->desk->memory);
    client_expect(client, 100);
    for (uint64_t i = 0; i < REQUESTS; i++) {
        if (i == REQUESTS - 1) {
            client_send(client, bytes + length - 1, 1);
        }
        client_expect(client, i);
    }
    door_close(door);
}

/* --- nothing to do ---------------------------------------------------------------------------- */

/* The one that fills the queue waits; the others get their turn, and beyond the bound a word. */
static void rpc_connection__a_queue_that_one_client_fills__holds_nobody_else_back(void **state)
{
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 4); /* pressed with three waiting */
    struct door_client *importer = client_open(door);
    struct door_client *prober = client_open(door);
    struct door_client *late = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    client_request(importer, create_request("begun"), 0);
    door_wait_in_flight(door, 1);
    memory_store_wait_held(door->desk->memory);
    for (uint64_t i = 1; i < 8; i++) {
        client_request(importer, create_request(testkit_format("r%d", (int)i)), i);
    }
    door_wait_in_flight(door, 4); /* the one that is begun, and three that wait */
    client_request(prober, health_request(), 1);
    client_expect(prober, 1);
    client_request(prober, create_request("prober's"), 2);
    door_wait_in_flight(door, 5);
    client_request(late, create_request("late"), 3);
    desk_problem(client_expect(late, 3), STATUS_BUSY);
    memory_store_open_gate(door->desk->memory);
    client_expect(prober, 2);
    for (uint64_t i = 0; i < 8; i++) {
        client_expect(importer, i);
    }
    door_close(door);
}

static void rpc_connection__idle_for_its_time__is_closed_but_not_while_it_is_owed(void **state)
{
    struct rpc_options options = door_options();
    options.idle_timeout_ms = 800;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *idle = client_open(door);
    struct door_client *owed = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    client_request(owed, create_request("r"), 1);
    door_wait_in_flight(door, 1);
    pass_until_connections(door, 1);
    client_wait_cut(idle);
    pass_and_sweep(door, 1500);
    assert_u64(door->rpc.connections.n, 1);
    memory_store_open_gate(door->desk->memory);
    client_expect(owed, 1);
    pass_until_connections(door, 0);
    client_wait_cut(owed); /* now it is idle, too */
    door_close(door);
}

static void rpc_connection__no_idle_timeout__stays(void **state)
{
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    (void)state;
    pass_and_sweep(door, 1000 * INT64_C(3600000));
    client_request(client, health_request(), 1);
    client_expect(client, 1);
    door_close(door);
}

/* A client that was refused and will not close is cut all the same. */
static void rpc_connection__refused_and_not_closing__is_cut_after_a_while(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    (void)state;
    client_send(client, garbage, sizeof garbage);
    desk_problem(client_answer(client), STATUS_MALFORMED_FRAME);
    client_expect_closed(client);
    assert_u64(door->rpc.connections.n, 1); /* for a while */
    pass_until_connections(door, 0);
    door_close(door);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rpc_connection__answers_not_taken__no_more_is_asked_for_and_it_is_cut),
    cmocka_unit_test(rpc_connection__answers_not_taken__it_is_not_read_from),
    cmocka_unit_test(rpc_connection__answers_not_taken_while_it_sends_on__it_is_cut_all_the_same),
    cmocka_unit_test(rpc_connection__answers_taken_slowly__are_all_delivered),
    cmocka_unit_test(rpc_connection__more_than_pipeline_max__waits_its_turn),
    cmocka_unit_test(rpc_connection__queries_pipelined__few_are_worked_on_at_once),
    cmocka_unit_test(rpc_connection__invoices_pipelined__few_are_worked_on_at_once),
    cmocka_unit_test(rpc_connection__a_frame_left_half_sent__is_cut_after_its_time),
    cmocka_unit_test(rpc_connection__frames_that_wait_for_the_queue__are_not_taken_for_half_ones),
    cmocka_unit_test(rpc_connection__a_queue_that_one_client_fills__holds_nobody_else_back),
    cmocka_unit_test(rpc_connection__idle_for_its_time__is_closed_but_not_while_it_is_owed),
    cmocka_unit_test(rpc_connection__no_idle_timeout__stays),
    cmocka_unit_test(rpc_connection__refused_and_not_closing__is_cut_after_a_while),
};

TESTKIT_MAIN(tests)
