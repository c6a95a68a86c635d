/* The daemon: builds the rooms in order, runs the loop, and shuts them down in reverse. */
#pragma once

#include "billingd/config.h"

enum {
    EXIT_DONE = 0,
    EXIT_NOT_STARTED = 1,
    EXIT_BAD_CONFIG = 2,
    EXIT_STORAGE_FAILED = 70, /* EX_SOFTWARE: to be restarted, which reads the truth */
};

/* Run until SIGTERM or SIGINT, then drain.  Main thread.  Returns the exit status. */
int daemon_run(const struct config *config);

/* Check what can be checked without serving: the data directory, and that nobody else has it.
 * Returns the exit status. */
int daemon_check(const struct config *config);
