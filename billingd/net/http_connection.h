/* The HTTP door: connections that carry HTTP/1.1.  Loop thread only.
 *
 * Each connection has at most one request in flight: HTTP wants answers in the order of the
 * requests, so what a client pipelines waits, unparsed, in `input`.
 *
 * Happy path: read; parse the head; route, and settle who asks and whether that may be had; take
 * the body, which a reader reads where it is long; submit; the answer is put behind `out`; what
 * else has arrived is parsed; one write takes all of `out`.  One asker has so many requests a turn
 * of the loop, through whatever connections; the others wait for the next. What may go wrong, and
 * what is done:
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

#include "billingd/net/http_door.h"
#include "billingd/net/http_exchange.h"

struct http_connection {
    struct connection base;
    struct http_parser parser;
    struct io_buffer input;        /* arrived, not yet parsed */
    struct http_exchange exchange; /* of the request that is arriving, or in flight */
    bool continued;                /* 100 (Continue) was sent for the request that is arriving */
    bool passing_by;               /* what is arriving is the rest of a request that is answered */
    bool lent;                     /* what the parser holds is with a worker, who reads it */
    bool advancing;        /* advance() is at work: an answer that comes now needs no other one */
    enum http_stage stage; /* of the request that is arriving, */
    int64_t stage_us;      /* and since when; monotonic */
};

/* Of connections of a struct http_door. */
extern const struct connection_protocol http_protocol;

static inline struct http_connection *http_of(struct connection *c)
{
    return (struct http_connection *)c; /* which it begins with */
}

static inline struct http_door *http_door_of(const struct http_connection *c)
{
    return (struct http_door *)c->base.all; /* likewise */
}
