/* Through the RPC door, message by message. */
#include <inttypes.h>
#include <string.h>

#include "tests/fault/sender.h"
#include "tests/model/message.h"

#define NEW(CamelCase, snake_case)                                                                 \
    MESSAGE_NEW(memory, Billing__V1__##CamelCase, billing__v1__##snake_case)

/* --- asking ----------------------------------------------------------------------------------- */

static Billing__V1__CreateCustomer *customer_message(struct memory *memory,
                                                     const struct logged_request *request)
{
    Billing__V1__CreateCustomer *m = NEW(CreateCustomer, create_customer);
    PUT_TEXT(m, customer_name, request->payload.name);
    PUT_TEXT(m, external_id, request->payload.external_id);
    PUT_TEXT(m, request_id, request->request_id);
    return m;
}

static Billing__V1__Label **label_messages(struct memory *memory, const char *value, size_t *ret_n)
{
    Billing__V1__Label **labels = memory_alloc(memory, sizeof *labels);
    *ret_n = 0;
    if (value != NULL) {
        labels[0] = NEW(Label, label);
        PUT_TEXT(labels[0], name, LOGGED_LABEL);
        PUT_TEXT(labels[0], value, value);
        *ret_n = 1;
    }
    return labels;
}

static Billing__V1__UsageInput *usage_message(struct memory *memory,
                                              const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    Billing__V1__UsageInput *m = NEW(UsageInput, usage_input);
    PUT_TEXT(m, customer_id, p->customer->answer.id);
    PUT_TEXT(m, service, p->service);
    PUT_TEXT(m, units_consumed, p->units);
    PUT_TEXT(m, price_per_unit, p->price);
    PUT_TEXT(m, request_id, request->request_id);
    m->has_occurred_at = p->occurred_at_us != 0;
    m->occurred_at = p->occurred_at_us;
    m->labels = label_messages(memory, p->label, &m->n_labels);
    return m;
}

static Billing__V1__VoidUsage *void_message(struct memory *memory,
                                            const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    Billing__V1__VoidUsage *m = NEW(VoidUsage, void_usage);
    PUT_TEXT(m, customer_id, p->customer->answer.id);
    PUT_TEXT(m, usage_id, p->usage->answer.id);
    PUT_TEXT(m, reason, p->reason);
    PUT_TEXT(m, request_id, request->request_id);
    return m;
}

static Billing__V1__CreateAdjustment *adjustment_message(struct memory *memory,
                                                         const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    Billing__V1__CreateAdjustment *m = NEW(CreateAdjustment, create_adjustment);
    PUT_TEXT(m, customer_id, p->customer->answer.id);
    PUT_TEXT(m, amount, p->amount);
    PUT_TEXT(m, reason, p->reason);
    PUT_TEXT(m, service, p->service);
    PUT_TEXT(m, request_id, request->request_id);
    m->has_occurred_at = p->occurred_at_us != 0;
    m->occurred_at = p->occurred_at_us;
    return m;
}

static Billing__V1__FinalizeInvoice *invoice_message(struct memory *memory,
                                                     const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    Billing__V1__FinalizeInvoice *m = NEW(FinalizeInvoice, finalize_invoice);
    PUT_TEXT(m, customer_id, p->customer->answer.id);
    PUT(m, end, p->end_us);
    m->has_start = p->start_us != 0;
    m->start = p->start_us;
    PUT_TEXT(m, request_id, request->request_id);
    return m;
}

static Billing__V1__CreateUsageBatch *
batch_message(struct memory *memory, struct logged_request *const *requests, size_t n)
{
    Billing__V1__CreateUsageBatch *m = NEW(CreateUsageBatch, create_usage_batch);
    m->usage = memory_alloc(memory, n * sizeof(Billing__V1__UsageInput *));
    for (m->n_usage = 0; m->n_usage < n; m->n_usage++) {
        m->usage[m->n_usage] = usage_message(memory, requests[m->n_usage]);
    }
    return m;
}

Billing__V1__Request *sender_message(struct memory *memory, struct logged_request *const *requests,
                                     size_t n)
{
    Billing__V1__Request *request = NEW(Request, request);
    if (n > 1) {
        request->call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
        request->create_usage_batch = batch_message(memory, requests, n);
        return request;
    }
    switch (requests[0]->payload.kind) {
    case LOGGED_CUSTOMER:
        request->call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
        request->create_customer = customer_message(memory, requests[0]);
        break;
    case LOGGED_USAGE:
        request->call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE;
        request->create_usage = usage_message(memory, requests[0]);
        break;
    case LOGGED_VOID:
        request->call_case = BILLING__V1__REQUEST__CALL_VOID_USAGE;
        request->void_usage = void_message(memory, requests[0]);
        break;
    case LOGGED_ADJUSTMENT:
        request->call_case = BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT;
        request->create_adjustment = adjustment_message(memory, requests[0]);
        break;
    case LOGGED_INVOICE:
        request->call_case = BILLING__V1__REQUEST__CALL_FINALIZE_INVOICE;
        request->finalize_invoice = invoice_message(memory, requests[0]);
        break;
    }
    return request;
}

/* --- being answered --------------------------------------------------------------------------- */

static bool settle_problem(struct request_log *log, struct logged_request *request,
                           const Billing__V1__Problem *problem)
{
    struct memory memory = {0};
    bool settled = false;
    if (problem->recorded == BILLING__V1__PROBLEM__RECORDED__NO) {
        settled = sender_refused(log, request, TEXT_OF(&memory, problem, code));
    }
    memory_done(&memory);
    return settled;
}

static bool settle_result(struct request_log *log, struct logged_request *request,
                          const Billing__V1__UsageBatchResult *result)
{
    struct memory memory = {0};
    if (result->status == BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED) {
        return settle_problem(log, request, result->problem);
    }
    struct logged_answer answer = {
        .id = TEXT_OF(&memory, result, id),
        .bills_at_us = result->bills_at,
        .replayed = result->status == BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED,
    };
    request_log_acknowledge(log, request, &answer);
    memory_done(&memory);
    return true;
}

static bool settle_batch(struct request_log *log, struct logged_request *const *requests, size_t n,
                         const Billing__V1__UsageBatchReply *reply)
{
    bool settled = reply->n_results == n;
    for (size_t i = 0; i < n && i < reply->n_results; i++) {
        settled &= settle_result(log, requests[i], reply->results[i]);
    }
    return settled;
}

/* Of one object, whatever it is. */
static void settle_object(struct request_log *log, struct logged_request *request,
                          const Billing__V1__Response *response)
{
    struct memory memory = {0};
    const struct sender_names *names = sender_names(request->payload.kind);
    const void *object = message_below(message_chosen(response));
    const ProtobufCBinaryData *id = object == NULL ? NULL : message_bytes(object, names->id);
    struct logged_answer answer = {
        .id = id == NULL ? "none" : message_text(&memory, *id),
        .created_at_us = object == NULL ? 0 : message_time(object, names->created_at),
        .bills_at_us =
            object == NULL || names->bills_at == NULL ? 0 : message_time(object, names->bills_at),
        .replayed = response->replayed,
    };
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE) {
        answer.id = memory_format(&memory, "%" PRIu64, response->finalize_invoice->invoice->number);
    }
    request_log_acknowledge(log, request, &answer);
    memory_done(&memory);
}

bool sender_settle(struct request_log *log, struct logged_request *const *requests, size_t n,
                   const Billing__V1__Response *response)
{
    bool settled = true;
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
        for (size_t i = 0; i < n; i++) {
            settled &= settle_problem(log, requests[i], response->problem);
        }
    } else if (n > 1) {
        settled = settle_batch(log, requests, n, response->create_usage_batch);
    } else {
        settle_object(log, requests[0], response);
    }
    return settled;
}

/* --- both ------------------------------------------------------------------------------------- */

static enum sock_result exchange(struct sender *sender, struct logged_request *const *requests,
                                 size_t n, Billing__V1__Response **ret)
{
    struct memory memory = {0};
    Billing__V1__Request *request = sender_message(&memory, requests, n);
    PUT(request, call_id, ++sender->rpc.last_call_id);
    enum sock_result result = raw_client_send_request(&sender->rpc, request);
    if (result == SOCK_OK) {
        result = raw_client_receive(&sender->rpc, sender->options.timeout_ms, ret);
    }
    if (result == SOCK_OK && (*ret)->call_id != request->call_id) { /* also of a broken frame: 0 */
        billing__v1__response__free_unpacked(*ret, NULL);
        result = SOCK_GARBAGE;
    }
    memory_done(&memory);
    return result;
}

bool sender_try_rpc(struct sender *sender, struct logged_request *const *requests, size_t n)
{
    Billing__V1__Response *response;
    if (!sender->open) {
        sender->open = raw_client_open(&sender->rpc, sender->options.address);
    }
    if (!sender->open) {
        raw_client_close(&sender->rpc);
        return false;
    }
    if (exchange(sender, requests, n, &response) != SOCK_OK) {
        raw_client_close(&sender->rpc);
        sender->open = false;
        return false;
    }
    bool settled = !sender->unjudged && sender_settle(sender->log, requests, n, response);
    billing__v1__response__free_unpacked(response, NULL);
    return settled;
}
