#include "billingd/commit/completions.h"

#include <stdbool.h>

#include "billingd/base/assert.h"

void completions_init(struct completions *completions, void (*wake)(void *arg), void *arg)
{
    *completions = (struct completions){.wake = wake, .arg = arg};
    INVARIANT(pthread_mutex_init(&completions->lock, NULL) == 0);
    INVARIANT(fair_queue_init(&completions->ready) == 0);
}

void completions_done(struct completions *completions)
{
    REQUIRE(completions->urgent.first == NULL && completions->others.first == NULL);
    REQUIRE(completions->ready_urgent.first == NULL);
    REQUIRE(completions->ready_in_order.first == NULL && completions->ready.askers == 0);
    fair_queue_done(&completions->ready);
    INVARIANT(pthread_mutex_destroy(&completions->lock) == 0);
}

/* --- worker threads --------------------------------------------------------------------------- */

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

/* --- loop thread ------------------------------------------------------------------------------ */

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

/* Take what workers have pushed, what is not urgent into OTHERS. */
static void receive(struct completions *completions, struct op_list *others)
{
    pthread_mutex_lock(&completions->lock);
    op_list_append(&completions->ready_urgent, &completions->urgent);
    op_list_append(others, &completions->others);
    pthread_mutex_unlock(&completions->lock);
}

/* Put OP behind what its asker has there; one in order behind all that is there. */
static void make_ready(struct completions *completions, struct op *op)
{
    if (op->in_order) {
        fair_queue_take(&completions->ready, SIZE_MAX, SIZE_MAX, &completions->ready_in_order);
        op_list_push(&completions->ready_in_order, op);
    } else {
        fair_queue_push(&completions->ready, op);
    }
}

static void make_all_ready(struct completions *completions, struct op_list *ops)
{
    for (struct op *op = op_list_pop(ops); op != NULL; op = op_list_pop(ops)) {
        make_ready(completions, op);
    }
}

size_t completions_drain_urgent(struct completions *completions)
{
    struct op_list others = {0};
    receive(completions, &others);
    make_all_ready(completions, &others);
    return finish(&completions->ready_urgent, SIZE_MAX);
}

/* Call done() on what is ready, in turns, N_MAX at most. */
static size_t finish_ready(struct completions *completions, size_t n_max)
{
    size_t n = finish(&completions->ready_in_order, n_max);
    struct op *op;
    while (n < n_max && (op = fair_queue_pop(&completions->ready)) != NULL) {
        op->done(op);
        n++;
    }
    return n;
}

size_t completions_drain_some(struct completions *completions, size_t n_max)
{
    struct op_list others = {0};
    receive(completions, &others);
    size_t n = finish(&completions->ready_urgent, n_max);
    bool is_backlog = completions->ready_in_order.first != NULL || completions->ready.askers > 0;
    if (!is_backlog && others.count <= n_max - n) {
        return n + finish(&others, n_max); /* all of it: no turns are to be taken */
    }
    make_all_ready(completions, &others);
    return n + finish_ready(completions, n_max - n);
}

size_t completions_drain(struct completions *completions)
{
    return completions_drain_some(completions, SIZE_MAX);
}
