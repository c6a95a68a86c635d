#include "billingd/store/lmdb/look.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "billingd/base/sha256.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/directory.h"
#include "billingd/store/lmdb/env.h"
#include "billingd/store/lmdb/file_length.h"
#include "billingd/store/lmdb/journal.h"
#include "billingd/store/lmdb/meta.h"

static int look_at_journal(struct env *env, MDB_txn *txn, const struct meta *meta,
                           struct store_found *found, struct errinfo *reason)
{
    struct journal_tail tail = {0};
    struct sha256 *sha = sha256_create();
    if (sha == NULL) {
        return errinfo_set(reason, STATUS_NO_MEMORY, "cannot read the store: out of memory");
    }
    int rc = env_open_journal(env, txn);
    if (rc < 0) {
        rc =
            errinfo_set(reason, rc, "cannot open the journal of '%.120s/data.mdb'", env->directory);
    } else {
        rc = journal_start(env, txn, sha, meta->id_key, &tail, reason);
    }
    sha256_destroy(sha);
    if (rc == 0) {
        *found = (struct store_found){
            .there = true,
            .last_seq = tail.next_seq - 1,
            .to_be_upgraded = meta->format != META_FORMAT,
        };
    }
    return rc;
}

static int look_at_tables(struct env *env, const struct store_options *options,
                          struct store_found *found, struct errinfo *reason)
{
    MDB_txn *txn;
    struct meta meta;
    uint64_t rows = 0;
    int rc = env_status(mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.120s/data.mdb'", env->directory);
    }
    rc = env_open_meta(env, txn);
    if (rc == 0) {
        rc = env_count(env, txn, ENV_META, &rows);
    }
    if (rc < 0) {
        rc = errinfo_set(reason, rc, "cannot read '%.120s/data.mdb'", env->directory);
    } else if (rows > 0) { /* else a first start was cut short, and the next one makes the store */
        rc = meta_open(env, txn, options, &meta, reason);
        rc = rc < 0 ? rc : look_at_journal(env, txn, &meta, found, reason);
    }
    mdb_txn_abort(txn);
    return rc;
}

static int look_at_file(const char *path, const struct store_options *options,
                        struct store_found *found, struct errinfo *reason)
{
    struct env env = {0};
    char file[PATH_MAX + 16];
    struct stat about;
    IGNORE(snprintf(file, sizeof file, "%s/data.mdb", path) < 0); /* it fits */
    if (lstat(file, &about) < 0 && errno == ENOENT) {
        return 0;
    }
    int rc = env_look(path, options->map_bytes, &env, reason);
    if (rc < 0) {
        return rc;
    }
    if (file_length_is_short(env.mdb)) {
        *found = (struct store_found){.there = true, .cut_short = true};
    } else {
        rc = look_at_tables(&env, options, found, reason);
    }
    env_close(&env);
    return rc;
}

int look_at(const char *path, const struct store_options *options, struct store_found *ret,
            struct errinfo *reason)
{
    struct directory directory;
    struct store_found found = {0};
    int rc = directory_look(path, &directory, reason);
    if (rc == STATUS_NOT_FOUND) {
        rc = directory_check_place(path, reason);
    } else if (rc == 0) {
        rc = look_at_file(path, options, &found, reason);
        directory_close(&directory);
    }
    if (rc == 0) {
        *ret = found;
    }
    return rc;
}
