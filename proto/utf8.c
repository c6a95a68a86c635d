#include "proto/utf8.h"

#include <stdint.h>

/* The code point at AT and how many bytes it takes; 0 bytes where it is not well formed.  The
 * bounds of the second byte are those of RFC 3629, section 4. */
static size_t decode(const unsigned char *at, size_t left, uint32_t *ret_point)
{
    size_t bytes;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (at[0] < 0x80) {
        *ret_point = at[0];
        return 1;
    }
    if (at[0] >= 0xC2 && at[0] <= 0xDF) {
        bytes = 2;
        *ret_point = at[0] & 0x1FU;
    } else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        bytes = 3;
        *ret_point = at[0] & 0x0FU;
        low = at[0] == 0xE0 ? 0xA0 : low;
        high = at[0] == 0xED ? 0x9F : high;
    } else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        bytes = 4;
        *ret_point = at[0] & 0x07U;
        low = at[0] == 0xF0 ? 0x90 : low;
        high = at[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (left < bytes || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
        *ret_point = *ret_point << 6 | (at[i] & 0x3FU);
    }
    return bytes;
}

static bool check(const char *text, size_t length, bool controls_allowed)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        uint32_t point;
        if (at[i] >= 0x20 && at[i] < 0x7F) { /* as most are */
            i++;
            continue;
        }
        size_t bytes = decode(at + i, length - i, &point);
        if (bytes == 0 ||
            (!controls_allowed && (point < 0x20 || (point >= 0x7F && point < 0xA0)))) {
            return false;
        }
        i += bytes;
    }
    return true;
}

bool utf8_valid(const char *text, size_t length)
{
    return check(text, length, true);
}

bool utf8_printable(const char *text, size_t length)
{
    return check(text, length, false);
}
