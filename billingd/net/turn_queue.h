/* Connections that wait for the next turn of the loop, since whose they are has been heard enough
 * in this one.  Those that were not heard in it go before those that were, so that none that asks
 * without end is always first; else first come, first served.  While any waits the loop does not
 * sleep.  Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct turn_waiter {
    void (*go_on)(void *connection);
    void *connection;
    bool waits;
    uint64_t turn; /* since which */
    struct turn_waiter *next;
    struct turn_waiter *previous;
};

struct turn_queue {
    struct turn_waiter *first;
    struct turn_waiter *last;
    struct turn_waiter *last_unheard; /* behind it are those that were heard in this turn */
    uint64_t turn;                    /* counts those that have begun */
    uv_idle_t awake;                  /* active while some wait */
};

/* Ready QUEUE on LOOP. */
void turn_queue_init(struct turn_queue *queue, uv_loop_t *loop);

/* Close its handle; nobody may wait.  The queue must stay until the loop has run out. */
void turn_queue_close(struct turn_queue *queue);

/* WAITER, whose first two fields are set, waits; HEARD says whether it was heard in this turn.  One
 * that waits already stays in its place. */
void turn_queue_wait(struct turn_queue *queue, struct turn_waiter *waiter, bool heard);

/* It waits no more, if it did. */
void turn_queue_leave(struct turn_queue *queue, struct turn_waiter *waiter);

/* A turn has begun: those that wait go on; who has to wait again does so for the next. */
void turn_queue_go_on(struct turn_queue *queue);
