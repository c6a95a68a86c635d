/* Calls: a request that is tried until it is settled, or until its time is over.  Any thread. */
#pragma once

#include "billing.pb-c.h"
#include "libbilling/src/client.h"

struct call {
    billing_client *client;
    Billing__V1__Request request;
    const char *request_id; /* that every try carries, for the error; NULL: it has none */
    bool writes;            /* its outcome can be unknown */
    bool changes_answers;   /* has no request id, and is refused where it was carried out before */
    char made_id[BILLING_REQUEST_ID_BYTES_MAX + 1]; /* call_make_request_id() */
};

/* A call through CLIENT of the kind CALL_CASE, whose message the caller then sets in request. */
void call_init(struct call *call, billing_client *client, Billing__V1__Request__CallCase call_case,
               bool writes);

/* Try CALL until it is settled; as the calls of billing.h. */
MUSTCHECK int call_run(struct call *call, billing_object **ret_reply, billing_error **ret_error);

/* The end of a call that was not tried, because of FAULT, for REASON.  Returns its result. */
MUSTCHECK int call_fail(enum fault fault, const char *reason, billing_object **ret_reply,
                        billing_error **ret_error);

/* Make a request id into made_id, and have request_id point there.  On failure the call is at its
 * end, as after call_run().  Returns 0, or the result of the call. */
MUSTCHECK int call_make_request_id(struct call *call, billing_object **ret_reply,
                                   billing_error **ret_error);
