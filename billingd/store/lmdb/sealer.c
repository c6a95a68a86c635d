#include "billingd/store/lmdb/sealer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/failpoint.h"
#include "billingd/base/thread.h"
#include "billingd/store/lmdb/row_merge.h"
#include "billingd/store/lmdb/segment_writer.h"
#include "billingd/store/lmdb/slice.h"

enum {
    RETRY_S = 1,            /* after there was no room */
    REMOVE_CHUNKS_MAX = 64, /* in one slice: LMDB notes every page that it frees */
};

static bool is_closing(struct sealer *sealer)
{
    pthread_mutex_lock(&sealer->lock);
    bool closing = sealer->closing;
    pthread_mutex_unlock(&sealer->lock);
    return closing;
}

/* --- one table -------------------------------------------------------------------------------- */

union row {
    struct request_row request;
    struct place_row place;
    struct sum_row sum;
};

/* A segment that is being made, and of what. */
struct job {
    struct sealer *sealer;
    struct segment_writer writer;
    /* Either runs, */
    const struct head_list *runs;
    /* or segments, which are read in a transaction that is taken up anew after each slice, lest
     * the pages that are freed meanwhile wait for it. */
    const struct segment *segments;
    size_t n_segments;
    MDB_txn *txn; /* owned */
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
static int open_merge(struct job *job, enum segment_table table, const struct reached *reached,
                      struct row_merge *ret)
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
        rc = row_merge_add_segment(ret, job->sealer->options.env, job->txn, start);
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

/* Write the slice, and make way for what is more urgent than a merge. */
static int end_slice(struct job *job)
{
    if (is_closing(job->sealer)) {
        return STATUS_SHUTTING_DOWN;
    }
    if (job->txn != NULL) {
        mdb_txn_reset(job->txn);
        FAILPOINT("before_merge_slice");
    }
    int rc = segment_writer_flush(&job->writer);
    if (rc == 0 && job->txn != NULL) {
        FAILPOINT("after_merge_slice");
        rc = sealer_seal(job->sealer);
    }
    if (rc == 0 && job->txn != NULL) {
        rc = env_status(mdb_txn_renew(job->txn));
    }
    return rc;
}

static int write_table(struct job *job, enum segment_table table)
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

static int write_tables(struct job *job)
{
    int rc = 0;
    for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS && rc == 0; table++) {
        rc = write_table(job, table);
    }
    return rc;
}

/* Make SEGMENT, for about REQUESTS request ids, out of what JOB has. */
static int write_segment(struct job *job, const struct segment *segment, uint64_t requests)
{
    const struct sealer_options *options = &job->sealer->options;
    int rc = segment_writer_begin(&job->writer, options->env, options->turn, segment, requests,
                                  options->slice_bytes);
    if (rc == 0) {
        rc = write_tables(job);
    }
    if (rc == 0) {
        rc = segment_writer_finish(&job->writer, job->segments, job->n_segments);
    }
    segment_writer_done(&job->writer);
    return rc;
}

/* --- sealing ---------------------------------------------------------------------------------- */

static void count_segments(struct sealer *sealer, const struct manifest *manifest)
{
    uint64_t live = 0;
    for (size_t i = 0; i < manifest->n; i++) {
        live += manifest->segments[i].state == SEGMENT_LIVE;
    }
    atomic_store_explicit(&sealer->live, live, memory_order_relaxed);
    atomic_store_explicit(&sealer->dead, manifest->n - live, memory_order_relaxed);
}

static int read_manifest(struct sealer *sealer, struct manifest *ret)
{
    MDB_txn *txn;
    int rc = env_status(mdb_txn_begin(sealer->options.env->mdb, NULL, MDB_RDONLY, &txn));
    if (rc == 0) {
        rc = manifest_read(sealer->options.env, txn, ret);
        mdb_txn_abort(txn);
    }
    if (rc == 0) {
        count_segments(sealer, ret);
    }
    return rc;
}

static int next_id(struct sealer *sealer, uint64_t *ret_id)
{
    struct manifest manifest;
    int rc = read_manifest(sealer, &manifest);
    if (rc == 0) {
        *ret_id = manifest_next_id(&manifest);
        manifest_done(&manifest);
    }
    return rc;
}

/* Say that something was done, or how it failed. */
static void tell(struct sealer *sealer, int status)
{
    pthread_mutex_lock(&sealer->lock);
    sealer->status = status;
    pthread_mutex_unlock(&sealer->lock);
    pthread_cond_broadcast(&sealer->done);
}

int sealer_seal(struct sealer *sealer)
{
    struct head_list *runs;
    struct segment segment = {0};
    uint64_t requests = 0;
    int rc = head_frozen(sealer->options.head, &runs);
    if (rc < 0 || runs == NULL) {
        return rc;
    }
    struct job job = {.sealer = sealer, .runs = runs};
    rc = next_id(sealer, &segment.id);
    if (rc == 0) {
        segment.first_seq = runs->runs[0]->first_seq;
        segment.last_seq = runs->runs[runs->n - 1]->last_seq;
        for (size_t i = 0; i < runs->n && rc == 0; i++) {
            requests += runs->runs[i]->n_requests;
            rc = run_sort(runs->runs[i]);
        }
    }
    if (rc == 0) {
        rc = write_segment(&job, &segment, requests);
    }
    if (rc == 0) {
        FAILPOINT("sealed");
        head_drop(sealer->options.head);
        tell(sealer, 0);
    }
    head_list_release(runs);
    return rc;
}

/* --- merging ---------------------------------------------------------------------------------- */

/* The first of so many live segments behind each other that are of one level, the lowest such;
 * NULL: there are none.  Live ones stand by first_seq; *RET_LIVE: in one array. */
static const struct segment *find_merge(const struct segment *live, size_t n, unsigned width)
{
    const struct segment *found = NULL;
    size_t like = 0;
    for (size_t i = 0; i < n; i++) {
        like = i > 0 && live[i].level == live[i - 1].level ? like + 1 : 1;
        if (like == width && (found == NULL || live[i].level < found->level)) {
            found = &live[i + 1 - width];
        }
    }
    return found;
}

/* Merge INPUTS, as many as are merged at once, into segment ID. */
static int merge_into(struct sealer *sealer, const struct segment *inputs, uint64_t id)
{
    size_t n = sealer->options.merge_width;
    struct job job = {.sealer = sealer, .segments = inputs, .n_segments = n};
    struct segment segment = {
        .id = id,
        .level = inputs[0].level + 1,
        .first_seq = inputs[0].first_seq,
        .last_seq = inputs[n - 1].last_seq,
    };
    uint64_t requests = 0;
    for (size_t i = 0; i < n; i++) {
        requests += inputs[i].n_requests;
    }
    int rc = env_status(mdb_txn_begin(sealer->options.env->mdb, NULL, MDB_RDONLY, &job.txn));
    if (rc < 0) {
        return rc;
    }
    rc = write_segment(&job, &segment, requests);
    mdb_txn_abort(job.txn);
    FAILPOINT("merged");
    return rc;
}

/* Merge segments where there are enough of a kind.  *RET_DID: whether there were. */
static int merge(struct sealer *sealer, bool *ret_did)
{
    struct manifest manifest;
    int rc = read_manifest(sealer, &manifest);
    if (rc < 0) {
        return rc;
    }
    uint64_t id = manifest_next_id(&manifest);
    manifest_keep_live(&manifest);
    const struct segment *inputs =
        find_merge(manifest.segments, manifest.n, sealer->options.merge_width);
    *ret_did = inputs != NULL;
    if (inputs != NULL) {
        rc = merge_into(sealer, inputs, id);
    }
    manifest_done(&manifest);
    return rc;
}

/* --- removing --------------------------------------------------------------------------------- */

struct removal {
    const struct env *env;
    const struct segment *segment;
};

static int remove_in(void *arg, MDB_txn *txn)
{
    const struct removal *removal = arg;
    bool left = false;
    int rc = segment_remove(removal->env, txn, removal->segment->id, REMOVE_CHUNKS_MAX, &left);
    if (rc == 0 && !left) {
        rc = manifest_remove(removal->env, txn, removal->segment->id);
    }
    FAILPOINT("before_removal");
    return rc;
}

/* Remove a slice of SEGMENT, and with the last its row. */
static int remove_slice(struct sealer *sealer, const struct segment *segment)
{
    struct removal removal = {sealer->options.env, segment};
    int rc = slice_write(removal.env, sealer->options.turn, remove_in, &removal);
    FAILPOINT("after_removal");
    return rc;
}

/* Remove a slice of what nobody reads any more, or never could.  *RET_DID: whether there was any.
 * Not while a segment is being made. */
static int sweep(struct sealer *sealer, bool *ret_did)
{
    struct manifest manifest = {0};
    int rc = read_manifest(sealer, &manifest);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < manifest.n && rc == 0 && !*ret_did; i++) {
        if (manifest.segments[i].state != SEGMENT_LIVE) {
            *ret_did = true;
            rc = remove_slice(sealer, &manifest.segments[i]);
        }
    }
    manifest_done(&manifest);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Give back what a failed attempt left half made: the next begins anew, and would take as much
 * again. */
static int clear_away(struct sealer *sealer)
{
    bool did = true;
    int rc = 0;
    while (did && rc == 0 && !is_closing(sealer)) {
        did = false;
        rc = sweep(sealer, &did);
    }
    return rc;
}

/* Do all that there is to do now. */
static int run(struct sealer *sealer)
{
    bool did = true;
    int rc = 0;
    while (did && rc == 0 && !is_closing(sealer)) {
        did = false;
        rc = sealer_seal(sealer);
        if (rc == 0 && !sealer->damaged) {
            rc = merge(sealer, &did);
            if (rc == STATUS_CORRUPT) { /* whoever reads it is told; recording goes on */
                sealer->damaged = true;
                rc = 0;
            }
        }
        if (rc == 0 && !did && !sealer->unswept) {
            rc = sweep(sealer, &did);
            if (rc == STATUS_CORRUPT) {
                sealer->unswept = true;
                did = false;
                rc = 0;
            }
        }
    }
    return rc;
}

/* Wait for work; after a failure, for a while.  Returns whether there is to be more. */
static bool wait_for_work(struct sealer *sealer)
{
    struct timespec until;
    pthread_mutex_lock(&sealer->lock);
    if (sealer->status != 0) {
        INVARIANT(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
        until.tv_sec += RETRY_S;
        while (!sealer->closing &&
               pthread_cond_timedwait(&sealer->wanted, &sealer->lock, &until) == 0) {
        }
    } else {
        while (!sealer->work && !sealer->closing) {
            pthread_cond_wait(&sealer->wanted, &sealer->lock);
        }
    }
    sealer->work = false;
    bool more = !sealer->closing && sealer->status != STATUS_STORAGE_FAILED;
    pthread_mutex_unlock(&sealer->lock);
    return more;
}

static void *sealer_main(void *arg)
{
    struct sealer *sealer = arg;
    thread_begin("sealer");
    while (wait_for_work(sealer)) {
        int rc = run(sealer);
        if (rc < 0 && rc != STATUS_STORAGE_FAILED && rc != STATUS_SHUTTING_DOWN &&
            clear_away(sealer) == STATUS_STORAGE_FAILED) {
            rc = STATUS_STORAGE_FAILED;
        }
        tell(sealer, rc == STATUS_SHUTTING_DOWN ? 0 : rc);
    }
    return NULL;
}

void sealer_init(struct sealer *sealer, const struct sealer_options *options)
{
    pthread_condattr_t attributes;
    *sealer = (struct sealer){.options = *options, .work = true};
    INVARIANT(pthread_mutex_init(&sealer->lock, NULL) == 0);
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&sealer->wanted, &attributes) == 0);
    INVARIANT(pthread_cond_init(&sealer->done, NULL) == 0);
    INVARIANT(pthread_condattr_destroy(&attributes) == 0);
}

int sealer_start(struct sealer *sealer)
{
    if (pthread_create(&sealer->thread, NULL, sealer_main, sealer) != 0) {
        return STATUS_NO_MEMORY;
    }
    sealer->running = true;
    return 0;
}

void sealer_stop(struct sealer *sealer)
{
    if (!sealer->running) {
        return;
    }
    pthread_mutex_lock(&sealer->lock);
    sealer->closing = true;
    pthread_mutex_unlock(&sealer->lock);
    pthread_cond_signal(&sealer->wanted);
    INVARIANT(pthread_join(sealer->thread, NULL) == 0);
    sealer->running = false;
    sealer->closing = false;
}

void sealer_done(struct sealer *sealer)
{
    REQUIRE(!sealer->running);
    INVARIANT(pthread_cond_destroy(&sealer->done) == 0);
    INVARIANT(pthread_cond_destroy(&sealer->wanted) == 0);
    INVARIANT(pthread_mutex_destroy(&sealer->lock) == 0);
}

void sealer_wake(struct sealer *sealer)
{
    pthread_mutex_lock(&sealer->lock);
    sealer->work = true;
    pthread_mutex_unlock(&sealer->lock);
    pthread_cond_signal(&sealer->wanted);
}

int sealer_status(struct sealer *sealer)
{
    pthread_mutex_lock(&sealer->lock);
    int status = sealer->status;
    pthread_mutex_unlock(&sealer->lock);
    return status;
}

void sealer_segments(const struct sealer *sealer, uint64_t *ret_live, uint64_t *ret_dead)
{
    *ret_live = atomic_load_explicit(&sealer->live, memory_order_relaxed);
    *ret_dead = atomic_load_explicit(&sealer->dead, memory_order_relaxed);
}

int sealer_wait(struct sealer *sealer)
{
    pthread_mutex_lock(&sealer->lock);
    while (sealer->status == 0 && head_is_frozen(sealer->options.head)) {
        pthread_cond_wait(&sealer->done, &sealer->lock);
    }
    int status = head_is_frozen(sealer->options.head) ? sealer->status : 0;
    pthread_mutex_unlock(&sealer->lock);
    return status;
}
