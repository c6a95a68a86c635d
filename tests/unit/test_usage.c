/* The rules about usage: what is refused for its content, where it lands, and how it is read. */
#include <stdlib.h>

#include "billingd/ledger/usage.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

/* --- content ---------------------------------------------------------------------------------- */

static int create_with(struct book *book, uint64_t customer, const char *units, const char *price)
{
    struct usage_create create = book_usage(customer, "");
    create.asked.request_id = slice_of(testkit_format("%s x %s", units, price));
    create.asked.usage.units = book_decimal(units);
    create.asked.usage.price = book_decimal(price);
    book_create_usage(book, &create);
    return create.outcome.status;
}

static void usage_create__amount_at_its_bound__is_refused_and_just_below_taken(void **state)
{
    static const struct {
        const char *units;
        const char *price;
        int status;
    } table[] = {
        {"999999999999999.999", "1", 0},
        {"1000000000000000", "1", STATUS_AMOUNT_TOO_LARGE},
        {"1", "1e15", STATUS_AMOUNT_TOO_LARGE},
        {"0.001", "999999999999999999", 0},
        {"0.001", "1e18", STATUS_AMOUNT_TOO_LARGE},
        {"31622776.6016837933", "31622776.6016837933", 0}, /* below by 10^-4 */
        {"31622776.6016837934", "31622776.6016837934", STATUS_AMOUNT_TOO_LARGE},
        {"1e25", "1e25", STATUS_AMOUNT_TOO_LARGE},
        {"1e25", "0", 0},
        {"0", "1e25", 0},
        {"0.000000000000000001", "0.000000000000000001", 0},
    };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_status(create_with(book, customer, table[i].units, table[i].price), table[i].status);
    }
    book_close(book);
}

static struct usage_create create_at(struct book *book, uint64_t customer, int64_t time_us)
{
    struct usage_create create = book_usage(customer, "");
    create.asked.request_id = slice_of(testkit_format("at %lld", (long long)time_us));
    create.asked.usage.occurred_at_us = time_us;
    create.asked.usage.occurred_at_given = true;
    book_create_usage(book, &create);
    return create;
}

static void usage_create__a_day_ahead__is_taken_and_a_microsecond_more_refused(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    int64_t edge_us = book->env.now_us + INT64_C(24) * 3600 * 1000000;
    (void)state;
    assert_ok(create_at(book, customer, edge_us).outcome.status);
    assert_status(create_at(book, customer, edge_us + 1).outcome.status, STATUS_TIME_OUT_OF_RANGE);
    assert_status(create_at(book, customer, TIMESTAMP_MAX).outcome.status,
                  STATUS_TIME_OUT_OF_RANGE);
    assert_u64(book_records(book), 2);
    book_close(book);
}

static void usage_create__the_past__is_never_refused(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    struct usage_create create = create_at(book, customer, 0);
    assert_ok(create.outcome.status);
    assert_i64(create.record.usage.bills_at_us, 0);
    assert_false(usage_is_late(&create.record.usage));
    book_close(book);
}

static void usage_create__nobody__is_refused(void **state)
{
    struct book *book = book_open();
    struct usage_create create = book_usage(5, "r1");
    (void)state;
    book_create_usage(book, &create);
    assert_status(create.outcome.status, STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(book_records(book), 0);
    book_close(book);
}

/* --- where it lands --------------------------------------------------------------------------- */

static void usage_create__before_the_last_invoices_end__bills_there_and_is_late(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t other = book_add_customer(book, NULL);
    int64_t end_us = book_time("2026-11-01T00:00:00Z");
    (void)state;
    memory_store_set_billed_until(book->memory, customer, end_us);
    static const int64_t distances[] = {-1000000000, -1, 0, 1};
    for (int i = 0; i < 4; i++) {
        struct usage_create create = create_at(book, customer, end_us + distances[i]);
        bool late = distances[i] < 0;
        assert_ok(create.outcome.status);
        assert_int_equal(usage_is_late(&create.record.usage), late);
        assert_i64(create.record.usage.bills_at_us, end_us + (late ? 0 : distances[i]));
        assert_i64(create.record.usage.occurred_at_us, end_us + distances[i]);
        struct record stored = book_record(book, create.record.seq);
        assert_i64(stored.usage.bills_at_us, create.record.usage.bills_at_us);
    }
    struct usage_create others = create_at(book, other, end_us - 1);
    assert_false(usage_is_late(&others.record.usage));
    book_close(book);
}

/* --- reading one ------------------------------------------------------------------------------ */

static int get(struct book *book, struct usage_get *get)
{
    struct store_view *view = book_view(book);
    int rc = usage_get(view, &book->arena, get);
    book_release(view);
    return rc;
}

static void usage_get__its_customers__is_found_and_anothers_not(void **state)
{
    struct book *book = book_open();
    uint64_t one = book_add_customer(book, "one");
    uint64_t two = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, one, "S", "3", "0.5", book->env.now_us);
    (void)state;
    struct usage_get found = {.customer = {.external_id = SLICE("one")}, .seq = usage};
    assert_ok(get(book, &found));
    assert_text(found.record.usage.service.data, found.record.usage.service.length, "S");
    assert_i64(
        amount_compare(usage_amount(&found.record.usage), amount_from_decimal(book_decimal("1.5"))),
        0);
    struct usage_get wrong[] = {
        {.customer = {.seq = two}, .seq = usage},
        {.customer = {.seq = one}, .seq = 0},
        {.customer = {.seq = one}, .seq = one}, /* a record, but no usage */
        {.customer = {.seq = one}, .seq = usage + 1},
    };
    for (int i = 0; i < 4; i++) {
        assert_status(get(book, &wrong[i]), STATUS_USAGE_NOT_FOUND);
    }
    struct usage_get nobody = {.customer = {.seq = 99}, .seq = usage};
    assert_status(get(book, &nobody), STATUS_CUSTOMER_NOT_FOUND);
    memory_store_damage(book->memory, usage);
    assert_status(get(book, &found), STATUS_CORRUPT);
    book_close(book);
}

/* --- listing ---------------------------------------------------------------------------------- */

static void list(struct book *book, struct usage_page *page)
{
    struct store_view *view = book_view(book);
    assert_ok(usage_list(view, &book->arena, page));
    book_release(view);
}

static struct usage_page first_page(uint64_t customer, unsigned limit)
{
    return (struct usage_page){
        .list = {.customer = {.seq = customer}, .range = {.end_us = TIMESTAMP_MAX}, .limit = limit},
    };
}

/* All pages from PAGE on; the numbers in *RET, the kit's memory. */
static size_t list_all(struct book *book, struct usage_page page, uint64_t **ret)
{
    uint64_t *seqs = testkit_alloc((book_records(book) + 1) * sizeof *seqs);
    size_t n = 0;
    do {
        list(book, &page);
        assert_true(page.list.n <= page.list.limit);
        for (unsigned i = 0; i < page.list.n; i++) {
            seqs[n++] = page.list.records[i].seq;
        }
        page.list.range.after = page.list.last;
    } while (page.list.more);
    *ret = seqs;
    return n;
}

static void usage_list__equal_times__pages_are_the_whole_once_by_time_then_number(void **state)
{
    enum { RECORDS = 60 };
    struct rng rng = rng_make("usage pages");
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t other = book_add_customer(book, NULL);
    int64_t times[RECORDS + 10] = {0};
    (void)state;
    for (int i = 0; i < RECORDS; i++) {
        int64_t time_us = 1000 + rng_between(&rng, 0, 5); /* many at the same microsecond */
        times[book_add_usage(book, customer, "S", "1", "1", time_us)] = time_us;
        if (i % 10 == 0) {
            book_add_usage(book, other, "S", "1", "1", time_us);
        }
    }
    for (unsigned limit = 1; limit <= RECORDS + 1; limit += limit < 10 ? 1 : 17) {
        uint64_t *seqs;
        assert_u64(list_all(book, first_page(customer, limit), &seqs), RECORDS);
        for (int i = 1; i < RECORDS; i++) {
            int64_t before = book_record(book, seqs[i - 1]).usage.occurred_at_us;
            int64_t now = book_record(book, seqs[i]).usage.occurred_at_us;
            assert_i64(now, times[seqs[i]]);
            assert_true(before < now || (before == now && seqs[i - 1] < seqs[i]));
        }
    }
    book_close(book);
}

static void usage_list__a_window__is_half_open_at_the_microsecond(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t *seqs;
    (void)state;
    uint64_t at_99 = book_add_usage(book, customer, "S", "1", "1", 99);
    uint64_t at_100 = book_add_usage(book, customer, "S", "1", "1", 100);
    uint64_t at_199 = book_add_usage(book, customer, "S", "1", "1", 199);
    uint64_t at_200 = book_add_usage(book, customer, "S", "1", "1", 200);
    struct usage_page page = first_page(customer, 10);
    page.list.range.start_us = 100;
    page.list.range.end_us = 200;
    assert_u64(list_all(book, page, &seqs), 2);
    assert_u64(seqs[0], at_100);
    assert_u64(seqs[1], at_199);
    page.list.range.end_us = 201;
    assert_u64(list_all(book, page, &seqs), 3);
    assert_u64(seqs[2], at_200);
    page.list.range.start_us = 0;
    page.list.range.end_us = 100;
    assert_u64(list_all(book, page, &seqs), 1);
    assert_u64(seqs[0], at_99);
    book_close(book);
}

static void usage_list__by_billed__goes_by_bills_at(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t *seqs;
    (void)state;
    uint64_t first = book_add_usage(book, customer, "S", "1", "1", 150);
    memory_store_set_billed_until(book->memory, customer, 200);
    uint64_t late = book_add_usage(book, customer, "S", "1", "1", 50);
    struct usage_page page = first_page(customer, 1);
    assert_u64(list_all(book, page, &seqs), 2);
    assert_u64(seqs[0], late);
    page.list.range.by = STORE_BY_BILLED;
    assert_u64(list_all(book, page, &seqs), 2);
    assert_u64(seqs[0], first);
    page.list.range.start_us = 200;
    assert_u64(list_all(book, page, &seqs), 1);
    assert_u64(seqs[0], late);
    book_close(book);
}

static void usage_list__one_service__is_only_that_over_all_pages(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t *seqs;
    (void)state;
    for (int i = 0; i < 40; i++) {
        book_add_usage(book, customer, i % 7 == 0 ? "rare" : "usual", "1", "1", 1000 + i);
    }
    for (unsigned limit = 1; limit < 9; limit++) {
        struct usage_page page = first_page(customer, limit);
        page.list.service = SLICE("rare");
        assert_u64(list_all(book, page, &seqs), 6);
        for (int i = 0; i < 6; i++) {
            assert_u64(seqs[i], 2 + i * 7);
        }
    }
    book_close(book);
}

/* A cursor pins a place in the order, so what arrives before it is not seen twice and what arrives
 * behind it is not missed. */
static void usage_list__records_arrive_between_pages__none_is_missed_or_doubled(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (int i = 0; i < 4; i++) {
        book_add_usage(book, customer, "S", "1", "1", 1000 + 10 * i);
    }
    struct usage_page page = first_page(customer, 2);
    list(book, &page);
    assert_u64(page.list.last.seq, 3);
    book_add_usage(book, customer, "S", "1", "1", 1005);
    uint64_t same_time = book_add_usage(book, customer, "S", "1", "1", 1010);
    page.list.range.after = page.list.last;
    page.list.limit = 10;
    list(book, &page);
    assert_u64(page.list.n, 3);
    assert_u64(page.list.records[0].seq, same_time);
    assert_false(page.list.more);
    book_close(book);
}

/* Large texts end a page before its limit does, and nothing is lost by it. */
static void usage_list__large_texts__end_a_page_early(void **state)
{
    enum { RECORDS = 400 };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    char *value = testkit_alloc(LIMIT_LABEL_VALUE_BYTES + 1);
    const char *texts[2 * LIMIT_LABELS];
    uint64_t *seqs;
    (void)state;
    memset(value, 'x', LIMIT_LABEL_VALUE_BYTES);
    for (int i = 0; i < LIMIT_LABELS; i++) {
        texts[2 * i] = testkit_format("%02d", i);
        texts[2 * i + 1] = value;
    }
    struct slice labels = book_labels(texts, LIMIT_LABELS);
    for (int i = 0; i < RECORDS; i++) {
        struct usage_create create = book_usage(customer, "");
        create.asked.request_id = slice_of(testkit_format("r%d", i));
        create.asked.usage.labels = labels;
        book_create_usage(book, &create);
    }
    struct usage_page page = first_page(customer, 1000);
    list(book, &page);
    assert_true(page.list.more);
    assert_true(page.list.n > 100 && page.list.n < RECORDS);
    assert_u64(list_all(book, first_page(customer, 1000), &seqs), RECORDS);
    book_close(book);
}

static void usage_list__a_damaged_record__is_an_error_and_no_shorter_list(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "S", "1", "1", 1);
    uint64_t damaged = book_add_usage(book, customer, "S", "1", "1", 2);
    memory_store_damage(book->memory, damaged);
    struct usage_page page = first_page(customer, 10);
    struct store_view *view = book_view(book);
    assert_status(usage_list(view, &book->arena, &page), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(usage_create__amount_at_its_bound__is_refused_and_just_below_taken),
    cmocka_unit_test(usage_create__a_day_ahead__is_taken_and_a_microsecond_more_refused),
    cmocka_unit_test(usage_create__the_past__is_never_refused),
    cmocka_unit_test(usage_create__nobody__is_refused),
    cmocka_unit_test(usage_create__before_the_last_invoices_end__bills_there_and_is_late),
    cmocka_unit_test(usage_get__its_customers__is_found_and_anothers_not),
    cmocka_unit_test(usage_list__equal_times__pages_are_the_whole_once_by_time_then_number),
    cmocka_unit_test(usage_list__a_window__is_half_open_at_the_microsecond),
    cmocka_unit_test(usage_list__by_billed__goes_by_bills_at),
    cmocka_unit_test(usage_list__one_service__is_only_that_over_all_pages),
    cmocka_unit_test(usage_list__records_arrive_between_pages__none_is_missed_or_doubled),
    cmocka_unit_test(usage_list__large_texts__end_a_page_early),
    cmocka_unit_test(usage_list__a_damaged_record__is_an_error_and_no_shorter_list),
};

TESTKIT_MAIN(tests)
