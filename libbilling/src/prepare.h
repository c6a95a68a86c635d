/* What calls have in common before they are tried.  Any thread.
 *
 * Where these fail the call is at its end, as after call_run(): they return its result. */
#pragma once

#include <billing/billing.h>

#include "libbilling/src/call.h"

/* For call_init(): whether the outcome of a call can be unknown. */
enum {
    READS = false,
    WRITES = true,
};

/* Have CALL carry the request id GIVEN, which must outlive it, or one that is made where it is
 * NULL.  Returns 0 or the result of the call. */
MUSTCHECK int prepare_request_id(struct call *call, const char *given, billing_object **ret_reply,
                                 billing_error **ret_error);

/* Set the fields of QUERY, NULL for none, in MESSAGE, which refers to it from then on.  Returns 0
 * or the result of the call: a query that is not whole, or a field that the call does not take. */
MUSTCHECK int prepare_query(const billing_query *query, ProtobufCMessage *message,
                            billing_object **ret_reply, billing_error **ret_error);
