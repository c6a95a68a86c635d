/* Writing clients: connections that ask a daemon to record the standard load, all from one thread,
 * so that what they take of the machine is small and known.
 *
 * A closed loop asks again as soon as something is answered.  An open loop asks at a rate, whatever
 * is answered, and counts latency from when a request was due: a daemon that stalls is charged for
 * all that would have come meanwhile.
 *
 * One thread at a time; what goes wrong ends the program. */
#pragma once

#include "bench/buffer.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/pace.h"

/* What one answer says. */
struct traffic_answer {
    uint64_t call;
    uint64_t recorded;
    uint64_t refused;
};

struct traffic;

/* How requests and answers are written. */
struct traffic_door {
    /* A new connection to ADDRESS.  Returns the socket. */
    int (*connect)(const char *address);

    /* Append the request CALL with the next N records of TRAFFIC to OUT. */
    void (*ask)(struct traffic *traffic, uint64_t call, uint64_t n, struct buffer *out);

    /* Read the answer that begins the BYTES bytes at DATA.  Returns its length; 0: it is not
     * whole. */
    size_t (*answer)(const uint8_t *data, size_t bytes, struct traffic_answer *ret);
};

extern const struct traffic_door traffic_rpc;  /* to the path of a Unix socket */
extern const struct traffic_door traffic_http; /* to HOST:PORT, one request in flight on each */

struct traffic_result {
    struct pace pace;       /* of what was recorded */
    struct latency latency; /* of requests */
    struct latency bare;    /* of the LMDB commits before them, where asked for */
    uint64_t requests;
    uint64_t refused;   /* records */
    uint64_t unsent;    /* requests of an open loop that were due and did not go out in time */
    int64_t own_cpu_ns; /* that asking took */
    int64_t elapsed_ns;
};

/* What the doors see of it. */
struct traffic {
    struct load load;
    const struct slice *customers; /* their ids */
    bool batched;                  /* ask for batches, also of one */
    struct slice token;            /* of the key that is shown; empty: none is */
    struct buffer scratch;         /* a door's own */
};

/* Ask the daemon at ADDRESS, through DOOR, for what OPTIONS say (records, batch, clients, pipeline,
 * rate, seconds, window, bare), for CUSTOMERS, of which there are as many as OPTIONS say. */
void traffic_run(const struct bench_options *options, const struct traffic_door *door,
                 const char *address, const struct slice *customers, struct traffic_result *ret);

/* Put it all into REPORT. */
void traffic_report(const struct bench_options *options, const struct traffic_result *result,
                    struct report *report);
