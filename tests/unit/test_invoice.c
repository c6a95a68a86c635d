/* Invoices: what is kept, that it never changes, exactly once, and in pages. */
#include "billingd/ledger/bill.h"
#include "billingd/ledger/invoice.h"
#include "tests/lib/bill_history.h"
#include "tests/lib/bill_text.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static void assert_amount(struct amount amount, const char *expected)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(amount, text);
    assert_string_equal(text, expected);
}

static struct invoice_finalize *finalize(struct book *book, uint64_t customer, int64_t end_us,
                                         const char *request_id)
{
    struct invoice_finalize *finalize = book_invoice(book, customer, end_us, request_id);
    book_finalize_invoice(book, finalize);
    return finalize;
}

static struct record invoice_record(struct book *book, uint64_t number)
{
    struct invoice_page page = {.limit = 1};
    struct store_view *view = book_view(book);
    assert_ok(invoice_get(view, &book->arena, number, &page));
    book_release(view);
    return page.record;
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void invoice_finalize__a_period__is_kept_as_its_bill(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, "ext");
    uint64_t usage = book_add_usage(book, customer, "S", "3", "0.335", 1000);
    book_add_usage(book, customer, "A", "1", "0.004", 1001);
    book_add_void(book, customer, usage);
    uint64_t adjustment = book_add_adjustment(book, customer, "S", "-0.005", 1002);
    book_add_usage(book, customer, "S", "1", "1", 2000);

    struct invoice_finalize *f = book_invoice(book, 0, 2000, "r1");
    f->customer.external_id = SLICE("ext");
    f->asked.invoice.start_given = true;
    f->asked.invoice.start_us = 500;
    book_finalize_invoice(book, f);
    assert_ok(f->outcome.status);
    assert_false(f->outcome.replayed);
    const struct record *record = &f->page.record;
    const struct invoice *invoice = &record->invoice;
    assert_int_equal(record->kind, RECORD_INVOICE);
    assert_u64(record->seq, 7);
    assert_i64(record->created_at_us, book->env.now_us);
    assert_text(record->request_id.data, record->request_id.length, "r1");
    assert_text(record->recorded_by.data, record->recorded_by.length, "tester");
    assert_u64(invoice->customer, customer);
    assert_u64(invoice->number, 1);
    assert_i64(invoice->start_us, 500);
    assert_i64(invoice->end_us, 2000);
    assert_true(invoice->start_given);
    assert_u64(invoice->position, 6);
    assert_int_equal(invoice->minor_digits, 2);
    assert_u64(invoice->n_lines, 2);
    assert_u64(invoice->n_adjustments, 1);
    assert_amount(invoice->exact, "-0.001");
    assert_amount(invoice->total, "0"); /* 0, 0 and -0.005 to the even neighbour */
    assert_u64(f->page.n_lines, 2);
    assert_u64(f->page.n_adjustments, 1);
    assert_u64(f->page.adjustments[0].seq, adjustment);
    assert_u64(f->page.lines[1].voided, 1);
    assert_amount(f->page.lines[1].units, "0");
    assert_false(f->page.more);

    struct store_customer row;
    struct store_view *view = book_view(book);
    assert_ok(store_customer(view, customer, &row));
    assert_i64(row.billed_until_us, 2000);
    book_release(view);
    assert_string_equal(invoice_text(book, 1, 10),
                        bill_text(book, customer, (struct period){500, 2000}, 10));
    book_close(book);
}

static void invoice_finalize__random_records__equals_the_bill_of_its_period(void **state)
{
    struct rng rng = rng_make("invoices");
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct book *book = book_open();
        struct history history = history_make(book, &rng, 10 * hour_us, 20 * hour_us, 120);
        struct store_customer customer;
        struct store_view *view = book_view(book);
        assert_ok(store_customer(view, history.customer, &customer));
        book_release(view);
        book->env.minor_digits = (int)rng_below(&rng, 4);
        int64_t end_us = 21 * hour_us;
        uint64_t number = book_add_invoice(book, history.customer, end_us);
        struct record record = invoice_record(book, number);
        struct period period = {record.invoice.start_us, record.invoice.end_us};
        assert_true(period.start_us <= 10 * hour_us || period.start_us == customer.billed_until_us);
        assert_i64(period.end_us, end_us);
        assert_string_equal(invoice_text(book, number, 1000),
                            bill_text(book, history.customer, period, 1000));
        book_close(book);
    }
}

static void invoice_finalize__nothing_in_it__is_an_empty_invoice(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 1000);
    struct invoice_finalize *f = finalize(book, customer, 1000, "r1");
    assert_ok(f->outcome.status);
    assert_u64(f->page.record.invoice.n_lines, 0);
    assert_u64(f->page.record.invoice.n_adjustments, 0);
    assert_amount(f->page.record.invoice.total, "0");
    assert_u64(book_records(book), 3); /* no record of entries */
    assert_string_equal(invoice_text(book, 1, 10), "exact 0, total 0\n");
    book_close(book);
}

/* What is rounded stays as it was, whatever the deployment's currency has become. */
static void invoice_get__another_currency_since__is_rounded_as_it_was(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "0.5", 10);
    book_add_invoice(book, customer, 1000);
    book->env.minor_digits = 0;
    struct record record = invoice_record(book, 1);
    assert_int_equal(record.invoice.minor_digits, 2);
    assert_amount(record.invoice.total, "0.5");
    book_close(book);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void invoice_finalize__numbers__have_no_gaps_over_customers_and_refusals(void **state)
{
    struct book *book = book_open();
    uint64_t customers[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        customers[i] = book_add_customer(book, NULL);
    }
    uint64_t number = 0;
    for (int round = 1; round <= 4; round++) {
        for (int i = 0; i < 3; i++) {
            struct invoice_finalize *f =
                finalize(book, customers[i], round * 1000, testkit_format("r%d", round));
            assert_ok(f->outcome.status);
            assert_u64(f->page.record.invoice.number, ++number);
            f = finalize(book, customers[i], round * 1000, testkit_format("again %d", round));
            assert_status(f->outcome.status, STATUS_ALREADY_FINALIZED);
            assert_u64(f->outcome.existing_seq, number);
            f = finalize(book, customers[i], round * 1000, testkit_format("r%d", round));
            assert_true(f->outcome.replayed);
            assert_u64(f->page.record.invoice.number, number);
        }
    }
    book_close(book);
}

/* --- what comes afterwards -------------------------------------------------------------------- */

static void
invoice_finalize__late_usage_and_voids_afterwards__change_the_next_bill_only(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "10", "0.5", 1000);
    book_add_usage(book, customer, "T", "1", "1", 1999);
    uint64_t number = book_add_invoice(book, customer, 2000);
    const char *before = invoice_text(book, number, 1000);
    struct period invoiced = {invoice_record(book, number).invoice.start_us, 2000};
    struct period next = {2000, 5000};
    assert_string_equal(bill_text(book, customer, next, 10), "exact 0, total 0\n");

    book_add_usage(book, customer, "S", "3", "0.5", 1500);
    book_add_void(book, customer, usage);
    book_add_adjustment(book, customer, "", "-7", 1);
    assert_string_equal(invoice_text(book, number, 1000), before);
    assert_string_equal(bill_text(book, customer, invoiced, 1000), before);
    assert_string_equal(bill_text(book, customer, next, 10),
                        "S 0.5 x -7 = -3.5, 1 records, 1 voided, 1 late\n"
                        "adjustment 8 = -7\n"
                        "exact -10.5, total -10.5\n");
    uint64_t second = book_add_invoice(book, customer, 5000);
    assert_i64(invoice_record(book, second).invoice.start_us, 2000);
    assert_string_equal(invoice_text(book, second, 1000), bill_text(book, customer, next, 10));
    assert_string_equal(invoice_text(book, number, 1000), before);
    book_close(book);
}

/* --- exactly once ----------------------------------------------------------------------------- */

static void assert_replays(const struct invoice_finalize *again,
                           const struct invoice_finalize *first)
{
    assert_ok(again->outcome.status);
    assert_true(again->outcome.replayed);
    assert_u64(again->outcome.existing_seq, first->page.record.invoice.number);
    assert_u64(again->page.record.seq, first->page.record.seq);
    assert_i64(again->page.record.created_at_us, first->page.record.created_at_us);
    assert_i64(again->page.record.invoice.start_us, first->page.record.invoice.start_us);
    assert_memory_equal(again->page.record.invoice.digest, first->page.record.invoice.digest,
                        INVOICE_DIGEST_BYTES);
    assert_u64(again->page.n_lines, first->page.n_lines);
    assert_u64(again->page.n_adjustments, first->page.n_adjustments);
    for (size_t i = 0; i < first->page.n_lines; i++) {
        assert_true(slice_equal(again->page.lines[i].service, first->page.lines[i].service));
        assert_int_equal(amount_compare(again->page.lines[i].exact, first->page.lines[i].exact), 0);
    }
}

static void invoice_prepare__same_request__is_the_first_answer_again(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 10);
    book_add_adjustment(book, customer, "", "1", 20);
    struct invoice_finalize *first = finalize(book, customer, 1000, "r1");
    assert_ok(first->outcome.status);
    book_add_usage(book, customer, "S", "1", "1", 10);
    book_add_invoice(book, customer, 2000);
    uint64_t records = book_records(book);
    for (int i = 0; i < 3; i++) {
        book->env.now_us = i == 2 ? 500 : book->env.now_us + 1; /* it would not be closed today */
        struct invoice_finalize *again = finalize(book, customer, 1000, "r1");
        assert_replays(again, first);
        again = book_invoice(book, customer, 1000, "r1");
        book_apply_invoice(book, again); /* where it was recorded after it was prepared */
        assert_replays(again, first);
    }
    assert_u64(book_records(book), records);
    book_close(book);
}

static void invoice_prepare__same_request_other_payload__names_what_differs(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t other = book_add_customer(book, NULL);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "given");
    f->asked.invoice.start_given = true;
    f->asked.invoice.start_us = 500;
    book_finalize_invoice(book, f);
    assert_ok(f->outcome.status);
    assert_ok(finalize(book, customer, 2000, "default")->outcome.status);
    struct usage_create usage = book_usage(customer, "usage");
    book_create_usage(book, &usage);
    const struct {
        const char *request_id;
        bool start_given;
        int64_t start_us;
        int64_t end_us;
        unsigned differs;
    } table[] = {
        {"given", true, 500, 1001, DIFFERS_END},
        {"given", true, 501, 1000, DIFFERS_START},
        {"given", false, 0, 1000, DIFFERS_START},
        {"given", false, 0, 3000, DIFFERS_START | DIFFERS_END},
        {"default", true, 1000, 2000, DIFFERS_START},      /* although it is where it began */
        {"default", false, 0, INT64_MAX / 2, DIFFERS_END}, /* before it is not closed */
        {"usage", false, 0, 3000, DIFFERS_METHOD},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        f = book_invoice(book, customer, table[i].end_us, table[i].request_id);
        f->asked.invoice.start_given = table[i].start_given;
        f->asked.invoice.start_us = table[i].start_us;
        book_finalize_invoice(book, f);
        assert_status(f->outcome.status, STATUS_REQUEST_ID_REUSED);
        assert_u64(f->outcome.differs, table[i].differs);
        if (table[i].differs == DIFFERS_METHOD) {
            assert_u64(f->outcome.existing_seq, usage.record.seq);
        } else {
            assert_u64(f->outcome.existing_seq, i < 4 ? 1 : 2);
            assert_int_equal(f->outcome.existing_kind, RECORD_INVOICE);
        }
    }
    /* The other way round, and in another customer's name space. */
    struct usage_create reused = book_usage(customer, "given");
    book_create_usage(book, &reused);
    assert_status(reused.outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_u64(reused.outcome.differs, DIFFERS_METHOD);
    assert_u64(reused.outcome.existing_seq, 1);
    assert_ok(finalize(book, other, 1000, "given")->outcome.status);
    book_close(book);
}

static void invoice_prepare__what_is_refused__uses_up_nothing(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t records = book_records(book);
    assert_status(finalize(book, customer, book->env.now_us + 1, "r1")->outcome.status,
                  STATUS_PERIOD_NOT_CLOSED);
    assert_status(finalize(book, 77, 1000, "r1")->outcome.status, STATUS_CUSTOMER_NOT_FOUND);
    struct invoice_finalize *f = book_invoice(book, 0, 1000, "r1");
    f->customer.external_id = SLICE("nobody");
    book_finalize_invoice(book, f);
    assert_status(f->outcome.status, STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(book_records(book), records);
    f = finalize(book, customer, 1000, "r1"); /* the id is free */
    assert_ok(f->outcome.status);
    assert_u64(f->page.record.invoice.number, 1);
    book_close(book);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void invoice_get__pages_of_any_size__are_the_whole(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    for (int i = 0; i < 7; i++) {
        book_add_usage(book, customer, testkit_format("s%d", 9 - i), "1", "0.001", 10 + i);
        book_add_adjustment(book, customer, "", "1", 30 - i);
    }
    uint64_t number = book_add_invoice(book, customer, 1000);
    const char *whole = invoice_text(book, number, 1000);
    struct period period = {0, 1000};
    assert_string_equal(bill_text(book, customer, period, 1000), whole);
    for (unsigned limit = 1; limit <= 15; limit++) {
        assert_string_equal(invoice_text(book, number, limit), whole);
        assert_string_equal(bill_text(book, customer, period, limit), whole);
    }
    /* Behind the last there is nothing. */
    for (uint64_t after = 14; after < 17; after++) {
        struct invoice_page page = {.limit = 3, .after = after};
        struct store_view *view = book_view(book);
        assert_ok(invoice_get(view, &book->arena, number, &page));
        book_release(view);
        assert_u64(page.n_lines + page.n_adjustments, 0);
        assert_false(page.more);
    }
    /* What is answered at once is the first page. */
    struct invoice_finalize *f = book_invoice(book, customer, 2000, "r1");
    for (int i = 0; i < 3; i++) {
        book_add_usage(book, customer, testkit_format("s%d", i), "1", "1", 1500);
    }
    f->limit = 2;
    invoice_finalize_init(f, &book->arena);
    book_finalize_invoice(book, f);
    assert_u64(f->page.n_lines, 2);
    assert_true(f->page.more);
    book_close(book);
}

static void invoice_get__thousands_of_entries__lie_in_many_records(void **state)
{
    enum {
        LINES = 2500,
        ADJUSTMENTS = 1500,
    };
    struct book *book = book_open();
    char service[LIMIT_SERVICE_BYTES + 1];
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    for (int i = 0; i < LINES; i++) { /* some as long as they may be */
        memset(service, 'x', sizeof service);
        service[i % 3 == 0 ? LIMIT_SERVICE_BYTES : 5] = '\0';
        book_add_usage(book, customer, service, "999999999999.999999",
                       testkit_format("0.%d", i + 1), i);
    }
    for (int i = 0; i < ADJUSTMENTS; i++) {
        book_add_adjustment(book, customer, "", testkit_format("-%d.01", i), i);
    }
    uint64_t before = book_records(book);
    uint64_t number = book_add_invoice(book, customer, 100000);
    assert_true(book_records(book) > before + 10);
    const char *whole = invoice_text(book, number, 1000000);
    assert_string_equal(bill_text(book, customer, (struct period){0, 100000}, 1000000), whole);
    assert_string_equal(invoice_text(book, number, 1000), whole);
    assert_string_equal(invoice_text(book, number, 37), whole);
    book_close(book);
}

static void invoice_get__what_is_not_there_or_damaged__is_an_error(void **state)
{
    struct book *book = book_open();
    struct invoice_page page = {.limit = 100};
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 10);
    uint64_t adjustment = book_add_adjustment(book, customer, "", "1", 10);
    uint64_t number = book_add_invoice(book, customer, 1000);
    uint64_t seq = invoice_record(book, number).seq;
    struct store_view *view = book_view(book);
    assert_status(invoice_get(view, &book->arena, 0, &page), STATUS_INVOICE_NOT_FOUND);
    assert_status(invoice_get(view, &book->arena, number + 1, &page), STATUS_INVOICE_NOT_FOUND);
    for (size_t budget = 0; budget < 4000; budget += 997) {
        struct arena arena;
        arena_init(&arena, budget);
        assert_status(invoice_get(view, &arena, number, &page), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    memory_store_damage(book->memory, adjustment);
    assert_status(invoice_get(view, &book->arena, number, &page), STATUS_CORRUPT);
    page.limit = 1; /* the line alone */
    assert_ok(invoice_get(view, &book->arena, number, &page));
    memory_store_damage(book->memory, seq + 1);
    assert_status(invoice_get(view, &book->arena, number, &page), STATUS_CORRUPT);
    assert_u64(store_view_damaged(view), seq + 1);
    memory_store_damage(book->memory, seq);
    assert_status(invoice_get(view, &book->arena, number, &page), STATUS_CORRUPT);
    assert_u64(store_view_damaged(view), seq);
    book_release(view);
    book_close(book);
}

/* An invoice that says other than what is behind it. */
static void alter_more_lines(struct record *record)
{
    record->invoice.n_lines++;
}

static void alter_fewer_lines(struct record *record)
{
    record->invoice.n_lines--;
}

static void alter_adjustments(struct record *record)
{
    record->invoice.n_adjustments = UINT64_MAX;
}

static void alter_entries(struct record *record)
{
    record->invoice_entries.invoice++;
}

static void alter_order(struct record *record)
{
    static uint8_t bytes[2 * INVOICE_ENTRY_BYTES_MAX];
    struct invoice_entry line;
    struct slice rest = record->invoice_entries.entries;
    assert_true(invoice_entries_next(&rest, &line));
    size_t n = invoice_entry_encode(&(struct invoice_entry){.adjustment = 3}, bytes);
    n += invoice_entry_encode(&line, bytes + n);
    record->invoice_entries.entries = (struct slice){(const char *)bytes, n};
}

static void alter_adjustment(struct record *record)
{
    static uint8_t bytes[2 * INVOICE_ENTRY_BYTES_MAX];
    struct invoice_entry line;
    struct slice rest = record->invoice_entries.entries;
    assert_true(invoice_entries_next(&rest, &line));
    size_t n = invoice_entry_encode(&line, bytes);
    n += invoice_entry_encode(&(struct invoice_entry){.adjustment = 2}, bytes + n); /* a usage */
    record->invoice_entries.entries = (struct slice){(const char *)bytes, n};
}

static void invoice_get__records_that_do_not_fit_together__are_corrupt(void **state)
{
    static const struct {
        uint64_t behind; /* the invoice's record */
        void (*alter_cb)(struct record *record);
    } table[] = {
        {0, alter_more_lines}, {0, alter_fewer_lines}, {0, alter_adjustments},
        {1, alter_entries},    {1, alter_order},       {1, alter_adjustment},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_open();
        struct invoice_page page = {.limit = 10};
        uint64_t customer = book_add_customer(book, NULL);
        book_add_usage(book, customer, "S", "1", "1", 10);
        book_add_adjustment(book, customer, "", "1", 10);
        uint64_t number = book_add_invoice(book, customer, 1000);
        memory_store_alter(book->memory, 4 + table[i].behind, table[i].alter_cb);
        struct store_view *view = book_view(book);
        assert_status(invoice_get(view, &book->arena, number, &page), STATUS_CORRUPT);
        book_release(view);
        book_close(book);
    }
}

/* --- lists ------------------------------------------------------------------------------------ */

/* LIST page by page: the numbers FIRST, FIRST + STEP and so on up to 20. */
static void check_list(struct book *book, const uint64_t *customers, struct invoice_list list,
                       uint64_t first, uint64_t step)
{
    uint64_t number = first;
    struct store_view *view = book_view(book);
    do {
        assert_ok(invoice_list(view, &book->arena, &list));
        assert_true(list.n <= list.limit && (list.n == list.limit || !list.more));
        for (unsigned i = 0; i < list.n; i++, number += step) {
            assert_u64(list.records[i].invoice.number, number);
            assert_u64(list.records[i].invoice.customer, customers[(number - 1) % 2]);
            list.after_number = number;
        }
    } while (list.more);
    assert_true(number > 20 && number <= 20 + step);
    book_release(view);
}

static void invoice_list__any_customer_and_page__is_by_number(void **state)
{
    struct book *book = book_open();
    uint64_t customers[2];
    (void)state;
    customers[0] = book_add_customer(book, "ext");
    customers[1] = book_add_customer(book, NULL);
    uint64_t none = book_add_customer(book, NULL);
    for (int i = 0; i < 20; i++) {
        book_add_invoice(book, customers[i % 2], 1000 + i);
    }
    for (unsigned limit = 1; limit <= 21; limit++) {
        struct invoice_list list = {.limit = limit};
        check_list(book, customers, list, 1, 1);
        list.of_customer = true;
        list.customer.seq = customers[1];
        check_list(book, customers, list, 2, 2);
        list.customer = (struct customer_ref){.external_id = SLICE("ext")};
        check_list(book, customers, list, 1, 2);
        list.customer = (struct customer_ref){.seq = none};
        check_list(book, customers, list, 21, 1);
    }
    book_close(book);
}

static void invoice_list__of_nobody_or_without_room__is_an_error(void **state)
{
    struct book *book = book_open();
    struct invoice_list list = {.of_customer = true, .limit = 5, .customer = {.seq = 77}};
    struct store_view *view = book_view(book);
    struct arena arena;
    (void)state;
    assert_status(invoice_list(view, &book->arena, &list), STATUS_CUSTOMER_NOT_FOUND);
    list.of_customer = false;
    arena_init(&arena, 100);
    assert_status(invoice_list(view, &arena, &list), STATUS_TOO_LARGE);
    arena_done(&arena);
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(invoice_finalize__a_period__is_kept_as_its_bill),
    cmocka_unit_test(invoice_finalize__random_records__equals_the_bill_of_its_period),
    cmocka_unit_test(invoice_finalize__nothing_in_it__is_an_empty_invoice),
    cmocka_unit_test(invoice_get__another_currency_since__is_rounded_as_it_was),
    cmocka_unit_test(invoice_finalize__numbers__have_no_gaps_over_customers_and_refusals),
    cmocka_unit_test(invoice_finalize__late_usage_and_voids_afterwards__change_the_next_bill_only),
    cmocka_unit_test(invoice_prepare__same_request__is_the_first_answer_again),
    cmocka_unit_test(invoice_prepare__same_request_other_payload__names_what_differs),
    cmocka_unit_test(invoice_prepare__what_is_refused__uses_up_nothing),
    cmocka_unit_test(invoice_get__pages_of_any_size__are_the_whole),
    cmocka_unit_test(invoice_get__thousands_of_entries__lie_in_many_records),
    cmocka_unit_test(invoice_get__what_is_not_there_or_damaged__is_an_error),
    cmocka_unit_test(invoice_get__records_that_do_not_fit_together__are_corrupt),
    cmocka_unit_test(invoice_list__any_customer_and_page__is_by_number),
    cmocka_unit_test(invoice_list__of_nobody_or_without_room__is_an_error),
};

TESTKIT_MAIN(tests)
