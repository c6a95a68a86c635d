/* Every customer's totals.  Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/bill_totals.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/period.h"
#include "billingd/store/store.h"

enum {
    BILL_LIST_WORK_MAX = 100000, /* some 100 ms */
    BILL_LIST_MEMORY_MAX = 256 * 1024 * 1024,
};

struct bill_list_row {
    struct store_customer customer;
    struct period period;      /* start_us is -1 where it depends on what cannot be read */
    int status;                /* 0, or why this bill cannot be added up: STATUS_TOO_LARGE (too many
                                  lines), STATUS_CORRUPT, STATUS_OUT_OF_BOUNDS */
    struct bill_totals totals; /* where status is 0 */
};

struct bill_list {
    /* --- asked --- */
    enum bill_list_of {
        BILL_LIST_PERIOD,  /* of `period` */
        BILL_LIST_DUE,     /* of what an invoice to period.end_us would bill: customers of whom it
                              would bill nothing are left out, but not those of whom that cannot be
                              said */
        BILL_LIST_CURRENT, /* of each customer's open period */
    } of;
    struct period period;
    uint64_t after_seq; /* customers behind this one */
    unsigned limit;     /* at least 1 */
    uint64_t work_max;  /* rows of the store and customers to be looked at for one page;
                           0: BILL_LIST_WORK_MAX */
    size_t memory_max;  /* bytes to add one customer's bill up; 0: BILL_LIST_MEMORY_MAX */
    /* --- answered --- */
    struct bill_list_row *rows; /* in the arena */
    unsigned n;
    bool more;         /* there may be customers behind last_seq */
    uint64_t last_seq; /* how far the list came */
    int minor_digits;
};

/* Customers' totals in the order of their creation.  A page ends at its limit, or behind the
 * customer with whom it was so much work that another query should have its turn.  A bill that
 * cannot be added up has a row that says so, and holds up no other.  Returns 0, STATUS_TOO_LARGE
 * (arena), or the store's error. */
MUSTCHECK int bill_list(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                        struct bill_list *list);
