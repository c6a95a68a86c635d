/* A client and a ledger in one process: random requests carried out on a store as the committer
 * does, and logged as a client knows them.
 *
 * A step is a transaction of some requests.  An answer is logged once the commit has returned 0;
 * where it has not, the requests are open, and are sent again later under the same ids.  Services
 * come and go besides, which no request id stands for: they are not in the log.
 *
 * Main thread. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/env.h"
#include "billingd/store/store.h"
#include "tests/fault/request_log.h"
#include "tests/lib/testkit.h"

enum {
    CLERK_LIST_MAX = 4096,
};

/* Requests, by reference. */
struct clerk_list {
    struct logged_request *requests[CLERK_LIST_MAX];
    size_t n;
};

struct clerk {
    struct request_log *log;
    struct rng rng;
    struct arena arena;      /* of a step */
    struct ledger_env env;   /* whose clock goes on by a minute a step */
    struct clerk_list ready; /* customers that are there */
    struct clerk_list used;  /* usage that is there, and that nobody has asked to void */
    struct clerk_list open;  /* of unknown outcome, or not recorded for certain */
    unsigned next_id;
    uint64_t broken; /* promises that were seen to be */
};

/* A clerk for each SEED.  Its first request, a customer's, is open from the beginning, so that
 * there was something to lose at any time. */
void clerk_init(struct clerk *clerk, uint64_t seed);
void clerk_done(struct clerk *clerk);

/* A transaction of up to REQUESTS_MAX new requests and some of those that are open.  Returns 0, or
 * what the store said: nothing was answered then.
 *
 * What STATUS_STORAGE_FULL promises, that nothing of it is recorded, is looked at, and counted as
 * broken where it is not so. */
int clerk_step(struct clerk *clerk, struct store *store, unsigned requests_max);

/* Send all requests that were sent by TICK of the log and not answered by then again, in a
 * transaction, and log nothing.  *RET_RECORDED: how many are recorded now, or were before; the
 * others were refused, and what was not refused before is counted as broken.  Returns 0 or what the
 * store said. */
int clerk_send_unknown(struct clerk *clerk, struct store *store, uint64_t tick,
                       unsigned *ret_recorded);
