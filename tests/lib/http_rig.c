#include "tests/lib/http_rig.h"

#include <poll.h>

#include "tests/lib/calls.h"
#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

static void accept_cb(uv_stream_t *server, void *arg)
{
    struct http_rig *rig = arg;
    connections_accept(&rig->http.connections, server, rig->admission);
}

void rig_open(struct http_rig *rig, size_t queue_ops_max)
{
    struct rpc_options options = door_options();
    char reason[LISTENER_REASON_BYTES];
    static const char *const hosts[] = {"localhost"};
    rig->door = door_open(&options, NULL, queue_ops_max);
    rig->admission = (struct admission){.has_room = true};
    struct http_options http = {
        .turn = &rig->door->rpc.turn,
        .guard = {.hosts = hosts, .n_hosts = 1},
    };
    http_door_init(&rig->http, &rig->door->loop, &rig->door->desk->dispatch, &http);
    struct listener_options listening = {
        .loop = &rig->door->loop, .accept_cb = accept_cb, .arg = rig};
    assert_ok(listener_open("tcp:127.0.0.1:0", &listening, &rig->listener, reason));
}

void rig_close(struct http_rig *rig)
{
    listener_close(rig->listener);
    http_door_close(&rig->http);
    door_close(rig->door);
}

void rig_turn(struct http_rig *rig)
{
    door_turn(rig->door);
    connections_turn(&rig->http.connections);
}

int rig_connect(struct http_rig *rig)
{
    size_t before = rig->http.connections.n;
    int fd = sock_connect(testkit_format("tcp:%s", listener_address(rig->listener)));
    assert_true(fd >= 0);
    while (rig->http.connections.n == before) {
        rig_turn(rig);
    }
    return fd;
}

const char *rig_add_key(struct http_rig *rig)
{
    struct desk_answer *made = desk_submit(
        rig->door->desk, desk_request(CALL(CREATE_KEY),
                                      create_key_input("key", BILLING__V1__ROLE__WRITER, NULL, 0)));
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    while (!made->done) {
        rig_turn(rig);
        assert_true(testkit_now_ms() < deadline_ms);
    }
    return desk_text(made->response->create_key->key);
}

void rig_send(int fd, const char *text)
{
    size_t sent = 0;
    assert_int_equal(sock_send(fd, text, strlen(text), testkit_now_ms() + SOCK_PATIENCE_MS, &sent),
                     SOCK_OK);
}

const char *rig_status(struct http_rig *rig, int fd, const char *text)
{
    char line[13] = "";
    size_t got = 0;
    rig_send(fd, text);
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    struct pollfd begun = {.fd = fd, .events = POLLIN};
    while (poll(&begun, 1, 0) == 0) {
        rig_turn(rig);
        assert_true(testkit_now_ms() < deadline_ms);
    }
    assert_int_equal(sock_receive(fd, line, 12, deadline_ms, &got), SOCK_OK);
    return testkit_format("%s", line);
}
