/* The rows of the table `services`: the catalogue as it is now.
 *
 *   offset   bytes
 *        0       8  created_at: microseconds since 1970
 *        8       8  updated_at
 *       16       u  unit; the row's length says how many bytes
 *     16+u       8  XXH3-64 of all bytes before it, seeded with the XXH3-64 of the service's name
 *
 * Derived from the journal, as all tables are.  Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingd/store/store.h"

enum {
    SERVICE_ROW_BYTES_MAX = 16 + LIMIT_UNIT_BYTES + 8,
};

/* Write SERVICE, its unit within its limit, into BUFFER of at least SERVICE_ROW_BYTES_MAX bytes.
 * Returns the number of bytes. */
size_t service_row_write(const struct store_service *service, uint8_t *buffer);

/* Read the LENGTH bytes at BYTES, the row of the service NAME; *RET points into both.
 * Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int service_row_read(struct slice name, const uint8_t *bytes, size_t length,
                               struct store_service *ret);
