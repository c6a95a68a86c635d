#include "billingd/net/io_buffer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

enum {
    CAPACITY_MIN = 512, /* most heads fit */
};

/* What is taken makes room for what comes. */
static void compact(struct io_buffer *buffer)
{
    buffer->length -= buffer->at;
    memmove(buffer->data, buffer->data + buffer->at, buffer->length);
    buffer->at = 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

char *io_buffer_room(struct io_buffer *buffer, size_t length)
{
    if (length > buffer->capacity - buffer->length && buffer->at > 0) {
        compact(buffer);
    }
    if (length > buffer->capacity - buffer->length) {
        size_t capacity =
            larger(larger(2 * buffer->capacity, buffer->length + length), CAPACITY_MIN);
        char *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

int io_buffer_append(struct io_buffer *buffer, struct slice bytes)
{
    if (bytes.length == 0) {
        return 0;
    }
    char *room = io_buffer_room(buffer, bytes.length);
    if (room == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(room, bytes.data, bytes.length);
    io_buffer_added(buffer, bytes.length);
    return 0;
}

struct slice io_buffer_rest(const struct io_buffer *buffer)
{
    size_t length = io_buffer_left(buffer);
    return (struct slice){.data = length == 0 ? NULL : buffer->data + buffer->at, .length = length};
}

void io_buffer_take(struct io_buffer *buffer, size_t length)
{
    REQUIRE(length <= io_buffer_left(buffer));
    buffer->at += length;
    if (buffer->at == buffer->length) {
        io_buffer_free(buffer);
    }
}

void io_buffer_reset(struct io_buffer *buffer, size_t keep_bytes)
{
    buffer->at = 0;
    buffer->length = 0;
    if (buffer->capacity > keep_bytes) {
        io_buffer_free(buffer);
    }
}

void io_buffer_free(struct io_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct io_buffer){0};
}
