/* The keys of all tables, built only here: integers big-endian, so that LMDB's order of bytes is
 * the order of numbers.  Pure; any thread. */
#pragma once

#include <stdint.h>

#include <lmdb.h>

#include "billingd/store/store.h"
#include "proto/limits.h"

enum {
    KEY_POSITION_BYTES = 24,
    KEY_INVOICE_BYTES = 16,
    KEY_BYTES_MAX = LIMIT_EXTERNAL_ID_BYTES, /* of all keys; LMDB takes 511 */
};

/* Room for one key. */
struct key {
    uint8_t bytes[KEY_BYTES_MAX];
};

/* Each builds into KEY and returns a value that refers to it. */

/* Of `journal`, `customers`, `void_of`, `api_keys` and `manifest`, and with a number of
 * `invoices`. */
MDB_val key_seq(struct key *key, uint64_t seq);

/* Of `external_ids`, `services` and `api_key_names`, for 1 to KEY_BYTES_MAX bytes. */
MDB_val key_text(struct key *key, struct slice text);

/* Of `voids` and `adjustments`, and of what came late of each. */
MDB_val key_position(struct key *key, uint64_t customer, struct store_position position);

/* Of `customer_invoices`. */
MDB_val key_invoice(struct key *key, uint64_t customer, uint64_t number);

/* Back from what each builds.  Return 0, or STATUS_CORRUPT. */
MUSTCHECK int key_parse_seq(MDB_val key, uint64_t *ret_seq);
MUSTCHECK int key_parse_position(MDB_val key, uint64_t *ret_customer,
                                 struct store_position *ret_position);
MUSTCHECK int key_parse_invoice(MDB_val key, uint64_t *ret_customer, uint64_t *ret_number);
