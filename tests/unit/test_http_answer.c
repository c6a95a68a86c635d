/* Responses as bytes of HTTP: status, headers, body. */
#include <stdio.h>
#include <string.h>

#include "billingd/net/http_answer.h"
#include "billingd/net/openapi.h"
#include "tests/lib/testkit.h"

static const struct identity anybody = {.name = SLICE("anonymous"), .role = ROLE_WRITER};

enum {
    ARENA_BYTES = 1 << 20,
};

static struct request *request;
static struct http_answer answer;

static ProtobufCBinaryData bytes(const char *text)
{
    struct slice copy;
    assert_ok(arena_copy(&request->arena, slice_of(text), &copy));
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)copy.data, .len = copy.length};
}

static int begin(void **state)
{
    (void)state;
    request = request_create(NULL, &anybody, ARENA_BYTES, NULL, NULL);
    answer = (struct http_answer){.keep_alive = true};
    return request == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    request_free(request);
    return 0;
}

static void set_route(const char *method, const char *path)
{
    struct http_match match;
    assert_ok(http_route_find(slice_of(method), slice_of(path), &match, answer.allow));
    answer.route = match.route;
}

/* The answer as text. */
static const char *write_answer(void)
{
    struct io_buffer out = {0};
    assert_ok(http_answer_write(&answer, request, &out));
    struct slice rest = io_buffer_rest(&out);
    const char *text = testkit_format("%.*s", (int)rest.length, rest.data);
    io_buffer_free(&out);
    return text;
}

static Billing__V1__Problem *make_problem(unsigned status)
{
    Billing__V1__Problem *problem = arena_need(&request->arena, sizeof *problem);
    billing__v1__problem__init(problem);
    problem->has_status = true;
    problem->status = status;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_PROBLEM;
    request->response.problem = problem;
    return problem;
}

static void make_health(bool ready)
{
    Billing__V1__HealthReply *health = arena_need(&request->arena, sizeof *health);
    billing__v1__health_reply__init(health);
    health->has_ready = true;
    health->ready = ready;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CHECK_HEALTH;
    request->response.check_health = health;
}

static void make_usage(void)
{
    Billing__V1__UsageReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__usage_reply__init(reply);
    reply->usage = arena_need(&request->arena, sizeof *reply->usage);
    billing__v1__usage__init(reply->usage);
    reply->usage->has_id = true;
    reply->usage->id = bytes("use_7");
    reply->usage->has_customer_id = true;
    reply->usage->customer_id = bytes("cus_1");
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
    request->response.create_usage = reply;
    request->response.has_request_id = true;
    request->response.request_id = bytes("r-1");
}

static void make_void(void)
{
    Billing__V1__VoidReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__void_reply__init(reply);
    reply->void_ = arena_need(&request->arena, sizeof *reply->void_);
    billing__v1__void__init(reply->void_);
    reply->void_->has_customer_id = true;
    reply->void_->customer_id = bytes("cus_1");
    reply->void_->has_usage_id = true;
    reply->void_->usage_id = bytes("use_7");
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_VOID_USAGE;
    request->response.void_usage = reply;
}

static Billing__V1__InvoiceReply *make_invoice(void)
{
    Billing__V1__InvoiceReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__invoice_reply__init(reply);
    reply->invoice = arena_need(&request->arena, sizeof *reply->invoice);
    billing__v1__invoice__init(reply->invoice);
    reply->invoice->has_number = true;
    reply->invoice->number = UINT64_MAX;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE;
    request->response.finalize_invoice = reply;
    return reply;
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL) {
        testkit_fail("'%s' in: %s", part, text);
    }
}

static void answer__of_a_new_record__says_where_it_is(void **state)
{
    (void)state;
    set_route("POST", "/api/v1/customers/external%3Ax/usage");
    make_usage();
    const char *text = write_answer();
    assert_memory_equal(text, "HTTP/1.1 201 Created\r\nDate: ", 28);
    assert_contains(text, "\r\nLocation: /api/v1/customers/cus_1/usage/use_7\r\n");
    assert_contains(text, "\r\nX-Request-Id: r-1\r\n");
    assert_contains(text, "\r\nContent-Type: application/json\r\n");
    assert_contains(text, "\r\n\r\n{\"usage\": {\"id\": \"use_7\", \"customer_id\": \"cus_1\"");
    assert_lacks(text, "Connection:");
    assert_lacks(text, "Idempotent-Replayed");
    request->response.has_replayed = true;
    request->response.replayed = true;
    assert_contains(write_answer(), "\r\nIdempotent-Replayed: true\r\n");
}

static void answer__of_a_void_and_an_invoice__says_where_they_are(void **state)
{
    (void)state;
    set_route("POST", "/api/v1/customers/c/usage/u/void");
    make_void();
    assert_contains(write_answer(), "\r\nLocation: /api/v1/customers/cus_1/usage/use_7/void\r\n");
    set_route("POST", "/api/v1/customers/c/invoices");
    IGNORE(make_invoice());
    assert_contains(write_answer(), "\r\nLocation: /api/v1/invoices/18446744073709551615\r\n");
}

static void answer__of_a_deletion__has_no_body(void **state)
{
    (void)state;
    static Billing__V1__DeletedReply reply = BILLING__V1__DELETED_REPLY__INIT;
    set_route("DELETE", "/api/v1/services/s");
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_DELETE_SERVICE;
    request->response.delete_service = &reply;
    const char *text = write_answer();
    assert_memory_equal(text, "HTTP/1.1 204 No Content\r\n", 25);
    assert_contains(text, "\r\nX-Request-Id: ");
    assert_lacks(text, "\r\nContent-");
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static const char *body_of(const char *text)
{
    return strstr(text, "\r\n\r\n") + 4;
}

static void answer__csv__where_it_is_wanted_and_there_is_some(void **state)
{
    (void)state;
    set_route("GET", "/api/v1/invoices/1");
    IGNORE(make_invoice());
    const char *text = write_answer();
    assert_contains(text, "\r\nContent-Type: application/json\r\n");
    assert_contains(text, "\r\nVary: Accept\r\n");
    answer.wants_csv = true;
    text = write_answer();
    assert_contains(text, "\r\nContent-Type: text/csv; charset=utf-8; header=present\r\n");
    assert_contains(text, "\r\nVary: Accept\r\n");
    assert_lacks(text, "Link:");
    assert_memory_equal(body_of(text), "kind,number,", 12);
    assert_contains(text, testkit_format("\r\nContent-Length: %zu\r\n", strlen(body_of(text))));
    answer.head_only = true;
    assert_contains(write_answer(),
                    testkit_format("\r\nContent-Length: %zu\r\n", strlen(body_of(text))));
    answer.head_only = false;
    make_problem(404);
    text = write_answer();
    assert_contains(text, "\r\nContent-Type: application/problem+json\r\n");
    assert_contains(text, "\r\nVary: Accept\r\n");
    set_route("GET", "/healthz");
    make_health(true);
    text = write_answer();
    assert_contains(text, "\r\nContent-Type: application/json\r\n");
    assert_lacks(text, "Vary:");
}

static void answer__csv_with_more__links_the_next_page(void **state)
{
    (void)state;
    static const struct {
        const char *query, *link;
    } cases[] = {
        {"", "<?cursor=00ff>"},
        {"limit=2", "<?limit=2&cursor=00ff>"},
        {"start=2026-01-01T00:00:00%2B01:00&cursor=77&limit=2",
         "<?start=2026-01-01T00:00:00%2B01:00&limit=2&cursor=00ff>"},
        {"cursor=77", "<?cursor=00ff>"},
        {"&&cursors=1&cursor=&", "<?cursors=1&cursor=00ff>"},
        {"service=a>b\"<", "<?service=a%3Eb%22%3C&cursor=00ff>"},
    };
    set_route("GET", "/api/v1/invoices/1");
    Billing__V1__InvoiceReply *reply = make_invoice();
    reply->has_next_cursor = true;
    reply->next_cursor = bytes("00ff");
    assert_lacks(write_answer(), "Link:"); /* JSON has it in its body */
    answer.wants_csv = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer.query = slice_of(cases[i].query);
        assert_contains(write_answer(),
                        testkit_format("\r\nLink: %s; rel=\"next\"\r\n", cases[i].link));
    }
}

/* What is in OUT, which is emptied. */
static const char *taken_text(struct io_buffer *out)
{
    struct slice rest = io_buffer_rest(out);
    const char *text = testkit_format("%.*s", (int)rest.length, rest.data);
    io_buffer_free(out);
    return text;
}

static void answer__to_openapi__is_the_document(void **state)
{
    (void)state;
    struct io_buffer out = {0};
    assert_ok(http_answer_write_openapi(&answer, request, &out));
    const char *text = taken_text(&out);
    assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
    assert_contains(text, "\r\nContent-Type: application/json\r\n");
    assert_text(body_of(text), strlen(body_of(text)),
                testkit_format("%.*s", (int)openapi_json().length, openapi_json().data));
    answer.head_only = true;
    assert_ok(http_answer_write_openapi(&answer, request, &out));
    assert_true(strlen(taken_text(&out)) < 512);
}

static void answer__whatever_it_says__is_kept_and_guessed_at_by_nobody(void **state)
{
    (void)state;
    static const char kept[] = "\r\nCache-Control: no-store\r\n";
    static const char sniffed[] = "\r\nX-Content-Type-Options: nosniff\r\n";
    struct io_buffer out = {0};
    set_route("GET", "/healthz");
    make_health(true);
    assert_contains(write_answer(), kept);
    assert_contains(write_answer(), sniffed);
    make_problem(404);
    assert_contains(write_answer(), kept);
    assert_contains(write_answer(), sniffed);
    assert_ok(http_answer_write_metrics(&answer, request, SLICE("a 1\n"), &out));
    assert_contains(taken_text(&out), kept);
    assert_ok(http_answer_write_options(&answer, request, &out));
    assert_contains(taken_text(&out), kept);
    /* That is the same until the next upgrade, but takes a key. */
    assert_ok(http_answer_write_openapi(&answer, request, &out));
    const char *openapi = taken_text(&out);
    assert_contains(openapi, "\r\nCache-Control: private, max-age=300\r\n");
    assert_contains(openapi, sniffed);
}

static void answer__length__is_that_of_the_body(void **state)
{
    (void)state;
    set_route("GET", "/healthz");
    make_health(true);
    const char *text = write_answer();
    const char *body = strstr(text, "\r\n\r\n") + 4;
    assert_contains(text, testkit_format("\r\nContent-Length: %zu\r\n", strlen(body)));
    answer.head_only = true;
    text = write_answer();
    assert_contains(text, testkit_format("\r\nContent-Length: %zu\r\n", strlen(body)));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void answer__readiness__is_503_only_at_readyz(void **state)
{
    (void)state;
    make_health(false);
    set_route("GET", "/healthz");
    assert_memory_equal(write_answer(), "HTTP/1.1 200 OK\r\n", 17);
    set_route("GET", "/readyz");
    assert_memory_equal(write_answer(), "HTTP/1.1 503 Service Unavailable\r\n", 34);
    make_health(true);
    assert_memory_equal(write_answer(), "HTTP/1.1 200 OK\r\n", 17);
}

static void answer__connection__is_said_where_it_is_not_the_rule(void **state)
{
    (void)state;
    set_route("GET", "/healthz");
    make_health(true);
    answer.is_1_0 = true;
    assert_contains(write_answer(), "\r\nConnection: keep-alive\r\n");
    answer.keep_alive = false;
    assert_contains(write_answer(), "\r\nConnection: close\r\n");
    answer.is_1_0 = false;
    assert_contains(write_answer(), "\r\nConnection: close\r\n");
}

static void answer__problems__have_their_type_and_headers(void **state)
{
    (void)state;
    Billing__V1__Problem *problem = make_problem(503);
    problem->has_retry_after_ms = true;
    problem->retry_after_ms = 1001;
    const char *text = write_answer();
    assert_memory_equal(text, "HTTP/1.1 503 Service Unavailable\r\n", 34);
    assert_contains(text, "\r\nContent-Type: application/problem+json\r\n");
    assert_contains(text, "\r\nRetry-After: 2\r\n");
    assert_lacks(text, "WWW-Authenticate");
    make_problem(401);
    text = write_answer();
    assert_contains(text, "\r\nWWW-Authenticate: Bearer realm=\"billingd\"\r\n");
    assert_lacks(text, "Retry-After");
    make_problem(405);
    IGNORE(snprintf(answer.allow, sizeof answer.allow, "GET, HEAD") < 0); /* fits */
    assert_contains(write_answer(), "\r\nAllow: GET, HEAD\r\n");
}

static const char *id_in(const char *text)
{
    const char *at = strstr(text, "X-Request-Id: ");
    assert_non_null(at);
    at += strlen("X-Request-Id: ");
    return testkit_format("%.*s", (int)strcspn(at, "\r"), at);
}

static void answer__request_id__as_sent_else_of_the_record_else_new(void **state)
{
    (void)state;
    Billing__V1__Problem *problem = make_problem(422);
    answer.request_id = SLICE("sent by me");
    assert_string_equal(id_in(write_answer()), "sent by me");
    assert_text(problem->request_id.data, problem->request_id.len, "sent by me");
    set_route("POST", "/api/v1/customers/external%3Ax/usage");
    make_usage();
    assert_string_equal(id_in(write_answer()), "sent by me");
    answer.request_id = (struct slice){0};
    assert_string_equal(id_in(write_answer()), "r-1");
    request->response.has_request_id = false;
    make_problem(422);
    const char *first = id_in(write_answer());
    assert_u64(strlen(first), 36);
    make_problem(422);
    assert_string_not_equal(first, id_in(write_answer()));
}

static void answer__refused_write__has_the_id_of_its_problem_unless_one_was_sent(void **state)
{
    (void)state;
    Billing__V1__Problem *problem = make_problem(422);
    problem->has_request_id = true;
    problem->request_id = bytes("in the body");
    assert_string_equal(id_in(write_answer()), "in the body");
    answer.request_id = SLICE("in a header");
    const char *text = write_answer();
    assert_string_equal(id_in(text), "in a header");
    assert_contains(text, "\"request_id\": \"in the body\"");
}

static void answer__request_ids_that_could_do_harm__are_not_echoed(void **state)
{
    (void)state;
    char long_id[130];
    memset(long_id, 'a', 129);
    long_id[129] = '\0';
    const char *const harmful[] = {"", "a\r\nSet-Cookie: b", "a\x7F", "\xC3\xA4", long_id};
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++) {
        make_problem(400);
        answer.request_id = slice_of(harmful[i]);
        assert_u64(strlen(id_in(write_answer())), 36);
    }
    long_id[128] = '\0';
    make_problem(400);
    answer.request_id = slice_of(long_id);
    assert_string_equal(id_in(write_answer()), long_id);
}

static void answer__to_options__has_methods_and_no_body(void **state)
{
    (void)state;
    struct io_buffer out = {0};
    IGNORE(snprintf(answer.allow, sizeof answer.allow, "POST, OPTIONS") < 0); /* fits */
    assert_ok(http_answer_write_options(&answer, request, &out));
    const char *text = taken_text(&out);
    assert_memory_equal(text, "HTTP/1.1 204 No Content\r\n", 25);
    assert_contains(text, "\r\nAllow: POST, OPTIONS\r\n");
    assert_lacks(text, "Content-Length");
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

#define ANSWER_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    ANSWER_TEST(answer__of_a_new_record__says_where_it_is),
    ANSWER_TEST(answer__of_a_void_and_an_invoice__says_where_they_are),
    ANSWER_TEST(answer__of_a_deletion__has_no_body),
    ANSWER_TEST(answer__csv__where_it_is_wanted_and_there_is_some),
    ANSWER_TEST(answer__csv_with_more__links_the_next_page),
    ANSWER_TEST(answer__to_openapi__is_the_document),
    ANSWER_TEST(answer__whatever_it_says__is_kept_and_guessed_at_by_nobody),
    ANSWER_TEST(answer__length__is_that_of_the_body),
    ANSWER_TEST(answer__readiness__is_503_only_at_readyz),
    ANSWER_TEST(answer__connection__is_said_where_it_is_not_the_rule),
    ANSWER_TEST(answer__problems__have_their_type_and_headers),
    ANSWER_TEST(answer__request_id__as_sent_else_of_the_record_else_new),
    ANSWER_TEST(answer__refused_write__has_the_id_of_its_problem_unless_one_was_sent),
    ANSWER_TEST(answer__request_ids_that_could_do_harm__are_not_echoed),
    ANSWER_TEST(answer__to_options__has_methods_and_no_body),
};

TESTKIT_MAIN(tests)
