/* Every REST path, and what is near it. */
#include <string.h>

#include "billingd/net/http_routes.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

static int find(const char *method, const char *path, struct http_match *ret, char *allow)
{
    return http_route_find(slice_of(method), slice_of(path), ret, allow);
}

static const struct {
    const char *method, *path;
    Billing__V1__Request__CallCase call;
    unsigned success;
    const char *fields[HTTP_PATH_FIELDS_MAX]; /* "name=value" */
} calls[] = {
    {"POST", "/api/v1/customers", CALL(CREATE_CUSTOMER), 201, {0}},
    {"GET", "/api/v1/customers", CALL(LIST_CUSTOMERS), 200, {0}},
    {"GET", "/api/v1/customers/cus_1", CALL(GET_CUSTOMER), 200, {"customer_id=cus_1"}},
    {"HEAD", "/api/v1/customers/cus_1", CALL(GET_CUSTOMER), 200, {"customer_id=cus_1"}},
    {"PATCH", "/api/v1/customers/a%2Fb", CALL(UPDATE_CUSTOMER), 200, {"customer_id=a%2Fb"}},
    {"POST", "/api/v1/customers/c/usage", CALL(CREATE_USAGE), 201, {"customer_id=c"}},
    {"GET", "/api/v1/customers/c/usage", CALL(LIST_USAGE), 200, {"customer_id=c"}},
    {"GET", "/api/v1/customers/c/usage/u", CALL(GET_USAGE), 200, {"customer_id=c", "usage_id=u"}},
    {"GET", "/api/v1/customers/c/bill", CALL(GET_BILL), 200, {"customer_id=c"}},
    {"GET",
     "/api/v1/customers/c/requests/r",
     CALL(GET_REQUEST),
     200,
     {"customer_id=c", "request_id=r"}},
    {"GET", "/api/v1/requests/r", CALL(GET_REQUEST), 200, {"request_id=r"}},
    {"POST", "/api/v1/usage/batch", CALL(CREATE_USAGE_BATCH), 200, {0}},
    {"GET", "/api/v1/customers/c/usage/summary", CALL(SUMMARIZE_USAGE), 200, {"customer_id=c"}},
    {"POST",
     "/api/v1/customers/c/usage/u/void",
     CALL(VOID_USAGE),
     201,
     {"customer_id=c", "usage_id=u"}},
    {"GET",
     "/api/v1/customers/c/usage/u/void",
     CALL(GET_VOID),
     200,
     {"customer_id=c", "usage_id=u"}},
    {"GET",
     "/api/v1/customers/c/usage/summary/void",
     CALL(GET_VOID),
     200,
     {"customer_id=c", "usage_id=summary"}},
    {"POST", "/api/v1/customers/c/adjustments", CALL(CREATE_ADJUSTMENT), 201, {"customer_id=c"}},
    {"GET", "/api/v1/customers/c/adjustments", CALL(LIST_ADJUSTMENTS), 200, {"customer_id=c"}},
    {"GET", "/api/v1/customers/c/bill/records", CALL(LIST_BILL_RECORDS), 200, {"customer_id=c"}},
    {"GET", "/api/v1/bills", CALL(LIST_BILLS), 200, {0}},
    {"POST", "/api/v1/customers/c/invoices", CALL(FINALIZE_INVOICE), 201, {"customer_id=c"}},
    {"GET", "/api/v1/customers/c/invoices", CALL(LIST_INVOICES), 200, {"customer_id=c"}},
    {"GET", "/api/v1/invoices", CALL(LIST_INVOICES), 200, {0}},
    {"GET", "/api/v1/invoices/7", CALL(GET_INVOICE), 200, {"number=7"}},
    {"GET", "/api/v1/invoices/7/verification", CALL(VERIFY_INVOICE), 200, {"number=7"}},
    {"GET", "/api/v1/services", CALL(LIST_SERVICES), 200, {0}},
    {"GET", "/api/v1/services/a%2Fb", CALL(GET_SERVICE), 200, {"name=a%2Fb"}},
    {"PUT", "/api/v1/services/s", CALL(PUT_SERVICE), 200, {"name=s"}},
    {"DELETE", "/api/v1/services/s", CALL(DELETE_SERVICE), 204, {"name=s"}},
    {"GET", "/api/v1/server", CALL(GET_SERVER_INFO), 200, {0}},
    {"GET", "/openapi.json", CALL(_NOT_SET), 200, {0}},
    {"GET", "/metrics", CALL(_NOT_SET), 200, {0}},
    {"GET", "/healthz", CALL(CHECK_HEALTH), 200, {0}},
    {"HEAD", "/readyz", CALL(CHECK_HEALTH), 200, {0}},
};

static void routes__every_path__leads_to_its_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char allow[HTTP_ALLOW_BYTES] = "x";
        struct http_match match;
        unsigned n = 0;
        assert_ok(find(calls[i].method, calls[i].path, &match, allow));
        assert_int_equal(match.route->call, calls[i].call);
        assert_u64(match.route->success, calls[i].success);
        assert_string_equal(allow, "");
        for (; n < HTTP_PATH_FIELDS_MAX && calls[i].fields[n] != NULL; n++) {
            const struct http_path_field *field = &match.fields[n];
            assert_string_equal(testkit_format("%.*s=%.*s", (int)field->name.length,
                                               field->name.data, (int)field->value.length,
                                               field->value.data),
                                calls[i].fields[n]);
        }
        assert_u64(match.n_fields, n);
    }
}

static void routes__other_paths__are_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/",
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/customer",
        "/api/v1/customers/",
        "/api/v1//customers",
        "//api/v1/customers",
        "/api/v1/customers//usage",
        "/api/v1/customers/c/",
        "/api/v1/customers/c/usage/",
        "/api/v1/customers/c/usage/u/",
        "/api/v1/customers/c/usages",
        "/api/v1/customers/c/requests",
        "/api/v1/requests",
        "/api/v1/usage",
        "/api/v1/usage/batch/x",
        "/api/v1/customers/c/usage/u/voids",
        "/api/v1/customers/c/usage//void",
        "/api/v1/customers/c/adjustments/a",
        "/api/v1/customers/c/bill/",
        "/api/v1/customers/c/bills",
        "/api/v1/customers/c/invoices/7",
        "/api/v1/bills/",
        "/api/v1/invoices/",
        "/api/v1/invoices/7/verifications",
        "/api/v1/services/",
        "/api/v1/services/a/b",
        "/api/v1/openapi.json",
        "/openapi",
        "/API/v1/customers",
        "/api/v1/%63ustomers",
        "/api/v1/../v1/customers",
        "/api/v2/customers",
        "/healthz/",
        "/healthzz",
        "api/v1/customers",
        "*x",
        "",
    };
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "HEAD"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            char allow[HTTP_ALLOW_BYTES];
            struct http_match match;
            assert_status(find(methods[m], paths[i], &match, allow), STATUS_PATH_NOT_FOUND);
            assert_string_equal(allow, "");
        }
    }
}

static void routes__other_methods__are_told_which_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *allow;
        int status;
    } cases[] = {
        {"DELETE", "/api/v1/customers", "POST, GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"PUT", "/api/v1/customers/c", "GET, HEAD, PATCH, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"DELETE", "/api/v1/customers/c/usage/summary", "GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"DELETE", "/api/v1/customers/c/usage/u", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"PUT", "/api/v1/customers/c/usage/u/void", "POST, GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"DELETE", "/api/v1/customers/c/adjustments", "POST, GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/customers/c/bill", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/customers/c/bill/records", "GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/bills", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"PATCH", "/api/v1/customers/c/invoices", "POST, GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/invoices", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"DELETE", "/api/v1/invoices/7", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/invoices/7/verification", "GET, HEAD, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/services", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/api/v1/services/s", "GET, HEAD, PUT, DELETE, OPTIONS",
         STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/openapi.json", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"OPTIONS", "/api/v1/services/s", "GET, HEAD, PUT, DELETE, OPTIONS", 0},
        {"HEAD", "/api/v1/usage/batch", "POST, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"get", "/healthz", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/readyz", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"OPTIONS", "/api/v1/usage/batch", "POST, OPTIONS", 0},
        {"OPTIONS", "*", "POST, GET, HEAD, PATCH, PUT, DELETE, OPTIONS", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char allow[HTTP_ALLOW_BYTES];
        struct http_match match;
        assert_status(find(cases[i].method, cases[i].path, &match, allow), cases[i].status);
        assert_string_equal(allow, cases[i].allow);
        if (cases[i].status == 0) {
            assert_null(match.route);
        }
    }
}

/* What a path's segments stand for, are fields of its call; what its Location names, of the reply:
 * the door looks them up by name. */
static void routes__fields_of_every_path__are_the_calls(void **state)
{
    (void)state;
    const struct http_route *route;
    for (unsigned r = 0; (route = http_route_at(r)) != NULL; r++) {
        const ProtobufCFieldDescriptor *call = protobuf_c_message_descriptor_get_field(
            &billing__v1__request__descriptor, (unsigned)route->call);
        for (const char *at = strchr(route->path, ':'); at != NULL; at = strchr(at + 1, ':')) {
            const char *name = testkit_format("%.*s", (int)strcspn(at + 1, "/"), at + 1);
            const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field_by_name(call->descriptor, name);
            assert_non_null(field);
            /* A segment of any other type can be one that names nothing. */
            assert_int_equal(field->type != PROTOBUF_C_TYPE_BYTES, route->unnamed != 0);
        }
        struct http_match match;
        char allow[HTTP_ALLOW_BYTES];
        assert_ok(find(route->method, route->path, &match, allow));
        assert_ptr_equal(match.route, route);
    }
    assert_null(http_route_at(1000));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(routes__fields_of_every_path__are_the_calls),
    cmocka_unit_test(routes__every_path__leads_to_its_call),
    cmocka_unit_test(routes__other_paths__are_not_found),
    cmocka_unit_test(routes__other_methods__are_told_which_there_are),
};

TESTKIT_MAIN(tests)
