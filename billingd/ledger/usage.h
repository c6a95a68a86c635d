/* The rules about usage records: what is refused, what is a retry, and where usage lands.
 * Writes run on the committer thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/ledger/record_page.h"
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
 * _AMOUNT_TOO_LARGE, _TIME_OUT_OF_RANGE or _SERVICE_NOT_ALLOWED.  Returns the store's error, or
 * STATUS_TOO_LARGE where ARENA is too small for a replayed record. */
MUSTCHECK int usage_create(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                           struct usage_create *create);

/* The amount of USAGE.  Aborts where it is not within bounds: a stored usage's is. */
struct amount usage_amount(const struct usage *usage);

/* Whether it came after the period in which it occurred had been invoiced. */
bool usage_is_late(const struct usage *usage);

/* The usage record SEQ of the customer CUSTOMER_SEQ, its texts in the view.  Returns 0,
 * STATUS_USAGE_NOT_FOUND (also for another customer's), or the store's error. */
MUSTCHECK int usage_find(struct store_view *view, uint64_t customer_seq, uint64_t seq,
                         struct record *ret);

struct usage_get {
    /* --- asked --- */
    struct customer_ref customer;
    uint64_t seq;
    /* --- answered --- */
    struct record record;
    int64_t voided_at_us; /* 0: it is not voided */
};

/* One record of one customer.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_USAGE_NOT_FOUND (also
 * for another customer's), STATUS_TOO_LARGE (arena), or the store's error. */
MUSTCHECK int usage_get(struct store_view *view, struct arena *arena, struct usage_get *get);

struct usage_page {
    struct record_page list;
    /* --- answered --- */
    int64_t *voided_at_us; /* of each of list.records; 0: it is not voided */
};

/* One customer's records, as record_page_read(). */
MUSTCHECK int usage_list(struct store_view *view, struct arena *arena, struct usage_page *page);
