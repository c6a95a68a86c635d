/* Verifying a store: nothing is found in one that is whole, whatever is changed in its journal is
 * found and named, and so is any byte that is flipped. */
#include "billingd/store/block.h"
#include "tests/store/history.h"
#include "tests/store/verifying.h"

/* --- whole stores ----------------------------------------------------------------------------- */

static void verify__empty_store__finds_nothing(void **state)
{
    (void)state;
    struct findings *findings = verify_in(testkit_tmpdir());
    assert_u64(findings->n, 0);
    assert_u64(findings->verified.blocks, 0);
    assert_u64(findings->verified.records, 0);
    assert_u64(findings->verified.rows, 0);
}

static void verify__one_of_everything__counts_it(void **state)
{
    (void)state;
    struct findings *findings = verify_in(make_store());
    print_all(findings);
    assert_u64(findings->n, 0);
    assert_u64(findings->verified.blocks, RECORDS);
    assert_u64(findings->verified.records, RECORDS);
    /* 2 customers and external ids; voids 2, late 2 (of one hour and of one late already), void_of
     * 2; adjustments 2, late 1; invoices 2, by customer 2; a service; a segment, and in it 27
     * request ids, 21 usages, 10 of them late, their sums, and a block of the filter. */
    assert_true(findings->verified.rows > 18 + 1 + 27 + 21 + 10 + 30);
}

/* What is sealed, frozen or in the head, whatever the boundaries. */
static void verify__random_history__finds_nothing_at_any_time(void **state)
{
    static const char *const uris[] = {
        "lmdb:?head_records=1&merge_width=2&slice_bytes=16368",
        "lmdb:?head_records=7&merge_width=3&slice_bytes=16368&block_bytes=600",
        "lmdb:?head_records=100&merge_width=8",
    };
    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        struct rng rng = rng_make(uris[i]);
        struct model *model = model_create();
        const char *directory = testkit_tmpdir();
        fixture_uri = uris[i];
        struct store *store = open_in(directory);
        for (int k = 0; k < 120; k++) {
            history_step(&rng, store, model, 12);
            struct store_view *view = snapshot(store);
            model_verify(model, view);
            store_release(view);
        }
        store_close(store);
        store = open_in(directory);
        struct store_view *view = snapshot(store);
        model_verify(model, view);
        store_release(view);
        store_close(store);
        fixture_uri = "lmdb:";
    }
}

/* --- the journal ------------------------------------------------------------------------------ */

static void verify__flipped_byte_of_a_block__is_found_and_passed_over(void **state)
{
    (void)state;
    for (int at = 0; at < 120; at += 7) {
        const char *directory = make_store();
        flip(directory, "journal", 9, IN_VALUE, at);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_DAMAGED, "journal", 10);
        assert_found(findings, STORE_UNCHECKED, "sums", 0);
        assert_u64(findings->n, 2);
        assert_u64(findings->verified.records, RECORDS - 1);
        assert_u64(findings->verified.blocks, RECORDS);
    }
}

/* A block of each kind of record. */
static void verify__any_damaged_block__spoils_nothing_else(void **state)
{
    (void)state;
    for (int block = 0; block < RECORDS - 2; block++) { /* a start looks at the last two */
        const char *directory = make_store();
        flip(directory, "journal", block, IN_VALUE, 70);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_DAMAGED, "journal", (uint64_t)block + 1);
        assert_only(findings, "journal", "sums");
        assert_u64(findings->n, 2);
    }
}

static void verify__missing_blocks__are_found(void **state)
{
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    (void)state;
    IGNORE(row_take(&surgery, "journal", 0) == NULL);
    IGNORE(row_take(&surgery, "journal", 6) == NULL); /* of record 8 */
    IGNORE(row_take(&surgery, "journal", 6) == NULL); /* of record 9 */
    surgery_end(&surgery);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_MISSING, "journal", 1);
    assert_found(findings, STORE_MISSING, "journal", 8);
    assert_u64(count_findings(findings, STORE_MISSING, "journal", 0), 2);
    assert_only(findings, "journal", "sums");
}

/* Whole, but not the one that was written: the block behind it says so. */
static void verify__forged_block__breaks_the_chain(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, 9, 24, 77); /* created_at, of which no row is made */
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_WRONG, "journal", 11);
    assert_u64(findings->n, 1);
}

static void verify__first_block_of_another_store__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, 0, 40, 77); /* the hash that it carries */
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_WRONG, "journal", 1);
    assert_found(findings, STORE_WRONG, "journal", 2);
    assert_u64(findings->n, 2);
}

static void verify__block_that_is_too_new__is_unknown(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, 9, 4, 2);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_UNKNOWN, "journal", 10);
    assert_only(findings, "journal", "sums");
}

static void verify__record_in_no_form__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_block(directory, 9, 64, 99); /* its kind */
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_DAMAGED, "journal", 10);
    assert_found(findings, STORE_WRONG, "journal", 11);
}

static void verify__block_in_anothers_place__is_found(void **state)
{
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    (void)state;
    struct row *other = row_take(&surgery, "journal", 9);
    struct row *row = row_take(&surgery, "journal", 9);
    row_put(&surgery, "journal", other);
    memcpy(row->value, other->value, other->value_bytes);
    row->value_bytes = other->value_bytes;
    row_put(&surgery, "journal", row);
    surgery_end(&surgery);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_WRONG, "journal", 11);
}

/* Change one byte of record SEQ, which begins with its kind and flags, and its request id. */
static void forge_request_id(const char *directory, uint64_t seq, char last)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "journal", (int)seq - 1);
    size_t length = row->value[BLOCK_HEADER_BYTES + 2];
    row->value[BLOCK_HEADER_BYTES + 2 + length] = (uint8_t)last;
    bytes_put_le64(row->value + row->value_bytes - 8,
                   XXH3_64bits(row->value, row->value_bytes - 8));
    row_put(&surgery, "journal", row);
    surgery_end(&surgery);
}

static void verify__another_request_id__is_not_that_of_the_row(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_request_id(directory, USAGE_FIRST + 4, 'x'); /* "request-4" */
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_MISSING, "request ids", USAGE_FIRST + 4);
    assert_found(findings, STORE_SURPLUS, "request ids", USAGE_FIRST + 4);
    assert_found(findings, STORE_WRONG, "journal", USAGE_FIRST + 5);
}

static void verify__request_id_recorded_twice__is_found(void **state)
{
    const char *directory = make_store();
    (void)state;
    forge_request_id(directory, USAGE_FIRST + 4, '6'); /* both are customer 1's */
    struct surgery surgery = surgery_begin(directory);
    for (int i = 0; i < 5; i++) {
        IGNORE(row_take(&surgery, "segments", 0) == NULL);
    }
    IGNORE(row_take(&surgery, "manifest", 0) == NULL);
    surgery_end(&surgery);
    struct findings *findings = verify_in(directory); /* which makes the rows again */
    assert_found(findings, STORE_WRONG, "journal", USAGE_FIRST + 6);
    assert_only(findings, "journal", "journal");
}

/* --- any byte --------------------------------------------------------------------------------- */

static int open_status(const char *directory)
{
    struct store_options options = options_in(directory);
    struct errinfo reason;
    struct store *store;
    fixture_uri = merge_late;
    int rc = store_open(fixture_uri, &options, &store, &reason);
    fixture_uri = "lmdb:";
    if (rc == 0) {
        store_close(store);
    }
    return rc;
}

/* Of any row of any table: a start refuses it, or it is found. */
static void verify__any_byte_flipped__is_found_or_refused(void **state)
{
    static const char *const tables[] = {
        "journal", "segments", "manifest",    "customers",        "external_ids", "voids",
        "void_of", "invoices", "adjustments", "adjustments_late", "services",     "voids_late",
    };
    struct rng rng = rng_make("any byte");
    (void)state;
    for (int i = 0; i < 300; i++) {
        const char *directory = make_store();
        const char *table = tables[rng_below(&rng, sizeof tables / sizeof tables[0])];
        int index = (int)rng_below(&rng, (uint64_t)count_rows(directory, table));
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, table, index);
        size_t at = rng_below(&rng, row->key_bytes + row->value_bytes);
        uint8_t *byte = at < row->key_bytes ? &row->key[at] : &row->value[at - row->key_bytes];
        *byte ^= (uint8_t)(1U << rng_below(&rng, 8));
        row_put(&surgery, table, row);
        surgery_end(&surgery);
        if (open_status(directory) == 0 && verify_in(directory)->n == 0) {
            testkit_fail("byte %zu of row %d of %s, %zu bytes of key", at, index, table,
                         row->key_bytes);
        }
    }
}

/* --- while it runs ---------------------------------------------------------------------------- */

struct watch {
    uint64_t done;
    uint64_t all;
    unsigned calls;
    unsigned stop_at; /* which call ends it; 0: none */
    int findings;
    struct store *store; /* to record in, or NULL */
    struct model *model;
};

static int count_finding(const struct store_finding *finding, void *arg)
{
    struct watch *watch = arg;
    (void)finding;
    watch->findings++;
    return watch->stop_at == UINT32_MAX ? STATUS_DEADLINE_EXCEEDED : 0;
}

static int see_progress(uint64_t done, uint64_t all, void *arg)
{
    struct watch *watch = arg;
    assert_true(done >= watch->done && done <= all);
    assert_true(watch->all == 0 || watch->all == all);
    watch->done = done;
    watch->all = all;
    watch->calls++;
    if (watch->store != NULL) {
        struct record usage = usage_at(1, 5, 5, testkit_format("meanwhile-%u", watch->calls));
        append_alone(watch->store, watch->model, &usage);
    }
    return watch->calls == watch->stop_at ? STATUS_DEADLINE_EXCEEDED : 0;
}

static struct store *make_large(struct model *model)
{
    fixture_uri = "lmdb:?head_records=2000&merge_width=4";
    struct store *store = open_in(testkit_tmpdir());
    struct record customer = customer_named("Acme", "");
    append_alone(store, model, &customer);
    for (int i = 0; i < 10; i++) {
        struct store_txn *txn = begin(store, birth_us);
        for (int k = 0; k < 1500; k++) {
            struct record usage = usage_at(1, k, k, testkit_format("request-%d-%d", i, k));
            append(txn, model, &usage, birth_us);
        }
        assert_ok(store_commit(txn));
    }
    fixture_uri = "lmdb:";
    return store;
}

static void verify__progress__goes_to_the_end(void **state)
{
    struct store *store = make_large(model_create());
    struct store_view *view = snapshot(store);
    struct watch watch = {0};
    struct store_verify verify = {count_finding, see_progress, &watch};
    struct store_verified verified;
    (void)state;
    assert_ok(store_verify(view, &verify, &verified));
    assert_true(watch.calls > 10);
    assert_u64(watch.done, watch.all);
    assert_int_equal(watch.findings, 0);
    store_release(view);
    store_close(store);
}

/* The view is as it was: what is recorded meanwhile is neither missing nor too much. */
static void verify__beside_recording__sees_its_own_state(void **state)
{
    struct model *model = model_create();
    struct store *store = make_large(model);
    struct store_view *view = snapshot(store);
    struct watch watch = {.store = store, .model = model};
    struct store_verify verify = {count_finding, see_progress, &watch};
    struct store_verified verified;
    uint64_t records = model->records;
    (void)state;
    assert_ok(store_verify(view, &verify, &verified));
    assert_int_equal(watch.findings, 0);
    assert_u64(verified.records, records);
    assert_true(model->records > records);
    store_release(view);
    check_now(store, model);
    store_close(store);
}

static void verify__callback_that_fails__ends_it(void **state)
{
    struct store *store = make_large(model_create());
    struct store_view *view = snapshot(store);
    struct store_verified verified = {.blocks = 77};
    (void)state;
    for (unsigned i = 1; i < 12; i++) {
        struct watch watch = {.stop_at = i};
        struct store_verify verify = {count_finding, see_progress, &watch};
        assert_status(store_verify(view, &verify, &verified), STATUS_DEADLINE_EXCEEDED);
        assert_u64(watch.calls, i);
        assert_u64(verified.blocks, 77);
    }
    atomic_bool stopping = true;
    struct watch watch = {0};
    struct store_verify verify = {count_finding, NULL, &watch};
    store_view_stop_on(view, &stopping);
    assert_status(store_verify(view, &verify, &verified), STATUS_SHUTTING_DOWN);
    store_release(view);
    store_close(store);
    const char *directory = make_store();
    flip(directory, "journal", 9, IN_VALUE, 70);
    store = open_in(directory);
    view = snapshot(store);
    watch.stop_at = UINT32_MAX;
    assert_status(store_verify(view, &verify, &verified), STATUS_DEADLINE_EXCEEDED);
    assert_int_equal(watch.findings, 1);
    store_release(view);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verify__empty_store__finds_nothing),
    cmocka_unit_test(verify__one_of_everything__counts_it),
    cmocka_unit_test(verify__random_history__finds_nothing_at_any_time),
    cmocka_unit_test(verify__flipped_byte_of_a_block__is_found_and_passed_over),
    cmocka_unit_test(verify__any_damaged_block__spoils_nothing_else),
    cmocka_unit_test(verify__missing_blocks__are_found),
    cmocka_unit_test(verify__forged_block__breaks_the_chain),
    cmocka_unit_test(verify__first_block_of_another_store__is_found),
    cmocka_unit_test(verify__block_that_is_too_new__is_unknown),
    cmocka_unit_test(verify__record_in_no_form__is_found),
    cmocka_unit_test(verify__block_in_anothers_place__is_found),
    cmocka_unit_test(verify__another_request_id__is_not_that_of_the_row),
    cmocka_unit_test(verify__request_id_recorded_twice__is_found),
    cmocka_unit_test(verify__any_byte_flipped__is_found_or_refused),
    cmocka_unit_test(verify__progress__goes_to_the_end),
    cmocka_unit_test(verify__beside_recording__sees_its_own_state),
    cmocka_unit_test(verify__callback_that_fails__ends_it),
};

TESTKIT_MAIN(tests)
