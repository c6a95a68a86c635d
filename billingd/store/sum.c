#include "billingd/store/sum.h"

#include "billingd/base/assert.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

int store_sum_of(const struct record *row, const struct usage *usage, enum store_clock by,
                 struct store_sum *ret)
{
    int64_t occurred_at_us = 0;
    int64_t bills_at_us = 0;
    bool is_void = row->kind == RECORD_USAGE_VOIDED;
    REQUIRE((is_void || row->kind == RECORD_USAGE) &&
            record_times(row, &occurred_at_us, &bills_at_us));
    int64_t time_us = by == STORE_BY_BILLED ? bills_at_us : occurred_at_us;
    struct amount amount;
    if (amount_product(usage->units, usage->price, &amount) < 0) {
        return STATUS_CORRUPT;
    }
    struct amount units = amount_from_decimal(usage->units);
    *ret = (struct store_sum){
        .service = usage->service,
        .price = usage->price,
        .hour_us = time_us - time_us % hour_us,
        .records = !is_void,
        .voided = is_void,
        .late = !is_void && bills_at_us != occurred_at_us,
        .units = is_void ? amount_negate(units) : units,
        .amount = is_void ? amount_negate(amount) : amount,
    };
    return 0;
}
