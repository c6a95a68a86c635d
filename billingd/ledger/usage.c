#include "billingd/ledger/usage.h"

#include "billingd/base/assert.h"
#include "billingd/ledger/idempotency.h"

enum {
    PAGE_BYTES_MAX = 4 * 1024 * 1024, /* of texts in one page: keeps answers far below a frame */
    PAGE_SCAN_MAX = 100000,           /* rows looked through for one page */
};

struct amount usage_amount(const struct usage *usage)
{
    struct amount amount;
    INVARIANT(amount_product(usage->units, usage->price, &amount) == 0);
    return amount;
}

bool usage_is_late(const struct usage *usage)
{
    return usage->bills_at_us > usage->occurred_at_us;
}

/* Copy the texts of RECORD, a usage, so that it outlives its view. */
static int keep(struct arena *arena, struct record *record)
{
    struct slice *texts[] = {&record->request_id, &record->recorded_by, &record->usage.service,
                             &record->usage.labels};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int rc = arena_copy(arena, *texts[i], texts[i]);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* What is refused for its content, whatever was recorded before. */
static int check_content(const struct usage *usage, const struct ledger_env *env)
{
    struct amount amount;
    int rc = amount_product(usage->units, usage->price, &amount);
    if (rc == 0 && usage->occurred_at_us > env->now_us + LIMIT_FUTURE_US) {
        rc = STATUS_TIME_OUT_OF_RANGE;
    }
    return rc;
}

static int append(struct store_txn *txn, const struct ledger_env *env,
                  const struct store_customer *customer, struct usage_create *create)
{
    struct usage *usage = &create->record.usage;
    if (!usage->occurred_at_given) {
        usage->occurred_at_us = env->now_us;
    }
    create->outcome.status = check_content(usage, env);
    if (create->outcome.status != 0) {
        return 0;
    }
    usage->bills_at_us = usage->occurred_at_us > customer->billed_until_us
                             ? usage->occurred_at_us
                             : customer->billed_until_us;
    return store_append(txn, &create->record);
}

int usage_create(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                 struct usage_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct store_customer customer;
    struct record first;
    int rc = customer_resolve(view, &create->customer, &customer);
    if (rc == STATUS_CUSTOMER_NOT_FOUND) {
        create->outcome = (struct outcome){.status = rc};
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    create->record = create->asked;
    create->record.kind = RECORD_USAGE;
    create->record.usage.customer = customer.seq;
    rc = idempotency_check(view, &create->record, &first, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    if (create->outcome.replayed) {
        create->record = first;
        return keep(arena, &create->record);
    }
    return append(txn, env, &customer, create);
}

int usage_get(struct store_view *view, struct arena *arena, struct usage_get *get)
{
    struct store_customer customer;
    int rc = customer_resolve(view, &get->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    rc = get->seq == 0 ? STATUS_NOT_FOUND : store_record(view, get->seq, &get->record);
    if (rc == 0 &&
        (get->record.kind != RECORD_USAGE || get->record.usage.customer != customer.seq)) {
        rc = STATUS_NOT_FOUND;
    }
    if (rc == STATUS_NOT_FOUND) {
        return STATUS_USAGE_NOT_FOUND;
    }
    return rc < 0 ? rc : keep(arena, &get->record);
}

struct listing {
    struct arena *arena;
    struct usage_page *page;
    size_t bytes;
    unsigned scanned;
};

static size_t text_bytes(const struct record *record)
{
    return record->request_id.length + record->recorded_by.length + record->usage.service.length +
           record->usage.labels.length;
}

static int list_row_cb(const struct record *record, void *arg)
{
    struct listing *listing = arg;
    struct usage_page *page = listing->page;
    if (page->n == page->limit || listing->bytes > PAGE_BYTES_MAX ||
        listing->scanned == PAGE_SCAN_MAX) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    listing->scanned++;
    page->last.seq = record->seq;
    page->last.time_us = page->range.by == STORE_BY_BILLED ? record->usage.bills_at_us
                                                           : record->usage.occurred_at_us;
    if (page->service.length > 0 && !slice_equal(page->service, record->usage.service)) {
        return 0;
    }
    struct record *kept = &page->records[page->n];
    *kept = *record;
    page->n++;
    listing->bytes += text_bytes(record);
    return keep(listing->arena, kept);
}

int usage_list(struct store_view *view, struct arena *arena, struct usage_page *page)
{
    struct listing listing = {.arena = arena, .page = page};
    struct store_customer customer;
    int rc = customer_resolve(view, &page->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    page->n = 0;
    page->more = false;
    page->range.customer = customer.seq;
    page->records = arena_alloc_array(arena, page->limit, sizeof *page->records);
    if (page->records == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan_usage(view, &page->range, list_row_cb, &listing);
}
