/* What a real daemon says of itself: its log, its metrics, its reports; and what it never says. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/lib/daemon.h"
#include "tests/lib/exposition.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/sentry.h"
#include "tests/lib/tamper.h"
#include "tests/lib/testkit.h"

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* --- asking ----------------------------------------------------------------------------------- */

/* Ask over HTTP, and drop the answer but for its status. */
static int ask(struct daemon_process *daemon, const char *method, const char *target,
               const char *const *headers, const char *body)
{
    struct http_reply reply;
    http_once(daemon_process_http(daemon), method, target, headers, body, &reply);
    int status = reply.status;
    http_reply_done(&reply);
    return status;
}

static struct exposition read_metrics(struct daemon_process *daemon)
{
    struct http_reply reply;
    http_once(daemon_process_http(daemon), "GET", "/metrics", NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(http_reply_header(&reply, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    struct exposition metrics = exposition_read(testkit_format("%s", reply.body));
    http_reply_done(&reply);
    return metrics;
}

static void connect_raw(struct raw_client *client, const char *address)
{
    if (!raw_client_open(client, address)) {
        testkit_fail("cannot connect to %s", address);
    }
}

/* Create a customer called NAME over RPC, with what REQUEST has beside the call. */
static void create_customer(struct raw_client *client, Billing__V1__Request *request,
                            const char *name)
{
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = true;
    create.customer_name = raw_bytes(name);
    request->call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    request->create_customer = &create;
    billing__v1__response__free_unpacked(raw_client_call(client, request), NULL);
    request->create_customer = NULL;
    request->call_case = BILLING__V1__REQUEST__CALL__NOT_SET;
}

/* --- the log ---------------------------------------------------------------------------------- */

static void log__each_request__has_a_line_with_trace_door_and_outcome(void **state)
{
    static const char *const trace[] = {"traceparent: " TRACEPARENT, "X-Request-Id: job-17", NULL};
    static const char *const twice[] = {"traceparent: " TRACEPARENT, "traceparent: " TRACEPARENT,
                                        "X-Request-Id: job-18", NULL};
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    (void)state;
    const char *body = "{\"customer_name\": \"A\"}";
    assert_int_equal(ask(daemon, "POST", "/api/v1/customers", trace, body), 201);
    assert_int_equal(ask(daemon, "POST", "/api/v1/customers", trace, body), 201);
    assert_int_equal(ask(daemon, "POST", "/api/v1/customers", twice, body), 201);
    assert_int_equal(ask(daemon, "GET", "/nowhere", NULL, NULL), 404);
    connect_raw(&client, daemon_process_unix(daemon));
    request.has_traceparent = true;
    request.traceparent = raw_bytes(TRACEPARENT);
    create_customer(&client, &request, "B");
    raw_client_close(&client);
    daemon_process_await_stderr(
        daemon, testkit_format("door=unix method=CreateCustomer identity=uid:%u request_id=",
                               (unsigned)getuid()));
    const char *text = daemon_process_stderr(daemon);
    assert_contains(text, "level=info area=rpc msg=request door=http method=CreateCustomer "
                          "identity=anonymous request_id=job-17 traceparent=" TRACEPARENT
                          " outcome=recorded status=201 us=");
    assert_contains(text, "request_id=job-17 traceparent=" TRACEPARENT
                          " outcome=replayed status=201 us=");
    assert_contains(text, "request_id=job-18 outcome=recorded status=201 us=");
    assert_contains(text, " outcome=path_not_found status=404 us=");
    const char *rpc = strstr(text, "door=unix method=CreateCustomer");
    assert_contains(rpc, " traceparent=" TRACEPARENT " outcome=recorded status=200 us=");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void log__json__every_line_is_an_object(void **state)
{
    static const char *const args[] = {"--log-format=json", "--log-payloads", "--log-level=debug",
                                       NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *daemon = daemon_process_spawn(&options);
    (void)state;
    daemon_process_await_stderr(daemon, "\"msg\":\"ready\"");
    daemon_process_signal(daemon, SIGTERM);
    assert_int_equal(daemon_process_wait(daemon), 0);
    const char *text = daemon_process_stderr(daemon);
    unsigned n = 0;
    for (const char *at = text; *at != '\0'; n++) {
        size_t length = strcspn(at, "\n");
        json_object *line = json_tokener_parse(testkit_format("%.*s", (int)length, at));
        assert_non_null(line);
        assert_u64(strlen(sentry_text(line, "time")), strlen("2026-11-22T11:01:38.000000Z"));
        assert_non_null(sentry_text(line, "level"));
        assert_non_null(sentry_text(line, "area"));
        json_object_put(line);
        at += length + 1;
    }
    assert_true(n >= 5);
    daemon_process_destroy(daemon);
}

/* Run billingd with ARGS and its stderr at FD, and JOURNAL_STREAM in its environment unless that is
 * NULL.  Returns its pid. */
static pid_t run_billingd(int fd, const char *const *args, const char *journal_stream)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(fd, STDERR_FILENO) >= 0 &&
            (journal_stream == NULL || setenv("JOURNAL_STREAM", journal_stream, 1) == 0)) {
            execv(testkit_billingd(), (char *const *)(uintptr_t)args);
        }
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;
    assert_i64(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void log__the_journal__gets_priorities_and_keeps_its_own_time(void **state)
{
    const char *path = testkit_format("%s/log", testkit_tmpdir());
    const char *data = testkit_format("%s/data", testkit_tmpdir());
    struct stat file = {0};
    (void)state;
    testkit_write_file(data, "a file where a directory should be", 34);
    const char *args[] = {"billingd", "--check", "--data-dir", data, NULL};
    int fd = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && fstat(fd, &file) == 0);
    const char *stream = testkit_format("%llu:%llu", (unsigned long long)file.st_dev,
                                        (unsigned long long)file.st_ino);
    assert_int_equal(wait_for(run_billingd(fd, args, stream)), 1);
    assert_int_equal(wait_for(run_billingd(fd, args, "1:1")), 1);
    char *text = testkit_read_file(path, NULL);
    assert_memory_equal(text, "<3>level=error area=store msg=\"cannot open the store\" ", 53);
    assert_contains(text, "\ntime=20");
    free(text);
    close(fd);
}

/* --- nobody waits for who reads the log ------------------------------------------------------- */

struct slow_reader {
    int fd;
    char text[65536]; /* since it was last forgotten */
    size_t length;
};

/* Read on until TEXT has come. */
static void read_until(struct slow_reader *reader, const char *text)
{
    reader->length = 0;
    reader->text[0] = '\0';
    while (strstr(reader->text, text) == NULL) {
        if (reader->length > sizeof reader->text / 2) { /* keep what may be half a line */
            reader->length /= 2;
            memmove(reader->text, reader->text + reader->length, reader->length);
        }
        ssize_t n = read(reader->fd, reader->text + reader->length,
                         sizeof reader->text - 1 - reader->length);
        assert_true(n > 0);
        reader->length += (size_t)n;
        reader->text[reader->length] = '\0';
    }
}

static void check_health(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CheckHealth check = BILLING__V1__CHECK_HEALTH__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_CHECK_HEALTH;
    request.check_health = &check;
    billing__v1__response__free_unpacked(raw_client_call(client, &request), NULL);
}

static void log__nobody_reads_it__requests_go_on_and_it_says_what_was_dropped(void **state)
{
    const char *directory = testkit_tmpdir();
    const char *address = testkit_format("unix:%s/sock", directory);
    const char *args[] = {"billingd", "--data-dir", testkit_format("%s/data", directory),
                          "--listen", address,      "--log-requests-per-second-max=1000000",
                          NULL};
    struct slow_reader *reader = testkit_alloc(sizeof *reader);
    struct raw_client client;
    int fds[2];
    (void)state;
    assert_i64(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = run_billingd(fds[1], args, NULL);
    close(fds[1]);
    reader->fd = fds[0];
    read_until(reader, "msg=ready");
    connect_raw(&client, address);
    for (unsigned i = 0; i < 3000; i++) {
        check_health(&client); /* a pipe holds the lines of hundreds: were the log waited for, no
                                  answer would come */
    }
    raw_client_close(&client);
    read_until(reader, "msg=\"log lines were dropped: stderr had no room\" count=");
    assert_i64(kill(pid, SIGTERM), 0);
    read_until(reader, "msg=stopped");
    assert_int_equal(wait_for(pid), 0);
    close(fds[0]);
}

/* --- secrets ---------------------------------------------------------------------------------- */

#define SECRET "s3cr3t-t0ken-xyzzy"

static void plant_over_http(struct daemon_process *daemon)
{
    static const char *const bearer[] = {"Authorization: Bearer " SECRET, NULL};
    static const char *const basic[] = {"Authorization: Basic " SECRET, NULL};
    static const char *const others[] = {
        "X-Api-Key: " SECRET,           "Cookie: token=" SECRET,      "traceparent: 00-" SECRET,
        "Proxy-Authorization: " SECRET, "Content-Type: text/" SECRET, NULL};
    const char *body = "{\"customer_name\": \"A\"}";
    ask(daemon, "GET", "/api/v1/customers", bearer, NULL);
    ask(daemon, "POST", "/api/v1/customers", bearer, body);
    ask(daemon, "POST", "/api/v1/customers", basic, body);
    ask(daemon, "POST", "/api/v1/customers", others, body);
    ask(daemon, "GET", "/metrics", bearer, NULL);
    ask(daemon, "GET", "/api/v1/customers?token=" SECRET, NULL, NULL);
    ask(daemon, "GET", "/api/v1/customers?" SECRET "=1", NULL, NULL);
    ask(daemon, "GET", "/healthz?access_token=" SECRET, NULL, NULL);
    ask(daemon, "GET", "/" SECRET, NULL, NULL);
    ask(daemon, "DELETE", "/api/v1/keys/" SECRET, NULL, NULL);
    ask(daemon, "POST", "/api/v1/customers", NULL,
        "{\"customer_name\": \"A\", \"token\": \"" SECRET "\"}");
    ask(daemon, "POST", "/api/v1/customers", NULL, "{\"customer_name\": " SECRET "}");
    ask(daemon, "POST", "/api/v1/usage/batch", NULL, "[\"" SECRET "\"]");
}

/* Bytes that are no acceptable request, over a connection of their own. */
static void plant_raw_http(struct daemon_process *daemon, const char *bytes)
{
    struct http_conn conn;
    struct http_reply reply;
    assert_true(http_open(&conn, daemon_process_http(daemon)));
    assert_int_equal(http_send(&conn, bytes, strlen(bytes)), SOCK_OK);
    if (http_receive(&conn, SOCK_PATIENCE_MS, &reply) == SOCK_OK) {
        http_reply_done(&reply);
    }
    http_close(&conn);
}

static void plant_over_rpc(const char *address)
{
    static const char garbage[] = "\377\377\377" SECRET;
    static const char half[] = {0, 0, 1, 0};
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    connect_raw(&client, address);
    request.has_token = request.has_traceparent = true;
    request.token = raw_bytes(SECRET);
    request.traceparent = raw_bytes("00-" SECRET);
    create_customer(&client, &request, "A");
    raw_client_close(&client);
    connect_raw(&client, address);
    assert_int_equal(raw_client_send_frame(&client, garbage, sizeof garbage - 1), SOCK_OK);
    raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL);
    raw_client_close(&client);
    connect_raw(&client, address);
    assert_int_equal(raw_client_send(&client, half, sizeof half), SOCK_OK);
    assert_int_equal(raw_client_send(&client, SECRET, strlen(SECRET)), SOCK_OK);
    raw_client_finish(&client);
    raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL);
    raw_client_close(&client);
    connect_raw(&client, address); /* HTTP, at the wrong door */
    const char *http = "GET / HTTP/1.1\r\nAuthorization: Bearer " SECRET "\r\n\r\n";
    assert_int_equal(raw_client_send(&client, http, strlen(http)), SOCK_OK);
    raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL);
    raw_client_close(&client);
}

/* Ask for a key, as an administrator.  The secret that was answered. */
static const char *create_key(struct daemon_process *daemon)
{
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateKey create = BILLING__V1__CREATE_KEY__INIT;
    connect_raw(&client, daemon_process_unix(daemon));
    create.has_name = create.has_role = true;
    create.name = raw_bytes("robot");
    create.role = BILLING__V1__ROLE__READER;
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_KEY;
    request.create_key = &create;
    Billing__V1__Response *response = raw_client_call(&client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_KEY);
    ProtobufCBinaryData secret = response->create_key->key;
    const char *key = testkit_format("%.*s", (int)secret.len, (const char *)secret.data);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&client);
    return key;
}

static void secrets__through_every_door_and_in_wrong_places__are_never_logged(void **state)
{
    static const char *const args[] = {"--listen=tcp:127.0.0.1:0", "--log-payloads",
                                       "--log-level=debug", "--log-requests-per-second-max=1000000",
                                       NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *daemon = daemon_process_start(&options);
    (void)state;
    plant_over_http(daemon);
    plant_raw_http(daemon, "GET /?" SECRET " HTTP/9.9\r\n\r\n");
    plant_raw_http(daemon,
                   "GET / HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer " SECRET "\r\n\r\n");
    plant_raw_http(daemon, SECRET "\r\n\r\n");
    plant_over_rpc(daemon_process_unix(daemon));
    plant_over_rpc(daemon_process_tcp(daemon));
    const char *key = create_key(daemon);
    const char *const bearer[] = {testkit_format("Authorization: Bearer %s", key), NULL};
    assert_int_equal(ask(daemon, "GET", "/api/v1/server", bearer, NULL), 200);
    daemon_process_stop(daemon);
    const char *text = daemon_process_stderr(daemon);
    if (strstr(text, SECRET) != NULL || strstr(text, key) != NULL) {
        testkit_fail("a secret is in the log:\n%s", text);
    }
    assert_contains(text, "payload="); /* so much was logged */
    assert_contains(text, "outcome=malformed_frame");
    assert_contains(text, "outcome=malformed_http");
    assert_contains(text, "door=tcp");
    daemon_process_destroy(daemon);
}

/* --- reports ---------------------------------------------------------------------------------- */

static void report__damaged_data__is_a_500_that_is_reported(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    const char *args[] = {testkit_format("--sentry-dsn=%s", sentry_dsn(sentry)),
                          "--sentry-environment=testing", NULL};
    static const char *const env[] = {"no_proxy=*", NULL};
    struct daemon_options options = {.args = args, .env = env};
    struct daemon_process *daemon = daemon_process_start(&options);
    (void)state;
    static const char *const id[] = {"X-Request-Id: its-request-id", NULL};
    const char *body = "{\"customer_name\": \"Damaged\"}";
    assert_int_equal(ask(daemon, "POST", "/api/v1/customers", id, body), 201);
    for (unsigned i = 0; i < 3; i++) { /* a start looks at the last ones */
        ask(daemon, "POST", "/api/v1/customers", NULL, "{\"customer_name\": \"Sound\"}");
    }
    daemon_process_stop(daemon);
    tamper_record(&(struct tamper){.data_dir = daemon_process_data_dir(daemon),
                                   .seq = 1,
                                   .text = "Damaged",
                                   .at = -1,
                                   .mask = 1});
    daemon_process_restart(daemon);
    assert_int_equal(ask(daemon, "POST", "/api/v1/customers", id, body), 500);
    sentry_wait(sentry, 1);
    json_object *event = sentry_event(sentry, 0);
    assert_string_equal(sentry_text(event, "message.formatted"), "request failed");
    assert_string_equal(sentry_text(event, "tags.method"), "CreateCustomer");
    assert_string_equal(sentry_text(event, "tags.code"), "storage_damaged");
    assert_string_equal(sentry_text(event, "environment"), "testing");
    assert_null(strstr(sentry_request(sentry, 0), "Damaged"));
    assert_null(strstr(sentry_request(sentry, 0), "its-request-id"));
    json_object_put(event);
    struct exposition metrics = read_metrics(daemon);
    assert_true(exposition_value(&metrics, "billingd_requests_total{method=\"CreateCustomer\","
                                           "outcome=\"storage_damaged\"}") == 1);
    daemon_process_stop(daemon);
    assert_contains(daemon_process_stderr(daemon),
                    "level=error area=rpc msg=\"request failed\" door=http method=CreateCustomer ");
    daemon_process_destroy(daemon);
    sentry_stop(sentry);
}

/* Let a daemon start whose data directory, DATA, is a file, and end, until SENTRY has its report:
 * the daemon waits two seconds for it, which on a slow machine may be too short for once. */
static void fail_to_start(struct sentry *sentry, const char *data)
{
    enum { TRIES = 50 };
    const char *args[] = {"--data-dir", data, "--sentry-dsn", sentry_dsn(sentry), NULL};
    static const char *const env[] = {"no_proxy=*", NULL};
    struct daemon_options options = {.args = args, .env = env, .only_args = true};
    testkit_write_file(data, "a file where a directory should be", 34);
    for (unsigned i = 1; sentry_count(sentry) == 0; i++) {
        assert_true(i <= TRIES);
        struct daemon_process *daemon = daemon_process_spawn(&options);
        assert_int_equal(daemon_process_wait(daemon), 1);
        daemon_process_destroy(daemon);
        assert_true(sentry_count(sentry) <= i);
    }
}

static void report__a_start_that_fails__is_reported_before_the_end(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    const char *data = testkit_format("%s/data", testkit_tmpdir());
    (void)state;
    fail_to_start(sentry, data);
    json_object *event = sentry_event(sentry, 0);
    assert_string_equal(sentry_text(event, "message.formatted"), "cannot open the store");
    assert_string_equal(sentry_text(event, "environment"), "production");
    assert_null(strstr(sentry_request(sentry, 0), data));
    json_object_put(event);
    sentry_stop(sentry);
}

static void report__a_receiver_that_hangs__holds_up_neither_requests_nor_the_end(void **state)
{
    struct sentry *sentry = sentry_start(NULL);
    (void)state;
    fail_to_start(sentry, testkit_format("%s/data", testkit_tmpdir())); /* it never lets go */
    sentry_stop(sentry);
}

static void sentry_dsn__malformed__is_said_at_start(void **state)
{
    static const char *const args[] = {"--sentry-dsn=https://sentry.example/7", NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *daemon = daemon_process_spawn(&options);
    (void)state;
    assert_int_equal(daemon_process_wait(daemon), 2);
    assert_contains(daemon_process_stderr(daemon), "--sentry-dsn: this is not a DSN");
    daemon_process_destroy(daemon);
}

/* --- metrics ---------------------------------------------------------------------------------- */

static double difference(const struct exposition *before, const struct exposition *after,
                         const char *series)
{
    return exposition_value(after, series) - exposition_value(before, series);
}

/* What comes in its own time: the sealer is at it, and the log leaves out what is more than one
 * request a second, of which each look is one. */
static bool is_sealed_and_left_out(const struct exposition *before, const struct exposition *after)
{
    return exposition_value(after, "billingd_store_segments") > 0 &&
           exposition_value(after, "billingd_store_head_records") < 20 &&
           difference(before, after, "billingd_log_requests_left_out_total") > 10;
}

static void metrics__of_a_daemon_at_work__move(void **state)
{
    static const char *const args[] = {"--store=lmdb:?head_records=3",
                                       "--log-requests-per-second-max=1", NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *daemon = daemon_process_start(&options);
    struct raw_client client;
    (void)state;
    struct exposition before = read_metrics(daemon);
    connect_raw(&client, daemon_process_unix(daemon));
    for (unsigned i = 0; i < 20; i++) {
        Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
        create_customer(&client, &request, "A");
    }
    struct exposition after = read_metrics(daemon);
    while (!is_sealed_and_left_out(&before, &after)) {
        after = read_metrics(daemon);
    }
    assert_true(difference(&before, &after, "billingd_records_total") == 20);
    assert_true(difference(&before, &after, "billingd_commit_records_sum") == 20);
    assert_true(difference(&before, &after, "billingd_connections{door=\"unix\"}") == 1);
    assert_true(exposition_value(&after, "billingd_connections{door=\"http\"}") == 1);
    assert_true(difference(&before, &after,
                           "billingd_requests_total{method=\"metrics\","
                           "outcome=\"ok\"}") >= 1);
    assert_true(difference(&before, &after,
                           "billingd_request_duration_seconds_count{kind=\"write\"}") == 20);
    assert_true(
        difference(&before, &after, "billingd_request_duration_seconds_count{kind=\"here\"}") >= 1);
    assert_true(difference(&before, &after, "billingd_store_used_bytes") > 0);
    assert_true(exposition_value(&after, "billingd_store_map_size_bytes") == 1099511627776.0);
    assert_true(exposition_value(&after, "billingd_store_size_bytes") >=
                exposition_value(&after, "billingd_store_used_bytes"));
    assert_true(exposition_value(&after, "billingd_store_disk_free_bytes") > 0);
    assert_true(exposition_value(&after, "billingd_memory_bytes{room=\"store_head\"}") > 0);
    assert_true(difference(&before, &after, "billingd_log_lines_total{level=\"info\"}") >= 1);
    assert_true(difference(&before, &after, "process_cpu_seconds_total") > 0);
    raw_client_close(&client);
    daemon_process_stop(daemon);
    assert_contains(daemon_process_stderr(daemon), "msg=\"requests were left out of the log\" ");
    daemon_process_destroy(daemon);
}

/* They are for readers: nobody in particular is told to bring a key, and one of the least role is
 * enough. */
static void metrics__where_keys_are_asked_for__take_one_of_a_reader(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    struct daemon_options options = {.args = args};
    struct daemon_process *daemon = daemon_process_start(&options);
    (void)state;
    const char *const bearer[] = {testkit_format("Authorization: Bearer %s", create_key(daemon)),
                                  NULL};
    assert_int_equal(ask(daemon, "GET", "/metrics", NULL, NULL), 401);
    assert_int_equal(ask(daemon, "GET", "/metrics", bearer, NULL), 200);
    daemon_process_stop(daemon);
    const char *text = daemon_process_stderr(daemon);
    assert_contains(text, "door=http method=metrics identity=anonymous request_id=");
    assert_contains(text, " outcome=unauthenticated status=401 us=");
    assert_contains(text, "door=http method=metrics identity=key:robot request_id=");
    daemon_process_destroy(daemon);
}

/* Where there is a promtool, it has nothing to say against them, not even about their names. */
static void metrics__promtool__has_no_complaint(void **state)
{
    struct http_reply reply;
    (void)state;
    FILE *found = popen("command -v promtool", "re");
    char path[256];
    assert_non_null(found);
    bool there = fgets(path, sizeof path, found) != NULL;
    IGNORE(pclose(found) != 0); /* it is 1 where there is none */
    if (!there) {
        print_message("no promtool here (scripts/install-deps --test brings it): not asked\n");
        skip();
    }
    struct daemon_process *daemon = daemon_process_start(NULL);
    ask(daemon, "POST", "/api/v1/customers", NULL, "{\"customer_name\": \"A\"}");
    ask(daemon, "GET", "/nowhere", NULL, NULL);
    http_once(daemon_process_http(daemon), "GET", "/metrics", NULL, NULL, &reply);
    FILE *check = popen("promtool check metrics >&2", "we");
    assert_non_null(check);
    assert_u64(fwrite(reply.body, 1, reply.body_bytes, check), reply.body_bytes);
    assert_int_equal(pclose(check), 0);
    http_reply_done(&reply);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(log__each_request__has_a_line_with_trace_door_and_outcome),
    cmocka_unit_test(log__json__every_line_is_an_object),
    cmocka_unit_test(log__the_journal__gets_priorities_and_keeps_its_own_time),
    cmocka_unit_test(log__nobody_reads_it__requests_go_on_and_it_says_what_was_dropped),
    cmocka_unit_test(secrets__through_every_door_and_in_wrong_places__are_never_logged),
    cmocka_unit_test(report__damaged_data__is_a_500_that_is_reported),
    cmocka_unit_test(report__a_start_that_fails__is_reported_before_the_end),
    cmocka_unit_test(report__a_receiver_that_hangs__holds_up_neither_requests_nor_the_end),
    cmocka_unit_test(sentry_dsn__malformed__is_said_at_start),
    cmocka_unit_test(metrics__of_a_daemon_at_work__move),
    cmocka_unit_test(metrics__where_keys_are_asked_for__take_one_of_a_reader),
    cmocka_unit_test(metrics__promtool__has_no_complaint),
};

TESTKIT_MAIN(tests)
