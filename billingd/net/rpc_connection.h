/* The RPC door: connections that carry frames.  Loop thread only.
 *
 * Each connection reads frames, hands every one to dispatch as it is whole (clients pipeline;
 * answers go out in the order in which they are ready), and gathers the answers of a loop turn
 * into one write.
 *
 * Happy path: read; take frames; submit; answers are packed behind each other into `out`; at the
 * end of the turn one write takes them.
 * Beside others, one asker has so many requests a turn of the loop (company_turn()), so that a turn
 * is short and the others are soon heard; its other frames wait for the next turn.
 * What may go wrong, and what is done:
 *   - too much in flight, answers that the client does not take, or a full queue behind: the
 *     connection is not read from until that is over, so the client's own socket fills up;
 *   - a client that takes nothing for write_timeout: the connection is cut;
 *   - bytes that are no frame, or one that is half there for frame_timeout, or while there is no
 *     memory for it: one answer that says so, then no more is taken;
 *   - the client is gone while its requests are with a worker: they are carried out, the answers
 *     dropped, and the connection freed when the last has come back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "billingd/net/admission.h"
#include "billingd/net/peer.h"
#include "billingd/net/turn_queue.h"
#include "billingd/rpc/dispatch.h"

struct rpc_connection;

struct rpc_options {
    size_t frame_bytes_max;
    unsigned pipeline_max; /* requests in flight on one connection */
    int64_t frame_timeout_ms;
    int64_t idle_timeout_ms; /* 0: none */
    int64_t write_timeout_ms;
    int64_t key_timeout_ms;         /* for one that needs a key to show it; 0: none */
    size_t asker_connections_max;   /* of one identity, through all doors; 0: no bound */
    const struct peer_rules *peers; /* on Unix sockets; NULL: none; kept by reference */
};

struct rpc_door {
    uv_loop_t *loop;
    struct dispatch *dispatch;
    struct rpc_options options;
    struct rpc_connection *connections; /* all, newest first */
    unsigned n;                         /* of them */
    unsigned n_refused;                 /* of them, told that there are too many */
    struct rpc_connection *unflushed;   /* with answers that rpc_door_flush() writes */
    struct turn_queue waiting;          /* with frames that were not this turn's */
    uint64_t turn;                      /* of the loop */
    unsigned turn_requests;             /* of one asker in a turn; 0: any number */
    uv_timer_t sweep;                   /* looks at deadlines */
    bool draining;
};

/* Ready DOOR on LOOP.  OPTIONS are copied. */
void rpc_door_init(struct rpc_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                   const struct rpc_options *options);

/* Take OPTIONS in place of those that DOOR had, for the connections that there are too, but
 * frame_bytes_max only for those that are accepted from now on. */
void rpc_door_adjust(struct rpc_door *door, const struct rpc_options *options);

/* Accept the connection that waits at SERVER, a pipe or a TCP handle. */
void rpc_door_accept(struct rpc_door *door, uv_stream_t *server, struct admission admission);

/* Whoever is connected may from now on what options.peers and the entrances now say. */
void rpc_door_apply_rules(struct rpc_door *door);

/* Write the answers that there are, one write a connection; it may submit requests that waited for
 * that. */
void rpc_door_flush(struct rpc_door *door);

/* A turn of the loop is over: write the answers that there are, then go on, in the next, with those
 * that wait for it.  Whoever runs the loop calls it once a turn, before the loop polls. */
void rpc_door_turn(struct rpc_door *door);

/* Take no new requests: what is in flight is answered, what has arrived whole is refused by name,
 * then each connection closes.  Behind dispatch_drain(). */
void rpc_door_drain(struct rpc_door *door);

/* Cut what is still connected, and close the door's own handles; all are closed when the loop has
 * run out. */
void rpc_door_close(struct rpc_door *door);
