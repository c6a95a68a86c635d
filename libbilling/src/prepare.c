#include "libbilling/src/prepare.h"

#include <stdio.h>

#include "libbilling/src/query.h"

int prepare_request_id(struct call *call, const char *given, billing_object **ret_reply,
                       billing_error **ret_error)
{
    call->request_id = given;
    return given != NULL ? 0 : call_make_request_id(call, ret_reply, ret_error);
}

int prepare_query(const billing_query *query, ProtobufCMessage *message, billing_object **ret_reply,
                  billing_error **ret_error)
{
    char reason[64];
    if (query == NULL) {
        return 0;
    }
    if (query->failed) {
        return call_fail(FAULT_NO_MEMORY, "for the query", ret_reply, ret_error);
    }
    const char *refused = query_fill(query, message);
    if (refused == NULL) {
        return 0;
    }
    (void)snprintf(reason, sizeof reason, "%s takes no %s", message->descriptor->short_name,
                   refused);
    return call_fail(FAULT_ARGUMENT, reason, ret_reply, ret_error);
}
