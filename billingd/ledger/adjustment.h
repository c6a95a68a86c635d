/* The rules about adjustments: credits and charges of an exact amount.  Writes run on the committer
 * thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/ledger/record_page.h"
#include "billingd/store/store.h"

struct adjustment_create {
    /* --- asked --- */
    struct customer_ref customer;
    /* request_id, recorded_by and, of adjustment: amount, reason, service (empty: none), and
     * occurred_at_us where occurred_at_given. */
    struct record asked;
    /* --- answered --- */
    struct outcome outcome;
    struct record record; /* with status 0: what was recorded, now or before */
};

/* Record one adjustment, once per request id.
 *
 * Returns 0 with the outcome set; refused with STATUS_CUSTOMER_NOT_FOUND, _REQUEST_ID_REUSED,
 * _AMOUNT_TOO_LARGE (10^15 or more, either way), _TIME_OUT_OF_RANGE or _SERVICE_NOT_ALLOWED.
 * Returns the store's error, or STATUS_TOO_LARGE where ARENA is too small for a replayed record. */
MUSTCHECK int adjustment_create(struct store_txn *txn, struct arena *arena,
                                const struct ledger_env *env, struct adjustment_create *create);

/* Whether it came after the period in which it occurred had been invoiced. */
bool adjustment_is_late(const struct adjustment *adjustment);

/* One customer's adjustments, as record_page_read(). */
MUSTCHECK int adjustment_list(struct store_view *view, struct arena *arena,
                              struct record_page *page);
