#include "billingd/store/lmdb/upgrade.h"

#include <assert.h>
#include <inttypes.h>

#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/journal.h"

enum {
    FORMAT_OF_TREES = 1,
};

/* Of that format. */
static const char *const old_tables[] = {"requests", "usage", "usage_late"};

enum {
    N_OLD_TABLES = sizeof old_tables / sizeof old_tables[0],
};

static_assert((int)N_OLD_TABLES <= (int)ENV_OLD_TABLES_MAX, "each takes a handle");

static int pass_over(const struct record *record, void *arg)
{
    (void)record;
    (void)arg;
    return 0;
}

/* That everything can be made again from the journal. */
static int check_journal(const struct env *env, MDB_txn *txn, struct errinfo *reason)
{
    struct journal_reader reader = {.env = env, .txn = txn};
    int rc = journal_scan(&reader, 0, pass_over, NULL);
    return rc < 0 ? errinfo_set(reason, rc,
                                "'%.100s/data.mdb' cannot be upgraded: record %" PRIu64
                                " of its journal is damaged; it was left as it was: restore a "
                                "backup",
                                env->directory, reader.damaged)
                  : 0;
}

/* A table that was never made is none the less gone. */
static int drop(MDB_txn *txn, const char *table)
{
    MDB_dbi dbi;
    int rc = mdb_dbi_open(txn, table, 0, &dbi);
    if (rc == 0) {
        rc = mdb_drop(txn, dbi, 1);
    }
    return rc == MDB_NOTFOUND ? 0 : env_status(rc);
}

/* What format 2 has is read as it is. */
static int write_all(const struct env *env, MDB_txn *txn, struct meta *meta)
{
    int rc = 0;
    for (int i = 0; meta->format == FORMAT_OF_TREES && i < N_OLD_TABLES && rc == 0; i++) {
        rc = drop(txn, old_tables[i]);
    }
    meta->format = META_FORMAT;
    return rc < 0 ? rc : meta_put(env, txn, meta);
}

int upgrade_run(const struct env *env, MDB_txn *txn, struct meta *meta, struct errinfo *reason)
{
    if (meta->format == META_FORMAT) {
        return 0;
    }
    int rc = meta->format == FORMAT_OF_TREES ? check_journal(env, txn, reason) : 0;
    if (rc < 0) {
        return rc;
    }
    rc = write_all(env, txn, meta);
    return rc < 0 ? errinfo_set(reason, rc, "cannot upgrade '%.120s/data.mdb': %s", env->directory,
                                status_info(rc)->title)
                  : 0;
}
