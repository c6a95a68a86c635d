#include "billingd/store/lmdb/view_rows.h"

int view_rows_init(struct view_rows *rows, const struct env *env, MDB_txn *txn,
                   struct head_list *list, uint64_t block_seq, struct run_builder *builder)
{
    *rows = (struct view_rows){
        .env = env, .txn = txn, .list = list, .block_seq = block_seq, .builder = builder};
    int rc = manifest_read(env, txn, &rows->segments);
    if (rc == 0) {
        manifest_keep_live(&rows->segments);
        rows->sealed_seq = manifest_sealed_seq(&rows->segments);
        rc = manifest_is_whole(&rows->segments) ? 0 : STATUS_CORRUPT;
    }
    if (rc < 0) {
        view_rows_done(rows);
    }
    return rc;
}

void view_rows_done(struct view_rows *rows)
{
    manifest_done(&rows->segments);
    head_list_release(rows->list);
    run_release(rows->appended);
    *rows = (struct view_rows){0};
}

bool view_rows_has(const struct view_rows *rows, const struct run *run)
{
    return run->first_seq > rows->sealed_seq && run->first_seq <= rows->block_seq;
}

/* Take up what the transaction has appended, where it has since that was last done. */
static int take_appended(struct view_rows *rows)
{
    if (rows->builder == NULL || run_builder_count(rows->builder) == 0 ||
        (rows->appended != NULL && rows->appended->last_seq == rows->builder->last_seq)) {
        return 0;
    }
    run_release(rows->appended);
    rows->appended = NULL;
    return run_build(rows->builder, &rows->appended);
}

const uint8_t *view_rows_of_run(const struct run *run, enum segment_table table, size_t *ret_n)
{
    switch (table) {
    case SEGMENT_REQUESTS:
        *ret_n = run->n_requests;
        return (const uint8_t *)run->requests;
    case SEGMENT_USAGE:
        *ret_n = run->n_usage;
        return (const uint8_t *)run->usage;
    case SEGMENT_LATE:
        *ret_n = run->n_late;
        return (const uint8_t *)run->late;
    case SEGMENT_SUMS:
        *ret_n = run->n_sums;
        return (const uint8_t *)run->sums;
    case SEGMENT_FILTER:
        break;
    }
    *ret_n = 0;
    return NULL;
}

/* Add those rows of RUN that are at least A and B. */
static int add_run(struct row_merge *merge, struct run *run, uint64_t a, uint64_t b)
{
    size_t n;
    int rc = run_sort(run);
    if (rc < 0) {
        return rc;
    }
    const uint8_t *rows = view_rows_of_run(run, merge->table, &n);
    size_t bytes = segment_row_bytes(merge->table);
    size_t first = segment_rows_before(merge->table, rows, n, a, b);
    if (first < n) {
        row_merge_add_rows(merge, rows + first * bytes, n - first);
    }
    return 0;
}

int view_rows_merge(struct view_rows *rows, enum segment_table table, uint64_t a, uint64_t b,
                    struct row_merge *ret)
{
    int rc = take_appended(rows);
    if (rc == 0) {
        rc = row_merge_init(ret, table, rows->segments.n + rows->list->n + 1);
    }
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < rows->segments.n && rc == 0; i++) {
        const struct segment *segment = &rows->segments.segments[i];
        if (segment_count(segment, table) > 0) {
            rc = row_merge_add_segment(ret, rows->env, rows->txn,
                                       (struct segment_start){segment->id, table, a, b});
        }
    }
    for (size_t i = 0; i < rows->list->n && rc == 0; i++) {
        if (view_rows_has(rows, rows->list->runs[i])) {
            rc = add_run(ret, rows->list->runs[i], a, b);
        }
    }
    if (rc == 0 && rows->appended != NULL) {
        rc = add_run(ret, rows->appended, a, b);
    }
    if (rc < 0) {
        row_merge_done(ret);
    }
    return rc;
}

uint64_t view_rows_usage(const struct view_rows *rows)
{
    uint64_t n = rows->builder == NULL ? 0 : rows->builder->n_usage;
    for (size_t i = 0; i < rows->segments.n; i++) {
        n += rows->segments.segments[i].n_usage;
    }
    for (size_t i = 0; i < rows->list->n; i++) {
        n += view_rows_has(rows, rows->list->runs[i]) ? rows->list->runs[i]->n_usage : 0;
    }
    return n;
}
