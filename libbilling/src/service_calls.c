/* The public calls about the catalogue. */
#include "billing.pb-c.h"
#include "libbilling/src/call.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"

int billing_service_put(billing_client *client, const char *name, const char *unit,
                        billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__PutService message = BILLING__V1__PUT_SERVICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_PUT_SERVICE, WRITES);
    message_refer(&message.has_name, &message.name, name);
    message_refer(&message.has_unit, &message.unit, unit);
    call.request.put_service = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_service_get(billing_client *client, const char *name, billing_object **ret_reply,
                        billing_error **ret_error)
{
    Billing__V1__GetService message = BILLING__V1__GET_SERVICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_GET_SERVICE, READS);
    message_refer(&message.has_name, &message.name, name);
    call.request.get_service = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_service_delete(billing_client *client, const char *name, billing_object **ret_reply,
                           billing_error **ret_error)
{
    Billing__V1__DeleteService message = BILLING__V1__DELETE_SERVICE__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_DELETE_SERVICE, WRITES);
    message_refer(&message.has_name, &message.name, name);
    call.request.delete_service = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_service_list(billing_client *client, const billing_query *query,
                         billing_object **ret_reply, billing_error **ret_error)
{
    Billing__V1__ListServices message = BILLING__V1__LIST_SERVICES__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_SERVICES, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    call.request.list_services = &message;
    return call_run(&call, ret_reply, ret_error);
}
