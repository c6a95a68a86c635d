#include "billingd/rpc/object_id.h"

#include <inttypes.h>
#include <stdio.h>

#include <xxhash.h>

#include "billingd/base/assert.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char *const prefixes[] = {
    [OBJECT_CUSTOMER] = "cus_",   [OBJECT_USAGE] = "use_", [OBJECT_VOID] = "voi_",
    [OBJECT_ADJUSTMENT] = "adj_", [OBJECT_KEY] = "key_",
};

enum {
    PREFIX_BYTES = 4,
    DIGITS = 16,
    CHECK_BITS = 20,
    SEQ_BITS = 56,
};

static uint64_t check_bits(enum object_kind kind, uint64_t seq, uint64_t id_key)
{
    uint8_t bytes[PREFIX_BYTES + 8];
    memcpy(bytes, prefixes[kind], PREFIX_BYTES);
    for (int i = 0; i < 8; i++) {
        bytes[PREFIX_BYTES + i] = (uint8_t)(seq >> (8 * i));
    }
    return XXH3_64bits_withSeed(bytes, sizeof bytes, id_key) & ((1U << CHECK_BITS) - 1);
}

size_t object_id_print(enum object_kind kind, uint64_t seq, uint64_t id_key, char *buffer)
{
    REQUIRE(seq >> SEQ_BITS == 0);
    if (kind == OBJECT_INVOICE) {
        int length = snprintf(buffer, OBJECT_ID_TEXT_MAX, "%" PRIu64, seq);
        INVARIANT(length > 0 && length < OBJECT_ID_TEXT_MAX);
        return (size_t)length;
    }
    unsigned __int128 value = (unsigned __int128)seq << CHECK_BITS | check_bits(kind, seq, id_key);
    memcpy(buffer, prefixes[kind], PREFIX_BYTES);
    for (int i = DIGITS - 1; i >= 0; i--) {
        buffer[PREFIX_BYTES + i] = digits[(unsigned)value & 31];
        value >>= 5;
    }
    buffer[PREFIX_BYTES + DIGITS] = '\0';
    return PREFIX_BYTES + DIGITS;
}

/* Of a digit; -1: it is none.  The letters leave out i, l, o and u. */
static int value_of(char c)
{
    static const int8_t letters[] = {
        /* a  b   c   d   e   f   g   h   i   j   k   l   m   n   o   p   q   r   s   t   u */
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        -1,
        18,
        19,
        -1,
        20,
        21,
        -1,
        22,
        23,
        24,
        25,
        26,
        -1,
        /* v w   x   y   z */
        27,
        28,
        29,
        30,
        31,
    };
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'z' ? letters[c - 'a'] : -1;
}

uint64_t object_id_parse(enum object_kind kind, struct slice text, uint64_t id_key)
{
    unsigned __int128 value = 0;
    if (text.length != PREFIX_BYTES + DIGITS ||
        memcmp(text.data, prefixes[kind], PREFIX_BYTES) != 0) {
        return 0;
    }
    for (int i = 0; i < DIGITS; i++) {
        int digit = value_of(text.data[PREFIX_BYTES + i]);
        if (digit < 0) {
            return 0;
        }
        value = value << 5 | (unsigned)digit;
    }
    if (value >> (SEQ_BITS + CHECK_BITS) != 0) { /* a version that is not known */
        return 0;
    }
    uint64_t seq = (uint64_t)(value >> CHECK_BITS);
    uint64_t check = (uint64_t)value & ((1U << CHECK_BITS) - 1);
    return check == check_bits(kind, seq, id_key) ? seq : 0;
}

enum object_kind object_kind_of(enum record_kind kind)
{
    switch (kind) {
    case RECORD_USAGE:
        return OBJECT_USAGE;
    case RECORD_USAGE_VOIDED:
        return OBJECT_VOID;
    case RECORD_ADJUSTMENT:
        return OBJECT_ADJUSTMENT;
    case RECORD_INVOICE:
    case RECORD_INVOICE_ENTRIES:
        return OBJECT_INVOICE;
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        return OBJECT_KEY;
    case RECORD_CUSTOMER_CREATED:
    case RECORD_CUSTOMER_RENAMED:
    case RECORD_SERVICE_PUT: /* named by itself, and made by no request id */
    case RECORD_SERVICE_DELETED:
        break;
    }
    return OBJECT_CUSTOMER;
}
