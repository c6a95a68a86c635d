/* The RPC door's turns: beside others, what one identity has of each turn of the loop, and that all
 * of its connections come to it; and those that are cut before their answers are written. */
#include <sys/ioctl.h>

#include "tests/lib/calls.h"
#include "tests/lib/door.h"
#include "tests/lib/testkit.h"

enum {
    TURN_REQUESTS = COMPANY_SHORT_TURN,
    CLIENTS = 3,
    EACH = 200,
    PATIENCE_MS = 120000,
};

static void send_many(struct door_client *client, size_t n)
{
    Billing__V1__CheckHealth *m = testkit_alloc(sizeof *m);
    size_t bytes;
    billing__v1__check_health__init(m);
    uint8_t *frame =
        client_frame(desk_request(BILLING__V1__REQUEST__CALL_CHECK_HEALTH, m), 1, &bytes);
    uint8_t *all = testkit_alloc(n * bytes);
    for (size_t i = 0; i < n; i++) {
        memcpy(all + i * bytes, frame, bytes);
    }
    assert_int_equal(client_try_send(client, all, n * bytes), n * bytes);
}

static int unread_bytes(const struct door_client *client)
{
    int bytes;
    assert_int_equal(ioctl(client->fd, FIONREAD, &bytes), 0);
    return bytes;
}

/* All connections are one identity's. */
static struct door *open_all(struct door_client **clients)
{
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(door);
    }
    return door;
}

/* Likewise, and others wait for few answers at a time. */
static struct door *open_in_company(struct door_client **clients)
{
    struct door *door = open_all(clients);
    door->desk->dispatch.company.all.until_us = INT64_MAX;
    door->desk->dispatch.company.all.few_until_us = INT64_MAX;
    door_turn(door);
    for (int i = 0; i < CLIENTS; i++) {
        send_many(clients[i], EACH);
    }
    return door;
}

/* Turn until N requests are answered.  Returns the most that a turn has answered. */
static uint64_t turn_until(struct door *door, uint64_t n)
{
    const uint64_t *answered = &door->desk->dispatch.stats.requests;
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    uint64_t most = 0;
    while (*answered < n) {
        uint64_t before = *answered;
        door_turn(door);
        most = *answered - before > most ? *answered - before : most;
        assert_true(testkit_now_ms() < deadline_ms);
    }
    return most;
}

static void turns__connections_of_one_identity__all_come_to_it(void **state)
{
    struct door_client *clients[CLIENTS];
    (void)state;
    struct door *door = open_in_company(clients);
    turn_until(door, 2 * CLIENTS * TURN_REQUESTS);
    for (int i = 0; i < CLIENTS; i++) {
        assert_true(unread_bytes(clients[i]) > 0);
    }
    door_close(door);
}

/* What the kernel has ready and what waits from the turn before are two helpings at most. */
static void turns__connections_of_one_identity__share_each(void **state)
{
    struct door_client *clients[CLIENTS];
    (void)state;
    struct door *door = open_in_company(clients);
    assert_in_range(turn_until(door, (uint64_t)CLIENTS * EACH), 1, 2 * TURN_REQUESTS);
    assert_u64(door->desk->dispatch.stats.requests, (uint64_t)CLIENTS * EACH);
    door_close(door);
}

/* Whoever comes meanwhile waits through the turn, also for what is answered at once. */
static void turns__one_alone__has_an_end_of_each_too(void **state)
{
    enum { MANY = 2 * COMPANY_LONE_TURN };
    struct door_client *clients[CLIENTS];
    (void)state;
    struct door *door = open_all(clients);
    door_turn(door);
    for (int i = 0; i < CLIENTS; i++) {
        send_many(clients[i], MANY);
    }
    assert_in_range(turn_until(door, (uint64_t)CLIENTS * MANY), 1, 2 * COMPANY_LONE_TURN);
    door_close(door);
}

static void turns__cut_while_it_waits__the_others_go_on(void **state)
{
    struct door_client *clients[CLIENTS];
    (void)state;
    struct door *door = open_in_company(clients);
    turn_until(door, TURN_REQUESTS);
    client_close(clients[0]);
    turn_until(door, (uint64_t)(CLIENTS - 1) * EACH);
    door_wait_connections(door, CLIENTS - 1);
    door_close(door);
}

static void answers__cut_before_they_are_written__the_others_have_theirs(void **state)
{
    struct rpc_options options = door_options();
    struct door *door = door_open(&options, NULL, 0);
    struct connections *all = &door->rpc.connections;
    struct connection *queued[5]; /* the last one first, as they are to be written */
    (void)state;
    for (int i = 4; i >= 0; i--) {
        client_open(door);
        queued[i] = all->first;
    }
    for (int i = 4; i >= 0; i--) {
        connections_want_flush(queued[i]);
        connections_want_flush(queued[i]); /* it is there already */
    }
    connection_cut(queued[2]);
    connection_cut(queued[0]);
    connection_cut(queued[4]);
    assert_ptr_equal(all->unflushed, queued[1]);
    assert_ptr_equal(queued[1]->next_unflushed, queued[3]);
    assert_null(queued[3]->next_unflushed);
    connections_flush(all);
    assert_null(all->unflushed);
    assert_false(queued[1]->is_unflushed);
    door_close(door);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(turns__connections_of_one_identity__all_come_to_it),
    cmocka_unit_test(turns__connections_of_one_identity__share_each),
    cmocka_unit_test(turns__one_alone__has_an_end_of_each_too),
    cmocka_unit_test(turns__cut_while_it_waits__the_others_go_on),
    cmocka_unit_test(answers__cut_before_they_are_written__the_others_have_theirs),
};

TESTKIT_MAIN(tests)
