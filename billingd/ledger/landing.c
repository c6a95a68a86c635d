#include "billingd/ledger/landing.h"

#include "proto/limits.h"

int64_t landing_bills_at(int64_t earliest_us, const struct store_customer *customer)
{
    return earliest_us > customer->billed_until_us ? earliest_us : customer->billed_until_us;
}

void landing_settle(const struct ledger_env *env, const struct store_customer *customer, bool given,
                    int64_t *occurred_at_us, int64_t *ret_bills_at_us, struct outcome *outcome)
{
    int64_t latest_us = env->now_us + LIMIT_FUTURE_US;
    if (!given) {
        *occurred_at_us = env->now_us;
    }
    if (*occurred_at_us > latest_us) {
        outcome->status = STATUS_TIME_OUT_OF_RANGE;
        outcome->asked_us = *occurred_at_us;
        outcome->bound_us = latest_us;
        return;
    }
    *ret_bills_at_us = landing_bills_at(*occurred_at_us, customer);
}
