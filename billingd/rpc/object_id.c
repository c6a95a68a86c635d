#include "billingd/rpc/object_id.h"

#include <xxhash.h>

#include "billingd/base/assert.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char *const prefixes[] = {
    [OBJECT_CUSTOMER] = "cus_",
    [OBJECT_USAGE] = "use_",
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
    unsigned __int128 value = (unsigned __int128)seq << CHECK_BITS | check_bits(kind, seq, id_key);
    memcpy(buffer, prefixes[kind], PREFIX_BYTES);
    for (int i = DIGITS - 1; i >= 0; i--) {
        buffer[PREFIX_BYTES + i] = digits[(unsigned)value & 31];
        value >>= 5;
    }
    buffer[PREFIX_BYTES + DIGITS] = '\0';
    return PREFIX_BYTES + DIGITS;
}

uint64_t object_id_parse(enum object_kind kind, struct slice text, uint64_t id_key)
{
    unsigned __int128 value = 0;
    if (text.length != PREFIX_BYTES + DIGITS ||
        memcmp(text.data, prefixes[kind], PREFIX_BYTES) != 0) {
        return 0;
    }
    for (int i = 0; i < DIGITS; i++) {
        const char *digit = memchr(digits, text.data[PREFIX_BYTES + i], sizeof digits - 1);
        if (digit == NULL) {
            return 0;
        }
        value = value << 5 | (unsigned)(digit - digits);
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
    return kind == RECORD_USAGE ? OBJECT_USAGE : OBJECT_CUSTOMER;
}
