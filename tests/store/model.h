/* What a store should hold, kept the plainest way: a list of records and one of customers.
 *
 * model_check() asks a view everything that store.h can be asked and compares.  Main thread. */
#pragma once

#include <stdlib.h>

#include "billingd/store/store.h"
#include "tests/store/records.h"

enum {
    MODEL_RECORDS_MAX = 16384,
    MODEL_CUSTOMERS_MAX = 256,
};

struct model {
    uint64_t records; /* how many; the record SEQ is at SEQ - 1 */
    uint64_t customers;
    uint64_t usages;
    struct record record[MODEL_RECORDS_MAX];
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
    struct store_customer customer[MODEL_CUSTOMERS_MAX];
};

static inline struct model_mark model_mark(const struct model *model)
{
    struct model_mark mark = {model->records, model->customers, model->usages, {{0}}};
    memcpy(mark.customer, model->customer, sizeof mark.customer);
    return mark;
}

static inline void model_return(struct model *model, const struct model_mark *mark)
{
    model->records = mark->records;
    model->customers = mark->customers;
    model->usages = mark->usages;
    memcpy(model->customer, mark->customer, sizeof model->customer);
}

static inline struct store_customer *model_customer(struct model *model, uint64_t seq)
{
    for (uint64_t i = 0; i < model->customers; i++) {
        if (model->customer[i].seq == seq) {
            return &model->customer[i];
        }
    }
    return NULL;
}

/* Append RECORD to MODEL, as the store is to number and date it. */
static inline void model_append(struct model *model, const struct record *record, int64_t now_us)
{
    assert_true(model->records < MODEL_RECORDS_MAX);
    struct record *kept = &model->record[model->records++];
    *kept = *record;
    kept->seq = model->records;
    kept->created_at_us = now_us;
    if (record->kind == RECORD_USAGE) {
        model->usages++;
    } else if (record->kind == RECORD_CUSTOMER_RENAMED) {
        struct store_customer *customer = model_customer(model, record->customer_renamed.customer);
        assert_non_null(customer);
        customer->name = record->customer_renamed.name;
        customer->updated_at_us = now_us;
    } else {
        assert_true(model->customers < MODEL_CUSTOMERS_MAX);
        model->customer[model->customers++] = (struct store_customer){
            .seq = kept->seq,
            .name = record->customer_created.name,
            .external_id = record->customer_created.external_id,
            .created_at_us = now_us,
            .updated_at_us = now_us,
        };
    }
}

/* --- scans ------------------------------------------------------------------------------------ */

static inline int64_t model_time(const struct record *record, enum store_clock by)
{
    return by == STORE_BY_BILLED ? record->usage.bills_at_us : record->usage.occurred_at_us;
}

static inline bool model_in_range(const struct record *record,
                                  const struct store_usage_range *range)
{
    if (record->kind != RECORD_USAGE || record->usage.customer != range->customer) {
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
                                                 const struct store_usage_range *range)
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
                                    const struct store_usage_range *range)
{
    struct model_expected expected = model_expect(model, range);
    assert_ok(store_scan_usage(view, range, model_expect_record, &expected));
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
    into->late += row->late;
    assert_ok(amount_add(&into->units, row->units));
    assert_ok(amount_add(&into->amount, row->amount));
}

static inline int model_take_sum(const struct store_sum *sum, void *arg)
{
    assert_i64(sum->hour_us % INT64_C(3600000000), 0);
    assert_true(sum->records > 0);
    model_sums_add(arg, sum);
    return 0;
}

static inline void model_sums_expect(struct model_sums *sums, const struct record *record,
                                     enum store_clock by)
{
    int64_t time_us = model_time(record, by);
    struct store_sum row = {
        .service = record->usage.service,
        .price = record->usage.price,
        .hour_us = time_us - time_us % INT64_C(3600000000),
        .records = 1,
        .late = record->usage.bills_at_us > record->usage.occurred_at_us,
        .units = amount_from_decimal(record->usage.units),
    };
    assert_ok(amount_product(record->usage.units, record->usage.price, &row.amount));
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
        assert_u64(got->rows[at].late, row->late);
        assert_int_equal(amount_compare(got->rows[at].units, row->units), 0);
        assert_int_equal(amount_compare(got->rows[at].amount, row->amount), 0);
    }
}

static inline void model_check_sums(const struct model *model, struct store_view *view,
                                    const struct store_usage_range *range)
{
    struct store_usage_range all = *range;
    all.after = (struct store_position){0};
    struct model_expected places = model_expect(model, &all);
    struct model_sums expected = {.rows = calloc(places.n + 1, sizeof(struct store_sum)),
                                  .room = places.n};
    struct model_sums got = {.rows = calloc(places.n + 1, sizeof(struct store_sum)),
                             .room = places.n};
    assert_true(expected.rows != NULL && got.rows != NULL);
    for (size_t i = 0; i < places.n; i++) {
        model_sums_expect(&expected, places.places[i].record, range->by);
    }
    assert_ok(store_scan_sums(view, range, model_take_sum, &got));
    model_assert_same_sums(&got, &expected);
    free(places.places);
    free(expected.rows);
    free(got.rows);
}

/* --- everything ------------------------------------------------------------------------------- */

static inline void model_assert_same_customer(const struct store_customer *got,
                                              const struct store_customer *expected)
{
    assert_u64(got->seq, expected->seq);
    assert_same_text(got->name, expected->name);
    assert_same_text(got->external_id, expected->external_id);
    assert_i64(got->created_at_us, expected->created_at_us);
    assert_i64(got->updated_at_us, expected->updated_at_us);
    assert_i64(got->billed_until_us, expected->billed_until_us);
}

struct model_customers {
    const struct model *model;
    uint64_t seen;
};

static inline int model_expect_customer(const struct store_customer *customer, void *arg)
{
    struct model_customers *customers = arg;
    assert_true(customers->seen < customers->model->customers);
    model_assert_same_customer(customer, &customers->model->customer[customers->seen++]);
    return 0;
}

static inline void model_check_customers(const struct model *model, struct store_view *view)
{
    struct model_customers customers = {.model = model};
    assert_ok(store_scan_customers(view, 0, model_expect_customer, &customers));
    assert_u64(customers.seen, model->customers);
    for (uint64_t i = 0; i < model->customers; i++) {
        struct store_customer customer;
        uint64_t seq;
        assert_ok(store_customer(view, model->customer[i].seq, &customer));
        model_assert_same_customer(&customer, &model->customer[i]);
        if (model->customer[i].external_id.length > 0) {
            assert_ok(store_external_id(view, model->customer[i].external_id, &seq));
            assert_u64(seq, model->customer[i].seq);
        }
    }
}

static inline void model_check_records(const struct model *model, struct store_view *view)
{
    for (uint64_t seq = 1; seq <= model->records; seq++) {
        const struct record *expected = &model->record[seq - 1];
        struct record record;
        assert_ok(store_record(view, seq, &record));
        assert_same_record(&record, expected);
        if (expected->request_id.length > 0) {
            struct store_key key = {record_scope(expected), expected->request_id};
            assert_ok(store_request(view, key, &record));
            assert_same_record(&record, expected);
        }
    }
    struct record record;
    assert_status(store_record(view, 0, &record), STATUS_NOT_FOUND);
    assert_status(store_record(view, model->records + 1, &record), STATUS_NOT_FOUND);
    assert_status(store_record(view, UINT64_MAX, &record), STATUS_NOT_FOUND);
}

/* The whole of a view, and for every customer RANGES random ranges by each clock. */
static inline void model_check(const struct model *model, struct store_view *view, struct rng *rng,
                               int64_t time_max_us, int ranges)
{
    struct store_info info;
    assert_ok(store_info(view, &info));
    assert_u64(info.last_seq, model->records);
    assert_u64(info.customers, model->customers);
    assert_u64(info.usage, model->usages);
    model_check_records(model, view);
    model_check_customers(model, view);
    for (uint64_t i = 0; i < model->customers; i++) {
        struct store_usage_range range = {
            .customer = model->customer[i].seq,
            .end_us = INT64_MAX,
        };
        for (int j = 0; j < 2 * ranges; j++) {
            range.by = j % 2 == 0 ? STORE_BY_OCCURRED : STORE_BY_BILLED;
            model_check_scan(model, view, &range);
            model_check_sums(model, view, &range);
            if (j % 2 == 1) { /* the first by each clock was everything */
                range.start_us = rng_between(rng, -1, time_max_us);
                range.end_us = rng_between(rng, -1, time_max_us + 1);
                range.after.time_us = rng_between(rng, 0, time_max_us);
                range.after.seq = rng_below(rng, model->records + 2);
            }
        }
    }
}
