/* Replies: one answer of the daemon, decoded as a whole and checked, then never changed.
 *
 * All that reading could need is made here: every message has its object, every member that is no
 * message its text.  So reading (object.c) allocates nothing, cannot fail, and any number of
 * threads may do it.  A reply is bytes from a peer that may be broken or hostile: what is not as
 * billing.proto says is refused here and nowhere later. */
#pragma once

#include <billing/billing.h>

#include "billing.pb-c.h"
#include "libbilling/src/arena.h"
#include "proto/status.h"

/* One member of an object. */
struct member {
    const char *text;                   /* NULL: not set, or an object or a list */
    const struct billing_object *items; /* an object within, or the items of a list of them */
    const char *const *texts;           /* the items of a list of texts */
    size_t count;                       /* of items, or of texts */
};

struct billing_object {
    const struct reply *reply;       /* that it is a part of */
    const ProtobufCMessage *message; /* in the reply's arena */
    struct member *members;          /* one a field of the message's descriptor */
};

struct reply {
    struct billing_object body; /* what the caller has: it goes back to the reply by body.reply */
    struct arena arena;
    const Billing__V1__Response *response;
};

/* Decode the BYTES at PAYLOAD, of which no reference is kept.  On 0 the caller owns *RET and frees
 * it with billing_object_free(&(*ret)->body).
 * Returns 0, STATUS_NO_MEMORY, or STATUS_MALFORMED_FRAME if that is no reply. */
MUSTCHECK int reply_decode(const uint8_t *payload, size_t bytes, struct reply **ret);
