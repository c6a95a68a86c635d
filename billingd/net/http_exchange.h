/* A request over HTTP, from the end of its head until it is handed on: what it leads to, and
 * whether whoever asks may have that, before any of its body is taken.  Loop thread. */
#pragma once

#include "billingd/net/caller.h"
#include "billingd/net/http_answer.h"
#include "billingd/net/http_guard.h"
#include "billingd/net/http_parser.h"

/* Starts as {0}. */
struct http_exchange {
    struct request *request; /* owned until it is handed on or answered; NULL: none */
    struct http_match match;
    struct slice reason;       /* in words, why its message cannot be made */
    int found;                 /* as http_route_find() says: 0, or there is no such thing */
    struct http_answer answer; /* what the answer must know; stays until it is written */
};

/* Note in EXCHANGE, whose request was made just now, what its answer must know of MESSAGE, as far
 * as that has arrived. */
void http_exchange_note(struct http_exchange *exchange, const struct http_message *message,
                        const struct http_guard *guard);

/* Find out what MESSAGE, whose head is whole, leads to, and whether it may be had: by any page and
 * under that name (GUARD), by whoever asks, on one more connection of CONNECTIONS_MAX, CALLER's.
 * Whoever may not is not told what there is.
 *
 * Returns 0, or the refusal with words in *RETERR; STATUS_UNAUTHENTICATED and _FORBIDDEN are for
 * gate_refuse(), and STATUS_RATE_LIMITED is for the connection, too. */
MUSTCHECK int http_exchange_check(struct http_exchange *exchange,
                                  const struct http_message *message,
                                  const struct http_guard *guard, struct caller *caller,
                                  size_t connections_max, struct slice *reterr);

/* Whether the body of a request that may be had is of any use, if only to be refused: nobody's is
 * not, nor what leads nowhere. */
bool http_exchange_wants_body(const struct http_exchange *exchange);

/* MESSAGE is whole: find out once more whether it may be had, of a CALLER who may have lost his key
 * meanwhile, and whether it is there.  Where it leads to a call, http_request_fill() is next.
 * Returns as http_exchange_check(). */
MUSTCHECK int http_exchange_confirm(struct http_exchange *exchange,
                                    const struct http_message *message, const struct caller *caller,
                                    struct slice *reterr);

/* Whether it leads to a call, rather than to what the door answers by itself. */
bool http_exchange_is_call(const struct http_exchange *exchange);
