#include "billingd/store/lmdb/cursor.h"

#include "billingd/store/lmdb/lookup.h"

int cursor_open(struct store_view *view, enum env_table table, MDB_cursor **ret)
{
    const struct lmdb_view *v = (const struct lmdb_view *)view; /* its first member */
    return env_status(mdb_cursor_open(v->txn, v->env->tables[table], ret));
}

int cursor_move(MDB_cursor *cursor, MDB_cursor_op op, MDB_val *key, MDB_val *ret_value,
                bool *ret_end)
{
    int rc = mdb_cursor_get(cursor, key, ret_value, op);
    *ret_end = rc == MDB_NOTFOUND;
    return *ret_end ? 0 : env_status(rc);
}

int cursor_ended(int rc)
{
    return rc == STORE_SCAN_STOP ? 0 : rc;
}

int cursor_walk(struct store_view *view, enum env_table table, MDB_val key, cursor_row_fn row_cb,
                void *arg)
{
    MDB_cursor *cursor;
    MDB_val value;
    bool end;
    int rc = cursor_open(view, table, &cursor);
    if (rc < 0) {
        return rc;
    }
    rc = cursor_move(cursor, MDB_SET_RANGE, &key, &value, &end);
    while (rc == 0 && !end) {
        rc = row_cb(view, key, value, arg);
        if (rc == 0) {
            rc = cursor_move(cursor, MDB_NEXT, &key, &value, &end);
        }
    }
    mdb_cursor_close(cursor);
    return cursor_ended(rc);
}
