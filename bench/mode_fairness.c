/* What a flood of one identity, and idle connections, leave to another identity. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/caller.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/options.h"
#include "bench/traffic.h"

enum {
    FLOOD_NICE = 19,
};

/* One who asks, in a phase of a round. */
struct sender {
    pthread_t thread;
    struct bench_options options;
    const char *socket;
    const struct slice *customers;
    bool is_flood;
    struct traffic_result result;
};

/* What the rounds have found. */
struct rounds {
    uint64_t n;
    double *alone; /* records/s of the other one, and so on; each owned */
    double *beside;
    double *flood;
    double *shares; /* beside / alone */
    uint64_t refused;
    uint64_t flood_refused;
};

/* --- what there is beside it ------------------------------------------------------------------ */

/* Two thousand connections are more than a process gets unless it asks; a daemon of ours inherits
 * it. */
static void want_files(void)
{
    struct rlimit files;
    check(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
}

static int *open_idle(const char *socket, uint64_t n)
{
    int *fds = calloc(n + 1, sizeof *fds);
    check(fds != NULL, "memory");
    for (uint64_t i = 0; i < n; i++) {
        fds[i] = caller_connect(socket);
    }
    return fds;
}

static void close_idle(int *fds, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        check(close(fds[i]) == 0, "close");
    }
    free(fds);
}

/* A key called NAME for the flood, so that it is another identity than the user of the socket. */
static const char *make_key(struct caller *caller, const char *name)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateKey create = BILLING__V1__CREATE_KEY__INIT;
    create.has_name = create.has_role = 1;
    create.name = caller_bytes(slice_of(name));
    create.role = BILLING__V1__ROLE__WRITER;
    request.call_case = BILLING__V1__REQUEST__CALL_CREATE_KEY;
    request.create_key = &create;
    Billing__V1__Response *response = caller_ask(caller, &request);
    ProtobufCBinaryData key = response->create_key->key;
    const char *token = files_format("%.*s", (int)key.len, (const char *)key.data);
    caller_free(response);
    return token;
}

static void revoke_key(struct caller *caller, const char *name)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__RevokeKey revoke = BILLING__V1__REVOKE_KEY__INIT;
    revoke.has_key_id = 1;
    revoke.key_id = caller_bytes(slice_of(name));
    request.call_case = BILLING__V1__REQUEST__CALL_REVOKE_KEY;
    request.revoke_key = &revoke;
    caller_free(caller_ask(caller, &request));
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void *send_main(void *arg)
{
    struct sender *sender = arg;
    if (sender->is_flood) { /* of this thread alone: it is not the processor that is fought for */
        check(setpriority(PRIO_PROCESS, 0, FLOOD_NICE) == 0, "setpriority");
    }
    traffic_run(&sender->options, &traffic_rpc, sender->socket, sender->customers, &sender->result);
    return NULL;
}

static void start(struct sender *sender, uint64_t seed)
{
    sender->options.seed = seed;
    check(pthread_create(&sender->thread, NULL, send_main, sender) == 0, "pthread_create");
}

/* Wait until SENDER's time is over.  Returns its records/s. */
static double finish(struct sender *sender, uint64_t *refused)
{
    check(pthread_join(sender->thread, NULL) == 0, "pthread_join");
    *refused += sender->result.refused;
    return (double)sender->result.pace.records * (double)NS_PER_SECOND /
           (double)sender->result.elapsed_ns;
}

/* The other one alone, then beside the flood, each for the seconds that it has. */
static void run_round(struct sender *other, struct sender *flood, uint64_t seed,
                      struct rounds *rounds)
{
    uint64_t i = rounds->n++;
    start(other, seed);
    rounds->alone[i] = finish(other, &rounds->refused);
    start(flood, seed + 1);
    start(other, seed + 2);
    rounds->beside[i] = finish(other, &rounds->refused);
    rounds->flood[i] = finish(flood, &rounds->flood_refused);
    rounds->shares[i] = rounds->alone[i] == 0 ? 0 : rounds->beside[i] / rounds->alone[i];
}

static double *numbers(uint64_t n)
{
    double *values = calloc(n, sizeof *values);
    check(values != NULL, "memory");
    return values;
}

static void run_rounds(const struct bench_options *options, struct sender *other,
                       struct sender *flood, struct rounds *ret)
{
    *ret = (struct rounds){.alone = numbers(options->samples),
                           .beside = numbers(options->samples),
                           .flood = numbers(options->samples),
                           .shares = numbers(options->samples)};
    for (uint64_t i = 0; i < options->samples; i++) {
        run_round(other, flood, options->seed + 3 * i, ret);
    }
}

static void free_rounds(struct rounds *rounds)
{
    free(rounds->alone);
    free(rounds->beside);
    free(rounds->flood);
    free(rounds->shares);
}

/* --- what was found --------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

/* The median of N VALUES, which are sorted for it. */
static double median(double *values, uint64_t n)
{
    qsort(values, n, sizeof *values, compare_numbers);
    return (values[n / 2] + values[(n - 1) / 2]) / 2;
}

static void report_rounds(const struct bench_options *options, struct rounds *rounds,
                          struct report *report)
{
    report_count(report, "in_flight", options->in_flight);
    report_count(report, "flood_clients", options->clients);
    report_count(report, "flood_pipeline", options->pipeline);
    report_count(report, "flood_batch", options->flood_batch);
    report_count(report, "idle", options->idle);
    report_count(report, "batch", options->batch);
    report_count(report, "customers", options->customers);
    report_count(report, "seed", options->seed);
    report_count(report, "rounds", rounds->n);
    report_count(report, "refused", rounds->refused);
    report_count(report, "flood_refused", rounds->flood_refused);
    report_numbers(report, "shares", rounds->shares, rounds->n, 2);
    report_number(report, "alone_per_s", median(rounds->alone, rounds->n), 0);
    report_number(report, "beside_per_s", median(rounds->beside, rounds->n), 0);
    report_number(report, "flood_per_s", median(rounds->flood, rounds->n), 0);
    report_number(report, "share", median(rounds->shares, rounds->n), 2);
    report_number(report, "share_min", rounds->shares[0], 2); /* they are sorted now */
    report_number(report, "share_max", rounds->shares[rounds->n - 1], 2);
}

void mode_fairness(const struct bench_options *options, struct report *report)
{
    static struct sender other;
    static struct sender flood;
    struct daemon daemon;
    struct caller caller;
    struct rounds rounds;
    want_files();
    daemon_start(&daemon, options);
    caller_open(&caller, daemon.socket);
    const char *key = files_format("flood-%d", (int)getpid());
    struct slice *customers = caller_customers(&caller, options->customers);
    other = (struct sender){.options = *options, .socket = daemon.socket, .customers = customers};
    other.options.window = UINT64_MAX; /* no rates within a phase */
    flood = other;
    flood.is_flood = true;
    flood.options.batch = options->flood_batch;
    flood.options.token = make_key(&caller, key);
    other.options.clients = 1;
    other.options.pipeline = options->in_flight;
    int *idle = open_idle(daemon.socket, options->idle);
    run_rounds(options, &other, &flood, &rounds);
    report_rounds(options, &rounds, report);
    free_rounds(&rounds);
    close_idle(idle, options->idle);
    revoke_key(&caller, key);
    free(customers);
    caller_close(&caller);
    daemon_stop(&daemon);
}
