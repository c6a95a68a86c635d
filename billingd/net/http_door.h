/* The HTTP door: what holds for all of its connections.  Loop thread only. */
#pragma once

#include <stdint.h>

#include "billingd/net/connections.h"
#include "billingd/net/http_guard.h"
#include "billingd/net/http_page.h"
#include "billingd/net/http_parser.h"

/* Times of 0: no bound.  Sizes of 0: the default below. */
struct http_options {
    struct connections_options common;
    size_t head_bytes_max;
    size_t target_bytes_max;
    unsigned headers_max;
    size_t body_bytes_max;
    int64_t idle_timeout_ms; /* between requests */
    int64_t head_timeout_ms; /* from a head's first byte to its last, and until a key is shown */
    int64_t body_timeout_ms; /* likewise */
    const uint64_t *turn;    /* of the loop, as the RPC door counts it; NULL: turns have no bound */
    struct http_guard guard;
    struct http_page_source pages;
};

enum {
    HTTP_HEAD_BYTES_DEFAULT = 32 * 1024,
    HTTP_TARGET_BYTES_DEFAULT = 8 * 1024,
    HTTP_HEADERS_DEFAULT = 100,
    HTTP_BODY_BYTES_DEFAULT = 16 * 1024 * 1024,
};

struct http_door {
    struct connections connections; /* first: see http_connection.h */
    struct http_options options;
    struct http_limits limits;
    char *read_buffer; /* owned; each read is used up before the next */
};

/* Ready DOOR on LOOP.  OPTIONS are copied. */
void http_door_init(struct http_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                    const struct http_options *options);

/* Take OPTIONS in place of those that DOOR had, for the connections that there are too. */
void http_door_adjust(struct http_door *door, const struct http_options *options);

/* Cut what is still connected, and close the door's own handles; all are closed when the loop has
 * run out.  DOOR must outlive the requests that are in flight. */
void http_door_close(struct http_door *door);
