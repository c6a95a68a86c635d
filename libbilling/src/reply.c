#include "libbilling/src/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/field_kind.h"
#include "proto/timestamp.h"
#include "proto/utf8.h"

/* Objects take a few times the bytes of the frame; the smallest possible messages take much more,
 * and a frame of nothing else is refused by this bound. */
enum {
    MEMORY_PER_BYTE_MAX = 16,
    MEMORY_BASE_MAX = 4 * 1024 * 1024,
    MEMORY_PER_BYTE = 4, /* what an ordinary reply takes, in one piece */
    MEMORY_BASE = 2 * 1024,
};

/* --- what a field holds ----------------------------------------------------------------------- */

static const void *field_at(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

/* A JSON number without an exponent. */
static bool is_decimal(const char *text, size_t length)
{
    static const char digits[] = "0123456789";
    size_t sign = length > 0 && text[0] == '-' ? 1 : 0;
    size_t whole = strspn(text + sign, digits);
    size_t at = sign + whole;
    if (whole == 0 || (whole > 1 && text[sign] == '0')) {
        return false;
    }
    if (text[at] == '.') {
        size_t fraction = strspn(text + at + 1, digits);
        at += fraction == 0 ? 0 : fraction + 1;
    }
    return at == length;
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The text of FIELD, a byte field: the arena put a NUL behind it. */
static int text_of_bytes(enum field_kind kind, const ProtobufCBinaryData *bytes, const char **ret)
{
    const char *text = bytes->len == 0 ? "" : (const char *)bytes->data;
    bool good = kind == FIELD_DECIMAL ? is_decimal(text, bytes->len)
                                      : strlen(text) == bytes->len && utf8_valid(text, bytes->len);
    *ret = text;
    return good ? 0 : STATUS_MALFORMED_FRAME;
}

static int copy_text(struct arena *arena, const char *text, size_t length, const char **ret)
{
    char *copy = arena_alloc(arena, length);
    if (copy == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(copy, text, length);
    *ret = copy;
    return 0;
}

static int text_of_time(struct arena *arena, int64_t time_us, const char **ret)
{
    char text[TIMESTAMP_TEXT_MAX];
    if (time_us < 0 || time_us > TIMESTAMP_MAX) {
        return STATUS_MALFORMED_FRAME;
    }
    return copy_text(arena, text, timestamp_print(time_us, text), ret);
}

static int text_of_count(struct arena *arena, uint64_t count, const char **ret)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRIu64, count);
    return n < 0 ? STATUS_NO_MEMORY : copy_text(arena, text, (size_t)n, ret);
}

/* As in JSON: the name in lower case, "" for one that a later daemon may know. */
static int text_of_enum(struct arena *arena, const ProtobufCEnumDescriptor *type, int value,
                        const char **ret)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    const char *name = row == NULL ? "" : row->name;
    size_t length = strlen(name);
    char *text = arena_alloc(arena, length);
    if (text == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_upper = name[i] >= 'A' && name[i] <= 'Z';
        text[i] = (char)(is_upper ? name[i] - 'A' + 'a' : name[i]);
    }
    *ret = text;
    return 0;
}

static int text_of_field(struct arena *arena, const ProtobufCFieldDescriptor *field, const void *at,
                         const char **ret)
{
    enum field_kind kind = field_kind(field);
    switch (kind) {
    case FIELD_TEXT:
    case FIELD_DECIMAL:
        return text_of_bytes(kind, at, ret);
    case FIELD_TIME:
        return text_of_time(arena, *(const int64_t *)at, ret);
    case FIELD_COUNT32:
        return text_of_count(arena, *(const uint32_t *)at, ret);
    case FIELD_COUNT64:
        return text_of_count(arena, *(const uint64_t *)at, ret);
    case FIELD_FLAG:
        *ret = *(const protobuf_c_boolean *)at ? "true" : "false";
        return 0;
    case FIELD_ENUM:
        return text_of_enum(arena, field->descriptor, *(const int *)at, ret);
    case FIELD_MESSAGE:
    case FIELD_LABELS:
        break; /* the caller has taken these */
    }
    return STATUS_MALFORMED_FRAME;
}

/* --- objects ---------------------------------------------------------------------------------- */

static int object_init(struct reply *reply, const ProtobufCMessage *message,
                       struct billing_object *ret);

static int items_init(struct reply *reply, ProtobufCMessage *const *messages, size_t count,
                      struct member *ret)
{
    struct billing_object *items = arena_alloc(&reply->arena, count * sizeof *items);
    if (items == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        int status = object_init(reply, messages[i], &items[i]);
        if (status != 0) {
            return status;
        }
    }
    ret->items = items;
    ret->count = count;
    return 0;
}

/* A list of byte fields. */
static int texts_init(struct reply *reply, const ProtobufCBinaryData *bytes, size_t count,
                      struct member *ret)
{
    const char **texts = arena_alloc(&reply->arena, count * sizeof *texts);
    if (texts == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        int status = text_of_bytes(FIELD_TEXT, &bytes[i], &texts[i]);
        if (status != 0) {
            return status;
        }
    }
    ret->texts = texts;
    ret->count = count;
    return 0;
}

static int list_init(struct reply *reply, const ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field, struct member *ret)
{
    const void *at = field_at(message, field->offset);
    size_t count = *(const size_t *)field_at(message, field->quantifier_offset);
    if (count == 0) {
        return 0;
    }
    return field->type == PROTOBUF_C_TYPE_BYTES
               ? texts_init(reply, *(const ProtobufCBinaryData *const *)at, count, ret)
               : items_init(reply, *(ProtobufCMessage *const *const *)at, count, ret);
}

static int member_init(struct reply *reply, const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, struct member *ret)
{
    const void *at = field_at(message, field->offset);
    *ret = (struct member){0};
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return list_init(reply, message, field, ret);
    }
    if (!field_is_set(message, field)) {
        return 0;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return items_init(reply, at, 1, ret);
    }
    return text_of_field(&reply->arena, field, at, &ret->text);
}

/* No message contains itself, so this goes only as deep as billing.proto does. */
static int object_init(struct reply *reply, const ProtobufCMessage *message,
                       struct billing_object *ret)
{
    unsigned fields = message->descriptor->n_fields;
    struct member *members = arena_alloc(&reply->arena, fields * sizeof *members);
    if (members == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (unsigned i = 0; i < fields; i++) {
        int status = member_init(reply, message, &message->descriptor->fields[i], &members[i]);
        if (status != 0) {
            return status;
        }
    }
    *ret = (struct billing_object){.reply = reply, .message = message, .members = members};
    return 0;
}

/* The one message that RESPONSE carries as its result, or NULL. */
static const ProtobufCMessage *response_result(const Billing__V1__Response *response)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &billing__v1__response__descriptor, (unsigned)response->result_case);
    if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return NULL;
    }
    return *(ProtobufCMessage *const *)field_at(&response->base, field->offset);
}

static int decode(struct reply *reply, const uint8_t *payload, size_t bytes)
{
    const char *ignored;
    ProtobufCAllocator allocator = arena_allocator(&reply->arena);
    const Billing__V1__Response *response =
        billing__v1__response__unpack(&allocator, bytes, payload);
    const ProtobufCMessage *result = response == NULL ? NULL : response_result(response);
    if (result == NULL ||
        (response->has_request_id && text_of_bytes(FIELD_TEXT, &response->request_id, &ignored))) {
        return STATUS_MALFORMED_FRAME;
    }
    reply->response = response;
    return object_init(reply, result, &reply->body);
}

int reply_decode(const uint8_t *payload, size_t bytes, struct reply **ret)
{
    struct reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) {
        return STATUS_NO_MEMORY;
    }
    arena_init(&reply->arena, bytes * MEMORY_PER_BYTE + MEMORY_BASE,
               bytes * MEMORY_PER_BYTE_MAX + MEMORY_BASE_MAX);
    int status = decode(reply, payload, bytes);
    if (status == 0) {
        *ret = reply;
        return 0;
    }
    if (status == STATUS_NO_MEMORY && !reply->arena.out_of_memory) {
        status = STATUS_MALFORMED_FRAME; /* beyond the bound */
    } else if (reply->arena.out_of_memory) {
        status = STATUS_NO_MEMORY; /* the decoder does not say why it failed */
    }
    arena_done(&reply->arena);
    free(reply);
    return status;
}
