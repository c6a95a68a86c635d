/* The committer: one thread that makes every write durable.
 *
 * It takes all that waits, applies it in order in one transaction, syncs once, and hands all back:
 * group commit.  Groups grow by themselves while the last sync runs; for one who asks alone there
 * is no timer.  Each op sees the ones before it, so nothing is ever rolled back under a caller.
 * Those who ask take turns (fair_queue.h), so that nobody waits behind all that another one has
 * sent.
 *
 * Happy path: wait; take up to a group; begin; announce and apply each; commit; complete all.
 * Failure modes:
 *   - The store fails, or is full: the transaction is aborted and the ops of the group are carried
 *     out one by one, so that only those that need what it cannot do get the error.  A retry of
 *     what is recorded needs no room.  The next group tries again.
 *   - The commit fails otherwise: whether it is on disk is unknown.  Nothing is answered;
 *     `failed` is called, and the process is expected to end there. */
#pragma once

#include <stdbool.h>

#include "billingd/base/histogram.h"
#include "billingd/commit/completions.h"
#include "billingd/commit/grouping.h"
#include "billingd/commit/op.h"

struct committer;

struct committer_options {
    struct store *store;
    struct ledger_env env; /* now_us is set anew for every group */
    struct completions *completions;
    size_t queue_ops_max;   /* waiting, not yet taken */
    size_t queue_bytes_max; /* likewise; an empty queue takes any op */
    size_t group_ops_max;   /* in one transaction; a single op always fits */
    size_t group_bytes_max;
    void (*failed)(int status, void *arg); /* committer thread; must not return to serving */
    void *failed_arg;
};

struct committer_stats {
    uint64_t commits; /* that recorded something */
    uint64_t records;
    uint64_t records_max; /* of one commit */
    size_t queued;        /* ops waiting now */
    size_t queued_bytes;
    bool storage_full; /* the last commit that was tried, seconds ago, had no room */
};

/* Start the thread.  OPTIONS are copied; what they point to must outlive the committer.
 * Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int committer_create(const struct committer_options *options,
                               struct committer **ret_committer);

/* Hand OP over, with the next flush.  Loop thread only.  On 0 the committer owns OP until
 * OP->done() runs on the loop thread, which always happens, also at shutdown.  On error the caller
 * still owns OP.  Returns 0 or STATUS_BUSY: the queue is full, and OP's asker holds its share. */
MUSTCHECK int committer_submit(struct committer *committer, struct op *op);

/* Begin what was submitted.  Loop thread, at the end of each turn of the loop: so what arrives
 * together costs one lock and one wake, and shares a commit.
 *
 * COMPANY says how groups are to be taken: see grouping.h. */
void committer_flush(struct committer *committer, enum committer_company company);

/* Whether the queue is above half of a bound, and ASKER holds more than its share of that: time to
 * stop reading from it.  Loop thread. */
bool committer_is_pressed(struct committer *committer, unsigned asker);

/* Take over what may change while it runs, the bounds and env.catalogue_listed of OPTIONS: for what
 * is submitted, and for the groups that are taken, from now on.  Loop thread. */
void committer_adjust(struct committer *committer, const struct committer_options *options);

/* How long the committer has been at one transaction: the time since it began the one that it is
 * at, in microseconds, 0 where it waits for work.  What grows and grows hangs.  Any thread. */
int64_t committer_busy_us(struct committer *committer);

/* What commits took, and of the committer thread's making. */
struct committer_times {
    struct histogram commit_us; /* from its beginning, rules and all, to the end of its sync */
    struct histogram sync_us;   /* of that, what the store took to put it on the disk */
    struct histogram records;   /* in each */
};

/* Any thread. */
const struct committer_times *committer_times(const struct committer *committer);

/* Loop thread. */
struct committer_stats committer_stats(struct committer *committer);

/* Carry out what was submitted, join the thread and free COMMITTER (NULL is fine).
 * Loop thread; the ops' done() is then due in completions_drain(). */
void committer_destroy(struct committer *committer);
