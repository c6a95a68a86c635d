#include "billingd/commit/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/failpoint.h"
#include "billingd/base/thread.h"
#include "billingd/commit/fair_queue.h"
#include "billingd/commit/grouping.h"

/* What was submitted so far, and what was taken so far: what waits is the difference, also where
 * they have wrapped around.  Each has one thread that writes it, so that neither waits for the
 * other. */
struct submitted {
    size_t ops;
    size_t bytes;
};

struct taken {
    atomic_size_t ops;
    atomic_size_t bytes;
};

struct committer {
    struct committer_options options;
    pthread_t thread;

    /* --- committer thread --- */
    struct op_list group;  /* what is being carried out */
    struct ledger_env env; /* for it: options.env as it was when the group was taken */
    struct grouping grouping;
    struct committer_times times; /* which any thread reads */

    /* --- loop thread --- */
    struct fair_queue arriving; /* submitted since the last flush */
    struct submitted submitted; /* by all, and by each asker */
    struct submitted submitted_by[OP_ASKERS_MAX];
    size_t askers; /* that had something waiting at the last flush, or have come since */

    /* --- written by the committer thread, read by any --- */
    struct taken taken;
    struct taken taken_of[OP_ASKERS_MAX];
    atomic_int_least64_t begun_us; /* monotonic, of the transaction under way; 0: none is */

    /* --- guarded by lock --- */
    pthread_mutex_t lock; /* and options, as far as they change, but for what the loop asks alone */
    pthread_cond_t arrived; /* signalled when queue is no longer empty, or closing is set */
    struct fair_queue queue;
    enum committer_company company; /* how groups are to be taken: see committer_flush() */
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

static void count_times(struct committer *c, uint64_t records, int64_t begin_us, int64_t sync_us)
{
    int64_t now_us = clock_monotonic_us();
    histogram_add(&c->times.commit_us, (uint64_t)(now_us - begin_us));
    histogram_add(&c->times.sync_us, (uint64_t)(now_us - sync_us));
    histogram_add(&c->times.records, records);
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
    struct ledger_env env = c->env;
    struct store_txn *txn;
    uint64_t sweep_left = SWEEP_RECORDS_MAX;
    int64_t begin_us = clock_monotonic_us();
    atomic_store(&c->begun_us, begin_us);
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
    int64_t sync_us = clock_monotonic_us();
    FAILPOINT("before_commit");
    rc = store_commit(txn);
    grouping_note_commit(&c->grouping, ops->bytes, clock_monotonic_us() - begin_us);
    FAILPOINT("after_commit");
    count_commit(c, records, rc);
    if (rc == 0) {
        count_times(c, records, begin_us, sync_us);
    }
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

/* On the way back, those of whoever has few in the group go before those of whoever has many. */
static void complete_shared(struct committer *c, struct op_list *ops)
{
    struct op_list urgent = {0};
    struct op_list others = {0};
    for (struct op *op = op_list_pop(ops); op != NULL; op = op_list_pop(ops)) {
        op_list_push(grouping_is_urgent(&c->grouping, op) ? &urgent : &others, op);
    }
    completions_push_both(c->options.completions, &urgent, &others);
}

static void complete_all(struct committer *c, struct op_list *ops)
{
    grouping_note_answers(&c->grouping, clock_monotonic_us());
    if (c->grouping.company == COMMITTER_FEW) {
        complete_shared(c, ops);
    } else {
        completions_push(c->options.completions, ops);
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
    complete_all(c, &alone);
}

static void complete_group(struct committer *c)
{
    int64_t begin_us = clock_monotonic_us();
    int rc = carry_out(c, &c->group);
    check_alive(c, rc);
    int64_t now_us = clock_monotonic_us();
    grouping_note_end(&c->grouping, now_us - begin_us, now_us);
    if (rc < 0 && c->group.count > 1) { /* also when full: a replay needs no room */
        for (struct op *op = op_list_pop(&c->group); op != NULL; op = op_list_pop(&c->group)) {
            complete_alone(c, op);
        }
        return;
    }
    if (rc < 0) {
        fail_all(&c->group, rc);
    }
    complete_all(c, &c->group);
}

/* Only this thread writes it, so that nothing gets lost in between. */
static void add_taken(struct taken *taken, size_t ops, size_t bytes)
{
    atomic_store_explicit(&taken->ops,
                          atomic_load_explicit(&taken->ops, memory_order_relaxed) + ops,
                          memory_order_release);
    atomic_store_explicit(&taken->bytes,
                          atomic_load_explicit(&taken->bytes, memory_order_relaxed) + bytes,
                          memory_order_release);
}

/* Tell the loop thread who has room again: one step for what an asker has behind each other. */
static void count_taken(struct committer *c)
{
    const struct op *op = c->group.first;
    while (op != NULL) {
        unsigned asker = op->asker;
        size_t ops = 0;
        size_t bytes = 0;
        for (; op != NULL && op->asker == asker; op = op->next) {
            ops++;
            bytes += op->bytes;
        }
        add_taken(&c->taken_of[asker], ops, bytes);
    }
    add_taken(&c->taken, c->group.count, c->group.bytes);
}

/* Wait until something arrives; no longer than US. */
static void wait_arrival(struct committer *c, int64_t us)
{
    struct timespec until;
    INVARIANT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += us / 1000000;
    until.tv_nsec += us % 1000000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int rc = pthread_cond_timedwait(&c->arrived, &c->lock, &until);
    INVARIANT(rc == 0 || rc == ETIMEDOUT);
}

/* Where what waits is of others only: wait for those who are soon to come, too. */
static void await_others(struct committer *c)
{
    while (!c->closing) {
        int64_t us = grouping_wait_us(&c->grouping, &c->queue, c->company, clock_monotonic_us());
        if (us == 0) {
            return;
        }
        wait_arrival(c, us);
    }
}

/* Wait for work and move it to the group.  Returns false when closed and empty. */
static bool take_group(struct committer *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->begun_us, 0);
    while (c->queue.askers == 0 && !c->closing) {
        pthread_cond_wait(&c->arrived, &c->lock);
    }
    await_others(c);
    struct grouping_bounds bounds = {c->options.group_ops_max, c->options.group_bytes_max};
    grouping_take(&c->grouping, &c->queue, &bounds, c->company, clock_monotonic_us(), &c->group);
    c->env = c->options.env;
    pthread_mutex_unlock(&c->lock);
    count_taken(c);
    return c->group.first != NULL;
}

static void *committer_main(void *arg)
{
    struct committer *c = arg;
    thread_begin("committer");
    thread_ask_short_turns(); /* it sleeps on the disk, and is waited for as soon as that has
                                 answered */
    while (take_group(c)) {
        complete_group(c);
    }
    return NULL;
}

/* --- loop thread ------------------------------------------------------------------------------ */

/* One whose thread does not run, and which may be half made. */
static void free_committer(struct committer *c)
{
    grouping_done(&c->grouping);
    fair_queue_done(&c->arriving);
    fair_queue_done(&c->queue);
    INVARIANT(pthread_cond_destroy(&c->arrived) == 0);
    INVARIANT(pthread_mutex_destroy(&c->lock) == 0);
    free(c);
}

/* Who waits for it does by the clock that only goes forward. */
static void init_arrived(struct committer *c)
{
    pthread_condattr_t attributes;
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&c->arrived, &attributes) == 0);
    INVARIANT(pthread_condattr_destroy(&attributes) == 0);
}

int committer_create(const struct committer_options *options, struct committer **ret_committer)
{
    struct committer *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return STATUS_NO_MEMORY;
    }
    c->options = *options;
    c->times.commit_us.scale = &histogram_times_us;
    c->times.sync_us.scale = &histogram_times_us;
    c->times.records.scale = &histogram_counts;
    INVARIANT(pthread_mutex_init(&c->lock, NULL) == 0);
    init_arrived(c);
    if (fair_queue_init(&c->arriving) < 0 || fair_queue_init(&c->queue) < 0 ||
        grouping_init(&c->grouping) < 0 ||
        pthread_create(&c->thread, NULL, committer_main, c) != 0) {
        free_committer(c);
        return STATUS_NO_MEMORY;
    }
    *ret_committer = c;
    return 0;
}

static size_t waiting_ops(const struct submitted *submitted, const struct taken *taken)
{
    return submitted->ops - atomic_load_explicit(&taken->ops, memory_order_acquire);
}

static size_t waiting_bytes(const struct submitted *submitted, const struct taken *taken)
{
    return submitted->bytes - atomic_load_explicit(&taken->bytes, memory_order_acquire);
}

/* How full the queue is, as ASKER sees it. */
static struct fair_load load_of(const struct committer *c, unsigned asker)
{
    return (struct fair_load){
        .ops = waiting_ops(&c->submitted, &c->taken),
        .bytes = waiting_bytes(&c->submitted, &c->taken),
        .own_ops = waiting_ops(&c->submitted_by[asker], &c->taken_of[asker]),
        .own_bytes = waiting_bytes(&c->submitted_by[asker], &c->taken_of[asker]),
        .askers = c->askers,
        .ops_max = c->options.queue_ops_max,
        .bytes_max = c->options.queue_bytes_max,
    };
}

static void add_submitted(struct submitted *submitted, size_t bytes)
{
    submitted->ops++;
    submitted->bytes += bytes;
}

int committer_submit(struct committer *committer, struct op *op)
{
    REQUIRE(op->asker < OP_ASKERS_MAX);
    struct fair_load load = load_of(committer, op->asker);
    if (!fair_load_has_room(&load, op->bytes)) {
        return STATUS_BUSY;
    }
    committer->askers += load.own_ops == 0;
    add_submitted(&committer->submitted, op->bytes);
    add_submitted(&committer->submitted_by[op->asker], op->bytes);
    fair_queue_push(&committer->arriving, op);
    return 0;
}

void committer_flush(struct committer *committer, enum committer_company company)
{
    if (committer->arriving.askers == 0) {
        return;
    }
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&committer->lock);
    bool awaited = committer->queue.askers == 0 || committer->company == COMMITTER_FEW;
    fair_queue_append(&committer->queue, &committer->arriving, now_us);
    committer->askers = committer->queue.askers;
    committer->company = company;
    pthread_mutex_unlock(&committer->lock);
    if (awaited) { /* outside the lock, which the woken thread takes first of all */
        pthread_cond_signal(&committer->arrived);
    }
}

bool committer_is_pressed(struct committer *committer, unsigned asker)
{
    struct fair_load load = load_of(committer, asker);
    return fair_load_is_pressed(&load);
}

void committer_adjust(struct committer *committer, const struct committer_options *options)
{
    pthread_mutex_lock(&committer->lock);
    committer->options.queue_ops_max = options->queue_ops_max;
    committer->options.queue_bytes_max = options->queue_bytes_max;
    committer->options.group_ops_max = options->group_ops_max;
    committer->options.group_bytes_max = options->group_bytes_max;
    committer->options.env.catalogue_listed = options->env.catalogue_listed;
    pthread_mutex_unlock(&committer->lock);
}

int64_t committer_busy_us(struct committer *committer)
{
    int64_t begun_us = atomic_load(&committer->begun_us);
    return begun_us == 0 ? 0 : clock_monotonic_us() - begun_us;
}

const struct committer_times *committer_times(const struct committer *committer)
{
    return &committer->times;
}

struct committer_stats committer_stats(struct committer *committer)
{
    pthread_mutex_lock(&committer->lock);
    struct committer_stats stats = committer->stats;
    stats.queued = waiting_ops(&committer->submitted, &committer->taken);
    stats.queued_bytes = waiting_bytes(&committer->submitted, &committer->taken);
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
    committer_flush(committer, COMMITTER_ALONE);
    pthread_mutex_lock(&committer->lock);
    committer->closing = true;
    pthread_cond_signal(&committer->arrived);
    pthread_mutex_unlock(&committer->lock);
    INVARIANT(pthread_join(committer->thread, NULL) == 0);
    free_committer(committer);
}
