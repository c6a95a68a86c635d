#include "billingd/ledger/idempotency.h"

static unsigned customer_differences(const struct customer_created *asked,
                                     const struct customer_created *first)
{
    unsigned differs = 0;
    differs |= slice_equal(asked->name, first->name) ? 0 : DIFFERS_CUSTOMER_NAME;
    differs |= slice_equal(asked->external_id, first->external_id) ? 0 : DIFFERS_EXTERNAL_ID;
    return differs;
}

static bool same_time(const struct usage *asked, const struct usage *first)
{
    if (asked->occurred_at_given != first->occurred_at_given) {
        return false;
    }
    return !asked->occurred_at_given || asked->occurred_at_us == first->occurred_at_us;
}

static unsigned usage_differences(const struct usage *asked, const struct usage *first)
{
    unsigned differs = 0;
    differs |= slice_equal(asked->service, first->service) ? 0 : DIFFERS_SERVICE;
    differs |= decimal_equal(asked->units, first->units) ? 0 : DIFFERS_UNITS_CONSUMED;
    differs |= decimal_equal(asked->price, first->price) ? 0 : DIFFERS_PRICE_PER_UNIT;
    differs |= same_time(asked, first) ? 0 : DIFFERS_OCCURRED_AT;
    differs |= slice_equal(asked->labels, first->labels) ? 0 : DIFFERS_LABELS;
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
    case RECORD_CUSTOMER_RENAMED: /* takes no request id */
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
    ret->existing_seq = ret_first->seq;
    ret->existing_kind = ret_first->kind;
    ret->differs = idempotency_differences(asked, ret_first);
    ret->replayed = ret->differs == 0;
    ret->status = ret->replayed ? 0 : STATUS_REQUEST_ID_REUSED;
    return 0;
}
