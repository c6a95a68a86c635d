/* The proper answers of a fake daemon: fixed ones, but for what the request says.  Any thread. */
#pragma once

#include "billing.pb-c.h"
#include "tests/unit/fake_daemon.h"

/* Send RESPONSE's payload somewhere. */
typedef void (*fake_send_fn)(const Billing__V1__Response *response, void *arg);

/* Hand the proper answer to REQUEST to SEND.  A customer called "refused" is refused, with two
 * wrong fields. */
void fake_answer(const Billing__V1__Request *request, bool replayed, fake_send_fn send, void *arg);

/* Hand the problem of STEP to SEND, as an answer to REQUEST, or to nothing where that is NULL. */
void fake_problem(const Billing__V1__Request *request, const struct fake_step *step,
                  fake_send_fn send, void *arg);

/* The request id of REQUEST, or an empty one. */
ProtobufCBinaryData fake_request_id(const Billing__V1__Request *request);
