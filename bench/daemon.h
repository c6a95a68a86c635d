/* The daemon that is measured: one of our own, on a data directory and doors of its own, or one
 * that runs already.  A daemon of our own dies with us.
 *
 * Main thread only; what goes wrong ends the program, with the daemon's log. */
#pragma once

#include <stdint.h>

#include "bench/options.h"

struct daemon {
    const struct bench_options *options;
    int pid;              /* 0: it is not ours, or does not run */
    const char *data_dir; /* of ours */
    const char *log;      /* its file */
    const char *socket;   /* path of its Unix door */
    const char *http;     /* HOST:PORT of its HTTP door, or NULL */
};

/* Start one, unless OPTIONS name one that runs. */
void daemon_start(struct daemon *daemon, const struct bench_options *options);

/* End it with SIGKILL, as a crash would, and start it again.  Returns how many nanoseconds the
 * start took until it was ready, to 1 ms. */
int64_t daemon_crash(struct daemon *daemon);

/* End one of ours with SIGTERM, and wait until it is gone. */
void daemon_stop(struct daemon *daemon);
