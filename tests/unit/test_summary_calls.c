/* SummarizeUsage through the desk: what it answers, its pages, and each wrong field. */
#include "billingd/ledger/summary.h"
#include "tests/lib/book.h"
#include "tests/lib/calls.h"

#define HOUR  BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR
#define DAY   BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY
#define MONTH BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH

static Billing__V1__SummarizeUsage *summarize_input(const char *customer_id)
{
    Billing__V1__SummarizeUsage *m = testkit_alloc(sizeof *m);
    billing__v1__summarize_usage__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static void set_range(Billing__V1__SummarizeUsage *m, const char *start, const char *end)
{
    m->has_start = m->has_end = true;
    m->start = book_time(start);
    m->end = book_time(end);
}

static void set_window(Billing__V1__SummarizeUsage *m, Billing__V1__SummarizeUsage__Window window)
{
    m->has_window = true;
    m->window = window;
}

static void set_group(Billing__V1__SummarizeUsage *m)
{
    m->has_group_by = true;
    m->group_by = BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE;
}

static Billing__V1__SummaryReply *summarize(struct desk *desk, Billing__V1__SummarizeUsage *m)
{
    Billing__V1__Response *response = call(desk, CALL(SUMMARIZE_USAGE), m);
    assert_int_equal(response->result_case, CALL(SUMMARIZE_USAGE));
    return response->summarize_usage;
}

static const char *add_usage(struct desk *desk, const char *customer, const char *service,
                             const char *units, const char *time)
{
    Billing__V1__UsageInput *m = desk_usage_input(customer, service, units, "0.05", NULL);
    m->has_occurred_at = true;
    m->occurred_at = book_time(time);
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), m);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    return desk_text(response->create_usage->usage->id);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void summarize_usage__nothing_chosen__is_all_by_day_and_by_occurrence(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, "ext");
    (void)state;
    add_usage(desk, customer, "S", "58", "2026-09-30T23:59:59.999999Z");
    add_usage(desk, customer, "T", "0.5", "2026-09-30T00:00:00Z");
    add_usage(desk, customer, "S", "1", "2026-10-01T00:00:00Z");
    Billing__V1__SummaryReply *reply = summarize(desk, summarize_input("external:ext"));
    const Billing__V1__Summary *summary = reply->summary;
    assert_false(reply->has_next_cursor);
    assert_field(summary->customer_id, customer);
    assert_false(summary->has_start || summary->has_end);
    assert_int_equal(summary->by, BILLING__V1__CLOCK__OCCURRED);
    assert_int_equal(summary->window, DAY);
    assert_u64(summary->n_rows, 2);
    const Billing__V1__SummaryRow *row = summary->rows[0];
    assert_i64(row->start, book_time("2026-09-30T00:00:00Z"));
    assert_i64(row->end, book_time("2026-10-01T00:00:00Z"));
    assert_false(row->has_service);
    assert_field(row->units_consumed, "58.5");
    assert_field(row->exact_amount, "2.925");
    assert_u64(row->records, 2);
    assert_true(row->has_voided && row->voided == 0);
    assert_true(row->has_late && row->late == 0);
    assert_i64(summary->rows[1]->start, book_time("2026-10-01T00:00:00Z"));
    desk_close(desk);
}

static void summarize_usage__range_window_group_service_and_clock__choose(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__SummarizeUsage *m = summarize_input(customer);
    (void)state;
    add_usage(desk, customer, "S", "1", "2026-09-30T05:00:00Z");
    add_usage(desk, customer, "T", "2", "2026-09-30T05:59:00Z");
    add_usage(desk, customer, "S", "3", "2026-09-30T07:00:00Z");
    set_range(m, "2026-09-30T05:30:00Z", "2026-09-30T07:00:00.000001Z");
    set_window(m, HOUR);
    m->has_by = true;
    m->by = BILLING__V1__CLOCK__BILLED;
    const Billing__V1__Summary *summary = summarize(desk, m)->summary;
    assert_i64(summary->start, m->start);
    assert_i64(summary->end, m->end);
    assert_int_equal(summary->by, BILLING__V1__CLOCK__BILLED);
    assert_int_equal(summary->window, HOUR);
    assert_u64(summary->n_rows, 2);
    assert_i64(summary->rows[0]->start, m->start);
    assert_i64(summary->rows[0]->end, book_time("2026-09-30T06:00:00Z"));
    assert_field(summary->rows[0]->units_consumed, "2");
    assert_i64(summary->rows[1]->end, m->end);
    set_window(m, MONTH);
    set_group(m);
    summary = summarize(desk, m)->summary;
    assert_int_equal(summary->window, MONTH);
    assert_u64(summary->n_rows, 2);
    assert_field(summary->rows[0]->service, "S");
    assert_field(summary->rows[0]->units_consumed, "3");
    assert_field(summary->rows[1]->service, "T");
    DESK_SET(m, service, "T");
    summary = summarize(desk, m)->summary;
    assert_u64(summary->n_rows, 1);
    assert_field(summary->rows[0]->service, "T");
    m->has_group_by = false;
    summary = summarize(desk, m)->summary;
    assert_u64(summary->n_rows, 1);
    assert_false(summary->rows[0]->has_service);
    assert_field(summary->rows[0]->units_consumed, "2");
    desk_close(desk);
}

static void summarize_usage__a_voided_record__counts_and_adds_nothing(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__VoidUsage input = BILLING__V1__VOID_USAGE__INIT;
    (void)state;
    DESK_SET(&input, customer_id, customer);
    DESK_SET(&input, usage_id, add_usage(desk, customer, "S", "4", "2026-09-30T05:00:00Z"));
    DESK_SET(&input, reason, "an error");
    assert_int_equal(call(desk, CALL(VOID_USAGE), &input)->result_case, CALL(VOID_USAGE));
    const Billing__V1__Summary *summary = summarize(desk, summarize_input(customer))->summary;
    assert_u64(summary->n_rows, 1);
    assert_field(summary->rows[0]->units_consumed, "0");
    assert_field(summary->rows[0]->exact_amount, "0");
    assert_u64(summary->rows[0]->records, 1);
    assert_u64(summary->rows[0]->voided, 1);
    desk_close(desk);
}

static void summarize_usage__include_empty__has_every_window_of_the_range(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__SummarizeUsage *m = summarize_input(customer);
    (void)state;
    add_usage(desk, customer, "S", "1", "2024-02-29T05:00:00Z");
    add_usage(desk, customer, "T", "1", "2024-03-01T05:00:00Z");
    set_range(m, "2024-02-28T00:00:00Z", "2024-03-02T00:00:00Z");
    m->has_include_empty = true;
    assert_u64(summarize(desk, m)->summary->n_rows, 2); /* false is the default */
    m->include_empty = true;
    const Billing__V1__Summary *summary = summarize(desk, m)->summary;
    assert_u64(summary->n_rows, 3);
    assert_field(summary->rows[0]->units_consumed, "0");
    assert_field(summary->rows[0]->exact_amount, "0");
    assert_true(summary->rows[0]->has_records && summary->rows[0]->records == 0);
    set_group(m);
    summary = summarize(desk, m)->summary;
    assert_u64(summary->n_rows, 6);
    assert_field(summary->rows[0]->service, "S");
    assert_field(summary->rows[1]->service, "T");
    assert_u64(summary->rows[2]->records, 1);
    assert_u64(summary->rows[3]->records, 0);
    desk_close(desk);
}

/* --- pages ------------------------------------------------------------------------------------ */

static const char *row_text(const Billing__V1__SummaryRow *row)
{
    return testkit_format("%lld %s %s", (long long)row->start, desk_text(row->service),
                          desk_text(row->units_consumed));
}

/* The rows of all pages of M, the kit's. */
static size_t all_pages(struct desk *desk, Billing__V1__SummarizeUsage *m, const char **ret_rows,
                        size_t rows_max)
{
    size_t n = 0;
    m->has_cursor = false;
    for (;;) {
        Billing__V1__SummaryReply *reply = summarize(desk, m);
        assert_true(reply->summary->n_rows <= m->limit);
        for (size_t i = 0; i < reply->summary->n_rows; i++) {
            assert_true(n < rows_max);
            ret_rows[n++] = row_text(reply->summary->rows[i]);
        }
        if (!reply->has_next_cursor) {
            return n;
        }
        const char *cursor = desk_text(reply->next_cursor);
        DESK_SET(m, cursor, cursor);
    }
}

static void summarize_usage__pages_of_any_limit__are_together_the_whole(void **state)
{
    enum { ROWS_MAX = 100 };
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    const char *whole[ROWS_MAX];
    const char *paged[ROWS_MAX];
    (void)state;
    for (int i = 0; i < 24; i++) { /* one of them with the longest name there is */
        const char *service =
            i == 5 ? testkit_format("%0256d", 7) : testkit_format("s%d", i * 7 % 5);
        add_usage(desk, customer, service, testkit_format("%d", i + 1),
                  testkit_format("2026-0%d-%02dT12:00:00Z", 1 + i % 4, 1 + i % 6));
    }
    for (int form = 0; form < 4; form++) {
        Billing__V1__SummarizeUsage *m = summarize_input(customer);
        set_range(m, "2026-01-01T00:00:00Z", "2026-04-07T00:00:00Z");
        set_window(m, form < 2 ? MONTH : DAY);
        if (form % 2 == 0) {
            set_group(m);
        } else {
            m->has_include_empty = m->include_empty = true;
        }
        m->has_limit = true;
        m->limit = 1000;
        size_t n = all_pages(desk, m, whole, ROWS_MAX);
        assert_true(n >= 4);
        for (m->limit = 1; m->limit <= n + 1; m->limit++) {
            assert_u64(all_pages(desk, m, paged, ROWS_MAX), n);
            for (size_t i = 0; i < n; i++) {
                assert_string_equal(paged[i], whole[i]);
            }
        }
    }
    desk_close(desk);
}

static void summarize_usage__a_cursor_of_another_listing__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__SummarizeUsage *m = summarize_input(customer);
    Billing__V1__ListUsage *usage = list_usage_input(customer);
    (void)state;
    for (int i = 0; i < 3; i++) {
        add_usage(desk, customer, "S", "1", testkit_format("2026-01-%02dT00:00:00Z", i + 1));
    }
    m->has_limit = usage->has_limit = true;
    m->limit = usage->limit = 1;
    const char *ours = desk_text(summarize(desk, m)->next_cursor);
    const char *theirs = desk_text(call(desk, CALL(LIST_USAGE), usage)->list_usage->next_cursor);
    DESK_SET(m, cursor, ours);
    assert_u64(summarize(desk, m)->summary->n_rows, 1);
    for (int i = 0; i < 4; i++) {
        m->has_by = i == 0;
        m->by = BILLING__V1__CLOCK__BILLED;
        m->has_window = i == 1;
        m->window = MONTH;
        m->has_group_by = i == 2;
        m->group_by = BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE;
        DESK_SET(m, cursor, i == 3 ? theirs : ours);
        const Billing__V1__Problem *problem =
            desk_problem(call(desk, CALL(SUMMARIZE_USAGE), m), STATUS_INVALID_QUERY);
        desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    }
    desk_close(desk);
}

/* --- wrong fields ----------------------------------------------------------------------------- */

static void summarize_usage__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__SummarizeUsage *m = summarize_input(NULL);
    (void)state;
    m->has_start = m->has_limit = true;
    m->start = -1;
    m->limit = 1001;
    DESK_SET(m, service, "a\nb");
    DESK_SET(m, cursor, "nonsense");
    m->has_include_empty = m->include_empty = true;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(SUMMARIZE_USAGE), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 6);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "service", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "start", STATUS_TIME_OUT_OF_RANGE);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "end", STATUS_MISSING_FIELD);
    desk_close(desk);
}

/* The one field that is wrong with M, and with which status. */
static const char *refused(struct desk *desk, Billing__V1__SummarizeUsage *m, const char *field,
                           int status)
{
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(SUMMARIZE_USAGE), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 1);
    return desk_field(problem, field, status);
}

static void summarize_usage__unknown_choices_and_bad_ranges__are_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    (void)state;
    for (int i = 0; i < 3; i++) {
        Billing__V1__SummarizeUsage *m = summarize_input(customer);
        static const char *const fields[] = {"by", "window", "group_by"};
        m->has_by = i == 0;
        m->by = (Billing__V1__Clock)7;
        m->has_window = i == 1;
        m->window = (Billing__V1__SummarizeUsage__Window)7;
        m->has_group_by = i == 2;
        m->group_by = (Billing__V1__SummarizeUsage__Group)7;
        assert_contains(refused(desk, m, fields[i], STATUS_OUT_OF_BOUNDS), "7");
    }
    Billing__V1__SummarizeUsage *m = summarize_input(customer);
    set_range(m, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    refused(desk, m, "end", STATUS_OUT_OF_BOUNDS);
    desk_problem(call(desk, CALL(SUMMARIZE_USAGE), summarize_input("cus_x")),
                 STATUS_CUSTOMER_NOT_FOUND);
    desk_close(desk);
}

static void summarize_usage__include_empty__needs_a_bounded_range(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__SummarizeUsage *m = summarize_input(customer);
    (void)state;
    m->has_include_empty = m->include_empty = true;
    m->has_end = true;
    m->end = 1000;
    assert_contains(refused(desk, m, "start", STATUS_MISSING_FIELD), "include_empty");
    m->has_end = false;
    m->has_start = true;
    m->start = 1000;
    assert_contains(refused(desk, m, "end", STATUS_MISSING_FIELD), "include_empty");

    set_window(m, HOUR);
    set_range(m, "1970-01-01T00:00:00Z", "1971-02-21T16:00:00Z"); /* 10,000 hours */
    assert_u64(summarize(desk, m)->summary->n_rows, 100);
    set_range(m, "1970-01-01T00:00:00Z", "1971-02-21T16:00:00.000001Z");
    const char *message = refused(desk, m, "include_empty", STATUS_OUT_OF_BOUNDS);
    assert_contains(message, "10001 hours");
    assert_contains(message, testkit_format("%d", SUMMARY_WINDOWS_MAX));
    set_window(m, DAY);
    assert_u64(summarize(desk, m)->summary->n_rows, 100);
    set_range(m, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
    assert_contains(refused(desk, m, "include_empty", STATUS_OUT_OF_BOUNDS), "2932897 days");
    set_window(m, MONTH);
    assert_contains(refused(desk, m, "include_empty", STATUS_OUT_OF_BOUNDS), "96360 months");
    m->include_empty = false;
    assert_u64(summarize(desk, m)->summary->n_rows, 0);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(summarize_usage__nothing_chosen__is_all_by_day_and_by_occurrence),
    cmocka_unit_test(summarize_usage__range_window_group_service_and_clock__choose),
    cmocka_unit_test(summarize_usage__a_voided_record__counts_and_adds_nothing),
    cmocka_unit_test(summarize_usage__include_empty__has_every_window_of_the_range),
    cmocka_unit_test(summarize_usage__pages_of_any_limit__are_together_the_whole),
    cmocka_unit_test(summarize_usage__a_cursor_of_another_listing__is_refused),
    cmocka_unit_test(summarize_usage__everything_wrong__names_every_field_at_once),
    cmocka_unit_test(summarize_usage__unknown_choices_and_bad_ranges__are_refused),
    cmocka_unit_test(summarize_usage__include_empty__needs_a_bounded_range),
};

TESTKIT_MAIN(tests)
