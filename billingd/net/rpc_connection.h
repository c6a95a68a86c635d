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

#include <stdint.h>

#include "billingd/net/connections.h"
#include "billingd/rpc/dispatch.h"

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
    struct connections connections;
    struct rpc_options options;
    uint64_t turn;          /* of the loop */
    unsigned turn_requests; /* of one asker in a turn; 0: any number */
};

/* Ready DOOR on LOOP.  OPTIONS are copied. */
void rpc_door_init(struct rpc_door *door, uv_loop_t *loop, struct dispatch *dispatch,
                   const struct rpc_options *options);

/* Take OPTIONS in place of those that DOOR had, for the connections that there are too, but
 * frame_bytes_max only for those that are accepted from now on. */
void rpc_door_adjust(struct rpc_door *door, const struct rpc_options *options);

/* A turn of the loop is over: write the answers that there are, then go on, in the next, with those
 * that wait for it.  Whoever runs the loop calls it once a turn, before the loop polls. */
void rpc_door_turn(struct rpc_door *door);
