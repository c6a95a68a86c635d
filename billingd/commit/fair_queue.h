/* A queue that everybody who asks shares, whatever one of them sends.
 *
 * Each op says whose it is (op->asker).  Askers that have something waiting take turns; in a turn
 * one hands over ops until they cost what a turn is worth, and what it has overdrawn it waits out.
 * The ops of one asker stay in the order in which they came.  A lone asker has the whole queue.
 * Who comes anew is before those who have been there, for one turn: what is little need not wait
 * for what is much.
 *
 * The same goes for room: one that holds less than its share of the bound is let into a full queue,
 * and the one that fills it is refused.
 *
 * Pure: no locks, no threads; nothing here costs more with the number of ops. */
#pragma once

#include "billingd/commit/op.h"
#include "proto/status.h"

enum {
    /* What a turn is worth, in bytes that ops keep: a dozen single records. */
    FAIR_QUEUE_TURN_BYTES = 64 * 1024,
    /* What an op costs on top of its bytes, however small it is. */
    FAIR_QUEUE_OP_BYTES = 512,
};

/* What one asker has in a queue. */
struct fair_share {
    struct op_list ops;
    int64_t credit;          /* what is left of its turn; below 0: overdrawn */
    int64_t since_us;        /* when it last came to have something: see fair_queue_append() */
    struct fair_share *next; /* whose turn is behind its own */
    bool in_ring;            /* in one of the queue's, also where nothing of it waits any more */
};

/* Shares in the order of their turns. */
struct fair_ring {
    struct fair_share *first;
    struct fair_share *last;
};

struct fair_queue {
    struct fair_share *shares; /* owned; OP_ASKERS_MAX */
    struct fair_ring fresh;    /* who came anew, and has its first turn */
    struct fair_ring others;   /* whose turns are behind those */
    size_t askers;             /* that have something waiting */
    size_t ops;
    size_t bytes;
};

/* An empty queue.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int fair_queue_init(struct fair_queue *queue);

/* Free what QUEUE owns; ops that are left in it are nobody's then. */
void fair_queue_done(struct fair_queue *queue);

/* Put OP behind what its asker has waiting. */
void fair_queue_push(struct fair_queue *queue, struct op *op);

/* Take the next op, or NULL. */
struct op *fair_queue_pop(struct fair_queue *queue);

/* Move what is next behind INTO, up to OPS_MAX ops and BYTES_MAX bytes in all; an empty list takes
 * any one op. */
void fair_queue_take(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                     struct op_list *into);

/* The same, but once INTO has LEVEL_BYTES nobody gets more than the first who had nothing left:
 * there it ends.  One that has the queue alone is beside another who has nothing waiting just
 * now. */
void fair_queue_take_level(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                           size_t level_bytes, struct op_list *into);

/* As fair_queue_take(), of those whose next op has no more than OP_BYTES_MAX; the others keep their
 * places. */
void fair_queue_take_small(struct fair_queue *queue, size_t ops_max, size_t bytes_max,
                           size_t op_bytes_max, struct op_list *into);

/* Whether there is anything for fair_queue_take_small() to take; it asks each asker in turn. */
bool fair_queue_has_small(const struct fair_queue *queue, size_t op_bytes_max);

/* Move all of FROM into TO, each asker's behind what it has there; who has nothing there has come
 * at NOW_US. */
void fair_queue_append(struct fair_queue *to, struct fair_queue *from, int64_t now_us);

/* --- room ------------------------------------------------------------------------------------- */

/* How full a queue is, as one asker sees it. */
struct fair_load {
    size_t ops; /* waiting, of all askers */
    size_t bytes;
    size_t own_ops; /* of them, the asker's */
    size_t own_bytes;
    size_t askers; /* that have something waiting */
    size_t ops_max;
    size_t bytes_max;
};

/* How full QUEUE is, as ASKER sees it; the bounds are the caller's to set. */
struct fair_load fair_queue_load(const struct fair_queue *queue, unsigned asker);

/* Whether an op of BYTES is let in.  Below the bounds anybody's is, and into an empty queue any op;
 * beyond them, up to twice as much, that of an asker who holds less than its share of the bound, or
 * nothing. */
bool fair_load_has_room(const struct fair_load *load, size_t bytes);

/* Whether the asker is one of those who press: the queue is above half of a bound, and the asker
 * holds more than its share of that half. */
bool fair_load_is_pressed(const struct fair_load *load);
