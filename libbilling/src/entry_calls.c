/* The public calls about voids and adjustments. */
#include "billing.pb-c.h"
#include "libbilling/src/adjustment_input.h"
#include "libbilling/src/call.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"

/* --- voids ------------------------------------------------------------------------------------ */

/* NOLINTNEXTLINE(readability-function-size): as plain a call as creating a customer */
int billing_usage_void(billing_client *client, const char *customer_id, const char *usage_id,
                       const char *reason, const char *request_id, billing_object **ret_reply,
                       billing_error **ret_error)
{
    Billing__V1__VoidUsage message = BILLING__V1__VOID_USAGE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_VOID_USAGE, WRITES);
    int status = prepare_request_id(&call, request_id, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_usage_id, &message.usage_id, usage_id);
    message_refer(&message.has_reason, &message.reason, reason);
    message_refer(&message.has_request_id, &message.request_id, call.request_id);
    call.request.void_usage = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_void_get(billing_client *client, const char *customer_id, const char *usage_id,
                     billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetVoid message = BILLING__V1__GET_VOID__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_VOID, READS);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_usage_id, &message.usage_id, usage_id);
    call.request.get_void = &message;
    return call_run(&call, ret_reply, ret_error);
}

/* --- adjustments ------------------------------------------------------------------------------ */

int billing_adjustment_create(billing_client *client, const billing_adjustment_input *input,
                              billing_object **ret_reply, billing_error **ret_error)
{
    struct call call;
    if (input == NULL) {
        return call_fail(FAULT_ARGUMENT, "no adjustment input", ret_reply, ret_error);
    }
    if (input->failed) {
        return call_fail(FAULT_NO_MEMORY, "for the adjustment input", ret_reply, ret_error);
    }
    Billing__V1__CreateAdjustment message = input->message; /* refers to the input's texts */
    const char *given = message.has_request_id ? (const char *)message.request_id.data : NULL;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT, WRITES);
    int status = prepare_request_id(&call, given, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_request_id, &message.request_id, call.request_id);
    call.request.create_adjustment = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_adjustment_list(billing_client *client, const char *customer_id,
                            const billing_query *query, billing_object **ret_reply,
                            billing_error **ret_error)
{
    Billing__V1__ListAdjustments message = BILLING__V1__LIST_ADJUSTMENTS__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_ADJUSTMENTS, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.list_adjustments = &message;
    return call_run(&call, ret_reply, ret_error);
}
