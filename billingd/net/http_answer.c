#include "billingd/net/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/random.h"
#include "billingd/rpc/json_field.h"
#include "proto/json_writer.h"
#include "proto/limits.h"
#include "proto/timestamp.h"
#include "proto/uuid.h"

enum {
    LINE_BYTES_MAX = 512, /* of a header line of ours */
};

/* An answer as it grows.  A failed allocation sticks. */
struct writer {
    struct http_buffer *out;
    int status;
};

static void put(struct writer *w, struct slice bytes)
{
    if (w->status == 0) {
        w->status = http_buffer_append(w->out, bytes);
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

static void put_head(struct writer *w, const struct http_answer *answer, unsigned status)
{
    put_line(w, "HTTP/1.1 %u %s", status, reason_phrase(status));
    put_date(w);
    if (!answer->keep_alive) {
        put_line(w, "Connection: close");
    } else if (answer->is_1_0) {
        put_line(w, "Connection: keep-alive");
    }
    if (answer->allow[0] != '\0') {
        put_line(w, "Allow: %s", answer->allow);
    }
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

/* The bytes field that PATH, "usage.id", names in MESSAGE. */
static struct slice look_up(const ProtobufCMessage *message, struct slice path)
{
    const char *dot;
    while ((dot = memchr(path.data, '.', path.length)) != NULL) {
        size_t length = (size_t)(dot - path.data);
        message = *(ProtobufCMessage *const *)member(message, (struct slice){path.data, length});
        path = (struct slice){dot + 1, path.length - length - 1};
    }
    const ProtobufCBinaryData *data = member(message, path);
    return (struct slice){(const char *)data->data, data->len};
}

/* Ids need no escapes. */
static void put_location(struct writer *w, const char *pattern, const ProtobufCMessage *reply)
{
    put(w, SLICE("Location: "));
    while (*pattern != '\0') {
        bool field = *pattern == ':';
        size_t length = strcspn(pattern + field, field ? "/" : ":");
        struct slice part = {pattern + field, length};
        put(w, field ? look_up(reply, part) : part);
        pattern += field + length;
    }
    put(w, SLICE("\r\n"));
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

/* What the request is known by: the id that it was recorded under, else the one it was sent with,
 * else a new one, so that every answer has one. */
static struct slice id_of(const struct http_answer *answer, const Billing__V1__Response *response,
                          char buffer[UUID_TEXT_BYTES + 1])
{
    if (response->has_request_id) {
        struct slice id = {(const char *)response->request_id.data, response->request_id.len};
        if (may_be_echoed(id)) {
            return id;
        }
    }
    return may_be_echoed(answer->request_id) ? answer->request_id : new_id(buffer);
}

/* A problem names the request as its header does. */
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

static void put_problem_headers(struct writer *w, const Billing__V1__Problem *problem)
{
    if (problem->has_retry_after_ms) {
        put_line(w, "Retry-After: %llu",
                 ((unsigned long long)problem->retry_after_ms + 999) / 1000);
    }
    if (problem->status == 401) {
        put_line(w, "WWW-Authenticate: Bearer");
    }
}

static void put_headers(struct writer *w, const struct http_answer *answer,
                        const Billing__V1__Response *response, unsigned status)
{
    put_head(w, answer, status);
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        put_problem_headers(w, response->problem);
    } else if (answer->route->location != NULL) {
        put_location(w, answer->route->location, result_of(response));
    }
    if (response->has_replayed && response->replayed) {
        put_line(w, "Idempotent-Replayed: true");
    }
}

int http_answer_write(const struct http_answer *answer, struct request *request,
                      struct http_buffer *out)
{
    const Billing__V1__Response *response = &request->response;
    bool problem = response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM;
    char buffer[UUID_TEXT_BYTES + 1];
    struct slice id = id_of(answer, response, buffer);
    if (problem) {
        name_problem(response->problem, id, &request->arena);
    }
    struct json_text body = {0};
    struct writer w = {.out = out, .status = json_write_message(&body, result_of(response))};
    put_headers(&w, answer, response, status_of(answer, response));
    put_line(&w, "X-Request-Id: %.*s", (int)id.length, id.data);
    put_line(&w, "Content-Type: application/%sjson", problem ? "problem+" : "");
    put_line(&w, "Content-Length: %zu", body.length);
    put(&w, SLICE("\r\n"));
    if (!answer->head_only) {
        put(&w, (struct slice){body.data, body.length});
    }
    free(body.data);
    return w.status;
}

int http_answer_write_options(const struct http_answer *answer, struct http_buffer *out)
{
    struct writer w = {.out = out};
    char buffer[UUID_TEXT_BYTES + 1];
    struct slice id = may_be_echoed(answer->request_id) ? answer->request_id : new_id(buffer);
    put_head(&w, answer, 204);
    put_line(&w, "X-Request-Id: %.*s", (int)id.length, id.data);
    put(&w, SLICE("\r\n"));
    return w.status;
}
