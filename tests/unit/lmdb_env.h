/* An environment of LMDB with all tables, and rows to put there.  Main thread. */
#pragma once

#include <stdlib.h>

#include "billingd/store/lmdb/manifest.h"
#include "billingd/store/lmdb/run.h"
#include "tests/lib/testkit.h"

enum {
    LMDB_ENV_MAP_BYTES = 256 << 20,
    LMDB_ENV_READERS = 16,
};

static inline struct env *lmdb_env_open(const char *directory, uint64_t map_bytes)
{
    struct env *env = testkit_alloc(sizeof *env);
    struct errinfo reason;
    MDB_txn *txn;
    assert_ok(env_open(directory, map_bytes, LMDB_ENV_READERS, env, &reason));
    assert_int_equal(mdb_txn_begin(env->mdb, NULL, 0, &txn), 0);
    assert_ok(env_open_meta(env, txn));
    assert_ok(env_open_tables(env, txn));
    assert_ok(env_commit(env, txn));
    return env;
}

static inline struct env *lmdb_env_new(void)
{
    return lmdb_env_open(testkit_tmpdir(), LMDB_ENV_MAP_BYTES);
}

static inline MDB_txn *lmdb_env_begin(const struct env *env, bool writes)
{
    MDB_txn *txn;
    assert_int_equal(mdb_txn_begin(env->mdb, NULL, writes ? 0 : MDB_RDONLY, &txn), 0);
    return txn;
}

static inline struct manifest lmdb_env_manifest(const struct env *env)
{
    struct manifest manifest;
    MDB_txn *txn = lmdb_env_begin(env, false);
    assert_ok(manifest_read(env, txn, &manifest));
    mdb_txn_abort(txn);
    return manifest;
}

/* How many chunks there are, of whatever segment. */
static inline uint64_t lmdb_env_chunks(const struct env *env)
{
    uint64_t n;
    MDB_txn *txn = lmdb_env_begin(env, false);
    assert_ok(env_count(env, txn, ENV_SEGMENTS, &n));
    mdb_txn_abort(txn);
    return n;
}

/* A fingerprint's half, from a number: no order, and no two the same. */
static inline uint64_t lmdb_env_mix(uint64_t i)
{
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

static inline int lmdb_env_by_row(const void *a, const void *b)
{
    return request_row_compare(a, b);
}

/* The run of the records from FIRST_SEQ to LAST_SEQ: usages of customers 1 to 3, one a minute, each
 * with a request id of the fingerprint mix(seq), mix(seq + 1). */
static inline struct run *lmdb_env_run(uint64_t first_seq, uint64_t last_seq)
{
    size_t n = (size_t)(last_seq - first_seq + 1);
    struct run *run = run_create(first_seq, last_seq);
    assert_non_null(run);
    run->requests = calloc(n, sizeof *run->requests);
    run->usage = calloc(n, sizeof *run->usage);
    assert_non_null(run->requests);
    assert_non_null(run->usage);
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        run->requests[run->n_requests++] =
            (struct request_row){lmdb_env_mix(seq), lmdb_env_mix(seq + 1), seq};
    }
    qsort(run->requests, n, sizeof *run->requests, lmdb_env_by_row);
    for (uint64_t customer = 1; customer <= 3; customer++) {
        for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
            if (seq % 3 + 1 == customer) {
                run->usage[run->n_usage++] =
                    (struct place_row){customer, (int64_t)seq * 60000000, seq << 1};
            }
        }
    }
    return run;
}
