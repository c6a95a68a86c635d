#include "billingd/net/http_buffer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

enum {
    CAPACITY_MIN = 512, /* most heads fit */
};

/* What is taken makes room for what comes. */
static void compact(struct http_buffer *buffer)
{
    buffer->length -= buffer->at;
    memmove(buffer->data, buffer->data + buffer->at, buffer->length);
    buffer->at = 0;
}

int http_buffer_append(struct http_buffer *buffer, struct slice bytes)
{
    if (bytes.length > buffer->capacity - buffer->length && buffer->at > 0) {
        compact(buffer);
    }
    if (bytes.length > buffer->capacity - buffer->length) {
        size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
        while (capacity - buffer->length < bytes.length) {
            capacity *= 2;
        }
        char *data = realloc(buffer->data, capacity);
        if (data == NULL) {
            return STATUS_NO_MEMORY;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    if (bytes.length > 0) {
        memcpy(buffer->data + buffer->length, bytes.data, bytes.length);
        buffer->length += bytes.length;
    }
    return 0;
}

struct slice http_buffer_rest(const struct http_buffer *buffer)
{
    size_t length = buffer->length - buffer->at;
    return (struct slice){.data = length == 0 ? NULL : buffer->data + buffer->at, .length = length};
}

void http_buffer_take(struct http_buffer *buffer, size_t length)
{
    REQUIRE(length <= buffer->length - buffer->at);
    buffer->at += length;
    if (buffer->at == buffer->length) {
        http_buffer_free(buffer);
    }
}

void http_buffer_free(struct http_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct http_buffer){0};
}
