/* The kit's own tests: helpers that cannot tell right from wrong would make every test above them
 * worthless.  The daemon here is tests/lib/fake_billingd, the peers of the clients are threads. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

/* --- the kit ---------------------------------------------------------------------------------- */

static void rng__same_name__same_numbers(void **state)
{
    (void)state;
    struct rng a = rng_make("a");
    struct rng again = rng_make("a");
    struct rng b = rng_make("b");
    uint64_t first = rng_next(&a);
    assert_u64(rng_next(&again), first);
    assert_true(rng_next(&b) != first);
    assert_true(rng_next(&a) != first);
    for (int i = 0; i < 1000; i++) {
        int64_t n = rng_between(&a, -3, 3);
        assert_true(n >= -3 && n <= 3);
        assert_true(rng_below(&a, 7) < 7);
    }
    IGNORE(rng_between(&a, INT64_MIN, INT64_MAX) == 0); /* must not trip over its width */
}

static void files__written__read_back(void **state)
{
    (void)state;
    const char *path = testkit_format("%s/file", testkit_tmpdir());
    char data[100001];
    size_t bytes;
    struct rng rng = rng_make("files");
    rng_fill(&rng, data, sizeof data);
    testkit_write_file(path, data, sizeof data);
    char *back = testkit_read_file(path, &bytes);
    assert_u64(bytes, sizeof data);
    assert_memory_equal(back, data, sizeof data);
    free(back);
    testkit_write_file(path, NULL, 0);
    back = testkit_read_file(path, &bytes);
    assert_text(back, bytes, "");
    free(back);
}

static void tmpdir__twice__two_private_ones(void **state)
{
    (void)state;
    struct stat info;
    const char *a = testkit_tmpdir();
    assert_string_not_equal(a, testkit_tmpdir());
    assert_int_equal(stat(a, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void shared_data__absent__null(void **state)
{
    (void)state;
    assert_null(testkit_shared_data("no-such-file"));
}

static void end__many_failures__is_one(void **state)
{
    (void)state;
    assert_int_equal(testkit_end(0), 0);
    assert_int_equal(testkit_end(256), 1);
}

/* --- the daemon ------------------------------------------------------------------------------- */

static struct daemon_options fake_options(void)
{
    return (struct daemon_options){
        .program = testkit_format("%s/tests/lib/fake_billingd", testkit_source_dir()),
    };
}

static void daemon__ready__addresses_known(void **state)
{
    (void)state;
    const char *const args[] = {"--currency", "EUR", NULL};
    struct daemon_options options = fake_options();
    options.args = args;
    struct daemon_process *daemon = daemon_process_start(&options);
    assert_contains(daemon_process_unix(daemon), "unix:/");
    assert_contains(daemon_process_url(daemon), "unix:///");
    assert_string_equal(daemon_process_tcp(daemon), "tcp:127.0.0.1:41001");
    assert_string_equal(daemon_process_http(daemon), "127.0.0.1:41002");
    assert_contains(daemon_process_stderr(daemon), "argument=\"EUR\"");
    daemon_process_stop(daemon);
    assert_contains(daemon_process_stderr(daemon), "msg=stopped");
    daemon_process_destroy(daemon);
}

static void daemon__restarted__same_data(void **state)
{
    (void)state;
    struct daemon_options options = fake_options();
    struct daemon_process *daemon = daemon_process_start(&options);
    daemon_process_kill(daemon);
    daemon_process_restart(daemon);
    daemon_process_stop(daemon);
    size_t bytes;
    char *starts =
        testkit_read_file(testkit_format("%s/starts", daemon_process_data_dir(daemon)), &bytes);
    assert_text(starts, bytes, "starts=x\nstarts=x\n");
    free(starts);
    daemon_process_destroy(daemon);
}

static void daemon__refuses_to_start__status_and_words(void **state)
{
    (void)state;
    static const char *const env[] = {"FAKE_MODE=refuse", NULL};
    struct daemon_options options = fake_options();
    options.env = env;
    struct daemon_process *daemon = daemon_process_spawn(&options);
    daemon_process_await_stderr(daemon, "cannot start");
    assert_int_equal(daemon_process_wait(daemon), 1);
    daemon_process_destroy(daemon);
}

static void daemon__ends_badly__seen(void **state)
{
    (void)state;
    static const char *const stuck[] = {"FAKE_MODE=stuck", NULL};
    static const char *const die[] = {"FAKE_MODE=die", NULL};
    struct daemon_options options = fake_options();
    options.env = stuck;
    struct daemon_process *daemon = daemon_process_start(&options);
    daemon_process_signal(daemon, SIGTERM);
    assert_int_equal(daemon_process_wait(daemon), 3);
    daemon_process_destroy(daemon);
    options.env = die;
    daemon = daemon_process_start(&options);
    assert_int_equal(daemon_process_wait(daemon), DAEMON_KILLED_BY + SIGABRT);
    daemon_process_destroy(daemon);
}

/* --- the clients ------------------------------------------------------------------------------ */

/* A peer: sends SCRIPT byte by byte, then ends the stream; keeps what it gets. */
struct peer {
    int fd;
    const uint8_t *script;
    size_t script_bytes;
    char got[65536];
    size_t got_bytes;
    pthread_t thread;
};

static void *run_peer(void *arg)
{
    struct peer *peer = arg;
    for (size_t i = 0; i < peer->script_bytes; i++) {
        if (sock_send(peer->fd, peer->script + i, 1, testkit_now_ms() + SOCK_PATIENCE_MS, NULL) !=
            SOCK_OK) {
            break;
        }
    }
    sock_finish(peer->fd);
    size_t got;
    while (peer->got_bytes < sizeof peer->got &&
           sock_receive(peer->fd, peer->got + peer->got_bytes, sizeof peer->got - peer->got_bytes,
                        testkit_now_ms() + SOCK_PATIENCE_MS, &got) == SOCK_OK) {
        peer->got_bytes += got;
    }
    close(peer->fd);
    return NULL;
}

/* Start a peer; returns our end. */
static int peer_start(struct peer *peer, const void *script, size_t bytes)
{
    int fds[2];
    *peer = (struct peer){.script = script, .script_bytes = bytes};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    peer->fd = fds[0];
    assert_int_equal(pthread_create(&peer->thread, NULL, run_peer, peer), 0);
    return fds[1];
}

static struct raw_client raw_to_peer(struct peer *peer, const void *script, size_t bytes)
{
    struct raw_client client = {.fd = peer_start(peer, script, bytes)};
    frame_reader_init(&client.reader, 1024);
    return client;
}

static void raw__answer_in_pieces__whole(void **state)
{
    (void)state;
    static const uint8_t script[] = {0, 0, 0, 2, 0x08, 1, 0, 0, 0, 2, 0x08, 7, 0, 0, 0, 9, 1};
    struct peer peer;
    struct raw_client client = raw_to_peer(&peer, script, sizeof script);
    Billing__V1__GetCustomer call = BILLING__V1__GET_CUSTOMER__INIT;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    call.has_customer_id = 1;
    call.customer_id = raw_bytes("abc");
    request.call_case = BILLING__V1__REQUEST__CALL_GET_CUSTOMER;
    request.get_customer = &call;
    Billing__V1__Response *response = raw_client_call(&client, &request);
    billing__v1__response__free_unpacked(response, NULL);
    assert_int_equal(raw_client_receive(&client, SOCK_PATIENCE_MS, &response), SOCK_OK);
    assert_u64(response->call_id, 7);
    billing__v1__response__free_unpacked(response, NULL);
    /* the third is cut */
    assert_int_equal(raw_client_receive(&client, SOCK_PATIENCE_MS, &response), SOCK_GARBAGE);
    raw_client_finish(&client);
    pthread_join(peer.thread, NULL);
    assert_int_equal(raw_client_wait_close(&client, SOCK_PATIENCE_MS, NULL), SOCK_CLOSED);
    raw_client_close(&client);

    static const uint8_t sent[] = {0, 0, 0, 9, 0x08, 1, 0x5a, 5, 0x0a, 3, 'a', 'b', 'c'};
    assert_u64(peer.got_bytes, sizeof sent);
    assert_memory_equal(peer.got, sent, sizeof sent);
}

static void raw__bad_answers__told_apart(void **state)
{
    (void)state;
    static const uint8_t too_long[] = {0, 0, 4, 1};
    static const uint8_t not_protobuf[] = {0, 0, 0, 1, 0xff};
    static const struct {
        const uint8_t *script;
        size_t bytes;
        enum sock_result result;
    } cases[] = {
        {too_long, sizeof too_long, SOCK_GARBAGE},
        {not_protobuf, sizeof not_protobuf, SOCK_GARBAGE},
        {NULL, 0, SOCK_CLOSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer peer;
        Billing__V1__Response *response;
        struct raw_client client = raw_to_peer(&peer, cases[i].script, cases[i].bytes);
        assert_int_equal(raw_client_receive(&client, SOCK_PATIENCE_MS, &response), cases[i].result);
        raw_client_close(&client);
        pthread_join(peer.thread, NULL);
    }
}

static void raw__silence__timeout(void **state)
{
    (void)state;
    int fds[2];
    Billing__V1__Response *response;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct raw_client client = {.fd = fds[1]};
    frame_reader_init(&client.reader, 1024);
    assert_int_equal(raw_client_receive(&client, 20, &response), SOCK_TIMEOUT);
    assert_int_equal(raw_client_wait_close(&client, 20, NULL), SOCK_TIMEOUT);
    close(fds[0]);
    assert_int_equal(raw_client_receive(&client, 20, &response), SOCK_CLOSED);
    assert_int_equal(raw_client_send(&client, "x", 1), SOCK_RESET);
    raw_client_close(&client);
}

static struct http_conn http_to_peer(struct peer *peer, const char *script)
{
    return (struct http_conn){.fd = peer_start(peer, script, strlen(script))};
}

static void http__three_answers__each_whole(void **state)
{
    (void)state;
    struct peer peer;
    struct http_conn conn =
        http_to_peer(&peer, "HTTP/1.1 100 Continue\r\n\r\n"
                            "HTTP/1.1 201 Created\r\ncontent-length: 5\r\nX-Y:\t z\r\n\r\nhello"
                            "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close"
                            "\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n");
    struct http_reply reply;
    const char *const headers[] = {"X-Request-Id: r1", NULL};
    http_call(&conn, "POST", "/p", headers, "{}", &reply);
    assert_int_equal(reply.status, 201);
    assert_string_equal(http_reply_header(&reply, "x-y"), "z");
    assert_null(http_reply_header(&reply, "x"));
    assert_text(reply.body, reply.body_bytes, "hello");
    assert_false(reply.will_close);
    http_reply_done(&reply);
    http_call(&conn, "HEAD", "/h", NULL, NULL, &reply);
    assert_text(reply.body, reply.body_bytes, "");
    http_reply_done(&reply);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_true(reply.chunked);
    assert_true(reply.will_close);
    assert_text(reply.body, reply.body_bytes, "abc0123456789");
    http_reply_done(&reply);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_CLOSED);
    http_close(&conn);
    pthread_join(peer.thread, NULL);
    assert_text(peer.got, peer.got_bytes,
                "POST /p HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r1\r\n"
                "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                "HEAD /h HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static void http__malformed_answers__garbage(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct peer peer;
        struct http_reply reply;
        struct http_conn conn = http_to_peer(&peer, scripts[i]);
        enum sock_result result = http_receive(&conn, SOCK_PATIENCE_MS, &reply);
        if (result != SOCK_GARBAGE) {
            testkit_fail("'%s' is taken: %s", scripts[i], sock_result_name(result));
        }
        http_close(&conn);
        pthread_join(peer.thread, NULL);
    }
}

static void connect__bad_addresses__refused(void **state)
{
    (void)state;
    const char *const addresses[] = {
        "",
        "udp:127.0.0.1:1",
        "tcp:127.0.0.1",
        "tcp:localhost:80", /* names could leave the machine */
        "tcp:[:80",
        "tcp:[]:80",
        testkit_format("unix:%s/nobody", testkit_tmpdir()),
        testkit_format("unix:/%0200d", 0),
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (sock_connect(addresses[i]) >= 0) {
            testkit_fail("connected to '%s'", addresses[i]);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rng__same_name__same_numbers),
    cmocka_unit_test(files__written__read_back),
    cmocka_unit_test(tmpdir__twice__two_private_ones),
    cmocka_unit_test(shared_data__absent__null),
    cmocka_unit_test(end__many_failures__is_one),
    cmocka_unit_test(daemon__ready__addresses_known),
    cmocka_unit_test(daemon__restarted__same_data),
    cmocka_unit_test(daemon__refuses_to_start__status_and_words),
    cmocka_unit_test(daemon__ends_badly__seen),
    cmocka_unit_test(raw__answer_in_pieces__whole),
    cmocka_unit_test(raw__bad_answers__told_apart),
    cmocka_unit_test(raw__silence__timeout),
    cmocka_unit_test(http__three_answers__each_whole),
    cmocka_unit_test(http__malformed_answers__garbage),
    cmocka_unit_test(connect__bad_addresses__refused),
};

TESTKIT_MAIN(tests)
