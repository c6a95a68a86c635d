#include "billingd/store/lmdb/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "billingd/base/clock.h"
#include "billingd/base/failpoint.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/backup_copy.h"
#include "billingd/store/lmdb/backup_target.h"

/* What a store and its copy have in common. */
struct facts {
    struct store_info info;
    struct journal_tail tail;     /* the chain's end: it stands for every record before it */
    uint64_t counts[ENV__TABLES]; /* of rows */
};

struct backup {
    const struct backup_source *source;
    const struct store_backup *how;
    struct backup_target target;
    struct facts facts;
    uint64_t bytes; /* that are to be copied */
};

/* --- facts ------------------------------------------------------------------------------------ */

/* Opening a store may seal or merge: these two change with no record. */
static bool is_fixed(enum env_table table)
{
    return table != ENV_MANIFEST && table != ENV_SEGMENTS;
}

static int read_tail(const struct lmdb_view *view, struct facts *facts, struct errinfo *reason)
{
    struct sha256 *sha = sha256_create();
    if (sha == NULL) {
        return errinfo_set(reason, STATUS_NO_MEMORY, "out of memory");
    }
    int rc = journal_start(view->env, view->txn, sha, view->id_key, &facts->tail, reason);
    sha256_destroy(sha);
    return rc;
}

static int read_facts(struct store_view *base, struct facts *ret, struct errinfo *reason)
{
    const struct lmdb_view *view = (const struct lmdb_view *)base; /* its first member */
    struct facts facts = {0};
    int rc = store_info(base, &facts.info);
    for (enum env_table table = ENV_META; table < ENV__TABLES && rc == 0; table++) {
        rc = env_count(view->env, view->txn, table, &facts.counts[table]);
    }
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.120s/data.mdb': %s", view->env->directory,
                           status_info(rc)->title);
    }
    rc = read_tail(view, &facts, reason);
    if (rc == 0) {
        *ret = facts;
    }
    return rc;
}

static int differs(const char *what, uint64_t copied, uint64_t expected, struct errinfo *reason)
{
    return errinfo_set(reason, STATUS_INTERNAL,
                       "the copy is not as the store: %s: %" PRIu64 " in place of %" PRIu64, what,
                       copied, expected);
}

static int compare_facts(const struct facts *copy, const struct facts *store,
                         struct errinfo *reason)
{
    const struct {
        const char *what;
        uint64_t copied;
        uint64_t expected;
    } rows[] = {
        {"the store's key", copy->info.id_key, store->info.id_key},
        {"when it was made", (uint64_t)copy->info.created_at_us,
         (uint64_t)store->info.created_at_us},
        {"the last record", copy->info.last_seq, store->info.last_seq},
        {"the next record", copy->tail.next_seq, store->tail.next_seq},
        {"customers", copy->info.customers, store->info.customers},
        {"usage records", copy->info.usage, store->info.usage},
        {"invoices", copy->info.invoices, store->info.invoices},
        {"the journal's hash",
         (uint64_t)memcmp(copy->tail.hash, store->tail.hash, BLOCK_HASH_BYTES), 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].copied != rows[i].expected) {
            return differs(rows[i].what, rows[i].copied, rows[i].expected, reason);
        }
    }
    for (enum env_table table = ENV_META + 1; table < ENV__TABLES; table++) {
        if (is_fixed(table) && copy->counts[table] != store->counts[table]) {
            return differs(env_table_name(table), copy->counts[table], store->counts[table],
                           reason);
        }
    }
    return 0;
}

/* --- copy and check --------------------------------------------------------------------------- */

static int copy_view(struct backup *backup, struct store_view *base, struct errinfo *reason)
{
    struct backup_copy copy = {
        .view = (const struct lmdb_view *)base, /* its first member */
        .meta = backup->source->meta,
        .how = backup->how,
        .all = backup->bytes,
    };
    return backup_copy_run(&copy, backup->target.partial, reason);
}

static int begin_target(struct backup *backup, struct store_view *base, struct errinfo *reason)
{
    int rc = read_facts(base, &backup->facts, reason);
    if (rc < 0) {
        return rc;
    }
    rc = backup_copy_bytes((const struct lmdb_view *)base, &backup->bytes);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.120s/data.mdb': %s",
                           backup->source->env->directory, status_info(rc)->title);
    }
    return backup_target_begin(backup->how->directory, backup->source->env->directory,
                               backup->bytes, &backup->target, reason);
}

/* All that needs the view. */
static int copy_store(struct backup *backup, struct store_copied *copied, struct errinfo *reason)
{
    struct store_view *view = NULL;
    int64_t begun_us = clock_monotonic_us();
    uint64_t bytes = env_bytes(backup->source->env);
    int rc = store_snapshot(backup->source->store, &view);
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot begin to read the store: %s",
                           status_info(rc)->title);
    }
    rc = begin_target(backup, view, reason);
    if (rc == 0) {
        rc = copy_view(backup, view, reason);
    }
    store_release(view);
    copied->held_us = clock_monotonic_us() - begun_us;
    copied->grown = env_bytes(backup->source->env) - bytes;
    return rc;
}

/* Open the copy as a start would, which reads the end of the journal and what no segment has. */
static int check_copy(const struct backup *backup, struct errinfo *reason)
{
    MDB_envinfo source;
    struct store *store = NULL;
    struct store_view *view = NULL;
    struct facts facts = {0};
    int rc = env_status(mdb_env_info(backup->source->env->mdb, &source));
    const struct store_options options = {
        .data_dir = backup->target.partial,
        .map_bytes = rc == 0 ? source.me_mapsize : 0,
        .readers_max = 1,
        .currency = backup->source->meta->currency,
        .now_us = clock_wall_us(),
    };
    if (rc == 0) {
        rc = store_open("lmdb:", &options, &store, reason);
    }
    if (rc < 0) {
        return rc;
    }
    rc = store_snapshot(store, &view);
    if (rc < 0) {
        rc = errinfo_set(reason, rc, "cannot read the copy: %s", status_info(rc)->title);
    } else {
        rc = read_facts(view, &facts, reason);
        store_release(view);
    }
    store_close(store);
    return rc < 0 ? rc : compare_facts(&facts, &backup->facts, reason);
}

static uint64_t file_bytes(const struct backup_target *target)
{
    struct stat about;
    return fstatat(target->fd, "data.mdb", &about, 0) < 0 ? 0 : (uint64_t)about.st_size;
}

/* From the copy to the backup. */
static int finish(struct backup *backup, struct store_copied *copied, struct errinfo *reason)
{
    const struct store_backup *how = backup->how;
    FAILPOINT("backup_copied");
    int rc = how->progress_cb(backup->bytes, backup->bytes, how->arg);
    if (rc == 0) {
        rc = check_copy(backup, reason);
    }
    if (rc == 0) {
        rc = how->progress_cb(backup->bytes, backup->bytes, how->arg);
    }
    FAILPOINT("backup_checked");
    if (rc == 0) {
        copied->last_seq = backup->facts.info.last_seq;
        copied->bytes = file_bytes(&backup->target);
        rc = backup_target_finish(&backup->target, reason);
    }
    FAILPOINT("backup_named");
    return rc;
}

int backup_run(const struct backup_source *source, const struct store_backup *how,
               struct store_copied *ret, struct errinfo *reason)
{
    struct backup backup = {
        .source = source,
        .how = how,
        .target = {.parent_fd = -1, .fd = -1},
    };
    struct store_copied copied = {0};
    int rc = copy_store(&backup, &copied, reason);
    if (rc == 0) {
        rc = finish(&backup, &copied, reason);
    }
    backup_target_done(&backup.target);
    if (rc == 0) {
        *ret = copied;
    }
    return rc;
}
