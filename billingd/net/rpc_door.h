/* The RPC door, where frames come in: what holds for all of its connections, and its turns.  Loop
 * thread only. */
#pragma once

#include <stdint.h>

#include "billingd/net/connections.h"

struct rpc_options {
    struct connections_options common;
    size_t frame_bytes_max;
    unsigned pipeline_max; /* requests in flight on one connection */
    int64_t frame_timeout_ms;
    int64_t idle_timeout_ms; /* 0: none */
    int64_t key_timeout_ms;  /* for one that needs a key to show it; 0: none */
};

struct rpc_door {
    struct connections connections; /* first: see rpc_connection.c */
    struct rpc_options options;
    uint64_t turn;          /* of the loop */
    unsigned turn_requests; /* of one asker in a turn; 0, before the first: any number */
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
