/* Many clients at once that record at random, through every door, each until it is settled: what a
 * daemon is killed under.
 *
 * Main thread. */
#pragma once

#include "tests/fault/request_log.h"

struct load;

struct load_options {
    struct request_log *log;
    uint64_t seed;
    const char *url;  /* of libbilling */
    const char *rpc;  /* of raw_client_open() */
    const char *http; /* of http_open() */
};

/* Start the clients.  OPTIONS is copied, not what it points to. */
struct load *load_start(const struct load_options *options);

/* A daemon is there again: clients who wait a moment before they try again need not. */
void load_daemon_is_up(struct load *load);

/* Let each client settle what it has begun, and end.  Returns how many requests are not settled
 * within TIMEOUT_MS. */
uint64_t load_stop(struct load *load, int timeout_ms);
