/* Bills: each rule by hand. */
#include "billingd/ledger/bill.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static void get_bill(struct book *book, struct bill_get *get)
{
    struct store_view *view = book_view(book);
    assert_ok(bill_get(view, &book->arena, &book->env, get));
    book_release(view);
}

static void assert_amount_text(struct amount got, const char *expected)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(got, text);
    assert_string_equal(text, expected);
}

static void bill_get__halves__go_to_the_even_neighbour_once_a_line(void **state)
{
    static const struct {
        const char *units;
        const char *usd;
        const char *jpy;
        const char *bhd;
    } table[] = {
        /* at 0.0005 each */
        {"10", "0", "0", "0.005"},    /* 0.005 */
        {"30", "0.02", "0", "0.015"}, /* 0.015 */
        {"30.000001", "0.02", "0", "0.015"},
        {"29.999999", "0.01", "0", "0.015"},
        {"1000", "0.5", "0", "0.5"},
        {"3000", "1.5", "2", "1.5"},
        {"1", "0", "0", "0"},     /* 0.0005 */
        {"3", "0", "0", "0.002"}, /* 0.0015 */
        {"3.00000000000000001", "0", "0", "0.002"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_open();
        uint64_t customer = book_add_customer(book, NULL);
        book_add_usage(book, customer, "S", table[i].units, "0.0005", 5);
        const char *const expected[] = {table[i].jpy, NULL, table[i].usd, table[i].bhd};
        for (int digits = 0; digits <= 3; digits++) {
            if (expected[digits] != NULL) {
                struct bill_get get = {
                    .customer = {.seq = customer}, .period = {0, 10}, .limit = 1};
                book->env.minor_digits = digits;
                get_bill(book, &get);
                assert_amount_text(get.totals.total, expected[digits]);
            }
        }
        book_close(book);
    }
}

/* Each adjustment is rounded by itself, unlike the records of a line. */
static void bill_get__adjustments__are_rounded_each_half_even(void **state)
{
    static const struct {
        const char *amount;
        const char *usd;
        const char *jpy;
    } table[] = {
        {"0.005", "0", "0"},
        {"0.015", "0.02", "0"},
        {"-0.005", "0", "0"},
        {"-0.015", "-0.02", "0"},
        {"0.0050001", "0.01", "0"},
        {"-0.0050001", "-0.01", "0"},
        {"0", "0", "0"},
        {"0.5", "0.5", "0"},
        {"-1.5", "-1.5", "-2"},
        {"999999999999999", "999999999999999", "999999999999999"},
        {"-0.000000000000000001", "0", "0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_open();
        uint64_t customer = book_add_customer(book, NULL);
        struct bill_get get = {.customer = {.seq = customer}, .period = {0, 10}, .limit = 10};
        book_add_adjustment(book, customer, i % 2 == 0 ? "" : "S", table[i].amount, 5);
        get_bill(book, &get);
        assert_u64(get.n_lines, 0);
        assert_u64(get.n_adjustments, 1);
        assert_amount_text(get.totals.exact, table[i].amount);
        assert_amount_text(get.totals.total, table[i].usd);
        book_add_adjustment(book, customer, "", table[i].amount, 5);
        book->env.minor_digits = 0;
        get_bill(book, &get);
        struct amount once = amount_round(amount_from_decimal(book_decimal(table[i].amount)), 0);
        assert_amount_text(once, table[i].jpy);
        assert_ok(amount_add(&once, once));
        assert_int_equal(amount_compare(get.totals.total, once),
                         0); /* twice, not the sum of both */
        book_close(book);
    }
}

/* Before an invoice it cancels; after one it is a credit line on the next bill. */
static void bill_get__a_void__takes_its_usage_away_where_it_bills(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct bill_get get = {.customer = {.seq = customer}, .period = {0, 10}, .limit = 10};
    (void)state;
    uint64_t usage = book_add_usage(book, customer, "S", "3", "0.5", 5);
    book_add_void(book, customer, usage);
    get_bill(book, &get);
    assert_u64(get.n_lines, 1); /* there were records, so there is a line */
    assert_amount_text(get.lines[0]->units, "0");
    assert_amount_text(get.lines[0]->exact, "0");
    assert_u64(get.lines[0]->records, 1);
    assert_u64(get.lines[0]->voided, 1);
    usage = book_add_usage(book, customer, "S", "4", "0.5", 6);
    memory_store_set_billed_until(book->memory, customer, 10);
    book_add_void(book, customer, usage);
    get_bill(book, &get);
    assert_amount_text(get.totals.total, "2");
    get.period = (struct period){10, 20};
    get_bill(book, &get);
    assert_amount_text(get.lines[0]->units, "-4");
    assert_amount_text(get.totals.total, "-2");
    assert_u64(get.totals.records, 0);
    assert_u64(get.totals.voided, 1);
    assert_u64(get.totals.late, 0);
    book_close(book);
}

/* Ten thousand records of a third of a cent are rounded once, not ten thousand times. */
static void bill_get__many_small_records__are_summed_before_rounding(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (int i = 0; i < 300; i++) {
        book_add_usage(book, customer, "S", "1", "0.0033", i);
        book_add_usage(book, customer, "T", "1", "0.004", i);
    }
    struct bill_get get = {.customer = {.seq = customer}, .period = {0, 300}, .limit = 10};
    get_bill(book, &get);
    assert_u64(get.n_lines, 2);
    assert_amount_text(get.totals.exact, "2.19");
    assert_amount_text(get.totals.total, "2.19");
    assert_amount_text(bill_rounding(get.totals.exact, get.totals.total), "0");
    get.period.end_us = 299;
    get_bill(book, &get);
    assert_amount_text(get.totals.exact, "2.1827"); /* 0.9867 and 1.196 */
    assert_amount_text(get.totals.total, "2.19");
    assert_amount_text(bill_rounding(get.totals.exact, get.totals.total), "0.0073");
    book_close(book);
}

static void bill_get__a_window__is_half_open_at_the_microsecond(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "S", "1", "1", 999);
    book_add_usage(book, customer, "S", "10", "1", 1000);
    book_add_usage(book, customer, "S", "100", "1", 1999);
    book_add_usage(book, customer, "S", "1000", "1", 2000);
    struct bill_get get = {.customer = {.seq = customer}, .period = {1000, 2000}, .limit = 10};
    get_bill(book, &get);
    assert_amount_text(get.totals.total, "110");
    book_close(book);
}

static void bill_get__nothing_used__is_an_empty_bill_of_zero(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "ext");
    (void)state;
    struct bill_get get = {
        .customer = {.external_id = SLICE("ext")}, .period = {0, 10}, .limit = 10};
    get_bill(book, &get);
    assert_u64(get.customer_seq, customer);
    assert_u64(get.n_lines, 0);
    assert_false(get.more);
    assert_amount_text(get.totals.total, "0");
    assert_amount_text(bill_rounding(get.totals.exact, get.totals.total), "0");
    book_close(book);
}

static void bill_get__a_cursor_at_a_line_that_is_gone__goes_on_behind_it(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "a", "1", "2", 5);
    book_add_usage(book, customer, "c", "1", "2", 5);
    struct bill_get get = {
        .customer = {.seq = customer},
        .period = {0, 10},
        .limit = 10,
        .after = {.part = BILL_LINES, .service = SLICE("b"), .price = book_decimal("1")}};
    get_bill(book, &get);
    assert_u64(get.n_lines, 1);
    assert_text(get.lines[0]->service.data, get.lines[0]->service.length, "c");
    assert_amount_text(get.totals.total, "4");
    get.after.service = SLICE("z");
    get_bill(book, &get);
    assert_u64(get.n_lines, 0);
    assert_false(get.more);
    book_close(book);
}

static void bill_get__a_cursor_at_an_adjustment_that_is_gone__goes_on_behind_it(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "a", "1", "2", 5);
    uint64_t first = book_add_adjustment(book, customer, "", "1", 5);
    uint64_t second = book_add_adjustment(book, customer, "", "1", 5);
    uint64_t third = book_add_adjustment(book, customer, "", "1", 7);
    const struct {
        struct store_position after;
        uint64_t first; /* of the page; 0: there is none */
    } table[] = {
        {{0, 1}, first},  {{4, 99}, first}, {{5, 0}, first}, {{5, first}, second},
        {{5, 99}, third}, {{6, 1}, third},  {{7, third}, 0}, {{8, 0}, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bill_get get = {.customer = {.seq = customer},
                               .period = {0, 10},
                               .limit = 10,
                               .after = {.part = BILL_ADJUSTMENTS, .adjustment = table[i].after}};
        get_bill(book, &get);
        assert_u64(get.n_lines, 0);
        assert_int_equal(get.n_adjustments > 0, table[i].first > 0);
        if (table[i].first > 0) {
            assert_u64(get.adjustments[0].seq, table[i].first);
        }
        assert_amount_text(get.totals.total, "5");
    }
    book_close(book);
}

/* The largest amounts, and their sum, to the last digit. */
static void bill_get__largest_amounts__are_summed_exactly(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (int i = 0; i < 3; i++) {
        book_add_usage(book, customer, "S", "999999999999999.999", "1", i);
    }
    book_add_usage(book, customer, "S", "0.000000000000000001", "0.000000000000000001", 4);
    struct bill_get get = {.customer = {.seq = customer}, .period = {0, 10}, .limit = 10};
    get_bill(book, &get);
    assert_amount_text(get.totals.exact, "2999999999999999.997000000000000000000000000000000001");
    assert_amount_text(get.totals.total, "3000000000000000");
    book_close(book);
}

static void bill_get__what_fails__is_an_error_and_no_smaller_bill(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct arena arena;
    (void)state;
    for (int i = 0; i < 200; i++) {
        book_add_usage(book, customer, testkit_format("service %d", i), "1", "1", i);
    }
    uint64_t adjustment = book_add_adjustment(book, customer, "", "1", 900);
    struct bill_get get = {.customer = {.seq = 1000}, .period = {0, 10}, .limit = 10};
    struct store_view *view = book_view(book);
    assert_status(bill_get(view, &book->arena, &book->env, &get), STATUS_CUSTOMER_NOT_FOUND);
    get = (struct bill_get){.customer = {.seq = customer}, .period = {0, 1000}, .limit = 10};
    for (size_t budget = 0; budget < 30000; budget += 997) { /* fails at every place in turn */
        arena_init(&arena, budget);
        assert_status(bill_get(view, &arena, &book->env, &get), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    memory_store_damage(book->memory, 50);
    assert_status(bill_get(view, &book->arena, &book->env, &get), STATUS_CORRUPT);
    get.period.start_us = 500; /* none of these */
    assert_ok(bill_get(view, &book->arena, &book->env, &get));
    memory_store_damage(book->memory, adjustment);
    assert_status(bill_get(view, &book->arena, &book->env, &get), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

/* --- the current bill ------------------------------------------------------------------------- */

static void bill_get__current__is_this_month_or_from_the_last_invoice(void **state)
{
    struct book *book = book_open(); /* 22 November 2026 */
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "S", "1", "1", book_time("2026-10-31T23:59:59.999999Z"));
    book_add_usage(book, customer, "S", "10", "1", book_time("2026-11-01T00:00:00Z"));
    book_add_usage(book, customer, "S", "100", "1", book_time("2026-11-22T12:00:00Z"));
    struct bill_get get = {.customer = {.seq = customer}, .current = true, .limit = 10};
    get_bill(book, &get);
    assert_i64(get.period.start_us, book_time("2026-11-01T00:00:00Z"));
    assert_i64(get.period.end_us, book_time("2026-12-01T00:00:00Z"));
    assert_amount_text(get.totals.total, "110");

    memory_store_set_billed_until(book->memory, customer, book_time("2026-11-22T00:00:00Z"));
    book_add_usage(book, customer, "S", "1000", "1", book_time("2026-01-01T00:00:00Z"));
    get_bill(book, &get);
    assert_i64(get.period.start_us, book_time("2026-11-22T00:00:00Z"));
    assert_amount_text(get.totals.total, "1100"); /* what came late is on it */
    assert_u64(get.lines[0]->late, 1);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bill_get__halves__go_to_the_even_neighbour_once_a_line),
    cmocka_unit_test(bill_get__adjustments__are_rounded_each_half_even),
    cmocka_unit_test(bill_get__a_void__takes_its_usage_away_where_it_bills),
    cmocka_unit_test(bill_get__many_small_records__are_summed_before_rounding),
    cmocka_unit_test(bill_get__a_window__is_half_open_at_the_microsecond),
    cmocka_unit_test(bill_get__nothing_used__is_an_empty_bill_of_zero),
    cmocka_unit_test(bill_get__a_cursor_at_a_line_that_is_gone__goes_on_behind_it),
    cmocka_unit_test(bill_get__a_cursor_at_an_adjustment_that_is_gone__goes_on_behind_it),
    cmocka_unit_test(bill_get__largest_amounts__are_summed_exactly),
    cmocka_unit_test(bill_get__what_fails__is_an_error_and_no_smaller_bill),
    cmocka_unit_test(bill_get__current__is_this_month_or_from_the_last_invoice),
};

TESTKIT_MAIN(tests)
