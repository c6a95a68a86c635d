/* Listening sockets: whose file is replaced, whose never; permissions; paths and ports. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "billingd/net/listener.h"
#include "tests/lib/socket.h"
#include "tests/lib/testkit.h"

/* --- helpers ---------------------------------------------------------------------------------- */

struct rig {
    uv_loop_t loop;
    unsigned accepted;
    char reason[LISTENER_REASON_BYTES];
    mode_t socket_mode;
};

static void dropped_cb(uv_handle_t *handle)
{
    free(handle);
}

static void accept_cb(uv_stream_t *server, void *arg)
{
    struct rig *rig = arg;
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } *client = calloc(1, sizeof *client);
    if (client == NULL ||
        (server->type == UV_NAMED_PIPE ? uv_pipe_init(&rig->loop, &client->pipe, 0)
                                       : uv_tcp_init(&rig->loop, &client->tcp)) != 0) {
        abort();
    }
    rig->accepted += uv_accept(server, &client->stream) == 0;
    uv_close((uv_handle_t *)client, dropped_cb);
}

static struct rig *rig_open(void)
{
    struct rig *rig = testkit_alloc(sizeof *rig);
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->socket_mode = 0660;
    return rig;
}

static void rig_close(struct rig *rig)
{
    uv_run(&rig->loop, UV_RUN_DEFAULT); /* until all that was closed is */
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static int try_listen(struct rig *rig, const char *address, struct listener **ret)
{
    struct listener_options options = {
        .loop = &rig->loop,
        .socket_mode = rig->socket_mode,
        .accept_cb = accept_cb,
        .arg = rig,
    };
    rig->reason[0] = '\0';
    int rc = listener_open(address, &options, ret, rig->reason);
    assert_int_equal(rig->reason[0] != '\0', rc < 0); /* an error has its reason */
    return rc;
}

static struct listener *listen_at(struct rig *rig, const char *address)
{
    struct listener *listener;
    int rc = try_listen(rig, address, &listener);
    if (rc < 0) {
        testkit_fail("%s", rig->reason);
    }
    return listener;
}

static const char *unix_path(const char *name)
{
    return testkit_format("%s/%s", testkit_tmpdir(), name);
}

static const char *unix_address(const char *path)
{
    return testkit_format("unix:%s", path);
}

static const char *address_of(const struct listener *listener)
{
    return testkit_format("%s:%s", listener_is_unix(listener) ? "unix" : "tcp",
                          listener_address(listener));
}

/* A client gets through to LISTENER. */
static void assert_reachable(struct rig *rig, const struct listener *listener)
{
    unsigned before = rig->accepted;
    int fd = sock_connect(address_of(listener));
    if (fd < 0) {
        testkit_fail("cannot connect to %s", address_of(listener));
    }
    while (rig->accepted == before) {
        uv_run(&rig->loop, UV_RUN_ONCE);
    }
    close(fd);
}

/* A socket of TYPE bound to PATH. */
static int bound_socket(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);
    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static bool exists(const char *path)
{
    struct stat file;
    return lstat(path, &file) == 0;
}

/* --- Unix: whose file it is ------------------------------------------------------------------- */

static void listener_open__nothing_there__listens_and_removes_its_file_at_the_end(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    (void)state;
    struct listener *listener = listen_at(rig, unix_address(path));
    assert_string_equal(listener_address(listener), path);
    assert_true(listener_is_unix(listener));
    assert_reachable(rig, listener);
    assert_true(exists(path));
    listener_close(listener);
    assert_false(exists(path));
    rig_close(rig);
}

static void listener_open__a_stale_socket__is_replaced(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    (void)state;
    close(bound_socket(path, SOCK_STREAM)); /* as a killed daemon leaves it */
    assert_true(exists(path));
    struct listener *listener = listen_at(rig, unix_address(path));
    assert_reachable(rig, listener);
    listener_close(listener);
    rig_close(rig);
}

static void listener_open__a_live_socket__is_never_replaced(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    struct listener *second;
    (void)state;
    struct listener *first = listen_at(rig, unix_address(path));
    assert_status(try_listen(rig, unix_address(path), &second), STATUS_BUSY);
    assert_contains(rig->reason, path);
    assert_reachable(rig, first);
    listener_close(first);
    rig_close(rig);
}

/* Another process's, whose backlog is full: it is busy, not dead. */
static void listener_open__a_live_socket_that_does_not_accept__is_never_replaced(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    struct listener *listener;
    int clients[3];
    (void)state;
    int fd = bound_socket(path, SOCK_STREAM);
    assert_int_equal(listen(fd, 0), 0);
    for (int i = 0; i < 3; i++) { /* one more than it takes */
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, path, strlen(path) + 1);
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        IGNORE(connect(clients[i], (const struct sockaddr *)&address, sizeof address) < 0);
    }
    assert_status(try_listen(rig, unix_address(path), &listener), STATUS_BUSY);
    assert_true(exists(path));
    for (int i = 0; i < 3; i++) {
        close(clients[i]);
    }
    close(fd);
    rig_close(rig);
}

static void listener_open__a_live_socket_of_another_type__is_never_replaced(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    struct listener *listener;
    (void)state;
    int fd = bound_socket(path, SOCK_DGRAM);
    assert_status(try_listen(rig, unix_address(path), &listener), STATUS_BUSY);
    assert_true(exists(path));
    close(fd);
    rig_close(rig);
}

static void listener_open__what_is_no_socket__is_never_replaced(void **state)
{
    struct rig *rig = rig_open();
    struct listener *listener;
    const char *file = unix_path("file");
    const char *directory = testkit_tmpdir();
    const char *link = unix_path("link");
    const char *stale = unix_path("stale");
    (void)state;
    testkit_write_file(file, "precious", 8);
    assert_status(try_listen(rig, unix_address(file), &listener), STATUS_BUSY);
    char *content = testkit_read_file(file, NULL);
    assert_string_equal(content, "precious");
    free(content);
    assert_status(try_listen(rig, unix_address(directory), &listener), STATUS_BUSY);
    assert_true(exists(directory));
    close(bound_socket(stale, SOCK_STREAM));
    assert_int_equal(symlink(stale, link), 0);
    assert_status(try_listen(rig, unix_address(link), &listener), STATUS_BUSY);
    assert_true(exists(link) && exists(stale));
    rig_close(rig);
}

static void listener_close__the_file_was_replaced_by_another__leaves_it(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    (void)state;
    struct listener *first = listen_at(rig, unix_address(path));
    assert_int_equal(unlink(path), 0);
    struct listener *second = listen_at(rig, unix_address(path));
    listener_close(first);
    assert_true(exists(path));
    assert_reachable(rig, second);
    listener_close(second);
    assert_false(exists(path));
    rig_close(rig);
}

static void listener_close__the_file_is_gone__is_fine(void **state)
{
    struct rig *rig = rig_open();
    const char *path = unix_path("sock");
    (void)state;
    struct listener *listener = listen_at(rig, unix_address(path));
    assert_int_equal(unlink(path), 0);
    listener_close(listener);
    rig_close(rig);
}

/* --- Unix: permissions and paths -------------------------------------------------------------- */

static void listener_open__permissions__are_as_asked_whatever_the_umask(void **state)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0777};
    static const mode_t masks[] = {0, 022, 077, 0777};
    struct rig *rig = rig_open();
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const char *path = unix_path("sock");
        struct stat file;
        rig->socket_mode = modes[i];
        mode_t before = umask(masks[i]);
        struct listener *listener = listen_at(rig, unix_address(path));
        umask(before);
        assert_int_equal(lstat(path, &file), 0);
        assert_true(S_ISSOCK(file.st_mode));
        assert_int_equal(file.st_mode & 07777, modes[i]);
        listener_close(listener);
    }
    rig_close(rig);
}

static void listener_open__a_path_of_107_bytes__is_taken_and_of_108_refused(void **state)
{
    struct rig *rig = rig_open();
    struct listener *listener;
    const char *directory = testkit_tmpdir();
    char name[200];
    (void)state;
    memset(name, 's', sizeof name);
    int left = 107 - (int)strlen(directory) - 1;
    assert_true(left > 0);
    const char *path = testkit_format("%s/%.*s", directory, left, name);
    assert_u64(strlen(path), 107);
    listener = listen_at(rig, unix_address(path));
    assert_true(exists(path));
    assert_string_equal(listener_address(listener), path);
    assert_reachable(rig, listener);
    listener_close(listener);

    path = testkit_format("%s/%.*s", directory, left + 1, name);
    assert_status(try_listen(rig, unix_address(path), &listener), STATUS_INTERNAL);
    assert_contains(rig->reason, "107");
    path = testkit_format("%s/%.*s", directory, 150, name);
    assert_status(try_listen(rig, unix_address(path), &listener), STATUS_INTERNAL);
    assert_status(try_listen(rig, "unix:", &listener), STATUS_INTERNAL);
    rig_close(rig);
}

static void listener_open__its_directory__is_made_at_need_but_no_more_than_one(void **state)
{
    struct rig *rig = rig_open();
    struct listener *listener;
    const char *directory = testkit_tmpdir();
    (void)state;
    listener = listen_at(rig, testkit_format("unix:%s/billingd/sock", directory));
    assert_reachable(rig, listener);
    listener_close(listener);
    assert_status(try_listen(rig, testkit_format("unix:%s/a/b/sock", directory), &listener),
                  STATUS_INTERNAL);
    rig_close(rig);
}

/* --- TCP -------------------------------------------------------------------------------------- */

static void listener_open__tcp_port_0__says_which_port_it_got(void **state)
{
    static const char *const addresses[] = {"tcp:127.0.0.1:0", "tcp:localhost:0"};
    struct rig *rig = rig_open();
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct listener *listener = listen_at(rig, addresses[i]);
        assert_memory_equal(listener_address(listener), "127.0.0.1:", 10);
        assert_string_not_equal(listener_address(listener), "127.0.0.1:0");
        assert_false(listener_is_unix(listener));
        assert_reachable(rig, listener);
        listener_close(listener);
    }
    rig_close(rig);
}

static void listener_open__ipv6__is_named_in_brackets(void **state)
{
    struct rig *rig = rig_open();
    struct listener *listener;
    (void)state;
    if (try_listen(rig, "tcp:[::1]:0", &listener) < 0) {
        print_message("no IPv6 here: %s\n", rig->reason);
        rig_close(rig);
        skip();
    }
    assert_memory_equal(listener_address(listener), "[::1]:", 6);
    assert_reachable(rig, listener);
    listener_close(listener);
    rig_close(rig);
}

static void listener_open__a_port_that_is_taken__is_busy(void **state)
{
    struct rig *rig = rig_open();
    struct listener *second;
    (void)state;
    struct listener *first = listen_at(rig, "tcp:127.0.0.1:0");
    assert_status(try_listen(rig, address_of(first), &second), STATUS_BUSY);
    assert_reachable(rig, first);
    listener_close(first);
    rig_close(rig);
}

static void listener_open__a_port_just_left__is_taken_again(void **state)
{
    struct rig *rig = rig_open();
    (void)state;
    struct listener *first = listen_at(rig, "tcp:127.0.0.1:0");
    const char *address = address_of(first);
    assert_reachable(rig, first); /* whose end lies in TIME_WAIT */
    listener_close(first);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    struct listener *again = listen_at(rig, address);
    assert_reachable(rig, again);
    listener_close(again);
    rig_close(rig);
}

static void listener_open__what_is_no_address__is_refused_by_name(void **state)
{
    static const char *const addresses[] = {
        "",
        "unix",
        "tcp:",
        "tcp:127.0.0.1",
        "tcp::80",
        "tcp:127.0.0.1:",
        "tcp:127.0.0.1:x",
        "tcp:127.0.0.1:80x",
        "tcp:127.0.0.1: 80",
        "tcp:127.0.0.1:+80",
        "tcp:127.0.0.1:-1",
        "tcp:127.0.0.1:-0",
        "tcp:127.0.0.1:65536",
        "tcp:127.0.0.1:99999999999999999999",
        "tcp:256.0.0.1:0",
        "tcp:example.com:0",
        "tcp:::1:0",
        "tcp:[::1]",
        "tcp:[::1:0",
        "tcp:[]:0",
        "tcp:[127.0.0.1]:0",
        "tcp:[::1]x:0",
        "tcp:127.0.0.1:0:0",
        "udp:127.0.0.1:0",
        "http:127.0.0.1:0",
    };
    struct rig *rig = rig_open();
    struct listener *listener;
    char longest[5000];
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        int rc = try_listen(rig, addresses[i], &listener);
        if (rc != STATUS_INTERNAL) {
            testkit_fail("'%s' gave %d", addresses[i], rc);
        }
    }
    memset(longest, '1', sizeof longest);
    memcpy(longest, "tcp:", 4);
    memcpy(longest + sizeof longest - 3, ":0", 3);
    assert_status(try_listen(rig, longest, &listener), STATUS_INTERNAL);
    rig_close(rig);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(listener_open__nothing_there__listens_and_removes_its_file_at_the_end),
    cmocka_unit_test(listener_open__a_stale_socket__is_replaced),
    cmocka_unit_test(listener_open__a_live_socket__is_never_replaced),
    cmocka_unit_test(listener_open__a_live_socket_that_does_not_accept__is_never_replaced),
    cmocka_unit_test(listener_open__a_live_socket_of_another_type__is_never_replaced),
    cmocka_unit_test(listener_open__what_is_no_socket__is_never_replaced),
    cmocka_unit_test(listener_close__the_file_was_replaced_by_another__leaves_it),
    cmocka_unit_test(listener_close__the_file_is_gone__is_fine),
    cmocka_unit_test(listener_open__permissions__are_as_asked_whatever_the_umask),
    cmocka_unit_test(listener_open__a_path_of_107_bytes__is_taken_and_of_108_refused),
    cmocka_unit_test(listener_open__its_directory__is_made_at_need_but_no_more_than_one),
    cmocka_unit_test(listener_open__tcp_port_0__says_which_port_it_got),
    cmocka_unit_test(listener_open__ipv6__is_named_in_brackets),
    cmocka_unit_test(listener_open__a_port_that_is_taken__is_busy),
    cmocka_unit_test(listener_open__a_port_just_left__is_taken_again),
    cmocka_unit_test(listener_open__what_is_no_address__is_refused_by_name),
};

TESTKIT_MAIN(tests)
