/* The records behind a bill, or behind one of its lines.  Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/period.h"

/* A record with what it adds to the bill. */
struct bill_record {
    struct record record; /* usage, a void, or an adjustment */
    struct usage usage;   /* it, or what it voids; of an adjustment: nothing */
    struct amount units;  /* of a void: negative; of an adjustment: 0 */
    struct amount exact;
};

struct bill_records {
    /* --- asked --- */
    struct customer_ref customer;
    bool current;         /* of the bill of the open period; else of `period` */
    struct period period; /* answered, too */
    struct slice service; /* only what bears this; empty: all */
    bool by_price;        /* only usage at this price, and voids of it */
    struct decimal price;
    unsigned limit;              /* at least 1 */
    struct store_position after; /* only behind this; {0, 0}: all */
    /* --- answered --- */
    struct bill_record *records; /* in the arena; by bills_at, then sequence number */
    unsigned n;
    bool more;                  /* there may be records behind `last` */
    struct store_position last; /* how far the scan came: the next page is behind it */
};

/* List them.  A page ends at its limit, at a bound of bytes, or of records looked through for a
 * line that is rare.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (arena), or the
 * store's error. */
MUSTCHECK int bill_records_list(struct store_view *view, struct arena *arena,
                                const struct ledger_env *env, struct bill_records *list);
