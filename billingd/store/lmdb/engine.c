/* The engine "lmdb:": store.h over a journal and what is derived from it: rows in the head and in
 * segments for what comes in masses, B-trees for the rest.  Opening and closing; writing is in
 * txn.h, reading in lookup.h and scan.h. */
#include "billingd/store/engine.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/api_keys.h"
#include "billingd/store/lmdb/backup.h"
#include "billingd/store/lmdb/backup_target.h"
#include "billingd/store/lmdb/config.h"
#include "billingd/store/lmdb/directory.h"
#include "billingd/store/lmdb/look.h"
#include "billingd/store/lmdb/meta.h"
#include "billingd/store/lmdb/recovery.h"
#include "billingd/store/lmdb/scan.h"
#include "billingd/store/lmdb/txn.h"
#include "billingd/store/lmdb/upgrade.h"
#include "billingd/store/lmdb/verify.h"
#include "billingd/store/lmdb/views.h"

enum {
    READERS_SPARE = 16, /* LMDB's own tools may look at a store that is open; the sealer reads */
};

struct lmdb_store {
    struct store base;
    struct directory directory;
    struct env env;
    struct meta meta;
    struct head head;
    struct turn turn;
    struct filter_shelf shelf;
    struct sealer sealer;
    struct tidier tidier;
    bool begun;   /* head, turn, shelf, sealer, tidier and views are there */
    bool started; /* the head has what the journal has */
    struct views views;
    struct txn_writer writer; /* committer thread */
};

static struct lmdb_store *store_of(struct store *base)
{
    return (struct lmdb_store *)base; /* its first member */
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
    REQUIRE(store->writer.txn.txn == NULL);
    if (store->begun) {
        tidier_stop(&store->tidier);
        sealer_stop(&store->sealer);
        if (store->started && !store->writer.failed && sealer_status(&store->sealer) == 0) {
            seal_rest(store);
        }
        sealer_done(&store->sealer);
        tidier_done(&store->tidier);
        views_done(&store->views);
        head_done(&store->head);
        filter_shelf_done(&store->shelf);
        turn_done(&store->turn);
    }
    if (store->env.mdb != NULL) {
        env_close(&store->env);
    }
    txn_writer_done(&store->writer);
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
    return journal_start(&store->env, txn, store->writer.sha, store->meta.id_key,
                         &store->writer.tail, reason);
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

static int make_writer(struct lmdb_store *store, size_t block_bytes, struct errinfo *reason)
{
    int rc = txn_writer_init(&store->writer, block_bytes);
    return rc < 0 ? errinfo_set(reason, rc, "cannot open the store: out of memory") : 0;
}

/* The last record that segments have.  REASON is left alone where it says nothing of its own. */
static int read_sealed(const struct lmdb_store *store, uint64_t *ret_seq, struct errinfo *reason)
{
    MDB_txn *txn;
    struct manifest manifest;
    int rc = env_status(mdb_txn_begin(store->env.mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return rc;
    }
    rc = manifest_read(&store->env, txn, &manifest);
    if (rc == 0) {
        *ret_seq = manifest_sealed_seq(&manifest);
        rc = manifest_is_whole(&manifest) ? 0 : STATUS_CORRUPT;
        manifest_done(&manifest);
    }
    if (rc == STATUS_CORRUPT) {
        rc = manifest_explain(&store->env, txn, reason);
    }
    mdb_txn_abort(txn);
    return rc;
}

static void begin_writer(struct lmdb_store *store)
{
    struct txn_writer *writer = &store->writer;
    writer->store = store;
    writer->env = &store->env;
    writer->head = &store->head;
    writer->shelf = &store->shelf;
    writer->turn = &store->turn;
    writer->sealer = &store->sealer;
    writer->tidier = &store->tidier;
    writer->id_key = store->meta.id_key;
    txn_writer_begin(writer);
}

/* What is in memory: empty, behind the last segment. */
static int begin_parts(struct lmdb_store *store, const struct lmdb_config *config,
                       unsigned readers_max, struct errinfo *reason)
{
    uint64_t id_key = store->meta.id_key;
    uint64_t sealed_seq = 0;
    struct sealer_options options = {
        .env = &store->env,
        .head = &store->head,
        .turn = &store->turn,
        .shelf = &store->shelf,
        .slice_bytes = config->slice_bytes,
        .merge_width = (unsigned)config->merge_width,
    };
    int rc = read_sealed(store, &sealed_seq, reason);
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
    filter_shelf_init(&store->shelf);
    sealer_init(&store->sealer, &options);
    tidier_init(&store->tidier, &store->head);
    begin_writer(store);
    store->begun = true;
    return 0;
}

/* Bring the head up to the journal's end, and let the sealer go on by itself. */
static int catch_up(struct lmdb_store *store, const struct lmdb_config *config,
                    const struct store_options *options, struct errinfo *reason)
{
    reason->message[0] = '\0';
    int rc = begin_parts(store, config, options->readers_max, reason);
    if (rc < 0 && reason->message[0] != '\0') {
        return rc;
    }
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot open the segments of '%.120s/data.mdb': %s",
                           store->env.directory, status_info(rc)->title);
    }
    struct recovery_options recovery = {
        .env = &store->env,
        .id_key = store->meta.id_key,
        .progress = options->progress,
        .progress_arg = options->progress_arg,
    };
    rc = recovery_run(&recovery, &store->head, &store->sealer, reason);
    if (rc < 0) {
        return rc;
    }
    txn_writer_open_filters(&store->writer);
    store->started = true;
    rc = sealer_start(&store->sealer);
    if (rc == 0) {
        rc = tidier_start(&store->tidier);
    }
    return rc < 0 ? errinfo_set(reason, rc, "cannot start the threads of the store") : 0;
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
        rc = make_writer(store, config->block_bytes, reason);
    }
    if (rc == 0) {
        rc = start(store, options, reason);
    }
    return rc < 0 ? rc : catch_up(store, config, options, reason);
}

static int check(const char *uri, struct errinfo *reason)
{
    struct lmdb_config config;
    return lmdb_config_parse(uri, "/", &config, reason); /* wherever the data is */
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

static int look(const char *uri, const struct store_options *options, struct store_found *ret,
                struct errinfo *reason)
{
    struct lmdb_config config;
    int rc = lmdb_config_parse(uri, options->data_dir, &config, reason);
    return rc < 0 ? rc : look_at(config.directory, options, ret, reason);
}

static void stats(struct store *base, struct store_stats *ret)
{
    struct lmdb_store *store = store_of(base);
    ret->file_bytes = env_bytes(&store->env);
    ret->disk_free_bytes = env_disk_free(&store->env);
    env_extent(&store->env, &ret->used_bytes, &ret->map_bytes);
    sealer_segments(&store->sealer, &ret->segments, &ret->segments_replaced);
    ret->sealer_status = sealer_status(&store->sealer);
    ret->segment_damaged = atomic_load(&store->sealer.damaged);
    ret->segments_damaged = ret->segment_damaged != 0 || atomic_load(&store->sealer.unswept);
    head_extent(&store->head, &ret->head_records, &ret->head_bytes);
    ret->views = views_taken(&store->views, &ret->oldest_view_us);
}

/* --- writing ---------------------------------------------------------------------------------- */

static int begin(struct store *base, int64_t now_us, struct store_txn **ret_txn)
{
    return txn_begin(&store_of(base)->writer, now_us, ret_txn);
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
        rc = env_count(&store->env, view->txn, ENV_API_KEY_NAMES, &about.api_keys);
    }
    if (rc == 0) {
        *ret = about;
    }
    return rc;
}

/* --- backing up ------------------------------------------------------------------------------- */

static int backup_check(struct store *base, const char *directory, struct errinfo *reason)
{
    return backup_target_check(directory, store_of(base)->env.directory, reason);
}

static int backup(struct store *base, const struct store_backup *how, struct store_copied *ret,
                  struct errinfo *reason)
{
    const struct lmdb_store *store = store_of(base);
    const struct backup_source source = {base, &store->env, &store->meta};
    return backup_run(&source, how, ret, reason);
}

const struct store_ops store_lmdb = {
    .scheme = "lmdb:",
    .check = check,
    .open = open_store,
    .look = look,
    .close = close_store,
    .stats = stats,
    .begin = begin,
    .txn_view = txn_view,
    .announce = txn_announce,
    .append = txn_append,
    .commit = txn_commit,
    .abort = txn_abort,
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
    .api_key = api_keys_find,
    .api_key_named = api_keys_find_named,
    .scan_api_keys = api_keys_scan,
    .verify = verify_run,
    .backup_check = backup_check,
    .backup = backup,
};
