/* Periods: half-open windows of time.  Pure; any thread. */
#pragma once

#include <stdint.h>

struct period {
    int64_t start_us;
    int64_t end_us; /* not within */
};

/* The open period at NOW_US of a customer whose last invoice ended at BILLED_UNTIL_US (0: none):
 * from there, or from the start of this calendar month in UTC where that is later or there is
 * none, to the end of this month.  Where the last invoice reaches past this month, the period is
 * the rest of the month in which it ends. */
struct period period_current(int64_t now_us, int64_t billed_until_us);
