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

int request_row_order(const void *a, const void *b)
{
    return request_row_compare(a, b);
}

int place_row_order(const void *a, const void *b)
{
    return place_row_compare(a, b);
}

int sum_row_order(const void *a, const void *b)
{
    return sum_row_compare(a, b);
}

/* --- sums ------------------------------------------------------------------------------------- */

static __int128 units_of(const struct sum_row *row)
{
    return (__int128)row->units_high * ((__int128)1 << 64) + row->units_low;
}

/* Returns whether MANTISSA fits. */
static bool set_units(struct sum_row *row, __int128 mantissa, int scale)
{
    __int128 high = mantissa >> 64;
    if (high != (int16_t)high) {
        return false;
    }
    row->units_high = (int16_t)high;
    row->units_low = (uint64_t)mantissa;
    row->units_scale = (int8_t)scale;
    return true;
}

/* Bring *MANTISSA from *SCALE to the larger scale TO.  Returns whether it fits any row. */
static bool rescale(__int128 *mantissa, int from, int to)
{
    static const __int128 bound = (__int128)1 << 80; /* x 10 fits all the more */
    for (; from < to; from++) {
        *mantissa *= 10;
        if (*mantissa >= bound || *mantissa <= -bound) {
            return false;
        }
    }
    return true;
}

static bool add_units(struct sum_row *sum, const struct sum_row *row)
{
    __int128 a = units_of(sum);
    __int128 b = units_of(row);
    int scale = sum->units_scale > row->units_scale ? sum->units_scale : row->units_scale;
    return rescale(&a, sum->units_scale, scale) && rescale(&b, row->units_scale, scale) &&
           set_units(sum, a + b, scale);
}

bool sum_row_add(struct sum_row *sum, const struct sum_row *row)
{
    uint16_t records;
    uint16_t voided;
    uint16_t late;
    if (__builtin_add_overflow(sum->records, row->records, &records) ||
        __builtin_add_overflow(sum->voided, row->voided, &voided) ||
        __builtin_add_overflow(sum->late, row->late, &late) || !add_units(sum, row)) {
        return false;
    }
    sum->records = records;
    sum->voided = voided;
    sum->late = late;
    return true;
}

int sum_row_amounts(const struct sum_row *row, struct amount *ret_units, struct amount *ret_amount)
{
    struct decimal price;
    struct decimal one;
    __int128 units = units_of(row);
    int rc = decimal_make(row->price_mantissa, row->price_scale, &price);
    if (rc == 0) {
        rc = decimal_make(1, 0, &one);
    }
    if (rc == 0) {
        rc = amount_times(units, row->units_scale, one, ret_units);
    }
    return rc < 0 ? rc : amount_times(units, row->units_scale, price, ret_amount);
}

unsigned sum_rows_of(const struct record *record, const struct usage *usage, uint64_t usage_seq,
                     uint64_t id_key, struct sum_row ret[2])
{
    int64_t occurred_at_us;
    int64_t bills_at_us;
    bool is_void = record->kind == RECORD_USAGE_VOIDED;
    REQUIRE(record_times(record, &occurred_at_us, &bills_at_us));
    int64_t units = decimal_mantissa(usage->units);
    ret[0] = (struct sum_row){
        .customer = record_customer(record),
        .price_mantissa = decimal_mantissa(usage->price),
        .hour = (uint32_t)(occurred_at_us / hour_us),
        .price_scale = (int8_t)decimal_scale(usage->price),
        .clocks = SUM_BY_OCCURRED | SUM_BY_BILLED,
        .named_by = usage_seq,
        .records = !is_void,
        .voided = is_void,
        .late = !is_void && bills_at_us != occurred_at_us,
    };
    row_service_hash(usage->service, id_key, &ret[0].service_high, &ret[0].service_low);
    INVARIANT(set_units(&ret[0], is_void ? -units : units, decimal_scale(usage->units)));
    if (occurred_at_us / hour_us == bills_at_us / hour_us) {
        return 1;
    }
    ret[1] = ret[0]; /* the clocks differ in the hour alone */
    ret[0].clocks = SUM_BY_OCCURRED;
    ret[1].clocks = SUM_BY_BILLED;
    ret[1].hour = (uint32_t)(bills_at_us / hour_us);
    return 2;
}
