/* What every call of the ledger does when the store fails under it, or its memory is at an end: it
 * says so, and never answers with less than there is. */
#include "billingd/ledger/api_key.h"
#include "billingd/ledger/bill.h"
#include "billingd/ledger/bill_list.h"
#include "billingd/ledger/bill_records.h"
#include "billingd/ledger/invoice_verify.h"
#include "billingd/ledger/request.h"
#include "billingd/ledger/summary.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

enum {
    LIMIT = 10,
    TRIES_MAX = 2000,
};

/* A customer with all that there is: invoiced, then late usage, voids and adjustments. */
struct office {
    struct book *book;
    uint64_t customer;
    uint64_t usage;  /* open, not voided */
    uint64_t voided; /* in time */
    uint64_t key;    /* called "ingest" */
    int64_t end_us;  /* of the invoice */
    int64_t now_us;
    struct record usage_record;
    struct slice void_id; /* the request ids of the first void and of the invoice */
    struct slice invoice_id;
};

static uint64_t add_key(struct book *book, const char *name)
{
    struct api_key_create create = {.asked = {.name = slice_of(name), .role = KEY_READER},
                                    .recorded_by = SLICE("tester")};
    struct store_txn *txn = book_begin(book);
    assert_ok(api_key_create(txn, &create));
    assert_ok(store_commit(txn));
    return create.key.seq;
}

static struct office open_office(void)
{
    struct office office = {.book = book_open()};
    struct book *book = office.book;
    office.end_us = book_time("2026-11-01T00:00:00Z");
    office.now_us = book->env.now_us;
    office.customer = book_add_customer(book, "acme");
    book_add_service(book, "S");
    book_add_service(book, "T");
    uint64_t late = book_add_usage(book, office.customer, "S", "3", "0.5", 1234);
    office.voided = book_add_usage(book, office.customer, "T", "1", "0.05", 1235);
    book_add_adjustment(book, office.customer, "S", "-5", 1236);
    uint64_t void_seq = book_add_void(book, office.customer, office.voided);
    book_add_invoice(book, office.customer, office.end_us);
    office.usage = book_add_usage(book, office.customer, "S", "3", "0.5", 1237);
    book_add_usage(book, office.customer, "T", "7", "0.5", office.now_us);
    book_add_adjustment(book, office.customer, "", "1.5", office.now_us);
    book_add_adjustment(book, office.customer, "T", "-2", 1238);
    book_add_void(book, office.customer, late);
    book_add_customer(book, "other");
    office.key = add_key(book, "ingest");
    add_key(book, "report");
    book->env.catalogue_listed = true;
    office.usage_record = book_record(book, office.usage);
    office.void_id = book_record(book, void_seq).request_id;
    office.invoice_id = book_record(book, void_seq + 1).request_id;
    return office;
}

/* --- the calls -------------------------------------------------------------------------------- */

/* One call, made anew each time; what it writes is aborted.  Returns as it does. */
typedef int (*call_fn)(const struct office *office, struct arena *arena);

static int make_customer(const struct office *office, struct arena *arena)
{
    struct customer_create create = {
        .name = SLICE("New"), .external_id = SLICE("new"), .request_id = SLICE("new")};
    struct store_txn *txn = book_begin(office->book);
    int rc = customer_create(txn, arena, &create);
    assert_ok(create.outcome.status);
    store_abort(txn);
    return rc;
}

static int replay_customer(const struct office *office, struct arena *arena)
{
    struct customer_create create = {.name = SLICE("A test customer name"),
                                     .external_id = SLICE("acme"),
                                     .request_id = SLICE("own-0")};
    struct store_txn *txn = book_begin(office->book);
    int rc = customer_create(txn, arena, &create);
    assert_true(rc < 0 || create.outcome.replayed);
    store_abort(txn);
    return rc;
}

static int take_external_id(const struct office *office, struct arena *arena)
{
    struct customer_create create = {
        .name = SLICE("New"), .external_id = SLICE("acme"), .request_id = SLICE("new")};
    struct store_txn *txn = book_begin(office->book);
    int rc = customer_create(txn, arena, &create);
    assert_true(rc < 0 || create.outcome.status == STATUS_EXTERNAL_ID_TAKEN);
    store_abort(txn);
    return rc;
}

static int rename_customer(const struct office *office, struct arena *arena)
{
    struct customer_rename rename = {.customer_ref = {.external_id = SLICE("acme")},
                                     .name = SLICE("Renamed"),
                                     .recorded_by = SLICE("tester")};
    struct store_txn *txn = book_begin(office->book);
    int rc = customer_rename(txn, arena, &rename);
    assert_int_equal(rename.recorded, rc == 0);
    store_abort(txn);
    return rc;
}

static int list_customers(const struct office *office, struct arena *arena)
{
    struct customer_page page = {.limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = customer_list(view, arena, &page);
    assert_true(rc < 0 || page.n == 2);
    book_release(view);
    return rc;
}

static int list_one_customer(const struct office *office, struct arena *arena)
{
    struct customer_page page = {.limit = LIMIT, .external_id = SLICE("acme")};
    struct store_view *view = book_view(office->book);
    int rc = customer_list(view, arena, &page);
    assert_true(rc < 0 || page.n == 1);
    book_release(view);
    return rc;
}

static int make_usage(const struct office *office, struct arena *arena)
{
    struct usage_create create = book_usage(office->customer, "new");
    create.asked.usage.service = SLICE("T");
    struct store_txn *txn = book_begin(office->book);
    int rc = usage_create(txn, arena, &office->book->env, &create);
    assert_ok(create.outcome.status);
    store_abort(txn);
    return rc;
}

static int replay_usage(const struct office *office, struct arena *arena)
{
    struct usage_create create = {.customer = {.seq = office->customer},
                                  .asked = office->usage_record};
    struct store_txn *txn = book_begin(office->book);
    int rc = usage_create(txn, arena, &office->book->env, &create);
    assert_true(rc < 0 || (create.outcome.replayed && create.record.seq == office->usage));
    store_abort(txn);
    return rc;
}

static int get_usage(const struct office *office, struct arena *arena)
{
    struct usage_get get = {.customer = {.seq = office->customer}, .seq = office->voided};
    struct store_view *view = book_view(office->book);
    int rc = usage_get(view, arena, &get);
    assert_true(rc < 0 || get.voided_at_us != 0);
    book_release(view);
    return rc;
}

static int list_usage(const struct office *office, struct arena *arena)
{
    struct usage_page page = {.list = {.customer = {.seq = office->customer},
                                       .range = {.end_us = INT64_MAX},
                                       .limit = LIMIT}};
    struct store_view *view = book_view(office->book);
    int rc = usage_list(view, arena, &page);
    assert_true(rc < 0 || page.list.n == 4);
    book_release(view);
    return rc;
}

static int make_void(const struct office *office, struct arena *arena)
{
    struct void_create create = book_void(office->customer, office->usage, "new");
    struct store_txn *txn = book_begin(office->book);
    int rc = void_create(txn, arena, &create);
    assert_ok(create.outcome.status);
    store_abort(txn);
    return rc;
}

static int replay_void(const struct office *office, struct arena *arena)
{
    struct void_create create = book_void(office->customer, office->voided, "");
    create.asked.request_id = office->void_id;
    struct store_txn *txn = book_begin(office->book);
    int rc = void_create(txn, arena, &create);
    assert_true(rc < 0 || create.outcome.replayed);
    store_abort(txn);
    return rc;
}

static int get_void(const struct office *office, struct arena *arena)
{
    struct void_get get = {.customer = {.seq = office->customer}, .usage = office->voided};
    struct store_view *view = book_view(office->book);
    int rc = void_get(view, arena, &get);
    book_release(view);
    return rc;
}

static int make_adjustment(const struct office *office, struct arena *arena)
{
    struct adjustment_create create = book_adjustment(office->customer, "new");
    create.asked.adjustment.service = SLICE("T");
    struct store_txn *txn = book_begin(office->book);
    int rc = adjustment_create(txn, arena, &office->book->env, &create);
    assert_ok(create.outcome.status);
    store_abort(txn);
    return rc;
}

static int list_adjustments(const struct office *office, struct arena *arena)
{
    struct record_page page = {
        .customer = {.seq = office->customer}, .range = {.end_us = INT64_MAX}, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = adjustment_list(view, arena, &page);
    assert_true(rc < 0 || page.n == 3);
    book_release(view);
    return rc;
}

static int put_service(const struct office *office, struct arena *arena)
{
    struct catalogue_put put = {.name = SLICE("S"), .unit = SLICE("GB")};
    struct store_txn *txn = book_begin(office->book);
    int rc = catalogue_put(txn, arena, &put);
    assert_int_equal(put.recorded, rc == 0);
    store_abort(txn);
    return rc;
}

static int delete_service(const struct office *office, struct arena *arena)
{
    struct catalogue_delete delete = {.name = SLICE("S")};
    struct store_txn *txn = book_begin(office->book);
    (void)arena;
    int rc = catalogue_delete(txn, &delete);
    assert_ok(delete.outcome.status);
    store_abort(txn);
    return rc;
}

static int get_service(const struct office *office, struct arena *arena)
{
    struct store_service service;
    struct store_view *view = book_view(office->book);
    int rc = catalogue_get(view, arena, SLICE("S"), &service);
    book_release(view);
    return rc;
}

static int list_services(const struct office *office, struct arena *arena)
{
    struct catalogue_page page = {.limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = catalogue_list(view, arena, &page);
    assert_true(rc < 0 || page.n == 2);
    book_release(view);
    return rc;
}

static int get_bill(const struct office *office, struct arena *arena)
{
    struct bill_get get = {.customer = {.seq = office->customer}, .current = true, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = bill_get(view, arena, &office->book->env, &get);
    assert_true(rc < 0 || (get.totals.records == 2 && get.n_adjustments == 2));
    book_release(view);
    return rc;
}

static int list_bills(const struct office *office, struct arena *arena, enum bill_list_of of)
{
    struct bill_list list = {.of = of, .period = {0, office->now_us + 1}, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = bill_list(view, arena, &office->book->env, &list);
    assert_true(rc < 0 || list.n == (of == BILL_LIST_DUE ? 1 : 2));
    book_release(view);
    return rc;
}

static int list_bills_due(const struct office *office, struct arena *arena)
{
    return list_bills(office, arena, BILL_LIST_DUE);
}

static int list_current_bills(const struct office *office, struct arena *arena)
{
    return list_bills(office, arena, BILL_LIST_CURRENT);
}

static int list_bill_records(const struct office *office, struct arena *arena)
{
    struct bill_records list = {.customer = {.seq = office->customer},
                                .current = true,
                                .service = SLICE("S"),
                                .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = bill_records_list(view, arena, &office->book->env, &list);
    assert_true(rc < 0 || list.n == 2);
    book_release(view);
    return rc;
}

static int summarize_some(const struct office *office, struct arena *arena, bool include_empty)
{
    struct summary summary = {
        .customer = {.seq = office->customer},
        .period = {include_empty ? office->end_us : 0, office->now_us + 1},
        .window = WINDOW_MONTH,
        .by_service = true,
        .include_empty = include_empty,
        .limit = LIMIT,
    };
    struct store_view *view = book_view(office->book);
    int rc = summary_get(view, arena, &summary);
    assert_true(rc < 0 || summary.n == (include_empty ? 1 : 3));
    book_release(view);
    return rc;
}

static int summarize(const struct office *office, struct arena *arena)
{
    return summarize_some(office, arena, false);
}

static int summarize_empty(const struct office *office, struct arena *arena)
{
    return summarize_some(office, arena, true);
}

static int finalize_new(const struct office *office, struct arena *arena)
{
    struct invoice_finalize finalize = {.customer = {.seq = office->customer}, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    unsigned appended = 0;
    finalize.asked.request_id = SLICE("new");
    finalize.asked.invoice.end_us = office->now_us;
    invoice_finalize_init(&finalize, arena);
    int rc = invoice_prepare(view, arena, &office->book->env, &finalize);
    book_release(view);
    if (rc == 0) {
        struct store_txn *txn = book_begin(office->book);
        rc = invoice_finalize(txn, arena, &office->book->env, &finalize, &appended);
        assert_true(rc < 0 || appended > 1);
        store_abort(txn);
    }
    return rc;
}

static int replay_invoice(const struct office *office, struct arena *arena)
{
    struct invoice_finalize finalize = {.customer = {.seq = office->customer}, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    finalize.asked.invoice.end_us = office->end_us;
    finalize.asked.request_id = office->invoice_id;
    invoice_finalize_init(&finalize, arena);
    int rc = invoice_prepare(view, arena, &office->book->env, &finalize);
    assert_true(rc < 0 || (finalize.outcome.replayed && finalize.page.n_lines == 2));
    book_release(view);
    return rc;
}

static int get_invoice(const struct office *office, struct arena *arena)
{
    struct invoice_page page = {.limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = invoice_get(view, arena, 1, &page);
    assert_true(rc < 0 || (page.n_lines == 2 && page.n_adjustments == 1));
    book_release(view);
    return rc;
}

static int list_invoices(const struct office *office, struct arena *arena)
{
    struct invoice_list list = {
        .of_customer = true, .customer = {.seq = office->customer}, .limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = invoice_list(view, arena, &list);
    assert_true(rc < 0 || list.n == 1);
    book_release(view);
    return rc;
}

static int verify_invoice(const struct office *office, struct arena *arena)
{
    struct invoice_verify verify = {.number = 1};
    struct store_view *view = book_view(office->book);
    int rc = invoice_verify(view, arena, &verify);
    assert_true(rc < 0 || verify.n_differences == 0);
    book_release(view);
    return rc;
}

static int get_request(const struct office *office, struct arena *arena)
{
    struct request_get get = {.of_daemon = true, .request_id = SLICE("own-0")};
    struct store_view *view = book_view(office->book);
    (void)arena;
    int rc = request_get(view, &get);
    assert_true(rc < 0 || get.seq == office->customer);
    book_release(view);
    return rc;
}

static int make_key(const struct office *office, struct arena *arena)
{
    struct api_key_create create = {.asked = {.name = SLICE("new"), .role = KEY_WRITER},
                                    .recorded_by = SLICE("tester")};
    struct store_txn *txn = book_begin(office->book);
    (void)arena;
    int rc = api_key_create(txn, &create);
    assert_ok(create.outcome.status);
    store_abort(txn);
    return rc;
}

static int take_key_name(const struct office *office, struct arena *arena)
{
    struct api_key_create create = {.asked = {.name = SLICE("ingest"), .role = KEY_WRITER},
                                    .recorded_by = SLICE("tester")};
    struct store_txn *txn = book_begin(office->book);
    (void)arena;
    int rc = api_key_create(txn, &create);
    assert_true(rc < 0 || create.outcome.status == STATUS_KEY_EXISTS);
    store_abort(txn);
    return rc;
}

static int revoke_key(const struct office *office, struct arena *arena)
{
    struct api_key_revoke revoke = {.name = SLICE("ingest"), .recorded_by = SLICE("tester")};
    struct store_txn *txn = book_begin(office->book);
    int rc = api_key_revoke(txn, arena, &revoke);
    assert_ok(revoke.outcome.status);
    assert_int_equal(revoke.recorded, rc == 0);
    store_abort(txn);
    return rc;
}

static int list_keys(const struct office *office, struct arena *arena)
{
    struct api_key_page page = {.limit = LIMIT};
    struct store_view *view = book_view(office->book);
    int rc = api_key_list(view, arena, &page);
    assert_true(rc < 0 || page.n == 2);
    book_release(view);
    return rc;
}

static int note_key_uses(const struct office *office, struct arena *arena)
{
    struct key_use use = {office->key, office->now_us};
    struct store_txn *txn = book_begin(office->book);
    (void)arena;
    int rc = api_key_note_uses(txn, &use, 1, SLICE("billingd"));
    store_abort(txn);
    return rc;
}

static const struct {
    const char *name;
    call_fn call;
} calls[] = {
    {"make_customer", make_customer},
    {"replay_customer", replay_customer},
    {"take_external_id", take_external_id},
    {"rename_customer", rename_customer},
    {"list_customers", list_customers},
    {"list_one_customer", list_one_customer},
    {"make_usage", make_usage},
    {"replay_usage", replay_usage},
    {"get_usage", get_usage},
    {"list_usage", list_usage},
    {"make_void", make_void},
    {"replay_void", replay_void},
    {"get_void", get_void},
    {"make_adjustment", make_adjustment},
    {"list_adjustments", list_adjustments},
    {"put_service", put_service},
    {"delete_service", delete_service},
    {"get_service", get_service},
    {"list_services", list_services},
    {"get_bill", get_bill},
    {"list_bills_due", list_bills_due},
    {"list_current_bills", list_current_bills},
    {"list_bill_records", list_bill_records},
    {"summarize", summarize},
    {"summarize_empty", summarize_empty},
    {"finalize_new", finalize_new},
    {"replay_invoice", replay_invoice},
    {"get_invoice", get_invoice},
    {"list_invoices", list_invoices},
    {"verify_invoice", verify_invoice},
    {"get_request", get_request},
    {"make_key", make_key},
    {"take_key_name", take_key_name},
    {"revoke_key", revoke_key},
    {"list_keys", list_keys},
    {"note_key_uses", note_key_uses},
};

/* --- the store fails -------------------------------------------------------------------------- */

/* CALL with the store's call number AFTER of KIND failing.  Returns whether it came to that. */
static bool fails_there(const struct office *office, call_fn call, enum memory_call kind,
                        unsigned after)
{
    struct memory_store *memory = office->book->memory;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 24);
    uint64_t before = memory_store_counts(memory).calls[kind];
    memory_store_fail(memory, kind, STATUS_NO_MEMORY, after, 1);
    int rc = call(office, &arena);
    memory_store_fail(memory, kind, 0, 0, 0);
    bool failed = memory_store_counts(memory).calls[kind] - before > after;
    assert_int_equal(rc, failed ? STATUS_NO_MEMORY : 0);
    arena_done(&arena);
    return failed;
}

static void assert_each_failure_is_told(enum memory_call kind)
{
    struct office office = open_office();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        unsigned after = 0;
        while (fails_there(&office, calls[i].call, kind, after)) {
            after++;
            assert_true(after < TRIES_MAX);
        }
        print_message("%s: %u\n", calls[i].name, after);
    }
    book_close(office.book);
}

static void call__a_read_fails__says_so(void **state)
{
    (void)state;
    assert_each_failure_is_told(MEMORY_READ);
}

static void call__reading_what_there_is_fails__says_so(void **state)
{
    (void)state;
    assert_each_failure_is_told(MEMORY_INFO);
}

static void call__an_append_fails__says_so(void **state)
{
    (void)state;
    assert_each_failure_is_told(MEMORY_APPEND);
}

/* --- memory is at an end ---------------------------------------------------------------------- */

static void call__little_memory__is_too_large(void **state)
{
    struct office office = open_office();
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int rc = STATUS_TOO_LARGE;
        for (size_t budget = 0; rc != 0; budget += 16) {
            struct arena arena;
            arena_init(&arena, budget);
            rc = calls[i].call(&office, &arena);
            assert_true(rc == 0 || rc == STATUS_TOO_LARGE);
            arena_done(&arena);
        }
    }
    book_close(office.book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(call__a_read_fails__says_so),
    cmocka_unit_test(call__reading_what_there_is_fails__says_so),
    cmocka_unit_test(call__an_append_fails__says_so),
    cmocka_unit_test(call__little_memory__is_too_large),
};

TESTKIT_MAIN(tests)
