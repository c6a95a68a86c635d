/* The way back: ops that workers are done with, until the loop thread takes them.
 *
 * Workers push whole lists; the loop thread takes everything that is there at once, since wakes
 * coalesce.  The wake-up is handed in, so that no event loop is known here. */
#pragma once

#include <pthread.h>

#include "billingd/commit/op.h"

struct completions {
    pthread_mutex_t lock; /* guards list */
    struct op_list list;
    void (*wake)(void *arg); /* any thread may call it; it makes the loop thread drain */
    void *arg;
};

/* Ready COMPLETIONS; WAKE is called with ARG after each push into an empty list. */
void completions_init(struct completions *completions, void (*wake)(void *arg), void *arg);

/* Free what it owns.  It must be empty. */
void completions_done(struct completions *completions);

/* Hand over all of OPS, which is empty afterwards.  Worker threads. */
void completions_push(struct completions *completions, struct op_list *ops);

/* Call done() on everything that is there.  Loop thread.  Returns how many there were. */
size_t completions_drain(struct completions *completions);
