#include "billingctl/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <billing/billing.h>

#include "billingctl/memory.h"

enum {
    DATE_BYTES = 10, /* 2026-11-01 */
};

bool value_time(const char *text, int64_t *ret_us, struct reason *reterr)
{
    char midnight[DATE_BYTES + sizeof "T00:00:00Z"];
    const char *whole = text;
    if (strlen(text) == DATE_BYTES) {
        memcpy(midnight, text, DATE_BYTES);
        memcpy(midnight + DATE_BYTES, "T00:00:00Z", sizeof "T00:00:00Z");
        whole = midnight;
    }
    switch (billing_time_parse(whole, ret_us)) {
    case 0:
        return true;
    case BILLING_E_RANGE:
        return reason_set(reterr, "'%s' lies outside the years 1970 to 9999", text);
    default:
        return reason_set(reterr, "'%s' is not a time like 2026-11-22T11:01:38Z or 2026-11-22",
                          text);
    }
}

/* The microseconds of a unit of TEXT, a whole number and a letter; 0: that is no such text. */
static int64_t unit_of(const char *text)
{
    static const char digits[] = "0123456789";
    size_t length = strspn(text, digits);
    if (length == 0 || text[length] == '\0' || text[length + 1] != '\0') {
        return 0;
    }
    switch (text[length]) {
    case 's':
        return INT64_C(1000000);
    case 'm':
        return INT64_C(60) * 1000000;
    case 'h':
        return INT64_C(3600) * 1000000;
    case 'd':
        return INT64_C(86400) * 1000000;
    default:
        return 0;
    }
}

bool value_expiry(const char *text, int64_t now_us, int64_t *ret_us, struct reason *reterr)
{
    int64_t unit_us = unit_of(text);
    int64_t last_us = 0;
    if (unit_us == 0) {
        struct reason ignored;
        return value_time(text, ret_us, &ignored) ||
               reason_set(reterr, "'%s' is neither a time nor one from now on, like 30s or 90d",
                          text);
    }
    if (billing_time_parse("9999-12-31T23:59:59Z", &last_us) != 0) {
        return reason_set(reterr, "'%s' cannot be compared", text);
    }
    int64_t us = 0;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++) {
        us = us * 10 + (*c - '0') * unit_us;
        if (us > last_us - now_us) {
            return reason_set(reterr, "'%s' from now on ends behind the year 9999", text);
        }
    }
    *ret_us = now_us + us;
    return true;
}

bool value_month(const char *text, int64_t *ret_start_us, int64_t *ret_end_us,
                 struct reason *reterr)
{
    if (billing_month_parse(text, ret_start_us, ret_end_us) != 0) {
        return reason_set(reterr, "'%s' is not a month like 2026-11", text);
    }
    return true;
}

bool value_count(const char *text, uint64_t low, uint64_t high, uint64_t *ret,
                 struct reason *reterr)
{
    uint64_t value = 0;
    bool fits = *text != '\0';
    for (const char *c = text; *c != '\0' && fits; c++) {
        fits = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(*c - '0'), &value);
    }
    if (high == UINT64_MAX && (!fits || value < low)) {
        return reason_set(reterr, "'%s' is not a whole number from %" PRIu64 " on", text, low);
    }
    if (!fits || value < low || value > high) {
        return reason_set(reterr, "'%s' is not a whole number from %" PRIu64 " to %" PRIu64, text,
                          low, high);
    }
    *ret = value;
    return true;
}

bool value_word(const char *text, const char *words, int *ret, struct reason *reterr)
{
    int index = 0;
    for (const char *word = words; *word != '\0'; index++) {
        size_t length = strcspn(word, " ");
        if (strlen(text) == length && memcmp(word, text, length) == 0) {
            *ret = index;
            return true;
        }
        word += length + strspn(word + length, " ");
    }
    return reason_set(reterr, "'%s' is none of: %s", text, words);
}

bool value_label(const char *text, char **ret_name, const char **ret_value, struct reason *reterr)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        return reason_set(reterr, "'%s' is not NAME=VALUE", text);
    }
    char *name = memory_copy(text);
    name[equals - text] = '\0';
    *ret_name = name;
    *ret_value = equals + 1;
    return true;
}
