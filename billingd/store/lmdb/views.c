#include "billingd/store/lmdb/views.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

int views_init(struct views *views, const struct env *env, unsigned count)
{
    struct lmdb_view *all = calloc(count, sizeof *all);
    if (all == NULL && count > 0) {
        return STATUS_NO_MEMORY;
    }
    *views = (struct views){.env = env, .all = all, .count = count};
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

int views_take(struct views *views, struct lmdb_view **ret_view)
{
    struct lmdb_view *view = pop(views);
    if (view == NULL) {
        return STATUS_BUSY;
    }
    int rc = view->txn == NULL ? mdb_txn_begin(views->env->mdb, NULL, MDB_RDONLY, &view->txn)
                               : mdb_txn_renew(view->txn);
    if (rc != 0) {
        push(views, view);
        return env_status(rc);
    }
    lookup_begin(view, views->env, view->txn, NULL);
    *ret_view = view;
    return 0;
}

void views_give(struct views *views, struct lmdb_view *view)
{
    mdb_txn_reset(view->txn);
    push(views, view);
}
