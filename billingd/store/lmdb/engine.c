/* The engine "lmdb:": store.h over a journal and what is derived from it: rows in the head and in
 * segments for what comes in masses, B-trees for the rest.
 *
 * A transaction, as it goes: store_begin() waits for its turn and starts from the tail of the last
 * commit; store_append() puts the record into the pending block, its rows into a builder or the
 * tables; store_commit() writes the pending block, publishes the rows as a run of the head, and
 * commits, and only then the tail moves.
 *
 * When it fails:
 * - a write that finds no room, in the map or on the disk: LMDB keeps the last commit, and so does
 *   the tail.  The transaction is aborted with STATUS_STORAGE_FULL and the next may go well.
 * - any other failure of the commit itself: nobody knows what is on disk.  STATUS_STORAGE_FAILED,
 *   then and for every transaction from then on; a new start reads what is there. */
#include "billingd/store/engine.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/config.h"
#include "billingd/store/lmdb/directory.h"
#include "billingd/store/lmdb/index.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/meta.h"
#include "billingd/store/lmdb/recovery.h"
#include "billingd/store/lmdb/scan.h"
#include "billingd/store/lmdb/sealer.h"
#include "billingd/store/lmdb/upgrade.h"
#include "billingd/store/lmdb/views.h"

enum {
    READERS_SPARE = 16, /* LMDB's own tools may look at a store that is open; the sealer reads */
    HEAD_OVERFILL = 2,  /* so many times its bound the head may hold before recording waits */
};

struct lmdb_txn {
    struct store_txn base;
    struct lmdb_store *store;
    MDB_txn *txn; /* owned; NULL: no transaction */
    struct journal_writer journal;
    struct lmdb_view view;
    int failed; /* the status of the append that failed */
};

struct lmdb_store {
    struct store base;
    struct directory directory;
    struct env env;
    struct meta meta;
    struct head head;
    struct turn turn;
    struct sealer sealer;
    bool begun;   /* head, turn, sealer and views are there */
    bool started; /* the head has what the journal has */
    struct views views;

    /* --- committer thread --- */
    struct sha256 *sha;           /* owned */
    struct block_writer *pending; /* owned */
    struct journal_tail tail;     /* of the last commit */
    struct run_builder builder;   /* of what the transaction appends */
    struct dedup dedup;
    struct lmdb_txn txn; /* the one there is */
    bool failed;         /* a commit had an unknown outcome */
};

static struct lmdb_store *store_of(struct store *base)
{
    return (struct lmdb_store *)base; /* its first member */
}

static struct lmdb_txn *txn_of(struct store_txn *base)
{
    return (struct lmdb_txn *)base; /* its first member */
}

/* --- open and close --------------------------------------------------------------------------- */

/* Seal what the head has, so that the next start need not read it again.  Where that fails it
 * does: the journal has everything. */
static void seal_rest(struct lmdb_store *store)
{
    int rc = sealer_seal(&store->sealer);
    if (rc == 0 && head_freeze_all(&store->head)) {
        rc = sealer_seal(&store->sealer);
    }
    IGNORE(rc < 0);
}

/* Also of a store that was opened in part. */
static void close_store(struct store *base)
{
    struct lmdb_store *store = store_of(base);
    REQUIRE(store->txn.txn == NULL);
    if (store->begun) {
        sealer_stop(&store->sealer);
        if (store->started && !store->failed && sealer_status(&store->sealer) == 0) {
            seal_rest(store);
        }
        sealer_done(&store->sealer);
        views_done(&store->views);
        dedup_done(&store->dedup);
        run_builder_done(&store->builder);
        head_done(&store->head);
        turn_done(&store->turn);
    }
    if (store->env.mdb != NULL) {
        env_close(&store->env);
    }
    block_writer_destroy(store->pending);
    sha256_destroy(store->sha);
    directory_close(&store->directory); /* last: the lock guards all the above */
    free(store);
}

/* Look at what is there before anything is made. */
static int open_tables(struct lmdb_store *store, MDB_txn *txn, const struct store_options *options,
                       struct errinfo *reason)
{
    const char *path = store->env.directory;
    int rc = env_open_meta(&store->env, txn);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.120s/data.mdb'", path);
    }
    rc = meta_open(&store->env, txn, options, &store->meta, reason);
    if (rc < 0) {
        return rc;
    }
    rc = env_open_tables(&store->env, txn);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot open the tables of '%.120s/data.mdb'", path);
    }
    rc = upgrade_run(&store->env, txn, &store->meta, reason);
    if (rc < 0) {
        return rc;
    }
    return journal_start(&store->env, txn, store->sha, store->meta.id_key, &store->tail, reason);
}

static int start(struct lmdb_store *store, const struct store_options *options,
                 struct errinfo *reason)
{
    const char *path = store->env.directory;
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env.mdb, NULL, 0, &txn);
    if (rc != 0) {
        return errinfo_set(reason, env_status(rc), "cannot read '%.120s/data.mdb': %s", path,
                           mdb_strerror(rc));
    }
    rc = open_tables(store, txn, options, reason);
    if (rc < 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = env_commit(&store->env, txn);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot write '%.120s/data.mdb': %s", path,
                           status_info(rc)->title);
    }
    return directory_sync(&store->directory, path, reason);
}

static int make_parts(struct lmdb_store *store, size_t block_bytes, struct errinfo *reason)
{
    store->sha = sha256_create();
    int rc = store->sha == NULL ? STATUS_NO_MEMORY : 0;
    if (rc == 0) {
        rc = block_writer_create(block_bytes, &store->pending);
    }
    return rc < 0 ? errinfo_set(reason, rc, "cannot open the store: out of memory") : 0;
}

/* The last record that segments have. */
static int read_sealed(const struct lmdb_store *store, uint64_t *ret_seq)
{
    MDB_txn *txn;
    struct manifest manifest;
    int rc = env_status(mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return rc;
    }
    rc = manifest_read(&store->env, txn, &manifest);
    mdb_txn_abort(txn);
    if (rc == 0) {
        *ret_seq = manifest_sealed_seq(&manifest);
        rc = manifest_is_whole(&manifest) ? 0 : STATUS_CORRUPT;
        manifest_done(&manifest);
    }
    return rc;
}

/* What is in memory: empty, behind the last segment. */
static int begin_parts(struct lmdb_store *store, const struct lmdb_config *config,
                       unsigned readers_max)
{
    uint64_t id_key = store->meta.id_key;
    uint64_t sealed_seq;
    struct sealer_options options = {
        .env = &store->env,
        .head = &store->head,
        .turn = &store->turn,
        .slice_bytes = config->slice_bytes,
        .merge_width = (unsigned)config->merge_width,
    };
    int rc = read_sealed(store, &sealed_seq);
    if (rc == 0) {
        rc = head_init(&store->head, config->head_records, sealed_seq);
    }
    if (rc < 0) {
        return rc;
    }
    rc = views_init(&store->views, &store->env, &store->head, id_key, readers_max);
    if (rc < 0) {
        head_done(&store->head);
        return rc;
    }
    turn_init(&store->turn);
    sealer_init(&store->sealer, &options);
    run_builder_init(&store->builder, id_key);
    dedup_init(&store->dedup, &store->env, &store->head);
    store->begun = true;
    return 0;
}

/* Bring the head up to the journal's end, and let the sealer go on by itself. */
static int catch_up(struct lmdb_store *store, const struct lmdb_config *config,
                    unsigned readers_max, struct errinfo *reason)
{
    int rc = begin_parts(store, config, readers_max);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot open the segments of '%.120s/data.mdb': %s",
                           store->env.directory, status_info(rc)->title);
    }
    rc = recovery_run(&store->env, store->meta.id_key, &store->head, &store->sealer, reason);
    if (rc < 0) {
        return rc;
    }
    store->started = true;
    rc = sealer_start(&store->sealer);
    return rc < 0 ? errinfo_set(reason, rc, "cannot start the thread of the sealer") : 0;
}

static int open_parts(struct lmdb_store *store, const struct lmdb_config *config,
                      const struct store_options *options, struct errinfo *reason)
{
    int rc = directory_open(config->directory, &store->directory, reason);
    if (rc == 0) {
        rc = env_open(config->directory, options->map_bytes, options->readers_max + READERS_SPARE,
                      &store->env, reason);
    }
    if (rc == 0) {
        rc = make_parts(store, config->block_bytes, reason);
    }
    if (rc == 0) {
        rc = start(store, options, reason);
    }
    return rc < 0 ? rc : catch_up(store, config, options->readers_max, reason);
}

static int open_store(const char *uri, const struct store_options *options,
                      struct store **ret_store, struct errinfo *reason)
{
    struct lmdb_config config;
    int rc = lmdb_config_parse(uri, options->data_dir, &config, reason);
    if (rc < 0) {
        return rc;
    }
    struct lmdb_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return errinfo_set(reason, STATUS_NO_MEMORY, "cannot open the store: out of memory");
    }
    store->base.ops = &store_lmdb;
    store->directory = (struct directory){.fd = -1, .lock_fd = -1};
    rc = open_parts(store, &config, options, reason);
    if (rc < 0) {
        close_store(&store->base);
        return rc;
    }
    *ret_store = &store->base;
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The head must not grow without bound where the sealer does not come after.  Returns 0, or why
 * nothing can be appended now. */
static int wait_for_room(struct lmdb_store *store)
{
    if (head_active(&store->head) < HEAD_OVERFILL * store->head.records_max) {
        return 0;
    }
    return sealer_wait(&store->sealer);
}

/* What TXN sees: the last commit, and what it appends. */
static int begin_view(struct lmdb_store *store, struct lmdb_txn *txn)
{
    struct lmdb_view *view = &txn->view;
    view->store = store;
    lookup_begin(view, &store->env, txn->txn, &txn->journal);
    view->id_key = store->meta.id_key;
    view->dedup = &store->dedup;
    view->absent.seq = 0;
    run_builder_reset(&store->builder, store->tail.next_seq);
    int rc = view_rows_init(&view->rows, &store->env, txn->txn, head_hold(&store->head), UINT64_MAX,
                            &store->builder);
    if (rc < 0) {
        return rc;
    }
    rc = dedup_begin(&store->dedup, &view->rows);
    if (rc < 0) {
        view_rows_done(&view->rows);
    }
    return rc;
}

static void end_txn(struct lmdb_txn *txn)
{
    txn->txn = NULL;
    turn_give(&txn->store->turn);
}

static int begin_in_turn(struct lmdb_store *store, struct lmdb_txn *txn, int64_t now_us)
{
    store->failed |= sealer_status(&store->sealer) == STATUS_STORAGE_FAILED;
    if (store->failed) {
        return STATUS_STORAGE_FAILED;
    }
    int rc = mdb_txn_begin(store->env.mdb, NULL, 0, &txn->txn);
    if (rc != 0) {
        return env_status(rc);
    }
    block_writer_reset(store->pending);
    txn->base.ops = &store_lmdb;
    txn->journal = (struct journal_writer){
        .env = &store->env,
        .txn = txn->txn,
        .sha = store->sha,
        .pending = store->pending,
        .tail = store->tail,
        .created_at_us = now_us,
    };
    rc = begin_view(store, txn);
    if (rc < 0) {
        mdb_txn_abort(txn->txn);
    }
    return rc;
}

static int begin(struct store *base, int64_t now_us, struct store_txn **ret_txn)
{
    struct lmdb_store *store = store_of(base);
    struct lmdb_txn *txn = &store->txn;
    REQUIRE(txn->txn == NULL);
    txn->store = store;
    txn->failed = wait_for_room(store); /* what is recorded is found all the same */
    turn_take(&store->turn, TURN_COMMITTER);
    int rc = begin_in_turn(store, txn, now_us);
    if (rc < 0) {
        end_txn(txn);
        return rc;
    }
    *ret_txn = &txn->base;
    return 0;
}

static struct store_view *txn_view(struct store_txn *base)
{
    return &txn_of(base)->view.base;
}

/* All that a search for them looks at first comes into the cache at once. */
static int announce(struct store_txn *base, const struct store_key *keys, size_t n)
{
    const struct lmdb_store *store = txn_of(base)->store;
    for (size_t i = 0; i < n; i++) {
        uint64_t high;
        uint64_t low;
        row_fingerprint(keys[i], store->meta.id_key, &high, &low);
        dedup_prefetch(&store->dedup, high, low);
    }
    return 0;
}

/* Note the request id of RECORD, so that the transaction finds it again. */
static int add_request(struct lmdb_store *store, struct lmdb_txn *txn, const struct record *record)
{
    struct store_key key = {record_scope(record), record->request_id};
    struct request_row row = {.seq = record->seq};
    if (key.request_id.length == 0) {
        return 0;
    }
    int rc = lookup_request_is_free(&txn->view.base, key, &row);
    return rc < 0 ? rc : dedup_add(&store->dedup, row);
}

/* Add RECORD, which the journal has, to all that is derived from it. */
static int add_rows(struct lmdb_store *store, struct lmdb_txn *txn, const struct record *record)
{
    struct record voided;
    bool is_void = record->kind == RECORD_USAGE_VOIDED;
    int rc = add_request(store, txn, record);
    if (rc == 0 && is_void) {
        rc = lookup_promised(&txn->view.base, record->usage_voided.usage, RECORD_USAGE, &voided);
    }
    if (rc == 0) {
        rc = run_builder_add(&store->builder, record, is_void ? &voided : NULL);
    }
    journal_forget(&txn->view.journal); /* a write may move the page that it is in */
    return rc < 0 ? rc : index_add(&store->env, txn->txn, record);
}

static int append(struct store_txn *base, struct record *record)
{
    struct lmdb_txn *txn = txn_of(base);
    if (txn->failed < 0) {
        return txn->failed;
    }
    journal_forget(&txn->view.journal);
    int rc = journal_append(&txn->journal, record);
    if (rc == 0) {
        rc = add_rows(txn->store, txn, record);
    }
    txn->failed = rc;
    return rc;
}

static void abort_txn(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    view_rows_done(&txn->view.rows);
    mdb_txn_abort(txn->txn);
    end_txn(txn);
}

/* Make a run of what was appended and publish it. */
static int publish(struct lmdb_store *store)
{
    struct run *run;
    int rc = run_build(&store->builder, &run);
    if (rc < 0) {
        return rc;
    }
    rc = head_publish(&store->head, run);
    if (rc < 0) {
        run_release(run);
    }
    return rc;
}

/* The commit itself, and with it what the sealer has to write; the turn is given back. */
static int commit_run(struct lmdb_store *store, struct lmdb_txn *txn)
{
    int rc = turn_take_along(&store->turn, txn->txn);
    if (rc == 0) {
        rc = env_commit(&store->env, txn->txn);
    } else {
        mdb_txn_abort(txn->txn);
    }
    if (rc == 0) {
        store->tail = txn->journal.tail;
    } else {
        head_retract(&store->head);
    }
    store->failed = rc == STATUS_STORAGE_FAILED;
    end_txn(txn);
    turn_ride_over(&store->turn, rc);
    return rc;
}

static int commit(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    struct lmdb_store *store = txn->store;
    int rc = txn->failed < 0 ? txn->failed : journal_flush(&txn->journal);
    if (rc == 0 && run_builder_count(&store->builder) > 0) {
        rc = publish(store);
    } else if (rc == 0) {
        abort_txn(base); /* nothing was appended */
        return 0;
    }
    if (rc < 0) {
        abort_txn(base);
        return rc;
    }
    view_rows_done(&txn->view.rows);
    rc = commit_run(store, txn);
    if (rc < 0) {
        return rc;
    }
    head_settle(&store->head);
    if (head_freeze(&store->head)) {
        sealer_wake(&store->sealer);
    }
    return 0;
}

/* --- views ------------------------------------------------------------------------------------ */

static int snapshot(struct store *base, struct store_view **ret_view)
{
    struct lmdb_view *view;
    int rc = views_take(&store_of(base)->views, &view);
    if (rc == 0) {
        view->store = store_of(base);
        *ret_view = &view->base;
    }
    return rc;
}

static struct lmdb_store *store_of_view(struct store_view *base)
{
    return ((struct lmdb_view *)base)->store;
}

static void release(struct store_view *base)
{
    views_give(&store_of_view(base)->views, (struct lmdb_view *)base);
}

static int info(struct store_view *base, struct store_info *ret)
{
    struct lmdb_view *view = (struct lmdb_view *)base;
    const struct lmdb_store *store = store_of_view(base);
    struct store_info about = {
        .engine = "lmdb",
        .id_key = store->meta.id_key,
        .created_at_us = store->meta.created_at_us,
        .bytes = env_bytes(&store->env),
    };
    int rc = journal_last_seq(&view->journal, &about.last_seq);
    if (rc == 0) {
        rc = env_count(&store->env, view->txn, ENV_CUSTOMERS, &about.customers);
    }
    if (rc == 0) {
        about.usage = view_rows_usage(&view->rows);
    }
    if (rc == 0) {
        rc = env_count(&store->env, view->txn, ENV_INVOICES, &about.invoices);
    }
    if (rc == 0) {
        *ret = about;
    }
    return rc;
}

const struct store_ops store_lmdb = {
    .scheme = "lmdb:",
    .open = open_store,
    .close = close_store,
    .begin = begin,
    .txn_view = txn_view,
    .announce = announce,
    .append = append,
    .commit = commit,
    .abort = abort_txn,
    .snapshot = snapshot,
    .release = release,
    .info = info,
    .record = lookup_record,
    .request = lookup_request,
    .customer = lookup_customer,
    .external_id = lookup_external_id,
    .scan_customers = scan_customers,
    .scan = scan_billable,
    .scan_positions = scan_positions,
    .scan_journal = scan_journal,
    .scan_sums = scan_sums,
    .damaged = lookup_damaged,
    .void_of = lookup_void,
    .invoice = lookup_invoice,
    .scan_invoices = scan_invoices,
    .service = lookup_service,
    .scan_services = scan_services,
};
