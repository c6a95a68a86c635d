/* The REST contract of what makes bills final: voids, adjustments, sums, CSV, invoices, the
 * catalogue.  Every error of theirs by name is in test_rest.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

static struct daemon_process *daemon_process;
static struct http_conn conn;

static int setup(void **state)
{
    (void)state;
    daemon_process = daemon_process_start(NULL);
    assert_true(http_open(&conn, daemon_process_http(daemon_process)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    http_close(&conn);
    daemon_process_stop(daemon_process);
    daemon_process_destroy(daemon_process);
    return 0;
}

struct got {
    const char *body;
    const char *type;
    const char *location;
    const char *link;
    bool replayed;
};

static const char *kept(const struct http_reply *reply, const char *name)
{
    const char *value = http_reply_header(reply, name);
    return value == NULL ? NULL : testkit_format("%s", value);
}

/* The answer to a request, which has STATUS.  HEADER may be NULL. */
static struct got call(int status, const char *method, const char *target, const char *header,
                       const char *body)
{
    const char *const headers[] = {header, NULL};
    struct http_reply reply;
    http_call(&conn, method, target, headers, body, &reply);
    if (reply.status != status) {
        testkit_fail("%s %s: expected %d, got %d %s", method, target, status, reply.status,
                     reply.body);
    }
    struct got got = {
        .body = testkit_format("%s", reply.body),
        .type = kept(&reply, "Content-Type"),
        .location = kept(&reply, "Location"),
        .link = kept(&reply, "Link"),
        .replayed = http_reply_header(&reply, "Idempotent-Replayed") != NULL,
    };
    http_reply_done(&reply);
    return got;
}

static struct got get(const char *target)
{
    return call(200, "GET", target, NULL, NULL);
}

static struct got get_csv(const char *target)
{
    struct got got = call(200, "GET", target, "Accept: text/csv", NULL);
    assert_string_equal(got.type, "text/csv; charset=utf-8; header=present");
    return got;
}

static const char *text_of(const char *body, const char *name)
{
    const char *at = strstr(body, testkit_format("\"%s\": \"", name));
    if (at == NULL) {
        testkit_fail("no %s in %s", name, body);
    }
    at += strlen(name) + strlen("\"\": \"");
    return testkit_format("%.*s", (int)strcspn(at, "\""), at);
}

/* The path of a new customer. */
static const char *new_customer(const char *name)
{
    return call(201, "POST", "/api/v1/customers", NULL,
                testkit_format("{\"customer_name\": \"%s\"}", name))
        .location;
}

/* Record two units at half a dollar on day DAY of January; the path of the record. */
static const char *record(const char *customer, const char *service, int day)
{
    return call(201, "POST", testkit_format("%s/usage", customer), NULL,
                testkit_format("{\"service\": \"%s\", \"units_consumed\": 2, \"price_per_unit\":"
                               " \"0.5025\", \"occurred_at\": \"2026-01-%02dT12:00:00Z\"}",
                               service, day))
        .location;
}

#define JANUARY "start=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z"

/* --- tests ------------------------------------------------------------------------------------ */

static void void__of_a_record__once(void **state)
{
    (void)state;
    const char *usage = record(new_customer("Void"), "s", 1);
    const char *path = testkit_format("%s/void", usage);
    const char *key = "Idempotency-Key: \"void 1\"";
    struct got made = call(201, "POST", path, key, "{\"reason\": \"measured twice\"}");
    assert_memory_equal(made.body, "{\"void\": {\"id\": \"voi_", 21);
    assert_contains(made.body, "\"reason\": \"measured twice\", \"amount\": -1.005,");
    assert_string_equal(made.location, path);
    assert_false(made.replayed);
    struct got again = call(201, "POST", path, key, "{\"reason\": \"measured twice\"}");
    assert_string_equal(again.body, made.body);
    assert_string_equal(again.location, path);
    assert_true(again.replayed);
    struct got reused = call(422, "POST", path, key, "{\"reason\": \"other\"}");
    assert_contains(reused.body, "\"code\": \"request_id_reused\"");
    assert_contains(reused.body, "\"field\": \"reason\"");
    struct got taken = call(409, "POST", path, NULL, "{\"reason\": \"measured twice\"}");
    assert_contains(taken.body, "\"code\": \"already_voided\"");
    assert_string_equal(text_of(taken.body, "existing_id"), text_of(made.body, "id"));
    assert_string_equal(get(path).body, made.body);
    assert_contains(get(usage).body, "\"voided_at\": ");
}

static void adjustments__credits_and_charges__are_listed(void **state)
{
    (void)state;
    const char *path = testkit_format("%s/adjustments", new_customer("Adjusted"));
    struct got credit = call(201, "POST", path, NULL,
                             "{\"amount\": -25.005, \"reason\": \"goodwill\", \"service\": \"s\","
                             " \"occurred_at\": \"2026-01-02T00:00:00Z\", \"request_id\": \"a\"}");
    assert_memory_equal(credit.body, "{\"adjustment\": {\"id\": \"adj_", 27);
    assert_contains(credit.body,
                    "\"amount\": -25.005, \"reason\": \"goodwill\", \"service\": \"s\"");
    assert_null(credit.location); /* there is no path of a single one */
    IGNORE(call(201, "POST", path, NULL, "{\"amount\": \"0\", \"reason\": \"none\"}").replayed);
    const char *page = get(testkit_format("%s?limit=1", path)).body;
    assert_contains(page, testkit_format("\"id\": \"%s\"", text_of(credit.body, "id")));
    page = get(testkit_format("%s?limit=1&cursor=%s", path, text_of(page, "next_cursor"))).body;
    assert_contains(page, "\"amount\": 0, \"reason\": \"none\"");
}

static void summary__by_window_and_service__is_net(void **state)
{
    (void)state;
    const char *customer = new_customer("Sums");
    IGNORE(record(customer, "a", 1) == NULL);
    IGNORE(record(customer, "b", 1) == NULL);
    const char *usage = record(customer, "a", 3);
    IGNORE(
        call(201, "POST", testkit_format("%s/void", usage), NULL, "{\"reason\": \"r\"}").replayed);
    const char *path = testkit_format("%s/usage/summary?" JANUARY, customer);
    const char *by_day = get(testkit_format("%s&window=day&group_by=service", path)).body;
    assert_contains(by_day, "\"window\": \"day\", \"rows\": [{\"start\":"
                            " \"2026-01-01T00:00:00.000000Z\", \"end\":"
                            " \"2026-01-02T00:00:00.000000Z\", \"service\": \"a\","
                            " \"units_consumed\": 2, \"exact_amount\": 1.005, \"records\": 1,"
                            " \"voided\": 0, \"late\": 0}, ");
    assert_contains(by_day, "\"units_consumed\": 0, \"exact_amount\": 0, \"records\": 1,"
                            " \"voided\": 1, \"late\": 0}");
    const char *by_month = get(testkit_format("%s&window=month&by=billed", path)).body;
    assert_contains(by_month, "\"by\": \"billed\", \"window\": \"month\", \"rows\": [{\"start\":"
                              " \"2026-01-01T00:00:00.000000Z\", \"end\":"
                              " \"2026-02-01T00:00:00.000000Z\", \"units_consumed\": 4,"
                              " \"exact_amount\": 2.01, \"records\": 3, \"voided\": 1,"
                              " \"late\": 0}]}}");
    unsigned rows = 0;
    const char *all = get(testkit_format("%s&include_empty=true", path)).body;
    for (const char *at = all; (at = strstr(at, "\"records\": ")) != NULL; at++) {
        rows++;
    }
    assert_int_equal(rows, 31);
}

static void bill__as_csv__by_accept(void **state)
{
    (void)state;
    const char *customer = new_customer("=Tables");
    IGNORE(record(customer, "a, \\\"b\\\"", 1) == NULL);
    IGNORE(record(customer, "-s", 2) == NULL);
    IGNORE(call(201, "POST", testkit_format("%s/adjustments", customer), NULL,
                "{\"amount\": -0.125, \"reason\": \"@r\", \"occurred_at\":"
                " \"2026-01-05T00:00:00Z\"}")
               .replayed);
    const char *path = testkit_format("%s/bill?" JANUARY, customer);
    const char *id = strrchr(customer, '/') + 1;
    const char *facts =
        testkit_format("%s,2026-01-01T00:00:00.000000Z,2026-02-01T00:00:00.000000Z,USD", id);
    const char *text = get_csv(path).body;
    assert_contains(text, testkit_format("\r\nline,%s,,'-s,0.5025,2,1.005,1,1,0,0,,\r\n", facts));
    assert_contains(
        text, testkit_format("\r\nline,%s,,\"a, \"\"b\"\"\",0.5025,2,1.005,1,1,0,0,,\r\n", facts));
    assert_contains(text, ",,,,-0.125,-0.12,,,,2026-01-05T00:00:00.000000Z,'@r\r\n");
    assert_contains(text, testkit_format("\r\ntotal,%s,,,,,1.885,1.88,,,,,\r\n", facts));
    struct got head = call(200, "HEAD", path, "Accept: text/csv", NULL);
    assert_string_equal(head.type, "text/csv; charset=utf-8; header=present");
    assert_string_equal(head.body, "");
    struct got both = call(200, "GET", path, "Accept: text/csv, application/json", NULL);
    assert_string_equal(both.type, "application/json");
    assert_contains(get_csv("/api/v1/bills?" JANUARY).body, ",'=Tables,,");
    struct got nobody = call(404, "GET", "/api/v1/customers/nobody/bill", "Accept: text/csv", NULL);
    assert_string_equal(nobody.type, "application/problem+json");
}

/* Page by page, by their links: the rows are those of the whole, the total comes once. */
static void bill__as_csv_in_pages__is_the_whole(void **state)
{
    (void)state;
    const char *customer = new_customer("Pages");
    for (int i = 1; i <= 5; i++) {
        IGNORE(record(customer, testkit_format("s%d", i), i) == NULL);
    }
    const char *whole = get_csv(testkit_format("%s/bill?" JANUARY, customer)).body;
    const char *header = testkit_format("%.*s", (int)(strstr(whole, "\r\n") + 2 - whole), whole);
    const char *rows = header;
    const char *link = "<?limit=2&" JANUARY ">";
    unsigned pages = 0;
    for (; link != NULL; pages++) {
        struct got page =
            get_csv(testkit_format("%s/bill%.*s", customer, (int)strcspn(link + 1, ">"), link + 1));
        assert_memory_equal(page.body, header, strlen(header));
        rows = testkit_format("%s%s", rows, page.body + strlen(header));
        link = page.link;
        assert_true(link == NULL || strstr(link, ">; rel=\"next\"") != NULL);
    }
    assert_true(pages >= 3);
    assert_string_equal(rows, whole);
}

static void invoice__finalized__is_found_by_its_number(void **state)
{
    (void)state;
    const char *customer = new_customer("Invoiced");
    const char *usage = record(customer, "s", 1);
    const char *path = testkit_format("%s/invoices", customer);
    const char *body = "{\"end\": \"2026-02-01T00:00:00Z\"}";
    struct got made = call(201, "POST", path, "Idempotency-Key: jan", body);
    assert_memory_equal(made.body, "{\"invoice\": {\"number\": ", 23);
    assert_non_null(made.location);
    assert_contains(made.location, "/api/v1/invoices/");
    assert_string_equal(get(made.location).body, made.body);
    assert_true(call(201, "POST", path, "Idempotency-Key: jan", body).replayed);
    struct got again = call(409, "POST", path, NULL, body);
    assert_contains(again.body, "\"code\": \"already_finalized\"");
    assert_string_equal(text_of(again.body, "existing_id"), strrchr(made.location, '/') + 1);
    IGNORE(
        call(201, "POST", testkit_format("%s/void", usage), NULL, "{\"reason\": \"r\"}").replayed);
    assert_string_equal(get(made.location).body, made.body);
    const char *number = strrchr(made.location, '/') + 1;
    assert_contains(get(testkit_format("%s/verification", made.location)).body,
                    testkit_format("{\"verification\": {\"number\": %s, \"verified\": true,"
                                   " \"records\": 1,",
                                   number));
    assert_contains(get(path).body, testkit_format("{\"invoices\": [{\"number\": %s,", number));
    assert_contains(get("/api/v1/invoices").body, testkit_format("{\"number\": %s,", number));
    assert_contains(get_csv(made.location).body, testkit_format("\r\ntotal,%s,", number));
    assert_contains(get_csv(path).body, testkit_format("\r\n%s,", number));
    const char *next = "start=2026-02-01T00:00:00Z&end=2026-03-01T00:00:00Z";
    assert_contains(get(testkit_format("%s/bill?%s", customer, next)).body,
                    "\"units_consumed\": -2, \"exact_amount\": -1.005, \"amount\": -1,");
    assert_contains(get(testkit_format("%s/bill/records?%s", customer, next)).body,
                    "{\"records\": [{\"kind\": \"void\", \"id\": \"voi_");
}

static void catalogue__services__come_and_go(void **state)
{
    (void)state;
    const char *path = "/api/v1/services/Gr%C3%B6%C3%9Fe%2Fb";
    const char *begin = "{\"service\": {\"name\": \"Gr\xC3\xB6\xC3\x9F"
                        "e/b\", ";
    const char *made = call(200, "PUT", path, NULL, "{\"unit\": \"hour\"}").body;
    assert_contains(made, testkit_format("%s\"unit\": \"hour\", \"created_at\": ", begin));
    assert_string_equal(get(path).body, made);
    assert_contains(get("/api/v1/services").body, "{\"services\": [{\"name\": \"Gr");
    made = call(200, "PUT", path, NULL, NULL).body; /* without a unit, now */
    assert_contains(made, testkit_format("%s\"created_at\": ", begin));
    struct got gone = call(204, "DELETE", path, NULL, NULL);
    assert_string_equal(gone.body, "");
    assert_null(gone.type);
    IGNORE(call(404, "DELETE", path, NULL, NULL).replayed);
    assert_contains(get("/api/v1/services").body, "{\"services\": []}");
}

static void openapi__is_open_to_all(void **state)
{
    (void)state;
    struct got got = get("/openapi.json");
    assert_string_equal(got.type, "application/json");
    assert_contains(got.body, "\"openapi\": \"3.1.0\"");
    assert_string_equal(call(200, "HEAD", "/openapi.json", NULL, NULL).body, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(void__of_a_record__once),
    cmocka_unit_test(adjustments__credits_and_charges__are_listed),
    cmocka_unit_test(summary__by_window_and_service__is_net),
    cmocka_unit_test(bill__as_csv__by_accept),
    cmocka_unit_test(bill__as_csv_in_pages__is_the_whole),
    cmocka_unit_test(invoice__finalized__is_found_by_its_number),
    cmocka_unit_test(catalogue__services__come_and_go),
    cmocka_unit_test(openapi__is_open_to_all),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, setup, teardown));
}
