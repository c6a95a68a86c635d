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
