/* The way to the desk: who asks, whether that one may, and not too often.  Loop thread only. */
#pragma once

#include "billingd/rpc/dispatch.h"

/* Settle who asks REQUEST, once: the API key whose TOKEN it is; where TOKEN's data is NULL, whoever
 * the door took it for.  A token that does not count makes it nobody.  Opens REQUEST's account. */
void gate_identify(struct request *request, struct slice token);

/* Who asks REQUEST was settled a while ago: a key that counts no more makes it nobody; where it
 * brought none, it is whom the door takes its caller for now. */
void gate_confirm(struct request *request, const struct identity *caller);

/* Whether who asks REQUEST may call METHOD; of NULL, may have what a door serves by itself, which
 * is for readers.  Returns 0, STATUS_UNAUTHENTICATED or STATUS_FORBIDDEN. */
MUSTCHECK int gate_authorize(const struct request *request, const struct method *method);

/* Answer REQUEST, to which gate_authorize() has said STATUS: what METHOD takes, and what its caller
 * has. */
void gate_refuse(struct request *request, const struct method *method, int status);

/* Whether who asks REQUEST, of request->method, has asked too often.  Then it is answered.  Health
 * may always be asked for; an item of a batch counts as a request, and one whose message is still
 * to come does not count yet. */
bool gate_is_too_often(struct request *request);
