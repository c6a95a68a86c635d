/* HTTP requests into messages: path, query, body, and whichever request id counts. */
#include <string.h>

#include "billingd/net/http_request.h"
#include "billingd/rpc/dispatch.h"
#include "tests/lib/testkit.h"

static const struct identity anybody = {.name = SLICE("anonymous"), .role = ROLE_WRITER};

static struct request *request;
static struct slice reason;

static int end_request(void **state)
{
    (void)state;
    request_free(request);
    request = NULL;
    return 0;
}

/* What one request says, as far as it matters here. */
struct sent {
    const char *method, *path, *query, *body, *type, *encoding, *key, *x_request_id;
};

static struct slice optional(const char *text)
{
    return text == NULL ? (struct slice){0} : slice_of(text);
}

static int fill(const struct sent *sent)
{
    char allow[HTTP_ALLOW_BYTES];
    struct http_match match;
    struct http_message message = {
        .method = slice_of(sent->method),
        .path = slice_of(sent->path),
        .query = optional(sent->query),
        .body = optional(sent->body),
    };
    message.headers[HTTP_CONTENT_TYPE] = optional(sent->type);
    message.headers[HTTP_CONTENT_ENCODING] = optional(sent->encoding);
    message.headers[HTTP_IDEMPOTENCY_KEY] = optional(sent->key);
    message.headers[HTTP_X_REQUEST_ID] = optional(sent->x_request_id);
    request_free(request);
    request =
        request_create(NULL, &anybody, http_request_arena_bytes(message.body.length), NULL, NULL);
    assert_non_null(request);
    assert_ok(http_route_find(message.method, message.path, &match, allow));
    return http_request_fill(request, &match, &message, &reason);
}

static const struct field_error *find_error(const char *field)
{
    for (const struct field_error *e = request->errors.first; e != NULL; e = e->next) {
        if (slice_equal(e->field, slice_of(field))) {
            return e;
        }
    }
    testkit_fail("no error for '%s'", field);
    return NULL;
}

static void assert_error(const char *field, int status)
{
    assert_status(find_error(field)->status, status);
}

#define assert_bytes(field, expected) assert_text((field).data, (field).len, expected)

/* --- the path --------------------------------------------------------------------------------- */

static void path__escapes__are_taken_out_of_segments(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){.method = "GET",
                                  .path = "/api/v1/customers/external%3Aa%2Fb%20c+d/usage/%75"}));
    assert_int_equal(request->message->call_case, BILLING__V1__REQUEST__CALL_GET_USAGE);
    assert_bytes(request->message->get_usage->customer_id, "external:a/b c+d");
    assert_bytes(request->message->get_usage->usage_id, "u");
    assert_null(request->errors.first);
}

static void path__bad_escapes__are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"%",  "%4",  "%zz",   "%4z", "%z4",
                                        "a%", "%00", "a%00b", "%%41"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *path = testkit_format("/api/v1/customers/%s", wrong[i]);
        assert_status(fill(&(struct sent){.method = "GET", .path = path}), STATUS_MALFORMED_HTTP);
        assert_true(reason.length > 0);
    }
}

static void path__numbers__are_parsed(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){.method = "GET", .path = "/api/v1/invoices/42"}));
    assert_u64(request->message->get_invoice->number, 42);
    assert_ok(fill(&(struct sent){.method = "GET",
                                  .path = "/api/v1/invoices/18446744073709551615/verification"}));
    assert_u64(request->message->verify_invoice->number, UINT64_MAX);
}

static void path__that_can_be_no_number__names_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x",  "4x", "1.0", "1e3",
                                        "+1", "-1", "%20", "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *path = testkit_format("/api/v1/invoices/%s", wrong[i]);
        assert_status(fill(&(struct sent){.method = "GET", .path = path}),
                      STATUS_INVOICE_NOT_FOUND);
        assert_true(reason.length > 0);
        path = testkit_format("%s/verification", path);
        assert_status(fill(&(struct sent){.method = "GET", .path = path}),
                      STATUS_INVOICE_NOT_FOUND);
    }
}

/* --- the query -------------------------------------------------------------------------------- */

static void query__parameters__set_fields_by_kind(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){
        .method = "GET",
        .path = "/api/v1/customers/c/usage",
        .query = "start=2026-11-01T00:00:00%2B01:00&by=billed&service=Database+Hosting%26&limit=7&"
                 "&cursor=",
    }));
    const Billing__V1__ListUsage *list = request->message->list_usage;
    assert_null(request->errors.first);
    assert_bytes(list->customer_id, "c");
    assert_i64(list->start, INT64_C(1793487600000000));
    assert_int_equal(list->by, BILLING__V1__CLOCK__BILLED);
    assert_bytes(list->service, "Database Hosting&");
    assert_u64(list->limit, 7);
    assert_true(list->has_cursor);
    assert_u64(list->cursor.len, 0);
    assert_false(list->has_end);
}

static void query__wrong_parameters__are_all_named(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){
        .method = "GET",
        .path = "/api/v1/customers/c/usage",
        .query = "limit=1&limit=2&start=zz&by=Billed&x=1&customer_id=d&=5&end",
    }));
    assert_error("limit", STATUS_INVALID_QUERY);
    assert_error("start", STATUS_WRONG_TYPE);
    assert_error("by", STATUS_OUT_OF_BOUNDS);
    assert_error("x", STATUS_INVALID_QUERY);
    assert_error("customer_id", STATUS_INVALID_QUERY);
    assert_error("", STATUS_INVALID_QUERY);
    assert_error("end", STATUS_WRONG_TYPE);
    assert_u64(request->errors.n, 7);
    assert_bytes(request->message->list_usage->customer_id, "c");
}

static void query__of_a_summary__by_kind(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){
        .method = "GET",
        .path = "/api/v1/customers/c/usage/summary",
        .query = "window=hour&by=billed&group_by=service&include_empty=true",
    }));
    const Billing__V1__SummarizeUsage *call = request->message->summarize_usage;
    assert_null(request->errors.first);
    assert_int_equal(call->window, BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR);
    assert_int_equal(call->by, BILLING__V1__CLOCK__BILLED);
    assert_int_equal(call->group_by, BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE);
    assert_true(call->has_include_empty && call->include_empty);
}

static void query__other_words__are_told_which_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *query, *field, *words;
        int status;
    } cases[] = {
        {"window=week", "window", "must be hour, day or month", STATUS_OUT_OF_BOUNDS},
        {"window=", "window", "must be hour, day or month", STATUS_OUT_OF_BOUNDS},
        {"window=HOUR", "window", "must be hour, day or month", STATUS_OUT_OF_BOUNDS},
        {"by=1", "by", "must be occurred or billed", STATUS_OUT_OF_BOUNDS},
        {"group_by=customer", "group_by", "must be service", STATUS_OUT_OF_BOUNDS},
        {"include_empty=1", "include_empty", "must be true or false", STATUS_WRONG_TYPE},
        {"include_empty", "include_empty", "must be true or false", STATUS_WRONG_TYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(fill(&(struct sent){.method = "GET",
                                      .path = "/api/v1/customers/c/usage/summary",
                                      .query = cases[i].query}));
        const struct field_error *error = find_error(cases[i].field);
        assert_status(error->status, cases[i].status);
        assert_text(error->message.data, error->message.length, cases[i].words);
    }
}

static void query__no_times__are_quoted_with_what_may_be_meant(void **state)
{
    (void)state;
    static const struct {
        const char *start, *message;
        int status;
    } cases[] = {
        {"zz", "'zz' must be an RFC 3339 time, 2026-11-22T11:01:38Z", STATUS_WRONG_TYPE},
        {"", "'' must be an RFC 3339 time, 2026-11-22T11:01:38Z", STATUS_WRONG_TYPE},
        {"a%01%C3%A9b", "'a???b' must be an RFC 3339 time, 2026-11-22T11:01:38Z",
         STATUS_WRONG_TYPE},
        {"0123456789012345678901234567890123456789012345678",
         "'012345678901234567890123456789012345678901234567...' must be an RFC 3339 time, "
         "2026-11-22T11:01:38Z",
         STATUS_WRONG_TYPE},
        {"1969-01-01T00:00:00Z", "'1969-01-01T00:00:00Z' lies outside the years 1970 to 9999",
         STATUS_TIME_OUT_OF_RANGE},
        {"2026-11-01T00:00:00+01:00",
         "'2026-11-01T00:00:00 01:00' must be an RFC 3339 time, 2026-11-22T11:01:38Z; in a query "
         "a + is written %2B",
         STATUS_WRONG_TYPE},
        {"2026-11-01+00:00:00.5+01:00",
         "'2026-11-01 00:00:00.5 01:00' must be an RFC 3339 time, 2026-11-22T11:01:38Z; in a "
         "query a + is written %2B",
         STATUS_WRONG_TYPE},
        {"2026-13-01T00:00:00+01:00", /* is none with a + either */
         "'2026-13-01T00:00:00 01:00' must be an RFC 3339 time, 2026-11-22T11:01:38Z",
         STATUS_WRONG_TYPE},
        {"2016-12-31T23:59:60Z",
         "'2016-12-31T23:59:60Z' must be an RFC 3339 time, 2026-11-22T11:01:38Z; a leap second "
         "has no place in it",
         STATUS_WRONG_TYPE},
        {"2016-12-31T23:59:60.25%2B00:00",
         "'2016-12-31T23:59:60.25+00:00' must be an RFC 3339 time, 2026-11-22T11:01:38Z; a leap "
         "second has no place in it",
         STATUS_WRONG_TYPE},
        {"2016-12-31T23:59:61Z",
         "'2016-12-31T23:59:61Z' must be an RFC 3339 time, 2026-11-22T11:01:38Z",
         STATUS_WRONG_TYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *query = testkit_format("start=%s", cases[i].start);
        assert_ok(fill(
            &(struct sent){.method = "GET", .path = "/api/v1/customers/c/usage", .query = query}));
        const struct field_error *error = find_error("start");
        assert_status(error->status, cases[i].status);
        assert_text(error->message.data, error->message.length, cases[i].message);
    }
}

static void query__limits__beyond_their_kind_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"-1", "4294967296", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *query = testkit_format("limit=%s", wrong[i]);
        assert_ok(
            fill(&(struct sent){.method = "GET", .path = "/api/v1/customers", .query = query}));
        assert_error("limit", STATUS_OUT_OF_BOUNDS);
    }
}

static void query__bad_escapes__are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"limit=%", "limit=%4", "%zz=1", "cursor=%00", "%00"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(
            fill(&(struct sent){.method = "GET", .path = "/api/v1/customers", .query = wrong[i]}),
            STATUS_INVALID_QUERY);
    }
}

static void query__names_of_odd_bytes__cannot_spoil_the_answer(void **state)
{
    (void)state;
    assert_ok(
        fill(&(struct sent){.method = "GET", .path = "/healthz", .query = "%FF%0D%0A=1&%22=2"}));
    assert_error("???", STATUS_INVALID_QUERY);
    assert_error("\"", STATUS_INVALID_QUERY);
}

static void query__on_a_write__is_refused(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){.method = "POST",
                                  .path = "/api/v1/customers",
                                  .query = "customer_name=x",
                                  .body = "{}",
                                  .type = "application/json"}));
    assert_error("customer_name", STATUS_INVALID_QUERY);
    assert_false(request->message->create_customer->has_customer_name);
}

/* --- the body --------------------------------------------------------------------------------- */

static int fill_type(const char *path, const char *type, const char *body)
{
    return fill(&(struct sent){.method = "POST", .path = path, .type = type, .body = body});
}

static void body__content_types__that_are_taken(void **state)
{
    (void)state;
    static const char *const types[] = {
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json ; charset=UTF-8",
        "application/json;\tcharset=\"utf-8\"",
        "application/json;",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_ok(fill_type("/api/v1/customers", types[i], "{\"customer_name\":\"a\"}"));
        assert_bytes(request->message->create_customer->customer_name, "a");
    }
    assert_ok(fill_type("/api/v1/usage/batch", "application/x-ndjson", "{}\n{}"));
    assert_u64(request->message->create_usage_batch->n_usage, 2);
    assert_ok(fill_type("/api/v1/usage/batch", "application/json", "{\"usage\":[{}]}"));
    assert_u64(request->message->create_usage_batch->n_usage, 1);
}

static void body__other_content_types__are_refused(void **state)
{
    (void)state;
    static const char *const types[] = {
        NULL,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/json; profile=x",
        "application/json charset=utf-8",
        "application/json, text/plain",
        "application/x-ndjson",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_status(fill_type("/api/v1/customers", types[i], "{}"),
                      STATUS_UNSUPPORTED_MEDIA_TYPE);
    }
    assert_status(fill(&(struct sent){.method = "POST",
                                      .path = "/api/v1/customers",
                                      .type = "application/json",
                                      .encoding = "gzip",
                                      .body = "{}"}),
                  STATUS_UNSUPPORTED_MEDIA_TYPE);
}

static void body__on_a_get__is_refused(void **state)
{
    (void)state;
    assert_status(fill(&(struct sent){.method = "GET", .path = "/healthz", .body = "{}"}),
                  STATUS_MALFORMED_HTTP);
    assert_ok(fill(&(struct sent){.method = "GET", .path = "/healthz", .body = ""}));
}

static void body__empty__is_not_json(void **state)
{
    (void)state;
    assert_status(fill_type("/api/v1/customers", "application/json", ""), STATUS_MALFORMED_JSON);
}

static void body__that_may_be_left_out__is_an_empty_object(void **state)
{
    (void)state;
    const struct sent put = {.method = "PUT", .path = "/api/v1/services/s"};
    struct sent sent = put;
    assert_ok(fill(&sent));
    assert_bytes(request->message->put_service->name, "s");
    assert_false(request->message->put_service->has_unit);
    sent.type = "text/plain"; /* of nothing */
    sent.body = "";
    assert_ok(fill(&sent));
    sent.type = "application/json";
    sent.body = "{}";
    assert_ok(fill(&sent));
    assert_false(request->message->put_service->has_unit);
    sent.body = "{\"unit\":\"hour\"}";
    assert_ok(fill(&sent));
    assert_bytes(request->message->put_service->unit, "hour");
    sent.type = NULL;
    assert_status(fill(&sent), STATUS_UNSUPPORTED_MEDIA_TYPE);
    sent.type = "application/x-ndjson";
    assert_status(fill(&sent), STATUS_UNSUPPORTED_MEDIA_TYPE);
    sent.type = "application/json";
    sent.body = "{\"name\":\"t\"}";
    assert_ok(fill(&sent));
    assert_error("name", STATUS_UNKNOWN_FIELD);
    sent.body = "{";
    assert_status(fill(&sent), STATUS_MALFORMED_JSON);
}

static void body__on_a_delete__is_refused(void **state)
{
    (void)state;
    const char *path = "/api/v1/services/s";
    assert_ok(fill(&(struct sent){.method = "DELETE", .path = path}));
    assert_bytes(request->message->delete_service->name, "s");
    assert_status(fill(&(struct sent){
                      .method = "DELETE", .path = path, .type = "application/json", .body = "{}"}),
                  STATUS_MALFORMED_HTTP);
}

static void body__of_the_new_writes__fills_their_calls(void **state)
{
    (void)state;
    assert_ok(fill_type("/api/v1/customers/c/usage/u/void", "application/json",
                        "{\"reason\":\"twice\"}"));
    assert_bytes(request->message->void_usage->usage_id, "u");
    assert_bytes(request->message->void_usage->reason, "twice");
    assert_ok(fill_type("/api/v1/customers/c/adjustments", "application/json",
                        "{\"amount\":-0.50,\"reason\":\"r\",\"service\":\"s\"}"));
    assert_bytes(request->message->create_adjustment->amount, "-0.50");
    assert_bytes(request->message->create_adjustment->service, "s");
    assert_ok(fill_type("/api/v1/customers/c/invoices", "application/json",
                        "{\"end\":\"2026-11-01T00:00:00Z\"}"));
    assert_i64(request->message->finalize_invoice->end, INT64_C(1793491200000000));
    assert_false(request->message->finalize_invoice->has_start);
    assert_ok(fill_type("/api/v1/customers/c/invoices", "application/json", "{\"end\":1}"));
    assert_error("end", STATUS_WRONG_TYPE);
}

static void body__names_the_field_of_the_path__is_wrong(void **state)
{
    (void)state;
    assert_ok(
        fill_type("/api/v1/customers/c/usage", "application/json", "{\"customer_id\":\"c\"}"));
    assert_error("customer_id", STATUS_UNKNOWN_FIELD);
}

/* --- the request id --------------------------------------------------------------------------- */

static void request_id__body_then_key_then_header(void **state)
{
    (void)state;
    static const struct {
        const char *body, *key, *x_request_id, *id; /* id NULL: none */
    } cases[] = {
        {"{\"request_id\":\"b\"}", "k", "x", "b"},
        {"{}", "k", "x", "k"},
        {"{}", NULL, "x", "x"},
        {"{}", "\"k\"", "x", "k"},
        {"{}", "\"a \\\"b\\\\\"", NULL, "a \"b\\"},
        {"{}", "", "x", ""}, /* for its handler to refuse */
        {"{}", "\"\"", "x", ""},
        {"{}", NULL, NULL, NULL},
        {"{\"request_id\":5}", "k", "x", NULL}, /* wrong, and not to be papered over */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(fill(&(struct sent){.method = "POST",
                                      .path = "/api/v1/customers",
                                      .type = "application/json",
                                      .body = cases[i].body,
                                      .key = cases[i].key,
                                      .x_request_id = cases[i].x_request_id}));
        const Billing__V1__CreateCustomer *call = request->message->create_customer;
        assert_int_equal(call->has_request_id, cases[i].id != NULL);
        if (cases[i].id != NULL) {
            assert_bytes(call->request_id, cases[i].id);
        }
    }
}

static void request_id__keys_in_broken_quotes__are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\"", "\"a", "\"a\"b", "\"a\\", "\"a\\n\"", "\"a\\\""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(fill(&(struct sent){.method = "POST",
                                          .path = "/api/v1/customers",
                                          .type = "application/json",
                                          .body = "{}",
                                          .key = wrong[i]}),
                      STATUS_MALFORMED_HTTP);
    }
}

static void request_id__of_a_lookup__is_the_paths(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){
        .method = "GET", .path = "/api/v1/requests/r%2F1", .key = "k", .x_request_id = "x"}));
    assert_bytes(request->message->get_request->request_id, "r/1");
    assert_ok(fill(&(struct sent){.method = "PATCH",
                                  .path = "/api/v1/customers/c",
                                  .type = "application/json",
                                  .body = "{\"customer_name\":\"n\"}",
                                  .key = "k"}));
    assert_null(request->errors.first);
}

static void request_id__of_a_batch__is_the_batchs(void **state)
{
    (void)state;
    assert_ok(fill(&(struct sent){.method = "POST",
                                  .path = "/api/v1/usage/batch",
                                  .type = "application/x-ndjson",
                                  .body = "{}",
                                  .key = "k"}));
    assert_bytes(request->message->create_usage_batch->request_id, "k");
    assert_false(request->message->create_usage_batch->usage[0]->has_request_id);
}

#define REQUEST_TEST(name) cmocka_unit_test_teardown(name, end_request)

static const struct CMUnitTest tests[] = {
    REQUEST_TEST(path__escapes__are_taken_out_of_segments),
    REQUEST_TEST(path__numbers__are_parsed),
    REQUEST_TEST(path__that_can_be_no_number__names_nothing),
    REQUEST_TEST(query__of_a_summary__by_kind),
    REQUEST_TEST(query__other_words__are_told_which_there_are),
    REQUEST_TEST(body__that_may_be_left_out__is_an_empty_object),
    REQUEST_TEST(body__on_a_delete__is_refused),
    REQUEST_TEST(body__of_the_new_writes__fills_their_calls),
    REQUEST_TEST(path__bad_escapes__are_refused),
    REQUEST_TEST(query__parameters__set_fields_by_kind),
    REQUEST_TEST(query__wrong_parameters__are_all_named),
    REQUEST_TEST(query__no_times__are_quoted_with_what_may_be_meant),
    REQUEST_TEST(query__limits__beyond_their_kind_are_named),
    REQUEST_TEST(query__bad_escapes__are_refused),
    REQUEST_TEST(query__names_of_odd_bytes__cannot_spoil_the_answer),
    REQUEST_TEST(query__on_a_write__is_refused),
    REQUEST_TEST(body__content_types__that_are_taken),
    REQUEST_TEST(body__other_content_types__are_refused),
    REQUEST_TEST(body__on_a_get__is_refused),
    REQUEST_TEST(body__empty__is_not_json),
    REQUEST_TEST(body__names_the_field_of_the_path__is_wrong),
    REQUEST_TEST(request_id__body_then_key_then_header),
    REQUEST_TEST(request_id__keys_in_broken_quotes__are_refused),
    REQUEST_TEST(request_id__of_a_lookup__is_the_paths),
    REQUEST_TEST(request_id__of_a_batch__is_the_batchs),
};

TESTKIT_MAIN(tests)
