/* What the service manager is told, and what it asks for: the protocol of sd_notify(3).
 *
 * A message is one datagram of NAME=value lines to the socket that $NOTIFY_SOCKET names: a path, or
 * '@' and an abstract name.  Where none is named nothing is sent, and nothing is different.  Any
 * thread, one at a time. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "proto/status.h"

struct notify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un address;
    socklen_t address_bytes;
    int64_t
        watchdog_us; /* within which "WATCHDOG=1" is to come again and again; 0: not asked for */
};

/* Look at $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.  Whatever it returns, *NOTIFY can be
 * used.  Returns 0; or STATUS_OUT_OF_BOUNDS, having found a socket's name that is none, or
 * STATUS_INTERNAL, having got no socket: then nobody is told anything.  Main thread, at start. */
MUSTCHECK int notify_open(struct notify *notify);

/* Send one message of printf()'s making, at most 512 bytes of it.  Waits a second at most where the
 * manager is busy; what is not taken by then is dropped. */
__attribute__((format(printf, 2, 3))) void notify_send(const struct notify *notify,
                                                       const char *format, ...);

/* Send no more. */
void notify_close(struct notify *notify);
