#include "billingd/net/http_answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/random.h"
#include "billingd/net/http_csv.h"
#include "billingd/net/openapi.h"
#include "billingd/rpc/json_field.h"
#include "proto/json_writer.h"
#include "proto/limits.h"
#include "proto/timestamp.h"
#include "proto/uuid.h"

enum {
    LINE_BYTES_MAX = 512,    /* of a header line of ours */
    PREFLIGHT_SECONDS = 600, /* so long a browser need not ask again */
};

/* An answer as it grows.  A failed allocation sticks. */
struct writer {
    struct io_buffer *out;
    int status;
};

static void put(struct writer *w, struct slice bytes)
{
    if (w->status == 0) {
        w->status = io_buffer_append(w->out, bytes);
    }
}

__attribute__((format(printf, 2, 3))) static void put_line(struct writer *w, const char *format,
                                                           ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    INVARIANT(length >= 0 && length < (int)sizeof line); /* callers bound what they put */
    put(w, (struct slice){line, (size_t)length});
    put(w, SLICE("\r\n"));
}

static const char *reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) {
            return rows[i].phrase;
        }
    }
    return "Other"; /* clients go by the number */
}

/* By hand: strftime() would name days in the operator's language. */
static void put_date(struct writer *w)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now_us = clock_wall_us();
    struct civil_time now = timestamp_civil(now_us);
    const int64_t day_us = INT64_C(86400) * 1000000;
    put_line(w, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT", days[now_us / day_us % 7], now.day,
             months[now.month - 1], now.year, now.hour, now.minute, now.second);
}

/* What a page of another origin may do with the answer (the Fetch standard, "CORS protocol").  For
 * an origin that was not named nothing stands here, and its browser shows it nothing. */
static void put_cors(struct writer *w, const struct http_answer *answer)
{
    if (answer->varies) {
        put_line(w, "Vary: Origin");
    }
    if (answer->origin.length == 0) {
        return;
    }
    put(w, SLICE("Access-Control-Allow-Origin: "));
    put(w, answer->origin);
    put(w, SLICE("\r\n"));
    if (answer->preflight && answer->allow[0] != '\0') {
        put_line(w, "Access-Control-Allow-Methods: %s", answer->allow);
        put_line(w, "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, "
                    "X-Request-Id");
        put_line(w, "Access-Control-Max-Age: %d", PREFLIGHT_SECONDS);
    } else {
        put_line(w, "Access-Control-Expose-Headers: Idempotent-Replayed, Link, Location, "
                    "Retry-After, WWW-Authenticate, X-Request-Id");
    }
}

/* Who may keep an answer: nobody.  Bills and keys are in them, and by the next record they are no
 * longer true. */
static const char keep_nowhere[] = "no-store";
/* Only who was given it: it may take a key. */
static const char keep_shortly[] = "private, max-age=300";

static void put_head(struct writer *w, const struct http_answer *answer, unsigned status,
                     const char *keep)
{
    put_line(w, "HTTP/1.1 %u %s", status, reason_phrase(status));
    put_date(w);
    put_line(w, "Cache-Control: %s", keep);
    put_line(w, "X-Content-Type-Options: nosniff");
    if (!answer->keep_alive) {
        put_line(w, "Connection: close");
    } else if (answer->is_1_0) {
        put_line(w, "Connection: keep-alive");
    }
    if (answer->allow[0] != '\0') {
        put_line(w, "Allow: %s", answer->allow);
    }
    put_cors(w, answer);
}

/* --- the response, by descriptor -------------------------------------------------------------- */

/* The reply or problem that RESPONSE holds. */
static const ProtobufCMessage *result_of(const Billing__V1__Response *response)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &billing__v1__response__descriptor, (unsigned)response->result_case);
    INVARIANT(field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE);
    return *(ProtobufCMessage *const *)(const void *)((const char *)response + field->offset);
}

static const void *member(const ProtobufCMessage *message, struct slice name)
{
    const ProtobufCFieldDescriptor *field = json_field_find(message, name);
    INVARIANT(field != NULL); /* the table of routes names it */
    return (const char *)message + field->offset;
}

/* The field that PATH, "usage.id", names in MESSAGE, as text. */
static void put_named(struct writer *w, const ProtobufCMessage *message, struct slice path)
{
    const char *dot;
    while ((dot = memchr(path.data, '.', path.length)) != NULL) {
        size_t length = (size_t)(dot - path.data);
        message = *(ProtobufCMessage *const *)member(message, (struct slice){path.data, length});
        path = (struct slice){dot + 1, path.length - length - 1};
    }
    const void *at = member(message, path);
    if (field_kind(json_field_find(message, path)) == FIELD_COUNT64) {
        char digits[24];
        IGNORE(snprintf(digits, sizeof digits, "%" PRIu64, *(const uint64_t *)at) < 0); /* fits */
        put(w, slice_of(digits));
    } else {
        const ProtobufCBinaryData *data = at;
        put(w, (struct slice){(const char *)data->data, data->len});
    }
}

/* Ids and numbers need no escapes. */
static void put_location(struct writer *w, const char *pattern, const ProtobufCMessage *reply)
{
    put(w, SLICE("Location: "));
    while (*pattern != '\0') {
        bool field = *pattern == ':';
        size_t length = strcspn(pattern + field, field ? "/" : ":");
        struct slice part = {pattern + field, length};
        if (field) {
            put_named(w, reply, part);
        } else {
            put(w, part);
        }
        pattern += field + length;
    }
    put(w, SLICE("\r\n"));
}

/* A parameter of a query, with an & behind it.  What could end the link early is no byte that a
 * query needs. */
static void put_parameter(struct writer *w, struct slice parameter)
{
    for (size_t i = 0; i < parameter.length; i++) {
        struct slice byte = {parameter.data + i, 1};
        char c = *byte.data;
        put(w, c == '<' ? SLICE("%3C") : c == '>' ? SLICE("%3E") : c == '"' ? SLICE("%22") : byte);
    }
    put(w, SLICE("&"));
}

static void put_query_without_cursor(struct writer *w, struct slice query)
{
    static const struct slice cursor = SLICE("cursor=");
    while (query.length > 0) {
        const char *end = memchr(query.data, '&', query.length);
        size_t length = end == NULL ? query.length : (size_t)(end - query.data);
        bool is_cursor =
            length >= cursor.length && memcmp(query.data, cursor.data, cursor.length) == 0;
        if (length > 0 && !is_cursor) {
            put_parameter(w, (struct slice){query.data, length});
        }
        length += end != NULL;
        query.data += length;
        query.length -= length;
    }
}

/* Where the next page of REPLY is (RFC 8288): CSV has no place for a cursor. */
static void put_next_link(struct writer *w, struct slice query, const ProtobufCMessage *reply)
{
    const ProtobufCFieldDescriptor *field = json_field_find(reply, SLICE("next_cursor"));
    if (field != NULL && json_field_is_set(reply, field)) {
        put(w, SLICE("Link: <?"));
        put_query_without_cursor(w, query);
        put(w, SLICE("cursor="));
        put_named(w, reply, SLICE("next_cursor"));
        put(w, SLICE(">; rel=\"next\"\r\n"));
    }
}

static unsigned status_of(const struct http_answer *answer, const Billing__V1__Response *response)
{
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        return response->problem->status;
    }
    INVARIANT(answer->route != NULL);
    bool not_ready = answer->route->status_by_ready &&
                     response->result_case == BILLING__V1__RESPONSE__RESULT_CHECK_HEALTH &&
                     !response->check_health->ready;
    return not_ready ? 503 : answer->route->success;
}

/* --- the request id --------------------------------------------------------------------------- */

static bool may_be_echoed(struct slice id)
{
    for (size_t i = 0; i < id.length; i++) {
        if (id.data[i] < ' ' || id.data[i] > '~') {
            return false;
        }
    }
    return id.length > 0 && id.length <= LIMIT_REQUEST_ID_BYTES;
}

static struct slice new_id(char buffer[UUID_TEXT_BYTES + 1])
{
    uint8_t random[UUID_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    uuid7_print((uint64_t)(clock_wall_us() / 1000), random, buffer);
    return (struct slice){buffer, UUID_TEXT_BYTES};
}

/* The id that the write was recorded under, or is refused under; empty: none is known. */
static struct slice id_of_write(const Billing__V1__Response *response)
{
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM &&
        response->problem->has_request_id) {
        const ProtobufCBinaryData *id = &response->problem->request_id;
        return (struct slice){(const char *)id->data, id->len};
    }
    if (response->has_request_id) {
        return (struct slice){(const char *)response->request_id.data, response->request_id.len};
    }
    return (struct slice){0};
}

/* What the request is known by: the id it was sent with, else that of the write, else a new one, so
 * that every answer has one. */
static struct slice id_of(const struct http_answer *answer, const Billing__V1__Response *response,
                          char buffer[UUID_TEXT_BYTES + 1])
{
    if (may_be_echoed(answer->request_id)) {
        return answer->request_id;
    }
    struct slice id = id_of_write(response);
    return may_be_echoed(id) ? id : new_id(buffer);
}

/* Keep for the log what the client is told; where the id is not copied, the log does without. */
static void note_told(struct request *request, unsigned status, struct slice id)
{
    request->told_status = status;
    IGNORE(arena_copy(&request->arena, id, &request->told_id));
}

/* A problem that is of no write names the request as its header does. */
static void name_problem(Billing__V1__Problem *problem, struct slice id, struct arena *arena)
{
    struct slice copy;
    if (!problem->has_request_id && arena_copy(arena, id, &copy) == 0) {
        problem->has_request_id = true;
        problem->request_id = (ProtobufCBinaryData){
            .data = (uint8_t *)(uintptr_t)copy.data, /* the arena's, which is ours */
            .len = copy.length,
        };
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

static void put_problem_headers(struct writer *w, const struct http_answer *answer,
                                const Billing__V1__Problem *problem)
{
    if (problem->has_retry_after_ms) {
        put_line(w, "Retry-After: %llu",
                 ((unsigned long long)problem->retry_after_ms + 999) / 1000);
    }
    if (problem->status == 401) {
        put_line(w, "WWW-Authenticate: Bearer realm=\"billingd\"%s",
                 answer->has_token ? ", error=\"invalid_token\"" : "");
    }
}

static void put_headers(struct writer *w, const struct http_answer *answer,
                        const Billing__V1__Response *response, unsigned status)
{
    put_head(w, answer, status, keep_nowhere);
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        put_problem_headers(w, answer, response->problem);
    } else if (answer->route->location != NULL) {
        put_location(w, answer->route->location, result_of(response));
    }
    if (response->has_replayed && response->replayed) {
        put_line(w, "Idempotent-Replayed: true");
    }
    if (answer->route != NULL && answer->route->csv) {
        put_line(w, "Vary: Accept");
    }
}

enum form {
    FORM_JSON,
    FORM_PROBLEM,
    FORM_CSV,
    FORM_NONE,
};

static const char *const content_types[] = {
    [FORM_JSON] = "application/json",
    [FORM_PROBLEM] = "application/problem+json",
    [FORM_CSV] = "text/csv; charset=utf-8; header=present",
};

static enum form form_of(const struct http_answer *answer, const Billing__V1__Response *response)
{
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        return FORM_PROBLEM;
    }
    if (answer->route->success == 204) {
        return FORM_NONE;
    }
    return answer->route->csv && answer->wants_csv ? FORM_CSV : FORM_JSON;
}

static void put_body(struct writer *w, const struct http_answer *answer, const char *type,
                     struct slice body)
{
    put_line(w, "Content-Type: %s", type);
    put_line(w, "Content-Length: %zu", body.length);
    put(w, SLICE("\r\n"));
    if (!answer->head_only) {
        put(w, body);
    }
}

static void write_result(struct writer *w, const struct http_answer *answer, enum form form,
                         const ProtobufCMessage *result)
{
    struct json_text body = {0};
    if (form == FORM_NONE) {
        put(w, SLICE("\r\n"));
        return;
    }
    if (form == FORM_CSV) {
        put_next_link(w, answer->query, result);
    }
    int rc = form == FORM_CSV ? http_csv_write(&body, result) : json_write_message(&body, result);
    w->status = w->status == 0 ? rc : w->status;
    put_body(w, answer, content_types[form], (struct slice){body.data, body.length});
    free(body.data);
}

int http_answer_write(const struct http_answer *answer, struct request *request,
                      struct io_buffer *out)
{
    const Billing__V1__Response *response = &request->response;
    enum form form = form_of(answer, response);
    char buffer[UUID_TEXT_BYTES + 1];
    struct slice id = id_of(answer, response, buffer);
    struct writer w = {.out = out};
    if (form == FORM_PROBLEM) {
        name_problem(response->problem, id, &request->arena);
    }
    note_told(request, status_of(answer, response), id);
    put_headers(&w, answer, response, request->told_status);
    put_line(&w, "X-Request-Id: %.*s", (int)id.length, id.data);
    write_result(&w, answer, form, result_of(response));
    return w.status;
}

/* --- answers to what is no call --------------------------------------------------------------- */

static void put_own_head(struct writer *w, const struct http_answer *answer,
                         struct request *request, unsigned status, const char *keep)
{
    char buffer[UUID_TEXT_BYTES + 1];
    struct slice id = may_be_echoed(answer->request_id) ? answer->request_id : new_id(buffer);
    note_told(request, status, id);
    put_head(w, answer, status, keep);
    put_line(w, "X-Request-Id: %.*s", (int)id.length, id.data);
}

int http_answer_write_openapi(const struct http_answer *answer, struct request *request,
                              struct io_buffer *out)
{
    struct writer w = {.out = out};
    put_own_head(&w, answer, request, 200, keep_shortly);
    put_body(&w, answer, content_types[FORM_JSON], openapi_json());
    return w.status;
}

int http_answer_write_metrics(const struct http_answer *answer, struct request *request,
                              struct slice text, struct io_buffer *out)
{
    struct writer w = {.out = out};
    put_own_head(&w, answer, request, 200, keep_nowhere);
    put_body(&w, answer, "text/plain; version=0.0.4; charset=utf-8", text);
    return w.status;
}

int http_answer_write_options(const struct http_answer *answer, struct request *request,
                              struct io_buffer *out)
{
    struct writer w = {.out = out};
    put_own_head(&w, answer, request, 204, keep_nowhere);
    put(&w, SLICE("\r\n"));
    return w.status;
}
