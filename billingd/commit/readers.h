/* The readers: a few threads that answer queries, each from a view of its own, beside the
 * committer and never in its way. */
#pragma once

#include "billingd/commit/completions.h"
#include "billingd/commit/op.h"

struct readers;

struct readers_options {
    struct store *store;
    struct ledger_env env; /* now_us is set anew for every query */
    struct completions *completions;
    unsigned threads;       /* 1 to READERS_THREADS_MAX */
    size_t queue_ops_max;   /* waiting, not yet taken */
    size_t queue_bytes_max; /* likewise; an empty queue takes any op */
};

enum {
    READERS_THREADS_MAX = 64,
};

/* Start the threads.  OPTIONS are copied.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int readers_create(const struct readers_options *options, struct readers **ret_readers);

/* As committer_submit(), for OP->query. */
MUSTCHECK int readers_submit(struct readers *readers, struct op *op);

/* As committer_destroy(). */
void readers_destroy(struct readers *readers);
