#include "tests/lib/check_segments.h"

#include "billingd/store/lmdb/manifest.h"
#include "tests/lib/testkit.h"

static const uint64_t map_bytes = UINT64_C(1) << 34;

bool check_segments_merged(const char *data_dir)
{
    struct env env;
    struct errinfo reason = {""};
    struct manifest manifest;
    MDB_txn *txn;
    bool merged = false;
    if (env_look(data_dir, map_bytes, &env, &reason) < 0) {
        testkit_fail("%s", reason.message);
    }
    assert_int_equal(mdb_txn_begin(env.mdb, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, env_table_name(ENV_MANIFEST), 0, &env.tables[ENV_MANIFEST]),
                     0);
    assert_ok(manifest_read(&env, txn, &manifest));
    for (size_t i = 0; i < manifest.n; i++) {
        merged |= manifest.segments[i].state == SEGMENT_LIVE && manifest.segments[i].level > 0;
    }
    manifest_done(&manifest);
    mdb_txn_abort(txn);
    env_close(&env);
    return merged;
}
