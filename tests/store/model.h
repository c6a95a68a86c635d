/* What a store should hold, kept the plainest way: a list of records and one of customers.
 *
 * What it says is asked of a store by model_check.h.  Main thread. */
#pragma once

#include <stdlib.h>

#include "billingd/store/store.h"
#include "tests/store/records.h"

enum {
    MODEL_RECORDS_MAX = 32768,
    MODEL_CUSTOMERS_MAX = 256,
};

struct model {
    uint64_t records; /* how many; the record SEQ is at SEQ - 1 */
    uint64_t customers;
    uint64_t usages;
    uint64_t invoices;
    struct record record[MODEL_RECORDS_MAX];
    uint64_t void_of[MODEL_RECORDS_MAX + 1]; /* by the usage's number; 0: none */
    struct store_customer customer[MODEL_CUSTOMERS_MAX];
};

static inline struct model *model_create(void)
{
    return testkit_alloc(sizeof(struct model));
}

static inline struct model *model_copy(const struct model *model)
{
    return memcpy(testkit_alloc(sizeof *model), model, sizeof *model);
}

/* Where a model was, to go back there when a transaction comes to nothing. */
struct model_mark {
    uint64_t records;
    uint64_t customers;
    uint64_t usages;
    uint64_t invoices;
    struct store_customer customer[MODEL_CUSTOMERS_MAX];
};

static inline struct model_mark model_mark(const struct model *model)
{
    struct model_mark mark = {
        model->records, model->customers, model->usages, model->invoices, {{0}}};
    memcpy(mark.customer, model->customer, sizeof mark.customer);
    return mark;
}

static inline void model_return(struct model *model, const struct model_mark *mark)
{
    for (; model->records > mark->records; model->records--) {
        const struct record *record = &model->record[model->records - 1];
        if (record->kind == RECORD_USAGE_VOIDED) {
            model->void_of[record->usage_voided.usage] = 0;
        }
    }
    model->customers = mark->customers;
    model->usages = mark->usages;
    model->invoices = mark->invoices;
    memcpy(model->customer, mark->customer, sizeof model->customer);
}

static inline struct store_customer *model_customer(struct model *model, uint64_t seq)
{
    for (uint64_t i = 0; i < model->customers; i++) {
        if (model->customer[i].seq == seq) {
            return &model->customer[i];
        }
    }
    testkit_fail("there is no customer %u", (unsigned)seq);
}

static inline void model_add_customer(struct model *model, const struct record *record)
{
    assert_true(model->customers < MODEL_CUSTOMERS_MAX);
    model->customer[model->customers++] = (struct store_customer){
        .seq = record->seq,
        .name = record->customer_created.name,
        .external_id = record->customer_created.external_id,
        .created_at_us = record->created_at_us,
        .updated_at_us = record->created_at_us,
    };
}

static inline void model_rename_customer(struct model *model, const struct record *record)
{
    struct store_customer *customer = model_customer(model, record->customer_renamed.customer);
    customer->name = record->customer_renamed.name;
    customer->updated_at_us = record->created_at_us;
}

/* Append RECORD to MODEL, as the store is to number and date it. */
static inline void model_append(struct model *model, const struct record *record, int64_t now_us)
{
    assert_true(model->records < MODEL_RECORDS_MAX);
    struct record *kept = &model->record[model->records++];
    *kept = *record;
    kept->seq = model->records;
    kept->created_at_us = now_us;
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        model_add_customer(model, kept);
        break;
    case RECORD_CUSTOMER_RENAMED:
        model_rename_customer(model, kept);
        break;
    case RECORD_USAGE:
        model->usages++;
        break;
    case RECORD_USAGE_VOIDED:
        model->void_of[record->usage_voided.usage] = kept->seq;
        break;
    case RECORD_INVOICE:
        model->invoices++;
        model_customer(model, record->invoice.customer)->billed_until_us = record->invoice.end_us;
        break;
    case RECORD_ADJUSTMENT:
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED: /* found in the records, where they are asked for */
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
}

/* --- scans ------------------------------------------------------------------------------------ */

/* Where RECORD stands on bills, if it does. */
struct model_stand {
    enum store_rows row; /* 0: nowhere */
    uint64_t customer;
    int64_t occurred_at_us;
    int64_t bills_at_us;
};

static inline struct model_stand model_stand(const struct record *record)
{
    if (record->kind == RECORD_USAGE) {
        const struct usage *usage = &record->usage;
        return (struct model_stand){STORE_USAGE, usage->customer, usage->occurred_at_us,
                                    usage->bills_at_us};
    }
    if (record->kind == RECORD_USAGE_VOIDED) {
        const struct usage_voided *voided = &record->usage_voided;
        return (struct model_stand){STORE_VOIDS, voided->customer, voided->occurred_at_us,
                                    voided->bills_at_us};
    }
    if (record->kind == RECORD_ADJUSTMENT) {
        const struct adjustment *adjustment = &record->adjustment;
        return (struct model_stand){STORE_ADJUSTMENTS, adjustment->customer,
                                    adjustment->occurred_at_us, adjustment->bills_at_us};
    }
    return (struct model_stand){0};
}

static inline int64_t model_time(const struct record *record, enum store_clock by)
{
    struct model_stand stand = model_stand(record);
    return by == STORE_BY_BILLED ? stand.bills_at_us : stand.occurred_at_us;
}

static inline bool model_in_range(const struct record *record, const struct store_range *range)
{
    struct model_stand stand = model_stand(record);
    if ((stand.row & range->rows) == 0 || stand.customer != range->customer) {
        return false;
    }
    int64_t time_us = model_time(record, range->by);
    if (time_us < range->start_us || time_us >= range->end_us) {
        return false;
    }
    return time_us != range->after.time_us ? time_us > range->after.time_us
                                           : record->seq > range->after.seq;
}

struct model_place {
    int64_t time_us;
    const struct record *record;
};

static inline int model_compare_places(const void *a, const void *b)
{
    const struct model_place *x = a;
    const struct model_place *y = b;
    if (x->time_us != y->time_us) {
        return x->time_us < y->time_us ? -1 : 1;
    }
    return x->record->seq < y->record->seq ? -1 : x->record->seq > y->record->seq;
}

/* What a scan is still to give, in order. */
struct model_expected {
    struct model_place *places;
    size_t n;
    size_t seen;
};

static inline struct model_expected model_expect(const struct model *model,
                                                 const struct store_range *range)
{
    struct model_expected expected = {
        .places = malloc((model->records + 1) * sizeof *expected.places),
    };
    assert_non_null(expected.places);
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        if (model_in_range(record, range)) {
            expected.places[expected.n++] =
                (struct model_place){model_time(record, range->by), record};
        }
    }
    qsort(expected.places, expected.n, sizeof *expected.places, model_compare_places);
    return expected;
}

static inline int model_expect_record(const struct record *record, void *arg)
{
    struct model_expected *expected = arg;
    assert_true(expected->seen < expected->n);
    assert_same_record(record, expected->places[expected->seen++].record);
    return 0;
}

static inline void model_check_scan(const struct model *model, struct store_view *view,
                                    const struct store_range *range)
{
    struct model_expected expected = model_expect(model, range);
    assert_ok(store_scan(view, range, model_expect_record, &expected));
    assert_u64(expected.seen, expected.n);
    free(expected.places);
}

/* --- sums ------------------------------------------------------------------------------------- */

struct model_sums {
    struct store_sum *rows;
    size_t n;
    size_t room;
};

static inline void model_sums_add(struct model_sums *sums, const struct store_sum *row)
{
    struct store_sum *into = NULL;
    for (size_t i = 0; i < sums->n && into == NULL; i++) {
        struct store_sum *other = &sums->rows[i];
        if (other->hour_us == row->hour_us && slice_equal(other->service, row->service) &&
            decimal_equal(other->price, row->price)) {
            into = other;
        }
    }
    if (into == NULL) {
        assert_true(sums->n < sums->room);
        sums->rows[sums->n++] = *row;
        char *service = testkit_alloc(row->service.length);
        if (row->service.length > 0) {
            memcpy(service, row->service.data, row->service.length);
        }
        sums->rows[sums->n - 1].service.data = service;
        return;
    }
    into->records += row->records;
    into->voided += row->voided;
    into->late += row->late;
    assert_ok(amount_add(&into->units, row->units));
    assert_ok(amount_add(&into->amount, row->amount));
}

static inline int model_take_sum(const struct store_sum *sum, void *arg)
{
    assert_i64(sum->hour_us % INT64_C(3600000000), 0);
    assert_true(sum->records + sum->voided > 0);
    model_sums_add(arg, sum);
    return 0;
}

static inline void model_sums_expect(struct model_sums *sums, const struct model *model,
                                     const struct record *record, enum store_clock by)
{
    bool is_void = record->kind == RECORD_USAGE_VOIDED;
    const struct usage *usage =
        is_void ? &model->record[record->usage_voided.usage - 1].usage : &record->usage;
    int64_t time_us = model_time(record, by);
    struct amount units = amount_from_decimal(usage->units);
    struct amount amount;
    struct store_sum row = {
        .service = usage->service,
        .price = usage->price,
        .hour_us = time_us - time_us % INT64_C(3600000000),
        .records = !is_void,
        .voided = is_void,
        .late = !is_void && usage->bills_at_us > usage->occurred_at_us,
    };
    assert_ok(amount_product(usage->units, usage->price, &amount));
    if (is_void) {
        assert_ok(amount_subtract(&row.units, units));
        assert_ok(amount_subtract(&row.amount, amount));
    } else {
        row.units = units;
        row.amount = amount;
    }
    model_sums_add(sums, &row);
}

static inline void model_assert_same_sums(const struct model_sums *got,
                                          const struct model_sums *expected)
{
    assert_u64(got->n, expected->n);
    for (size_t i = 0; i < expected->n; i++) {
        const struct store_sum *row = &expected->rows[i];
        size_t at = 0;
        while (at < got->n && !(got->rows[at].hour_us == row->hour_us &&
                                slice_equal(got->rows[at].service, row->service) &&
                                decimal_equal(got->rows[at].price, row->price))) {
            at++;
        }
        assert_true(at < got->n);
        assert_u64(got->rows[at].records, row->records);
        assert_u64(got->rows[at].voided, row->voided);
        assert_u64(got->rows[at].late, row->late);
        assert_int_equal(amount_compare(got->rows[at].units, row->units), 0);
        assert_int_equal(amount_compare(got->rows[at].amount, row->amount), 0);
    }
}

static inline void model_check_sums(const struct model *model, struct store_view *view,
                                    const struct store_range *range)
{
    struct store_range all = *range;
    all.rows = STORE_USAGE | STORE_VOIDS; /* what is asked for is not looked at */
    all.after = (struct store_position){0};
    struct model_expected places = model_expect(model, &all);
    struct model_sums expected = {.rows = calloc(places.n + 1, sizeof(struct store_sum)),
                                  .room = places.n};
    struct model_sums got = {.rows = calloc(places.n + 1, sizeof(struct store_sum)),
                             .room = places.n};
    assert_true(expected.rows != NULL && got.rows != NULL);
    for (size_t i = 0; i < places.n; i++) {
        model_sums_expect(&expected, model, places.places[i].record, range->by);
    }
    assert_ok(store_scan_sums(view, range, model_take_sum, &got));
    model_assert_same_sums(&got, &expected);
    free(places.places);
    free(expected.rows);
    free(got.rows);
}
