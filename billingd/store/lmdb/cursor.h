/* Walking through one table.  One thread at a time for one view. */
#pragma once

#include "billingd/store/engine.h"
#include "billingd/store/lmdb/env.h"

/* Open *RET on TABLE in the state of VIEW, to be closed with mdb_cursor_close(). */
MUSTCHECK int cursor_open(struct store_view *view, enum env_table table, MDB_cursor **ret);

/* Move CURSOR by OP, from *KEY where OP asks for one.  *RET_END: there is nothing more. */
MUSTCHECK int cursor_move(MDB_cursor *cursor, MDB_cursor_op op, MDB_val *key, MDB_val *ret_value,
                          bool *ret_end);

/* One row.  Returns as a scan's callback (store.h). */
typedef int (*cursor_row_fn)(struct store_view *view, MDB_val key, MDB_val value, void *arg);

/* The rows of TABLE from KEY on, until ROW_CB ends it.  Returns as a scan. */
MUSTCHECK int cursor_walk(struct store_view *view, enum env_table table, MDB_val key,
                          cursor_row_fn row_cb, void *arg);

/* What a scan returns that RC, of a callback or of ours, ended. */
int cursor_ended(int rc);
