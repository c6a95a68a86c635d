/* The rules about API keys. */
#include "billingd/ledger/api_key.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static struct api_key_create create(struct book *book, const char *name)
{
    struct api_key_create create = {
        .asked = {.name = slice_of(name), .role = KEY_READER},
        .recorded_by = SLICE("tester"),
    };
    struct store_txn *txn = book_begin(book);
    assert_ok(api_key_create(txn, &create));
    assert_ok(store_commit(txn));
    return create;
}

static struct api_key_revoke revoke(struct book *book, uint64_t seq, const char *name)
{
    struct api_key_revoke revoke = {
        .seq = seq, .name = slice_of(name), .recorded_by = SLICE("revoker")};
    struct store_txn *txn = book_begin(book);
    assert_ok(api_key_revoke(txn, &book->arena, &revoke));
    assert_ok(store_commit(txn));
    return revoke;
}

static struct api_key_page list(struct book *book, uint64_t after_seq, unsigned limit, bool all)
{
    struct api_key_page page = {.after_seq = after_seq, .limit = limit, .include_revoked = all};
    struct store_view *view = book_view(book);
    assert_ok(api_key_list(view, &book->arena, &page));
    book_release(view);
    return page;
}

static void create__name_of_a_key_that_counts__is_refused_and_names_it(void **state)
{
    struct book *book = book_open();
    (void)state;
    struct api_key_create first = create(book, "ingest");
    assert_int_equal(first.outcome.status, 0);
    assert_u64(first.key.seq, 1);
    assert_i64(first.key.created_at_us, book->env.now_us);
    struct api_key_create again = create(book, "ingest");
    assert_status(again.outcome.status, STATUS_KEY_EXISTS);
    assert_u64(again.outcome.existing_seq, 1);
    assert_int_equal(again.outcome.existing_kind, RECORD_KEY_CREATED);
    assert_u64(book_records(book), 1);
    assert_true(revoke(book, 1, "").recorded);
    assert_u64(create(book, "ingest").key.seq, 3);
    book_close(book);
}

static void create__beyond_the_bound__is_refused_until_one_is_revoked(void **state)
{
    struct book *book = book_open();
    struct store_txn *txn = book_begin(book);
    (void)state;
    for (int i = 0; i < LIMIT_KEYS; i++) {
        struct record record = {
            .kind = RECORD_KEY_CREATED,
            .key_created = {.name = slice_of(testkit_format("key %d", i)), .role = KEY_READER},
        };
        assert_ok(store_append(txn, &record));
    }
    assert_ok(store_commit(txn));
    assert_status(create(book, "one more").outcome.status, STATUS_TOO_MANY_KEYS);
    assert_status(create(book, "key 7").outcome.status, STATUS_KEY_EXISTS);
    assert_u64(book_records(book), LIMIT_KEYS);
    assert_true(revoke(book, 8, "").recorded);
    assert_int_equal(create(book, "one more").outcome.status, 0);
    assert_status(create(book, "and another").outcome.status, STATUS_TOO_MANY_KEYS);
    book_close(book);
}

static void revoke__by_number_or_name__once(void **state)
{
    struct book *book = book_open();
    (void)state;
    create(book, "one");
    create(book, "two");
    struct api_key_revoke by_name = revoke(book, 0, "two");
    assert_true(by_name.recorded);
    assert_u64(by_name.key.seq, 2);
    assert_i64(by_name.key.revoked_at_us, book->env.now_us);
    assert_text(by_name.key.revoked_by.data, by_name.key.revoked_by.length, "revoker");
    int64_t then_us = book->env.now_us;
    book->env.now_us += 7;
    struct api_key_revoke again = revoke(book, 2, "");
    assert_int_equal(again.outcome.status, 0);
    assert_false(again.recorded);
    assert_i64(again.key.revoked_at_us, then_us);
    assert_status(revoke(book, 0, "two").outcome.status, STATUS_KEY_NOT_FOUND);
    assert_status(revoke(book, 3, "").outcome.status, STATUS_KEY_NOT_FOUND); /* a revocation */
    assert_status(revoke(book, 99, "").outcome.status, STATUS_KEY_NOT_FOUND);
    assert_u64(book_records(book), 3);
    assert_true(revoke(book, 1, "").recorded);
    book_close(book);
}

static void list__pages__by_number_with_or_without_the_revoked(void **state)
{
    struct book *book = book_open();
    (void)state;
    for (int i = 1; i <= 5; i++) {
        create(book, testkit_format("key %d", i));
    }
    revoke(book, 2, "");
    struct api_key_page page = list(book, 0, 2, false);
    assert_u64(page.n, 2);
    assert_true(page.more);
    assert_u64(page.keys[1].seq, 3);
    page = list(book, 3, 2, false);
    assert_u64(page.n, 2);
    assert_false(page.more);
    page = list(book, 0, 100, true);
    assert_u64(page.n, 5);
    assert_i64(page.keys[1].revoked_at_us, book->env.now_us);
    assert_text(page.keys[1].created.name.data, page.keys[1].created.name.length, "key 2");
    assert_text(page.keys[4].created_by.data, page.keys[4].created_by.length, "tester");
    book_close(book);
}

static void note_uses__are_the_keys_last_uses(void **state)
{
    struct book *book = book_open();
    struct key_use uses[] = {{1, 70}, {2, 80}};
    (void)state;
    create(book, "one");
    create(book, "two");
    struct store_txn *txn = book_begin(book);
    assert_ok(api_key_note_uses(txn, uses, 2, SLICE("billingd")));
    assert_ok(store_commit(txn));
    struct api_key_page page = list(book, 0, 10, false);
    assert_i64(page.keys[0].last_used_us, 70);
    assert_i64(page.keys[1].last_used_us, 80);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(create__name_of_a_key_that_counts__is_refused_and_names_it),
    cmocka_unit_test(create__beyond_the_bound__is_refused_until_one_is_revoked),
    cmocka_unit_test(revoke__by_number_or_name__once),
    cmocka_unit_test(list__pages__by_number_with_or_without_the_revoked),
    cmocka_unit_test(note_uses__are_the_keys_last_uses),
};

TESTKIT_MAIN(tests)
