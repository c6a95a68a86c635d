/* One try of a call: one request out, one answer in.  Any thread. */
#pragma once

#include <stdbool.h>

#include "billing.pb-c.h"
#include "libbilling/src/client.h"
#include "libbilling/src/failure.h"

/* What became of a try. */
struct exchange {
    billing_object *reply; /* owned by who asked; NULL: no answer, and failure says why */
    bool is_problem;       /* the reply is a Problem */
    bool any_sent;         /* some byte of the request may have reached the daemon */
    bool was_kept;         /* it went over a connection that had lain idle */
    bool is_token_old;     /* refused for a token that may be another one by now */
    struct failure failure;
};

/* Send REQUEST and wait for its answer, until DEADLINE_US.  Sets the request's call_id and
 * timeout_ms; the token it has only meanwhile. */
void exchange_run(billing_client *client, Billing__V1__Request *request, int64_t deadline_us,
                  struct exchange *ret);
