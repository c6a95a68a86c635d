/* Filters of segments, checked once and from then on read in place; and the shelf on which the
 * sealer lays those of new segments before anybody can ask them, so that the committer, who asks
 * them for every request id, need not read them first. */
#pragma once

#include <pthread.h>

#include "billingd/store/lmdb/manifest.h"

struct open_filter {
    uint64_t segment;
    uint64_t n_blocks;
    const uint8_t **chunks; /* owned; what they point to is in the map; NULL: there is no filter */
};

/* Open the filter of SEGMENT as TXN has it.  In place of one that is damaged there is one that says
 * of everything that it may be in the segment.  Returns 0, STATUS_NO_MEMORY, or the status of a
 * failed read; nothing is to be freed then.  Any thread. */
MUSTCHECK int open_filter_init(const struct env *env, MDB_txn *txn, const struct segment *segment,
                               struct open_filter *ret);
void open_filter_done(struct open_filter *filter);

struct filter_shelf {
    pthread_mutex_t lock;

    /* --- guarded by lock --- */
    struct open_filter *filters; /* owned */
    size_t n;
};

/* Ready SHELF, or free it; what still lies there at its end is closed. */
void filter_shelf_init(struct filter_shelf *shelf);
void filter_shelf_done(struct filter_shelf *shelf);

/* Lay *FILTER there, which is taken over; where memory does not suffice it is lost, and whoever
 * needs it opens it.  Sealer thread. */
void filter_shelf_put(struct filter_shelf *shelf, struct open_filter *filter);

/* Take that of SEGMENT away.  Returns whether it was there.  Any thread. */
bool filter_shelf_take(struct filter_shelf *shelf, uint64_t segment, struct open_filter *ret);

/* SEGMENT is not to be read, or not any more.  Sealer thread. */
void filter_shelf_drop(struct filter_shelf *shelf, uint64_t segment);
