#include "billingd/net/http_door.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/net/http_connection.h"

static size_t or_default(size_t value, size_t fallback)
{
    return value == 0 ? fallback : value;
}

void http_door_adjust(struct http_door *door, const struct http_options *options)
{
    door->options = *options;
    door->connections.options = options->common;
    door->limits = (struct http_limits){
        .head_bytes_max = or_default(options->head_bytes_max, HTTP_HEAD_BYTES_DEFAULT),
        .target_bytes_max = or_default(options->target_bytes_max, HTTP_TARGET_BYTES_DEFAULT),
        .headers_max = (unsigned)or_default(options->headers_max, HTTP_HEADERS_DEFAULT),
        .body_bytes_max = or_default(options->body_bytes_max, HTTP_BODY_BYTES_DEFAULT),
    };
}

void http_door_init(struct http_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                    const struct http_options *options)
{
    *door = (struct http_door){.read_buffer = malloc(CONNECTION_READ_BYTES)};
    INVARIANT(door->read_buffer != NULL);
    connections_init(&door->connections, loop, dispatch, &http_protocol, &options->common);
    http_door_adjust(door, options);
}

void http_door_close(struct http_door *door)
{
    connections_close(&door->connections);
    free(door->read_buffer);
    door->read_buffer = NULL;
}
