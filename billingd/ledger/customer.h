/* The rules about customers.  Writes run on the committer thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

/* How a caller names a customer. */
struct customer_ref {
    uint64_t seq;             /* of its creation; 0: by external id */
    struct slice external_id; /* empty with seq 0: an id that can be nobody's */
};

/* The customer that REF names, as it is now.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, or the store's
 * error.  Slices in *RET point into the view. */
MUSTCHECK int customer_resolve(struct store_view *view, const struct customer_ref *ref,
                               struct store_customer *ret);

/* As customer_resolve() for a write: that there is no such customer is no error but the refusal
 * STATUS_CUSTOMER_NOT_FOUND in *RET_OUTCOME, which is cleared otherwise. */
MUSTCHECK int customer_require(struct store_view *view, const struct customer_ref *ref,
                               struct store_customer *ret, struct outcome *ret_outcome);

/* Copy the texts of CUSTOMER into ARENA, so that it outlives its view.  Returns 0 or
 * STATUS_TOO_LARGE. */
MUSTCHECK int customer_keep(struct arena *arena, struct store_customer *customer);

struct customer_create {
    /* --- asked --- */
    struct slice name;
    struct slice external_id; /* empty: none */
    struct slice request_id;
    struct slice recorded_by;
    /* --- answered --- */
    struct outcome outcome;
    struct store_customer customer; /* as it was created */
};

/* Create a customer, once per request id.  Returns 0 with the outcome set (refused with
 * STATUS_EXTERNAL_ID_TAKEN or STATUS_REQUEST_ID_REUSED), or the store's error. */
MUSTCHECK int customer_create(struct store_txn *txn, struct arena *arena,
                              struct customer_create *create);

struct customer_rename {
    /* --- asked --- */
    struct customer_ref customer_ref;
    struct slice name;
    struct slice recorded_by;
    /* --- answered --- */
    struct outcome outcome;
    struct store_customer customer;
    bool recorded; /* false where it had that name already */
};

/* Give a customer another name.  Returns as customer_create(); refused with
 * STATUS_CUSTOMER_NOT_FOUND. */
MUSTCHECK int customer_rename(struct store_txn *txn, struct arena *arena,
                              struct customer_rename *rename);

struct customer_page {
    /* --- asked --- */
    struct slice external_id; /* only the one that holds it; empty: all */
    uint64_t after_seq;       /* those behind this one */
    unsigned limit;           /* at least 1 */
    /* --- answered --- */
    struct store_customer *customers; /* in the arena */
    unsigned n;
    bool more; /* there are customers behind the last of these */
};

/* Customers in the order of their creation.  Returns 0, STATUS_TOO_LARGE (arena), or the store's
 * error. */
MUSTCHECK int customer_list(struct store_view *view, struct arena *arena,
                            struct customer_page *page);
