#include "billingd/commit/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/thread.h"

struct readers {
    struct readers_options options;
    pthread_t threads[READERS_THREADS_MAX];

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* signalled for each op; broadcast when closing is set */
    struct op_list queue;
    bool closing;
};

static int answer(struct readers *r, struct op *op)
{
    struct ledger_env env = r->options.env;
    struct store_view *view;
    if (op->deadline_us != 0 && op->deadline_us < clock_monotonic_us()) {
        return STATUS_DEADLINE_EXCEEDED;
    }
    int rc = store_snapshot(r->options.store, &view);
    if (rc < 0) {
        return rc;
    }
    env.now_us = clock_wall_us();
    rc = op->query(op, view, &env);
    store_release(view);
    return rc;
}

/* The next op, or NULL when closed and empty. */
static struct op *take(struct readers *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->queue.first == NULL && !r->closing) {
        pthread_cond_wait(&r->arrived, &r->lock);
    }
    struct op *op = op_list_pop(&r->queue);
    pthread_mutex_unlock(&r->lock);
    return op;
}

static void *reader_main(void *arg)
{
    struct readers *r = arg;
    thread_begin("reader");
    for (struct op *op = take(r); op != NULL; op = take(r)) {
        struct op_list answered = {0};
        op->status = answer(r, op);
        op_list_push(&answered, op);
        completions_push(r->options.completions, &answered);
    }
    return NULL;
}

static void close_and_join(struct readers *r, unsigned threads)
{
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_cond_broadcast(&r->arrived);
    pthread_mutex_unlock(&r->lock);
    for (unsigned i = 0; i < threads; i++) {
        INVARIANT(pthread_join(r->threads[i], NULL) == 0);
    }
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
    for (unsigned i = 0; i < options->threads; i++) {
        if (pthread_create(&r->threads[i], NULL, reader_main, r) != 0) {
            close_and_join(r, i);
            return STATUS_NO_MEMORY;
        }
    }
    *ret_readers = r;
    return 0;
}

int readers_submit(struct readers *readers, struct op *op)
{
    int rc = 0;
    pthread_mutex_lock(&readers->lock);
    if (readers->closing) {
        rc = STATUS_SHUTTING_DOWN;
    } else if (readers->queue.count >= readers->options.queue_ops_max ||
               (readers->queue.count > 0 &&
                readers->queue.bytes + op->bytes > readers->options.queue_bytes_max)) {
        rc = STATUS_BUSY;
    } else {
        op_list_push(&readers->queue, op);
    }
    pthread_mutex_unlock(&readers->lock);
    if (rc == 0) { /* outside the lock, which the woken thread takes first of all */
        pthread_cond_signal(&readers->arrived);
    }
    return rc;
}

void readers_destroy(struct readers *readers)
{
    if (readers != NULL) {
        close_and_join(readers, readers->options.threads);
    }
}
