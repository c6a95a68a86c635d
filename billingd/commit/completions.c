#include "billingd/commit/completions.h"

#include <stdbool.h>

#include "billingd/base/assert.h"

void completions_init(struct completions *completions, void (*wake)(void *arg), void *arg)
{
    *completions = (struct completions){.wake = wake, .arg = arg};
    INVARIANT(pthread_mutex_init(&completions->lock, NULL) == 0);
}

void completions_done(struct completions *completions)
{
    REQUIRE(completions->urgent.first == NULL && completions->others.first == NULL);
    REQUIRE(completions->ready_urgent.first == NULL && completions->ready.first == NULL);
    INVARIANT(pthread_mutex_destroy(&completions->lock) == 0);
}

void completions_push(struct completions *completions, struct op_list *ops)
{
    struct op_list urgent = {0};
    completions_push_both(completions, &urgent, ops);
}

void completions_push_both(struct completions *completions, struct op_list *urgent,
                           struct op_list *others)
{
    pthread_mutex_lock(&completions->lock);
    bool was_empty = completions->urgent.first == NULL && completions->others.first == NULL;
    op_list_append(&completions->urgent, urgent);
    op_list_append(&completions->others, others);
    pthread_mutex_unlock(&completions->lock);
    if (was_empty) {
        completions->wake(completions->arg);
    }
}

static void receive(struct completions *completions)
{
    pthread_mutex_lock(&completions->lock);
    op_list_append(&completions->ready_urgent, &completions->urgent);
    op_list_append(&completions->ready, &completions->others);
    pthread_mutex_unlock(&completions->lock);
}

/* Call done() on the first of LIST, N_MAX at most. */
static size_t finish(struct op_list *list, size_t n_max)
{
    size_t n = 0;
    while (n < n_max && list->first != NULL) {
        struct op *op = op_list_pop(list);
        op->done(op);
        n++;
    }
    return n;
}

size_t completions_drain_urgent(struct completions *completions)
{
    receive(completions);
    return finish(&completions->ready_urgent, SIZE_MAX);
}

size_t completions_drain_some(struct completions *completions, size_t n_max)
{
    receive(completions);
    size_t n = finish(&completions->ready_urgent, n_max);
    return n + finish(&completions->ready, n_max - n);
}

size_t completions_drain(struct completions *completions)
{
    return completions_drain_some(completions, SIZE_MAX);
}
