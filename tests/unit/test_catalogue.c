/* The rules about the catalogue: what is in it, and what may be billed where it is the listed
 * one. */
#include "billingd/ledger/catalogue.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static struct catalogue_put put(struct book *book, const char *name, const char *unit)
{
    struct catalogue_put put = {
        .name = slice_of(name),
        .unit = slice_of(unit),
        .recorded_by = SLICE("tester"),
    };
    book_put_service(book, &put);
    return put;
}

static int take_out(struct book *book, const char *name)
{
    struct catalogue_delete delete = {.name = slice_of(name), .recorded_by = SLICE("tester")};
    book_delete_service(book, &delete);
    return delete.outcome.status;
}

static int get(struct book *book, const char *name, struct store_service *ret)
{
    struct store_view *view = book_view(book);
    int rc = catalogue_get(view, &book->arena, slice_of(name), ret);
    book_release(view);
    return rc;
}

static void assert_service(const struct store_service *service, const char *name, const char *unit,
                           int64_t created_us, int64_t updated_us)
{
    assert_text(service->name.data, service->name.length, name);
    assert_text(service->unit.data, service->unit.length, unit);
    assert_i64(service->created_at_us, created_us);
    assert_i64(service->updated_at_us, updated_us);
}

/* --- what is in it ---------------------------------------------------------------------------- */

static void catalogue_put__new_changed_and_the_same__records_what_changes(void **state)
{
    struct book *book = book_open();
    struct store_service found;
    int64_t first_us = book->env.now_us;
    (void)state;
    struct catalogue_put new = put(book, "S", "GB");
    assert_true(new.recorded);
    assert_service(&new.service, "S", "GB", first_us, first_us);
    book->env.now_us += 7;
    struct catalogue_put same = put(book, "S", "GB");
    assert_false(same.recorded);
    assert_service(&same.service, "S", "GB", first_us, first_us);
    struct catalogue_put changed = put(book, "S", "GiB");
    assert_true(changed.recorded);
    assert_service(&changed.service, "S", "GiB", first_us, first_us + 7);
    book->env.now_us += 7;
    struct catalogue_put without = put(book, "S", "");
    assert_true(without.recorded);
    assert_service(&without.service, "S", "", first_us, first_us + 14);
    assert_false(put(book, "S", "").recorded);
    assert_true(put(book, "s", "").recorded); /* a name is its bytes */
    assert_ok(get(book, "S", &found));
    assert_service(&found, "S", "", first_us, first_us + 14);
    assert_u64(book_records(book), 4);
    struct record stored = book_record(book, 2);
    assert_int_equal(stored.kind, RECORD_SERVICE_PUT);
    assert_text(stored.recorded_by.data, stored.recorded_by.length, "tester");
    assert_u64(stored.request_id.length, 0);
    book_close(book);
}

static void catalogue_delete__there_and_not__takes_it_out_once(void **state)
{
    struct book *book = book_open();
    struct store_service found;
    (void)state;
    assert_status(take_out(book, "S"), STATUS_SERVICE_NOT_FOUND);
    put(book, "S", "GB");
    put(book, "T", "");
    assert_ok(take_out(book, "S"));
    assert_status(take_out(book, "S"), STATUS_SERVICE_NOT_FOUND);
    assert_status(get(book, "S", &found), STATUS_SERVICE_NOT_FOUND);
    assert_ok(get(book, "T", &found));
    assert_u64(book_records(book), 3);
    book->env.now_us += 7;
    struct catalogue_put again = put(book, "S", "GB"); /* there is none to equal */
    assert_true(again.recorded);
    assert_service(&again.service, "S", "GB", book->env.now_us, book->env.now_us);
    book_close(book);
}

static void catalogue__several_in_one_transaction__each_sees_the_ones_before(void **state)
{
    struct book *book = book_open();
    struct catalogue_put first = {.name = SLICE("S"), .recorded_by = SLICE("a")};
    struct catalogue_put same = first;
    struct catalogue_delete gone = {.name = SLICE("S"), .recorded_by = SLICE("a")};
    struct catalogue_delete none = gone;
    (void)state;
    struct store_txn *txn = book_begin(book);
    assert_ok(catalogue_put(txn, &book->arena, &first));
    assert_ok(catalogue_put(txn, &book->arena, &same));
    assert_ok(catalogue_delete(txn, &gone));
    assert_ok(catalogue_delete(txn, &none));
    assert_ok(store_commit(txn));
    assert_true(first.recorded);
    assert_false(same.recorded);
    assert_ok(gone.outcome.status);
    assert_status(none.outcome.status, STATUS_SERVICE_NOT_FOUND);
    assert_u64(book_records(book), 2);
    book_close(book);
}

static void catalogue_list__any_limit__is_all_of_them_by_name(void **state)
{
    static const char *const names[] = {"b", "a", "B", "aa", "\xC3\xA9", "c d", "0"};
    static const char *const sorted[] = {"0", "B", "a", "aa", "b", "\xC3\xA9"};
    struct book *book = book_open();
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put(book, names[i], names[i]);
    }
    assert_ok(take_out(book, "c d"));
    for (unsigned limit = 1; limit < 9; limit++) {
        struct catalogue_page page = {.limit = limit};
        size_t n = 0;
        do {
            struct store_view *view = book_view(book);
            assert_ok(catalogue_list(view, &book->arena, &page));
            book_release(view);
            assert_true(page.n <= limit);
            for (unsigned i = 0; i < page.n; i++) {
                assert_text(page.services[i].name.data, page.services[i].name.length, sorted[n]);
                assert_text(page.services[i].unit.data, page.services[i].unit.length, sorted[n]);
                n++;
            }
            page.after_name = page.services[page.n - 1].name;
        } while (page.more);
        assert_u64(n, 6);
    }
    book_close(book);
}

/* --- what may be billed ----------------------------------------------------------------------- */

static int usage_of(struct book *book, uint64_t customer, const char *service)
{
    struct usage_create create = book_usage(customer, "");
    create.asked.request_id = slice_of(testkit_format("u%s", service));
    create.asked.usage.service = slice_of(service);
    book_create_usage(book, &create);
    return create.outcome.status;
}

static int adjustment_of(struct book *book, uint64_t customer, const char *service)
{
    struct adjustment_create create = book_adjustment(customer, "");
    create.asked.request_id = slice_of(testkit_format("a%s", service));
    create.asked.adjustment.service = slice_of(service);
    book_create_adjustment(book, &create);
    return create.outcome.status;
}

static void catalogue__open__bills_any_service_whatever_is_listed(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    assert_ok(usage_of(book, customer, "any"));
    put(book, "S", "");
    assert_ok(usage_of(book, customer, "another"));
    assert_ok(adjustment_of(book, customer, "another"));
    book_close(book);
}

static void catalogue__listed__refuses_what_is_not_in_it(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book->env.catalogue_listed = true;
    assert_status(usage_of(book, customer, "S"), STATUS_SERVICE_NOT_ALLOWED);
    put(book, "S", "");
    assert_ok(usage_of(book, customer, "S")); /* the id was not used up */
    assert_status(usage_of(book, customer, "s"), STATUS_SERVICE_NOT_ALLOWED);
    assert_status(usage_of(book, customer, "S "), STATUS_SERVICE_NOT_ALLOWED);
    assert_status(adjustment_of(book, customer, "T"), STATUS_SERVICE_NOT_ALLOWED);
    assert_ok(adjustment_of(book, customer, "S"));
    assert_ok(adjustment_of(book, customer, "")); /* names none */
    assert_u64(book_records(book), 5);
    book_close(book);
}

/* The request id is looked up before the catalogue. */
static void catalogue__taken_out__retries_are_answered_and_what_is_new_refused(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book->env.catalogue_listed = true;
    put(book, "S", "");
    assert_ok(usage_of(book, customer, "S"));
    assert_ok(adjustment_of(book, customer, "S"));
    assert_ok(take_out(book, "S"));
    assert_ok(usage_of(book, customer, "S"));
    assert_ok(adjustment_of(book, customer, "S"));
    struct usage_create reused = book_usage(customer, "uS");
    book_create_usage(book, &reused);
    assert_status(reused.outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_status(usage_of(book, customer, "Database Hosting"), STATUS_SERVICE_NOT_ALLOWED);
    assert_u64(book_records(book), 5);
    book_close(book);
}

/* A void takes back what was billed when it was allowed. */
static void catalogue__taken_out__usage_can_still_be_voided(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    (void)state;
    book->env.catalogue_listed = true;
    book_add_void(book, customer, usage);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(catalogue_put__new_changed_and_the_same__records_what_changes),
    cmocka_unit_test(catalogue_delete__there_and_not__takes_it_out_once),
    cmocka_unit_test(catalogue__several_in_one_transaction__each_sees_the_ones_before),
    cmocka_unit_test(catalogue_list__any_limit__is_all_of_them_by_name),
    cmocka_unit_test(catalogue__open__bills_any_service_whatever_is_listed),
    cmocka_unit_test(catalogue__listed__refuses_what_is_not_in_it),
    cmocka_unit_test(catalogue__taken_out__retries_are_answered_and_what_is_new_refused),
    cmocka_unit_test(catalogue__taken_out__usage_can_still_be_voided),
};

TESTKIT_MAIN(tests)
