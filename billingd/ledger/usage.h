/* The rules about usage records: what is refused, what is a retry, and where usage lands.
 * Writes run on the committer thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

struct usage_create {
    /* --- asked --- */
    struct customer_ref customer;
    /* request_id, recorded_by and, of usage: service, units, price, labels, and occurred_at_us
     * where occurred_at_given. */
    struct record asked;
    /* --- answered --- */
    struct outcome outcome;
    struct record record; /* with status 0: what was recorded, now or before */
};

/* Record one usage, once per request id.
 *
 * Returns 0 with the outcome set; refused with STATUS_CUSTOMER_NOT_FOUND, _REQUEST_ID_REUSED,
 * _AMOUNT_TOO_LARGE or _TIME_OUT_OF_RANGE.  Returns the store's error, or STATUS_TOO_LARGE where
 * ARENA is too small for a replayed record. */
MUSTCHECK int usage_create(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                           struct usage_create *create);

/* The amount of USAGE.  Aborts where it is not within bounds: a stored usage's is. */
struct amount usage_amount(const struct usage *usage);

/* Whether it came after the period in which it occurred had been invoiced. */
bool usage_is_late(const struct usage *usage);

struct usage_get {
    /* --- asked --- */
    struct customer_ref customer;
    uint64_t seq;
    /* --- answered --- */
    struct record record;
};

/* One record of one customer.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_USAGE_NOT_FOUND (also
 * for another customer's), STATUS_TOO_LARGE (arena), or the store's error. */
MUSTCHECK int usage_get(struct store_view *view, struct arena *arena, struct usage_get *get);

struct usage_page {
    /* --- asked --- */
    struct customer_ref customer;
    struct store_usage_range range; /* its customer is filled in */
    struct slice service;           /* only this; empty: all */
    unsigned limit;                 /* at least 1 */
    /* --- answered --- */
    struct record *records; /* in the arena */
    unsigned n;
    bool more;                  /* there may be records behind `last` */
    struct store_position last; /* how far the scan came: the next page is behind it */
};

/* One customer's records by time, then id.  A page ends at its limit, at a bound of bytes, or of
 * records looked through for a service that is rare.  Returns as usage_get(). */
MUSTCHECK int usage_list(struct store_view *view, struct arena *arena, struct usage_page *page);
