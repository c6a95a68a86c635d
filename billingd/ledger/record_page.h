/* A page of one customer's records, of whichever kinds: the walk behind every list of them.
 * Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/store/store.h"

/* Whether RECORD is wanted: 1, 0, or a negative status that ends the listing.  It may read VIEW. */
typedef int record_choose_fn(struct store_view *view, const struct record *record, void *arg);

struct record_page {
    /* --- asked --- */
    struct customer_ref customer;
    struct store_range range;    /* its customer is filled in */
    struct slice service;        /* only this; empty: all */
    record_choose_fn *choose_cb; /* and only what it chooses; NULL: all */
    void *choose_arg;
    unsigned limit; /* at least 1 */
    /* --- answered --- */
    struct record *records; /* in the arena */
    unsigned n;
    bool more;                  /* there may be records behind `last` */
    struct store_position last; /* how far the scan came: the next page is behind it */
};

/* Records by time, then sequence number.  A page ends at its limit, at a bound of bytes, or of
 * records looked through for a service that is rare; then there are no more of them than `limit`,
 * maybe none.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (arena), or the store's
 * error. */
MUSTCHECK int record_page_read(struct store_view *view, struct arena *arena,
                               struct record_page *page);
