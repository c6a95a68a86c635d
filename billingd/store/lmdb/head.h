/* The head: the rows of the newest records, in memory, until they are sealed into a segment.
 *
 * They lie in runs.  The list of runs that a view sees never changes; a commit puts a new list in
 * its place.  Small runs are merged as they gather, as the digits of a number carry, by a thread of
 * its own, so that recording does not wait for it.  When the head has its fill, its runs are
 * frozen: the sealer turns them into a segment while new ones gather behind them, and then they
 * are dropped.
 *
 *   committer
 *     head_requests, head_note .. head_publish, the commit, head_settle or head_retract
 *     .. head_freeze
 *
 *   tidier
 *     head_tidy
 *
 *   sealer
 *     head_frozen .. head_drop
 *
 *   readers
 *     head_view .. head_list_release */
#pragma once

#include <pthread.h>

#include "billingd/store/lmdb/request_table.h"
#include "billingd/store/lmdb/run.h"

/* Runs in the order of the journal, without gaps. */
struct head_list {
    atomic_uint refs;
    size_t n;
    struct run *runs[]; /* each is held */
};

/* Let LIST go.  Any thread. */
void head_list_release(struct head_list *list);

struct head {
    uint64_t records_max; /* that make it full */

    /* --- committer thread --- */
    struct request_table active; /* of the runs behind frozen_seq */
    struct request_table frozen; /* of those up to it */

    /* --- guarded by lock --- */
    pthread_mutex_t lock;
    struct head_list *list;  /* held */
    struct head_list *spare; /* owned: room for the list without the run that was published, until
                                that is settled; else NULL */
    uint64_t frozen_seq;     /* runs up to this record are being sealed; 0: none are */
    uint64_t sealed_seq;     /* the last record of the last segment */

    atomic_size_t tables_bytes; /* of the two above; the committer's to set, any thread's to read */
};

/* An empty head behind the record SEALED_SEQ.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int head_init(struct head *head, uint64_t records_max, uint64_t sealed_seq);
void head_done(struct head *head);

/* --- readers ---------------------------------------------------------------------------------- */

/* The list as it is now, and what BEGIN makes of ARG under the same lock, so that both are of one
 * time: a list that is taken after a transaction was begun, both under the lock, has every row of
 * it that no segment in it has.  Returns what BEGIN returns; *RET_LIST is held where that is 0. */
MUSTCHECK int head_view(struct head *head, int (*begin)(void *arg), void *arg,
                        struct head_list **ret_list);

/* --- committer -------------------------------------------------------------------------------- */

/* As head_view() without anything to begin. */
struct head_list *head_hold(struct head *head);

/* Publish RUN (which the list holds from then on) before its commit: a reader passes over it until
 * its own transaction has the records.  Returns 0 or STATUS_NO_MEMORY, with nothing done. */
MUSTCHECK int head_publish(struct head *head, struct run *run);

/* The commit of the run that was published last has failed: take it back.  Its request ids are to
 * be forgotten as well. */
void head_retract(struct head *head);

/* It has gone well. */
void head_settle(struct head *head);

/* Whether head_tidy() has enough to do that somebody should do it. */
bool head_is_untidy(struct head *head);

/* Freeze the runs that there are, where the head is full and none are frozen.  Returns whether it
 * did. */
bool head_freeze(struct head *head);

/* Freeze them however few they are, where there are any and none are frozen.  Returns whether it
 * did. */
bool head_freeze_all(struct head *head);

/* How many records are in runs that are not frozen. */
uint64_t head_active(struct head *head);

/* The record of ROW, which is appended, is found by head_requests() from now on.  Returns 0 or
 * STATUS_NO_MEMORY. */
MUSTCHECK int head_note(struct head *head, struct request_row row);

/* It was not recorded after all; nothing where it was not noted. */
void head_forget(struct head *head, struct request_row row);

/* The records of the head whose request id may have a fingerprint, one by one. */
struct head_requests {
    uint64_t low;   /* half of it */
    bool in_frozen; /* active first, then frozen */
    size_t at;
};

/* Begin them, for the fingerprint whose half is LOW. */
struct head_requests head_requests(uint64_t low);

/* The seq of the next; 0 when there are no more. */
uint64_t head_requests_next(const struct head *head, struct head_requests *requests);

/* Bring what head_requests_next() looks at into the cache. */
void head_prefetch(const struct head *head, uint64_t low);

/* --- tidier: any thread, one at a time -------------------------------------------------------- */

/* Sort the runs that are not sorted yet, and merge those that have settled where there are enough
 * of a kind.  What memory does not suffice for is left as it is. */
void head_tidy(struct head *head);

/* --- sealer ----------------------------------------------------------------------------------- */

/* The frozen runs, held; NULL: there are none.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int head_frozen(struct head *head, struct head_list **ret_list);

/* Whether there are any.  Any thread. */
bool head_is_frozen(struct head *head);

/* How many records are in memory, frozen or not, and about how much of it they take.  Any
 * thread. */
void head_extent(struct head *head, uint64_t *ret_records, uint64_t *ret_bytes);

/* They are sealed: drop them. */
void head_drop(struct head *head);
