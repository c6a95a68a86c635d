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

static void ring_push(struct fair_ring *ring, struct fair_share *share)
{
    share->next = NULL;
    if (ring->last == NULL) {
        ring->first = share;
    } else {
        ring->last->next = share;
    }
    ring->last = share;
}

static struct fair_share *ring_pop(struct fair_ring *ring)
{
    struct fair_share *share = ring->first;
    ring->first = share->next;
    ring->last = ring->first == NULL ? NULL : ring->last;
    return share;
}

/* Put all of RING in front of INTO. */
static void ring_prepend(struct fair_ring *into, struct fair_ring *ring)
{
    if (ring->last != NULL) {
        ring->last->next = into->first;
        into->first = ring->first;
        into->last = into->last == NULL ? ring->last : into->last;
    }
}

/* SHARE has nothing waiting, but will have: one that is in no ring begins with a whole turn, which
 * is among the next, and owes nothing. */
static void join(struct fair_queue *queue, struct fair_share *share)
{
    queue->askers++;
    if (!share->in_ring) {
        share->in_ring = true;
        share->credit = FAIR_QUEUE_TURN_BYTES;
        ring_push(&queue->fresh, share);
    }
}

/* The first of its ring has nothing waiting any more.  One that was fresh keeps a place in the
 * ring of the others until that comes up: so nobody is fresh twice before all have had a turn. */
static void leave_first(struct fair_queue *queue)
{
    queue->askers--;
    if (queue->fresh.first != NULL) {
        ring_push(&queue->others, ring_pop(&queue->fresh));
    } else {
        ring_pop(&queue->others)->in_ring = false;
    }
}

/* The asker whose turn it is, or NULL; it is the first of its ring.  Those who have used theirs up
 * go to the end, with another turn's worth; those who have gone meanwhile lose their place. */
static struct fair_share *whose_turn(struct fair_queue *queue)
{
    for (;;) {
        struct fair_ring *ring = queue->fresh.first != NULL ? &queue->fresh : &queue->others;
        struct fair_share *share = ring->first;
        if (share == NULL || (share->credit > 0 && share->ops.first != NULL)) {
            return share;
        }
        share = ring_pop(ring);
        share->in_ring = share->ops.first != NULL;
        if (share->in_ring) {
            share->credit += FAIR_QUEUE_TURN_BYTES;
            ring_push(&queue->others, share);
        }
    }
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
    op_list_append(into, &whose_turn(queue)->ops);
    queue->ops = 0;
    queue->bytes = 0;
    leave_first(queue);
    return true;
}

/* What there may be in a group. */
struct bounds {
    size_t ops;
    size_t bytes;
    size_t level_bytes; /* of which anybody gets any share */
    size_t op_bytes;    /* of one op; whose next has more is passed over */
};

static void take_in_turns(struct fair_queue *queue, const struct bounds *max, struct op_list *into)
{
    struct fair_ring passed_over = {0};
    size_t askers = queue->askers < 2 ? 2 : queue->askers; /* whom it is to be level with */
    while (into->count < max->ops) {
        struct fair_share *share = whose_turn(queue);
        if (share != NULL && share->ops.first->bytes > max->op_bytes) {
            bool is_fresh = queue->fresh.first != NULL;
            ring_push(&passed_over, ring_pop(is_fresh ? &queue->fresh : &queue->others));
            continue;
        }
        if (share == NULL ||
            (into->count > 0 && into->bytes + share->ops.first->bytes > max->bytes) ||
            (queue->askers < askers && into->count > 0 && into->bytes >= max->level_bytes)) {
            break;
        }
        op_list_push(into, take(queue, share));
    }
    ring_prepend(&queue->others, &passed_over);
}

void fair_queue_take(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                     struct op_list *into)
{
    if (!take_all(queue, ops_max, bytes_max, into)) {
        take_in_turns(queue, &(struct bounds){ops_max, bytes_max, SIZE_MAX, SIZE_MAX}, into);
    }
}

void fair_queue_take_level(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                           size_t level_bytes, struct op_list *into)
{
    size_t alone_max = bytes_max < level_bytes ? bytes_max : level_bytes;
    if (!take_all(queue, ops_max, alone_max, into)) {
        take_in_turns(queue, &(struct bounds){ops_max, bytes_max, level_bytes, SIZE_MAX}, into);
    }
}

void fair_queue_take_small(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                           size_t op_bytes_max, struct op_list *into)
{
    take_in_turns(queue, &(struct bounds){ops_max, bytes_max, SIZE_MAX, op_bytes_max}, into);
}

static bool ring_has_small(const struct fair_ring *ring, size_t op_bytes_max)
{
    const struct fair_share *share = ring->first;
    while (share != NULL && (share->ops.first == NULL || share->ops.first->bytes > op_bytes_max)) {
        share = share->next;
    }
    return share != NULL;
}

bool fair_queue_has_small(const struct fair_queue *queue, size_t op_bytes_max)
{
    return ring_has_small(&queue->fresh, op_bytes_max) ||
           ring_has_small(&queue->others, op_bytes_max);
}

void fair_queue_append(struct fair_queue *to, struct fair_queue *from, int64_t now_us)
{
    to->ops += from->ops;
    to->bytes += from->bytes;
    for (struct fair_share *share = whose_turn(from); share != NULL; share = whose_turn(from)) {
        struct fair_share *behind = &to->shares[share - from->shares];
        if (behind->ops.first == NULL) {
            join(to, behind);
            behind->since_us = now_us;
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
