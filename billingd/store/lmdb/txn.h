/* Writing: the one transaction that there is, from its begin to its commit.
 *
 * As it goes: txn_begin() waits for its turn and starts from the tail of the last commit;
 * txn_append() puts the record into the pending block, its rows into a builder or the tables;
 * txn_commit() writes the pending block, publishes the rows as a run of the head, and commits, and
 * only then the tail moves.
 *
 * When it fails:
 * - a write that finds no room, in the map or on the disk: LMDB keeps the last commit, and so does
 *   the tail.  The transaction is aborted with STATUS_STORAGE_FULL and the next may go well.
 * - any other failure of the commit itself: nobody knows what is on disk.  STATUS_STORAGE_FAILED,
 *   then and for every transaction from then on; a new start reads what is there.
 *
 * Committer thread. */
#pragma once

#include "billingd/store/engine.h"
#include "billingd/store/lmdb/dedup.h"
#include "billingd/store/lmdb/file_room.h"
#include "billingd/store/lmdb/journal.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/sealer.h"
#include "billingd/store/lmdb/tidier.h"

struct txn_writer;

struct lmdb_txn {
    struct store_txn base;
    struct txn_writer *writer;
    MDB_txn *txn; /* owned; NULL: no transaction */
    struct journal_writer journal;
    struct lmdb_view view;
    int failed; /* the status of the append that failed */
};

/* What every transaction writes with. */
struct txn_writer {
    /* --- not owned --- */
    struct lmdb_store *store; /* of the views */
    const struct env *env;
    struct head *head;
    struct filter_shelf *shelf;
    struct turn *turn;
    struct sealer *sealer;
    struct tidier *tidier;
    uint64_t id_key; /* of the store */

    struct sha256 *sha;           /* owned */
    struct block_writer *pending; /* owned */
    struct journal_tail tail;     /* of the last commit */
    struct file_room room;
    struct run_builder builder; /* of what the transaction appends */
    struct dedup dedup;
    struct lmdb_txn txn; /* the one there is */
    bool failed;         /* a commit had an unknown outcome */
};

/* Make what *WRITER, which is zero, owns from the start, with blocks of BLOCK_BYTES.  Returns 0 or
 * STATUS_NO_MEMORY; free it with txn_writer_done() in either case. */
MUSTCHECK int txn_writer_init(struct txn_writer *writer, size_t block_bytes);

/* Ready WRITER, in which all that is not owned and the tail are set now. */
void txn_writer_begin(struct txn_writer *writer);

/* Read now what the first transaction would wait for: the filters of all segments.  Where that
 * fails, it is the first transaction's to say so. */
void txn_writer_open_filters(struct txn_writer *writer);
void txn_writer_done(struct txn_writer *writer);

/* As store_begin(). */
MUSTCHECK int txn_begin(struct txn_writer *writer, int64_t now_us, struct store_txn **ret_txn);

/* As their namesakes in store.h. */
struct store_view *txn_view(struct store_txn *base);
MUSTCHECK int txn_announce(struct store_txn *base, const struct store_key *keys, size_t n);
MUSTCHECK int txn_append(struct store_txn *base, struct record *record);
MUSTCHECK int txn_commit(struct store_txn *base);
void txn_abort(struct store_txn *base);
