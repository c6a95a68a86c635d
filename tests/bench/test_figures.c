/* What billing-bench's figures are made of: latencies, rates, and the standard load. */
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "bench/latency.h"
#include "bench/load.h"
#include "bench/pace.h"
#include "tests/lib/testkit.h"

enum {
    LATENCIES = 10000,
    RECORDS = 2000,
    CUSTOMERS = 50,
};

#define DAY_US (INT64_C(24) * 3600 * 1000000)

/* --- latencies -------------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void latency__nothing__zero(void **state)
{
    static const struct latency latency;
    (void)state;
    assert_i64(latency_quantile_ns(&latency, 500), 0);
    assert_i64(latency_quantile_ns(&latency, 999), 0);
}

static void latency__one__is_every_quantile(void **state)
{
    static struct latency latency;
    (void)state;
    latency_add(&latency, INT64_MAX);
    assert_i64(latency_quantile_ns(&latency, 1), INT64_MAX);
    assert_i64(latency_quantile_ns(&latency, 999), INT64_MAX);
    assert_i64(latency.max_ns, INT64_MAX);
}

static void latency__below_zero__counts_as_zero(void **state)
{
    static struct latency latency;
    (void)state;
    latency_add(&latency, -5);
    assert_i64(latency_quantile_ns(&latency, 500), 0);
    assert_u64(latency.n, 1);
}

/* A quantile is at least the exact one, and at most 1 % above it. */
static void latency__random__within_one_per_cent(void **state)
{
    static struct latency latency;
    static int64_t ns[LATENCIES];
    static const unsigned per_mille[] = {1, 10, 500, 900, 990, 999, 1000};
    struct rng rng = rng_make("latency");
    (void)state;
    for (unsigned i = 0; i < LATENCIES; i++) {
        ns[i] = (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 63)));
        latency_add(&latency, ns[i]);
    }
    qsort(ns, LATENCIES, sizeof ns[0], compare_ns);
    for (unsigned i = 0; i < sizeof per_mille / sizeof per_mille[0]; i++) {
        int64_t exact = ns[(uint64_t)LATENCIES * per_mille[i] / 1000 - 1];
        int64_t got = latency_quantile_ns(&latency, per_mille[i]);
        assert_true(got >= exact);
        assert_true(got - exact <= exact / 100);
    }
    assert_i64(latency.max_ns, ns[LATENCIES - 1]);
}

/* --- rates ------------------------------------------------------------------------------------ */

static void pace__windows__each_has_its_rate(void **state)
{
    static struct pace pace;
    (void)state;
    pace_start(&pace, 100, 0);
    pace_add(&pace, 60, NS_PER_SECOND);
    pace_add(&pace, 60, 2 * NS_PER_SECOND); /* 120 in 2 s: over */
    pace_add(&pace, 0, 9 * NS_PER_SECOND);  /* nothing: no acknowledgement */
    pace_add(&pace, 99, 10 * NS_PER_SECOND);
    assert_u64(pace.records, 219);
    assert_i64(pace.windows, 1);
    assert_true(pace.rates[0] > 59.9 && pace.rates[0] < 60.1);
    assert_i64(pace.longest_pause_ns, 8 * NS_PER_SECOND);
    assert_i64(pace.last_ns, 10 * NS_PER_SECOND);
}

static void pace__more_windows_than_room__still_counts(void **state)
{
    static struct pace pace;
    (void)state;
    pace_start(&pace, 1, 0);
    for (int i = 1; i <= PACE_WINDOWS_MAX + 2; i++) {
        pace_add(&pace, 1, i);
    }
    assert_i64(pace.windows, PACE_WINDOWS_MAX);
    assert_u64(pace.records, PACE_WINDOWS_MAX + 2);
}

/* --- the load --------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const struct load_record *)a)->id, ((const struct load_record *)b)->id,
                  LOAD_ID_BYTES);
}

/* The next RECORDS of a load, in the kit's memory. */
static struct load_record *records_of(struct load *load)
{
    struct load_record *records = testkit_alloc(RECORDS * sizeof *records);
    for (unsigned i = 0; i < RECORDS; i++) {
        load_next(load, &records[i]);
    }
    return records;
}

static void load__records__as_promised(void **state)
{
    static uint8_t buffer[RECORD_BYTES_MAX];
    struct load load;
    size_t bytes = 0; /* of all */
    unsigned services = 0;
    (void)state;
    load_init(&load, 7, CUSTOMERS, false);
    const struct load_record *records = records_of(&load);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct record record;
        assert_true(records[i].customer < CUSTOMERS);
        assert_true(records[i].occurred_at_us <= load.now_us);
        assert_true(records[i].occurred_at_us > load.now_us - DAY_US);
        load_store_record(&load, &records[i], 1000, &record);
        assert_u64(record.usage.customer, 1000 + records[i].customer);
        bytes += record_encode(&record, buffer);
        services |= 1U << records[i].service;
    }
    assert_i64(services, (1 << LOAD_SERVICES) - 1);
    assert_true(bytes / RECORDS >= 90 && bytes / RECORDS <= 110);
}

/* What is written for the wire is what is given to the store. */
static void load__units__same_number_in_text(void **state)
{
    struct load load;
    char text[LOAD_UNITS_BYTES];
    struct decimal parsed;
    struct record record;
    (void)state;
    load_init(&load, 7, CUSTOMERS, false);
    struct load_record *records = records_of(&load);
    records[0].units = 1;
    records[1].units = 11;
    records[2].units = 101;
    for (unsigned i = 0; i < RECORDS; i++) {
        size_t length = load_units_print(&records[i], text);
        assert_true(length <= sizeof text);
        assert_ok(decimal_parse(text, length, &parsed, NULL));
        load_store_record(&load, &records[i], 1, &record);
        assert_true(decimal_equal(parsed, record.usage.units));
    }
}

static void load__random_ids__all_different_and_same_for_a_seed(void **state)
{
    struct load load;
    struct load again;
    (void)state;
    load_init(&load, 7, CUSTOMERS, false);
    load_init(&again, 7, CUSTOMERS, false);
    struct load_record *records = records_of(&load);
    assert_memory_equal(records[0].id, records_of(&again)[0].id, LOAD_ID_BYTES);
    qsort(records, RECORDS, sizeof *records, compare_ids);
    for (unsigned i = 1; i < RECORDS; i++) {
        assert_true(compare_ids(&records[i - 1], &records[i]) < 0);
    }
}

static void load__ordered_ids__rise(void **state)
{
    struct load load;
    (void)state;
    load_init(&load, 7, CUSTOMERS, true);
    const struct load_record *records = records_of(&load);
    for (unsigned i = 1; i < RECORDS; i++) {
        assert_true(compare_ids(&records[i - 1], &records[i]) < 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(latency__nothing__zero),
    cmocka_unit_test(latency__one__is_every_quantile),
    cmocka_unit_test(latency__below_zero__counts_as_zero),
    cmocka_unit_test(latency__random__within_one_per_cent),
    cmocka_unit_test(pace__windows__each_has_its_rate),
    cmocka_unit_test(pace__more_windows_than_room__still_counts),
    cmocka_unit_test(load__records__as_promised),
    cmocka_unit_test(load__units__same_number_in_text),
    cmocka_unit_test(load__random_ids__all_different_and_same_for_a_seed),
    cmocka_unit_test(load__ordered_ids__rise),
};

TESTKIT_MAIN(tests)
