/* The public calls about customers, usage, requests and the daemon: each makes its message and
 * hands it to call_run(). */
#include "billing.pb-c.h"
#include "libbilling/src/call.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"
#include "libbilling/src/usage_input.h"

/* --- customers -------------------------------------------------------------------------------- */

int billing_customer_create(billing_client *client, const char *name, const char *external_id,
                            const char *request_id, billing_object **ret_reply,
                            billing_error **ret_error)
{
    Billing__V1__CreateCustomer message = BILLING__V1__CREATE_CUSTOMER__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER, WRITES);
    int status = prepare_request_id(&call, request_id, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_name, &message.customer_name, name);
    message_refer(&message.has_external_id, &message.external_id, external_id);
    message_refer(&message.has_request_id, &message.request_id, call.request_id);
    call.request.create_customer = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_customer_get(billing_client *client, const char *customer_id,
                         billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetCustomer message = BILLING__V1__GET_CUSTOMER__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_CUSTOMER, READS);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.get_customer = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_customer_list(billing_client *client, const billing_query *query,
                          billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__ListCustomers message = BILLING__V1__LIST_CUSTOMERS__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    call.request.list_customers = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_customer_rename(billing_client *client, const char *customer_id, const char *name,
                            billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__UpdateCustomer message = BILLING__V1__UPDATE_CUSTOMER__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_UPDATE_CUSTOMER, WRITES);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_customer_name, &message.customer_name, name);
    call.request.update_customer = &message;
    return call_run(&call, ret_reply, ret_error);
}

/* --- usage ------------------------------------------------------------------------------------ */

/* Record MESSAGE, which gets the request id where it has none. */
static int create_usage(struct call *call, Billing__V1__UsageInput *message,
                        billing_object **ret_reply, billing_error **ret_error)
{
    const char *given = message->has_request_id ? (const char *)message->request_id.data : NULL;
    int status = prepare_request_id(call, given, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message->has_request_id, &message->request_id, call->request_id);
    call->request.create_usage = message;
    return call_run(call, ret_reply, ret_error);
}

int billing_usage_create(billing_client *client, const billing_usage_input *input,
                         billing_object **ret_reply, billing_error **ret_error)
{
    struct call call;
    if (input == NULL) {
        return call_fail(FAULT_ARGUMENT, "no usage input", ret_reply, ret_error);
    }
    if (input->failed) {
        return call_fail(FAULT_NO_MEMORY, "for the usage input", ret_reply, ret_error);
    }
    Billing__V1__UsageInput message = input->message; /* refers to the input's texts */
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_USAGE, WRITES);
    return create_usage(&call, &message, ret_reply, ret_error);
}

int billing_usage_record(billing_client *client, const char *customer_id, const char *service,
                         const char *units_consumed, const char *price_per_unit,
                         billing_error **ret_error)
{
    Billing__V1__UsageInput message = BILLING__V1__USAGE_INPUT__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_USAGE, WRITES);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_service, &message.service, service);
    message_refer(&message.has_units_consumed, &message.units_consumed, units_consumed);
    message_refer(&message.has_price_per_unit, &message.price_per_unit, price_per_unit);
    return create_usage(&call, &message, NULL, ret_error);
}

int billing_usage_batch_create(billing_client *client, const billing_usage_batch *batch,
                               billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__CreateUsageBatch message = BILLING__V1__CREATE_USAGE_BATCH__INIT;
    struct call call;
    if (batch == NULL) {
        return call_fail(FAULT_ARGUMENT, "no usage batch", ret_reply, ret_error);
    }
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH, WRITES);
    if (batch->has_request_id || batch->lacks_id) {
        int status = prepare_request_id(&call, batch->has_request_id ? batch->request_id : NULL,
                                        ret_reply, ret_error);
        if (status != 0) {
            return status;
        }
    }
    message_refer(&message.has_request_id, &message.request_id, call.request_id);
    message.n_usage = batch->count;
    message.usage = batch->items;
    call.request.create_usage_batch = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_usage_get(billing_client *client, const char *customer_id, const char *usage_id,
                      billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetUsage message = BILLING__V1__GET_USAGE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_USAGE, READS);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_usage_id, &message.usage_id, usage_id);
    call.request.get_usage = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_usage_list(billing_client *client, const char *customer_id, const billing_query *query,
                       billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__ListUsage message = BILLING__V1__LIST_USAGE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_USAGE, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    call.request.list_usage = &message;
    return call_run(&call, ret_reply, ret_error);
}

/* --- requests, the daemon --------------------------------------------------------------------- */

int billing_request_get(billing_client *client, const char *customer_id, const char *request_id,
                        billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__GetRequest message = BILLING__V1__GET_REQUEST__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_REQUEST, READS);
    message_refer(&message.has_customer_id, &message.customer_id, customer_id);
    message_refer(&message.has_request_id, &message.request_id, request_id);
    call.request.get_request = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_server_info(billing_client *client, billing_object **ret_reply,
                        billing_error **ret_error)
{
    Billing__V1__GetServerInfo message = BILLING__V1__GET_SERVER_INFO__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_SERVER_INFO, READS);
    call.request.get_server_info = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_server_health(billing_client *client, billing_object **ret_reply,
                          billing_error **ret_error)
{
    Billing__V1__CheckHealth message = BILLING__V1__CHECK_HEALTH__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CHECK_HEALTH, READS);
    call.request.check_health = &message;
    return call_run(&call, ret_reply, ret_error);
}
