/* What became of a request.  Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"

struct request_get {
    /* --- asked --- */
    bool of_daemon; /* in the daemon's name space, where customers are created */
    struct customer_ref customer;
    struct slice request_id;
    /* --- answered --- */
    uint64_t customer_seq; /* whom it was about */
    uint64_t seq;          /* of what it recorded; of an invoice, its number */
    enum record_kind kind;
    int64_t created_at_us;
};

/* Look one up.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_REQUEST_NOT_FOUND where nothing is
 * recorded under that id, or the store's error. */
MUSTCHECK int request_get(struct store_view *view, struct request_get *get);
