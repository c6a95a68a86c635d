/* Conversations that are cut, split, stalled or garbled at every byte, in both directions: clients
 * try again with the same request ids, and then everything is there once.
 *
 * A run takes one of STRIDE cases, its seed says which: STRIDE runs in a row are all of them. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "tests/fault/campaign.h"
#include "tests/fault/proxy.h"
#include "tests/fault/sender.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"

enum {
    WORKERS = 8,
    STRIDE = 64,
    BATCH = 3,
    ANSWER_MS = 150,     /* that a client waits before it tries again */
    PATIENCE_MS = 60000, /* for all that has to come */
    TRIES_MAX = 400,
    REPEAT_BYTES = 9,
    SLACK_BYTES = 4,
    TEST_FAULTS = 400, /* of each of the two walks of a run that is no campaign */
};

static const int64_t hour_us = INT64_C(3600) * 1000000;

static const char store[] = "lmdb:?head_records=300&slice_bytes=16368&merge_width=2";

/* What the conversations are about. */
enum topic {
    TOPIC_CUSTOMER,
    TOPIC_USAGE,
    TOPIC_BATCH,
    TOPIC_VOID,
    TOPIC_ADJUSTMENT,
    TOPIC_INVOICE,
    TOPICS, /* how many there are */
};

struct fault_case {
    enum sender_door door;
    enum topic topic;
    struct proxy_fault fault;
};

struct run {
    struct campaign *campaign;
    bool garbled; /* bytes come twice on their way to the daemon, and no other fault */
    uint64_t seed;
    struct rng rng;
    struct daemon_process *daemon;
    struct request_log *log;
    const char *direct[SENDER_DOORS]; /* the daemon's own addresses */
    struct fault_case *cases;
    size_t n_cases;
    size_t capacity;
    uint64_t seen;      /* cases so far, to choose from */
    atomic_size_t next; /* case */
    atomic_uint_fast64_t struck;
    atomic_uint_fast64_t unsettled; /* requests that were never answered */
    atomic_uint_fast64_t stuck;     /* connections that did not end */
};

struct worker {
    struct run *run;
    unsigned number;
    uint64_t n_requests;
    struct proxy *unix_proxy;
    struct proxy *tcp_proxy;
    struct sender direct;
    struct logged_request *customer;
    int64_t invoiced_us; /* the end of its last invoice */
    struct memory memory;
    pthread_t thread;
};

/* --- requests --------------------------------------------------------------------------------- */

static struct logged_request *send_payload(struct worker *worker,
                                           const struct logged_payload *payload)
{
    const char *id = memory_format(&worker->memory, "request-%u-%08" PRIu64, worker->number,
                                   worker->n_requests++);
    return request_log_send(worker->run->log, id, payload);
}

static struct logged_request *new_usage(struct worker *worker)
{
    struct logged_payload payload = {
        .kind = LOGGED_USAGE,
        .customer = worker->customer,
        .service = "Database Hosting",
        .units = "58",
        .price = "0.05",
        .label = "eu-west",
    };
    return send_payload(worker, &payload);
}

/* Wait longer for an answer from now on: the machine may be slow, and no fault is left to come. */
static void be_patient(struct sender *sender)
{
    struct sender_options options = sender->options;
    struct request_log *log = sender->log;
    options.timeout_ms =
        options.timeout_ms < PATIENCE_MS / 2 ? 2 * options.timeout_ms : PATIENCE_MS;
    sender_done(sender);
    sender_init(sender, &options, log);
}

/* Send it until it is settled.  Returns whether it is. */
static bool insist(struct sender *sender, struct logged_request *const *requests, size_t n)
{
    int64_t deadline_ms = testkit_now_ms() + PATIENCE_MS;
    for (int i = 0; i < TRIES_MAX && testkit_now_ms() < deadline_ms; i++) {
        if (sender_try(sender, requests, n)) {
            return true;
        }
        if (i > 0) { /* the first may have met the fault */
            be_patient(sender);
        }
    }
    return false;
}

/* Whether FAULT changes what the one who gets it is told. */
static bool garbles(const struct proxy_fault *fault)
{
    return fault->kind == PROXY_REPEAT ||
           (fault->kind == PROXY_AGAIN && fault->direction == PROXY_TO_CLIENT);
}

/* What is there before the conversation.  Where a garbled request has taken its id, which is then
 * refused, it is another. */
static const struct logged_request *recorded_usage(struct worker *worker)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        struct logged_request *usage = new_usage(worker);
        if (!insist(&worker->direct, &usage, 1)) {
            break;
        }
        if (usage->outcome == LOGGED_ACKNOWLEDGED) {
            return usage;
        }
    }
    atomic_fetch_add(&worker->run->unsettled, 1);
    return NULL;
}

/* The requests of a conversation about TOPIC.  Returns how many; 0 where what they are about cannot
 * be recorded. */
static size_t new_requests(struct worker *worker, enum topic topic, struct logged_request **ret)
{
    struct logged_payload payload = {.customer = worker->customer};
    size_t n = 1;
    switch (topic) {
    case TOPIC_CUSTOMER:
        payload = (struct logged_payload){.kind = LOGGED_CUSTOMER, .name = "Acme"};
        break;
    case TOPIC_BATCH:
    case TOPIC_USAGE:
        n = topic == TOPIC_BATCH ? BATCH : 1;
        for (size_t i = 0; i < n; i++) {
            ret[i] = new_usage(worker);
        }
        return n;
    case TOPIC_VOID:
        payload.kind = LOGGED_VOID;
        payload.usage = recorded_usage(worker);
        payload.reason = "a mistake";
        if (payload.usage == NULL) {
            return 0;
        }
        break;
    case TOPIC_ADJUSTMENT:
        payload.kind = LOGGED_ADJUSTMENT;
        payload.amount = "-5.25";
        payload.reason = "goodwill";
        break;
    case TOPIC_INVOICE:
        payload.kind = LOGGED_INVOICE;
        payload.end_us = ++worker->invoiced_us;
        break;
    case TOPICS:
        abort();
    }
    ret[0] = send_payload(worker, &payload);
    return n;
}

/* --- one conversation ------------------------------------------------------------------------- */

static struct proxy *proxy_of(const struct worker *worker, enum sender_door door)
{
    return door == SENDER_HTTP ? worker->tcp_proxy : worker->unix_proxy;
}

/* Where a sender of DOOR finds the proxy. */
static const char *address_of(struct worker *worker, enum sender_door door)
{
    const char *address = proxy_address(proxy_of(worker, door));
    if (door == SENDER_LIBRARY) {
        return memory_format(&worker->memory, "unix://%s", address + 5);
    }
    return door == SENDER_HTTP ? address + 4 : address;
}

/* Talk about TOPIC over SENDER until it is settled.  With GARBLED the first try is, so what is
 * answered to it says nothing, and its connection is of no use any more. */
static void talk(struct worker *worker, struct sender *sender, enum topic topic, bool garbled)
{
    struct logged_request *requests[BATCH];
    size_t n = new_requests(worker, topic, requests);
    if (n == 0) {
        return;
    }
    if (garbled) {
        struct sender_options options = sender->options;
        sender->unjudged = true;
        IGNORE(sender_try(sender, requests, n)); /* it is unjudged */
        sender_done(sender);
        sender_init(sender, &options, worker->run->log);
    }
    if (!insist(sender, requests, n)) {
        atomic_fetch_add(&worker->run->unsettled, 1);
    }
}

/* Talk about TOPIC with FAULT (NULL: none) on the way, until the daemon has seen all that was sent.
 * The library keeps its connection: once more over it, in case that something is left there. */
static void converse(struct worker *worker, enum sender_door door, enum topic topic,
                     const struct proxy_fault *fault)
{
    struct proxy *proxy = proxy_of(worker, door);
    struct sender sender;
    struct sender_options options = {.door = door,
                                     .address = address_of(worker, door),
                                     .timeout_ms = fault == NULL ? PATIENCE_MS : ANSWER_MS,
                                     .retries_max = 2};
    proxy_arm(proxy, fault);
    sender_init(&sender, &options, worker->run->log);
    talk(worker, &sender, topic, fault != NULL && garbles(fault));
    if (fault != NULL && door == SENDER_LIBRARY) {
        talk(worker, &sender, topic, false);
    }
    sender_done(&sender);
    if (!proxy_settle(proxy, PATIENCE_MS)) {
        atomic_fetch_add(&worker->run->stuck, 1);
    }
    atomic_fetch_add(&worker->run->struck, fault != NULL && proxy_struck(proxy));
}

/* --- workers ---------------------------------------------------------------------------------- */

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct run *run = worker->run;
    for (size_t i; (i = atomic_fetch_add(&run->next, 1)) < run->n_cases &&
                   testkit_now_ms() < run->campaign->deadline_ms;) {
        const struct fault_case *c = &run->cases[i];
        converse(worker, c->door, c->topic, &c->fault);
        memory_done(&worker->memory);
    }
    return NULL;
}

static void worker_init(struct worker *worker, struct run *run, unsigned number)
{
    const struct sender_options options = {
        .door = SENDER_RPC, .address = run->direct[SENDER_RPC], .timeout_ms = PATIENCE_MS};
    struct timespec now;
    *worker = (struct worker){.run = run, .number = number};
    const char *path = testkit_format("unix:%s/p", testkit_tmpdir());
    worker->unix_proxy = proxy_create(path, run->direct[SENDER_RPC]);
    worker->tcp_proxy =
        proxy_create("tcp:127.0.0.1:0", testkit_format("tcp:%s", run->direct[SENDER_HTTP]));
    sender_init(&worker->direct, &options, run->log);
    struct logged_payload payload = {.kind = LOGGED_CUSTOMER, .name = "Acme"};
    worker->customer = send_payload(worker, &payload);
    assert_true(insist(&worker->direct, &worker->customer, 1));
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    worker->invoiced_us = (int64_t)now.tv_sec * 1000000 - hour_us;
}

static void worker_done(struct worker *worker)
{
    sender_done(&worker->direct);
    proxy_destroy(worker->unix_proxy);
    proxy_destroy(worker->tcp_proxy);
    memory_done(&worker->memory);
}

/* --- cases: every byte of every conversation -------------------------------------------------- */

static void add_case(struct run *run, const struct fault_case *c)
{
    if (run->n_cases == run->capacity) {
        run->capacity = run->capacity == 0 ? 4096 : 2 * run->capacity;
        run->cases = realloc(run->cases, run->capacity * sizeof *run->cases);
        if (run->cases == NULL) {
            abort();
        }
    }
    run->cases[run->n_cases++] = *c;
}

/* FAULT in a conversation about TOPIC, if it is one for this run. */
static void add_fault(struct run *run, enum sender_door door, enum topic topic,
                      struct proxy_fault fault)
{
    struct fault_case c = {door, topic, fault};
    if (run->garbled == (garbles(&fault) && fault.direction == PROXY_TO_DAEMON) &&
        run->seen++ % STRIDE == run->seed % STRIDE) {
        add_case(run, &c);
    }
}

/* Both ends of a conversation count: before its first byte and behind its last, also where numbers
 * have become longer. */
static void add_faults(struct run *run, enum sender_door door, enum topic topic,
                       enum proxy_direction way, uint64_t bytes)
{
    for (uint64_t at = 0; at <= bytes + SLACK_BYTES; at++) {
        add_fault(run, door, topic, (struct proxy_fault){PROXY_CUT, way, at, 0});
        add_fault(run, door, topic, (struct proxy_fault){PROXY_SPLIT, way, at, 0});
        add_fault(run, door, topic, (struct proxy_fault){PROXY_STALL, way, at, 0});
        add_fault(run, door, topic, (struct proxy_fault){PROXY_REPEAT, way, at, 1});
        add_fault(run, door, topic, (struct proxy_fault){PROXY_REPEAT, way, at, REPEAT_BYTES});
    }
    add_fault(run, door, topic, (struct proxy_fault){PROXY_AGAIN, way, 0, 0});
}

static void list_cases(struct run *run, struct worker *worker)
{
    for (int door = 0; door < SENDER_DOORS; door++) {
        for (int topic = 0; topic < TOPICS; topic++) {
            struct proxy *proxy = proxy_of(worker, (enum sender_door)door);
            converse(worker, (enum sender_door)door, (enum topic)topic, NULL);
            for (int way = 0; way < PROXY_DIRECTIONS; way++) {
                add_faults(run, (enum sender_door)door, (enum topic)topic,
                           (enum proxy_direction)way,
                           proxy_bytes(proxy, (enum proxy_direction)way));
            }
        }
    }
    for (size_t i = run->n_cases - 1; i > 0; i--) {
        size_t other = rng_below(&run->rng, i + 1);
        struct fault_case c = run->cases[i];
        run->cases[i] = run->cases[other];
        run->cases[other] = c;
    }
    if (run->n_cases > run->campaign->faults_left) {
        run->n_cases = run->campaign->faults_left;
        run->campaign->cut_short = true;
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

static void walk(struct run *run)
{
    struct worker workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        worker_init(&workers[i], run, i);
    }
    list_cases(run, &workers[0]);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        worker_done(&workers[i]);
    }
    run->campaign->cut_short |= testkit_now_ms() >= run->campaign->deadline_ms;
}

static void judge(struct run *run)
{
    static const char *const none[] = {NULL};
    /* what was garbled stands in the way of what was meant, and that is said */
    static const char *const in_the_way[] = {"request_id_reused", "already_voided",
                                             "already_finalized", "not_contiguous", NULL};
    struct campaign *campaign = run->campaign;
    struct checker_options options = {.seed = run->seed, .garbled = run->garbled};
    const char *data_dir = daemon_process_data_dir(run->daemon);
    checker_run_at(run->log, store, data_dir, &options, &campaign->result);
    campaign_check_refusals(campaign, run->log, run->garbled ? in_the_way : none);
    if (atomic_load(&run->unsettled) > 0) {
        campaign_note(campaign, "%" PRIu64 " requests were never answered", run->unsettled);
    }
    if (atomic_load(&run->stuck) > 0) {
        campaign_note(campaign, "%" PRIu64 " connections did not end", run->stuck);
    }
    campaign->faults += atomic_load(&run->struck);
}

static void run_one(struct campaign *campaign, uint64_t seed, bool garbled)
{
    static const char *const args[] = {"--store", store, NULL};
    const struct daemon_options options = {.args = args};
    struct run run = {.campaign = campaign, .garbled = garbled, .seed = seed, .rng = {seed}};
    run.daemon = daemon_process_start(&options);
    run.log = request_log_create(NULL);
    run.direct[SENDER_RPC] = daemon_process_unix(run.daemon);
    run.direct[SENDER_HTTP] = daemon_process_http(run.daemon);
    walk(&run);
    daemon_process_stop(run.daemon);
    judge(&run);
    daemon_process_destroy(run.daemon);
    request_log_destroy(run.log);
    free(run.cases);
}

static void answers_run(struct campaign *campaign, uint64_t seed)
{
    run_one(campaign, seed, false);
    run_one(campaign, seed, true);
}

int main(int argc, char **argv)
{
    struct campaign campaign = {.part = "answers", .test_faults = TEST_FAULTS, .run = answers_run};
    return campaign_main(argc, argv, &campaign);
}
