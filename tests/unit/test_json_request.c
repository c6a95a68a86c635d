/* JSON bodies into messages: every kind of field, and every way of getting one wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/rpc/json_request.h"
#include "proto/limits.h"
#include "proto/timestamp.h"
#include "tests/lib/testkit.h"

static const struct identity anybody = {.name = SLICE("anonymous"), .role = ROLE_WRITER};

enum {
    ARENA_BYTES = 1 << 20, /* beyond what noting errors keeps free */
};

static struct request *request;
static struct slice reason;

static struct request *new_request(size_t arena_bytes)
{
    request_free(request);
    request = request_create(NULL, &anybody, arena_bytes, NULL, NULL);
    assert_non_null(request);
    reason = (struct slice){0};
    return request;
}

static int end_request(void **state)
{
    (void)state;
    request_free(request);
    request = NULL;
    return 0;
}

static void *new_message(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_need(&request->arena, type->sizeof_message);
    protobuf_c_message_init(type, message);
    return message;
}

/* BODY decoded as a usage record, in memory of its own. */
static Billing__V1__UsageInput *decode_usage(const char *body, int status)
{
    new_request(ARENA_BYTES);
    Billing__V1__UsageInput *usage = new_message(&billing__v1__usage_input__descriptor);
    char *copy = strdup(body);
    assert_status(json_request_decode(request, &usage->base, slice_of(copy), &reason), status);
    free(copy);
    return usage;
}

static void assert_error(int item, const char *field, int status)
{
    for (const struct field_error *e = request_errors(request, item).first; e != NULL;
         e = e->next) {
        if (slice_equal(e->field, slice_of(field))) {
            assert_status(e->status, status);
            assert_true(e->message.length > 0);
            return;
        }
    }
    testkit_fail("no error for '%s' of item %d", field, item);
}

#define assert_bytes(field, expected) assert_text((field).data, (field).len, expected)

/* --- right ------------------------------------------------------------------------------------ */

static void decode__every_kind__is_set(void **state)
{
    (void)state;
    Billing__V1__UsageInput *usage = decode_usage(
        "{\"service\": \"caf\\u00e9 \\ud83d\\ude00\", \"units_consumed\": 58, \"price_per_unit\": "
        "\"0.050\", \"occurred_at\": \"2026-11-22T11:01:38Z\", \"request_id\": \"r1\", "
        "\"labels\": {\"a\": \"1\", \"b\": \"\"}}",
        0);
    assert_null(request->errors.first);
    assert_false(usage->has_customer_id);
    assert_bytes(usage->service, "caf\xC3\xA9 \xF0\x9F\x98\x80");
    assert_bytes(usage->units_consumed, "58");
    assert_bytes(usage->price_per_unit, "0.050");
    assert_true(usage->has_occurred_at);
    assert_i64(usage->occurred_at, INT64_C(1795345298000000));
    assert_bytes(usage->request_id, "r1");
    assert_u64(usage->n_labels, 2);
    assert_bytes(usage->labels[0]->name, "a");
    assert_bytes(usage->labels[0]->value, "1");
    assert_bytes(usage->labels[1]->name, "b");
    assert_true(usage->labels[1]->has_value);
    assert_u64(usage->labels[1]->value.len, 0);
}

static void decode__decimals__keep_their_digits(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"0.1", "0.1"},
        {"1.10", "1.10"},
        {"1e-7", "1e-7"},
        {"1E5", "1E5"},
        {"-0.0", "-0.0"},
        {"-0", "0"},
        {"1e400", "1e400"},
        {"0.0000004", "0.0000004"},
        {"9007199254740993", "9007199254740993"},
        {"999999999999999999", "999999999999999999"},
        {"9999999999999999999", "9999999999999999999"},
        {"18446744073709551616", "18446744073709551616"},
        {"100000000000000000000", "100000000000000000000"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"-123456789012345678901234567890", "-123456789012345678901234567890"},
        {"12345678901234567890.123456789", "12345678901234567890.123456789"},
        {"\"abc\"", "abc"}, /* whose text is for the handler to judge */
        {"\"\"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Billing__V1__UsageInput *usage =
            decode_usage(testkit_format("{\"units_consumed\": %s}", cases[i].json), 0);
        assert_null(request->errors.first);
        assert_true(usage->has_units_consumed);
        assert_bytes(usage->units_consumed, cases[i].text);
    }
}

static void decode__nul_in_text__is_kept_for_the_handler(void **state)
{
    (void)state;
    Billing__V1__UsageInput *usage = decode_usage("{\"service\": \"a\\u0000b\"}", 0);
    assert_u64(usage->service.len, 3);
    assert_memory_equal(usage->service.data, "a\0b", 3);
}

static void decode__count_and_enum__by_their_kind(void **state)
{
    (void)state;
    new_request(ARENA_BYTES);
    Billing__V1__ListUsage *list = new_message(&billing__v1__list_usage__descriptor);
    assert_ok(json_request_decode(request, &list->base, SLICE("{\"limit\": 7, \"by\": \"billed\"}"),
                                  &reason));
    assert_u64(list->limit, 7);
    assert_int_equal(list->by, BILLING__V1__CLOCK__BILLED);
    assert_null(request->errors.first);
}

/* --- wrong fields ----------------------------------------------------------------------------- */

static void decode__wrong_types__all_named_and_unset(void **state)
{
    (void)state;
    Billing__V1__UsageInput *usage = decode_usage(
        "{\"service\": 5, \"units_consumed\": true, \"price_per_unit\": [1], \"occurred_at\": "
        "1795345298, \"request_id\": null, \"labels\": [\"a\"]}",
        0);
    static const char *const fields[] = {"service",     "units_consumed", "price_per_unit",
                                         "occurred_at", "request_id",     "labels"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        assert_error(-1, fields[i], STATUS_WRONG_TYPE);
    }
    assert_u64(request->errors.n, 6);
    assert_false(usage->has_service || usage->has_units_consumed || usage->has_price_per_unit ||
                 usage->has_occurred_at || usage->has_request_id || usage->n_labels > 0);
}

static void decode__null__is_a_wrong_type_everywhere(void **state)
{
    (void)state;
    static const char *const fields[] = {"service",     "units_consumed", "price_per_unit",
                                         "occurred_at", "request_id",     "labels"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        decode_usage(testkit_format("{\"%s\": null}", fields[i]), 0);
        assert_error(-1, fields[i], STATUS_WRONG_TYPE);
    }
}

static void decode__unknown_fields__all_named(void **state)
{
    (void)state;
    decode_usage("{\"unit_price\": 1, \"Service\": \"x\", \"\": 1, \"a\\u0001b\": 2, "
                 "\"gr\xC3\xB6\xC3\x9F"
                 "e\": 1}",
                 0);
    assert_error(-1, "unit_price", STATUS_UNKNOWN_FIELD);
    assert_error(-1, "Service", STATUS_UNKNOWN_FIELD);
    assert_error(-1, "", STATUS_UNKNOWN_FIELD);
    assert_error(-1, "a?b", STATUS_UNKNOWN_FIELD);
    assert_error(-1,
                 "gr\xC3\xB6\xC3\x9F"
                 "e",
                 STATUS_UNKNOWN_FIELD);
}

static void decode__long_unknown_name__is_cut(void **state)
{
    (void)state;
    char name[301] = "";
    memset(name, 'n', 300);
    decode_usage(testkit_format("{\"%s\": 1}", name), 0);
    assert_u64(request->errors.first->field.length, 64);
}

static void decode__field_of_the_path__has_no_place_in_the_body(void **state)
{
    (void)state;
    new_request(ARENA_BYTES);
    Billing__V1__UsageInput *usage = new_message(&billing__v1__usage_input__descriptor);
    uint8_t id[] = "cus_1";
    usage->has_customer_id = true;
    usage->customer_id = (ProtobufCBinaryData){.data = id, .len = 5};
    assert_ok(
        json_request_decode(request, &usage->base, SLICE("{\"customer_id\": \"cus_1\"}"), &reason));
    assert_error(-1, "customer_id", STATUS_UNKNOWN_FIELD);
    assert_bytes(usage->customer_id, "cus_1");
}

static void decode__times__wrong_ones_are_named(void **state)
{
    (void)state;
    decode_usage("{\"occurred_at\": \"yesterday\"}", 0);
    assert_error(-1, "occurred_at", STATUS_WRONG_TYPE);
    decode_usage("{\"occurred_at\": \"2026-02-30T00:00:00Z\"}", 0);
    assert_error(-1, "occurred_at", STATUS_WRONG_TYPE);
    decode_usage("{\"occurred_at\": \"1969-12-31T23:59:59Z\"}", 0);
    assert_error(-1, "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    decode_usage("{\"occurred_at\": \"2026-11-22T11:01:38Z\\u0000\"}", 0);
    assert_error(-1, "occurred_at", STATUS_WRONG_TYPE);
}

static void decode__counts__wrong_ones_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int status;
    } cases[] = {
        {"-0", 0},
        {"4294967295", 0},
        {"4294967296", STATUS_OUT_OF_BOUNDS},
        {"-1", STATUS_OUT_OF_BOUNDS},
        {"18446744073709551617", STATUS_OUT_OF_BOUNDS},
        {"-99999999999999999999999", STATUS_OUT_OF_BOUNDS},
        {"1.5", STATUS_WRONG_TYPE},
        {"1e2", STATUS_WRONG_TYPE},
        {"\"5\"", STATUS_WRONG_TYPE},
        {"true", STATUS_WRONG_TYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        new_request(ARENA_BYTES);
        Billing__V1__ListUsage *list = new_message(&billing__v1__list_usage__descriptor);
        const char *body = testkit_format("{\"limit\": %s}", cases[i].json);
        assert_ok(json_request_decode(request, &list->base, slice_of(body), &reason));
        assert_int_equal(list->has_limit, cases[i].status == 0);
        if (cases[i].status != 0) {
            assert_error(-1, "limit", cases[i].status);
        }
    }
}

static void decode__enum__only_its_words_in_lower_case(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Billed", "BILLED", "bill", "billed ", "", "1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        new_request(ARENA_BYTES);
        Billing__V1__ListUsage *list = new_message(&billing__v1__list_usage__descriptor);
        const char *body = testkit_format("{\"by\": \"%s\"}", wrong[i]);
        assert_ok(json_request_decode(request, &list->base, slice_of(body), &reason));
        assert_error(-1, "by", STATUS_OUT_OF_BOUNDS);
        assert_false(list->has_by);
    }
}

static Billing__V1__CreateKey *decode_key(const char *body)
{
    new_request(ARENA_BYTES);
    Billing__V1__CreateKey *key = new_message(&billing__v1__create_key__descriptor);
    assert_ok(json_request_decode(request, &key->base, slice_of(body), &reason));
    return key;
}

static void decode__list_of_texts__is_one_or_refused(void **state)
{
    static const char *const wrong[] = {"\"S3\"", "{}", "[1]", "[\"S3\", null]", "[[]]"};
    (void)state;
    Billing__V1__CreateKey *key = decode_key("{\"services\": [\"S3\", \"\", \"a\\u00e4\"]}");
    assert_null(request->errors.first);
    assert_u64(key->n_services, 3);
    assert_bytes(key->services[0], "S3");
    assert_u64(key->services[1].len, 0);
    assert_bytes(key->services[2], "a\xC3\xA4");
    assert_u64(decode_key("{\"services\": []}")->n_services, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        key = decode_key(testkit_format("{\"services\": %s}", wrong[i]));
        assert_error(-1, "services", STATUS_WRONG_TYPE);
        assert_u64(key->n_services, 0);
    }
}

static void decode__labels__of_other_than_strings_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{\"a\": 1}", "{\"a\": null}", "{\"a\": {}}", "\"a\"", "5"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Billing__V1__UsageInput *usage =
            decode_usage(testkit_format("{\"labels\": %s}", wrong[i]), 0);
        assert_error(-1, "labels", STATUS_WRONG_TYPE);
        assert_u64(usage->n_labels, 0);
    }
    assert_u64(decode_usage("{\"labels\": {}}", 0)->n_labels, 0);
    assert_null(request->errors.first);
}

/* --- wrong texts ------------------------------------------------------------------------------ */

static void decode__not_json__is_refused_with_its_place(void **state)
{
    (void)state;
    decode_usage("{\"units_consumed\": NaN}", STATUS_MALFORMED_JSON);
    assert_text(reason.data, reason.length, "a value is expected, at byte 20");
    decode_usage("", STATUS_MALFORMED_JSON);
    decode_usage("{\"service\": \"a\", \"service\": \"b\"}", STATUS_MALFORMED_JSON);
    decode_usage("{\"service\": \"\xC0\xAF\"}", STATUS_MALFORMED_JSON);
    decode_usage("{\"service\": \"\\ud800\"}", STATUS_MALFORMED_JSON);
}

static void decode__no_object__is_a_wrong_type(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", "5", "\"x\"", "null", " true "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        decode_usage(texts[i], STATUS_WRONG_TYPE);
        assert_true(reason.length > 0);
    }
}

static void decode__small_arena__is_too_large_not_a_crash(void **state)
{
    (void)state;
    char *body = testkit_alloc(200100);
    char *at = stpcpy(body, "{\"service\":\"");
    memset(at, 'x', 200000);
    stpcpy(at + 200000, "\"}");
    for (size_t budget = 4096; budget < ARENA_BYTES; budget *= 2) {
        new_request(budget);
        Billing__V1__UsageInput *usage = new_message(&billing__v1__usage_input__descriptor);
        int rc = json_request_decode(request, &usage->base, slice_of(body), &reason);
        assert_status(rc, budget <= 200000 ? STATUS_TOO_LARGE : 0);
    }
    new_request(4096);
    Billing__V1__UsageInput *usage = new_message(&billing__v1__usage_input__descriptor);
    assert_status(json_request_decode(request, &usage->base, SLICE("{\"a\":1,\"b\":2}"), &reason),
                  STATUS_TOO_LARGE);
}

/* --- batches ---------------------------------------------------------------------------------- */

static Billing__V1__CreateUsageBatch *decode_batch(const char *body, bool lines, int status)
{
    new_request(REQUEST_ARENA_BYTES_MAX);
    Billing__V1__CreateUsageBatch *batch =
        new_message(&billing__v1__create_usage_batch__descriptor);
    struct slice text = slice_of(body);
    int rc = lines ? json_request_decode_lines(request, &batch->base, text, &reason)
                   : json_request_decode(request, &batch->base, text, &reason);
    assert_status(rc, status);
    return batch;
}

static void batch__items__errors_by_item(void **state)
{
    (void)state;
    Billing__V1__CreateUsageBatch *batch = decode_batch(
        "{\"request_id\": \"b\", \"usage\": [{\"service\": \"a\"}, 5, {\"service\": 6, "
        "\"x\": 1}, {}, null]}",
        false, 0);
    assert_u64(batch->n_usage, 5);
    assert_bytes(batch->request_id, "b");
    assert_bytes(batch->usage[0]->service, "a");
    assert_null(request->errors.first);
    assert_null(request_errors(request, 0).first);
    assert_error(1, "", STATUS_WRONG_TYPE);
    assert_error(2, "service", STATUS_WRONG_TYPE);
    assert_error(2, "x", STATUS_UNKNOWN_FIELD);
    assert_null(request_errors(request, 3).first);
    assert_error(4, "", STATUS_WRONG_TYPE);
    assert_false(batch->usage[1]->has_service || batch->usage[4]->has_service);
}

static void batch__usage_that_is_no_array__is_a_wrong_type(void **state)
{
    (void)state;
    assert_u64(decode_batch("{\"usage\": {\"service\": \"a\"}}", false, 0)->n_usage, 0);
    assert_error(-1, "usage", STATUS_WRONG_TYPE);
    assert_u64(decode_batch("{\"usage\": []}", false, 0)->n_usage, 0);
    assert_null(request->errors.first);
}

static void batch__lines__bad_ones_refuse_only_themselves(void **state)
{
    (void)state;
    Billing__V1__CreateUsageBatch *batch =
        decode_batch("{\"service\": \"a\"}\r\n"
                     "\n \t\r\n"
                     "not json\n"
                     "[1]\n"
                     "{\"service\": \"b\"} {\"service\": \"c\"}\n"
                     "{\"service\": 5}\n"
                     "{\"units_consumed\": 123456789012345678901234567890}",
                     true, 0);
    assert_u64(batch->n_usage, 6);
    assert_bytes(batch->usage[0]->service, "a");
    assert_error(1, "", STATUS_MALFORMED_JSON);
    assert_error(2, "", STATUS_WRONG_TYPE);
    assert_error(3, "", STATUS_MALFORMED_JSON);
    assert_error(4, "service", STATUS_WRONG_TYPE);
    assert_bytes(batch->usage[5]->units_consumed, "123456789012345678901234567890");
    assert_null(request->errors.first);
    assert_null(request_errors(request, 5).first);
}

static void batch__no_lines__is_an_empty_batch(void **state)
{
    (void)state;
    assert_u64(decode_batch("", true, 0)->n_usage, 0);
    assert_u64(decode_batch("\n\r\n  \n", true, 0)->n_usage, 0);
}

static char *many(const char *before, const char *item, const char *between, size_t n,
                  const char *after)
{
    size_t unit = strlen(item) + strlen(between);
    char *text = testkit_alloc(strlen(before) + n * unit + strlen(after) + 1);
    char *at = stpcpy(text, before);
    for (size_t i = 0; i < n; i++) {
        at = stpcpy(stpcpy(at, i == 0 ? "" : between), item);
    }
    stpcpy(at, after);
    return text;
}

static void batch__too_many__are_counted_but_not_built(void **state)
{
    (void)state;
    for (int lines = 0; lines <= 1; lines++) {
        for (size_t n = LIMIT_BATCH_ITEMS - 1; n <= LIMIT_BATCH_ITEMS + 3; n++) {
            const char *item = "{\"service\":\"a\",\"x\":1}";
            const char *body =
                lines ? many("", item, "\n", n, "") : many("{\"usage\":[", item, ",", n, "]}");
            Billing__V1__CreateUsageBatch *batch = decode_batch(body, lines, 0);
            assert_u64(batch->n_usage, n);
            assert_true(batch->usage[LIMIT_BATCH_ITEMS - 2]->has_service);
            assert_error(LIMIT_BATCH_ITEMS - 2, "x", STATUS_UNKNOWN_FIELD);
            assert_false(batch->usage[n - 1]->has_service && n > LIMIT_BATCH_ITEMS);
            assert_null(request->errors.first);
        }
    }
}

static void batch__past_the_bounds_of_json__is_too_large(void **state)
{
    (void)state;
    decode_batch(many("{\"usage\":[", "{}", ",", 30000, "]}"), false, STATUS_TOO_LARGE);
    decode_batch(many("", "{}", "\n", 30000, ""), true, STATUS_TOO_LARGE);
    assert_true(reason.length > 0);
}

static void batch__every_item_wrong_in_every_way__fits_the_arena(void **state)
{
    (void)state;
    const char *item = "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}";
    decode_batch(many("{\"usage\":[", item, ",", LIMIT_BATCH_ITEMS, "]}"), false, 0);
    assert_u64(request_errors(request, LIMIT_BATCH_ITEMS - 1).n, REQUEST_FIELD_ERRORS_MAX);
}

#define JSON_TEST(name) cmocka_unit_test_teardown(name, end_request)

static const struct CMUnitTest tests[] = {
    JSON_TEST(decode__every_kind__is_set),
    JSON_TEST(decode__decimals__keep_their_digits),
    JSON_TEST(decode__nul_in_text__is_kept_for_the_handler),
    JSON_TEST(decode__count_and_enum__by_their_kind),
    JSON_TEST(decode__wrong_types__all_named_and_unset),
    JSON_TEST(decode__null__is_a_wrong_type_everywhere),
    JSON_TEST(decode__unknown_fields__all_named),
    JSON_TEST(decode__long_unknown_name__is_cut),
    JSON_TEST(decode__field_of_the_path__has_no_place_in_the_body),
    JSON_TEST(decode__times__wrong_ones_are_named),
    JSON_TEST(decode__counts__wrong_ones_are_named),
    JSON_TEST(decode__enum__only_its_words_in_lower_case),
    JSON_TEST(decode__list_of_texts__is_one_or_refused),
    JSON_TEST(decode__labels__of_other_than_strings_are_refused),
    JSON_TEST(decode__not_json__is_refused_with_its_place),
    JSON_TEST(decode__no_object__is_a_wrong_type),
    JSON_TEST(decode__small_arena__is_too_large_not_a_crash),
    JSON_TEST(batch__items__errors_by_item),
    JSON_TEST(batch__usage_that_is_no_array__is_a_wrong_type),
    JSON_TEST(batch__lines__bad_ones_refuse_only_themselves),
    JSON_TEST(batch__no_lines__is_an_empty_batch),
    JSON_TEST(batch__too_many__are_counted_but_not_built),
    JSON_TEST(batch__past_the_bounds_of_json__is_too_large),
    JSON_TEST(batch__every_item_wrong_in_every_way__fits_the_arena),
};

TESTKIT_MAIN(tests)
