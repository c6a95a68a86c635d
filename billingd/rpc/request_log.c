#include "billingd/rpc/request_log.h"

#include <stdlib.h>

#include "billingd/base/log.h"
#include "billingd/rpc/request_stats.h"
#include "billingd/rpc/traceparent.h"
#include "proto/json_writer.h"

enum {
    SECOND_US = 1000000,
    PAYLOAD_BYTES_MAX = 2048,
    PAYLOAD_ITEMS_MAX = 4, /* of a batch */
    FIELDS_MAX = 18,
};

struct fields {
    struct log_field all[FIELDS_MAX + 1]; /* one behind the last ends them */
    size_t n;
};

static void add(struct fields *fields, struct log_field field)
{
    if (fields->n < FIELDS_MAX) {
        fields->all[fields->n++] = field;
    }
}

/* --- the second ------------------------------------------------------------------------------- */

void request_log_flush(struct request_log *log)
{
    if (log->left_out > 0) {
        log_info(LOG_RPC, "requests were left out of the log", LOG_INT("count", log->left_out));
    }
    log->left_out = 0;
}

void request_log_tick(struct request_log *log, int64_t now_us)
{
    if (now_us - log->second_us < SECOND_US) {
        return;
    }
    request_log_flush(log);
    log->left = log->options.per_second_max;
    log->second_us = now_us;
}

static bool admit(struct request_log *log, int64_t now_us)
{
    if (log->left == 0) {
        request_log_tick(log, now_us);
    }
    if (log->left == 0) {
        log->left_out++;
        return false;
    }
    log->left--;
    return true;
}

/* --- the payload ------------------------------------------------------------------------------ */

/* Calls that deal in secrets, or in what is easily mistaken for one. */
static bool is_secret(Billing__V1__Request__CallCase call)
{
    return call == BILLING__V1__REQUEST__CALL_CREATE_KEY ||
           call == BILLING__V1__REQUEST__CALL_REVOKE_KEY;
}

static int write_payload(const Billing__V1__Request *message, struct json_text *text)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        &billing__v1__request__descriptor, (unsigned)message->call_case);
    if (field == NULL || is_secret(message->call_case)) {
        return STATUS_NOT_FOUND;
    }
    if (message->call_case == BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH) {
        Billing__V1__CreateUsageBatch first = *message->create_usage_batch;
        first.n_usage = first.n_usage > PAYLOAD_ITEMS_MAX ? PAYLOAD_ITEMS_MAX : first.n_usage;
        return json_write_message(text, &first.base);
    }
    const ProtobufCMessage *inner =
        *(ProtobufCMessage *const *)(const void *)((const char *)message + field->offset);
    return json_write_message(text, inner);
}

/* TEXT without what goes beyond a bound, cut between characters. */
static struct slice bounded(struct slice text)
{
    if (text.length > PAYLOAD_BYTES_MAX) {
        text.length = PAYLOAD_BYTES_MAX;
        while (text.length > 0 && ((unsigned char)text.data[text.length] & 0xC0) == 0x80) {
            text.length--;
        }
    }
    return text;
}

static void add_payload(struct fields *fields, const struct request *request,
                        struct json_text *text)
{
    if (request->message != NULL && write_payload(request->message, text) == 0) {
        struct slice payload = bounded((struct slice){text->data, text->length});
        add(fields, LOG_SLICE("payload", payload));
        if (payload.length < text->length) {
            add(fields, LOG_INT("payload_bytes", text->length));
        }
    }
}

/* --- the line --------------------------------------------------------------------------------- */

static void add_items(struct fields *fields, const struct request *request)
{
    const Billing__V1__Request *message = request->message;
    const Billing__V1__Response *response = &request->response;
    int64_t n[REQUEST__ITEMS] = {0};
    if (message == NULL || message->call_case != BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH) {
        return;
    }
    add(fields, LOG_INT("items", message->create_usage_batch->n_usage));
    if (response->result_case != BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH) {
        return;
    }
    for (size_t i = 0; i < response->create_usage_batch->n_results; i++) {
        switch (response->create_usage_batch->results[i]->status) {
        case BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED:
            n[REQUEST_ITEM_RECORDED]++;
            break;
        case BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED:
            n[REQUEST_ITEM_REPLAYED]++;
            break;
        default: /* protobuf-c's enums have a member more */
            n[REQUEST_ITEM_REFUSED]++;
        }
    }
    add(fields, LOG_INT("recorded", n[REQUEST_ITEM_RECORDED]));
    add(fields, LOG_INT("replayed", n[REQUEST_ITEM_REPLAYED]));
    add(fields, LOG_INT("refused", n[REQUEST_ITEM_REFUSED]));
}

static void add_request(struct fields *fields, const struct request *request)
{
    static const char *const doors[] = {
        [REQUEST_UNIX] = "unix",
        [REQUEST_TCP] = "tcp",
        [REQUEST_HTTP] = "http",
    };
    struct slice id = request->told_id.length > 0 ? request->told_id : request->request_id;
    add(fields, LOG_TEXT("door", doors[request->came_by]));
    add(fields, LOG_TEXT("method", request_name(request)));
    if (request->who.name.length > 0) {
        add(fields, LOG_SLICE("identity", request->who.name));
    }
    if (id.length > 0) {
        add(fields, LOG_SLICE("request_id", id));
    }
    if (traceparent_is_valid(request->traceparent)) {
        add(fields, LOG_SLICE("traceparent",
                              ((struct slice){request->traceparent.data, TRACEPARENT_BYTES})));
    }
}

static void write_line(const struct request_log *log, const struct request *request,
                       enum log_level level, int outcome, uint64_t us)
{
    struct fields fields = {.n = 0};
    struct json_text payload = {0};
    add_request(&fields, request);
    add(&fields, LOG_TEXT("outcome", request_outcome_name(outcome)));
    add(&fields, LOG_INT("status", request->told_status));
    add(&fields, LOG_INT("us", us));
    add_items(&fields, request);
    if (log->options.payloads) {
        add_payload(&fields, request, &payload);
    }
    log_write(level, LOG_RPC, level == LOG_LEVEL_ERROR ? "request failed" : "request", fields.all);
    free(payload.data);
}

static enum log_level level_of(const struct request *request)
{
    if (request->told_status == 500) {
        return LOG_LEVEL_ERROR;
    }
    return request->told_status > 500 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
}

bool request_log_answer(struct request_log *log, const struct request *request, int outcome,
                        uint64_t us, int64_t now_us)
{
    enum log_level level = level_of(request);
    if (level != LOG_LEVEL_ERROR) {
        if (log->options.per_second_max == 0 || !log_is_on(level)) {
            return true;
        }
        if (!admit(log, now_us)) {
            return false;
        }
    }
    write_line(log, request, level, outcome, us);
    return true;
}
