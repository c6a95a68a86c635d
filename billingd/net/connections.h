/* All connections of a door: how they are let in, looked after and closed, whatever they speak.
 * Loop thread only. */
#pragma once

#include "billingd/net/admission.h"
#include "billingd/net/connection.h"

struct connections_options {
    const struct peer_rules *peers; /* on Unix sockets; by reference; NULL: none */
    size_t asker_connections_max;   /* of one identity, through all doors; 0: no bound */
    int64_t write_timeout_ms;       /* for a client to take its answers; 0: none */
};

struct connections {
    uv_loop_t *loop;
    struct dispatch *dispatch;
    const struct connection_protocol *protocol;
    struct connections_options options;
    struct connection *first;     /* all that are not cut, newest first */
    size_t n;                     /* of them */
    size_t n_refused;             /* of them, told that there are too many */
    struct connection *unflushed; /* with answers that connections_flush() writes */
    struct turn_queue waiting;    /* with requests that were not this turn's */
    uv_timer_t sweep;             /* looks at deadlines */
    bool draining;
};

/* Ready ALL on LOOP, which speak PROTOCOL, kept by reference.  OPTIONS are copied. */
void connections_init(struct connections *all, uv_loop_t *loop, struct dispatch *dispatch,
                      const struct connection_protocol *protocol,
                      const struct connections_options *options);

/* Accept the connection that waits at SERVER, a pipe or a TCP handle. */
void connections_accept(struct connections *all, uv_stream_t *server, struct admission admission);

/* Whoever is connected may from now on what options.peers and the entrances now say. */
void connections_apply_rules(struct connections *all);

/* Something has changed on C. */
static inline void connection_advance(struct connection *c)
{
    c->all->protocol->advance(c);
}

/* C has answers for the next connections_flush(). */
static inline void connections_want_flush(struct connection *c)
{
    if (!c->is_unflushed && !c->closing) {
        c->is_unflushed = true;
        c->previous_unflushed = NULL;
        c->next_unflushed = c->all->unflushed;
        if (c->next_unflushed != NULL) {
            c->next_unflushed->previous_unflushed = c;
        }
        c->all->unflushed = c;
    }
}

/* Write the answers that there are, one write a connection; it may submit requests that waited for
 * that. */
void connections_flush(struct connections *all);

/* A new turn of the loop has begun: go on with those that wait for it.  Once a turn. */
void connections_turn(struct connections *all);

/* Take no new requests: what is in flight is answered, what has arrived whole is refused by name,
 * then each connection closes.  Behind dispatch_drain(). */
void connections_drain(struct connections *all);

/* Cut what is still connected, and close ALL's own handles; all are closed when the loop has run
 * out.  ALL must outlive the requests that are in flight. */
void connections_close(struct connections *all);

/* C, which is being cut, is none of them any more. */
void connections_leave(struct connection *c);
