#include "billingd/ledger/bill.h"

struct amount bill_line_rounded(const struct bill_line *line, const struct ledger_env *env)
{
    return amount_round(line->exact, env->minor_digits);
}

static int add_sum_cb(const struct store_sum *sum, void *arg)
{
    return bill_lines_add(arg, sum);
}

static int add_totals(struct bill_get *get, struct bill_line *const *lines, size_t n,
                      const struct ledger_env *env)
{
    int rc = 0;
    get->exact = amount_zero();
    get->total = amount_zero();
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = amount_add(&get->exact, lines[i]->exact);
        if (rc == 0) {
            rc = amount_add(&get->total, bill_line_rounded(lines[i], env));
        }
    }
    get->rounding = get->total;
    return rc < 0 ? rc : amount_subtract(&get->rounding, get->exact);
}

/* Choose the page's lines out of all N. */
static void take_page(struct bill_get *get, struct bill_line **lines, size_t n)
{
    size_t first = 0;
    while (get->after && first < n &&
           bill_line_compare(lines[first]->service, lines[first]->price, get->after_service,
                             get->after_price) <= 0) {
        first++;
    }
    get->lines = lines + first;
    get->more = n - first > get->limit;
    get->n_lines = get->more ? get->limit : n - first;
}

int bill_get(struct store_view *view, struct arena *arena, const struct ledger_env *env,
             struct bill_get *get)
{
    struct store_customer customer;
    struct bill_lines lines;
    struct bill_line **sorted;
    int rc = customer_resolve(view, &get->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    get->customer_seq = customer.seq;
    if (get->current) {
        get->period = period_current(env->now_us, customer.billed_until_us);
    }
    struct store_usage_range range = {
        .customer = customer.seq,
        .by = STORE_BY_BILLED,
        .start_us = get->period.start_us,
        .end_us = get->period.end_us,
    };
    bill_lines_init(&lines, arena);
    rc = store_scan_sums(view, &range, add_sum_cb, &lines);
    if (rc == 0) {
        rc = bill_lines_sort(&lines, &sorted);
    }
    if (rc == 0) {
        rc = add_totals(get, sorted, lines.n, env);
    }
    if (rc == 0) {
        take_page(get, sorted, lines.n);
    }
    return rc;
}
