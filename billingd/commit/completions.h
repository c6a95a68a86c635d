/* The way back: ops that workers are done with, until the loop thread takes them.
 *
 * Workers push whole lists; the loop thread takes everything that is there at once, since wakes
 * coalesce.  What it does not finish at once it finishes in turns (fair_queue.h), so that one who
 * has much ready does not keep another's waiting.  The wake-up is handed in, so that no event loop
 * is known here. */
#pragma once

#include <pthread.h>

#include "billingd/commit/fair_queue.h"

struct completions {
    pthread_mutex_t lock; /* guards urgent and others */
    struct op_list urgent;
    struct op_list others;
    struct op_list ready_urgent;   /* what the loop thread has taken of them */
    struct op_list ready_in_order; /* those that overtake nothing, and what goes before them */
    struct fair_queue ready;
    void (*wake)(void *arg); /* any thread may call it; it makes the loop thread drain */
    void *arg;
};

/* Ready COMPLETIONS; WAKE is called with ARG after each push into an empty list. */
void completions_init(struct completions *completions, void (*wake)(void *arg), void *arg);

/* Free what it owns.  It must be empty. */
void completions_done(struct completions *completions);

/* Hand over all of OPS, which is empty afterwards.  Worker threads. */
void completions_push(struct completions *completions, struct op_list *ops);

/* The same for what is urgent, which goes before all that is not, and OTHERS. */
void completions_push_both(struct completions *completions, struct op_list *urgent,
                           struct op_list *others);

/* Call done() on what is urgent.  Loop thread.  Returns how many there were. */
size_t completions_drain_urgent(struct completions *completions);

/* Call done() on what is there, N_MAX at most: what is urgent, then what is in order with all
 * before it, then the others' in turns, each one's in the order in which they were pushed.  Loop
 * thread.  Returns how many there were; where they are N_MAX, there may be more, which nothing
 * wakes it for. */
size_t completions_drain_some(struct completions *completions, size_t n_max);

/* Call done() on everything that is there.  Loop thread.  Returns how many there were. */
size_t completions_drain(struct completions *completions);
