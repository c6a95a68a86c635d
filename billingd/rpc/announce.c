#include "billingd/rpc/announce.h"

bool announce_key(const struct customer_ref *customer, struct slice request_id,
                  struct store_key *ret)
{
    *ret = (struct store_key){.scope = customer->seq, .request_id = request_id};
    return ret->scope != 0;
}

int announce_one(struct request *request, struct store_txn *txn,
                 const struct customer_ref *customer, struct slice request_id)
{
    struct store_key *key = arena_alloc(&request->arena, sizeof *key);
    if (key == NULL) {
        return STATUS_TOO_LARGE;
    }
    return announce_key(customer, request_id, key) ? store_announce(txn, key, 1) : 0;
}
