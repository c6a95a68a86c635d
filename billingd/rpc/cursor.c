#include "billingd/rpc/cursor.h"

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/reply.h"

enum {
    CURSOR_VERSION = 2,
    HEAD_BYTES = 2, /* version, list */
    CHECK_BYTES = 4,
    SCAN_BYTES = 16, /* of a position in a scan: time, sequence number */
    CURSOR_BYTES_MAX = HEAD_BYTES + CURSOR_POSITION_BYTES_MAX + CHECK_BYTES,
};

static const char digits[] = "0123456789abcdef";

/* --- the question ----------------------------------------------------------------------------- */

/* What of a question may change from page to page. */
static void leave_out(ProtobufCMessage *question, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(question->descriptor, name);
    if (field != NULL) {
        *(protobuf_c_boolean *)((char *)question + field->quantifier_offset) = false;
    }
}

/* A hash, keyed by the store, of QUESTION as it was asked.  What it takes is bounded by the frame
 * that brought it. */
static uint64_t hash_question(struct request *request, const ProtobufCMessage *question)
{
    size_t size = question->descriptor->sizeof_message;
    ProtobufCMessage *copy = arena_need(&request->arena, size);
    memcpy(copy, question, size);
    leave_out(copy, "cursor");
    leave_out(copy, "limit");
    uint8_t *packed = arena_need(&request->arena, protobuf_c_message_get_packed_size(copy));
    size_t length = protobuf_c_message_pack(copy, packed);
    return XXH3_64bits_withSeed(packed, length, request->dispatch->id_key);
}

/* The call that REQUEST makes: all of the union's members are pointers to messages. */
static const ProtobufCMessage *own_question(const struct request *request)
{
    return &request->message->list_usage->base;
}

/* --- print ------------------------------------------------------------------------------------ */

static void write_check(uint8_t *bytes, size_t length, uint64_t question)
{
    uint64_t check = XXH3_64bits_withSeed(bytes, length, question);
    for (int i = 0; i < CHECK_BYTES; i++) {
        bytes[length + (size_t)i] = (uint8_t)(check >> (8 * i));
    }
}

void cursor_print_of(struct request *request, const ProtobufCMessage *question,
                     enum cursor_list list, struct slice position, protobuf_c_boolean *has,
                     ProtobufCBinaryData *field)
{
    uint8_t bytes[CURSOR_BYTES_MAX] = {CURSOR_VERSION, (uint8_t)list};
    size_t length = HEAD_BYTES + position.length;
    REQUIRE(position.length <= CURSOR_POSITION_BYTES_MAX);
    memcpy(bytes + HEAD_BYTES, position.data, position.length);
    write_check(bytes, length, hash_question(request, question));
    length += CHECK_BYTES;

    char text[CURSOR_BYTES_MAX * 2];
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    reply_text(request, has, field, (struct slice){text, 2 * length});
}

void cursor_print(struct request *request, enum cursor_list list, struct slice position,
                  protobuf_c_boolean *has, ProtobufCBinaryData *field)
{
    cursor_print_of(request, own_question(request), list, position, has, field);
}

void cursor_print_number(struct request *request, enum cursor_list list, uint64_t position,
                         protobuf_c_boolean *has, ProtobufCBinaryData *field)
{
    uint8_t bytes[8];
    bytes_put_be64(bytes, position);
    cursor_print(request, list, (struct slice){(const char *)bytes, sizeof bytes}, has, field);
}

/* --- parse ------------------------------------------------------------------------------------ */

static bool decode_hex(ProtobufCBinaryData text, uint8_t *bytes)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(digits, text.data[i], sizeof digits - 1);
        if (digit == NULL) {
            return false;
        }
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static bool is_cursor_of(enum cursor_list list, const uint8_t *bytes, size_t length,
                         uint64_t question)
{
    uint8_t copy[CURSOR_BYTES_MAX];
    memcpy(copy, bytes, length - CHECK_BYTES);
    write_check(copy, length - CHECK_BYTES, question);
    return bytes[0] == CURSOR_VERSION && bytes[1] == list && memcmp(copy, bytes, length) == 0;
}

struct slice cursor_parse(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                          ProtobufCBinaryData field)
{
    uint8_t bytes[CURSOR_BYTES_MAX] = {0};
    size_t length = field.len / 2;
    struct slice position = {0};
    if (!has) {
        return position;
    }
    if (field.len % 2 == 0 && length >= HEAD_BYTES + CHECK_BYTES && length <= CURSOR_BYTES_MAX &&
        decode_hex(field, bytes) &&
        is_cursor_of(list, bytes, length, hash_question(request, own_question(request)))) {
        position.data = (const char *)bytes + HEAD_BYTES;
        position.length = length - HEAD_BYTES - CHECK_BYTES;
        if (arena_copy(&request->arena, position, &position) == 0) {
            return position;
        }
    }
    request_field_error(request, -1, SLICE("cursor"), STATUS_OUT_OF_BOUNDS,
                        "is not a next_cursor of this list with these parameters");
    return (struct slice){0};
}

uint64_t cursor_parse_number(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                             ProtobufCBinaryData field)
{
    struct slice position = cursor_parse(request, list, has, field);
    return position.length == 8 ? bytes_get_be64((const uint8_t *)position.data) : 0;
}

/* --- positions of scans ----------------------------------------------------------------------- */

void cursor_print_position(struct request *request, enum cursor_list list,
                           struct store_position position, protobuf_c_boolean *has,
                           ProtobufCBinaryData *field)
{
    uint8_t bytes[SCAN_BYTES];
    bytes_put_be64(bytes, (uint64_t)position.time_us);
    bytes_put_be64(bytes + 8, position.seq);
    cursor_print(request, list, (struct slice){(const char *)bytes, sizeof bytes}, has, field);
}

struct store_position cursor_parse_position(struct request *request, enum cursor_list list,
                                            protobuf_c_boolean has, ProtobufCBinaryData field)
{
    struct slice position = cursor_parse(request, list, has, field);
    const uint8_t *bytes = (const uint8_t *)position.data;
    if (position.length != SCAN_BYTES) {
        return (struct store_position){0};
    }
    return (struct store_position){
        .time_us = (int64_t)bytes_get_be64(bytes),
        .seq = bytes_get_be64(bytes + 8),
    };
}
