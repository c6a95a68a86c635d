/* Asking a view everything that store.h can be asked, and comparing with a model.  Main thread. */
#pragma once

#include "tests/store/model.h"

/* --- customers -------------------------------------------------------------------------------- */

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

/* --- records ---------------------------------------------------------------------------------- */

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

struct model_journal {
    const struct model *model;
    uint64_t seq; /* of the last that was seen */
};

static inline int model_expect_next(const struct record *record, void *arg)
{
    struct model_journal *journal = arg;
    assert_true(journal->seq < journal->model->records);
    assert_same_record(record, &journal->model->record[journal->seq++]);
    return 0;
}

static inline void model_check_journal(const struct model *model, struct store_view *view,
                                       uint64_t after_seq)
{
    struct model_journal journal = {model, after_seq};
    assert_ok(store_scan_journal(view, after_seq, model_expect_next, &journal));
    assert_u64(journal.seq, model->records);
    assert_u64(store_view_damaged(view), 0);
}

static inline void model_check_voids(const struct model *model, struct store_view *view)
{
    struct record record;
    for (uint64_t seq = 0; seq <= model->records; seq++) {
        uint64_t expected = model->void_of[seq];
        assert_status(store_void(view, seq, &record), expected == 0 ? STATUS_NOT_FOUND : 0);
        if (expected != 0) {
            assert_same_record(&record, &model->record[expected - 1]);
        }
    }
    assert_status(store_void(view, UINT64_MAX, &record), STATUS_NOT_FOUND);
}

/* --- invoices --------------------------------------------------------------------------------- */

struct model_invoices {
    const struct model *model;
    uint64_t customer; /* 0: everyone's */
    uint64_t after_number;
    uint64_t seq; /* where the last that was seen is, or where it begins */
};

/* The next invoice that is to come, or NULL. */
static inline const struct record *model_next_invoice(struct model_invoices *invoices)
{
    while (invoices->seq < invoices->model->records) {
        const struct record *record = &invoices->model->record[invoices->seq++];
        if (record->kind == RECORD_INVOICE && record->invoice.number > invoices->after_number &&
            (invoices->customer == 0 || record->invoice.customer == invoices->customer)) {
            return record;
        }
    }
    return NULL;
}

static inline int model_expect_invoice(const struct record *record, void *arg)
{
    const struct record *expected = model_next_invoice(arg);
    assert_non_null(expected);
    assert_same_record(record, expected);
    return 0;
}

static inline void model_check_invoice_scan(const struct model *model, struct store_view *view,
                                            uint64_t customer, uint64_t after_number)
{
    struct model_invoices invoices = {model, customer, after_number, 0};
    assert_ok(store_scan_invoices(view, customer, after_number, model_expect_invoice, &invoices));
    assert_null(model_next_invoice(&invoices));
}

static inline void model_check_invoices(const struct model *model, struct store_view *view,
                                        struct rng *rng)
{
    struct model_invoices invoices = {.model = model};
    struct record record;
    for (uint64_t number = 1; number <= model->invoices; number++) {
        const struct record *expected = model_next_invoice(&invoices);
        assert_u64(expected->invoice.number, number);
        assert_ok(store_invoice(view, number, &record));
        assert_same_record(&record, expected);
    }
    assert_status(store_invoice(view, 0, &record), STATUS_NOT_FOUND);
    assert_status(store_invoice(view, model->invoices + 1, &record), STATUS_NOT_FOUND);
    assert_status(store_invoice(view, UINT64_MAX, &record), STATUS_NOT_FOUND);
    model_check_invoice_scan(model, view, 0, 0);
    model_check_invoice_scan(model, view, 0, rng_below(rng, model->invoices + 2));
    model_check_invoice_scan(model, view, 0, UINT64_MAX);
    for (uint64_t i = 0; i < model->customers; i++) {
        uint64_t customer = model->customer[i].seq;
        model_check_invoice_scan(model, view, customer, 0);
        model_check_invoice_scan(model, view, customer, rng_below(rng, model->invoices + 2));
        model_check_invoice_scan(model, view, customer, UINT64_MAX);
    }
}

/* --- services --------------------------------------------------------------------------------- */

/* The service NAME after all that happened.  Returns whether there is one. */
static inline bool model_service(const struct model *model, struct slice name,
                                 struct store_service *ret)
{
    bool there = false;
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        if (record->kind == RECORD_SERVICE_PUT && slice_equal(record->service_put.name, name)) {
            ret->name = name;
            ret->unit = record->service_put.unit;
            ret->created_at_us = there ? ret->created_at_us : record->created_at_us;
            ret->updated_at_us = record->created_at_us;
            there = true;
        } else if (record->kind == RECORD_SERVICE_DELETED &&
                   slice_equal(record->service_deleted.name, name)) {
            there = false;
        }
    }
    return there;
}

/* The first service behind AFTER.  Returns whether there is one. */
static inline bool model_next_service(const struct model *model, struct slice after,
                                      struct store_service *ret)
{
    struct store_service service = {0};
    bool found = false;
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        if (record->kind == RECORD_SERVICE_PUT &&
            slice_compare(record->service_put.name, after) > 0 &&
            (!found || slice_compare(record->service_put.name, ret->name) < 0) &&
            model_service(model, record->service_put.name, &service)) {
            *ret = service;
            found = true;
        }
    }
    return found;
}

static inline void model_assert_same_service(const struct store_service *got,
                                             const struct store_service *expected)
{
    assert_same_text(got->name, expected->name);
    assert_same_text(got->unit, expected->unit);
    assert_i64(got->created_at_us, expected->created_at_us);
    assert_i64(got->updated_at_us, expected->updated_at_us);
}

struct model_services {
    const struct model *model;
    struct slice after; /* the last that was seen, or where it begins */
};

static inline int model_expect_service(const struct store_service *service, void *arg)
{
    struct model_services *services = arg;
    struct store_service expected = {0};
    assert_true(model_next_service(services->model, services->after, &expected));
    model_assert_same_service(service, &expected);
    services->after = expected.name;
    return 0;
}

static inline void model_check_service_scan(const struct model *model, struct store_view *view,
                                            struct slice after)
{
    struct model_services services = {.model = model, .after = after};
    struct store_service another;
    assert_ok(store_scan_services(view, after, model_expect_service, &services));
    assert_false(model_next_service(model, services.after, &another));
}

static inline void model_check_services(const struct model *model, struct store_view *view)
{
    struct slice name = {0};
    struct store_service got;
    struct store_service expected = {0};
    uint64_t checked = 0;
    model_check_service_scan(model, view, (struct slice){0});
    for (uint64_t i = model->records; i > 0 && checked < 20; i--) {
        if (model->record[i - 1].kind != RECORD_SERVICE_PUT) {
            continue;
        }
        name = model->record[i - 1].service_put.name;
        bool there = model_service(model, name, &expected);
        assert_status(store_service(view, name, &got), there ? 0 : STATUS_NOT_FOUND);
        if (there) {
            model_assert_same_service(&got, &expected);
        }
        checked++;
    }
    model_check_service_scan(model, view, name);
}

/* --- API keys --------------------------------------------------------------------------------- */

/* When KEY was used last; 0: never. */
static inline int64_t model_key_used(const struct model *model, uint64_t key)
{
    int64_t used_us = 0;
    for (uint64_t i = 0; i < model->records; i++) {
        struct slice rest = model->record[i].key_used.uses;
        struct key_use use;
        while (model->record[i].kind == RECORD_KEY_USED && key_uses_next(&rest, &use)) {
            used_us = use.key == key ? use.used_at_us : used_us;
        }
    }
    return used_us;
}

/* The revocation of KEY, or NULL. */
static inline const struct record *model_key_revoked(const struct model *model, uint64_t key)
{
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        if (record->kind == RECORD_KEY_REVOKED && record->key_revoked.key == key) {
            return record;
        }
    }
    return NULL;
}

static inline void model_assert_same_key(const struct model *model, const struct record *created,
                                         const struct store_api_key *got)
{
    const struct record *revoked = model_key_revoked(model, created->seq);
    assert_u64(got->seq, created->seq);
    assert_same_key(&got->created, &created->key_created);
    assert_same_text(got->created_by, created->recorded_by);
    assert_i64(got->created_at_us, created->created_at_us);
    assert_i64(got->last_used_us, model_key_used(model, created->seq));
    assert_i64(got->revoked_at_us, revoked == NULL ? 0 : revoked->created_at_us);
    assert_same_text(got->revoked_by, revoked == NULL ? (struct slice){0} : revoked->recorded_by);
}

struct model_keys {
    const struct model *model;
    uint64_t after; /* the last that was seen, or where it begins */
};

/* The first key behind AFTER, or NULL. */
static inline const struct record *model_next_key(const struct model *model, uint64_t after)
{
    for (uint64_t i = after; i < model->records; i++) {
        if (model->record[i].kind == RECORD_KEY_CREATED) {
            return &model->record[i];
        }
    }
    return NULL;
}

static inline int model_expect_key(const struct store_api_key *key, void *arg)
{
    struct model_keys *keys = arg;
    const struct record *expected = model_next_key(keys->model, keys->after);
    assert_non_null(expected);
    model_assert_same_key(keys->model, expected, key);
    keys->after = expected->seq;
    return 0;
}

/* Every key, by scan, number and name. */
static inline void model_check_keys(const struct model *model, struct store_view *view)
{
    struct model_keys keys = {.model = model};
    struct store_info info;
    uint64_t n = 0;
    assert_ok(store_scan_api_keys(view, 0, model_expect_key, &keys));
    assert_null(model_next_key(model, keys.after));
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        bool made = record->kind == RECORD_KEY_CREATED;
        bool counts = made && model_key_revoked(model, record->seq) == NULL;
        struct store_api_key got;
        uint64_t seq;
        if (made || i % 7 == 0) {
            assert_status(store_api_key(view, record->seq, &got), made ? 0 : STATUS_NOT_FOUND);
        }
        if (made) {
            model_assert_same_key(model, record, &got);
        }
        if (counts) {
            assert_ok(store_api_key_named(view, record->key_created.name, &seq));
            assert_u64(seq, record->seq);
        }
        n += counts;
    }
    assert_ok(store_info(view, &info));
    assert_u64(info.api_keys, n);
}

/* --- everything ------------------------------------------------------------------------------- */

static inline void model_check_info(const struct model *model, struct store_view *view)
{
    struct store_info info;
    assert_ok(store_info(view, &info));
    assert_u64(info.last_seq, model->records);
    assert_u64(info.customers, model->customers);
    assert_u64(info.usage, model->usages);
    assert_u64(info.invoices, model->invoices);
}

/* RANGES random ranges of CUSTOMER by each clock, the first of them everything. */
static inline void model_check_ranges(const struct model *model, struct store_view *view,
                                      struct rng *rng, uint64_t customer, int64_t time_max_us,
                                      int ranges)
{
    struct store_range range = {
        .customer = customer,
        .rows = STORE_BILLABLE,
        .end_us = INT64_MAX,
    };
    for (int i = 0; i < 2 * ranges; i++) {
        range.by = i % 2 == 0 ? STORE_BY_OCCURRED : STORE_BY_BILLED;
        model_check_scan(model, view, &range);
        model_check_sums(model, view, &range);
        if (i % 2 == 1) {
            range.rows = (unsigned)rng_below(rng, STORE_BILLABLE + 1);
            range.start_us = rng_between(rng, -1, time_max_us);
            range.end_us = rng_between(rng, -1, time_max_us + 1);
            range.after.time_us = rng_between(rng, 0, time_max_us);
            range.after.seq = rng_below(rng, model->records + 2);
        }
    }
}

/* The whole of a view, and for every customer RANGES random ranges by each clock. */
static inline void model_check(const struct model *model, struct store_view *view, struct rng *rng,
                               int64_t time_max_us, int ranges)
{
    model_check_info(model, view);
    model_check_records(model, view);
    model_check_journal(model, view, 0);
    model_check_journal(model, view, rng_below(rng, model->records + 1));
    model_check_voids(model, view);
    model_check_customers(model, view);
    model_check_invoices(model, view, rng);
    model_check_services(model, view);
    model_check_keys(model, view);
    for (uint64_t i = 0; i < model->customers; i++) {
        model_check_ranges(model, view, rng, model->customer[i].seq, time_max_us, ranges);
    }
}

/* --- the whole store by itself ---------------------------------------------------------------- */

static inline int model_fail_finding(const struct store_finding *finding, void *arg)
{
    (void)arg;
    testkit_fail("%s in %s, record %u, segment %u: %s", store_fault_name(finding->fault),
                 finding->table, (unsigned)finding->seq, (unsigned)finding->segment, finding->text);
}

/* VIEW, which is a snapshot, has no damage, and all that MODEL has. */
static inline void model_verify(const struct model *model, struct store_view *view)
{
    struct store_verify verify = {.finding_cb = model_fail_finding};
    struct store_verified verified;
    assert_ok(store_verify(view, &verify, &verified));
    assert_u64(verified.findings, 0);
    assert_u64(verified.records, model->records);
}
