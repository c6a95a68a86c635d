/* The RPC door on a loop that the test turns by hand, before a desk over a memory store; and
 * clients in the same thread, so that a test decides who is slow.
 *
 * Main thread.  Whatever waits, turns the loop meanwhile, and fails the test after a minute. */
#pragma once

#include <uv.h>

#include "billingd/net/listener.h"
#include "billingd/net/rpc_door.h"
#include "billingd/net/wakeup.h"
#include "proto/frame.h"
#include "tests/lib/desk.h"

struct door {
    uv_loop_t loop;
    struct wakeup wakeup;
    uv_timer_t tick; /* ends a turn in which nothing happens */
    struct desk *desk;
    struct rpc_door rpc;
    struct listener *listener;
    const char *address;         /* to connect to */
    bool admit;                  /* new connections; true at first */
    size_t in_flight_max;        /* the most requests in flight that were seen between two turns */
    struct door_client *clients; /* all, newest first */
};

struct door_client {
    struct door_client *next;
    struct door *door;
    int fd; /* -1: closed by us */
    struct frame_reader reader;
};

/* What the daemon's options are unless a test says otherwise. */
struct rpc_options door_options(void);

/* Listening at ADDRESS, or at a Unix socket of its own where that is NULL.  The workers' queues
 * hold QUEUE_OPS_MAX; 0: many. */
struct door *door_open(const struct rpc_options *options, const char *address,
                       size_t queue_ops_max);

/* Close everything, in whatever state it is, and free it. */
void door_close(struct door *door);

/* One turn of the loop. */
void door_turn(struct door *door);

/* Turn until there are N connections. */
void door_wait_connections(struct door *door, unsigned n);

/* Turn until N requests are in flight. */
void door_wait_in_flight(struct door *door, size_t n);

/* --- clients ---------------------------------------------------------------------------------- */

/* Connect, and wait until the daemon has accepted. */
struct door_client *client_open(struct door *door);

/* Close at once. */
void client_close(struct door_client *client);

/* Send no more. */
void client_finish(struct door_client *client);

/* Send all of BYTES, turning the loop while there is no room. */
void client_send(struct door_client *client, const void *data, size_t bytes);

/* Send what there is room for; 0 where there is none, -1 where the connection is gone. */
long client_try_send(struct door_client *client, const void *data, size_t bytes);

/* REQUEST as a frame with CALL_ID, the kit's; its length in *RET_BYTES. */
uint8_t *client_frame(Billing__V1__Request *request, uint64_t call_id, size_t *ret_bytes);

/* Send it. */
void client_request(struct door_client *client, Billing__V1__Request *request, uint64_t call_id);

/* The next answer, the kit's and never freed; NULL where the daemon closed instead. */
Billing__V1__Response *client_answer(struct door_client *client);

/* The next answer, which must be there; checks its CALL_ID. */
Billing__V1__Response *client_expect(struct door_client *client, uint64_t call_id);

/* Nothing more comes: the daemon closes. */
void client_expect_closed(struct door_client *client);

/* Turn until the daemon has cut the connection, reading nothing. */
void client_wait_cut(struct door_client *client);
