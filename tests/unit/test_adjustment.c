/* The rules about adjustments: what is refused, where they land, and how they are read. */
#include "billingd/ledger/adjustment.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

/* --- content ---------------------------------------------------------------------------------- */

static void adjustment_create__new__is_recorded_as_asked(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct adjustment_create create = book_adjustment(customer, "r1");
    (void)state;
    create.asked.adjustment.service = SLICE("S");
    book_create_adjustment(book, &create);
    assert_ok(create.outcome.status);
    assert_false(create.outcome.replayed);
    struct record stored = book_record(book, create.record.seq);
    const struct adjustment *adjustment = &stored.adjustment;
    assert_int_equal(stored.kind, RECORD_ADJUSTMENT);
    assert_text(stored.request_id.data, stored.request_id.length, "r1");
    assert_text(stored.recorded_by.data, stored.recorded_by.length, "tester");
    assert_i64(stored.created_at_us, book->env.now_us);
    assert_u64(adjustment->customer, customer);
    assert_text(adjustment->service.data, adjustment->service.length, "S");
    assert_text(adjustment->reason.data, adjustment->reason.length, "goodwill");
    assert_true(decimal_equal(adjustment->amount, book_decimal("-5")));
    assert_i64(adjustment->occurred_at_us, book->env.now_us);
    assert_i64(adjustment->bills_at_us, book->env.now_us);
    assert_false(adjustment->occurred_at_given);
    assert_false(adjustment_is_late(adjustment));
    book_close(book);
}

static void adjustment_create__amount_at_its_bound__is_refused_and_just_below_taken(void **state)
{
    static const struct {
        const char *amount;
        int status;
    } table[] = {
        {"0", 0},
        {"0.000000000000000001", 0},
        {"-0.000000000000000001", 0},
        {"999999999999999.999", 0},
        {"-999999999999999.999", 0},
        {"1e15", STATUS_AMOUNT_TOO_LARGE},
        {"-1e15", STATUS_AMOUNT_TOO_LARGE},
        {"-1e25", STATUS_AMOUNT_TOO_LARGE},
    };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct adjustment_create create = book_adjustment(customer, table[i].amount);
        create.asked.adjustment.amount = book_decimal(table[i].amount);
        book_create_adjustment(book, &create);
        assert_status(create.outcome.status, table[i].status);
    }
    assert_u64(book_records(book), 6);
    book_close(book);
}

static struct adjustment_create create_at(struct book *book, uint64_t customer, int64_t time_us)
{
    struct adjustment_create create = book_adjustment(customer, "");
    create.asked.request_id = slice_of(testkit_format("at %lld", (long long)time_us));
    create.asked.adjustment.occurred_at_us = time_us;
    create.asked.adjustment.occurred_at_given = true;
    book_create_adjustment(book, &create);
    return create;
}

static void adjustment_create__a_day_ahead__is_taken_and_a_microsecond_more_refused(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    int64_t edge_us = book->env.now_us + INT64_C(24) * 3600 * 1000000;
    (void)state;
    assert_ok(create_at(book, customer, edge_us).outcome.status);
    struct outcome late = create_at(book, customer, edge_us + 1).outcome;
    assert_status(late.status, STATUS_TIME_OUT_OF_RANGE);
    assert_i64(late.asked_us, edge_us + 1);
    assert_i64(late.bound_us, edge_us);
    assert_status(create_at(book, customer, TIMESTAMP_MAX).outcome.status,
                  STATUS_TIME_OUT_OF_RANGE);
    assert_ok(create_at(book, customer, 0).outcome.status);
    assert_u64(book_records(book), 3);
    book_close(book);
}

static void adjustment_create__nobody__is_refused(void **state)
{
    struct book *book = book_open();
    struct adjustment_create create = book_adjustment(5, "r1");
    (void)state;
    book_create_adjustment(book, &create);
    assert_status(create.outcome.status, STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(book_records(book), 0);
    book_close(book);
}

static void adjustment_create__before_the_last_invoices_end__bills_there_and_is_late(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    int64_t end_us = book_time("2026-11-01T00:00:00Z");
    (void)state;
    memory_store_set_billed_until(book->memory, customer, end_us);
    static const int64_t distances[] = {-1000000000, -1, 0, 1};
    for (int i = 0; i < 4; i++) {
        struct adjustment_create create = create_at(book, customer, end_us + distances[i]);
        bool late = distances[i] < 0;
        assert_ok(create.outcome.status);
        assert_int_equal(adjustment_is_late(&create.record.adjustment), late);
        struct record stored = book_record(book, create.record.seq);
        assert_i64(stored.adjustment.bills_at_us, end_us + (late ? 0 : distances[i]));
        assert_i64(stored.adjustment.occurred_at_us, end_us + distances[i]);
    }
    book_close(book);
}

/* --- exactly once ----------------------------------------------------------------------------- */

static void adjustment_create__same_id_same_payload__is_the_first_record_again(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct adjustment_create first = book_adjustment(customer, "r1");
    struct adjustment_create again = book_adjustment(customer, "r1");
    (void)state;
    book_create_adjustment(book, &first);
    memory_store_set_billed_until(book->memory, customer, book->env.now_us + 1000);
    book->env.now_us += 2000;
    again.asked.adjustment.amount = book_decimal("-5.00");
    again.asked.recorded_by = SLICE("somebody else");
    book_create_adjustment(book, &again);
    assert_ok(again.outcome.status);
    assert_true(again.outcome.replayed);
    assert_u64(again.record.seq, first.record.seq);
    assert_i64(again.record.created_at_us, first.record.created_at_us);
    assert_i64(again.record.adjustment.bills_at_us, first.record.adjustment.bills_at_us);
    assert_text(again.record.recorded_by.data, again.record.recorded_by.length, "tester");
    assert_text(again.record.adjustment.reason.data, again.record.adjustment.reason.length,
                "goodwill");
    assert_u64(book_records(book), 2);
    book_close(book);
}

static void change_amount(struct adjustment *adjustment)
{
    adjustment->amount = book_decimal("5");
}

static void change_amount_beyond_bounds(struct adjustment *adjustment)
{
    adjustment->amount = book_decimal("1e15");
}

static void change_reason(struct adjustment *adjustment)
{
    adjustment->reason = SLICE("Goodwill");
}

static void change_service(struct adjustment *adjustment)
{
    adjustment->service = SLICE("T");
}

static void drop_service(struct adjustment *adjustment)
{
    adjustment->service = (struct slice){0};
}

static void drop_time(struct adjustment *adjustment)
{
    adjustment->occurred_at_given = false;
    adjustment->occurred_at_us = 0;
}

static void change_time_beyond_bounds(struct adjustment *adjustment)
{
    adjustment->occurred_at_us = TIMESTAMP_MAX;
}

static void adjustment_create__same_id_other_payload__names_exactly_what_differs(void **state)
{
    static const struct {
        void (*change)(struct adjustment *adjustment);
        unsigned differs;
    } table[] = {
        {change_amount, DIFFERS_AMOUNT},
        {change_amount_beyond_bounds, DIFFERS_AMOUNT},
        {change_reason, DIFFERS_REASON},
        {change_service, DIFFERS_SERVICE},
        {drop_service, DIFFERS_SERVICE},
        {drop_time, DIFFERS_OCCURRED_AT},
        {change_time_beyond_bounds, DIFFERS_OCCURRED_AT},
    };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct adjustment_create first = book_adjustment(customer, "r1");
    (void)state;
    first.asked.adjustment.service = SLICE("S");
    first.asked.adjustment.occurred_at_given = true;
    first.asked.adjustment.occurred_at_us = 5;
    struct record asked = first.asked;
    book_create_adjustment(book, &first);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct adjustment_create again = {.customer = {.seq = customer}, .asked = asked};
        table[i].change(&again.asked.adjustment);
        book_create_adjustment(book, &again);
        assert_status(again.outcome.status, STATUS_REQUEST_ID_REUSED);
        assert_u64(again.outcome.differs, table[i].differs);
        assert_u64(again.outcome.existing_seq, first.record.seq);
        assert_int_equal(again.outcome.existing_kind, RECORD_ADJUSTMENT);
    }
    assert_u64(book_records(book), 2);
    book_close(book);
}

/* --- listing ---------------------------------------------------------------------------------- */

static size_t list_all(struct book *book, struct record_page page, uint64_t **ret)
{
    uint64_t *seqs = testkit_alloc((book_records(book) + 1) * sizeof *seqs);
    size_t n = 0;
    do {
        struct store_view *view = book_view(book);
        assert_ok(adjustment_list(view, &book->arena, &page));
        book_release(view);
        assert_true(page.n <= page.limit);
        for (unsigned i = 0; i < page.n; i++) {
            assert_int_equal(page.records[i].kind, RECORD_ADJUSTMENT);
            seqs[n++] = page.records[i].seq;
        }
        page.range.after = page.last;
    } while (page.more);
    *ret = seqs;
    return n;
}

static struct record_page first_page(uint64_t customer, unsigned limit)
{
    return (struct record_page){
        .customer = {.seq = customer},
        .range = {.end_us = TIMESTAMP_MAX},
        .limit = limit,
    };
}

/* Usage and voids stand between them in time, and other customers' beside them. */
static void adjustment_list__among_other_records__pages_are_all_of_them_in_order(void **state)
{
    enum { ADJUSTMENTS = 30 };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t other = book_add_customer(book, NULL);
    uint64_t expected[ADJUSTMENTS];
    uint64_t *seqs;
    (void)state;
    for (int i = 0; i < ADJUSTMENTS; i++) {
        expected[i] = book_add_adjustment(book, customer, "S", "1", 1000 + i / 3);
        book_add_void(book, customer, book_add_usage(book, customer, "S", "1", "1", 1000 + i / 3));
        book_add_adjustment(book, other, "S", "1", 1000);
    }
    for (unsigned limit = 1; limit <= ADJUSTMENTS + 1; limit += 6) {
        assert_u64(list_all(book, first_page(customer, limit), &seqs), ADJUSTMENTS);
        for (int i = 0; i < ADJUSTMENTS; i++) {
            assert_u64(seqs[i], expected[i]);
        }
    }
    book_close(book);
}

static void adjustment_list__window_service_and_clock__choose(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t *seqs;
    (void)state;
    uint64_t bare = book_add_adjustment(book, customer, "", "1", 100);
    uint64_t named = book_add_adjustment(book, customer, "S", "1", 199);
    memory_store_set_billed_until(book->memory, customer, 300);
    uint64_t late = book_add_adjustment(book, customer, "S", "-1", 50);
    struct record_page page = first_page(customer, 1);
    assert_u64(list_all(book, page, &seqs), 3);
    assert_u64(seqs[0], late);
    page.range.by = STORE_BY_BILLED;
    assert_u64(list_all(book, page, &seqs), 3);
    assert_u64(seqs[0], bare);
    assert_u64(seqs[2], late);
    page.service = SLICE("S");
    assert_u64(list_all(book, page, &seqs), 2);
    page.range.end_us = 300;
    assert_u64(list_all(book, page, &seqs), 1);
    assert_u64(seqs[0], named);
    page.range.end_us = 199;
    assert_u64(list_all(book, page, &seqs), 0);
    book_close(book);
}

static void adjustment_list__nobody_or_damaged__is_an_error(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct record_page of_nobody = first_page(99, 1);
    struct record_page page = first_page(customer, 10);
    (void)state;
    memory_store_damage(book->memory, book_add_adjustment(book, customer, "", "1", 100));
    struct store_view *view = book_view(book);
    assert_status(adjustment_list(view, &book->arena, &of_nobody), STATUS_CUSTOMER_NOT_FOUND);
    assert_status(adjustment_list(view, &book->arena, &page), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(adjustment_create__new__is_recorded_as_asked),
    cmocka_unit_test(adjustment_create__amount_at_its_bound__is_refused_and_just_below_taken),
    cmocka_unit_test(adjustment_create__a_day_ahead__is_taken_and_a_microsecond_more_refused),
    cmocka_unit_test(adjustment_create__nobody__is_refused),
    cmocka_unit_test(adjustment_create__before_the_last_invoices_end__bills_there_and_is_late),
    cmocka_unit_test(adjustment_create__same_id_same_payload__is_the_first_record_again),
    cmocka_unit_test(adjustment_create__same_id_other_payload__names_exactly_what_differs),
    cmocka_unit_test(adjustment_list__among_other_records__pages_are_all_of_them_in_order),
    cmocka_unit_test(adjustment_list__window_service_and_clock__choose),
    cmocka_unit_test(adjustment_list__nobody_or_damaged__is_an_error),
};

TESTKIT_MAIN(tests)
