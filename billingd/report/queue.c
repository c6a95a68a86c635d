#include "billingd/report/queue.h"

static struct report_place *place_of(struct report_queue *queue, size_t number, size_t *ret_turn)
{
    *ret_turn = number / REPORT_QUEUE_PLACES * 2;
    return &queue->places[number % REPORT_QUEUE_PLACES];
}

bool report_queue_put(struct report_queue *queue, const struct report_event *event)
{
    size_t number = atomic_load_explicit(&queue->put, memory_order_relaxed);
    size_t turn;
    struct report_place *place;
    do { /* a round is lost only to another putter, who then has put */
        place = place_of(queue, number, &turn);
        size_t at = atomic_load_explicit(&place->turn, memory_order_acquire);
        if (at < turn) {
            return false; /* what was put a round ago is not taken yet */
        }
        if (at > turn) {
            number = atomic_load_explicit(&queue->put, memory_order_relaxed);
            continue;
        }
        if (atomic_compare_exchange_weak_explicit(&queue->put, &number, number + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            break;
        }
    } while (true);
    place->event = *event;
    atomic_store_explicit(&place->turn, turn + 1, memory_order_release);
    return true;
}

size_t report_queue_count(const struct report_queue *queue)
{
    return atomic_load_explicit(&queue->put, memory_order_relaxed);
}

bool report_queue_take(struct report_queue *queue, struct report_event *ret)
{
    size_t turn;
    struct report_place *place = place_of(queue, queue->taken, &turn);
    if (atomic_load_explicit(&place->turn, memory_order_acquire) != turn + 1) {
        return false;
    }
    *ret = place->event;
    atomic_store_explicit(&place->turn, turn + 2, memory_order_release);
    queue->taken++;
    return true;
}
