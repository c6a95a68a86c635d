/* Listening sockets: Unix and TCP.  Loop thread only.
 *
 * The Unix socket is made here rather than by libuv, which cuts long paths in silence, leaves the
 * permissions to the umask, and on closing removes whatever stands at the path. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <uv.h>

#include "billingd/base/slice.h"
#include "proto/status.h"

struct listener;

/* Accept the connection that waits at SERVER. */
typedef void (*listener_accept_fn)(uv_stream_t *server, void *arg);

struct listener_options {
    uv_loop_t *loop;
    mode_t socket_mode; /* permissions of a Unix socket */
    listener_accept_fn accept_cb;
    void *arg; /* for it */
};

enum {
    LISTENER_REASON_BYTES = 256,
};

/* Listen at ADDRESS: "unix:PATH" or "tcp:HOST:PORT" (HOST an IPv4 address, an IPv6 address in
 * brackets, or localhost; port 0: any).  A socket file that nobody listens at is replaced, a live
 * one never; the directory of the socket is made at need.  OPTIONS are copied.
 *
 * Returns 0, or STATUS_BUSY (somebody listens there) or STATUS_INTERNAL with the reason, in words
 * for the operator, in REASON of LISTENER_REASON_BYTES. */
MUSTCHECK int listener_open(const char *address, const struct listener_options *options,
                            struct listener **ret_listener, char *reason);

/* Listen on FD, a listening Unix or TCP stream socket that somebody else made and keeps (the
 * service manager): closing LISTENER closes the descriptor alone, and never removes the socket
 * file.  Returns as listener_open(); FD is closed in either case, at the latest with LISTENER. */
MUSTCHECK int listener_adopt(int fd, const struct listener_options *options,
                             struct listener **ret_listener, char *reason);

/* Whether it is a Unix socket. */
bool listener_is_unix(const struct listener *listener);

/* Whether nobody on another host can reach it: a Unix socket, or one of a loopback address. */
bool listener_is_local(const struct listener *listener);

/* Where it listens: the path, or HOST:PORT with the port that it got. */
const char *listener_address(const struct listener *listener);

/* Stop listening, remove the socket file if it is still ours, and free LISTENER when the loop has
 * seen it closed. */
void listener_close(struct listener *listener);
