/* Voids and adjustments through the desk, and what is answered. */
#include "billingd/base/clock.h"
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

static const char *text_of(size_t bytes)
{
    char *text = testkit_alloc(bytes + 1);
    memset(text, 'x', bytes);
    return text;
}

/* The bytes of what the answer MEMBER holds, whichever call made it. */
#define PACKED(response, member, type, ret_bytes)                                                  \
    pack(&(response)->member->base, billing__v1__##type##__get_packed_size((response)->member),    \
         ret_bytes)

static uint8_t *pack(const ProtobufCMessage *message, size_t bytes, size_t *ret_bytes)
{
    uint8_t *packed = testkit_alloc(bytes + 1);
    *ret_bytes = protobuf_c_message_pack(message, packed);
    assert_u64(*ret_bytes, bytes);
    return packed;
}

static const char *add_void(struct desk *desk, const char *customer, const char *usage,
                            const char *request_id)
{
    Billing__V1__Response *response =
        call(desk, CALL(VOID_USAGE), void_input(customer, usage, "an error", request_id));
    assert_int_equal(response->result_case, CALL(VOID_USAGE));
    return desk_text(response->void_usage->void_->id);
}

/* --- voids ------------------------------------------------------------------------------------ */

static void void_usage__valid__is_the_void_and_get_void_the_same(void **state)
{
    struct desk *desk = desk_open(NULL);
    size_t made_bytes;
    size_t found_bytes;
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    const char *usage = desk_add_usage(desk, customer, "r1");
    Billing__V1__Response *made =
        call(desk, CALL(VOID_USAGE), void_input("external:ext", usage, "typed twice", "r2"));
    const Billing__V1__Void *m = made->void_usage->void_;
    assert_memory_equal(m->id.data, "voi_", 4);
    assert_field(m->customer_id, customer);
    assert_field(m->usage_id, usage);
    assert_field(m->reason, "typed twice");
    assert_field(m->amount, "-2.9");
    assert_field(m->request_id, "r2");
    assert_field(m->recorded_by, "tester");
    assert_true(m->has_created_at && m->has_bills_at);
    assert_field(made->request_id, "r2");
    assert_true(made->has_replayed && !made->replayed);
    Billing__V1__Response *found = call(desk, CALL(GET_VOID), get_void_input(customer, usage));
    uint8_t *made_packed = PACKED(made, void_usage, void_reply, &made_bytes);
    uint8_t *found_packed = PACKED(found, get_void, void_reply, &found_bytes);
    assert_u64(found_bytes, made_bytes);
    assert_memory_equal(found_packed, made_packed, made_bytes);
    assert_false(found->has_request_id || found->has_replayed);
    desk_close(desk);
}

static void void_usage__again__is_replayed_byte_for_byte_and_under_another_id_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    size_t first_bytes;
    size_t again_bytes;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, "r1");
    Billing__V1__VoidUsage *input = void_input(customer, usage, "an error", "r2");
    Billing__V1__Response *first = call(desk, CALL(VOID_USAGE), input);
    Billing__V1__Response *again = call(desk, CALL(VOID_USAGE), input);
    assert_true(again->replayed);
    uint8_t *first_packed = PACKED(first, void_usage, void_reply, &first_bytes);
    uint8_t *again_packed = PACKED(again, void_usage, void_reply, &again_bytes);
    assert_u64(again_bytes, first_bytes);
    assert_memory_equal(again_packed, first_packed, first_bytes);

    const char *id = desk_text(first->void_usage->void_->id);
    input = void_input(customer, usage, "an error", "r3");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(VOID_USAGE), input), STATUS_ALREADY_VOIDED);
    assert_u64(problem->status, 409);
    assert_field(problem->existing_id, id);
    assert_field(problem->request_id, "r3");
    assert_contains(desk_text(problem->detail), id);
    assert_u64(memory_store_counts(desk->memory).records, 3);
    desk_close(desk);
}

static void void_usage__no_request_id__is_given_one(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    Billing__V1__Response *response =
        call(desk, CALL(VOID_USAGE), void_input(customer, usage, "x", NULL));
    assert_u64(response->request_id.len, 36);
    assert_field(response->void_usage->void_->request_id, desk_text(response->request_id));
    desk_close(desk);
}

static void void_usage__ids_that_name_nothing__are_404(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *other = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    const char *mistyped = testkit_format("%.19s%c", usage, usage[19] == '0' ? '1' : '0');
    const struct {
        const char *customer;
        const char *usage;
        int status;
    } table[] = {
        {customer, "", STATUS_USAGE_NOT_FOUND},       {customer, mistyped, STATUS_USAGE_NOT_FOUND},
        {customer, customer, STATUS_USAGE_NOT_FOUND}, {other, usage, STATUS_USAGE_NOT_FOUND},
        {"cus_x", usage, STATUS_CUSTOMER_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        desk_problem(
            call(desk, CALL(VOID_USAGE), void_input(table[i].customer, table[i].usage, "x", NULL)),
            table[i].status);
        desk_problem(call(desk, CALL(GET_VOID), get_void_input(table[i].customer, table[i].usage)),
                     table[i].status);
    }
    desk_problem(call(desk, CALL(GET_VOID), get_void_input(customer, usage)),
                 STATUS_VOID_NOT_FOUND);
    desk_close(desk);
}

static void void_usage__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const Billing__V1__Problem *problem = desk_problem(
        call(desk, CALL(VOID_USAGE), void_input(NULL, NULL, NULL, "\x7F")), STATUS_INVALID_FIELDS);
    assert_u64(problem->n_errors, 4);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "usage_id", STATUS_MISSING_FIELD);
    desk_field(problem, "reason", STATUS_MISSING_FIELD);
    desk_field(problem, "request_id", STATUS_OUT_OF_BOUNDS);
    problem =
        desk_problem(call(desk, CALL(GET_VOID), get_void_input(NULL, NULL)), STATUS_INVALID_QUERY);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "usage_id", STATUS_MISSING_FIELD);
    assert_u64(memory_store_counts(desk->memory).calls[MEMORY_BEGIN], 0);
    desk_close(desk);
}

/* Both of them: what is text for people. */
static void reason__at_its_bounds__is_taken_and_beyond_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    const char *const bad[] = {"", text_of(1025), "a\nb", "\xC3", "\x1B[2J"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        desk_field(
            desk_problem(call(desk, CALL(VOID_USAGE), void_input(customer, usage, bad[i], NULL)),
                         STATUS_OUT_OF_BOUNDS),
            "reason", STATUS_OUT_OF_BOUNDS);
        desk_field(desk_problem(call(desk, CALL(CREATE_ADJUSTMENT),
                                     adjustment_input(customer, "1", bad[i], NULL)),
                                STATUS_OUT_OF_BOUNDS),
                   "reason", STATUS_OUT_OF_BOUNDS);
    }
    Billing__V1__Response *response =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1", text_of(1024), NULL));
    assert_field(response->create_adjustment->adjustment->reason, text_of(1024));
    response = call(desk, CALL(VOID_USAGE), void_input(customer, usage, text_of(1024), NULL));
    assert_field(response->void_usage->void_->reason, text_of(1024));
    desk_close(desk);
}

/* --- what was voided -------------------------------------------------------------------------- */

/* Read later it says so; the write's answer is the first one for ever. */
static void usage__voided_meanwhile__says_so_when_read_and_not_when_replayed(void **state)
{
    struct desk *desk = desk_open(NULL);
    size_t first_bytes;
    size_t again_bytes;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__Response *first = call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1"));
    const char *usage = desk_text(first->create_usage->usage->id);
    const char *other = desk_add_usage(desk, customer, "r2");
    assert_false(first->create_usage->usage->has_voided_at);
    assert_false(call(desk, CALL(GET_USAGE), get_usage_input(customer, usage))
                     ->get_usage->usage->has_voided_at);
    add_void(desk, customer, usage, "r3");
    int64_t voided_at =
        call(desk, CALL(GET_VOID), get_void_input(customer, usage))->get_void->void_->created_at;

    const Billing__V1__Usage *found =
        call(desk, CALL(GET_USAGE), get_usage_input(customer, usage))->get_usage->usage;
    assert_true(found->has_voided_at);
    assert_i64(found->voided_at, voided_at);
    const Billing__V1__UsageListReply *list =
        call(desk, CALL(LIST_USAGE), list_usage_input(customer))->list_usage;
    assert_u64(list->n_usage, 2);
    for (size_t i = 0; i < list->n_usage; i++) {
        bool voided = strcmp(desk_text(list->usage[i]->id), other) != 0;
        assert_int_equal(list->usage[i]->has_voided_at, voided);
        assert_i64(list->usage[i]->voided_at, voided ? voided_at : 0);
    }

    Billing__V1__Response *again = call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1"));
    assert_true(again->replayed);
    uint8_t *first_packed = PACKED(first, create_usage, usage_reply, &first_bytes);
    uint8_t *again_packed = PACKED(again, create_usage, usage_reply, &again_bytes);
    assert_u64(again_bytes, first_bytes);
    assert_memory_equal(again_packed, first_packed, first_bytes);
    desk_close(desk);
}

/* --- adjustments ------------------------------------------------------------------------------ */

static void create_adjustment__valid__is_the_adjustment(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__CreateAdjustment *input =
        adjustment_input(customer, "-12.500", "goodwill \xC3\xA9", "r1");
    DESK_SET(input, service, "Database Hosting");
    input->has_occurred_at = true;
    input->occurred_at = 1500;
    Billing__V1__Response *response = call(desk, CALL(CREATE_ADJUSTMENT), input);
    const Billing__V1__Adjustment *m = response->create_adjustment->adjustment;
    assert_memory_equal(m->id.data, "adj_", 4);
    assert_field(m->customer_id, customer);
    assert_field(m->amount, "-12.5");
    assert_field(m->reason, "goodwill \xC3\xA9");
    assert_field(m->service, "Database Hosting");
    assert_i64(m->occurred_at, 1500);
    assert_i64(m->bills_at, 1500);
    assert_true(m->has_created_at && m->created_at > 1500);
    assert_true(m->has_late && !m->late);
    assert_field(m->request_id, "r1");
    assert_field(m->recorded_by, "tester");
    assert_field(response->request_id, "r1");
    assert_true(response->has_replayed && !response->replayed);
    desk_close(desk);
}

static void create_adjustment__zero_without_service_or_time__is_now(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__Response *response =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "-0", "x", NULL));
    const Billing__V1__Adjustment *m = response->create_adjustment->adjustment;
    assert_field(m->amount, "0");
    assert_false(m->has_service);
    assert_i64(m->occurred_at, m->created_at);
    assert_u64(response->request_id.len, 36);
    desk_close(desk);
}

static void create_adjustment__after_an_invoice__is_late_and_a_void_bills_there(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    int64_t end_us = clock_wall_us() + INT64_C(3600) * 1000000;
    memory_store_set_billed_until(desk->memory, 1, end_us);
    const Billing__V1__Adjustment *adjustment =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1", "x", NULL))
            ->create_adjustment->adjustment;
    assert_true(adjustment->late);
    assert_i64(adjustment->bills_at, end_us);
    const Billing__V1__Void *voided =
        call(desk, CALL(VOID_USAGE), void_input(customer, usage, "x", NULL))->void_usage->void_;
    assert_i64(voided->bills_at, end_us);
    desk_close(desk);
}

static void create_adjustment__again__is_replayed_or_names_what_differs(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__Response *first =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1.5", "x", "r1"));
    const char *id = desk_text(first->create_adjustment->adjustment->id);
    Billing__V1__Response *again =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1.50", "x", "r1"));
    assert_true(again->replayed);
    assert_field(again->create_adjustment->adjustment->id, id);
    const Billing__V1__Problem *problem = desk_problem(
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "-1.5", "y", "r1")),
        STATUS_REQUEST_ID_REUSED);
    assert_field(problem->existing_id, id);
    assert_u64(problem->n_errors, 2);
    desk_field(problem, "amount", STATUS_REQUEST_ID_REUSED);
    desk_field(problem, "reason", STATUS_REQUEST_ID_REUSED);
    desk_close(desk);
}

static void create_adjustment__refused_by_the_rules__is_422_naming_the_field(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__CreateAdjustment *input = adjustment_input(customer, "-1e15", "x", "r1");
    desk_field(desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), input), STATUS_AMOUNT_TOO_LARGE),
               "amount", STATUS_AMOUNT_TOO_LARGE);
    input = adjustment_input(customer, "1", "x", "r1");
    input->has_occurred_at = true;
    input->occurred_at = clock_wall_us() + INT64_C(25) * 3600 * 1000000;
    desk_field(desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), input), STATUS_TIME_OUT_OF_RANGE),
               "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input("cus_x", "1", "x", "r1")),
                 STATUS_CUSTOMER_NOT_FOUND);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    desk_close(desk);
}

static void create_adjustment__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__CreateAdjustment *input = adjustment_input(NULL, "ten", "", "\n");
    DESK_SET(input, service, text_of(257));
    input->has_occurred_at = true;
    input->occurred_at = -1;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), input), STATUS_INVALID_FIELDS);
    assert_u64(problem->n_errors, 6);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "amount", STATUS_WRONG_TYPE);
    desk_field(problem, "reason", STATUS_OUT_OF_BOUNDS);
    assert_contains(desk_field(problem, "service", STATUS_OUT_OF_BOUNDS), "1 to 256");
    desk_field(problem, "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    desk_field(problem, "request_id", STATUS_OUT_OF_BOUNDS);
    problem =
        desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(NULL, NULL, NULL, NULL)),
                     STATUS_MISSING_FIELD);
    assert_u64(problem->n_errors, 3);
    desk_close(desk);
}

static void create_adjustment__amount_of_any_text__is_a_number_in_bounds_or_named(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: refused */
        int status;
    } table[] = {
        {"-0.000000000000000001", "-0.000000000000000001", 0},
        {"+5", "5", 0},
        {"-1e2", "-100", 0},
        {"-999999999999999.999", "-999999999999999.999", 0},
        {"0.0000000000000000001", NULL, STATUS_OUT_OF_BOUNDS},
        {"1234567890123456789", NULL, STATUS_OUT_OF_BOUNDS},
        {"--1", NULL, STATUS_WRONG_TYPE},
        {"1,5", NULL, STATUS_WRONG_TYPE},
        {"", NULL, STATUS_WRONG_TYPE},
    };
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Billing__V1__Response *response = call(
            desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, table[i].text, "x", NULL));
        if (table[i].printed != NULL) {
            assert_field(response->create_adjustment->adjustment->amount, table[i].printed);
        } else {
            desk_field(desk_problem(response, table[i].status), "amount", table[i].status);
        }
    }
    desk_close(desk);
}

static void list_adjustments__window_service_and_clock__choose(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    desk_add_usage(desk, customer, NULL);
    for (int i = 0; i < 6; i++) {
        Billing__V1__CreateAdjustment *input =
            adjustment_input(customer, testkit_format("%d", i - 3), "x", NULL);
        DESK_SET(input, service, i % 3 == 0 ? NULL : i % 3 == 1 ? "a" : "b");
        input->has_occurred_at = true;
        input->occurred_at = 1005 - i;
        call(desk, CALL(CREATE_ADJUSTMENT), input);
    }
    Billing__V1__ListAdjustments *input = list_adjustments_input(customer);
    const Billing__V1__AdjustmentsReply *list =
        call(desk, CALL(LIST_ADJUSTMENTS), input)->list_adjustments;
    assert_u64(list->n_adjustments, 6);
    assert_false(list->has_next_cursor);
    assert_field(list->adjustments[0]->amount, "2");
    assert_field(list->adjustments[5]->amount, "-3");
    assert_false(list->adjustments[5]->has_service);
    input->has_start = input->has_end = true;
    input->start = 1001;
    input->end = 1005;
    assert_u64(call(desk, CALL(LIST_ADJUSTMENTS), input)->list_adjustments->n_adjustments, 4);
    input->has_by = true;
    input->by = BILLING__V1__CLOCK__BILLED;
    assert_u64(call(desk, CALL(LIST_ADJUSTMENTS), input)->list_adjustments->n_adjustments, 4);
    DESK_SET(input, service, "a");
    list = call(desk, CALL(LIST_ADJUSTMENTS), input)->list_adjustments;
    assert_u64(list->n_adjustments, 2);
    assert_field(list->adjustments[0]->service, "a");
    desk_close(desk);
}

static void list_adjustments__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__ListAdjustments *input = list_adjustments_input(NULL);
    DESK_SET(input, service, "");
    DESK_SET(input, cursor, "x");
    input->has_start = input->has_end = input->has_by = input->has_limit = true;
    input->start = input->end = 5;
    input->by = (Billing__V1__Clock)9;
    input->limit = 1001;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(LIST_ADJUSTMENTS), input), STATUS_INVALID_QUERY);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "service", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "end", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_problem(call(desk, CALL(LIST_ADJUSTMENTS), list_adjustments_input("cus_x")),
                 STATUS_CUSTOMER_NOT_FOUND);
    desk_close(desk);
}

/* --- one name space --------------------------------------------------------------------------- */

static void request_ids__of_all_kinds_of_records__are_one_name_space(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, "usage");
    const char *voided = add_void(desk, customer, usage, "void");
    Billing__V1__Response *made =
        call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1", "x", "adjustment"));
    const char *adjustment = desk_text(made->create_adjustment->adjustment->id);
    const struct {
        const char *request_id;
        const char *id;
        const char *method;
    } table[] = {
        {"usage", usage, "CreateUsage"},
        {"void", voided, "VoidUsage"},
        {"adjustment", adjustment, "CreateAdjustment"},
    };
    for (size_t i = 0; i < 3; i++) {
        const char *request_id = table[i].request_id;
        const Billing__V1__RequestRecord *found =
            call(desk, CALL(GET_REQUEST), get_request_input(customer, request_id))
                ->get_request->request;
        assert_field(found->id, table[i].id);
        assert_field(found->method, table[i].method);
        assert_field(found->customer_id, customer);
        Billing__V1__Response *others[] = {
            call(desk, CALL(CREATE_USAGE), usage_input(customer, request_id)),
            call(desk, CALL(VOID_USAGE), void_input(customer, usage, "an error", request_id)),
            call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1", "x", request_id)),
        };
        for (size_t other = 0; other < 3; other++) {
            if (other == i) {
                assert_true(others[other]->replayed);
                continue;
            }
            const Billing__V1__Problem *problem =
                desk_problem(others[other], STATUS_REQUEST_ID_REUSED);
            assert_field(problem->existing_id, table[i].id);
            desk_field(problem, "method", STATUS_REQUEST_ID_REUSED);
        }
    }
    assert_u64(memory_store_counts(desk->memory).records, 4);
    desk_close(desk);
}

static void writes__asked_by_a_reader__are_forbidden(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    desk->who.role = ROLE_READER;
    desk_problem(call(desk, CALL(VOID_USAGE), void_input(customer, usage, "x", NULL)),
                 STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), adjustment_input(customer, "1", "x", NULL)),
                 STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(GET_VOID), get_void_input(customer, usage)),
                 STATUS_VOID_NOT_FOUND);
    assert_u64(call(desk, CALL(LIST_ADJUSTMENTS), list_adjustments_input(customer))
                   ->list_adjustments->n_adjustments,
               0);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(void_usage__valid__is_the_void_and_get_void_the_same),
    cmocka_unit_test(void_usage__again__is_replayed_byte_for_byte_and_under_another_id_refused),
    cmocka_unit_test(void_usage__no_request_id__is_given_one),
    cmocka_unit_test(void_usage__ids_that_name_nothing__are_404),
    cmocka_unit_test(void_usage__everything_wrong__names_every_field_at_once),
    cmocka_unit_test(reason__at_its_bounds__is_taken_and_beyond_refused),
    cmocka_unit_test(usage__voided_meanwhile__says_so_when_read_and_not_when_replayed),
    cmocka_unit_test(create_adjustment__valid__is_the_adjustment),
    cmocka_unit_test(create_adjustment__zero_without_service_or_time__is_now),
    cmocka_unit_test(create_adjustment__after_an_invoice__is_late_and_a_void_bills_there),
    cmocka_unit_test(create_adjustment__again__is_replayed_or_names_what_differs),
    cmocka_unit_test(create_adjustment__refused_by_the_rules__is_422_naming_the_field),
    cmocka_unit_test(create_adjustment__everything_wrong__names_every_field_at_once),
    cmocka_unit_test(create_adjustment__amount_of_any_text__is_a_number_in_bounds_or_named),
    cmocka_unit_test(list_adjustments__window_service_and_clock__choose),
    cmocka_unit_test(list_adjustments__everything_wrong__names_every_field_at_once),
    cmocka_unit_test(request_ids__of_all_kinds_of_records__are_one_name_space),
    cmocka_unit_test(writes__asked_by_a_reader__are_forbidden),
};

TESTKIT_MAIN(tests)
