/* requests_per_second_max: whatever is answered counts, once, for whom it is answered. */
#include "tests/integration/door_kit.h"

enum {
    A_SECOND = 16,
    TRIES_MAX = 20000, /* until one is too many: each would have to take a sixteenth of a second */
};

static const char *const sixteen[] = {"--requests-per-second-max", "16", NULL};

struct kind {
    const char *method;
    const char *target;
    const char *type; /* of the body */
    const char *body;
    int status;
    Billing__V1__Role role; /* of who asks */
};

static const struct kind kinds[] = {
    {"GET", "/metrics", NULL, NULL, 200, BILLING__V1__ROLE__READER},
    {"GET", "/openapi.json", NULL, NULL, 200, BILLING__V1__ROLE__READER},
    {"OPTIONS", "/api/v1/customers", NULL, NULL, 204, BILLING__V1__ROLE__READER},
    {"GET", "/api/v1/customers", NULL, NULL, 200, BILLING__V1__ROLE__READER},
    {"GET", "/api/v1/customers?no_such=1", NULL, NULL, 400, BILLING__V1__ROLE__READER},
    {"GET", "/api/v1/no-such-path", NULL, NULL, 404, BILLING__V1__ROLE__READER},
    {"DELETE", "/api/v1/customers", NULL, NULL, 405, BILLING__V1__ROLE__READER},
    {"POST", "/api/v1/customers", "application/json", "{}", 403, BILLING__V1__ROLE__READER},
    {"POST", "/api/v1/customers", "text/plain", "{}", 415, BILLING__V1__ROLE__WRITER},
    {"POST", "/api/v1/customers", "application/json", "{", 400, BILLING__V1__ROLE__WRITER},
    {"POST", "/api/v1/customers", "application/json", "{}", 422, BILLING__V1__ROLE__WRITER},
};

static const char *make_key(const char *name, Billing__V1__Role role)
{
    return kit_make_key(daemon_process_unix(billingd), name, role);
}

/* The status of what KIND asks on CONN with TOKEN. */
static int ask(struct http_conn *conn, const struct kind *kind, const char *token)
{
    struct http_reply reply;
    const char *const headers[] = {
        testkit_format("Authorization: Bearer %s", token),
        kind->type == NULL ? NULL : testkit_format("Content-Type: %s", kind->type), NULL};
    http_call(conn, kind->method, kind->target, headers, kind->body, &reply);
    int status = reply.status;
    if (status == 429) {
        assert_non_null(http_reply_header(&reply, "Retry-After"));
        assert_contains(reply.body, "requests_per_second_max");
    }
    http_reply_done(&reply);
    return status;
}

/* A second's worth of KIND is answered with its status, so each counts at most once; then one is
 * too many, so they count. */
static void check_kind(const struct kind *kind, const char *token)
{
    static const struct kind health = {.method = "GET", .target = "/healthz"};
    struct http_conn conn;
    int status;
    int tries = 0;
    assert_true(http_open(&conn, daemon_process_http(billingd)));
    do {
        status = ask(&conn, kind, token);
        if (status != kind->status && (status != 429 || tries < A_SECOND)) {
            testkit_fail("%s %s, number %d: %d, not %d", kind->method, kind->target, tries + 1,
                         status, kind->status);
        }
        tries++;
    } while (status != 429 && tries < TRIES_MAX);
    if (status != 429) {
        testkit_fail("%s %s does not count", kind->method, kind->target);
    }
    assert_int_equal(ask(&conn, &health, token), 200);
    http_close(&conn);
}

static void rate__whatever_is_answered_over_http__counts_once(void **state)
{
    (void)state;
    kit_start(sixteen);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *name = testkit_format("key-%zu", i);
        check_kind(&kinds[i], make_key(name, kinds[i].role));
    }
}

/* Guesses at keys are all one's who has none. */
static void rate__keys_that_do_not_count__are_together_one_who_asks(void **state)
{
    static const struct kind refused = {
        .method = "GET", .target = "/api/v1/customers", .status = 401};
    static const char *const args[] = {"--requests-per-second-max", "16", "--require-auth", NULL};
    (void)state;
    kit_start(args);
    const char *token = make_key("known", BILLING__V1__ROLE__READER);
    check_kind(&refused, "no-key-at-all");
    struct http_conn conn;
    assert_true(http_open(&conn, daemon_process_http(billingd)));
    assert_int_equal(ask(&conn, &refused, token), 200); /* the others notice nothing */
    http_close(&conn);
}

static const char *call_nothing(struct raw_client *client, const char *token)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    request.has_token = true;
    request.token = raw_bytes(token);
    return kit_code(raw_client_call(client, &request));
}

static void rate__calls_that_there_are_not__count_once(void **state)
{
    struct raw_client client;
    int tries = 0;
    (void)state;
    kit_start(sixteen);
    const char *token = make_key("key", BILLING__V1__ROLE__READER);
    assert_true(raw_client_open(&client, daemon_process_tcp(billingd)));
    for (; tries < A_SECOND; tries++) {
        assert_string_equal(call_nothing(&client, token), "unknown_method");
    }
    while (strcmp(call_nothing(&client, token), "rate_limited") != 0) {
        assert_true(++tries < TRIES_MAX);
    }
    assert_string_equal(kit_call(&client, BILLING__V1__REQUEST__CALL_CHECK_HEALTH, token), "");
    raw_client_close(&client);
}

/* A browser asks it by itself, and without the page's key. */
static void rate__preflights_of_pages__do_not_count(void **state)
{
    static const char *const args[] = {"--requests-per-second-max", "1", "--http-origins",
                                       "https://console.example", NULL};
    static const char *const preflight[] = {"Origin: https://console.example",
                                            "Access-Control-Request-Method: GET", NULL};
    struct http_conn conn;
    struct http_reply reply;
    (void)state;
    kit_start(args);
    assert_true(http_open(&conn, daemon_process_http(billingd)));
    for (int i = 0; i < 200; i++) {
        http_call(&conn, "OPTIONS", "/api/v1/customers", preflight, NULL, &reply);
        assert_int_equal(reply.status, 204);
        http_reply_done(&reply);
    }
    http_close(&conn);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(rate__whatever_is_answered_over_http__counts_once, kit_stop),
    cmocka_unit_test_teardown(rate__keys_that_do_not_count__are_together_one_who_asks, kit_stop),
    cmocka_unit_test_teardown(rate__calls_that_there_are_not__count_once, kit_stop),
    cmocka_unit_test_teardown(rate__preflights_of_pages__do_not_count, kit_stop),
};

TESTKIT_MAIN(tests)
