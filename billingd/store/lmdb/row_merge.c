#include "billingd/store/lmdb/row_merge.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

int row_compare(enum segment_table table, const void *a, const void *b)
{
    switch (table) {
    case SEGMENT_REQUESTS:
        return request_row_compare(a, b);
    case SEGMENT_USAGE:
    case SEGMENT_LATE:
        return place_row_compare(a, b);
    case SEGMENT_SUMS:
        return sum_row_compare(a, b);
    case SEGMENT_FILTER:
        break;
    }
    INVARIANT(false); /* filters are not merged */
    return 0;
}

int row_merge_init(struct row_merge *merge, enum segment_table table, size_t max)
{
    *merge = (struct row_merge){.table = table, .max = max};
    merge->sources = calloc(max + 1, sizeof *merge->sources);
    merge->heap = calloc(max + 1, sizeof(struct row_source *));
    if (merge->sources == NULL || merge->heap == NULL) {
        row_merge_done(merge);
        return STATUS_NO_MEMORY;
    }
    return 0;
}

void row_merge_done(struct row_merge *merge)
{
    for (size_t i = 0; i < merge->n; i++) {
        segment_scan_close(&merge->sources[i].scan);
    }
    free(merge->sources);
    free(merge->heap);
    *merge = (struct row_merge){0};
}

/* --- the heap --------------------------------------------------------------------------------- */

/* Let the source at AT sink to where it belongs. */
static void sink(struct row_merge *merge, size_t at)
{
    struct row_source **heap = merge->heap;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->n_heap; child++) {
            if (row_compare(merge->table, heap[child]->next, heap[least]->next) < 0) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        struct row_source *other = heap[at];
        heap[at] = heap[least];
        heap[least] = other;
        at = least;
    }
}

/* Let the last source rise to where it belongs. */
static void rise(struct row_merge *merge)
{
    struct row_source **heap = merge->heap;
    for (size_t at = merge->n_heap - 1; at > 0;) {
        size_t parent = (at - 1) / 2;
        if (row_compare(merge->table, heap[parent]->next, heap[at]->next) <= 0) {
            return;
        }
        struct row_source *other = heap[at];
        heap[at] = heap[parent];
        heap[parent] = other;
        at = parent;
    }
}

/* --- sources ---------------------------------------------------------------------------------- */

static int find_next(struct row_merge *merge, struct row_source *source)
{
    if (source->rows == NULL) {
        return segment_scan_peek(&source->scan, &source->next);
    }
    source->next =
        source->at < source->n ? source->rows + source->at * segment_row_bytes(merge->table) : NULL;
    return 0;
}

/* SOURCE, the last of all, takes part where it has rows. */
static void join(struct row_merge *merge, struct row_source *source)
{
    merge->n++;
    if (source->next != NULL) {
        merge->heap[merge->n_heap] = source;
        merge->n_heap++;
        rise(merge);
    }
}

void row_merge_add_rows(struct row_merge *merge, const void *rows, size_t n)
{
    REQUIRE(merge->n < merge->max);
    struct row_source *source = &merge->sources[merge->n];
    if (n > 0) {
        *source = (struct row_source){.rows = rows, .n = n, .next = rows};
        join(merge, source);
    }
}

int row_merge_add_segment(struct row_merge *merge, const struct env *env, MDB_txn *txn,
                          uint64_t segment, uint64_t a, uint64_t b)
{
    REQUIRE(merge->n < merge->max);
    struct row_source *source = &merge->sources[merge->n];
    *source = (struct row_source){0};
    int rc = segment_scan_open(env, txn, segment, merge->table, a, b, &source->scan);
    if (rc < 0) {
        return rc;
    }
    rc = find_next(merge, source);
    if (rc < 0) {
        segment_scan_close(&source->scan);
        return rc;
    }
    join(merge, source);
    return 0;
}

const void *row_merge_peek(const struct row_merge *merge)
{
    return merge->n_heap == 0 ? NULL : merge->heap[0]->next;
}

int row_merge_step(struct row_merge *merge)
{
    struct row_source *source = merge->heap[0];
    if (source->rows == NULL) {
        segment_scan_step(&source->scan);
    } else {
        source->at++;
    }
    int rc = find_next(merge, source);
    if (rc < 0) {
        return rc;
    }
    if (source->next == NULL) {
        merge->n_heap--;
        merge->heap[0] = merge->heap[merge->n_heap];
    }
    if (merge->n_heap > 0) {
        sink(merge, 0);
    }
    return 0;
}
