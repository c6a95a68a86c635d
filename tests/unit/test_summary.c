/* Summaries, case by case. */
#include "billingd/ledger/summary.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static void get(struct book *book, struct summary *summary)
{
    struct store_view *view = book_view(book);
    assert_ok(summary_get(view, &book->arena, summary));
    book_release(view);
}

static struct summary by_day(uint64_t customer)
{
    return (struct summary){
        .customer = {.seq = customer},
        .period = {0, TIMESTAMP_MAX + 1},
        .window = WINDOW_DAY,
        .limit = 100,
    };
}

/* ROW begins at START and adds up to "units, exact amount, records, voided, late". */
static void assert_sum(const struct summary_row *row, const char *start, const char *expected)
{
    char units[AMOUNT_TEXT_MAX];
    char exact[AMOUNT_TEXT_MAX];
    amount_print(row->sum->units, units);
    amount_print(row->sum->exact, exact);
    assert_i64(row->period.start_us, book_time(start));
    assert_string_equal(testkit_format("%s, %s, %llu, %llu, %llu", units, exact,
                                       (unsigned long long)row->sum->records,
                                       (unsigned long long)row->sum->voided,
                                       (unsigned long long)row->sum->late),
                        expected);
}

static void
summary_get__a_void_after_an_invoice__takes_away_by_each_clock_where_it_stands(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary summary = by_day(customer);
    (void)state;
    uint64_t usage =
        book_add_usage(book, customer, "S", "4", "0.5", book_time("2026-10-10T10:00:00Z"));
    memory_store_set_billed_until(book->memory, customer, book_time("2026-11-01T00:00:00Z"));
    book_add_void(book, customer, usage);
    summary.by = STORE_BY_BILLED;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_sum(&summary.rows[0], "2026-10-10T00:00:00Z", "4, 2, 1, 0, 0");
    assert_sum(&summary.rows[1], "2026-11-01T00:00:00Z", "-4, -2, 0, 1, 0");

    book_add_usage(book, customer, "S", "3", "0.5", book_time("2026-10-12T10:00:00Z"));
    summary.by = STORE_BY_OCCURRED;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_sum(&summary.rows[0], "2026-10-10T00:00:00Z", "0, 0, 1, 1, 0");
    assert_sum(&summary.rows[1], "2026-10-12T00:00:00Z", "3, 1.5, 1, 0, 1");
    summary.by = STORE_BY_BILLED;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_sum(&summary.rows[0], "2026-10-10T00:00:00Z", "4, 2, 1, 0, 0");
    assert_sum(&summary.rows[1], "2026-11-01T00:00:00Z", "-1, -0.5, 1, 1, 1");
    summary.period.end_us = book_time("2026-11-01T00:00:00Z");
    get(book, &summary);
    assert_u64(summary.n, 1);
    book_close(book);
}

static void summary_get__a_range_within_windows__clips_rows_and_what_they_count(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary summary = by_day(customer);
    (void)state;
    book->env.now_us = book_time("2028-12-31T00:00:00Z");
    static const char *const times[] = {"2028-02-28T05:59:59.999999Z", "2028-02-28T06:00:00Z",
                                        "2028-02-29T12:00:00Z", "2028-03-01T05:59:59.999999Z",
                                        "2028-03-01T06:00:00Z"};
    static const char *const units[] = {"1", "10", "100", "1000", "10000"};
    for (int i = 0; i < 5; i++) {
        book_add_usage(book, customer, "S", units[i], "1", book_time(times[i]));
    }
    summary.period = (struct period){book_time(times[1]), book_time(times[4])};
    get(book, &summary);
    assert_u64(summary.n, 3);
    assert_sum(&summary.rows[0], "2028-02-28T06:00:00Z", "10, 10, 1, 0, 0");
    assert_i64(summary.rows[0].period.end_us, book_time("2028-02-29T00:00:00Z"));
    assert_sum(&summary.rows[1], "2028-02-29T00:00:00Z", "100, 100, 1, 0, 0");
    assert_sum(&summary.rows[2], "2028-03-01T00:00:00Z", "1000, 1000, 1, 0, 0");
    assert_i64(summary.rows[2].period.end_us, book_time("2028-03-01T06:00:00Z"));
    summary.window = WINDOW_MONTH;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_sum(&summary.rows[0], "2028-02-28T06:00:00Z", "110, 110, 2, 0, 0");
    assert_sum(&summary.rows[1], "2028-03-01T00:00:00Z", "1000, 1000, 1, 0, 0");
    book_close(book);
}

static void summary_get__nothing_used__is_zero_on_request_and_else_nothing(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "ext");
    struct summary summary = by_day(0);
    (void)state;
    summary.customer.external_id = SLICE("ext");
    summary.period = (struct period){book_time("2026-12-31T12:00:00Z"),
                                     book_time("2027-01-02T00:00:00.000001Z")};
    get(book, &summary);
    assert_u64(summary.customer_seq, customer);
    assert_u64(summary.n, 0);
    assert_false(summary.more);
    summary.include_empty = true;
    get(book, &summary);
    assert_u64(summary.n, 3);
    assert_sum(&summary.rows[0], "2026-12-31T12:00:00Z", "0, 0, 0, 0, 0");
    assert_sum(&summary.rows[1], "2027-01-01T00:00:00Z", "0, 0, 0, 0, 0");
    assert_sum(&summary.rows[2], "2027-01-02T00:00:00Z", "0, 0, 0, 0, 0");
    assert_i64(summary.rows[2].period.end_us, summary.period.end_us);
    summary.by_service = true; /* of which there is none */
    get(book, &summary);
    assert_u64(summary.n, 0);
    summary.service = SLICE("S");
    get(book, &summary);
    assert_u64(summary.n, 3);
    assert_text(summary.rows[1].sum->service.data, summary.rows[1].sum->service.length, "S");
    book_close(book);
}

/* A look at every hour of it would not fit the arena. */
static void summary_get__an_empty_century__costs_nothing(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary summary = by_day(customer);
    struct arena arena;
    (void)state;
    book->env.now_us = book_time("2080-01-01T00:00:00Z");
    book_add_usage(book, customer, "S", "1", "1", book_time("1970-01-01T00:00:00Z"));
    book_add_usage(book, customer, "S", "2", "1", book_time("2079-12-31T23:59:59.999999Z"));
    summary.window = WINDOW_HOUR;
    arena_init(&arena, 64 * 1024);
    struct store_view *view = book_view(book);
    assert_ok(summary_get(view, &arena, &summary));
    assert_u64(summary.n, 2);
    assert_false(summary.more);
    assert_sum(&summary.rows[0], "1970-01-01T00:00:00Z", "1, 1, 1, 0, 0");
    assert_sum(&summary.rows[1], "2079-12-31T23:00:00Z", "2, 2, 1, 0, 0");
    book_release(view);
    arena_done(&arena);
    book_close(book);
}

/* What was looked through in vain ends a page, too, and nothing is lost by it. */
static void summary_get__a_rare_service__ends_pages_early(void **state)
{
    enum { HOURS = 2100 };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary summary = by_day(customer);
    unsigned pages = 0;
    unsigned rows = 0;
    (void)state;
    for (int i = 0; i < HOURS; i++) {
        book_add_usage(book, customer, i == HOURS - 1 ? "rare" : "usual", "1", "1", i * hour_us);
    }
    summary.window = WINDOW_HOUR;
    summary.service = SLICE("rare");
    do {
        get(book, &summary);
        assert_true(summary.n > 0 || summary.more);
        rows += summary.n;
        pages++;
        summary.from = summary.next;
    } while (summary.more);
    assert_u64(rows, 1);
    assert_u64(pages, 2);
    assert_i64(summary.rows[0].period.start_us, (HOURS - 1) * hour_us);
    book_close(book);
}

/* --- records that arrive ---------------------------------------------------------------------- */

static void assert_service(const struct summary_row *row, const char *day, const char *service)
{
    assert_i64(row->period.start_us, book_time(day));
    assert_text(row->sum->service.data, row->sum->service.length, service);
}

static void summary_get__records_arrive_between_pages__no_row_is_missed_or_doubled(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary summary = by_day(customer);
    int64_t day_1 = book_time("2026-11-01T12:00:00Z");
    int64_t day_3 = book_time("2026-11-03T12:00:00Z");
    int64_t day_9 = book_time("2026-11-09T12:00:00Z");
    (void)state;
    book_add_usage(book, customer, "a", "1", "1", day_1);
    book_add_usage(book, customer, "c", "1", "1", day_3);
    book_add_usage(book, customer, "e", "1", "1", day_3);
    book_add_usage(book, customer, "a", "1", "1", day_9);
    summary.by_service = true;
    summary.limit = 2;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_service(&summary.rows[1], "2026-11-03T00:00:00Z", "c");
    assert_true(summary.more);

    book_add_usage(book, customer, "z", "1", "1", day_1); /* before the place: not seen */
    book_add_usage(book, customer, "b", "1", "1", day_3);
    book_add_usage(book, customer, "c", "1", "1", day_3);
    book_add_usage(book, customer, "d", "1", "1", day_3); /* behind it: seen */
    book_add_usage(book, customer, "a", "1", "1", book_time("2026-11-05T00:00:00Z"));
    summary.from = summary.next;
    get(book, &summary);
    assert_u64(summary.n, 2);
    assert_service(&summary.rows[0], "2026-11-03T00:00:00Z", "d");
    assert_service(&summary.rows[1], "2026-11-03T00:00:00Z", "e");
    assert_true(summary.more);

    book_add_usage(book, customer, "a", "1", "1", book_time("2026-11-04T00:00:00Z")); /* a gap */
    summary.from = summary.next;
    summary.limit = 10;
    get(book, &summary);
    assert_u64(summary.n, 3);
    assert_service(&summary.rows[0], "2026-11-04T00:00:00Z", "a");
    assert_service(&summary.rows[1], "2026-11-05T00:00:00Z", "a");
    assert_service(&summary.rows[2], "2026-11-09T00:00:00Z", "a");
    assert_false(summary.more);
    book_close(book);
}

/* --- what fails ------------------------------------------------------------------------------- */

static void summary_get__what_fails__is_an_error_and_no_smaller_summary(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct summary nobody = by_day(99);
    struct arena arena;
    (void)state;
    for (int i = 0; i < 100; i++) {
        book_add_usage(book, customer, testkit_format("service %d", i), "1", "1", i * hour_us);
    }
    struct store_view *view = book_view(book);
    assert_status(summary_get(view, &book->arena, &nobody), STATUS_CUSTOMER_NOT_FOUND);
    for (size_t budget = 0; budget < 20000; budget += 997) { /* fails at every place in turn */
        struct summary summary = by_day(customer);
        summary.by_service = true;
        summary.period.end_us = 100 * hour_us;
        summary.include_empty = budget % 2 == 0;
        arena_init(&arena, budget);
        assert_status(summary_get(view, &arena, &summary), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    memory_store_damage(book->memory, 50);
    struct summary damaged = by_day(customer);
    assert_status(summary_get(view, &book->arena, &damaged), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(
        summary_get__a_void_after_an_invoice__takes_away_by_each_clock_where_it_stands),
    cmocka_unit_test(summary_get__a_range_within_windows__clips_rows_and_what_they_count),
    cmocka_unit_test(summary_get__nothing_used__is_zero_on_request_and_else_nothing),
    cmocka_unit_test(summary_get__an_empty_century__costs_nothing),
    cmocka_unit_test(summary_get__a_rare_service__ends_pages_early),
    cmocka_unit_test(summary_get__records_arrive_between_pages__no_row_is_missed_or_doubled),
    cmocka_unit_test(summary_get__what_fails__is_an_error_and_no_smaller_summary),
};

TESTKIT_MAIN(tests)
