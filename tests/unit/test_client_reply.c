/* Reading replies and errors: objects by path, their texts, their JSON. */
#include <string.h>

#include <billing/billing.h>

#include "tests/unit/client_pair.h"

static void assert_json(const billing_object *object, const char *expected)
{
    char *text = NULL;
    size_t length = 0;
    assert_i64(billing_object_json(object, &text, &length), 0);
    assert_string_equal(text, expected);
    assert_u64(length, strlen(expected));
    billing_text_free(text);
}

static void text__every_kind__as_the_wire_has_it(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_usage_get(pair->client, "c", "u", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "usage.units_consumed"), "58");
    assert_string_equal(billing_object_text(reply, "usage.price_per_unit"), "0.05");
    assert_string_equal(billing_object_text(reply, "usage.occurred_at"),
                        "2026-11-22T11:01:38.000000Z");
    assert_i64(billing_object_time_us(reply, "usage.occurred_at"), INT64_C(1795345298000000));
    assert_string_equal(billing_object_text(reply, "usage.late"), "false");
    assert_false(billing_object_flag(reply, "usage.late"));
    assert_null(billing_object_text(reply, "usage.request_id")); /* not set */
    assert_null(billing_object_text(reply, "usage"));            /* an object */
    assert_null(billing_object_text(reply, "usage.labels"));     /* a list */
    const billing_object *usage = billing_object_child(reply, "usage");
    assert_string_equal(billing_object_text(usage, "id"), "use_1");
    assert_null(billing_object_request_id(reply)); /* nothing was recorded */
    billing_object_free(reply);
}

static void numbers_and_flags__server__read(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_server_info(pair->client, &reply, NULL), 0);
    assert_u64(billing_object_uint64(reply, "server.usage_records"), UINT64_MAX);
    assert_string_equal(billing_object_text(reply, "server.usage_records"), "18446744073709551615");
    assert_u64(billing_object_uint64(reply, "server.records_per_commit"), 0); /* a decimal */
    assert_string_equal(billing_object_text(reply, "server.records_per_commit"), "12.5");
    assert_u64(billing_object_uint64(reply, "server.commits"), 0); /* not set */
    billing_object_free(reply);
    assert_i64(billing_server_health(pair->client, &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "status"), "shutting_down");
    assert_string_equal(billing_object_text(reply, "ready"), "false");
    assert_int_equal(billing_object_kind(reply, "status"), BILLING_FIELD_TEXT);
    billing_object_free(reply);
}

static void paths__to_nothing__read_as_nothing(void **state)
{
    static const char *const paths[] = {
        "",
        ".",
        "nothing",
        "bill.",
        "bill..total",
        ".bill",
        "bill.nothing",
        "bil",
        "billing",
        "bill.total.x",
        "bill.lines.service",
        "next_cursor",
        "bill.lines",
    };
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_bill_get(pair->client, "c", NULL, &reply, NULL), 0);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_null(billing_object_text(reply, paths[i]));
        assert_null(billing_object_child(reply, paths[i]));
        assert_i64(billing_object_time_us(reply, paths[i]), -1);
        assert_u64(billing_object_uint64(reply, paths[i]), 0);
        assert_false(billing_object_flag(reply, paths[i]));
    }
    assert_null(billing_object_text(reply, NULL));
    assert_null(billing_object_text(NULL, "bill"));
    assert_null(billing_object_item(NULL, "bill", 0));
    assert_u64(billing_object_count(NULL, "bill"), 0);
    assert_int_equal(billing_object_kind(NULL, "bill"), BILLING_FIELD_NONE);
    assert_u64(billing_object_field_count(NULL), 0);
    assert_null(billing_object_field_name(NULL, 0));
    assert_null(billing_object_request_id(NULL));
    assert_false(billing_object_replayed(NULL));
    billing_object_free(NULL);
    billing_object_free(reply);
}

static void lists__items__by_index_and_not_behind_the_end(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_bill_get(pair->client, "c", NULL, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "bill.lines"), 1);
    assert_u64(billing_object_count(reply, "bill.adjustments"), 0);
    assert_u64(billing_object_count(reply, "bill"), 0); /* an object is no list */
    const billing_object *line = billing_object_item(reply, "bill.lines", 0);
    assert_string_equal(billing_object_text(line, "amount"), "2.9");
    assert_u64(billing_object_uint64(line, "records"), 1);
    assert_null(billing_object_item(reply, "bill.lines", 1));
    assert_null(billing_object_item(reply, "bill", 0));
    assert_string_equal(billing_object_text(reply, "bill.rounding"), "-0.5");
    billing_object_free(reply);
}

static void kinds_and_names__any_object__describe_it(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_bill_get(pair->client, "c", NULL, &reply, NULL), 0);
    assert_int_equal(billing_object_kind(reply, "bill"), BILLING_FIELD_OBJECT);
    assert_int_equal(billing_object_kind(reply, "bill.lines"), BILLING_FIELD_LIST);
    assert_int_equal(billing_object_kind(reply, "bill.total"), BILLING_FIELD_NUMBER);
    assert_int_equal(billing_object_kind(reply, "bill.start"), BILLING_FIELD_TIME);
    assert_int_equal(billing_object_kind(reply, "bill.currency"), BILLING_FIELD_TEXT);
    assert_int_equal(billing_object_kind(reply, "next_cursor"), BILLING_FIELD_TEXT); /* unset */
    assert_int_equal(billing_object_kind(reply, "bill.nothing"), BILLING_FIELD_NONE);
    const billing_object *line = billing_object_item(reply, "bill.lines", 0);
    assert_int_equal(billing_object_kind(line, "records"), BILLING_FIELD_NUMBER);
    assert_u64(billing_object_field_count(line), 8);
    assert_string_equal(billing_object_field_name(line, 0), "service");
    assert_string_equal(billing_object_field_name(line, 7), "late");
    assert_null(billing_object_field_name(line, 8));
    billing_object_free(reply);
    assert_i64(billing_server_health(pair->client, &reply, NULL), 0);
    assert_int_equal(billing_object_kind(reply, "ready"), BILLING_FIELD_FLAG);
    billing_object_free(reply);
}

static void json__whole_reply__is_the_rest_body(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_customer_list(pair->client, NULL, &reply, NULL), 0);
    assert_json(reply, "{\"customers\": [{\"id\": \"cus_1\", \"name\": \"Acme \\\"\xc3\xa9\\\"\", "
                       "\"created_at\": \"2026-11-22T11:01:38.000000Z\", "
                       "\"updated_at\": \"2026-11-22T11:01:38.000001Z\"}, "
                       "{\"id\": \"cus_2\", \"name\": \"Acme \\\"\xc3\xa9\\\"\", "
                       "\"created_at\": \"2026-11-22T11:01:38.000000Z\", "
                       "\"updated_at\": \"2026-11-22T11:01:38.000001Z\"}], "
                       "\"next_cursor\": \"go_on-1\"}");
    billing_object_free(reply);
    assert_i64(billing_bill_get(pair->client, "c", NULL, &reply, NULL), 0);
    assert_json(billing_object_item(reply, "bill.lines", 0),
                "{\"service\": \"Database Hosting\", \"price_per_unit\": 0.05, "
                "\"units_consumed\": 58, \"exact_amount\": 2.9, \"amount\": 2.9, "
                "\"records\": 1, \"voided\": 0, \"late\": 0}");
    char *text = (char *)&text;
    assert_i64(billing_object_json(NULL, &text, NULL), BILLING_E_ARGUMENT);
    assert_null(text);
    assert_i64(billing_object_json(reply, NULL, NULL), BILLING_E_ARGUMENT);
    billing_text_free(NULL);
    billing_object_free(reply);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void error__of_fields__names_each(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    billing_error *error;
    assert_i64(billing_customer_create(pair->client, "refused", NULL, "r-1", &reply, &error),
               BILLING_E_REFUSED);
    assert_null(reply);
    assert_i64(billing_error_kind(error), BILLING_E_REFUSED);
    assert_string_equal(billing_error_code(error), "invalid_fields");
    assert_string_equal(billing_error_title(error), "Several fields are wrong");
    assert_string_equal(billing_error_message(error), "Several fields are wrong");
    assert_null(billing_error_detail(error));
    assert_int_equal(billing_error_http_status(error), 422);
    assert_string_equal(billing_error_request_id(error), "r-1");
    assert_string_equal(billing_error_existing_id(error), "cus_0");
    assert_int_equal(billing_error_attempts(error), 1);
    assert_i64(billing_error_retry_after_ms(error), 0);
    assert_u64(billing_error_field_count(error), 2);
    assert_string_equal(billing_error_field_name(error, 0), "customer_name");
    assert_string_equal(billing_error_field_code(error, 0), "out_of_bounds");
    assert_string_equal(billing_error_field_message(error, 0), "must not be 'refused'");
    assert_string_equal(billing_error_field_name(error, 1), "external_id");
    assert_string_equal(billing_error_field_code(error, 1), ""); /* not said */
    assert_null(billing_error_field_name(error, 2));
    assert_json(billing_error_problem(error),
                "{\"title\": \"Several fields are wrong\", \"status\": 422, "
                "\"code\": \"invalid_fields\", \"recorded\": \"no\", "
                "\"errors\": [{\"field\": \"customer_name\", \"code\": \"out_of_bounds\", "
                "\"message\": \"must not be 'refused'\"}, {\"field\": \"external_id\"}], "
                "\"existing_id\": \"cus_0\"}");
    billing_error_free(error);
}

static void error__null__reads_as_want_of_memory(void **state)
{
    (void)state;
    assert_i64(billing_error_kind(NULL), BILLING_OK);
    assert_string_equal(billing_error_code(NULL), "no_memory");
    assert_string_equal(billing_error_message(NULL), "Out of memory");
    assert_string_equal(billing_error_title(NULL), "Out of memory");
    assert_null(billing_error_detail(NULL));
    assert_null(billing_error_request_id(NULL));
    assert_null(billing_error_existing_id(NULL));
    assert_null(billing_error_problem(NULL));
    assert_null(billing_error_field_name(NULL, 0));
    assert_int_equal(billing_error_http_status(NULL), 0);
    assert_int_equal(billing_error_attempts(NULL), 0);
    assert_u64(billing_error_field_count(NULL), 0);
    billing_error_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

static const struct CMUnitTest tests[] = {
    TEST(text__every_kind__as_the_wire_has_it),
    TEST(numbers_and_flags__server__read),
    TEST(paths__to_nothing__read_as_nothing),
    TEST(lists__items__by_index_and_not_behind_the_end),
    TEST(kinds_and_names__any_object__describe_it),
    TEST(json__whole_reply__is_the_rest_body),
    TEST(error__of_fields__names_each),
    cmocka_unit_test(error__null__reads_as_want_of_memory),
};

TESTKIT_MAIN(tests)
