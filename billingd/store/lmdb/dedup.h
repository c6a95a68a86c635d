/* Finding what was recorded under a request id, for every record that comes in: first in the head's
 * table, which also has what the transaction has appended, then by the filters of all segments, and
 * only where one of those says so the segment.
 *
 * What is found is a candidate: two request ids may have one fingerprint, so the caller compares
 * the record.  Committer thread. */
#pragma once

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/open_filter.h"
#include "billingd/store/lmdb/view_rows.h"

/* A request id that is about to be looked up.  KEY stays valid. */
struct announced {
    struct store_key key;
    uint64_t high; /* its fingerprint */
    uint64_t low;
};

struct dedup {
    struct filter_shelf *shelf; /* where new filters come from */
    struct head *head;
    uint64_t id_key;             /* of the store */
    struct open_filter *filters; /* owned; of the live segments, as of the open transaction */
    size_t n;

    /* --- in the order in which they are about to be looked up --- */
    struct announced *announced; /* owned */
    size_t n_announced;
    size_t announced_max; /* there is room for so many */
    size_t at;            /* the one that was looked up last, or the first */
};

/* ID_KEY is the store's. */
void dedup_init(struct dedup *dedup, struct filter_shelf *shelf, struct head *head,
                uint64_t id_key);
void dedup_done(struct dedup *dedup);

/* A transaction begins that sees ROWS: forget what was announced, and take up the filters of
 * segments that are new: the shelf has most.  Returns 0, STATUS_NO_MEMORY, or the status of a
 * failed read. */
MUSTCHECK int dedup_begin(struct dedup *dedup, const struct view_rows *rows);

/* KEY, which stays valid until the transaction ends, is about to be looked up, behind all that were
 * announced before.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int dedup_announce(struct dedup *dedup, struct store_key key);

/* The fingerprint of KEY; of one that was announced, known already.  What a search for those
 * announced next looks at first is brought into the cache meanwhile. */
void dedup_fingerprint(struct dedup *dedup, struct store_key key, uint64_t *ret_high,
                       uint64_t *ret_low);

/* A candidate.  Returns 0 to go on with the next, 1 where it is the one, or a status. */
typedef int (*dedup_candidate_fn)(uint64_t seq, void *arg);

/* Give every candidate of the fingerprint, as ROWS and DEDUP have it, until one is the one.
 * Returns 0, STATUS_NOT_FOUND where none was, what CANDIDATE_CB returned, or the status of a failed
 * read. */
MUSTCHECK int dedup_find(const struct dedup *dedup, const struct view_rows *rows, uint64_t high,
                         uint64_t low, dedup_candidate_fn candidate_cb, void *arg);

/* The same for a view of a reader, which has no filters: through all runs and segments.  Reader
 * threads. */
MUSTCHECK int dedup_search(struct view_rows *rows, uint64_t high, uint64_t low,
                           dedup_candidate_fn candidate_cb, void *arg);
