/* The tables that are derived from the journal: what one record adds to them.
 *
 * Reading them is lookup.h's and scan.h's part.  Committer thread; index_is_late(): any. */
#pragma once

#include "billingd/store/lmdb/env.h"

enum {
    INDEX_BILLABLE_KINDS = 2, /* usage has rows of its own */
};

/* Values of the tables by occurred_at, all bits apart: a flipped one must not hide a record from a
 * scan by bills_at, which passes over what is late. */
enum {
    INDEX_IN_TIME = 0x00,
    INDEX_LATE = 0xFF,
};

/* A kind of record that stands on bills, and its tables: all by occurred_at, and those that came
 * late again by bills_at. */
struct index_billable {
    enum record_kind kind;
    enum store_rows row;
    enum env_table by_occurred;
    enum env_table late;
};

extern const struct index_billable index_billable[INDEX_BILLABLE_KINDS];

/* Add RECORD, which the journal of TXN has, to every table that it belongs in.
 * Returns 0; STATUS_INTERNAL where it is not the next thing that can happen (its request id or
 * external id is not free, its usage has a void, its number is not the next invoice's, its service
 * is not in the catalogue, its key's name is not free, or its key is not there, or revoked);
 * STATUS_CORRUPT where it changes a customer that there is not, or a row that is damaged; or the
 * status of a failed write. */
MUSTCHECK int index_add(const struct env *env, MDB_txn *txn, const struct record *record);

/* Whether VALUE, of a table by occurred_at, says that the record came late and stands in the table
 * by bills_at too. */
bool index_is_late(MDB_val value);
