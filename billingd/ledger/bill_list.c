#include "billingd/ledger/bill_list.h"

#include "billingd/ledger/bill.h"
#include "billingd/ledger/invoice_period.h"

enum {
    WORK_BYTES_MAX = 64 * 1024 * 1024, /* to add one customer's bill up */
};

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
        return invoice_default_start(listing->view, customer, ret->end_us, &ret->start_us);
    }
    return 0;
}

/* Add one customer's bill up, in memory that is given back at once. */
static int add_up(struct listing *listing, struct bill_list_row *row)
{
    struct arena work;
    struct bill_total total = {.customer = row->customer.seq, .period = row->period};
    arena_init(&work, WORK_BYTES_MAX);
    int rc = bill_total(listing->view, &work, listing->env, &total);
    arena_done(&work);
    row->totals = total.totals;
    listing->work += total.rows;
    return rc;
}

static bool has_something(const struct bill_totals *totals)
{
    return totals->lines > 0 || totals->adjustments > 0;
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
    int rc = choose_period(listing, customer, &row->period, &none);
    if (rc < 0 || none) {
        return rc;
    }
    rc = add_up(listing, row);
    if (rc == 0 && (list->of != BILL_LIST_DUE || has_something(&row->totals))) {
        list->n++;
        rc = customer_keep(listing->arena, &row->customer);
    }
    return rc;
}

int bill_list(struct store_view *view, struct arena *arena, const struct ledger_env *env,
              struct bill_list *list)
{
    struct listing listing = {.view = view, .arena = arena, .env = env, .list = list};
    list->work_max = list->work_max == 0 ? BILL_LIST_WORK_MAX : list->work_max;
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
