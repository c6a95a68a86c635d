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

/* A random time, and in one of four cases a later one. */
static inline void random_times(struct rng *rng, int64_t *ret_occurred_us, int64_t *ret_bills_at_us)
{
    *ret_occurred_us = rng_between(rng, 0, TIMESTAMP_MAX);
    *ret_bills_at_us = rng_below(rng, 4) == 0 ? rng_between(rng, *ret_occurred_us, TIMESTAMP_MAX)
                                              : *ret_occurred_us;
}

static inline struct record random_voided(struct rng *rng, uint64_t customer, uint64_t usage)
{
    struct record record = {.kind = RECORD_USAGE_VOIDED};
    struct usage_voided *voided = &record.usage_voided;
    record.request_id = random_text(rng, 0, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, 0, 20);
    voided->customer = customer;
    voided->usage = usage;
    random_times(rng, &voided->occurred_at_us, &voided->bills_at_us);
    voided->reason = random_text(rng, 0, LIMIT_REASON_BYTES);
    return record;
}

static inline struct decimal negated(struct decimal value)
{
    return make_decimal(-decimal_mantissa(value), decimal_scale(value));
}

/* Of either sign and any size below the bound of amounts. */
static inline struct decimal random_money(struct rng *rng)
{
    struct decimal value =
        make_decimal((int64_t)rng_below(rng, UINT64_C(1000000000000000)), (int)rng_below(rng, 15));
    return rng_below(rng, 2) == 0 ? negated(value) : value;
}

static inline struct record random_adjustment(struct rng *rng, uint64_t customer)
{
    struct record record = {.kind = RECORD_ADJUSTMENT};
    struct adjustment *adjustment = &record.adjustment;
    record.request_id = random_text(rng, 0, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, 0, 20);
    adjustment->customer = customer;
    adjustment->service = random_text(rng, 0, LIMIT_SERVICE_BYTES);
    adjustment->reason = random_text(rng, 0, LIMIT_REASON_BYTES);
    adjustment->amount = random_money(rng);
    random_times(rng, &adjustment->occurred_at_us, &adjustment->bills_at_us);
    adjustment->occurred_at_given = rng_below(rng, 2) == 0;
    return record;
}

/* Of either sign, with up to 36 digits behind the point. */
static inline struct amount random_amount(struct rng *rng)
{
    struct amount amount;
    struct decimal fraction = make_decimal((int64_t)rng_below(rng, UINT64_C(1000000000000000)), 18);
    assert_ok(
        amount_product(fraction, make_decimal((int64_t)rng_below(rng, 1000000), 18), &amount));
    assert_ok(amount_add(&amount, amount_from_decimal(random_decimal(rng))));
    return rng_below(rng, 2) == 0 ? amount_negate(amount) : amount;
}

static inline struct record random_invoice(struct rng *rng, uint64_t customer, uint64_t number)
{
    struct record record = {.kind = RECORD_INVOICE};
    struct invoice *invoice = &record.invoice;
    record.request_id = random_text(rng, 0, LIMIT_REQUEST_ID_BYTES);
    record.recorded_by = random_text(rng, 0, 20);
    invoice->customer = customer;
    invoice->number = number;
    invoice->start_us = rng_between(rng, 0, TIMESTAMP_MAX - 1);
    invoice->end_us = rng_between(rng, invoice->start_us + 1, TIMESTAMP_MAX);
    invoice->start_given = rng_below(rng, 2) == 0;
    invoice->position = rng_next(rng) >> rng_below(rng, 64);
    invoice->minor_digits = (int)rng_between(rng, 0, AMOUNT_FRACTION_MAX);
    invoice->n_lines = rng_below(rng, 1000);
    invoice->n_adjustments = rng_below(rng, 1000);
    invoice->exact = random_amount(rng);
    invoice->total = amount_round(invoice->exact, invoice->minor_digits);
    rng_fill(rng, invoice->digest, sizeof invoice->digest);
    return record;
}

static inline struct invoice_entry random_entry(struct rng *rng)
{
    if (rng_below(rng, 3) == 0) {
        return (struct invoice_entry){.adjustment = 1 + (rng_next(rng) >> rng_below(rng, 63)) / 2};
    }
    return (struct invoice_entry){
        .line = {.service = random_text(rng, 0, LIMIT_SERVICE_BYTES),
                 .price = random_decimal(rng),
                 .units = random_amount(rng),
                 .exact = random_amount(rng),
                 .records = rng_next(rng) >> rng_below(rng, 64),
                 .voided = rng_next(rng) >> rng_below(rng, 64),
                 .late = rng_next(rng) >> rng_below(rng, 64)},
    };
}

static inline struct record random_entries(struct rng *rng, uint64_t invoice)
{
    struct record record = {.kind = RECORD_INVOICE_ENTRIES};
    uint8_t *bytes = testkit_alloc(INVOICE_ENTRIES_BYTES_MAX);
    size_t length = 0;
    for (uint64_t n = 1 + rng_below(rng, INVOICE_ENTRIES_BYTES_MAX / INVOICE_ENTRY_BYTES_MAX);
         n > 0; n--) {
        struct invoice_entry entry = random_entry(rng);
        size_t entry_bytes = invoice_entry_encode(&entry, bytes + length);
        assert_in_range(entry_bytes, 1, INVOICE_ENTRY_BYTES_MAX);
        length += entry_bytes;
    }
    record.recorded_by = random_text(rng, 0, 20);
    record.invoice_entries =
        (struct invoice_entries){.invoice = invoice, .entries = {(const char *)bytes, length}};
    return record;
}

static inline struct record random_service_put(struct rng *rng)
{
    return (struct record){
        .kind = RECORD_SERVICE_PUT,
        .recorded_by = random_text(rng, 0, 20),
        .service_put = {.name = random_text(rng, 1, LIMIT_SERVICE_BYTES),
                        .unit = random_text(rng, 0, LIMIT_UNIT_BYTES)},
    };
}

static inline struct record random_service_deleted(struct rng *rng)
{
    return (struct record){
        .kind = RECORD_SERVICE_DELETED,
        .recorded_by = random_text(rng, 0, 20),
        .service_deleted = {.name = random_text(rng, 1, LIMIT_SERVICE_BYTES)},
    };
}

/* 1 to N_MAX names in order. */
static inline struct slice random_services(struct rng *rng, uint64_t n_max)
{
    struct slice names[LIMIT_KEY_SERVICES];
    size_t n = 1 + rng_below(rng, n_max);
    uint8_t *bytes = testkit_alloc(SERVICES_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct slice tail = random_text(rng, 0, LIMIT_SERVICE_BYTES - 1);
        char *name = testkit_alloc(tail.length + 1);
        name[0] = (char)(' ' + i);
        if (tail.length > 0) {
            memcpy(name + 1, tail.data, tail.length);
        }
        names[i] = (struct slice){name, tail.length + 1};
    }
    return (struct slice){(const char *)bytes, services_encode(names, n, bytes)};
}

static inline struct record random_key_created(struct rng *rng)
{
    struct record record = {.kind = RECORD_KEY_CREATED, .recorded_by = random_text(rng, 0, 20)};
    struct key_created *created = &record.key_created;
    created->name = random_text(rng, 1, LIMIT_KEY_NAME_BYTES);
    created->role = (enum key_role)rng_between(rng, KEY_READER, KEY_ADMIN);
    if (created->role == KEY_WRITER && rng_below(rng, 2) == 0) {
        created->services = random_services(rng, LIMIT_KEY_SERVICES);
    }
    created->expires_at_us = rng_below(rng, 2) == 0 ? 0 : rng_between(rng, 0, TIMESTAMP_MAX);
    rng_fill(rng, created->hash, sizeof created->hash);
    return record;
}

static inline struct record random_key_revoked(struct rng *rng, uint64_t key)
{
    return (struct record){
        .kind = RECORD_KEY_REVOKED,
        .recorded_by = random_text(rng, 0, 20),
        .key_revoked = {.key = key, .name = random_text(rng, 1, LIMIT_KEY_NAME_BYTES)},
    };
}

/* Uses of N keys, FIRST and some behind it. */
static inline struct record random_key_used(struct rng *rng, uint64_t first, size_t n)
{
    struct key_use *uses = testkit_alloc(n * sizeof *uses);
    uint8_t *bytes = testkit_alloc(KEY_USES_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        uses[i] = (struct key_use){first + i, rng_between(rng, 0, TIMESTAMP_MAX)};
    }
    size_t length = key_uses_encode(uses, n, bytes);
    return (struct record){
        .kind = RECORD_KEY_USED,
        .recorded_by = random_text(rng, 0, 20),
        .key_used = {.uses = {(const char *)bytes, length}},
    };
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

static inline void assert_same_voided(const struct usage_voided *got,
                                      const struct usage_voided *expected)
{
    assert_u64(got->customer, expected->customer);
    assert_u64(got->usage, expected->usage);
    assert_i64(got->occurred_at_us, expected->occurred_at_us);
    assert_i64(got->bills_at_us, expected->bills_at_us);
    assert_same_text(got->reason, expected->reason);
}

static inline void assert_same_adjustment(const struct adjustment *got,
                                          const struct adjustment *expected)
{
    assert_u64(got->customer, expected->customer);
    assert_same_text(got->service, expected->service);
    assert_same_text(got->reason, expected->reason);
    assert_true(decimal_equal(got->amount, expected->amount));
    assert_i64(got->occurred_at_us, expected->occurred_at_us);
    assert_i64(got->bills_at_us, expected->bills_at_us);
    assert_int_equal(got->occurred_at_given, expected->occurred_at_given);
}

static inline void assert_same_invoice(const struct invoice *got, const struct invoice *expected)
{
    assert_u64(got->customer, expected->customer);
    assert_u64(got->number, expected->number);
    assert_i64(got->start_us, expected->start_us);
    assert_i64(got->end_us, expected->end_us);
    assert_int_equal(got->start_given, expected->start_given);
    assert_u64(got->position, expected->position);
    assert_int_equal(got->minor_digits, expected->minor_digits);
    assert_u64(got->n_lines, expected->n_lines);
    assert_u64(got->n_adjustments, expected->n_adjustments);
    assert_int_equal(amount_compare(got->exact, expected->exact), 0);
    assert_int_equal(amount_compare(got->total, expected->total), 0);
    assert_memory_equal(got->digest, expected->digest, sizeof expected->digest);
}

static inline void assert_same_key(const struct key_created *got,
                                   const struct key_created *expected)
{
    assert_same_text(got->name, expected->name);
    assert_int_equal(got->role, expected->role);
    assert_same_text(got->services, expected->services);
    assert_i64(got->expires_at_us, expected->expires_at_us);
    assert_memory_equal(got->hash, expected->hash, sizeof expected->hash);
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
    case RECORD_USAGE_VOIDED:
        assert_same_voided(&got->usage_voided, &expected->usage_voided);
        break;
    case RECORD_ADJUSTMENT:
        assert_same_adjustment(&got->adjustment, &expected->adjustment);
        break;
    case RECORD_INVOICE:
        assert_same_invoice(&got->invoice, &expected->invoice);
        break;
    case RECORD_INVOICE_ENTRIES:
        assert_u64(got->invoice_entries.invoice, expected->invoice_entries.invoice);
        assert_same_text(got->invoice_entries.entries, expected->invoice_entries.entries);
        break;
    case RECORD_SERVICE_PUT:
        assert_same_text(got->service_put.name, expected->service_put.name);
        assert_same_text(got->service_put.unit, expected->service_put.unit);
        break;
    case RECORD_SERVICE_DELETED:
        assert_same_text(got->service_deleted.name, expected->service_deleted.name);
        break;
    case RECORD_KEY_CREATED:
        assert_same_key(&got->key_created, &expected->key_created);
        break;
    case RECORD_KEY_REVOKED:
        assert_u64(got->key_revoked.key, expected->key_revoked.key);
        assert_same_text(got->key_revoked.name, expected->key_revoked.name);
        break;
    case RECORD_KEY_USED:
        assert_same_text(got->key_used.uses, expected->key_used.uses);
        break;
    }
}

static inline void assert_same_record(const struct record *got, const struct record *expected)
{
    assert_u64(got->seq, expected->seq);
    assert_i64(got->created_at_us, expected->created_at_us);
    assert_same_content(got, expected);
}
