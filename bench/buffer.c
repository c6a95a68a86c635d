#include "bench/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "bench/fail.h"

enum {
    CAPACITY_MIN = 4096,
};

uint8_t *buffer_space(struct buffer *buffer, size_t bytes)
{
    if (buffer->capacity - buffer->end < bytes && buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    if (buffer->capacity - buffer->end < bytes) {
        size_t capacity = buffer->capacity + (buffer->capacity > bytes ? buffer->capacity : bytes);
        capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
        buffer->data = realloc(buffer->data, capacity);
        check(buffer->data != NULL, "memory");
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->end;
}

void buffer_put(struct buffer *buffer, struct slice bytes)
{
    memcpy(buffer_space(buffer, bytes.length), bytes.data, bytes.length);
    buffer->end += bytes.length;
}

void buffer_take(struct buffer *buffer, size_t bytes)
{
    buffer->start += bytes;
    if (buffer->start == buffer->end) {
        buffer->start = buffer->end = 0;
    }
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
