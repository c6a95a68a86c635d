#include "billingd/ledger/void.h"

#include "billingd/ledger/idempotency.h"
#include "billingd/ledger/landing.h"
#include "billingd/ledger/record_keep.h"
#include "billingd/ledger/usage.h"

/* Check what is to be voided, and append. */
static int append(struct store_txn *txn, const struct store_customer *customer,
                  struct void_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct usage_voided *voided = &create->record.usage_voided;
    struct record usage;
    struct record first;
    int rc = usage_find(view, customer->seq, voided->usage, &usage);
    if (rc == STATUS_USAGE_NOT_FOUND) {
        create->outcome.status = rc;
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    voided->occurred_at_us = usage.usage.occurred_at_us;
    voided->bills_at_us = landing_bills_at(usage.usage.bills_at_us, customer);
    create->amount = amount_negate(usage_amount(&usage.usage));
    rc = store_void(view, voided->usage, &first);
    if (rc == STATUS_NOT_FOUND) {
        return store_append(txn, &create->record);
    }
    if (rc == 0) {
        create->outcome.status = STATUS_ALREADY_VOIDED;
        create->outcome.existing_seq = first.seq;
        create->outcome.existing_kind = first.kind;
    }
    return rc;
}

/* The amount of the void that CREATE replays. */
static int replay_amount(struct store_view *view, const struct store_customer *customer,
                         struct void_create *create)
{
    struct record usage;
    int rc = usage_find(view, customer->seq, create->record.usage_voided.usage, &usage);
    if (rc == 0) {
        create->amount = amount_negate(usage_amount(&usage.usage));
    }
    return rc == STATUS_USAGE_NOT_FOUND ? STATUS_CORRUPT : rc;
}

/* Refuse what the caller may not write of.  A usage that is not there is of no service. */
static int check_service(struct store_view *view, struct arena *arena,
                         const struct store_customer *customer, struct void_create *create)
{
    struct record usage;
    if (create->services.length == 0) {
        return 0;
    }
    int rc = usage_find(view, customer->seq, create->asked.usage_voided.usage, &usage);
    if (rc < 0 || services_allow(create->services, usage.usage.service)) {
        return rc == STATUS_USAGE_NOT_FOUND ? 0 : rc;
    }
    create->outcome.status = STATUS_FORBIDDEN;
    return arena_copy(arena, usage.usage.service, &create->service);
}

int void_create(struct store_txn *txn, struct arena *arena, struct void_create *create)
{
    struct store_view *view = store_txn_view(txn);
    struct store_customer customer;
    create->record = create->asked;
    create->record.kind = RECORD_USAGE_VOIDED;
    int rc = customer_require(view, &create->customer, &customer, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    create->record.usage_voided.customer = customer.seq;
    rc = check_service(view, arena, &customer, create);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    rc = idempotency_answer(view, arena, &create->record, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    return create->outcome.replayed ? replay_amount(view, &customer, create)
                                    : append(txn, &customer, create);
}

int void_get(struct store_view *view, struct arena *arena, struct void_get *get)
{
    struct store_customer customer;
    struct record usage;
    int rc = customer_resolve(view, &get->customer, &customer);
    if (rc == 0) {
        rc = usage_find(view, customer.seq, get->usage, &usage);
    }
    if (rc < 0) {
        return rc;
    }
    get->amount = amount_negate(usage_amount(&usage.usage));
    rc = store_void(view, get->usage, &get->record);
    if (rc == STATUS_NOT_FOUND) {
        return STATUS_VOID_NOT_FOUND;
    }
    return rc < 0 ? rc : record_keep(arena, &get->record);
}
