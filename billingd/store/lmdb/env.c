#include "billingd/store/lmdb/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/file_length.h"

static const char *const table_names[ENV__TABLES] = {
    [ENV_META] = NULL,
    [ENV_JOURNAL] = "journal",
    [ENV_CUSTOMERS] = "customers",
    [ENV_EXTERNAL_IDS] = "external_ids",
    [ENV_VOIDS] = "voids",
    [ENV_VOIDS_LATE] = "voids_late",
    [ENV_VOID_OF] = "void_of",
    [ENV_ADJUSTMENTS] = "adjustments",
    [ENV_ADJUSTMENTS_LATE] = "adjustments_late",
    [ENV_INVOICES] = "invoices",
    [ENV_CUSTOMER_INVOICES] = "customer_invoices",
    [ENV_SERVICES] = "services",
    [ENV_API_KEYS] = "api_keys",
    [ENV_API_KEY_NAMES] = "api_key_names",
    [ENV_MANIFEST] = "manifest",
    [ENV_SEGMENTS] = "segments",
};

/* --- errors ----------------------------------------------------------------------------------- */

static const struct meaning {
    int rc;
    int status;
} meanings[] = {
    {MDB_NOTFOUND, STATUS_NOT_FOUND},   {MDB_MAP_FULL, STATUS_STORAGE_FULL},
    {ENOSPC, STATUS_STORAGE_FULL},      {EDQUOT, STATUS_STORAGE_FULL},
    {EFBIG, STATUS_STORAGE_FULL},       {MDB_TXN_FULL, STATUS_TOO_LARGE},
    {MDB_READERS_FULL, STATUS_BUSY},    {ENOMEM, STATUS_NO_MEMORY},
    {MDB_CORRUPTED, STATUS_CORRUPT},    {MDB_PAGE_NOTFOUND, STATUS_CORRUPT},
    {MDB_INVALID, STATUS_CORRUPT},      {MDB_VERSION_MISMATCH, STATUS_NOT_IMPLEMENTED},
    {MDB_PANIC, STATUS_STORAGE_FAILED},
};

int env_status(int rc)
{
    if (rc == 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].rc == rc) {
            return meanings[i].status;
        }
    }
    /* The other codes of LMDB say that it was used wrongly; what is above 0 is an errno. */
    return rc < 0 ? STATUS_INTERNAL : STATUS_STORAGE_FAILED;
}

int env_fd(const struct env *env)
{
    int fd = -1;
    INVARIANT(mdb_env_get_fd(env->mdb, &fd) == 0);
    return fd;
}

/* LMDB says EIO also for a write that was cut short, which is how a run of pages meets a full
 * disk.  Asking for room tells the two apart.  Nobody but the caller may be writing. */
static bool disk_is_full(const struct env *env)
{
    enum { PROBE_BYTES = 1 << 20 };
    int fd = env_fd(env);
    off_t size = (off_t)env_bytes(env);
    if (size == 0) { /* it cannot be looked at: still less is it to be cut */
        return false;
    }
    int error = posix_fallocate(fd, size, PROBE_BYTES);
    IGNORE(ftruncate(fd, size) < 0); /* a longer file does no harm */
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* As env_status(), of a call that writes. */
static int write_status(const struct env *env, int rc)
{
    return rc == EIO && disk_is_full(env) ? STATUS_STORAGE_FULL : env_status(rc);
}

/* --- open and close --------------------------------------------------------------------------- */

/* Make an empty environment at PATH, which is nobody's yet. */
static int make_at(const char *path)
{
    MDB_env *mdb;
    int rc = mdb_env_create(&mdb);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_env_open(mdb, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    if (rc == 0) {
        rc = mdb_env_sync(mdb, 1);
    }
    mdb_env_close(mdb);
    return rc;
}

/* LMDB begins a file where it is to be, and refuses it where a power cut left half of that.  So it
 * is made aside, and gets its name when it is whole and synced. */
static int make_file(const char *directory)
{
    char path[PATH_MAX + 16];
    char aside[PATH_MAX + 16];
    struct stat about;
    IGNORE(snprintf(path, sizeof path, "%s/data.mdb", directory) < 0); /* it fits */
    IGNORE(snprintf(aside, sizeof aside, "%s/data.mdb.new", directory) < 0);
    if (lstat(path, &about) == 0) {
        return 0;
    }
    if (errno != ENOENT) { /* it may be there all the same */
        return errno;
    }
    IGNORE(unlink(aside) < 0); /* what a cut left, if there was one */
    int rc = make_at(aside);
    if (rc == 0 && rename(aside, path) < 0) {
        rc = errno;
    }
    return rc;
}

static int prepare(MDB_env *mdb, const char *directory, uint64_t map_bytes, unsigned readers)
{
    int dead;
    int rc = mdb_env_set_mapsize(mdb, map_bytes);
    if (rc == 0) {
        rc = mdb_env_set_maxreaders(mdb, readers);
    }
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(mdb, ENV__TABLES + ENV_OLD_TABLES_MAX);
    }
    if (rc == 0) {
        rc = make_file(directory);
    }
    if (rc == 0) {
        rc = mdb_env_open(mdb, directory, MDB_NOTLS, 0600);
    }
    if (rc == 0) {
        rc = mdb_reader_check(mdb, &dead);
    }
    return rc;
}

int env_open(const char *directory, uint64_t map_bytes, unsigned readers, struct env *ret,
             struct errinfo *reason)
{
    MDB_env *mdb = NULL;
    int status = file_length_check_begun(directory, reason);
    if (status < 0) {
        return status;
    }
    int rc = mdb_env_create(&mdb);
    if (rc != 0) {
        return errinfo_set(reason, STATUS_NO_MEMORY, "cannot open the store: %s", mdb_strerror(rc));
    }
    rc = prepare(mdb, directory, map_bytes, readers);
    if (rc != 0) {
        mdb_env_close(mdb);
        status = rc == ENOSPC || rc == EDQUOT ? STATUS_STORAGE_FULL : STATUS_STORAGE_FAILED;
        return errinfo_set(reason, status,
                           "cannot open '%.120s/data.mdb' with %llu bytes of address space: %s",
                           directory, (unsigned long long)map_bytes, mdb_strerror(rc));
    }
    status = file_length_check(mdb, directory, reason);
    if (status < 0) {
        mdb_env_close(mdb);
        return status;
    }
    size_t length = strlen(directory);
    REQUIRE(length < sizeof ret->directory);
    memcpy(ret->directory, directory, length + 1);
    ret->mdb = mdb;
    return 0;
}

int env_look(const char *directory, uint64_t map_bytes, struct env *ret, struct errinfo *reason)
{
    MDB_env *mdb = NULL;
    int status = file_length_check_begun(directory, reason);
    if (status < 0) {
        return status;
    }
    int rc = mdb_env_create(&mdb);
    if (rc != 0) {
        return errinfo_set(reason, STATUS_NO_MEMORY, "cannot open the store: %s", mdb_strerror(rc));
    }
    rc = mdb_env_set_mapsize(mdb, map_bytes);
    if (rc == 0) {
        rc = mdb_env_set_maxdbs(mdb, ENV__TABLES);
    }
    if (rc == 0) {
        rc = mdb_env_open(mdb, directory, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
    }
    if (rc != 0) {
        mdb_env_close(mdb);
        return errinfo_set(reason, STATUS_STORAGE_FAILED, "cannot read '%.120s/data.mdb': %s",
                           directory, mdb_strerror(rc));
    }
    size_t length = strlen(directory);
    REQUIRE(length < sizeof ret->directory);
    memcpy(ret->directory, directory, length + 1);
    ret->mdb = mdb;
    return 0;
}

void env_close(struct env *env)
{
    mdb_env_close(env->mdb);
}

const char *env_table_name(enum env_table table)
{
    return table_names[table];
}

int env_open_meta(struct env *env, MDB_txn *txn)
{
    return env_status(mdb_dbi_open(txn, table_names[ENV_META], 0, &env->tables[ENV_META]));
}

int env_open_journal(struct env *env, MDB_txn *txn)
{
    return env_status(mdb_dbi_open(txn, table_names[ENV_JOURNAL], 0, &env->tables[ENV_JOURNAL]));
}

int env_open_tables(struct env *env, MDB_txn *txn)
{
    for (int i = ENV_META + 1; i < ENV__TABLES; i++) {
        int rc = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &env->tables[i]);
        if (rc != 0) {
            return env_status(rc);
        }
    }
    return 0;
}

/* --- commit ----------------------------------------------------------------------------------- */

/* Whether a failed commit came no further than the pages that nothing refers to: had it failed in
 * the one write that makes them count, LMDB would refuse every transaction from then on. */
static bool is_intact(const struct env *env)
{
    MDB_txn *probe;
    if (mdb_txn_begin(env->mdb, NULL, 0, &probe) != 0) {
        return false;
    }
    mdb_txn_abort(probe);
    return true;
}

int env_commit(const struct env *env, MDB_txn *txn)
{
    int rc = mdb_txn_commit(txn);
    if (rc == 0) {
        return 0;
    }
    bool full = write_status(env, rc) == STATUS_STORAGE_FULL;
    return full && is_intact(env) ? STATUS_STORAGE_FULL : STATUS_STORAGE_FAILED;
}

/* --- rows ------------------------------------------------------------------------------------- */

int env_get(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
            MDB_val *ret_value)
{
    return env_status(mdb_get(txn, env->tables[table], &key, ret_value));
}

static int put(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val *key,
               MDB_val *value, unsigned flags)
{
    return write_status(env, mdb_put(txn, env->tables[table], key, value, flags));
}

/* LMDB's values are not const, though it only reads what it is told to put. */
static MDB_val value_of(const void *data, size_t bytes)
{
    return (MDB_val){.mv_size = bytes, .mv_data = (void *)(uintptr_t)data};
}

int env_put(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
            const void *value, size_t bytes)
{
    MDB_val data = value_of(value, bytes);
    return put(env, txn, table, &key, &data, 0);
}

int env_put_new(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key,
                const void *value, size_t bytes)
{
    MDB_val data = value_of(value, bytes);
    return put(env, txn, table, &key, &data, MDB_NOOVERWRITE);
}

int env_delete(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key)
{
    return write_status(env, mdb_del(txn, env->tables[table], &key, NULL));
}

int env_append(const struct env *env, MDB_txn *txn, enum env_table table, MDB_val key, size_t bytes,
               uint8_t **ret_room)
{
    MDB_val data = {.mv_size = bytes};
    int rc = put(env, txn, table, &key, &data, MDB_RESERVE | MDB_APPEND);
    if (rc == 0) {
        *ret_room = data.mv_data;
    }
    return rc;
}

int env_count(const struct env *env, MDB_txn *txn, enum env_table table, uint64_t *ret_count)
{
    MDB_stat stat;
    int rc = env_status(mdb_stat(txn, env->tables[table], &stat));
    if (rc == 0) {
        *ret_count = stat.ms_entries;
    }
    return rc;
}

uint64_t env_bytes(const struct env *env)
{
    struct stat about;
    return fstat(env_fd(env), &about) < 0 ? 0 : (uint64_t)about.st_size;
}

void env_extent(const struct env *env, uint64_t *ret_used, uint64_t *ret_map)
{
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    IGNORE(mdb_env_info(env->mdb, &info) != 0); /* cannot fail: it is open */
    IGNORE(mdb_env_stat(env->mdb, &stat) != 0); /* likewise */
    *ret_used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    *ret_map = info.me_mapsize;
}

uint64_t env_disk_free(const struct env *env)
{
    struct statvfs about;
    return fstatvfs(env_fd(env), &about) < 0 ? 0
                                             : (uint64_t)about.f_bavail * (uint64_t)about.f_frsize;
}
