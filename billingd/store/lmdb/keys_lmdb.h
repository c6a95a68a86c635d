/* The keys of all tables, built only here: integers big-endian, so that LMDB's order of bytes is
 * the order of numbers.  Pure; any thread. */
#pragma once

#include <stdint.h>

#include <lmdb.h>

#include "billingd/store/store.h"
#include "proto/limits.h"

enum {
    KEY_USAGE_BYTES = 24,
    KEY_BYTES_MAX = LIMIT_EXTERNAL_ID_BYTES, /* of all keys; LMDB takes 511 */
};

/* Room for one key. */
struct key {
    uint8_t bytes[KEY_BYTES_MAX];
};

/* Each builds into KEY and returns a value that refers to it. */

/* Of `journal` and `customers`. */
MDB_val key_seq(struct key *key, uint64_t seq);

/* Of `external_ids`, for up to LIMIT_EXTERNAL_ID_BYTES. */
MDB_val key_external_id(struct key *key, struct slice external_id);

/* Of `requests`, for up to LIMIT_REQUEST_ID_BYTES. */
MDB_val key_request(struct key *key, struct store_key request);

/* Of `usage` and `usage_late`. */
MDB_val key_usage(struct key *key, uint64_t customer, struct store_position position);

/* Back from a key of `journal` or `customers`, or of `usage` or `usage_late`.  Returns 0, or
 * STATUS_CORRUPT. */
MUSTCHECK int key_parse_seq(MDB_val key, uint64_t *ret_seq);
MUSTCHECK int key_parse_usage(MDB_val key, uint64_t *ret_customer,
                              struct store_position *ret_position);
