#include "billingd/store/lmdb/dedup.h"

#include <stdlib.h>

#include "billingd/store/lmdb/filter.h"

enum {
    ANNOUNCED_FIRST = 64,         /* room to begin with */
    ANNOUNCED_KEPT = 64 * 1024,   /* room to keep: some 3 MiB */
    PREFETCH_AHEAD = 16,          /* as long as memory takes; all at once would not stay there */
    SEARCH_AHEAD = PREFETCH_AHEAD /* for one of them, where some are not looked up */
};

void dedup_init(struct dedup *dedup, struct filter_shelf *shelf, struct head *head, uint64_t id_key)
{
    *dedup = (struct dedup){.shelf = shelf, .head = head, .id_key = id_key};
}

static void free_filters(struct open_filter *filters, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        open_filter_done(&filters[i]);
    }
    free(filters);
}

void dedup_done(struct dedup *dedup)
{
    free_filters(dedup->filters, dedup->n);
    free(dedup->announced);
    *dedup = (struct dedup){0};
}

/* --- filters ---------------------------------------------------------------------------------- */

/* Whether FILTERS are those of the live segments of ROWS. */
static bool is_current(const struct dedup *dedup, const struct view_rows *rows)
{
    bool same = dedup->n == rows->segments.n;
    for (size_t i = 0; i < dedup->n && same; i++) {
        same = dedup->filters[i].segment == rows->segments.segments[i].id;
    }
    return same;
}

/* The filter that is open already, taken out of DEDUP; returns whether there is one. */
static bool reuse_filter(struct dedup *dedup, uint64_t segment, struct open_filter *ret)
{
    for (size_t i = 0; i < dedup->n; i++) {
        if (dedup->filters[i].segment == segment && dedup->filters[i].chunks != NULL) {
            *ret = dedup->filters[i];
            dedup->filters[i].chunks = NULL;
            return true;
        }
    }
    return false;
}

static int refresh(struct dedup *dedup, const struct view_rows *rows)
{
    size_t n = rows->segments.n;
    int rc = 0;
    struct open_filter *filters = calloc(n + 1, sizeof *filters);
    if (filters == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct segment *segment = &rows->segments.segments[i];
        if (!reuse_filter(dedup, segment->id, &filters[i]) &&
            !filter_shelf_take(dedup->shelf, segment->id, &filters[i])) {
            rc = open_filter_init(rows->env, rows->txn, segment, &filters[i]);
        }
    }
    free_filters(dedup->filters, dedup->n);
    dedup->filters = filters;
    dedup->n = n;
    if (rc < 0) { /* all anew the next time */
        free_filters(filters, n);
        dedup->filters = NULL;
        dedup->n = 0;
    }
    return rc;
}

static const uint8_t *block_of(const struct open_filter *filter, uint64_t high)
{
    uint64_t block = filter_block_of(high, filter->n_blocks);
    return filter->chunks[block / SEGMENT_FILTER_ROWS] +
           block % SEGMENT_FILTER_ROWS * FILTER_BLOCK_BYTES;
}

/* --- a transaction ---------------------------------------------------------------------------- */

static void forget_announced(struct dedup *dedup)
{
    dedup->n_announced = 0;
    dedup->at = 0;
    if (dedup->announced_max > ANNOUNCED_KEPT) {
        free(dedup->announced);
        dedup->announced = NULL;
        dedup->announced_max = 0;
    }
}

int dedup_begin(struct dedup *dedup, const struct view_rows *rows)
{
    forget_announced(dedup);
    return is_current(dedup, rows) ? 0 : refresh(dedup, rows);
}

/* --- fingerprints ----------------------------------------------------------------------------- */

static int make_room(struct dedup *dedup)
{
    if (dedup->n_announced < dedup->announced_max) {
        return 0;
    }
    size_t max = dedup->announced_max == 0 ? ANNOUNCED_FIRST : dedup->announced_max * 2;
    struct announced *announced = realloc(dedup->announced, max * sizeof *announced);
    if (announced == NULL) {
        return STATUS_NO_MEMORY;
    }
    dedup->announced = announced;
    dedup->announced_max = max;
    return 0;
}

static void prefetch(const struct dedup *dedup, const struct announced *announced)
{
    head_prefetch(dedup->head, announced->low);
    for (size_t i = 0; i < dedup->n; i++) {
        __builtin_prefetch(block_of(&dedup->filters[i], announced->high));
    }
}

int dedup_announce(struct dedup *dedup, struct store_key key)
{
    int rc = make_room(dedup);
    if (rc < 0) {
        return rc;
    }
    struct announced *announced = &dedup->announced[dedup->n_announced];
    announced->key = key;
    row_fingerprint(key, dedup->id_key, &announced->high, &announced->low);
    if (dedup->n_announced < PREFETCH_AHEAD) {
        prefetch(dedup, announced);
    }
    dedup->n_announced++;
    return 0;
}

/* Whether A, which stays valid, is B: the same text at the same place. */
static bool is_same(struct store_key a, struct store_key b)
{
    return a.scope == b.scope && a.request_id.data == b.request_id.data &&
           a.request_id.length == b.request_id.length;
}

/* Go on to the one at TO. */
static void advance(struct dedup *dedup, size_t to)
{
    for (; dedup->at < to; dedup->at++) {
        size_t ahead = dedup->at + PREFETCH_AHEAD;
        if (ahead < dedup->n_announced) {
            prefetch(dedup, &dedup->announced[ahead]);
        }
    }
}

void dedup_fingerprint(struct dedup *dedup, struct store_key key, uint64_t *ret_high,
                       uint64_t *ret_low)
{
    for (size_t i = dedup->at; i < dedup->n_announced && i < dedup->at + SEARCH_AHEAD; i++) {
        if (is_same(dedup->announced[i].key, key)) {
            advance(dedup, i);
            *ret_high = dedup->announced[i].high;
            *ret_low = dedup->announced[i].low;
            return;
        }
    }
    row_fingerprint(key, dedup->id_key, ret_high, ret_low);
}

/* --- searching -------------------------------------------------------------------------------- */

/* What a candidate's answer RC means for the search: 0 goes on. */
static int ended(int rc)
{
    return rc == 1 ? 0 : rc == 0 ? STATUS_NOT_FOUND : rc;
}

static int search_head(const struct dedup *dedup, uint64_t low, dedup_candidate_fn candidate_cb,
                       void *arg)
{
    struct head_requests requests = head_requests(low);
    int rc = 0;
    for (uint64_t seq = head_requests_next(dedup->head, &requests); seq != 0 && rc == 0;
         seq = head_requests_next(dedup->head, &requests)) {
        rc = candidate_cb(seq, arg);
    }
    return rc;
}

/* The rows with the fingerprint, out of sorted ones. */
static int search_merge(struct row_merge *merge, uint64_t high, uint64_t low,
                        dedup_candidate_fn candidate_cb, void *arg)
{
    int rc = 0;
    for (const struct request_row *row = row_merge_peek(merge);
         rc == 0 && row != NULL && row->high == high; row = row_merge_peek(merge)) {
        if (row->low == low) {
            rc = candidate_cb(row->seq, arg);
        }
        if (rc == 0) {
            rc = row_merge_step(merge);
        }
    }
    return rc;
}

static int search_segment(const struct view_rows *rows, uint64_t segment, uint64_t high,
                          uint64_t low, dedup_candidate_fn candidate_cb, void *arg)
{
    struct row_merge merge;
    int rc = row_merge_init(&merge, SEGMENT_REQUESTS, 1);
    if (rc < 0) {
        return rc;
    }
    rc = row_merge_add_segment(&merge, rows->env, rows->txn,
                               (struct segment_start){segment, SEGMENT_REQUESTS, high, 0});
    if (rc == 0) {
        rc = search_merge(&merge, high, low, candidate_cb, arg);
    }
    row_merge_done(&merge);
    return rc;
}

int dedup_find(const struct dedup *dedup, const struct view_rows *rows, uint64_t high, uint64_t low,
               dedup_candidate_fn candidate_cb, void *arg)
{
    int rc = search_head(dedup, low, candidate_cb, arg);
    for (size_t i = 0; i < dedup->n && rc == 0; i++) {
        const struct open_filter *filter = &dedup->filters[i];
        if (filter_may_have(block_of(filter, high), low)) {
            rc = search_segment(rows, filter->segment, high, low, candidate_cb, arg);
        }
    }
    return ended(rc);
}

int dedup_search(struct view_rows *rows, uint64_t high, uint64_t low,
                 dedup_candidate_fn candidate_cb, void *arg)
{
    struct row_merge merge;
    int rc = view_rows_merge(rows, SEGMENT_REQUESTS, high, 0, &merge);
    if (rc < 0) {
        return rc;
    }
    rc = search_merge(&merge, high, low, candidate_cb, arg);
    row_merge_done(&merge);
    return ended(rc);
}
