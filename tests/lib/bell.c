#include "tests/lib/bell.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/status.h"

enum {
    PATIENCE_S = 120,
};

static void check(int failed, const char *what)
{
    if (failed != 0) {
        IGNORE(fprintf(stderr, "bell: %s\n", what) < 0); /* nowhere else to say it */
        abort();
    }
}

void bell_init(struct bell *bell)
{
    bell->rung = false;
    check(pthread_mutex_init(&bell->lock, NULL), "no mutex");
    check(pthread_cond_init(&bell->changed, NULL), "no condition");
}

void bell_done(struct bell *bell)
{
    check(pthread_cond_destroy(&bell->changed), "somebody waits");
    check(pthread_mutex_destroy(&bell->lock), "it is locked");
}

void bell_ring(void *arg)
{
    struct bell *bell = arg;
    pthread_mutex_lock(&bell->lock);
    bell->rung = true;
    pthread_cond_signal(&bell->changed);
    pthread_mutex_unlock(&bell->lock);
}

void bell_wait(struct bell *bell)
{
    struct timespec deadline;
    check(clock_gettime(CLOCK_MONOTONIC, &deadline), "no clock");
    deadline.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&bell->lock);
    while (!bell->rung) {
        check(pthread_cond_clockwait(&bell->changed, &bell->lock, CLOCK_MONOTONIC, &deadline),
              "nothing happens");
    }
    bell->rung = false;
    pthread_mutex_unlock(&bell->lock);
}
