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

/* Of rows that are equal, that of the source that was added first. */
static bool is_before(const struct row_merge *merge, const struct row_source *a,
                      const struct row_source *b)
{
    if (a->a != b->a) {
        return a->a < b->a;
    }
    if (a->b != b->b) {
        return a->b < b->b;
    }
    int order = row_compare(merge->table, a->next, b->next);
    return order != 0 ? order < 0 : a < b;
}

/* Let the source at AT sink to where it belongs. */
static void sink(struct row_merge *merge, size_t at)
{
    struct row_source **heap = merge->heap;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->n_heap; child++) {
            if (is_before(merge, heap[child], heap[least])) {
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
        if (!is_before(merge, heap[at], heap[parent])) {
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
    int rc = 0;
    if (source->rows == NULL) {
        rc = segment_scan_peek(&source->scan, &source->next);
    } else {
        source->next = source->at < source->n
                           ? source->rows + source->at * segment_row_bytes(merge->table)
                           : NULL;
    }
    if (rc == 0 && source->next != NULL) {
        segment_row_leading(merge->table, source->next, &source->a, &source->b);
    }
    return rc;
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
        *source = (struct row_source){.rows = rows, .n = n};
        INVARIANT(find_next(merge, source) == 0); /* an array does not fail */
        join(merge, source);
    }
}

int row_merge_add_segment(struct row_merge *merge, const struct env *env, MDB_txn *txn,
                          struct segment_start start)
{
    REQUIRE(merge->n < merge->max && start.table == merge->table);
    struct row_source *source = &merge->sources[merge->n];
    *source = (struct row_source){0};
    int rc = segment_scan_open(env, txn, start, &source->scan);
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
