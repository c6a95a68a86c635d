#include "billingd/store/lmdb/rows.h"

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

void row_fingerprint(struct store_key key, uint64_t id_key, uint64_t *ret_high, uint64_t *ret_low)
{
    uint8_t buffer[sizeof key.scope + LIMIT_REQUEST_ID_BYTES];
    REQUIRE(key.request_id.length <= LIMIT_REQUEST_ID_BYTES);
    bytes_put_le64(buffer, key.scope);
    if (key.request_id.length > 0) {
        memcpy(buffer + sizeof key.scope, key.request_id.data, key.request_id.length);
    }
    XXH128_hash_t hash =
        XXH3_128bits_withSeed(buffer, sizeof key.scope + key.request_id.length, id_key);
    *ret_high = hash.high64;
    *ret_low = hash.low64;
}

void row_service_hash(struct slice service, uint64_t id_key, uint64_t *ret_high, uint64_t *ret_low)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(service.data, service.length, id_key);
    *ret_high = hash.high64;
    *ret_low = hash.low64;
}

int sum_row_compare(const struct sum_row *a, const struct sum_row *b)
{
    if (a->customer != b->customer) {
        return a->customer < b->customer ? -1 : 1;
    }
    if (a->hour != b->hour) {
        return a->hour < b->hour ? -1 : 1;
    }
    if (a->service_high != b->service_high) {
        return a->service_high < b->service_high ? -1 : 1;
    }
    if (a->service_low != b->service_low) {
        return a->service_low < b->service_low ? -1 : 1;
    }
    if (a->price_mantissa != b->price_mantissa) {
        return a->price_mantissa < b->price_mantissa ? -1 : 1;
    }
    if (a->price_scale != b->price_scale) {
        return a->price_scale < b->price_scale ? -1 : 1;
    }
    return (a->clocks > b->clocks) - (a->clocks < b->clocks);
}

int sum_row_add(struct sum_row *sum, const struct sum_row *row)
{
    uint32_t records;
    uint32_t voided;
    uint32_t late;
    struct amount units = sum->units;
    struct amount amount = sum->amount;
    if (__builtin_add_overflow(sum->records, row->records, &records) ||
        __builtin_add_overflow(sum->voided, row->voided, &voided) ||
        __builtin_add_overflow(sum->late, row->late, &late) || amount_add(&units, row->units) < 0 ||
        amount_add(&amount, row->amount) < 0) {
        return STATUS_OUT_OF_BOUNDS;
    }
    sum->records = records;
    sum->voided = voided;
    sum->late = late;
    sum->units = units;
    sum->amount = amount;
    return 0;
}

int sum_rows_of(const struct record *record, const struct usage *usage, uint64_t usage_seq,
                uint64_t id_key, struct sum_row ret[2], unsigned *ret_n)
{
    int64_t occurred_at_us;
    int64_t bills_at_us;
    struct store_sum sum;
    REQUIRE(record_times(record, &occurred_at_us, &bills_at_us));
    int rc = store_sum_of(record, usage, STORE_BY_OCCURRED, &sum);
    if (rc < 0) {
        return rc;
    }
    uint64_t high;
    uint64_t low;
    row_service_hash(sum.service, id_key, &high, &low);
    ret[0] = (struct sum_row){
        .customer = record_customer(record),
        .service_high = high,
        .service_low = low,
        .price_mantissa = decimal_mantissa(sum.price),
        .hour = (uint32_t)(occurred_at_us / hour_us),
        .price_scale = (int8_t)decimal_scale(sum.price),
        .clocks = SUM_BY_OCCURRED | SUM_BY_BILLED,
        .named_by = usage_seq,
        .records = (uint32_t)sum.records,
        .voided = (uint32_t)sum.voided,
        .late = (uint32_t)sum.late,
        .units = sum.units,
        .amount = sum.amount,
    };
    *ret_n = 1;
    if (occurred_at_us / hour_us != bills_at_us / hour_us) {
        ret[1] = ret[0]; /* the clocks differ in the hour alone */
        ret[0].clocks = SUM_BY_OCCURRED;
        ret[1].clocks = SUM_BY_BILLED;
        ret[1].hour = (uint32_t)(bills_at_us / hour_us);
        *ret_n = 2;
    }
    return 0;
}
