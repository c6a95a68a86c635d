/* Requests and answers of the RPC written and read by hand, field by field: packing with the
 * generated code would make the generator the bottleneck.  The numbers are those of
 * proto/billing.proto. */
#include <stdlib.h>

#include "bench/caller.h"
#include "bench/fail.h"
#include "bench/traffic.h"
#include "billingd/base/bytes.h"
#include "proto/frame.h"

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,

    REQUEST_CALL_ID = 1,
    REQUEST_TOKEN = 3,
    REQUEST_CREATE_USAGE = 20,
    REQUEST_CREATE_USAGE_BATCH = 21,
    BATCH_USAGE = 1,
    USAGE_CUSTOMER_ID = 1,
    USAGE_SERVICE = 2,
    USAGE_UNITS_CONSUMED = 3,
    USAGE_PRICE_PER_UNIT = 4,
    USAGE_OCCURRED_AT = 5,
    USAGE_REQUEST_ID = 6,

    RESPONSE_CALL_ID = 1,
    RESPONSE_PROBLEM = 4,
    RESPONSE_CREATE_USAGE = 20,
    RESPONSE_CREATE_USAGE_BATCH = 21,
    RESULTS_RESULT = 1,
    RESULT_STATUS = 1,
    STATUS_RECORDED = 1,

    USAGE_BYTES_MAX = 256, /* of a record of the load, with its tag and length */
    VARINT_BYTES_MAX = 10,
    TOKEN_BYTES_MAX = 128,
};

/* --- writing ---------------------------------------------------------------------------------- */

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *at++ = (uint8_t)(value | 0x80);
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_tag(uint8_t *at, unsigned field, unsigned type)
{
    return put_varint(at, field << 3 | type);
}

static uint8_t *put_bytes(uint8_t *at, unsigned field, struct slice bytes)
{
    at = put_varint(put_tag(at, field, WIRE_BYTES), bytes.length);
    memcpy(at, bytes.data, bytes.length);
    return at + bytes.length;
}

/* The next record as the value of FIELD, at AT with room for USAGE_BYTES_MAX. */
static uint8_t *put_usage(struct traffic *traffic, unsigned field, uint8_t *at)
{
    struct load_record record;
    char units[LOAD_UNITS_BYTES];
    uint8_t usage[USAGE_BYTES_MAX];
    uint8_t *end = usage;
    load_next(&traffic->load, &record);
    const struct load_service *service = &load_services[record.service];
    end = put_bytes(end, USAGE_CUSTOMER_ID, traffic->customers[record.customer]);
    end = put_bytes(end, USAGE_SERVICE, service->name);
    end = put_bytes(end, USAGE_UNITS_CONSUMED,
                    (struct slice){units, load_units_print(&record, units)});
    end = put_bytes(end, USAGE_PRICE_PER_UNIT, service->price);
    end = put_tag(end, USAGE_OCCURRED_AT, WIRE_FIXED64);
    bytes_put_le64(end, (uint64_t)record.occurred_at_us);
    end += sizeof(uint64_t);
    end = put_bytes(end, USAGE_REQUEST_ID, (struct slice){record.id, LOAD_ID_BYTES});
    return put_bytes(at, field, (struct slice){(const char *)usage, (size_t)(end - usage)});
}

/* That of the key by which it is asked, if any. */
static uint8_t *put_token(uint8_t *at, struct slice token)
{
    if (token.length > TOKEN_BYTES_MAX) {
        fail("a key of %zu bytes", token.length);
    }
    return token.length == 0 ? at : put_bytes(at, REQUEST_TOKEN, token);
}

static void rpc_ask(struct traffic *traffic, uint64_t call, uint64_t n, struct buffer *out)
{
    uint8_t head[FRAME_HEADER_BYTES + 3 * (VARINT_BYTES_MAX + VARINT_BYTES_MAX) + TOKEN_BYTES_MAX];
    struct buffer *body = &traffic->scratch;
    unsigned field = traffic->batched ? BATCH_USAGE : REQUEST_CREATE_USAGE;
    body->start = body->end = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *at = buffer_space(body, USAGE_BYTES_MAX);
        body->end += (size_t)(put_usage(traffic, field, at) - at);
    }
    uint8_t *end =
        put_varint(put_tag(head + FRAME_HEADER_BYTES, REQUEST_CALL_ID, WIRE_VARINT), call);
    end = put_token(end, traffic->token);
    if (traffic->batched) {
        end = put_varint(put_tag(end, REQUEST_CREATE_USAGE_BATCH, WIRE_BYTES), body->end);
    }
    size_t head_bytes = (size_t)(end - head);
    frame_header_write(head, (uint32_t)(head_bytes - FRAME_HEADER_BYTES + body->end));
    buffer_put(out, (struct slice){(const char *)head, head_bytes});
    buffer_put(out, (struct slice){(const char *)body->data, body->end});
}

/* --- reading ---------------------------------------------------------------------------------- */

struct wire {
    const uint8_t *at;
    const uint8_t *end;
};

__attribute__((noreturn)) static void fail_unreadable(void)
{
    fail("an answer that cannot be read");
}

static uint64_t get_varint(struct wire *wire)
{
    uint64_t value = 0;
    for (unsigned shift = 0; wire->at < wire->end && shift < 64; shift += 7) {
        uint8_t byte = *wire->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    fail_unreadable();
}

/* Take the next field: its number, with its value in *RET_VALUE or, of bytes, in *RET_BYTES. */
static unsigned get_field(struct wire *wire, uint64_t *ret_value, struct wire *ret_bytes)
{
    uint64_t tag = get_varint(wire);
    uint64_t length = sizeof(uint64_t);
    if ((tag & 7) == WIRE_VARINT) {
        *ret_value = get_varint(wire);
        return (unsigned)(tag >> 3);
    }
    if ((tag & 7) == WIRE_BYTES) {
        length = get_varint(wire);
    } else if ((tag & 7) != WIRE_FIXED64) {
        fail_unreadable();
    }
    if (length > (uint64_t)(wire->end - wire->at)) {
        fail_unreadable();
    }
    *ret_bytes = (struct wire){wire->at, wire->at + length};
    wire->at += length;
    return (unsigned)(tag >> 3);
}

/* Count what the results of a batch say. */
static void count_results(struct wire results, struct traffic_answer *answer)
{
    while (results.at < results.end) {
        uint64_t value = 0;
        struct wire result = {NULL, NULL};
        struct wire ignored;
        if (get_field(&results, &value, &result) == RESULTS_RESULT && result.at < result.end &&
            get_field(&result, &value, &ignored) == RESULT_STATUS && value == STATUS_RECORDED) {
            answer->recorded++;
        } else {
            answer->refused++;
        }
    }
}

static size_t rpc_answer(const uint8_t *data, size_t bytes, struct traffic_answer *ret)
{
    size_t length = bytes < FRAME_HEADER_BYTES ? 0
                                               : (size_t)data[0] << 24 | (size_t)data[1] << 16 |
                                                     (size_t)data[2] << 8 | data[3];
    if (bytes < FRAME_HEADER_BYTES + length || bytes < FRAME_HEADER_BYTES) {
        return 0;
    }
    struct wire wire = {data + FRAME_HEADER_BYTES, data + FRAME_HEADER_BYTES + length};
    *ret = (struct traffic_answer){0};
    while (wire.at < wire.end) {
        uint64_t value = 0;
        struct wire inner = {NULL, NULL};
        switch (get_field(&wire, &value, &inner)) {
        case RESPONSE_CALL_ID:
            ret->call = value;
            break;
        case RESPONSE_PROBLEM:
            ret->refused++;
            break;
        case RESPONSE_CREATE_USAGE:
            ret->recorded++;
            break;
        case RESPONSE_CREATE_USAGE_BATCH:
            count_results(inner, ret);
            break;
        default:
            break; /* of no interest here */
        }
    }
    return FRAME_HEADER_BYTES + length;
}

const struct traffic_door traffic_rpc = {caller_connect, rpc_ask, rpc_answer};
