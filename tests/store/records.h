/* Records for tests: random ones within their bounds, and whether two are the same.
 *
 * Texts are the kit's memory and live until the program ends.  Main thread. */
#pragma once

#include <string.h>

#include "billingd/store/record.h"
#include "proto/timestamp.h"
#include "tests/lib/testkit.h"

static inline struct slice text_copy(const char *text)
{
    return slice_of(testkit_format("%s", text));
}

/* LOW to HIGH random bytes, of all values. */
static inline struct slice random_text(struct rng *rng, size_t low, size_t high)
{
    size_t length = (size_t)rng_between(rng, (int64_t)low, (int64_t)high);
    if (length == 0) {
        return (struct slice){0};
    }
    char *data = testkit_alloc(length);
    rng_fill(rng, data, length);
    return (struct slice){data, length};
}

static inline struct decimal make_decimal(int64_t mantissa, int scale)
{
    struct decimal value;
    while (mantissa != 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        scale--;
    }
    assert_ok(decimal_make(mantissa, mantissa == 0 ? 0 : scale, &value));
    return value;
}

/* Of any number of digits, from 0 on. */
static inline struct decimal random_decimal(struct rng *rng)
{
    int64_t bound = 1;
    for (uint64_t digits = rng_below(rng, DECIMAL_DIGITS_MAX + 1); digits > 0; digits--) {
        bound *= 10;
    }
    return make_decimal((int64_t)rng_below(rng, (uint64_t)bound),
                        (int)rng_between(rng, 0, DECIMAL_FRACTION_MAX));
}

/* N labels in order, with names of NAME_BYTES, from 1 on, and values of VALUE_BYTES. */
static inline struct slice make_labels(struct rng *rng, unsigned n, size_t name_bytes,
                                       size_t value_bytes)
{
    struct label labels[LIMIT_LABELS];
    for (unsigned i = 0; i < n; i++) {
        struct slice tail = random_text(rng, name_bytes - 1, name_bytes - 1);
        char *name = testkit_alloc(name_bytes);
        name[0] = (char)('a' + i);
        if (tail.length > 0) {
            memcpy(name + 1, tail.data, tail.length);
        }
        labels[i].name = (struct slice){name, name_bytes};
        labels[i].value = random_text(rng, value_bytes, value_bytes);
    }
    uint8_t *bytes = testkit_alloc(LABELS_BYTES_MAX);
    size_t length = labels_encode(labels, n, bytes);
    return length == 0 ? (struct slice){0} : (struct slice){(const char *)bytes, length};
}

static inline struct record random_usage(struct rng *rng, uint64_t customer)
{
    struct record record = {.kind = RECORD_USAGE};
    struct usage *usage = &record.usage;
    struct amount amount;
    record.request_id = random_text(rng, 0, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, 0, 20);
    usage->customer = customer;
    usage->service = random_text(rng, 0, rng_below(rng, 10) == 0 ? LIMIT_SERVICE_BYTES : 20);
    do {
        usage->units = random_decimal(rng);
        usage->price = random_decimal(rng);
    } while (amount_product(usage->units, usage->price, &amount) < 0);
    usage->occurred_at_us = rng_between(rng, 0, TIMESTAMP_MAX);
    usage->bills_at_us = rng_below(rng, 4) == 0
                             ? rng_between(rng, usage->occurred_at_us, TIMESTAMP_MAX)
                             : usage->occurred_at_us;
    usage->occurred_at_given = rng_below(rng, 2) == 0;
    usage->labels = make_labels(rng, (unsigned)rng_below(rng, LIMIT_LABELS + 1),
                                1 + rng_below(rng, 8), rng_below(rng, 30));
    return record;
}

static inline struct record random_created(struct rng *rng)
{
    struct record record = {.kind = RECORD_CUSTOMER_CREATED};
    record.request_id = random_text(rng, 0, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, 0, RECORD_RECORDED_BY_BYTES);
    record.customer_created.name = random_text(rng, 0, LIMIT_CUSTOMER_NAME_BYTES);
    record.customer_created.external_id = random_text(rng, 0, LIMIT_EXTERNAL_ID_BYTES);
    return record;
}

static inline struct record random_renamed(struct rng *rng, uint64_t customer)
{
    struct record record = {.kind = RECORD_CUSTOMER_RENAMED};
    record.recorded_by = random_text(rng, 0, 20);
    record.customer_renamed.customer = customer;
    record.customer_renamed.name = random_text(rng, 0, LIMIT_CUSTOMER_NAME_BYTES);
    return record;
}

/* A usage with every text and number at its bound. */
static inline struct record largest_usage(struct rng *rng)
{
    struct record record = random_usage(rng, UINT64_MAX);
    record.request_id = random_text(rng, LIMIT_REQUEST_ID_BYTES, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, RECORD_RECORDED_BY_BYTES, RECORD_RECORDED_BY_BYTES);
    record.usage.service = random_text(rng, LIMIT_SERVICE_BYTES, LIMIT_SERVICE_BYTES);
    record.usage.units = make_decimal(999999999999999999, 18);
    record.usage.price = make_decimal(999999999999999999, 3);
    record.usage.occurred_at_us = TIMESTAMP_MAX - 1;
    record.usage.bills_at_us = TIMESTAMP_MAX;
    record.usage.labels =
        make_labels(rng, LIMIT_LABELS, LIMIT_LABEL_NAME_BYTES, LIMIT_LABEL_VALUE_BYTES);
    return record;
}

static inline void assert_same_text(struct slice got, struct slice expected)
{
    if (!slice_equal(got, expected)) {
        testkit_fail("a text of %zu bytes is not the expected one of %zu", got.length,
                     expected.length);
    }
}

static inline void assert_same_usage(const struct usage *got, const struct usage *expected)
{
    assert_u64(got->customer, expected->customer);
    assert_same_text(got->service, expected->service);
    assert_true(decimal_equal(got->units, expected->units));
    assert_true(decimal_equal(got->price, expected->price));
    assert_i64(got->occurred_at_us, expected->occurred_at_us);
    assert_i64(got->bills_at_us, expected->bills_at_us);
    assert_int_equal(got->occurred_at_given, expected->occurred_at_given);
    assert_same_text(got->labels, expected->labels);
}

/* All but seq and created_at_us. */
static inline void assert_same_content(const struct record *got, const struct record *expected)
{
    assert_int_equal(got->kind, expected->kind);
    assert_same_text(got->request_id, expected->request_id);
    assert_same_text(got->recorded_by, expected->recorded_by);
    switch (expected->kind) {
    case RECORD_CUSTOMER_CREATED:
        assert_same_text(got->customer_created.name, expected->customer_created.name);
        assert_same_text(got->customer_created.external_id, expected->customer_created.external_id);
        break;
    case RECORD_CUSTOMER_RENAMED:
        assert_u64(got->customer_renamed.customer, expected->customer_renamed.customer);
        assert_same_text(got->customer_renamed.name, expected->customer_renamed.name);
        break;
    case RECORD_USAGE:
        assert_same_usage(&got->usage, &expected->usage);
        break;
    }
}

static inline void assert_same_record(const struct record *got, const struct record *expected)
{
    assert_u64(got->seq, expected->seq);
    assert_i64(got->created_at_us, expected->created_at_us);
    assert_same_content(got, expected);
}
