/* Stores of the formats before (meta.h), brought up to this one at their first start.
 *
 *   1: request ids and usage in B-trees of their own; since 2 they are rows in segments and in the
 *      head (segment.h, head.h), which are made again from the journal
 *   2: rows plain in all segments; since 3 they are packed, which an older version would misread.
 *      Those that are plain are read as they are, until they are merged
 *
 * Before other threads. */
#pragma once

#include "billingd/store/lmdb/meta.h"

/* Bring what META is the row of to META_FORMAT, as part of TXN, with all tables open; it is then
 * for recovery.h to make the rows.  Nothing is done to one that is up to date, and none to one
 * whose journal is damaged: the version before can still read the rest of it.
 * Returns 0, or a status with REASON. */
MUSTCHECK int upgrade_run(const struct env *env, MDB_txn *txn, struct meta *meta,
                          struct errinfo *reason);
