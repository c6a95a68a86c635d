#include "billingd/ledger/landing.h"

#include "proto/limits.h"

int64_t landing_bills_at(int64_t earliest_us, const struct store_customer *customer)
{
    return earliest_us > customer->billed_until_us ? earliest_us : customer->billed_until_us;
}

int landing_settle(const struct ledger_env *env, const struct store_customer *customer, bool given,
                   int64_t *occurred_at_us, int64_t *ret_bills_at_us)
{
    if (!given) {
        *occurred_at_us = env->now_us;
    }
    if (*occurred_at_us > env->now_us + LIMIT_FUTURE_US) {
        return STATUS_TIME_OUT_OF_RANGE;
    }
    *ret_bills_at_us = landing_bills_at(*occurred_at_us, customer);
    return 0;
}
