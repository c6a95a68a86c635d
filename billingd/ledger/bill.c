#include "billingd/ledger/bill.h"

#include "billingd/ledger/record_keep.h"

/* A bill while it is added up. */
struct tally {
    struct arena *arena;
    struct bill_lines lines;
    struct bill_totals totals;
    int minor_digits;
    uint64_t rows;
    struct bill_get *page; /* that is to be filled; NULL: only the totals are asked for */
};

static struct store_range range_of(uint64_t customer, struct period period, unsigned rows)
{
    return (struct store_range){
        .customer = customer,
        .rows = rows,
        .by = STORE_BY_BILLED,
        .start_us = period.start_us,
        .end_us = period.end_us,
    };
}

/* --- lines ------------------------------------------------------------------------------------ */

static int add_sum_cb(const struct store_sum *sum, void *arg)
{
    struct tally *tally = arg;
    tally->rows++;
    return bill_lines_add(&tally->lines, sum);
}

/* Choose the page's lines out of all N. */
static void take_lines(struct bill_get *get, struct bill_line **lines, size_t n)
{
    size_t first = 0;
    if (get->after.part == BILL_ADJUSTMENTS) {
        first = n;
    }
    while (get->after.part == BILL_LINES && first < n &&
           bill_line_compare(lines[first]->service, lines[first]->price, get->after.service,
                             get->after.price) <= 0) {
        first++;
    }
    get->lines = lines + first;
    get->more = n - first > get->limit;
    get->n_lines = get->more ? get->limit : n - first;
    if (get->n_lines > 0) {
        const struct bill_line *last = get->lines[get->n_lines - 1];
        get->last = (struct bill_position){
            .part = BILL_LINES, .service = last->service, .price = last->price};
    }
}

static int add_lines(struct store_view *view, struct tally *tally, const struct store_range *range)
{
    struct bill_line **sorted;
    bill_lines_init(&tally->lines, tally->arena);
    int rc = store_scan_sums(view, range, add_sum_cb, tally);
    if (rc == 0) {
        rc = bill_lines_sort(&tally->lines, &sorted);
    }
    for (size_t i = 0; i < tally->lines.n && rc == 0; i++) {
        rc = bill_totals_add_line(&tally->totals, sorted[i], tally->minor_digits);
    }
    if (rc == 0 && tally->page != NULL) {
        take_lines(tally->page, sorted, tally->lines.n);
    }
    return rc;
}

/* --- adjustments ------------------------------------------------------------------------------ */

static bool is_behind(struct store_position position, struct store_position after)
{
    return position.time_us != after.time_us ? position.time_us > after.time_us
                                             : position.seq > after.seq;
}

/* Put RECORD on the page where it has a place there. */
static int take_adjustment(struct tally *tally, const struct record *record)
{
    struct bill_get *get = tally->page;
    struct store_position position = {record->adjustment.bills_at_us, record->seq};
    if (get->more || !is_behind(position, get->after.adjustment)) {
        return 0;
    }
    if (get->n_lines + get->n_adjustments == get->limit) {
        get->more = true;
        return 0;
    }
    struct record *kept = &get->adjustments[get->n_adjustments];
    *kept = *record;
    get->n_adjustments++;
    get->last = (struct bill_position){.part = BILL_ADJUSTMENTS, .adjustment = position};
    return record_keep(tally->arena, kept);
}

static int add_adjustment_cb(const struct record *record, void *arg)
{
    struct tally *tally = arg;
    tally->rows++;
    int rc =
        bill_totals_add_adjustment(&tally->totals, record->adjustment.amount, tally->minor_digits);
    return rc < 0 || tally->page == NULL ? rc : take_adjustment(tally, record);
}

static int add_adjustments(struct store_view *view, struct tally *tally,
                           const struct store_range *range)
{
    struct bill_get *get = tally->page;
    if (get != NULL) {
        get->n_adjustments = 0;
        get->adjustments = arena_alloc_array(tally->arena, get->limit, sizeof *get->adjustments);
        if (get->adjustments == NULL) {
            return STATUS_TOO_LARGE;
        }
    }
    return store_scan(view, range, add_adjustment_cb, tally);
}

/* --- both ------------------------------------------------------------------------------------- */

static int add_up(struct store_view *view, struct tally *tally, uint64_t customer,
                  struct period period)
{
    struct store_range sums = range_of(customer, period, STORE_USAGE | STORE_VOIDS);
    struct store_range adjustments = range_of(customer, period, STORE_ADJUSTMENTS);
    int rc = add_lines(view, tally, &sums);
    return rc < 0 ? rc : add_adjustments(view, tally, &adjustments);
}

int bill_total(struct store_view *view, struct arena *arena, const struct ledger_env *env,
               struct bill_total *total)
{
    struct tally tally = {.arena = arena, .minor_digits = env->minor_digits};
    int rc = add_up(view, &tally, total->customer, total->period);
    total->totals = tally.totals;
    total->rows = tally.rows;
    return rc;
}

int bill_get(struct store_view *view, struct arena *arena, const struct ledger_env *env,
             struct bill_get *get)
{
    struct tally tally = {.arena = arena, .minor_digits = env->minor_digits, .page = get};
    struct store_customer customer;
    int rc = customer_resolve(view, &get->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    get->customer_seq = customer.seq;
    get->minor_digits = env->minor_digits;
    if (get->current) {
        get->period = period_current(env->now_us, customer.billed_until_us);
    }
    rc = add_up(view, &tally, customer.seq, get->period);
    get->totals = tally.totals;
    return rc;
}
