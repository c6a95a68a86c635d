/* Values of flags that are more than text.  Pure; any thread.
 *
 * Each function returns true, or false with *RETERR saying what is wrong with TEXT. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

/* A time: RFC 3339, or a date alone, which means its first microsecond in UTC. */
MUSTCHECK bool value_time(const char *text, int64_t *ret_us, struct reason *reterr);

/* When something ends: a time as above, or from NOW_US on so many seconds, minutes, hours or days,
 * "30s", "15m", "12h", "90d". */
MUSTCHECK bool value_expiry(const char *text, int64_t now_us, int64_t *ret_us,
                            struct reason *reterr);

/* A month, 2026-11: [*RET_START_US, *RET_END_US). */
MUSTCHECK bool value_month(const char *text, int64_t *ret_start_us, int64_t *ret_end_us,
                           struct reason *reterr);

/* A whole number from LOW to HIGH, in digits; UINT64_MAX is no bound to speak of. */
MUSTCHECK bool value_count(const char *text, uint64_t low, uint64_t high, uint64_t *ret,
                           struct reason *reterr);

/* Which word of WORDS, a list with blanks between them, TEXT is: *RET counts from 0. */
MUSTCHECK bool value_word(const char *text, const char *words, int *ret, struct reason *reterr);

/* A label, NAME=VALUE, split at the first "=": *RET_NAME is a copy to be freed, *RET_VALUE lies
 * within TEXT. */
MUSTCHECK bool value_label(const char *text, char **ret_name, const char **ret_value,
                           struct reason *reterr);
