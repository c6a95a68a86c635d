/* Which period an invoice may bill: each outcome, at each edge. */
#include "billingd/ledger/invoice_period.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

/* What the rules say of an invoice of CUSTOMER from START to END; START may be NULL. */
static struct outcome ask(struct book *book, uint64_t customer, const char *start, const char *end,
                          struct period *ret)
{
    struct store_customer row;
    struct outcome outcome;
    struct store_view *view = book_view(book);
    struct invoice asked = {
        .start_given = start != NULL,
        .start_us = start == NULL ? 0 : book_time(start),
        .end_us = book_time(end),
    };
    assert_ok(store_customer(view, customer, &row));
    assert_ok(invoice_period(view, &book->env, &row, &asked, ret, &outcome));
    book_release(view);
    return outcome;
}

static void assert_allowed(struct book *book, uint64_t customer, const char *start, const char *end,
                           const char *expected_start)
{
    struct period period;
    struct outcome outcome = ask(book, customer, start, end, &period);
    assert_status(outcome.status, 0);
    assert_u64(outcome.existing_seq, 0);
    assert_i64(period.start_us, book_time(expected_start));
    assert_i64(period.end_us, book_time(end));
}

/* EXISTING: the number that is named; 0: none. */
static void assert_refused(struct book *book, uint64_t customer, const char *start, const char *end,
                           int status, uint64_t existing)
{
    struct period period;
    struct outcome outcome = ask(book, customer, start, end, &period);
    assert_status(outcome.status, status);
    assert_u64(outcome.existing_seq, existing);
    if (existing != 0) {
        assert_int_equal(outcome.existing_kind, RECORD_INVOICE);
    }
}

/* Finalise the invoice of CUSTOMER from START to END.  Returns its number. */
static uint64_t add_invoice(struct book *book, uint64_t customer, const char *start,
                            const char *end, const char *request_id)
{
    struct invoice_finalize *finalize = book_invoice(book, customer, book_time(end), request_id);
    finalize->asked.invoice.start_given = start != NULL;
    finalize->asked.invoice.start_us = start == NULL ? 0 : book_time(start);
    book_finalize_invoice(book, finalize);
    assert_ok(finalize->outcome.status);
    return finalize->page.record.invoice.number;
}

static uint64_t use_at(struct book *book, uint64_t customer, const char *time)
{
    return book_add_usage(book, customer, "S", "1", "1", book_time(time));
}

/* --- the end ---------------------------------------------------------------------------------- */

static void invoice_period__an_end_in_the_future__is_not_closed(void **state)
{
    struct book *book = book_open(); /* 2026-11-22T11:01:38Z */
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    assert_refused(book, customer, NULL, "2026-11-22T11:01:38.000001Z", STATUS_PERIOD_NOT_CLOSED,
                   0);
    assert_refused(book, customer, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
                   STATUS_PERIOD_NOT_CLOSED, 0);
    assert_refused(book, customer, NULL, "9999-12-31T23:59:59.999999Z", STATUS_PERIOD_NOT_CLOSED,
                   0);
    assert_allowed(book, customer, NULL, "2026-11-22T11:01:38Z", "2026-11-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-11-22T11:01:37.999999Z", "2026-11-01T00:00:00Z");
    book_close(book);
}

static void invoice_period__up_to_what_is_invoiced__is_already_finalized(void **state)
{
    struct book *book = book_open();
    uint64_t other = book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    add_invoice(book, other, NULL, "2026-11-10T00:00:00Z", "r");
    add_invoice(book, customer, "2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", "r2");
    add_invoice(book, customer, NULL, "2026-10-01T00:00:00Z", "r3");
    add_invoice(book, other, NULL, "2026-11-11T00:00:00Z", "r4");
    add_invoice(book, customer, NULL, "2026-11-01T00:00:00Z", "r5");

    /* To an end that is one, or lies within, or before all. */
    const struct {
        const char *end;
        uint64_t number;
    } table[] = {
        {"2026-11-01T00:00:00Z", 5},        {"2026-10-31T00:00:00Z", 5},
        {"2026-10-01T00:00:00.000001Z", 5}, {"2026-10-01T00:00:00Z", 3},
        {"2026-09-01T00:00:00.000001Z", 3}, {"2026-09-01T00:00:00Z", 2},
        {"2026-08-31T23:59:59.999999Z", 2}, {"2025-01-01T00:00:00Z", 2},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_refused(book, customer, NULL, table[i].end, STATUS_ALREADY_FINALIZED,
                       table[i].number);
    }
    /* The very same period. */
    assert_refused(book, customer, "2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z",
                   STATUS_ALREADY_FINALIZED, 2);
    assert_refused(book, customer, "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z",
                   STATUS_ALREADY_FINALIZED, 3);
    assert_refused(book, customer, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z",
                   STATUS_ALREADY_FINALIZED, 5);
    assert_refused(book, other, "2026-11-10T00:00:00Z", "2026-11-11T00:00:00Z",
                   STATUS_ALREADY_FINALIZED, 4);
    book_close(book);
}

/* --- the start -------------------------------------------------------------------------------- */

static void invoice_period__a_part_of_what_is_invoiced__is_not_contiguous(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    add_invoice(book, customer, "2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", "r1");
    add_invoice(book, customer, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "r2");
    const struct {
        const char *start;
        const char *end;
        uint64_t number; /* the first that ends behind one of them */
    } table[] = {
        {"2026-10-01T00:00:00.000001Z", "2026-11-01T00:00:00Z", 2},
        {"2026-09-30T00:00:00Z", "2026-11-01T00:00:00Z", 2},
        {"2026-10-01T00:00:00Z", "2026-10-31T00:00:00Z", 2},
        {"2026-10-31T23:59:59.999999Z", "2026-11-02T00:00:00Z", 2},
        {"2026-08-31T23:59:59.999999Z", "2026-11-02T00:00:00Z", 1},
        {"2026-09-01T00:00:00Z", "2026-11-02T00:00:00Z", 2},
        {"2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z", 1}, /* before all of them */
        {"2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z", 2}, /* in the gap */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_refused(book, customer, table[i].start, table[i].end, STATUS_NOT_CONTIGUOUS,
                       table[i].number);
    }
    assert_allowed(book, customer, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
                   "2026-11-01T00:00:00Z");
    book_close(book);
}

static void invoice_period__a_record_before_the_start__is_not_contiguous(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t other = book_add_customer(book, NULL);
    (void)state;
    use_at(book, other, "2026-09-01T00:00:00Z");
    assert_allowed(book, customer, "2026-10-02T00:00:00Z", "2026-11-01T00:00:00Z",
                   "2026-10-02T00:00:00Z"); /* nothing is left out */
    book_add_adjustment(book, customer, "", "-1", book_time("2026-10-01T12:00:00Z"));
    assert_refused(book, customer, "2026-10-01T12:00:00.000001Z", "2026-11-01T00:00:00Z",
                   STATUS_NOT_CONTIGUOUS, 0);
    assert_allowed(book, customer, "2026-10-01T12:00:00Z", "2026-11-01T00:00:00Z",
                   "2026-10-01T12:00:00Z");
    /* Behind an invoice too, also where only a void is left out. */
    uint64_t usage = use_at(book, customer, "2026-10-31T00:00:00Z");
    add_invoice(book, customer, NULL, "2026-11-01T00:00:00Z", "r1");
    assert_allowed(book, customer, "2026-11-01T00:00:00.000001Z", "2026-11-02T00:00:00Z",
                   "2026-11-01T00:00:00.000001Z");
    book_add_void(book, customer, usage);
    assert_refused(book, customer, "2026-11-01T00:00:00.000001Z", "2026-11-02T00:00:00Z",
                   STATUS_NOT_CONTIGUOUS, 0);
    assert_allowed(book, customer, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
                   "2026-11-01T00:00:00Z");
    book_close(book);
}

static void invoice_period__no_start__is_the_last_end_or_the_month_of_the_first_record(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    /* Nothing yet: the month in which the period ends. */
    assert_allowed(book, customer, NULL, "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-11-01T00:00:00.000001Z", "2026-11-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00Z");
    /* Records behind the end are none of its business. */
    use_at(book, customer, "2026-11-05T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-11-05T00:00:00Z", "2026-11-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-10-01T00:00:00Z", "2026-09-01T00:00:00Z");
    /* The month of the first one, in whatever order they came. */
    use_at(book, customer, "2024-02-29T23:59:59.999999Z");
    assert_allowed(book, customer, NULL, "2026-11-05T00:00:00Z", "2024-02-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2024-02-29T23:59:59.999999Z", "2024-02-01T00:00:00Z");
    use_at(book, customer, "1970-01-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-11-05T00:00:00Z", "1970-01-01T00:00:00Z");
    /* Then the end of the last invoice, whatever came late. */
    add_invoice(book, customer, NULL, "2026-11-03T12:34:56.789012Z", "r1");
    use_at(book, customer, "1970-01-01T00:00:00Z");
    assert_allowed(book, customer, NULL, "2026-11-22T00:00:00Z", "2026-11-03T12:34:56.789012Z");
    book_close(book);
}

/* The rules read; what they cannot read is no answer. */
static void invoice_period__damaged_records__are_an_error(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct store_customer row;
    struct outcome outcome;
    struct period period;
    (void)state;
    uint64_t usage = use_at(book, customer, "2026-10-05T00:00:00Z");
    struct store_view *view = book_view(book);
    assert_ok(store_customer(view, customer, &row));
    memory_store_damage(book->memory, usage);
    struct invoice asked = {.end_us = book_time("2026-11-01T00:00:00Z")};
    assert_status(invoice_period(view, &book->env, &row, &asked, &period, &outcome),
                  STATUS_CORRUPT);
    asked.start_given = true;
    asked.start_us = asked.end_us - 1;
    assert_status(invoice_period(view, &book->env, &row, &asked, &period, &outcome),
                  STATUS_CORRUPT);
    book_release(view);

    add_invoice(book, customer, "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", "r1");
    memory_store_damage(book->memory, book_records(book));
    view = book_view(book);
    assert_ok(store_customer(view, customer, &row));
    assert_i64(row.billed_until_us, book_time("2026-10-02T00:00:00Z"));
    asked = (struct invoice){.end_us = row.billed_until_us};
    assert_status(invoice_period(view, &book->env, &row, &asked, &period, &outcome),
                  STATUS_CORRUPT);
    asked.start_given = true;
    asked.start_us = asked.end_us - 1;
    asked.end_us++;
    assert_status(invoice_period(view, &book->env, &row, &asked, &period, &outcome),
                  STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(invoice_period__an_end_in_the_future__is_not_closed),
    cmocka_unit_test(invoice_period__up_to_what_is_invoiced__is_already_finalized),
    cmocka_unit_test(invoice_period__a_part_of_what_is_invoiced__is_not_contiguous),
    cmocka_unit_test(invoice_period__a_record_before_the_start__is_not_contiguous),
    cmocka_unit_test(invoice_period__no_start__is_the_last_end_or_the_month_of_the_first_record),
    cmocka_unit_test(invoice_period__damaged_records__are_an_error),
};

TESTKIT_MAIN(tests)
