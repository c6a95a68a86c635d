#include "billingd/store/lmdb/api_key_row.h"

#include <xxhash.h>

#include "billingd/base/bytes.h"

enum { /* offsets in the row: see api_key_row.h */
       AT_REVOKED = 0,
       AT_LAST_USED = 8,
       AT_CHECKSUM = 16,
};

void api_key_row_write(uint64_t seq, const struct api_key_row *row,
                       uint8_t buffer[API_KEY_ROW_BYTES])
{
    bytes_put_le64(buffer + AT_REVOKED, row->revoked);
    bytes_put_le64(buffer + AT_LAST_USED, (uint64_t)row->last_used_us);
    bytes_put_le64(buffer + AT_CHECKSUM, XXH3_64bits_withSeed(buffer, AT_CHECKSUM, seq));
}

int api_key_row_read(uint64_t seq, const uint8_t *bytes, size_t length, struct api_key_row *ret)
{
    if (length != API_KEY_ROW_BYTES ||
        bytes_get_le64(bytes + AT_CHECKSUM) != XXH3_64bits_withSeed(bytes, AT_CHECKSUM, seq)) {
        return STATUS_CORRUPT;
    }
    *ret = (struct api_key_row){
        .revoked = bytes_get_le64(bytes + AT_REVOKED),
        .last_used_us = (int64_t)bytes_get_le64(bytes + AT_LAST_USED),
    };
    return 0;
}
