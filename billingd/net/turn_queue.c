#include "billingd/net/turn_queue.h"

#include "billingd/base/assert.h"
#include "proto/status.h"

void turn_queue_init(struct turn_queue *queue, uv_loop_t *loop)
{
    *queue = (struct turn_queue){0};
    INVARIANT(uv_idle_init(loop, &queue->awake) == 0);
}

void turn_queue_close(struct turn_queue *queue)
{
    REQUIRE(queue->first == NULL);
    uv_close((uv_handle_t *)&queue->awake, NULL);
}

static void awake_cb(uv_idle_t *idle)
{
    (void)idle; /* that the loop does not sleep is all */
}

/* Behind BEFORE; NULL: first. */
static void insert(struct turn_queue *queue, struct turn_waiter *before, struct turn_waiter *waiter)
{
    struct turn_waiter **at = before == NULL ? &queue->first : &before->next;
    waiter->previous = before;
    waiter->next = *at;
    *at = waiter;
    if (waiter->next == NULL) {
        queue->last = waiter;
    } else {
        waiter->next->previous = waiter;
    }
}

void turn_queue_wait(struct turn_queue *queue, struct turn_waiter *waiter, bool heard)
{
    if (waiter->waits) {
        return;
    }
    waiter->waits = true;
    waiter->turn = queue->turn;
    insert(queue, heard ? queue->last : queue->last_unheard, waiter);
    queue->last_unheard = heard ? queue->last_unheard : waiter;
    IGNORE(uv_idle_start(&queue->awake, awake_cb)); /* cannot fail */
}

void turn_queue_leave(struct turn_queue *queue, struct turn_waiter *waiter)
{
    if (!waiter->waits) {
        return;
    }
    struct turn_waiter *before = waiter->previous;
    if (before == NULL) {
        queue->first = waiter->next;
    } else {
        before->next = waiter->next;
    }
    if (waiter->next == NULL) {
        queue->last = before;
    } else {
        waiter->next->previous = before;
    }
    queue->last_unheard = queue->last_unheard == waiter ? before : queue->last_unheard;
    waiter->waits = false;
}

void turn_queue_go_on(struct turn_queue *queue)
{
    queue->turn++;
    queue->last_unheard = queue->last;
    while (queue->first != NULL && queue->first->turn != queue->turn) {
        struct turn_waiter *waiter = queue->first;
        turn_queue_leave(queue, waiter);
        waiter->go_on(waiter->connection);
    }
    if (queue->first == NULL) {
        IGNORE(uv_idle_stop(&queue->awake)); /* cannot fail */
    }
}
