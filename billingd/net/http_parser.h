/* Requests out of the bytes of a connection, however they are cut.
 *
 * The head is gathered while the lint (http_head.h) looks at each byte; whole, it goes through
 * llhttp, and what llhttp saw is checked again for what a server must not leave to chance: one
 * Host, one length, one encoding.  The body goes through the lint of its framing and llhttp
 * together, and both must see the same end.  Whatever is refused ends the connection, since
 * nobody knows where the next request would begin.
 *
 * Pure but for the heap; the connection's thread. */
#pragma once

#include <stdbool.h>

#include <llhttp.h>

#include "billingd/net/http_accept.h"
#include "billingd/net/http_chunks.h"
#include "billingd/net/http_head.h"
#include "billingd/net/io_buffer.h"

/* The headers that mean something here.  Each may be there once, but the last: it is a list, and
 * proxies add to it. */
enum http_header {
    HTTP_HOST,
    HTTP_CONTENT_LENGTH,
    HTTP_TRANSFER_ENCODING,
    HTTP_CONTENT_TYPE,
    HTTP_CONTENT_ENCODING,
    HTTP_EXPECT,
    HTTP_IDEMPOTENCY_KEY,
    HTTP_X_REQUEST_ID,
    HTTP_AUTHORIZATION,
    HTTP_ORIGIN,
    HTTP_CORS_METHOD,
    HTTP_TRACEPARENT, /* one that is there twice counts for none */
    HTTP_ACCEPT,
    HTTP__HEADERS,
};

struct http_message {
    struct slice method;                 /* as sent, "POST" */
    struct slice path;                   /* raw, from its "/", or "*" */
    struct slice query;                  /* raw, behind the "?" */
    struct slice headers[HTTP__HEADERS]; /* without blanks around; data NULL: not sent,
                                            or Accept */
    struct http_accept accept;           /* what all Accept headers say */
    bool is_1_0;
    bool keep_alive;       /* what the client wants */
    bool expects_continue; /* and sends no body before 100 (Continue) */
    struct slice body;
};

enum http_stage {
    HTTP_STAGE_IDLE, /* between requests */
    HTTP_STAGE_HEAD,
    HTTP_STAGE_BODY,
    HTTP_STAGE_WHOLE,
    HTTP_STAGE_REFUSED,
};

struct http_parser {
    const struct http_limits *limits;
    enum http_stage stage;
    struct http_head head;
    struct http_chunks chunks;
    llhttp_t llhttp;
    struct io_buffer head_text; /* what the message points into */
    struct io_buffer body;
    uint64_t length;  /* of the body, by Content-Length */
    uint64_t arrived; /* of the body so far */
    bool chunked;
    bool skips_body;         /* it is not kept */
    bool headers_complete;   /* as llhttp sees it */
    bool message_complete;   /* likewise */
    enum http_header header; /* the one whose value comes; HTTP__HEADERS: one of no meaning */
    const char *reason;      /* of the refusal, static */
    int refusal;             /* found within a callback of llhttp */
    struct http_message message;
};

/* Ready PARSER.  LIMITS are kept by reference. */
void http_parser_init(struct http_parser *parser, const struct http_limits *limits);

/* Take up to LENGTH bytes at DATA, the next ones.  How many were taken is in *RET_USED.
 *
 * Returns 0 when a request is whole: parser->message is valid until http_parser_reset(), which is
 * due before more is fed; STATUS_NEED_MORE when all bytes were taken, and at the end of a head with
 * a body behind it, where the message is valid but for its body, and none of that was taken; or the
 * refusal, its reason in parser->reason, after which nothing more may be fed:
 * STATUS_MALFORMED_HTTP, _TOO_LARGE, _URI_TOO_LONG, _HEAD_TOO_LARGE, _EXPECTATION_FAILED,
 * _NOT_IMPLEMENTED, _HTTP_VERSION, _NO_MEMORY. */
MUSTCHECK int http_parser_feed(struct http_parser *parser, const char *data, size_t length,
                               size_t *ret_used);

/* Whether the client waits for 100 (Continue) before it sends its body. */
bool http_parser_awaits_continue(const struct http_parser *parser);

/* Keep nothing of the body that is still to come: its framing is looked at as ever, but where the
 * request is whole it has none. */
void http_parser_skip_body(struct http_parser *parser);

/* Free what the request took, and be ready for the next. */
void http_parser_reset(struct http_parser *parser);
