/* The daemon under a service manager, which this test is: what it is told, when the watchdog is
 * fed, sockets that are handed over, and reloading. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/integration/door_kit.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

/* --- the manager's ear ------------------------------------------------------------------------ */

struct manager {
    int fd;
    const char *env; /* "NOTIFY_SOCKET=..." */
};

/* At a path, or, with ABSTRACT, at an abstract name. */
static struct manager manager_open(bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = testkit_format("%s/n", testkit_tmpdir());
    struct manager manager = {
        .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        .env = testkit_format("NOTIFY_SOCKET=%s%s", abstract ? "@" : "", path),
    };
    memcpy(address.sun_path + abstract, path, strlen(path));
    socklen_t bytes =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract + strlen(path));
    assert_true(manager.fd >= 0);
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address, bytes), 0);
    return manager;
}

/* The next message within TIMEOUT_MS, or NULL. */
static const char *next_message(const struct manager *manager, int timeout_ms)
{
    char text[1024];
    struct pollfd readable = {.fd = manager->fd, .events = POLLIN};
    if (poll(&readable, 1, timeout_ms) != 1) {
        return NULL;
    }
    ssize_t got = recv(manager->fd, text, sizeof text, 0);
    assert_true(got >= 0);
    return testkit_format("%.*s", (int)got, text);
}

/* The next message that has PART; others are passed over. */
static const char *await_message(const struct manager *manager, const char *part)
{
    const char *message;
    do {
        message = next_message(manager, SOCK_PATIENCE_MS);
        if (message == NULL) {
            testkit_fail("nobody says '%s'", part);
        }
    } while (strstr(message, part) == NULL);
    return message;
}

static void end(struct daemon_process *daemon, struct manager *manager)
{
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    close(manager->fd);
}

/* --- what it is told -------------------------------------------------------------------------- */

static void check_ready_and_stopping(bool abstract)
{
    struct manager manager = manager_open(abstract);
    const char *const env[] = {manager.env, NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    const char *first = next_message(&manager, SOCK_PATIENCE_MS);
    assert_non_null(first);
    assert_string_equal(first, "READY=1\nSTATUS=Serving");
    daemon_process_signal(daemon, SIGTERM);
    assert_contains(await_message(&manager, "STOPPING=1"), "STATUS=");
    assert_int_equal(daemon_process_wait(daemon), 0);
    daemon_process_destroy(daemon);
    close(manager.fd);
}

static void notify__at_a_path__ready_when_it_listens_and_stopping_when_it_drains(void **state)
{
    (void)state;
    check_ready_and_stopping(false);
}

static void notify__at_an_abstract_name__likewise(void **state)
{
    (void)state;
    check_ready_and_stopping(true);
}

static void notify__a_socket_that_is_none__is_warned_of_and_the_daemon_serves(void **state)
{
    static const char *const env[] = {"NOTIFY_SOCKET=relative/path", NULL};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    assert_contains(daemon_process_stderr(daemon), "NOTIFY_SOCKET=relative/path");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void notify__nobody_at_the_socket__does_not_keep_it_from_serving(void **state)
{
    (void)state;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, NULL};
    close(manager.fd);
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void notify__a_journal_to_read_at_the_start__asks_for_more_time(void **state)
{
    (void)state;
    struct http_reply reply;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    assert_non_null(await_message(&manager, "READY=1"));
    http_once(daemon_process_http(daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
    daemon_process_kill(daemon);
    daemon_process_restart(daemon);
    assert_contains(next_message(&manager, SOCK_PATIENCE_MS), "EXTEND_TIMEOUT_USEC=60000000\n");
    assert_non_null(await_message(&manager, "READY=1"));
    end(daemon, &manager);
}

/* --- the watchdog ----------------------------------------------------------------------------- */

static void create_customer(struct daemon_process *daemon, struct http_conn *conn)
{
    static const char body[] = "{\"customer_name\": \"Acme\"}";
    const char *request = testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n"
                                         "Content-Type: application/json\r\n"
                                         "Content-Length: %zu\r\n\r\n%s",
                                         strlen(body), body);
    assert_true(http_open(conn, daemon_process_http(daemon)));
    assert_int_equal(http_send(conn, request, strlen(request)), SOCK_OK);
}

static void watchdog__an_idle_daemon__feeds_it(void **state)
{
    (void)state;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, "WATCHDOG_USEC=200000", NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    for (int i = 0; i < 3; i++) {
        assert_string_equal(await_message(&manager, "WATCHDOG"), "WATCHDOG=1");
    }
    end(daemon, &manager);
}

static void watchdog__of_another_process__is_left_alone(void **state)
{
    (void)state;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, "WATCHDOG_USEC=1000", "WATCHDOG_PID=1", NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    assert_non_null(await_message(&manager, "READY=1"));
    assert_null(next_message(&manager, 100)); /* a hundred times the watchdog's time */
    end(daemon, &manager);
}

/* The loop turns and answers, and yet nothing is recorded any more: only a restart helps. */
static void watchdog__a_commit_that_hangs__is_not_fed_though_the_loop_turns(void **state)
{
    enum {
        WATCHDOG_MS = 200,
    };
    (void)state;
    struct http_conn writing;
    struct http_reply reply;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, "WATCHDOG_USEC=200000",
                               "BILLING_FAILPOINT=before_commit:1:hang", NULL};
    struct daemon_process *daemon = daemon_process_start(
        &(struct daemon_options){.program = BILLINGD_FAILPOINTS_PATH, .env = env});
    assert_non_null(await_message(&manager, "WATCHDOG=1"));
    create_customer(daemon, &writing);
    daemon_process_await_stderr(daemon, "a commit hangs");
    assert_non_null(await_message(&manager, "STATUS=A commit hangs"));
    assert_null(next_message(&manager, 3 * WATCHDOG_MS));
    http_once(daemon_process_http(daemon), "GET", "/healthz", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
    http_close(&writing);
    daemon_process_kill(daemon);
    daemon_process_destroy(daemon);
    close(manager.fd);
}

/* --- sockets that are handed over ------------------------------------------------------------- */

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

/* On a port of the kernel's choosing of HOST; "HOST:PORT" in *RET_ADDRESS. */
static int listen_tcp(uint32_t host, const char **ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
    *ret_address = testkit_format("127.0.0.1:%d", ntohs(address.sin_port));
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
    const char *http;
    const char *tcp;
    const char *path = testkit_format("%s/a", testkit_tmpdir());
    const int fds[] = {listen_tcp(INADDR_LOOPBACK, &http), listen_unix(path),
                       listen_tcp(INADDR_LOOPBACK, &tcp)};
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
    const int fd = listen_unix(path);
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
    const int fd = listen_unix(path);
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
    const char *address;
    int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_refused("smtp", listen_tcp(INADDR_LOOPBACK, &address),
                  "'smtp', which is none of unix, tcp, rpc, http");
    check_refused("unix", listen_tcp(INADDR_LOOPBACK, &address), "'unix', is not a Unix socket");
    check_refused("http", listen_unix(testkit_format("%s/a", testkit_tmpdir())),
                  "'http', is not a TCP socket");
    check_refused("tcp", deaf, "'tcp', is no listening stream socket");
    check_refused("unix", datagrams, "'unix', is no listening stream socket");
}

static void activation__an_open_address__is_refused_unless_asked_for(void **state)
{
    static const char *const args[] = {"--allow-insecure", NULL};
    static const char *const env[] = {"LISTEN_FDNAMES=http", NULL};
    (void)state;
    const char *address;
    check_refused("http", listen_tcp(INADDR_ANY, &address), "unless allow_insecure is true");
    const int fd = listen_tcp(INADDR_ANY, &address);
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

/* --- reloading -------------------------------------------------------------------------------- */

struct reloading {
    struct manager manager;
    const char *file;
    const char *args[8];
    const char *env[2];
    struct daemon_process *daemon;
};

static void write_config(const struct reloading *r, const char *text)
{
    testkit_write_file(r->file, text, strlen(text));
}

/* With TEXT for its config file. */
static void begin(struct reloading *r, const char *text)
{
    *r = (struct reloading){
        .manager = manager_open(false),
        .file = testkit_format("%s/billingd.conf", testkit_tmpdir()),
    };
    r->args[0] = "--config";
    r->args[1] = r->file;
    r->args[2] = "--pipeline-max";
    r->args[3] = "7";
    r->env[0] = r->manager.env;
    write_config(r, text);
    r->daemon = daemon_process_start(&(struct daemon_options){.args = r->args, .env = r->env});
    assert_non_null(await_message(&r->manager, "READY=1"));
}

/* Give it TEXT to read; what it says when it is through. */
static const char *reload(struct reloading *r, const char *text)
{
    write_config(r, text);
    daemon_process_signal(r->daemon, SIGHUP);
    const char *begun = await_message(&r->manager, "RELOADING=1");
    assert_true(strtoll(strstr(begun, "MONOTONIC_USEC=") + strlen("MONOTONIC_USEC="), NULL, 10) >
                0);
    return await_message(&r->manager, "READY=1");
}

/* The status of recording usage of a service that is in no catalogue, and the answer's body. */
static int record_unlisted(const struct reloading *r)
{
    struct http_reply reply;
    const char *http = daemon_process_http(r->daemon);
    http_once(http, "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\", \"external_id\": \"acme\", \"request_id\": \"c-1\"}",
              &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
    http_once(http, "POST", "/api/v1/customers/external:acme/usage", NULL,
              "{\"service\": \"unlisted\", \"units_consumed\": 1, \"price_per_unit\": 1}", &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static void reload__another_catalogue_mode__holds_for_the_next_record(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    assert_int_equal(record_unlisted(&r), 201);
    assert_contains(reload(&r, "catalogue = \"listed\";\n"), "STATUS=Serving");
    daemon_process_await_stderr(r.daemon, "msg=\"option changed\" name=catalogue value=listed");
    assert_int_equal(record_unlisted(&r), 422);
    reload(&r, "");
    assert_int_equal(record_unlisted(&r), 201);
    end(r.daemon, &r.manager);
}

static void reload__limits_and_log_level__hold_from_then_on(void **state)
{
    (void)state;
    struct reloading r;
    struct http_reply reply;
    struct http_conn first;
    begin(&r, "");
    assert_true(http_open(&first, daemon_process_http(r.daemon)));
    http_call(&first, "GET", "/healthz", NULL, NULL, &reply);
    http_reply_done(&reply);
    reload(&r, "body_bytes_max = 1024; require_request_id = true; log_level = \"error\";\n");
    const char *body = testkit_format("{\"customer_name\": \"%01100d\"}", 1);
    http_call(&first, "POST", "/api/v1/customers", NULL, body, &reply);
    assert_int_equal(reply.status, 413);
    http_reply_done(&reply);
    http_close(&first);
    http_once(daemon_process_http(r.daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 422);
    http_reply_done(&reply);
    daemon_process_stop(r.daemon);
    assert_null(strstr(daemon_process_stderr(r.daemon), "msg=draining")); /* of level info */
    daemon_process_destroy(r.daemon);
    close(r.manager.fd);
}

/* Create a customer called NAME. */
static void add_customer(const struct reloading *r, const char *name)
{
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "POST", "/api/v1/customers", NULL,
              testkit_format("{\"customer_name\": \"%s\"}", name), &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
}

static void reload__what_is_logged_of_requests__holds_for_the_next(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "log_requests_per_second_max = 0;\n");
    add_customer(&r, "Silent");
    reload(&r, "log_requests_per_second_max = 1000;\n");
    add_customer(&r, "Told");
    reload(&r, "log_requests_per_second_max = 1000; log_payloads = true;\n");
    add_customer(&r, "Quoted");
    reload(&r, "log_requests_per_second_max = 0; log_payloads = true;\n");
    add_customer(&r, "Silent");
    daemon_process_stop(r.daemon);
    unsigned lines = 0;
    const char *text = daemon_process_stderr(r.daemon);
    for (const char *at = text; (at = strstr(at, "method=CreateCustomer")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 2);
    assert_contains(text, "Quoted");
    assert_null(strstr(text, "Told"));
    daemon_process_destroy(r.daemon);
    close(r.manager.fd);
}

static int status_of(const struct reloading *r, const char *target)
{
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "GET", target, NULL, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

/* The status of an empty list on CONN. */
static int status_on(struct http_conn *conn)
{
    struct http_reply reply;
    http_call(conn, "GET", "/api/v1/customers", NULL, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static void reload__who_may__holds_for_the_next_request(void **state)
{
    (void)state;
    struct reloading r;
    struct http_conn open;
    struct raw_client client;
    begin(&r, "");
    assert_true(http_open(&open, daemon_process_http(r.daemon)));
    assert_true(raw_client_open(&client, daemon_process_tcp(r.daemon)));
    const Billing__V1__Request__CallCase call = BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS;
    assert_int_equal(status_on(&open), 200);
    assert_string_equal(kit_call(&client, call, NULL), "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    reload(&r, "require_auth = true;\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 401);
    assert_int_equal(status_on(&open), 401);
    assert_string_equal(kit_call(&client, call, NULL), "unauthenticated");
    reload(&r, "");
    assert_int_equal(status_on(&open), 200);
    assert_string_equal(kit_call(&client, call, NULL), "");
    reload(&r, "require_auth = true; head_timeout_ms = 300;\n");
    assert_int_equal(sock_wait_close(open.fd, testkit_now_ms() + SOCK_PATIENCE_MS, NULL),
                     SOCK_CLOSED); /* it has had its time to show one */
    assert_int_equal(raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL), SOCK_CLOSED);
    http_close(&open);
    raw_client_close(&client);
    reload(&r, "http_hosts = [\"billing.example\"];\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 403);
    reload(&r, "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    end(r.daemon, &r.manager);
}

/* The status of what a page of ORIGIN asks for. */
static int status_from(const struct reloading *r, const char *origin)
{
    const char *const headers[] = {testkit_format("Origin: %s", origin), NULL};
    struct http_reply reply;
    http_once(daemon_process_http(r->daemon), "GET", "/api/v1/customers", headers, NULL, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

/* Lists that become longer, shorter and none: the door is to have the new one, whole. */
static void reload__hosts_and_origins__are_those_of_the_new_lists(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "http_origins = [\"http://a.example\", \"http://b.example\"];\n");
    assert_int_equal(status_from(&r, "http://b.example"), 200);
    reload(&r, "");
    assert_int_equal(status_from(&r, "http://a.example"), 403);
    assert_int_equal(status_from(&r, "http://b.example"), 403);
    reload(&r, "http_hosts = [\"billing.example\"]; http_origins = [\"http://c.example\"];\n");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 403);
    reload(&r, "http_hosts = [\"localhost\"]; http_origins = [\"http://c.example\", "
               "\"http://a.example\"];\n");
    assert_int_equal(status_from(&r, "http://a.example"), 200);
    assert_int_equal(status_from(&r, "http://b.example"), 403);
    reload(&r, "");
    assert_int_equal(status_of(&r, "/api/v1/customers"), 200);
    assert_int_equal(status_from(&r, "http://c.example"), 403);
    end(r.daemon, &r.manager);
}

static void assert_allowed_origin(const struct http_reply *reply, const char *origin)
{
    const char *allowed = http_reply_header(reply, "Access-Control-Allow-Origin");
    assert_non_null(allowed);
    assert_string_equal(allowed, origin);
}

/* Its head was taken under the old list; its answer is made when the old list is gone. */
static void reload__origins_while_a_body_is_to_come__its_answer_names_the_one_it_had(void **state)
{
    static const char awaited[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static const char body[] = "{\"customer_name\": \"Acme\"}";
    (void)state;
    struct reloading r;
    struct http_conn conn;
    struct http_reply reply;
    char got[sizeof awaited] = "";
    size_t bytes = 0;
    begin(&r, "http_origins = [\"http://first.example\", \"http://second.example\"];\n");
    const char *head = testkit_format("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\n"
                                      "Origin: http://second.example\r\nExpect: 100-continue\r\n"
                                      "Content-Type: application/json\r\n"
                                      "Content-Length: %zu\r\n\r\n",
                                      strlen(body));
    assert_true(http_open(&conn, daemon_process_http(r.daemon)));
    assert_int_equal(http_send(&conn, head, strlen(head)), SOCK_OK);
    while (bytes < strlen(awaited)) {
        size_t more;
        assert_int_equal(sock_receive(conn.fd, got + bytes, strlen(awaited) - bytes,
                                      testkit_now_ms() + SOCK_PATIENCE_MS, &more),
                         SOCK_OK);
        bytes += more;
    }
    assert_string_equal(got, awaited);
    reload(&r, "http_origins = [\"http://third0.example\", \"http://fourth.example\"];\n");
    reload(&r, "");
    assert_int_equal(http_send(&conn, body, strlen(body)), SOCK_OK);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, 201);
    assert_allowed_origin(&reply, "http://second.example");
    http_reply_done(&reply);
    assert_int_equal(status_from(&r, "http://second.example"), 403);
    http_close(&conn);
    end(r.daemon, &r.manager);
}

/* More answers than all buffers on the way hold: some are made under the old list, some under the
 * new one, and one of them is half written meanwhile. */
static void reload__origins_while_a_reader_is_slow__each_answer_is_of_one_list(void **state)
{
    enum { ANSWERS = 500 };
    static const char *const request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
                                       "Origin: http://first.example\r\n\r\n";
    (void)state;
    struct reloading r;
    struct http_conn conn;
    struct http_reply reply;
    int status = 200;
    begin(&r, "http_origins = [\"http://first.example\"];\n");
    assert_true(http_open(&conn, daemon_process_http(r.daemon)));
    for (int i = 0; i < ANSWERS; i++) {
        assert_int_equal(http_send(&conn, request, strlen(request)), SOCK_OK);
    }
    struct pollfd begun = {.fd = conn.fd, .events = POLLIN};
    assert_int_equal(poll(&begun, 1, SOCK_PATIENCE_MS), 1);
    reload(&r, "http_origins = [\"http://other.example\"];\n");
    for (int i = 0; i < ANSWERS; i++) {
        int before = status;
        assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
        status = reply.status;
        assert_true(status == before || (status == 403 && i > 0));
        if (status == 200) {
            assert_allowed_origin(&reply, "http://first.example");
        } else {
            assert_null(http_reply_header(&reply, "Access-Control-Allow-Origin"));
        }
        http_reply_done(&reply);
    }
    assert_int_equal(status, 403);
    http_close(&conn);
    end(r.daemon, &r.manager);
}

static void reload__a_user_that_there_is_not__changes_nothing(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    assert_contains(reload(&r, "catalogue = \"listed\";\nunix_admins = \"user:no-such\";\n"),
                    "was not reloaded");
    assert_int_equal(record_unlisted(&r), 201);
    end(r.daemon, &r.manager);
}

static void reload__a_bad_file__changes_nothing_and_says_what_is_wrong_where(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"open\";\n");
    const char *said = reload(&r, "catalogue = \"listed\";\nreaders = 0;\nno_such = 1;\n");
    assert_contains(said, "was not reloaded");
    daemon_process_await_stderr(r.daemon, testkit_format("%s:2: readers: '0' is not", r.file));
    daemon_process_await_stderr(r.daemon,
                                testkit_format("%s:3: 'no_such' is not an option", r.file));
    assert_int_equal(record_unlisted(&r), 201);
    assert_int_equal(unlink(r.file), 0);
    daemon_process_signal(r.daemon, SIGHUP);
    assert_contains(await_message(&r.manager, "READY=1"), "was not reloaded");
    assert_int_equal(record_unlisted(&r), 201);
    assert_null(strstr(daemon_process_stderr(r.daemon), "option changed"));
    end(r.daemon, &r.manager);
}

static void reload__what_takes_a_restart__is_named_and_stays(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "");
    assert_contains(reload(&r, "readers = 3;\ncurrency = \"EUR\";\npipeline_max = 9;\n"
                               "sentry_dsn = \"http://planted@127.0.0.1:9/1\";\n"),
                    "STATUS=Serving");
    daemon_process_await_stderr(r.daemon, "msg=reloaded");
    const char *log = daemon_process_stderr(r.daemon);
    assert_contains(log, "msg=\"option changes with the next start\" name=readers value=3");
    assert_contains(log, "msg=\"option changes with the next start\" name=currency value=EUR");
    assert_null(strstr(log, "name=pipeline_max")); /* the command line's wins */
    assert_contains(log, "name=sentry_dsn value=\"(not shown)\"");
    assert_null(strstr(log, "planted"));
    end(r.daemon, &r.manager);
}

/* Nobody writes into it: who waited for that would wait for ever. */
static void reload__a_fifo_for_a_file__changes_nothing_and_holds_nobody_up(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "catalogue = \"listed\";\n");
    assert_int_equal(unlink(r.file), 0);
    assert_int_equal(mkfifo(r.file, 0600), 0);
    daemon_process_signal(r.daemon, SIGHUP);
    assert_contains(await_message(&r.manager, "READY=1"), "is wrong and was not reloaded");
    daemon_process_await_stderr(r.daemon, "it is not a regular file but a FIFO");
    assert_int_equal(record_unlisted(&r), 422);
    end(r.daemon, &r.manager);
}

static void reload__asked_for_while_one_is_under_way__happens_after_it(void **state)
{
    (void)state;
    struct reloading r;
    begin(&r, "");
    for (int i = 1; i <= 100; i++) { /* the last one often finds another under way */
        write_config(&r, testkit_format("body_bytes_max = %d;\n", 100000 + i));
        daemon_process_signal(r.daemon, SIGHUP);
    }
    daemon_process_await_stderr(r.daemon, "name=body_bytes_max value=100100");
    end(r.daemon, &r.manager);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(notify__at_a_path__ready_when_it_listens_and_stopping_when_it_drains),
    cmocka_unit_test(notify__at_an_abstract_name__likewise),
    cmocka_unit_test(notify__a_socket_that_is_none__is_warned_of_and_the_daemon_serves),
    cmocka_unit_test(notify__nobody_at_the_socket__does_not_keep_it_from_serving),
    cmocka_unit_test(notify__a_journal_to_read_at_the_start__asks_for_more_time),
    cmocka_unit_test(watchdog__an_idle_daemon__feeds_it),
    cmocka_unit_test(watchdog__of_another_process__is_left_alone),
    cmocka_unit_test(watchdog__a_commit_that_hangs__is_not_fed_though_the_loop_turns),
    cmocka_unit_test(activation__a_socket_of_each_kind__takes_the_place_of_the_configured_ones),
    cmocka_unit_test(activation__one_kind__leaves_the_others_as_configured),
    cmocka_unit_test(activation__a_restart__refuses_no_client_and_keeps_the_file),
    cmocka_unit_test(activation__what_is_no_such_socket__is_refused_by_name),
    cmocka_unit_test(activation__an_open_address__is_refused_unless_asked_for),
    cmocka_unit_test(activation__meant_for_another_process__is_nobodys),
    cmocka_unit_test(reload__another_catalogue_mode__holds_for_the_next_record),
    cmocka_unit_test(reload__limits_and_log_level__hold_from_then_on),
    cmocka_unit_test(reload__what_is_logged_of_requests__holds_for_the_next),
    cmocka_unit_test(reload__who_may__holds_for_the_next_request),
    cmocka_unit_test(reload__hosts_and_origins__are_those_of_the_new_lists),
    cmocka_unit_test(reload__origins_while_a_body_is_to_come__its_answer_names_the_one_it_had),
    cmocka_unit_test(reload__origins_while_a_reader_is_slow__each_answer_is_of_one_list),
    cmocka_unit_test(reload__a_user_that_there_is_not__changes_nothing),
    cmocka_unit_test(reload__a_bad_file__changes_nothing_and_says_what_is_wrong_where),
    cmocka_unit_test(reload__a_fifo_for_a_file__changes_nothing_and_holds_nobody_up),
    cmocka_unit_test(reload__asked_for_while_one_is_under_way__happens_after_it),
    cmocka_unit_test(reload__what_takes_a_restart__is_named_and_stays),
};

TESTKIT_MAIN(tests)
