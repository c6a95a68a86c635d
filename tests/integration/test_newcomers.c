/* Where keys are needed: what those can take up who have shown none, and that they keep nobody out
 * who has one. */
#include "tests/integration/door_kit.h"
#include "tests/integration/other_users.h"

enum {
    BOB = 1002, /* a reader */
    CAROL = 1003,
};

/* --- how many --------------------------------------------------------------------------------- */

static void connections__idlers_past_the_bound__the_oldest_makes_way(void **state)
{
    enum { IDLERS = 12, MAX = 4 };
    static const char *const args[] = {"--require-auth", "--connections-max", "16", NULL};
    struct raw_client idlers[IDLERS];
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    struct raw_client holder = kit_open(daemon_process_tcp(billingd));
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), token), "");
    for (int i = 0; i < IDLERS; i++) {
        idlers[i] = kit_open(daemon_process_tcp(billingd));
        assert_string_equal(kit_call(&idlers[i], CALL(CHECK_HEALTH), NULL), "");
        assert_string_equal(
            kit_call_once(daemon_process_tcp(billingd), CALL(LIST_CUSTOMERS), token), "");
    }
    for (int i = 0; i < IDLERS - MAX; i++) {
        kit_expect_closed(&idlers[i]);
    }
    assert_string_equal(kit_call(&idlers[IDLERS - 1], CALL(LIST_CUSTOMERS), token), "");
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), token),
                        ""); /* it was there first */
    for (int i = IDLERS - MAX; i < IDLERS; i++) {
        raw_client_close(&idlers[i]);
    }
    raw_client_close(&holder);
}

/* One bound for both doors. */
static void connections__idlers_of_http__make_way_for_rpc_and_back(void **state)
{
    static const char *const args[] = {"--require-auth", "--connections-max", "4", NULL};
    struct http_conn http;
    struct http_reply reply;
    (void)state;
    kit_start(args);
    assert_true(http_open(&http, daemon_process_http(billingd)));
    http_call(&http, "GET", "/healthz", NULL, NULL, &reply);
    http_reply_done(&reply);
    struct raw_client rpc = kit_open(daemon_process_tcp(billingd));
    assert_int_equal(sock_wait_close(http.fd, testkit_now_ms() + SOCK_PATIENCE_MS, NULL),
                     SOCK_CLOSED);
    http_close(&http);
    http_once(daemon_process_http(billingd), "GET", "/healthz", NULL, NULL, &reply);
    http_reply_done(&reply);
    kit_expect_closed(&rpc);
}

static void connections__all_taken__one_without_a_key_makes_way(void **state)
{
    enum { HOLDERS = 6 };
    static const char *const args[] = {
        "--require-auth", "--connections-max", "8", "--connections-per-identity-max", "8", NULL};
    struct raw_client holders[HOLDERS];
    struct raw_client idlers[2];
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    for (int i = 0; i < HOLDERS; i++) {
        holders[i] = kit_open(daemon_process_tcp(billingd));
        assert_string_equal(kit_call(&holders[i], CALL(LIST_CUSTOMERS), token), "");
    }
    for (int i = 0; i < 2; i++) {
        idlers[i] = kit_open(daemon_process_tcp(billingd));
        assert_string_equal(kit_call(&idlers[i], CALL(CHECK_HEALTH), NULL), "");
    }
    struct raw_client here = kit_open(daemon_process_unix(billingd));
    assert_string_equal(kit_call(&here, CALL(LIST_CUSTOMERS), NULL), "");
    kit_expect_closed(&idlers[0]);
    assert_string_equal(kit_call(&idlers[1], CALL(LIST_CUSTOMERS), token), "");
    struct raw_client late = kit_open(daemon_process_tcp(billingd)); /* all of them have a name */
    Billing__V1__Response *response;
    assert_int_equal(raw_client_receive(&late, SOCK_PATIENCE_MS, &response), SOCK_OK);
    assert_string_equal(kit_code(response), "busy");
    raw_client_close(&late);
    raw_client_close(&here);
    raw_client_close(&idlers[1]);
    for (int i = 0; i < HOLDERS; i++) {
        raw_client_close(&holders[i]);
    }
}

/* Start with a Unix socket where Bob reads, and others may do nothing.  Returns its address, or
 * NULL where nobody else can be played. */
static const char *start_with_users(const char *connections_max, const char *head_timeout)
{
    const char *address = other_users_make_door();
    const char *args[] = {"--listen",
                          address,
                          "--socket-mode",
                          "0666",
                          "--unix-default",
                          "none",
                          "--unix-readers",
                          "user:1002",
                          "--connections-max",
                          connections_max,
                          "--head-timeout-ms",
                          head_timeout,
                          NULL};
    kit_start(args);
    if (other_users_are_here(CAROL)) {
        return address;
    }
    other_users_remove_door(address);
    return NULL;
}

static struct raw_client open_as(const char *address, uid_t uid)
{
    struct raw_client client;
    other_users_open(&client, address, uid, 0);
    return client;
}

/* The kernel knows them, but that is nobody who may do anything: no key is asked for by the door,
 * only by what they are. */
static void connections__of_users_without_a_role__make_way_until_they_show_a_key(void **state)
{
    enum { IDLERS = 10, MAX = 4 };
    struct raw_client idlers[IDLERS];
    (void)state;
    const char *address = start_with_users("16", "10m");
    if (address == NULL) {
        return;
    }
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    struct raw_client bob = open_as(address, BOB);
    assert_string_equal(kit_call(&bob, CALL(LIST_CUSTOMERS), NULL), "");
    struct raw_client holder = open_as(address, CAROL);
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), NULL), "unauthenticated");
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), token), "");
    for (int i = 0; i < IDLERS; i++) {
        idlers[i] = open_as(address, CAROL);
        assert_string_equal(kit_call(&idlers[i], CALL(CHECK_HEALTH), NULL), "");
    }
    for (int i = 0; i < IDLERS - MAX; i++) {
        kit_expect_closed(&idlers[i]);
    }
    for (int i = IDLERS - MAX; i < IDLERS; i++) {
        assert_string_equal(kit_call(&idlers[i], CALL(CHECK_HEALTH), NULL), "");
        raw_client_close(&idlers[i]);
    }
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), token), "");
    assert_string_equal(kit_call(&bob, CALL(LIST_CUSTOMERS), NULL), "");
    raw_client_close(&holder);
    raw_client_close(&bob);
    other_users_remove_door(address);
}

/* --- how much memory -------------------------------------------------------------------------- */

enum {
    HALF_BYTES = 600000,
};

/* A whole frame that asks for health, in *RET_BYTES of the kit's; a token that counts nowhere makes
 * it large. */
static uint8_t *large_frame(size_t *ret_bytes)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    char *token = testkit_alloc(HALF_BYTES + 1);
    memset(token, 'x', HALF_BYTES);
    token[HALF_BYTES] = '\0';
    kit_set_call(&request, CALL(CHECK_HEALTH));
    request.has_token = true;
    request.token = raw_bytes(token);
    size_t bytes = billing__v1__request__get_packed_size(&request);
    uint8_t *frame = testkit_alloc(FRAME_HEADER_BYTES + bytes);
    frame_header_write(frame, (uint32_t)bytes);
    billing__v1__request__pack(&request, frame + FRAME_HEADER_BYTES);
    *ret_bytes = FRAME_HEADER_BYTES + bytes;
    return frame;
}

/* They are one identity, which may have half of 16 MiB.  Those who were there first lose their
 * place, however little they hold, and whoever came last is answered; one with a key, who came
 * before all, is none of them. */
static void memory__taken_by_those_without_a_key__the_oldest_make_way(void **state)
{
    enum { CROWD = 40, LITTLE = 100 };
    static const char *const args[] = {"--require-auth",
                                       "--memory-max",
                                       "16MiB",
                                       "--frame-bytes-max",
                                       "1MiB",
                                       "--body-bytes-max",
                                       "1MiB",
                                       "--head-timeout-ms",
                                       "10m",
                                       "--frame-timeout-ms",
                                       "10m",
                                       NULL};
    struct raw_client crowd[CROWD];
    struct http_conn http;
    struct http_reply reply;
    size_t bytes;
    size_t dropped = 0;
    (void)state;
    kit_start(args);
    const char *tcp = daemon_process_tcp(billingd);
    const uint8_t *frame = large_frame(&bytes);
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    struct raw_client holder = kit_open(tcp);
    assert_string_equal(kit_call(&holder, CALL(LIST_CUSTOMERS), token), "");
    assert_int_equal(raw_client_send(&holder, frame, bytes - 1), SOCK_OK);
    struct raw_client oldest = kit_open(tcp);
    assert_int_equal(raw_client_send(&oldest, frame, LITTLE), SOCK_OK);
    assert_true(http_open(&http, daemon_process_http(billingd)));
    http_call(&http, "GET", "/healthz", NULL, NULL,
              &reply); /* it is there, and not only on its way */
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
    assert_int_equal(http_send(&http, "GET / HTTP/1.1\r\n", 16), SOCK_OK);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = kit_open(tcp);
        IGNORE(raw_client_send(&crowd[i], frame, bytes - 1)); /* it may have made way already */
    }
    assert_int_not_equal(raw_client_wait_close(&oldest, SOCK_PATIENCE_MS, &dropped), SOCK_TIMEOUT);
    assert_int_not_equal(sock_wait_close(http.fd, testkit_now_ms() + SOCK_PATIENCE_MS, &dropped),
                         SOCK_TIMEOUT);
    assert_u64(dropped, 0); /* without a word */
    assert_int_equal(raw_client_send(&crowd[CROWD - 1], frame + bytes - 1, 1), SOCK_OK);
    assert_string_equal(kit_told(&crowd[CROWD - 1]), "");
    assert_int_equal(raw_client_send(&holder, frame + bytes - 1, 1), SOCK_OK);
    assert_string_equal(kit_told(&holder), "");
    for (int i = 0; i < CROWD; i++) {
        raw_client_close(&crowd[i]);
    }
    raw_client_close(&oldest);
    raw_client_close(&holder);
    http_close(&http);
}

/* --- how long --------------------------------------------------------------------------------- */

/* They count for that key no more, so another of its name has all of its connections. */
static void connections__of_a_key_that_was_revoked__are_closed_like_others_without_one(void **state)
{
    enum { HOLDERS = 6 };
    static const char *const args[] = {
        "--require-auth", "--head-timeout-ms", "3000", "--connections-max", "8", NULL};
    struct raw_client holders[HOLDERS];
    struct http_conn http;
    struct http_reply reply;
    (void)state;
    kit_start(args);
    for (int round = 0; round < 2; round++) {
        const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
        const char *const key[] = {testkit_format("Authorization: Bearer %s", token), NULL};
        for (int i = 0; i < HOLDERS - 1; i++) {
            holders[i] = kit_open(daemon_process_tcp(billingd));
            assert_string_equal(kit_call(&holders[i], CALL(LIST_CUSTOMERS), token), "");
        }
        assert_true(http_open(&http, daemon_process_http(billingd)));
        http_call(&http, "GET", "/api/v1/customers", key, NULL, &reply);
        assert_int_equal(reply.status, 200);
        http_reply_done(&reply);
        kit_revoke_holder();
        for (int i = 0; i < HOLDERS - 1; i++) {
            kit_expect_closed(&holders[i]);
        }
        assert_int_equal(sock_wait_close(http.fd, testkit_now_ms() + SOCK_PATIENCE_MS, NULL),
                         SOCK_CLOSED);
        http_close(&http);
    }
}

static void connections__no_key_in_time__are_closed_and_others_stay(void **state)
{
    static const char *const args[] = {"--require-auth", "--head-timeout-ms", "3000", NULL};
    struct http_conn http;
    struct http_conn named_http;
    struct http_reply reply;
    (void)state;
    kit_start(args);
    const char *token = kit_make_holder(BILLING__V1__ROLE__READER);
    const char *const key[] = {testkit_format("Authorization: Bearer %s", token), NULL};
    struct raw_client named = kit_open(daemon_process_tcp(billingd));
    assert_string_equal(kit_call(&named, CALL(LIST_CUSTOMERS), token), "");
    assert_string_equal(kit_call(&named, CALL(LIST_CUSTOMERS), NULL), "unauthenticated");
    assert_true(http_open(&named_http, daemon_process_http(billingd)));
    http_call(&named_http, "GET", "/api/v1/customers", key, NULL, &reply);
    http_reply_done(&reply);
    struct raw_client here = kit_open(daemon_process_unix(billingd));
    struct raw_client idle = kit_open(daemon_process_tcp(billingd));
    struct raw_client healthy = kit_open(daemon_process_tcp(billingd));
    assert_string_equal(kit_call(&healthy, CALL(CHECK_HEALTH), NULL), "");
    assert_string_equal(kit_call(&healthy, CALL(LIST_CUSTOMERS), "x"), "unauthenticated");
    assert_true(http_open(&http, daemon_process_http(billingd)));
    http_call(&http, "GET", "/healthz", NULL, NULL, &reply);
    http_reply_done(&reply);
    kit_expect_closed(&idle);
    kit_expect_closed(&healthy);
    assert_int_equal(sock_wait_close(http.fd, testkit_now_ms() + SOCK_PATIENCE_MS, NULL),
                     SOCK_CLOSED);
    http_close(&http);
    assert_string_equal(kit_call(&named, CALL(LIST_CUSTOMERS), token), "");
    assert_string_equal(kit_call(&here, CALL(LIST_CUSTOMERS), NULL), "");
    http_call(&named_http, "GET", "/api/v1/customers", key, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
    http_close(&named_http);
    raw_client_close(&named);
    raw_client_close(&here);
}

static void connections__of_users_without_a_role__are_closed_without_a_key_in_time(void **state)
{
    (void)state;
    const char *address = start_with_users("16", "1s");
    if (address == NULL) {
        return;
    }
    struct raw_client bob = open_as(address, BOB);
    struct raw_client carol = open_as(address, CAROL);
    assert_string_equal(kit_call(&carol, CALL(LIST_CUSTOMERS), NULL), "unauthenticated");
    kit_expect_closed(&carol);
    assert_string_equal(kit_call(&bob, CALL(LIST_CUSTOMERS), NULL), "");
    raw_client_close(&bob);
    other_users_remove_door(address);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(connections__idlers_past_the_bound__the_oldest_makes_way, kit_stop),
    cmocka_unit_test_teardown(connections__idlers_of_http__make_way_for_rpc_and_back, kit_stop),
    cmocka_unit_test_teardown(connections__all_taken__one_without_a_key_makes_way, kit_stop),
    cmocka_unit_test_teardown(connections__of_users_without_a_role__make_way_until_they_show_a_key,
                              kit_stop),
    cmocka_unit_test_teardown(memory__taken_by_those_without_a_key__the_oldest_make_way, kit_stop),
    cmocka_unit_test_teardown(connections__no_key_in_time__are_closed_and_others_stay, kit_stop),
    cmocka_unit_test_teardown(
        connections__of_users_without_a_role__are_closed_without_a_key_in_time, kit_stop),
    cmocka_unit_test_teardown(
        connections__of_a_key_that_was_revoked__are_closed_like_others_without_one, kit_stop),
};

TESTKIT_MAIN(tests)
