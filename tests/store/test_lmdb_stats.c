/* What the engine says of itself to an operator, at any time and to any thread. */
#include <sched.h>

#include "billingd/base/clock.h"
#include "tests/store/history.h"

static struct store_stats stats_of(struct store *store)
{
    struct store_stats stats;
    store_stats(store, &stats);
    return stats;
}

static void append_customers(struct store *store, struct model *model, int n)
{
    for (int i = 0; i < n; i++) {
        struct store_txn *txn = begin(store, birth_us);
        struct record customer = customer_named("A", "");
        append(txn, model, &customer, birth_us);
        assert_ok(store_commit(txn));
    }
}

static void stats__sizes__are_those_of_file_map_and_disk(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    struct model *model = model_create();
    (void)state;
    struct store_stats before = stats_of(store);
    assert_true(before.used_bytes > 0 && before.used_bytes <= before.file_bytes);
    assert_true(before.map_bytes >= before.file_bytes);
    assert_true(before.disk_free_bytes > 0);
    append_customers(store, model, 50);
    struct store_stats after = stats_of(store);
    assert_true(after.used_bytes > before.used_bytes);
    assert_u64(after.map_bytes, before.map_bytes);
    assert_int_equal(after.sealer_status, 0);
    assert_false(after.segments_damaged);
    store_close(store);
}

static void stats__the_head__grows_by_each_record(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    struct model *model = model_create();
    (void)state;
    struct store_stats before = stats_of(store);
    assert_u64(before.head_records, 0);
    append_customers(store, model, 7);
    struct store_stats after = stats_of(store);
    assert_u64(after.head_records, 7);
    assert_true(after.head_bytes > before.head_bytes);
    assert_u64(after.segments, 0);
    store_close(store);
}

/* The sealer works by itself; it is waited for.  What came while it was at it stays in the head, up
 * to twice its bound, until the next commit. */
static void stats__segments__are_counted_as_they_come_and_are_merged(void **state)
{
    struct model *model = model_create();
    (void)state;
    fixture_uri = "lmdb:?head_records=1&merge_width=4&slice_bytes=16368";
    struct store *store = open_in(testkit_tmpdir());
    append_customers(store, model, 3);
    while (stats_of(store).segments == 0) {
        sched_yield();
    }
    append_customers(store, model, 40);
    while (stats_of(store).head_records > 2 || stats_of(store).segments_replaced > 0) {
        sched_yield();
    }
    assert_in_range(stats_of(store).segments, 1, 15); /* of 43: they were merged, and removed */
    store_close(store);
    fixture_uri = "lmdb:";
}

static void stats__views__are_counted_with_the_age_of_the_oldest(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    (void)state;
    assert_u64(stats_of(store).views, 0);
    assert_i64(stats_of(store).oldest_view_us, 0);
    int64_t before_us = clock_monotonic_us();
    struct store_view *first = snapshot(store);
    int64_t between_us = clock_monotonic_us();
    struct store_view *second = snapshot(store);
    assert_u64(stats_of(store).views, 2);
    int64_t oldest_us = stats_of(store).oldest_view_us;
    assert_true(oldest_us >= before_us && oldest_us <= between_us);
    store_release(first);
    assert_u64(stats_of(store).views, 1);
    assert_true(stats_of(store).oldest_view_us >= between_us);
    store_release(second);
    assert_u64(stats_of(store).views, 0);
    assert_i64(stats_of(store).oldest_view_us, 0);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(stats__sizes__are_those_of_file_map_and_disk),
    cmocka_unit_test(stats__the_head__grows_by_each_record),
    cmocka_unit_test(stats__segments__are_counted_as_they_come_and_are_merged),
    cmocka_unit_test(stats__views__are_counted_with_the_age_of_the_oldest),
};

TESTKIT_MAIN(tests)
