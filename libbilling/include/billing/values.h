/* libbilling, small things: request ids, durations, times and decimals as the daemon takes them.
 * Included by billing.h, which has the bounds and the results that are named here. */
#ifndef BILLING_VALUES_H
#define BILLING_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include <billing/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Make a request id, a UUID version 7 (RFC 9562) in text, into BUFFER of SIZE >= 37 bytes: for
 * programs that keep the id before the first try.  Ids sort by the time they were made.
 * Returns 0, BILLING_E_ARGUMENT (no room) or BILLING_E_SYSTEM (no random bytes).  Any thread. */
BILLING_API int billing_request_id_new(char *buffer, size_t size);

/* Parse a duration: digits and a unit, "250ms", "5s", "2m", "1h", from 0 to 604800000 ms.
 * Returns 0, BILLING_E_ARGUMENT (not a duration) or BILLING_E_RANGE.  Any thread. */
BILLING_API int billing_duration_parse(const char *text, int64_t *ret_ms);

/* Parse a time in RFC 3339; without a zone it is UTC, digits past the microsecond are dropped.
 * Returns 0, BILLING_E_ARGUMENT (not a time) or BILLING_E_RANGE (outside 1970 to 9999).
 * Any thread. */
BILLING_API int billing_time_parse(const char *text, int64_t *ret_us);

/* Print TIME_US as 2026-11-22T11:01:38.000000Z into BUFFER of SIZE >= BILLING_TIME_TEXT_MAX bytes.
 * Returns 0, BILLING_E_ARGUMENT (no room) or BILLING_E_RANGE.  Any thread. */
BILLING_API int billing_time_format(int64_t time_us, char *buffer, size_t size);

/* Parse a month, "2026-11": *RET_START_US is its first microsecond in UTC, *RET_END_US the next
 * month's.  Returns 0, BILLING_E_ARGUMENT or BILLING_E_RANGE.  Any thread. */
BILLING_API int billing_month_parse(const char *text, int64_t *ret_start_us, int64_t *ret_end_us);

/* Check that TEXT is a decimal that the daemon takes: at most 18 significant and 18 fraction
 * digits.  CANONICAL, NULL or of at least BILLING_DECIMAL_TEXT_MAX bytes, gets its canonical form:
 * no exponent, no trailing zeros, a "-" in front exactly if it is below zero.
 * Returns 0, BILLING_E_ARGUMENT (not a number) or BILLING_E_RANGE (does not fit), and then
 * *RET_REASON, where given, says why in static text.  Any thread. */
BILLING_API int billing_decimal_check(const char *text, char *canonical, const char **ret_reason);

#ifdef __cplusplus
}
#endif

#endif
