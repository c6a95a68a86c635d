/* The calls of the client library: what of their arguments goes over the wire. */
#include <string.h>

#include <billing/billing.h>

#include "proto/limits.h"
#include "tests/unit/client_pair.h"

#define T0 INT64_C(1795345298000000)

static void customer_create__all_given__sent_with_deadline_and_call_id(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    billing_error *error;
    assert_i64(billing_customer_create(pair->client, "Acme", "x-1", "r-1", &reply, &error), 0);
    assert_null(error);
    assert_string_equal(billing_object_text(reply, "customer.id"), "cus_1");
    assert_string_equal(billing_object_text(reply, "customer.external_id"), "x-1");
    assert_string_equal(billing_object_request_id(reply), "r-1");
    assert_false(billing_object_replayed(reply));
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_int_equal(request->call_case, BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER);
    assert_true(request->call_id > 0);
    assert_true(request->timeout_ms > 1000 && request->timeout_ms <= 10000); /* of a try */
    assert_field(request->create_customer, customer_name, "Acme");
    assert_field(request->create_customer, external_id, "x-1");
    assert_field(request->create_customer, request_id, "r-1");
    pair_request_done(request);
}

static void customer_create__no_request_id__one_is_made(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_customer_create(pair->client, NULL, NULL, NULL, &reply, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_false(request->create_customer->has_customer_name);
    assert_false(request->create_customer->has_external_id);
    assert_u64(request->create_customer->request_id.len, 36);
    assert_field(request->create_customer, request_id, billing_object_request_id(reply));
    pair_request_done(request);
    billing_object_free(reply);
}

static void customer_get_and_rename__ids_and_names__sent(void **state)
{
    struct pair *pair = *state;
    assert_i64(billing_customer_get(pair->client, "external:x-1", NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->get_customer, customer_id, "external:x-1");
    pair_request_done(request);
    assert_i64(billing_customer_rename(pair->client, "cus_1", "Other", NULL, NULL), 0);
    request = pair_request(pair);
    assert_field(request->update_customer, customer_id, "cus_1");
    assert_field(request->update_customer, customer_name, "Other");
    pair_request_done(request);
}

static void lists__queries__their_fields_sent_and_no_others(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    assert_i64(billing_customer_list(pair->client, NULL, NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_false(request->list_customers->has_limit);
    pair_request_done(request);
    assert_i64(billing_query_set_limit(query, 7), 0);
    assert_i64(billing_query_set_cursor(query, "c_1"), 0);
    assert_i64(billing_usage_list(pair->client, "cus_1", query, NULL, NULL), 0);
    request = pair_request(pair);
    assert_u64(request->list_usage->limit, 7);
    assert_field(request->list_usage, cursor, "c_1");
    assert_false(request->list_usage->has_start || request->list_usage->has_end ||
                 request->list_usage->has_by || request->list_usage->has_service);
    pair_request_done(request);
    assert_i64(billing_query_set_start_us(query, 0), 0); /* 1970 is a time too */
    assert_i64(billing_query_set_end_us(query, T0), 0);
    assert_i64(billing_bill_get(pair->client, "cus_1", query, NULL, NULL), 0);
    request = pair_request(pair);
    assert_true(request->get_bill->has_start);
    assert_i64(request->get_bill->start, 0);
    assert_i64(request->get_bill->end, T0);
    pair_request_done(request);
    assert_i64(billing_query_set_by(query, BILLING_BY_BILLED), 0);
    assert_i64(billing_query_set_service(query, "s"), 0);
    assert_i64(billing_query_set_cursor(query, NULL), 0);
    assert_i64(billing_usage_list(pair->client, "cus_1", query, NULL, NULL), 0);
    request = pair_request(pair);
    assert_int_equal(request->list_usage->by, BILLING__V1__CLOCK__BILLED);
    assert_field(request->list_usage, service, "s");
    assert_false(request->list_usage->has_cursor);
    pair_request_done(request);
    billing_query_free(query);
}

static void lists__a_field_that_the_call_does_not_take__argument_and_nothing_sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply = (billing_object *)&reply;
    billing_error *error;
    assert_i64(billing_query_set_service(query, "s"), 0);
    assert_i64(billing_customer_list(pair->client, query, &reply, &error), BILLING_E_ARGUMENT);
    assert_null(reply);
    assert_string_equal(billing_error_code(error), "invalid_argument");
    assert_string_equal(billing_error_detail(error), "ListCustomers takes no service");
    assert_int_equal(billing_error_attempts(error), 0);
    billing_error_free(error);
    assert_i64(billing_bill_get(pair->client, "c", query, NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_external_id(query, "x"), 0);
    assert_i64(billing_usage_list(pair->client, "c", query, NULL, NULL), BILLING_E_ARGUMENT);
    assert_u64(fake_requests(pair->fake), 0);
    billing_query_free(query);
}

static void query_setters__past_bounds__refused(void **state)
{
    billing_query *query = billing_query_new();
    (void)state;
    assert_i64(billing_query_set_limit(query, 0), BILLING_E_RANGE);
    assert_i64(billing_query_set_limit(query, 1001), BILLING_E_RANGE);
    assert_i64(billing_query_set_start_us(query, -1), BILLING_E_RANGE);
    assert_i64(billing_query_set_end_us(query, INT64_MAX), BILLING_E_RANGE);
    assert_i64(billing_query_set_by(query, (billing_clock)3), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_cursor(NULL, "c"), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_limit(NULL, 1), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_start_us(NULL, 1), BILLING_E_ARGUMENT);
    billing_query_free(query);
    billing_query_free(NULL);
}

/* --- usage ------------------------------------------------------------------------------------ */

static void usage_create__every_field__sent(void **state)
{
    struct pair *pair = *state;
    billing_usage_input *input = billing_usage_input_new();
    billing_object *reply;
    assert_i64(billing_usage_input_set_customer(input, "cus_0"), 0);
    assert_i64(billing_usage_input_set_customer(input, "cus_1"), 0); /* the last one counts */
    assert_i64(billing_usage_input_set_service(input, "Database Hosting"), 0);
    assert_i64(billing_usage_input_set_units(input, "58"), 0);
    assert_i64(billing_usage_input_set_price(input, "0.05"), 0);
    assert_i64(billing_usage_input_set_time_us(input, T0), 0);
    assert_i64(billing_usage_input_set_request_id(input, "r-1"), 0);
    assert_i64(billing_usage_input_add_label(input, "region", "eu"), 0);
    assert_i64(billing_usage_input_add_label(input, "sku", ""), 0);
    assert_i64(billing_usage_create(pair->client, input, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "usage.labels"), 2);
    assert_string_equal(billing_object_text(billing_object_item(reply, "usage.labels", 0), "value"),
                        "eu");
    assert_string_equal(billing_object_text(reply, "usage.request_id"), "r-1");
    billing_object_free(reply);
    billing_usage_input_free(input);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__UsageInput *sent = request->create_usage;
    assert_field(sent, customer_id, "cus_1");
    assert_field(sent, service, "Database Hosting");
    assert_field(sent, units_consumed, "58");
    assert_field(sent, price_per_unit, "0.05");
    assert_i64(sent->occurred_at, T0);
    assert_field(sent, request_id, "r-1");
    assert_u64(sent->n_labels, 2);
    assert_field(sent->labels[1], name, "sku");
    assert_field(sent->labels[1], value, "");
    pair_request_done(request);
}

static void usage_input__cleared__nothing_of_it_is_left(void **state)
{
    struct pair *pair = *state;
    billing_usage_input *input = billing_usage_input_new();
    assert_i64(billing_usage_input_set_customer(input, "cus_1"), 0);
    assert_i64(billing_usage_input_set_request_id(input, "r-1"), 0);
    assert_i64(billing_usage_input_set_time_us(input, T0), 0);
    assert_i64(billing_usage_input_add_label(input, "a", "b"), 0);
    billing_usage_input_clear(input);
    assert_i64(billing_usage_input_set_service(input, "s"), 0);
    assert_i64(billing_usage_create(pair->client, input, NULL, NULL), 0);
    billing_usage_input_free(input);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__UsageInput *sent = request->create_usage;
    assert_false(sent->has_customer_id || sent->has_occurred_at || sent->has_units_consumed);
    assert_field(sent, service, "s");
    assert_u64(sent->n_labels, 0);
    assert_u64(sent->request_id.len, 36); /* made for the call, not in the input */
    pair_request_done(request);
}

static void usage_input__past_bounds__refused(void **state)
{
    billing_usage_input *input = billing_usage_input_new();
    (void)state;
    for (int i = 0; i < BILLING_LABELS_MAX; i++) {
        assert_i64(billing_usage_input_add_label(input, "a", "b"), 0);
    }
    assert_i64(billing_usage_input_add_label(input, "a", "b"), BILLING_E_FULL);
    assert_i64(billing_usage_input_add_label(input, NULL, "b"), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_input_set_time_us(input, -1), BILLING_E_RANGE);
    assert_i64(billing_usage_input_set_time_us(input, INT64_MAX), BILLING_E_RANGE);
    assert_i64(billing_usage_input_set_service(NULL, "s"), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_input_set_time_us(NULL, 1), BILLING_E_ARGUMENT);
    billing_usage_input_clear(NULL);
    billing_usage_input_free(NULL);
    billing_usage_input_free(input);
}

static void usage_record__plain_case__sent(void **state)
{
    struct pair *pair = *state;
    billing_error *error;
    assert_i64(billing_usage_record(pair->client, "cus_1", "s", "58", "0.05", &error), 0);
    assert_null(error);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->create_usage, customer_id, "cus_1");
    assert_field(request->create_usage, units_consumed, "58");
    assert_field(request->create_usage, price_per_unit, "0.05");
    assert_false(request->create_usage->has_occurred_at);
    assert_u64(request->create_usage->request_id.len, 36);
    pair_request_done(request);
}

static void usage_get_and_request_get__ids__sent(void **state)
{
    struct pair *pair = *state;
    assert_i64(billing_usage_get(pair->client, "cus_1", "use_1", NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->get_usage, customer_id, "cus_1");
    assert_field(request->get_usage, usage_id, "use_1");
    pair_request_done(request);
    assert_i64(billing_request_get(pair->client, NULL, "r-1", NULL, NULL), 0);
    request = pair_request(pair);
    assert_false(request->get_request->has_customer_id);
    assert_field(request->get_request, request_id, "r-1");
    pair_request_done(request);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void add_items(billing_usage_batch *batch, size_t count, const char *request_id)
{
    billing_usage_input *input = billing_usage_input_new();
    assert_i64(billing_usage_input_set_customer(input, "cus_1"), 0);
    assert_i64(billing_usage_input_set_request_id(input, request_id), 0);
    assert_i64(billing_usage_input_add_label(input, "a", "b"), 0);
    for (size_t i = 0; i < count; i++) {
        assert_i64(billing_usage_input_set_units(input, testkit_format("%zu", i)), 0);
        assert_i64(billing_usage_batch_add(batch, input), 0);
    }
    billing_usage_input_free(input);
}

static void batch__ten_thousand_items__sent_in_order_and_no_more(void **state)
{
    struct pair *pair = *state;
    billing_usage_batch *batch = billing_usage_batch_new();
    billing_usage_input *one_more = billing_usage_input_new();
    billing_object *reply;
    add_items(batch, BILLING_BATCH_ITEMS_MAX, "own");
    assert_i64(billing_usage_batch_add(batch, one_more), BILLING_E_FULL);
    assert_u64(billing_usage_batch_count(batch), BILLING_BATCH_ITEMS_MAX);
    assert_i64(billing_usage_batch_create(pair->client, batch, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "results"), BILLING_BATCH_ITEMS_MAX);
    const billing_object *refused = billing_object_item(reply, "results", 9998);
    assert_string_equal(billing_object_text(refused, "status"), "refused");
    assert_string_equal(billing_object_text(refused, "problem.code"), "missing_field");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__CreateUsageBatch *sent = request->create_usage_batch;
    assert_false(sent->has_request_id); /* no item needs it */
    assert_u64(sent->n_usage, BILLING_BATCH_ITEMS_MAX);
    assert_field(sent->usage[9999], units_consumed, "9999");
    assert_field(sent->usage[9999]->labels[0], value, "b");
    pair_request_done(request);
    billing_usage_input_free(one_more);
    billing_usage_batch_free(batch);
}

static void batch__items_without_ids__get_one_for_the_call(void **state)
{
    struct pair *pair = *state;
    billing_usage_batch *batch = billing_usage_batch_new();
    add_items(batch, 1, "own");
    add_items(batch, 1, NULL);
    assert_i64(billing_usage_batch_create(pair->client, batch, NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_u64(request->create_usage_batch->request_id.len, 36);
    assert_field(request->create_usage_batch->usage[0], request_id, "own");
    assert_false(request->create_usage_batch->usage[1]->has_request_id);
    pair_request_done(request);
    assert_i64(billing_usage_batch_set_request_id(batch, "b-1"), 0);
    assert_i64(billing_usage_batch_create(pair->client, batch, NULL, NULL), 0);
    request = pair_request(pair);
    assert_field(request->create_usage_batch, request_id, "b-1");
    pair_request_done(request);
    billing_usage_batch_free(batch);
}

static void batch__cleared__empty_and_usable_again(void **state)
{
    struct pair *pair = *state;
    billing_usage_batch *batch = billing_usage_batch_new();
    add_items(batch, 100, "own");
    assert_i64(billing_usage_batch_set_request_id(batch, "b-1"), 0);
    billing_usage_batch_clear(batch);
    assert_u64(billing_usage_batch_count(batch), 0);
    assert_i64(billing_usage_batch_create(pair->client, batch, NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_u64(request->create_usage_batch->n_usage, 0);
    assert_false(request->create_usage_batch->has_request_id);
    pair_request_done(request);
    add_items(batch, 1, "own");
    assert_u64(billing_usage_batch_count(batch), 1);
    billing_usage_batch_free(batch);
}

static void batch__a_full_frame__takes_no_more(void **state)
{
    char long_value[1024 + 1];
    struct pair *pair = *state;
    billing_usage_batch *batch = billing_usage_batch_new();
    billing_usage_input *input = billing_usage_input_new();
    memset(long_value, 'x', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    for (int i = 0; i < BILLING_LABELS_MAX; i++) {
        assert_i64(billing_usage_input_add_label(input, "a", long_value), 0);
    }
    int status = 0;
    while (status == 0) {
        status = billing_usage_batch_add(batch, input);
    }
    assert_i64(status, BILLING_E_FULL);
    size_t count = billing_usage_batch_count(batch);
    assert_true(count > 900 && count < BILLING_BATCH_ITEMS_MAX);
    assert_i64(billing_usage_batch_create(pair->client, batch, NULL, NULL), 0); /* and it fits */
    assert_true(fake_request(pair->fake, 0).bytes <= LIMIT_FRAME_BYTES_DEFAULT);
    billing_usage_input_free(input);
    billing_usage_batch_free(batch);
}

static void batch__bad_arguments__refused(void **state)
{
    char id[BILLING_REQUEST_ID_BYTES_MAX + 2];
    struct pair *pair = *state;
    billing_usage_batch *batch = billing_usage_batch_new();
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    assert_i64(billing_usage_batch_set_request_id(batch, id), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_batch_set_request_id(batch, ""), BILLING_E_ARGUMENT);
    id[sizeof id - 2] = '\0';
    assert_i64(billing_usage_batch_set_request_id(batch, id), 0);
    assert_i64(billing_usage_batch_set_request_id(NULL, "a"), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_batch_add(batch, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_batch_add(NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_batch_create(pair->client, NULL, NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_create(pair->client, NULL, NULL, NULL), BILLING_E_ARGUMENT);
    assert_u64(billing_usage_batch_count(NULL), 0);
    billing_usage_batch_clear(NULL);
    billing_usage_batch_free(NULL);
    billing_usage_batch_free(batch);
}

/* --- all calls -------------------------------------------------------------------------------- */

static void calls__no_client__argument(void **state)
{
    billing_object *reply;
    billing_error *error;
    (void)state;
    assert_i64(billing_server_info(NULL, &reply, &error), BILLING_E_ARGUMENT);
    assert_null(reply);
    assert_i64(billing_error_kind(error), BILLING_E_ARGUMENT);
    assert_string_equal(billing_error_detail(error), "no client");
    billing_error_free(error);
    assert_i64(billing_customer_create(NULL, "a", NULL, NULL, NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_usage_record(NULL, "a", "b", "1", "1", NULL), BILLING_E_ARGUMENT);
}

static void calls__one_after_the_other__one_connection_and_new_call_ids(void **state)
{
    struct pair *pair = *state;
    for (int i = 0; i < 5; i++) {
        assert_i64(billing_server_health(pair->client, NULL, NULL), 0);
    }
    assert_int_equal(fake_connections(pair->fake), 1);
    for (size_t i = 1; i < 5; i++) {
        assert_true(fake_request(pair->fake, i).call_id != fake_request(pair->fake, 0).call_id);
    }
}

static void calls__larger_than_a_frame__refused_here(void **state)
{
    struct pair *pair = *state;
    billing_options *options = billing_options_new();
    billing_client *client;
    billing_error *error;
    char *name = testkit_alloc(70000);
    memset(name, 'x', 69999);
    assert_i64(billing_options_set_url(options, fake_url(pair->fake)), 0);
    assert_i64(billing_options_set_frame_bytes_max(options, 65536), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    assert_i64(billing_customer_create(client, name, NULL, NULL, NULL, &error), BILLING_E_REFUSED);
    assert_string_equal(billing_error_code(error), "too_large");
    assert_u64(fake_requests(pair->fake), 0);
    billing_error_free(error);
    billing_client_free(client);
}

static int make_id(char *buffer, void *arg)
{
    int *count = arg;
    memcpy(buffer, "mine-0", 7);
    buffer[5] = (char)('0' + (*count)++);
    return *count < 3 ? 0 : 1;
}

static int make_endless_id(char *buffer, void *arg)
{
    (void)arg;
    memset(buffer, 'x', BILLING_REQUEST_ID_BYTES_MAX + 1);
    return 0;
}

static void request_id_maker__own__used_and_its_failure_ends_the_call(void **state)
{
    struct pair *pair = *state;
    billing_options *options = billing_options_new();
    billing_client *client;
    billing_error *error;
    int count = 0;
    assert_i64(billing_options_set_url(options, fake_url(pair->fake)), 0);
    billing_options_set_request_id_maker(options, make_id, &count);
    assert_i64(billing_client_new(options, &client), 0);
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", NULL), 0);
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", NULL), 0);
    assert_string_equal(fake_request(pair->fake, 0).request_id, "mine-0");
    assert_string_equal(fake_request(pair->fake, 1).request_id, "mine-1");
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", &error), BILLING_E_SYSTEM);
    assert_string_equal(billing_error_code(error), "no_request_id");
    billing_error_free(error);
    billing_client_free(client);
    billing_options_set_request_id_maker(options, make_endless_id, NULL);
    assert_i64(billing_client_new(options, &client), 0);
    assert_i64(billing_usage_record(client, "c", "s", "1", "1", NULL), BILLING_E_SYSTEM);
    assert_u64(fake_requests(pair->fake), 2);
    billing_client_free(client);
    billing_options_free(options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

static const struct CMUnitTest tests[] = {
    TEST(customer_create__all_given__sent_with_deadline_and_call_id),
    TEST(customer_create__no_request_id__one_is_made),
    TEST(customer_get_and_rename__ids_and_names__sent),
    TEST(lists__queries__their_fields_sent_and_no_others),
    TEST(lists__a_field_that_the_call_does_not_take__argument_and_nothing_sent),
    TEST(query_setters__past_bounds__refused),
    TEST(usage_create__every_field__sent),
    TEST(usage_input__cleared__nothing_of_it_is_left),
    TEST(usage_input__past_bounds__refused),
    TEST(usage_record__plain_case__sent),
    TEST(usage_get_and_request_get__ids__sent),
    TEST(batch__ten_thousand_items__sent_in_order_and_no_more),
    TEST(batch__items_without_ids__get_one_for_the_call),
    TEST(batch__cleared__empty_and_usable_again),
    TEST(batch__a_full_frame__takes_no_more),
    TEST(batch__bad_arguments__refused),
    TEST(calls__no_client__argument),
    TEST(calls__one_after_the_other__one_connection_and_new_call_ids),
    TEST(calls__larger_than_a_frame__refused_here),
    TEST(request_id_maker__own__used_and_its_failure_ends_the_call),
};

TESTKIT_MAIN(tests)
