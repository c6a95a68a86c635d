#include "billingd/store/lmdb/service_row.h"

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"

enum { /* offsets in the row: see service_row.h */
       AT_CREATED_AT = 0,
       AT_UPDATED_AT = 8,
       AT_UNIT = 16,
       CHECKSUM_BYTES = 8,
};

/* Of a row, and of whose it is. */
static uint64_t checksum_of(struct slice name, const uint8_t *bytes, size_t length)
{
    return XXH3_64bits_withSeed(bytes, length, XXH3_64bits(name.data, name.length));
}

size_t service_row_write(const struct store_service *service, uint8_t *buffer)
{
    size_t unit_bytes = service->unit.length;
    REQUIRE(unit_bytes <= LIMIT_UNIT_BYTES);
    bytes_put_le64(buffer + AT_CREATED_AT, (uint64_t)service->created_at_us);
    bytes_put_le64(buffer + AT_UPDATED_AT, (uint64_t)service->updated_at_us);
    if (unit_bytes > 0) {
        memcpy(buffer + AT_UNIT, service->unit.data, unit_bytes);
    }
    size_t checked = AT_UNIT + unit_bytes;
    bytes_put_le64(buffer + checked, checksum_of(service->name, buffer, checked));
    return checked + CHECKSUM_BYTES;
}

int service_row_read(struct slice name, const uint8_t *bytes, size_t length,
                     struct store_service *ret)
{
    if (length < AT_UNIT + CHECKSUM_BYTES || length > SERVICE_ROW_BYTES_MAX) {
        return STATUS_CORRUPT;
    }
    size_t checked = length - CHECKSUM_BYTES;
    size_t unit_bytes = checked - AT_UNIT;
    if (bytes_get_le64(bytes + checked) != checksum_of(name, bytes, checked)) {
        return STATUS_CORRUPT;
    }
    *ret = (struct store_service){
        .name = name,
        .unit = {unit_bytes == 0 ? NULL : (const char *)bytes + AT_UNIT, unit_bytes},
        .created_at_us = (int64_t)bytes_get_le64(bytes + AT_CREATED_AT),
        .updated_at_us = (int64_t)bytes_get_le64(bytes + AT_UPDATED_AT),
    };
    return 0;
}
