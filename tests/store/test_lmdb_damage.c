/* Stored bytes that changed behind the store's back: an error, never a wrong figure.  The data
 * file is changed through LMDB, and once byte by byte. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/store/surgery.h"

/* --- stores to damage ------------------------------------------------------------------------- */

/* One customer, 1, and usage 2 to 21, one a block and an hour; those of odd hours bill late.  As it
 * is after a crash, where CRASHES. */
static const char *make_store_that(bool crashes)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    for (int i = 0; i <= 20; i++) {
        struct store_txn *txn = begin(store, birth_us);
        struct record record =
            usage_at(1, i * hour_us, (i + i % 2 * 50) * hour_us, testkit_format("request-%d", i));
        if (i == 0) {
            record = customer_named("Acme", "external-1");
        }
        append(txn, model, &record, birth_us);
        assert_ok(store_commit(txn));
    }
    if (crashes) {
        return crash(store, directory);
    }
    store_close(store);
    return directory;
}

static const char *make_store(void)
{
    return make_store_that(false);
}

static int open_status(const char *directory, struct errinfo *ret_reason)
{
    struct store_options options = options_in(directory);
    struct store *store;
    int rc = store_open(fixture_uri, &options, &store, ret_reason);
    if (rc == 0) {
        store_close(store);
    }
    return rc;
}

static void assert_open_refused(const char *directory, int status, const char *part)
{
    struct errinfo reason = {""};
    assert_status(open_status(directory, &reason), status);
    assert_contains(reason.message, part);
    assert_contains(reason.message, "data.mdb");
    assert_contains(reason.message, directory);
}

/* --- the journal ------------------------------------------------------------------------------ */

static void open__undamaged__goes_well(void **state)
{
    struct errinfo reason;
    (void)state;
    assert_ok(open_status(make_store(), &reason));
}

static void open__damaged_tail__is_refused_by_name(void **state)
{
    (void)state;
    for (int at = -100; at < 100; at += 13) {
        const char *directory = make_store();
        flip(directory, "journal", -1, IN_VALUE, at);
        assert_open_refused(directory, STATUS_CORRUPT, "journal block of record 21");
    }
}

static void open__damaged_block_before_the_tail__is_refused(void **state)
{
    const char *directory = make_store();
    (void)state;
    flip(directory, "journal", -2, IN_VALUE, 70);
    assert_open_refused(directory, STATUS_CORRUPT, "the block before it is damaged");
}

/* Whole blocks, but not the ones that were written. */
static void open__broken_chain__is_refused(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, -2, 24, 77); /* the time of the block before */
    assert_open_refused(directory, STATUS_CORRUPT, "does not follow");
    directory = make_store();
    forge_block(directory, -1, 40, 77); /* the hash that the last one carries */
    assert_open_refused(directory, STATUS_CORRUPT, "does not follow");
}

static void open__missing_block__is_refused(void **state)
{
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    (void)state;
    IGNORE(row_take(&surgery, "journal", -2) == NULL); /* taken out, and not put back */
    surgery_end(&surgery);
    assert_open_refused(directory, STATUS_CORRUPT, "does not follow");
}

static void open__block_in_anothers_place__is_refused(void **state)
{
    const char *directory = make_store();
    (void)state;
    flip(directory, "journal", -1, IN_KEY, -2); /* 21 becomes 277 */
    assert_open_refused(directory, STATUS_CORRUPT, "stands in another's place");
}

static struct row *first_block(const char *directory)
{
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("Acme", "");
    append(txn, model, &customer, birth_us);
    assert_ok(store_commit(txn));
    store_close(store);
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "journal", 0);
    row_put(&surgery, "journal", row);
    surgery_end(&surgery);
    return row;
}

static void open__first_block_of_another_store__is_refused(void **state)
{
    const char *directory = testkit_tmpdir();
    struct row *mine = first_block(directory);
    struct row *other = first_block(testkit_tmpdir());
    (void)state;
    assert_u64(mine->value_bytes, other->value_bytes);
    struct surgery surgery = surgery_begin(directory);
    row_put(&surgery, "journal", other);
    surgery_end(&surgery);
    assert_open_refused(directory, STATUS_CORRUPT, "does not follow");
    surgery = surgery_begin(directory);
    row_put(&surgery, "journal", mine);
    surgery_end(&surgery);
    assert_ok(open_status(directory, &(struct errinfo){""}));
}

static void open__newer_block_format__is_refused_by_name(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, -1, 4, 2);
    assert_open_refused(directory, STATUS_NOT_IMPLEMENTED, "format 2.3 and this program knows 1.3");
    forge_block(directory, -1, 4, 1);
    assert_ok(open_status(directory, &(struct errinfo){""}));
    forge_block(directory, -1, 6, 9);
    assert_open_refused(directory, STATUS_NOT_IMPLEMENTED, "format 1.9");
}

static void read__damaged_old_block__fails_and_the_rest_goes_on(void **state)
{
    const char *directory = make_store();
    struct store_range range = {1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {0}};
    (void)state;
    seal_all(directory);
    flip(directory, "journal", 4, IN_VALUE, -20); /* record 5: the fourth hour */
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct record record;
    for (uint64_t seq = 1; seq <= 21; seq++) {
        assert_u64(store_view_damaged(view), seq <= 5 ? 0 : 5);
        assert_status(store_record(view, seq, &record), seq == 5 ? STATUS_CORRUPT : 0);
        assert_status(store_record(view, seq, &record), seq == 5 ? STATUS_CORRUPT : 0);
    }
    struct store_key key = {1, SLICE("request-4")};
    assert_status(store_request(view, key, &record), STATUS_CORRUPT);
    for (int by = STORE_BY_OCCURRED; by <= STORE_BY_BILLED; by++) {
        int rows = 0;
        range.by = (enum store_clock)by;
        assert_status(store_scan(view, &range, count_record, &rows), STATUS_CORRUPT);
        assert_int_equal(rows, by == STORE_BY_OCCURRED ? 3 : 1);
    }
    int rows = 0;
    assert_status(store_scan_journal(view, 0, count_record, &rows), STATUS_CORRUPT);
    assert_int_equal(rows, 4);
    assert_u64(store_view_damaged(view), 5);
    assert_ok(store_scan_journal(view, 5, count_record, &rows)); /* the rest */
    assert_int_equal(rows, 20);
    rows = 0;
    range = (struct store_range){1, STORE_USAGE, STORE_BY_OCCURRED, 5 * hour_us, INT64_MAX, {0}};
    assert_ok(store_scan(view, &range, count_record, &rows));
    assert_int_equal(rows, 16);
    store_release(view);
    store_close(store);
}

static void read__missing_block__is_no_end_of_the_journal(void **state)
{
    const char *directory = make_store();
    struct record record;
    int rows = 0;
    (void)state;
    seal_all(directory);
    struct surgery surgery = surgery_begin(directory);
    IGNORE(row_take(&surgery, "journal", 0) == NULL); /* taken out, and not put back */
    IGNORE(row_take(&surgery, "journal", 6) == NULL); /* of record 8 */
    surgery_end(&surgery);
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    assert_status(store_record(view, 1, &record), STATUS_CORRUPT);
    assert_u64(store_view_damaged(view), 1);
    assert_status(store_record(view, 8, &record), STATUS_CORRUPT);
    assert_u64(store_view_damaged(view), 8);
    assert_status(store_record(view, 22, &record), STATUS_NOT_FOUND);
    assert_status(store_record(view, 0, &record), STATUS_NOT_FOUND);
    assert_u64(store_view_damaged(view), 8);
    assert_status(store_scan_journal(view, 1, count_record, &rows), STATUS_CORRUPT);
    assert_int_equal(rows, 6);
    store_release(view);
    view = snapshot(store);
    assert_u64(store_view_damaged(view), 0); /* each view has its own */
    store_release(view);
    store_close(store);
}

/* What no segment has must be read at the start: it is the tail too. */
static void open__damaged_block_that_is_not_sealed__is_refused_by_name(void **state)
{
    const char *uri = fixture_uri;
    (void)state;
    fixture_uri = "lmdb:";
    const char *directory = make_store_that(true);
    flip(directory, "journal", 4, IN_VALUE, -20);
    assert_open_refused(directory, STATUS_CORRUPT, "record 5 of the journal");
    flip(directory, "journal", 4, IN_VALUE, -20);
    assert_ok(open_status(directory, &(struct errinfo){""}));
    /* That has sealed it: now a read is told. */
    flip(directory, "journal", 4, IN_VALUE, -20);
    assert_ok(open_status(directory, &(struct errinfo){""}));
    fixture_uri = uri;
}

/* --- the data file itself --------------------------------------------------------------------- */

static void read__byte_changed_in_the_file__fails(void **state)
{
    const char *directory = make_store();
    const char *path = testkit_format("%s/data.mdb", directory);
    static const char text[] = "request-4\x08uid:1000"; /* as the record has it, not the tables */
    size_t bytes;
    int found = 0;
    (void)state;
    seal_all(directory);
    char *data = testkit_read_file(path, &bytes);
    for (size_t at = 0; at + sizeof text <= bytes; at++) {
        if (memcmp(data + at, text, sizeof text - 1) == 0) {
            data[at + 3] ^= 4; /* also in pages that are no longer used */
            found++;
        }
    }
    assert_true(found > 0);
    testkit_write_file(path, data, bytes);
    free(data);
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct record record;
    assert_status(store_record(view, 5, &record), STATUS_CORRUPT);
    store_release(view);
    store_close(store);
}

/* --- the tables ------------------------------------------------------------------------------- */

static int ask_customer(struct store_view *view)
{
    struct store_customer customer;
    return store_customer(view, 1, &customer);
}

static int ask_external_id(struct store_view *view)
{
    uint64_t seq;
    return store_external_id(view, SLICE("external-1"), &seq);
}

static int keep_customer(const struct store_customer *customer, void *arg)
{
    (void)customer;
    (void)arg;
    return 0;
}

static int ask_customers(struct store_view *view)
{
    return store_scan_customers(view, 0, keep_customer, NULL);
}

static void read__damaged_table__fails(void **state)
{
    static const struct {
        const char *table;
        int index;
        enum place place;
        int at;
        int (*question)(struct store_view *view);
    } damages[] = {
        {"customers", 0, IN_VALUE, 0, ask_customer},     /* created_at */
        {"customers", 0, IN_VALUE, 16, ask_customer},    /* billed_until */
        {"customers", 0, IN_VALUE, 24, ask_customer},    /* length of the name */
        {"customers", 0, IN_VALUE, 28, ask_customers},   /* name */
        {"customers", 0, IN_VALUE, -9, ask_external_id}, /* external id */
        {"customers", 0, IN_VALUE, -1, ask_customer},    /* checksum */
        {"customers", 0, IN_KEY, 6, ask_customers},      /* another's row */
        {"external_ids", 0, IN_VALUE, 0, ask_external_id},
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        const char *directory = make_store();
        assert_ok(ask(directory, damages[i].question));
        flip(directory, damages[i].table, damages[i].index, damages[i].place, damages[i].at);
        if (ask(directory, damages[i].question) != STATUS_CORRUPT) {
            testkit_fail("damage %zu, to %s, was not seen", i, damages[i].table);
        }
    }
}

static void read__external_id_that_leads_to_another__fails(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    (void)state;
    for (int i = 1; i <= 3; i++) {
        struct record customer = customer_named("Acme", testkit_format("external-%d", i % 3));
        append(txn, model, &customer, birth_us);
    }
    assert_ok(store_commit(txn));
    store_close(store);
    assert_ok(ask(directory, ask_external_id));
    flip(directory, "external_ids", 2, IN_VALUE, 0); /* external-2 is 2's, and becomes 3's */
    store = open_in(directory);
    struct store_view *view = snapshot(store);
    uint64_t seq;
    assert_status(store_external_id(view, SLICE("external-2"), &seq), STATUS_CORRUPT);
    assert_ok(store_external_id(view, SLICE("external-1"), &seq));
    assert_u64(seq, 1);
    store_release(view);
    store_close(store);
}

/* --- the store's own row ---------------------------------------------------------------------- */

/* Turn those bits of byte AT of the meta row over that BITS has. */
static void change_meta(const char *directory, size_t at, uint8_t bits)
{
    struct surgery surgery = surgery_begin(directory);
    MDB_dbi dbi = table_named(&surgery, NULL);
    MDB_val key = {5, (char[]){"store"}};
    MDB_val row;
    uint8_t bytes[48];
    assert_int_equal(mdb_get(surgery.txn, dbi, &key, &row), 0);
    assert_u64(row.mv_size, sizeof bytes);
    memcpy(bytes, row.mv_data, sizeof bytes);
    bytes[at] ^= bits;
    row = (MDB_val){sizeof bytes, bytes};
    assert_int_equal(mdb_put(surgery.txn, dbi, &key, &row, 0), 0);
    surgery_end(&surgery);
}

static void open__newer_store_format__is_refused_by_name(void **state)
{
    const char *directory = make_store();
    (void)state;
    change_meta(directory, 8, 7); /* 3 becomes 4 */
    assert_open_refused(directory, STATUS_NOT_IMPLEMENTED,
                        "store format 4 and this program knows 3");
}

static void open__damaged_meta__is_refused(void **state)
{
    const char *directory = make_store();
    (void)state;
    change_meta(directory, 16, 99); /* the key of ids */
    assert_open_refused(directory, STATUS_CORRUPT, "checksum of its meta row");
    change_meta(directory, 0, 1);
    assert_open_refused(directory, STATUS_CORRUPT, "is none of a store");
}

static void open__file_of_another_program__is_refused(void **state)
{
    const char *directory = testkit_tmpdir();
    struct surgery surgery = surgery_begin(directory);
    MDB_val key = {5, (char[]){"other"}};
    (void)state;
    assert_int_equal(mdb_put(surgery.txn, table_named(&surgery, NULL), &key, &key, 0), 0);
    surgery_end(&surgery);
    assert_open_refused(directory, STATUS_CORRUPT, "another program");
}

static off_t bytes_of(const char *path)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
}

/* As a copy that found no room leaves it.  Where the last pages are free it is whole all the
 * same. */
static void open__file_cut_short__is_refused(void **state)
{
    const char *directory = make_store();
    const char *path = testkit_format("%s/data.mdb", directory);
    struct errinfo reason = {""};
    int refused = 0;
    (void)state;
    for (off_t bytes = bytes_of(path) - 4096; bytes > 4 * 4096; bytes -= 4096) {
        assert_int_equal(truncate(path, bytes), 0);
        if (open_status(directory, &reason) == 0) {
            assert_int_equal(refused, 0);
            continue;
        }
        assert_open_refused(directory, STATUS_CORRUPT, "cut short");
        assert_i64(bytes_of(path), bytes);
        refused++;
    }
    assert_true(refused > 0);
}

/* LMDB would begin a store in it, as if there had never been one. */
static void open__file_with_nothing_in_it__is_refused(void **state)
{
    const char *directory = make_store();
    const char *path = testkit_format("%s/data.mdb", directory);
    (void)state;
    assert_int_equal(truncate(path, 0), 0);
    assert_open_refused(directory, STATUS_CORRUPT, "has nothing in it");
    assert_i64(bytes_of(path), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(open__undamaged__goes_well),
    cmocka_unit_test(open__damaged_tail__is_refused_by_name),
    cmocka_unit_test(open__damaged_block_before_the_tail__is_refused),
    cmocka_unit_test(open__broken_chain__is_refused),
    cmocka_unit_test(open__missing_block__is_refused),
    cmocka_unit_test(open__block_in_anothers_place__is_refused),
    cmocka_unit_test(open__first_block_of_another_store__is_refused),
    cmocka_unit_test(open__newer_block_format__is_refused_by_name),
    cmocka_unit_test(read__damaged_old_block__fails_and_the_rest_goes_on),
    cmocka_unit_test(read__missing_block__is_no_end_of_the_journal),
    cmocka_unit_test(open__damaged_block_that_is_not_sealed__is_refused_by_name),
    cmocka_unit_test(read__byte_changed_in_the_file__fails),
    cmocka_unit_test(read__damaged_table__fails),
    cmocka_unit_test(read__external_id_that_leads_to_another__fails),
    cmocka_unit_test(open__newer_store_format__is_refused_by_name),
    cmocka_unit_test(open__damaged_meta__is_refused),
    cmocka_unit_test(open__file_of_another_program__is_refused),
    cmocka_unit_test(open__file_cut_short__is_refused),
    cmocka_unit_test(open__file_with_nothing_in_it__is_refused),
};

int main(int argc, char **argv)
{
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
