/* The lint of a raw chunked body: its framing and nothing else, in the one way that every
 * implementation reads alike.
 *
 *     *( 1*16HEXDIG CRLF data CRLF ) "0" CRLF CRLF
 *
 * No chunk extensions and no trailers: nobody needs them here, and each is a place where two
 * parsers may see different ends.  Pure; one thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

enum http_chunks_state {
    HTTP_CHUNKS_SIZE,
    HTTP_CHUNKS_SIZE_LF,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_CR,
    HTTP_CHUNKS_DATA_LF,
    HTTP_CHUNKS_END_CR,
    HTTP_CHUNKS_END_LF,
};

/* Starts as {0}. */
struct http_chunks {
    enum http_chunks_state state;
    unsigned digits; /* of the size so far */
    uint64_t left;   /* bytes of the chunk still to come; while in SIZE: the size so far */
    uint64_t bytes;  /* of the body, with the current chunk's as announced */
};

/* Look at up to LENGTH bytes at DATA, the next ones.  How many belong to the body is in *RET_USED.
 *
 * Returns 0 when the body is whole, STATUS_NEED_MORE when all bytes were good, or the refusal with
 * *RETERR a static text: STATUS_MALFORMED_HTTP, or STATUS_TOO_LARGE as soon as a chunk is announced
 * with which the body would exceed BODY_BYTES_MAX. */
MUSTCHECK int http_chunks_check(struct http_chunks *chunks, size_t body_bytes_max, const char *data,
                                size_t length, size_t *ret_used, const char **reterr);
