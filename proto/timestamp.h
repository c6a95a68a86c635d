/* Times: microseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.
 *
 * Pure; any thread; no time zone data and no locale. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

enum {
    TIMESTAMP_TEXT_MAX = 32, /* of timestamp_print(), NUL included */
};

#define TIMESTAMP_MAX INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */

struct civil_time {
    int year;   /* 1970 to 9999 */
    int month;  /* 1 to 12 */
    int day;    /* 1 to 31 */
    int hour;   /* 0 to 23 */
    int minute; /* 0 to 59 */
    int second; /* 0 to 59: a leap second has no microsecond of its own */
    int microsecond;
};

/* Parse LENGTH bytes at TEXT: RFC 3339 date-time.  A blank may stand for the T, as section 5.6
 * allows; without a zone it is UTC; digits past the microsecond are dropped.
 *
 * Returns 0; STATUS_WRONG_TYPE if that is no time; STATUS_TIME_OUT_OF_RANGE if it lies outside
 * 1970 to 9999. */
MUSTCHECK int timestamp_parse(const char *text, size_t length, int64_t *ret_us);

/* Print TIME_US (0 to TIMESTAMP_MAX) as 2026-11-22T11:01:38.000000Z into BUFFER of at least
 * TIMESTAMP_TEXT_MAX bytes.  Returns the length without the NUL. */
size_t timestamp_print(int64_t time_us, char *buffer);

/* TIME_US (0 to TIMESTAMP_MAX) as a date and time of day in UTC. */
struct civil_time timestamp_civil(int64_t time_us);

/* The microsecond at which YEAR-MONTH-1 begins in UTC.  MONTH may run past 12, into later years. */
int64_t timestamp_month_start(int year, int month);
