/* Bad input, field by field: each is named, with its code, and nothing of it is recorded. */
#include "billingd/rpc/fields.h"
#include "billingd/rpc/object_id.h"
#include "proto/timestamp.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

/* Text of bytes, NULs and all. */
struct text {
    const char *data;
    size_t length;
};

#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})

static struct text repeated(const char *part, size_t bytes)
{
    char *data = testkit_alloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = part[i % strlen(part)];
    }
    return (struct text){data, bytes};
}

static ProtobufCBinaryData binary(struct text text)
{
    return (ProtobufCBinaryData){.len = text.length, .data = (uint8_t *)(uintptr_t)text.data};
}

static Billing__V1__Response *call(struct desk *desk, Billing__V1__Request__CallCase which,
                                   void *message)
{
    return desk_call(desk, desk_request(which, message));
}

static bool is_problem(const Billing__V1__Response *response)
{
    return response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
}

static Billing__V1__UsageInput *good_usage(const char *customer)
{
    return desk_usage_input(customer, "Database Hosting", "58", "0.05", NULL);
}

/* --- all at once ------------------------------------------------------------------------------ */

static void create_usage__everything_wrong__names_every_field_at_once(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput *input = desk_usage_input(NULL, "a\nb", "NaN", "-1", "r\x7F");
    input->has_occurred_at = true;
    input->occurred_at = -1;
    desk_add_label(input, "", "x");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_INVALID_FIELDS);
    assert_u64(problem->n_errors, 7);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "service", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "units_consumed", STATUS_WRONG_TYPE);
    desk_field(problem, "price_per_unit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "occurred_at", STATUS_TIME_OUT_OF_RANGE);
    desk_field(problem, "request_id", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "labels", STATUS_OUT_OF_BOUNDS);
    assert_false(problem->has_request_id);
    assert_u64(memory_store_counts(desk->memory).calls[MEMORY_BEGIN], 0);
    desk_close(desk);
}

static void create_usage__nothing_given__names_what_is_missing(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), desk_usage_input(NULL, NULL, NULL, NULL, NULL)),
                     STATUS_MISSING_FIELD); /* which is what they all are */
    assert_u64(problem->n_errors, 4);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "service", STATUS_MISSING_FIELD);
    desk_field(problem, "units_consumed", STATUS_MISSING_FIELD);
    desk_field(problem, "price_per_unit", STATUS_MISSING_FIELD);
    desk_close(desk);
}

static void get_bill__everything_wrong__is_an_invalid_query_that_names_them(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__GetBill input = BILLING__V1__GET_BILL__INIT;
    (void)state;
    input.has_start = true;
    input.start = 5;
    input.has_limit = true;
    DESK_SET(&input, cursor, "nonsense");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(GET_BILL), &input), STATUS_INVALID_QUERY);
    assert_u64(problem->n_errors, 4);
    desk_field(problem, "customer_id", STATUS_MISSING_FIELD);
    desk_field(problem, "limit", STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "end", STATUS_MISSING_FIELD);
    desk_field(problem, "cursor", STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void field_decimal__any_text__is_a_number_in_bounds_or_named(void **state)
{
    static const struct {
        struct text text;
        int status;
    } table[] = {
        {{"58", 2}, 0},
        {{"0", 1}, 0},
        {{"-0", 2}, 0},
        {{"-0.000", 6}, 0},
        {{"0.05", 4}, 0},
        {{"0000000000000000000000.05", 25}, 0},
        {{"1e-7", 4}, 0},
        {{"1E+2", 4}, 0},
        {{"+1", 2}, 0},
        {{"999999999999999999", 18}, 0},
        {{"0.000000000000000001", 20}, 0},
        {{"1.000000000000000000000000000000", 32}, 0},
        {{"", 0}, STATUS_WRONG_TYPE},
        {{"-", 1}, STATUS_WRONG_TYPE},
        {{"NaN", 3}, STATUS_WRONG_TYPE},
        {{"nan", 3}, STATUS_WRONG_TYPE},
        {{"Infinity", 8}, STATUS_WRONG_TYPE},
        {{"-inf", 4}, STATUS_WRONG_TYPE},
        {{"0x10", 4}, STATUS_WRONG_TYPE},
        {{"1,5", 3}, STATUS_WRONG_TYPE},
        {{"1.", 2}, STATUS_WRONG_TYPE},
        {{".5", 2}, STATUS_WRONG_TYPE},
        {{"1e", 2}, STATUS_WRONG_TYPE},
        {{"1e+", 3}, STATUS_WRONG_TYPE},
        {{" 1", 2}, STATUS_WRONG_TYPE},
        {{"1 ", 2}, STATUS_WRONG_TYPE},
        {{"1\n", 2}, STATUS_WRONG_TYPE},
        {{"1\0", 2}, STATUS_WRONG_TYPE},
        {{"1\0"
          "2",
          3},
         STATUS_WRONG_TYPE},
        {{"--1", 3}, STATUS_WRONG_TYPE},
        {{"\xD9\xA1", 2}, STATUS_WRONG_TYPE}, /* a digit, in Arabic */
        {{"true", 4}, STATUS_WRONG_TYPE},
        {{"1e400", 5}, STATUS_OUT_OF_BOUNDS},
        {{"1e-400", 6}, STATUS_OUT_OF_BOUNDS},
        {{"1e99999999999999999999", 22}, STATUS_OUT_OF_BOUNDS},
        {{"1e-99999999999999999999", 23}, STATUS_OUT_OF_BOUNDS},
        {{"1234567890123456789", 19}, STATUS_OUT_OF_BOUNDS},
        {{"0.0000000000000000001", 21}, STATUS_OUT_OF_BOUNDS},
        {{"1e26", 4}, STATUS_OUT_OF_BOUNDS},
        {{"-1", 2}, STATUS_OUT_OF_BOUNDS},
        {{"-0.000000000000000001", 21}, STATUS_OUT_OF_BOUNDS},
        {{"-1e25", 5}, STATUS_OUT_OF_BOUNDS},
    };
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (int field = 0; field < 2; field++) {
            Billing__V1__UsageInput *input = desk_usage_input(customer, "S", "0", "0", NULL);
            *(field == 0 ? &input->units_consumed : &input->price_per_unit) = binary(table[i].text);
            Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
            if (table[i].status == 0) {
                assert_false(is_problem(response));
                continue;
            }
            const Billing__V1__Problem *problem = desk_problem(response, table[i].status);
            desk_field(problem, field == 0 ? "units_consumed" : "price_per_unit", table[i].status);
        }
    }
    desk_close(desk);
}

/* A megabyte of digits is refused at once, and its answer quotes little of it. */
static void field_decimal__a_number_of_a_megabyte__is_refused_in_a_short_answer(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *input = good_usage(customer);
    input->units_consumed = binary(repeated("9", 1000000));
    struct desk_answer *answer = desk_submit(desk, desk_request(CALL(CREATE_USAGE), input));
    desk_problem(desk_wait(desk, answer), STATUS_OUT_OF_BOUNDS);
    assert_true(answer->packed_bytes < 1000);
    desk_close(desk);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The texts that no field takes, each with a harmless length. */
static const struct text bad_texts[] = {
    {"", 0},
    {"a\0b", 3},
    {"\0", 1},
    {"a\nb", 3},
    {"a\tb", 3},
    {"\x1B[2J", 4},
    {"\x7F", 1},
    {"\xC2\x85", 2}, /* a control character beyond ASCII */
    {"\xFF", 1},
    {"a\xC3", 2},            /* cut short */
    {"\xC0\xAF", 2},         /* overlong */
    {"\xE0\x80\x80", 3},     /* likewise */
    {"\xED\xA0\x80", 3},     /* a surrogate */
    {"\xF4\x90\x80\x80", 4}, /* past the last code point */
    {"\x80", 1},
};

static void field_text__customer_names__are_printable_utf8_within_bounds(void **state)
{
    struct desk *desk = desk_open(NULL);
    const struct text good[] = {
        TEXT("x"),
        TEXT("A test customer name"),
        TEXT("\xF0\x9F\x90\x84 \xE2\x82\xAC \xC3\xA9 \"quoted\" \\ <b>"),
        repeated("y", LIMIT_CUSTOMER_NAME_BYTES),
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        Billing__V1__CreateCustomer *input = desk_customer_input("", NULL, NULL);
        input->customer_name = binary(good[i]);
        Billing__V1__Response *response = call(desk, CALL(CREATE_CUSTOMER), input);
        assert_false(is_problem(response));
        ProtobufCBinaryData name = response->create_customer->customer->name;
        assert_u64(name.len, good[i].length);
        assert_memory_equal(name.data, good[i].data, name.len);
    }
    for (size_t i = 0; i <= sizeof bad_texts / sizeof bad_texts[0]; i++) {
        bool too_long = i == sizeof bad_texts / sizeof bad_texts[0];
        Billing__V1__CreateCustomer *input = desk_customer_input("", NULL, NULL);
        input->customer_name =
            binary(too_long ? repeated("y", LIMIT_CUSTOMER_NAME_BYTES + 1) : bad_texts[i]);
        Billing__V1__Response *response = call(desk, CALL(CREATE_CUSTOMER), input);
        desk_field(desk_problem(response, STATUS_OUT_OF_BOUNDS), "customer_name",
                   STATUS_OUT_OF_BOUNDS);
    }
    assert_u64(memory_store_counts(desk->memory).records, 4);
    desk_close(desk);
}

static void field_text__external_ids_and_services__are_held_to_the_same(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i <= sizeof bad_texts / sizeof bad_texts[0]; i++) {
        bool too_long = i == sizeof bad_texts / sizeof bad_texts[0];
        struct text text = too_long ? repeated("y", 257) : bad_texts[i];
        Billing__V1__CreateCustomer *create = desk_customer_input("A", "", NULL);
        create->external_id = binary(text);
        desk_field(desk_problem(call(desk, CALL(CREATE_CUSTOMER), create), STATUS_OUT_OF_BOUNDS),
                   "external_id", STATUS_OUT_OF_BOUNDS);
        Billing__V1__UsageInput *usage = good_usage(customer);
        usage->service = binary(text);
        desk_field(desk_problem(call(desk, CALL(CREATE_USAGE), usage), STATUS_OUT_OF_BOUNDS),
                   "service", STATUS_OUT_OF_BOUNDS);
        Billing__V1__ListUsage list = BILLING__V1__LIST_USAGE__INIT;
        DESK_SET(&list, customer_id, customer);
        list.has_service = true;
        list.service = binary(text);
        desk_field(desk_problem(call(desk, CALL(LIST_USAGE), &list), STATUS_INVALID_QUERY),
                   "service", STATUS_OUT_OF_BOUNDS);
    }
    Billing__V1__CreateCustomer *create = desk_customer_input("A", "", NULL);
    create->external_id = binary(repeated("y", 256));
    assert_false(is_problem(call(desk, CALL(CREATE_CUSTOMER), create)));
    Billing__V1__UsageInput *usage = good_usage(customer);
    usage->service = binary(repeated("y", 256));
    assert_false(is_problem(call(desk, CALL(CREATE_USAGE), usage)));
    desk_close(desk);
}

static void field_request_id__any_text__is_printable_ascii_within_bounds(void **state)
{
    struct desk *desk = desk_open(NULL);
    const struct text good[] = {TEXT("r"), TEXT(" ~!\"#$%/\\"), repeated("r", 128)};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        Billing__V1__CreateCustomer *input = desk_customer_input("A", NULL, "");
        input->request_id = binary(good[i]);
        assert_false(is_problem(call(desk, CALL(CREATE_CUSTOMER), input)));
    }
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0] + 2; i++) {
        size_t n = sizeof bad_texts / sizeof bad_texts[0];
        Billing__V1__CreateCustomer *input = desk_customer_input("A", NULL, "");
        input->request_id = binary(i < n    ? bad_texts[i]
                                   : i == n ? repeated("r", 129)
                                            : TEXT("caf\xC3\xA9"));
        desk_field(desk_problem(call(desk, CALL(CREATE_CUSTOMER), input), STATUS_OUT_OF_BOUNDS),
                   "request_id", STATUS_OUT_OF_BOUNDS);
        Billing__V1__GetRequest get = BILLING__V1__GET_REQUEST__INIT;
        get.has_request_id = true;
        get.request_id = input->request_id;
        desk_field(desk_problem(call(desk, CALL(GET_REQUEST), &get), STATUS_INVALID_QUERY),
                   "request_id", STATUS_OUT_OF_BOUNDS);
    }
    desk_close(desk);
}

/* What is quoted in an answer cannot do harm where it is printed. */
static void problems__quoting_hostile_text__are_short_and_printable(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__UsageInput *input = good_usage("cus_x");
    input->service = binary(repeated("\x1B]0;\x07\xFF\n", 200));
    input->units_consumed = binary(repeated("\xF0\x9F\x90\x84\r%s%n", 5000));
    desk_add_label(input, "\x1B[2J\n", "x");
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_INVALID_FIELDS);
    assert_u64(problem->n_errors, 3);
    for (size_t i = 0; i <= problem->n_errors; i++) {
        ProtobufCBinaryData text =
            i == problem->n_errors ? problem->detail : problem->errors[i]->message;
        assert_true(text.len > 0 && text.len < 300);
        for (size_t at = 0; at < text.len; at++) {
            assert_true(text.data[at] >= ' ' && text.data[at] <= '~');
        }
    }
    desk_close(desk);
}

/* --- labels ----------------------------------------------------------------------------------- */

static const Billing__V1__Problem *refused_labels(struct desk *desk, Billing__V1__UsageInput *input)
{
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_OUT_OF_BOUNDS);
    desk_field(problem, "labels", STATUS_OUT_OF_BOUNDS);
    return problem;
}

static void field_labels__at_their_bounds__are_taken_and_beyond_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *name = repeated("n", 64).data;
    const char *value = repeated("v", 1024).data;
    Billing__V1__UsageInput *input = good_usage(customer);
    for (int i = 0; i < 16; i++) {
        desk_add_label(input, testkit_format("%c%.63s", 'a' + i, name), value);
    }
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    assert_u64(response->create_usage->usage->n_labels, 16);
    assert_u64(response->create_usage->usage->labels[15]->value.len, 1024);

    desk_add_label(input, "seventeenth", "");
    refused_labels(desk, input);
    input = good_usage(customer);
    desk_add_label(input, testkit_format("%sn", name), "");
    refused_labels(desk, input);
    input = good_usage(customer);
    desk_add_label(input, "n", testkit_format("%sv", value));
    refused_labels(desk, input);
    input = good_usage(customer);
    desk_add_label(input, "", "v");
    refused_labels(desk, input);
    input = good_usage(customer);
    desk_add_label(input, NULL, "v");
    refused_labels(desk, input);
    desk_close(desk);
}

static void field_labels__doubled_or_unprintable__are_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *input = good_usage(customer);
    desk_add_label(input, "b", "1");
    desk_add_label(input, "a", "1");
    desk_add_label(input, "b", "1");
    assert_contains(desk_field(refused_labels(desk, input), "labels", STATUS_OUT_OF_BOUNDS),
                    "twice");
    for (size_t i = 1; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        for (int field = 0; field < 2; field++) {
            input = good_usage(customer);
            desk_add_label(input, "n", "v");
            *(field == 0 ? &input->labels[0]->name : &input->labels[0]->value) =
                binary(bad_texts[i]);
            refused_labels(desk, input);
        }
    }
    input = good_usage(customer);
    desk_add_label(input, "n", NULL); /* a label without a value has an empty one */
    desk_add_label(input, "N", "x");  /* another name */
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
    assert_int_equal(response->result_case, CALL(CREATE_USAGE));
    assert_u64(response->create_usage->usage->n_labels, 2);
    desk_close(desk);
}

static void field_labels__a_field_that_is_not_known__is_refused_by_its_number(void **state)
{
    struct desk *desk = desk_open(NULL);
    uint8_t one = 1;
    ProtobufCMessageUnknownField unknown = {77, PROTOBUF_C_WIRE_TYPE_VARINT, 1, &one};
    (void)state;
    Billing__V1__UsageInput *input = good_usage(desk_add_customer(desk, NULL));
    desk_add_label(input, "n", "v");
    input->labels[0]->base.n_unknown_fields = 1;
    input->labels[0]->base.unknown_fields = &unknown;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), input), STATUS_UNKNOWN_FIELD);
    assert_contains(desk_field(problem, "", STATUS_UNKNOWN_FIELD), "Label");
    desk_close(desk);
}

/* --- times, limits, windows ------------------------------------------------------------------- */

static void field_time__outside_1970_to_9999__is_refused(void **state)
{
    static const struct {
        int64_t time_us;
        int status;
    } table[] = {
        {0, 0},
        {1, 0},
        {-1, STATUS_TIME_OUT_OF_RANGE},
        {INT64_MIN, STATUS_TIME_OUT_OF_RANGE},
        {TIMESTAMP_MAX + 1, STATUS_TIME_OUT_OF_RANGE},
        {INT64_MAX, STATUS_TIME_OUT_OF_RANGE},
        {TIMESTAMP_MAX, STATUS_TIME_OUT_OF_RANGE}, /* of a usage: by the rules */
    };
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Billing__V1__UsageInput *input = good_usage(customer);
        input->has_occurred_at = true;
        input->occurred_at = table[i].time_us;
        Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), input);
        if (table[i].status == 0) {
            assert_int_equal(response->result_case, CALL(CREATE_USAGE));
            assert_i64(response->create_usage->usage->occurred_at, table[i].time_us);
        } else {
            desk_field(desk_problem(response, table[i].status), "occurred_at", table[i].status);
        }
    }
    desk_close(desk);
}

static void windows__empty_reversed_or_out_of_range__are_refused(void **state)
{
    static const struct {
        bool has_start;
        bool has_end;
        int64_t start;
        int64_t end;
        const char *list_field; /* NULL: taken */
        const char *bill_field;
    } table[] = {
        {true, true, 5, 6, NULL, NULL},
        {true, true, 0, TIMESTAMP_MAX, NULL, NULL},
        {false, false, 0, 0, NULL, NULL},
        {true, false, 5, 0, NULL, "end"},
        {false, true, 0, 5, NULL, "start"},
        {true, true, 5, 5, "end", "end"},
        {true, true, 6, 5, "end", "end"},
        {false, true, 0, 0, "end", "start"},
        {true, true, -1, 5, "start", "start"},
        {true, true, 5, TIMESTAMP_MAX + 1, "end", "end"},
        {true, true, INT64_MIN, INT64_MAX, "start", "start"},
    };
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Billing__V1__ListUsage list = BILLING__V1__LIST_USAGE__INIT;
        Billing__V1__GetBill bill = BILLING__V1__GET_BILL__INIT;
        DESK_SET(&list, customer_id, customer);
        DESK_SET(&bill, customer_id, customer);
        list.has_start = bill.has_start = table[i].has_start;
        list.has_end = bill.has_end = table[i].has_end;
        list.start = bill.start = table[i].start;
        list.end = bill.end = table[i].end;
        Billing__V1__Response *listed = call(desk, CALL(LIST_USAGE), &list);
        Billing__V1__Response *billed = call(desk, CALL(GET_BILL), &bill);
        assert_int_equal(is_problem(listed), table[i].list_field != NULL);
        assert_int_equal(is_problem(billed), table[i].bill_field != NULL);
        if (is_problem(listed)) {
            const Billing__V1__Problem *problem = desk_problem(listed, STATUS_INVALID_QUERY);
            assert_string_equal(desk_text(problem->errors[0]->field), table[i].list_field);
        }
        if (is_problem(billed)) {
            const Billing__V1__Problem *problem = desk_problem(billed, STATUS_INVALID_QUERY);
            assert_string_equal(desk_text(problem->errors[0]->field), table[i].bill_field);
        }
    }
    desk_close(desk);
}

static void field_limit__outside_1_to_1000__is_refused(void **state)
{
    static const struct {
        uint32_t limit;
        bool good;
    } table[] = {{0, false}, {1, true}, {1000, true}, {1001, false}, {UINT32_MAX, false}};
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Billing__V1__ListUsage list = BILLING__V1__LIST_USAGE__INIT;
        Billing__V1__GetBill bill = BILLING__V1__GET_BILL__INIT;
        Billing__V1__ListCustomers customers = BILLING__V1__LIST_CUSTOMERS__INIT;
        DESK_SET(&list, customer_id, customer);
        DESK_SET(&bill, customer_id, customer);
        list.has_limit = bill.has_limit = customers.has_limit = true;
        list.limit = bill.limit = customers.limit = table[i].limit;
        Billing__V1__Response *responses[] = {
            call(desk, CALL(LIST_USAGE), &list),
            call(desk, CALL(GET_BILL), &bill),
            call(desk, CALL(LIST_CUSTOMERS), &customers),
        };
        for (int r = 0; r < 3; r++) {
            if (table[i].good) {
                assert_false(is_problem(responses[r]));
            } else {
                desk_field(desk_problem(responses[r], STATUS_INVALID_QUERY), "limit",
                           STATUS_OUT_OF_BOUNDS);
            }
        }
    }
    desk_close(desk);
}

static void list_usage__a_clock_that_is_none__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__ListUsage list = BILLING__V1__LIST_USAGE__INIT;
    (void)state;
    DESK_SET(&list, customer_id, desk_add_customer(desk, NULL));
    list.has_by = true;
    list.by = (Billing__V1__Clock)99;
    desk_field(desk_problem(call(desk, CALL(LIST_USAGE), &list), STATUS_INVALID_QUERY), "by",
               STATUS_OUT_OF_BOUNDS);
    desk_close(desk);
}

/* --- whom and what an id names ---------------------------------------------------------------- */

static const char *id_of_another_store(enum object_kind kind, uint64_t seq)
{
    char *text = testkit_alloc(OBJECT_ID_TEXT_MAX);
    object_id_print(kind, seq, 999, text);
    return text;
}

static void field_customer__what_can_be_nobodys__is_404_in_every_call(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.id_key = 7});
    (void)state;
    const char *customer = desk_add_customer(desk, "ext");
    const char *usage = desk_add_usage(desk, customer, NULL);
    const struct text table[] = {
        TEXT(""),
        TEXT("1"),
        TEXT("cus_"),
        TEXT("cus_0000000000000000"),
        TEXT("external:"),
        TEXT("external:ex"),
        TEXT("External:ext"),
        TEXT("external: ext"),
        TEXT("external:ext\0"),
        TEXT("external:\xFF"),
        TEXT("ext"),
        repeated("external:", 100000),
        (struct text){usage, strlen(usage)},
        (struct text){id_of_another_store(OBJECT_CUSTOMER, 1), 20},
        (struct text){testkit_format("%s ", customer), strlen(customer) + 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Billing__V1__GetCustomer get = BILLING__V1__GET_CUSTOMER__INIT;
        Billing__V1__UpdateCustomer update = BILLING__V1__UPDATE_CUSTOMER__INIT;
        Billing__V1__GetUsage get_usage = BILLING__V1__GET_USAGE__INIT;
        Billing__V1__ListUsage list = BILLING__V1__LIST_USAGE__INIT;
        Billing__V1__GetBill bill = BILLING__V1__GET_BILL__INIT;
        Billing__V1__GetRequest request = BILLING__V1__GET_REQUEST__INIT;
        Billing__V1__UsageInput *create = good_usage("");
        DESK_SET(&update, customer_name, "B");
        DESK_SET(&get_usage, usage_id, usage);
        DESK_SET(&request, request_id, "r");
        get.has_customer_id = update.has_customer_id = get_usage.has_customer_id = true;
        list.has_customer_id = bill.has_customer_id = request.has_customer_id = true;
        get.customer_id = update.customer_id = get_usage.customer_id = list.customer_id =
            bill.customer_id = request.customer_id = create->customer_id = binary(table[i]);
        desk_problem(call(desk, CALL(GET_CUSTOMER), &get), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(UPDATE_CUSTOMER), &update), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(GET_USAGE), &get_usage), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(LIST_USAGE), &list), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(GET_BILL), &bill), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(GET_REQUEST), &request), STATUS_CUSTOMER_NOT_FOUND);
        desk_problem(call(desk, CALL(CREATE_USAGE), create), STATUS_CUSTOMER_NOT_FOUND);
    }
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

static void get_usage__what_names_no_usage_of_theirs__is_404(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.id_key = 7});
    (void)state;
    const char *one = desk_add_customer(desk, NULL);
    const char *two = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, one, NULL);
    const char *wrong[] = {"", "x", one, id_of_another_store(OBJECT_USAGE, 3),
                           testkit_format("%s0", usage)};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Billing__V1__GetUsage get = BILLING__V1__GET_USAGE__INIT;
        DESK_SET(&get, customer_id, one);
        DESK_SET(&get, usage_id, wrong[i]);
        desk_problem(call(desk, CALL(GET_USAGE), &get), STATUS_USAGE_NOT_FOUND);
    }
    Billing__V1__GetUsage get = BILLING__V1__GET_USAGE__INIT;
    DESK_SET(&get, usage_id, usage);
    desk_field(desk_problem(call(desk, CALL(GET_USAGE), &get), STATUS_INVALID_QUERY), "customer_id",
               STATUS_MISSING_FIELD);
    DESK_SET(&get, customer_id, two);
    desk_problem(call(desk, CALL(GET_USAGE), &get), STATUS_USAGE_NOT_FOUND);
    get.customer_id = raw_bytes(one);
    assert_int_equal(call(desk, CALL(GET_USAGE), &get)->result_case, CALL(GET_USAGE));
    get.has_usage_id = false;
    desk_field(desk_problem(call(desk, CALL(GET_USAGE), &get), STATUS_INVALID_QUERY), "usage_id",
               STATUS_MISSING_FIELD);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(create_usage__everything_wrong__names_every_field_at_once),
    cmocka_unit_test(create_usage__nothing_given__names_what_is_missing),
    cmocka_unit_test(get_bill__everything_wrong__is_an_invalid_query_that_names_them),
    cmocka_unit_test(field_decimal__any_text__is_a_number_in_bounds_or_named),
    cmocka_unit_test(field_decimal__a_number_of_a_megabyte__is_refused_in_a_short_answer),
    cmocka_unit_test(field_text__customer_names__are_printable_utf8_within_bounds),
    cmocka_unit_test(field_text__external_ids_and_services__are_held_to_the_same),
    cmocka_unit_test(field_request_id__any_text__is_printable_ascii_within_bounds),
    cmocka_unit_test(problems__quoting_hostile_text__are_short_and_printable),
    cmocka_unit_test(field_labels__at_their_bounds__are_taken_and_beyond_refused),
    cmocka_unit_test(field_labels__doubled_or_unprintable__are_refused),
    cmocka_unit_test(field_labels__a_field_that_is_not_known__is_refused_by_its_number),
    cmocka_unit_test(field_time__outside_1970_to_9999__is_refused),
    cmocka_unit_test(windows__empty_reversed_or_out_of_range__are_refused),
    cmocka_unit_test(field_limit__outside_1_to_1000__is_refused),
    cmocka_unit_test(list_usage__a_clock_that_is_none__is_refused),
    cmocka_unit_test(field_customer__what_can_be_nobodys__is_404_in_every_call),
    cmocka_unit_test(get_usage__what_names_no_usage_of_theirs__is_404),
};

TESTKIT_MAIN(tests)
