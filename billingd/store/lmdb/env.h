/* The LMDB environment: opened once, its tables, and what its errors mean.
 *
 * Table by table, with keys as keys_lmdb.h builds them:
 *   meta          in LMDB's unnamed table, which every commit writes anyway; see meta.h
 *   journal       first seq -> block
 *   customers     seq -> row (customer_row.h)
 *   external_ids  external id -> seq of the customer
 *   voids         customer, occurred_at, seq -> one byte: FF where it came late, else 00
 *   voids_late    customer, bills_at, seq -> nothing; only where bills_at is another
 *   adjustments, adjustments_late   likewise
 *   void_of       seq of a usage -> seq of its void
 *   invoices      number -> seq
 *   customer_invoices   customer, number -> seq
 *   services      name -> row (service_row.h)
 *   api_keys      seq -> row (api_key_row.h)
 *   api_key_names   name -> seq of the key; of those that are not revoked
 *   manifest      segment -> row (manifest.h)
 *   segments      segment, table, place -> chunk of rows (segment.h)
 *
 * Opened and closed without other threads; the rest: any thread, a transaction in one at a time. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

#include "billingd/store/store.h"

enum env_table {
    ENV_META,
    ENV_JOURNAL,
    ENV_CUSTOMERS,
    ENV_EXTERNAL_IDS,
    ENV_VOIDS,
    ENV_VOIDS_LATE,
    ENV_VOID_OF,
    ENV_ADJUSTMENTS,
    ENV_ADJUSTMENTS_LATE,
    ENV_INVOICES,
    ENV_CUSTOMER_INVOICES,
    ENV_SERVICES,
    ENV_API_KEYS,
    ENV_API_KEY_NAMES,
    ENV_MANIFEST,
    ENV_SEGMENTS,
    ENV__TABLES,
};

enum {
    ENV_OLD_TABLES_MAX = 8, /* of an older format, which upgrade.h opens to drop them */
};

struct env {
    char directory[PATH_MAX]; /* for messages */
    MDB_env *mdb;
    MDB_dbi tables[ENV__TABLES];
};

/* Open the files in DIRECTORY, making them at need, with MAP_BYTES reserved and room for READERS
 * read transactions.  Returns 0, or a status with REASON. */
MUSTCHECK int env_open(const char *directory, uint64_t map_bytes, unsigned readers, struct env *ret,
                       struct errinfo *reason);

/* Open the file in DIRECTORY, which nobody writes, for reading alone: nothing is made or changed.
 * Whether it is as long as it is to be is the caller's to look at first.  Likewise. */
MUSTCHECK int env_look(const char *directory, uint64_t map_bytes, struct env *ret,
                       struct errinfo *reason);

/* Close it.  All transactions must have ended. */
void env_close(struct env *env);

/* Open the unnamed table, or all others, for the life of ENV: as part of TXN, before any other
 * transaction.  Returns 0, or a status. */
MUSTCHECK int env_open_meta(struct env *env, MDB_txn *txn);
MUSTCHECK int env_open_tables(struct env *env, MDB_txn *txn);

/* Open the journal alone, where it is there.  Likewise. */
MUSTCHECK int env_open_journal(struct env *env, MDB_txn *txn);

/* What TABLE is called in the file; NULL: it is the unnamed one.  A static text. */
const char *env_table_name(enum env_table table);

/* The status for RC of an LMDB call that reads: 0 for 0. */
int env_status(int rc);

/* Commit TXN, which ends either way.  Returns 0; STATUS_STORAGE_FULL with nothing of it on disk
 * and ENV as it was; or STATUS_STORAGE_FAILED for all else. */
MUSTCHECK int env_commit(const struct env *env, MDB_txn *txn);

/* The value of KEY.  STATUS_NOT_FOUND if there is none. */
MUSTCHECK int env_get(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                      MDB_val *ret_value);

/* Set KEY to BYTES at VALUE. */
MUSTCHECK int env_put(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                      const void *value, size_t bytes);

/* As env_put(), but STATUS_INTERNAL where KEY has a value, which then stays. */
MUSTCHECK int env_put_new(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                          const void *value, size_t bytes);

/* Take KEY and its value away.  STATUS_NOT_FOUND if it has none. */
MUSTCHECK int env_delete(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key);

/* Room for BYTES under KEY, which is to be above all others of TABLE.  *RET_ROOM is to be filled
 * before the next write. */
MUSTCHECK int env_append(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                         size_t bytes, uint8_t **ret_room);

/* How many keys TABLE has. */
MUSTCHECK int env_count(const struct env *env, MDB_txn *txn, enum env_table table,
                        uint64_t *ret_count);

/* The data file, as LMDB has it open. */
int env_fd(const struct env *env);

/* Bytes of the data file. */
uint64_t env_bytes(const struct env *env);

/* Up to which byte of it LMDB has ever written, and to which it may. */
void env_extent(const struct env *env, uint64_t *ret_used, uint64_t *ret_map);

/* Bytes that the file system has left, for who is not root. */
uint64_t env_disk_free(const struct env *env);
