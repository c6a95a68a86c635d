/* A service manager's ear: the socket at which the daemon tells it how it fares.  Main thread. */
#pragma once

#include <stdbool.h>

#include "tests/lib/daemon.h"

struct manager {
    int fd;
    const char *env; /* "NOTIFY_SOCKET=...", for the daemon */
};

/* At a path, or, with ABSTRACT, at an abstract name. */
struct manager manager_open(bool abstract);

/* The next message within TIMEOUT_MS, or NULL. */
const char *manager_next(const struct manager *manager, int timeout_ms);

/* The next message that has PART; others are passed over. */
const char *manager_await(const struct manager *manager, const char *part);

/* Stop DAEMON, which MANAGER listens to, and listen no more. */
void manager_end(struct manager *manager, struct daemon_process *daemon);
