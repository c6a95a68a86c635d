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

/* Whether who asks REQUEST has asked too often; then it is answered, else it counts: once a
 * request, before it is answered with whatever it may be.  An item of a batch counts like a
 * request, and without a method it is one too.  Health may always be asked for. */
bool gate_is_too_often(struct request *request);

/* The same of a REQUEST whose message is still to come: it does not count yet. */
bool gate_is_too_early(struct request *request);
