/* Random histories: transactions of random records, kept in step with a model.  Main thread. */
#pragma once

#include "tests/store/fixture.h"

/* Few times, services and prices, so that they meet. */
static const int64_t history_time_max_us = INT64_C(40) * 3600000000;

static inline int64_t history_time(struct rng *rng, int64_t from_us)
{
    int64_t step = hour_us / 4;
    return from_us + rng_between(rng, 0, (history_time_max_us - from_us) / step) * step;
}

static inline struct record history_usage(struct rng *rng, const struct model *model)
{
    static const char *const services[] = {"", "S3", "Database Hosting"};
    uint64_t customer = model->customer[rng_below(rng, model->customers)].seq;
    int64_t occurred_at_us = history_time(rng, 0);
    int64_t bills_at_us =
        rng_below(rng, 3) == 0 ? history_time(rng, occurred_at_us) : occurred_at_us;
    struct record record = usage_at(customer, occurred_at_us, bills_at_us, "");
    record.usage.service = slice_of(services[rng_below(rng, 3)]);
    record.usage.units = make_decimal((int64_t)rng_below(rng, 1000000), 6);
    record.usage.price = make_decimal((int64_t)rng_below(rng, 3), 10);
    record.usage.occurred_at_given = rng_below(rng, 2) == 0;
    record.usage.labels = make_labels(rng, (unsigned)rng_below(rng, 3), 4, 10);
    return record;
}

/* The void of a usage that has none; where chance finds none, another usage. */
static inline struct record history_voided(struct rng *rng, const struct model *model)
{
    for (int tries = 0; tries < 20; tries++) {
        const struct record *record = &model->record[rng_below(rng, model->records)];
        if (record->kind == RECORD_USAGE && model->void_of[record->seq] == 0) {
            int64_t bills_at_us = record->usage.bills_at_us;
            return void_of(
                record, rng_below(rng, 3) == 0 ? history_time(rng, bills_at_us) : bills_at_us, "");
        }
    }
    return history_usage(rng, model);
}

static inline struct record history_adjustment(struct rng *rng, const struct model *model)
{
    uint64_t customer = model->customer[rng_below(rng, model->customers)].seq;
    int64_t occurred_at_us = history_time(rng, 0);
    struct record record = adjustment_at(
        customer, occurred_at_us,
        rng_below(rng, 3) == 0 ? history_time(rng, occurred_at_us) : occurred_at_us, "");
    record.adjustment.amount = random_money(rng);
    record.adjustment.occurred_at_given = rng_below(rng, 2) == 0;
    return record;
}

static inline struct record history_invoice(struct rng *rng, const struct model *model)
{
    const struct store_customer *customer = &model->customer[rng_below(rng, model->customers)];
    struct record record = random_invoice(rng, customer->seq, model->invoices + 1);
    record.invoice.start_us = customer->billed_until_us;
    record.invoice.end_us = customer->billed_until_us + rng_between(rng, 1, hour_us);
    return record;
}

/* Entries of any invoice; where there is none, the invoice. */
static inline struct record history_entries(struct rng *rng, const struct model *model)
{
    for (uint64_t seq = model->records; seq > 0; seq--) {
        if (model->record[seq - 1].kind == RECORD_INVOICE && rng_below(rng, 2) == 0) {
            return random_entries(rng, seq);
        }
    }
    return history_invoice(rng, model);
}

/* One of few names, taken away where it is there, one time in two. */
static inline struct record history_service(struct rng *rng, const struct model *model)
{
    struct store_service service;
    struct slice name = text_copy(testkit_format("service %u", (unsigned)rng_below(rng, 12)));
    if (rng_below(rng, 2) == 0 && model_service(model, name, &service)) {
        return service_deleted(name);
    }
    return service_put(
        name, rng_below(rng, 3) == 0 ? "" : testkit_format("GB-%d", (int)rng_below(rng, 9)));
}

/* A key of one of few names; where that is taken, a use of it, or its revocation. */
static inline struct record history_key(struct rng *rng, const struct model *model)
{
    const char *name = testkit_format("key %u", (unsigned)rng_below(rng, 6));
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        if (record->kind == RECORD_KEY_CREATED &&
            slice_equal(record->key_created.name, slice_of(name)) &&
            model_key_revoked(model, record->seq) == NULL) {
            return rng_below(rng, 3) > 0 ? key_used(record->seq, rng_between(rng, 1, TIMESTAMP_MAX))
                                         : key_revoked(record->seq, name);
        }
    }
    return key_created(name);
}

static inline struct record history_content(struct rng *rng, const struct model *model)
{
    uint64_t dice = rng_below(rng, 100);
    unsigned n = (unsigned)model->records;
    if (model->customers == 0 || (dice < 3 && model->customers < 40)) {
        return customer_named(testkit_format("name %u", n),
                              dice == 0 ? "" : testkit_format("external-%u", n));
    }
    if (dice < 8) {
        return renamed_to(model->customer[rng_below(rng, model->customers)].seq,
                          testkit_format("new name %u", n));
    }
    return dice < 18   ? history_voided(rng, model)
           : dice < 26 ? history_adjustment(rng, model)
           : dice < 29 ? history_invoice(rng, model)
           : dice < 31 ? history_entries(rng, model)
           : dice < 36 ? history_service(rng, model)
           : dice < 38 ? history_key(rng, model)
                       : history_usage(rng, model);
}

/* Whether calls that make RECORD take a request id. */
static inline bool history_takes_id(const struct record *record)
{
    return record->kind == RECORD_CUSTOMER_CREATED || record->kind == RECORD_USAGE ||
           record->kind == RECORD_USAGE_VOIDED || record->kind == RECORD_ADJUSTMENT ||
           record->kind == RECORD_INVOICE;
}

/* How many records in ten have none that could: the rules above the store give one to each. */
static uint64_t history_ids_missing = 1;

/* The next random record. */
static inline struct record history_record(struct rng *rng, const struct model *model)
{
    struct record record = history_content(rng, model);
    record.request_id = (struct slice){0};
    if (history_takes_id(&record) && rng_below(rng, 10) >= history_ids_missing) {
        record.request_id = text_copy(testkit_format("request-%u", (unsigned)model->records));
    }
    return record;
}

/* A transaction of up to OPS_MAX records; one in eight is aborted. */
static inline void history_step(struct rng *rng, struct store *store, struct model *model,
                                uint64_t ops_max)
{
    int64_t now_us = birth_us + (int64_t)model->records;
    struct store_txn *txn = begin(store, now_us);
    struct model_mark mark = model_mark(model);
    for (uint64_t ops = rng_below(rng, ops_max + 1); ops > 0; ops--) {
        struct record record = history_record(rng, model);
        append(txn, model, &record, now_us);
        if (rng_below(rng, 200) == 0) {
            model_check(model, store_txn_view(txn), rng, history_time_max_us, 1);
        }
    }
    if (rng_below(rng, 8) == 0) {
        store_abort(txn);
        model_return(model, &mark);
    } else {
        assert_ok(store_commit(txn));
    }
}
