/* Stored bytes changed behind the store's back, through LMDB.  Main thread. */
#pragma once

#include <lmdb.h>
#include <xxhash.h>

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/row_pack.h"
#include "billingd/store/lmdb/segment.h"
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

/* Set byte AT of journal block INDEX to VALUE, or to another where it has that value, under a right
 * checksum. */
static inline void forge_block(const char *directory, int index, size_t at, uint8_t value)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "journal", index);
    row->value[at] = row->value[at] == value ? value ^ 1 : value;
    uint64_t checksum = XXH3_64bits(row->value, row->value_bytes - 8);
    memcpy(row->value + row->value_bytes - 8, &checksum, 8); /* this machine is little-endian */
    row_put(&surgery, "journal", row);
    surgery_end(&surgery);
}

/* --- chunks of segments ----------------------------------------------------------------------- */

enum { /* in a chunk, as billingd/store/lmdb/segment.h has it */
       CHUNK_AT_FORM = 4,
       CHUNK_AT_KEY_HASH = 8,
       CHUNK_HEADER_BYTES = 16,
       CHUNK_FILTER_HEADER_BYTES = 48,
       CHUNK_CHECKSUM_BYTES = 8,
       CHUNK_BYTES_MIN = 4096 - 16,
       KEY_AT_TABLE = 8, /* and in its key */
       KEY_AT_A = 9,
       KEY_AT_B = 17,
};

static inline enum segment_table chunk_table(const struct row *chunk)
{
    return (enum segment_table)chunk->key[KEY_AT_TABLE];
}

static inline uint8_t *chunk_rows(struct row *chunk)
{
    return chunk->value +
           (chunk_table(chunk) == SEGMENT_FILTER ? CHUNK_FILTER_HEADER_BYTES : CHUNK_HEADER_BYTES);
}

static inline uint32_t chunk_count(const struct row *chunk)
{
    return bytes_get_le32(chunk->value);
}

/* The rows of CHUNK, which are packed, lie plain in it until it is sealed. */
static inline void chunk_unpack(struct row *chunk)
{
    uint8_t *rows = testkit_alloc(SEGMENT_ROOM_BYTES);
    if (chunk_table(chunk) != SEGMENT_FILTER) {
        assert_int_equal(bytes_get_le32(chunk->value + CHUNK_AT_FORM), SEGMENT_PACKED);
        assert_ok(row_unpack(chunk_table(chunk), chunk_rows(chunk),
                             chunk->value_bytes - CHUNK_HEADER_BYTES - CHUNK_CHECKSUM_BYTES,
                             chunk_count(chunk), rows));
        memcpy(chunk_rows(chunk), rows, chunk_count(chunk) * segment_row_bytes(chunk_table(chunk)));
    }
}

/* CHUNK has N rows, of BODY bytes in FORM, and everything that is checked is right again. */
static inline void chunk_end(struct row *chunk, uint32_t n, size_t body, enum segment_form form)
{
    size_t end = (size_t)(chunk_rows(chunk) - chunk->value) + body;
    size_t least = CHUNK_BYTES_MIN - CHUNK_CHECKSUM_BYTES;
    size_t length = end > least ? end : least;
    memset(chunk->value + end, 0, length - end);
    bytes_put_le32(chunk->value, n);
    bytes_put_le32(chunk->value + CHUNK_AT_FORM, form);
    bytes_put_le64(chunk->value + CHUNK_AT_KEY_HASH, XXH3_64bits(chunk->key, chunk->key_bytes));
    bytes_put_le64(chunk->value + length, XXH3_64bits(chunk->value, length));
    chunk->value_bytes = length + CHUNK_CHECKSUM_BYTES;
    assert_true(chunk->value_bytes <= SEGMENT_CHUNK_BYTES);
}

/* The N rows that lie plain in CHUNK are what it has, as it had them before there were packed ones;
 * its key becomes theirs. */
static inline void chunk_seal_plain(struct row *chunk, uint32_t n)
{
    uint64_t a;
    uint64_t b;
    segment_row_leading(chunk_table(chunk), chunk_rows(chunk), &a, &b);
    bytes_put_be64(chunk->key + KEY_AT_A, a);
    bytes_put_be64(chunk->key + KEY_AT_B, b);
    chunk_end(chunk, n, n * segment_row_bytes(chunk_table(chunk)), SEGMENT_PLAIN);
}

/* The same, as it has them now. */
static inline void chunk_seal(struct row *chunk, uint32_t n)
{
    struct row_packing packing;
    enum segment_table table = chunk_table(chunk);
    uint8_t *packed = testkit_alloc(n * ROW_PACK_BYTES_MAX);
    size_t body = 0;
    chunk_seal_plain(chunk, n);
    if (table == SEGMENT_FILTER) {
        return;
    }
    row_pack_begin(&packing, table);
    for (uint32_t i = 0; i < n; i++) {
        body += row_pack(&packing, chunk_rows(chunk) + i * segment_row_bytes(table), packed + body);
    }
    memcpy(chunk_rows(chunk), packed, body);
    chunk_end(chunk, n, body, SEGMENT_PACKED);
}

/* Let EDIT_CB change the rows of chunk INDEX, of BYTES each; it returns how many there are then. */
static inline void forge_chunk(const char *directory, int index,
                               uint32_t (*edit_cb)(uint8_t *rows, size_t bytes, uint32_t n))
{
    struct surgery surgery = surgery_begin(directory);
    struct row *chunk = row_take(&surgery, "segments", index);
    chunk_unpack(chunk);
    uint32_t n =
        edit_cb(chunk_rows(chunk), segment_row_bytes(chunk_table(chunk)), chunk_count(chunk));
    chunk_seal(chunk, n);
    row_put(&surgery, "segments", chunk);
    surgery_end(&surgery);
}

static inline int count_rows(const char *directory, const char *table)
{
    struct surgery surgery = surgery_begin(directory);
    MDB_stat stat;
    assert_int_equal(mdb_stat(surgery.txn, table_named(&surgery, table), &stat), 0);
    surgery_end(&surgery);
    return (int)stat.ms_entries;
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
