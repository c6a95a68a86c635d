/* The catalogue through the desk, and what is billed under it. */
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

static const char *text_of(size_t bytes)
{
    char *text = testkit_alloc(bytes + 1);
    memset(text, 'x', bytes);
    return text;
}

static const Billing__V1__Service *put(struct desk *desk, const char *name, const char *unit)
{
    Billing__V1__Response *response = call(desk, CALL(PUT_SERVICE), put_service_input(name, unit));
    assert_int_equal(response->result_case, CALL(PUT_SERVICE));
    assert_false(response->has_request_id || response->has_replayed);
    return response->put_service->service;
}

/* --- what is in it ---------------------------------------------------------------------------- */

static void put_service__new_and_the_same_again__is_the_service_recorded_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const Billing__V1__Service *first = put(desk, "Object Storage \xC3\xA9", "GB-month");
    assert_field(first->name, "Object Storage \xC3\xA9");
    assert_field(first->unit, "GB-month");
    assert_i64(first->updated_at, first->created_at);
    const Billing__V1__Service *again = put(desk, "Object Storage \xC3\xA9", "GB-month");
    assert_i64(again->updated_at, first->updated_at);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    const Billing__V1__Service *changed = put(desk, "Object Storage \xC3\xA9", NULL);
    assert_false(changed->has_unit);
    assert_i64(changed->created_at, first->created_at);
    assert_true(changed->updated_at >= first->updated_at);
    const Billing__V1__Service *found =
        call(desk, CALL(GET_SERVICE), get_service_input("Object Storage \xC3\xA9"))
            ->get_service->service;
    assert_false(found->has_unit);
    assert_i64(found->updated_at, changed->updated_at);
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

static void delete_service__there_and_not__is_done_or_404(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    put(desk, "S", NULL);
    Billing__V1__Response *response = call(desk, CALL(DELETE_SERVICE), delete_service_input("S"));
    assert_int_equal(response->result_case, CALL(DELETE_SERVICE));
    const Billing__V1__Problem *problem = desk_problem(
        call(desk, CALL(DELETE_SERVICE), delete_service_input("S")), STATUS_SERVICE_NOT_FOUND);
    assert_u64(problem->status, 404);
    assert_false(problem->has_request_id);
    desk_problem(call(desk, CALL(GET_SERVICE), get_service_input("S")), STATUS_SERVICE_NOT_FOUND);
    assert_u64(call(desk, CALL(LIST_SERVICES), list_services_input())->list_services->n_services,
               0);
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

static void list_services__some__are_by_name_with_their_units(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    put(desk, "b", NULL);
    put(desk, "a", "GB");
    const Billing__V1__ServicesReply *list =
        call(desk, CALL(LIST_SERVICES), list_services_input())->list_services;
    assert_u64(list->n_services, 2);
    assert_field(list->services[0]->name, "a");
    assert_field(list->services[0]->unit, "GB");
    assert_field(list->services[1]->name, "b");
    assert_false(list->services[1]->has_unit);
    assert_false(list->has_next_cursor);
    Billing__V1__ListServices *input = list_services_input();
    input->has_limit = true;
    desk_field(desk_problem(call(desk, CALL(LIST_SERVICES), input), STATUS_INVALID_QUERY), "limit",
               STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

static void services__at_their_bounds__are_taken_and_beyond_named_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const Billing__V1__Service *service = put(desk, text_of(256), text_of(64));
    assert_field(service->name, text_of(256));
    assert_field(service->unit, text_of(64));
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(PUT_SERVICE), put_service_input(text_of(257), text_of(65))),
                     STATUS_OUT_OF_BOUNDS);
    assert_u64(problem->n_errors, 2);
    assert_contains(desk_field(problem, "name", STATUS_OUT_OF_BOUNDS), "1 to 256");
    assert_contains(desk_field(problem, "unit", STATUS_OUT_OF_BOUNDS), "1 to 64");
    problem = desk_problem(call(desk, CALL(PUT_SERVICE), put_service_input("a\tb", "")),
                           STATUS_OUT_OF_BOUNDS);
    assert_u64(problem->n_errors, 2);
    desk_field(desk_problem(call(desk, CALL(PUT_SERVICE), put_service_input(NULL, NULL)),
                            STATUS_MISSING_FIELD),
               "name", STATUS_MISSING_FIELD);
    desk_field(desk_problem(call(desk, CALL(DELETE_SERVICE), delete_service_input(NULL)),
                            STATUS_MISSING_FIELD),
               "name", STATUS_MISSING_FIELD);
    desk_field(
        desk_problem(call(desk, CALL(GET_SERVICE), get_service_input("")), STATUS_INVALID_QUERY),
        "name", STATUS_OUT_OF_BOUNDS);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    desk_close(desk);
}

static void services__asked_by_a_reader__can_be_read_alone(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    put(desk, "S", NULL);
    desk->who.role = ROLE_READER;
    desk_problem(call(desk, CALL(PUT_SERVICE), put_service_input("T", NULL)), STATUS_FORBIDDEN);
    desk_problem(call(desk, CALL(DELETE_SERVICE), delete_service_input("S")), STATUS_FORBIDDEN);
    assert_field(call(desk, CALL(GET_SERVICE), get_service_input("S"))->get_service->service->name,
                 "S");
    assert_u64(call(desk, CALL(LIST_SERVICES), list_services_input())->list_services->n_services,
               1);
    desk_close(desk);
}

/* --- what may be billed ----------------------------------------------------------------------- */

static void listed__another_service__is_422_naming_the_field(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.catalogue_listed = true});
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const Billing__V1__Problem *problem = desk_problem(
        call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1")), STATUS_SERVICE_NOT_ALLOWED);
    assert_u64(problem->status, 422);
    assert_field(problem->request_id, "r1");
    desk_field(problem, "service", STATUS_SERVICE_NOT_ALLOWED);
    put(desk, "Database Hosting", NULL);
    desk_add_usage(desk, customer, "r1");
    Billing__V1__CreateAdjustment *input = adjustment_input(customer, "1", "x", "r2");
    DESK_SET(input, service, "database hosting");
    desk_field(desk_problem(call(desk, CALL(CREATE_ADJUSTMENT), input), STATUS_SERVICE_NOT_ALLOWED),
               "service", STATUS_SERVICE_NOT_ALLOWED);
    DESK_SET(input, service, "Database Hosting");
    assert_false(call(desk, CALL(CREATE_ADJUSTMENT), input)->replayed);
    desk_close(desk);
}

static void listed__in_a_batch__refuses_its_items_alone(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.catalogue_listed = true});
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    put(desk, "a", NULL);
    Billing__V1__UsageInput *items[] = {
        desk_usage_input(customer, "a", "1", "1", NULL),
        desk_usage_input(customer, "b", "1", "1", NULL),
        desk_usage_input(customer, "a", "2", "1", NULL),
    };
    const Billing__V1__UsageBatchReply *reply =
        call(desk, CALL(CREATE_USAGE_BATCH), desk_batch_input(items, 3, "batch"))
            ->create_usage_batch;
    assert_int_equal(reply->results[0]->status, BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED);
    assert_int_equal(reply->results[1]->status, BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED);
    assert_int_equal(reply->results[2]->status, BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED);
    desk_check_problem(reply->results[1]->problem, STATUS_SERVICE_NOT_ALLOWED);
    desk_field(reply->results[1]->problem, "service", STATUS_SERVICE_NOT_ALLOWED);
    desk_close(desk);
}

static void listed__taken_out__retries_are_still_answered(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.catalogue_listed = true});
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    put(desk, "Database Hosting", NULL);
    const char *usage = desk_add_usage(desk, customer, "r1");
    call(desk, CALL(DELETE_SERVICE), delete_service_input("Database Hosting"));
    Billing__V1__Response *again = call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1"));
    assert_true(again->replayed);
    assert_field(again->create_usage->usage->id, usage);
    desk_problem(call(desk, CALL(CREATE_USAGE), usage_input(customer, "r2")),
                 STATUS_SERVICE_NOT_ALLOWED);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(put_service__new_and_the_same_again__is_the_service_recorded_once),
    cmocka_unit_test(delete_service__there_and_not__is_done_or_404),
    cmocka_unit_test(list_services__some__are_by_name_with_their_units),
    cmocka_unit_test(services__at_their_bounds__are_taken_and_beyond_named_at_once),
    cmocka_unit_test(services__asked_by_a_reader__can_be_read_alone),
    cmocka_unit_test(listed__another_service__is_422_naming_the_field),
    cmocka_unit_test(listed__in_a_batch__refuses_its_items_alone),
    cmocka_unit_test(listed__taken_out__retries_are_still_answered),
};

TESTKIT_MAIN(tests)
