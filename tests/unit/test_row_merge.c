/* Merged sources of rows, in arrays and in segments, against one list that is sorted plainly. */
#include "billingd/store/lmdb/row_merge.h"
#include "billingd/store/lmdb/segment_writer.h"
#include "tests/unit/lmdb_env.h"

enum {
    ROWS_MAX = 20000,
    SOURCES_MAX = 70,
};

static struct turn turn;

static int by_place(const void *a, const void *b)
{
    return place_row_compare(a, b);
}

/* N random rows, sorted; few customers and times, so that they meet. */
static struct place_row *random_rows(struct rng *rng, size_t n)
{
    struct place_row *rows = testkit_alloc((n + 1) * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        rows[i] = (struct place_row){1 + rng_below(rng, 4), (int64_t)rng_below(rng, 300),
                                     rng_next(rng) >> 1};
    }
    qsort(rows, n, sizeof *rows, by_place);
    return rows;
}

static void write_segment(const struct env *env, uint64_t id, const struct place_row *rows,
                          size_t n)
{
    struct segment_writer writer;
    struct segment segment = {.id = id, .first_seq = id, .last_seq = id};
    assert_ok(segment_writer_begin(&writer, env, &turn, &segment, 0, SEGMENT_CHUNK_BYTES));
    for (size_t i = 0; i < n; i++) {
        bool full;
        segment_writer_add(&writer, SEGMENT_USAGE, &rows[i], &full);
        if (full) {
            assert_ok(segment_writer_flush(&writer));
        }
    }
    assert_ok(segment_writer_finish(&writer, NULL, 0));
    segment_writer_done(&writer);
}

/* The rows of ALL, sorted, from customer A and time B on come out of MERGE, and nothing else. */
static void assert_merged(struct row_merge *merge, const struct place_row *all, size_t n,
                          uint64_t a, uint64_t b)
{
    size_t i = segment_rows_before(SEGMENT_USAGE, all, n, a, b);
    for (; i < n; i++) {
        const void *row = row_merge_peek(merge);
        assert_non_null(row);
        assert_memory_equal(row, &all[i], sizeof all[i]);
        assert_ok(row_merge_step(merge));
    }
    assert_null(row_merge_peek(merge));
}

struct sources {
    size_t n;
    struct place_row *rows[SOURCES_MAX];
    size_t sizes[SOURCES_MAX];
    bool stored[SOURCES_MAX]; /* in the segment of its number + 1; else in memory */
    struct place_row *all;    /* of all of them, sorted */
    size_t n_all;
};

/* Up to N sources, few of them of more than MAX rows. */
static struct sources *make_sources(struct rng *rng, const struct env *env, size_t n, size_t max)
{
    struct sources *sources = testkit_alloc(sizeof *sources);
    sources->all = testkit_alloc(ROWS_MAX * sizeof *sources->all);
    sources->n = rng_below(rng, n);
    for (size_t i = 0; i < sources->n; i++) {
        size_t size = rng_below(rng, rng_below(rng, 3) == 0 ? 2 : max);
        sources->rows[i] = random_rows(rng, size);
        sources->sizes[i] = size;
        sources->stored[i] = rng_below(rng, 2) == 0;
        if (sources->stored[i]) {
            write_segment(env, i + 1, sources->rows[i], size);
        }
        memcpy(sources->all + sources->n_all, sources->rows[i], size * sizeof *sources->all);
        sources->n_all += size;
    }
    qsort(sources->all, sources->n_all, sizeof *sources->all, by_place);
    return sources;
}

static void assert_merged_from(const struct env *env, MDB_txn *txn, const struct sources *sources,
                               uint64_t a, uint64_t b)
{
    struct row_merge merge;
    assert_ok(row_merge_init(&merge, SEGMENT_USAGE, sources->n));
    for (size_t i = 0; i < sources->n; i++) {
        const struct place_row *rows = sources->rows[i];
        size_t n = sources->sizes[i];
        size_t first = segment_rows_before(SEGMENT_USAGE, rows, n, a, b);
        if (sources->stored[i]) {
            assert_ok(row_merge_add_segment(&merge, env, txn,
                                            (struct segment_start){i + 1, SEGMENT_USAGE, a, b}));
        } else {
            row_merge_add_rows(&merge, rows + first, n - first);
        }
    }
    assert_merged(&merge, sources->all, sources->n_all, a, b);
    row_merge_done(&merge);
}

static void merge__random_sources__give_all_rows_in_order(void **state)
{
    struct rng rng = rng_make("merge");
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct env *env = lmdb_env_new();
        const struct sources *sources = round % 10 == 0 ? make_sources(&rng, env, SOURCES_MAX, 280)
                                        : round % 10 == 1 ? make_sources(&rng, env, 7, 3000)
                                                          : make_sources(&rng, env, 9, 280);
        MDB_txn *txn = lmdb_env_begin(env, false);
        assert_merged_from(env, txn, sources, 0, 0);
        for (int from = 0; from < 3; from++) {
            assert_merged_from(env, txn, sources, rng_below(&rng, 6), rng_below(&rng, 310));
        }
        mdb_txn_abort(txn);
        env_close(env);
    }
}

static void merge__of_nothing__has_nothing(void **state)
{
    struct row_merge merge;
    (void)state;
    assert_ok(row_merge_init(&merge, SEGMENT_SUMS, 0));
    assert_null(row_merge_peek(&merge));
    row_merge_done(&merge);
    row_merge_done(&merge); /* again does no harm */
    assert_ok(row_merge_init(&merge, SEGMENT_SUMS, 1));
    row_merge_add_rows(&merge, NULL, 0);
    assert_null(row_merge_peek(&merge));
    row_merge_done(&merge);
}

static void merge__segment_that_is_not_there__is_corrupt(void **state)
{
    struct env *env = lmdb_env_new();
    MDB_txn *txn = lmdb_env_begin(env, false);
    struct row_merge merge;
    (void)state;
    assert_ok(row_merge_init(&merge, SEGMENT_USAGE, 1));
    assert_status(
        row_merge_add_segment(&merge, env, txn, (struct segment_start){7, SEGMENT_USAGE, 0, 0}),
        STATUS_CORRUPT);
    row_merge_done(&merge);
    mdb_txn_abort(txn);
    env_close(env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(merge__random_sources__give_all_rows_in_order),
    cmocka_unit_test(merge__of_nothing__has_nothing),
    cmocka_unit_test(merge__segment_that_is_not_there__is_corrupt),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    turn_init(&turn);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    turn_done(&turn);
    return testkit_end(failed);
}
