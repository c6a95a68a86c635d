/* The tables of API keys: what a record adds to them, and reading them.
 *
 * A key is its creation's record, and a row beside it for what changes (api_key_row.h); those that
 * are not revoked are found by their names. */
#pragma once

#include "billingd/store/lmdb/env.h"

/* Add RECORD, of one of the kinds about keys, as index_add().  Committer thread. */
MUSTCHECK int api_keys_add(const struct env *env, MDB_txn *txn, const struct record *record);

/* As their namesakes in store.h. */
MUSTCHECK int api_keys_find(struct store_view *view, uint64_t seq, struct store_api_key *ret);
MUSTCHECK int api_keys_find_named(struct store_view *view, struct slice name, uint64_t *ret_seq);
MUSTCHECK int api_keys_scan(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb,
                            void *arg);
