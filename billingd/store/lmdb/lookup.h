/* Reading: one state of the store, and what is found in it by its key.
 *
 * A table other than the journal leads to a record; what it leads to is checked against the key,
 * so that a damaged table gives STATUS_CORRUPT and never another record.
 *
 * One thread at a time for one view. */
#pragma once

#include "billingd/store/engine.h"
#include "billingd/store/lmdb/dedup.h"
#include "billingd/store/lmdb/journal.h"
#include "billingd/store/lmdb/view_rows.h"

struct lmdb_store; /* engine.c */

struct lmdb_view {
    struct store_view base;
    struct lmdb_store *store;      /* not owned */
    const struct env *env;         /* not owned */
    uint64_t id_key;               /* of the store */
    MDB_txn *txn;                  /* owned by the pool, or by the transaction whose view it is */
    struct journal_reader journal; /* over the same */
    struct view_rows rows;         /* likewise */
    struct dedup *dedup;           /* of a transaction that writes; else NULL */
    struct request_row absent;     /* the fingerprint that was looked up last, if it was not found;
                                      seq 1: there is one */
    struct lmdb_view *next_free;   /* guarded by the pool's lock */
    atomic_int_fast64_t taken_us;  /* monotonic: since when it is taken; 0: it is not */
};

/* A state to read: that of TXN, whose WRITER is given where it is a transaction that writes. */
void lookup_begin(struct lmdb_view *view, const struct env *env, MDB_txn *txn,
                  const struct journal_writer *writer);

/* As their namesakes in store.h. */
MUSTCHECK int lookup_record(struct store_view *view, uint64_t seq, struct record *ret);
MUSTCHECK int lookup_request(struct store_view *view, struct store_key key, struct record *ret);
MUSTCHECK int lookup_customer(struct store_view *view, uint64_t seq, struct store_customer *ret);
MUSTCHECK int lookup_external_id(struct store_view *view, struct slice external_id,
                                 uint64_t *ret_seq);
MUSTCHECK int lookup_void(struct store_view *view, uint64_t usage_seq, struct record *ret);
MUSTCHECK int lookup_invoice(struct store_view *view, uint64_t number, struct record *ret);
MUSTCHECK int lookup_service(struct store_view *view, struct slice name, struct store_service *ret);
uint64_t lookup_damaged(struct store_view *view);

/* In the view of a transaction that writes: whether KEY is free; *RET is its fingerprint.  At no
 * cost where it was just looked up, as the rules do.  Returns 0, STATUS_INTERNAL where it is not,
 * or as lookup_request(). */
MUSTCHECK int lookup_request_is_free(struct store_view *view, struct store_key key,
                                     struct request_row *ret);

/* The record SEQ, which a table says to be there and of KIND.  Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int lookup_promised(struct store_view *view, uint64_t seq, enum record_kind kind,
                              struct record *ret);

/* The invoice NUMBER, which the row VALUE of a table leads to.  Returns 0, or STATUS_CORRUPT. */
MUSTCHECK int lookup_promised_invoice(struct store_view *view, MDB_val value, uint64_t number,
                                      struct record *ret);
