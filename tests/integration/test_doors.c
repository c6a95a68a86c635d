/* Who is at which door, and what that one may: the tables of calls and of paths against a running
 * daemon, the kernel's word on the Unix socket, keys and their absence, and browsers. */
#include <stdio.h>

#include "billingd/net/http_routes.h"
#include "billingd/rpc/dispatch.h"
#include "tests/integration/door_kit.h"
#include "tests/integration/other_users.h"

enum {
    CALLS_MAX = 256, /* numbers of calls are below */
    ALICE = 1001,
    BOB = 1002,
};

/* --- every call, every role, every door ------------------------------------------------------- */

/* What who has ROLE is told of a call that takes LEAST; NULL: something else. */
static const char *refusal(enum role role, enum role least)
{
    return role >= least ? NULL : role == ROLE_NONE ? "unauthenticated" : "forbidden";
}

static void check_code(const char *code, enum role role, const struct method *method,
                       const char *door)
{
    const char *wanted = refusal(role, method->role);
    bool refused = strcmp(code, "unauthenticated") == 0 || strcmp(code, "forbidden") == 0;
    if (wanted == NULL ? refused : strcmp(code, wanted) != 0) {
        testkit_fail("%s through %s with role %d: '%s'", method->name, door, (int)role, code);
    }
}

/* PATH with some word for each of its fields. */
static const char *some_path(const char *path)
{
    char *text = testkit_alloc(2 * strlen(path) + 1);
    size_t length = 0;
    while (*path != '\0') {
        if (*path == ':') {
            path += strcspn(path, "/");
            text[length++] = '7';
        } else {
            text[length++] = *path++;
        }
    }
    return text;
}

static const char *http_code(const struct http_route *route, const char *token)
{
    struct http_reply reply;
    char *code = NULL;
    const char *bearer = testkit_format("Authorization: Bearer %s", token == NULL ? "" : token);
    const char *headers[] = {token == NULL ? NULL : bearer, NULL};
    bool body = route->body != HTTP_BODY_NONE;
    http_once(daemon_process_http(billingd), route->method, some_path(route->path), headers,
              body ? "{}" : NULL, &reply);
    const char *at = strstr(reply.body, "\"code\": \"");
    if (at != NULL) {
        at += strlen("\"code\": \"");
        code = testkit_alloc(65);
        memcpy(code, at, strcspn(at, "\"") < 64 ? strcspn(at, "\"") : 64);
    }
    if (code != NULL && strcmp(code, "unauthenticated") == 0) {
        assert_int_equal(reply.status, 401);
    } else if (code != NULL && strcmp(code, "forbidden") == 0) {
        assert_int_equal(reply.status, 403);
    }
    http_reply_done(&reply);
    return code == NULL ? "" : code;
}

static void doors__every_call_by_every_role__is_let_in_by_the_table(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    (void)state;
    kit_start(args);
    const char *unix_door = daemon_process_unix(billingd);
    const char *tokens[] = {
        [ROLE_NONE] = NULL,
        [ROLE_READER] = kit_make_key(unix_door, "r", BILLING__V1__ROLE__READER),
        [ROLE_WRITER] = kit_make_key(unix_door, "w", BILLING__V1__ROLE__WRITER),
        [ROLE_ADMIN] = kit_make_key(unix_door, "a", BILLING__V1__ROLE__ADMIN),
    };
    unsigned calls = 0;
    unsigned paths = 0;
    for (unsigned i = 1; i < CALLS_MAX; i++) {
        Billing__V1__Request__CallCase call = (Billing__V1__Request__CallCase)i;
        const struct method *method = method_find(call);
        calls += method != NULL;
        for (enum role role = ROLE_NONE; role <= ROLE_ADMIN && method != NULL; role++) {
            const char *unix_token = role == ROLE_NONE ? "not a key" : tokens[role];
            check_code(kit_call_once(unix_door, call, unix_token), role, method, "unix");
            check_code(kit_call_once(daemon_process_tcp(billingd), call, tokens[role]), role,
                       method, "tcp");
        }
    }
    for (unsigned i = 0; http_route_at(i) != NULL; i++) {
        const struct http_route *route = http_route_at(i);
        const struct method *method = method_find(route->call);
        paths += method != NULL;
        for (enum role role = ROLE_NONE; role <= ROLE_ADMIN && method != NULL; role++) {
            check_code(http_code(route, tokens[role]), role, method, route->path);
        }
    }
    assert_true(calls > 20 && paths > 20);
}

/* --- the Unix socket -------------------------------------------------------------------------- */

static const char *call_as(const char *address, uid_t uid, gid_t gid,
                           Billing__V1__Request__CallCase call)
{
    struct raw_client client;
    other_users_open(&client, address, uid, gid);
    const char *code = kit_call(&client, call, NULL);
    raw_client_close(&client);
    return code;
}

static void unix__who_the_kernel_names__has_the_role_of_the_rules(void **state)
{
    (void)state;
    const char *address = other_users_make_door();
    const char *args[] = {
        "--listen",       address,          "--socket-mode",  "0666",           "--unix-admins",
        "user:1001",      "--unix-readers", "group:60",       "--unix-writers", "group:70",
        "--unix-default", "none",           "--unix-readers", "user:1002",      NULL};
    kit_start(args);
    if (!other_users_are_here(BOB)) {
        other_users_remove_door(address);
        return; /* nobody else can be played */
    }
    static const struct {
        uid_t uid;
        gid_t gid;
        enum role role;
    } cases[] = {
        {0, 0, ROLE_ADMIN},      {ALICE, 0, ROLE_ADMIN},  {BOB, 0, ROLE_READER},
        {BOB, 70, ROLE_READER}, /* a user's entry beats a group's */
        {1003, 60, ROLE_READER}, {1003, 70, ROLE_WRITER}, {1003, 80, ROLE_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned j = 1; j < CALLS_MAX; j++) {
            Billing__V1__Request__CallCase call = (Billing__V1__Request__CallCase)j;
            const struct method *method = method_find(call);
            if (method != NULL) {
                check_code(call_as(address, cases[i].uid, cases[i].gid, call), cases[i].role,
                           method, testkit_format("case %zu", i));
            }
        }
    }
    other_users_remove_door(address);
}

static void unix__a_token__counts_in_place_of_the_user(void **state)
{
    (void)state;
    kit_start(NULL);
    const char *address = daemon_process_unix(billingd);
    const char *token = kit_make_key(address, "r", BILLING__V1__ROLE__READER);
    assert_string_equal(kit_call_once(address, CALL(GET_SERVER_INFO), token), "");
    assert_string_equal(kit_call_once(address, CALL(CREATE_KEY), token), "forbidden");
    assert_string_equal(kit_call_once(address, CALL(GET_SERVER_INFO), "x"), "unauthenticated");
    assert_string_equal(kit_call_once(address, CALL(GET_SERVER_INFO), ""), "unauthenticated");
    assert_string_equal(kit_call_once(address, CALL(CHECK_HEALTH), "x"), "");
}

static void start__rules_that_name_nobody__are_said_with_option_and_entry(void **state)
{
    static const char *const args[] = {"--unix-writers", "user:no-such-user-here", NULL};
    (void)state;
    billingd = daemon_process_spawn(&(struct daemon_options){.args = args});
    assert_int_equal(daemon_process_wait(billingd), 2);
    assert_contains(daemon_process_stderr(billingd),
                    "--unix-writers: 'user:no-such-user-here': there is no such user\n");
    daemon_process_destroy(billingd);
}

/* --- HTTP: keys ------------------------------------------------------------------------------- */

/* The status of METHOD TARGET with HEADER (NULL: none) at ADDRESS, and what WWW-Authenticate
 * says. */
static int ask(const char *address, const char *method, const char *target, const char *header,
               const char **ret_challenge)
{
    const char *headers[] = {header, NULL};
    struct http_reply reply;
    http_once(address, method, target, headers, NULL, &reply);
    const char *challenge = http_reply_header(&reply, "WWW-Authenticate");
    int status = reply.status;
    *ret_challenge = challenge == NULL ? "" : testkit_format("%s", challenge);
    http_reply_done(&reply);
    return status;
}

static const char none[] = "Bearer realm=\"billingd\"";
static const char invalid[] = "Bearer realm=\"billingd\", error=\"invalid_token\"";

/* What is answered at ADDRESS, where who brings no token gets WITHOUT. */
static void check_keys(const char *address, const char *token, int without)
{
    const char *bearer = testkit_format("Authorization: bEaReR %s", token);
    const char *twice = testkit_format("%s\r\n%s", bearer, bearer);
    const struct {
        const char *target;
        const char *header;
        int status;
        const char *challenge;
    } cases[] = {
        {"/api/v1/server", NULL, without, without == 401 ? none : ""},
        {"/openapi.json", NULL, without, without == 401 ? none : ""},
        {"/nowhere", NULL, without == 401 ? 401 : 404, without == 401 ? none : ""},
        {"/api/v1/server", bearer, 200, ""},
        {"/openapi.json", bearer, 200, ""},
        {"/api/v1/server", "Authorization: Bearer nonsense", 401, invalid},
        {"/openapi.json", "Authorization: Bearer nonsense", 401, invalid},
        {"/api/v1/server", "Authorization: Bearer", 401, none},
        {"/api/v1/server", "Authorization: Basic YTpi", 401, none},
        {"/api/v1/server", "Authorization:", 401, none},
        {"/api/v1/server", twice, 400, ""},
        {"/healthz", NULL, 200, ""},
        {"/readyz", NULL, 200, ""},
        {"/healthz", "Authorization: Bearer nonsense", 200, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *challenge;
        int status = ask(address, "GET", cases[i].target, cases[i].header, &challenge);
        if (status != cases[i].status || strcmp(challenge, cases[i].challenge) != 0) {
            testkit_fail("case %zu: %d, '%s'", i, status, challenge);
        }
    }
}

static void http__on_loopback__no_token_is_anonymous_and_a_wrong_one_nobody(void **state)
{
    (void)state;
    kit_start(NULL);
    check_keys(daemon_process_http(billingd),
               kit_make_key(daemon_process_unix(billingd), "r", BILLING__V1__ROLE__READER), 200);
    assert_string_equal(kit_call_once(daemon_process_tcp(billingd), CALL(LIST_CUSTOMERS), NULL),
                        "");
    assert_string_equal(kit_call_once(daemon_process_tcp(billingd), CALL(LIST_KEYS), NULL),
                        "forbidden");
    assert_string_equal(kit_call_once(daemon_process_tcp(billingd), CALL(LIST_CUSTOMERS), "x"),
                        "unauthenticated");
}

/* Nobody is to look for what is wrong with a key that was not read at all; nor is it shown. */
static void http__authorization_of_another_form__is_told_the_form(void **state)
{
    static const char *const values[] = {"", "Bearer", "Basic c2VjcmV0", "secret",
                                         "Bearer se cret"};
    (void)state;
    kit_start(NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *const headers[] = {testkit_format("Authorization: %s", values[i]), NULL};
        struct http_reply reply;
        http_once(daemon_process_http(billingd), "GET", "/api/v1/server", headers, NULL, &reply);
        assert_int_equal(reply.status, 401);
        assert_contains(reply.body, "Authorization: Bearer KEY");
        assert_null(strstr(reply.body, "cret"));
        http_reply_done(&reply);
    }
}

static void http__require_auth__needs_a_key(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    const char *challenge;
    (void)state;
    kit_start(args);
    const char *token = kit_make_key(daemon_process_unix(billingd), "r", BILLING__V1__ROLE__READER);
    check_keys(daemon_process_http(billingd), token, 401);
    assert_int_equal(
        ask(daemon_process_http(billingd), "OPTIONS", "/api/v1/server", NULL, &challenge), 204);
}

static void other_addresses__always_need_a_key(void **state)
{
    static const char *const args[] = {"--allow-insecure", "--http",   "0.0.0.0:0", "--listen",
                                       "tcp:0.0.0.0:0",    "--listen", NULL,        NULL};
    const char *more[8];
    (void)state;
    memcpy(more, args, sizeof args);
    more[6] = testkit_format("unix:%s/s", testkit_tmpdir());
    const char *data[] = {"--data-dir", testkit_format("%s/d", testkit_tmpdir())};
    const char *all[11] = {data[0], data[1]};
    memcpy(all + 2, more, sizeof more);
    billingd = daemon_process_start(&(struct daemon_options){.args = all, .only_args = true});
    const char *token = kit_make_key(daemon_process_unix(billingd), "r", BILLING__V1__ROLE__READER);
    const char *http = strchr(daemon_process_http(billingd), ':');
    const char *tcp = strrchr(daemon_process_tcp(billingd), ':');
    check_keys(testkit_format("127.0.0.1%s", http), token, 401);
    const char *address = testkit_format("tcp:127.0.0.1%s", tcp);
    assert_string_equal(kit_call_once(address, CALL(LIST_CUSTOMERS), NULL), "unauthenticated");
    assert_string_equal(kit_call_once(address, CALL(LIST_CUSTOMERS), token), "");
}

/* --- HTTP: browsers --------------------------------------------------------------------------- */

/* Send METHOD TARGET with HEADERS, of which one is Host, and BODY. */
static void send_raw(const char *method, const char *target, const char *headers, const char *body,
                     struct http_reply *ret_reply)
{
    struct http_conn conn;
    assert_true(http_open(&conn, daemon_process_http(billingd)));
    const char *text = testkit_format("%s %s HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n%s", method,
                                      target, headers, strlen(body), body);
    assert_int_equal(http_send(&conn, text, strlen(text)), SOCK_OK);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, ret_reply), SOCK_OK);
    http_close(&conn);
}

static void check_raw(const char *method, const char *target, const char *headers, const char *body,
                      int status, const char *code)
{
    struct http_reply reply;
    send_raw(method, target, headers, body, &reply);
    if (reply.status != status || strstr(reply.body, code) == NULL ||
        http_reply_header(&reply, "Access-Control-Allow-Origin") != NULL) {
        testkit_fail("%s %s %s: %d %s", method, target, headers, reply.status, reply.body);
    }
    http_reply_done(&reply);
}

#define OURS "Host: localhost:3001\r\n"
#define JSON "Content-Type: application/json\r\n"
#define A    "http://console.example:8443"
#define EVIL "Origin: http://evil.example\r\n"
#define PATH "/api/v1/customers"
#define BODY "{\"customer_name\": \"A\"}"

static void browsers__what_is_not_ours__is_refused_and_recorded_nowhere(void **state)
{
    static const char *const args[] = {"--http-origins", A, NULL};
    (void)state;
    kit_start(args);
    check_raw("POST", PATH, "Host: evil.example:3001\r\n" JSON, BODY, 403, "host_not_allowed");
    check_raw("GET", PATH, "Host: evil.example\r\n", "", 403, "host_not_allowed");
    check_raw("OPTIONS", PATH, "Host: evil.example\r\n", "", 403, "host_not_allowed");
    check_raw("GET", "/openapi.json", "Host: evil.example\r\n", "", 403, "host_not_allowed");
    check_raw("GET", "/healthz", "Host: 10.1.2.3:3001\r\n", "", 200, "ready");
    check_raw("POST", PATH, OURS EVIL JSON, BODY, 403, "origin_not_allowed");
    check_raw("GET", PATH, OURS EVIL, "", 403, "origin_not_allowed");
    check_raw("GET", "/healthz", OURS EVIL, "", 403, "origin_not_allowed");
    check_raw("POST", PATH, OURS "Origin: null\r\n" JSON, BODY, 403, "origin_not_allowed");
    check_raw("OPTIONS", PATH, OURS EVIL "Access-Control-Request-Method: POST\r\n", "", 403,
              "origin_not_allowed");
    check_raw("POST", PATH, OURS EVIL EVIL JSON, BODY, 400, "malformed");
    check_raw("POST", PATH, OURS, BODY, 415, "");
    check_raw("POST", PATH, OURS "Content-Type: text/plain\r\n", BODY, 415, "");
    check_raw("POST", PATH, OURS "Content-Type: application/x-www-form-urlencoded\r\n", BODY, 415,
              "");
    check_raw("POST", PATH, OURS "Content-Type: multipart/form-data; boundary=b\r\n", BODY, 415,
              "");
    check_raw("GET", PATH, OURS, "", 200, "\"customers\": []");
}

static void assert_header(const struct http_reply *reply, const char *name, const char *value)
{
    const char *got = http_reply_header(reply, name);
    if (got == NULL || strcmp(got, value) != 0) {
        testkit_fail("%s: '%s' and not '%s'", name, got == NULL ? "" : got, value);
    }
}

static void browsers__an_origin_that_was_named__may_ask_and_read(void **state)
{
    static const char *const args[] = {"--http-origins", A, NULL};
    struct http_reply reply;
    (void)state;
    kit_start(args);
    send_raw("OPTIONS", PATH,
             OURS "Origin: " A "\r\nAccess-Control-Request-Method: POST\r\n"
                  "Access-Control-Request-Headers: content-type\r\n",
             "", &reply);
    assert_int_equal(reply.status, 204);
    assert_header(&reply, "Access-Control-Allow-Origin", A);
    assert_header(&reply, "Access-Control-Allow-Methods", "POST, GET, HEAD, OPTIONS");
    assert_header(&reply, "Access-Control-Allow-Headers",
                  "Authorization, Content-Type, Idempotency-Key, X-Request-Id");
    assert_header(&reply, "Access-Control-Max-Age", "600");
    assert_header(&reply, "Vary", "Origin");
    assert_null(http_reply_header(&reply, "Access-Control-Allow-Credentials"));
    http_reply_done(&reply);
    send_raw("POST", PATH, OURS "Origin: " A "\r\n" JSON, BODY, &reply);
    assert_int_equal(reply.status, 201);
    assert_header(&reply, "Access-Control-Allow-Origin", A);
    assert_contains(http_reply_header(&reply, "Access-Control-Expose-Headers"), "X-Request-Id");
    assert_header(&reply, "Vary", "Origin");
    http_reply_done(&reply);
    send_raw("POST", PATH, OURS "Origin: " A "\r\n" JSON, "{}", &reply); /* errors are for it too */
    assert_int_equal(reply.status, 422);
    assert_header(&reply, "Access-Control-Allow-Origin", A);
    http_reply_done(&reply);
}

static void browsers__http_hosts__are_the_names_and_no_others(void **state)
{
    static const char *const args[] = {"--http-hosts", "billing.example", NULL};
    (void)state;
    kit_start(args);
    check_raw("GET", PATH, "Host: Billing.Example:443\r\n", "", 200, "customers");
    check_raw("GET", PATH, OURS, "", 403, "host_not_allowed");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(doors__every_call_by_every_role__is_let_in_by_the_table, kit_stop),
    cmocka_unit_test_teardown(unix__who_the_kernel_names__has_the_role_of_the_rules, kit_stop),
    cmocka_unit_test_teardown(unix__a_token__counts_in_place_of_the_user, kit_stop),
    cmocka_unit_test(start__rules_that_name_nobody__are_said_with_option_and_entry),
    cmocka_unit_test_teardown(http__on_loopback__no_token_is_anonymous_and_a_wrong_one_nobody,
                              kit_stop),
    cmocka_unit_test_teardown(http__authorization_of_another_form__is_told_the_form, kit_stop),
    cmocka_unit_test_teardown(http__require_auth__needs_a_key, kit_stop),
    cmocka_unit_test_teardown(other_addresses__always_need_a_key, kit_stop),
    cmocka_unit_test_teardown(browsers__what_is_not_ours__is_refused_and_recorded_nowhere,
                              kit_stop),
    cmocka_unit_test_teardown(browsers__an_origin_that_was_named__may_ask_and_read, kit_stop),
    cmocka_unit_test_teardown(browsers__http_hosts__are_the_names_and_no_others, kit_stop),
};

TESTKIT_MAIN(tests)
