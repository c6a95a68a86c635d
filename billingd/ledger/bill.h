/* The rules of bills: what a customer owes for a window of bills_at, exactly, and rounded in one
 * place.  Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/bill_lines.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/period.h"

struct bill_get {
    /* --- asked --- */
    struct customer_ref customer;
    bool current;         /* the bill of the open period; else of `period` */
    struct period period; /* answered, too */
    unsigned limit;       /* lines on this page, at least 1 */
    bool after;           /* only the lines behind these two */
    struct slice after_service;
    struct decimal after_price;
    /* --- answered --- */
    uint64_t customer_seq;
    struct bill_line **lines; /* this page's, in the arena */
    size_t n_lines;
    bool more;              /* there are lines behind these */
    struct amount exact;    /* of the whole bill, whatever the page */
    struct amount total;    /* the sum of the rounded lines */
    struct amount rounding; /* total - exact */
};

/* Compute a bill.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (more lines than the
 * arena holds), STATUS_OUT_OF_BOUNDS, or the store's error. */
MUSTCHECK int bill_get(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                       struct bill_get *get);

/* The amount of LINE, rounded half-even to the currency's minor unit. */
struct amount bill_line_rounded(const struct bill_line *line, const struct ledger_env *env);
