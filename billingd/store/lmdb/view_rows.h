/* The rows that a view sees: of live segments, of the head's runs behind them that are committed in
 * it, and of what its transaction has appended.  No row twice, none missing.
 *
 * One thread at a time for one view. */
#pragma once

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/manifest.h"
#include "billingd/store/lmdb/row_merge.h"

struct view_rows {
    const struct env *env;    /* not owned */
    MDB_txn *txn;             /* not owned */
    struct manifest segments; /* owned; only live ones, in the order of the journal */
    struct head_list *list;   /* held */
    uint64_t sealed_seq;      /* the last record of the last segment */
    uint64_t block_seq;       /* of the last block that is committed: its first record */

    /* --- of a view of a transaction that writes --- */
    struct run_builder *builder; /* not owned; else NULL */
    struct run *appended;        /* held: what the builder had when it was last asked for; NULL: it
                                    was not */
};

/* The rows in TXN whose head was LIST (which is taken over, also on failure), the last block of
 * whose journal begins with BLOCK_SEQ.  BUILDER: what TXN appends, or NULL.  Returns 0,
 * STATUS_CORRUPT, STATUS_NO_MEMORY, or the status of a failed read. */
MUSTCHECK int view_rows_init(struct view_rows *rows, const struct env *env, MDB_txn *txn,
                             struct head_list *list, uint64_t block_seq,
                             struct run_builder *builder);
void view_rows_done(struct view_rows *rows);

/* Whether RUN is seen. */
bool view_rows_has(const struct view_rows *rows, const struct run *run);

/* The *RET_N rows of RUN, which is sorted, in TABLE. */
const uint8_t *view_rows_of_run(const struct run *run, enum segment_table table, size_t *ret_n);

/* All rows of TABLE from those on whose leading members are at least A and B, as one.  To be ended
 * with row_merge_done(), before the next append to a transaction that is viewed.  Returns as
 * view_rows_init(). */
MUSTCHECK int view_rows_merge(struct view_rows *rows, enum segment_table table, uint64_t a,
                              uint64_t b, struct row_merge *ret);

/* How many usage records there are. */
uint64_t view_rows_usage(const struct view_rows *rows);
