#include "billingd/store/lmdb/tidier.h"

#include "billingd/base/assert.h"
#include "billingd/base/thread.h"

void tidier_init(struct tidier *tidier, struct head *head)
{
    *tidier = (struct tidier){.head = head};
    INVARIANT(pthread_mutex_init(&tidier->lock, NULL) == 0);
    INVARIANT(pthread_cond_init(&tidier->wanted, NULL) == 0);
}

void tidier_done(struct tidier *tidier)
{
    REQUIRE(!tidier->running);
    INVARIANT(pthread_cond_destroy(&tidier->wanted) == 0);
    INVARIANT(pthread_mutex_destroy(&tidier->lock) == 0);
}

/* Returns whether there is to be more. */
static bool wait_for_work(struct tidier *tidier)
{
    pthread_mutex_lock(&tidier->lock);
    while (!tidier->work && !tidier->closing) {
        pthread_cond_wait(&tidier->wanted, &tidier->lock);
    }
    tidier->work = false;
    bool more = !tidier->closing;
    pthread_mutex_unlock(&tidier->lock);
    return more;
}

static void *tidier_main(void *arg)
{
    struct tidier *tidier = arg;
    thread_begin("tidier");
    while (wait_for_work(tidier)) {
        head_tidy(tidier->head);
    }
    return NULL;
}

int tidier_start(struct tidier *tidier)
{
    if (pthread_create(&tidier->thread, NULL, tidier_main, tidier) != 0) {
        return STATUS_NO_MEMORY;
    }
    tidier->running = true;
    return 0;
}

void tidier_stop(struct tidier *tidier)
{
    if (!tidier->running) {
        return;
    }
    pthread_mutex_lock(&tidier->lock);
    tidier->closing = true;
    pthread_mutex_unlock(&tidier->lock);
    pthread_cond_signal(&tidier->wanted);
    INVARIANT(pthread_join(tidier->thread, NULL) == 0);
    tidier->running = false;
}

void tidier_wake(struct tidier *tidier)
{
    pthread_mutex_lock(&tidier->lock);
    tidier->work = true;
    pthread_mutex_unlock(&tidier->lock);
    pthread_cond_signal(&tidier->wanted);
}
