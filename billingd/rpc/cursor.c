#include "billingd/rpc/cursor.h"

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/reply.h"

enum {
    CURSOR_VERSION = 1,
    HEAD_BYTES = 2, /* version, list */
    CHECK_BYTES = 4,
    SCAN_BYTES = 16, /* of a position in a scan: time, sequence number */
    CURSOR_BYTES_MAX = HEAD_BYTES + CURSOR_POSITION_BYTES_MAX + CHECK_BYTES,
};

static const char digits[] = "0123456789abcdef";

static void write_check(uint8_t *bytes, size_t length, uint64_t key)
{
    uint64_t check = XXH3_64bits_withSeed(bytes, length, key);
    for (int i = 0; i < CHECK_BYTES; i++) {
        bytes[length + (size_t)i] = (uint8_t)(check >> (8 * i));
    }
}

void cursor_print(struct request *request, enum cursor_list list, struct slice position,
                  protobuf_c_boolean *has, ProtobufCBinaryData *field)
{
    uint8_t bytes[CURSOR_BYTES_MAX] = {CURSOR_VERSION, (uint8_t)list};
    size_t length = HEAD_BYTES + position.length;
    REQUIRE(position.length <= CURSOR_POSITION_BYTES_MAX);
    memcpy(bytes + HEAD_BYTES, position.data, position.length);
    write_check(bytes, length, request->dispatch->id_key);
    length += CHECK_BYTES;

    char text[CURSOR_BYTES_MAX * 2];
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    reply_text(request, has, field, (struct slice){text, 2 * length});
}

void cursor_print_number(struct request *request, enum cursor_list list, uint64_t position,
                         protobuf_c_boolean *has, ProtobufCBinaryData *field)
{
    uint8_t bytes[8];
    bytes_put_be64(bytes, position);
    cursor_print(request, list, (struct slice){(const char *)bytes, sizeof bytes}, has, field);
}

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

static bool is_cursor_of(enum cursor_list list, const uint8_t *bytes, size_t length, uint64_t key)
{
    uint8_t copy[CURSOR_BYTES_MAX];
    memcpy(copy, bytes, length - CHECK_BYTES);
    write_check(copy, length - CHECK_BYTES, key);
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
        decode_hex(field, bytes) && is_cursor_of(list, bytes, length, request->dispatch->id_key)) {
        position.data = (const char *)bytes + HEAD_BYTES;
        position.length = length - HEAD_BYTES - CHECK_BYTES;
        if (arena_copy(&request->arena, position, &position) == 0) {
            return position;
        }
    }
    request_field_error(request, -1, SLICE("cursor"), STATUS_OUT_OF_BOUNDS,
                        "is not a next_cursor of this list");
    return (struct slice){0};
}

uint64_t cursor_parse_number(struct request *request, enum cursor_list list, protobuf_c_boolean has,
                             ProtobufCBinaryData field)
{
    struct slice position = cursor_parse(request, list, has, field);
    return position.length == 8 ? bytes_get_be64((const uint8_t *)position.data) : 0;
}

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
