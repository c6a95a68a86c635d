/* Request ids whose fingerprints are equal: the requests are told apart by what they are called, in
 * the head, in segments and on the way there.
 *
 * Of each fingerprint this program's row_fingerprint() leaves FINGERPRINTS.  Linked with
 * -Wl,--wrap=row_fingerprint. */
#include "billingd/store/lmdb/rows.h"
#include "tests/store/history.h"

enum {
    FINGERPRINTS = 3, /* so many there are */
    COMMITS = 60,
};

static const uint64_t high_of_all = UINT64_C(0x0123456789abcdef);

static uint64_t fingerprints; /* that were made, to see that it is asked */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void __real_row_fingerprint(struct store_key key, uint64_t id_key, uint64_t *ret_high,
                            uint64_t *ret_low);
void __wrap_row_fingerprint(struct store_key key, uint64_t id_key, uint64_t *ret_high,
                            uint64_t *ret_low);
/* NOLINTEND(bugprone-reserved-identifier) */

void __wrap_row_fingerprint(struct store_key key, uint64_t id_key, uint64_t *ret_high,
                            uint64_t *ret_low)
{
    __real_row_fingerprint(key, id_key, ret_high, ret_low);
    *ret_low %= FINGERPRINTS;
    *ret_high = high_of_all;
    fingerprints++;
}

/* What nobody has asked for is free, though its fingerprint is taken. */
static void check_free(struct store *store, const struct model *model)
{
    struct store_view *view = snapshot(store);
    struct record record;
    for (int i = 0; i < 2 * FINGERPRINTS; i++) {
        for (uint64_t scope = 0; scope <= model->records; scope += 1 + model->records / 3) {
            struct slice request_id = slice_of(testkit_format("free %d", i));
            assert_status(store_request(view, (struct store_key){scope, request_id}, &record),
                          STATUS_NOT_FOUND);
        }
    }
    store_release(view);
}

static void assert_told_apart(const char *uri)
{
    struct rng rng = rng_make(uri);
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    fixture_uri = uri;
    fingerprints = 0;
    struct store *store = open_in(directory);
    for (int i = 0; i < COMMITS; i++) {
        history_step(&rng, store, model, 3);
        struct store_view *view = snapshot(store);
        check_requests(view, model);
        store_release(view);
        check_replays(store, model);
        check_free(store, model);
    }
    assert_true(model->records > 10 * FINGERPRINTS);
    assert_true(fingerprints > model->records);
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    check_replays(store, model);
    check_free(store, model);
    store_close(store);
    fixture_uri = "lmdb:";
}

static void request__of_equal_fingerprint_in_the_head__is_another(void **state)
{
    (void)state;
    assert_told_apart("lmdb:?head_records=10000");
}

static void request__of_equal_fingerprint_in_segments__is_another(void **state)
{
    (void)state;
    assert_told_apart("lmdb:?head_records=1&merge_width=2&slice_bytes=16368");
    assert_told_apart("lmdb:?head_records=4&merge_width=8&slice_bytes=16368");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(request__of_equal_fingerprint_in_the_head__is_another),
    cmocka_unit_test(request__of_equal_fingerprint_in_segments__is_another),
};

TESTKIT_MAIN(tests)
