#include "tests/integration/door_kit.h"

struct daemon_process *billingd;

void kit_start(const char *const *args)
{
    billingd = daemon_process_start(&(struct daemon_options){.args = args});
}

int kit_stop(void **state)
{
    (void)state;
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
    return 0;
}

struct raw_client kit_open(const char *address)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, address));
    return client;
}

const char *kit_told(struct raw_client *client)
{
    Billing__V1__Response *response;
    assert_int_equal(raw_client_receive(client, SOCK_PATIENCE_MS, &response), SOCK_OK);
    return kit_code(response);
}

void kit_expect_closed(struct raw_client *client)
{
    enum sock_result result = raw_client_wait_close(client, SOCK_PATIENCE_MS, NULL);
    assert_true(result == SOCK_CLOSED || result == SOCK_RESET);
    raw_client_close(client);
}

void kit_assert_others_are_served(void)
{
    assert_string_equal(kit_call_once(daemon_process_unix(billingd), CALL(LIST_CUSTOMERS), NULL),
                        "");
}

void kit_set_call(Billing__V1__Request *request, Billing__V1__Request__CallCase call)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&billing__v1__request__descriptor, (unsigned)call);
    assert_non_null(field);
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *inner = testkit_alloc(type->sizeof_message);
    protobuf_c_message_init(type, inner);
    request->call_case = call;
    *(ProtobufCMessage **)(void *)((char *)request + field->offset) = inner;
}

const char *kit_code(Billing__V1__Response *response)
{
    const char *code = "";
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        code = testkit_format("%.*s", (int)response->problem->code.len,
                              (const char *)response->problem->code.data);
    }
    billing__v1__response__free_unpacked(response, NULL);
    return code;
}

const char *kit_call(struct raw_client *client, Billing__V1__Request__CallCase call,
                     const char *token)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    kit_set_call(&request, call);
    if (token != NULL) {
        request.has_token = true;
        request.token = raw_bytes(token);
    }
    return kit_code(raw_client_call(client, &request));
}

const char *kit_call_once(const char *address, Billing__V1__Request__CallCase call,
                          const char *token)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, address));
    const char *code = kit_call(&client, call, token);
    raw_client_close(&client);
    return code;
}

const char *kit_make_key(const char *address, const char *name, Billing__V1__Role role)
{
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateKey create = BILLING__V1__CREATE_KEY__INIT;
    create.has_name = create.has_role = true;
    create.name = raw_bytes(name);
    create.role = role;
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_KEY;
    request.create_key = &create;
    assert_true(raw_client_open(&client, address));
    Billing__V1__Response *response = raw_client_call(&client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_KEY);
    const char *token = testkit_format("%.*s", (int)response->create_key->key.len,
                                       (const char *)response->create_key->key.data);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&client);
    return token;
}

const char *kit_make_holder(Billing__V1__Role role)
{
    return kit_make_key(daemon_process_unix(billingd), "holder", role);
}

void kit_revoke_holder(void)
{
    struct raw_client here = kit_open(daemon_process_unix(billingd));
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__RevokeKey revoke = BILLING__V1__REVOKE_KEY__INIT;
    revoke.has_key_id = true;
    revoke.key_id = raw_bytes("holder");
    request.call_case = CALL(REVOKE_KEY);
    request.revoke_key = &revoke;
    assert_string_equal(kit_code(raw_client_call(&here, &request)), "");
    raw_client_close(&here);
}
