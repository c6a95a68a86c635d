/* Which request ids a call is about to look up, told to the store before.  Worker thread. */
#pragma once

#include "billingd/ledger/customer.h"
#include "billingd/rpc/request.h"

/* Where CUSTOMER's REQUEST_ID will be looked up, if that can be known without asking the store: by
 * id, not by external id.  Returns whether it can. */
bool announce_key(const struct customer_ref *customer, struct slice request_id,
                  struct store_key *ret);

/* Announce it, for a call that records one thing.  Returns 0, STATUS_TOO_LARGE (REQUEST's arena),
 * or the store's error. */
MUSTCHECK int announce_one(struct request *request, struct store_txn *txn,
                           const struct customer_ref *customer, struct slice request_id);
