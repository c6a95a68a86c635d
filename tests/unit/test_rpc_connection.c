/* The RPC door: frames in, answers out, whatever the client does with its connection. */
#include <unistd.h>

#include "billingd/base/clock.h"
#include "billingd/net/rpc_door.h"
#include "tests/lib/door.h"
#include "tests/lib/testkit.h"

#define CALL(name)   BILLING__V1__REQUEST__CALL_##name
#define RESULT(name) BILLING__V1__RESPONSE__RESULT_##name

/* --- the door's time -------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int64_t __real_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void);
/* NOLINTEND(bugprone-reserved-identifier) */

/* It hardly passes: what happens here happens for another reason than a deadline. */
int64_t __wrap_clock_monotonic_us(void)
{
    return __real_clock_monotonic_us() / 1000;
}

/* --- requests --------------------------------------------------------------------------------- */

static Billing__V1__Request *health_request(void)
{
    Billing__V1__CheckHealth *m = testkit_alloc(sizeof *m);
    billing__v1__check_health__init(m);
    return desk_request(CALL(CHECK_HEALTH), m); /* answered on the loop thread */
}

static Billing__V1__Request *create_request(const char *request_id)
{
    return desk_request(CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, request_id));
}

static Billing__V1__Request *get_request(const char *customer_id)
{
    Billing__V1__GetCustomer *m = testkit_alloc(sizeof *m);
    billing__v1__get_customer__init(m);
    DESK_SET(m, customer_id, customer_id);
    return desk_request(CALL(GET_CUSTOMER), m); /* answered by a reader */
}

static struct door *plain_door(void)
{
    struct rpc_options options = door_options();
    return door_open(&options, NULL, 0);
}

static uint64_t records(struct door *door)
{
    return memory_store_counts(door->desk->memory).records;
}

/* Another connection than the one that a test ill-treats: it must notice nothing. */
static void assert_serves_others(struct door *door)
{
    struct door_client *other = client_open(door);
    client_request(other, health_request(), 4711);
    assert_int_equal(client_expect(other, 4711)->result_case, RESULT(CHECK_HEALTH));
    client_finish(other);
    client_expect_closed(other);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void rpc_connection__requests_of_every_lane__are_answered_with_their_call_ids(void **state)
{
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    (void)state;
    client_request(client, health_request(), 0);
    assert_int_equal(client_expect(client, 0)->result_case, RESULT(CHECK_HEALTH));
    client_request(client, create_request("r1"), UINT64_MAX);
    assert_int_equal(client_expect(client, UINT64_MAX)->result_case, RESULT(CREATE_CUSTOMER));
    client_request(client, get_request("nobody"), 5);
    desk_problem(client_expect(client, 5), STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(door->desk->dispatch.stats.connections, 1);
    client_close(client);
    door_wait_connections(door, 0);
    assert_u64(door->desk->dispatch.stats.connections, 0);
    door_close(door);
}

static void rpc_connection__pipelined_in_one_write__all_are_answered_once(void **state)
{
    enum { REQUESTS = 300 };
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    bool answered[REQUESTS] = {false};
    uint8_t *bytes = testkit_alloc(REQUESTS * 200);
    size_t length = 0;
    (void)state;
    for (uint64_t i = 0; i < REQUESTS; i++) {
        size_t frame_bytes;
        Billing__V1__Request *request = i % 3 == 0   ? health_request()
                                        : i % 3 == 1 ? create_request(testkit_format("r%d", (int)i))
                                                     : get_request("external:x");
        uint8_t *frame = client_frame(request, i, &frame_bytes);
        memcpy(bytes + length, frame, frame_bytes);
        length += frame_bytes;
    }
    client_send(client, bytes, length);
    for (int i = 0; i < REQUESTS; i++) {
        Billing__V1__Response *response = client_answer(client);
        assert_non_null(response);
        assert_true(response->call_id < REQUESTS && !answered[response->call_id]);
        answered[response->call_id] = true;
        assert_int_equal(response->result_case, response->call_id % 3 == 0 ? RESULT(CHECK_HEALTH)
                                                : response->call_id % 3 == 1
                                                    ? RESULT(CREATE_CUSTOMER)
                                                    : RESULT(PROBLEM));
    }
    assert_u64(records(door), REQUESTS / 3);
    door_close(door);
}

static void rpc_connection__a_frame_cut_at_every_byte__is_answered_all_the_same(void **state)
{
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    size_t bytes;
    (void)state;
    uint8_t *frame = client_frame(create_request("r1"), 1, &bytes);
    for (size_t cut = 1; cut < bytes; cut++) { /* in two */
        client_send(client, frame, cut);
        door_turn(door);
        client_send(client, frame + cut, bytes - cut);
        assert_int_equal(client_expect(client, 1)->result_case, RESULT(CREATE_CUSTOMER));
    }
    for (size_t i = 0; i < bytes; i++) { /* byte by byte */
        client_send(client, frame + i, 1);
        door_turn(door);
    }
    assert_true(client_expect(client, 1)->replayed);
    assert_u64(records(door), 1);
    door_close(door);
}

static void rpc_connection__end_of_input__every_answer_still_comes(void **state)
{
    struct rpc_options options = door_options();
    options.pipeline_max = 4; /* most of them are not even begun when the input ends */
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    for (uint64_t i = 0; i < 50; i++) {
        client_request(client, create_request(testkit_format("r%d", (int)i)), i);
    }
    client_finish(client);
    door_wait_in_flight(door, 4);
    memory_store_open_gate(door->desk->memory);
    for (uint64_t i = 0; i < 50; i++) {
        client_expect(client, i);
    }
    client_expect_closed(client);
    door_wait_connections(door, 0);
    assert_u64(records(door), 50);
    door_close(door);
}

static void rpc_connection__nothing_said__closes_when_the_client_does(void **state)
{
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    (void)state;
    client_finish(client);
    client_expect_closed(client);
    door_wait_connections(door, 0);
    door_close(door);
}

static void rpc_connection__who_is_asking__is_recorded(void **state)
{
    const char *addresses[] = {NULL, "tcp:127.0.0.1:0"};
    const char *expected[] = {testkit_format("uid:%u", (unsigned)getuid()), "anonymous"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rpc_options options = door_options();
        struct door *door = door_open(&options, addresses[i], 0);
        struct door_client *client = client_open(door);
        client_request(client, create_request("r"), 1);
        const char *customer = desk_text(client_expect(client, 1)->create_customer->customer->id);
        Billing__V1__UsageInput *usage = desk_usage_input(customer, "S", "1", "1", "r");
        client_request(client, desk_request(CALL(CREATE_USAGE), usage), 2);
        ProtobufCBinaryData who = client_expect(client, 2)->create_usage->usage->recorded_by;
        assert_text(who.data, who.len, expected[i]);
        door_close(door);
    }
}

/* --- what is no frame ------------------------------------------------------------------------- */

/* Send BYTES: one answer of STATUS comes, without a call id, and the end; others notice nothing. */
static void expect_refused(const void *bytes, size_t length, bool finish, int status)
{
    struct rpc_options options = door_options();
    options.frame_bytes_max = 70000;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    client_send(client, bytes, length);
    if (finish) {
        client_finish(client);
    }
    Billing__V1__Response *response = client_answer(client);
    assert_non_null(response);
    assert_false(response->has_call_id);
    desk_problem(response, status);
    client_expect_closed(client);
    assert_serves_others(door);
    client_close(client);
    door_wait_connections(door, 0);
    door_close(door);
}

static void rpc_connection__garbage__is_answered_once_and_closed(void **state)
{
    static const uint8_t garbage[] =
        "\0\0\0\4\xFF\xFF\xFF\xFF and more of it that is not looked at";
    (void)state;
    expect_refused(garbage, sizeof garbage, false, STATUS_MALFORMED_FRAME);
    expect_refused(garbage, sizeof garbage, true, STATUS_MALFORMED_FRAME);
}

static void rpc_connection__text_for_another_port__is_too_large_a_frame(void **state)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    (void)state;
    expect_refused(http, sizeof http - 1, false, STATUS_TOO_LARGE);
}

static void rpc_connection__a_frame_of_4_gib__is_refused_at_its_header(void **state)
{
    static const uint8_t header[] = {0xFF, 0xFF, 0xFF, 0xFF};
    (void)state;
    expect_refused(header, 4, false, STATUS_TOO_LARGE);
}

static void rpc_connection__a_frame_beyond_the_bound_by_one__is_refused(void **state)
{
    uint8_t header[4];
    (void)state;
    frame_header_write(header, 70001);
    expect_refused(header, 4, false, STATUS_TOO_LARGE);
}

/* What a connection was opened with holds for it, and that is what it says. */
static void rpc_connection__the_bound_was_raised_meanwhile__names_its_own(void **state)
{
    struct rpc_options options = door_options();
    options.frame_bytes_max = 70000;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    uint8_t header[4];
    (void)state;
    options.frame_bytes_max = 90000;
    rpc_door_adjust(&door->rpc, &options);
    frame_header_write(header, 80000);
    client_send(client, header, 4);
    const Billing__V1__Problem *problem = desk_problem(client_answer(client), STATUS_TOO_LARGE);
    assert_string_equal(desk_text(problem->detail),
                        "a frame of 80000 bytes; at most 70000 are allowed");
    client_expect_closed(client);
    struct door_client *later = client_open(door);
    frame_header_write(header, 90001);
    client_send(later, header, 4);
    problem = desk_problem(client_answer(later), STATUS_TOO_LARGE);
    assert_string_equal(desk_text(problem->detail),
                        "a frame of 90001 bytes; at most 90000 are allowed");
    door_close(door);
}

static void rpc_connection__half_a_frame_and_the_end__is_refused(void **state)
{
    size_t bytes;
    uint8_t *frame = client_frame(create_request("r1"), 1, &bytes);
    (void)state;
    expect_refused(frame, bytes - 1, true, STATUS_MALFORMED_FRAME);
    expect_refused(frame, 4, true, STATUS_MALFORMED_FRAME);
    expect_refused(frame, 1, true, STATUS_MALFORMED_FRAME);
}

static void rpc_connection__a_frame_at_the_bound__is_taken(void **state)
{
    struct rpc_options options = door_options();
    options.frame_bytes_max = 70000;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    char *text = testkit_alloc(70001);
    size_t bytes;
    (void)state;
    memset(text, 'x', 70000);
    text[69900] = '\0';
    client_frame(get_request(text), 1, &bytes);
    text[69900] = 'x';
    text[69900 + (70000 + FRAME_HEADER_BYTES - bytes)] = '\0';
    uint8_t *frame = client_frame(get_request(text), 1, &bytes);
    assert_u64(bytes, 70000 + FRAME_HEADER_BYTES);
    client_send(client, frame, bytes);
    desk_problem(client_expect(client, 1), STATUS_CUSTOMER_NOT_FOUND);
    door_close(door);
}

static void rpc_connection__an_empty_frame__is_a_request_for_nothing(void **state)
{
    static const uint8_t empty[] = {0, 0, 0, 0};
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    (void)state;
    client_send(client, empty, 4);
    Billing__V1__Response *response = client_answer(client);
    assert_non_null(response);
    assert_false(response->has_call_id);
    desk_problem(response, STATUS_UNKNOWN_METHOD);
    client_request(client, health_request(), 1); /* and the connection lives */
    client_expect(client, 1);
    door_close(door);
}

static void rpc_connection__requests_before_the_garbage__are_answered_first(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    bool seen_create = false;
    (void)state;
    client_request(client, create_request("r1"), 1);
    client_send(client, garbage, sizeof garbage);
    client_request(client, create_request("r2"), 2); /* behind it: not taken */
    for (int i = 0; i < 2; i++) {
        Billing__V1__Response *response = client_answer(client);
        assert_non_null(response);
        seen_create |= response->result_case == RESULT(CREATE_CUSTOMER) && response->call_id == 1;
    }
    assert_true(seen_create);
    client_expect_closed(client);
    assert_u64(records(door), 1);
    door_close(door);
}

/* What it still sends must not turn its refusal into a reset. */
static void rpc_connection__megabytes_behind_the_garbage__the_refusal_still_arrives(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    uint8_t *more = testkit_alloc(4000000);
    (void)state;
    client_send(client, garbage, sizeof garbage);
    client_send(client, more, 4000000);
    desk_problem(client_answer(client), STATUS_MALFORMED_FRAME);
    client_expect_closed(client);
    door_close(door);
}

/* Once both sides have said all, the connection is over: no need to linger. */
static void rpc_connection__refused_and_closed_by_the_client__is_freed_at_once(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    (void)state;
    client_send(client, garbage, sizeof garbage);
    desk_problem(client_answer(client), STATUS_MALFORMED_FRAME);
    client_expect_closed(client);
    assert_u64(door->rpc.connections.n, 1); /* it waits for the client */
    client_close(client);
    door_wait_connections(door, 0); /* and not for as long as it would linger */
    door_close(door);
}

static void rpc_connection__random_bytes__never_harm_another_connection(void **state)
{
    struct rng rng = rng_make("rpc bytes");
    struct door *door = plain_door();
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct door_client *client = client_open(door);
        uint8_t bytes[300];
        size_t length = rng_below(&rng, sizeof bytes);
        rng_fill(&rng, bytes, length);
        for (size_t at = 0; at + 4 < length && rng_below(&rng, 3) != 0; at += 4 + bytes[at + 3]) {
            bytes[at] = bytes[at + 1] = bytes[at + 2] = 0; /* frames of a plausible length */
        }
        if (client_try_send(client, bytes, length) >= 0 && rng_below(&rng, 2) == 0) {
            client_finish(client);
        }
        for (uint64_t turns = rng_below(&rng, 4); turns > 0; turns--) {
            door_turn(door);
        }
        client_close(client);
    }
    assert_serves_others(door);
    door_close(door);
}

/* --- a client that is gone -------------------------------------------------------------------- */

static void rpc_connection__gone_while_its_requests_run__they_are_carried_out(void **state)
{
    struct door *door = plain_door();
    struct door_client *client = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    for (uint64_t i = 0; i < 10; i++) {
        client_request(client, create_request(testkit_format("r%d", (int)i)), i);
    }
    door_wait_in_flight(door, 10);
    client_close(client);
    door_turn(door);
    memory_store_open_gate(door->desk->memory);
    door_wait_in_flight(door, 0);
    door_wait_connections(door, 0);
    assert_u64(records(door), 10);
    assert_serves_others(door);
    door_close(door);
}

static void rpc_door_close__connections_in_every_state__leaks_nothing(void **state)
{
    static const uint8_t garbage[] = {0, 0, 0, 2, 0xFF, 0xFF};
    struct door *door = plain_door();
    struct door_client *clients[5];
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    for (int i = 0; i < 5; i++) {
        clients[i] = client_open(door);
    }
    client_request(clients[1], create_request("r1"), 1); /* in flight */
    client_send(clients[2], garbage, 3);                 /* half a frame */
    client_send(clients[3], garbage, sizeof garbage);    /* refused, lingering */
    client_request(clients[4], create_request("r2"), 1); /* in flight, and gone */
    door_wait_in_flight(door, 2);
    client_close(clients[4]);
    door_turn(door);
    memory_store_open_gate(door->desk->memory);
    door_close(door);
}

/* --- too many, and the end -------------------------------------------------------------------- */

static void rpc_connection__too_many__is_told_so_and_closed(void **state)
{
    struct door *door = plain_door();
    (void)state;
    door->admit = false;
    struct door_client *client = client_open(door);
    client_request(client, create_request("r1"), 1); /* not even looked at */
    Billing__V1__Response *response = client_answer(client);
    assert_non_null(response);
    assert_true(desk_problem(response, STATUS_BUSY)->retry_after_ms > 0);
    client_expect_closed(client);
    assert_u64(records(door), 0);
    client_close(client);
    door_wait_connections(door, 0);
    door->admit = true;
    assert_serves_others(door);
    door_close(door);
}

static void rpc_door_drain__answers_what_is_in_flight_and_refuses_what_has_arrived(void **state)
{
    struct rpc_options options = door_options();
    options.pipeline_max = 2;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *busy = client_open(door);
    struct door_client *idle = client_open(door);
    struct door_client *half = client_open(door);
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    client_request(busy, create_request("r1"), 1);
    client_send(half, "\0\0", 2);
    door_wait_in_flight(door, 1);
    dispatch_drain(&door->desk->dispatch);
    connections_drain(&door->rpc.connections);
    client_expect_closed(idle);
    desk_problem(client_answer(half), STATUS_SHUTTING_DOWN);
    client_expect_closed(half);
    client_request(busy, create_request("late"), 2); /* too late: dropped */
    door_turn(door);
    memory_store_open_gate(door->desk->memory);
    assert_int_equal(client_expect(busy, 1)->result_case, RESULT(CREATE_CUSTOMER));
    client_expect_closed(busy);
    door_wait_connections(door, 0);
    assert_u64(records(door), 1);
    door_close(door);
}

static void rpc_door_drain__whole_frames_that_wait__are_refused_by_name(void **state)
{
    struct rpc_options options = door_options();
    options.pipeline_max = 2;
    struct door *door = door_open(&options, NULL, 0);
    struct door_client *client = client_open(door);
    unsigned refused = 0;
    (void)state;
    memory_store_hold_commits(door->desk->memory);
    uint8_t *bytes = testkit_alloc(1000);
    size_t length = 0;
    for (uint64_t i = 0; i < 6; i++) { /* two begin, four have arrived */
        size_t frame_bytes;
        uint8_t *frame =
            client_frame(create_request(testkit_format("r%d", (int)i)), i, &frame_bytes);
        memcpy(bytes + length, frame, frame_bytes);
        length += frame_bytes;
    }
    client_send(client, bytes, length);
    door_wait_in_flight(door, 2);
    dispatch_drain(&door->desk->dispatch);
    connections_drain(&door->rpc.connections);
    memory_store_open_gate(door->desk->memory);
    for (Billing__V1__Response *r = client_answer(client); r != NULL; r = client_answer(client)) {
        bool begun = r->call_id < 2;
        assert_int_equal(r->result_case == RESULT(CREATE_CUSTOMER), begun);
        if (!begun) {
            desk_problem(r, STATUS_SHUTTING_DOWN);
            refused++;
        }
    }
    assert_u64(refused, 4);
    assert_u64(records(door), 2);
    door_close(door);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rpc_connection__requests_of_every_lane__are_answered_with_their_call_ids),
    cmocka_unit_test(rpc_connection__pipelined_in_one_write__all_are_answered_once),
    cmocka_unit_test(rpc_connection__a_frame_cut_at_every_byte__is_answered_all_the_same),
    cmocka_unit_test(rpc_connection__end_of_input__every_answer_still_comes),
    cmocka_unit_test(rpc_connection__nothing_said__closes_when_the_client_does),
    cmocka_unit_test(rpc_connection__who_is_asking__is_recorded),
    cmocka_unit_test(rpc_connection__garbage__is_answered_once_and_closed),
    cmocka_unit_test(rpc_connection__text_for_another_port__is_too_large_a_frame),
    cmocka_unit_test(rpc_connection__a_frame_of_4_gib__is_refused_at_its_header),
    cmocka_unit_test(rpc_connection__a_frame_beyond_the_bound_by_one__is_refused),
    cmocka_unit_test(rpc_connection__the_bound_was_raised_meanwhile__names_its_own),
    cmocka_unit_test(rpc_connection__half_a_frame_and_the_end__is_refused),
    cmocka_unit_test(rpc_connection__a_frame_at_the_bound__is_taken),
    cmocka_unit_test(rpc_connection__an_empty_frame__is_a_request_for_nothing),
    cmocka_unit_test(rpc_connection__requests_before_the_garbage__are_answered_first),
    cmocka_unit_test(rpc_connection__megabytes_behind_the_garbage__the_refusal_still_arrives),
    cmocka_unit_test(rpc_connection__refused_and_closed_by_the_client__is_freed_at_once),
    cmocka_unit_test(rpc_connection__random_bytes__never_harm_another_connection),
    cmocka_unit_test(rpc_connection__gone_while_its_requests_run__they_are_carried_out),
    cmocka_unit_test(rpc_door_close__connections_in_every_state__leaks_nothing),
    cmocka_unit_test(rpc_connection__too_many__is_told_so_and_closed),
    cmocka_unit_test(rpc_door_drain__answers_what_is_in_flight_and_refuses_what_has_arrived),
    cmocka_unit_test(rpc_door_drain__whole_frames_that_wait__are_refused_by_name),
};

TESTKIT_MAIN(tests)
