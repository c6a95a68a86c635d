#include "billingd/ledger/adjustment.h"

#include "billingd/base/assert.h"
#include "billingd/ledger/catalogue.h"
#include "billingd/ledger/idempotency.h"
#include "billingd/ledger/landing.h"

bool adjustment_is_late(const struct adjustment *adjustment)
{
    return adjustment->bills_at_us > adjustment->occurred_at_us;
}

/* As every amount, below 10^15 either way. */
static int check_amount(struct decimal value)
{
    struct decimal one;
    struct amount amount;
    INVARIANT(decimal_make(1, 0, &one) == 0);
    return amount_product(value, one, &amount);
}

/* Check the content, whatever was recorded before, and append. */
static int append(struct store_txn *txn, const struct ledger_env *env,
                  const struct store_customer *customer, struct adjustment_create *create)
{
    struct adjustment *adjustment = &create->record.adjustment;
    struct outcome *outcome = &create->outcome;
    outcome->status = check_amount(adjustment->amount);
    if (outcome->status == 0) {
        landing_settle(env, customer, adjustment->occurred_at_given, &adjustment->occurred_at_us,
                       &adjustment->bills_at_us, outcome);
    }
    if (outcome->status == 0 && adjustment->service.length > 0) {
        int rc = catalogue_check(store_txn_view(txn), env, adjustment->service, outcome);
        if (rc < 0) {
            return rc;
        }
    }
    return outcome->status != 0 ? 0 : store_append(txn, &create->record);
}

int adjustment_create(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                      struct adjustment_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct store_customer customer;
    create->record = create->asked;
    create->record.kind = RECORD_ADJUSTMENT;
    int rc = customer_require(view, &create->customer, &customer, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    create->record.adjustment.customer = customer.seq;
    rc = idempotency_answer(view, arena, &create->record, &create->outcome);
    if (rc < 0 || create->outcome.status != 0 || create->outcome.replayed) {
        return rc;
    }
    return append(txn, env, &customer, create);
}

int adjustment_list(struct store_view *view, struct arena *arena, struct record_page *page)
{
    page->range.rows = STORE_ADJUSTMENTS;
    return record_page_read(view, arena, page);
}
