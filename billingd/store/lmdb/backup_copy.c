#include "billingd/store/lmdb/backup_copy.h"

#include <inttypes.h>

#include "billingd/base/failpoint.h"
#include "billingd/store/block.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/keys_lmdb.h"

enum {
    TXN_BYTES = 4 << 20,   /* some of one write transaction, which is in memory until it ends */
    SYNC_BYTES = 16 << 20, /* that are synced together */
    READERS = 1,           /* of an environment that nobody reads yet */
    ROW_BYTES = 16,        /* what LMDB adds to a small row, about */
};

/* The row of each table in the unnamed one is made by opening it; what else is there is meta's. */
static bool is_copied(enum env_table table)
{
    return table != ENV_META;
}

static int table_bytes(const struct lmdb_view *view, enum env_table table, uint64_t *ret_bytes)
{
    MDB_stat stat;
    int rc = env_status(mdb_stat(view->txn, view->env->tables[table], &stat));
    if (rc == 0) {
        *ret_bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
                     (uint64_t)stat.ms_psize;
    }
    return rc;
}

int backup_copy_bytes(const struct lmdb_view *view, uint64_t *ret_bytes)
{
    uint64_t all = 0;
    int rc = 0;
    for (enum env_table table = ENV_META; table < ENV__TABLES && rc == 0; table++) {
        uint64_t bytes = 0;
        rc = table_bytes(view, table, &bytes);
        all += bytes;
    }
    if (rc == 0) {
        *ret_bytes = all;
    }
    return rc;
}

/* --- the target ------------------------------------------------------------------------------- */

static int write_failed(const struct backup_copy *copy, int status, struct errinfo *reason)
{
    /* the title of a failed commit speaks of an outcome, which is of no matter here */
    const char *why =
        status == STATUS_STORAGE_FAILED ? "the disk has failed" : status_info(status)->title;
    return errinfo_set(reason, status, "cannot write '%.160s/data.mdb': %s", copy->target.directory,
                       why);
}

static int begin(struct backup_copy *copy)
{
    copy->pending = 0;
    return env_status(mdb_txn_begin(copy->target.mdb, NULL, 0, &copy->txn));
}

static int commit(struct backup_copy *copy)
{
    MDB_txn *txn = copy->txn;
    copy->txn = NULL;
    copy->unsynced += copy->pending;
    return env_commit(&copy->target, txn);
}

static int sync_all(struct backup_copy *copy)
{
    copy->unsynced = 0;
    return env_status(mdb_env_sync(copy->target.mdb, 1));
}

/* End the transaction where it has enough, and begin the next. */
static int turn_over(struct backup_copy *copy, struct errinfo *reason)
{
    if (copy->pending < TXN_BYTES) {
        return 0;
    }
    int rc = commit(copy);
    if (rc == 0 && copy->unsynced >= SYNC_BYTES) {
        rc = sync_all(copy);
        FAILPOINT("backup_synced");
    }
    if (rc == 0) {
        rc = begin(copy);
    }
    return rc < 0 ? write_failed(copy, rc, reason) : 0;
}

/* Nothing has been synced of what is made here, so that only backup_copy_run()'s last sync counts:
 * should the process die, all of it is taken away. */
static int make_tables(struct backup_copy *copy)
{
    int rc = env_status(mdb_env_set_flags(copy->target.mdb, MDB_NOSYNC, 1));
    if (rc == 0) {
        rc = begin(copy);
    }
    if (rc == 0) {
        rc = env_open_meta(&copy->target, copy->txn);
    }
    if (rc == 0) {
        rc = meta_put(&copy->target, copy->txn, copy->meta);
    }
    return rc < 0 ? rc : env_open_tables(&copy->target, copy->txn);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* A backup that repeats damage would come to replace one that does not. */
static int check_block(const struct backup_copy *copy, MDB_val key, MDB_val value,
                       struct errinfo *reason)
{
    struct block block;
    const char *problem = "it is of a format that is not known";
    uint64_t seq = 0;
    int rc = key_parse_seq(key, &seq);
    if (rc == 0) {
        rc = block_open(value.mv_data, value.mv_size, &block, &problem);
    }
    return rc < 0 ? errinfo_set(reason, STATUS_CORRUPT,
                                "'%.100s/data.mdb' is damaged: the block of record %" PRIu64
                                ": %s; nothing is backed up",
                                copy->view->env->directory, seq, problem)
                  : 0;
}

/* A row has less of its own than the pages that it takes: so what is done is below what the table
 * takes, until all of it is. */
static int count_row(struct backup_copy *copy, size_t bytes)
{
    copy->pending += bytes;
    copy->done += bytes;
    copy->done = copy->done < copy->table_end ? copy->done : copy->table_end;
    return copy->how->progress_cb(copy->done, copy->all, copy->how->arg);
}

static int copy_row(struct backup_copy *copy, enum env_table table, MDB_val key, MDB_val value,
                    struct errinfo *reason)
{
    uint8_t *room;
    int rc = table == ENV_JOURNAL ? check_block(copy, key, value, reason) : 0;
    if (rc < 0) {
        return rc;
    }
    rc = env_append(&copy->target, copy->txn, table, key, value.mv_size, &room);
    if (rc < 0) {
        return write_failed(copy, rc, reason);
    }
    memcpy(room, value.mv_data, value.mv_size);
    rc = count_row(copy, key.mv_size + value.mv_size + ROW_BYTES);
    return rc < 0 ? rc : turn_over(copy, reason);
}

static int copy_rows(struct backup_copy *copy, enum env_table table, MDB_cursor *cursor,
                     struct errinfo *reason)
{
    MDB_val key;
    MDB_val value;
    int rc = 0;
    int moved = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (moved == 0 && rc == 0) {
        rc = copy_row(copy, table, key, value, reason);
        moved = rc == 0 ? mdb_cursor_get(cursor, &key, &value, MDB_NEXT) : 0;
    }
    if (rc == 0 && moved != MDB_NOTFOUND) {
        rc = errinfo_set(reason, env_status(moved), "cannot read '%.160s/data.mdb': %s",
                         copy->view->env->directory, mdb_strerror(moved));
    }
    return rc;
}

static int copy_table(struct backup_copy *copy, enum env_table table, struct errinfo *reason)
{
    MDB_cursor *cursor = NULL;
    uint64_t bytes = 0;
    int rc = table_bytes(copy->view, table, &bytes);
    if (rc == 0) {
        rc = env_status(mdb_cursor_open(copy->view->txn, copy->view->env->tables[table], &cursor));
    }
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.160s/data.mdb': %s",
                           copy->view->env->directory, status_info(rc)->title);
    }
    copy->table_end = copy->done + bytes;
    rc = copy_rows(copy, table, cursor, reason);
    mdb_cursor_close(cursor);
    copy->done = copy->table_end;
    return rc;
}

static int copy_all(struct backup_copy *copy, struct errinfo *reason)
{
    int rc = make_tables(copy);
    if (rc < 0) {
        return write_failed(copy, rc, reason);
    }
    for (enum env_table table = ENV_META; table < ENV__TABLES && rc == 0; table++) {
        rc = is_copied(table) ? copy_table(copy, table, reason) : 0;
    }
    if (rc < 0) {
        return rc;
    }
    rc = commit(copy);
    if (rc == 0) {
        rc = sync_all(copy);
    }
    return rc < 0 ? write_failed(copy, rc, reason) : 0;
}

int backup_copy_run(struct backup_copy *copy, const char *directory, struct errinfo *reason)
{
    MDB_envinfo source;
    int rc = env_status(mdb_env_info(copy->view->env->mdb, &source));
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.160s/data.mdb'", copy->view->env->directory);
    }
    rc = env_open(directory, source.me_mapsize, READERS, &copy->target, reason);
    if (rc < 0) {
        return rc;
    }
    rc = copy_all(copy, reason);
    if (copy->txn != NULL) {
        mdb_txn_abort(copy->txn);
        copy->txn = NULL;
    }
    env_close(&copy->target);
    return rc;
}
