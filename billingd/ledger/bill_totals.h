/* The totals of a bill, and the one place of the ledger where money is rounded: each line and each
 * adjustment, half-even, to the currency's minor unit.  Pure; any thread. */
#pragma once

#include "billingd/store/record.h"

struct bill_totals {
    uint64_t lines;
    uint64_t records; /* of usage */
    uint64_t voided;
    uint64_t late;
    uint64_t adjustments;
    struct amount exact;
    struct amount total; /* sum of what is rounded */
};

/* EXACT, of a line or an adjustment, as it stands on a bill in a currency with MINOR_DIGITS. */
struct amount bill_round(struct amount exact, int minor_digits);

/* Add a line, or an adjustment of AMOUNT, to *TOTALS, which begin as zeros.  Return 0, or
 * STATUS_OUT_OF_BOUNDS where a total leaves what an amount can hold. */
MUSTCHECK int bill_totals_add_line(struct bill_totals *totals, const struct bill_line *line,
                                   int minor_digits);
MUSTCHECK int bill_totals_add_adjustment(struct bill_totals *totals, struct decimal amount,
                                         int minor_digits);

/* TOTAL - EXACT: what rounding added. */
struct amount bill_rounding(struct amount exact, struct amount total);
