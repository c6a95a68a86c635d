/* The readers: a few threads that answer queries, each from a view of its own, beside the
 * committer and never in its way; and that read long requests.
 *
 * Light queries go first, and where there is more than one thread, one is always left to them:
 * whatever heavy ones wait, a customer is found at once; a lone thread makes long requests wait
 * behind them, too.  Those who ask take turns (fair_queue.h). */
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

/* Take over what may change while they run, the queue's bounds and env.catalogue_listed of OPTIONS:
 * for what is submitted, and for the queries that are begun, from now on.  Loop thread. */
void readers_adjust(struct readers *readers, const struct readers_options *options);

struct readers_stats {
    size_t light; /* waiting now, not yet taken */
    size_t heavy; /* likewise */
    size_t bytes; /* of both */
    unsigned heavy_running;
};

/* Any thread. */
struct readers_stats readers_stats(struct readers *readers);

/* End soon, whatever there is to do: what waits is not begun, and what runs fails at its next read
 * of a record; both get STATUS_SHUTTING_DOWN.  All are on their way back when it returns.  NULL is
 * fine. */
void readers_destroy(struct readers *readers);
