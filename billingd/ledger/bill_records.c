#include "billingd/ledger/bill_records.h"

#include "billingd/ledger/record_page.h"
#include "billingd/ledger/usage.h"

/* What RECORD, a void, voids; its texts stay in the view. */
static int read_voided(struct store_view *view, const struct record *record, struct usage *ret)
{
    const struct usage_voided *voided = &record->usage_voided;
    struct record usage;
    int rc = usage_find(view, voided->customer, voided->usage, &usage);
    if (rc < 0) {
        return rc == STATUS_USAGE_NOT_FOUND ? STATUS_CORRUPT : rc; /* a void of nothing */
    }
    *ret = usage.usage;
    return 0;
}

/* --- choosing --------------------------------------------------------------------------------- */

static bool is_of_line(const struct bill_records *list, const struct usage *usage)
{
    return (list->service.length == 0 || slice_equal(list->service, usage->service)) &&
           (!list->by_price || decimal_equal(list->price, usage->price));
}

static int choose_cb(struct store_view *view, const struct record *record, void *arg)
{
    const struct bill_records *list = arg;
    struct usage voided;
    if (record->kind == RECORD_USAGE) {
        return is_of_line(list, &record->usage);
    }
    if (record->kind == RECORD_ADJUSTMENT) { /* by price none is looked at */
        return list->service.length == 0 || slice_equal(list->service, record->adjustment.service);
    }
    int rc = read_voided(view, record, &voided);
    return rc < 0 ? rc : is_of_line(list, &voided);
}

/* --- what a record adds ----------------------------------------------------------------------- */

static int explain(struct store_view *view, struct arena *arena, const struct record *record,
                   struct bill_record *ret)
{
    *ret = (struct bill_record){.record = *record};
    if (record->kind == RECORD_ADJUSTMENT) {
        ret->exact = amount_from_decimal(record->adjustment.amount);
        return 0;
    }
    if (record->kind == RECORD_USAGE) {
        ret->usage = record->usage;
        ret->units = amount_from_decimal(ret->usage.units);
        ret->exact = usage_amount(&ret->usage);
        return 0;
    }
    int rc = read_voided(view, record, &ret->usage);
    if (rc < 0) {
        return rc;
    }
    ret->units = amount_negate(amount_from_decimal(ret->usage.units));
    ret->exact = amount_negate(usage_amount(&ret->usage));
    ret->usage.labels = (struct slice){0};
    return arena_copy(arena, ret->usage.service, &ret->usage.service);
}

static int explain_page(struct store_view *view, struct arena *arena,
                        const struct record_page *page, struct bill_records *list)
{
    int rc = 0;
    list->records = arena_alloc_array(arena, page->n, sizeof *list->records);
    if (list->records == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (list->n = 0; list->n < page->n && rc == 0; list->n++) {
        rc = explain(view, arena, &page->records[list->n], &list->records[list->n]);
    }
    list->more = page->more;
    list->last = page->last;
    return rc;
}

int bill_records_list(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                      struct bill_records *list)
{
    struct store_customer customer;
    int rc = customer_resolve(view, &list->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    if (list->current) {
        list->period = period_current(env->now_us, customer.billed_until_us);
    }
    struct record_page page = {
        .customer = list->customer,
        .range = {.rows = list->by_price ? STORE_USAGE | STORE_VOIDS : STORE_BILLABLE,
                  .by = STORE_BY_BILLED,
                  .start_us = list->period.start_us,
                  .end_us = list->period.end_us,
                  .after = list->after},
        .choose_cb = choose_cb,
        .choose_arg = list,
        .limit = list->limit,
    };
    rc = record_page_read(view, arena, &page);
    return rc < 0 ? rc : explain_page(view, arena, &page, list);
}
