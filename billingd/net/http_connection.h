/* The HTTP door: connections that carry HTTP/1.1.  Loop thread only.
 *
 * Each connection has at most one request in flight: HTTP wants answers in the order of the
 * requests, so what a client pipelines waits, unparsed, in `input`.
 *
 * Happy path: read; parse the head; route, and settle who asks and whether that may be had; take
 * the body; submit; the answer is put behind `out`; what else has arrived is parsed; one write
 * takes all of `out`.  One asker has so many requests a turn of the loop, through whatever
 * connections; the others wait for the next.
 * What may go wrong, and what is done:
 *   - bytes that are no acceptable request, or one that is too large or too slow: one answer that
 *     says so, our side is shut down, and what the client still sends is dropped for a while, so
 *     that it reads the answer instead of a reset;
 *   - a page of another site that makes a browser ask, or somebody who may not: refused before any
 *     of the body is taken; a small one is then passed by, behind a large one the connection ends;
 *   - answers that the client does not take: the connection is not read from until that is over;
 *     a client that takes nothing for write_timeout is cut;
 *   - the client sends no more: what it asked is answered, then the connection closes;
 *   - the client is gone while its request is with a worker: it is carried out, the answer dropped,
 *     and the connection freed when it has come back. */
#pragma once

#include <stdint.h>

#include "billingd/net/connections.h"
#include "billingd/net/http_guard.h"
#include "billingd/net/http_page.h"
#include "billingd/net/http_parser.h"
#include "billingd/rpc/dispatch.h"

/* Times of 0: no bound.  Sizes of 0: the default below. */
struct http_options {
    size_t head_bytes_max;
    size_t target_bytes_max;
    unsigned headers_max;
    size_t body_bytes_max;
    int64_t idle_timeout_ms; /* between requests */
    int64_t head_timeout_ms; /* from a head's first byte to its last, and until a key is shown */
    int64_t body_timeout_ms; /* likewise */
    int64_t write_timeout_ms;
    size_t asker_connections_max; /* of one identity, through all doors */
    const uint64_t *turn; /* of the loop, as the RPC door counts it; NULL: turns have no bound */
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
    struct connections connections;
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
