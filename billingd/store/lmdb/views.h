/* The views of the readers: a fixed number, each with a read transaction of LMDB that is taken up
 * again and again, since beginning one anew costs a place in LMDB's table of readers.
 *
 * Any thread, but for opening and closing. */
#pragma once

#include <pthread.h>

#include "billingd/store/lmdb/lookup.h"

struct views {
    const struct env *env; /* not owned */
    struct head *head;     /* not owned */
    uint64_t id_key;
    struct lmdb_view *all; /* owned */
    unsigned count;        /* of all */
    pthread_mutex_t lock;

    /* --- guarded by lock --- */
    struct lmdb_view *free; /* linked by next_free */
    unsigned taken;
};

/* COUNT views over ENV and HEAD of the store with ID_KEY.  Returns 0, or STATUS_NO_MEMORY. */
MUSTCHECK int views_init(struct views *views, const struct env *env, struct head *head,
                         uint64_t id_key, unsigned count);

/* End them all; none may be taken. */
void views_done(struct views *views);

/* A view of the last commit.  Returns 0, STATUS_BUSY where all are taken, or a status. */
MUSTCHECK int views_take(struct views *views, struct lmdb_view **ret_view);

/* Give VIEW back. */
void views_give(struct views *views, struct lmdb_view *view);

/* How many are taken, and since when the one that was taken first is: monotonic; 0: none is. */
uint64_t views_taken(const struct views *views, int64_t *ret_oldest_us);
