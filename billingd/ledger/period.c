#include "billingd/ledger/period.h"

#include "proto/timestamp.h"

struct period period_current(int64_t now_us, int64_t billed_until_us)
{
    struct civil_time now = timestamp_civil(now_us > billed_until_us ? now_us : billed_until_us);
    int64_t month_us = timestamp_month_start(now.year, now.month);
    return (struct period){
        .start_us = billed_until_us > month_us ? billed_until_us : month_us,
        .end_us = timestamp_month_start(now.year, now.month + 1),
    };
}
