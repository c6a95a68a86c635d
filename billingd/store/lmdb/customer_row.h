/* The rows of the table `customers`: each customer as it is now.
 *
 *   offset   bytes
 *        0       8  created_at: microseconds since 1970
 *        8       8  updated_at
 *       16       8  billed_until; 0: no invoice yet
 *       24       2  n: bytes of the name
 *       26       2  e: bytes of the external id
 *       28     n+e  name, external id
 *   28+n+e       8  XXH3-64 of all bytes before it, seeded with the customer's sequence number
 *
 * Derived from the journal, as all tables are.  Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingd/store/store.h"

enum {
    CUSTOMER_ROW_BYTES_MAX = 28 + LIMIT_CUSTOMER_NAME_BYTES + LIMIT_EXTERNAL_ID_BYTES + 8,
};

/* Write CUSTOMER, its texts within their limits, into BUFFER of at least CUSTOMER_ROW_BYTES_MAX
 * bytes.  Returns the number of bytes. */
size_t customer_row_write(const struct store_customer *customer, uint8_t *buffer);

/* Read the LENGTH bytes at BYTES, the row of the customer SEQ; *RET points into them.
 * Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int customer_row_read(uint64_t seq, const uint8_t *bytes, size_t length,
                                struct store_customer *ret);
