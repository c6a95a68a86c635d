/* Listening sockets that the service manager made and handed over: the protocol of
 * sd_listen_fds(3).  Main thread, at start. */
#pragma once

#include <stdbool.h>

#include "proto/status.h"

enum {
    ACTIVATION_SOCKETS_MAX = 16,
    ACTIVATION_REASON_BYTES = 256,
};

/* What a socket is handed over as. */
enum activation_kind {
    ACTIVATION_UNIX, /* RPC, by the name "unix" or "rpc" */
    ACTIVATION_TCP,  /* RPC, by the name "tcp" or "rpc" */
    ACTIVATION_HTTP, /* by the name "http" */
};

struct activation {
    struct {
        int fd; /* closed on exec; whoever listens on it owns it */
        enum activation_kind kind;
    } sockets[ACTIVATION_SOCKETS_MAX];
    unsigned n;
};

/* Take what $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES say is handed over to this process, each a
 * listening stream socket of the family that its name wants; none is fine.
 *
 * Returns 0, or STATUS_OUT_OF_BOUNDS with what is wrong, in words for the operator, in REASON of
 * ACTIVATION_REASON_BYTES. */
MUSTCHECK int activation_take(struct activation *ret, char *reason);

/* Whether a socket of KIND is there. */
bool activation_has(const struct activation *activation, enum activation_kind kind);
