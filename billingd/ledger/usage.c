#include "billingd/ledger/usage.h"

#include "billingd/base/assert.h"
#include "billingd/ledger/catalogue.h"
#include "billingd/ledger/idempotency.h"
#include "billingd/ledger/landing.h"
#include "billingd/ledger/record_keep.h"

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

/* Check the content, whatever was recorded before, and append. */
static int append(struct store_txn *txn, const struct ledger_env *env,
                  const struct store_customer *customer, struct usage_create *create)
{
    struct usage *usage = &create->record.usage;
    struct outcome *outcome = &create->outcome;
    struct amount amount;
    outcome->status = amount_product(usage->units, usage->price, &amount);
    if (outcome->status == 0) {
        landing_settle(env, customer, usage->occurred_at_given, &usage->occurred_at_us,
                       &usage->bills_at_us, outcome);
    }
    if (outcome->status == 0) {
        int rc = catalogue_check(store_txn_view(txn), env, usage->service, outcome);
        if (rc < 0) {
            return rc;
        }
    }
    return outcome->status != 0 ? 0 : store_append(txn, &create->record);
}

int usage_create(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                 struct usage_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct store_customer customer;
    create->record = create->asked;
    create->record.kind = RECORD_USAGE;
    int rc = customer_require(view, &create->customer, &customer, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    create->record.usage.customer = customer.seq;
    rc = idempotency_answer(view, arena, &create->record, &create->outcome);
    if (rc < 0 || create->outcome.status != 0 || create->outcome.replayed) {
        return rc;
    }
    return append(txn, env, &customer, create);
}

int usage_find(struct store_view *view, uint64_t customer_seq, uint64_t seq, struct record *ret)
{
    int rc = seq == 0 ? STATUS_NOT_FOUND : store_record(view, seq, ret);
    if (rc == 0 && (ret->kind != RECORD_USAGE || ret->usage.customer != customer_seq)) {
        rc = STATUS_NOT_FOUND;
    }
    return rc == STATUS_NOT_FOUND ? STATUS_USAGE_NOT_FOUND : rc;
}

/* When the usage SEQ was voided; 0: it is not. */
static int find_voided_at(struct store_view *view, uint64_t seq, int64_t *ret_us)
{
    struct record voided;
    int rc = store_void(view, seq, &voided);
    *ret_us = rc == 0 ? voided.created_at_us : 0;
    return rc == STATUS_NOT_FOUND ? 0 : rc;
}

int usage_get(struct store_view *view, struct arena *arena, struct usage_get *get)
{
    struct store_customer customer;
    int rc = customer_resolve(view, &get->customer, &customer);
    if (rc == 0) {
        rc = usage_find(view, customer.seq, get->seq, &get->record);
    }
    if (rc == 0) {
        rc = record_keep(arena, &get->record);
    }
    return rc < 0 ? rc : find_voided_at(view, get->seq, &get->voided_at_us);
}

int usage_list(struct store_view *view, struct arena *arena, struct usage_page *page)
{
    page->list.range.rows = STORE_USAGE;
    int rc = record_page_read(view, arena, &page->list);
    if (rc < 0) {
        return rc;
    }
    page->voided_at_us = arena_alloc_array(arena, page->list.n, sizeof *page->voided_at_us);
    if (page->voided_at_us == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (unsigned i = 0; i < page->list.n && rc == 0; i++) {
        rc = find_voided_at(view, page->list.records[i].seq, &page->voided_at_us[i]);
    }
    return rc;
}
