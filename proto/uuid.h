/* Request ids that are made rather than given: UUID version 7 (RFC 9562, section 5.7), whose
 * first bits are the time, so that they arrive nearly in order.  Pure; any thread. */
#pragma once

#include <stdint.h>

enum {
    UUID_RANDOM_BYTES = 10,
    UUID_TEXT_BYTES = 36,
};

/* Print the UUID of UNIX_MS (milliseconds since 1970) and RANDOM into BUFFER, of
 * UUID_TEXT_BYTES and a NUL. */
void uuid7_print(uint64_t unix_ms, const uint8_t random[UUID_RANDOM_BYTES],
                 char buffer[UUID_TEXT_BYTES + 1]);
