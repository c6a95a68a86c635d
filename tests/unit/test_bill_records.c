/* The records behind bills, against a plain list of them. */
#include <stdlib.h>

#include "billingd/ledger/bill.h"
#include "billingd/ledger/bill_records.h"
#include "proto/timestamp.h"
#include "tests/lib/bill_history.h"

static int list(struct book *book, struct bill_records *list)
{
    struct store_view *view = book_view(book);
    int rc = bill_records_list(view, &book->arena, &book->env, list);
    book_release(view);
    return rc;
}

static struct bill_records all_of(uint64_t customer)
{
    return (struct bill_records){
        .customer = {.seq = customer},
        .period = {0, TIMESTAMP_MAX + 1},
        .limit = 100,
    };
}

/* --- against the model ------------------------------------------------------------------------ */

static bool is_wanted(const struct history_row *row, const struct bill_records *asked)
{
    bool in_service =
        asked->service.length == 0 || slice_equal(asked->service, slice_of(row->service));
    bool at_price = !asked->by_price ||
                    (row->kind != RECORD_ADJUSTMENT && decimal_equal(row->price, asked->price));
    return in_service && at_price && row->bills_at_us >= asked->period.start_us &&
           row->bills_at_us < asked->period.end_us;
}

static int compare_rows(const void *a, const void *b)
{
    const struct history_row *left = a;
    const struct history_row *right = b;
    if (left->bills_at_us != right->bills_at_us) {
        return left->bills_at_us < right->bills_at_us ? -1 : 1;
    }
    return left->seq < right->seq ? -1 : left->seq > right->seq;
}

static size_t model_of(const struct history *history, const struct bill_records *asked,
                       struct history_row **ret)
{
    struct history_row *rows = testkit_alloc((history->n + 1) * sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < history->n; i++) {
        if (is_wanted(&history->rows[i], asked)) {
            rows[n++] = history->rows[i];
        }
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    *ret = rows;
    return n;
}

static void assert_row(const struct bill_record *got, const struct history_row *expected)
{
    assert_u64(got->record.seq, expected->seq);
    assert_int_equal(got->record.kind, expected->kind);
    assert_int_equal(amount_compare(got->units, expected->units), 0);
    assert_int_equal(amount_compare(got->exact, expected->exact), 0);
    if (expected->kind == RECORD_ADJUSTMENT) {
        assert_text(got->record.adjustment.service.data, got->record.adjustment.service.length,
                    expected->service);
        assert_text(got->record.adjustment.reason.data, got->record.adjustment.reason.length,
                    "goodwill");
        return;
    }
    assert_text(got->usage.service.data, got->usage.service.length, expected->service);
    assert_true(decimal_equal(got->usage.price, expected->price));
    if (expected->kind == RECORD_USAGE_VOIDED) {
        assert_u64(got->record.usage_voided.usage, expected->usage);
        assert_text(got->record.usage_voided.reason.data, got->record.usage_voided.reason.length,
                    "an error");
    }
}

static void check(const struct history *history, struct bill_records asked)
{
    struct history_row *rows;
    size_t n = model_of(history, &asked, &rows);
    struct bill_records page = asked;
    size_t seen = 0;
    do {
        assert_ok(list(history->book, &page));
        assert_true(page.n <= page.limit && seen + page.n <= n);
        for (unsigned i = 0; i < page.n; i++) {
            assert_row(&page.records[i], &rows[seen++]);
        }
        page.after = page.last;
    } while (page.more);
    assert_u64(seen, n);
}

static struct bill_records random_ask(struct rng *rng, const struct history *history,
                                      int64_t start_us, int64_t end_us)
{
    static const char *const services[] = {"a", "aa", "Database Hosting", "nobody's"};
    static const char *const prices[] = {"0", "0.05", "3", "0.051"};
    int64_t a = rng_between(rng, start_us, end_us);
    int64_t b = rng_between(rng, start_us, end_us);
    struct bill_records asked = all_of(history->customer);
    if (rng_below(rng, 3) > 0 && a != b) {
        asked.period = a < b ? (struct period){a, b} : (struct period){b, a};
    }
    if (rng_below(rng, 2) == 0) {
        asked.service = slice_of(services[rng_below(rng, 4)]);
    }
    if (rng_below(rng, 2) == 0) {
        asked.by_price = true;
        asked.price = book_decimal(prices[rng_below(rng, 4)]);
    }
    return asked;
}

static void bill_records_list__random_histories__are_the_whole_in_order_at_every_limit(void **state)
{
    struct rng rng = rng_make("bill records");
    struct book *book = book_open();
    int64_t start_us = book_time("2025-12-31T00:00:00Z");
    int64_t end_us = book_time("2026-01-02T00:00:00Z");
    (void)state;
    struct history history = history_make(book, &rng, start_us, end_us, 120);
    history_make(book, &rng, start_us, end_us, 20); /* another's */
    for (unsigned limit = 1; limit <= 121; limit++) {
        struct bill_records asked = random_ask(&rng, &history, start_us, end_us);
        asked.limit = limit;
        check(&history, asked);
        asked = all_of(history.customer);
        asked.limit = limit;
        check(&history, asked);
    }
    book_close(book);
}

static struct amount sum_of(const struct bill_records *list)
{
    struct amount sum = amount_zero();
    for (unsigned i = 0; i < list->n; i++) {
        assert_ok(amount_add(&sum, list->records[i].exact));
    }
    return sum;
}

/* What they add up to is what the bill says, line by line. */
static void bill_records_list__of_each_line__add_up_to_it(void **state)
{
    struct rng rng = rng_make("explained bills");
    struct book *book = book_open();
    struct history history = history_make(book, &rng, book_time("2026-02-27T00:00:00Z"),
                                          book_time("2026-03-02T00:00:00Z"), 150);
    struct bill_get bill = {
        .customer = {.seq = history.customer},
        .period = {book_time("2026-02-01T00:00:00Z"), book_time("2026-03-01T00:00:00Z")},
        .limit = 1000,
    };
    struct store_view *view = book_view(book);
    (void)state;
    assert_ok(bill_get(view, &book->arena, &book->env, &bill));
    book_release(view);
    assert_true(bill.n_lines > 0);
    for (size_t i = 0; i < bill.n_lines; i++) {
        struct bill_records line = all_of(history.customer);
        line.period = bill.period;
        line.service = bill.lines[i]->service;
        line.by_price = true;
        line.price = bill.lines[i]->price;
        line.limit = 1000;
        assert_ok(list(book, &line));
        assert_u64(line.n, bill.lines[i]->records + bill.lines[i]->voided);
        assert_int_equal(amount_compare(sum_of(&line), bill.lines[i]->exact), 0);
    }
    struct bill_records whole = all_of(history.customer);
    whole.period = bill.period;
    whole.limit = 1000;
    assert_ok(list(book, &whole));
    assert_int_equal(amount_compare(sum_of(&whole), bill.totals.exact), 0);
    book_close(book);
}

/* --- cases by hand ---------------------------------------------------------------------------- */

static void
bill_records_list__one_service__has_its_voids_and_the_adjustments_naming_it(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct bill_records asked = all_of(customer);
    (void)state;
    uint64_t usage = book_add_usage(book, customer, "S", "4", "0.5", 1000);
    uint64_t others = book_add_usage(book, customer, "T", "4", "0.5", 1000);
    uint64_t voided = book_add_void(book, customer, usage);
    book_add_void(book, customer, others);
    uint64_t adjustment = book_add_adjustment(book, customer, "S", "-1.5", 1000);
    book_add_adjustment(book, customer, "T", "1", 1000);
    book_add_adjustment(book, customer, "", "1", 1000);
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 7);
    asked.service = SLICE("S");
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 3);
    assert_u64(asked.records[0].record.seq, usage);
    assert_u64(asked.records[1].record.seq, voided);
    assert_u64(asked.records[2].record.seq, adjustment);
    asked.by_price = true;
    asked.price = book_decimal("0.50");
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 2);
    asked.service = (struct slice){0};
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 4);
    asked.price = book_decimal("0.51");
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 0);
    assert_false(asked.more);
    book_close(book);
}

static void bill_records_list__current__is_the_open_period(void **state)
{
    struct book *book = book_open(); /* 22 November 2026 */
    uint64_t customer = book_add_customer(book, "ext");
    struct bill_records asked = {
        .customer = {.external_id = SLICE("ext")}, .current = true, .limit = 10};
    (void)state;
    uint64_t old = book_add_usage(book, customer, "S", "1", "1", 1000);
    uint64_t in_november =
        book_add_usage(book, customer, "S", "1", "1", book_time("2026-11-01T00:00:00Z"));
    assert_ok(list(book, &asked));
    assert_i64(asked.period.start_us, book_time("2026-11-01T00:00:00Z"));
    assert_i64(asked.period.end_us, book_time("2026-12-01T00:00:00Z"));
    assert_u64(asked.n, 1);
    assert_u64(asked.records[0].record.seq, in_november);
    memory_store_set_billed_until(book->memory, customer, book_time("2026-11-20T00:00:00Z"));
    uint64_t credit = book_add_void(book, customer, old);
    assert_ok(list(book, &asked));
    assert_i64(asked.period.start_us, book_time("2026-11-20T00:00:00Z"));
    assert_u64(asked.n, 1);
    assert_u64(asked.records[0].record.seq, credit);
    assert_i64(asked.records[0].record.usage_voided.occurred_at_us, 1000);
    book_close(book);
}

static void bill_records_list__records_arrive_between_pages__none_is_missed_or_doubled(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct bill_records page = all_of(customer);
    (void)state;
    uint64_t first = book_add_usage(book, customer, "S", "1", "1", 1000);
    uint64_t second = book_add_usage(book, customer, "S", "1", "1", 2000);
    uint64_t third = book_add_usage(book, customer, "S", "1", "1", 3000);
    page.limit = 2;
    assert_ok(list(book, &page));
    assert_u64(page.n, 2);
    assert_u64(page.records[1].record.seq, second);
    assert_true(page.more);
    book_add_void(book, customer, first); /* before the place */
    uint64_t same_time = book_add_void(book, customer, second);
    uint64_t behind = book_add_adjustment(book, customer, "", "1", 2500);
    page.after = page.last;
    page.limit = 10;
    assert_ok(list(book, &page));
    assert_u64(page.n, 3);
    assert_u64(page.records[0].record.seq, same_time);
    assert_u64(page.records[1].record.seq, behind);
    assert_u64(page.records[2].record.seq, third);
    assert_false(page.more);
    book_close(book);
}

/* Large texts end a page before its limit does, and nothing is lost by it. */
static void bill_records_list__large_texts__end_a_page_early(void **state)
{
    enum { RECORDS = 4200 };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct bill_records page = all_of(customer);
    char *reason = testkit_alloc(LIMIT_REASON_BYTES + 1);
    unsigned n = 0;
    (void)state;
    memset(reason, 'x', LIMIT_REASON_BYTES);
    for (int i = 0; i < RECORDS; i++) {
        struct adjustment_create create = book_adjustment(customer, testkit_format("large %d", i));
        create.asked.adjustment.reason = slice_of(reason);
        create.asked.adjustment.occurred_at_us = i;
        create.asked.adjustment.occurred_at_given = true;
        book_create_adjustment(book, &create);
    }
    page.limit = RECORDS;
    assert_ok(list(book, &page));
    assert_true(page.more && page.n > 1000);
    for (n = page.n; page.more; n += page.n) {
        page.after = page.last;
        assert_ok(list(book, &page));
    }
    assert_u64(n, RECORDS);
    book_close(book);
}

static void bill_records_list__what_fails__is_an_error_and_no_shorter_list(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct bill_records nobody = all_of(99);
    struct bill_records asked = all_of(customer);
    struct arena arena;
    (void)state;
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 5000);
    book_add_void(book, customer, usage);
    assert_status(list(book, &nobody), STATUS_CUSTOMER_NOT_FOUND);
    struct store_view *view = book_view(book);
    for (size_t budget = 0; budget < 20000; budget += 997) {
        arena_init(&arena, budget);
        assert_status(bill_records_list(view, &arena, &book->env, &asked), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    book_release(view);
    memory_store_set_billed_until(book->memory, customer, 9000);
    uint64_t other = book_add_usage(book, customer, "S", "1", "1", 9000);
    book_add_void(book, customer, other);
    memory_store_damage(book->memory, other);
    asked.period = (struct period){0, 9000};
    assert_ok(list(book, &asked));
    assert_u64(asked.n, 2);
    asked.period.end_us = 9001;
    assert_status(list(book, &asked), STATUS_CORRUPT); /* of a void, what it voids */
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bill_records_list__random_histories__are_the_whole_in_order_at_every_limit),
    cmocka_unit_test(bill_records_list__of_each_line__add_up_to_it),
    cmocka_unit_test(bill_records_list__one_service__has_its_voids_and_the_adjustments_naming_it),
    cmocka_unit_test(bill_records_list__current__is_the_open_period),
    cmocka_unit_test(bill_records_list__records_arrive_between_pages__none_is_missed_or_doubled),
    cmocka_unit_test(bill_records_list__large_texts__end_a_page_early),
    cmocka_unit_test(bill_records_list__what_fails__is_an_error_and_no_shorter_list),
};

TESTKIT_MAIN(tests)
