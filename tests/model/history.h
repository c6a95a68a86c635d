/* A history: random operations on a real daemon, each answer compared with the model's.
 *
 * A seed makes the whole of it, but for the time at which it runs.  Main thread. */
#pragma once

#include "tests/lib/daemon.h"
#include "tests/lib/raw_client.h"
#include "tests/model/model.h"
#include "tests/model/values.h"

struct history {
    uint64_t seed;
    unsigned step;         /* how many operations were begun */
    const char *operation; /* the last of them, in words */
    struct rng rng;
    struct values values;
    struct model model;
    struct memory memory;  /* the model's, and what was sent */
    struct memory scratch; /* of one step */
    struct daemon_process *daemon;
    struct raw_client client;
    Billing__V1__Request **sent; /* every write, to be sent again */
    size_t n_sent;
    unsigned next_id; /* for request ids and external ids */
};

/* Run the history of SEED: start a daemon, do and check things, compare everything at the end.
 * Fails the test, in words, at the first difference.  Returns whether its store has sealed segments
 * and merged some. */
bool history_run(uint64_t seed);

/* --- for operations and checks ---------------------------------------------------------------- */

/* Microseconds of the wall clock. */
int64_t history_now(void);

/* A new request with PAYLOAD, of the type that CALL has, in the step's memory. */
Billing__V1__Request *history_request(struct history *history, Billing__V1__Request__CallCase call,
                                      void *payload);

/* Send REQUEST, and compare the answer with the model's. */
void history_ask(struct history *history, Billing__V1__Request *request);

/* The same with a write, which is remembered to be sent again. */
void history_write(struct history *history, Billing__V1__Request *request);

/* The same with a request for a list, page by page; now and then with a write between two. */
void history_walk(struct history *history, Billing__V1__Request *request);

/* Send the write REQUEST and kill the daemon before it can be known to have answered; start it
 * again, and ask again. */
void history_lose(struct history *history, Billing__V1__Request *request);

/* Stop or kill the daemon, and start it again. */
void history_restart(struct history *history);

/* --- operations.c ----------------------------------------------------------------------------- */

/* Something random that may record something. */
void operation_any(struct history *history);

/* A usage record or an adjustment of a customer that there is. */
void operation_record(struct history *history);

/* How a request may name CUSTOMER. */
const char *operation_customer_ref(struct history *history, const struct customer *customer);

/* Any customer; NULL while there is none. */
struct customer *operation_any_customer(struct history *history);

/* --- checks.c --------------------------------------------------------------------------------- */

/* Read something random. */
void check_any(struct history *history);

/* Read everything. */
void check_all(struct history *history);
