/* The public calls about API keys. */
#include <billing/admin.h>

#include "billing.pb-c.h"
#include "libbilling/src/call.h"
#include "libbilling/src/key_input.h"
#include "libbilling/src/message.h"
#include "libbilling/src/prepare.h"

int billing_key_create(billing_client *client, const billing_key_input *input,
                       billing_object **ret_reply, billing_error **ret_error)
{
    struct call call;
    if (input == NULL) {
        return call_fail(FAULT_ARGUMENT, "no key input", ret_reply, ret_error);
    }
    if (input->failed) {
        return call_fail(FAULT_NO_MEMORY, "for the key input", ret_reply, ret_error);
    }
    Billing__V1__CreateKey message = input->message; /* refers to the input's texts */
    call_init(&call, client, BILLING__V1__REQUEST__CALL_CREATE_KEY, WRITES);
    call.changes_answers = true; /* the name is taken then */
    call.request.create_key = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_key_list(billing_client *client, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    Billing__V1__ListKeys message = BILLING__V1__LIST_KEYS__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_LIST_KEYS, READS);
    int status = prepare_query(query, &message.base, ret_reply, ret_error);
    if (status != 0) {
        return status;
    }
    call.request.list_keys = &message;
    return call_run(&call, ret_reply, ret_error);
}

int billing_key_revoke(billing_client *client, const char *key, billing_object **ret_reply,
                       billing_error **ret_error)
{
    Billing__V1__RevokeKey message = BILLING__V1__REVOKE_KEY__INIT;
    struct call call;
    call_init(&call, client, BILLING__V1__REQUEST__CALL_REVOKE_KEY, WRITES);
    call.changes_answers = true; /* there is no key of that name then */
    message_refer(&message.has_key_id, &message.key_id, key);
    call.request.revoke_key = &message;
    return call_run(&call, ret_reply, ret_error);
}
