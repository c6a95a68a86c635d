/* The rows of the table `api_keys`: what changes of a key.  The rest of it is its creation's
 * record.
 *
 *   offset   bytes
 *        0       8  sequence number of its revocation; 0: it is not revoked
 *        8       8  last use, as far as it is recorded: microseconds since 1970; 0: never
 *       16       8  XXH3-64 of all bytes before it, seeded with the key's sequence number
 *
 * Derived from the journal, as all tables are.  Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

enum {
    API_KEY_ROW_BYTES = 24,
};

struct api_key_row {
    uint64_t revoked;
    int64_t last_used_us;
};

/* Write ROW, of the key SEQ, into BUFFER. */
void api_key_row_write(uint64_t seq, const struct api_key_row *row,
                       uint8_t buffer[API_KEY_ROW_BYTES]);

/* Read the LENGTH bytes at BYTES, the row of the key SEQ.  Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int api_key_row_read(uint64_t seq, const uint8_t *bytes, size_t length,
                               struct api_key_row *ret);
