#include "billingd/commit/readers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/thread.h"
#include "billingd/commit/fair_queue.h"

struct readers {
    struct readers_options options;
    pthread_t threads[READERS_THREADS_MAX];

    /* --- guarded by lock --- */
    pthread_mutex_t lock;   /* and options, as far as they change */
    pthread_cond_t arrived; /* signalled for each op; broadcast when closing is set */
    struct fair_queue light;
    struct fair_queue heavy;
    unsigned heavy_running;
    bool closing;

    atomic_bool stopping; /* likewise, for the queries that run */
};

static int answer(struct readers *r, struct op *op, struct ledger_env *env)
{
    struct store_view *view;
    if (op->deadline_us != 0 && op->deadline_us < clock_monotonic_us()) {
        return STATUS_DEADLINE_EXCEEDED;
    }
    if (op->viewless) {
        return op->query(op, NULL, env);
    }
    int rc = store_snapshot(r->options.store, &view);
    if (rc < 0) {
        return rc;
    }
    store_view_stop_on(view, &r->stopping);
    env->now_us = clock_wall_us();
    rc = op->query(op, view, env);
    store_release(view);
    return rc;
}

/* The next op that may run now, or NULL. */
static struct op *pop(struct readers *r)
{
    unsigned heavy_max = r->options.threads > 1 ? r->options.threads - 1 : 1;
    struct op *op = fair_queue_pop(&r->light);
    if (op == NULL && r->heavy_running < heavy_max) {
        op = fair_queue_pop(&r->heavy);
        r->heavy_running += op != NULL;
    }
    return op;
}

/* The next op and what its query is told, or NULL when closed. */
static struct op *take(struct readers *r, struct ledger_env *ret_env)
{
    pthread_mutex_lock(&r->lock);
    struct op *op = pop(r);
    while (op == NULL && !r->closing) {
        pthread_cond_wait(&r->arrived, &r->lock);
        op = pop(r);
    }
    *ret_env = r->options.env;
    pthread_mutex_unlock(&r->lock);
    return op;
}

/* A heavy op is over: another may run, on whichever thread. */
static void leave_heavy(struct readers *r)
{
    pthread_mutex_lock(&r->lock);
    r->heavy_running--;
    bool more = r->heavy.askers > 0;
    pthread_mutex_unlock(&r->lock);
    if (more) {
        pthread_cond_signal(&r->arrived);
    }
}

static void *reader_main(void *arg)
{
    struct readers *r = arg;
    struct ledger_env env;
    thread_begin("reader");
    for (struct op *op = take(r, &env); op != NULL; op = take(r, &env)) {
        struct op_list answered = {0};
        bool heavy = op->heavy; /* once it is pushed, it is not ours */
        op->status = answer(r, op, &env);
        op_list_push(&answered, op);
        completions_push(r->options.completions, &answered);
        if (heavy) {
            leave_heavy(r);
        }
    }
    return NULL;
}

/* What waits is refused, rather than that the end waits for it. */
static void refuse(struct readers *r, struct op_list *waiting)
{
    for (struct op *op = waiting->first; op != NULL; op = op->next) {
        op->status = STATUS_SHUTTING_DOWN;
    }
    if (waiting->first != NULL) {
        completions_push(r->options.completions, waiting);
    }
}

static void close_and_join(struct readers *r, unsigned threads)
{
    struct op_list waiting = {0};
    atomic_store(&r->stopping, true);
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    fair_queue_take(&r->light, SIZE_MAX, SIZE_MAX, &waiting);
    fair_queue_take(&r->heavy, SIZE_MAX, SIZE_MAX, &waiting);
    pthread_cond_broadcast(&r->arrived);
    pthread_mutex_unlock(&r->lock);
    refuse(r, &waiting);
    for (unsigned i = 0; i < threads; i++) {
        INVARIANT(pthread_join(r->threads[i], NULL) == 0);
    }
    fair_queue_done(&r->light);
    fair_queue_done(&r->heavy);
    INVARIANT(pthread_cond_destroy(&r->arrived) == 0);
    INVARIANT(pthread_mutex_destroy(&r->lock) == 0);
    free(r);
}

int readers_create(const struct readers_options *options, struct readers **ret_readers)
{
    REQUIRE(options->threads >= 1 && options->threads <= READERS_THREADS_MAX);
    struct readers *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return STATUS_NO_MEMORY;
    }
    r->options = *options;
    INVARIANT(pthread_mutex_init(&r->lock, NULL) == 0);
    INVARIANT(pthread_cond_init(&r->arrived, NULL) == 0);
    if (fair_queue_init(&r->light) < 0 || fair_queue_init(&r->heavy) < 0) {
        close_and_join(r, 0);
        return STATUS_NO_MEMORY;
    }
    for (unsigned i = 0; i < options->threads; i++) {
        if (pthread_create(&r->threads[i], NULL, reader_main, r) != 0) {
            close_and_join(r, i);
            return STATUS_NO_MEMORY;
        }
    }
    *ret_readers = r;
    return 0;
}

/* Whether OP has no room: in the queue, whose light and heavy ops count together, or among heavy
 * ones. */
static bool is_full(const struct readers *r, const struct op *op)
{
    struct fair_load heavy = fair_queue_load(&r->heavy, op->asker);
    struct fair_load all = fair_queue_load(&r->light, op->asker);
    all.ops += heavy.ops;
    all.bytes += heavy.bytes;
    all.own_ops += heavy.own_ops;
    all.own_bytes += heavy.own_bytes;
    all.askers = all.askers > heavy.askers ? all.askers : heavy.askers;
    all.ops_max = r->options.queue_ops_max;
    all.bytes_max = r->options.queue_bytes_max;
    heavy.ops_max = READERS_HEAVY_MAX;
    heavy.bytes_max = r->options.queue_bytes_max;
    return !fair_load_has_room(&all, op->bytes) ||
           (op->heavy && !fair_load_has_room(&heavy, op->bytes));
}

int readers_submit(struct readers *readers, struct op *op)
{
    int rc = 0;
    pthread_mutex_lock(&readers->lock);
    if (readers->closing) {
        rc = STATUS_SHUTTING_DOWN;
    } else if (is_full(readers, op)) {
        rc = STATUS_BUSY;
    } else {
        fair_queue_push(op->heavy ? &readers->heavy : &readers->light, op);
    }
    pthread_mutex_unlock(&readers->lock);
    if (rc == 0) { /* outside the lock, which the woken thread takes first of all */
        pthread_cond_signal(&readers->arrived);
    }
    return rc;
}

void readers_adjust(struct readers *readers, const struct readers_options *options)
{
    pthread_mutex_lock(&readers->lock);
    readers->options.queue_ops_max = options->queue_ops_max;
    readers->options.queue_bytes_max = options->queue_bytes_max;
    readers->options.env.catalogue_listed = options->env.catalogue_listed;
    pthread_mutex_unlock(&readers->lock);
}

struct readers_stats readers_stats(struct readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    struct readers_stats stats = {
        .light = readers->light.ops,
        .heavy = readers->heavy.ops,
        .bytes = readers->light.bytes + readers->heavy.bytes,
        .heavy_running = readers->heavy_running,
    };
    pthread_mutex_unlock(&readers->lock);
    return stats;
}

void readers_destroy(struct readers *readers)
{
    if (readers != NULL) {
        close_and_join(readers, readers->options.threads);
    }
}
