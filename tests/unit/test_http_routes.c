/* Every REST path, and what is near it. */
#include <string.h>

#include "billingd/net/http_routes.h"
#include "tests/lib/testkit.h"

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

static int find(const char *method, const char *path, struct http_match *ret, char *allow)
{
    return http_route_find(slice_of(method), slice_of(path), ret, allow);
}

static void routes__every_path__leads_to_its_call(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        Billing__V1__Request__CallCase call;
        unsigned success;
        const char *fields[HTTP_PATH_FIELDS_MAX]; /* "name=value" */
    } cases[] = {
        {"POST", "/api/v1/customers", CALL(CREATE_CUSTOMER), 201, {0}},
        {"GET", "/api/v1/customers", CALL(LIST_CUSTOMERS), 200, {0}},
        {"GET", "/api/v1/customers/cus_1", CALL(GET_CUSTOMER), 200, {"customer_id=cus_1"}},
        {"HEAD", "/api/v1/customers/cus_1", CALL(GET_CUSTOMER), 200, {"customer_id=cus_1"}},
        {"PATCH", "/api/v1/customers/a%2Fb", CALL(UPDATE_CUSTOMER), 200, {"customer_id=a%2Fb"}},
        {"POST", "/api/v1/customers/c/usage", CALL(CREATE_USAGE), 201, {"customer_id=c"}},
        {"GET", "/api/v1/customers/c/usage", CALL(LIST_USAGE), 200, {"customer_id=c"}},
        {"GET",
         "/api/v1/customers/c/usage/u",
         CALL(GET_USAGE),
         200,
         {"customer_id=c", "usage_id=u"}},
        {"GET", "/api/v1/customers/c/bill", CALL(GET_BILL), 200, {"customer_id=c"}},
        {"GET",
         "/api/v1/customers/c/requests/r",
         CALL(GET_REQUEST),
         200,
         {"customer_id=c", "request_id=r"}},
        {"GET", "/api/v1/requests/r", CALL(GET_REQUEST), 200, {"request_id=r"}},
        {"POST", "/api/v1/usage/batch", CALL(CREATE_USAGE_BATCH), 200, {0}},
        {"GET", "/api/v1/server", CALL(GET_SERVER_INFO), 200, {0}},
        {"GET", "/healthz", CALL(CHECK_HEALTH), 200, {0}},
        {"HEAD", "/readyz", CALL(CHECK_HEALTH), 200, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char allow[HTTP_ALLOW_BYTES] = "x";
        struct http_match match;
        unsigned n = 0;
        assert_ok(find(cases[i].method, cases[i].path, &match, allow));
        assert_int_equal(match.route->call, cases[i].call);
        assert_u64(match.route->success, cases[i].success);
        assert_string_equal(allow, "");
        for (; n < HTTP_PATH_FIELDS_MAX && cases[i].fields[n] != NULL; n++) {
            const struct http_path_field *field = &match.fields[n];
            assert_string_equal(testkit_format("%.*s=%.*s", (int)field->name.length,
                                               field->name.data, (int)field->value.length,
                                               field->value.data),
                                cases[i].fields[n]);
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
        {"HEAD", "/api/v1/usage/batch", "POST, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"get", "/healthz", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"POST", "/readyz", "GET, HEAD, OPTIONS", STATUS_METHOD_NOT_ALLOWED},
        {"OPTIONS", "/api/v1/usage/batch", "POST, OPTIONS", 0},
        {"OPTIONS", "*", "POST, GET, HEAD, PATCH, OPTIONS", 0},
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(routes__every_path__leads_to_its_call),
    cmocka_unit_test(routes__other_paths__are_not_found),
    cmocka_unit_test(routes__other_methods__are_told_which_there_are),
};

TESTKIT_MAIN(tests)
