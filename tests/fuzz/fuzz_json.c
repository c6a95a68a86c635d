/* JSON: what the lint lets pass json-c takes, strictly, and every message that it fills prints to
 * JSON that the lint lets pass and that fills the message again.  The first byte says which call's
 * message it is. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "billingd/rpc/json_lint.h"
#include "billingd/rpc/json_request.h"
#include "proto/decimal.h"
#include "proto/field_kind.h"
#include "proto/json_writer.h"
#include "tests/fuzz/fuzz.h"

enum {
    ARENA_BYTES = 4 * 1024 * 1024,
};

static const struct identity somebody = {.name = SLICE("fuzz"), .role = ROLE_ADMIN};

/* --- the lint against json-c ------------------------------------------------------------------ */

static void check_lint(struct slice text)
{
    struct json_lint lint;
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    FUZZ_CHECK(tokener != NULL);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    char *copy = fuzz_string(text); /* json-c wants the NUL */
    int status = json_lint(text, &lint);
    FUZZ_CHECK(lint.position <= text.length);
    if (status == 0) {
        struct json_object *object = json_tokener_parse_ex(tokener, copy, (int)text.length + 1);
        FUZZ_CHECK(json_tokener_get_error(tokener) == json_tokener_success);
        json_object_put(object);
    } else {
        FUZZ_CHECK(status == STATUS_MALFORMED_JSON || status == STATUS_TOO_LARGE);
        FUZZ_CHECK(lint.reason != NULL);
    }
    free(copy);
    json_tokener_free(tokener);
}

/* --- messages --------------------------------------------------------------------------------- */

/* The type of a call's message. */
static const ProtobufCMessageDescriptor *type_of(unsigned choice)
{
    const ProtobufCMessageDescriptor *request = &billing__v1__request__descriptor;
    enum { NOT_CALLS = 4 }; /* call_id, timeout_ms, token, traceparent */
    unsigned calls = request->n_fields - NOT_CALLS;
    return request->fields[NOT_CALLS + choice % calls].descriptor;
}

static struct request *decode(const ProtobufCMessageDescriptor *type, struct slice body, bool lines,
                              ProtobufCMessage **ret)
{
    struct slice why;
    struct request *request = request_create(NULL, &somebody, ARENA_BYTES, NULL, NULL);
    FUZZ_CHECK(request != NULL);
    *ret = arena_need(&request->arena, type->sizeof_message);
    protobuf_c_message_init(type, *ret);
    char *copy = fuzz_copy(body);
    struct slice own = {copy, body.length};
    int status = lines ? json_request_decode_lines(request, *ret, own, &why)
                       : json_request_decode(request, *ret, own, &why);
    free(copy);
    if (status != 0) {
        FUZZ_CHECK(why.length > 0);
        request_free(request);
        return NULL;
    }
    return request;
}

static bool is_number(ProtobufCBinaryData text)
{
    struct json_lint lint;
    struct slice slice = {(const char *)text.data, text.len};
    return json_lint(slice, &lint) == 0 &&
           (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9'));
}

static bool has_numbers(const ProtobufCMessage *message);

static bool have_numbers(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
    ProtobufCMessage *const *items =
        *(ProtobufCMessage *const *const *)(const void *)(base + field->offset);
    bool numbers = true;
    for (size_t i = 0; i < n; i++) {
        numbers = has_numbers(items[i]) && numbers;
    }
    return numbers;
}

/* Whether all decimals in MESSAGE are such: a text that is none is for the handler to refuse, and
 * is never printed. */
static bool has_numbers(const ProtobufCMessage *message)
{
    bool numbers = true;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *at = (const char *)message + field->offset;
        if (!field_is_set(message, field)) {
            continue;
        }
        if (field_kind(field) == FIELD_DECIMAL) {
            numbers = is_number(*(const ProtobufCBinaryData *)(const void *)at) && numbers;
        }
        if (field_kind(field) == FIELD_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED) {
            numbers = have_numbers(message, field) && numbers;
        }
    }
    return numbers;
}

static struct slice pack(const ProtobufCMessage *message)
{
    uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
    FUZZ_CHECK(packed != NULL);
    return (struct slice){(const char *)packed, protobuf_c_message_pack(message, packed)};
}

static void check_round_trip(const ProtobufCMessage *message)
{
    struct json_text text = {0};
    struct json_lint lint;
    ProtobufCMessage *again;
    FUZZ_CHECK(json_write_message(&text, message) == 0);
    struct slice written = {text.data, text.length};
    FUZZ_CHECK(json_lint(written, &lint) == 0);
    struct request *request = decode(message->descriptor, written, false, &again);
    FUZZ_CHECK(request != NULL && request->errors.first == NULL);
    struct slice before = pack(message);
    struct slice after = pack(again);
    FUZZ_CHECK(slice_equal(before, after));
    free((void *)(uintptr_t)before.data);
    free((void *)(uintptr_t)after.data);
    free(text.data);
    request_free(request);
}

static bool has_errors(const struct request *request)
{
    return request->errors.first != NULL || request->item_errors != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const ProtobufCMessageDescriptor *type = type_of(fuzz_byte(&input));
    struct slice body = fuzz_rest(&input);
    check_lint(body);
    for (int lines = 0; lines <= (type == &billing__v1__create_usage_batch__descriptor); lines++) {
        ProtobufCMessage *message;
        struct request *request = decode(type, body, lines > 0, &message);
        if (request != NULL && !has_errors(request) && has_numbers(message)) {
            check_round_trip(message);
        }
        request_free(request);
    }
    return 0;
}
