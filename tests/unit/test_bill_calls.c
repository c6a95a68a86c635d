/* Bills with adjustments, and every customer's totals, through the desk. */
#include "billingd/base/clock.h"
#include "billingd/ledger/period.h"
#include "tests/lib/calls.h"

static void use(struct desk *desk, const char *customer, const char *service, const char *units,
                int64_t time_us)
{
    Billing__V1__UsageInput *m = desk_usage_input(customer, service, units, "0.5", NULL);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), m);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
}

static const char *adjust(struct desk *desk, const char *customer, const char *amount,
                          const char *service, int64_t time_us)
{
    Billing__V1__CreateAdjustment *m = adjustment_input(customer, amount, "goodwill", NULL);
    DESK_SET(m, service, service);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_ADJUSTMENT), m);
    assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
    return desk_text(response->create_adjustment->adjustment->id);
}

static void finalize(struct desk *desk, const char *customer, int64_t end_us)
{
    Billing__V1__Response *response =
        call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, end_us, NULL));
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
}

/* --- GetBill ---------------------------------------------------------------------------------- */

static Billing__V1__GetBill *period_input(const char *customer, int64_t start_us, int64_t end_us)
{
    Billing__V1__GetBill *m = bill_input(customer);
    m->has_start = m->has_end = true;
    m->start = start_us;
    m->end = end_us;
    return m;
}

static void get_bill__adjustments__stand_behind_the_lines(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *second = adjust(desk, customer, "2", NULL, 1500);
    const char *first = adjust(desk, customer, "-0.005", "S", 1400);
    use(desk, customer, "S", "3", 1000);
    Billing__V1__Response *response =
        call(desk, CALL(GET_BILL), period_input(customer, 1000, 2000));
    assert_int_equal(response->result_case, CALL(GET_BILL));
    const Billing__V1__Bill *bill = response->get_bill->bill;
    assert_u64(bill->n_lines, 1);
    assert_u64(bill->n_adjustments, 2);
    assert_field(bill->adjustments[0]->id, first);
    assert_field(bill->adjustments[0]->service, "S");
    assert_field(bill->adjustments[0]->exact_amount, "-0.005");
    assert_field(bill->adjustments[0]->amount, "0");
    assert_field(bill->adjustments[0]->reason, "goodwill");
    assert_i64(bill->adjustments[0]->occurred_at, 1400);
    assert_field(bill->adjustments[1]->id, second);
    assert_false(bill->adjustments[1]->has_service);
    assert_field(bill->exact_total, "3.495");
    assert_field(bill->total, "3.5");
    assert_field(bill->rounding, "0.005");
    assert_false(response->get_bill->has_next_cursor);
    desk_close(desk);
}

static void get_bill__pages_over_lines_and_adjustments__are_the_whole(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *long_name = testkit_format("%0*d", LIMIT_SERVICE_BYTES, 9);
    for (int i = 0; i < 4; i++) {
        use(desk, customer, i == 1 ? long_name : testkit_format("%d", i), "1", 1000);
        adjust(desk, customer, testkit_format("%d", i), NULL, 1000 + i / 2);
    }
    Billing__V1__GetBill *m = period_input(customer, 1000, 2000);
    m->has_limit = true;
    for (m->limit = 1; m->limit <= 9; m->limit++) {
        unsigned at = 0;
        m->has_cursor = false;
        do {
            Billing__V1__Response *response = call(desk, CALL(GET_BILL), m);
            assert_int_equal(response->result_case, CALL(GET_BILL));
            const Billing__V1__Bill *bill = response->get_bill->bill;
            assert_field(bill->exact_total, "8"); /* of the whole */
            assert_true(bill->n_lines + bill->n_adjustments >= 1);
            at += (unsigned)bill->n_lines;
            assert_true(bill->n_lines == 0 || at <= 4);
            for (size_t i = 0; i < bill->n_adjustments; i++, at++) {
                assert_field(bill->adjustments[i]->amount, testkit_format("%u", at - 4));
            }
            m->has_cursor = response->get_bill->has_next_cursor;
            m->cursor = response->get_bill->next_cursor;
        } while (m->has_cursor);
        assert_u64(at, 8);
    }
    desk_close(desk);
}

/* --- ListBills -------------------------------------------------------------------------------- */

static Billing__V1__BillsReply *list(struct desk *desk, Billing__V1__ListBills *m)
{
    Billing__V1__Response *response = call(desk, CALL(LIST_BILLS), m);
    assert_int_equal(response->result_case, CALL(LIST_BILLS));
    return response->list_bills;
}

static void list_bills__a_window__has_all_figures_of_everyone(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *one = desk_add_customer(desk, "ext");
    const char *two = desk_add_customer(desk, NULL);
    finalize(desk, one, 1200);
    use(desk, one, "S", "3", 1000); /* late */
    use(desk, one, "T", "0.01", 1300);
    Billing__V1__Response *made =
        call(desk, CALL(CREATE_USAGE), desk_usage_input(one, "S", "1", "0.5", NULL));
    call(desk, CALL(VOID_USAGE),
         void_input(one, desk_text(made->create_usage->usage->id), "wrong", NULL)); /* not in it */
    adjust(desk, one, "-1", NULL, 1300);
    Billing__V1__ListBills *m = list_bills_input();
    m->has_start = m->has_end = true;
    m->start = 1200;
    m->end = 2000;
    const Billing__V1__BillsReply *reply = list(desk, m);
    assert_u64(reply->n_bills, 2);
    assert_false(reply->has_next_cursor);
    const Billing__V1__BillTotals *row = reply->bills[0];
    assert_field(row->customer_id, one);
    assert_field(row->name, "A test customer name");
    assert_field(row->external_id, "ext");
    assert_i64(row->start, 1200);
    assert_i64(row->end, 2000);
    assert_field(row->currency, "USD");
    assert_u64(row->lines, 2);
    assert_u64(row->records, 2);
    assert_true(row->has_voided && row->voided == 0);
    assert_u64(row->late, 1);
    assert_u64(row->adjustments, 1);
    assert_field(row->exact_total, "0.505");
    assert_field(row->total, "0.5");
    assert_field(row->rounding, "-0.005");
    row = reply->bills[1];
    assert_field(row->customer_id, two);
    assert_false(row->has_external_id);
    assert_true(row->has_records && row->records == 0);
    assert_field(row->total, "0");
    desk_close(desk);
}

static void list_bills__an_end_alone__is_what_is_due(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *one = desk_add_customer(desk, NULL);
    desk_add_customer(desk, NULL);
    use(desk, one, "S", "3", 1000);
    Billing__V1__ListBills *m = list_bills_input();
    m->has_end = true;
    m->end = 2000;
    const Billing__V1__BillsReply *reply = list(desk, m);
    assert_u64(reply->n_bills, 1);
    assert_field(reply->bills[0]->customer_id, one);
    assert_i64(reply->bills[0]->start, 0);
    assert_field(reply->bills[0]->total, "1.5");
    finalize(desk, one, 2000);
    assert_u64(list(desk, m)->n_bills, 0);
    desk_close(desk);
}

static void list_bills__neither__is_the_open_period_of_each(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *one = desk_add_customer(desk, NULL);
    int64_t before_us = clock_wall_us();
    desk_add_usage(desk, one, NULL);
    const Billing__V1__BillsReply *reply = list(desk, list_bills_input());
    assert_u64(reply->n_bills, 1);
    struct period period = period_current(before_us, 0);
    if (period_current(clock_wall_us(), 0).start_us == period.start_us) { /* no month's end */
        assert_i64(reply->bills[0]->start, period.start_us);
        assert_i64(reply->bills[0]->end, period.end_us);
        assert_field(reply->bills[0]->total, "2.9");
    }
    desk_close(desk);
}

static void list_bills__pages__are_the_whole_and_no_other_lists(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customers[7];
    (void)state;
    for (int i = 0; i < 7; i++) {
        customers[i] = desk_add_customer(desk, NULL);
    }
    Billing__V1__ListBills *m = list_bills_input();
    m->has_start = m->has_end = m->has_limit = true;
    m->end = 1000;
    for (m->limit = 1; m->limit <= 8; m->limit++) {
        size_t at = 0;
        m->has_cursor = false;
        do {
            const Billing__V1__BillsReply *reply = list(desk, m);
            assert_true(reply->n_bills <= m->limit);
            for (size_t i = 0; i < reply->n_bills; i++, at++) {
                assert_field(reply->bills[i]->customer_id, customers[at]);
            }
            m->has_cursor = reply->has_next_cursor;
            m->cursor = reply->next_cursor;
        } while (m->has_cursor);
        assert_u64(at, 7);
    }
    m->limit = 1;
    Billing__V1__ListCustomers *other = list_customers_input(NULL);
    other->has_cursor = true;
    other->cursor = list(desk, m)->next_cursor;
    desk_field(desk_problem(call(desk, CALL(LIST_CUSTOMERS), other), STATUS_INVALID_QUERY),
               "cursor", STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* A bill that cannot be added up: who it is of, and the reason in place of the figures. */
static void list_bills__one_is_damaged__has_a_problem_and_the_others_their_figures(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *bad = desk_add_customer(desk, "bad");
    const char *good = desk_add_customer(desk, NULL);
    use(desk, bad, "S", "3", 1000); /* record 3 */
    use(desk, good, "S", "3", 1000);
    memory_store_damage(desk->memory, 3);
    Billing__V1__ListBills *m = list_bills_input();
    m->has_end = true;
    m->end = 2000;
    for (int i = 0; i < 2; i++) {
        const Billing__V1__BillsReply *reply = list(desk, m);
        assert_u64(reply->n_bills, 2);
        const Billing__V1__BillTotals *row = reply->bills[0];
        assert_field(row->customer_id, bad);
        assert_field(row->external_id, "bad");
        assert_field(row->problem, "storage_damaged");
        assert_int_equal(row->has_start, m->has_start); /* due: it is unknown from when on */
        assert_i64(row->end, 2000);
        assert_false(row->has_lines || row->has_records || row->has_voided || row->has_late ||
                     row->has_adjustments || row->has_exact_total || row->has_total ||
                     row->has_rounding);
        assert_false(reply->bills[1]->has_problem);
        assert_field(reply->bills[1]->customer_id, good);
        assert_field(reply->bills[1]->total, "1.5");
        m->has_start = true;
    }
    desk_close(desk);
}

static void list_bills__wrong_fields__are_named_all_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__ListBills *m = list_bills_input();
    m->has_limit = m->has_start = true;
    m->start = -1;
    DESK_SET(m, cursor, "nonsense");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(LIST_BILLS), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 4);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "start", STATUS_TIME_OUT_OF_RANGE);
    desk_field(problem, "end", STATUS_MISSING_FIELD);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    m = list_bills_input();
    m->has_start = m->has_end = true;
    m->start = m->end = 1000;
    problem = desk_problem(call(desk, CALL(LIST_BILLS), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "end", STATUS_OUT_OF_BOUNDS);
    m->has_start = false;
    m->end = 0;
    desk_field(desk_problem(call(desk, CALL(LIST_BILLS), m), STATUS_INVALID_QUERY), "end",
               STATUS_OUT_OF_BOUNDS);
    m->end = -1;
    problem = desk_problem(call(desk, CALL(LIST_BILLS), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "end", STATUS_TIME_OUT_OF_RANGE);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(get_bill__adjustments__stand_behind_the_lines),
    cmocka_unit_test(get_bill__pages_over_lines_and_adjustments__are_the_whole),
    cmocka_unit_test(list_bills__a_window__has_all_figures_of_everyone),
    cmocka_unit_test(list_bills__an_end_alone__is_what_is_due),
    cmocka_unit_test(list_bills__neither__is_the_open_period_of_each),
    cmocka_unit_test(list_bills__pages__are_the_whole_and_no_other_lists),
    cmocka_unit_test(list_bills__one_is_damaged__has_a_problem_and_the_others_their_figures),
    cmocka_unit_test(list_bills__wrong_fields__are_named_all_at_once),
};

TESTKIT_MAIN(tests)
