/* The manifest: what is put is read, what is damaged is not. */
#include "tests/unit/lmdb_env.h"

static struct segment segment_of(uint64_t id, enum segment_state state, uint64_t first_seq,
                                 uint64_t last_seq)
{
    return (struct segment){
        .id = id,
        .state = state,
        .level = (unsigned)id + 3,
        .first_seq = first_seq,
        .last_seq = last_seq,
        .n_requests = UINT64_MAX - id,
        .n_usage = id * 5,
        .n_late = id * 7,
        .n_sums = id * 11,
        .filter_blocks = id * 13,
    };
}

static void put(const struct env *env, const struct segment *segment)
{
    MDB_txn *txn = lmdb_env_begin(env, true);
    assert_ok(manifest_put(env, txn, segment));
    assert_ok(env_commit(env, txn));
}

static void assert_same(const struct segment *a, const struct segment *b)
{
    assert_u64(a->id, b->id);
    assert_int_equal(a->state, b->state);
    assert_u64(a->level, b->level);
    assert_u64(a->first_seq, b->first_seq);
    assert_u64(a->last_seq, b->last_seq);
    assert_u64(a->n_requests, b->n_requests);
    assert_u64(a->n_usage, b->n_usage);
    assert_u64(a->n_late, b->n_late);
    assert_u64(a->n_sums, b->n_sums);
    assert_u64(a->filter_blocks, b->filter_blocks);
}

static void read__nothing__is_whole_and_begins_with_id_1(void **state)
{
    struct env *env = lmdb_env_new();
    struct manifest manifest = lmdb_env_manifest(env);
    (void)state;
    assert_u64(manifest.n, 0);
    assert_u64(manifest_sealed_seq(&manifest), 0);
    assert_u64(manifest_next_id(&manifest), 1);
    assert_true(manifest_is_whole(&manifest));
    manifest_done(&manifest);
    env_close(env);
}

/* In the order of the journal, whatever their ids. */
static void read__segments_of_every_state__as_they_were_put(void **state)
{
    struct env *env = lmdb_env_new();
    const struct segment segments[] = {
        segment_of(9, SEGMENT_LIVE, 1, 100),   segment_of(2, SEGMENT_DOOMED, 1, 50),
        segment_of(4, SEGMENT_LIVE, 101, 150), segment_of(3, SEGMENT_DOOMED, 51, 100),
        segment_of(5, SEGMENT_LIVE, 151, 151), segment_of(11, SEGMENT_BUILDING, 152, 900),
    };
    (void)state;
    for (size_t i = 0; i < sizeof segments / sizeof segments[0]; i++) {
        put(env, &segments[i]);
    }
    struct manifest manifest = lmdb_env_manifest(env);
    assert_u64(manifest.n, 6);
    assert_u64(manifest_next_id(&manifest), 12);
    assert_u64(manifest_sealed_seq(&manifest), 151);
    assert_true(manifest_is_whole(&manifest));
    manifest_keep_live(&manifest);
    assert_u64(manifest.n, 3);
    assert_same(&manifest.segments[0], &segments[0]);
    assert_same(&manifest.segments[1], &segments[2]);
    assert_same(&manifest.segments[2], &segments[4]);
    assert_u64(manifest_sealed_seq(&manifest), 151);
    manifest_done(&manifest);
    env_close(env);
}

static void put__again__changes_it_and_removed__is_gone(void **state)
{
    struct env *env = lmdb_env_new();
    struct segment segment = segment_of(7, SEGMENT_BUILDING, 1, 5);
    (void)state;
    put(env, &segment);
    segment.state = SEGMENT_LIVE;
    segment.n_usage = 99;
    put(env, &segment);
    struct manifest manifest = lmdb_env_manifest(env);
    assert_u64(manifest.n, 1);
    assert_same(&manifest.segments[0], &segment);
    manifest_done(&manifest);
    MDB_txn *txn = lmdb_env_begin(env, true);
    assert_ok(manifest_remove(env, txn, 7));
    assert_status(manifest_remove(env, txn, 7), STATUS_NOT_FOUND);
    assert_ok(env_commit(env, txn));
    manifest = lmdb_env_manifest(env);
    assert_u64(manifest.n, 0);
    manifest_done(&manifest);
    env_close(env);
}

static void whole__gaps_and_overlaps__are_not(void **state)
{
    static const struct {
        uint64_t seqs[4];
        bool is_whole;
    } cases[] = {{{1, 5, 6, 9}, true},  {{2, 5, 6, 9}, false}, {{1, 5, 7, 9}, false},
                 {{1, 5, 5, 9}, false}, {{1, 0, 1, 9}, false}, {{1, 5, 6, 5}, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct segment segments[] = {
            segment_of(1, SEGMENT_LIVE, cases[i].seqs[0], cases[i].seqs[1]),
            segment_of(3, SEGMENT_DOOMED, 3, 4),
            segment_of(2, SEGMENT_LIVE, cases[i].seqs[2], cases[i].seqs[3])};
        struct manifest manifest = {segments, 3};
        assert_int_equal(manifest_is_whole(&manifest), cases[i].is_whole);
    }
}

/* Put BYTES at VALUE under the key of segment ID, whatever they are. */
static int read_with(const void *value, size_t bytes, uint64_t id)
{
    struct env *env = lmdb_env_new();
    MDB_txn *txn = lmdb_env_begin(env, true);
    struct manifest manifest;
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)id};
    assert_ok(env_put(env, txn, ENV_MANIFEST, (MDB_val){sizeof key, key}, value, bytes));
    int rc = manifest_read(env, txn, &manifest);
    if (rc == 0) {
        manifest_done(&manifest);
    }
    mdb_txn_abort(txn);
    env_close(env);
    return rc;
}

static void read__any_damaged_byte__is_corrupt(void **state)
{
    struct env *env = lmdb_env_new();
    struct segment segment = segment_of(7, SEGMENT_LIVE, 1, 5);
    uint8_t row[128];
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    MDB_val value;
    (void)state;
    put(env, &segment);
    MDB_txn *txn = lmdb_env_begin(env, false);
    assert_ok(env_get(env, txn, ENV_MANIFEST, (MDB_val){sizeof key, key}, &value));
    size_t bytes = value.mv_size;
    memcpy(row, value.mv_data, bytes);
    mdb_txn_abort(txn);
    env_close(env);
    assert_ok(read_with(row, bytes, 7));
    assert_status(read_with(row, bytes, 8), STATUS_CORRUPT);
    assert_status(read_with(row, bytes - 1, 7), STATUS_CORRUPT);
    assert_status(read_with(row, 0, 7), STATUS_CORRUPT);
    for (size_t i = 0; i < bytes; i += 3) {
        row[i] ^= 0x10;
        assert_status(read_with(row, bytes, 7), STATUS_CORRUPT);
        row[i] ^= 0x10;
    }
    segment.state = (enum segment_state)4; /* of a later format, and whole */
    env = lmdb_env_new();
    put(env, &segment);
    struct manifest manifest;
    txn = lmdb_env_begin(env, false);
    assert_status(manifest_read(env, txn, &manifest), STATUS_CORRUPT);
    mdb_txn_abort(txn);
    env_close(env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(read__nothing__is_whole_and_begins_with_id_1),
    cmocka_unit_test(read__segments_of_every_state__as_they_were_put),
    cmocka_unit_test(put__again__changes_it_and_removed__is_gone),
    cmocka_unit_test(whole__gaps_and_overlaps__are_not),
    cmocka_unit_test(read__any_damaged_byte__is_corrupt),
};

TESTKIT_MAIN(tests)
