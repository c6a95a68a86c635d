/* Durations, times, decimals and request ids in text.  Pure but for billing_request_id_new(). */
#include <string.h>
#include <time.h>

#include <billing/billing.h>

#include "libbilling/src/random.h"
#include "proto/decimal.h"
#include "proto/status.h"
#include "proto/timestamp.h"
#include "proto/uuid.h"

#define DURATION_MS_MAX INT64_C(604800000)

_Static_assert((int)BILLING_TIME_TEXT_MAX == (int)TIMESTAMP_TEXT_MAX, "one bound, two headers");
_Static_assert((int)BILLING_DECIMAL_TEXT_MAX == (int)DECIMAL_TEXT_MAX, "likewise");

/* A status of proto/ as one of ours. */
static int translate(int status)
{
    if (status == 0) {
        return 0;
    }
    return status == STATUS_WRONG_TYPE ? BILLING_E_ARGUMENT : BILLING_E_RANGE;
}

/* The milliseconds of the UNIT of a duration, or 0. */
static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].name, unit) == 0) {
            return units[i].ms;
        }
    }
    return 0;
}

int billing_duration_parse(const char *text, int64_t *ret_ms)
{
    int64_t value = 0;
    if (text == NULL || ret_ms == NULL) {
        return BILLING_E_ARGUMENT;
    }
    size_t digits = strspn(text, "0123456789");
    int64_t unit = unit_ms(text + digits);
    if (digits == 0 || unit == 0) {
        return BILLING_E_ARGUMENT;
    }
    for (size_t i = 0; i < digits && value <= DURATION_MS_MAX; i++) {
        value = value * 10 + (text[i] - '0');
    }
    if (value > DURATION_MS_MAX / unit) {
        return BILLING_E_RANGE;
    }
    *ret_ms = value * unit;
    return 0;
}

int billing_time_parse(const char *text, int64_t *ret_us)
{
    if (text == NULL || ret_us == NULL) {
        return BILLING_E_ARGUMENT;
    }
    return translate(timestamp_parse(text, strlen(text), ret_us));
}

int billing_time_format(int64_t time_us, char *buffer, size_t size)
{
    if (buffer == NULL || size < TIMESTAMP_TEXT_MAX) {
        return BILLING_E_ARGUMENT;
    }
    if (time_us < 0 || time_us > TIMESTAMP_MAX) {
        return BILLING_E_RANGE;
    }
    return timestamp_print(time_us, buffer) > 0 ? 0 : BILLING_E_RANGE;
}

/* The end of the last month that can be asked for must be a time. */
int billing_month_parse(const char *text, int64_t *ret_start_us, int64_t *ret_end_us)
{
    static const char rest[] = "-01T00:00:00Z";
    char first[sizeof "2026-11" + sizeof rest];
    int64_t start_us = 0;
    if (text == NULL || ret_start_us == NULL || ret_end_us == NULL || strlen(text) != 7) {
        return BILLING_E_ARGUMENT;
    }
    memcpy(first, text, 7);
    memcpy(first + 7, rest, sizeof rest);
    int status = translate(timestamp_parse(first, strlen(first), &start_us));
    if (status != 0) {
        return status;
    }
    struct civil_time month = timestamp_civil(start_us);
    int64_t end_us = timestamp_month_start(month.year, month.month + 1);
    if (end_us > TIMESTAMP_MAX) {
        return BILLING_E_RANGE;
    }
    *ret_start_us = start_us;
    *ret_end_us = end_us;
    return 0;
}

int billing_decimal_check(const char *text, char *canonical, const char **ret_reason)
{
    struct decimal value;
    const char *reason = "not a number";
    if (text == NULL) {
        return BILLING_E_ARGUMENT;
    }
    int status = translate(decimal_parse(text, strlen(text), &value, &reason));
    if (status == 0 && canonical != NULL) {
        decimal_print(value, canonical);
    }
    if (status != 0 && ret_reason != NULL) {
        *ret_reason = reason;
    }
    return status;
}

/* The random bits begin with 12 of the part of the millisecond (RFC 9562, section 6.2, method 3),
 * so that ids also sort within one. */
int billing_request_id_new(char *buffer, size_t size)
{
    struct timespec now;
    uint8_t random[UUID_RANDOM_BYTES];
    if (buffer == NULL || size <= UUID_TEXT_BYTES) {
        return BILLING_E_ARGUMENT;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || !random_fill(random, sizeof random)) {
        return BILLING_E_SYSTEM;
    }
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t part = (uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000;
    random[0] = (uint8_t)(part >> 8);
    random[1] = (uint8_t)part;
    uuid7_print(ms, random, buffer);
    return 0;
}
