/* What the tests of the doors share: calls by their number, keys, and codes of problems. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"

/* REQUEST with an empty message of CALL in it; the kit's memory. */
static inline void kit_set_call(Billing__V1__Request *request, Billing__V1__Request__CallCase call)
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

/* The code of the problem that RESPONSE is, which is freed; "" where it is a result. */
static inline const char *kit_code(Billing__V1__Response *response)
{
    const char *code = "";
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        code = testkit_format("%.*s", (int)response->problem->code.len,
                              (const char *)response->problem->code.data);
    }
    billing__v1__response__free_unpacked(response, NULL);
    return code;
}

/* The code of the answer to an empty CALL, with TOKEN unless it is NULL, on CLIENT. */
static inline const char *kit_call(struct raw_client *client, Billing__V1__Request__CallCase call,
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

/* The same on a connection of its own. */
static inline const char *kit_call_once(const char *address, Billing__V1__Request__CallCase call,
                                        const char *token)
{
    struct raw_client client;
    assert_true(raw_client_open(&client, address));
    const char *code = kit_call(&client, call, token);
    raw_client_close(&client);
    return code;
}

/* Make a key called NAME of ROLE through ADDRESS, and return its token. */
static inline const char *kit_make_key(const char *address, const char *name,
                                       Billing__V1__Role role)
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
