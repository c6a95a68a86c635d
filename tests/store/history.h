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

/* The next random record; request ids are alike in different scopes. */
static inline struct record history_record(struct rng *rng, const struct model *model)
{
    uint64_t dice = rng_below(rng, 100);
    unsigned n = (unsigned)model->records;
    struct record record;
    if (model->customers == 0 || (dice < 3 && model->customers < 40)) {
        record = customer_named(testkit_format("name %u", n),
                                dice == 0 ? "" : testkit_format("external-%u", n));
    } else if (dice < 8) {
        record = renamed_to(model->customer[rng_below(rng, model->customers)].seq,
                            testkit_format("new name %u", n));
    } else {
        record = history_usage(rng, model);
    }
    if (rng_below(rng, 10) > 0) {
        /* once in a scope: at most one record in a hundred has the same id in another */
        record.request_id = text_copy(testkit_format("request-%u", n));
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
