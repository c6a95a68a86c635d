#include "billingd/store/lmdb/customer_row.h"

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"

enum { /* offsets in the row: see customer_row.h */
       AT_CREATED_AT = 0,
       AT_UPDATED_AT = 8,
       AT_BILLED_UNTIL = 16,
       AT_NAME_BYTES = 24,
       AT_EXTERNAL_ID_BYTES = 26,
       AT_TEXTS = 28,
       CHECKSUM_BYTES = 8,
};

static uint8_t *put_text(uint8_t *at, struct slice text)
{
    if (text.length > 0) {
        memcpy(at, text.data, text.length);
    }
    return at + text.length;
}

static struct slice text_at(const uint8_t *at, size_t length)
{
    return length == 0 ? (struct slice){0} : (struct slice){(const char *)at, length};
}

size_t customer_row_write(const struct store_customer *customer, uint8_t *buffer)
{
    REQUIRE(customer->name.length <= LIMIT_CUSTOMER_NAME_BYTES);
    REQUIRE(customer->external_id.length <= LIMIT_EXTERNAL_ID_BYTES);
    bytes_put_le64(buffer + AT_CREATED_AT, (uint64_t)customer->created_at_us);
    bytes_put_le64(buffer + AT_UPDATED_AT, (uint64_t)customer->updated_at_us);
    bytes_put_le64(buffer + AT_BILLED_UNTIL, (uint64_t)customer->billed_until_us);
    bytes_put_le16(buffer + AT_NAME_BYTES, (uint16_t)customer->name.length);
    bytes_put_le16(buffer + AT_EXTERNAL_ID_BYTES, (uint16_t)customer->external_id.length);
    uint8_t *at = put_text(buffer + AT_TEXTS, customer->name);
    at = put_text(at, customer->external_id);
    bytes_put_le64(at, XXH3_64bits_withSeed(buffer, (size_t)(at - buffer), customer->seq));
    return (size_t)(at - buffer) + CHECKSUM_BYTES;
}

int customer_row_read(uint64_t seq, const uint8_t *bytes, size_t length, struct store_customer *ret)
{
    if (length < AT_TEXTS + CHECKSUM_BYTES) {
        return STATUS_CORRUPT;
    }
    size_t checked = length - CHECKSUM_BYTES;
    size_t name_bytes = bytes_get_le16(bytes + AT_NAME_BYTES);
    size_t external_id_bytes = bytes_get_le16(bytes + AT_EXTERNAL_ID_BYTES);
    if (bytes_get_le64(bytes + checked) != XXH3_64bits_withSeed(bytes, checked, seq) ||
        AT_TEXTS + name_bytes + external_id_bytes != checked) {
        return STATUS_CORRUPT;
    }
    *ret = (struct store_customer){
        .seq = seq,
        .name = text_at(bytes + AT_TEXTS, name_bytes),
        .external_id = text_at(bytes + AT_TEXTS + name_bytes, external_id_bytes),
        .created_at_us = (int64_t)bytes_get_le64(bytes + AT_CREATED_AT),
        .updated_at_us = (int64_t)bytes_get_le64(bytes + AT_UPDATED_AT),
        .billed_until_us = (int64_t)bytes_get_le64(bytes + AT_BILLED_UNTIL),
    };
    return 0;
}
