/* Events on their way to the thread that sends them: a ring that any thread puts into, without a
 * lock and without waiting, and one takes from.
 *
 * Each place has a turn: even, and it is free for the putter whose number says so; odd, and it is
 * full for the taker.  Who finds another turn than its own finds the ring full, or empty. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "billingd/report/event.h"

enum {
    REPORT_QUEUE_PLACES = 64,
};

struct report_place {
    atomic_size_t turn; /* 2 * round: free; 2 * round + 1: full */
    struct report_event event;
};

/* All zero is an empty one. */
struct report_queue {
    struct report_place places[REPORT_QUEUE_PLACES];
    atomic_size_t put; /* begun, too: a putter has its number before its event is in place */
    size_t taken;      /* the taker's */
};

/* Put a copy of EVENT.  Returns false where there is no room. */
bool report_queue_put(struct report_queue *queue, const struct report_event *event);

/* How many were put, those included that are being put: at least as many as can have been taken,
 * and whoever has put is among them.  Any thread. */
size_t report_queue_count(const struct report_queue *queue);

/* Take the next into *RET.  Returns false where there is none. */
bool report_queue_take(struct report_queue *queue, struct report_event *ret);
