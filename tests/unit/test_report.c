/* Reports of errors: where they go, what they say, and that nobody waits for them. */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "billingd/base/log.h"
#include "billingd/report/dsn.h"
#include "billingd/report/limits.h"
#include "billingd/report/queue.h"
#include "billingd/report/report.h"
#include "tests/lib/sentry.h"
#include "tests/lib/testkit.h"

/* --- DSNs ------------------------------------------------------------------------------------- */

static void dsn__as_sentry_hands_it_out__leads_to_the_envelope_endpoint(void **state)
{
    static const struct {
        const char *dsn;
        const char *url;
        const char *key;
    } cases[] = {
        {"https://examplePublicKey@o0.ingest.sentry.io/0",
         "https://o0.ingest.sentry.io/api/0/envelope/", "examplePublicKey"},
        {"http://abc123@127.0.0.1:9000/7", "http://127.0.0.1:9000/api/7/envelope/", "abc123"},
        {"https://k@[::1]:8443/under/neath/12345",
         "https://[::1]:8443/under/neath/api/12345/"
         "envelope/",
         "k"},
        {"https://public:secret@sentry.example/42", "https://sentry.example/api/42/envelope/",
         "public"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct report_dsn dsn;
        const char *what;
        assert_ok(report_dsn_parse(cases[i].dsn, &dsn, &what));
        assert_string_equal(dsn.url, cases[i].url);
        assert_string_equal(dsn.key, cases[i].key);
    }
}

static void dsn__anything_else__is_refused_with_what_is_wrong(void **state)
{
    static const struct {
        const char *dsn;
        const char *what;
    } cases[] = {
        {"", "https://"},
        {"ftp://k@h/1", "https://"},
        {"HTTPS://k@h/1", "https://"},
        {"https://h/1", "key"},
        {"https://@h/1", "key"},
        {"https://k-1@h/1", "key"},
        {"https://k:s:t@h/1", "key"},
        {"https://k@/1", "host"},
        {"https://k@:80/1", "host"},
        {"https://k@[::1/1", "host"},
        {"https://k@h:/1", "port"},
        {"https://k@h:0/1", "port"},
        {"https://k@h:65536/1", "port"},
        {"https://k@h:1x/1", "path"},
        {"https://k@h", "path"},
        {"https://k@h?x/1", "path"},
        {"https://k@h/1?x=y", "path"},
        {"https://k@h/a b/1", "path"},
        {"https://k@h/\r\nX: y/1", "path"},
        {"https://k@h/", "project"},
        {"https://k@h/1/", "project"},
        {"https://k@h/x", "project"},
        {"https://k@h/123456789012345678901", "project"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct report_dsn dsn;
        const char *what = NULL;
        if (report_dsn_parse(cases[i].dsn, &dsn, &what) == 0) {
            testkit_fail("'%s' is taken", cases[i].dsn);
        }
        assert_contains(what, cases[i].what);
    }
}

static void dsn__too_long__is_refused(void **state)
{
    struct report_dsn dsn;
    const char *what;
    char *text = testkit_alloc(1000);
    (void)state;
    int n = snprintf(text, 1000, "https://k@h/");
    memset(text + n, 'p', 498);
    memcpy(text + n + 498, "/1", 3);
    assert_u64(strlen(text), 512);
    assert_ok(report_dsn_parse(text, &dsn, &what));
    memcpy(text + n + 499, "/1", 3);
    text[n + 498] = 'p';
    assert_true(report_dsn_parse(text, &dsn, &what) < 0);
    assert_contains(what, "512");
}

/* --- the queue -------------------------------------------------------------------------------- */

static void queue__full__refuses_and_keeps_the_order(void **state)
{
    struct report_queue *queue = testkit_alloc(sizeof *queue);
    struct report_event event = {0};
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < REPORT_QUEUE_PLACES; i++) {
            event.time_us = i;
            assert_true(report_queue_put(queue, &event));
        }
        assert_false(report_queue_put(queue, &event));
        assert_u64(report_queue_count(queue), (round + 1) * REPORT_QUEUE_PLACES);
        for (unsigned i = 0; i < REPORT_QUEUE_PLACES; i++) {
            assert_true(report_queue_take(queue, &event));
            assert_i64(event.time_us, i);
        }
        assert_false(report_queue_take(queue, &event));
    }
}

enum {
    PUTTERS = 4,
    PUTS = 20000,
};

struct putter {
    struct report_queue *queue;
    unsigned number;
    unsigned put;
    atomic_bool done;
};

static void *put_many(void *arg)
{
    struct putter *putter = arg;
    for (unsigned i = 1; i <= PUTS; i++) {
        struct report_event event = {.area = putter->number, .time_us = i};
        IGNORE(snprintf(event.message, sizeof event.message, "%u/%u", putter->number, i) < 0);
        putter->put += report_queue_put(putter->queue, &event);
    }
    atomic_store(&putter->done, true);
    return NULL;
}

/* Take what there is; of each putter it comes in order, and whole.  None is taken before it is
 * counted: who waits until so many are dealt with as were put waits for its own. */
static unsigned take_all(struct report_queue *queue, int64_t *last)
{
    struct report_event event;
    char expected[64];
    unsigned n = 0;
    for (; report_queue_take(queue, &event); n++) {
        assert_true(report_queue_count(queue) >= queue->taken);
        assert_true(event.time_us > last[event.area]);
        last[event.area] = event.time_us;
        IGNORE(snprintf(expected, sizeof expected, "%u/%lld", (unsigned)event.area,
                        (long long)event.time_us) < 0); /* fits */
        assert_string_equal(event.message, expected);
    }
    return n;
}

static void queue__many_putters__each_event_whole_and_once(void **state)
{
    struct report_queue *queue = testkit_alloc(sizeof *queue);
    struct putter putters[PUTTERS];
    pthread_t threads[PUTTERS];
    int64_t last[PUTTERS] = {0};
    unsigned taken = 0;
    unsigned put = 0;
    (void)state;
    for (unsigned i = 0; i < PUTTERS; i++) {
        putters[i] = (struct putter){.queue = queue, .number = i};
        assert_i64(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
    }
    unsigned over = 0;
    while (over < PUTTERS) {
        taken += take_all(queue, last);
        if (atomic_load(&putters[over].done)) {
            assert_i64(pthread_join(threads[over], NULL), 0);
            put += putters[over].put;
            over++;
        }
    }
    taken += take_all(queue, last);
    assert_u64(taken, put);
}

/* --- limits ----------------------------------------------------------------------------------- */

#define SECOND_US INT64_C(1000000)

static void limits__one_of_a_kind_a_minute__and_how_many_were_not(void **state)
{
    struct report_limits limits = {0};
    unsigned repeated = 99;
    (void)state;
    assert_true(report_limits_admit(&limits, 1, SECOND_US, &repeated));
    assert_u64(repeated, 0);
    assert_false(report_limits_admit(&limits, 1, 2 * SECOND_US, &repeated));
    assert_false(report_limits_admit(&limits, 1, 61 * SECOND_US - 1, &repeated));
    assert_true(report_limits_admit(&limits, 2, 2 * SECOND_US, &repeated));
    assert_true(report_limits_admit(&limits, 1, 61 * SECOND_US, &repeated));
    assert_u64(repeated, 2);
}

static void limits__more_kinds_than_it_remembers__forgets_the_oldest(void **state)
{
    struct report_limits limits = {0};
    unsigned repeated;
    (void)state;
    for (unsigned i = 0; i <= REPORT_KINDS_MAX; i++) {
        assert_true(report_limits_admit(&limits, i, SECOND_US + i, &repeated));
    }
    assert_false(report_limits_admit(&limits, 1, 2 * SECOND_US, &repeated));
    assert_true(report_limits_admit(&limits, 0, 2 * SECOND_US, &repeated));
}

static void limits__what_the_receiver_wants__is_obeyed(void **state)
{
    static const struct {
        long status;
        int64_t retry_after;
        const char *rate_limits;
        int64_t pause_s; /* 0: none */
    } cases[] = {
        {200, -1, NULL, 0},
        {200, 30, NULL, 0}, /* it took it */
        {429, 30, NULL, 30},
        {429, -1, NULL, 60},
        {503, 5, NULL, 5},
        {500, -1, NULL, 0},
        {429, 1000000000, NULL, 86400},
        {200, -1, "20::organization", 20},
        {429, 5, "20:error:project", 20},
        {429, 5, "20:default;error;transaction:organization", 20},
        {200, -1, "20:transaction:organization", 0},
        {200, -1, "9:transaction:organization, 40:error:key", 40},
        {200, -1, "50:error:key, 40:error:key", 50},
        {200, -1, "nonsense", 0},
        {200, -1, "20:errors:key", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct report_limits limits = {0};
        unsigned repeated;
        report_limits_note(&limits, cases[i].status, cases[i].retry_after, cases[i].rate_limits,
                           SECOND_US);
        int64_t end_us = (1 + cases[i].pause_s) * SECOND_US;
        assert_i64(cases[i].pause_s == 0 || !report_limits_admit(&limits, i, end_us - 1, &repeated),
                   1);
        assert_true(report_limits_admit(&limits, i, end_us, &repeated));
    }
}

/* --- all of it, against a receiver ------------------------------------------------------------ */

static int stderr_fd;

/* Errors that are meant are not for the eyes of who runs the tests. */
static int hush(void **state)
{
    (void)state;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    stderr_fd = dup(STDERR_FILENO);
    return null < 0 || dup2(null, STDERR_FILENO) < 0 || close(null) < 0;
}

static int unhush(void **state)
{
    (void)state;
    return dup2(stderr_fd, STDERR_FILENO) < 0 || close(stderr_fd) < 0;
}

static struct report *start_report(const char *dsn)
{
    struct report *report = NULL;
    struct report_options options = {.dsn = dsn, .environment = "testing", .version = "9.8.7"};
    assert_ok(report_create(&options, &report));
    return report;
}

static void report__an_error__arrives_with_what_an_operator_needs(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    log_error(LOG_RPC, "request failed", LOG_TEXT("method", "CreateUsage"),
              LOG_TEXT("outcome", "storage_damaged"),
              LOG_TEXT("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    sentry_wait(sentry, 1);
    json_object *event = sentry_event(sentry, 0);
    assert_string_equal(sentry_text(event, "message.formatted"), "request failed");
    assert_string_equal(sentry_text(event, "level"), "error");
    assert_string_equal(sentry_text(event, "release"), "billingd@9.8.7");
    assert_string_equal(sentry_text(event, "environment"), "testing");
    assert_string_equal(sentry_text(event, "tags.area"), "rpc");
    assert_string_equal(sentry_text(event, "tags.method"), "CreateUsage");
    assert_string_equal(sentry_text(event, "tags.code"), "storage_damaged");
    assert_string_equal(sentry_text(event, "contexts.trace.trace_id"),
                        "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(sentry_text(event, "contexts.trace.parent_span_id"), "b7ad6b7169203331");
    json_object_put(event);
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__who_and_what__stays_at_home(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    log_error(LOG_RPC, "request failed", LOG_TEXT("method", "CreateUsage"),
              LOG_TEXT("identity", "PRIVATE"), LOG_TEXT("request_id", "PRIVATE"),
              LOG_TEXT("payload", "PRIVATE"), LOG_TEXT("reason", "PRIVATE"),
              LOG_TEXT("address", "PRIVATE"), LOG_TEXT("data", "PRIVATE"));
    sentry_wait(sentry, 1);
    assert_null(strstr(sentry_request(sentry, 0), "PRIVATE"));
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__warnings__are_not_reported(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    log_warning(LOG_RPC, "a warning");
    log_error(LOG_RPC, "an error");
    report_flush(report, 60000);
    assert_u64(sentry_count(sentry), 1);
    assert_u64(report_count(report, REPORT_SENT), 1);
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__the_same_again__goes_out_once(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        log_error(LOG_RPC, "the same", LOG_TEXT("code", "internal"), LOG_INT("n", i));
        log_error(LOG_RPC, "the same", LOG_TEXT("code", "storage_damaged"));
    }
    report_flush(report, 60000);
    assert_u64(sentry_count(sentry), 2);
    assert_u64(report_count(report, REPORT_SENT), 2);
    assert_u64(report_count(report, REPORT_LIMITED), 8);
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__429__and_nothing_more_is_sent(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        log_error(LOG_RPC, testkit_format("error %u", i));
        report_flush(report, 60000);
    }
    assert_u64(sentry_count(sentry), 1);
    assert_u64(report_count(report, REPORT_LIMITED), 6);
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__rate_limits_with_an_answer_that_took_it__are_obeyed_too(void **state)
{
    struct sentry *sentry =
        sentry_start("HTTP/1.1 200 OK\r\nX-Sentry-Rate-Limits: 3600:error:organization\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    log_error(LOG_RPC, "first");
    log_error(LOG_RPC, "second");
    report_flush(report, 60000);
    assert_u64(report_count(report, REPORT_SENT), 1);
    assert_u64(report_count(report, REPORT_LIMITED), 1);
    report_destroy(report, 2000);
    sentry_stop(sentry);
}

static void report__nobody_there__is_counted_and_over(void **state)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t bytes = sizeof address;
    (void)state;
    int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* has the port, but listens not */
    assert_true(deaf >= 0);
    assert_i64(bind(deaf, (struct sockaddr *)&address, sizeof address), 0);
    assert_i64(getsockname(deaf, (struct sockaddr *)&address, &bytes), 0);
    struct report *report =
        start_report(testkit_format("http://abc123@127.0.0.1:%d/7", ntohs(address.sin_port)));
    log_error(LOG_RPC, "an error");
    report_flush(report, 60000);
    assert_u64(report_count(report, REPORT_FAILED), 1);
    report_destroy(report, 2000);
    close(deaf);
}

/* However many there are, and at the end: were any waited for, this would not come to an end, for
 * the receiver never lets go. */
static void report__a_receiver_that_hangs__holds_nobody_up(void **state)
{
    struct sentry *sentry = sentry_start(NULL);
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    log_error(LOG_RPC, "the first");
    sentry_wait(sentry, 1); /* the thread is at it, and stays there for seconds */
    unsigned logged = 0;
    while (report_count(report, REPORT_DROPPED) < 1000) {
        log_error(LOG_RPC, testkit_format("error %u", logged));
        logged++;
    }
    assert_true(logged >= 1000 + REPORT_QUEUE_PLACES);
    assert_u64(report_count(report, REPORT_SENT), 0);
    report_destroy(report, 100);
    sentry_stop(sentry);
}

static void report_destroy__what_is_on_its_way__still_arrives(void **state)
{
    struct sentry *sentry = sentry_start("HTTP/1.1 200 OK\r\n");
    struct report *report = start_report(sentry_dsn(sentry));
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        log_error(LOG_RPC, testkit_format("error %u", i));
    }
    report_destroy(report, 60000);
    assert_u64(sentry_count(sentry), 20);
    sentry_stop(sentry);
    log_error(LOG_RPC, "after the end"); /* nobody is called */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(dsn__as_sentry_hands_it_out__leads_to_the_envelope_endpoint),
    cmocka_unit_test(dsn__anything_else__is_refused_with_what_is_wrong),
    cmocka_unit_test(dsn__too_long__is_refused),
    cmocka_unit_test(queue__full__refuses_and_keeps_the_order),
    cmocka_unit_test(queue__many_putters__each_event_whole_and_once),
    cmocka_unit_test(limits__one_of_a_kind_a_minute__and_how_many_were_not),
    cmocka_unit_test(limits__more_kinds_than_it_remembers__forgets_the_oldest),
    cmocka_unit_test(limits__what_the_receiver_wants__is_obeyed),
    cmocka_unit_test_setup_teardown(report__an_error__arrives_with_what_an_operator_needs, hush,
                                    unhush),
    cmocka_unit_test_setup_teardown(report__who_and_what__stays_at_home, hush, unhush),
    cmocka_unit_test_setup_teardown(report__warnings__are_not_reported, hush, unhush),
    cmocka_unit_test_setup_teardown(report__the_same_again__goes_out_once, hush, unhush),
    cmocka_unit_test_setup_teardown(report__429__and_nothing_more_is_sent, hush, unhush),
    cmocka_unit_test_setup_teardown(report__rate_limits_with_an_answer_that_took_it__are_obeyed_too,
                                    hush, unhush),
    cmocka_unit_test_setup_teardown(report__nobody_there__is_counted_and_over, hush, unhush),
    cmocka_unit_test_setup_teardown(report__a_receiver_that_hangs__holds_nobody_up, hush, unhush),
    cmocka_unit_test_setup_teardown(report_destroy__what_is_on_its_way__still_arrives, hush,
                                    unhush),
};

TESTKIT_MAIN(tests)
