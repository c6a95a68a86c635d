/* Windows of the calendar in UTC: hours, days and months.  Pure; any thread. */
#pragma once

#include "billingd/ledger/period.h"

enum window {
    WINDOW_HOUR,
    WINDOW_DAY,
    WINDOW_MONTH,
};

/* The window that TIME_US (0 to TIMESTAMP_MAX) lies in. */
struct period window_of(enum window window, int64_t time_us);

/* How many windows PERIOD touches; it begins before it ends, within 1970 to 9999. */
uint64_t window_count(enum window window, struct period period);
