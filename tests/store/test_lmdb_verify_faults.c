/* Verifying, while a call into LMDB or an allocation fails: it says so, or what it finds is what
 * there is to be found.  It never takes such a failure for damage, nor damage for nothing. */
#include "tests/store/failing_calls.h"
#include "tests/store/history.h"
#include "tests/store/verifying.h"

enum {
    TRIES_MAX = 20000,
    ONE_BY_ONE = 1000, /* so many calls fail one after another, then some of the others */
};

/* What was found; kept without memory. */
struct told {
    uint64_t n;
    uint64_t sum; /* of what each is about */
};

static int tell(const struct store_finding *finding, void *arg)
{
    struct told *told = arg;
    told->n++;
    told->sum += (uint64_t)finding->fault + 1 + 31 * finding->seq + 1009 * finding->rows +
                 7919 * (uint64_t)strlen(finding->text);
    return 0;
}

static int verify_now(struct store_view *view, struct told *ret_told)
{
    struct store_verified verified;
    *ret_told = (struct told){0};
    struct store_verify verify = {.finding_cb = tell, .arg = ret_told};
    return store_verify(view, &verify, &verified);
}

/* The store in DIRECTORY, in which there is DAMAGE, or none. */
static void assert_told_or_found(const char *directory, bool damage)
{
    fixture_uri = merge_late;
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct told expected;
    assert_ok(verify_now(view, &expected));
    assert_true((expected.n > 0) == damage);
    for (enum fault which = 0; which < FAIL_SYSTEM; which++) {
        bool met = true;
        for (long i = 0; met; i += i < ONE_BY_ONE ? 1 : i / 16) {
            struct told told;
            fail_after(which, i);
            int rc = verify_now(view, &told);
            met = end_faults();
            assert_true(i < TRIES_MAX);
            assert_true(rc == 0 || (met && rc == STATUS_NO_MEMORY));
            assert_true(rc < 0 || (told.n == expected.n && told.sum == expected.sum));
            assert_true(told.n <= expected.n);
        }
    }
    store_release(view);
    store_close(store);
    fixture_uri = "lmdb:";
}

static void verify__a_call_fails__is_told_or_nothing_is_found(void **state)
{
    struct rng rng = rng_make("verify");
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    (void)state;
    fixture_uri = "lmdb:?head_records=20&merge_width=3&slice_bytes=16368";
    struct store *store = open_in(directory);
    while (model->records < 300) {
        history_step(&rng, store, model, 24);
    }
    store_close(store);
    assert_told_or_found(directory, false);
}

static uint32_t drop_row(uint8_t *rows, size_t bytes, uint32_t n)
{
    memmove(rows + 2 * bytes, rows + 3 * bytes, (n - 3) * bytes);
    return n - 1;
}

static void verify__rows_missing_and_a_call_fails__is_told_or_they_are_found(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        const char *directory = make_store();
        forge_chunk(directory, chunk, drop_row);
        assert_told_or_found(directory, true);
    }
}

/* The first row of each is missing, or there is one more like it. */
static void verify__tables_wrong_and_a_call_fails__is_told_or_it_is_found(void **state)
{
    static const char *const missing[] = {"customers", "services", "api_keys", "void_of"};
    static const char *const surplus[] = {"external_ids", "voids", "adjustments", "invoices"};
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        IGNORE(row_take(&surgery, missing[i], 0) == NULL);
        struct row *row = row_take(&surgery, surplus[i], 0);
        row_put(&surgery, surplus[i], row);
        row->key[row->key_bytes - 1] ^= 0x40;
        row_put(&surgery, surplus[i], row);
    }
    surgery_end(&surgery);
    assert_told_or_found(directory, true);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verify__a_call_fails__is_told_or_nothing_is_found),
    cmocka_unit_test(verify__rows_missing_and_a_call_fails__is_told_or_they_are_found),
    cmocka_unit_test(verify__tables_wrong_and_a_call_fails__is_told_or_it_is_found),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    print_message("%ld faults\n", faults.all);
    return testkit_end(failed);
}
