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
    REQUIRE(completions->list.first == NULL);
    INVARIANT(pthread_mutex_destroy(&completions->lock) == 0);
}

void completions_push(struct completions *completions, struct op_list *ops)
{
    pthread_mutex_lock(&completions->lock);
    bool was_empty = completions->list.first == NULL;
    op_list_append(&completions->list, ops);
    pthread_mutex_unlock(&completions->lock);
    if (was_empty) {
        completions->wake(completions->arg);
    }
}

size_t completions_drain(struct completions *completions)
{
    struct op_list ready;
    pthread_mutex_lock(&completions->lock);
    ready = completions->list;
    completions->list = (struct op_list){0};
    pthread_mutex_unlock(&completions->lock);

    size_t count = ready.count;
    for (struct op *op = op_list_pop(&ready); op != NULL; op = op_list_pop(&ready)) {
        op->done(op);
    }
    return count;
}
