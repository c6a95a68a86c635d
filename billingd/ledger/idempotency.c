#include "billingd/ledger/idempotency.h"

#include "billingd/ledger/record_keep.h"

static unsigned customer_differences(const struct customer_created *asked,
                                     const struct customer_created *first)
{
    unsigned differs = 0;
    differs |= slice_equal(asked->name, first->name) ? 0 : DIFFERS_CUSTOMER_NAME;
    differs |= slice_equal(asked->external_id, first->external_id) ? 0 : DIFFERS_EXTERNAL_ID;
    return differs;
}

/* A time that was left to a default equals only being left out again. */
static bool same_time(bool asked_given, int64_t asked_us, bool first_given, int64_t first_us)
{
    return asked_given == first_given && (!asked_given || asked_us == first_us);
}

static unsigned usage_differences(const struct usage *asked, const struct usage *first)
{
    unsigned differs = 0;
    differs |= slice_equal(asked->service, first->service) ? 0 : DIFFERS_SERVICE;
    differs |= decimal_equal(asked->units, first->units) ? 0 : DIFFERS_UNITS_CONSUMED;
    differs |= decimal_equal(asked->price, first->price) ? 0 : DIFFERS_PRICE_PER_UNIT;
    differs |= same_time(asked->occurred_at_given, asked->occurred_at_us, first->occurred_at_given,
                         first->occurred_at_us)
                   ? 0
                   : DIFFERS_OCCURRED_AT;
    differs |= slice_equal(asked->labels, first->labels) ? 0 : DIFFERS_LABELS;
    return differs;
}

static unsigned voided_differences(const struct usage_voided *asked,
                                   const struct usage_voided *first)
{
    unsigned differs = 0;
    differs |= asked->usage == first->usage ? 0 : DIFFERS_USAGE_ID;
    differs |= slice_equal(asked->reason, first->reason) ? 0 : DIFFERS_REASON;
    return differs;
}

static unsigned adjustment_differences(const struct adjustment *asked,
                                       const struct adjustment *first)
{
    unsigned differs = 0;
    differs |= decimal_equal(asked->amount, first->amount) ? 0 : DIFFERS_AMOUNT;
    differs |= slice_equal(asked->reason, first->reason) ? 0 : DIFFERS_REASON;
    differs |= slice_equal(asked->service, first->service) ? 0 : DIFFERS_SERVICE;
    differs |= same_time(asked->occurred_at_given, asked->occurred_at_us, first->occurred_at_given,
                         first->occurred_at_us)
                   ? 0
                   : DIFFERS_OCCURRED_AT;
    return differs;
}

static unsigned invoice_differences(const struct invoice *asked, const struct invoice *first)
{
    unsigned differs = 0;
    differs |= same_time(asked->start_given, asked->start_us, first->start_given, first->start_us)
                   ? 0
                   : DIFFERS_START;
    differs |= asked->end_us == first->end_us ? 0 : DIFFERS_END;
    return differs;
}

unsigned idempotency_differences(const struct record *asked, const struct record *first)
{
    if (asked->kind != first->kind) {
        return DIFFERS_METHOD;
    }
    switch (asked->kind) {
    case RECORD_CUSTOMER_CREATED:
        return customer_differences(&asked->customer_created, &first->customer_created);
    case RECORD_USAGE:
        return usage_differences(&asked->usage, &first->usage);
    case RECORD_USAGE_VOIDED:
        return voided_differences(&asked->usage_voided, &first->usage_voided);
    case RECORD_ADJUSTMENT:
        return adjustment_differences(&asked->adjustment, &first->adjustment);
    case RECORD_INVOICE:
        return invoice_differences(&asked->invoice, &first->invoice);
    case RECORD_CUSTOMER_RENAMED: /* these take no request id */
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return DIFFERS_METHOD;
}

int idempotency_check(struct store_view *view, const struct record *asked, struct record *ret_first,
                      struct outcome *ret)
{
    struct store_key key = {.scope = record_scope(asked), .request_id = asked->request_id};
    *ret = (struct outcome){0};
    int rc = store_request(view, key, ret_first);
    if (rc == STATUS_NOT_FOUND) {
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    bool invoice = ret_first->kind == RECORD_INVOICE;
    ret->existing_seq = invoice ? ret_first->invoice.number : ret_first->seq;
    ret->existing_kind = ret_first->kind;
    ret->differs = idempotency_differences(asked, ret_first);
    ret->replayed = ret->differs == 0;
    ret->status = ret->replayed ? 0 : STATUS_REQUEST_ID_REUSED;
    return 0;
}

int idempotency_answer(struct store_view *view, struct arena *arena, struct record *record,
                       struct outcome *ret)
{
    struct record first;
    int rc = idempotency_check(view, record, &first, ret);
    if (rc < 0 || !ret->replayed) {
        return rc;
    }
    *record = first;
    return record_keep(arena, record);
}
