/* Through the HTTP door. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "proto/timestamp.h"
#include "tests/fault/sender.h"

/* --- asking: texts of a log need no escapes --------------------------------------------------- */

/* One member more behind BODY; nothing for a VALUE that is NULL. */
static const char *add(struct memory *memory, const char *body, const char *name, const char *value)
{
    return value == NULL ? body
                         : memory_format(memory, "%s%s\"%s\": \"%s\"", body,
                                         body[strlen(body) - 1] == '{' ? "" : ", ", name, value);
}

static const char *add_time(struct memory *memory, const char *body, const char *name,
                            int64_t time_us)
{
    char text[TIMESTAMP_TEXT_MAX];
    if (time_us == 0) {
        return body;
    }
    timestamp_print(time_us, text);
    return add(memory, body, name, text);
}

static const char *usage_members(struct memory *memory, const char *body,
                                 const struct logged_payload *p)
{
    body = add(memory, body, "service", p->service);
    body = add(memory, body, "units_consumed", p->units);
    body = add(memory, body, "price_per_unit", p->price);
    body = add_time(memory, body, "occurred_at", p->occurred_at_us);
    if (p->label != NULL) {
        body =
            memory_format(memory, "%s, \"labels\": {\"%s\": \"%s\"}", body, LOGGED_LABEL, p->label);
    }
    return body;
}

static const char *batch_body(struct memory *memory, struct logged_request *const *requests,
                              size_t n)
{
    const char *body = "{\"usage\": [";
    for (size_t i = 0; i < n; i++) {
        const char *item =
            add(memory, "{", "customer_id", requests[i]->payload.customer->answer.id);
        item = add(memory, item, "request_id", requests[i]->request_id);
        item = usage_members(memory, item, &requests[i]->payload);
        body = memory_format(memory, "%s%s%s}", body, i == 0 ? "" : ", ", item);
    }
    return memory_format(memory, "%s]}", body);
}

static const char *one_body(struct memory *memory, const struct logged_payload *p)
{
    const char *body = "{";
    switch (p->kind) {
    case LOGGED_CUSTOMER:
        body = add(memory, body, "customer_name", p->name);
        body = add(memory, body, "external_id", p->external_id);
        break;
    case LOGGED_USAGE:
        body = usage_members(memory, body, p);
        break;
    case LOGGED_VOID:
        body = add(memory, body, "reason", p->reason);
        break;
    case LOGGED_ADJUSTMENT:
        body = add(memory, body, "amount", p->amount);
        body = add(memory, body, "reason", p->reason);
        body = add(memory, body, "service", p->service);
        body = add_time(memory, body, "occurred_at", p->occurred_at_us);
        break;
    case LOGGED_INVOICE:
        body = add_time(memory, body, "start", p->start_us);
        body = add_time(memory, body, "end", p->end_us);
        break;
    }
    return memory_format(memory, "%s}", body);
}

static const char *target_of(struct memory *memory, const struct logged_payload *p, size_t n)
{
    const char *customer = p->customer == NULL ? NULL : p->customer->answer.id;
    if (n > 1) {
        return "/api/v1/usage/batch";
    }
    switch (p->kind) {
    case LOGGED_CUSTOMER:
        return "/api/v1/customers";
    case LOGGED_USAGE:
        return memory_format(memory, "/api/v1/customers/%s/usage", customer);
    case LOGGED_VOID:
        return memory_format(memory, "/api/v1/customers/%s/usage/%s/void", customer,
                             p->usage->answer.id);
    case LOGGED_ADJUSTMENT:
        return memory_format(memory, "/api/v1/customers/%s/adjustments", customer);
    case LOGGED_INVOICE:
        return memory_format(memory, "/api/v1/customers/%s/invoices", customer);
    }
    abort();
}

static const char *request_text(struct memory *memory, struct logged_request *const *requests,
                                size_t n)
{
    const struct logged_payload *p = &requests[0]->payload;
    const char *body = n > 1 ? batch_body(memory, requests, n) : one_body(memory, p);
    const char *key =
        n > 1 ? "" : memory_format(memory, "Idempotency-Key: %s\r\n", requests[0]->request_id);
    return memory_format(memory,
                         "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         "%sContent-Length: %zu\r\n\r\n%s",
                         target_of(memory, p, n), key, strlen(body), body);
}

/* --- being answered --------------------------------------------------------------------------- */

static const char *text_of(struct json_object *object, const char *name)
{
    struct json_object *member;
    return json_object_object_get_ex(object, name, &member) ? json_object_get_string(member) : NULL;
}

static int64_t time_of(struct json_object *object, const char *name)
{
    const char *text = name == NULL ? NULL : text_of(object, name);
    int64_t time_us;
    return text != NULL && timestamp_parse(text, strlen(text), &time_us) == 0 ? time_us : 0;
}

static bool says(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

static bool settle_problem(struct request_log *log, struct logged_request *request,
                           struct json_object *problem)
{
    return says(text_of(problem, "recorded"), "no") &&
           sender_refused(log, request, text_of(problem, "code"));
}

static bool settle_object(struct request_log *log, struct logged_request *request,
                          struct json_object *body, bool replayed)
{
    const struct sender_names *names = sender_names(request->payload.kind);
    struct json_object *object;
    if (!json_object_object_get_ex(body, names->object, &object)) {
        return false;
    }
    struct logged_answer answer = {
        .id = text_of(object, names->id),
        .created_at_us = time_of(object, names->created_at),
        .bills_at_us = time_of(object, names->bills_at),
        .replayed = replayed,
    };
    answer.id = answer.id == NULL ? "none" : answer.id;
    request_log_acknowledge(log, request, &answer);
    return true;
}

static bool settle_result(struct request_log *log, struct logged_request *request,
                          struct json_object *result)
{
    struct json_object *problem;
    if (json_object_object_get_ex(result, "problem", &problem)) {
        return settle_problem(log, request, problem);
    }
    struct logged_answer answer = {
        .id = text_of(result, "id"),
        .bills_at_us = time_of(result, "bills_at"),
        .replayed = says(text_of(result, "status"), "replayed"),
    };
    answer.id = answer.id == NULL ? "none" : answer.id;
    request_log_acknowledge(log, request, &answer);
    return true;
}

static bool settle_batch(struct request_log *log, struct logged_request *const *requests, size_t n,
                         struct json_object *body)
{
    struct json_object *results;
    if (!json_object_object_get_ex(body, "results", &results)) {
        return false;
    }
    size_t got = json_object_array_length(results);
    bool settled = got == n;
    for (size_t i = 0; i < n && i < got; i++) {
        settled &= settle_result(log, requests[i], json_object_array_get_idx(results, i));
    }
    return settled;
}

static bool settle(struct request_log *log, struct logged_request *const *requests, size_t n,
                   const struct http_reply *reply)
{
    struct json_object *body = json_tokener_parse(reply->body);
    bool settled = body != NULL;
    if (settled && reply->status >= 400) {
        for (size_t i = 0; i < n; i++) {
            settled &= settle_problem(log, requests[i], body);
        }
    } else if (settled && n > 1) {
        settled = settle_batch(log, requests, n, body);
    } else if (settled) {
        settled = settle_object(log, requests[0], body,
                                http_reply_header(reply, "Idempotent-Replayed") != NULL);
    }
    json_object_put(body);
    return settled;
}

/* --- both ------------------------------------------------------------------------------------- */

static enum sock_result exchange(struct sender *sender, struct logged_request *const *requests,
                                 size_t n, struct http_reply *ret)
{
    struct memory memory = {0};
    const char *text = request_text(&memory, requests, n);
    enum sock_result result = http_send(&sender->http, text, strlen(text));
    if (result == SOCK_OK) {
        result = http_receive(&sender->http, sender->options.timeout_ms, ret);
    }
    memory_done(&memory);
    return result;
}

bool sender_try_http(struct sender *sender, struct logged_request *const *requests, size_t n)
{
    struct http_reply reply;
    if (!sender->open) {
        sender->open = http_open(&sender->http, sender->options.address);
    }
    if (!sender->open) {
        http_close(&sender->http);
        return false;
    }
    enum sock_result result = exchange(sender, requests, n, &reply);
    if (result != SOCK_OK || reply.will_close) {
        http_close(&sender->http);
        sender->open = false;
    }
    if (result != SOCK_OK) {
        return false;
    }
    bool settled = !sender->unjudged && settle(sender->log, requests, n, &reply);
    http_reply_done(&reply);
    return settled;
}
