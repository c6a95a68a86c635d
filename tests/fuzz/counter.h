/* The daemon from a request to its answer, without threads, sockets, clocks and chance: dispatch,
 * the calls and the ledger over any store.  Committer and readers are stood in for by a queue that
 * its user empties, so that one input always takes one course.
 *
 * Linking it takes the place of commit/committer, commit/readers, base/clock and base/random.  Of
 * several counters one has the workers at a time. */
#pragma once

#include "billingd/rpc/dispatch.h"
#include "billingd/store/store.h"

enum {
    COUNTER_ID_KEY = 7, /* of the ids that it prints, whatever the store's is */
};

struct counter {
    struct store *store; /* not owned */
    struct keyring *keyring;
    struct dispatch dispatch;
    struct op_list waiting;
    int64_t now_us;     /* wall clock: its user moves it on */
    uint64_t sweep_max; /* records that one write may read to catch up */
    uint64_t answers;   /* given so far */
    uint64_t random;    /* in place of random bytes: goes up */
    uint8_t *packed;    /* the last answer to counter_call(); owned */
    size_t packed_bytes;
    bool catalogue_listed;
};

/* *COUNTER serves STORE from the time NOW_US on, with the workers; counter_close() it before the
 * store. */
void counter_open(struct counter *counter, struct store *store, int64_t now_us);
void counter_close(struct counter *counter);

/* The workers are COUNTER's from now on. */
void counter_take_workers(struct counter *counter);

/* Carry out what was submitted, in its order, until all is answered. */
void counter_run(struct counter *counter);

/* Carry out the SIZE bytes at PACKED, a Request, and return the answer, unpacked from what would go
 * over the wire; counter->packed has that.  Free it with billing__v1__response__free_unpacked(). */
Billing__V1__Response *counter_call(struct counter *counter, const uint8_t *packed, size_t size);

/* The state of the store now. */
struct store_info counter_info(struct counter *counter);
