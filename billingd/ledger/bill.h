/* The rules of bills: what a customer owes for a window of bills_at, exactly.  Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/bill_lines.h"
#include "billingd/ledger/bill_totals.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/period.h"

/* Where a page of a bill ended: lines by service, then price; behind them adjustments by bills_at,
 * then sequence number. */
struct bill_position {
    enum bill_part {
        BILL_START, /* before all */
        BILL_LINES,
        BILL_ADJUSTMENTS,
    } part;
    struct slice service; /* of the last line */
    struct decimal price;
    struct store_position adjustment; /* the last one; {0, 0}: before all */
};

struct bill_get {
    /* --- asked --- */
    struct customer_ref customer;
    struct period period; /* answered, too */
    struct bill_position after;
    unsigned limit; /* lines and adjustments on this page, at least 1 */
    bool current;   /* the bill of the open period, instead of `period` */
    /* --- answered --- */
    bool more;                 /* there is something behind `last` */
    int minor_digits;          /* to which it is rounded */
    struct bill_position last; /* how far this page comes */
    struct bill_totals totals; /* of the whole bill, whatever the page */
    uint64_t customer_seq;
    struct bill_line **lines; /* this page's, in the arena */
    size_t n_lines;
    struct record *adjustments; /* this page's, in the arena */
    size_t n_adjustments;
};

/* Compute a bill.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (more lines than the
 * arena holds), STATUS_OUT_OF_BOUNDS, or the store's error. */
MUSTCHECK int bill_get(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                       struct bill_get *get);

struct bill_total {
    /* --- asked --- */
    uint64_t customer;
    struct period period;
    /* --- answered --- */
    struct bill_totals totals;
    uint64_t rows; /* of the store that it took: sums and adjustments */
};

/* Only the totals of a bill, as bill_get() adds them up.  Returns as bill_get(). */
MUSTCHECK int bill_total(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                         struct bill_total *total);
