/* The readers: a few threads that answer queries, each from a view of its own, beside the
 * committer and never in its way.
 *
 * Light queries go first, and where there is more than one thread, one is always left to them:
 * whatever heavy ones wait, a customer is found at once. */
#pragma once

#include "billingd/commit/completions.h"
#include "billingd/commit/op.h"

struct readers;

struct readers_options {
    struct store *store;
    struct ledger_env env; /* now_us is set anew for every query */
    struct completions *completions;
    unsigned threads;       /* 1 to READERS_THREADS_MAX */
    size_t queue_ops_max;   /* waiting, not yet taken; light and heavy ones together */
    size_t queue_bytes_max; /* likewise; an empty queue takes any op */
};

enum {
    READERS_THREADS_MAX = 64,
    READERS_HEAVY_MAX = 64, /* heavy ones waiting: more would wait for minutes */
};

/* Start the threads.  OPTIONS are copied.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int readers_create(const struct readers_options *options, struct readers **ret_readers);

/* As committer_submit(), for OP->query; STATUS_BUSY also beyond READERS_HEAVY_MAX. */
MUSTCHECK int readers_submit(struct readers *readers, struct op *op);

/* End soon, whatever there is to do: what waits is not begun, and what runs fails at its next read
 * of a record; both get STATUS_SHUTTING_DOWN.  All are on their way back when it returns.  NULL is
 * fine. */
void readers_destroy(struct readers *readers);
