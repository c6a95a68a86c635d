#include "tests/lib/door.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

enum {
    TICK_MS = 5,
    PATIENCE_MS = 120000,
};

/* --- the door --------------------------------------------------------------------------------- */

struct rpc_options door_options(void)
{
    return (struct rpc_options){
        .frame_bytes_max = LIMIT_FRAME_BYTES_DEFAULT,
        .pipeline_max = 1024,
        .frame_timeout_ms = 30000,
        .idle_timeout_ms = 0,
        .common = {.write_timeout_ms = 30000},
    };
}

static void wake_cb(void *arg)
{
    struct door *door = arg;
    wakeup_send(&door->wakeup);
}

static void woken_cb(void *arg)
{
    struct door *door = arg;
    completions_drain(&door->desk->completions);
}

static void tick_cb(uv_timer_t *timer)
{
    (void)timer; /* that it came back is all */
}

static void accept_cb(uv_stream_t *server, void *arg)
{
    struct door *door = arg;
    connections_accept(&door->rpc.connections, server, (struct admission){.has_room = door->admit});
}

struct door *door_open(const struct rpc_options *options, const char *address, size_t queue_ops_max)
{
    struct door *door = testkit_alloc(sizeof *door);
    char reason[LISTENER_REASON_BYTES];
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* as the daemon does */
    assert_int_equal(uv_loop_init(&door->loop), 0);
    wakeup_init(&door->wakeup, &door->loop, woken_cb, door);
    assert_int_equal(uv_timer_init(&door->loop, &door->tick), 0);
    assert_int_equal(uv_timer_start(&door->tick, tick_cb, TICK_MS, TICK_MS), 0);
    door->desk = desk_open(&(struct desk_options){
        .queue_ops_max = queue_ops_max,
        .wake = wake_cb,
        .wake_arg = door,
    });
    door->admit = true;
    rpc_door_init(&door->rpc, &door->loop, &door->desk->dispatch, options);
    struct listener_options listening = {
        .loop = &door->loop,
        .socket_mode = 0600,
        .accept_cb = accept_cb,
        .arg = door,
    };
    address = address != NULL ? address : testkit_format("unix:%s/sock", testkit_tmpdir());
    int rc = listener_open(address, &listening, &door->listener, reason);
    if (rc < 0) {
        testkit_fail("%s", reason);
    }
    door->address = testkit_format("%s:%s", listener_is_unix(door->listener) ? "unix" : "tcp",
                                   listener_address(door->listener));
    return door;
}

void door_turn(struct door *door)
{
    uv_run(&door->loop, UV_RUN_ONCE);
    dispatch_flush(&door->desk->dispatch); /* as the daemon does */
    rpc_door_turn(&door->rpc);
    dispatch_flush(&door->desk->dispatch);
    size_t in_flight = door->desk->dispatch.stats.in_flight;
    door->in_flight_max = in_flight > door->in_flight_max ? in_flight : door->in_flight_max;
}

void door_close(struct door *door)
{
    while (door->clients != NULL) {
        struct door_client *client = door->clients;
        client_close(client);
        frame_reader_done(&client->reader);
        door->clients = client->next;
    }
    listener_close(door->listener);
    connections_close(&door->rpc.connections);
    uv_close((uv_handle_t *)&door->tick, NULL);
    uv_run(&door->loop, UV_RUN_DEFAULT);
    desk_close(door->desk); /* which brings the last requests back */
    wakeup_close(&door->wakeup);
    uv_run(&door->loop, UV_RUN_DEFAULT);
    wakeup_done(&door->wakeup);
    assert_int_equal(uv_loop_close(&door->loop), 0);
}

static void check_patience(int64_t deadline_ms, const char *what)
{
    if (testkit_now_ms() > deadline_ms) {
        testkit_fail("waited in vain for %s", what);
    }
}

void door_wait_connections(struct door *door, unsigned n)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (door->rpc.connections.n != n) {
        door_turn(door);
        check_patience(deadline_ms, "connections");
    }
}

void door_wait_in_flight(struct door *door, size_t n)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    while (door->desk->dispatch.stats.in_flight != n) {
        door_turn(door);
        check_patience(deadline_ms, "requests in flight");
    }
}

/* --- clients ---------------------------------------------------------------------------------- */

struct door_client *client_open(struct door *door)
{
    struct door_client *client = testkit_alloc(sizeof *client);
    struct connection *newest = door->rpc.connections.first;
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    client->fd = sock_connect(door->address);
    if (client->fd < 0) {
        testkit_fail("cannot connect to %s: %s", door->address, strerror(errno));
    }
    frame_reader_init(&client->reader, (size_t)1 << 30);
    client->door = door;
    client->next = door->clients;
    door->clients = client;
    while (door->rpc.connections.first == newest) {
        door_turn(door);
        check_patience(deadline_ms, "being accepted");
    }
    return client;
}

void client_close(struct door_client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
        client->fd = -1;
    }
}

void client_finish(struct door_client *client)
{
    sock_finish(client->fd);
}

long client_try_send(struct door_client *client, const void *data, size_t bytes)
{
    ssize_t n = send(client->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

void client_send(struct door_client *client, const void *data, size_t bytes)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    for (size_t sent = 0; sent < bytes;) {
        long n = client_try_send(client, (const char *)data + sent, bytes - sent);
        if (n < 0) {
            testkit_fail("cannot send: %s", strerror(errno));
        }
        sent += (size_t)n;
        if (n == 0) {
            door_turn(client->door);
        }
        check_patience(deadline_ms, "room to send");
    }
}

uint8_t *client_frame(Billing__V1__Request *request, uint64_t call_id, size_t *ret_bytes)
{
    request->has_call_id = true;
    request->call_id = call_id;
    size_t bytes = billing__v1__request__get_packed_size(request);
    uint8_t *frame = testkit_alloc(FRAME_HEADER_BYTES + bytes);
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__request__pack(request, frame + FRAME_HEADER_BYTES);
    *ret_bytes = FRAME_HEADER_BYTES + bytes;
    return frame;
}

void client_request(struct door_client *client, Billing__V1__Request *request, uint64_t call_id)
{
    size_t bytes;
    uint8_t *frame = client_frame(request, call_id, &bytes);
    client_send(client, frame, bytes);
}

/* Memory of the kit for messages that are never freed. */
static void *kit_alloc(void *arg, size_t bytes)
{
    (void)arg;
    return testkit_alloc(bytes);
}

static void kit_free(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

static Billing__V1__Response *unpack(const uint8_t *payload, size_t bytes)
{
    ProtobufCAllocator kit = {.alloc = kit_alloc, .free = kit_free};
    Billing__V1__Response *response = billing__v1__response__unpack(&kit, bytes, payload);
    assert_non_null(response);
    return response;
}

Billing__V1__Response *client_answer(struct door_client *client)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    const uint8_t *payload;
    size_t bytes;
    while (frame_reader_next(&client->reader, &payload, &bytes) != 0) {
        uint8_t *space;
        size_t got;
        assert_ok(frame_reader_space(&client->reader, 65536, &space, &bytes));
        enum sock_result result = sock_receive(client->fd, space, bytes, 0, &got);
        if (result == SOCK_OK) {
            frame_reader_fed(&client->reader, got);
        } else if (result == SOCK_TIMEOUT) {
            door_turn(client->door);
        } else {
            return NULL;
        }
        check_patience(deadline_ms, "an answer");
    }
    return unpack(payload, bytes);
}

Billing__V1__Response *client_expect(struct door_client *client, uint64_t call_id)
{
    Billing__V1__Response *response = client_answer(client);
    assert_non_null(response);
    assert_true(response->has_call_id);
    assert_u64(response->call_id, call_id);
    return response;
}

void client_expect_closed(struct door_client *client)
{
    assert_null(client_answer(client));
    assert_u64(frame_reader_pending(&client->reader), 0); /* and no half answer */
}

void client_wait_cut(struct door_client *client)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    struct pollfd state = {.fd = client->fd};
    while (poll(&state, 1, 0) == 0 || (state.revents & (POLLHUP | POLLERR)) == 0) {
        door_turn(client->door);
        check_patience(deadline_ms, "being cut");
    }
}
