#include "billingd/ledger/window.h"

#include "proto/timestamp.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define DAY_US  (24 * HOUR_US)

static int64_t length_us(enum window window)
{
    return window == WINDOW_HOUR ? HOUR_US : DAY_US;
}

struct period window_of(enum window window, int64_t time_us)
{
    if (window == WINDOW_MONTH) {
        struct civil_time time = timestamp_civil(time_us);
        return (struct period){
            .start_us = timestamp_month_start(time.year, time.month),
            .end_us = timestamp_month_start(time.year, time.month + 1),
        };
    }
    int64_t start_us = time_us - time_us % length_us(window);
    return (struct period){.start_us = start_us, .end_us = start_us + length_us(window)};
}

uint64_t window_count(enum window window, struct period period)
{
    int64_t last_us = period.end_us - 1;
    if (window == WINDOW_MONTH) {
        struct civil_time first = timestamp_civil(period.start_us);
        struct civil_time last = timestamp_civil(last_us);
        int months = (last.year - first.year) * 12 + last.month - first.month + 1;
        return (uint64_t)months;
    }
    return (uint64_t)(last_us / length_us(window) - period.start_us / length_us(window) + 1);
}
