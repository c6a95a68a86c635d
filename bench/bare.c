#include "bench/bare.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "bench/clock.h"
#include "bench/fail.h"
#include "billingd/base/bytes.h"

enum {
    FULL_BYTES = 1 << 20, /* less than a commit of the largest batch takes */
};

static const uint64_t map_bytes = UINT64_C(1) << 40;

void bare_open(struct bare *bare, const char *directory, unsigned extra)
{
    MDB_txn *txn;
    *bare = (struct bare){.next = 1};
    check_lmdb(mdb_env_create(&bare->env), "mdb_env_create");
    check_lmdb(mdb_env_set_mapsize(bare->env, map_bytes), "mdb_env_set_mapsize");
    check_lmdb(mdb_env_set_maxdbs(bare->env, 1 + extra), "mdb_env_set_maxdbs");
    check_lmdb(mdb_env_open(bare->env, directory, MDB_NOTLS, 0600), directory);
    check_lmdb(mdb_txn_begin(bare->env, NULL, 0, &txn), "mdb_txn_begin");
    check_lmdb(mdb_dbi_open(txn, "journal", MDB_CREATE, &bare->table), "mdb_dbi_open");
    check_lmdb(mdb_txn_commit(txn), "mdb_txn_commit");
}

MDB_txn *bare_begin(struct bare *bare)
{
    MDB_txn *txn;
    check_lmdb(mdb_txn_begin(bare->env, NULL, 0, &txn), "mdb_txn_begin");
    return txn;
}

void bare_append(struct bare *bare, MDB_txn *txn, const void *data, size_t bytes)
{
    uint8_t number[sizeof bare->next];
    bytes_put_be64(number, bare->next++);
    MDB_val key = {sizeof number, number};
    MDB_val value = {bytes, NULL};
    check_lmdb(mdb_put(txn, bare->table, &key, &value, MDB_APPEND | MDB_RESERVE), "mdb_put");
    memcpy(value.mv_data, data, bytes);
}

/* Whether the disk of ENV has no room for a commit any more. */
static bool is_full(MDB_env *env)
{
    struct statvfs disk;
    const char *directory;
    return mdb_env_get_path(env, &directory) == 0 && statvfs(directory, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize < FULL_BYTES;
}

void bare_commit(MDB_txn *txn)
{
    MDB_env *env = mdb_txn_env(txn);
    int rc = mdb_txn_commit(txn);
    if (rc == EIO && is_full(env)) { /* what LMDB makes of a write that was cut short */
        rc = ENOSPC;
    }
    check_lmdb(rc, "mdb_txn_commit");
}

int64_t bare_commit_one(struct bare *bare)
{
    static const uint8_t record[BARE_RECORD_BYTES];
    int64_t start_ns = clock_ns();
    MDB_txn *txn = bare_begin(bare);
    bare_append(bare, txn, record, sizeof record);
    bare_commit(txn);
    return clock_ns() - start_ns;
}

void bare_close(struct bare *bare)
{
    mdb_env_close(bare->env);
}
