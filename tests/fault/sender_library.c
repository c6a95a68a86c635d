/* Through libbilling, as a program would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault/sender.h"

/* --- asking ----------------------------------------------------------------------------------- */

static billing_usage_input *usage_input(const struct logged_request *request)
{
    const struct logged_payload *p = &request->payload;
    billing_usage_input *input = billing_usage_input_new();
    if (billing_usage_input_set_customer(input, p->customer->answer.id) != 0 ||
        billing_usage_input_set_service(input, p->service) != 0 ||
        billing_usage_input_set_units(input, p->units) != 0 ||
        billing_usage_input_set_price(input, p->price) != 0 ||
        billing_usage_input_set_request_id(input, request->request_id) != 0 ||
        (p->occurred_at_us != 0 &&
         billing_usage_input_set_time_us(input, p->occurred_at_us) != 0) ||
        (p->label != NULL && billing_usage_input_add_label(input, LOGGED_LABEL, p->label) != 0)) {
        abort();
    }
    return input;
}

static int create_usage(billing_client *client, const struct logged_request *request,
                        billing_object **ret_reply, billing_error **ret_error)
{
    billing_usage_input *input = usage_input(request);
    int rc = billing_usage_create(client, input, ret_reply, ret_error);
    billing_usage_input_free(input);
    return rc;
}

static int create_batch(billing_client *client, struct logged_request *const *requests, size_t n,
                        billing_object **ret_reply, billing_error **ret_error)
{
    billing_usage_batch *batch = billing_usage_batch_new();
    for (size_t i = 0; i < n; i++) {
        billing_usage_input *input = usage_input(requests[i]);
        if (billing_usage_batch_add(batch, input) != 0) {
            abort();
        }
        billing_usage_input_free(input);
    }
    int rc = billing_usage_batch_create(client, batch, ret_reply, ret_error);
    billing_usage_batch_free(batch);
    return rc;
}

static int create_adjustment(billing_client *client, const struct logged_request *request,
                             billing_object **ret_reply, billing_error **ret_error)
{
    const struct logged_payload *p = &request->payload;
    billing_adjustment_input *input = billing_adjustment_input_new();
    if (billing_adjustment_input_set_customer(input, p->customer->answer.id) != 0 ||
        billing_adjustment_input_set_amount(input, p->amount) != 0 ||
        billing_adjustment_input_set_reason(input, p->reason) != 0 ||
        billing_adjustment_input_set_service(input, p->service) != 0 ||
        billing_adjustment_input_set_request_id(input, request->request_id) != 0 ||
        (p->occurred_at_us != 0 &&
         billing_adjustment_input_set_time_us(input, p->occurred_at_us) != 0)) {
        abort();
    }
    int rc = billing_adjustment_create(client, input, ret_reply, ret_error);
    billing_adjustment_input_free(input);
    return rc;
}

static int finalize(billing_client *client, const struct logged_request *request,
                    billing_object **ret_reply, billing_error **ret_error)
{
    const struct logged_payload *p = &request->payload;
    billing_query *query = billing_query_new();
    if (billing_query_set_end_us(query, p->end_us) != 0 ||
        (p->start_us != 0 && billing_query_set_start_us(query, p->start_us) != 0)) {
        abort();
    }
    int rc = billing_invoice_finalize(client, p->customer->answer.id, query, request->request_id,
                                      ret_reply, ret_error);
    billing_query_free(query);
    return rc;
}

static int call(billing_client *client, struct logged_request *const *requests, size_t n,
                billing_object **ret_reply, billing_error **ret_error)
{
    const struct logged_request *request = requests[0];
    const struct logged_payload *p = &request->payload;
    if (n > 1) {
        return create_batch(client, requests, n, ret_reply, ret_error);
    }
    switch (p->kind) {
    case LOGGED_CUSTOMER:
        return billing_customer_create(client, p->name, p->external_id, request->request_id,
                                       ret_reply, ret_error);
    case LOGGED_USAGE:
        return create_usage(client, request, ret_reply, ret_error);
    case LOGGED_VOID:
        return billing_usage_void(client, p->customer->answer.id, p->usage->answer.id, p->reason,
                                  request->request_id, ret_reply, ret_error);
    case LOGGED_ADJUSTMENT:
        return create_adjustment(client, request, ret_reply, ret_error);
    case LOGGED_INVOICE:
        return finalize(client, request, ret_reply, ret_error);
    }
    abort();
}

/* --- being answered --------------------------------------------------------------------------- */

/* The member NAME of the object of a reply, or of the reply itself where OBJECT is NULL. */
static const char *member(char path[64], const char *object, const char *name)
{
    int length =
        snprintf(path, 64, "%s%s%s", object == NULL ? "" : object, object == NULL ? "" : ".", name);
    if (length < 0 || length >= 64) {
        abort();
    }
    return path;
}

static int64_t time_at(const billing_object *reply, const char *path)
{
    int64_t time_us = billing_object_time_us(reply, path);
    return time_us < 0 ? 0 : time_us;
}

static void settle_object(struct request_log *log, struct logged_request *request,
                          const billing_object *reply)
{
    const struct sender_names *names = sender_names(request->payload.kind);
    char path[64];
    struct logged_answer answer = {.replayed = billing_object_replayed(reply)};
    answer.id = billing_object_text(reply, member(path, names->object, names->id));
    answer.created_at_us = time_at(reply, member(path, names->object, names->created_at));
    if (names->bills_at != NULL) {
        answer.bills_at_us = time_at(reply, member(path, names->object, names->bills_at));
    }
    answer.id = answer.id == NULL ? "none" : answer.id;
    request_log_acknowledge(log, request, &answer);
}

static bool settle_batch(struct request_log *log, struct logged_request *const *requests, size_t n,
                         const billing_object *reply)
{
    bool settled = billing_object_count(reply, "results") == n;
    for (size_t i = 0; i < n && i < billing_object_count(reply, "results"); i++) {
        const billing_object *result = billing_object_item(reply, "results", i);
        const char *status = billing_object_text(result, "status");
        if (status != NULL && strcmp(status, "refused") == 0) {
            settled &=
                sender_refused(log, requests[i], billing_object_text(result, "problem.code"));
            continue;
        }
        struct logged_answer answer = {
            .id = billing_object_text(result, "id"),
            .bills_at_us = time_at(result, "bills_at"),
            .replayed = status != NULL && strcmp(status, "replayed") == 0,
        };
        answer.id = answer.id == NULL ? "none" : answer.id;
        request_log_acknowledge(log, requests[i], &answer);
    }
    return settled;
}

static bool settle(struct sender *sender, struct logged_request *const *requests, size_t n, int rc,
                   const billing_object *reply, const billing_error *error)
{
    bool settled = rc == 0 || rc == BILLING_E_REFUSED;
    if (sender->unjudged || !settled) {
        return false;
    }
    if (rc == 0 && n == 1) {
        settle_object(sender->log, requests[0], reply);
    } else if (rc == 0) {
        settled = settle_batch(sender->log, requests, n, reply);
    } else {
        for (size_t i = 0; i < n; i++) {
            settled &= sender_refused(sender->log, requests[i], billing_error_code(error));
        }
    }
    return settled;
}

bool sender_try_library(struct sender *sender, struct logged_request *const *requests, size_t n)
{
    billing_object *reply = NULL;
    billing_error *error = NULL;
    int rc = call(sender->library, requests, n, &reply, &error);
    bool settled = settle(sender, requests, n, rc, reply, error);
    billing_object_free(reply);
    billing_error_free(error);
    return settled;
}
