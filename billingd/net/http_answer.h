/* The response to a request as bytes of HTTP/1.1.  Loop thread. */
#pragma once

#include "billingd/net/http_routes.h"
#include "billingd/net/io_buffer.h"
#include "billingd/rpc/request.h"

/* What an answer must know of its request.  Slices are the request's. */
struct http_answer {
    const struct http_route *route; /* NULL: refused before there was one */
    struct slice request_id;        /* X-Request-Id as sent; echoed, if it can do no harm */
    bool wants_csv;                 /* rather than JSON, where the route has both */
    struct slice query;             /* as sent: the next page is linked by it */
    bool head_only;                 /* HEAD: no body, but as if */
    bool is_1_0;
    bool keep_alive; /* the connection stays open behind it */
    bool has_token;  /* it brought one; refused as unauthenticated, then that is what is wrong */
    struct slice origin; /* of the page that asks; empty: of none, or of one that may not */
    bool varies;         /* other origins might be answered otherwise */
    bool preflight;      /* OPTIONS: a browser asks what that page may send */
    char allow[HTTP_ALLOW_BYTES];
};

/* Append the answer to REQUEST, whose response is complete, to OUT.  It notes in REQUEST, as all of
 * these do, with which status and id.
 * Returns 0 or STATUS_NO_MEMORY, and then OUT is not to be sent. */
MUSTCHECK int http_answer_write(const struct http_answer *answer, struct request *request,
                                struct io_buffer *out);

/* Append openapi.json as the answer to REQUEST to OUT. */
MUSTCHECK int http_answer_write_openapi(const struct http_answer *answer, struct request *request,
                                        struct io_buffer *out);

/* Append TEXT, the metrics. */
MUSTCHECK int http_answer_write_metrics(const struct http_answer *answer, struct request *request,
                                        struct slice text, struct io_buffer *out);

/* Append the answer to OPTIONS, which has no response: the methods in answer->allow. */
MUSTCHECK int http_answer_write_options(const struct http_answer *answer, struct request *request,
                                        struct io_buffer *out);
