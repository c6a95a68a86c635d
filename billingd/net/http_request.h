/* An HTTP request into a request of the protocol: the path, the query, the body and the headers
 * become the fields of a call's message, by their names.  Any thread, while it has the request. */
#pragma once

#include "billingd/net/http_parser.h"
#include "billingd/net/http_routes.h"
#include "billingd/rpc/request.h"

/* How large the arena of a request with a body of BODY_BYTES may get.  Enough for whatever
 * json_lint() lets pass, so what uses it up is hostile. */
size_t http_request_arena_bytes(size_t body_bytes);

/* Fill REQUEST->message from MESSAGE, which MATCH leads to.  MESSAGE is not referred to afterwards.
 *
 * Returns 0, with single fields that are wrong in REQUEST->errors; or, with *RETERR in words in the
 * arena, the refusal of it all: STATUS_MALFORMED_HTTP, _MALFORMED_JSON, _INVALID_QUERY,
 * _WRONG_TYPE, _UNSUPPORTED_MEDIA_TYPE, _TOO_LARGE, _NO_MEMORY, or what the route has for paths
 * that cannot name anything. */
MUSTCHECK int http_request_fill(struct request *request, const struct http_match *match,
                                const struct http_message *message, struct slice *reterr);
