/* The JSON writer: to the byte where the contract shows bytes, and random messages of every type
 * read back with json-c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "billing.pb-c.h"
#include "proto/json_writer.h"
#include "proto/timestamp.h"
#include "tests/lib/testkit.h"

enum {
    RANDOM_MESSAGES = 3000,
    TEXT_MAX = 24, /* of a random text */
};

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

static void assert_written(const ProtobufCMessage *message, const char *expected)
{
    struct json_text text = {0};
    assert_ok(json_write_message(&text, message));
    assert_text(text.data, text.length, expected);
    free(text.data);
}

/* --- to the byte ------------------------------------------------------------------------------ */

static void write__nothing_set__empty_object(void **state)
{
    (void)state;
    Billing__V1__Customer customer = BILLING__V1__CUSTOMER__INIT;
    Billing__V1__CustomerReply reply = BILLING__V1__CUSTOMER_REPLY__INIT;
    Billing__V1__Response response = BILLING__V1__RESPONSE__INIT;
    assert_written(&customer.base, "{}");
    assert_written(&reply.base, "{}");
    assert_written(&response.base, "{}");
    reply.customer = &customer;
    assert_written(&reply.base, "{\"customer\": {}}");
}

static void write__usage__as_the_contract_shows_it(void **state)
{
    (void)state;
    Billing__V1__Usage usage = BILLING__V1__USAGE__INIT;
    Billing__V1__UsageReply reply = BILLING__V1__USAGE_REPLY__INIT;
    Billing__V1__Label labels[] = {BILLING__V1__LABEL__INIT, BILLING__V1__LABEL__INIT};
    Billing__V1__Label *label_list[] = {&labels[0], &labels[1]};
    reply.usage = &usage;
    usage.has_id = usage.has_service = usage.has_units_consumed = usage.has_price_per_unit = 1;
    usage.has_occurred_at = usage.has_late = 1;
    usage.id = bytes_of("use_1");
    usage.service = bytes_of("Database Hosting");
    usage.units_consumed = bytes_of("58");
    usage.price_per_unit = bytes_of("0.05");
    usage.occurred_at = INT64_C(1795345298000000);
    assert_written(&reply.base,
                   "{\"usage\": {\"id\": \"use_1\", \"service\": \"Database Hosting\", "
                   "\"units_consumed\": 58, \"price_per_unit\": 0.05, "
                   "\"occurred_at\": \"2026-11-22T11:01:38.000000Z\", \"late\": false, "
                   "\"labels\": {}}}");
    for (size_t i = 0; i < 2; i++) {
        labels[i].has_name = labels[i].has_value = 1;
        labels[i].name = bytes_of(i == 0 ? "region" : "\"");
        labels[i].value = bytes_of(i == 0 ? "eu-west-1" : "");
    }
    usage = (Billing__V1__Usage)BILLING__V1__USAGE__INIT;
    usage.n_labels = 2;
    usage.labels = label_list;
    assert_written(&reply.base,
                   "{\"usage\": {\"labels\": {\"region\": \"eu-west-1\", \"\\\"\": \"\"}}}");
}

static void write__lists__always_there(void **state)
{
    (void)state;
    Billing__V1__CustomersReply reply = BILLING__V1__CUSTOMERS_REPLY__INIT;
    Billing__V1__Customer customers[] = {BILLING__V1__CUSTOMER__INIT, BILLING__V1__CUSTOMER__INIT};
    Billing__V1__Customer *list[] = {&customers[0], &customers[1]};
    assert_written(&reply.base, "{\"customers\": []}");
    customers[1].has_id = 1;
    customers[1].id = bytes_of("cus_2");
    reply.customers = list;
    reply.n_customers = 2;
    assert_written(&reply.base, "{\"customers\": [{}, {\"id\": \"cus_2\"}]}");
}

static void write__numbers_flags_and_enums__in_full(void **state)
{
    (void)state;
    Billing__V1__BillLine line = BILLING__V1__BILL_LINE__INIT;
    Billing__V1__HealthReply health = BILLING__V1__HEALTH_REPLY__INIT;
    Billing__V1__Problem problem = BILLING__V1__PROBLEM__INIT;
    line.has_records = line.has_voided = line.has_exact_amount = 1;
    line.records = UINT64_MAX;
    line.exact_amount = bytes_of("-0.000000000000000000000000000000000001");
    assert_written(&line.base, "{\"exact_amount\": -0.000000000000000000000000000000000001, "
                               "\"records\": 18446744073709551615, \"voided\": 0}");
    health.has_status = health.has_ready = 1;
    health.status = BILLING__V1__HEALTH_REPLY__STATUS__SHUTTING_DOWN;
    health.ready = 1;
    assert_written(&health.base, "{\"status\": \"shutting_down\", \"ready\": true}");
    problem.has_recorded = problem.has_retry_after_ms = 1;
    problem.recorded = BILLING__V1__PROBLEM__RECORDED__UNKNOWN;
    problem.retry_after_ms = UINT32_MAX;
    assert_written(&problem.base,
                   "{\"recorded\": \"unknown\", \"errors\": [], \"retry_after_ms\": 4294967295}");
}

static void write__oneof__only_the_chosen_one(void **state)
{
    (void)state;
    Billing__V1__CustomerReply reply = BILLING__V1__CUSTOMER_REPLY__INIT;
    Billing__V1__Response response = BILLING__V1__RESPONSE__INIT;
    response.has_call_id = 1;
    response.call_id = 7;
    response.get_customer = &reply;
    response.result_case = BILLING__V1__RESPONSE__RESULT_GET_CUSTOMER;
    assert_written(&response.base, "{\"call_id\": 7, \"get_customer\": {}}");
}

static void write__strings__escaped_where_needed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *json;
    } cases[] = {
#define CASE(text, json) {"" text, sizeof(text) - 1, "{\"name\": \"" json "\"}"}
        CASE("", ""),
        CASE("plain", "plain"),
        CASE("\"", "\\\""),
        CASE("\\", "\\\\"),
        CASE("a\"b\\c", "a\\\"b\\\\c"),
        CASE("\"\"", "\\\"\\\""),
        CASE("</script>", "</script>"),
        CASE("\n\r\t", "\\u000a\\u000d\\u0009"),
        CASE("\b\f\x1b[31m", "\\u0008\\u000c\\u001b[31m"),
        CASE("a\0b", "a\\u0000b"),
        CASE("\x1f\x7f", "\\u001f\\u007f"),
        CASE("M\xC3\xBCller \xE2\x82\xAC \xF0\x9F\x98\x80",
             "M\xC3\xBCller \xE2\x82\xAC \xF0\x9F\x98\x80"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Billing__V1__Customer customer = BILLING__V1__CUSTOMER__INIT;
        customer.has_name = 1;
        customer.name.data = (uint8_t *)(uintptr_t)cases[i].text;
        customer.name.len = cases[i].length;
        assert_written(&customer.base, cases[i].json);
    }
    /* the empty field as the decoder makes it: no memory at all */
    Billing__V1__Customer customer = BILLING__V1__CUSTOMER__INIT;
    customer.has_name = 1;
    assert_written(&customer.base, "{\"name\": \"\"}");
}

/* --- the buffer ------------------------------------------------------------------------------- */

static void raw__around_messages__in_order(void **state)
{
    (void)state;
    Billing__V1__Customer customer = BILLING__V1__CUSTOMER__INIT;
    struct json_text text = {0};
    assert_ok(json_write_raw(&text, NULL, 0));
    assert_ok(json_write_raw(&text, "[", 1));
    assert_ok(json_write_message(&text, &customer.base));
    assert_ok(json_write_raw(&text, "]\n", 2));
    assert_text(text.data, text.length, "[{}]\n");
    free(text.data);
}

static void raw__large__grows_without_loss(void **state)
{
    (void)state;
    enum { PIECES = 100000 };
    struct json_text text = {0};
    for (int i = 0; i < PIECES; i++) {
        assert_ok(json_write_raw(&text, "0123456789abcdef", (size_t)(i % 17)));
    }
    size_t at = 0;
    for (int i = 0; i < PIECES; i++) {
        assert_memory_equal(text.data + at, "0123456789abcdef", (size_t)(i % 17));
        at += (size_t)(i % 17);
    }
    assert_u64(text.length, at);
    free(text.data);
}

static void failed_allocation__sticks(void **state)
{
    (void)state;
    Billing__V1__Customer customer = BILLING__V1__CUSTOMER__INIT;
    struct json_text text = {.failed = true};
    assert_status(json_write_message(&text, &customer.base), STATUS_NO_MEMORY);
    assert_status(json_write_raw(&text, "x", 1), STATUS_NO_MEMORY);
    assert_u64(text.length, 0);
    assert_null(text.data);
}

/* --- random messages, read back --------------------------------------------------------------- */

/* What is random here is in the kit's memory, until the end. */
static ProtobufCBinaryData random_text(struct rng *rng)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         "0",
                                         " ",
                                         "\"",
                                         "\\",
                                         "/",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\x1f",
                                         "\x7f",
                                         "\xC3\xBC",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xC2\x85",
                                         "\xEF\xBF\xBF",
                                         "{",
                                         "]"};
    char *text = testkit_alloc(TEXT_MAX * 4 + 1);
    size_t length = 0;
    for (uint64_t n = rng_below(rng, TEXT_MAX); n > 0; n--) {
        const char *piece = pieces[rng_below(rng, sizeof pieces / sizeof pieces[0])];
        size_t bytes = rng_below(rng, 16) == 0 ? 1 : strlen(piece); /* a NUL, at times */
        memcpy(text + length, bytes == strlen(piece) ? piece : "", bytes);
        length += bytes;
    }
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)text};
}

static bool named_decimal(const char *name)
{
    static const char names[] = " units_consumed price_per_unit amount exact_amount exact_total "
                                "total rounding records_per_commit ";
    return strstr(names, testkit_format(" %s ", name)) != NULL;
}

static ProtobufCBinaryData random_decimal(struct rng *rng)
{
    return bytes_of(testkit_format("%s%" PRIu64 "%s%" PRIu64 "1", rng_below(rng, 2) == 0 ? "-" : "",
                                   (rng_next(rng) >> (1 + rng_below(rng, 60))) + 1,
                                   rng_below(rng, 2) == 0 ? "." : "", rng_next(rng)));
}

static ProtobufCMessage *random_message(struct rng *rng, const ProtobufCMessageDescriptor *type);

/* A value of FIELD's type into the member at AT. */
static void fill_value(struct rng *rng, const ProtobufCFieldDescriptor *field, void *at)
{
    const ProtobufCEnumDescriptor *choices = field->descriptor;
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at =
            named_decimal(field->name) ? random_decimal(rng) : random_text(rng);
        break;
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)at = rng_between(rng, 0, TIMESTAMP_MAX);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)at = (uint32_t)(rng_next(rng) >> rng_below(rng, 64));
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)at = rng_next(rng) >> rng_below(rng, 64);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = rng_below(rng, 2) != 0;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)at = choices->values[rng_below(rng, choices->n_values)].value;
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = random_message(rng, field->descriptor);
        break;
    default:
        testkit_fail("field %s is of a new type", field->name);
    }
}

static void fill_texts(struct rng *rng, const ProtobufCFieldDescriptor *field, size_t *ret_n,
                       ProtobufCBinaryData **ret_items)
{
    *ret_n = (size_t)rng_below(rng, 4);
    *ret_items = testkit_alloc(*ret_n * sizeof **ret_items);
    for (size_t i = 0; i < *ret_n; i++) {
        fill_value(rng, field, &(*ret_items)[i]);
    }
}

static void fill_list(struct rng *rng, const ProtobufCFieldDescriptor *field, size_t *ret_n,
                      ProtobufCMessage ***ret_items)
{
    *ret_n = (size_t)rng_below(rng, 4);
    *ret_items = testkit_alloc(*ret_n * sizeof **ret_items);
    for (size_t i = 0; i < *ret_n; i++) {
        (*ret_items)[i] = random_message(rng, field->descriptor);
    }
    /* the names of labels differ, and each has both members */
    for (size_t i = 0; i < *ret_n && field->descriptor == &billing__v1__label__descriptor; i++) {
        Billing__V1__Label *label = (Billing__V1__Label *)(*ret_items)[i];
        label->name = bytes_of(testkit_format("label %zu", i));
        label->value = random_text(rng);
    }
}

static ProtobufCMessage *random_message(struct rng *rng, const ProtobufCMessageDescriptor *type)
{
    char *base = testkit_alloc(type->sizeof_message);
    protobuf_c_message_init(type, base);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        void *at = base + field->offset;
        void *quantifier = base + field->quantifier_offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            if (field->type == PROTOBUF_C_TYPE_BYTES) {
                fill_texts(rng, field, quantifier, at);
            } else {
                fill_list(rng, field, quantifier, at);
            }
        } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            if (*(uint32_t *)quantifier == 0 && rng_below(rng, 6) == 0) {
                *(uint32_t *)quantifier = field->id;
                fill_value(rng, field, at);
            }
        } else if (rng_below(rng, 4) != 0) {
            fill_value(rng, field, at);
            if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
                *(protobuf_c_boolean *)quantifier = 1;
            }
        }
    }
    return (ProtobufCMessage *)base;
}

static void check_message(json_object *json, const ProtobufCMessage *message);

static void check_text(json_object *json, const void *data, size_t length)
{
    assert_int_equal(json_object_get_type(json), json_type_string);
    assert_u64(json_object_get_string_len(json), length);
    assert_memory_equal(json_object_get_string(json), data, length);
}

/* The number's own digits. */
static void check_number(json_object *json, const char *digits, size_t length)
{
    json_type type = json_object_get_type(json);
    assert_true(type == json_type_int || type == json_type_double);
    if (length <= 18 || memchr(digits, '.', length) != NULL) { /* json-c bends longer integers */
        assert_text(digits, length, json_object_get_string(json));
    }
}

/* The value's name in lower case. */
static void check_enum(json_object *json, const ProtobufCEnumDescriptor *type, int value)
{
    const char *name = protobuf_c_enum_descriptor_get_value(type, value)->name;
    const char *got = json_object_get_string(json);
    assert_int_equal(strcasecmp(got, name), 0);
    assert_u64(strcspn(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), strlen(got));
}

static void check_value(json_object *json, const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    char text[TIMESTAMP_TEXT_MAX];
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        if (named_decimal(field->name)) {
            check_number(json, (const char *)bytes->data, bytes->len);
        } else {
            check_text(json, bytes->data, bytes->len);
        }
        break;
    case PROTOBUF_C_TYPE_SFIXED64:
        check_text(json, text, timestamp_print(*(const int64_t *)at, text));
        break;
    case PROTOBUF_C_TYPE_UINT32:
        assert_u64(json_object_get_uint64(json), *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        assert_u64(json_object_get_uint64(json), *(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        assert_int_equal(json_object_get_type(json), json_type_boolean);
        assert_int_equal(json_object_get_boolean(json), *(const protobuf_c_boolean *)at);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        check_enum(json, field->descriptor, *(const int *)at);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        check_message(json, *(ProtobufCMessage *const *)at);
        break;
    default:
        testkit_fail("field %s is of a new type", field->name);
    }
}

static void check_texts(json_object *json, size_t n, const ProtobufCBinaryData *items)
{
    assert_int_equal(json_object_get_type(json), json_type_array);
    assert_u64(json_object_array_length(json), n);
    for (size_t i = 0; i < n; i++) {
        check_text(json_object_array_get_idx(json, i), items[i].data, items[i].len);
    }
}

static void check_list(json_object *json, const ProtobufCFieldDescriptor *field, size_t n,
                       ProtobufCMessage *const *items)
{
    bool labels = field->descriptor == &billing__v1__label__descriptor;
    assert_int_equal(json_object_get_type(json), labels ? json_type_object : json_type_array);
    assert_u64(labels ? (size_t)json_object_object_length(json) : json_object_array_length(json),
               n);
    for (size_t i = 0; i < n; i++) {
        if (labels) {
            const Billing__V1__Label *label = (const Billing__V1__Label *)items[i];
            json_object *value;
            assert_true(json_object_object_get_ex(json, (const char *)label->name.data, &value));
            check_text(value, label->value.data, label->value.len);
        } else {
            check_message(json_object_array_get_idx(json, i), items[i]);
        }
    }
}

static bool is_set(const ProtobufCFieldDescriptor *field, const void *at, const void *quantifier)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        return *(const uint32_t *)quantifier == field->id;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return *(ProtobufCMessage *const *)at != NULL;
    }
    return *(const protobuf_c_boolean *)quantifier;
}

/* JSON has the fields of MESSAGE that are set, with their values, and no others. */
static void check_message(json_object *json, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;
    int expected = 0;
    assert_int_equal(json_object_get_type(json), json_type_object);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *at = base + field->offset;
        const void *quantifier = base + field->quantifier_offset;
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        json_object *member;
        bool there = json_object_object_get_ex(json, field->name, &member);
        if (there != (repeated || is_set(field, at, quantifier))) {
            testkit_fail("%s.%s is %s", message->descriptor->short_name, field->name,
                         there ? "there" : "missing");
        }
        expected += there;
        if (repeated && field->type == PROTOBUF_C_TYPE_BYTES) {
            check_texts(member, *(const size_t *)quantifier,
                        *(const ProtobufCBinaryData *const *)at);
        } else if (repeated) {
            check_list(member, field, *(const size_t *)quantifier,
                       *(ProtobufCMessage *const *const *)at);
        } else if (there) {
            check_value(member, field, at);
        }
    }
    assert_int_equal(json_object_object_length(json), expected);
}

/* TEXT, which is one JSON value and nothing else. */
static json_object *read_back(const struct json_text *text)
{
    json_tokener *tokener = json_tokener_new();
    assert_non_null(tokener);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *json = json_tokener_parse_ex(tokener, text->data, (int)text->length);
    if (json == NULL || json_tokener_get_parse_end(tokener) != text->length) {
        testkit_fail("not JSON: %.*s", (int)text->length, text->data);
    }
    json_tokener_free(tokener);
    return json;
}

static void write__random_messages__read_back(void **state)
{
    (void)state;
    struct rng rng = rng_make("messages");
    for (int i = 0; i < RANDOM_MESSAGES; i++) {
        const ProtobufCMessageDescriptor *type =
            i % 3 == 0 ? &billing__v1__request__descriptor : &billing__v1__response__descriptor;
        ProtobufCMessage *message = random_message(&rng, type);
        struct json_text text = {0};
        assert_ok(json_write_message(&text, message));
        json_object *json = read_back(&text);
        check_message(json, message);
        json_object_put(json);
        free(text.data);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(write__nothing_set__empty_object),
    cmocka_unit_test(write__usage__as_the_contract_shows_it),
    cmocka_unit_test(write__lists__always_there),
    cmocka_unit_test(write__numbers_flags_and_enums__in_full),
    cmocka_unit_test(write__oneof__only_the_chosen_one),
    cmocka_unit_test(write__strings__escaped_where_needed),
    cmocka_unit_test(raw__around_messages__in_order),
    cmocka_unit_test(raw__large__grows_without_loss),
    cmocka_unit_test(failed_allocation__sticks),
    cmocka_unit_test(write__random_messages__read_back),
};

TESTKIT_MAIN(tests)
