/* When something occurred, and on which bill it lands.  Pure; any thread. */
#pragma once

#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

/* Where that bills which could be billed from EARLIEST_US on: there, or at the end of CUSTOMER's
 * last invoice, which never changes. */
int64_t landing_bills_at(int64_t earliest_us, const struct store_customer *customer);

/* Settle the times of what CUSTOMER is to be billed for: *OCCURRED_AT_US, where the caller has not
 * GIVEN it, becomes now, and *RET_BILLS_AT_US follows from it.  The status of *OUTCOME, which is 0,
 * becomes STATUS_TIME_OUT_OF_RANGE where it lies more than LIMIT_FUTURE_US ahead of the clock. */
void landing_settle(const struct ledger_env *env, const struct store_customer *customer, bool given,
                    int64_t *occurred_at_us, int64_t *ret_bills_at_us, struct outcome *outcome);
