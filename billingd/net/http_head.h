/* The lint of a raw request head: decides, byte by byte, whether it is written in the one way that
 * every HTTP implementation reads alike.  The parser behind it never sees anything else.
 *
 * A proxy and a server that disagree about where a request ends can be made to mistake one
 * client's bytes for another's.  So whatever RFC 9112 lets a recipient tolerate is refused here:
 * bare LF, folded lines, blanks before a colon, runs of blanks, control bytes, other versions.
 *
 * What it takes, after at most two empty lines:
 *     token SP ( "/" or "*" )visible SP "HTTP/1.0" or "HTTP/1.1" CRLF *( token ":" text CRLF ) CRLF
 *
 * Pure; one thread at a time. */
#pragma once

#include <stddef.h>

#include "proto/status.h"

struct http_limits {
    size_t head_bytes_max;
    size_t target_bytes_max;
    unsigned headers_max;
    size_t body_bytes_max;
};

enum http_head_state {
    HTTP_HEAD_BLANK, /* before the request line: empty lines are passed over */
    HTTP_HEAD_BLANK_LF,
    HTTP_HEAD_METHOD,
    HTTP_HEAD_TARGET,
    HTTP_HEAD_VERSION,
    HTTP_HEAD_LINE_LF,
    HTTP_HEAD_LINE_START,
    HTTP_HEAD_NAME,
    HTTP_HEAD_VALUE,
    HTTP_HEAD_END_LF,
};

/* Starts as {0}. */
struct http_head {
    enum http_head_state state;
    size_t bytes; /* of the head, blank lines before it not counted */
    size_t part;  /* bytes of the current part of the request line, or of the blank lines */
    unsigned headers;
};

/* Look at up to LENGTH bytes at DATA, the next ones.  How many belong to the head is in *RET_USED,
 * also on refusal: up to the byte that is wrong.
 *
 * Returns 0 when the head is whole, STATUS_NEED_MORE when all bytes were good, or the refusal with
 * *RETERR a static text: STATUS_MALFORMED_HTTP, _URI_TOO_LONG, _HEAD_TOO_LARGE, _NOT_IMPLEMENTED,
 * _HTTP_VERSION. */
MUSTCHECK int http_head_check(struct http_head *head, const struct http_limits *limits,
                              const char *data, size_t length, size_t *ret_used,
                              const char **reterr);
