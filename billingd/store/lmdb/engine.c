/* The engine "lmdb:": store.h over a journal and B-trees that are derived from it.
 *
 * A transaction, as it goes: store_begin() starts from the tail of the last commit; store_append()
 * puts the record into the pending block and its rows into the tables; store_commit() writes the
 * pending block and commits, and only then the tail moves.
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
#include "billingd/store/lmdb/scan.h"
#include "billingd/store/lmdb/views.h"

enum {
    READERS_SPARE = 16, /* LMDB's own tools may look at a store that is open */
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
    struct views views;

    /* --- committer thread --- */
    struct sha256 *sha;           /* owned */
    struct block_writer *pending; /* owned */
    struct journal_tail tail;     /* of the last commit */
    struct lmdb_txn txn;          /* the one there is */
    bool failed;                  /* a commit had an unknown outcome */
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

/* Also of a store that was opened in part. */
static void close_store(struct store *base)
{
    struct lmdb_store *store = store_of(base);
    REQUIRE(store->txn.txn == NULL);
    if (store->views.env != NULL) {
        views_done(&store->views);
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

static int make_parts(struct lmdb_store *store, size_t block_bytes, unsigned readers_max,
                      struct errinfo *reason)
{
    store->sha = sha256_create();
    int rc = store->sha == NULL ? STATUS_NO_MEMORY : 0;
    if (rc == 0) {
        rc = block_writer_create(block_bytes, &store->pending);
    }
    if (rc == 0) {
        rc = views_init(&store->views, &store->env, readers_max);
    }
    return rc < 0 ? errinfo_set(reason, rc, "cannot open the store: out of memory") : 0;
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
        rc = make_parts(store, config->block_bytes, options->readers_max, reason);
    }
    return rc < 0 ? rc : start(store, options, reason);
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

static int begin(struct store *base, int64_t now_us, struct store_txn **ret_txn)
{
    struct lmdb_store *store = store_of(base);
    struct lmdb_txn *txn = &store->txn;
    REQUIRE(txn->txn == NULL);
    if (store->failed) {
        return STATUS_STORAGE_FAILED;
    }
    int rc = mdb_txn_begin(store->env.mdb, NULL, 0, &txn->txn);
    if (rc != 0) {
        txn->txn = NULL;
        return env_status(rc);
    }
    block_writer_reset(store->pending);
    txn->base.ops = &store_lmdb;
    txn->store = store;
    txn->failed = 0;
    txn->journal = (struct journal_writer){
        .env = &store->env,
        .txn = txn->txn,
        .sha = store->sha,
        .pending = store->pending,
        .tail = store->tail,
        .created_at_us = now_us,
    };
    txn->view.store = store;
    lookup_begin(&txn->view, &store->env, txn->txn, &txn->journal);
    *ret_txn = &txn->base;
    return 0;
}

static struct store_view *txn_view(struct store_txn *base)
{
    return &txn_of(base)->view.base;
}

/* The B-trees are in memory or a page away: nothing is gained by asking early. */
static int announce(struct store_txn *base, const struct store_key *keys, size_t n)
{
    (void)base;
    (void)keys;
    (void)n;
    return 0;
}

static int append(struct store_txn *base, struct record *record)
{
    struct lmdb_txn *txn = txn_of(base);
    if (txn->failed < 0) {
        return txn->failed;
    }
    journal_forget(&txn->view.journal); /* a write may move the page that it is in */
    int rc = journal_append(&txn->journal, record);
    if (rc == 0) {
        rc = index_add(&txn->store->env, txn->txn, record);
    }
    txn->failed = rc;
    return rc;
}

static void abort_txn(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    mdb_txn_abort(txn->txn);
    txn->txn = NULL;
}

static int commit(struct store_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    struct lmdb_store *store = txn->store;
    int rc = txn->failed < 0 ? txn->failed : journal_flush(&txn->journal);
    if (rc < 0) {
        abort_txn(base);
        return rc;
    }
    rc = env_commit(&store->env, txn->txn);
    txn->txn = NULL;
    if (rc == 0) {
        store->tail = txn->journal.tail;
    }
    store->failed = rc == STATUS_STORAGE_FAILED;
    return rc;
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
        rc = env_count(&store->env, view->txn, ENV_USAGE, &about.usage);
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
