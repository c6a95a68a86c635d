#include "billingd/store/lmdb/api_keys.h"

#include "billingd/base/bytes.h"
#include "billingd/store/lmdb/api_key_row.h"
#include "billingd/store/lmdb/cursor.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/lookup.h"

/* --- adding ----------------------------------------------------------------------------------- */

static int put_row(const struct env *env, MDB_txn *txn, uint64_t seq, const struct api_key_row *row)
{
    struct key key;
    uint8_t bytes[API_KEY_ROW_BYTES];
    api_key_row_write(seq, row, bytes);
    return env_put(env, txn, ENV_API_KEYS, key_seq(&key, seq), bytes, sizeof bytes);
}

static int get_row(const struct env *env, MDB_txn *txn, uint64_t seq, struct api_key_row *ret)
{
    struct key key;
    MDB_val value;
    int rc = env_get(env, txn, ENV_API_KEYS, key_seq(&key, seq), &value);
    return rc < 0 ? rc : api_key_row_read(seq, value.mv_data, value.mv_size, ret);
}

static int add_created(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key key;
    uint8_t seq[sizeof record->seq];
    struct api_key_row row = {0};
    bytes_put_le64(seq, record->seq);
    int rc = env_put_new(env, txn, ENV_API_KEY_NAMES, key_text(&key, record->key_created.name), seq,
                         sizeof seq);
    return rc < 0 ? rc : put_row(env, txn, record->seq, &row);
}

/* Take the name away, which must be that of the key SEQ. */
static int take_name(const struct env *env, MDB_txn *txn, uint64_t seq, struct slice name)
{
    struct key key;
    MDB_val value;
    int rc = env_get(env, txn, ENV_API_KEY_NAMES, key_text(&key, name), &value);
    if (rc == 0 && (value.mv_size != sizeof seq || bytes_get_le64(value.mv_data) != seq)) {
        return STATUS_INTERNAL;
    }
    return rc < 0 ? rc : env_delete(env, txn, ENV_API_KEY_NAMES, key_text(&key, name));
}

static int add_revoked(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct api_key_row row;
    const struct key_revoked *revoked = &record->key_revoked;
    int rc = get_row(env, txn, revoked->key, &row);
    if (rc == 0 && row.revoked != 0) {
        return STATUS_INTERNAL;
    }
    if (rc == 0) {
        row.revoked = record->seq;
        rc = put_row(env, txn, revoked->key, &row);
    }
    if (rc == 0) {
        rc = take_name(env, txn, revoked->key, revoked->name);
    }
    return rc == STATUS_NOT_FOUND ? STATUS_INTERNAL : rc;
}

static int add_used(const struct env *env, MDB_txn *txn, const struct record *record)
{
    struct key_use use;
    struct slice rest = record->key_used.uses;
    int rc = 0;
    while (rc == 0 && key_uses_next(&rest, &use)) {
        struct api_key_row row;
        rc = get_row(env, txn, use.key, &row);
        if (rc == 0) {
            row.last_used_us = use.used_at_us;
            rc = put_row(env, txn, use.key, &row);
        }
    }
    return rc == STATUS_NOT_FOUND ? STATUS_INTERNAL : rc;
}

int api_keys_add(const struct env *env, MDB_txn *txn, const struct record *record)
{
    if (record->kind == RECORD_KEY_CREATED) {
        return add_created(env, txn, record);
    }
    return record->kind == RECORD_KEY_REVOKED ? add_revoked(env, txn, record)
                                              : add_used(env, txn, record);
}

/* --- finding ---------------------------------------------------------------------------------- */

/* Fill in what only the record of its revocation, SEQ, has. */
static int find_revoked(struct store_view *view, uint64_t seq, struct store_api_key *key)
{
    struct record record;
    int rc = lookup_promised(view, seq, RECORD_KEY_REVOKED, &record);
    if (rc < 0 || record.key_revoked.key != key->seq) {
        return rc < 0 ? rc : STATUS_CORRUPT;
    }
    key->revoked_at_us = record.created_at_us;
    key->revoked_by = record.recorded_by;
    return 0;
}

/* The key SEQ, whose row VALUE is. */
static int find_promised(struct store_view *view, uint64_t seq, MDB_val value,
                         struct store_api_key *ret)
{
    struct api_key_row row;
    struct record record;
    int rc = api_key_row_read(seq, value.mv_data, value.mv_size, &row);
    if (rc == 0) {
        rc = lookup_promised(view, seq, RECORD_KEY_CREATED, &record);
    }
    if (rc < 0) {
        return rc;
    }
    *ret = (struct store_api_key){
        .seq = seq,
        .created = record.key_created,
        .created_by = record.recorded_by,
        .created_at_us = record.created_at_us,
        .last_used_us = row.last_used_us,
    };
    return row.revoked == 0 ? 0 : find_revoked(view, row.revoked, ret);
}

int api_keys_find(struct store_view *view, uint64_t seq, struct store_api_key *ret)
{
    const struct lmdb_view *v = (const struct lmdb_view *)view; /* its first member */
    struct key key;
    MDB_val value;
    int rc = env_get(v->env, v->txn, ENV_API_KEYS, key_seq(&key, seq), &value);
    return rc < 0 ? rc : find_promised(view, seq, value, ret);
}

int api_keys_find_named(struct store_view *view, struct slice name, uint64_t *ret_seq)
{
    const struct lmdb_view *v = (const struct lmdb_view *)view; /* its first member */
    struct key key;
    MDB_val value;
    struct record record;
    if (name.length == 0 || name.length > LIMIT_KEY_NAME_BYTES) {
        return STATUS_NOT_FOUND;
    }
    int rc = env_get(v->env, v->txn, ENV_API_KEY_NAMES, key_text(&key, name), &value);
    if (rc < 0) {
        return rc;
    }
    if (value.mv_size != sizeof *ret_seq) {
        return STATUS_CORRUPT;
    }
    uint64_t seq = bytes_get_le64(value.mv_data);
    rc = lookup_promised(view, seq, RECORD_KEY_CREATED, &record);
    if (rc < 0 || !slice_equal(record.key_created.name, name)) {
        return rc < 0 ? rc : STATUS_CORRUPT;
    }
    *ret_seq = seq;
    return 0;
}

/* --- walking ---------------------------------------------------------------------------------- */

struct key_scan {
    store_api_key_fn row_cb;
    void *arg;
};

static int give_key(struct store_view *view, MDB_val key, MDB_val value, void *arg)
{
    const struct key_scan *scan = arg;
    uint64_t seq;
    struct store_api_key found;
    int rc = key_parse_seq(key, &seq);
    if (rc == 0) {
        rc = find_promised(view, seq, value, &found);
    }
    return rc < 0 ? rc : scan->row_cb(&found, scan->arg);
}

int api_keys_scan(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb, void *arg)
{
    struct key key;
    struct key_scan scan = {row_cb, arg};
    if (after_seq == UINT64_MAX) {
        return 0;
    }
    return cursor_walk(view, ENV_API_KEYS, key_seq(&key, after_seq + 1), give_key, &scan);
}
