/* API keys with a real daemon: what outlives it, and what stops at once. */
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

static Billing__V1__Response *call(struct raw_client *client, const char *token,
                                   Billing__V1__Request__CallCase which, void *message)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    request.call_case = which;
    request.create_customer = message; /* all members of the union are pointers */
    if (token != NULL) {
        request.has_token = true;
        request.token = raw_bytes(token);
    }
    return raw_client_call(client, &request);
}

/* As the one who runs the test, who administers the daemon. */
static Billing__V1__Response *administer(struct daemon_process *daemon,
                                         Billing__V1__Request__CallCase which, void *message)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    Billing__V1__Response *response = call(&client, NULL, which, message);
    assert_int_equal(response->result_case, which);
    raw_client_close(&client);
    return response;
}

static const char *create_key(struct daemon_process *daemon, const char *name,
                              Billing__V1__Role role)
{
    Billing__V1__CreateKey create = BILLING__V1__CREATE_KEY__INIT;
    create.has_name = create.has_role = true;
    create.name = raw_bytes(name);
    create.role = role;
    Billing__V1__Response *response = administer(daemon, CALL(CREATE_KEY), &create);
    ProtobufCBinaryData key = response->create_key->key;
    const char *token = testkit_format("%.*s", (int)key.len, (const char *)key.data);
    billing__v1__response__free_unpacked(response, NULL);
    return token;
}

static void revoke_key(struct daemon_process *daemon, const char *name)
{
    Billing__V1__RevokeKey revoke = BILLING__V1__REVOKE_KEY__INIT;
    revoke.has_key_id = true;
    revoke.key_id = raw_bytes(name);
    billing__v1__response__free_unpacked(administer(daemon, CALL(REVOKE_KEY), &revoke), NULL);
}

/* When the only key there is was used last; 0: never. */
static int64_t last_used(struct daemon_process *daemon)
{
    Billing__V1__ListKeys list = BILLING__V1__LIST_KEYS__INIT;
    Billing__V1__Response *response = administer(daemon, CALL(LIST_KEYS), &list);
    assert_u64(response->list_keys->n_keys, 1);
    const Billing__V1__ApiKey *key = response->list_keys->keys[0];
    int64_t used_us = key->has_last_used_at ? key->last_used_at : 0;
    billing__v1__response__free_unpacked(response, NULL);
    return used_us;
}

/* What becomes of a read and a write by TOKEN: the HTTP statuses, 200 for a result. */
static void assert_may(struct raw_client *client, const char *token, unsigned read, unsigned write)
{
    Billing__V1__GetServerInfo info = BILLING__V1__GET_SERVER_INFO__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = true;
    create.customer_name = raw_bytes("Acme");
    for (int writing = 0; writing < 2; writing++) {
        Billing__V1__Response *response = writing
                                              ? call(client, token, CALL(CREATE_CUSTOMER), &create)
                                              : call(client, token, CALL(GET_SERVER_INFO), &info);
        bool refused = response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
        assert_u64(refused ? response->problem->status : 200, writing ? write : read);
        billing__v1__response__free_unpacked(response, NULL);
    }
}

static void assert_may_now(struct daemon_process *daemon, const char *token, unsigned read,
                           unsigned write)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_may(&client, token, read, write);
    raw_client_close(&client);
}

static void key__after_a_restart_or_a_crash__is_as_it_was(void **state)
{
    struct daemon_process *daemon = daemon_process_start(NULL);
    (void)state;
    const char *reader = create_key(daemon, "reader", BILLING__V1__ROLE__READER);
    daemon_process_kill(daemon); /* its answer had left */
    daemon_process_restart(daemon);
    assert_i64(last_used(daemon), 0);
    assert_may_now(daemon, reader, 200, 403);
    int64_t used_us = last_used(daemon);
    assert_true(used_us > 0);
    daemon_process_stop(daemon);
    daemon_process_restart(daemon);
    assert_i64(last_used(daemon), used_us);
    revoke_key(daemon, "reader");
    daemon_process_kill(daemon);
    daemon_process_restart(daemon);
    assert_may_now(daemon, reader, 401, 401);
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void key__revoked__stops_on_open_connections_too(void **state)
{
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct raw_client client;
    (void)state;
    const char *writer = create_key(daemon, "writer", BILLING__V1__ROLE__WRITER);
    assert_true(raw_client_open(&client, daemon_process_unix(daemon)));
    assert_may(&client, writer, 200, 200);
    revoke_key(daemon, "writer");
    assert_may(&client, writer, 401, 401);
    assert_may(&client, NULL, 200, 200); /* the connection is its own still */
    raw_client_close(&client);
    daemon_process_stop(daemon);
    const char *said = daemon_process_stderr(daemon);
    assert_null(strstr(said, writer + strlen(writer) - 43)); /* in no log */
    daemon_process_destroy(daemon);
}

/* A store's tokens are nobody's at another. */
static void key__of_another_daemon__is_nobodys(void **state)
{
    struct daemon_process *one = daemon_process_start(NULL);
    struct daemon_process *other = daemon_process_start(NULL);
    (void)state;
    const char *token = create_key(one, "admin", BILLING__V1__ROLE__ADMIN);
    assert_string_not_equal(create_key(other, "admin", BILLING__V1__ROLE__ADMIN), token);
    assert_may_now(one, token, 200, 200);
    assert_may_now(other, token, 401, 401);
    daemon_process_destroy(one);
    daemon_process_destroy(other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(key__after_a_restart_or_a_crash__is_as_it_was),
    cmocka_unit_test(key__revoked__stops_on_open_connections_too),
    cmocka_unit_test(key__of_another_daemon__is_nobodys),
};

TESTKIT_MAIN(tests)
