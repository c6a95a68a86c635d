/* Every call through the desk, and what it answers. */
#include "billingd/base/clock.h"
#include "proto/timestamp.h"
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

static bool within_a_minute(int64_t time_us)
{
    int64_t distance_us = clock_wall_us() - time_us;
    return distance_us >= 0 && distance_us < INT64_C(60) * 1000000;
}

/* --- customers -------------------------------------------------------------------------------- */

static void create_customer__valid__is_the_customer_and_its_request_id(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__Request *request =
        desk_request(CALL(CREATE_CUSTOMER),
                     desk_customer_input("A test customer name \xC3\xA9", "ext 1", "r 1"));
    request->has_call_id = true;
    request->call_id = UINT64_MAX;
    Billing__V1__Response *response = desk_call(desk, request);
    assert_int_equal(response->result_case, CALL(CREATE_CUSTOMER));
    assert_u64(response->call_id, UINT64_MAX);
    assert_field(response->request_id, "r 1");
    assert_true(response->has_replayed && !response->replayed);
    const Billing__V1__Customer *customer = response->create_customer->customer;
    assert_memory_equal(customer->id.data, "cus_", 4);
    assert_field(customer->name, "A test customer name \xC3\xA9");
    assert_field(customer->external_id, "ext 1");
    assert_true(within_a_minute(customer->created_at));
    assert_i64(customer->updated_at, customer->created_at);
    desk_close(desk);
}

static void create_customer__no_request_id__is_given_one_that_can_be_looked_up(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__Response *one =
        call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL));
    Billing__V1__Response *two =
        call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL));
    assert_u64(one->request_id.len, 36);
    assert_string_not_equal(desk_text(one->request_id), desk_text(two->request_id));
    assert_false(one->create_customer->customer->has_external_id);
    Billing__V1__Response *found =
        call(desk, CALL(GET_REQUEST), get_request_input(NULL, desk_text(one->request_id)));
    assert_field(found->get_request->request->id, desk_text(one->create_customer->customer->id));
    desk_close(desk);
}

static void create_customer__external_id_taken__is_409_and_names_the_holder(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *holder = desk_add_customer(desk, "ext");
    Billing__V1__Response *response =
        call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("B", "ext", "r1"));
    const Billing__V1__Problem *problem = desk_problem(response, STATUS_EXTERNAL_ID_TAKEN);
    assert_field(problem->existing_id, holder);
    assert_field(problem->request_id, "r1");
    desk_field(problem, "external_id", STATUS_EXTERNAL_ID_TAKEN);
    desk_close(desk);
}

static void get_customer__by_id_and_by_external_id__is_the_same(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *id = desk_add_customer(desk, "a:b c");
    const char *names[] = {id, "external:a:b c"};
    for (int i = 0; i < 2; i++) {
        Billing__V1__Response *response =
            call(desk, CALL(GET_CUSTOMER), get_customer_input(names[i]));
        assert_field(response->get_customer->customer->id, id);
        assert_false(response->has_request_id || response->has_replayed);
    }
    desk_close(desk);
}

static void update_customer__a_new_name__is_seen_at_once_and_again_changes_nothing(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *id = desk_add_customer(desk, "ext");
    Billing__V1__Response *first =
        call(desk, CALL(UPDATE_CUSTOMER), update_input("external:ext", "B"));
    assert_field(first->update_customer->customer->name, "B");
    Billing__V1__Response *again = call(desk, CALL(UPDATE_CUSTOMER), update_input(id, "B"));
    assert_i64(again->update_customer->customer->updated_at,
               first->update_customer->customer->updated_at);
    Billing__V1__Response *found = call(desk, CALL(GET_CUSTOMER), get_customer_input(id));
    assert_field(found->get_customer->customer->name, "B");
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

static void list_customers__all_and_by_external_id__are_found(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__Response *response = call(desk, CALL(LIST_CUSTOMERS), list_customers_input(NULL));
    assert_u64(response->list_customers->n_customers, 0);
    assert_false(response->list_customers->has_next_cursor);
    const char *a = desk_add_customer(desk, "a");
    const char *b = desk_add_customer(desk, NULL);
    response = call(desk, CALL(LIST_CUSTOMERS), list_customers_input(NULL));
    assert_u64(response->list_customers->n_customers, 2);
    assert_field(response->list_customers->customers[0]->id, a);
    assert_field(response->list_customers->customers[1]->id, b);
    response = call(desk, CALL(LIST_CUSTOMERS), list_customers_input("a"));
    assert_u64(response->list_customers->n_customers, 1);
    response = call(desk, CALL(LIST_CUSTOMERS), list_customers_input("nobody's"));
    assert_u64(response->list_customers->n_customers, 0);
    desk_close(desk);
}

/* --- usage ------------------------------------------------------------------------------------ */

static void create_usage__valid__is_the_record_with_its_amount_and_labels_in_order(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *input = usage_input(customer, "r1");
    input->price_per_unit = raw_bytes("0.0500");
    desk_add_label(input, "team", "");
    desk_add_label(input, "env", "prod");
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
    const Billing__V1__Usage *usage = response->create_usage->usage;
    assert_memory_equal(usage->id.data, "use_", 4);
    assert_field(usage->customer_id, customer);
    assert_field(usage->service, "Database Hosting");
    assert_field(usage->units_consumed, "58");
    assert_field(usage->price_per_unit, "0.05");
    assert_field(usage->amount, "2.9");
    assert_true(within_a_minute(usage->created_at));
    assert_i64(usage->occurred_at, usage->created_at);
    assert_i64(usage->bills_at, usage->created_at);
    assert_true(usage->has_late && !usage->late);
    assert_field(usage->request_id, "r1");
    assert_field(usage->recorded_by, "tester");
    assert_u64(usage->n_labels, 2);
    assert_field(usage->labels[0]->name, "env");
    assert_field(usage->labels[1]->name, "team");
    assert_field(usage->labels[1]->value, "");
    assert_field(response->request_id, "r1");
    desk_close(desk);
}

/* The bytes of the answer's usage. */
static uint8_t *pack_usage(const Billing__V1__Response *response, size_t *ret_bytes)
{
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    *ret_bytes = billing__v1__usage_reply__get_packed_size(response->create_usage);
    uint8_t *bytes = testkit_alloc(*ret_bytes);
    billing__v1__usage_reply__pack(response->create_usage, bytes);
    return bytes;
}

static void create_usage__ten_tries_at_once__record_one_and_answer_equal_bytes(void **state)
{
    enum { TRIES = 10 };
    struct desk *desk = desk_open(NULL);
    struct desk_answer *answers[TRIES];
    unsigned replayed = 0;
    size_t first_bytes = 0;
    uint8_t *first = NULL;
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    memory_store_hold_commits(desk->memory);
    for (int i = 0; i < TRIES; i++) {
        Billing__V1__UsageInput *input = usage_input(i % 2 ? customer : "external:ext", "r1");
        desk_add_label(input, i % 2 ? "a" : "b", "1"); /* whatever their order */
        desk_add_label(input, i % 2 ? "b" : "a", "1");
        answers[i] = desk_submit(desk, desk_request(CALL(CREATE_USAGE), input));
    }
    memory_store_open_gate(desk->memory);
    for (int i = 0; i < TRIES; i++) {
        size_t bytes;
        Billing__V1__Response *response = desk_wait(desk, answers[i]);
        uint8_t *packed = pack_usage(response, &bytes);
        first = first == NULL ? packed : first;
        first_bytes = first_bytes == 0 ? bytes : first_bytes;
        assert_u64(bytes, first_bytes);
        assert_memory_equal(packed, first, bytes);
        replayed += (unsigned)response->replayed;
    }
    assert_u64(replayed, TRIES - 1);
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

static void create_usage__id_reused__is_422_naming_fields_and_record(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *first = desk_add_usage(desk, customer, "r1");
    Billing__V1__UsageInput *input = usage_input(customer, "r1");
    input->units_consumed = raw_bytes("59");
    input->has_occurred_at = true;
    input->occurred_at = 5;
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
    const Billing__V1__Problem *problem = desk_problem(response, STATUS_REQUEST_ID_REUSED);
    assert_field(problem->existing_id, first);
    assert_field(problem->request_id, "r1");
    assert_u64(problem->n_errors, 2);
    desk_field(problem, "units_consumed", STATUS_REQUEST_ID_REUSED);
    desk_field(problem, "occurred_at", STATUS_REQUEST_ID_REUSED);
    desk_close(desk);
}

static void create_usage__refused_by_the_rules__is_422_naming_the_field(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *input = usage_input(customer, "r1");
    input->units_consumed = raw_bytes("1e15");
    input->price_per_unit = raw_bytes("1");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_AMOUNT_TOO_LARGE);
    assert_field(problem->request_id, "r1");
    desk_field(problem, "amount", STATUS_AMOUNT_TOO_LARGE);

    input = usage_input(customer, "r1");
    input->has_occurred_at = true;
    input->occurred_at = clock_wall_us() + INT64_C(25) * 3600 * 1000000;
    problem = desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_TIME_OUT_OF_RANGE);
    const char *message = desk_field(problem, "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    char asked[TIMESTAMP_TEXT_MAX];
    timestamp_print(input->occurred_at, asked);
    assert_contains(message, testkit_format("%s is later than 2", asked));
    assert_contains(message, "Z, which is 24 hours ahead of the daemon's clock");
    assert_field(problem->detail, message);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    desk_add_usage(desk, customer, "r1"); /* the id was not used up */
    desk_close(desk);
}

static void get_usage__recorded__is_as_it_was_answered(void **state)
{
    struct desk *desk = desk_open(NULL);
    size_t made_bytes;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__Response *made = call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1"));
    uint8_t *made_packed = pack_usage(made, &made_bytes);
    const char *id = desk_text(made->create_usage->usage->id);
    Billing__V1__Response *found = call(desk, CALL(GET_USAGE), get_usage_input(customer, id));
    assert_u64(billing__v1__usage_reply__get_packed_size(found->get_usage), made_bytes);
    uint8_t *found_packed = testkit_alloc(made_bytes);
    billing__v1__usage_reply__pack(found->get_usage, found_packed);
    assert_memory_equal(found_packed, made_packed, made_bytes);
    desk_close(desk);
}

static void list_usage__window_service_and_clock__choose(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (int i = 0; i < 6; i++) {
        Billing__V1__UsageInput *input =
            desk_usage_input(customer, i % 2 ? "a" : "b", "1", "1", NULL);
        input->has_occurred_at = true;
        input->occurred_at = 1000 + i;
        call(desk, CALL(CREATE_USAGE), input);
    }
    Billing__V1__ListUsage *input = list_usage_input(customer);
    assert_u64(call(desk, CALL(LIST_USAGE), input)->list_usage->n_usage, 6);
    input->has_start = input->has_end = true;
    input->start = 1001;
    input->end = 1004;
    assert_u64(call(desk, CALL(LIST_USAGE), input)->list_usage->n_usage, 3);
    DESK_SET(input, service, "b");
    assert_u64(call(desk, CALL(LIST_USAGE), input)->list_usage->n_usage, 1);
    input->has_by = true;
    input->by = BILLING__V1__CLOCK__BILLED;
    assert_u64(call(desk, CALL(LIST_USAGE), input)->list_usage->n_usage, 1);
    desk_close(desk);
}

/* --- bills and requests ----------------------------------------------------------------------- */

static void get_bill__current__has_lines_and_totals_and_reads_its_own_writes(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    testkit_await_month();
    const char *customer = desk_add_customer(desk, NULL);
    for (int i = 1; i <= 3; i++) {
        desk_add_usage(desk, customer, NULL);
        Billing__V1__Response *response = call(desk, CALL(GET_BILL), bill_input(customer));
        const Billing__V1__Bill *bill = response->get_bill->bill;
        assert_field(bill->customer_id, customer);
        assert_true(bill->start <= clock_wall_us() && clock_wall_us() < bill->end);
        assert_field(bill->currency, "USD");
        assert_u64(bill->n_lines, 1);
        assert_field(bill->lines[0]->service, "Database Hosting");
        assert_field(bill->lines[0]->price_per_unit, "0.05");
        assert_field(bill->lines[0]->units_consumed, testkit_format("%d", 58 * i));
        assert_u64(bill->lines[0]->records, i);
        assert_true(bill->lines[0]->has_voided && bill->lines[0]->voided == 0);
        assert_true(bill->lines[0]->has_late && bill->lines[0]->late == 0);
        static const char *const totals[] = {"2.9", "5.8", "8.7"};
        assert_field(bill->lines[0]->exact_amount, totals[i - 1]);
        assert_field(bill->lines[0]->amount, totals[i - 1]);
        assert_field(bill->exact_total, totals[i - 1]);
        assert_field(bill->total, totals[i - 1]);
        assert_field(bill->rounding, "0");
        assert_u64(bill->n_adjustments, 0);
    }
    desk_close(desk);
}

static void get_bill__a_window__is_that_and_empty_where_nothing_was_used(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    Billing__V1__UsageInput *usage = desk_usage_input(customer, "S", "1", "0.005", NULL);
    usage->has_occurred_at = true;
    usage->occurred_at = 1500;
    call(desk, CALL(CREATE_USAGE), usage);
    Billing__V1__GetBill *input = bill_input("external:ext");
    input->has_start = input->has_end = true;
    input->start = 1500;
    input->end = 1501;
    const Billing__V1__Bill *bill = call(desk, CALL(GET_BILL), input)->get_bill->bill;
    assert_i64(bill->start, 1500);
    assert_i64(bill->end, 1501);
    assert_field(bill->exact_total, "0.005");
    assert_field(bill->total, "0");
    assert_field(bill->rounding, "-0.005");
    input->start = 1501;
    input->end = 2000;
    bill = call(desk, CALL(GET_BILL), input)->get_bill->bill;
    assert_u64(bill->n_lines, 0);
    assert_field(bill->total, "0");
    desk_close(desk);
}

static void get_request__recorded__says_what_became_of_it(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, "r1");
    const Billing__V1__RequestRecord *found =
        call(desk, CALL(GET_REQUEST), get_request_input(customer, "r1"))->get_request->request;
    assert_field(found->request_id, "r1");
    assert_field(found->customer_id, customer);
    assert_field(found->method, "CreateUsage");
    assert_field(found->id, usage);
    assert_true(within_a_minute(found->created_at));
    desk_problem(call(desk, CALL(GET_REQUEST), get_request_input(customer, "r2")),
                 STATUS_REQUEST_NOT_FOUND);
    desk_problem(call(desk, CALL(GET_REQUEST), get_request_input(NULL, "r1")),
                 STATUS_REQUEST_NOT_FOUND);
    desk_close(desk);
}

/* --- the daemon itself ------------------------------------------------------------------------ */

static void get_server_info__after_some_work__counts_it(void **state)
{
    struct desk *desk = desk_open(NULL);
    struct desk_answer *answers[4];
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    for (int i = 0; i < 4; i++) {
        answers[i] = desk_submit(
            desk, desk_request(CALL(CREATE_USAGE), usage_input(customer, i < 3 ? NULL : "r1")));
        if (i == 0) {
            memory_store_wait_held(desk->memory); /* the others share the next commit */
        }
    }
    memory_store_open_gate(desk->memory);
    for (int i = 0; i < 4; i++) {
        desk_wait(desk, answers[i]);
    }
    desk_add_usage(desk, customer, "r1");                                     /* a replay */
    desk_problem(call(desk, CALL(GET_USAGE), get_usage_input(customer, "x")), /* a refusal */
                 STATUS_USAGE_NOT_FOUND);
    desk->dispatch.stats.connections = 7; /* the doors' */
    const Billing__V1__ServerInfo *info =
        call(desk, CALL(GET_SERVER_INFO), info_input())->get_server_info->server;
    assert_field(info->version, "1.2.3");
    assert_field(info->store, "memory");
    assert_field(info->currency, "USD");
    assert_i64(info->started_at, 1000000);
    assert_u64(info->journal_position, 5);
    assert_u64(info->customers, 1);
    assert_u64(info->usage_records, 4);
    assert_u64(info->store_bytes, 4096);
    assert_u64(info->commits, 3);
    assert_u64(info->commit_records, 5);
    assert_field(info->records_per_commit, "1.66");
    assert_u64(info->commit_records_max, 3);
    assert_u64(info->replays, 1);
    assert_u64(info->refusals, 1);
    assert_u64(info->connections, 7);
    assert_u64(info->queued, 0);
    desk_close(desk);
}

static Billing__V1__HealthReply *health(struct desk *desk)
{
    return call(desk, CALL(CHECK_HEALTH), health_input())->check_health;
}

static void check_health__storage_full_or_draining__is_not_ready_and_always_answered(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    desk->who.role = ROLE_NONE;
    assert_int_equal(health(desk)->status, BILLING__V1__HEALTH_REPLY__STATUS__OK);
    assert_true(health(desk)->ready);
    desk->who.role = ROLE_WRITER;
    memory_store_fail(desk->memory, MEMORY_COMMIT, STATUS_STORAGE_FULL, 0, 1);
    desk_problem(call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL)),
                 STATUS_STORAGE_FULL);
    assert_int_equal(health(desk)->status, BILLING__V1__HEALTH_REPLY__STATUS__STORAGE_FULL);
    assert_false(health(desk)->ready);
    desk_add_customer(desk, NULL);
    assert_true(health(desk)->ready);
    dispatch_drain(&desk->dispatch);
    assert_int_equal(health(desk)->status, BILLING__V1__HEALTH_REPLY__STATUS__SHUTTING_DOWN);
    assert_false(health(desk)->ready);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(create_customer__valid__is_the_customer_and_its_request_id),
    cmocka_unit_test(create_customer__no_request_id__is_given_one_that_can_be_looked_up),
    cmocka_unit_test(create_customer__external_id_taken__is_409_and_names_the_holder),
    cmocka_unit_test(get_customer__by_id_and_by_external_id__is_the_same),
    cmocka_unit_test(update_customer__a_new_name__is_seen_at_once_and_again_changes_nothing),
    cmocka_unit_test(list_customers__all_and_by_external_id__are_found),
    cmocka_unit_test(create_usage__valid__is_the_record_with_its_amount_and_labels_in_order),
    cmocka_unit_test(create_usage__ten_tries_at_once__record_one_and_answer_equal_bytes),
    cmocka_unit_test(create_usage__id_reused__is_422_naming_fields_and_record),
    cmocka_unit_test(create_usage__refused_by_the_rules__is_422_naming_the_field),
    cmocka_unit_test(get_usage__recorded__is_as_it_was_answered),
    cmocka_unit_test(list_usage__window_service_and_clock__choose),
    cmocka_unit_test(get_bill__current__has_lines_and_totals_and_reads_its_own_writes),
    cmocka_unit_test(get_bill__a_window__is_that_and_empty_where_nothing_was_used),
    cmocka_unit_test(get_request__recorded__says_what_became_of_it),
    cmocka_unit_test(get_server_info__after_some_work__counts_it),
    cmocka_unit_test(check_health__storage_full_or_draining__is_not_ready_and_always_answered),
};

TESTKIT_MAIN(tests)
