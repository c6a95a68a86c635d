/* A wake-up as the completions want one, for a test that is its own event loop. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct bell {
    pthread_mutex_t lock; /* guards rung */
    pthread_cond_t changed;
    bool rung;
};

void bell_init(struct bell *bell);
void bell_done(struct bell *bell);

/* Any thread; ARG is the struct bell. */
void bell_ring(void *arg);

/* Wait until rung, which it is not any more afterwards.  Aborts where nothing happens for as long
 * as testkit_patience_ms(): a wake-up was lost. */
void bell_wait(struct bell *bell);
