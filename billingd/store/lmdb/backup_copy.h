/* Copying what one view sees into another environment, table by table in the order of keys.
 *
 * LMDB can copy an environment by itself (mdb_env_copyfd2).  It is not used here, because
 * - it begins a read transaction of its own, so what it has copied is not what a view of ours has
 *   seen, and cannot be compared with it;
 * - as it is, it copies free pages as well, holding LMDB's lock of writers until whoever reads from
 *   the descriptor has taken the first pages; compacting, it writes from a second thread, which
 *   nobody can stop but by closing the other end of a pipe, and says EPIPE or EIO for whatever
 *   went wrong at its far end;
 * - neither looks at what it copies.
 *
 * Rows that are appended in order fill their pages, so the copy is dense; a value takes whole pages
 * of its own, one memcpy of up to 128 KiB.  Some mebibytes are one transaction, which is written
 * without a sync; some more are synced together, so that the disk is never given much at once,
 * behind which a commit of the store would wait.  The thread that has the view. */
#pragma once

#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/meta.h"

struct backup_copy {
    const struct lmdb_view *view; /* not owned */
    const struct meta *meta;      /* not owned; of the store */
    const struct store_backup *how;
    struct env target; /* owned while copying */

    MDB_txn *txn;       /* owned; of target */
    uint64_t pending;   /* bytes put in it */
    uint64_t unsynced;  /* bytes of transactions before it that are not synced */
    uint64_t done;      /* bytes, of all */
    uint64_t table_end; /* what done is to be at most until the table is done */
    uint64_t all;
};

/* How many bytes the tables that VIEW sees take.  Returns 0, or the status of a failed read. */
MUSTCHECK int backup_copy_bytes(const struct lmdb_view *view, uint64_t *ret_bytes);

/* Copy all of COPY's view, whose bytes are COPY->all, into a new environment in DIRECTORY, which is
 * synced and closed in the end.  Returns 0, what progress_cb returned, or a status with REASON. */
MUSTCHECK int backup_copy_run(struct backup_copy *copy, const char *directory,
                              struct errinfo *reason);
