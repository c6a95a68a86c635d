/* Bytes on the heap that grow at their end and are taken from their front.  Pure; one thread at a
 * time. */
#pragma once

#include <stddef.h>

#include "billingd/base/slice.h"
#include "proto/status.h"

struct http_buffer {
    char *data;      /* owned */
    size_t at;       /* before it, everything is taken */
    size_t length;   /* up to it, everything is written */
    size_t capacity; /* of data */
};

/* Append BYTES.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int http_buffer_append(struct http_buffer *buffer, struct slice bytes);

/* What is written and not yet taken; valid until the next change. */
struct slice http_buffer_rest(const struct http_buffer *buffer);

/* Take LENGTH bytes of the rest; a buffer that has none left gives its memory back. */
void http_buffer_take(struct http_buffer *buffer, size_t length);

/* Give all memory back. */
void http_buffer_free(struct http_buffer *buffer);
