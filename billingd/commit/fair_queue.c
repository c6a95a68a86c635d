#include "billingd/commit/fair_queue.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

int fair_queue_init(struct fair_queue *queue)
{
    *queue = (struct fair_queue){.shares = calloc(OP_ASKERS_MAX, sizeof *queue->shares)};
    return queue->shares == NULL ? STATUS_NO_MEMORY : 0;
}

void fair_queue_done(struct fair_queue *queue)
{
    free(queue->shares);
    *queue = (struct fair_queue){0};
}

/* --- turns ------------------------------------------------------------------------------------ */

/* An asker that has had nothing waiting begins with a whole turn, and owes nothing. */
static void join(struct fair_queue *queue, struct fair_share *share)
{
    share->credit = FAIR_QUEUE_TURN_BYTES;
    share->next = NULL;
    if (queue->last == NULL) {
        queue->first = share;
    } else {
        queue->last->next = share;
    }
    queue->last = share;
    queue->askers++;
}

static void leave_first(struct fair_queue *queue)
{
    queue->first = queue->first->next;
    queue->last = queue->first == NULL ? NULL : queue->last;
    queue->askers--;
}

/* The asker whose turn it is, or NULL.  Those who have used theirs up go to the end, with another
 * turn's worth. */
static struct fair_share *whose_turn(struct fair_queue *queue)
{
    struct fair_share *share = queue->first;
    while (share != NULL && share->credit <= 0) {
        share->credit += FAIR_QUEUE_TURN_BYTES;
        queue->last->next = share;
        queue->last = share;
        queue->first = share->next;
        share->next = NULL;
        share = queue->first;
    }
    return share;
}

/* Take the first op of SHARE, whose turn it is. */
static struct op *take(struct fair_queue *queue, struct fair_share *share)
{
    struct op *op = op_list_pop(&share->ops);
    share->credit -= (int64_t)(op->bytes + FAIR_QUEUE_OP_BYTES);
    queue->ops--;
    queue->bytes -= op->bytes;
    if (share->ops.first == NULL) {
        leave_first(queue);
    }
    return op;
}

void fair_queue_push(struct fair_queue *queue, struct op *op)
{
    REQUIRE(op->asker < OP_ASKERS_MAX);
    struct fair_share *share = &queue->shares[op->asker];
    if (share->ops.first == NULL) {
        join(queue, share);
    }
    op_list_push(&share->ops, op);
    queue->ops++;
    queue->bytes += op->bytes;
}

struct op *fair_queue_pop(struct fair_queue *queue)
{
    struct fair_share *share = whose_turn(queue);
    return share == NULL ? NULL : take(queue, share);
}

/* --- many at once ----------------------------------------------------------------------------- */

/* A lone asker whose ops all fit: the usual case, and it costs nothing by the op. */
static bool take_all(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                     struct op_list *into)
{
    if (queue->askers != 1 || into->count + queue->ops > ops_max ||
        into->bytes + queue->bytes > bytes_max) {
        return false;
    }
    op_list_append(into, &queue->first->ops);
    queue->ops = 0;
    queue->bytes = 0;
    leave_first(queue);
    return true;
}

void fair_queue_take(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                     struct op_list *into)
{
    if (take_all(queue, ops_max, bytes_max, into)) {
        return;
    }
    while (into->count < ops_max) {
        struct fair_share *share = whose_turn(queue);
        if (share == NULL ||
            (into->count > 0 && into->bytes + share->ops.first->bytes > bytes_max)) {
            return;
        }
        op_list_push(into, take(queue, share));
    }
}

void fair_queue_append(struct fair_queue *to, struct fair_queue *from)
{
    to->ops += from->ops;
    to->bytes += from->bytes;
    while (from->first != NULL) {
        struct fair_share *share = from->first;
        struct fair_share *behind = &to->shares[share - from->shares];
        if (behind->ops.first == NULL) {
            join(to, behind);
        }
        op_list_append(&behind->ops, &share->ops);
        leave_first(from);
    }
    from->ops = 0;
    from->bytes = 0;
}

/* --- room ------------------------------------------------------------------------------------- */

struct fair_load fair_queue_load(const struct fair_queue *queue, unsigned asker)
{
    const struct op_list *own = &queue->shares[asker].ops;
    return (struct fair_load){
        .ops = queue->ops,
        .bytes = queue->bytes,
        .own_ops = own->count,
        .own_bytes = own->bytes,
        .askers = queue->askers,
    };
}

static bool fits(size_t ops, size_t bytes, size_t ops_max, size_t bytes_max)
{
    return ops < ops_max && (ops == 0 || bytes <= bytes_max);
}

bool fair_load_has_room(const struct fair_load *load, size_t bytes)
{
    size_t askers = load->askers + (load->own_ops == 0);
    if (fits(load->ops, load->bytes + bytes, load->ops_max, load->bytes_max)) {
        return true;
    }
    if (askers < 2 ||
        !fits(load->ops, load->bytes + bytes, 2 * load->ops_max, 2 * load->bytes_max)) {
        return false;
    }
    return load->own_ops == 0 || fits(load->own_ops, load->own_bytes + bytes,
                                      load->ops_max / askers, load->bytes_max / askers);
}

bool fair_load_is_pressed(const struct fair_load *load)
{
    size_t askers = load->askers == 0 ? 1 : load->askers;
    size_t ops = load->ops_max / 2;
    size_t bytes = load->bytes_max / 2;
    return (load->ops > ops || load->bytes > bytes) && load->own_ops > 0 &&
           (load->own_ops > ops / askers || load->own_bytes > bytes / askers);
}
