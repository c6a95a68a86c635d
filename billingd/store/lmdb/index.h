/* The tables that are derived from the journal: what one record adds to them.
 *
 * Reading them is lookup.h's and scan.h's part.  Committer thread; index_is_late(): any. */
#pragma once

#include "billingd/store/lmdb/env.h"

/* Add RECORD, which the journal of TXN has, to every table that it belongs in.
 * Returns 0; STATUS_INTERNAL where its request id or external id is not free; STATUS_CORRUPT where
 * it renames a customer that there is not; or the status of a failed write. */
MUSTCHECK int index_add(const struct env *env, MDB_txn *txn, const struct record *record);

/* Whether VALUE, of the table `usage`, says that the record came late and stands in `usage_late`
 * too. */
bool index_is_late(MDB_val value);
