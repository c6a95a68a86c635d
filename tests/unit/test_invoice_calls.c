/* Invoices through the desk: what is answered, what is refused, and in which words. */
#include "billingd/base/clock.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/calls.h"

static Billing__V1__Usage *use(struct desk *desk, const char *customer, const char *service,
                               const char *units, int64_t time_us)
{
    Billing__V1__UsageInput *m = desk_usage_input(customer, service, units, "0.5", NULL);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), m);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    return response->create_usage->usage;
}

static Billing__V1__Adjustment *adjust(struct desk *desk, const char *customer, const char *amount,
                                       const char *service, int64_t time_us)
{
    Billing__V1__CreateAdjustment *m = adjustment_input(customer, amount, "goodwill", NULL);
    DESK_SET(m, service, service);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    Billing__V1__Response *response = call(desk, CALL(CREATE_ADJUSTMENT), m);
    assert_int_equal(response->result_case, CALL(CREATE_ADJUSTMENT));
    return response->create_adjustment->adjustment;
}

static void void_usage(struct desk *desk, const char *customer, const Billing__V1__Usage *usage)
{
    Billing__V1__Response *response =
        call(desk, CALL(VOID_USAGE), void_input(customer, desk_text(usage->id), "wrong", NULL));
    assert_int_equal(response->result_case, CALL(VOID_USAGE));
}

static Billing__V1__Response *finalize(struct desk *desk, const char *customer, int64_t end_us,
                                       const char *request_id)
{
    Billing__V1__Response *response =
        call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, end_us, request_id));
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    return response;
}

static Billing__V1__Invoice *get(struct desk *desk, uint64_t number)
{
    Billing__V1__Response *response = call(desk, CALL(GET_INVOICE), get_invoice_input(number));
    assert_int_equal(response->result_case, CALL(GET_INVOICE));
    return response->get_invoice->invoice;
}

static Billing__V1__Verification *verify(struct desk *desk, uint64_t number)
{
    Billing__V1__Response *response = call(desk, CALL(VERIFY_INVOICE), verify_input(number));
    assert_int_equal(response->result_case, CALL(VERIFY_INVOICE));
    return response->verify_invoice->verification;
}

static void assert_same_invoice(const Billing__V1__Invoice *a, const Billing__V1__Invoice *b)
{
    size_t bytes = billing__v1__invoice__get_packed_size(a);
    uint8_t *packed_a = testkit_alloc(bytes + 1);
    uint8_t *packed_b = testkit_alloc(bytes + 1);
    assert_u64(billing__v1__invoice__get_packed_size(b), bytes);
    billing__v1__invoice__pack(a, packed_a);
    billing__v1__invoice__pack(b, packed_b);
    assert_memory_equal(packed_a, packed_b, bytes);
}

/* --- what is answered ------------------------------------------------------------------------- */

static void finalize_invoice__a_period__answers_all_of_the_invoice(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    use(desk, customer, "S", "3", 1000);
    void_usage(desk, customer, use(desk, customer, "S", "4", 1001));
    use(desk, customer, "A", "0.33", 1002);
    Billing__V1__Adjustment *credit = adjust(desk, customer, "-0.005", "S", 1003);
    Billing__V1__Adjustment *bare = adjust(desk, customer, "2", NULL, 1004);
    int64_t before_us = clock_wall_us();
    Billing__V1__FinalizeInvoice *m = finalize_input("external:ext", 2000, "r1");
    m->has_start = true;
    m->start = 500;
    Billing__V1__Response *response = call(desk, CALL(FINALIZE_INVOICE), m);
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    assert_field(response->request_id, "r1");
    assert_true(response->has_replayed && !response->replayed);
    assert_false(response->finalize_invoice->has_next_cursor);

    const Billing__V1__Invoice *invoice = response->finalize_invoice->invoice;
    assert_u64(invoice->number, 1);
    assert_field(invoice->customer_id, customer);
    assert_i64(invoice->start, 500);
    assert_i64(invoice->end, 2000);
    assert_field(invoice->currency, "USD");
    assert_field(invoice->exact_total, "3.66");
    assert_field(invoice->total, "3.66"); /* 1.5, 0.16, -0.00 and 2: halves to the even one */
    assert_field(invoice->rounding, "0");
    assert_true(invoice->finalized_at >= before_us && invoice->finalized_at <= clock_wall_us());
    assert_u64(invoice->journal_position, 7);
    assert_u64(invoice->digest.len, 64);
    assert_field(invoice->request_id, "r1");
    assert_field(invoice->recorded_by, "tester");

    assert_u64(invoice->n_lines, 2);
    assert_field(invoice->lines[0]->service, "A");
    assert_field(invoice->lines[0]->price_per_unit, "0.5");
    assert_field(invoice->lines[0]->units_consumed, "0.33");
    assert_field(invoice->lines[0]->exact_amount, "0.165");
    assert_field(invoice->lines[0]->amount, "0.16");
    assert_field(invoice->lines[1]->service, "S");
    assert_field(invoice->lines[1]->units_consumed, "3");
    assert_field(invoice->lines[1]->amount, "1.5");
    assert_u64(invoice->lines[1]->records, 2);
    assert_u64(invoice->lines[1]->voided, 1);
    assert_true(invoice->lines[1]->has_late && invoice->lines[1]->late == 0);
    assert_u64(invoice->n_adjustments, 2);
    assert_field(invoice->adjustments[0]->id, desk_text(credit->id));
    assert_field(invoice->adjustments[0]->service, "S");
    assert_field(invoice->adjustments[0]->exact_amount, "-0.005");
    assert_field(invoice->adjustments[0]->amount, "0");
    assert_field(invoice->adjustments[0]->reason, "goodwill");
    assert_i64(invoice->adjustments[0]->occurred_at, 1003);
    assert_field(invoice->adjustments[1]->id, desk_text(bare->id));
    assert_false(invoice->adjustments[1]->has_service);

    assert_same_invoice(get(desk, 1), invoice);
    desk_close(desk);
}

static void finalize_invoice__again__is_the_first_answer_byte_for_byte(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    use(desk, customer, "S", "3", 1000);
    Billing__V1__Response *first = finalize(desk, customer, 2000, "r1");
    use(desk, customer, "S", "3", 1000); /* late */
    finalize(desk, customer, 3000, NULL);
    uint64_t records = memory_store_counts(desk->memory).records;
    Billing__V1__Response *again = finalize(desk, customer, 2000, "r1");
    assert_true(again->replayed);
    assert_field(again->request_id, "r1");
    assert_same_invoice(again->finalize_invoice->invoice, first->finalize_invoice->invoice);
    assert_same_invoice(get(desk, 1), first->finalize_invoice->invoice);
    assert_u64(memory_store_counts(desk->memory).records, records);
    desk_close(desk);
}

/* Who brings no request id gets one, which leads to the invoice. */
static void get_request__of_an_invoice__names_it_by_its_number(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    finalize(desk, desk_add_customer(desk, NULL), 2000, NULL);
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__Response *made = finalize(desk, customer, 2000, NULL);
    const char *request_id = desk_text(made->request_id);
    assert_u64(made->request_id.len, 36);
    Billing__V1__Response *response =
        call(desk, CALL(GET_REQUEST), get_request_input(customer, request_id));
    assert_int_equal(response->result_case, CALL(GET_REQUEST));
    const Billing__V1__RequestRecord *request = response->get_request->request;
    assert_field(request->request_id, request_id);
    assert_field(request->customer_id, customer);
    assert_field(request->method, "FinalizeInvoice");
    assert_field(request->id, "2");
    assert_i64(request->created_at, made->finalize_invoice->invoice->finalized_at);
    desk_close(desk);
}

static void get_server_info__invoices__are_counted(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (uint64_t i = 0; i < 3; i++) {
        Billing__V1__Response *response = call(desk, CALL(GET_SERVER_INFO), info_input());
        assert_true(response->get_server_info->server->has_invoices);
        assert_u64(response->get_server_info->server->invoices, i);
        finalize(desk, customer, 1000 + (int64_t)i, NULL);
    }
    desk_close(desk);
}

/* --- what is refused -------------------------------------------------------------------------- */

static const Billing__V1__Problem *refusal(struct desk *desk, Billing__V1__FinalizeInvoice *m,
                                           int status)
{
    return desk_problem(call(desk, CALL(FINALIZE_INVOICE), m), status);
}

static void finalize_invoice__wrong_fields__are_named_all_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const Billing__V1__Problem *problem;
    Billing__V1__FinalizeInvoice *m = finalize_input(NULL, 0, "\x01");
    m->has_end = false;
    m->has_start = true;
    m->start = -1;
    problem = refusal(desk, m, STATUS_INVALID_FIELDS);
    assert_u64(problem->n_errors, 4);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "start", STATUS_TIME_OUT_OF_RANGE);
    desk_field(problem, "end", STATUS_MISSING_FIELD);
    desk_field(problem, "request_id", STATUS_OUT_OF_BOUNDS);

    /* One at a time. */
    m = finalize_input(customer, INT64_MIN, "r1");
    problem = refusal(desk, m, STATUS_TIME_OUT_OF_RANGE);
    assert_u64(problem->n_errors, 1); /* not also that it is before the start */
    desk_field(problem, "end", STATUS_TIME_OUT_OF_RANGE);
    m = finalize_input(customer, 0, "r1"); /* nothing is before 1970 */
    problem = refusal(desk, m, STATUS_OUT_OF_BOUNDS);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "end", STATUS_OUT_OF_BOUNDS);
    m = finalize_input(customer, 1000, "r1");
    m->has_start = true;
    for (m->start = 1000; m->start <= 1001; m->start++) {
        problem = refusal(desk, m, STATUS_OUT_OF_BOUNDS);
        char start[TIMESTAMP_TEXT_MAX];
        timestamp_print(m->start, start);
        assert_string_equal(
            desk_field(problem, "end", STATUS_OUT_OF_BOUNDS),
            testkit_format("1970-01-01T00:00:00.001000Z must be later than start, %s", start));
    }
    m->has_end = false;
    problem = refusal(desk, m, STATUS_MISSING_FIELD);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "end", STATUS_MISSING_FIELD);
    refusal(desk, finalize_input("cus_0000000000000000", 1000, "r1"), STATUS_CUSTOMER_NOT_FOUND);
    refusal(desk, finalize_input("external:nobody", 1000, "r1"), STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    finalize(desk, customer, 1000, "r1"); /* the id was not used up */
    desk_close(desk);
}

static void finalize_invoice__rules__say_what_is_in_the_way(void **state)
{
    struct desk *desk = desk_open(NULL);
    const Billing__V1__Problem *problem;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    problem =
        refusal(desk, finalize_input(customer, TIMESTAMP_MAX, "r1"), STATUS_PERIOD_NOT_CLOSED);
    assert_contains(desk_field(problem, "end", STATUS_PERIOD_NOT_CLOSED),
                    "9999-12-31T23:59:59.999999Z lies ahead of the daemon's clock, 2");
    assert_false(problem->has_existing_id);
    assert_field(problem->request_id, "r1");

    finalize(desk, customer, 1000, NULL);
    use(desk, customer, "S", "1", 1500);
    Billing__V1__FinalizeInvoice *m = finalize_input(customer, 2000, "r1");
    m->has_start = true;
    m->start = 1501; /* the usage would be on none */
    problem = refusal(desk, m, STATUS_NOT_CONTIGUOUS);
    assert_false(problem->has_existing_id);
    assert_contains(desk_field(problem, "start", STATUS_NOT_CONTIGUOUS), "no invoice");
    m->start = 999;
    problem = refusal(desk, m, STATUS_NOT_CONTIGUOUS);
    assert_field(problem->existing_id, "1");
    assert_contains(desk_field(problem, "start", STATUS_NOT_CONTIGUOUS), "invoice 1");

    problem = refusal(desk, finalize_input(customer, 1000, "r1"), STATUS_ALREADY_FINALIZED);
    assert_field(problem->existing_id, "1");
    assert_contains(desk_text(problem->detail), "invoice 1");
    assert_u64(problem->n_errors, 0);
    desk_close(desk);
}

static void finalize_invoice__request_id_reused__names_the_fields_and_the_first(void **state)
{
    struct desk *desk = desk_open(NULL);
    const Billing__V1__Problem *problem;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, "usage");
    finalize(desk, customer, 1000, "invoice");
    Billing__V1__FinalizeInvoice *m = finalize_input(customer, 1001, "invoice");
    m->has_start = true;
    m->start = 500;
    problem = refusal(desk, m, STATUS_REQUEST_ID_REUSED);
    assert_field(problem->existing_id, "1");
    assert_field(problem->detail, "request id 'invoice' recorded invoice 1 with another payload");
    assert_u64(problem->n_errors, 2);
    desk_field(problem, "start", STATUS_REQUEST_ID_REUSED);
    desk_field(problem, "end", STATUS_REQUEST_ID_REUSED);
    problem = refusal(desk, finalize_input(customer, 1000, "usage"), STATUS_REQUEST_ID_REUSED);
    assert_field(problem->existing_id, usage);
    assert_contains(desk_text(problem->detail), testkit_format(" recorded %s with ", usage));
    desk_field(problem, "method", STATUS_REQUEST_ID_REUSED);
    problem = desk_problem(call(desk, CALL(CREATE_USAGE), usage_input(customer, "invoice")),
                           STATUS_REQUEST_ID_REUSED);
    assert_field(problem->existing_id, "1");
    desk_close(desk);
}

static void invoices__any_role__may_what_it_may(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    struct {
        enum role least;
        Billing__V1__Request__CallCase which;
        void *message;
    } table[] = {
        {ROLE_WRITER, CALL(FINALIZE_INVOICE), finalize_input(customer, 1000, "r1")},
        {ROLE_READER, CALL(GET_INVOICE), get_invoice_input(1)},
        {ROLE_READER, CALL(LIST_INVOICES), list_invoices_input(NULL)},
        {ROLE_READER, CALL(VERIFY_INVOICE), verify_input(1)},
        {ROLE_READER, CALL(LIST_BILLS), list_bills_input()},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (enum role role = ROLE_NONE; role <= ROLE_ADMIN; role++) {
            desk->who.role = role;
            Billing__V1__Response *response = call(desk, table[i].which, table[i].message);
            bool forbidden = response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
            assert_int_equal(forbidden, role < table[i].least);
            if (forbidden) {
                desk_problem(response,
                             role == ROLE_NONE ? STATUS_UNAUTHENTICATED : STATUS_FORBIDDEN);
            }
        }
    }
    desk_close(desk);
}

/* --- GetInvoice ------------------------------------------------------------------------------- */

static void get_invoice__pages__are_the_whole_and_no_other_lists(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (int i = 0; i < 5; i++) {
        use(desk, customer, testkit_format("s%d", i), "1", 1000);
        adjust(desk, customer, testkit_format("%d", i), NULL, 1000 + i);
    }
    finalize(desk, customer, 2000, NULL);
    Billing__V1__GetInvoice *m = get_invoice_input(1);
    Billing__V1__Response *response = NULL;
    m->has_limit = true;
    for (m->limit = 1; m->limit <= 10; m->limit++) {
        unsigned at = 0;
        m->has_cursor = false;
        do {
            response = call(desk, CALL(GET_INVOICE), m);
            assert_int_equal(response->result_case, CALL(GET_INVOICE));
            const Billing__V1__Invoice *invoice = response->get_invoice->invoice;
            assert_field(invoice->exact_total, "12.5"); /* of the whole */
            for (size_t i = 0; i < invoice->n_lines; i++, at++) {
                assert_field(invoice->lines[i]->service, testkit_format("s%u", at));
            }
            for (size_t i = 0; i < invoice->n_adjustments; i++, at++) {
                assert_field(invoice->adjustments[i]->amount, testkit_format("%u", at - 5));
            }
            m->has_cursor = response->get_invoice->has_next_cursor;
            m->cursor = response->get_invoice->next_cursor;
        } while (m->has_cursor);
        assert_u64(at, 10);
    }
    m->limit = 1;
    response = call(desk, CALL(GET_INVOICE), m);
    Billing__V1__ListInvoices *list = list_invoices_input(NULL);
    list->has_cursor = true;
    list->cursor = response->get_invoice->next_cursor;
    desk_field(desk_problem(call(desk, CALL(LIST_INVOICES), list), STATUS_INVALID_QUERY), "cursor",
               STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

static void get_invoice__wrong_fields_or_no_such_number__is_said(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__GetInvoice *m = get_invoice_input(1);
    desk_problem(call(desk, CALL(GET_INVOICE), m), STATUS_INVOICE_NOT_FOUND);
    m->number = UINT64_MAX;
    desk_problem(call(desk, CALL(GET_INVOICE), m), STATUS_INVOICE_NOT_FOUND);
    desk_problem(call(desk, CALL(VERIFY_INVOICE), verify_input(0)), STATUS_INVOICE_NOT_FOUND);
    m->has_number = false;
    m->has_limit = true;
    m->limit = 1001;
    DESK_SET(m, cursor, "nonsense");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(GET_INVOICE), m), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 3);
    desk_field(problem, "number", STATUS_MISSING_FIELD);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    Billing__V1__VerifyInvoice *v = verify_input(0);
    v->has_number = false;
    desk_field(desk_problem(call(desk, CALL(VERIFY_INVOICE), v), STATUS_INVALID_QUERY), "number",
               STATUS_MISSING_FIELD);
    desk_close(desk);
}

/* --- ListInvoices ----------------------------------------------------------------------------- */

static void list_invoices__of_one_or_of_all__pages_by_number(void **state)
{
    struct desk *desk = desk_open(NULL);
    const char *customers[2];
    (void)state;
    customers[0] = desk_add_customer(desk, "ext");
    customers[1] = desk_add_customer(desk, NULL);
    for (int i = 0; i < 7; i++) {
        use(desk, customers[i % 2], "S", "3", 1000 + i);
        finalize(desk, customers[i % 2], 2000 + i, NULL);
    }
    for (int of = 0; of < 3; of++) {
        Billing__V1__ListInvoices *m = list_invoices_input(of == 0   ? NULL
                                                           : of == 1 ? "external:ext"
                                                                     : customers[1]);
        uint64_t expected = of == 2 ? 2 : 1;
        m->has_limit = true;
        m->limit = 2;
        do {
            Billing__V1__Response *response = call(desk, CALL(LIST_INVOICES), m);
            assert_int_equal(response->result_case, CALL(LIST_INVOICES));
            const Billing__V1__InvoicesReply *reply = response->list_invoices;
            assert_true(reply->n_invoices >= 1 && reply->n_invoices <= 2);
            for (size_t i = 0; i < reply->n_invoices; i++) {
                const Billing__V1__InvoiceTotals *row = reply->invoices[i];
                const Billing__V1__Invoice *whole = get(desk, expected);
                assert_u64(row->number, expected);
                assert_field(row->customer_id, customers[(expected - 1) % 2]);
                assert_i64(row->start, whole->start);
                assert_i64(row->end, 1999 + (int64_t)expected);
                assert_field(row->currency, "USD");
                assert_field(row->exact_total, "1.5");
                assert_field(row->total, "1.5");
                assert_field(row->rounding, "0");
                assert_i64(row->finalized_at, whole->finalized_at);
                assert_u64(row->journal_position, whole->journal_position);
                assert_field(row->digest, desk_text(whole->digest));
                expected += of == 0 ? 1 : 2;
            }
            m->has_cursor = reply->has_next_cursor;
            m->cursor = reply->next_cursor;
        } while (m->has_cursor);
        assert_u64(expected, of == 1 ? 9 : 8);
    }
    desk_problem(call(desk, CALL(LIST_INVOICES), list_invoices_input("external:nobody")),
                 STATUS_CUSTOMER_NOT_FOUND);
    desk_close(desk);
}

/* --- VerifyInvoice ---------------------------------------------------------------------------- */

static void alter_units(struct record *record)
{
    record->usage.units = book_decimal("3");
}

static void alter_adjustment(struct record *record)
{
    record->adjustment.bills_at_us = 5000;
}

static void verify_invoice__sound_or_not__is_told(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    use(desk, customer, "Database Hosting", "1", 1000);
    Billing__V1__Adjustment *credit = adjust(desk, customer, "-2", NULL, 1001);
    Billing__V1__Response *made = finalize(desk, customer, 2000, NULL);
    const Billing__V1__Verification *m = verify(desk, 1);
    assert_u64(m->number, 1);
    assert_true(m->has_verified && m->verified);
    assert_u64(m->records, 2);
    assert_field(m->digest, desk_text(made->finalize_invoice->invoice->digest));
    assert_u64(m->n_differences, 0);

    memory_store_alter(desk->memory, 2, alter_units);
    memory_store_alter(desk->memory, 3, alter_adjustment);
    m = verify(desk, 1);
    assert_true(m->has_verified && !m->verified);
    assert_u64(m->records, 1);
    assert_u64(m->n_differences, 6);
    static const struct {
        const char *what;
        const char *invoice;
        const char *computed;
    } expected[] = {
        {"exact_total", "-1.5", "1.5"},
        {"total", "-1.5", "1.5"},
        {"lines[Database Hosting 0.5].units_consumed", "1", "3"},
        {"lines[Database Hosting 0.5].exact_amount", "0.5", "1.5"},
    };
    assert_field(m->differences[0]->what, "digest");
    assert_field(m->differences[0]->invoice, desk_text(made->finalize_invoice->invoice->digest));
    assert_field(m->differences[0]->computed, desk_text(m->digest));
    for (size_t i = 0; i < 4; i++) {
        assert_field(m->differences[1 + i]->what, expected[i].what);
        assert_field(m->differences[1 + i]->invoice, expected[i].invoice);
        assert_field(m->differences[1 + i]->computed, expected[i].computed);
    }
    assert_field(m->differences[5]->what, testkit_format("adjustments[%s]", desk_text(credit->id)));
    assert_field(m->differences[5]->invoice, "is on the invoice");
    assert_false(m->differences[5]->has_computed);
    desk_close(desk);
}

static void verify_invoice__damaged__names_the_record_and_has_no_digest(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    use(desk, customer, "S", "1", 1000);
    finalize(desk, customer, 2000, NULL);
    memory_store_damage(desk->memory, 2);
    const Billing__V1__Verification *m = verify(desk, 1);
    assert_false(m->verified);
    assert_false(m->has_digest);
    assert_u64(m->n_differences, 1);
    assert_field(m->differences[0]->what, "records[sequence number 2]");
    assert_contains(desk_text(m->differences[0]->computed), "checksum");
    assert_false(m->differences[0]->has_invoice);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(finalize_invoice__a_period__answers_all_of_the_invoice),
    cmocka_unit_test(finalize_invoice__again__is_the_first_answer_byte_for_byte),
    cmocka_unit_test(get_request__of_an_invoice__names_it_by_its_number),
    cmocka_unit_test(get_server_info__invoices__are_counted),
    cmocka_unit_test(finalize_invoice__wrong_fields__are_named_all_at_once),
    cmocka_unit_test(finalize_invoice__rules__say_what_is_in_the_way),
    cmocka_unit_test(finalize_invoice__request_id_reused__names_the_fields_and_the_first),
    cmocka_unit_test(invoices__any_role__may_what_it_may),
    cmocka_unit_test(get_invoice__pages__are_the_whole_and_no_other_lists),
    cmocka_unit_test(get_invoice__wrong_fields_or_no_such_number__is_said),
    cmocka_unit_test(list_invoices__of_one_or_of_all__pages_by_number),
    cmocka_unit_test(verify_invoice__sound_or_not__is_told),
    cmocka_unit_test(verify_invoice__damaged__names_the_record_and_has_no_digest),
};

TESTKIT_MAIN(tests)
