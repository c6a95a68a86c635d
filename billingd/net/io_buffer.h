/* Bytes on the heap that grow at their end and are taken from their front.  Pure; one thread at a
 * time. */
#pragma once

#include <stddef.h>

#include "billingd/base/slice.h"
#include "proto/status.h"

/* Starts as {0}. */
struct io_buffer {
    char *data;      /* owned */
    size_t at;       /* before it, everything is taken */
    size_t length;   /* up to it, everything is written */
    size_t capacity; /* of data */
};

/* Room for LENGTH bytes behind what is written; what is put there is added with io_buffer_added().
 * Returns NULL when out of memory. */
char *io_buffer_room(struct io_buffer *buffer, size_t length);

/* LENGTH bytes of the room are written. */
static inline void io_buffer_added(struct io_buffer *buffer, size_t length)
{
    buffer->length += length;
}

/* Append BYTES.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int io_buffer_append(struct io_buffer *buffer, struct slice bytes);

/* How much is written and not yet taken. */
static inline size_t io_buffer_left(const struct io_buffer *buffer)
{
    return buffer->length - buffer->at;
}

/* What that is; valid until the next change. */
struct slice io_buffer_rest(const struct io_buffer *buffer);

/* Take LENGTH bytes of the rest; a buffer that has none left gives its memory back. */
void io_buffer_take(struct io_buffer *buffer, size_t length);

/* Drop all that is written, and give the memory back where it is more than KEEP_BYTES. */
void io_buffer_reset(struct io_buffer *buffer, size_t keep_bytes);

/* Give all memory back. */
void io_buffer_free(struct io_buffer *buffer);
