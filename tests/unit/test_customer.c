/* The rules about customers, and what became of requests. */
#include "billingd/ledger/customer.h"
#include "billingd/ledger/request.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static struct customer_create asked(const char *name, const char *external_id, const char *id)
{
    return (struct customer_create){
        .name = slice_of(name),
        .external_id = slice_of(external_id),
        .request_id = slice_of(id),
        .recorded_by = SLICE("tester"),
    };
}

static int resolve(struct book *book, struct customer_ref ref, struct store_customer *ret)
{
    struct store_view *view = book_view(book);
    int rc = customer_resolve(view, &ref, ret);
    if (rc == 0) {
        assert_ok(customer_keep(&book->arena, ret));
    }
    book_release(view);
    return rc;
}

/* --- creating --------------------------------------------------------------------------------- */

static void customer_create__new__is_there_under_both_names(void **state)
{
    struct book *book = book_open();
    struct customer_create create = asked("Acme", "ext", "r1");
    struct store_customer found;
    (void)state;
    book_create_customer(book, &create);
    assert_ok(create.outcome.status);
    assert_i64(create.customer.created_at_us, book->env.now_us);
    assert_i64(create.customer.updated_at_us, book->env.now_us);
    struct customer_ref refs[] = {{.seq = create.customer.seq}, {.external_id = SLICE("ext")}};
    for (int i = 0; i < 2; i++) {
        assert_ok(resolve(book, refs[i], &found));
        assert_u64(found.seq, create.customer.seq);
        assert_text(found.name.data, found.name.length, "Acme");
        assert_text(found.external_id.data, found.external_id.length, "ext");
    }
    struct record record = book_record(book, create.customer.seq);
    assert_text(record.recorded_by.data, record.recorded_by.length, "tester");
    book_close(book);
}

static void customer_create__external_id_taken__is_refused_naming_the_holder(void **state)
{
    struct book *book = book_open();
    struct customer_create first = asked("Acme", "ext", "r1");
    struct customer_create second = asked("Acme", "ext", "r2");
    (void)state;
    book_create_customer(book, &first);
    book_create_customer(book, &second);
    assert_status(second.outcome.status, STATUS_EXTERNAL_ID_TAKEN);
    assert_u64(second.outcome.existing_seq, first.customer.seq);
    assert_int_equal(second.outcome.existing_kind, RECORD_CUSTOMER_CREATED);
    assert_u64(book_records(book), 1);
    second = asked("Acme", "ext2", "r2"); /* the id was not used up */
    book_create_customer(book, &second);
    assert_ok(second.outcome.status);
    assert_false(second.outcome.replayed);
    book_close(book);
}

static void customer_create__external_id_taken_in_the_same_transaction__is_refused(void **state)
{
    struct book *book = book_open();
    struct customer_create first = asked("Acme", "ext", "r1");
    struct customer_create second = asked("Acme", "ext", "r2");
    (void)state;
    struct store_txn *txn = book_begin(book);
    assert_ok(customer_create(txn, &book->arena, &first));
    assert_ok(customer_create(txn, &book->arena, &second));
    assert_ok(store_commit(txn));
    assert_status(second.outcome.status, STATUS_EXTERNAL_ID_TAKEN);
    book_close(book);
}

static void customer_create__no_external_id__is_never_taken(void **state)
{
    struct book *book = book_open();
    (void)state;
    assert_u64(book_add_customer(book, NULL), 1);
    assert_u64(book_add_customer(book, NULL), 2);
    book_close(book);
}

static void customer_create__the_store_fails__says_so(void **state)
{
    struct book *book = book_open();
    struct customer_create create = asked("Acme", "", "r1");
    (void)state;
    memory_store_fail(book->memory, MEMORY_APPEND, STATUS_STORAGE_FULL, 0, 1);
    struct store_txn *txn = book_begin(book);
    assert_status(customer_create(txn, &book->arena, &create), STATUS_STORAGE_FULL);
    store_abort(txn);
    book_create_customer(book, &create); /* may be applied again */
    assert_ok(create.outcome.status);
    book_close(book);
}

/* --- finding ---------------------------------------------------------------------------------- */

static void customer_resolve__what_names_nobody__is_not_found(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "ext");
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", book->env.now_us);
    struct store_customer found;
    (void)state;
    struct customer_ref refs[] = {
        {.seq = 0},
        {.seq = usage},
        {.seq = usage + 1},
        {.seq = UINT64_MAX},
        {.external_id = SLICE("ex")},
        {.external_id = SLICE("EXT")},
    };
    for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
        assert_status(resolve(book, refs[i], &found), STATUS_CUSTOMER_NOT_FOUND);
    }
    memory_store_damage(book->memory, customer);
    assert_status(resolve(book, (struct customer_ref){.seq = customer}, &found), STATUS_CORRUPT);
    book_close(book);
}

/* --- renaming --------------------------------------------------------------------------------- */

static struct customer_rename rename_to(uint64_t customer, const char *name)
{
    return (struct customer_rename){
        .customer_ref = {.seq = customer},
        .name = slice_of(name),
        .recorded_by = SLICE("clerk"),
    };
}

static void customer_rename__another_name__is_recorded_and_seen(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "ext");
    struct store_customer found;
    (void)state;
    int64_t created_at_us = book->env.now_us;
    book->env.now_us += 10;
    struct customer_rename rename = rename_to(customer, "B");
    book_rename_customer(book, &rename);
    assert_ok(rename.outcome.status);
    assert_true(rename.recorded);
    assert_i64(rename.customer.updated_at_us, created_at_us + 10);
    assert_ok(resolve(book, (struct customer_ref){.external_id = SLICE("ext")}, &found));
    assert_text(found.name.data, found.name.length, "B");
    assert_i64(found.created_at_us, created_at_us);
    assert_i64(found.updated_at_us, created_at_us + 10);
    assert_text(rename.customer.external_id.data, rename.customer.external_id.length, "ext");
    struct record record = book_record(book, 2);
    assert_text(record.recorded_by.data, record.recorded_by.length, "clerk");
    book_close(book);
}

static void customer_rename__the_name_it_has__records_nothing(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book->env.now_us += 10;
    struct customer_rename rename = rename_to(customer, "A test customer name");
    book_rename_customer(book, &rename);
    assert_ok(rename.outcome.status);
    assert_false(rename.recorded);
    assert_i64(rename.customer.updated_at_us, book->env.now_us - 10);
    rename = rename_to(customer, "B");
    book_rename_customer(book, &rename);
    rename = rename_to(customer, "B");
    book_rename_customer(book, &rename);
    assert_false(rename.recorded);
    rename = rename_to(customer, "A test customer name"); /* back again is a change */
    book_rename_customer(book, &rename);
    assert_true(rename.recorded);
    assert_u64(book_records(book), 3);
    book_close(book);
}

static void customer_rename__nobody__is_refused(void **state)
{
    struct book *book = book_open();
    (void)state;
    struct customer_rename rename = rename_to(77, "B");
    book_rename_customer(book, &rename);
    assert_status(rename.outcome.status, STATUS_CUSTOMER_NOT_FOUND);
    assert_false(rename.recorded);
    book_close(book);
}

static void customer_rename__applied_again_after_an_abort__is_recorded(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct customer_rename rename = rename_to(customer, "B");
    (void)state;
    struct store_txn *txn = book_begin(book);
    assert_ok(customer_rename(txn, &book->arena, &rename));
    assert_true(rename.recorded);
    store_abort(txn);
    book_rename_customer(book, &rename);
    assert_true(rename.recorded);
    assert_u64(book_records(book), 2);
    book_close(book);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void list(struct book *book, struct customer_page *page)
{
    struct store_view *view = book_view(book);
    assert_ok(customer_list(view, &book->arena, page));
    book_release(view);
}

static void customer_list__pages__are_the_whole_in_order_of_creation(void **state)
{
    enum { CUSTOMERS = 25 };
    struct book *book = book_open();
    (void)state;
    for (int i = 0; i < CUSTOMERS; i++) {
        uint64_t customer = book_add_customer(book, testkit_format("ext-%d", i));
        book_add_usage(book, customer, "S", "1", "1", book->env.now_us);
    }
    for (unsigned limit = 1; limit <= CUSTOMERS + 1; limit++) {
        struct customer_page page = {.limit = limit, .more = true};
        int seen = 0;
        while (page.more) {
            list(book, &page);
            assert_true(page.n >= 1 && page.n <= limit);
            for (unsigned i = 0; i < page.n; i++, seen++) {
                struct slice id = page.customers[i].external_id;
                assert_text(id.data, id.length, testkit_format("ext-%d", seen));
            }
            page.after_seq = page.customers[page.n - 1].seq;
        }
        assert_int_equal(seen, CUSTOMERS);
    }
    book_close(book);
}

static void customer_list__nobody_there__is_empty(void **state)
{
    struct book *book = book_open();
    struct customer_page page = {.limit = 10};
    (void)state;
    list(book, &page);
    assert_u64(page.n, 0);
    assert_false(page.more);
    book_close(book);
}

static void customer_list__by_external_id__is_its_holder_or_nobody(void **state)
{
    struct book *book = book_open();
    (void)state;
    book_add_customer(book, "a");
    uint64_t b = book_add_customer(book, "b");
    struct customer_page page = {.limit = 1, .external_id = SLICE("b")};
    list(book, &page);
    assert_u64(page.n, 1);
    assert_u64(page.customers[0].seq, b);
    assert_false(page.more);
    page.after_seq = b; /* behind itself there is nothing */
    list(book, &page);
    assert_u64(page.n, 0);
    page = (struct customer_page){.limit = 1, .external_id = SLICE("c")};
    list(book, &page);
    assert_u64(page.n, 0);
    book_close(book);
}

static void customer_list__arena_too_small__says_so(void **state)
{
    struct book *book = book_open();
    struct arena arena;
    (void)state;
    book_add_customer(book, NULL);
    arena_init(&arena, 10);
    struct customer_page page = {.limit = 10};
    struct store_view *view = book_view(book);
    assert_status(customer_list(view, &arena, &page), STATUS_TOO_LARGE);
    book_release(view);
    arena_done(&arena);
    book_close(book);
}

/* --- what became of a request ----------------------------------------------------------------- */

static int look_up(struct book *book, struct request_get *get)
{
    struct store_view *view = book_view(book);
    int rc = request_get(view, get);
    book_release(view);
    return rc;
}

static void request_get__recorded__says_by_what_and_when(void **state)
{
    struct book *book = book_open();
    struct customer_create create = asked("Acme", "ext", "r1");
    (void)state;
    book_create_customer(book, &create);
    book->env.now_us += 3;
    struct usage_create usage = book_usage(create.customer.seq, "r1");
    book_create_usage(book, &usage);

    struct request_get get = {.of_daemon = true, .request_id = SLICE("r1")};
    assert_ok(look_up(book, &get));
    assert_u64(get.seq, create.customer.seq);
    assert_u64(get.customer_seq, create.customer.seq);
    assert_int_equal(get.kind, RECORD_CUSTOMER_CREATED);
    assert_i64(get.created_at_us, book->env.now_us - 3);

    get =
        (struct request_get){.customer = {.external_id = SLICE("ext")}, .request_id = SLICE("r1")};
    assert_ok(look_up(book, &get));
    assert_u64(get.seq, usage.record.seq);
    assert_u64(get.customer_seq, create.customer.seq);
    assert_int_equal(get.kind, RECORD_USAGE);
    assert_i64(get.created_at_us, book->env.now_us);
    book_close(book);
}

static void request_get__nothing_under_that_id__is_not_found(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create usage = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &usage);
    struct request_get get = {.customer = {.seq = customer}, .request_id = SLICE("r2")};
    assert_status(look_up(book, &get), STATUS_REQUEST_NOT_FOUND);
    get = (struct request_get){.of_daemon = true, .request_id = SLICE("r1")};
    assert_status(look_up(book, &get), STATUS_REQUEST_NOT_FOUND);
    get = (struct request_get){.customer = {.seq = 99}, .request_id = SLICE("r1")};
    assert_status(look_up(book, &get), STATUS_CUSTOMER_NOT_FOUND);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(customer_create__new__is_there_under_both_names),
    cmocka_unit_test(customer_create__external_id_taken__is_refused_naming_the_holder),
    cmocka_unit_test(customer_create__external_id_taken_in_the_same_transaction__is_refused),
    cmocka_unit_test(customer_create__no_external_id__is_never_taken),
    cmocka_unit_test(customer_create__the_store_fails__says_so),
    cmocka_unit_test(customer_resolve__what_names_nobody__is_not_found),
    cmocka_unit_test(customer_rename__another_name__is_recorded_and_seen),
    cmocka_unit_test(customer_rename__the_name_it_has__records_nothing),
    cmocka_unit_test(customer_rename__nobody__is_refused),
    cmocka_unit_test(customer_rename__applied_again_after_an_abort__is_recorded),
    cmocka_unit_test(customer_list__pages__are_the_whole_in_order_of_creation),
    cmocka_unit_test(customer_list__nobody_there__is_empty),
    cmocka_unit_test(customer_list__by_external_id__is_its_holder_or_nobody),
    cmocka_unit_test(customer_list__arena_too_small__says_so),
    cmocka_unit_test(request_get__recorded__says_by_what_and_when),
    cmocka_unit_test(request_get__nothing_under_that_id__is_not_found),
};

TESTKIT_MAIN(tests)
