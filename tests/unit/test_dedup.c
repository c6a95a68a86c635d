/* Finding candidates: in the transaction, in the head, in segments; what a filter says for nothing;
 * and fingerprints that several request ids have. */
#include <stdio.h>

#include "billingd/store/lmdb/dedup.h"
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/segment_writer.h"
#include "tests/unit/lmdb_env.h"

enum {
    CANDIDATES_MAX = 16,
};

#define ID_KEY UINT64_C(0x0123456789ABCDEF)

static struct turn turn;

/* --- a transaction ---------------------------------------------------------------------------- */

struct bench {
    struct env *env;
    struct head head;
    struct filter_shelf shelf;
    struct dedup dedup;
    struct view_rows rows;
    MDB_txn *txn;
};

/* Of a store with segments up to SEALED_SEQ. */
static void set_up(struct bench *bench, struct env *env, uint64_t sealed_seq)
{
    *bench = (struct bench){.env = env};
    assert_ok(head_init(&bench->head, 1000000, sealed_seq));
    filter_shelf_init(&bench->shelf);
    dedup_init(&bench->dedup, &bench->shelf, &bench->head, ID_KEY);
}

static void begin(struct bench *bench)
{
    bench->txn = lmdb_env_begin(bench->env, true);
    assert_ok(view_rows_init(&bench->rows, bench->env, bench->txn, head_hold(&bench->head),
                             UINT64_MAX, NULL));
    assert_ok(dedup_begin(&bench->dedup, &bench->rows));
}

static void end(struct bench *bench)
{
    view_rows_done(&bench->rows);
    mdb_txn_abort(bench->txn);
}

static void take_down(struct bench *bench)
{
    end(bench);
    dedup_done(&bench->dedup);
    filter_shelf_done(&bench->shelf);
    head_done(&bench->head);
    env_close(bench->env);
}

/* A segment of the records from FIRST_SEQ to LAST_SEQ, with the N request rows at ROWS, sorted. */
static void write_segment(const struct env *env, uint64_t id, uint64_t first_seq, uint64_t last_seq,
                          const struct request_row *rows, size_t n)
{
    struct segment_writer writer;
    struct segment segment = {.id = id, .first_seq = first_seq, .last_seq = last_seq};
    assert_ok(segment_writer_begin(&writer, env, &turn, &segment, n, SEGMENT_CHUNK_BYTES));
    for (size_t i = 0; i < n; i++) {
        bool full;
        segment_writer_add(&writer, SEGMENT_REQUESTS, &rows[i], &full);
        if (full) {
            assert_ok(segment_writer_flush(&writer));
        }
    }
    assert_ok(segment_writer_finish(&writer, NULL, 0));
    segment_writer_done(&writer);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct candidates {
    uint64_t seqs[CANDIDATES_MAX];
    size_t n;
    uint64_t wanted; /* seq; 0: none is the one */
};

static int keep(uint64_t seq, void *arg)
{
    struct candidates *candidates = arg;
    assert_true(candidates->n < CANDIDATES_MAX);
    candidates->seqs[candidates->n++] = seq;
    return seq == candidates->wanted;
}

static int cannot_tell(uint64_t seq, void *arg)
{
    (void)seq;
    (void)arg;
    return STATUS_CORRUPT;
}

static int find(struct bench *bench, uint64_t high, uint64_t low, uint64_t wanted,
                struct candidates *ret)
{
    *ret = (struct candidates){.wanted = wanted};
    return dedup_find(&bench->dedup, &bench->rows, high, low, keep, ret);
}

/* --- one fingerprint -------------------------------------------------------------------------- */

/* Seven request ids with the fingerprint 5, 6, wherever they may be: each is found. */
static void find__equal_fingerprints_everywhere__gives_each(void **state)
{
    const struct request_row first[] = {{5, 5, 1}, {5, 6, 2}, {5, 6, 3}, {5, 7, 4}, {6, 6, 5}};
    const struct request_row second[] = {{4, 6, 6}, {5, 6, 7}};
    struct env *env = lmdb_env_new();
    struct bench bench;
    struct candidates candidates;
    (void)state;
    write_segment(env, 1, 1, 5, first, 5);
    write_segment(env, 2, 6, 7, second, 2);
    set_up(&bench, env, 7);
    for (uint64_t seq = 8; seq <= 11; seq++) {
        struct run *run = run_create(seq, seq);
        run->requests = calloc(1, sizeof *run->requests);
        run->requests[0] = (struct request_row){5, seq < 10 ? 6 : 600, seq};
        run->n_requests = 1;
        assert_ok(head_note(&bench.head, run->requests[0]));
        assert_ok(head_publish(&bench.head, run));
        head_settle(&bench.head);
    }
    begin(&bench);
    assert_ok(head_note(&bench.head, (struct request_row){5, 6, 12}));
    assert_ok(head_note(&bench.head, (struct request_row){5, 6, 13}));
    assert_status(find(&bench, 5, 6, 0, &candidates), STATUS_NOT_FOUND);
    assert_u64(candidates.n, 7);
    for (uint64_t seq = 1; seq <= 13; seq++) {
        bool has = seq == 2 || seq == 3 || (seq >= 7 && seq <= 9) || seq >= 12;
        assert_status(find(&bench, 5, 6, seq, &candidates), has ? 0 : STATUS_NOT_FOUND);
        assert_true(!has || candidates.seqs[candidates.n - 1] == seq); /* and ends there */
    }
    assert_ok(find(&bench, 5, 7, 4, &candidates));
    assert_u64(candidates.n, 1);
    assert_status(find(&bench, 6, 5, 0, &candidates), STATUS_NOT_FOUND);
    assert_u64(candidates.n, 0);
    assert_status(dedup_find(&bench.dedup, &bench.rows, 5, 6, cannot_tell, NULL), STATUS_CORRUPT);
    end(&bench);
    head_forget(&bench.head, (struct request_row){5, 6, 12});
    head_forget(&bench.head, (struct request_row){5, 6, 13});
    begin(&bench);
    assert_status(find(&bench, 5, 6, 12, &candidates), STATUS_NOT_FOUND);
    assert_u64(candidates.n, 5);
    candidates = (struct candidates){.wanted = 9};
    assert_ok(dedup_search(&bench.rows, 5, 6, keep, &candidates)); /* as a reader finds it */
    candidates = (struct candidates){0};
    assert_status(dedup_search(&bench.rows, 5, 6, keep, &candidates), STATUS_NOT_FOUND);
    assert_u64(candidates.n, 5);
    take_down(&bench);
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static void assert_fingerprint(struct bench *bench, struct store_key key)
{
    uint64_t expected[2];
    uint64_t got[2];
    row_fingerprint(key, ID_KEY, &expected[0], &expected[1]);
    dedup_fingerprint(&bench->dedup, key, &got[0], &got[1]);
    assert_memory_equal(got, expected, sizeof got);
}

/* Whether it was announced, in which order, and how many were passed over, is of no matter. */
static void fingerprint__announced_or_not__is_that_of_the_key(void **state)
{
    enum { KEYS = 300 };
    struct bench bench;
    struct store_key keys[KEYS];
    (void)state;
    for (uint64_t i = 0; i < KEYS; i++) {
        char *id = testkit_alloc(16);
        int length = snprintf(id, 16, "id-%d", (int)(i / 3)); /* of three customers the same */
        keys[i] = (struct store_key){1 + i % 3, {id, (size_t)length}};
    }
    set_up(&bench, lmdb_env_new(), 0);
    for (size_t step = 1; step <= 64; step *= 4) {
        begin(&bench);
        for (size_t i = 0; i < KEYS; i++) {
            assert_ok(dedup_announce(&bench.dedup, keys[i]));
        }
        for (size_t i = 0; i < KEYS; i += step) {
            struct store_key other = {keys[i].scope + 3, keys[i].request_id};
            struct store_key part = {keys[i].scope, {keys[i].request_id.data, 2}};
            assert_fingerprint(&bench, keys[i]);
            assert_fingerprint(&bench, keys[i]);
            assert_fingerprint(&bench, other);
            assert_fingerprint(&bench, part);
        }
        assert_fingerprint(&bench, keys[0]);
        end(&bench);
    }
    begin(&bench); /* another transaction: what was announced is forgotten */
    assert_u64(bench.dedup.n_announced, 0);
    assert_fingerprint(&bench, keys[0]);
    take_down(&bench);
}

/* --- filters ---------------------------------------------------------------------------------- */

/* A fingerprint that is in no segment, though the filter of ROWS, which is one block, has its
 * bits. */
static uint64_t false_positive(const struct request_row *rows, size_t n)
{
    uint8_t block[FILTER_BLOCK_BYTES] = {0};
    assert_u64(filter_blocks(n), 1);
    for (size_t i = 0; i < n; i++) {
        filter_add(block, rows[i].low);
    }
    for (uint64_t i = 1000000;; i++) {
        if (filter_may_have(block, lmdb_env_mix(i))) {
            return lmdb_env_mix(i);
        }
    }
}

static void find__false_positive_of_a_filter__is_not_found(void **state)
{
    struct request_row rows[32];
    struct env *env = lmdb_env_new();
    struct bench bench;
    struct candidates candidates;
    (void)state;
    for (uint64_t i = 0; i < 32; i++) {
        rows[i] = (struct request_row){i << 50, lmdb_env_mix(i), i + 1};
    }
    write_segment(env, 1, 1, 32, rows, 32);
    set_up(&bench, env, 32);
    begin(&bench);
    uint64_t low = false_positive(rows, 32);
    for (uint64_t i = 0; i < 40; i++) { /* before, at, between and behind what there is */
        assert_status(find(&bench, i << 50, low, 0, &candidates), STATUS_NOT_FOUND);
        assert_u64(candidates.n, 0);
        assert_status(find(&bench, (i << 50) + 1, low, 0, &candidates), STATUS_NOT_FOUND);
    }
    for (uint64_t i = 0; i < 32; i++) {
        assert_ok(find(&bench, rows[i].high, rows[i].low, rows[i].seq, &candidates));
        assert_u64(candidates.n, 1);
    }
    take_down(&bench);
}

/* Many chunks of rows and of the filter; and segments that come while the store runs. */
static void find__in_large_segments_that_come_and_go__is_exact(void **state)
{
    enum { ROWS = 20000 };
    static struct request_row rows[3][ROWS];
    struct env *env = lmdb_env_new();
    struct bench bench;
    struct candidates candidates;
    (void)state;
    set_up(&bench, env, 0);
    for (uint64_t s = 0; s < 3; s++) {
        for (uint64_t i = 0; i < ROWS; i++) {
            uint64_t seq = s * ROWS + i + 1;
            rows[s][i] = (struct request_row){lmdb_env_mix(seq), lmdb_env_mix(seq + 9), seq};
        }
        qsort(rows[s], ROWS, sizeof rows[s][0], lmdb_env_by_row);
        write_segment(env, s + 1, s * ROWS + 1, (s + 1) * ROWS, rows[s], ROWS);
        begin(&bench);
        for (uint64_t i = 0; i < ROWS; i += 7) {
            for (uint64_t k = 0; k < 3; k++) {
                uint64_t seq = k * ROWS + i + 1;
                assert_status(
                    find(&bench, lmdb_env_mix(seq), lmdb_env_mix(seq + 9), seq, &candidates),
                    k <= s ? 0 : STATUS_NOT_FOUND);
                assert_u64(candidates.n, k <= s);
            }
        }
        end(&bench);
    }
    MDB_txn *txn = lmdb_env_begin(env, true); /* the last two are gone, as those that are merged */
    for (uint64_t id = 2; id <= 3; id++) {
        assert_ok(manifest_remove(env, txn, id));
    }
    assert_ok(env_commit(env, txn));
    begin(&bench);
    assert_ok(find(&bench, rows[0][0].high, rows[0][0].low, rows[0][0].seq, &candidates));
    assert_status(find(&bench, rows[1][0].high, rows[1][0].low, 0, &candidates), STATUS_NOT_FOUND);
    take_down(&bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(find__equal_fingerprints_everywhere__gives_each),
    cmocka_unit_test(fingerprint__announced_or_not__is_that_of_the_key),
    cmocka_unit_test(find__false_positive_of_a_filter__is_not_found),
    cmocka_unit_test(find__in_large_segments_that_come_and_go__is_exact),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    turn_init(&turn);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    turn_done(&turn);
    return testkit_end(failed);
}
