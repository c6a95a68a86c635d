/* The sealer: a thread that turns the frozen runs of the head into segments, merges segments into
 * larger ones, so that they stay few, and removes those that were replaced.
 *
 * It writes in slices, in turn with the committer, and leaves the old state whole until the one
 * commit that puts the new in its place.  Where there is no room on the disk it removes what was
 * replaced, and begins anew, at once or later.
 * Where a commit's outcome is unknown it stops: sealer_status() says so, and nothing is to be
 * written any more. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/open_filter.h"
#include "billingd/store/lmdb/turn.h"

struct sealer_options {
    const struct env *env;
    struct head *head;
    struct turn *turn;
    struct filter_shelf *shelf; /* where the filters of new segments are laid */
    size_t slice_bytes;         /* of one transaction */
    unsigned merge_width;       /* so many segments of a level become one of the next; at least 2 */
};

enum {
    SEALER_LEFT_OUT_MAX = 64, /* where so many are damaged, none are merged any more */
};

struct sealer {
    struct sealer_options options;
    pthread_t thread;
    bool running; /* there is a thread */

    /* --- sealer thread --- */
    uint64_t left_out[SEALER_LEFT_OUT_MAX]; /* segments that are damaged: they are not merged */
    size_t n_left_out;

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* there is work, or closing is set */
    pthread_cond_t done;   /* something was done, or has failed */
    bool work;
    bool closing;
    int status; /* of the last thing that was tried */

    /* --- any thread; the sealer's to set --- */
    atomic_uint_fast64_t damaged; /* the first segment that is left out; 0: none is */
    atomic_bool unswept;          /* one that was to be removed is damaged: none are any more */
    atomic_uint_fast64_t live;    /* segments, when the manifest was last read */
    atomic_uint_fast64_t dead;    /* likewise, those that nobody reads */
};

/* Ready SEALER, without a thread: for a start that seals as it goes.  OPTIONS are copied. */
void sealer_init(struct sealer *sealer, const struct sealer_options *options);

/* Seal what is frozen in the head, if anything is, now.  Returns 0, STATUS_STORAGE_FULL,
 * STATUS_STORAGE_FAILED, STATUS_CORRUPT or STATUS_NO_MEMORY.  Before the thread is started. */
MUSTCHECK int sealer_seal(struct sealer *sealer);

/* Start the thread.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int sealer_start(struct sealer *sealer);

/* End the thread, after the slice that it is writing, if there is one.  Then sealer_seal() may be
 * called again. */
void sealer_stop(struct sealer *sealer);

/* Free what SEALER has; its thread must have ended. */
void sealer_done(struct sealer *sealer);

/* The head has runs that are frozen.  Any thread. */
void sealer_wake(struct sealer *sealer);

/* How the last thing went that was tried: 0, or as sealer_seal().  Any thread. */
int sealer_status(struct sealer *sealer);

/* How many segments there are: that are read, and that wait to be removed.  Any thread. */
void sealer_segments(const struct sealer *sealer, uint64_t *ret_live, uint64_t *ret_dead);

/* Wait until nothing is frozen in the head.  Returns as sealer_status() where that cannot be. */
MUSTCHECK int sealer_wait(struct sealer *sealer);
