#include "tests/lib/bell.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/lib/testkit.h"

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
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    struct timespec deadline = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
    pthread_mutex_lock(&bell->lock);
    while (!bell->rung) {
        check(pthread_cond_clockwait(&bell->changed, &bell->lock, CLOCK_MONOTONIC, &deadline),
              "nothing happens");
    }
    bell->rung = false;
    pthread_mutex_unlock(&bell->lock);
}
