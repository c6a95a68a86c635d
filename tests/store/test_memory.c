/* The stand-in for a store that the tests of other rooms are built on, held to what the engines
 * are held to: random histories against the model. */
#include "tests/lib/memory_store.h"
#include "tests/store/history.h"

static void history__random__equals_the_model(void **state)
{
    struct rng rng = rng_make("memory");
    struct model *model = model_create();
    struct memory_store *memory = memory_store_create();
    (void)state;
    history_ids_missing = 0; /* it refuses what the rules above it never write */
    while (model->records < 1000) {
        history_step(&rng, memory_store_handle(memory), model, 100);
    }
    check_now(memory_store_handle(memory), model);
    memory_store_destroy(memory);
}

static void damage__names_the_record_and_leaves_the_others(void **state)
{
    struct model *model = model_create();
    struct memory_store *memory = memory_store_create();
    struct store *store = memory_store_handle(memory);
    struct record records[] = {
        customer_named("one", ""),
        usage_at(1, 10, 10, "r1"),
        usage_at(1, 20, 20, "r2"),
    };
    struct store_range range = {1, STORE_USAGE, STORE_BY_BILLED, 0, INT64_MAX, {0}};
    struct model_journal journal = {model, 0};
    struct model_sums sums = {0};
    struct record record;
    (void)state;
    records[0].request_id = SLICE("c1");
    struct store_txn *txn = begin(store, birth_us);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        append(txn, model, &records[i], birth_us);
    }
    assert_ok(store_commit(txn));
    memory_store_damage(memory, 2);
    struct store_view *view = snapshot(store);
    assert_u64(store_view_damaged(view), 0);
    assert_status(store_scan_journal(view, 0, model_expect_next, &journal), STATUS_CORRUPT);
    assert_u64(journal.seq, 1);
    assert_u64(store_view_damaged(view), 2);
    assert_ok(store_record(view, 3, &record));
    range.end_us = 20;
    assert_status(store_scan_sums(view, &range, model_take_sum, &sums), STATUS_CORRUPT);
    store_release(view);
    memory_store_destroy(memory);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(history__random__equals_the_model),
    cmocka_unit_test(damage__names_the_record_and_leaves_the_others),
};

TESTKIT_MAIN(tests)
