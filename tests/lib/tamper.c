#include "tests/lib/tamper.h"

#include <string.h>

#include <lmdb.h>
#include <xxhash.h>

#include "tests/lib/testkit.h"

enum { /* of a block, as billingd/store/block.h has it */
       AT_COUNT = 16,
       AT_BODY_BYTES = 20,
       AT_BODY = 64,
       OFFSET_BYTES = 4,
       CHECKSUM_BYTES = 8,
};

static const size_t map_bytes = (size_t)1 << 30;

/* The journal's block with the record SEQ. */
struct found {
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
    uint64_t key; /* big-endian */
    uint8_t *block;
    size_t bytes;
};

static void find_block(const struct tamper *tamper, struct found *found)
{
    MDB_dbi dbi;
    MDB_val value;
    uint64_t behind = __builtin_bswap64(tamper->seq + 1);
    MDB_val key = {sizeof behind, &behind};
    assert_int_equal(mdb_env_create(&found->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(found->env, 32), 0);
    assert_int_equal(mdb_env_set_mapsize(found->env, map_bytes), 0);
    assert_int_equal(mdb_env_open(found->env, tamper->data_dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(found->env, NULL, 0, &found->txn), 0);
    assert_int_equal(mdb_dbi_open(found->txn, "journal", 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(found->txn, dbi, &found->cursor), 0);
    bool last = mdb_cursor_get(found->cursor, &key, &value, MDB_SET_RANGE) == MDB_NOTFOUND;
    assert_int_equal(mdb_cursor_get(found->cursor, &key, &value, last ? MDB_LAST : MDB_PREV), 0);
    assert_u64(key.mv_size, sizeof found->key);
    memcpy(&found->key, key.mv_data, sizeof found->key);
    found->block = testkit_alloc(value.mv_size);
    found->bytes = value.mv_size;
    memcpy(found->block, value.mv_data, value.mv_size);
}

static void put_back(struct found *found)
{
    MDB_val key = {sizeof found->key, &found->key};
    MDB_val value = {found->bytes, found->block};
    assert_int_equal(mdb_cursor_put(found->cursor, &key, &value, MDB_CURRENT), 0);
    mdb_cursor_close(found->cursor);
    assert_int_equal(mdb_txn_commit(found->txn), 0);
    mdb_env_close(found->env);
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Where the record SEQ begins in the block, and its length. */
static uint8_t *find_record(const struct found *found, uint64_t seq, size_t *ret_bytes)
{
    uint64_t index = seq - __builtin_bswap64(found->key);
    uint32_t count = number_at(found->block + AT_COUNT);
    uint32_t body_bytes = number_at(found->block + AT_BODY_BYTES);
    const uint8_t *offsets = found->block + AT_BODY + body_bytes;
    assert_true(index < count);
    uint32_t begin = number_at(offsets + index * OFFSET_BYTES);
    uint32_t end =
        index + 1 == count ? body_bytes : number_at(offsets + (index + 1) * OFFSET_BYTES);
    *ret_bytes = end - begin;
    return found->block + AT_BODY + begin;
}

static uint8_t *find_text(uint8_t *record, size_t bytes, const char *text)
{
    size_t length = strlen(text);
    uint8_t *at = memmem(record, bytes, text, length);
    if (at == NULL) {
        testkit_fail("the record does not hold '%s'", text);
    }
    size_t left = bytes - (size_t)(at - record) - length;
    assert_null(memmem(at + length, left, text, length));
    return at;
}

static void seal(const struct found *found)
{
    uint64_t checksum = XXH3_64bits(found->block, found->bytes - CHECKSUM_BYTES);
    for (int i = 0; i < CHECKSUM_BYTES; i++) {
        found->block[found->bytes - CHECKSUM_BYTES + (size_t)i] = (uint8_t)(checksum >> (8 * i));
    }
}

void tamper_record(const struct tamper *tamper)
{
    struct found found = {0};
    size_t bytes;
    find_block(tamper, &found);
    uint8_t *record = find_record(&found, tamper->seq, &bytes);
    uint8_t *text = find_text(record, bytes, tamper->text);
    uint8_t *byte = text + strlen(tamper->text) + tamper->at;
    assert_true(byte >= record && byte < record + bytes && tamper->mask != 0);
    *byte ^= tamper->mask;
    if (tamper->seal) {
        seal(&found);
    }
    put_back(&found);
}
