/* The command line of billing-bench: a mode, then options, each of which some modes take.
 * Main thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/report.h"

enum bench_mode_id {
    BENCH_SYNC,
    BENCH_RAW_APPEND,
    BENCH_RAW_BTREE,
    BENCH_ENGINE,
    BENCH_RPC,
    BENCH_HTTP,
    BENCH_READ,
    BENCH_FAIRNESS,
    BENCH__MODES,
};

struct bench_options {
    uint64_t records; /* to write; of rpc and http 0: as many as there is time for */
    uint64_t batch;   /* records in a commit or a request */
    uint64_t customers;
    uint64_t window;      /* records for a rate of their own */
    uint64_t clients;     /* connections */
    uint64_t pipeline;    /* requests in flight on each */
    uint64_t in_flight;   /* requests, of the one beside the flood */
    uint64_t flood_batch; /* records in a request of the flood's */
    uint64_t idle;        /* connections that ask for nothing */
    uint64_t rate;        /* records/s that are asked for; 0: the next as soon as one is answered */
    uint64_t seconds;     /* of writing, of `read` of reading, at most; 0: until all is done */
    uint64_t samples;     /* how often a thing is timed */
    uint64_t seed;        /* 0: another each time */
    const char *ids;      /* "random" or "ordered" */
    const char *store;    /* URI of the engine */
    const char *dir;      /* where temporary directories are made */
    const char *data_dir; /* NULL: a temporary one */
    const char *url;      /* of a daemon that runs already, or NULL */
    const char *http;     /* HOST:PORT of its HTTP door, or NULL */
    const char *billingd; /* the program to start */
    const char *token;    /* of the key that requests show, or NULL: a mode's own, no option */
    bool bare;
    bool kill;
    bool keep;
    bool json;
};

/* Measure, and put what was found into REPORT. */
typedef void (*bench_mode_fn)(const struct bench_options *options, struct report *report);

struct bench_mode {
    const char *name;
    bench_mode_fn run;
    const char *help;              /* what it measures: lines that are indented by 6 */
    struct bench_options defaults; /* of the numbers: what is 0 is nothing, or for ever */
};

extern const struct bench_mode bench_modes[BENCH__MODES];

/* Take ARGV apart.  Returns the mode, with *RET filled; or prints --help and exits with 0, or says
 * what is wrong and exits with 2. */
const struct bench_mode *options_parse(int argc, char **argv, struct bench_options *ret);

/* --- what the modes share --------------------------------------------------------------------- */

/* Whether ids are to be in order. */
bool options_ordered(const struct bench_options *options);

/* One per mode; see options_help. */
void mode_sync(const struct bench_options *options, struct report *report);
void mode_raw_append(const struct bench_options *options, struct report *report);
void mode_raw_btree(const struct bench_options *options, struct report *report);
void mode_engine(const struct bench_options *options, struct report *report);
void mode_rpc(const struct bench_options *options, struct report *report);
void mode_http(const struct bench_options *options, struct report *report);
void mode_read(const struct bench_options *options, struct report *report);
void mode_fairness(const struct bench_options *options, struct report *report);
