#include "proto/uuid.h"

#include <string.h>

void uuid7_print(uint64_t unix_ms, const uint8_t random[UUID_RANDOM_BYTES],
                 char buffer[UUID_TEXT_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    for (int i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
    }
    memcpy(bytes + 6, random, UUID_RANDOM_BYTES);
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0F)); /* version 7 */
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F)); /* variant */
    char *out = buffer;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}
