/* ListBillRecords through the desk: what it answers, its pages, and each wrong field. */
#include "tests/lib/book.h"
#include "tests/lib/calls.h"

static Billing__V1__ListBillRecords *records_input(const char *customer_id)
{
    Billing__V1__ListBillRecords *m = testkit_alloc(sizeof *m);
    billing__v1__list_bill_records__init(m);
    DESK_SET(m, customer_id, customer_id);
    return m;
}

static Billing__V1__BillRecordsReply *list(struct desk *desk, Billing__V1__ListBillRecords *m)
{
    Billing__V1__Response *response = call(desk, CALL(LIST_BILL_RECORDS), m);
    assert_int_equal(response->result_case, CALL(LIST_BILL_RECORDS));
    return response->list_bill_records;
}

static Billing__V1__Usage *add_usage(struct desk *desk, const char *customer, const char *service,
                                     const char *price, int64_t time_us, const char *request_id)
{
    Billing__V1__UsageInput *m = desk_usage_input(customer, service, "3", price, request_id);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), m);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    return response->create_usage->usage;
}

static Billing__V1__Void *add_void(struct desk *desk, const char *customer,
                                   const Billing__V1__Usage *usage, const char *request_id)
{
    Billing__V1__VoidUsage m = BILLING__V1__VOID_USAGE__INIT;
    const char *usage_id = desk_text(usage->id);
    DESK_SET(&m, customer_id, customer);
    DESK_SET(&m, request_id, request_id);
    DESK_SET(&m, usage_id, usage_id);
    DESK_SET(&m, reason, "an error");
    Billing__V1__Response *response = call(desk, CALL(VOID_USAGE), &m);
    assert_int_equal(response->result_case, CALL(VOID_USAGE));
    return response->void_usage->void_;
}

static Billing__V1__Adjustment *add_adjustment(struct desk *desk, const char *customer,
                                               const char *service, int64_t time_us,
                                               const char *request_id)
{
    Billing__V1__CreateAdjustment m = BILLING__V1__CREATE_ADJUSTMENT__INIT;
    DESK_SET(&m, customer_id, customer);
    DESK_SET(&m, service, service);
    DESK_SET(&m, request_id, request_id);
    DESK_SET(&m, amount, "-1.50");
    DESK_SET(&m, reason, "goodwill");
    m.has_occurred_at = true;
    m.occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_ADJUSTMENT), &m);
    assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
    return response->create_adjustment->adjustment;
}

static void set_range(Billing__V1__ListBillRecords *m, int64_t start_us, int64_t end_us)
{
    m->has_start = m->has_end = true;
    m->start = start_us;
    m->end = end_us;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void assert_common(const Billing__V1__BillRecord *record, int64_t occurred_us,
                          int64_t bills_at_us, const char *request_id)
{
    assert_i64(record->occurred_at, occurred_us);
    assert_i64(record->bills_at, bills_at_us);
    assert_true(record->has_created_at && record->created_at > 0);
    assert_field(record->request_id, request_id);
    assert_field(record->recorded_by, "tester");
}

static void list_bill_records__each_kind__shows_what_it_adds(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, "ext");
    Billing__V1__ListBillRecords *m = records_input("external:ext");
    (void)state;
    Billing__V1__Usage *usage = add_usage(desk, customer, "S", "0.50", 1000, "r1");
    Billing__V1__Void *voided = add_void(desk, customer, usage, "r2");
    Billing__V1__Adjustment *named = add_adjustment(desk, customer, "S", 1000, "r3");
    Billing__V1__Adjustment *bare = add_adjustment(desk, customer, NULL, 2000, "r4");
    set_range(m, 0, 3000);
    const Billing__V1__BillRecordsReply *reply = list(desk, m);
    assert_u64(reply->n_records, 4);
    assert_false(reply->has_next_cursor);

    const Billing__V1__BillRecord *row = reply->records[0];
    assert_common(row, 1000, 1000, "r1");
    assert_int_equal(row->kind, BILLING__V1__BILL_RECORD__KIND__USAGE);
    assert_field(row->id, desk_text(usage->id));
    assert_field(row->service, "S");
    assert_field(row->price_per_unit, "0.5");
    assert_field(row->units_consumed, "3");
    assert_field(row->exact_amount, "1.5");
    assert_true(row->has_late && !row->late);
    assert_false(row->has_usage_id || row->has_reason);

    row = reply->records[1];
    assert_common(row, 1000, 1000, "r2");
    assert_int_equal(row->kind, BILLING__V1__BILL_RECORD__KIND__VOID);
    assert_field(row->id, desk_text(voided->id));
    assert_field(row->usage_id, desk_text(usage->id));
    assert_field(row->service, "S");
    assert_field(row->price_per_unit, "0.5");
    assert_field(row->units_consumed, "-3");
    assert_field(row->exact_amount, "-1.5");
    assert_field(row->reason, "an error");
    assert_false(row->has_late);

    row = reply->records[2];
    assert_common(row, 1000, 1000, "r3");
    assert_int_equal(row->kind, BILLING__V1__BILL_RECORD__KIND__ADJUSTMENT);
    assert_field(row->id, desk_text(named->id));
    assert_field(row->service, "S");
    assert_field(row->exact_amount, "-1.5");
    assert_field(row->reason, "goodwill");
    assert_true(row->has_late && !row->late);
    assert_false(row->has_usage_id || row->has_price_per_unit || row->has_units_consumed);

    row = reply->records[3];
    assert_common(row, 2000, 2000, "r4");
    assert_field(row->id, desk_text(bare->id));
    assert_false(row->has_service);
    desk_close(desk);
}

/* Late is what occurred before the end of an invoice. */
static void list_bill_records__after_an_invoice__says_what_came_late(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL); /* record 1 */
    Billing__V1__ListBillRecords *m = records_input(customer);
    (void)state;
    Billing__V1__Usage *usage = add_usage(desk, customer, "S", "0.5", 1000, "r1");
    memory_store_set_billed_until(desk->memory, 1, 5000);
    add_usage(desk, customer, "S", "0.5", 2000, "r2");
    add_void(desk, customer, usage, "r3");
    add_adjustment(desk, customer, NULL, 4000, "r4");
    set_range(m, 5000, 6000);
    const Billing__V1__BillRecordsReply *reply = list(desk, m);
    assert_u64(reply->n_records, 3);
    assert_common(reply->records[0], 2000, 5000, "r2");
    assert_true(reply->records[0]->late);
    assert_common(reply->records[1], 1000, 5000, "r3");
    assert_common(reply->records[2], 4000, 5000, "r4");
    assert_true(reply->records[2]->late);
    desk_close(desk);
}

static size_t n_of(struct desk *desk, Billing__V1__ListBillRecords *m)
{
    return list(desk, m)->n_records;
}

static void list_bill_records__period_service_and_price__choose(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__ListBillRecords *m = records_input(customer);
    (void)state;
    add_void(desk, customer, add_usage(desk, customer, "S", "0.5", 1000, NULL), NULL);
    add_usage(desk, customer, "S", "2", 2000, NULL);
    add_usage(desk, customer, "T", "0.5", 2999, NULL);
    add_adjustment(desk, customer, "S", 1000, NULL);
    add_adjustment(desk, customer, NULL, 1000, NULL);
    testkit_await_month();
    desk_add_usage(desk, customer, NULL); /* now */
    assert_u64(n_of(desk, m), 1);         /* on the current bill */
    set_range(m, 1000, 2999);
    assert_u64(n_of(desk, m), 5);
    set_range(m, 1000, 3000);
    assert_u64(n_of(desk, m), 6);
    DESK_SET(m, service, "S");
    assert_u64(n_of(desk, m), 4);
    DESK_SET(m, price_per_unit, "0.500");
    assert_u64(n_of(desk, m), 2);
    m->has_service = false;
    assert_u64(n_of(desk, m), 3);
    DESK_SET(m, price_per_unit, "7");
    assert_u64(n_of(desk, m), 0);
    desk_close(desk);
}

/* --- pages ------------------------------------------------------------------------------------ */

enum {
    ROWS = 24,
};

/* The ids on all pages of M. */
static size_t all_pages(struct desk *desk, Billing__V1__ListBillRecords *m, const char **ret_ids)
{
    size_t n = 0;
    m->has_cursor = false;
    for (;;) {
        const Billing__V1__BillRecordsReply *reply = list(desk, m);
        assert_true(reply->n_records > 0 && reply->n_records <= m->limit);
        for (size_t i = 0; i < reply->n_records; i++) {
            assert_true(n < ROWS);
            ret_ids[n++] = desk_text(reply->records[i]->id);
        }
        if (!reply->has_next_cursor) {
            return n;
        }
        const char *cursor = desk_text(reply->next_cursor);
        DESK_SET(m, cursor, cursor);
    }
}

static void list_bill_records__pages_of_any_limit__are_together_the_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__ListBillRecords *m = records_input(customer);
    const char *whole[ROWS];
    const char *paged[ROWS];
    (void)state;
    for (int i = 0; i < ROWS / 3; i++) {
        int64_t time_us = 1000 + i / 3;
        add_void(desk, customer, add_usage(desk, customer, "S", "0.5", time_us, NULL), NULL);
        add_adjustment(desk, customer, NULL, time_us, NULL);
    }
    set_range(m, 0, 2000);
    m->has_limit = true;
    m->limit = 1000;
    assert_u64(all_pages(desk, m, whole), ROWS);
    for (m->limit = 1; m->limit <= ROWS + 1; m->limit++) {
        assert_u64(all_pages(desk, m, paged), ROWS);
        for (int i = 0; i < ROWS; i++) {
            assert_string_equal(paged[i], whole[i]);
        }
    }
    desk_close(desk);
}

static void list_bill_records__a_cursor_of_another_list__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__ListBillRecords *m = records_input(customer);
    Billing__V1__ListUsage *usage = list_usage_input(customer);
    (void)state;
    desk_add_usage(desk, customer, NULL);
    desk_add_usage(desk, customer, NULL);
    usage->has_limit = usage->has_by = true;
    usage->limit = 1;
    usage->by = BILLING__V1__CLOCK__BILLED;
    const char *theirs = desk_text(call(desk, CALL(LIST_USAGE), usage)->list_usage->next_cursor);
    DESK_SET(m, cursor, theirs);
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(LIST_BILL_RECORDS), m), STATUS_INVALID_QUERY);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* --- wrong fields ----------------------------------------------------------------------------- */

static void list_bill_records__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__ListBillRecords *m = records_input(NULL);
    (void)state;
    m->has_end = m->has_limit = true;
    m->end = 1000;
    DESK_SET(m, service, "");
    DESK_SET(m, price_per_unit, "-1");
    DESK_SET(m, cursor, "nonsense");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(LIST_BILL_RECORDS), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 6);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "service", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "price_per_unit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "start", STATUS_MISSING_FIELD);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    m = records_input(desk_add_customer(desk, NULL));
    set_range(m, 1000, 1000);
    problem = desk_problem(call(desk, CALL(LIST_BILL_RECORDS), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "end", STATUS_OUT_OF_BOUNDS);
    desk_problem(call(desk, CALL(LIST_BILL_RECORDS), records_input("cus_x")),
                 STATUS_CUSTOMER_NOT_FOUND);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(list_bill_records__each_kind__shows_what_it_adds),
    cmocka_unit_test(list_bill_records__after_an_invoice__says_what_came_late),
    cmocka_unit_test(list_bill_records__period_service_and_price__choose),
    cmocka_unit_test(list_bill_records__pages_of_any_limit__are_together_the_whole),
    cmocka_unit_test(list_bill_records__a_cursor_of_another_list__is_refused),
    cmocka_unit_test(list_bill_records__everything_wrong__names_every_field_at_once),
};

TESTKIT_MAIN(tests)
