/* What a store knows of itself, fixed when it is made: the row "store" of LMDB's unnamed table.
 *
 *   offset   bytes
 *        0       8  magic "BILLSTOR"
 *        8       4  store format, META_FORMAT: of this row and of all tables and their keys
 *       12       4  0
 *       16       8  id_key
 *       24       8  created_at: microseconds since 1970
 *       32       8  currency, padded with 0
 *       40       8  XXH3-64 of all bytes before it
 *
 * Every later format keeps the first 12 bytes in place and in meaning.  Before other threads. */
#pragma once

#include <stdint.h>

#include "billingd/store/lmdb/env.h"

enum {
    META_FORMAT = 3,
    META_FORMAT_OLDEST = 1, /* that upgrade.h knows */
    META_CURRENCY_BYTES = 8,
};

struct meta {
    uint32_t format; /* META_FORMAT, or an older one */
    uint64_t id_key;
    int64_t created_at_us;
    char currency[META_CURRENCY_BYTES + 1];
};

/* Read the row, making it in a store that holds nothing: as part of TXN, with the unnamed table
 * open.
 * Returns 0, or a status with REASON where this is no store, or one that is too new, damaged or in
 * another currency than OPTIONS has.  An older one is to be upgraded before anything else. */
MUSTCHECK int meta_open(const struct env *env, MDB_txn *txn, const struct store_options *options,
                        struct meta *ret, struct errinfo *reason);

/* Write the row of META, in META_FORMAT whatever it says.  Returns 0, or the status of a failed
 * write. */
MUSTCHECK int meta_put(const struct env *env, MDB_txn *txn, const struct meta *meta);
