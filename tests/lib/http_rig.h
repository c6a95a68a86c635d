/* The HTTP door beside the RPC door, on a loop that the test turns by hand (door.h); clients are
 * sockets of the same thread, so that a test decides who is slow.
 *
 * Main thread.  Whatever waits, turns the loop meanwhile, and fails the test after a while. */
#pragma once

#include "billingd/net/http_connection.h"
#include "tests/lib/door.h"

struct http_rig {
    struct door *door;
    struct admission admission; /* of those that connect */
    struct http_door http;
    struct listener *listener;
};

/* Open both doors; the workers' queues hold QUEUE_OPS_MAX, 0: many. */
void rig_open(struct http_rig *rig, size_t queue_ops_max);

/* Close everything, in whatever state it is. */
void rig_close(struct http_rig *rig);

/* One turn of the loop, as the daemon turns. */
void rig_turn(struct http_rig *rig);

/* Connect, and wait until the daemon has accepted.  The test closes what is returned. */
int rig_connect(struct http_rig *rig);

/* Make a writer's key, and return what is to be shown; the kit's. */
const char *rig_add_key(struct http_rig *rig);

/* Send TEXT on FD, which has room for it. */
void rig_send(int fd, const char *text);

/* Send TEXT, and return the beginning of the answer, "HTTP/1.1 200"; the kit's. */
const char *rig_status(struct http_rig *rig, int fd, const char *text);
