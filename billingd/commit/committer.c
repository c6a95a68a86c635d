#include "billingd/commit/committer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/failpoint.h"
#include "billingd/base/thread.h"

struct committer {
    struct committer_options options;
    pthread_t thread;

    /* --- committer thread --- */
    struct op_list group; /* what is being carried out */

    /* --- loop thread --- */
    struct op_list arriving; /* submitted since the last flush */

    /* --- any thread --- */
    atomic_size_t waiting_ops; /* submitted and not yet taken */
    atomic_size_t waiting_bytes;

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* signalled when queue is no longer empty, or closing is set */
    struct op_list queue;
    bool closing;
    struct committer_stats stats;
    int64_t full_us; /* monotonic time at which there was last no room; 0: there is */
};

enum {
    SWEEP_RECORDS_MAX = 20000, /* read to catch up in one transaction: some 10 ms */
    FULL_MS = 5000,            /* so long no room counts as none: who waits for it must try again */
};

/* --- one transaction -------------------------------------------------------------------------- */

static int announce_all(struct op_list *ops, struct store_txn *txn)
{
    for (struct op *op = ops->first; op != NULL; op = op->next) {
        int rc = op->announce(op, txn);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* Carry out each op that is still in time. */
static int apply_all(struct op_list *ops, struct store_txn *txn, const struct ledger_env *env)
{
    int64_t now_us = clock_monotonic_us();
    for (struct op *op = ops->first; op != NULL; op = op->next) {
        op->records = 0;
        op->status = 0;
        if (op->deadline_us != 0 && op->deadline_us < now_us) {
            op->status = STATUS_DEADLINE_EXCEEDED;
            continue;
        }
        int rc = op->apply(op, txn, env);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static uint64_t count_records(const struct op_list *ops)
{
    uint64_t records = 0;
    for (const struct op *op = ops->first; op != NULL; op = op->next) {
        records += op->records;
    }
    return records;
}

static void count_commit(struct committer *c, uint64_t records, int status)
{
    pthread_mutex_lock(&c->lock);
    c->full_us = status == STATUS_STORAGE_FULL ? clock_monotonic_us() : 0;
    if (status == 0) {
        c->stats.commits++;
        c->stats.records += records;
        c->stats.records_max = records > c->stats.records_max ? records : c->stats.records_max;
    }
    pthread_mutex_unlock(&c->lock);
}

/* All of OPS in one transaction.  Returns 0 when what they recorded is on disk; else nothing of
 * it is, but for STATUS_STORAGE_FAILED, when nobody knows. */
static int carry_out(struct committer *c, struct op_list *ops)
{
    struct ledger_env env = c->options.env;
    struct store_txn *txn;
    uint64_t sweep_left = SWEEP_RECORDS_MAX;
    env.now_us = clock_wall_us();
    env.sweep_left = &sweep_left;
    int rc = store_begin(c->options.store, env.now_us, &txn);
    if (rc < 0) {
        return rc;
    }
    rc = announce_all(ops, txn);
    if (rc == 0) {
        rc = apply_all(ops, txn, &env);
    }
    uint64_t records = count_records(ops);
    if (rc < 0 || records == 0) { /* replays and refusals need no sync: nothing is new */
        store_abort(txn);
        if (rc == STATUS_STORAGE_FULL) {
            count_commit(c, 0, rc);
        }
        return rc;
    }
    FAILPOINT("before_commit");
    rc = store_commit(txn);
    FAILPOINT("after_commit");
    count_commit(c, records, rc);
    return rc;
}

/* --- one group -------------------------------------------------------------------------------- */

static void fail_all(struct op_list *ops, int status)
{
    for (struct op *op = ops->first; op != NULL; op = op->next) {
        op->status = status;
    }
}

static void check_alive(struct committer *c, int status)
{
    if (status == STATUS_STORAGE_FAILED) {
        c->options.failed(status, c->options.failed_arg);
        abort(); /* it must not come back: nobody may be answered any more */
    }
}

static void complete_alone(struct committer *c, struct op *op)
{
    struct op_list alone = {0};
    op_list_push(&alone, op);
    int rc = carry_out(c, &alone);
    check_alive(c, rc);
    if (rc < 0) {
        fail_all(&alone, rc);
    }
    completions_push(c->options.completions, &alone);
}

static void complete_group(struct committer *c)
{
    int rc = carry_out(c, &c->group);
    check_alive(c, rc);
    if (rc < 0 && c->group.count > 1) { /* also when full: a replay needs no room */
        for (struct op *op = op_list_pop(&c->group); op != NULL; op = op_list_pop(&c->group)) {
            complete_alone(c, op);
        }
        return;
    }
    if (rc < 0) {
        fail_all(&c->group, rc);
    }
    completions_push(c->options.completions, &c->group);
}

/* Wait for work and move it to the group.  Returns false when closed and empty. */
static bool take_group(struct committer *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->queue.first == NULL && !c->closing) {
        pthread_cond_wait(&c->arrived, &c->lock);
    }
    while (c->queue.first != NULL && c->group.count < c->options.group_ops_max &&
           (c->group.count == 0 ||
            c->group.bytes + c->queue.first->bytes <= c->options.group_bytes_max)) {
        op_list_push(&c->group, op_list_pop(&c->queue));
    }
    pthread_mutex_unlock(&c->lock);
    atomic_fetch_sub(&c->waiting_ops, c->group.count);
    atomic_fetch_sub(&c->waiting_bytes, c->group.bytes);
    return c->group.first != NULL;
}

static void *committer_main(void *arg)
{
    struct committer *c = arg;
    thread_begin("committer");
    while (take_group(c)) {
        complete_group(c);
    }
    return NULL;
}

/* --- loop thread ------------------------------------------------------------------------------ */

int committer_create(const struct committer_options *options, struct committer **ret_committer)
{
    struct committer *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return STATUS_NO_MEMORY;
    }
    c->options = *options;
    INVARIANT(pthread_mutex_init(&c->lock, NULL) == 0);
    INVARIANT(pthread_cond_init(&c->arrived, NULL) == 0);
    if (pthread_create(&c->thread, NULL, committer_main, c) != 0) {
        free(c);
        return STATUS_NO_MEMORY;
    }
    *ret_committer = c;
    return 0;
}

int committer_submit(struct committer *committer, struct op *op)
{
    const struct committer_options *options = &committer->options;
    size_t ops = atomic_load(&committer->waiting_ops);
    size_t bytes = atomic_load(&committer->waiting_bytes);
    if (ops >= options->queue_ops_max ||
        (ops > 0 && bytes + op->bytes > options->queue_bytes_max)) {
        return STATUS_BUSY;
    }
    atomic_fetch_add(&committer->waiting_ops, 1);
    atomic_fetch_add(&committer->waiting_bytes, op->bytes);
    op_list_push(&committer->arriving, op);
    return 0;
}

void committer_flush(struct committer *committer)
{
    if (committer->arriving.first == NULL) {
        return;
    }
    pthread_mutex_lock(&committer->lock);
    bool was_empty = committer->queue.first == NULL;
    op_list_append(&committer->queue, &committer->arriving);
    pthread_mutex_unlock(&committer->lock);
    if (was_empty) { /* outside the lock, which the woken thread takes first of all */
        pthread_cond_signal(&committer->arrived);
    }
}

bool committer_is_pressed(struct committer *committer)
{
    return atomic_load(&committer->waiting_ops) > committer->options.queue_ops_max / 2 ||
           atomic_load(&committer->waiting_bytes) > committer->options.queue_bytes_max / 2;
}

struct committer_stats committer_stats(struct committer *committer)
{
    pthread_mutex_lock(&committer->lock);
    struct committer_stats stats = committer->stats;
    stats.queued = atomic_load(&committer->waiting_ops);
    stats.storage_full = committer->full_us != 0 &&
                         clock_monotonic_us() - committer->full_us < INT64_C(1000) * FULL_MS;
    pthread_mutex_unlock(&committer->lock);
    return stats;
}

void committer_destroy(struct committer *committer)
{
    if (committer == NULL) {
        return;
    }
    committer_flush(committer);
    pthread_mutex_lock(&committer->lock);
    committer->closing = true;
    pthread_cond_signal(&committer->arrived);
    pthread_mutex_unlock(&committer->lock);
    INVARIANT(pthread_join(committer->thread, NULL) == 0);
    INVARIANT(pthread_cond_destroy(&committer->arrived) == 0);
    INVARIANT(pthread_mutex_destroy(&committer->lock) == 0);
    free(committer);
}
