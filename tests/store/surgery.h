/* Stored bytes changed behind the store's back, through LMDB.  Main thread. */
#pragma once

#include <lmdb.h>
#include <xxhash.h>

#include "tests/store/fixture.h"

/* The environment in DIRECTORY, with a transaction that writes. */
struct surgery {
    MDB_env *env;
    MDB_txn *txn;
};

static inline struct surgery surgery_begin(const char *directory)
{
    struct surgery surgery;
    assert_int_equal(mdb_env_create(&surgery.env), 0);
    assert_int_equal(mdb_env_set_maxdbs(surgery.env, 32), 0);
    assert_int_equal(mdb_env_set_mapsize(surgery.env, MAP_BYTES), 0);
    assert_int_equal(mdb_env_open(surgery.env, directory, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(surgery.env, NULL, 0, &surgery.txn), 0);
    return surgery;
}

static inline void surgery_end(struct surgery *surgery)
{
    assert_int_equal(mdb_txn_commit(surgery->txn), 0);
    mdb_env_close(surgery->env);
}

static inline MDB_dbi table_named(struct surgery *surgery, const char *table)
{
    MDB_dbi dbi;
    assert_int_equal(mdb_dbi_open(surgery->txn, table, 0, &dbi), 0);
    return dbi;
}

struct row {
    uint8_t key[600];
    size_t key_bytes;
    uint8_t value[128 * 1024];
    size_t value_bytes;
};

/* Row INDEX of TABLE; from the end where it is negative. */
static inline struct row *row_take(struct surgery *surgery, const char *table, int index)
{
    struct row *row = testkit_alloc(sizeof *row);
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    assert_int_equal(mdb_cursor_open(surgery->txn, table_named(surgery, table), &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &value, index < 0 ? MDB_LAST : MDB_FIRST), 0);
    for (int steps = index < 0 ? -index - 1 : index; steps > 0; steps--) {
        assert_int_equal(mdb_cursor_get(cursor, &key, &value, index < 0 ? MDB_PREV : MDB_NEXT), 0);
    }
    memcpy(row->key, key.mv_data, key.mv_size);
    memcpy(row->value, value.mv_data, value.mv_size);
    row->key_bytes = key.mv_size;
    row->value_bytes = value.mv_size;
    assert_int_equal(mdb_cursor_del(cursor, 0), 0);
    mdb_cursor_close(cursor);
    return row;
}

static inline void row_put(struct surgery *surgery, const char *table, struct row *row)
{
    MDB_val key = {row->key_bytes, row->key};
    MDB_val value = {row->value_bytes, row->value};
    assert_int_equal(mdb_put(surgery->txn, table_named(surgery, table), &key, &value, 0), 0);
}

enum place {
    IN_KEY,
    IN_VALUE,
};

/* Change one bit of row INDEX of TABLE, at byte AT of its key or value; from the end where AT is
 * negative. */
static inline void flip(const char *directory, const char *table, int index, enum place place,
                        int at)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, table, index);
    uint8_t *bytes = place == IN_KEY ? row->key : row->value;
    size_t length = place == IN_KEY ? row->key_bytes : row->value_bytes;
    size_t offset = at < 0 ? length - (size_t)-at : (size_t)at;
    assert_true(offset < length);
    bytes[offset] ^= 1;
    row_put(&surgery, table, row);
    surgery_end(&surgery);
}

/* Set byte AT of journal block INDEX to VALUE, under a right checksum. */
static inline void forge_block(const char *directory, int index, size_t at, uint8_t value)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "journal", index);
    row->value[at] = value;
    uint64_t checksum = XXH3_64bits(row->value, row->value_bytes - 8);
    memcpy(row->value + row->value_bytes - 8, &checksum, 8); /* this machine is little-endian */
    row_put(&surgery, "journal", row);
    surgery_end(&surgery);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* What a view of the damaged store in DIRECTORY says to QUESTION. */
static inline int ask(const char *directory, int (*question)(struct store_view *view))
{
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    int rc = question(view);
    store_release(view);
    store_close(store);
    return rc;
}

static inline int count_record(const struct record *record, void *arg)
{
    (void)record;
    ++*(int *)arg;
    return 0;
}
