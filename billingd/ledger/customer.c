#include "billingd/ledger/customer.h"

#include "billingd/ledger/idempotency.h"

int customer_resolve(struct store_view *view, const struct customer_ref *ref,
                     struct store_customer *ret)
{
    uint64_t seq = ref->seq;
    int rc = 0;
    if (seq == 0 && ref->external_id.length > 0) {
        rc = store_external_id(view, ref->external_id, &seq);
    }
    if (rc == 0 && seq == 0) {
        rc = STATUS_NOT_FOUND;
    }
    if (rc == 0) {
        rc = store_customer(view, seq, ret);
    }
    return rc == STATUS_NOT_FOUND ? STATUS_CUSTOMER_NOT_FOUND : rc;
}

int customer_require(struct store_view *view, const struct customer_ref *ref,
                     struct store_customer *ret, struct outcome *ret_outcome)
{
    *ret_outcome = (struct outcome){0};
    int rc = customer_resolve(view, ref, ret);
    if (rc == STATUS_CUSTOMER_NOT_FOUND) {
        ret_outcome->status = rc;
        return 0;
    }
    return rc;
}

int customer_keep(struct arena *arena, struct store_customer *customer)
{
    int rc = arena_copy(arena, customer->name, &customer->name);
    return rc < 0 ? rc : arena_copy(arena, customer->external_id, &customer->external_id);
}

static struct store_customer customer_of_record(const struct record *record)
{
    return (struct store_customer){
        .seq = record->seq,
        .name = record->customer_created.name,
        .external_id = record->customer_created.external_id,
        .created_at_us = record->created_at_us,
        .updated_at_us = record->created_at_us,
    };
}

/* Refuse an external id that another customer holds. */
static int check_external_id(struct store_view *view, struct slice external_id,
                             struct outcome *outcome)
{
    uint64_t holder;
    if (external_id.length == 0) {
        return 0;
    }
    int rc = store_external_id(view, external_id, &holder);
    if (rc == STATUS_NOT_FOUND) {
        return 0;
    }
    if (rc == 0) {
        outcome->status = STATUS_EXTERNAL_ID_TAKEN;
        outcome->existing_seq = holder;
        outcome->existing_kind = RECORD_CUSTOMER_CREATED;
    }
    return rc;
}

int customer_create(struct store_txn *txn, struct arena *arena, struct customer_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct record record = {
        .kind = RECORD_CUSTOMER_CREATED,
        .request_id = create->request_id,
        .recorded_by = create->recorded_by,
        .customer_created = {.name = create->name, .external_id = create->external_id},
    };
    struct record first;
    int rc = idempotency_check(view, &record, &first, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    if (create->outcome.replayed) {
        create->customer = customer_of_record(&first);
        return customer_keep(arena, &create->customer);
    }
    rc = check_external_id(view, create->external_id, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    rc = store_append(txn, &record);
    create->customer = customer_of_record(&record);
    return rc;
}

int customer_rename(struct store_txn *txn, struct arena *arena, struct customer_rename *rename)
{
    struct record record = {
        .kind = RECORD_CUSTOMER_RENAMED,
        .recorded_by = rename->recorded_by,
    };
    rename->recorded = false;
    int rc = customer_require(store_txn_view(txn), &rename->customer_ref, &rename->customer,
                              &rename->outcome);
    if (rc < 0 || rename->outcome.status != 0) {
        return rc;
    }
    rc = customer_keep(arena, &rename->customer);
    if (rc < 0 || slice_equal(rename->customer.name, rename->name)) {
        return rc;
    }
    record.customer_renamed.customer = rename->customer.seq;
    record.customer_renamed.name = rename->name;
    rc = store_append(txn, &record);
    rename->customer.name = rename->name;
    rename->customer.updated_at_us = record.created_at_us;
    rename->recorded = rc == 0;
    return rc;
}

struct listing {
    struct arena *arena;
    struct customer_page *page;
};

static int list_row_cb(const struct store_customer *customer, void *arg)
{
    struct listing *listing = arg;
    struct customer_page *page = listing->page;
    if (page->n == page->limit) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    struct store_customer *kept = &page->customers[page->n];
    *kept = *customer;
    page->n++;
    return customer_keep(listing->arena, kept);
}

static int list_one(struct store_view *view, struct arena *arena, struct customer_page *page)
{
    struct customer_ref ref = {.external_id = page->external_id};
    int rc = customer_resolve(view, &ref, &page->customers[0]);
    if (rc == STATUS_CUSTOMER_NOT_FOUND) {
        return 0;
    }
    if (rc == 0 && page->customers[0].seq > page->after_seq) {
        page->n = 1;
        rc = customer_keep(arena, &page->customers[0]);
    }
    return rc;
}

int customer_list(struct store_view *view, struct arena *arena, struct customer_page *page)
{
    struct listing listing = {.arena = arena, .page = page};
    page->n = 0;
    page->more = false;
    page->customers = arena_alloc_array(arena, page->limit, sizeof *page->customers);
    if (page->customers == NULL) {
        return STATUS_TOO_LARGE;
    }
    if (page->external_id.length > 0) {
        return list_one(view, arena, page);
    }
    return store_scan_customers(view, page->after_seq, list_row_cb, &listing);
}
