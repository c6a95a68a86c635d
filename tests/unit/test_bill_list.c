/* Every customer's totals: each kind of list, its pages, and how much work a page is. */
#include "billingd/ledger/bill.h"
#include "billingd/ledger/bill_list.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static void list_bills(struct book *book, struct bill_list *list)
{
    struct store_view *view = book_view(book);
    assert_ok(bill_list(view, &book->arena, &book->env, list));
    book_release(view);
}

static void assert_amount(struct amount amount, const char *expected)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(amount, text);
    assert_string_equal(text, expected);
}

static void assert_row(const struct bill_list_row *row, uint64_t customer, int64_t start_us,
                       int64_t end_us, const char *total)
{
    assert_u64(row->customer.seq, customer);
    assert_i64(row->period.start_us, start_us);
    assert_i64(row->period.end_us, end_us);
    assert_amount(row->totals.total, total);
}

/* --- a period --------------------------------------------------------------------------------- */

static void bill_list__a_period__has_every_customer_and_the_figures_of_its_bill(void **state)
{
    struct book *book = book_open();
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {100, 200}, .limit = 10};
    (void)state;
    uint64_t one = book_add_customer(book, "ext");
    uint64_t none = book_add_customer(book, NULL);
    uint64_t two = book_add_customer(book, NULL);
    book_add_usage(book, one, "S", "1", "0.005", 99);
    book_add_usage(book, one, "S", "3", "0.005", 100);
    uint64_t usage = book_add_usage(book, one, "T", "3", "0.005", 199);
    book_add_usage(book, one, "T", "3", "0.005", 200);
    book_add_void(book, one, usage);
    memory_store_set_billed_until(book->memory, two, 150);
    book_add_usage(book, two, "S", "1", "1", 100); /* late */
    book_add_adjustment(book, two, "", "-1.005", 199);
    book_add_adjustment(book, two, "", "-1.005", 200);
    list_bills(book, &list);
    assert_u64(list.n, 3);
    assert_false(list.more);
    assert_int_equal(list.minor_digits, 2);
    assert_row(&list.rows[0], one, 100, 200, "0.02");
    assert_text(list.rows[0].customer.name.data, list.rows[0].customer.name.length,
                "A test customer name");
    assert_text(list.rows[0].customer.external_id.data, list.rows[0].customer.external_id.length,
                "ext");
    assert_amount(list.rows[0].totals.exact, "0.015");
    assert_u64(list.rows[0].totals.lines, 2);
    assert_u64(list.rows[0].totals.records, 2);
    assert_u64(list.rows[0].totals.voided, 1);
    assert_u64(list.rows[0].totals.late, 0);
    assert_u64(list.rows[0].totals.adjustments, 0);
    assert_row(&list.rows[1], none, 100, 200, "0");
    assert_row(&list.rows[2], two, 100, 200, "0");
    assert_amount(list.rows[2].totals.exact, "-0.005");
    assert_u64(list.rows[2].totals.late, 1);
    assert_u64(list.rows[2].totals.adjustments, 1);
    book_close(book);
}

static void bill_list__random__each_row_is_the_bill_of_its_customer(void **state)
{
    struct rng rng = rng_make("bill lists");
    struct book *book = book_open();
    uint64_t customers[20];
    (void)state;
    for (int i = 0; i < 20; i++) {
        customers[i] = book_add_customer(book, NULL);
    }
    for (int i = 0; i < 300; i++) {
        uint64_t customer = customers[rng_below(&rng, 20)];
        int64_t time_us = rng_between(&rng, 0, 1000);
        if (rng_below(&rng, 4) == 0) {
            book_add_adjustment(book, customer, "", testkit_format("%d.125", i - 150), time_us);
        } else {
            uint64_t usage =
                book_add_usage(book, customer, "S", testkit_format("%d", i), "0.0625", time_us);
            if (rng_below(&rng, 4) == 0) {
                book_add_void(book, customer, usage);
            }
        }
    }
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {300, 800}, .limit = 100};
    list_bills(book, &list);
    assert_u64(list.n, 20);
    for (unsigned i = 0; i < 20; i++) {
        struct bill_get get = {
            .customer = {.seq = customers[i]}, .period = {300, 800}, .limit = 100};
        struct store_view *view = book_view(book);
        assert_ok(bill_get(view, &book->arena, &book->env, &get));
        book_release(view);
        assert_u64(list.rows[i].customer.seq, customers[i]);
        assert_int_equal(amount_compare(list.rows[i].totals.exact, get.totals.exact), 0);
        assert_int_equal(amount_compare(list.rows[i].totals.total, get.totals.total), 0);
        assert_u64(list.rows[i].totals.lines, get.totals.lines);
        assert_u64(list.rows[i].totals.records, get.totals.records);
        assert_u64(list.rows[i].totals.voided, get.totals.voided);
        assert_u64(list.rows[i].totals.adjustments, get.totals.adjustments);
    }
    book_close(book);
}

/* --- what is due ------------------------------------------------------------------------------ */

static void bill_list__due__is_what_an_invoice_would_bill(void **state)
{
    struct book *book = book_open();
    (void)state;
    int64_t end_us = book_time("2026-11-01T00:00:00Z");
    int64_t september_us = book_time("2026-09-01T00:00:00Z");
    uint64_t never = book_add_customer(book, NULL);
    uint64_t idle = book_add_customer(book, NULL);
    uint64_t billed = book_add_customer(book, NULL);
    uint64_t part = book_add_customer(book, NULL);
    uint64_t credited = book_add_customer(book, NULL);
    uint64_t cancelled = book_add_customer(book, NULL);
    book_add_usage(book, never, "S", "1", "1", september_us + 1);
    book_add_usage(book, never, "S", "10", "1", end_us - 1);
    book_add_usage(book, never, "S", "100", "1", end_us);
    book_add_usage(book, idle, "S", "1", "1", end_us);
    book_add_usage(book, billed, "S", "1", "1", end_us - 1);
    book_add_invoice(book, billed, end_us);
    book_add_usage(book, billed, "S", "1", "1", end_us - 1); /* late: bills at the end */
    book_add_usage(book, part, "S", "1", "1", september_us);
    book_add_invoice(book, part, september_us + 7);
    book_add_usage(book, part, "S", "2", "1", september_us); /* late */
    book_add_adjustment(book, credited, "", "-3", september_us);
    uint64_t usage = book_add_usage(book, cancelled, "S", "4", "1", september_us);
    book_add_void(book, cancelled, usage);

    struct bill_list list = {.of = BILL_LIST_DUE, .period = {0, end_us}, .limit = 10};
    list_bills(book, &list);
    assert_u64(list.n, 4);
    assert_row(&list.rows[0], never, september_us, end_us, "11");
    assert_row(&list.rows[1], part, september_us + 7, end_us, "2");
    assert_row(&list.rows[2], credited, september_us, end_us, "-3");
    assert_row(&list.rows[3], cancelled, september_us, end_us, "0"); /* but not nothing */

    /* Finalised, each is just that, and nothing is due any more. */
    for (unsigned i = 0; i < list.n; i++) {
        struct invoice_finalize *f =
            book_invoice(book, list.rows[i].customer.seq, end_us, "month end");
        book_finalize_invoice(book, f);
        assert_ok(f->outcome.status);
        assert_i64(f->page.record.invoice.start_us, list.rows[i].period.start_us);
        assert_int_equal(amount_compare(f->page.record.invoice.exact, list.rows[i].totals.exact),
                         0);
        assert_int_equal(amount_compare(f->page.record.invoice.total, list.rows[i].totals.total),
                         0);
    }
    list_bills(book, &list);
    assert_u64(list.n, 0);
    assert_false(list.more);
    book_close(book);
}

/* --- the open period -------------------------------------------------------------------------- */

static void bill_list__current__is_each_customers_own_period(void **state)
{
    struct book *book = book_open(); /* 22 November 2026 */
    (void)state;
    int64_t november_us = book_time("2026-11-01T00:00:00Z");
    int64_t december_us = book_time("2026-12-01T00:00:00Z");
    uint64_t one = book_add_customer(book, NULL);
    uint64_t two = book_add_customer(book, NULL);
    book_add_usage(book, one, "S", "1", "1", november_us - 1);
    book_add_usage(book, one, "S", "2", "1", november_us);
    book_add_usage(book, two, "S", "4", "1", november_us);
    book_add_invoice(book, two, november_us + 5);
    book_add_adjustment(book, two, "", "-1", november_us);
    struct bill_list list = {.of = BILL_LIST_CURRENT, .limit = 10};
    list_bills(book, &list);
    assert_u64(list.n, 2);
    assert_row(&list.rows[0], one, november_us, december_us, "2");
    assert_row(&list.rows[1], two, november_us + 5, december_us, "-1");
    book_close(book);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Of 15 customers every third has nothing, 2 rows the others. */
static struct book *book_of_fifteen(uint64_t *customers)
{
    struct book *book = book_open();
    for (int i = 0; i < 15; i++) {
        customers[i] = book_add_customer(book, NULL);
        if (i % 3 != 0) {
            book_add_usage(book, customers[i], "S", testkit_format("%d", i), "1", 500);
            book_add_adjustment(book, customers[i], "", "1", 500);
        }
    }
    return book;
}

/* LIST page by page, against what book_of_fifteen() has of CUSTOMERS. */
static void check_pages(struct book *book, const uint64_t *customers, struct bill_list list)
{
    bool due = list.of == BILL_LIST_DUE;
    unsigned at = 0;
    do {
        list_bills(book, &list);
        assert_true(list.n <= list.limit);
        assert_true(list.last_seq > list.after_seq); /* it gets on */
        for (unsigned i = 0; i < list.n; i++, at++) {
            at += due && at % 3 == 0;
            assert_u64(list.rows[i].customer.seq, customers[at]);
            assert_amount(list.rows[i].totals.total,
                          testkit_format("%u", at % 3 == 0 ? 0 : at + 1));
        }
        list.after_seq = list.last_seq;
    } while (list.more);
    assert_u64(at, 15);
}

static void bill_list__pages_of_any_size_and_work__are_the_whole(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    (void)state;
    for (unsigned limit = 1; limit <= 16; limit++) {
        for (uint64_t work_max = 1; work_max <= 50; work_max += 3) {
            struct bill_list list = {.period = {0, 1000}, .limit = limit, .work_max = work_max};
            list.of = BILL_LIST_PERIOD;
            check_pages(book, customers, list);
            list.of = BILL_LIST_DUE;
            check_pages(book, customers, list);
        }
    }
    book_close(book);
}

static void bill_list__much_work__ends_the_page_behind_the_customer(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {0, 1000}, .limit = 100};
    (void)state;
    list_bills(book, &list);
    assert_u64(list.work_max, BILL_LIST_WORK_MAX);
    assert_u64(list.n, 15);
    list.work_max = 4; /* the first, without any row, and the second with 2 */
    list_bills(book, &list);
    assert_u64(list.n, 2);
    assert_true(list.more);
    assert_u64(list.last_seq, customers[1]);
    list.work_max = 5;
    list_bills(book, &list);
    assert_u64(list.n, 3);
    /* Also where there is nothing to show for it. */
    list = (struct bill_list){.of = BILL_LIST_DUE, .period = {0, 100}, .limit = 9, .work_max = 3};
    list_bills(book, &list);
    assert_u64(list.n, 0);
    assert_true(list.more);
    assert_u64(list.last_seq, customers[2]);
    book_close(book);
}

static void bill_list__nobody__is_an_empty_list(void **state)
{
    struct book *book = book_open();
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {0, 1000}, .limit = 5};
    (void)state;
    list_bills(book, &list);
    assert_u64(list.n, 0);
    assert_false(list.more);
    book_close(book);
}

static void bill_list__what_fails__is_an_error_and_no_shorter_list(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {0, 1000}, .limit = 100};
    struct arena arena;
    (void)state;
    struct store_view *view = book_view(book);
    for (size_t budget = 0; budget < 16000; budget += 1997) {
        arena_init(&arena, budget);
        assert_status(bill_list(view, &arena, &book->env, &list), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    book_release(view);
    book_close(book);
}

/* --- bills that cannot be added up ------------------------------------------------------------ */

/* LIST has all of CUSTOMERS that it would have if the one at BAD could be added up, and says of
 * that one why it cannot: STATUS. */
static void check_troubled(struct book *book, const uint64_t *customers, struct bill_list list,
                           int bad, int status)
{
    bool due = list.of == BILL_LIST_DUE;
    unsigned at = 0;
    list_bills(book, &list);
    assert_false(list.more);
    for (unsigned i = 0; i < list.n; i++, at++) {
        at += due && at % 3 == 0;
        assert_u64(list.rows[i].customer.seq, customers[at]);
        assert_text(list.rows[i].customer.name.data, list.rows[i].customer.name.length,
                    "A test customer name");
        assert_int_equal(list.rows[i].status, (int)at == bad ? status : 0);
        if ((int)at != bad) {
            assert_amount(list.rows[i].totals.total,
                          testkit_format("%u", at % 3 == 0 ? 0 : at + 1));
        }
    }
    assert_u64(at, 15);
}

static void bill_list__a_damaged_bill__is_said_and_holds_up_no_other(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    struct bill_list list = {.of = BILL_LIST_PERIOD, .period = {0, 1000}, .limit = 100};
    (void)state;
    memory_store_damage(book->memory, customers[7] + 1);
    check_troubled(book, customers, list, 7, STATUS_CORRUPT);
    list.of = BILL_LIST_DUE;
    check_troubled(book, customers, list, 7, STATUS_CORRUPT);
    list_bills(book, &list);
    assert_i64(list.rows[4].period.start_us, -1); /* where its first record stands */
    assert_i64(list.rows[4].period.end_us, 1000);
    assert_i64(list.rows[5].period.start_us, 0);
    list.of = BILL_LIST_CURRENT;
    memory_store_damage(book->memory, customers[14] + 1);
    list_bills(book, &list);
    assert_u64(list.n, 15);
    assert_int_equal(list.rows[14].status, 0); /* it is not in that period */
    book_close(book);
}

/* Also the one that nothing would be billed to: nobody knows. */
static void bill_list__a_damaged_adjustment__is_said_and_holds_up_no_other(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    struct bill_list list = {.of = BILL_LIST_DUE, .period = {0, 1000}, .limit = 100};
    (void)state;
    memory_store_damage(book->memory, customers[14] + 2);
    check_troubled(book, customers, list, 14, STATUS_CORRUPT);
    book_close(book);
}

static void bill_list__a_bill_of_too_many_lines__is_said_and_holds_up_no_other(void **state)
{
    uint64_t customers[15];
    struct book *book = book_of_fifteen(customers);
    struct bill_list list = {.of = BILL_LIST_DUE, .period = {0, 1000}, .limit = 100};
    (void)state;
    for (int i = 0; i < 2000; i++) {
        book_add_usage(book, customers[4], testkit_format("T%d", i), "0", "1", 500);
    }
    list_bills(book, &list);
    assert_u64(list.memory_max, BILL_LIST_MEMORY_MAX);
    check_troubled(book, customers, list, -1, 0);
    list.memory_max = (size_t)64 * 1024;
    check_troubled(book, customers, list, 4, STATUS_TOO_LARGE);
    list.of = BILL_LIST_PERIOD;
    check_troubled(book, customers, list, 4, STATUS_TOO_LARGE);
    list.limit = 1; /* a page of just that one gets on, too */
    list.after_seq = customers[3];
    list_bills(book, &list);
    assert_u64(list.n, 1);
    assert_u64(list.last_seq, customers[4]);
    assert_true(list.more);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bill_list__a_period__has_every_customer_and_the_figures_of_its_bill),
    cmocka_unit_test(bill_list__random__each_row_is_the_bill_of_its_customer),
    cmocka_unit_test(bill_list__due__is_what_an_invoice_would_bill),
    cmocka_unit_test(bill_list__current__is_each_customers_own_period),
    cmocka_unit_test(bill_list__pages_of_any_size_and_work__are_the_whole),
    cmocka_unit_test(bill_list__much_work__ends_the_page_behind_the_customer),
    cmocka_unit_test(bill_list__nobody__is_an_empty_list),
    cmocka_unit_test(bill_list__what_fails__is_an_error_and_no_shorter_list),
    cmocka_unit_test(bill_list__a_damaged_bill__is_said_and_holds_up_no_other),
    cmocka_unit_test(bill_list__a_damaged_adjustment__is_said_and_holds_up_no_other),
    cmocka_unit_test(bill_list__a_bill_of_too_many_lines__is_said_and_holds_up_no_other),
};

TESTKIT_MAIN(tests)
