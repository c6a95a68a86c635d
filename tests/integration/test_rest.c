/* The REST contract: the answers of every call, and every row of the table of errors that these
 * calls can meet. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

/* --- one daemon for all tests ----------------------------------------------------------------- */

struct rest {
    struct daemon_process *daemon;
    struct http_conn conn;
    const char *customer; /* id of "Acme", external id "acme/1" */
    const char *usage;    /* id of one record of hers */
};

static const char *text_of(const char *body, const char *name)
{
    const char *at = strstr(body, testkit_format("\"%s\": \"", name));
    if (at == NULL) {
        testkit_fail("no %s in %s", name, body);
    }
    at += strlen(name) + strlen("\"\": \"");
    return testkit_format("%.*s", (int)strcspn(at, "\""), at);
}

static int setup(void **state)
{
    static struct rest rest;
    struct http_reply reply;
    rest.daemon = daemon_process_start(NULL);
    assert_true(http_open(&rest.conn, daemon_process_http(rest.daemon)));
    http_call(&rest.conn, "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\", \"external_id\": \"acme/1\"}", &reply);
    assert_int_equal(reply.status, 201);
    rest.customer = text_of(reply.body, "id");
    http_reply_done(&reply);
    http_call(&rest.conn, "POST", testkit_format("/api/v1/customers/%s/usage", rest.customer), NULL,
              "{\"service\": \"s\", \"units_consumed\": 2, \"price_per_unit\": \"0.5\","
              " \"occurred_at\": \"2026-01-31T23:59:59.9999999Z\", \"labels\": {\"b\": \"2\","
              " \"a\": \"1\"}}",
              &reply);
    assert_int_equal(reply.status, 201);
    rest.usage = text_of(reply.body, "id");
    http_reply_done(&reply);
    *state = &rest;
    return 0;
}

static int teardown(void **state)
{
    struct rest *rest = *state;
    http_close(&rest->conn);
    daemon_process_stop(rest->daemon);
    daemon_process_destroy(rest->daemon);
    return 0;
}

/* TEXT with VALUE wherever it says MARK. */
static const char *replace(const char *text, const char *mark, const char *value)
{
    const char *at = strstr(text, mark);
    return at == NULL ? text
                      : replace(testkit_format("%.*s%s%s", (int)(at - text), text, value,
                                               at + strlen(mark)),
                                mark, value);
}

/* TEXT with {c} and {u} as the ids of the customer and of its usage record. */
static const char *fill(const struct rest *rest, const char *text)
{
    return replace(replace(text, "{c}", rest->customer), "{u}", rest->usage);
}

/* --- errors ----------------------------------------------------------------------------------- */

struct error_case {
    const char *method;
    const char *target;
    const char *body; /* NULL: none */
    int status;
    const char *code;
    const char *field; /* that is named; NULL: none is looked for */
};

#define USAGE       "/api/v1/customers/{c}/usage"
#define ADJUSTMENTS "/api/v1/customers/{c}/adjustments"
#define BILL        "/api/v1/customers/{c}/bill"

static const struct error_case cases[] = {
    /* 400 */
    {"POST", "/api/v1/customers", "{", 400, "malformed_json", NULL},
    {"POST", "/api/v1/customers", "", 400, "malformed_json", NULL},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\"} {}", 400, "malformed_json", NULL},
    {"POST", "/api/v1/customers", "{'customer_name': 'x'}", 400, "malformed_json", NULL},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"\xC0\x80\"}", 400, "malformed_json", NULL},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\", \"customer_name\": \"y\"}", 400,
     "malformed_json", NULL},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": NaN, \"price_per_unit\": 1}", 400,
     "malformed_json", NULL},
    {"POST", USAGE, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]", 400, "malformed_json", NULL},
    {"GET", USAGE "?limit=0", NULL, 400, "invalid_query", "limit"},
    {"GET", USAGE "?limit=1001", NULL, 400, "invalid_query", "limit"},
    {"GET", USAGE "?limit=ten", NULL, 400, "invalid_query", "limit"},
    {"GET", USAGE "?limit=1&limit=2", NULL, 400, "invalid_query", "limit"},
    {"GET", USAGE "?colour=red", NULL, 400, "invalid_query", "colour"},
    {"GET", USAGE "?by=sunrise", NULL, 400, "invalid_query", "by"},
    {"GET", USAGE "?cursor=00", NULL, 400, "invalid_query", "cursor"},
    {"GET", USAGE "?start=yesterday", NULL, 400, "invalid_query", "start"},
    {"GET", USAGE "?start=2026-02-01T00:00:00Z&end=2026-01-01T00:00:00Z", NULL, 400,
     "invalid_query", "end"},
    {"GET", "/api/v1/customers/{c}/bill?start=2026-02-01T00:00:00Z", NULL, 400, "invalid_query",
     "end"},
    {"GET", USAGE "/summary?window=week", NULL, 400, "invalid_query", "window"},
    {"GET", USAGE "/summary?by=1", NULL, 400, "invalid_query", "by"},
    {"GET", USAGE "/summary?group_by=customer", NULL, 400, "invalid_query", "group_by"},
    {"GET", USAGE "/summary?include_empty=1", NULL, 400, "invalid_query", "include_empty"},
    {"GET", USAGE "/summary?limit=0", NULL, 400, "invalid_query", "limit"},
    {"GET", USAGE "/summary?usage_id=x", NULL, 400, "invalid_query", "usage_id"},
    {"GET", ADJUSTMENTS "?by=sunrise", NULL, 400, "invalid_query", "by"},
    {"GET", ADJUSTMENTS "?cursor=00", NULL, 400, "invalid_query", "cursor"},
    {"GET", BILL "/records?price_per_unit=x", NULL, 400, "invalid_query", "price_per_unit"},
    {"GET", BILL "/records?limit=1001", NULL, 400, "invalid_query", "limit"},
    {"GET", "/api/v1/bills?start=2026-02-01T00:00:00Z", NULL, 400, "invalid_query", "end"},
    {"GET", "/api/v1/bills?customer_id={c}", NULL, 400, "invalid_query", "customer_id"},
    {"GET", "/api/v1/invoices?limit=0", NULL, 400, "invalid_query", "limit"},
    {"GET", "/api/v1/invoices?cursor=00", NULL, 400, "invalid_query", "cursor"},
    {"GET", "/api/v1/services?limit=x", NULL, 400, "invalid_query", "limit"},
    {"DELETE", "/api/v1/services/s?unit=x", NULL, 400, "invalid_query", "unit"},
    {"DELETE", "/api/v1/services/s", "{}", 400, "malformed_http", NULL},
    {"PUT", "/api/v1/services/s", "{", 400, "malformed_json", NULL},
    /* 404 */
    {"GET", "/api/v1/customers/nobody/usage/summary", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/nobody/adjustments", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/nobody/bill/records", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/nobody/invoices", NULL, 404, "customer_not_found", NULL},
    {"POST", "/api/v1/customers/nobody/adjustments", "{\"amount\": 1, \"reason\": \"r\"}", 404,
     "customer_not_found", NULL},
    {"POST", "/api/v1/customers/nobody/invoices", "{\"end\": \"2020-01-01T00:00:00Z\"}", 404,
     "customer_not_found", NULL},
    {"POST", "/api/v1/customers/nobody/usage/{u}/void", "{\"reason\": \"r\"}", 404,
     "customer_not_found", NULL},
    {"POST", USAGE "/{c}/void", "{\"reason\": \"r\"}", 404, "usage_not_found", NULL},
    {"GET", USAGE "/{c}/void", NULL, 404, "usage_not_found", NULL},
    {"GET", USAGE "/{u}/void", NULL, 404, "void_not_found", NULL},
    {"GET", USAGE "/summary/void", NULL, 404, "usage_not_found", NULL},
    {"GET", "/api/v1/invoices/99", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/0", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/x", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/-1", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/18446744073709551616", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/99/verification", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/invoices/x/verification", NULL, 404, "invoice_not_found", NULL},
    {"GET", "/api/v1/services/none", NULL, 404, "service_not_found", NULL},
    {"DELETE", "/api/v1/services/none", NULL, 404, "service_not_found", NULL},
    {"GET", ADJUSTMENTS "/adj_1", NULL, 404, "path_not_found", NULL},
    {"GET", "/api/v1/customers/cus_0000000000000000", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/1", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/%00", NULL, 400, NULL, NULL},
    {"GET", "/api/v1/customers/{u}", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/external:nobody", NULL, 404, "customer_not_found", NULL},
    {"PATCH", "/api/v1/customers/nobody", "{\"customer_name\": \"x\"}", 404, "customer_not_found",
     NULL},
    {"POST", "/api/v1/customers/nobody/usage",
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1}", 404,
     "customer_not_found", NULL},
    {"GET", "/api/v1/customers/nobody/bill", NULL, 404, "customer_not_found", NULL},
    {"GET", "/api/v1/customers/nobody/usage", NULL, 404, "customer_not_found", NULL},
    {"GET", USAGE "/{c}", NULL, 404, "usage_not_found", NULL},
    {"GET", USAGE "/use_zzzzzzzzzzzzzzzz", NULL, 404, "usage_not_found", NULL},
    {"GET", "/api/v1/customers/{c}/requests/never", NULL, 404, "request_not_found", NULL},
    {"GET", "/api/v1/requests/never", NULL, 404, "request_not_found", NULL},
    {"GET", "/api/v2/customers", NULL, 404, "path_not_found", NULL},
    {"GET", "/", NULL, 404, "path_not_found", NULL},
    {"GET", "/api/v1/customers/", NULL, 404, NULL, NULL},
    /* 405 */
    {"DELETE", "/api/v1/customers/{c}", NULL, 405, "method_not_allowed", NULL},
    {"PUT", "/api/v1/customers", "{}", 405, "method_not_allowed", NULL},
    {"DELETE", USAGE "/summary", NULL, 405, "method_not_allowed", NULL},
    {"DELETE", USAGE "/{u}/void", NULL, 405, "method_not_allowed", NULL},
    {"PATCH", "/api/v1/invoices/1", "{}", 405, "method_not_allowed", NULL},
    {"POST", "/api/v1/bills", "{}", 405, "method_not_allowed", NULL},
    {"POST", "/api/v1/services/s", "{}", 405, "method_not_allowed", NULL},
    {"POST", "/openapi.json", "{}", 405, "method_not_allowed", NULL},
    /* 409 */
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\", \"external_id\": \"acme/1\"}", 409,
     "external_id_taken", "external_id"},
    /* 422: customers */
    {"POST", "/api/v1/customers", "{}", 422, "missing_field", "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"\"}", 422, "out_of_bounds",
     "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": 5}", 422, "wrong_type", "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": null}", 422, "wrong_type", "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"a\\u0000b\"}", 422, "out_of_bounds",
     "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"a\\u0007b\"}", 422, "out_of_bounds",
     "customer_name"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\", \"colour\": 1}", 422, "unknown_field",
     "colour"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\", \"external_id\": \"\"}", 422,
     "out_of_bounds", "external_id"},
    {"POST", "/api/v1/customers", "{\"customer_name\": \"x\", \"request_id\": \"\\u00e9\"}", 422,
     "out_of_bounds", "request_id"},
    /* 422: usage */
    {"POST", USAGE, "{}", 422, "missing_field", "service"},
    {"POST", USAGE, "{\"units_consumed\": 1, \"price_per_unit\": 1}", 422, "missing_field",
     "service"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": -1, \"price_per_unit\": 1}", 422,
     "out_of_bounds", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": -0.1}", 422,
     "out_of_bounds", "price_per_unit"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": true, \"price_per_unit\": 1}", 422,
     "wrong_type", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": \"NaN\", \"price_per_unit\": 1}", 422,
     "wrong_type", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": [1], \"price_per_unit\": 1}", 422,
     "wrong_type", "units_consumed"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1234567890123456789, \"price_per_unit\": 1}", 422,
     "out_of_bounds", "units_consumed"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 12345678901234567890123, \"price_per_unit\": 1}",
     422, "out_of_bounds", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": 1e400, \"price_per_unit\": 1}", 422,
     "out_of_bounds", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": 1e-19, \"price_per_unit\": 1}", 422,
     "out_of_bounds", "units_consumed"},
    {"POST", USAGE, "{\"service\": \"s\", \"units_consumed\": 1e15, \"price_per_unit\": 1}", 422,
     "amount_too_large", "amount"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1, \"occurred_at\": 5}", 422,
     "wrong_type", "occurred_at"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1,"
     " \"occurred_at\": \"2026-02-30T00:00:00Z\"}",
     422, "wrong_type", "occurred_at"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1,"
     " \"occurred_at\": \"1969-12-31T23:59:59Z\"}",
     422, "time_out_of_range", "occurred_at"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1,"
     " \"occurred_at\": \"9999-01-01T00:00:00Z\"}",
     422, "time_out_of_range", "occurred_at"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1, \"labels\": []}", 422,
     "wrong_type", "labels"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1,"
     " \"labels\": {\"\": \"x\"}}",
     422, "out_of_bounds", "labels"},
    {"POST", USAGE,
     "{\"service\": \"s\", \"units_consumed\": 1, \"price_per_unit\": 1, \"customer_id\": \"x\"}",
     422, "unknown_field", "customer_id"},
    {"POST", USAGE, "[]", 422, "wrong_type", NULL},
    /* 422: voids, adjustments, invoices, services */
    {"POST", USAGE "/{u}/void", "{}", 422, "missing_field", "reason"},
    {"POST", USAGE "/{u}/void", "{\"reason\": \"\"}", 422, "out_of_bounds", "reason"},
    {"POST", USAGE "/{u}/void", "{\"reason\": 5}", 422, "wrong_type", "reason"},
    {"POST", USAGE "/{u}/void", "{\"reason\": \"a\\nb\"}", 422, "out_of_bounds", "reason"},
    {"POST", USAGE "/{u}/void", "{\"reason\": \"r\", \"usage_id\": \"u\"}", 422, "unknown_field",
     "usage_id"},
    {"POST", ADJUSTMENTS, "{}", 422, "missing_field", "amount"},
    {"POST", ADJUSTMENTS, "{\"amount\": 1}", 422, "missing_field", "reason"},
    {"POST", ADJUSTMENTS, "{\"amount\": \"x\", \"reason\": \"r\"}", 422, "wrong_type", "amount"},
    {"POST", ADJUSTMENTS, "{\"amount\": 1e15, \"reason\": \"r\"}", 422, "amount_too_large",
     "amount"},
    {"POST", ADJUSTMENTS, "{\"amount\": -1e15, \"reason\": \"r\"}", 422, "amount_too_large",
     "amount"},
    {"POST", ADJUSTMENTS, "{\"amount\": 1234567890123456789, \"reason\": \"r\"}", 422,
     "out_of_bounds", "amount"},
    {"POST", ADJUSTMENTS, "{\"amount\": 1, \"reason\": \"r\", \"service\": \"\"}", 422,
     "out_of_bounds", "service"},
    {"POST", ADJUSTMENTS,
     "{\"amount\": 1, \"reason\": \"r\", \"occurred_at\": \"9999-01-01T00:00:00Z\"}", 422,
     "time_out_of_range", "occurred_at"},
    {"POST", "/api/v1/customers/{c}/invoices", "{}", 422, "missing_field", "end"},
    {"POST", "/api/v1/customers/{c}/invoices", "{\"end\": 5}", 422, "wrong_type", "end"},
    {"POST", "/api/v1/customers/{c}/invoices", "{\"end\": \"9999-01-01T00:00:00Z\"}", 422,
     "period_not_closed", "end"},
    {"POST", "/api/v1/customers/{c}/invoices",
     "{\"start\": \"2026-02-01T00:00:00Z\", \"end\": \"2026-02-01T00:00:00Z\"}", 422,
     "out_of_bounds", "end"},
    {"POST", "/api/v1/customers/{c}/invoices",
     "{\"start\": \"2026-02-01T00:00:00Z\", \"end\": \"2026-03-01T00:00:00Z\"}", 422,
     "not_contiguous", "start"},
    {"PUT", "/api/v1/services/s", "{\"unit\": \"\"}", 422, "out_of_bounds", "unit"},
    {"PUT", "/api/v1/services/s", "{\"unit\": null}", 422, "wrong_type", "unit"},
    {"PUT", "/api/v1/services/s", "{\"name\": \"t\"}", 422, "unknown_field", "name"},
    /* 422: batches */
    {"POST", "/api/v1/usage/batch", "{\"usage\": []}", 422, "out_of_bounds", "usage"},
    {"POST", "/api/v1/usage/batch", "{}", 422, NULL, "usage"},
    {"POST", "/api/v1/usage/batch", "{\"usage\": 5}", 422, "wrong_type", "usage"},
    {"POST", "/api/v1/usage/batch",
     "{\"usage\": [{\"customer_id\": \"{c}\", \"service\": \"s\", \"units_consumed\": 1,"
     " \"price_per_unit\": 1}]}",
     422, "missing_field", "usage[0].request_id"},
};

static void check_error(struct rest *rest, const struct error_case *c)
{
    struct http_reply reply;
    http_call(&rest->conn, c->method, fill(rest, c->target), NULL,
              c->body == NULL ? NULL : fill(rest, c->body), &reply);
    bool ok = reply.status == c->status && strstr(reply.body, "\"recorded\": \"no\"") != NULL;
    ok = ok &&
         (c->code == NULL ||
          strstr(reply.body, testkit_format("\"code\": \"%s\", \"request_id\"", c->code)) != NULL);
    ok = ok && (c->field == NULL ||
                strstr(reply.body, testkit_format("\"field\": \"%s\"", c->field)) != NULL);
    const char *type = http_reply_header(&reply, "Content-Type");
    ok = ok && type != NULL && strcmp(type, "application/problem+json") == 0;
    ok = ok && http_reply_header(&reply, "X-Request-Id") != NULL;
    ok = ok && (c->status != 405 || http_reply_header(&reply, "Allow") != NULL);
    if (!ok) {
        testkit_fail("%s %s %s: expected %d %s, got %d %s", c->method, c->target,
                     c->body == NULL ? "" : c->body, c->status, c->code == NULL ? "" : c->code,
                     reply.status, reply.body);
    }
    http_reply_done(&reply);
}

struct id_case {
    const char *headers[3];
    const char *body;
    const char *echoed;     /* NULL: whatever the problem has */
    const char *request_id; /* of the record, or of the problem */
};

static const struct id_case id_cases[] = {
    {{"X-Request-Id: sent-1"}, "{", "sent-1", "sent-1"},
    {{"X-Request-Id: sent-1"}, "{\"request_id\": 5}", "sent-1", "sent-1"},
    {{"X-Request-Id: sent-1"}, "{\"request_id\": \"\"}", "sent-1", "sent-1"},
    {{"X-Request-Id: sent-1"}, "{\"request_id\": \"body-1\"}", "sent-1", "body-1"},
    {{"X-Request-Id: sent-1", "Idempotency-Key: key-1"}, "{}", "sent-1", "key-1"},
    {{"Idempotency-Key: key-1"}, "{}", "key-1", "key-1"},
    {{"Idempotency-Key: key-1"}, "{\"request_id\": \"body-1\"}", "body-1", "body-1"},
    {{"Idempotency-Key: key-1"}, "{\"request_id\": 5}", NULL, NULL},
    {{NULL}, "{}", NULL, NULL},
    {{"X-Request-Id: sent-1", "Idempotency-Key: ids-1"},
     "{\"service\": \"ids\", \"units_consumed\": 0, \"price_per_unit\": 0,"
     " \"occurred_at\": \"2020-01-01T00:00:00Z\"}",
     "sent-1",
     "ids-1"},
};

static void check_ids(struct rest *rest, const struct id_case *c)
{
    struct http_reply reply;
    http_call(&rest->conn, "POST", fill(rest, USAGE), c->headers, c->body, &reply);
    const char *echoed = http_reply_header(&reply, "X-Request-Id");
    const char *request_id = c->request_id == NULL ? echoed : c->request_id;
    if ((c->echoed != NULL && strcmp(echoed, c->echoed) != 0) ||
        strstr(reply.body, testkit_format("\"request_id\": \"%s\"", request_id)) == NULL) {
        testkit_fail("%s: X-Request-Id: %s, %s", c->body, echoed, reply.body);
    }
    http_reply_done(&reply);
}

static void request_id__sent__is_echoed_beside_that_of_the_write(void **state)
{
    struct rest *rest = *state;
    for (size_t i = 0; i < sizeof id_cases / sizeof id_cases[0]; i++) {
        check_ids(rest, &id_cases[i]);
    }
}

static void errors__every_row_of_the_table__is_answered_by_name(void **state)
{
    struct rest *rest = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_error(rest, &cases[i]);
    }
}

static void errors__all_wrong_fields__are_named_at_once(void **state)
{
    struct rest *rest = *state;
    struct http_reply reply;
    http_call(&rest->conn, "POST", fill(rest, USAGE), NULL,
              "{\"units_consumed\": -1, \"price_per_unit\": \"x\", \"colour\": 1}", &reply);
    assert_int_equal(reply.status, 422);
    assert_contains(reply.body, "\"code\": \"invalid_fields\"");
    assert_contains(reply.body, "{\"field\": \"colour\", \"code\": \"unknown_field\"");
    assert_contains(reply.body, "{\"field\": \"service\", \"code\": \"missing_field\"");
    assert_contains(reply.body, "{\"field\": \"units_consumed\", \"code\": \"out_of_bounds\"");
    assert_contains(reply.body, "{\"field\": \"price_per_unit\", \"code\": \"wrong_type\"");
    http_reply_done(&reply);
}

static void errors__other_content_types__are_refused(void **state)
{
    static const char *const types[] = {"text/plain", "application/x-www-form-urlencoded",
                                        "application/x-ndjson", "application/jsonx"};
    struct rest *rest = *state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const char *const headers[] = {testkit_format("Content-Type: %s", types[i]), NULL};
        struct http_reply reply;
        http_call(&rest->conn, "POST", "/api/v1/customers", headers, "{\"customer_name\": \"x\"}",
                  &reply);
        assert_int_equal(reply.status, 415);
        assert_contains(reply.body, "\"code\": \"unsupported_media_type\"");
        http_reply_done(&reply);
    }
}

static void errors__a_body_over_the_limit__is_413_and_others_notice_nothing(void **state)
{
    struct rest *rest = *state;
    struct http_conn conn;
    struct http_reply reply;
    const char *head = "POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nContent-Type: "
                       "application/json\r\nContent-Length: 17000000\r\n\r\n";
    assert_true(http_open(&conn, daemon_process_http(rest->daemon)));
    assert_int_equal(http_send(&conn, head, strlen(head)), SOCK_OK);
    assert_int_equal(http_receive(&conn, SOCK_PATIENCE_MS, &reply), SOCK_OK);
    assert_int_equal(reply.status, 413);
    assert_contains(reply.body, "\"code\": \"too_large\"");
    assert_true(reply.will_close);
    http_reply_done(&reply);
    http_close(&conn);
    http_call(&rest->conn, "GET", fill(rest, "/api/v1/customers/{c}"), NULL, NULL, &reply);
    assert_int_equal(reply.status, 200);
    http_reply_done(&reply);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void assert_answer(struct rest *rest, const char *method, const char *target,
                          const char *body, int status, const char *part)
{
    struct http_reply reply;
    http_call(&rest->conn, method, fill(rest, target), NULL, body, &reply);
    if (reply.status != status || strstr(reply.body, fill(rest, part)) == NULL) {
        testkit_fail("%s %s: expected %d with %s, got %d %s", method, target, status,
                     fill(rest, part), reply.status, reply.body);
    }
    http_reply_done(&reply);
}

static void usage__as_recorded__has_its_canonical_form(void **state)
{
    struct rest *rest = *state;
    assert_answer(rest, "GET", USAGE "/{u}", NULL, 200,
                  "{\"usage\": {\"id\": \"{u}\", \"customer_id\": \"{c}\", \"service\": \"s\","
                  " \"units_consumed\": 2, \"price_per_unit\": 0.5, \"amount\": 1,"
                  " \"occurred_at\": \"2026-01-31T23:59:59.999999Z\"");
    assert_answer(rest, "GET", USAGE "/{u}", NULL, 200,
                  "\"bills_at\": \"2026-01-31T23:59:59.999999Z\", \"late\": false,");
    assert_answer(rest, "GET", USAGE "/{u}", NULL, 200,
                  "\"recorded_by\": \"anonymous\", \"labels\": {\"a\": \"1\", \"b\": \"2\"}}}");
}

static void customer__by_external_id__is_the_same(void **state)
{
    struct rest *rest = *state;
    assert_answer(rest, "GET", "/api/v1/customers/external:acme%2F1", NULL, 200,
                  "{\"customer\": {\"id\": \"{c}\", \"name\": \"Acme\", \"external_id\":"
                  " \"acme/1\"");
    assert_answer(rest, "GET", "/api/v1/customers?external_id=acme%2F1", NULL, 200,
                  "{\"customers\": [{\"id\": \"{c}\"");
    assert_answer(rest, "GET", "/api/v1/customers?external_id=nobody", NULL, 200,
                  "{\"customers\": []}");
    assert_answer(rest, "GET", "/api/v1/customers/external:acme%2F1/usage/{u}", NULL, 200,
                  "\"id\": \"{u}\"");
}

static void customer__renamed__keeps_its_id(void **state)
{
    struct rest *rest = *state;
    assert_answer(rest, "PATCH", "/api/v1/customers/{c}", "{\"customer_name\": \"Acme Ltd\"}", 200,
                  "{\"customer\": {\"id\": \"{c}\", \"name\": \"Acme Ltd\"");
    assert_answer(rest, "PATCH", "/api/v1/customers/{c}", "{\"customer_name\": \"Acme\"}", 200,
                  "\"name\": \"Acme\"");
    assert_answer(rest, "GET", "/api/v1/customers/{c}", NULL, 200, "\"name\": \"Acme\"");
}

static void bill__of_a_window__is_exact_and_half_open(void **state)
{
    struct rest *rest = *state;
    assert_answer(rest, "GET",
                  "/api/v1/customers/{c}/bill?start=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z",
                  NULL, 200,
                  "{\"bill\": {\"customer_id\": \"{c}\", \"start\":"
                  " \"2026-01-01T00:00:00.000000Z\", \"end\": \"2026-02-01T00:00:00.000000Z\","
                  " \"currency\": \"USD\", \"lines\": [{\"service\": \"s\", \"price_per_unit\":"
                  " 0.5, \"units_consumed\": 2, \"exact_amount\": 1, \"amount\": 1, \"records\": 1,"
                  " \"voided\": 0, \"late\": 0}], \"adjustments\": [], \"exact_total\": 1,"
                  " \"total\": 1, \"rounding\": 0}}");
    assert_answer(rest, "GET",
                  "/api/v1/customers/{c}/bill?start=2026-01-01T00:00:00Z"
                  "&end=2026-01-31T23:59:59.999999Z",
                  NULL, 200, "\"lines\": [], \"adjustments\": [], \"exact_total\": 0");
    assert_answer(rest, "GET", "/api/v1/customers/{c}/bill", NULL, 200, "\"currency\": \"USD\"");
}

static void request__recorded__says_what_became_of_it(void **state)
{
    struct rest *rest = *state;
    const char *const headers[] = {"Idempotency-Key: \"look-1\"", NULL};
    struct http_reply reply;
    http_call(&rest->conn, "POST", fill(rest, USAGE), headers,
              "{\"service\": \"looked up\", \"units_consumed\": 0, \"price_per_unit\": 1,"
              " \"occurred_at\": \"2020-01-01T00:00:00\"}",
              &reply);
    assert_int_equal(reply.status, 201);
    assert_string_equal(http_reply_header(&reply, "X-Request-Id"), "look-1");
    const char *id = text_of(reply.body, "id");
    http_reply_done(&reply);
    assert_answer(rest, "GET", "/api/v1/customers/{c}/requests/look-1", NULL, 200,
                  testkit_format("{\"request\": {\"request_id\": \"look-1\", \"customer_id\":"
                                 " \"{c}\", \"method\": \"CreateUsage\", \"id\": \"%s\"",
                                 id));
}

static void batch__one_bad_item__does_not_fail_the_others(void **state)
{
    struct rest *rest = *state;
    const char *const headers[] = {"Idempotency-Key: batch-1", NULL};
    struct http_reply reply;
    const char *body = fill(
        rest, "{\"usage\": [{\"customer_id\": \"{c}\", \"service\": \"b\", \"units_consumed\": 1,"
              " \"price_per_unit\": 1, \"occurred_at\": \"2020-01-01T00:00:00Z\"},"
              " {\"customer_id\": \"{c}\", \"service\": \"b\", \"units_consumed\": -1,"
              " \"price_per_unit\": 1}, 5, {\"customer_id\": \"nobody\", \"service\": \"b\","
              " \"units_consumed\": 1, \"price_per_unit\": 1}]}");
    for (int round = 0; round < 2; round++) {
        http_call(&rest->conn, "POST", "/api/v1/usage/batch", headers, body, &reply);
        assert_int_equal(reply.status, 200);
        assert_contains(reply.body, round == 0
                                        ? "{\"results\": [{\"status\": \"recorded\", \"id\":"
                                        : "{\"results\": [{\"status\": \"replayed\", \"id\":");
        assert_contains(reply.body, "{\"status\": \"refused\", \"problem\": {");
        assert_contains(reply.body, "\"request_id\": \"batch-1/1\"");
        assert_contains(reply.body, "\"code\": \"customer_not_found\"");
        http_reply_done(&reply);
    }
}

static void batch__ndjson__takes_an_item_a_line(void **state)
{
    struct rest *rest = *state;
    const char *const headers[] = {"Content-Type: application/x-ndjson", "Idempotency-Key: nd-1",
                                   NULL};
    struct http_reply reply;
    const char *item = fill(rest, "{\"customer_id\": \"{c}\", \"service\": \"n\","
                                  " \"units_consumed\": 1, \"price_per_unit\": 1,"
                                  " \"occurred_at\": \"2020-01-01T00:00:00Z\"}");
    http_call(&rest->conn, "POST", "/api/v1/usage/batch", headers,
              testkit_format("%s\nnot json\n%s\n", item, item), &reply);
    assert_int_equal(reply.status, 200);
    assert_contains(reply.body, "\"code\": \"malformed_json\"");
    assert_contains(reply.body, "}}, {\"status\": \"recorded\"");
    http_reply_done(&reply);
}

/* Also where no id could be made for the bad one: the others bring their own. */
static void batch__a_line_that_is_no_item__refuses_only_itself(void **state)
{
    struct rest *rest = *state;
    const char *const headers[] = {"Content-Type: application/x-ndjson", NULL};
    struct http_reply reply;
    const char *item = fill(rest, "{\"customer_id\": \"{c}\", \"service\": \"n\","
                                  " \"units_consumed\": 1, \"price_per_unit\": 1,"
                                  " \"occurred_at\": \"2020-01-01T00:00:00Z\","
                                  " \"request_id\": \"own-1\"}");
    http_call(&rest->conn, "POST", "/api/v1/usage/batch", headers,
              testkit_format("%s\n5\n{\n", item), &reply);
    assert_int_equal(reply.status, 200);
    assert_contains(reply.body, "{\"results\": [{\"status\": \"recorded\"");
    assert_contains(reply.body, "\"code\": \"wrong_type\"");
    assert_contains(reply.body, "\"code\": \"malformed_json\"");
    assert_null(strstr(reply.body, "missing_field"));
    http_reply_done(&reply);
}

/* Pages of one: their union is the list, in its order, each once. */
static void list__in_pages__shows_every_record_once(void **state)
{
    struct rest *rest = *state;
    const char *target = fill(rest, USAGE "?limit=1&service=p");
    const char *cursor = "";
    const char *last = "";
    unsigned n = 0;
    for (int i = 0; i < 5; i++) {
        assert_answer(rest, "POST", USAGE,
                      testkit_format("{\"service\": \"p\", \"units_consumed\": %d,"
                                     " \"price_per_unit\": 1, \"occurred_at\":"
                                     " \"2019-01-0%dT00:00:00Z\"}",
                                     i, 1 + (i * 2) % 5),
                      201, "\"usage\"");
    }
    for (bool more = true; more; n++) {
        struct http_reply reply;
        http_call(&rest->conn, "GET", testkit_format("%s%s", target, cursor), NULL, NULL, &reply);
        assert_int_equal(reply.status, 200);
        more = strstr(reply.body, "\"next_cursor\"") != NULL;
        if (strstr(reply.body, "\"usage\": []") == NULL) {
            const char *at = text_of(reply.body, "occurred_at");
            assert_true(strcmp(last, at) < 0);
            last = at;
        } else {
            n--; /* an empty last page */
        }
        cursor = more ? testkit_format("&cursor=%s", text_of(reply.body, "next_cursor")) : "";
        http_reply_done(&reply);
    }
    assert_int_equal(n, 5);
}

static void health__of_a_ready_daemon__is_ok(void **state)
{
    struct rest *rest = *state;
    assert_answer(rest, "GET", "/healthz", NULL, 200, "\"status\": \"ok\"");
    assert_answer(rest, "GET", "/readyz", NULL, 200, "\"ready\": true");
    assert_answer(rest, "GET", "/api/v1/server", NULL, 200, "{\"server\": {\"version\": ");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(errors__every_row_of_the_table__is_answered_by_name),
    cmocka_unit_test(request_id__sent__is_echoed_beside_that_of_the_write),
    cmocka_unit_test(errors__all_wrong_fields__are_named_at_once),
    cmocka_unit_test(errors__other_content_types__are_refused),
    cmocka_unit_test(errors__a_body_over_the_limit__is_413_and_others_notice_nothing),
    cmocka_unit_test(usage__as_recorded__has_its_canonical_form),
    cmocka_unit_test(customer__by_external_id__is_the_same),
    cmocka_unit_test(customer__renamed__keeps_its_id),
    cmocka_unit_test(bill__of_a_window__is_exact_and_half_open),
    cmocka_unit_test(request__recorded__says_what_became_of_it),
    cmocka_unit_test(batch__one_bad_item__does_not_fail_the_others),
    cmocka_unit_test(batch__ndjson__takes_an_item_a_line),
    cmocka_unit_test(batch__a_line_that_is_no_item__refuses_only_itself),
    cmocka_unit_test(list__in_pages__shows_every_record_once),
    cmocka_unit_test(health__of_a_ready_daemon__is_ok),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, setup, teardown));
}
