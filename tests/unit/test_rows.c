/* Rows: fingerprints, orders, and what a record adds to the sums. */
#include <signal.h>
#include <stdlib.h>

#include "billingd/store/lmdb/rows.h"
#include "tests/lib/child.h"
#include "tests/lib/testkit.h"

#define HOUR_US INT64_C(3600000000)
#define ID_KEY  UINT64_C(0x0123456789ABCDEF)

static struct decimal decimal(int64_t mantissa, int scale)
{
    struct decimal value;
    assert_ok(decimal_make(mantissa, scale, &value));
    return value;
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static bool same_fingerprint(struct store_key a, uint64_t a_key, struct store_key b, uint64_t b_key)
{
    uint64_t high[2];
    uint64_t low[2];
    row_fingerprint(a, a_key, &high[0], &low[0]);
    row_fingerprint(b, b_key, &high[1], &low[1]);
    assert_int_equal(high[0] == high[1], low[0] == low[1]); /* one half alone is no chance */
    return high[0] == high[1];
}

static void row_fingerprint__depends_on_scope_id_and_key__and_on_nothing_else(void **state)
{
    char id[] = "request-1";
    struct store_key key = {7, SLICE("request-1")};
    (void)state;
    assert_true(same_fingerprint(key, 1, (struct store_key){7, slice_of(id)}, 1));
    assert_false(same_fingerprint(key, 1, key, 2));
    assert_false(same_fingerprint(key, 1, (struct store_key){8, SLICE("request-1")}, 1));
    assert_false(same_fingerprint(key, 1, (struct store_key){7, SLICE("request-2")}, 1));
    assert_false(same_fingerprint(key, 1, (struct store_key){7, SLICE("request-")}, 1));
    assert_false(same_fingerprint((struct store_key){0, SLICE("")}, 1,
                                  (struct store_key){0, SLICE("\0")}, 1));
}

static void fingerprint_of_too_long(void *arg)
{
    uint64_t high;
    uint64_t low;
    row_fingerprint((struct store_key){1, {arg, LIMIT_REQUEST_ID_BYTES + 1}}, 1, &high, &low);
}

static void row_fingerprint__longest_id__counts_to_its_last_byte_and_longer_aborts(void **state)
{
    char a[LIMIT_REQUEST_ID_BYTES + 1] = {0};
    char b[LIMIT_REQUEST_ID_BYTES] = {0};
    (void)state;
    b[sizeof b - 1] = 1;
    struct store_key key = {1, {a, sizeof b}};
    assert_true(same_fingerprint(key, 1, key, 1));
    assert_false(same_fingerprint(key, 1, (struct store_key){1, {b, sizeof b}}, 1));
    assert_int_equal(child_run(fingerprint_of_too_long, a), -SIGABRT);
}

/* --- orders ----------------------------------------------------------------------------------- */

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The order of two lists of N numbers, the first first. */
static int order_of(const int64_t *a, const int64_t *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

static struct sum_row sum_row_of(const int64_t v[7])
{
    return (struct sum_row){.customer = (uint64_t)v[0],
                            .hour = (uint32_t)v[1],
                            .service_high = (uint64_t)v[2],
                            .service_low = (uint64_t)v[3],
                            .price_mantissa = v[4] - 1,
                            .price_scale = (int8_t)(v[5] - 1),
                            .clocks = (uint8_t)v[6]};
}

static void row_compare__any_rows__is_by_member_after_member(void **state)
{
    struct rng rng = rng_make("row_compare");
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t a[7];
        int64_t b[7];
        for (int k = 0; k < 7; k++) { /* often equal, so that the last ones are asked too */
            a[k] = rng_between(&rng, 0, 3);
            b[k] = rng_below(&rng, 4) == 0 ? rng_between(&rng, 0, 3) : a[k];
        }
        struct request_row request[] = {{(uint64_t)a[0], (uint64_t)a[1], (uint64_t)a[2]},
                                        {(uint64_t)b[0], (uint64_t)b[1], (uint64_t)b[2]}};
        struct place_row place[] = {{(uint64_t)a[0], a[1], (uint64_t)a[2]},
                                    {(uint64_t)b[0], b[1], (uint64_t)b[2]}};
        struct sum_row sum[] = {sum_row_of(a), sum_row_of(b)};
        sum[0].records = 5; /* of no matter */
        sum[1].named_by = 5;
        assert_int_equal(sign(request_row_compare(&request[0], &request[1])), order_of(a, b, 3));
        assert_int_equal(sign(place_row_compare(&place[0], &place[1])), order_of(a, b, 3));
        assert_int_equal(sign(sum_row_compare(&sum[0], &sum[1])), order_of(a, b, 7));
        assert_int_equal(sum_row_same(&sum[0], &sum[1]), order_of(a, b, 7) == 0);
    }
}

static void row_compare__largest_numbers__are_not_negative(void **state)
{
    struct request_row small = {1, 1, 1};
    struct request_row large = {UINT64_MAX, 1, 1};
    struct place_row early = {1, 1, 1};
    struct place_row late = {UINT64_MAX, 1, 1};
    struct sum_row first = {.hour = 1};
    struct sum_row last = {.hour = UINT32_MAX};
    (void)state;
    assert_true(request_row_compare(&small, &large) < 0 && request_row_compare(&large, &small) > 0);
    assert_true(place_row_compare(&early, &late) < 0 && place_row_compare(&late, &early) > 0);
    assert_true(sum_row_compare(&first, &last) < 0 && sum_row_compare(&last, &first) > 0);
}

/* --- adding sums ------------------------------------------------------------------------------ */

static void set_units(struct sum_row *row, __int128 mantissa, int scale)
{
    row->units_low = (uint64_t)mantissa;
    row->units_high = (int16_t)(mantissa >> 64);
    row->units_scale = (int8_t)scale;
}

static void assert_amounts(const struct sum_row *row, struct decimal units, struct decimal cost)
{
    struct amount got_units;
    struct amount got_cost;
    assert_ok(sum_row_amounts(row, &got_units, &got_cost));
    assert_int_equal(amount_compare(got_units, amount_from_decimal(units)), 0);
    assert_int_equal(amount_compare(got_cost, amount_from_decimal(cost)), 0);
}

static void sum_row_add__two__has_all_of_both(void **state)
{
    struct sum_row sum = {.customer = 1,
                          .price_mantissa = 3,
                          .price_scale = 2,
                          .named_by = 10,
                          .records = 1,
                          .voided = 2,
                          .late = 3};
    struct sum_row row = sum;
    (void)state;
    set_units(&sum, 15, 1);
    set_units(&row, -225, 2);
    row.named_by = 20;
    row.records = UINT16_MAX - 1;
    row.voided = UINT16_MAX - 2;
    row.late = UINT16_MAX - 3;
    assert_true(sum_row_add(&sum, &row));
    assert_u64(sum.named_by, 10);
    assert_u64(sum.records, UINT16_MAX);
    assert_u64(sum.voided, UINT16_MAX);
    assert_u64(sum.late, UINT16_MAX);
    assert_amounts(&sum, decimal(-75, 2), decimal(-225, 4));
}

static void sum_row_add__beyond_a_bound__leaves_the_sum_as_it_was(void **state)
{
    static const __int128 largest = ((__int128)1 << 79) - 1;
    struct sum_row full = {.records = UINT16_MAX, .voided = UINT16_MAX, .late = UINT16_MAX};
    struct sum_row rows[] = {{.records = 1}, {.voided = 1}, {.late = 1}, {0}, {0}};
    struct sum_row nothing = {0};
    (void)state;
    set_units(&full, largest, 0);
    set_units(&rows[3], 1, 0);
    set_units(&rows[4], -1,
              1); /* it would fit, if the mantissa of the other had room for ten times */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sum_row sum = full;
        assert_false(sum_row_add(&sum, &rows[i]));
        assert_memory_equal(&sum, &full, sizeof sum);
        assert_true(sum_row_add(&sum, &nothing));
        assert_memory_equal(&sum, &full, sizeof sum);
    }
    set_units(&full, -largest - 1, 0);
    set_units(&rows[3], -1, 0);
    assert_false(sum_row_add(&full, &rows[3]));
}

/* What is added up is the sum of what each is, and costs the sum of what each costs. */
static void sum_row_add__any_usages__are_as_exact_as_one_by_one(void **state)
{
    struct decimal price = decimal(123456789012345679, 18);
    struct decimal most = decimal(999999999999999999, 3);
    struct amount units = amount_zero();
    struct amount cost = amount_zero();
    struct sum_row sum = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct decimal each = i % 2 == 0 ? most : decimal(1 + i / 10 * 10, 18);
        struct record record = {.seq = 1,
                                .kind = RECORD_USAGE,
                                .usage = {.customer = 4, .units = each, .price = price}};
        struct sum_row row[2];
        struct amount product;
        assert_u64(sum_rows_of(&record, &record.usage, 1, ID_KEY, row), 1);
        if (i == 0) {
            sum = row[0];
        } else if (!sum_row_add(&sum, &row[0])) {
            continue; /* 10^18 apart: each of the two kinds by itself */
        }
        assert_ok(amount_product(each, price, &product));
        assert_ok(amount_add(&units, amount_from_decimal(each)));
        assert_ok(amount_add(&cost, product));
    }
    struct amount got_units;
    struct amount got_cost;
    assert_ok(sum_row_amounts(&sum, &got_units, &got_cost));
    assert_int_equal(amount_compare(got_units, units), 0);
    assert_int_equal(amount_compare(got_cost, cost), 0);
    assert_u64(sum.records, 500);
}

/* --- what a record adds ----------------------------------------------------------------------- */

static struct record usage_at(int64_t occurred_at_us, int64_t bills_at_us)
{
    return (struct record){.seq = 9,
                           .kind = RECORD_USAGE,
                           .usage = {.customer = 4,
                                     .service = SLICE("Database Hosting"),
                                     .units = decimal(25, 1),
                                     .price = decimal(3, 2),
                                     .occurred_at_us = occurred_at_us,
                                     .bills_at_us = bills_at_us}};
}

static void check_usage_sum(const struct sum_row *row, uint32_t hour, unsigned clocks, bool late)
{
    assert_u64(row->customer, 4);
    assert_u64(row->named_by, 9);
    assert_u64(row->hour, hour);
    assert_u64(row->clocks, clocks);
    assert_i64(row->price_mantissa, 3);
    assert_i64(row->price_scale, 2);
    assert_u64(row->records, 1);
    assert_u64(row->voided, 0);
    assert_u64(row->late, late);
    assert_u64(row->unused, 0);
    assert_amounts(row, decimal(25, 1), decimal(75, 3));
}

static void sum_rows_of__usage_in_time__is_one_row_by_both_clocks(void **state)
{
    struct sum_row rows[2];
    unsigned n;
    (void)state;
    for (int64_t offset = 0; offset < HOUR_US; offset += HOUR_US - 1) {
        struct record record = usage_at(480000 * HOUR_US + offset, 480000 * HOUR_US + offset);
        n = sum_rows_of(&record, &record.usage, record.seq, ID_KEY, rows);
        assert_u64(n, 1);
        check_usage_sum(&rows[0], 480000, SUM_BY_OCCURRED | SUM_BY_BILLED, false);
    }
}

static void sum_rows_of__late_usage__is_a_row_by_each_clock_where_the_hours_differ(void **state)
{
    struct sum_row rows[2];
    unsigned n;
    struct record record = usage_at(480001 * HOUR_US - 1, 480001 * HOUR_US);
    (void)state;
    n = sum_rows_of(&record, &record.usage, record.seq, ID_KEY, rows);
    assert_u64(n, 2);
    check_usage_sum(&rows[0], 480000, SUM_BY_OCCURRED, true);
    check_usage_sum(&rows[1], 480001, SUM_BY_BILLED, true);

    record = usage_at(480000 * HOUR_US, 480001 * HOUR_US - 1);
    n = sum_rows_of(&record, &record.usage, record.seq, ID_KEY, rows);
    assert_u64(n, 1);
    check_usage_sum(&rows[0], 480000, SUM_BY_OCCURRED | SUM_BY_BILLED, true);
}

static void sum_rows_of__void__takes_the_usage_away(void **state)
{
    struct sum_row rows[2];
    struct sum_row voids[2];
    unsigned n;
    struct record record = usage_at(480000 * HOUR_US, 480002 * HOUR_US);
    struct record gone = {.seq = 12,
                          .kind = RECORD_USAGE_VOIDED,
                          .usage_voided = {.customer = 4,
                                           .usage = 9,
                                           .occurred_at_us = 480000 * HOUR_US,
                                           .bills_at_us = 480002 * HOUR_US}};
    (void)state;
    assert_u64(sum_rows_of(&record, &record.usage, record.seq, ID_KEY, rows), 2);
    n = sum_rows_of(&gone, &record.usage, record.seq, ID_KEY, voids);
    assert_u64(n, 2);
    for (unsigned i = 0; i < n; i++) {
        assert_true(sum_row_same(&voids[i], &rows[i]));
        assert_u64(voids[i].named_by, 9);
        assert_u64(voids[i].records, 0);
        assert_u64(voids[i].voided, 1);
        assert_u64(voids[i].late, 0);
        assert_true(sum_row_add(&rows[i], &voids[i]));
        assert_amounts(&rows[i], decimal(0, 0), decimal(0, 0));
    }
}

static void sum_rows_of__other_service_price_or_key__is_another_sum(void **state)
{
    struct sum_row base[2];
    struct sum_row other[2];
    struct record record = usage_at(0, 0);
    (void)state;
    sum_rows_of(&record, &record.usage, 9, ID_KEY, base);
    sum_rows_of(&record, &record.usage, 9, ID_KEY + 1, other);
    assert_true(base[0].service_high != other[0].service_high);
    assert_true(base[0].service_low != other[0].service_low);
    record.usage.service = SLICE("Database hosting");
    sum_rows_of(&record, &record.usage, 9, ID_KEY, other);
    assert_true(base[0].service_high != other[0].service_high);
    assert_true(base[0].service_low != other[0].service_low);
    record = usage_at(0, 0);
    record.usage.price = decimal(3, 3);
    sum_rows_of(&record, &record.usage, 9, ID_KEY, other);
    assert_false(sum_row_same(&base[0], &other[0]));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(row_fingerprint__depends_on_scope_id_and_key__and_on_nothing_else),
    cmocka_unit_test(row_fingerprint__longest_id__counts_to_its_last_byte_and_longer_aborts),
    cmocka_unit_test(row_compare__any_rows__is_by_member_after_member),
    cmocka_unit_test(row_compare__largest_numbers__are_not_negative),
    cmocka_unit_test(sum_row_add__two__has_all_of_both),
    cmocka_unit_test(sum_row_add__beyond_a_bound__leaves_the_sum_as_it_was),
    cmocka_unit_test(sum_rows_of__usage_in_time__is_one_row_by_both_clocks),
    cmocka_unit_test(sum_rows_of__late_usage__is_a_row_by_each_clock_where_the_hours_differ),
    cmocka_unit_test(sum_rows_of__void__takes_the_usage_away),
    cmocka_unit_test(sum_rows_of__other_service_price_or_key__is_another_sum),
    cmocka_unit_test(sum_row_add__any_usages__are_as_exact_as_one_by_one),
};

TESTKIT_MAIN(tests)
