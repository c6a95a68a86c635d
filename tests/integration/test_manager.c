/* The daemon under a service manager, which this test is: what it is told, and when the watchdog is
 * fed. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/manager.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

/* --- what it is told -------------------------------------------------------------------------- */

static void check_ready_and_stopping(bool abstract)
{
    struct manager manager = manager_open(abstract);
    const char *const env[] = {manager.env, NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    const char *first = manager_next(&manager, SOCK_PATIENCE_MS);
    assert_non_null(first);
    assert_string_equal(first, "READY=1\nSTATUS=Serving");
    daemon_process_signal(daemon, SIGTERM);
    assert_contains(manager_await(&manager, "STOPPING=1"), "STATUS=");
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
    assert_non_null(manager_await(&manager, "READY=1"));
    http_once(daemon_process_http(daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
    daemon_process_kill(daemon);
    daemon_process_restart(daemon);
    assert_contains(manager_next(&manager, SOCK_PATIENCE_MS), "EXTEND_TIMEOUT_USEC=60000000\n");
    assert_non_null(manager_await(&manager, "READY=1"));
    manager_end(&manager, daemon);
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
        assert_string_equal(manager_await(&manager, "WATCHDOG"), "WATCHDOG=1");
    }
    manager_end(&manager, daemon);
}

static void watchdog__of_another_process__is_left_alone(void **state)
{
    (void)state;
    struct manager manager = manager_open(false);
    const char *const env[] = {manager.env, "WATCHDOG_USEC=1000", "WATCHDOG_PID=1", NULL};
    struct daemon_process *daemon = daemon_process_start(&(struct daemon_options){.env = env});
    assert_non_null(manager_await(&manager, "READY=1"));
    assert_null(manager_next(&manager, 100)); /* a hundred times the watchdog's time */
    manager_end(&manager, daemon);
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
    assert_non_null(manager_await(&manager, "WATCHDOG=1"));
    create_customer(daemon, &writing);
    daemon_process_await_stderr(daemon, "a commit hangs");
    assert_non_null(manager_await(&manager, "STATUS=A commit hangs"));
    assert_null(manager_next(&manager, 3 * WATCHDOG_MS));
    http_once(daemon_process_http(daemon), "GET", "/healthz", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
    http_close(&writing);
    daemon_process_kill(daemon);
    daemon_process_destroy(daemon);
    close(manager.fd);
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
};

TESTKIT_MAIN(tests)
