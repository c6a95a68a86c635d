#include "billingd/store/lmdb/txn.h"

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/index.h"

enum {
    HEAD_OVERFILL = 2,     /* so many times its bound the head may hold before recording waits */
    SORTED_LATER_MIN = 64, /* records: fewer are sorted sooner than anybody is woken up, when they
                              are read or merged */
};

static struct lmdb_txn *txn_of(struct store_txn *base)
{
    return (struct lmdb_txn *)base; /* its first member */
}

/* --- life ------------------------------------------------------------------------------------- */

int txn_writer_init(struct txn_writer *writer, size_t block_bytes)
{
    writer->sha = sha256_create();
    return writer->sha == NULL ? STATUS_NO_MEMORY
                               : block_writer_create(block_bytes, &writer->pending);
}

void txn_writer_begin(struct txn_writer *writer)
{
    file_room_init(&writer->room, writer->env);
    run_builder_init(&writer->builder, writer->id_key);
    dedup_init(&writer->dedup, writer->shelf, writer->head, writer->id_key);
}

void txn_writer_open_filters(struct txn_writer *writer)
{
    struct view_rows rows;
    MDB_txn *txn;
    if (mdb_txn_begin(writer->env->mdb, NULL, MDB_RDONLY, &txn) != 0) {
        return;
    }
    if (view_rows_init(&rows, writer->env, txn, head_hold(writer->head), UINT64_MAX, NULL) == 0) {
        IGNORE(dedup_begin(&writer->dedup, &rows) < 0); /* the next transaction tries again */
        view_rows_done(&rows);
    }
    mdb_txn_abort(txn);
}

void txn_writer_done(struct txn_writer *writer)
{
    REQUIRE(writer->txn.txn == NULL);
    dedup_done(&writer->dedup);
    run_builder_done(&writer->builder);
    block_writer_destroy(writer->pending);
    sha256_destroy(writer->sha);
}

/* --- a transaction ---------------------------------------------------------------------------- */

/* The head must not grow without bound where the sealer does not come after.  Returns 0, or why
 * nothing can be appended now. */
static int wait_for_room(struct txn_writer *writer)
{
    if (head_active(writer->head) < HEAD_OVERFILL * writer->head->records_max) {
        return 0;
    }
    return sealer_wait(writer->sealer);
}

/* What TXN sees: the last commit, and what it appends. */
static int begin_view(struct txn_writer *writer, struct lmdb_txn *txn)
{
    struct lmdb_view *view = &txn->view;
    view->store = writer->store;
    lookup_begin(view, writer->env, txn->txn, &txn->journal);
    view->id_key = writer->id_key;
    view->dedup = &writer->dedup;
    view->absent.seq = 0;
    run_builder_reset(&writer->builder, writer->tail.next_seq);
    int rc = view_rows_init(&view->rows, writer->env, txn->txn, head_hold(writer->head), UINT64_MAX,
                            &writer->builder);
    if (rc < 0) {
        return rc;
    }
    rc = dedup_begin(&writer->dedup, &view->rows);
    if (rc < 0) {
        view_rows_done(&view->rows);
    }
    return rc;
}

static void end_txn(struct lmdb_txn *txn)
{
    txn->txn = NULL;
    turn_give(txn->writer->turn);
}

static int begin_in_turn(struct txn_writer *writer, struct lmdb_txn *txn, int64_t now_us)
{
    writer->failed |= turn_is_spoilt(writer->turn);
    if (writer->failed) {
        return STATUS_STORAGE_FAILED;
    }
    int rc = mdb_txn_begin(writer->env->mdb, NULL, 0, &txn->txn);
    if (rc != 0) {
        return env_status(rc);
    }
    file_room_keep(&writer->room, writer->env); /* LMDB itself writes when it commits */
    block_writer_reset(writer->pending);
    txn->base.ops = &store_lmdb;
    txn->journal = (struct journal_writer){
        .env = writer->env,
        .txn = txn->txn,
        .sha = writer->sha,
        .pending = writer->pending,
        .tail = writer->tail,
        .created_at_us = now_us,
    };
    rc = begin_view(writer, txn);
    if (rc < 0) {
        mdb_txn_abort(txn->txn);
    }
    return rc;
}

int txn_begin(struct txn_writer *writer, int64_t now_us, struct store_txn **ret_txn)
{
    struct lmdb_txn *txn = &writer->txn;
    REQUIRE(txn->txn == NULL);
    txn->writer = writer;
    txn->failed = wait_for_room(writer); /* what is recorded is found all the same */
    turn_take(writer->turn, TURN_COMMITTER);
    int rc = begin_in_turn(writer, txn, now_us);
    if (rc < 0) {
        end_txn(txn);
        return rc;
    }
    *ret_txn = &txn->base;
    return 0;
}

struct store_view *txn_view(struct store_txn *base)
{
    return &txn_of(base)->view.base;
}

int txn_announce(struct store_txn *base, const struct store_key *keys, size_t n)
{
    struct txn_writer *writer = txn_of(base)->writer;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = dedup_announce(&writer->dedup, keys[i]);
    }
    return rc;
}

/* Add RECORD, whose request id is *REQUEST unless that is NULL, to the rows. */
static int add_rows(struct txn_writer *writer, struct lmdb_txn *txn, const struct record *record,
                    const struct request_row *request)
{
    struct record voided;
    bool is_void = record->kind == RECORD_USAGE_VOIDED;
    int rc = is_void ? lookup_promised(&txn->view.base, record->usage_voided.usage, RECORD_USAGE,
                                       &voided)
                     : 0;
    if (rc == 0) {
        rc = run_builder_add(&writer->builder, record, request, is_void ? &voided : NULL);
    }
    if (rc == 0 && request != NULL) {
        rc = head_note(writer->head, *request);
    }
    return rc;
}

/* Add RECORD, which the journal has, to all that is derived from it. */
static int derive(struct txn_writer *writer, struct lmdb_txn *txn, const struct record *record)
{
    struct store_key key = {record_scope(record), record->request_id};
    struct request_row request = {.seq = record->seq};
    bool has_request = key.request_id.length > 0;
    int rc = has_request ? lookup_request_is_free(&txn->view.base, key, &request) : 0;
    if (rc == 0) {
        rc = add_rows(writer, txn, record, has_request ? &request : NULL);
    }
    journal_forget(&txn->view.journal); /* a write may move the page that it is in */
    return rc < 0 ? rc : index_add(writer->env, txn->txn, record);
}

int txn_append(struct store_txn *base, struct record *record)
{
    struct lmdb_txn *txn = txn_of(base);
    if (txn->failed < 0) {
        return txn->failed;
    }
    journal_forget(&txn->view.journal);
    int rc = journal_append(&txn->journal, record);
    if (rc == 0) {
        rc = derive(txn->writer, txn, record);
    }
    txn->failed = rc;
    return rc;
}

/* What was appended is not recorded. */
static void forget_requests(struct txn_writer *writer)
{
    for (size_t i = 0; i < writer->builder.n_requests; i++) {
        head_forget(writer->head, writer->builder.requests[i]);
    }
}

void txn_abort(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    forget_requests(txn->writer);
    view_rows_done(&txn->view.rows);
    mdb_txn_abort(txn->txn);
    end_txn(txn);
}

/* Make a run of what was appended and publish it.  It is sorted while the commit waits for the
 * disk. */
static int publish(struct txn_writer *writer)
{
    struct run *run;
    int rc = run_build(&writer->builder, &run);
    if (rc < 0) {
        return rc;
    }
    rc = head_publish(writer->head, run);
    if (rc < 0) {
        run_release(run);
    } else if (run_builder_count(&writer->builder) > SORTED_LATER_MIN) {
        tidier_wake(writer->tidier);
    }
    return rc;
}

/* The commit itself, and with it what the sealer has to write; the turn is given back. */
static int commit_run(struct txn_writer *writer, struct lmdb_txn *txn)
{
    int rc = turn_take_along(writer->turn, txn->txn);
    bool is_ours = rc == 0;
    if (rc == 0) {
        rc = env_commit(writer->env, txn->txn);
    } else {
        mdb_txn_abort(txn->txn);
    }
    if (rc == 0) {
        writer->tail = txn->journal.tail;
    } else {
        head_retract(writer->head);
        forget_requests(writer);
    }
    writer->failed = rc == STATUS_STORAGE_FAILED;
    end_txn(txn);
    turn_ride_over(writer->turn, rc);
    if (is_ours || rc == STATUS_STORAGE_FULL || rc == STATUS_STORAGE_FAILED) {
        return rc;
    }
    return STATUS_BUSY; /* the slice could not be written: it goes alone from now on */
}

int txn_commit(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    struct txn_writer *writer = txn->writer;
    int rc = txn->failed < 0 ? txn->failed : journal_flush(&txn->journal);
    if (rc == 0 && run_builder_count(&writer->builder) > 0) {
        rc = publish(writer);
    } else if (rc == 0) {
        txn_abort(base); /* nothing was appended */
        return 0;
    }
    if (rc < 0) {
        txn_abort(base);
        return rc;
    }
    view_rows_done(&txn->view.rows);
    rc = commit_run(writer, txn);
    if (rc < 0) {
        return rc;
    }
    head_settle(writer->head);
    if (head_is_untidy(writer->head)) {
        tidier_wake(writer->tidier);
    }
    if (head_freeze(writer->head)) {
        sealer_wake(writer->sealer);
    }
    return 0;
}
