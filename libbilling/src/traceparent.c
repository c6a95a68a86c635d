#include "libbilling/src/traceparent.h"

#include <string.h>

#include <billing/billing.h>

bool traceparent_is_good(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    static const char nothing[] = "00000000000000000000000000000000";
    static const struct {
        size_t at;
        size_t length;
        bool is_id;
    } parts[] = {{0, 2, false}, {3, 32, true}, {36, 16, true}, {53, 2, false}};
    if (strlen(text) != BILLING_TRACEPARENT_BYTES || memcmp(text, "ff", 2) == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *part = text + parts[i].at;
        if (strspn(part, digits) != parts[i].length ||
            (parts[i].is_id && memcmp(part, nothing, parts[i].length) == 0) ||
            (part[parts[i].length] != '-' && part[parts[i].length] != '\0')) {
            return false;
        }
    }
    return true;
}
