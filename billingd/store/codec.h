/* The values that records are made of, to bytes and back: docs/engine.md has their forms.
 *
 * For record.c and what it is split into; pure, any thread. */
#pragma once

#include <string.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/base/slice.h"
#include "proto/decimal.h"
#include "proto/timestamp.h"

/* --- writing values --------------------------------------------------------------------------- */

/* Nothing here knows where the room ends: it is RECORD_BYTES_MAX, and what a caller may put in it
 * was checked.  A value beyond its bound aborts. */

struct writer {
    uint8_t *at;
};

static inline void put_byte(struct writer *w, unsigned value)
{
    *w->at++ = (uint8_t)value;
}

static inline void put_varint(struct writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        put_byte(w, (unsigned)(value & 0x7F) | 0x80U);
    }
    put_byte(w, (unsigned)value);
}

static inline void put_seq(struct writer *w, uint64_t seq)
{
    REQUIRE(seq > 0);
    put_varint(w, seq);
}

static inline void put_text(struct writer *w, struct slice text, size_t bytes_max)
{
    REQUIRE(text.length <= bytes_max);
    put_varint(w, text.length);
    if (text.length > 0) {
        memcpy(w->at, text.data, text.length);
        w->at += text.length;
    }
}

/* Small numbers of either sign in few bytes: 0, -1, 1, -2 become 0, 1, 2, 3. */
static inline void put_decimal(struct writer *w, struct decimal value)
{
    int64_t mantissa = decimal_mantissa(value);
    put_byte(w, (uint8_t)decimal_scale(value));
    put_varint(w, (uint64_t)mantissa << 1 ^ (mantissa < 0 ? UINT64_MAX : 0));
}

static inline void put_amount(struct writer *w, struct amount value)
{
    char text[AMOUNT_TEXT_MAX];
    size_t length = amount_print(value, text);
    put_text(w, (struct slice){text, length}, AMOUNT_TEXT_MAX - 1);
}

static inline void put_time(struct writer *w, int64_t time_us)
{
    REQUIRE(time_us >= 0 && time_us <= TIMESTAMP_MAX);
    bytes_put_le64(w->at, (uint64_t)time_us);
    w->at += sizeof(uint64_t);
}

/* --- reading values --------------------------------------------------------------------------- */

/* What is wrong anywhere sticks: the getters then give zeros and the caller asks once. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct slice text)
{
    const uint8_t *at = (const uint8_t *)(text.length == 0 ? "" : text.data);
    return (struct reader){.at = at, .end = at + text.length};
}

/* What R has not read yet. */
static inline struct slice rest_of(const struct reader *r)
{
    size_t left = (size_t)(r->end - r->at);
    return (struct slice){left == 0 ? NULL : (const char *)r->at, left};
}

/* The next BYTES of R, which are then read; NULL where there are not so many. */
static inline const uint8_t *take(struct reader *r, uint64_t bytes)
{
    if (bytes > (uint64_t)(r->end - r->at)) {
        r->failed = true;
        r->at = r->end;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += bytes;
    return at;
}

static inline unsigned get_byte(struct reader *r)
{
    const uint8_t *at = take(r, 1);
    return at == NULL ? 0 : *at;
}

/* Only the shortest form of each number is taken. */
static inline uint64_t get_varint(struct reader *r)
{
    uint64_t value = 0;
    unsigned byte = 0x80;
    for (unsigned shift = 0; byte >= 0x80; shift += 7) {
        byte = get_byte(r);
        if (shift == 63 && byte > 1) { /* beyond 64 bits, or beyond 10 bytes */
            r->failed = true;
            return 0;
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte == 0 && shift > 0) {
            r->failed = true;
        }
    }
    return value;
}

static inline struct slice get_text(struct reader *r, size_t bytes_max)
{
    uint64_t length = get_varint(r);
    if (length > bytes_max) {
        r->failed = true;
        return (struct slice){0};
    }
    const uint8_t *data = length == 0 ? NULL : take(r, length);
    return data == NULL ? (struct slice){0} : (struct slice){(const char *)data, (size_t)length};
}

static inline struct decimal get_decimal(struct reader *r)
{
    struct decimal value = {0};
    int scale = (int)get_byte(r);
    uint64_t folded = get_varint(r);
    int64_t mantissa = (int64_t)(folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0));
    if (decimal_make(mantissa, scale < 128 ? scale : scale - 256, &value) < 0) {
        r->failed = true;
    }
    return value;
}

static inline struct amount get_amount(struct reader *r)
{
    struct amount value = amount_zero();
    struct slice text = get_text(r, AMOUNT_TEXT_MAX - 1);
    if (amount_parse(text.data, text.length, &value) < 0) {
        r->failed = true;
    }
    return value;
}

static inline int64_t get_time(struct reader *r)
{
    const uint8_t *at = take(r, sizeof(uint64_t));
    uint64_t time_us = at == NULL ? 0 : bytes_get_le64(at);
    if (time_us > (uint64_t)TIMESTAMP_MAX) {
        r->failed = true;
        return 0;
    }
    return (int64_t)time_us;
}

/* A sequence number: from 1. */
static inline uint64_t get_seq(struct reader *r)
{
    uint64_t seq = get_varint(r);
    if (seq == 0) {
        r->failed = true;
    }
    return seq;
}
