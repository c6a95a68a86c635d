/* Sockets that a service manager hands over. */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

static int listen_at(const char *address)
{
    int fd = sock_listen(address);
    assert_true(fd >= 0);
    return fd;
}

static unsigned count_text(const char *text, const char *part)
{
    unsigned n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        n++;
    }
    return n;
}

static void activation__a_socket_of_each_kind__takes_the_place_of_the_configured_ones(void **state)
{
    static const char *const env[] = {"LISTEN_FDNAMES=http:unix:tcp", NULL};
    (void)state;
    struct raw_client client;
    struct http_reply reply;
    const char *path = testkit_format("%s/a", testkit_tmpdir());
    const int fds[] = {listen_at("tcp:127.0.0.1:0"), listen_at(testkit_format("unix:%s", path)),
                       listen_at("tcp:127.0.0.1:0")};
    const char *http = testkit_format("127.0.0.1:%u", sock_port(fds[0]));
    const char *tcp = testkit_format("127.0.0.1:%u", sock_port(fds[2]));
    struct daemon_process *daemon = daemon_process_start(
        &(struct daemon_options){.env = env, .listen_fds = fds, .n_listen_fds = 3});
    assert_int_equal(count_text(daemon_process_stderr(daemon), "msg=listening"), 3);
    assert_string_equal(daemon_process_address(daemon, "unix"), path);
    assert_string_equal(daemon_process_address(daemon, "tcp"), tcp);
    assert_string_equal(daemon_process_address(daemon, "http"), http);
    http_once(http, "GET", "/healthz", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
    assert_true(raw_client_open(&client, testkit_format("tcp:%s", tcp)));
    raw_client_close(&client);
    assert_true(raw_client_open(&client, testkit_format("unix:%s", path)));
    raw_client_close(&client);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

static void activation__one_kind__leaves_the_others_as_configured(void **state)
{
    static const char *const env[] = {"LISTEN_FDNAMES=rpc", NULL};
    (void)state;
    const char *path = testkit_format("%s/a", testkit_tmpdir());
    const int fd = listen_at(testkit_format("unix:%s", path));
    struct daemon_process *daemon = daemon_process_start(
        &(struct daemon_options){.env = env, .listen_fds = &fd, .n_listen_fds = 1});
    assert_int_equal(count_text(daemon_process_stderr(daemon), "msg=listening"), 3);
    assert_string_equal(daemon_process_address(daemon, "unix"), path);
    assert_non_null(daemon_process_address(daemon, "http"));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    close(fd);
}

/* The next daemon finds those who came in between. */
static void activation__a_restart__refuses_no_client_and_keeps_the_file(void **state)
{
    static const char *const env[] = {"LISTEN_FDNAMES=unix", NULL};
    (void)state;
    struct raw_client client;
    struct stat before;
    struct stat after;
    const char *path = testkit_format("%s/a", testkit_tmpdir());
    const int fd = listen_at(testkit_format("unix:%s", path));
    assert_int_equal(stat(path, &before), 0);
    struct daemon_process *daemon = daemon_process_start(
        &(struct daemon_options){.env = env, .listen_fds = &fd, .n_listen_fds = 1});
    daemon_process_stop(daemon);
    assert_true(raw_client_open(&client, testkit_format("unix:%s", path)));
    daemon_process_restart(daemon);
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetServerInfo info = BILLING__V1__GET_SERVER_INFO__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO;
    request.get_server_info = &info;
    Billing__V1__Response *response = raw_client_call(&client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_GET_SERVER_INFO);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    daemon_process_destroy(daemon);
    close(fd);
}

static void check_refused(const char *names, int fd, const char *said)
{
    const char *const env[] = {testkit_format("LISTEN_FDNAMES=%s", names), NULL};
    struct daemon_process *daemon = daemon_process_spawn(
        &(struct daemon_options){.env = env, .listen_fds = &fd, .n_listen_fds = 1});
    assert_false(daemon_process_gets_ready(daemon));
    assert_int_equal(daemon_process_wait(daemon), 1);
    assert_contains(daemon_process_stderr(daemon), said);
    daemon_process_destroy(daemon);
    close(fd);
}

static void activation__what_is_no_such_socket__is_refused_by_name(void **state)
{
    (void)state;
    int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_refused("smtp", listen_at("tcp:127.0.0.1:0"),
                  "'smtp', which is none of unix, tcp, rpc, http");
    check_refused("unix", listen_at("tcp:127.0.0.1:0"), "'unix', is not a Unix socket");
    check_refused("http", listen_at(testkit_format("unix:%s/a", testkit_tmpdir())),
                  "'http', is not a TCP socket");
    check_refused("tcp", deaf, "'tcp', is no listening stream socket");
    check_refused("unix", datagrams, "'unix', is no listening stream socket");
}

static void activation__an_open_address__is_refused_unless_asked_for(void **state)
{
    static const char *const args[] = {"--allow-insecure", NULL};
    static const char *const env[] = {"LISTEN_FDNAMES=http", NULL};
    (void)state;
    check_refused("http", listen_at("tcp:0.0.0.0:0"), "unless allow_insecure is true");
    const int fd = listen_at("tcp:0.0.0.0:0");
    struct daemon_process *daemon = daemon_process_start(
        &(struct daemon_options){.args = args, .env = env, .listen_fds = &fd, .n_listen_fds = 1});
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    close(fd);
}

static void activation__meant_for_another_process__is_nobodys(void **state)
{
    static const char *const env[] = {"LISTEN_PID=1", "LISTEN_FDS=1", NULL};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    assert_int_equal(count_text(daemon_process_stderr(daemon), "msg=listening"), 3);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void activation__a_count_that_is_none__is_refused_by_its_bounds(void **state)
{
    static const char *const counts[] = {"", "-1", "17", "4294967297", "1x", " 1"};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const int fd = listen_at("tcp:127.0.0.1:0");
        const char *const env[] = {"LISTEN_FDNAMES=http",
                                   testkit_format("LISTEN_FDS=%s", counts[i]), NULL};
        struct daemon_process *daemon = daemon_process_spawn(
            &(struct daemon_options){.env = env, .listen_fds = &fd, .n_listen_fds = 1});
        assert_false(daemon_process_gets_ready(daemon));
        assert_int_equal(daemon_process_wait(daemon), 1);
        assert_contains(
            daemon_process_stderr(daemon),
            testkit_format("LISTEN_FDS is '%s', and is to be a number from 0 to 16", counts[i]));
        daemon_process_destroy(daemon);
        close(fd);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(activation__a_socket_of_each_kind__takes_the_place_of_the_configured_ones),
    cmocka_unit_test(activation__one_kind__leaves_the_others_as_configured),
    cmocka_unit_test(activation__a_restart__refuses_no_client_and_keeps_the_file),
    cmocka_unit_test(activation__what_is_no_such_socket__is_refused_by_name),
    cmocka_unit_test(activation__an_open_address__is_refused_unless_asked_for),
    cmocka_unit_test(activation__meant_for_another_process__is_nobodys),
    cmocka_unit_test(activation__a_count_that_is_none__is_refused_by_its_bounds),
};

TESTKIT_MAIN(tests)
