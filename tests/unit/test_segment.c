/* Segments and their writer: what is added comes back, from any place on; nothing of it before it
 * is finished; and damage is an error. */
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/segment_writer.h"
#include "tests/unit/lmdb_env.h"

enum {
    PLACES = 3000, /* some chunks of them */
    SLICE_BYTES_MIN = SEGMENT_CHUNK_BYTES,
};

/* --- writing ---------------------------------------------------------------------------------- */

static struct turn turn;

static void add(struct segment_writer *writer, enum segment_table table, const void *row)
{
    bool full;
    segment_writer_add(writer, table, row, &full);
    if (full) {
        assert_ok(segment_writer_flush(writer));
    }
}

static struct place_row place(uint64_t i)
{
    return (struct place_row){1 + i / 1000, (int64_t)(i % 1000 / 2) * 10, i << 1};
}

static struct sum_row sum(uint64_t i)
{
    return (struct sum_row){.customer = 1 + i / 100, .hour = (uint32_t)i % 100, .named_by = i};
}

/* Request ids REQUESTS, in the order of their fingerprints; PLACES usages, none of them late; SUMS
 * sums. */
static void add_all(struct segment_writer *writer, uint64_t requests, uint64_t sums)
{
    for (uint64_t i = 0; i < requests; i++) {
        struct request_row row = {i << 40, lmdb_env_mix(i), i + 1};
        add(writer, SEGMENT_REQUESTS, &row);
    }
    for (uint64_t i = 0; i < PLACES; i++) {
        struct place_row row = place(i);
        add(writer, SEGMENT_USAGE, &row);
    }
    for (uint64_t i = 0; i < sums; i++) {
        struct sum_row row = sum(i);
        add(writer, SEGMENT_SUMS, &row);
    }
}

static struct segment new_segment(uint64_t id)
{
    return (struct segment){.id = id, .level = 2, .first_seq = 1, .last_seq = PLACES};
}

static void begin_writer(struct segment_writer *writer, const struct env *env, uint64_t id,
                         uint64_t requests, size_t slice_bytes)
{
    struct segment segment = new_segment(id);
    assert_ok(segment_writer_begin(writer, env, &turn, &segment, requests, slice_bytes));
}

static void write_segment(const struct env *env, uint64_t id, uint64_t requests, uint64_t sums,
                          size_t slice_bytes)
{
    struct segment_writer writer;
    begin_writer(&writer, env, id, requests, slice_bytes);
    add_all(&writer, requests, sums);
    assert_ok(segment_writer_finish(&writer, NULL, 0));
    segment_writer_done(&writer);
}

/* --- reading ---------------------------------------------------------------------------------- */

static const void *next_row(struct segment_scan *scan)
{
    const void *row;
    assert_ok(segment_scan_peek(scan, &row));
    return row;
}

/* The usages from CUSTOMER and TIME_US on. */
static void assert_places_from(const struct env *env, MDB_txn *txn, uint64_t id, uint64_t customer,
                               int64_t time_us)
{
    struct segment_scan scan;
    uint64_t i = 0;
    while (i < PLACES && (place(i).customer < customer ||
                          (place(i).customer == customer && place(i).time_us < time_us))) {
        i++;
    }
    assert_ok(segment_scan_open(
        env, txn, (struct segment_start){id, SEGMENT_USAGE, customer, (uint64_t)time_us}, &scan));
    for (; i < PLACES; i++) {
        struct place_row expected = place(i);
        const void *row = next_row(&scan);
        assert_non_null(row);
        assert_memory_equal(row, &expected, sizeof expected);
        segment_scan_step(&scan);
    }
    assert_null(next_row(&scan));
    assert_null(next_row(&scan));
    segment_scan_close(&scan);
}

static uint64_t count_rows(const struct env *env, MDB_txn *txn, uint64_t id,
                           enum segment_table table)
{
    struct segment_scan scan;
    uint64_t n = 0;
    assert_ok(
        segment_scan_open(env, txn, (struct segment_start){.segment = id, .table = table}, &scan));
    for (; next_row(&scan) != NULL; n++) {
        segment_scan_step(&scan);
    }
    segment_scan_close(&scan);
    return n;
}

/* The manifest says that there are N_BLOCKS, which is not so. */
static void assert_filter_differs(const struct env *env, MDB_txn *txn,
                                  const struct segment *segment, uint64_t n_blocks)
{
    const uint8_t *chunks[64];
    assert_true(n_blocks / segment_chunk_rows(SEGMENT_FILTER) < 63);
    assert_status(segment_filter(env, txn, segment->id, n_blocks, chunks), STATUS_CORRUPT);
}

static void assert_filter_has(const struct env *env, MDB_txn *txn, const struct segment *segment)
{
    uint64_t full = segment_chunk_rows(SEGMENT_FILTER);
    uint64_t n_chunks = (segment->filter_blocks + full - 1) / full;
    const uint8_t **chunks = testkit_alloc((n_chunks + 1) * sizeof *chunks);
    assert_ok(segment_filter(env, txn, segment->id, segment->filter_blocks, chunks));
    for (uint64_t i = 0; i < segment->n_requests; i++) {
        uint64_t block = filter_block_of(i << 40, segment->filter_blocks);
        assert_true(filter_may_have(chunks[block / full] + block % full * FILTER_BLOCK_BYTES,
                                    lmdb_env_mix(i)));
    }
    assert_u64((uintptr_t)chunks[0] % 64, 0); /* at a line of the cache */
    assert_filter_differs(env, txn, segment, segment->filter_blocks + 1);
    assert_filter_differs(env, txn, segment, segment->filter_blocks + full);
    assert_filter_differs(env, txn, segment, segment->filter_blocks - 1);
}

static void write__any_slice__is_read_from_any_place(void **state)
{
    static const size_t slices[] = {SLICE_BYTES_MIN, SLICE_BYTES_MIN + 1, 40000, 1 << 20};
    static const uint64_t requests[] = {0, 1, 680, 681, 682, 9000};
    (void)state;
    struct env *env = lmdb_env_new();
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        for (size_t k = 0; k < sizeof requests / sizeof requests[0]; k++) {
            write_segment(env, ++id, requests[k], requests[k] / 10, slices[i]);
        }
    }
    struct manifest manifest = lmdb_env_manifest(env);
    MDB_txn *txn = lmdb_env_begin(env, false);
    assert_u64(manifest.n, id);
    for (size_t i = 0; i < manifest.n; i++) {
        const struct segment *segment = &manifest.segments[i];
        assert_int_equal(segment->state, SEGMENT_LIVE);
        assert_u64(segment->level, 2);
        assert_u64(segment->n_usage, PLACES);
        assert_u64(segment->n_late, 0);
        assert_u64(segment->filter_blocks, filter_blocks(segment->n_requests));
        assert_u64(count_rows(env, txn, segment->id, SEGMENT_REQUESTS), segment->n_requests);
        assert_u64(count_rows(env, txn, segment->id, SEGMENT_USAGE), PLACES);
        assert_u64(count_rows(env, txn, segment->id, SEGMENT_LATE), 0);
        assert_u64(count_rows(env, txn, segment->id, SEGMENT_SUMS), segment->n_sums);
        assert_filter_has(env, txn, segment);
    }
    mdb_txn_abort(txn);
    manifest_done(&manifest);
    env_close(env);
}

/* At, before and behind every row that begins a chunk, and beyond both ends. */
static void scan__from_every_boundary__gives_the_rest(void **state)
{
    struct env *env = lmdb_env_new();
    (void)state;
    write_segment(env, 1, 5, 0, SLICE_BYTES_MIN);
    write_segment(env, 2, 1000, 40, SLICE_BYTES_MIN);
    write_segment(env, 3, 0, 0, SLICE_BYTES_MIN);
    MDB_txn *txn = lmdb_env_begin(env, false);
    size_t chunk = segment_chunk_rows(SEGMENT_USAGE);
    for (uint64_t id = 1; id <= 3; id++) {
        for (uint64_t i = 0; i < PLACES; i += chunk) {
            for (uint64_t near = i < 3 ? 0 : i - 3; near < i + 3 && near < PLACES; near++) {
                struct place_row row = place(near);
                assert_places_from(env, txn, id, row.customer, row.time_us);
                assert_places_from(env, txn, id, row.customer, row.time_us + 1);
                assert_places_from(env, txn, id, row.customer,
                                   row.time_us > 0 ? row.time_us - 1 : 0);
            }
        }
        assert_places_from(env, txn, id, 0, 0);
        assert_places_from(env, txn, id, 2, INT64_MAX);
        assert_places_from(env, txn, id, UINT64_MAX, INT64_MAX);
    }
    mdb_txn_abort(txn);
    env_close(env);
}

/* --- until it is finished --------------------------------------------------------------------- */

static void writer__until_it_is_finished__is_building_and_replaces_nothing(void **state)
{
    struct env *env = lmdb_env_new();
    struct segment_writer writer;
    (void)state;
    write_segment(env, 1, 10, 0, SLICE_BYTES_MIN);
    struct manifest before = lmdb_env_manifest(env);
    begin_writer(&writer, env, 2, 2000, SLICE_BYTES_MIN);
    add_all(&writer, 2000, 10);
    struct manifest manifest = lmdb_env_manifest(env);
    assert_u64(manifest.n, 2);
    manifest_keep_live(&manifest);
    assert_u64(manifest.n, 1);
    assert_u64(manifest.segments[0].id, 1);
    manifest_done(&manifest);
    assert_ok(segment_writer_finish(&writer, before.segments, before.n));
    segment_writer_done(&writer);
    manifest = lmdb_env_manifest(env);
    for (size_t i = 0; i < 2; i++) {
        const struct segment *segment = &manifest.segments[i];
        assert_int_equal(segment->state, segment->id == 1 ? SEGMENT_DOOMED : SEGMENT_LIVE);
    }
    manifest_done(&manifest);
    manifest_done(&before);
    env_close(env);
}

static void writer__map_full__says_so_and_leaves_what_was(void **state)
{
    struct env *env = lmdb_env_open(testkit_tmpdir(), 512 * 1024);
    struct segment_writer writer;
    int rc = 0;
    (void)state;
    begin_writer(&writer, env, 1, 100000, SLICE_BYTES_MIN);
    for (uint64_t i = 0; i < 100000 && rc == 0; i++) {
        struct request_row row = {i << 40, i, i + 1};
        bool full;
        segment_writer_add(&writer, SEGMENT_REQUESTS, &row, &full);
        rc = full ? segment_writer_flush(&writer) : 0;
    }
    assert_status(rc, STATUS_STORAGE_FULL);
    uint64_t chunks = lmdb_env_chunks(env);
    assert_status(segment_writer_flush(&writer), STATUS_STORAGE_FULL);
    assert_u64(lmdb_env_chunks(env), chunks);
    segment_writer_done(&writer);
    struct manifest manifest = lmdb_env_manifest(env);
    assert_u64(manifest.n, 1);
    assert_int_equal(manifest.segments[0].state, SEGMENT_BUILDING);
    manifest_done(&manifest);
    env_close(env);
}

/* --- removing --------------------------------------------------------------------------------- */

static void remove__in_slices__takes_one_segment_alone(void **state)
{
    struct env *env = lmdb_env_new();
    bool left = true;
    int slices = 0;
    (void)state;
    write_segment(env, 1, 100, 0, 1 << 20);
    uint64_t others = lmdb_env_chunks(env);
    write_segment(env, 2, 9000, 100, 1 << 20);
    uint64_t chunks = lmdb_env_chunks(env) - others;
    write_segment(env, 3, 100, 0, 1 << 20);
    for (; left; slices++) {
        MDB_txn *txn = lmdb_env_begin(env, true);
        assert_ok(segment_remove(env, txn, 2, 3, &left));
        assert_ok(env_commit(env, txn));
    }
    assert_u64(slices, (chunks + 2) / 3);
    assert_u64(lmdb_env_chunks(env), 2 * others);
    MDB_txn *txn = lmdb_env_begin(env, true);
    assert_ok(segment_remove(env, txn, 2, 3, &left)); /* nothing is there any more */
    assert_false(left);
    assert_places_from(env, txn, 1, 0, 0);
    assert_places_from(env, txn, 3, 0, 0);
    mdb_txn_abort(txn);
    env_close(env);
}

/* --- damage ----------------------------------------------------------------------------------- */

/* What reading all of segment 1's usage says, with chunk INDEX of all changed or, where AT is below
 * 0, away. */
static int read_damaged(const struct env *env, int index, int at)
{
    MDB_txn *txn = lmdb_env_begin(env, true);
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    static uint8_t bytes[SEGMENT_CHUNK_BYTES];
    assert_int_equal(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    for (int i = 0; i < index; i++) {
        assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_NEXT), 0);
    }
    if (at < 0) {
        assert_int_equal(mdb_cursor_del(cursor, 0), 0);
    } else {
        memcpy(bytes, value.mv_data, value.mv_size);
        bytes[(size_t)at % value.mv_size] ^= 0x40;
        value.mv_data = bytes;
        assert_int_equal(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    }
    mdb_cursor_close(cursor);
    struct segment_scan scan;
    const void *row = "";
    uint64_t n = 0;
    int rc = segment_scan_open(env, txn, (struct segment_start){1, SEGMENT_USAGE, 0, 0}, &scan);
    bool open = rc == 0;
    while (rc == 0 && row != NULL) {
        rc = segment_scan_peek(&scan, &row);
        if (rc == 0 && row != NULL) {
            n++;
            segment_scan_step(&scan);
        }
    }
    if (open) {
        segment_scan_close(&scan);
    }
    mdb_txn_abort(txn);
    assert_true(rc < 0 || n == PLACES);
    return rc;
}

/* How many chunks are of tables up to TABLE: each is one byte of the key. */
static int chunks_up_to(const struct env *env, enum segment_table table)
{
    enum { KEY_AT_TABLE = 8 };
    int n = 0;
    MDB_txn *txn = lmdb_env_begin(env, false);
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    assert_int_equal(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        n += ((const uint8_t *)key.mv_data)[KEY_AT_TABLE] <= table;
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return n;
}

static void scan__damaged_or_missing_chunk__is_corrupt(void **state)
{
    struct env *env = lmdb_env_new();
    (void)state;
    write_segment(env, 1, 700, 40, SLICE_BYTES_MIN);
    int chunks = (int)lmdb_env_chunks(env);
    int first = chunks_up_to(env, SEGMENT_REQUESTS);
    int usage = chunks_up_to(env, SEGMENT_USAGE) - first;
    assert_true(usage >= 4 && chunks >= first + usage + 2);
    for (int i = first; i < first + usage; i++) {
        for (int at = 0; at < 5000; at += 97) {
            assert_status(read_damaged(env, i, at), STATUS_CORRUPT);
        }
        assert_status(read_damaged(env, i, -1), STATUS_CORRUPT);
    }
    assert_status(read_damaged(env, first - 1, -1), STATUS_CORRUPT); /* it cannot tell of which */
    assert_status(read_damaged(env, first + usage, -1), STATUS_CORRUPT);
    assert_ok(read_damaged(env, 0, 3000)); /* of others it reads nothing */
    assert_ok(read_damaged(env, chunks - 1, -1));
    env_close(env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(write__any_slice__is_read_from_any_place),
    cmocka_unit_test(scan__from_every_boundary__gives_the_rest),
    cmocka_unit_test(writer__until_it_is_finished__is_building_and_replaces_nothing),
    cmocka_unit_test(writer__map_full__says_so_and_leaves_what_was),
    cmocka_unit_test(remove__in_slices__takes_one_segment_alone),
    cmocka_unit_test(scan__damaged_or_missing_chunk__is_corrupt),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    turn_init(&turn);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    turn_done(&turn);
    return testkit_end(failed);
}
