/* Verifying the rows of segments: what is damaged, and what was changed under checksums that are
 * right. */
#include "tests/store/verifying.h"
#include "tests/unit/lmdb_env.h"

static const char *const row_tables[] = {"request ids", "usage", "late usage", "sums", "filter"};

/* --- chunks ----------------------------------------------------------------------------------- */

static void verify__flipped_byte_of_a_chunk__is_found(void **state)
{
    static const int value_at[] = {0, 8, 16, 60, 100, 4000, -1, -9};
    (void)state;
    for (int chunk = 0; chunk < 5; chunk++) {
        for (size_t i = 0; i < sizeof value_at / sizeof value_at[0]; i++) {
            const char *directory = make_store();
            flip(directory, "segments", chunk, IN_VALUE, value_at[i]);
            struct findings *findings = verify_in(directory);
            assert_found(findings, STORE_DAMAGED, row_tables[chunk], 0);
            assert_int_equal(findings->kept[0].chunk, chunk);
            assert_u64(findings->kept[0].segment, 1);
            assert_only(findings, row_tables[chunk], row_tables[chunk]);
        }
    }
}

static void verify__missing_chunk__is_found(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 5; chunk++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        IGNORE(row_take(&surgery, "segments", chunk) == NULL);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_MISSING, "segments", 0);
        if (chunk < 4) {
            assert_found(findings, STORE_MISSING, row_tables[chunk], 0);
        }
        assert_only(findings, "segments", row_tables[chunk]);
    }
}

static void verify__chunk_under_a_damaged_key__is_found(void **state)
{
    static const int key_at[] = {7, 8, 16, 24, 28}; /* segment, table, customer, time, number */
    (void)state;
    for (int chunk = 0; chunk < 5; chunk++) {
        for (size_t i = 0; i < sizeof key_at / sizeof key_at[0]; i++) {
            const char *directory = make_store();
            flip(directory, "segments", chunk, IN_KEY, key_at[i]);
            assert_true(verify_in(directory)->n > 0);
        }
    }
}

static void verify__chunks_of_no_segment__are_found(void **state)
{
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    (void)state;
    struct row *chunk = row_take(&surgery, "segments", 1);
    row_put(&surgery, "segments", chunk);
    chunk->key[7] = 9;
    chunk_unpack(chunk);
    chunk_seal(chunk, chunk_count(chunk));
    row_put(&surgery, "segments", chunk);
    surgery_end(&surgery);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_SURPLUS, "segments", 0);
    assert_u64(findings->kept[0].segment, 9);
    assert_u64(findings->n, 1);
}

/* --- rows, under checksums that are right ----------------------------------------------------- */

static uint32_t drop_row(uint8_t *rows, size_t bytes, uint32_t n)
{
    memmove(rows + 2 * bytes, rows + 3 * bytes, (n - 3) * bytes);
    return n - 1;
}

static uint32_t double_row(uint8_t *rows, size_t bytes, uint32_t n)
{
    memmove(rows + 3 * bytes, rows + 2 * bytes, (n - 2) * bytes);
    return n + 1;
}

static uint32_t swap_rows(uint8_t *rows, size_t bytes, uint32_t n)
{
    uint8_t row[sizeof(struct sum_row)];
    memcpy(row, rows, bytes);
    memmove(rows, rows + bytes, bytes);
    memcpy(rows + bytes, row, bytes);
    return n;
}

static size_t change_at; /* which byte of a row change_row() changes */

static uint32_t change_row(uint8_t *rows, size_t bytes, uint32_t n)
{
    rows[2 * bytes + change_at] ^= 32; /* of a number: to what no record has */
    return n;
}

static void verify__row_that_is_missing__is_found(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        const char *directory = make_store();
        forge_chunk(directory, chunk, drop_row);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_MISSING, row_tables[chunk], 0);
        assert_found(findings, STORE_WRONG, row_tables[chunk], 0); /* the manifest's count */
        assert_only(findings, row_tables[chunk], chunk == 0 ? "filter" : row_tables[chunk]);
    }
}

static void verify__row_that_is_there_twice__is_found(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        const char *directory = make_store();
        forge_chunk(directory, chunk, double_row);
        struct findings *findings = verify_in(directory);
        if (chunk < 3) { /* of sums it is the figures that are wrong then, and the count */
            assert_found(findings, STORE_SURPLUS, row_tables[chunk], 0);
        }
        assert_found(findings, STORE_WRONG, row_tables[chunk], 0);
        assert_true(findings->n > 1);
        assert_only(findings, row_tables[chunk], row_tables[chunk]);
    }
}

static void verify__rows_out_of_order__are_found(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        const char *directory = make_store();
        forge_chunk(directory, chunk, swap_rows);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_WRONG, row_tables[chunk], 0);
        assert_u64(findings->n, chunk == 0 ? findings->n : 1); /* a filter goes by the order */
    }
}

/* Whichever byte of whichever row it is, of those that are stored. */
static void verify__row_that_is_wrong__is_found(void **state)
{
    static const size_t bytes[] = {sizeof(struct request_row), sizeof(struct place_row),
                                   sizeof(struct place_row), sizeof(struct sum_row)};
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        for (change_at = 0; change_at < bytes[chunk]; change_at++) {
            if (chunk == 3 && change_at == offsetof(struct sum_row, unused)) {
                continue;
            }
            const char *directory = make_store();
            forge_chunk(directory, chunk, change_row);
            struct findings *findings = verify_in(directory);
            size_t n = 0;
            for (int fault = STORE_DAMAGED; fault <= STORE_WRONG; fault++) {
                n += count_findings(findings, (enum store_fault)fault, row_tables[chunk], 0);
            }
            if (n == 0) {
                testkit_fail("byte %zu of a row in %s", change_at, row_tables[chunk]);
            }
            assert_only(findings, row_tables[chunk], chunk == 0 ? "filter" : row_tables[chunk]);
        }
    }
}

/* One more, of an hour that nobody has recorded anything in. */
static uint32_t add_empty_sum(uint8_t *rows, size_t bytes, uint32_t n)
{
    struct sum_row *sums = (struct sum_row *)(void *)rows;
    assert_u64(bytes, sizeof *sums);
    sums[n] = sums[n - 1];
    sums[n].hour++;
    sums[n].records = 0;
    sums[n].voided = 0;
    return n + 1;
}

static void verify__sum_of_no_records__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_chunk(directory, 3, add_empty_sum);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_SURPLUS, "sums", 0);
    assert_only(findings, "sums", "sums");
    unsigned said = 0;
    for (size_t i = 0; i < findings->n; i++) {
        said += strstr(findings->kept[i].text, "of no records") != NULL;
    }
    assert_u64(said, 1);
}

static uint32_t forget(uint8_t *rows, size_t bytes, uint32_t n)
{
    for (size_t i = 0; i < n * bytes; i++) {
        if (rows[i] != 0) {
            rows[i] &= (uint8_t)(rows[i] - 1); /* one bit less */
            break;
        }
    }
    return n;
}

static uint32_t remember_too_much(uint8_t *rows, size_t bytes, uint32_t n)
{
    for (size_t i = 0; i < n * bytes; i++) {
        if (rows[i] != 0xFF) {
            rows[i] |= (uint8_t)(rows[i] + 1); /* one bit more */
            break;
        }
    }
    return n;
}

static void verify__filter_that_forgets__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_chunk(directory, 4, forget);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_MISSING, "filter", 0);
    assert_u64(findings->n, 1);
    directory = make_store();
    forge_chunk(directory, 4, remember_too_much);
    findings = verify_in(directory);
    assert_found(findings, STORE_SURPLUS, "filter", 0);
    assert_u64(findings->n, 1);
}

static uint32_t rows_of_chunk(const char *directory, int index)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *chunk = row_take(&surgery, "segments", index);
    row_put(&surgery, "segments", chunk);
    surgery_end(&surgery);
    return chunk_count(chunk);
}

static int first_chunk_of(const char *directory, enum segment_table table)
{
    int index = 0;
    for (bool found = false; !found; index += !found) {
        struct surgery surgery = surgery_begin(directory);
        struct row *chunk = row_take(&surgery, "segments", index);
        found = chunk_table(chunk) == table;
        row_put(&surgery, "segments", chunk);
        surgery_end(&surgery);
    }
    return index;
}

/* More than are told of one by one. */
static void verify__many_missing_rows__are_told_of_as_one(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct record customer = customer_named("Acme", "");
    (void)state;
    append_alone(store, model, &customer);
    struct store_txn *txn = begin(store, birth_us);
    for (int i = 0; i < 3000; i++) {
        struct record usage = usage_at(1, i, i, testkit_format("request-%d", i));
        append(txn, model, &usage, birth_us);
    }
    assert_ok(store_commit(txn));
    store_close(store);
    seal_all(directory);
    int chunk = first_chunk_of(directory, SEGMENT_USAGE) + 1;
    uint32_t rows = rows_of_chunk(directory, chunk);
    flip(directory, "segments", chunk, IN_VALUE, 100);
    struct findings *findings = verify_in(directory);
    print_all(findings);
    assert_u64(findings->n, 1 + 16 + 1);
    assert_found(findings, STORE_DAMAGED, "usage", 0);
    assert_u64(findings->kept[17].rows, rows - 16);
    assert_only(findings, "usage", "usage");
}

/* --- the manifest ----------------------------------------------------------------------------- */

/* Change row INDEX of the manifest, by the order of the journal. */
static void forge_segment(const char *directory, size_t index,
                          void (*edit_cb)(struct segment *segment))
{
    struct env *env = lmdb_env_open(directory, MAP_BYTES);
    struct manifest manifest = lmdb_env_manifest(env);
    MDB_txn *txn = lmdb_env_begin(env, true);
    assert_true(index < manifest.n);
    edit_cb(&manifest.segments[index]);
    assert_ok(manifest_put(env, txn, &manifest.segments[index]));
    assert_ok(env_commit(env, txn));
    manifest_done(&manifest);
    env_close(env);
}

static void count_one_more(struct segment *segment)
{
    segment->n_usage++;
}

static void end_earlier(struct segment *segment)
{
    segment->last_seq--;
}

static void begin_earlier(struct segment *segment)
{
    segment->first_seq--;
}

static void verify__manifest_that_counts_wrong__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_segment(directory, 0, count_one_more);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_WRONG, "usage", 0);
    assert_u64(findings->n, 1);
}

/* The rows of a usage are in the segment that it is not in. */
static void verify__segments_that_end_elsewhere__are_found(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    (void)state;
    struct store *store = open_in(directory);
    fill(store, model); /* the last record is a usage */
    store_close(store); /* which seals them as one segment */
    store = open_in(directory);
    struct record usage = usage_at(CUSTOMER, 0, 0, "the very last");
    append_alone(store, model, &usage);
    store_close(store);
    assert_int_equal(count_rows(directory, "manifest"), 2);
    forge_segment(directory, 0, end_earlier);
    forge_segment(directory, 1, begin_earlier);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_SURPLUS, "usage", RECORDS);
    assert_found(findings, STORE_MISSING, "usage", RECORDS);
    assert_found(findings, STORE_SURPLUS, "request ids", RECORDS);
    assert_found(findings, STORE_MISSING, "request ids", RECORDS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verify__flipped_byte_of_a_chunk__is_found),
    cmocka_unit_test(verify__missing_chunk__is_found),
    cmocka_unit_test(verify__chunk_under_a_damaged_key__is_found),
    cmocka_unit_test(verify__chunks_of_no_segment__are_found),
    cmocka_unit_test(verify__row_that_is_missing__is_found),
    cmocka_unit_test(verify__row_that_is_there_twice__is_found),
    cmocka_unit_test(verify__rows_out_of_order__are_found),
    cmocka_unit_test(verify__row_that_is_wrong__is_found),
    cmocka_unit_test(verify__sum_of_no_records__is_found),
    cmocka_unit_test(verify__filter_that_forgets__is_found),
    cmocka_unit_test(verify__many_missing_rows__are_told_of_as_one),
    cmocka_unit_test(verify__manifest_that_counts_wrong__is_found),
    cmocka_unit_test(verify__segments_that_end_elsewhere__are_found),
};

TESTKIT_MAIN(tests)
