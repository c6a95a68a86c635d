/* The daemon: builds the rooms in order, runs the loop, and shuts them down in reverse. */
#pragma once

#include "billingd/config.h"

enum {
    EXIT_DONE = 0,
    EXIT_NOT_STARTED = 1,
    EXIT_BAD_CONFIG = 2,
    EXIT_STORAGE_FAILED = 70, /* EX_SOFTWARE: to be restarted, which reads the truth */
};

/* What the program was called with, to be read again at SIGHUP. */
struct daemon_command {
    int argc;
    char *const *argv;
};

/* Run until SIGTERM or SIGINT, then drain.  CONFIG comes from COMMAND; what may change of it does
 * at SIGHUP.  Main thread.  Returns the exit status. */
int daemon_run(struct config *config, const struct daemon_command *command);

/* Check what can be checked without serving: the data directory, and that nobody else has it.
 * Returns the exit status. */
int daemon_check(const struct config *config);
