#include "bench/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bare.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"

enum {
    EVENTS = 64,
    READ_BYTES = 1 << 18,
    PATIENCE_S = 120, /* without any answer */
    NAP_NS = 250000,  /* of an open loop at least: what comes due meanwhile goes out together.  It
                         counts as latency, and leaves the processor to the daemon. */
};

/* One connection, with PIPELINE slots for what is in flight; a slot's number is its call. */
struct client {
    int fd;
    uint32_t awaited; /* events of epoll's */
    struct buffer in;
    struct buffer out;
    uint64_t *free; /* slots, the first n_free of them; owned */
    uint64_t n_free;
    int64_t *since_ns; /* by slot: where its latency begins, 0 while it is free; owned */
};

struct run {
    const struct bench_options *options;
    const struct traffic_door *door;
    struct traffic traffic;
    struct client *clients; /* owned */
    int epoll;
    uint64_t asked;     /* records */
    uint64_t in_flight; /* requests */
    uint64_t scheduled; /* requests of the open loop */
    uint64_t turn;      /* client that is asked first by the open loop */
    int64_t start_ns;
    int64_t end_ns; /* no request after it; INT64_MAX: for ever */
    struct bare bare;
    struct traffic_result *result;
};

/* --- a connection ----------------------------------------------------------------------------- */

static void open_client(struct run *run, struct client *client, const char *address)
{
    uint64_t slots = run->options->pipeline;
    client->fd = run->door->connect(address);
    client->free = calloc(slots, sizeof *client->free);
    client->since_ns = calloc(slots, sizeof *client->since_ns);
    check(client->free != NULL && client->since_ns != NULL, "memory");
    check(fcntl(client->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    client->n_free = slots;
    for (uint64_t i = 0; i < slots; i++) {
        client->free[i] = slots - 1 - i;
    }
    client->awaited = EPOLLIN;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    check(epoll_ctl(run->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0, "epoll_ctl");
}

static void close_client(struct client *client)
{
    check(close(client->fd) == 0, "close");
    buffer_free(&client->in);
    buffer_free(&client->out);
    free(client->free);
    free(client->since_ns);
}

static void await(struct run *run, struct client *client, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (client->awaited != events) {
        check(epoll_ctl(run->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0, "epoll_ctl");
        client->awaited = events;
    }
}

/* Write what can be written; the rest when the daemon has read. */
static void flush_client(struct run *run, struct client *client)
{
    struct buffer *out = &client->out;
    while (out->end > out->start) {
        ssize_t n = send(client->fd, out->data + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        check(n > 0, "send");
        buffer_take(out, (size_t)n);
    }
    await(run, client, out->end > out->start ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* How many records the next request is to have; 0: there is to be none. */
static uint64_t next_batch(const struct run *run)
{
    const struct bench_options *options = run->options;
    uint64_t left = options->records == 0 ? options->batch : options->records - run->asked;
    return clock_ns() >= run->end_ns ? 0 : left < options->batch ? left : options->batch;
}

/* Put a request of N records into CLIENT's buffer.  Its latency begins SINCE_NS; 0: now. */
static void ask(struct run *run, struct client *client, uint64_t n, int64_t since_ns)
{
    uint64_t call = client->free[--client->n_free];
    if (run->options->bare) {
        latency_add(&run->result->bare, bare_commit_one(&run->bare));
    }
    run->door->ask(&run->traffic, call, n, &client->out);
    client->since_ns[call] = since_ns != 0 ? since_ns : clock_ns();
    run->asked += n;
    run->in_flight++;
}

static void ask_closed(struct run *run, struct client *client)
{
    uint64_t n;
    while (client->n_free > 0 && (n = next_batch(run)) > 0) {
        ask(run, client, n, 0);
    }
    flush_client(run, client);
}

/* When request NUMBER of an open loop is due. */
static int64_t due_ns(const struct run *run, uint64_t number)
{
    double requests_per_ns =
        (double)run->options->rate / (double)run->options->batch / (double)NS_PER_SECOND;
    return run->start_ns + (int64_t)((double)number / requests_per_ns);
}

/* The next client with a free slot, or NULL. */
static struct client *next_free(struct run *run)
{
    for (uint64_t i = 0; i < run->options->clients; i++) {
        struct client *client = &run->clients[run->turn++ % run->options->clients];
        if (client->n_free > 0) {
            return client;
        }
    }
    return NULL;
}

/* Ask for all that is due, as far as there are slots for it. */
static void ask_open(struct run *run)
{
    struct client *client;
    uint64_t n;
    int64_t due;
    while ((due = due_ns(run, run->scheduled)) <= clock_ns() && due < run->end_ns &&
           (n = next_batch(run)) > 0 && (client = next_free(run)) != NULL) {
        ask(run, client, n, due);
        run->scheduled++;
    }
    for (uint64_t i = 0; i < run->options->clients; i++) {
        flush_client(run, &run->clients[i]);
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static void take_answers(struct run *run, struct client *client)
{
    struct traffic_answer answer;
    struct buffer *in = &client->in;
    int64_t now_ns = clock_ns();
    size_t bytes;
    while (in->end > in->start &&
           (bytes = run->door->answer(in->data + in->start, in->end - in->start, &answer)) > 0) {
        buffer_take(in, bytes);
        if (answer.call >= run->options->pipeline || client->since_ns[answer.call] == 0) {
            fail("an answer to a call that was not made");
        }
        latency_add(&run->result->latency, now_ns - client->since_ns[answer.call]);
        client->since_ns[answer.call] = 0;
        client->free[client->n_free++] = answer.call;
        run->in_flight--;
        run->result->requests++;
        run->result->refused += answer.refused;
        pace_add(&run->result->pace, answer.recorded, now_ns);
    }
}

static void read_client(struct run *run, struct client *client)
{
    uint8_t *space = buffer_space(&client->in, READ_BYTES);
    ssize_t n = recv(client->fd, space, READ_BYTES, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n == 0) {
        fail("the daemon has closed a connection");
    }
    check(n > 0, "recv");
    client->in.end += (size_t)n;
    take_answers(run, client);
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Whether there is more to ask for. */
static bool goes_on(const struct run *run)
{
    bool due = run->options->rate == 0 || due_ns(run, run->scheduled) < run->end_ns;
    return due && next_batch(run) > 0;
}

/* How long nothing is to be done but for what the daemon does. */
static struct timespec wait_time(const struct run *run)
{
    int64_t ns = PATIENCE_S * NS_PER_SECOND;
    if (run->options->rate > 0 && goes_on(run)) {
        int64_t left = due_ns(run, run->scheduled) - clock_ns();
        int64_t shortest =
            run->in_flight < run->options->clients * run->options->pipeline ? NAP_NS : ns;
        ns = left > shortest ? left : shortest;
    }
    return (struct timespec){ns / NS_PER_SECOND, ns % NS_PER_SECOND};
}

static void serve(struct run *run, const struct epoll_event *event)
{
    struct client *client = event->data.ptr;
    if ((event->events & EPOLLOUT) != 0) {
        flush_client(run, client);
    }
    if ((event->events & ~(uint32_t)EPOLLOUT) != 0) {
        read_client(run, client);
    }
    if (run->options->rate == 0) {
        ask_closed(run, client);
    }
}

static void loop(struct run *run)
{
    struct epoll_event events[EVENTS];
    for (uint64_t i = 0; run->options->rate == 0 && i < run->options->clients; i++) {
        ask_closed(run, &run->clients[i]);
    }
    while (run->in_flight > 0 || goes_on(run)) {
        struct timespec wait = wait_time(run);
        int n = epoll_pwait2(run->epoll, events, EVENTS, &wait, NULL);
        check(n >= 0 || errno == EINTR, "epoll_pwait2");
        if (n == 0 && run->in_flight > 0 && wait.tv_sec == PATIENCE_S) {
            fail("no answer for %d s", PATIENCE_S);
        }
        for (int i = 0; i < n; i++) {
            serve(run, &events[i]);
        }
        if (run->options->rate > 0) {
            ask_open(run);
        }
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static void run_start(struct run *run, const char *address)
{
    const struct bench_options *options = run->options;
    run->clients = calloc(options->clients, sizeof *run->clients);
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    check(run->clients != NULL && run->epoll >= 0, "epoll");
    for (uint64_t i = 0; i < options->clients; i++) {
        open_client(run, &run->clients[i], address);
    }
    if (options->bare) {
        bare_open(&run->bare, files_scratch(options->dir, options->keep), 0);
    }
    run->start_ns = clock_ns();
    run->end_ns = options->seconds == 0 ? INT64_MAX
                                        : run->start_ns + (int64_t)options->seconds * NS_PER_SECOND;
    pace_start(&run->result->pace, options->window, run->start_ns);
}

static void run_end(struct run *run)
{
    for (uint64_t i = 0; i < run->options->clients; i++) {
        close_client(&run->clients[i]);
    }
    if (run->options->bare) {
        bare_close(&run->bare);
    }
    check(close(run->epoll) == 0, "close");
    buffer_free(&run->traffic.scratch);
    free(run->clients);
}

/* Of all requests that an open loop owed, those that did not go out. */
static uint64_t unsent(const struct run *run)
{
    const struct bench_options *options = run->options;
    if (options->rate == 0 || (options->records > 0 && run->asked >= options->records)) {
        return 0;
    }
    uint64_t owed = options->rate * options->seconds / options->batch;
    return owed > run->scheduled ? owed - run->scheduled : 0;
}

void traffic_run(const struct bench_options *options, const struct traffic_door *door,
                 const char *address, const struct slice *customers, struct traffic_result *ret)
{
    struct run run = {.options = options, .door = door, .result = ret};
    *ret = (struct traffic_result){0};
    load_init(&run.traffic.load, options->seed, options->customers, options_ordered(options));
    run.traffic.customers = customers;
    run.traffic.batched = options->batch > 1;
    run.traffic.token = options->token == NULL ? (struct slice){0} : slice_of(options->token);
    run_start(&run, address);
    int64_t cpu_ns = clock_own_cpu_ns();
    loop(&run);
    ret->own_cpu_ns = clock_own_cpu_ns() - cpu_ns;
    ret->elapsed_ns = clock_ns() - run.start_ns;
    ret->unsent = unsent(&run);
    run_end(&run);
}

void traffic_report(const struct bench_options *options, const struct traffic_result *result,
                    struct report *report)
{
    report_count(report, "clients", options->clients);
    report_count(report, "pipeline", options->pipeline);
    report_count(report, "batch", options->batch);
    report_count(report, "customers", options->customers);
    report_text(report, "ids", options->ids);
    report_seed(report, options->seed);
    pace_report(&result->pace, report);
    report_count(report, "requests", result->requests);
    report_count(report, "refused", result->refused);
    if (result->refused > 0) {
        report_flaw(report, files_format("%" PRIu64 " were refused", result->refused));
    }
    if (options->rate > 0) {
        report_count(report, "rate", options->rate);
        report_count(report, "unsent", result->unsent);
    }
    report_latency(report, "request", &result->latency);
    if (options->bare) {
        report_latency(report, "bare", &result->bare);
        report_number(report, "p50_to_bare",
                      (double)latency_quantile_ns(&result->latency, 500) /
                          (double)latency_quantile_ns(&result->bare, 500),
                      2);
    }
    report_number(report, "generator_cpu_percent",
                  (double)result->own_cpu_ns * 100 / (double)result->elapsed_ns, 1);
}
