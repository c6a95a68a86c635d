#include "billingd/store/lmdb/views.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"

int views_init(struct views *views, const struct env *env, struct head *head, uint64_t id_key,
               unsigned count)
{
    struct lmdb_view *all = calloc(count, sizeof *all);
    if (all == NULL && count > 0) {
        return STATUS_NO_MEMORY;
    }
    *views = (struct views){.env = env, .head = head, .id_key = id_key, .all = all, .count = count};
    INVARIANT(pthread_mutex_init(&views->lock, NULL) == 0);
    for (unsigned i = 0; i < count; i++) {
        views->all[i].next_free = views->free;
        views->free = &views->all[i];
    }
    return 0;
}

void views_done(struct views *views)
{
    REQUIRE(views->taken == 0);
    for (unsigned i = 0; i < views->count; i++) {
        if (views->all[i].txn != NULL) {
            mdb_txn_abort(views->all[i].txn);
        }
    }
    INVARIANT(pthread_mutex_destroy(&views->lock) == 0);
    free(views->all);
}

static struct lmdb_view *pop(struct views *views)
{
    pthread_mutex_lock(&views->lock);
    struct lmdb_view *view = views->free;
    if (view != NULL) {
        views->free = view->next_free;
        views->taken++;
    }
    pthread_mutex_unlock(&views->lock);
    return view;
}

static void push(struct views *views, struct lmdb_view *view)
{
    pthread_mutex_lock(&views->lock);
    view->next_free = views->free;
    views->free = view;
    views->taken--;
    pthread_mutex_unlock(&views->lock);
}

/* Begin or take up VIEW's transaction. */
static int begin_txn(void *arg)
{
    struct lmdb_view *view = arg;
    int rc = view->txn == NULL ? mdb_txn_begin(view->env->mdb, NULL, MDB_RDONLY, &view->txn)
                               : mdb_txn_renew(view->txn);
    return env_status(rc);
}

/* See what the transaction and the head have together. */
static int begin_rows(struct views *views, struct lmdb_view *view)
{
    struct head_list *list;
    uint64_t block_seq;
    int rc = head_view(views->head, begin_txn, view, &list);
    if (rc < 0) {
        return rc;
    }
    lookup_begin(view, views->env, view->txn, NULL);
    view->id_key = views->id_key;
    rc = journal_last_block(&view->journal, &block_seq);
    if (rc < 0) {
        head_list_release(list);
    } else {
        rc = view_rows_init(&view->rows, views->env, view->txn, list, block_seq, NULL);
    }
    if (rc < 0) {
        mdb_txn_reset(view->txn);
    }
    return rc;
}

int views_take(struct views *views, struct lmdb_view **ret_view)
{
    struct lmdb_view *view = pop(views);
    if (view == NULL) {
        return STATUS_BUSY;
    }
    view->env = views->env;
    int rc = begin_rows(views, view);
    if (rc < 0) {
        push(views, view);
        return rc;
    }
    atomic_store_explicit(&view->taken_us, clock_monotonic_us(), memory_order_relaxed);
    *ret_view = view;
    return 0;
}

void views_give(struct views *views, struct lmdb_view *view)
{
    atomic_store_explicit(&view->taken_us, 0, memory_order_relaxed);
    view_rows_done(&view->rows);
    mdb_txn_reset(view->txn);
    push(views, view);
}

uint64_t views_taken(const struct views *views, int64_t *ret_oldest_us)
{
    uint64_t taken = 0;
    *ret_oldest_us = 0;
    for (unsigned i = 0; i < views->count; i++) {
        int64_t since_us = atomic_load_explicit(&views->all[i].taken_us, memory_order_relaxed);
        taken += since_us != 0;
        if (since_us != 0 && (*ret_oldest_us == 0 || since_us < *ret_oldest_us)) {
            *ret_oldest_us = since_us;
        }
    }
    return taken;
}
