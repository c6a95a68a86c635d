/* Calls out of bytes: a short input becomes a sequence of requests that mostly make sense, over few
 * customers, services, request ids and times, so that they meet.  Each field of a message is a
 * choice of what its name and kind may hold; or bytes of the input as they are. */
#pragma once

#include "billing.pb-c.h"
#include "billingd/base/arena.h"
#include "tests/fuzz/fuzz.h"

#define SCRIPT_START_US INT64_C(1795345298000000) /* 2026-11-22T11:01:38Z */

struct script {
    struct fuzz_input input;
    struct arena arena; /* of the messages of the last call */
    int64_t now_us;     /* the time that calls speak of */
    char cursor[1024];  /* of the last page that had another behind it, in text */
    size_t cursor_bytes;
    bool tokens;    /* calls bring some; its user says so */
    char token[96]; /* of the last key that was made */
    size_t token_bytes;
};

/* *SCRIPT reads DATA, which outlives it.  To be given to script_done(). */
void script_init(struct script *script, const uint8_t *data, size_t size);
void script_done(struct script *script);

/* The next call, packed, valid until the one after; false at the end.  Moves now_us on. */
bool script_next(struct script *script, struct slice *ret_packed);

/* Keep the cursor that RESPONSE has, or the token, for a later call. */
void script_note(struct script *script, const Billing__V1__Response *response);
