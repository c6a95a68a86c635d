#include "tests/fuzz/script.h"

#include <string.h>

#include "billingd/rpc/object_id.h"
#include "proto/field_kind.h"
#include "tests/fuzz/counter.h"

enum {
    ARENA_BYTES = 4 * 1024 * 1024,
    ITEMS_MAX = 5, /* of a batch */
    LABELS_MAX = 3,
    RAW = 0xF0, /* from this choice on: bytes of the input as they are; 0xFF: not there */
    NONE = 0xFF,
    NOT_CALLS = 4, /* call_id, timeout_ms, token, traceparent */
};

void script_init(struct script *script, const uint8_t *data, size_t size)
{
    *script = (struct script){.input = {data, size}, .now_us = SCRIPT_START_US};
    arena_init(&script->arena, ARENA_BYTES);
}

void script_done(struct script *script)
{
    arena_done(&script->arena);
}

/* --- texts ------------------------------------------------------------------------------------ */

static const char *const services[] = {"Database Hosting", "a", "b", "\xC3\xA4", "a\n", ""};
static const char *const units_or_prices[] = {
    "1",
    "58",
    "0.05",
    "0",
    "0.0000004",
    "999999999999999999",
    "1e-7",
    "0.000000000000000001",
    "0.5",
    "1.005",
    "-0.005",
    "1000000",
    "6.3277086448",
    "-1",
    "x",
    "0.050",
};
static const char *const reasons[] = {"measured twice", "goodwill", "", "\xFF"};
static const char *const names[] = {"Acme", "\xE2\x82\xAC", "", "\x1B[31m"};

#define CHOOSE(table, choice) slice_of((table)[(choice) % (sizeof(table) / sizeof(table)[0])])

static struct slice object_id(struct script *s, enum object_kind kind, uint8_t choice)
{
    char *text = arena_need(&s->arena, OBJECT_ID_TEXT_MAX);
    return (struct slice){text, object_id_print(kind, 1 + choice % 64, COUNTER_ID_KEY, text)};
}

static struct slice request_id(struct script *s, uint8_t choice)
{
    return arena_printf(&s->arena, "r%u", choice % 12);
}

static struct slice external_id(struct script *s, const char *prefix, uint8_t choice)
{
    return arena_printf(&s->arena, "%sx%u", prefix, choice % 4);
}

static struct slice customer_id(struct script *s, uint8_t choice)
{
    return choice % 4 == 3 ? external_id(s, "external:", choice / 4)
                           : object_id(s, OBJECT_CUSTOMER, choice / 4);
}

static bool is(const char *name, const char *expected)
{
    return strcmp(name, expected) == 0;
}

/* What the text field called NAME may hold. */
static struct slice text_for(struct script *s, const char *name, uint8_t choice)
{
    if (choice >= RAW) {
        return fuzz_slice(&s->input, fuzz_byte(&s->input) % 24);
    }
    choice /= 2; /* its last bit has said that it is there */
    if (is(name, "customer_id")) {
        return customer_id(s, choice);
    }
    if (is(name, "key_id")) {
        return object_id(s, OBJECT_KEY, choice);
    }
    if (is(name, "usage_id")) {
        return object_id(s, OBJECT_USAGE, choice);
    }
    if (is(name, "request_id")) {
        return request_id(s, choice);
    }
    if (is(name, "external_id")) {
        return external_id(s, "", choice);
    }
    if (is(name, "cursor")) {
        return (struct slice){s->cursor, s->cursor_bytes};
    }
    if (is(name, "reason")) {
        return CHOOSE(reasons, choice);
    }
    return is(name, "customer_name") ? CHOOSE(names, choice) : CHOOSE(services, choice);
}

/* --- fields ----------------------------------------------------------------------------------- */

static int64_t time_for(struct script *s, uint8_t choice)
{
    static const int64_t units_us[] = {1, 1000000, INT64_C(3600000000), INT64_C(86400000000),
                                       INT64_C(2678400000000)};
    if (choice >= RAW) {
        return (int64_t)fuzz_number(&s->input, 8);
    }
    int64_t steps = fuzz_byte(&s->input);
    steps -= steps > INT8_MAX ? UINT8_MAX + 1 : 0; /* as a signed byte */
    return s->now_us + steps * units_us[choice / 2 % 5];
}

/* Fields without which nearly every call is refused are there unless the input says otherwise; the
 * others where it says so. */
static bool is_there(const char *name, uint8_t choice)
{
    static const char *const needed[] = {
        "customer_id",    "usage_id", "customer_name", "service", "units_consumed",
        "price_per_unit", "amount",   "reason",        "name",    "number"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (is(name, needed[i])) {
            return choice != NONE;
        }
    }
    return choice % 2 == 1 && choice != NONE;
}

static void set_bytes(ProtobufCBinaryData *field, struct slice text)
{
    field->data = (uint8_t *)(uintptr_t)text.data; /* lies in the arena, or is only read */
    field->len = text.length;
}

/* The text for FIELD, a decimal; or a number of the input's own, DIGITS e SCALE. */
static struct slice number_for(struct script *s, uint8_t choice)
{
    if (choice < RAW) {
        return CHOOSE(units_or_prices, choice / 2);
    }
    int scale = (int8_t)fuzz_byte(&s->input) % 20;
    return arena_printf(&s->arena, "%llue%d", (unsigned long long)fuzz_number(&s->input, 7), scale);
}

static void fill(struct script *s, ProtobufCMessage *message);

static void fill_texts(struct script *s, const ProtobufCFieldDescriptor *field, void *at,
                       size_t *ret_n)
{
    size_t n = fuzz_number(&s->input, 1) % (ITEMS_MAX + 1U);
    ProtobufCBinaryData *texts = arena_need(&s->arena, (n + 1) * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        set_bytes(&texts[i], text_for(s, field->name, fuzz_byte(&s->input)));
    }
    *(ProtobufCBinaryData **)at = texts;
    *ret_n = n;
}

static void fill_items(struct script *s, const ProtobufCFieldDescriptor *field, void *at,
                       size_t *ret_n)
{
    bool labels = field_kind(field) == FIELD_LABELS;
    size_t n = fuzz_number(&s->input, 1) % (labels ? LABELS_MAX + 1U : ITEMS_MAX + 1U);
    ProtobufCMessage **items = arena_need(&s->arena, (n + 1) * sizeof(void *));
    const ProtobufCMessageDescriptor *type = field->descriptor;
    for (size_t i = 0; i < n; i++) {
        items[i] = arena_need(&s->arena, type->sizeof_message);
        protobuf_c_message_init(type, items[i]);
        fill(s, items[i]);
    }
    *(ProtobufCMessage ***)at = items;
    *ret_n = n;
}

/* Set the single FIELD, which lies AT. */
static void fill_field(struct script *s, const ProtobufCFieldDescriptor *field, void *at,
                       uint8_t choice)
{
    switch (field_kind(field)) {
    case FIELD_TEXT:
        set_bytes(at, text_for(s, field->name, choice));
        break;
    case FIELD_DECIMAL:
        set_bytes(at, number_for(s, choice));
        break;
    case FIELD_TIME:
        *(int64_t *)at = time_for(s, choice);
        break;
    case FIELD_COUNT32:
        *(uint32_t *)at = choice < RAW ? choice / 2 % 8 : (uint32_t)fuzz_number(&s->input, 4);
        break;
    case FIELD_COUNT64:
        *(uint64_t *)at = choice < RAW ? choice % 8 : fuzz_number(&s->input, 8);
        break;
    case FIELD_FLAG:
        *(protobuf_c_boolean *)at = choice / 2 % 2;
        break;
    case FIELD_ENUM:
        *(int *)at = choice / 2 % 5;
        break;
    case FIELD_MESSAGE:
    case FIELD_LABELS: /* repeated only */
        break;
    }
}

static void fill(struct script *s, ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        char *at = (char *)message + field->offset;
        char *quantifier = (char *)message + field->quantifier_offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            if (field->type == PROTOBUF_C_TYPE_BYTES) {
                fill_texts(s, field, at, (size_t *)(void *)quantifier);
            } else {
                fill_items(s, field, at, (size_t *)(void *)quantifier);
            }
            continue;
        }
        uint8_t choice = fuzz_byte(&s->input);
        if (is_there(field->name, choice)) {
            *(protobuf_c_boolean *)quantifier = true;
            fill_field(s, field, at, choice);
        }
    }
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* None, the last that was made, that with a byte changed, or bytes of the input. */
static void put_token(struct script *s, Billing__V1__Request *request)
{
    uint8_t choice = fuzz_byte(&s->input);
    struct slice token = {s->token, s->token_bytes};
    if (choice < 64) {
        return;
    }
    if (choice >= RAW) {
        token = fuzz_slice(&s->input, fuzz_byte(&s->input));
    } else if (choice >= 224 && token.length > 0) {
        char *changed = arena_need(&s->arena, token.length);
        memcpy(changed, token.data, token.length);
        changed[fuzz_byte(&s->input) % token.length] = (char)fuzz_byte(&s->input);
        token.data = changed;
    }
    request->has_token = true;
    set_bytes(&request->token, token);
}

/* --- calls ------------------------------------------------------------------------------------ */

/* How far time goes on before a call. */
static const int64_t pauses_us[] = {
    0, 0, 0, 1, 1000000, INT64_C(3600000000), INT64_C(86400000000), INT64_C(2678400000000)};

bool script_next(struct script *script, struct slice *ret_packed)
{
    const ProtobufCMessageDescriptor *type = &billing__v1__request__descriptor;
    unsigned calls = type->n_fields - NOT_CALLS;
    if (script->input.left == 0) {
        return false;
    }
    arena_done(&script->arena);
    arena_init(&script->arena, ARENA_BYTES);
    const ProtobufCFieldDescriptor *call =
        &type->fields[NOT_CALLS + fuzz_byte(&script->input) % calls];
    script->now_us += pauses_us[fuzz_byte(&script->input) % 8];
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    const ProtobufCMessageDescriptor *called = call->descriptor;
    ProtobufCMessage *message = arena_need(&script->arena, called->sizeof_message);
    protobuf_c_message_init(called, message);
    fill(script, message);
    request.call_case = (Billing__V1__Request__CallCase)call->id;
    request.create_customer = (void *)message; /* all members of the union are pointers */
    if (script->tokens) {
        put_token(script, &request);
    }
    uint8_t *packed = arena_need(&script->arena, billing__v1__request__get_packed_size(&request));
    *ret_packed = (struct slice){(char *)packed, billing__v1__request__pack(&request, packed)};
    return true;
}

void script_note(struct script *script, const Billing__V1__Response *response)
{
    if (response->result_case == BILLING__V1__RESPONSE__RESULT__NOT_SET) {
        return;
    }
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_KEY) {
        ProtobufCBinaryData key = response->create_key->key;
        FUZZ_CHECK(key.len <= sizeof script->token);
        memcpy(script->token, key.data, key.len);
        script->token_bytes = key.len;
    }
    const ProtobufCMessage *reply = &response->problem->base; /* whichever it is */
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(reply->descriptor, "next_cursor");
    if (field == NULL || !field_is_set(reply, field)) {
        return;
    }
    const ProtobufCBinaryData *cursor = (const void *)((const char *)reply + field->offset);
    FUZZ_CHECK(cursor->len <= sizeof script->cursor);
    memcpy(script->cursor, cursor->data, cursor->len);
    script->cursor_bytes = cursor->len;
}
