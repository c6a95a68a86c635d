#include "billingd/ledger/bill_list.h"

#include "billingd/ledger/bill.h"
#include "billingd/ledger/invoice_period.h"

struct listing {
    struct store_view *view;
    struct arena *arena;
    const struct ledger_env *env;
    struct bill_list *list;
    uint64_t work; /* so far */
};

/* Which period of CUSTOMER is asked for.  *RET_NONE: none. */
static int choose_period(const struct listing *listing, const struct store_customer *customer,
                         struct period *ret, bool *ret_none)
{
    const struct bill_list *list = listing->list;
    *ret = list->period;
    if (list->of == BILL_LIST_CURRENT) {
        *ret = period_current(listing->env->now_us, customer->billed_until_us);
    } else if (list->of == BILL_LIST_DUE) {
        *ret_none = customer->billed_until_us >= ret->end_us;
        ret->start_us = -1;
        return invoice_default_start(listing->view, customer, ret->end_us, &ret->start_us);
    }
    return 0;
}

/* Add one customer's bill up, in memory that is given back at once. */
static int add_up(struct listing *listing, struct bill_list_row *row)
{
    struct arena work;
    struct bill_total total = {.customer = row->customer.seq, .period = row->period};
    arena_init(&work, listing->list->memory_max);
    int rc = bill_total(listing->view, &work, listing->env, &total);
    arena_done(&work);
    row->totals = total.totals;
    listing->work += total.rows;
    return rc;
}

/* Whether STATUS is the trouble of the one customer whose bill it is. */
static bool is_own_trouble(int status)
{
    return status == STATUS_TOO_LARGE || status == STATUS_CORRUPT || status == STATUS_OUT_OF_BOUNDS;
}

static bool is_listed(const struct bill_list *list, const struct bill_list_row *row)
{
    return list->of != BILL_LIST_DUE || row->status < 0 || row->totals.lines > 0 ||
           row->totals.adjustments > 0;
}

static int list_row_cb(const struct store_customer *customer, void *arg)
{
    struct listing *listing = arg;
    struct bill_list *list = listing->list;
    bool none = false;
    if (list->n == list->limit || listing->work >= list->work_max) {
        list->more = true;
        return STORE_SCAN_STOP;
    }
    listing->work++;
    list->last_seq = customer->seq;
    struct bill_list_row *row = &list->rows[list->n];
    row->customer = *customer;
    row->status = choose_period(listing, customer, &row->period, &none);
    if (none) {
        return 0;
    }
    if (row->status == 0) {
        row->status = add_up(listing, row);
    }
    if (row->status < 0 && !is_own_trouble(row->status)) {
        return row->status;
    }
    if (!is_listed(list, row)) {
        return 0;
    }
    list->n++;
    return customer_keep(listing->arena, &row->customer);
}

int bill_list(struct store_view *view, struct arena *arena, const struct ledger_env *env,
              struct bill_list *list)
{
    struct listing listing = {.view = view, .arena = arena, .env = env, .list = list};
    list->work_max = list->work_max == 0 ? BILL_LIST_WORK_MAX : list->work_max;
    list->memory_max = list->memory_max == 0 ? BILL_LIST_MEMORY_MAX : list->memory_max;
    list->n = 0;
    list->more = false;
    list->last_seq = list->after_seq;
    list->minor_digits = env->minor_digits;
    list->rows = arena_alloc_array(arena, list->limit, sizeof *list->rows);
    if (list->rows == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan_customers(view, list->after_seq, list_row_cb, &listing);
}
