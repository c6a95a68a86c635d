/* Finding what was recorded under a request id, for every record that comes in: first what the
 * transaction has itself, then the head's table, then the filters of all segments, and only where
 * one of those says so the segment.
 *
 * What is found is a candidate: two request ids may have one fingerprint, so the caller compares
 * the record.  Committer thread. */
#pragma once

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/view_rows.h"

/* The filter of one segment, read in place. */
struct dedup_filter {
    uint64_t segment;
    uint64_t n_blocks;
    const uint8_t **chunks; /* owned; what they point to is in the map */
};

struct dedup {
    const struct env *env;
    struct head *head;
    struct request_table appended; /* by the open transaction */
    struct dedup_filter *filters;  /* owned; of the live segments, as of the open transaction */
    size_t n;
};

void dedup_init(struct dedup *dedup, const struct env *env, struct head *head);
void dedup_done(struct dedup *dedup);

/* A transaction begins that sees ROWS: forget what the last one appended, and take up the filters
 * of segments that are new.  Returns 0, STATUS_CORRUPT, STATUS_NO_MEMORY, or the status of a failed
 * read. */
MUSTCHECK int dedup_begin(struct dedup *dedup, const struct view_rows *rows);

/* The transaction has appended the record SEQ under the request id with this fingerprint.  Returns
 * 0 or STATUS_NO_MEMORY. */
MUSTCHECK int dedup_add(struct dedup *dedup, struct request_row row);

/* Bring into the cache what a search for this fingerprint looks at first. */
void dedup_prefetch(const struct dedup *dedup, uint64_t high, uint64_t low);

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
