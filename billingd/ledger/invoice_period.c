#include "billingd/ledger/invoice_period.h"

#include "proto/timestamp.h"

/* --- the first record that no invoice has ----------------------------------------------------- */

struct first {
    bool found;
    int64_t bills_at_us;
};

static int first_cb(struct store_position position, void *arg)
{
    *(struct first *)arg = (struct first){.found = true, .bills_at_us = position.time_us};
    return STORE_SCAN_STOP;
}

/* CUSTOMER's first record that bills from START_US to before END_US. */
static int find_first(struct store_view *view, uint64_t customer, int64_t start_us, int64_t end_us,
                      struct first *ret)
{
    struct store_range range = {
        .customer = customer,
        .rows = STORE_BILLABLE,
        .by = STORE_BY_BILLED,
        .start_us = start_us,
        .end_us = end_us,
    };
    *ret = (struct first){0};
    return store_scan_positions(view, &range, first_cb, ret);
}

int invoice_default_start(struct store_view *view, const struct store_customer *customer,
                          int64_t end_us, int64_t *ret_start_us)
{
    struct first first;
    if (customer->billed_until_us != 0) {
        *ret_start_us = customer->billed_until_us;
        return 0;
    }
    int rc = find_first(view, customer->seq, 0, end_us, &first);
    if (rc < 0) {
        return rc;
    }
    struct civil_time civil = timestamp_civil(first.found ? first.bills_at_us : end_us - 1);
    *ret_start_us = timestamp_month_start(civil.year, civil.month);
    return 0;
}

/* --- what stands in the way ------------------------------------------------------------------- */

struct search {
    int64_t behind_us;
    struct record found; /* its texts are gone */
};

/* Invoices come by number, and so by their end. */
static int search_cb(const struct record *record, void *arg)
{
    struct search *search = arg;
    if (record->invoice.end_us <= search->behind_us) {
        return 0;
    }
    search->found = *record;
    return STORE_SCAN_STOP;
}

/* CUSTOMER's first invoice that ends behind TIME_US, which is before the end of the last one. */
static int find_invoice(struct store_view *view, const struct store_customer *customer,
                        int64_t time_us, struct invoice *ret)
{
    struct search search = {.behind_us = time_us};
    int rc = store_scan_invoices(view, customer->seq, 0, search_cb, &search);
    *ret = search.found.invoice;
    return rc;
}

static void refuse(struct outcome *ret_outcome, int status, const struct invoice *existing)
{
    ret_outcome->status = status;
    ret_outcome->existing_seq = existing->number;
    ret_outcome->existing_kind = RECORD_INVOICE;
}

/* What is ASKED for ends where the customer is invoiced already. */
static int refuse_end(struct store_view *view, const struct store_customer *customer,
                      const struct invoice *asked, struct outcome *ret_outcome)
{
    struct invoice existing;
    int rc = find_invoice(view, customer, asked->end_us - 1, &existing);
    bool already = !asked->start_given ||
                   (existing.start_us == asked->start_us && existing.end_us == asked->end_us);
    refuse(ret_outcome, already ? STATUS_ALREADY_FINALIZED : STATUS_NOT_CONTIGUOUS, &existing);
    return rc;
}

/* Whether an invoice may begin at START_US, which the caller named. */
static int check_start(struct store_view *view, const struct store_customer *customer,
                       int64_t start_us, struct outcome *ret_outcome)
{
    struct invoice existing;
    struct first first;
    int rc;
    if (start_us < customer->billed_until_us) {
        rc = find_invoice(view, customer, start_us, &existing);
        refuse(ret_outcome, STATUS_NOT_CONTIGUOUS, &existing);
        return rc;
    }
    rc = find_first(view, customer->seq, customer->billed_until_us, start_us, &first);
    ret_outcome->status = first.found ? STATUS_NOT_CONTIGUOUS : 0;
    return rc;
}

int invoice_period(struct store_view *view, const struct ledger_env *env,
                   const struct store_customer *customer, const struct invoice *asked,
                   struct period *ret, struct outcome *ret_outcome)
{
    *ret_outcome = (struct outcome){0};
    *ret = (struct period){asked->start_us, asked->end_us};
    if (asked->end_us > env->now_us) {
        ret_outcome->status = STATUS_PERIOD_NOT_CLOSED;
        ret_outcome->asked_us = asked->end_us;
        ret_outcome->bound_us = env->now_us;
        return 0;
    }
    if (asked->end_us <= customer->billed_until_us) {
        return refuse_end(view, customer, asked, ret_outcome);
    }
    return asked->start_given
               ? check_start(view, customer, asked->start_us, ret_outcome)
               : invoice_default_start(view, customer, asked->end_us, &ret->start_us);
}
