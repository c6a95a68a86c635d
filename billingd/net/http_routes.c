#include "billingd/net/http_routes.h"

#include <stdio.h>

#include "billingd/base/assert.h"

#define CALL(name) .call = BILLING__V1__REQUEST__CALL_##name
#define CUSTOMERS  "/api/v1/customers"
#define CUSTOMER   CUSTOMERS "/:customer_id"
#define INVOICES   "/api/v1/invoices"
#define INVOICE    INVOICES "/:number"
#define SERVICE    "/api/v1/services/:name"

/* Of two patterns that a path fits the first one counts: "summary" is no usage record's id. */
static const struct http_route routes[] = {
    {"POST", CUSTOMERS, CALL(CREATE_CUSTOMER), .success = 201, .body = HTTP_BODY_JSON,
     .location = CUSTOMERS "/:customer.id"},
    {"GET", CUSTOMERS, CALL(LIST_CUSTOMERS), .success = 200},
    {"GET", CUSTOMER, CALL(GET_CUSTOMER), .success = 200},
    {"PATCH", CUSTOMER, CALL(UPDATE_CUSTOMER), .success = 200, .body = HTTP_BODY_JSON},
    {"POST", CUSTOMER "/usage", CALL(CREATE_USAGE), .success = 201, .body = HTTP_BODY_JSON,
     .location = CUSTOMERS "/:usage.customer_id/usage/:usage.id"},
    {"GET", CUSTOMER "/usage", CALL(LIST_USAGE), .success = 200},
    {"GET", CUSTOMER "/usage/summary", CALL(SUMMARIZE_USAGE), .success = 200},
    {"GET", CUSTOMER "/usage/:usage_id", CALL(GET_USAGE), .success = 200},
    {"POST", CUSTOMER "/usage/:usage_id/void", CALL(VOID_USAGE), .success = 201,
     .body = HTTP_BODY_JSON, .location = CUSTOMERS "/:void.customer_id/usage/:void.usage_id/void"},
    {"GET", CUSTOMER "/usage/:usage_id/void", CALL(GET_VOID), .success = 200},
    {"POST", CUSTOMER "/adjustments", CALL(CREATE_ADJUSTMENT), .success = 201,
     .body = HTTP_BODY_JSON},
    {"GET", CUSTOMER "/adjustments", CALL(LIST_ADJUSTMENTS), .success = 200},
    {"GET", CUSTOMER "/bill", CALL(GET_BILL), .success = 200, .csv = true},
    {"GET", CUSTOMER "/bill/records", CALL(LIST_BILL_RECORDS), .success = 200, .csv = true},
    {"POST", CUSTOMER "/invoices", CALL(FINALIZE_INVOICE), .success = 201, .body = HTTP_BODY_JSON,
     .location = INVOICES "/:invoice.number"},
    {"GET", CUSTOMER "/invoices", CALL(LIST_INVOICES), .success = 200, .csv = true},
    {"GET", CUSTOMER "/requests/:request_id", CALL(GET_REQUEST), .success = 200},
    {"GET", "/api/v1/requests/:request_id", CALL(GET_REQUEST), .success = 200},
    {"POST", "/api/v1/usage/batch", CALL(CREATE_USAGE_BATCH), .success = 200,
     .body = HTTP_BODY_JSON_OR_LINES},
    {"GET", "/api/v1/bills", CALL(LIST_BILLS), .success = 200, .csv = true},
    {"GET", INVOICES, CALL(LIST_INVOICES), .success = 200, .csv = true},
    {"GET", INVOICE, CALL(GET_INVOICE), .success = 200, .csv = true,
     .unnamed = STATUS_INVOICE_NOT_FOUND},
    {"GET", INVOICE "/verification", CALL(VERIFY_INVOICE), .success = 200,
     .unnamed = STATUS_INVOICE_NOT_FOUND},
    {"GET", "/api/v1/services", CALL(LIST_SERVICES), .success = 200},
    {"GET", SERVICE, CALL(GET_SERVICE), .success = 200},
    {"PUT", SERVICE, CALL(PUT_SERVICE), .success = 200, .body = HTTP_BODY_JSON_OR_NONE},
    {"DELETE", SERVICE, CALL(DELETE_SERVICE), .success = 204},
    {"GET", "/api/v1/server", CALL(GET_SERVER_INFO), .success = 200},
    {"GET", "/healthz", CALL(CHECK_HEALTH), .success = 200},
    {"GET", "/readyz", CALL(CHECK_HEALTH), .success = 200, .status_by_ready = true},
    {"GET", "/openapi.json", CALL(_NOT_SET), .success = 200, .page = REQUEST_OPENAPI},
    {"GET", "/metrics", CALL(_NOT_SET), .success = 200, .page = REQUEST_METRICS},
};

enum {
    N_ROUTES = sizeof routes / sizeof routes[0],
};

/* Take the first segment, with the slash before it, from PATH. */
static struct slice take_segment(struct slice *path)
{
    const char *next = memchr(path->data + 1, '/', path->length - 1);
    size_t length = next == NULL ? path->length : (size_t)(next - path->data);
    struct slice segment = {path->data + 1, length - 1};
    path->data += length;
    path->length -= length;
    return segment;
}

static bool matches(const struct http_route *route, struct slice path, struct http_match *ret)
{
    struct slice pattern = slice_of(route->path);
    struct http_match match = {.route = route};
    while (pattern.length > 0 && path.length > 0) {
        struct slice wanted = take_segment(&pattern);
        struct slice got = take_segment(&path);
        if (wanted.data[0] != ':') {
            if (!slice_equal(wanted, got)) {
                return false;
            }
            continue;
        }
        if (got.length == 0) {
            return false;
        }
        INVARIANT(match.n_fields < HTTP_PATH_FIELDS_MAX);
        wanted.data++;
        wanted.length--;
        match.fields[match.n_fields++] = (struct http_path_field){wanted, got};
    }
    *ret = match;
    return pattern.length == 0 && path.length == 0;
}

const struct http_route *http_route_at(unsigned index)
{
    return index < N_ROUTES ? &routes[index] : NULL;
}

static void allow_method(char *allow, const char *method)
{
    size_t length = strlen(allow);
    if (strstr(allow, method) == NULL) {
        IGNORE(snprintf(allow + length, HTTP_ALLOW_BYTES - length, "%s%s", length == 0 ? "" : ", ",
                        method) < 0); /* fits */
    }
}

static void allow_route(char *allow, const struct http_route *route)
{
    allow_method(allow, route->method);
    if (strcmp(route->method, "GET") == 0) {
        allow_method(allow, "HEAD");
    }
}

int http_route_find(struct slice method, struct slice path, struct http_match *ret, char *allow)
{
    bool options = slice_equal(method, SLICE("OPTIONS"));
    bool server = slice_equal(path, SLICE("*"));
    struct slice meant = slice_equal(method, SLICE("HEAD")) ? SLICE("GET") : method;
    struct http_match match;
    allow[0] = '\0';
    if (!server && (path.length == 0 || path.data[0] != '/')) {
        return STATUS_PATH_NOT_FOUND;
    }
    for (unsigned i = 0; i < N_ROUTES; i++) {
        if (!server && !matches(&routes[i], path, &match)) {
            continue;
        }
        if (!server && slice_equal(meant, slice_of(routes[i].method))) {
            *ret = match;
            allow[0] = '\0';
            return 0;
        }
        allow_route(allow, &routes[i]);
    }
    if (allow[0] == '\0') {
        return STATUS_PATH_NOT_FOUND;
    }
    allow_method(allow, "OPTIONS");
    *ret = (struct http_match){0};
    return options ? 0 : STATUS_METHOD_NOT_ALLOWED;
}
