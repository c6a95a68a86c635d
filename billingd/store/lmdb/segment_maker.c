#include "billingd/store/lmdb/segment_maker.h"

#include "billingd/base/failpoint.h"
#include "billingd/store/lmdb/row_merge.h"

/* --- one table -------------------------------------------------------------------------------- */

union row {
    struct request_row request;
    struct place_row place;
    struct sum_row sum;
};

static void add_run(struct row_merge *merge, const struct run *run)
{
    switch (merge->table) {
    case SEGMENT_REQUESTS:
        row_merge_add_rows(merge, run->requests, run->n_requests);
        break;
    case SEGMENT_USAGE:
        row_merge_add_rows(merge, run->usage, run->n_usage);
        break;
    case SEGMENT_LATE:
        row_merge_add_rows(merge, run->late, run->n_late);
        break;
    case SEGMENT_SUMS:
        row_merge_add_rows(merge, run->sums, run->n_sums);
        break;
    case SEGMENT_FILTER:
        break;
    }
}

/* How far a table was merged. */
struct reached {
    union row row; /* the last that was written */
    size_t n;      /* of those equal to it, how many went into it and the ones before it; 0: none
                      were written */
};

/* Pass over what was merged before.  A merge of the same sources gives the same rows again, equal
 * ones too. */
static int pass_over(struct row_merge *merge, const struct reached *reached)
{
    size_t left = reached->n;
    int rc = 0;
    while (rc == 0 && left > 0 && row_merge_peek(merge) != NULL) {
        int order = row_compare(merge->table, row_merge_peek(merge), &reached->row);
        if (order > 0) {
            break;
        }
        left -= order == 0;
        rc = row_merge_step(merge);
    }
    return rc;
}

/* All rows of TABLE behind what was REACHED. */
static int open_merge(struct segment_job *job, enum segment_table table,
                      const struct reached *reached, struct row_merge *ret)
{
    size_t n = job->runs != NULL ? job->runs->n : job->n_segments;
    struct segment_start start = {.table = table};
    int rc = row_merge_init(ret, table, n);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; job->runs != NULL && i < n; i++) {
        add_run(ret, job->runs->runs[i]);
    }
    if (reached->n > 0) {
        segment_row_leading(table, &reached->row, &start.a, &start.b);
    }
    for (size_t i = 0; job->runs == NULL && i < n && rc == 0; i++) {
        start.segment = job->segments[i].id;
        rc = row_merge_add_segment(ret, job->env, job->txn, start);
    }
    if (rc == 0) {
        rc = pass_over(ret, reached);
    }
    if (rc < 0) {
        row_merge_done(ret);
    }
    return rc;
}

/* Take the next row, of sums all that are equal and fit, as one. */
static int take_row(struct row_merge *merge, struct reached *reached)
{
    enum segment_table table = merge->table;
    const void *next = row_merge_peek(merge);
    bool equal = table == SEGMENT_SUMS && reached->n > 0 && sum_row_same(next, &reached->row.sum);
    memcpy(&reached->row, next, segment_row_bytes(table));
    reached->n = equal ? reached->n : 0;
    int rc = 0;
    do {
        reached->n++;
        rc = row_merge_step(merge);
        next = row_merge_peek(merge);
    } while (rc == 0 && table == SEGMENT_SUMS && next != NULL &&
             sum_row_same(next, &reached->row.sum) && sum_row_add(&reached->row.sum, next));
    return rc;
}

/* Write the slice, and make way for what is not to be kept waiting. */
static int end_slice(struct segment_job *job)
{
    if (job->txn != NULL) {
        mdb_txn_reset(job->txn);
        FAILPOINT("before_merge_slice");
    }
    int rc = segment_writer_flush(&job->writer);
    if (rc == 0 && job->txn != NULL) {
        FAILPOINT("after_merge_slice");
    }
    if (rc == 0) {
        rc = job->between(job->arg);
    }
    if (rc == 0 && job->txn != NULL) {
        rc = env_status(mdb_txn_renew(job->txn));
    }
    return rc;
}

static int write_table(struct segment_job *job, enum segment_table table)
{
    struct row_merge merge;
    struct reached reached = {.n = 0};
    int rc = open_merge(job, table, &reached, &merge);
    if (rc < 0) {
        return rc;
    }
    while (rc == 0 && row_merge_peek(&merge) != NULL) {
        bool full = false;
        rc = take_row(&merge, &reached);
        if (rc == 0) {
            segment_writer_add(&job->writer, table, &reached.row, &full);
        }
        if (rc < 0 || !full) {
            continue;
        }
        if (job->txn == NULL) {
            rc = end_slice(job);
            continue;
        }
        row_merge_done(&merge);
        rc = end_slice(job);
        if (rc == 0) {
            rc = open_merge(job, table, &reached, &merge);
        }
    }
    row_merge_done(&merge);
    return rc;
}

static int write_tables(struct segment_job *job)
{
    int rc = 0;
    for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS && rc == 0; table++) {
        rc = write_table(job, table);
    }
    return rc;
}

/* Read the filter here, where nobody waits for it.  Where that fails, whoever needs it tries. */
static void shelve_filter(struct segment_job *job)
{
    struct open_filter filter;
    MDB_txn *txn;
    int rc = env_status(mdb_txn_begin(job->env->mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return;
    }
    rc = open_filter_init(job->env, txn, &job->writer.segment, &filter);
    mdb_txn_abort(txn);
    if (rc == 0) {
        filter_shelf_put(job->shelf, &filter);
    }
}

/* Write the rest of SEGMENT, and have it read in place of what it was made of. */
static int finish_segment(struct segment_job *job, const struct segment *segment)
{
    int rc = segment_writer_complete(&job->writer);
    if (rc < 0) {
        return rc;
    }
    shelve_filter(job);
    rc = segment_writer_finish(&job->writer, job->segments, job->n_segments);
    if (rc < 0) {
        filter_shelf_drop(job->shelf, segment->id);
    }
    for (size_t i = 0; rc == 0 && i < job->n_segments; i++) {
        filter_shelf_drop(job->shelf, job->segments[i].id);
    }
    return rc;
}

int segment_make(struct segment_job *job, const struct segment *segment, uint64_t requests)
{
    int rc = 0;
    if (job->segments != NULL) {
        rc = env_status(mdb_txn_begin(job->env->mdb, NULL, MDB_RDONLY, &job->txn));
    }
    if (rc < 0) {
        return rc;
    }
    rc = segment_writer_begin(&job->writer, job->env, job->turn, segment, requests,
                              job->slice_bytes);
    if (rc == 0) {
        rc = write_tables(job);
    }
    if (rc == 0) {
        rc = finish_segment(job, segment);
    }
    segment_writer_done(&job->writer);
    if (job->txn != NULL) {
        mdb_txn_abort(job->txn);
    }
    return rc;
}
