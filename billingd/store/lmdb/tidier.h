/* The tidier: a thread that sorts the runs of the head and merges small ones, so that views have
 * few to read from, while the committer waits for the disk and goes on.  Nobody waits for it:
 * whoever comes upon a run that is not sorted yet sorts it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "billingd/store/lmdb/head.h"

struct tidier {
    struct head *head; /* not owned */
    pthread_t thread;
    bool running; /* there is a thread */

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* there is work, or closing is set */
    bool work;
    bool closing;
};

/* Ready TIDIER for HEAD, without a thread. */
void tidier_init(struct tidier *tidier, struct head *head);

/* Start the thread.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int tidier_start(struct tidier *tidier);

/* End the thread, if there is one, after what it is at. */
void tidier_stop(struct tidier *tidier);

/* Free what TIDIER has; its thread must have ended. */
void tidier_done(struct tidier *tidier);

/* There is a run to sort, or runs to merge.  Any thread. */
void tidier_wake(struct tidier *tidier);
