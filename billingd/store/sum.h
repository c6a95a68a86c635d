/* What one record adds to the sums of its customer: engines add up what comes of it.
 *
 * Pure; any thread. */
#pragma once

#include "billingd/store/store.h"

/* The sum of ROW, which is a usage (USAGE is &row->usage then) or a void (USAGE is what it voids),
 * in the hour where it stands by the clock BY.  A void takes units and amount away.  *RET points to
 * the service of USAGE.  Returns 0, or STATUS_CORRUPT where the amount is out of bounds. */
MUSTCHECK int store_sum_of(const struct record *row, const struct usage *usage, enum store_clock by,
                           struct store_sum *ret);
