#include "tests/fault/load.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "tests/fault/sender.h"
#include "tests/lib/testkit.h"

enum {
    CLIENTS = 9,
    OWN_CUSTOMERS = 2, /* that each client creates first */
    CUSTOMERS_MAX = CLIENTS * OWN_CUSTOMERS * 2,
    USAGE_MAX = 256, /* that a client remembers, to void some */
    PIPELINE = 24,
    AGAIN_MS = 20, /* between two tries, while no daemon is there */
};

static const int64_t hour_us = INT64_C(3600) * 1000000;

enum style {
    STYLE_SINGLE,   /* one request at a time, through any door */
    STYLE_BATCH,    /* usages as batches, through any door */
    STYLE_PIPELINE, /* many in flight on one RPC connection */
};

struct load {
    struct load_options options;
    struct client *clients;
    atomic_bool stopping;
    _Atomic int64_t deadline_ms; /* once stopping */
    atomic_uint_fast64_t unsettled;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    uint64_t starts; /* of the daemon */
    struct logged_request *customers[CUSTOMERS_MAX];
    size_t n_customers;
};

struct client {
    struct load *load;
    unsigned number;
    enum style style;
    struct rng rng;
    struct sender sender;
    struct memory memory; /* of one request or a few */
    uint64_t n_requests;
    struct logged_request *usage[USAGE_MAX]; /* acknowledged, to be voided at most once */
    size_t n_usage;
    pthread_t thread;
};

/* --- patience --------------------------------------------------------------------------------- */

static void wait_a_moment(struct load *load)
{
    struct timespec until;
    if (clock_gettime(CLOCK_REALTIME, &until) != 0) {
        abort();
    }
    until.tv_nsec += AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&load->lock);
    uint64_t starts = load->starts;
    int late = 0;
    while (starts == load->starts && late == 0) {
        late = pthread_cond_timedwait(&load->changed, &load->lock, &until);
    }
    pthread_mutex_unlock(&load->lock);
}

static bool gives_up(struct load *load)
{
    return atomic_load(&load->stopping) && testkit_now_ms() > atomic_load(&load->deadline_ms);
}

static bool send_until_settled(struct client *client, struct logged_request *const *requests,
                               size_t n)
{
    while (!sender_try(&client->sender, requests, n)) {
        if (gives_up(client->load)) {
            atomic_fetch_add(&client->load->unsettled, n);
            return false;
        }
        wait_a_moment(client->load);
    }
    return true;
}

/* --- what is asked for ------------------------------------------------------------------------ */

#define ANY_OF(client, list) (list)[rng_below(&(client)->rng, sizeof(list) / sizeof *(list))]

static int64_t now_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        abort();
    }
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct logged_request *send_payload(struct client *client,
                                           const struct logged_payload *payload)
{
    const char *id =
        memory_format(&client->memory, "%u-%" PRIu64, client->number, client->n_requests++);
    return request_log_send(client->load->options.log, id, payload);
}

static struct logged_request *any_customer(struct client *client)
{
    struct load *load = client->load;
    pthread_mutex_lock(&load->lock);
    struct logged_request *customer = load->customers[rng_below(&client->rng, load->n_customers)];
    pthread_mutex_unlock(&load->lock);
    return customer;
}

/* Half of what is recorded is of now, without saying so; the rest of the last days. */
static int64_t any_time(struct client *client)
{
    return rng_below(&client->rng, 2) == 0 ? 0
                                           : now_us() - rng_between(&client->rng, 0, 48 * hour_us);
}

static struct logged_request *new_customer(struct client *client)
{
    struct logged_payload payload = {.kind = LOGGED_CUSTOMER};
    payload.name =
        memory_format(&client->memory, "Customer %u %" PRIu64, client->number, client->n_requests);
    if (rng_below(&client->rng, 2) == 0) {
        payload.external_id = memory_format(&client->memory, "external %u %" PRIu64, client->number,
                                            client->n_requests);
    }
    /* its name space is shared with the other clients, whose ids begin with another number */
    return send_payload(client, &payload);
}

static struct logged_request *new_usage(struct client *client)
{
    static const char *const services[] = {"Database Hosting", "Object Storage", "Transfer"};
    static const char *const units[] = {"1", "58", "0.000001", "123456.789", "6.3277086448"};
    static const char *const prices[] = {"0.05", "0.0000004", "12"};
    static const char *const labels[] = {NULL, NULL, "eu-west", "a somewhat longer text"};
    struct logged_payload payload = {
        .kind = LOGGED_USAGE,
        .customer = any_customer(client),
        .service = ANY_OF(client, services),
        .units = ANY_OF(client, units),
        .price = ANY_OF(client, prices),
        .label = ANY_OF(client, labels),
        .occurred_at_us = any_time(client),
    };
    return send_payload(client, &payload);
}

static struct logged_request *new_adjustment(struct client *client)
{
    static const char *const amounts[] = {"-5", "0.005", "99.99", "-0.0000001"};
    static const char *const services[] = {NULL, "Transfer"};
    struct logged_payload payload = {
        .kind = LOGGED_ADJUSTMENT,
        .customer = any_customer(client),
        .amount = ANY_OF(client, amounts),
        .service = ANY_OF(client, services),
        .reason = "goodwill",
        .occurred_at_us = any_time(client),
    };
    return send_payload(client, &payload);
}

static struct logged_request *new_void(struct client *client)
{
    size_t at = rng_below(&client->rng, client->n_usage);
    struct logged_request *usage = client->usage[at];
    client->usage[at] = client->usage[--client->n_usage];
    struct logged_payload payload = {
        .kind = LOGGED_VOID,
        .customer = (struct logged_request *)(uintptr_t)usage->payload.customer,
        .usage = usage,
        .reason = "a mistake",
    };
    return send_payload(client, &payload);
}

static struct logged_request *new_invoice(struct client *client)
{
    struct logged_payload payload = {
        .kind = LOGGED_INVOICE,
        .customer = any_customer(client),
        .end_us = now_us() - rng_between(&client->rng, 0, 24 * hour_us),
    };
    return send_payload(client, &payload);
}

static struct logged_request *new_request(struct client *client)
{
    uint64_t choice = rng_below(&client->rng, 100);
    if (choice < 12 && client->n_usage > 0) {
        return new_void(client);
    }
    if (choice < 22) {
        return new_adjustment(client);
    }
    return choice < 24 ? new_invoice(client) : new_usage(client);
}

/* What was acknowledged may be voided; a customer, written to. */
static void remember(struct client *client, struct logged_request *request)
{
    struct load *load = client->load;
    if (request->outcome != LOGGED_ACKNOWLEDGED) {
        return;
    }
    if (request->payload.kind == LOGGED_USAGE && client->n_usage < USAGE_MAX) {
        client->usage[client->n_usage++] = request;
    } else if (request->payload.kind == LOGGED_CUSTOMER) {
        pthread_mutex_lock(&load->lock);
        if (load->n_customers < CUSTOMERS_MAX) {
            load->customers[load->n_customers++] = request;
        }
        pthread_mutex_unlock(&load->lock);
    }
}

/* --- styles ----------------------------------------------------------------------------------- */

static void send_single(struct client *client)
{
    struct logged_request *request =
        rng_below(&client->rng, 200) == 0 ? new_customer(client) : new_request(client);
    if (send_until_settled(client, &request, 1)) {
        remember(client, request);
    }
}

/* Now and then one item twice: the second is replayed. */
static void send_batch(struct client *client)
{
    struct logged_request *requests[SENDER_BATCH_MAX];
    size_t n = 2 + rng_below(&client->rng, SENDER_BATCH_MAX - 2);
    for (size_t i = 0; i < n; i++) {
        requests[i] =
            i > 0 && rng_below(&client->rng, 10) == 0 ? requests[i - 1] : new_usage(client);
    }
    if (send_until_settled(client, requests, n)) {
        for (size_t i = 0; i < n; i++) {
            if (i == 0 || requests[i] != requests[i - 1]) {
                remember(client, requests[i]);
            }
        }
    }
}

struct pipeline {
    struct logged_request *requests[PIPELINE]; /* by call id - 1; NULL: settled */
    size_t n;
};

static bool send_open(struct raw_client *connection, const struct pipeline *pipeline)
{
    bool sent = true;
    for (size_t i = 0; sent && i < pipeline->n; i++) {
        struct memory memory = {0};
        if (pipeline->requests[i] != NULL) {
            Billing__V1__Request *m = sender_message(&memory, &pipeline->requests[i], 1);
            m->has_call_id = true;
            m->call_id = i + 1;
            sent = raw_client_send_request(connection, m) == SOCK_OK;
        }
        memory_done(&memory);
    }
    return sent;
}

static size_t count_open(const struct pipeline *pipeline)
{
    size_t n = 0;
    for (size_t i = 0; i < pipeline->n; i++) {
        n += pipeline->requests[i] != NULL;
    }
    return n;
}

static void receive_open(struct client *client, struct raw_client *connection,
                         struct pipeline *pipeline)
{
    Billing__V1__Response *response;
    for (size_t n = count_open(pipeline); n > 0; n--) {
        if (raw_client_receive(connection, client->sender.options.timeout_ms, &response) !=
            SOCK_OK) {
            return;
        }
        size_t at = (size_t)response->call_id - 1;
        if (at < pipeline->n && pipeline->requests[at] != NULL &&
            sender_settle(client->load->options.log, &pipeline->requests[at], 1, response)) {
            remember(client, pipeline->requests[at]);
            pipeline->requests[at] = NULL;
        }
        billing__v1__response__free_unpacked(response, NULL);
    }
}

/* All that is open is sent at once, and again on the next connection, until nothing is. */
static void send_pipeline(struct client *client)
{
    struct pipeline pipeline = {.n = PIPELINE};
    for (size_t i = 0; i < pipeline.n; i++) {
        pipeline.requests[i] = new_request(client);
    }
    while (count_open(&pipeline) > 0) {
        struct raw_client connection;
        if (raw_client_open(&connection, client->load->options.rpc) &&
            send_open(&connection, &pipeline)) {
            receive_open(client, &connection, &pipeline);
        }
        raw_client_close(&connection);
        if (count_open(&pipeline) == 0) {
            break;
        }
        if (gives_up(client->load)) {
            atomic_fetch_add(&client->load->unsettled, count_open(&pipeline));
            return;
        }
        wait_a_moment(client->load);
    }
}

/* --- clients ---------------------------------------------------------------------------------- */

static void *client_main(void *arg)
{
    struct client *client = arg;
    for (int i = 0; i < OWN_CUSTOMERS; i++) {
        struct logged_request *customer = new_customer(client);
        if (!send_until_settled(client, &customer, 1)) {
            return NULL;
        }
        remember(client, customer);
    }
    while (!atomic_load(&client->load->stopping)) {
        switch (client->style) {
        case STYLE_SINGLE:
            send_single(client);
            break;
        case STYLE_BATCH:
            send_batch(client);
            break;
        case STYLE_PIPELINE:
            send_pipeline(client);
            break;
        }
        memory_done(&client->memory);
    }
    return NULL;
}

static void start_client(struct load *load, unsigned number)
{
    const struct load_options *options = &load->options;
    const char *const addresses[] = {[SENDER_LIBRARY] = options->url,
                                     [SENDER_RPC] = options->rpc,
                                     [SENDER_HTTP] = options->http};
    enum sender_door door = number % SENDER_DOORS;
    struct sender_options sender_options = {
        .door = door, .address = addresses[door], .timeout_ms = 10000, .retries_max = 2};
    struct client *client = &load->clients[number];
    client->load = load;
    client->number = number;
    client->style = (enum style)(number / SENDER_DOORS);
    client->rng = (struct rng){options->seed * CLIENTS + number};
    sender_init(&client->sender, &sender_options, options->log);
    if (pthread_create(&client->thread, NULL, client_main, client) != 0) {
        abort();
    }
}

struct load *load_start(const struct load_options *options)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL || pthread_mutex_init(&load->lock, NULL) != 0 ||
        pthread_cond_init(&load->changed, NULL) != 0) {
        abort();
    }
    load->options = *options;
    load->clients = calloc(CLIENTS, sizeof *load->clients);
    if (load->clients == NULL) {
        abort();
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        start_client(load, i);
    }
    return load;
}

void load_daemon_is_up(struct load *load)
{
    pthread_mutex_lock(&load->lock);
    load->starts++;
    pthread_cond_broadcast(&load->changed);
    pthread_mutex_unlock(&load->lock);
}

uint64_t load_stop(struct load *load, int timeout_ms)
{
    atomic_store(&load->deadline_ms, testkit_now_ms() + timeout_ms);
    atomic_store(&load->stopping, true);
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(load->clients[i].thread, NULL);
        sender_done(&load->clients[i].sender);
        memory_done(&load->clients[i].memory);
    }
    uint64_t unsettled = atomic_load(&load->unsettled);
    pthread_cond_destroy(&load->changed);
    pthread_mutex_destroy(&load->lock);
    free(load->clients);
    free(load);
    return unsettled;
}
