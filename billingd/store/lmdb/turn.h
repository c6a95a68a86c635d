/* Whose turn it is to write: LMDB has one write transaction at a time, and whoever asks again at
 * once would get it again and again.  Where both want it, the committer and the sealer alternate.
 *
 * A commit costs a sync whatever it holds.  So what the sealer has to write can ride: it is
 * offered, and the committer takes it along in the transaction that it is about to commit.  Where
 * nothing is recorded for a while, the sealer takes a turn of its own.  Any thread. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include <lmdb.h>

#include "proto/status.h"

enum turn_of {
    TURN_COMMITTER,
    TURN_SEALER,
};

/* Writes into TXN what is to be made of ARG.  Any thread, perhaps more than once: after a commit
 * that failed.  Returns 0 or the status of a failed write. */
typedef int ride_fn(void *arg, MDB_txn *txn);

/* What may be written as part of another's transaction. */
struct ride {
    ride_fn *write;
    void *arg;
    enum {
        RIDE_OFFERED,
        RIDE_TAKEN,
        RIDE_OVER,
    } state;
    int status; /* when it is over: how the commit went */
};

struct turn {
    pthread_mutex_t lock;

    /* --- guarded by lock --- */
    pthread_cond_t given; /* signalled when the turn is given back */
    bool taken;
    bool wanted[2];    /* by whom */
    enum turn_of last; /* who had it */
    bool spoilt;       /* see turn_spoil() */
    bool quiet;        /* the committer has not had it since an offer was in vain */
    struct ride *ride; /* not owned; what is offered or taken along; else NULL */
};

/* Ready TURN, or end it: then nobody may have it, nor want it. */
void turn_init(struct turn *turn);
void turn_done(struct turn *turn);

/* Sealer: offer RIDE, whose write and arg are set.  Returns whether a committer took it along, and
 * it is over; else it was not written. */
bool turn_offer(struct turn *turn, struct ride *ride);

/* Committer, whose turn it is: write what is offered into TXN, if anything is.  Returns 0, or the
 * status of a failed write.  Then, whatever became of it, say with turn_ride_over() how the commit
 * of TXN went. */
MUSTCHECK int turn_take_along(struct turn *turn, MDB_txn *txn);
void turn_ride_over(struct turn *turn, int status);

/* Wait for the turn, and give it back. */
void turn_take(struct turn *turn, enum turn_of who);
void turn_give(struct turn *turn);

/* Whose turn it is: the outcome of my commit is unknown, and nothing is to be written any more; and
 * whether somebody has said so. */
void turn_spoil(struct turn *turn);
bool turn_is_spoilt(struct turn *turn);
