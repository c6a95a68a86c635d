/* Stores of the formats before: of 1, with request ids and usage in B-trees, and of 2, with plain
 * rows in its segments. */
#include "tests/store/history.h"
#include "tests/store/verifying.h"

static const char *const old_tables[] = {"requests", "usage", "usage_late"};

enum {
    N_OLD_TABLES = sizeof old_tables / sizeof old_tables[0],
    OLD_ROWS = 3000,
};

/* --- stores as they were ---------------------------------------------------------------------- */

static MDB_val meta_key(void)
{
    static char name[] = "store";
    return (MDB_val){sizeof name - 1, name};
}

static uint8_t *read_meta(struct surgery *surgery)
{
    MDB_val key = meta_key();
    MDB_val value;
    assert_int_equal(mdb_get(surgery->txn, table_named(surgery, NULL), &key, &value), 0);
    assert_u64(value.mv_size, 48);
    return memcpy(testkit_alloc(48), value.mv_data, 48);
}

static void write_format(struct surgery *surgery, uint32_t format)
{
    MDB_val key = meta_key();
    uint8_t *row = read_meta(surgery);
    memcpy(row + 8, &format, sizeof format); /* this machine is little-endian */
    uint64_t checksum = XXH3_64bits(row, 40);
    memcpy(row + 40, &checksum, sizeof checksum);
    MDB_val value = {48, row};
    assert_int_equal(mdb_put(surgery->txn, table_named(surgery, NULL), &key, &value, 0), 0);
}

/* The table NAME as the format before had it, of many pages.  What its rows say does not matter: it
 * is not read any more. */
static void make_old_table(struct surgery *surgery, const char *name)
{
    MDB_dbi dbi;
    assert_int_equal(mdb_dbi_open(surgery->txn, name, MDB_CREATE, &dbi), 0);
    for (uint32_t i = 0; i < OLD_ROWS; i++) {
        uint64_t bytes[3] = {(uint64_t)i * UINT64_C(0x9e3779b97f4a7c15), i, 7};
        MDB_val key = {sizeof bytes, bytes};
        MDB_val value = {sizeof i, &i};
        assert_int_equal(mdb_put(surgery->txn, dbi, &key, &value, 0), 0);
    }
}

/* Make the store in DIRECTORY one of format 1. */
static void make_old(const char *directory)
{
    struct surgery surgery = surgery_begin(directory);
    assert_int_equal(mdb_drop(surgery.txn, table_named(&surgery, "segments"), 1), 0);
    assert_int_equal(mdb_drop(surgery.txn, table_named(&surgery, "manifest"), 1), 0);
    for (int i = 0; i < N_OLD_TABLES; i++) {
        make_old_table(&surgery, old_tables[i]);
    }
    write_format(&surgery, 1);
    surgery_end(&surgery);
}

/* Make the store in DIRECTORY one of format 2.  Returns how many chunks of rows there are. */
static int make_plain(const char *directory)
{
    int n = 0;
    int chunks = count_rows(directory, "segments");
    struct surgery surgery = surgery_begin(directory);
    for (int i = 0; i < chunks; i++) {
        struct row *chunk = row_take(&surgery, "segments", i);
        n += chunk_table(chunk) != SEGMENT_FILTER;
        chunk_unpack(chunk);
        chunk_seal_plain(chunk, chunk_count(chunk));
        row_put(&surgery, "segments", chunk);
    }
    write_format(&surgery, 2);
    surgery_end(&surgery);
    return n;
}

static bool has_table(const char *directory, const char *name)
{
    MDB_dbi dbi;
    struct surgery surgery = surgery_begin(directory);
    int rc = mdb_dbi_open(surgery.txn, name, 0, &dbi);
    surgery_end(&surgery);
    return rc == 0;
}

static uint32_t format_of(const char *directory)
{
    uint32_t format;
    struct surgery surgery = surgery_begin(directory);
    memcpy(&format, read_meta(&surgery) + 8, sizeof format);
    surgery_end(&surgery);
    return format;
}

static void check_as_after(const char *directory, const struct model *model)
{
    struct store *store = open_in(directory);
    check_now(store, model);
    store_close(store);
}

/* A random history in DIRECTORY. */
static void write_history(const char *directory, struct model *model, uint64_t records)
{
    struct rng rng = rng_make("upgrade");
    struct store *store = open_in(directory);
    while (model->records < records) {
        history_step(&rng, store, model, 50);
    }
    store_close(store);
}

/* --- upgrading -------------------------------------------------------------------------------- */

static void assert_upgraded(const char *directory)
{
    assert_int_equal(format_of(directory), 3);
    for (int i = 0; i < N_OLD_TABLES; i++) {
        assert_false(has_table(directory, old_tables[i]));
    }
}

static void open__store_of_format_1__is_upgraded_and_goes_on(void **state)
{
    static const char *const uris[] = {"lmdb:", "lmdb:?head_records=7&merge_width=2"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct model *model = model_create();
        const char *directory = testkit_tmpdir();
        fixture_uri = uris[i];
        write_history(directory, model, 600);
        make_old(directory);
        check_as_after(directory, model);
        assert_upgraded(directory);
        write_history(directory, model, 900);
        check_as_after(directory, model);
        assert_upgraded(directory);
    }
    fixture_uri = "lmdb:";
}

/* As a start that was killed in the middle of making segments would leave it. */
static void open__upgraded_and_closed_at_once__makes_the_rest_later(void **state)
{
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    (void)state;
    write_history(directory, model, 600);
    make_old(directory);
    check_as_after(directory, model); /* nothing is sealed: the head has it all */
    fixture_uri = "lmdb:?head_records=7&merge_width=2";
    check_as_after(directory, model);
    fixture_uri = "lmdb:";
    check_as_after(directory, model);
}

static void open__empty_store_of_format_1__is_upgraded(void **state)
{
    const char *directory = testkit_tmpdir();
    (void)state;
    store_close(open_in(directory));
    make_old(directory);
    check_as_after(directory, model_create());
    assert_upgraded(directory);
}

static void open__format_1_without_its_tables__is_upgraded(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    (void)state;
    write_history(directory, model, 50);
    struct surgery surgery = surgery_begin(directory);
    write_format(&surgery, 1);
    surgery_end(&surgery);
    check_as_after(directory, model);
    assert_upgraded(directory);
}

static void assert_sound(const char *directory)
{
    struct findings *findings = verify_in(directory);
    print_all(findings);
    assert_u64(findings->n, 0);
}

/* Segments of both forms beside each other are read, verified, and merged into new ones. */
static void open__store_of_format_2__is_upgraded_and_goes_on(void **state)
{
    static const char *const uris[] = {"lmdb:?head_records=100&merge_width=64",
                                       "lmdb:?head_records=7&merge_width=64"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct model *model = model_create();
        const char *directory = testkit_tmpdir();
        fixture_uri = uris[i];
        write_history(directory, model, 600);
        assert_true(make_plain(directory) > 4);
        check_as_after(directory, model);
        assert_upgraded(directory);
        write_history(directory, model, 900);
        check_as_after(directory, model);
        assert_sound(directory);
        fixture_uri = "lmdb:?head_records=7&merge_width=2";
        write_history(directory, model, 1000);
        check_as_after(directory, model);
        assert_sound(directory);
    }
    fixture_uri = "lmdb:";
}

/* --- refusing --------------------------------------------------------------------------------- */

/* What the version before could still read stays as it was. */
static void open__damaged_journal_of_format_1__is_refused_and_left_alone(void **state)
{
    const char *directory = testkit_tmpdir();
    struct store_options options = options_in(directory);
    struct store *store = open_in(directory);
    struct model *model = model_create();
    (void)state;
    for (int i = 1; i <= 6; i++) { /* one a block */
        struct store_txn *txn = begin(store, birth_us);
        struct record customer = customer_named(testkit_format("name %d", i), "");
        append(txn, model, &customer, birth_us);
        assert_ok(store_commit(txn));
    }
    store_close(store);
    make_old(directory);
    flip(directory, "journal", 1, IN_VALUE, -20);
    assert_refused(&options, "cannot be upgraded: record 2 of its journal is damaged");
    assert_refused(&options, directory);
    assert_int_equal(format_of(directory), 1);
    for (int i = 0; i < N_OLD_TABLES; i++) {
        assert_true(has_table(directory, old_tables[i]));
    }
    flip(directory, "journal", 1, IN_VALUE, -20); /* from a backup */
    check_as_after(directory, model);
    assert_upgraded(directory);
}

static void open__newer_or_unknown_format__is_refused_by_name(void **state)
{
    static const uint32_t formats[] = {0, 4, UINT32_MAX};
    const char *directory = testkit_tmpdir();
    struct store_options options = options_in(directory);
    (void)state;
    store_close(open_in(directory));
    for (int i = 0; i < 3; i++) {
        struct surgery surgery = surgery_begin(directory);
        write_format(&surgery, formats[i]);
        surgery_end(&surgery);
        assert_refused(&options,
                       testkit_format("store format %u and this program knows 3", formats[i]));
        assert_int_equal(format_of(directory), formats[i]);
    }
}

static void open__another_currency_of_format_1__is_refused_and_left_alone(void **state)
{
    const char *directory = testkit_tmpdir();
    struct store_options options = options_in(directory);
    (void)state;
    store_close(open_in(directory));
    make_old(directory);
    options.currency = "EUR";
    assert_refused(&options, "USD");
    assert_int_equal(format_of(directory), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(open__store_of_format_1__is_upgraded_and_goes_on),
    cmocka_unit_test(open__upgraded_and_closed_at_once__makes_the_rest_later),
    cmocka_unit_test(open__empty_store_of_format_1__is_upgraded),
    cmocka_unit_test(open__store_of_format_2__is_upgraded_and_goes_on),
    cmocka_unit_test(open__format_1_without_its_tables__is_upgraded),
    cmocka_unit_test(open__damaged_journal_of_format_1__is_refused_and_left_alone),
    cmocka_unit_test(open__newer_or_unknown_format__is_refused_by_name),
    cmocka_unit_test(open__another_currency_of_format_1__is_refused_and_left_alone),
};

TESTKIT_MAIN(tests)
