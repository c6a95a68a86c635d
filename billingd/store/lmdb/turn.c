#include "billingd/store/lmdb/turn.h"

#include <time.h>

#include "billingd/base/assert.h"

enum {
    OFFER_NS = 20000000, /* so long nothing is begun: quiet enough for a turn of its own */
    OFFER_TURNS_MAX = 8, /* of the committer, which may have nothing to commit */
};

void turn_init(struct turn *turn)
{
    *turn = (struct turn){.last = TURN_SEALER};
    INVARIANT(pthread_mutex_init(&turn->lock, NULL) == 0);
    pthread_condattr_t attributes;
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&turn->given, &attributes) == 0);
    INVARIANT(pthread_condattr_destroy(&attributes) == 0);
}

void turn_done(struct turn *turn)
{
    INVARIANT(pthread_cond_destroy(&turn->given) == 0);
    INVARIANT(pthread_mutex_destroy(&turn->lock) == 0);
}

void turn_take(struct turn *turn, enum turn_of who)
{
    enum turn_of other = who == TURN_SEALER ? TURN_COMMITTER : TURN_SEALER;
    pthread_mutex_lock(&turn->lock);
    turn->wanted[who] = true;
    while (turn->taken || (turn->wanted[other] && turn->last == who)) {
        pthread_cond_wait(&turn->given, &turn->lock);
    }
    turn->wanted[who] = false;
    turn->taken = true;
    turn->last = who;
    turn->quiet &= who != TURN_COMMITTER;
    pthread_mutex_unlock(&turn->lock);
}

void turn_give(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->taken = false;
    pthread_mutex_unlock(&turn->lock);
    pthread_cond_broadcast(&turn->given); /* two at most */
}

void turn_spoil(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->spoilt = true;
    pthread_mutex_unlock(&turn->lock);
}

bool turn_is_spoilt(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    bool spoilt = turn->spoilt;
    pthread_mutex_unlock(&turn->lock);
    return spoilt;
}

/* --- rides ------------------------------------------------------------------------------------ */

static struct timespec end_of_offer(void)
{
    struct timespec end;
    INVARIANT(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    end.tv_nsec += OFFER_NS;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    return end;
}

bool turn_offer(struct turn *turn, struct ride *ride)
{
    struct timespec end = end_of_offer();
    pthread_mutex_lock(&turn->lock);
    ride->state = RIDE_OFFERED;
    turn->ride = ride;
    for (int passed = 0; ride->state == RIDE_OFFERED && passed < OFFER_TURNS_MAX;) {
        if (turn->taken) { /* the committer may come to a commit */
            pthread_cond_wait(&turn->given, &turn->lock);
            end = end_of_offer();
            passed++;
        } else if (turn->quiet || pthread_cond_timedwait(&turn->given, &turn->lock, &end) != 0) {
            turn->quiet = true;
            break;
        }
    }
    while (ride->state == RIDE_TAKEN) {
        pthread_cond_wait(&turn->given, &turn->lock);
    }
    turn->ride = NULL;
    bool over = ride->state == RIDE_OVER;
    pthread_mutex_unlock(&turn->lock);
    return over;
}

int turn_take_along(struct turn *turn, MDB_txn *txn)
{
    pthread_mutex_lock(&turn->lock);
    struct ride *ride = turn->ride;
    if (ride != NULL && ride->state == RIDE_OFFERED) {
        ride->state = RIDE_TAKEN;
    } else {
        ride = NULL;
    }
    pthread_mutex_unlock(&turn->lock);
    return ride == NULL ? 0 : ride->write(ride->arg, txn);
}

void turn_ride_over(struct turn *turn, int status)
{
    pthread_mutex_lock(&turn->lock);
    bool taken = turn->ride != NULL && turn->ride->state == RIDE_TAKEN;
    if (taken) {
        turn->ride->state = RIDE_OVER;
        turn->ride->status = status;
    }
    pthread_mutex_unlock(&turn->lock);
    if (taken) {
        pthread_cond_broadcast(&turn->given);
    }
}
