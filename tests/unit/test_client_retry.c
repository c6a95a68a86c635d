/* The rules of trying again, and what the client library then says of the outcome. */
#include <string.h>

#include <billing/billing.h>

#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

enum {
    PATIENCE_MS = 60000, /* what takes this long has waited where it must not */
    TIMEOUT_MS = 2 * PATIENCE_MS,
    AT_ONCE_MS = 20000, /* what takes this long has waited between two tries */
    TRIES = 100,        /* to be quick enough */
};

static billing_client *client_of(const char *url, billing_options *options)
{
    billing_client *client;
    assert_i64(billing_options_set_url(options, url), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    return client;
}

/* Options that try again at once. */
static billing_options *eager(void)
{
    billing_options *options = billing_options_new();
    assert_i64(billing_options_set_retry_delay_ms(options, 0), 0);
    return options;
}

/* --- one script, one call, one outcome -------------------------------------------------------- */

enum call {
    WRITE,  /* create a customer under the request id "r-1" */
    RENAME, /* a write without a request id */
    READ,
};

#define BUSY                                                                                       \
    {                                                                                              \
        .act = FAKE_PROBLEM, .code = "busy", .http = 503                                           \
    }
#define PROBLEM(c, h)                                                                              \
    {                                                                                              \
        .act = FAKE_PROBLEM, .code = (c), .http = (h)                                              \
    }
#define UNSURE(c, h)                                                                               \
    {                                                                                              \
        .act = FAKE_PROBLEM, .code = (c), .http = (h), .unknown = true                             \
    }
#define ACT(a)                                                                                     \
    {                                                                                              \
        .act = (a)                                                                                 \
    }

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of reading */
static const struct outcome {
    const char *name;
    enum call call;
    struct fake_step script[5]; /* the rest are proper answers */
    int status;
    const char *code; /* of the error; NULL: none */
    int attempts;     /* requests, and attempts of the error */
} outcomes[] = {
    {"proper", WRITE, {ACT(FAKE_ANSWER)}, 0, NULL, 1},
    {"busy, proper", WRITE, {BUSY, ACT(FAKE_ANSWER)}, 0, NULL, 2},
    {"busy three times, proper", WRITE, {BUSY, BUSY, BUSY}, 0, NULL, 4},
    {"busy for ever", WRITE, {BUSY, BUSY, BUSY, BUSY}, BILLING_E_NOT_RECORDED, "busy", 4},
    {"storage full",
     WRITE,
     {PROBLEM("storage_full", 503), PROBLEM("shutting_down", 503)},
     0,
     NULL,
     3},
    {"over a limit", WRITE, {PROBLEM("rate_limited", 429)}, 0, NULL, 2},
    {"busy in words of a later daemon", WRITE, {PROBLEM("exhausted", 503)}, 0, NULL, 2},
    {"refused in words of a later daemon",
     WRITE,
     {PROBLEM("unheard_of", 422)},
     BILLING_E_REFUSED,
     "unheard_of",
     1},

    {"lost, replayed", WRITE, {ACT(FAKE_HANG_UP), ACT(FAKE_REPLAY)}, 0, NULL, 2},
    {"answer cut, replayed", WRITE, {ACT(FAKE_CUT), ACT(FAKE_REPLAY)}, 0, NULL, 2},
    {"lost for ever",
     WRITE,
     {ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP)},
     BILLING_E_UNKNOWN,
     "connection_lost",
     4},
    {"lost, busy for ever",
     WRITE,
     {ACT(FAKE_HANG_UP), BUSY, BUSY, BUSY},
     BILLING_E_UNKNOWN,
     "busy",
     4},
    {"busy, lost, busy, proper", WRITE, {BUSY, ACT(FAKE_HANG_UP), BUSY}, 0, NULL, 4},
    {"lost, content refused",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("service_not_allowed", 422)},
     BILLING_E_REFUSED,
     "service_not_allowed",
     2},
    {"lost, id reused",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("request_id_reused", 422)},
     BILLING_E_REFUSED,
     "request_id_reused",
     2},
    {"lost, no such customer",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("customer_not_found", 404)},
     BILLING_E_REFUSED,
     "customer_not_found",
     2},
    {"lost, taken",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("external_id_taken", 409)},
     BILLING_E_REFUSED,
     "external_id_taken",
     2},
    {"lost, then who asks is not known",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("unauthenticated", 401)},
     BILLING_E_UNKNOWN,
     "unauthenticated",
     2},
    {"lost, then not allowed",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("forbidden", 403)},
     BILLING_E_UNKNOWN,
     "forbidden",
     2},
    {"lost, then not understood",
     WRITE,
     {ACT(FAKE_HANG_UP), PROBLEM("unknown_method", 400)},
     BILLING_E_UNKNOWN,
     "unknown_method",
     2},

    {"invalid", WRITE, {PROBLEM("missing_field", 422)}, BILLING_E_REFUSED, "missing_field", 1},
    {"not found",
     READ,
     {PROBLEM("customer_not_found", 404)},
     BILLING_E_REFUSED,
     "customer_not_found",
     1},
    {"not allowed", WRITE, {PROBLEM("forbidden", 403)}, BILLING_E_REFUSED, "forbidden", 1},
    {"daemon broken", WRITE, {PROBLEM("internal", 500)}, BILLING_E_NOT_RECORDED, "internal", 1},
    {"daemon does not know, proper", WRITE, {UNSURE("storage_failed", 500)}, 0, NULL, 2},
    {"daemon does not know for ever",
     WRITE,
     {UNSURE("internal", 500), UNSURE("internal", 500), UNSURE("internal", 500),
      UNSURE("internal", 500)},
     BILLING_E_UNKNOWN,
     "internal",
     4},
    {"daemon does not know, of content",
     WRITE,
     {UNSURE("x", 422), UNSURE("x", 422), UNSURE("x", 422), UNSURE("x", 422)},
     BILLING_E_UNKNOWN,
     "x",
     4},

    {"rename lost, proper", RENAME, {ACT(FAKE_HANG_UP)}, 0, NULL, 2},
    {"rename lost for ever",
     RENAME,
     {ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP)},
     BILLING_E_UNKNOWN,
     "connection_lost",
     4},

    {"read lost, proper", READ, {ACT(FAKE_HANG_UP)}, 0, NULL, 2},
    {"read lost for ever",
     READ,
     {ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP)},
     BILLING_E_NOT_RECORDED,
     "connection_lost",
     4},
    {"read unsure for ever",
     READ,
     {UNSURE("internal", 500), UNSURE("internal", 500), UNSURE("internal", 500),
      UNSURE("internal", 500)},
     BILLING_E_NOT_RECORDED,
     "internal",
     4},

    {"other call's answer, proper", WRITE, {ACT(FAKE_OTHER_CALL)}, 0, NULL, 2},
    {"other sort of answer, proper", WRITE, {ACT(FAKE_OTHER_RESULT)}, 0, NULL, 2},
    {"other sort of answer for ever",
     WRITE,
     {ACT(FAKE_OTHER_RESULT), ACT(FAKE_OTHER_RESULT), ACT(FAKE_OTHER_RESULT),
      ACT(FAKE_OTHER_RESULT)},
     BILLING_E_UNKNOWN,
     "bad_reply",
     4},
};

static int run_call(billing_client *client, enum call call, billing_error **ret_error)
{
    switch (call) {
    case WRITE:
        return billing_customer_create(client, "Acme", NULL, "r-1", NULL, ret_error);
    case RENAME:
        return billing_customer_rename(client, "cus_1", "Acme", NULL, ret_error);
    case READ:
        return billing_customer_get(client, "cus_1", NULL, ret_error);
    }
    return 1;
}

static void check_outcome(const struct outcome *outcome)
{
    billing_error *error;
    struct fake_daemon *fake = fake_start(outcome->script, 5);
    billing_client *client = client_of(fake_url(fake), eager());
    int status = run_call(client, outcome->call, &error);
    if (status != outcome->status || (int)fake_requests(fake) != outcome->attempts) {
        testkit_fail("%s: status %d (%s), %zu requests", outcome->name, status,
                     billing_error_message(error), fake_requests(fake));
    }
    for (size_t i = 0; outcome->call == WRITE && i < fake_requests(fake); i++) {
        assert_string_equal(fake_request(fake, i).request_id, "r-1");
    }
    if (outcome->code == NULL) {
        assert_null(error);
    } else {
        assert_string_equal(billing_error_code(error), outcome->code);
        assert_int_equal(billing_error_kind(error), outcome->status);
        assert_int_equal(billing_error_attempts(error), outcome->attempts);
    }
    billing_error_free(error);
    billing_client_free(client);
    fake_stop(fake);
}

static void calls__each_script__its_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        check_outcome(&outcomes[i]);
    }
}

/* --- request ids ------------------------------------------------------------------------------ */

static void made_request_id__lost__every_try_and_the_error_have_it(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP),
                                              ACT(FAKE_HANG_UP), ACT(FAKE_HANG_UP)};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 4);
    billing_client *client = client_of(fake_url(fake), eager());
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", &error), BILLING_E_UNKNOWN);
    assert_int_equal(strlen(billing_error_request_id(error)), 36);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(fake_request(fake, i).request_id, billing_error_request_id(error));
    }
    billing_error_free(error);
    assert_i64(billing_customer_rename(client, "c", "n", NULL, &error), 0);
    assert_null(error);
    billing_client_free(client);
    fake_stop(fake);
}

static void replayed__lost_first__says_so(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_HANG_UP), ACT(FAKE_REPLAY)};
    billing_object *reply;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_client *client = client_of(fake_url(fake), eager());
    assert_i64(billing_customer_create(client, "Acme", NULL, "r-1", &reply, NULL), 0);
    assert_true(billing_object_replayed(reply));
    assert_string_equal(billing_object_request_id(reply), "r-1");
    billing_object_free(reply);
    billing_client_free(client);
    fake_stop(fake);
}

static void retries__none__one_try(void **state)
{
    static const struct fake_step script[] = {BUSY, ACT(FAKE_HANG_UP)};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_options *options = eager();
    assert_i64(billing_options_set_retries_max(options, 0), 0);
    billing_client *client = client_of(fake_url(fake), options);
    assert_i64(run_call(client, WRITE, &error), BILLING_E_NOT_RECORDED);
    assert_int_equal(billing_error_attempts(error), 1);
    billing_error_free(error);
    assert_i64(run_call(client, WRITE, NULL), BILLING_E_UNKNOWN);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_u64(fake_requests(fake), 3);
    billing_client_free(client);
    fake_stop(fake);
}

/* --- connections ------------------------------------------------------------------------------ */

static void connect__nobody_there__not_recorded_and_says_where(void **state)
{
    billing_error *error;
    (void)state;
    const char *url = testkit_format("unix://%s/nobody.sock", testkit_tmpdir());
    billing_client *client = client_of(url, eager());
    assert_i64(run_call(client, WRITE, &error), BILLING_E_NOT_RECORDED);
    assert_string_equal(billing_error_code(error), "connect_failed");
    assert_contains(billing_error_message(error), url);
    assert_contains(billing_error_message(error), "No such file");
    assert_int_equal(billing_error_attempts(error), 4);
    assert_int_equal(billing_error_http_status(error), 0);
    assert_null(billing_error_problem(error));
    assert_string_equal(billing_error_request_id(error), "r-1");
    billing_error_free(error);
    billing_client_free(client);
}

static void connect__refused_with_busy__counts_as_said_by_the_daemon(void **state)
{
    static const struct fake_step refuse = {.act = FAKE_REFUSE_NEW, .code = "busy", .http = 503};
    const struct fake_step script[] = {refuse, refuse, refuse, refuse};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 4);
    billing_client *client = client_of(fake_url(fake), eager());
    assert_i64(run_call(client, WRITE, &error), BILLING_E_NOT_RECORDED);
    assert_string_equal(billing_error_code(error), "busy");
    assert_int_equal(fake_connections(fake), 4); /* it is not kept */
    billing_error_free(error);
    assert_i64(run_call(client, WRITE, NULL), 0);
    billing_client_free(client);
    fake_stop(fake);
}

static void connection__closed_at_once__tried_again(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_CLOSE_NEW), ACT(FAKE_CLOSE_NEW)};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_client *client = client_of(fake_url(fake), eager());
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_u64(fake_requests(fake), 1);
    billing_client_free(client);
    fake_stop(fake);
}

/* A random wait of up to a minute would almost surely end these calls. */
static billing_options *patient(void)
{
    billing_options *options = billing_options_new();
    assert_i64(billing_options_set_retry_delay_ms(options, 60000), 0);
    assert_i64(billing_options_set_timeout_ms(options, 2 * AT_ONCE_MS), 0);
    return options;
}

static void kept_connection__daemon_closed_it__next_call_takes_another_at_once(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_ANSWER_HANG_UP), ACT(FAKE_ANSWER_HANG_UP),
                                              ACT(FAKE_ANSWER_HANG_UP)};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 3);
    billing_client *client = client_of(fake_url(fake), patient());
    int64_t start_ms = testkit_now_ms();
    for (int i = 0; i < 4; i++) {
        assert_i64(run_call(client, WRITE, NULL), 0);
    }
    assert_true(testkit_now_ms() - start_ms < AT_ONCE_MS);
    assert_int_equal(fake_connections(fake), 4);
    billing_client_free(client);
    fake_stop(fake);
}

static void kept_connection__lost_in_the_call__next_try_at_once(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_ANSWER), ACT(FAKE_HANG_UP)};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_client *client = client_of(fake_url(fake), patient());
    int64_t start_ms = testkit_now_ms();
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_true(testkit_now_ms() - start_ms < AT_ONCE_MS);
    assert_u64(fake_requests(fake), 3);
    assert_int_equal(fake_request(fake, 1).connection, 1);
    assert_int_equal(fake_request(fake, 2).connection, 2);
    billing_client_free(client);
    fake_stop(fake);
}

static void kept_connection__daemon_restarted__found_again(void **state)
{
    (void)state;
    const char *path = testkit_format("%s/billingd.sock", testkit_tmpdir());
    struct fake_daemon *fake = fake_start_at(path, NULL, 0);
    billing_client *client = client_of(fake_url(fake), patient());
    assert_i64(run_call(client, WRITE, NULL), 0);
    fake_stop(fake);
    fake = fake_start_at(path, NULL, 0);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_u64(fake_requests(fake), 1);
    billing_client_free(client);
    fake_stop(fake);
}

static void tcp__a_daemon_and_none__as_over_unix_sockets(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_HANG_UP), ACT(FAKE_ANSWER)};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start_tcp(script, 2);
    billing_client *client = client_of(fake_url(fake), eager());
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_int_equal(fake_connections(fake), 2);
    fake_stop(fake);
    assert_i64(run_call(client, WRITE, &error), BILLING_E_NOT_RECORDED);
    assert_string_equal(billing_error_code(error), "connect_failed");
    assert_contains(billing_error_message(error), "refused");
    billing_error_free(error);
    billing_client_free(client);
}

/* --- time ------------------------------------------------------------------------------------- */

static void try_timeout__silence__next_try_on_a_new_connection(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_SILENCE)};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    billing_options *options = eager();
    assert_i64(billing_options_set_try_timeout_ms(options, 300), 0);
    assert_i64(billing_options_set_retries_max(options, 100), 0);
    assert_i64(billing_options_set_timeout_ms(options, TIMEOUT_MS), 0);
    billing_client *client = client_of(fake_url(fake), options);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_true(fake_requests(fake) >= 2);
    assert_true(fake_request(fake, 0).timeout_ms <= 300);
    assert_true(fake_request(fake, 1).connection > fake_request(fake, 0).connection);
    billing_client_free(client);
    fake_stop(fake);
}

/* A write that ends at its deadline: again, where even sending it took as long. */
static void write_in_vain(billing_client *client, struct fake_daemon *fake,
                          billing_error **ret_error)
{
    int status = BILLING_E_NOT_RECORDED;
    for (int i = 0; status == BILLING_E_NOT_RECORDED && i < TRIES; i++) {
        billing_error_free(i == 0 ? NULL : *ret_error);
        int64_t start_ms = testkit_now_ms();
        status = run_call(client, WRITE, ret_error);
        assert_true(testkit_now_ms() - start_ms >= 299); /* the clocks' own digits */
        assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    }
    assert_i64(status, BILLING_E_UNKNOWN);
    assert_true(fake_requests(fake) <= 1);
}

static void deadline__silence__unknown_for_writes_only(void **state)
{
    static const struct fake_step script[] = {ACT(FAKE_SILENCE), ACT(FAKE_SILENCE)};
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_options *options = eager();
    assert_i64(billing_options_set_timeout_ms(options, 300), 0);
    billing_client *client = client_of(fake_url(fake), options);
    write_in_vain(client, fake, &error);
    assert_string_equal(billing_error_code(error), "timeout");
    assert_string_equal(billing_error_message(error), "No answer in time");
    assert_int_equal(billing_error_attempts(error), 1);
    billing_error_free(error);
    assert_i64(run_call(client, READ, NULL), BILLING_E_NOT_RECORDED);
    billing_client_free(client);
    fake_stop(fake);
}

static void retry_after__asked__waited_for(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "busy", .http = 503, .retry_after_ms = 60},
        {.act = FAKE_PROBLEM, .code = "rate_limited", .http = 429, .retry_after_ms = 60},
    };
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_client *client = client_of(fake_url(fake), eager());
    int64_t start_ms = testkit_now_ms();
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_u64(fake_requests(fake), 3);
    assert_true(testkit_now_ms() - start_ms >= 118);
    billing_client_free(client);
    fake_stop(fake);
}

static void retry_after__behind_the_deadline__ends_the_call_at_once(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "busy", .http = 503, .retry_after_ms = UINT32_MAX},
    };
    billing_error *error;
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    billing_options *options = eager();
    assert_i64(billing_options_set_timeout_ms(options, TIMEOUT_MS), 0);
    billing_client *client = client_of(fake_url(fake), options);
    int64_t start_ms = testkit_now_ms();
    assert_i64(run_call(client, WRITE, &error), BILLING_E_NOT_RECORDED);
    assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    assert_i64(billing_error_retry_after_ms(error), UINT32_MAX);
    assert_int_equal(billing_error_attempts(error), 1);
    billing_error_free(error);
    billing_client_free(client);
    fake_stop(fake);
}

static void deadline__waits_between_tries__are_within_it(void **state)
{
    (void)state;
    billing_options *options = billing_options_new();
    assert_i64(billing_options_set_retry_delay_ms(options, 100), 0);
    assert_i64(billing_options_set_retries_max(options, 100), 0);
    assert_i64(billing_options_set_timeout_ms(options, 300), 0);
    const char *url = testkit_format("unix://%s/nobody.sock", testkit_tmpdir());
    billing_client *client = client_of(url, options);
    int64_t start_ms = testkit_now_ms();
    assert_i64(run_call(client, WRITE, NULL), BILLING_E_NOT_RECORDED);
    assert_true(testkit_now_ms() - start_ms < PATIENCE_MS);
    billing_client_free(client);
}

/* --- the log ---------------------------------------------------------------------------------- */

struct lines {
    int count[2];
    char last[1024];
};

static void collect(billing_log_level level, const char *message, void *arg)
{
    struct lines *lines = arg;
    lines->count[level]++;
    lines->last[0] = '\0';
    strncat(lines->last, message, sizeof lines->last - 1);
}

static void log__failed_tries__a_line_each_without_secrets(void **state)
{
    static const struct fake_step script[] = {BUSY, BUSY};
    struct lines lines = {0};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 2);
    billing_options *options = eager();
    billing_options_set_log(options, collect, &lines);
    assert_i64(billing_options_set_token(options, "very-secret"), 0);
    billing_client *client = client_of(fake_url(fake), options);
    assert_i64(run_call(client, WRITE, NULL), 0);
    assert_int_equal(lines.count[BILLING_LOG_WARNING], 2);
    assert_int_equal(lines.count[BILLING_LOG_DEBUG], 1);
    assert_contains(lines.last, "try=2");
    assert_contains(lines.last, "code=busy");
    assert_contains(lines.last, "r-1");
    assert_null(strstr(lines.last, "secret"));
    assert_null(strstr(lines.last, "Acme"));
    billing_client_free(client);
    fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(calls__each_script__its_outcome),
    cmocka_unit_test(made_request_id__lost__every_try_and_the_error_have_it),
    cmocka_unit_test(replayed__lost_first__says_so),
    cmocka_unit_test(retries__none__one_try),
    cmocka_unit_test(connect__nobody_there__not_recorded_and_says_where),
    cmocka_unit_test(connect__refused_with_busy__counts_as_said_by_the_daemon),
    cmocka_unit_test(connection__closed_at_once__tried_again),
    cmocka_unit_test(kept_connection__daemon_closed_it__next_call_takes_another_at_once),
    cmocka_unit_test(kept_connection__lost_in_the_call__next_try_at_once),
    cmocka_unit_test(kept_connection__daemon_restarted__found_again),
    cmocka_unit_test(tcp__a_daemon_and_none__as_over_unix_sockets),
    cmocka_unit_test(try_timeout__silence__next_try_on_a_new_connection),
    cmocka_unit_test(deadline__silence__unknown_for_writes_only),
    cmocka_unit_test(retry_after__asked__waited_for),
    cmocka_unit_test(retry_after__behind_the_deadline__ends_the_call_at_once),
    cmocka_unit_test(deadline__waits_between_tries__are_within_it),
    cmocka_unit_test(log__failed_tries__a_line_each_without_secrets),
};

TESTKIT_MAIN(tests)
