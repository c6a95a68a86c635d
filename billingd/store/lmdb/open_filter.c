#include "billingd/store/lmdb/open_filter.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/filter.h"

/* --- one filter ------------------------------------------------------------------------------- */

/* In place of a damaged filter, lest nothing could be recorded any more: everything may be in the
 * segment, so that every search looks there. */
static void open_without(struct open_filter *filter)
{
    static const uint8_t may_have_all[FILTER_BLOCK_BYTES] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    };
    filter->n_blocks = 1;
    filter->chunks[0] = may_have_all;
}

int open_filter_init(const struct env *env, MDB_txn *txn, const struct segment *segment,
                     struct open_filter *ret)
{
    uint64_t n_chunks = (segment->filter_blocks + SEGMENT_FILTER_ROWS - 1) / SEGMENT_FILTER_ROWS;
    struct open_filter filter = {.segment = segment->id, .n_blocks = segment->filter_blocks};
    filter.chunks = calloc(n_chunks + 1, sizeof *filter.chunks);
    if (filter.chunks == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc = segment_filter(env, txn, segment->id, segment->filter_blocks, filter.chunks);
    if (rc == STATUS_CORRUPT) {
        open_without(&filter);
        rc = 0;
    }
    if (rc < 0) {
        open_filter_done(&filter);
        return rc;
    }
    *ret = filter;
    return 0;
}

void open_filter_done(struct open_filter *filter)
{
    free(filter->chunks);
    filter->chunks = NULL;
}

/* --- the shelf -------------------------------------------------------------------------------- */

void filter_shelf_init(struct filter_shelf *shelf)
{
    *shelf = (struct filter_shelf){0};
    INVARIANT(pthread_mutex_init(&shelf->lock, NULL) == 0);
}

void filter_shelf_done(struct filter_shelf *shelf)
{
    for (size_t i = 0; i < shelf->n; i++) {
        open_filter_done(&shelf->filters[i]);
    }
    free(shelf->filters);
    INVARIANT(pthread_mutex_destroy(&shelf->lock) == 0);
}

void filter_shelf_put(struct filter_shelf *shelf, struct open_filter *filter)
{
    pthread_mutex_lock(&shelf->lock);
    struct open_filter *filters = realloc(shelf->filters, (shelf->n + 1) * sizeof *filters);
    if (filters == NULL) {
        open_filter_done(filter);
    } else {
        filters[shelf->n] = *filter;
        shelf->filters = filters;
        shelf->n++;
    }
    pthread_mutex_unlock(&shelf->lock);
}

bool filter_shelf_take(struct filter_shelf *shelf, uint64_t segment, struct open_filter *ret)
{
    bool found = false;
    pthread_mutex_lock(&shelf->lock);
    for (size_t i = 0; i < shelf->n && !found; i++) {
        found = shelf->filters[i].segment == segment;
        if (found) {
            *ret = shelf->filters[i];
            shelf->n--;
            shelf->filters[i] = shelf->filters[shelf->n];
        }
    }
    pthread_mutex_unlock(&shelf->lock);
    return found;
}

void filter_shelf_drop(struct filter_shelf *shelf, uint64_t segment)
{
    struct open_filter filter;
    if (filter_shelf_take(shelf, segment, &filter)) {
        open_filter_done(&filter);
    }
}
