#include "billingd/store/lmdb/sealer.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/failpoint.h"
#include "billingd/base/thread.h"
#include "billingd/store/lmdb/segment_maker.h"
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

/* Between two slices of a seal. */
static int goes_on(void *arg)
{
    return is_closing(arg) ? STATUS_SHUTTING_DOWN : 0;
}

static struct segment_job begin_job(struct sealer *sealer, int (*between)(void *arg))
{
    const struct sealer_options *options = &sealer->options;
    return (struct segment_job){
        .env = options->env,
        .turn = options->turn,
        .shelf = options->shelf,
        .slice_bytes = options->slice_bytes,
        .between = between,
        .arg = sealer,
    };
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
    struct segment_job job = begin_job(sealer, goes_on);
    job.runs = runs;
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
        rc = segment_make(&job, &segment, requests);
    }
    if (rc == 0) {
        FAILPOINT("sealed");
        head_drop(sealer->options.head);
        tell(sealer, 0);
    }
    head_list_release(runs);
    return rc;
}

/* --- removing --------------------------------------------------------------------------------- */

struct removal {
    const struct env *env;
    const struct segment *segment;
    unsigned chunks_max;
    bool left; /* there are more */
};

static int remove_in(void *arg, MDB_txn *txn)
{
    struct removal *removal = arg;
    int rc = segment_remove(removal->env, txn, removal->segment->id, removal->chunks_max,
                            &removal->left);
    if (rc == 0 && !removal->left) {
        rc = manifest_remove(removal->env, txn, removal->segment->id);
    }
    FAILPOINT("before_removal");
    return rc;
}

/* Remove a slice of SEGMENT, and with the last its row; a smaller one where there is no room for
 * the pages above so many chunks.  *RET_LEFT: there are more. */
static int remove_slice(struct sealer *sealer, const struct segment *segment, bool *ret_left)
{
    struct removal removal = {.env = sealer->options.env, .segment = segment};
    int rc = STATUS_STORAGE_FULL;
    for (unsigned max = REMOVE_CHUNKS_MAX; max > 0 && rc == STATUS_STORAGE_FULL; max /= 4) {
        removal.chunks_max = max;
        rc = slice_write(removal.env, sealer->options.turn, remove_in, &removal);
        FAILPOINT("after_removal");
    }
    *ret_left = removal.left;
    return rc;
}

/* The first segment in STATE; RET->id is 0 where there is none. */
static int find_in_state(struct sealer *sealer, enum segment_state state, struct segment *ret)
{
    struct manifest manifest;
    int rc = read_manifest(sealer, &manifest);
    if (rc < 0) {
        return rc;
    }
    ret->id = 0;
    for (size_t i = 0; i < manifest.n && ret->id == 0; i++) {
        if (manifest.segments[i].state == state) {
            *ret = manifest.segments[i];
        }
    }
    manifest_done(&manifest);
    return 0;
}

/* Remove a slice of a segment in STATE.  *RET_DID: whether there was one. */
static int sweep(struct sealer *sealer, enum segment_state state, bool *ret_did)
{
    struct segment segment = {0};
    bool left;
    int rc = sealer->unswept ? 0 : find_in_state(sealer, state, &segment);
    *ret_did = rc == 0 && !sealer->unswept && segment.id != 0;
    if (*ret_did) {
        rc = remove_slice(sealer, &segment, &left);
    }
    if (rc == STATUS_CORRUPT) {
        sealer->unswept = true;
        *ret_did = false;
        rc = 0;
    }
    return rc;
}

/* Give back what a failed attempt, or a crash, left half made: the next begins anew, and would take
 * as much again.  Not while a segment is being made. */
static int clear_away(struct sealer *sealer)
{
    bool did = true;
    int rc = 0;
    while (did && rc == 0 && !is_closing(sealer)) {
        rc = sweep(sealer, SEGMENT_BUILDING, &did);
    }
    return rc;
}

/* Remove one segment that was replaced: that gives about as much room as one takes that is sealed.
 * *RET_DID: whether there was one. */
static int make_room(struct sealer *sealer, bool *ret_did)
{
    struct segment segment;
    bool left = true;
    int rc = find_in_state(sealer, SEGMENT_DOOMED, &segment);
    while (rc == 0 && segment.id != 0 && left && !is_closing(sealer)) {
        rc = remove_slice(sealer, &segment, &left);
    }
    *ret_did = rc == 0 && segment.id != 0 && !left;
    return rc;
}

/* --- merging ---------------------------------------------------------------------------------- */

static bool is_left_out(const struct sealer *sealer, uint64_t segment)
{
    bool found = false;
    for (size_t i = 0; i < sealer->n_left_out && !found; i++) {
        found = sealer->left_out[i] == segment;
    }
    return found;
}

/* The first of so many live segments behind each other that are of one level, the lowest such, and
 * none of them damaged; NULL: there are none.  The N at LIVE stand by first_seq. */
static const struct segment *find_merge(const struct sealer *sealer, const struct segment *live,
                                        size_t n)
{
    unsigned width = sealer->options.merge_width;
    const struct segment *found = NULL;
    size_t like = 0;
    for (size_t i = 0; i < n && sealer->n_left_out < SEALER_LEFT_OUT_MAX; i++) {
        like = i > 0 && live[i].level == live[i - 1].level ? like + 1 : 1;
        like = is_left_out(sealer, live[i].id) ? 0 : like;
        if (like == width && (found == NULL || live[i].level < found->level)) {
            found = &live[i + 1 - width];
        }
    }
    return found;
}

/* What a merge makes way for, between two slices. */
static int beside_merging(void *arg)
{
    struct sealer *sealer = arg;
    bool did;
    int rc = goes_on(sealer);
    if (rc == 0) {
        rc = sealer_seal(sealer);
    }
    /* a slice for a slice: what was replaced never is more than what the largest merge replaces */
    return rc < 0 ? rc : sweep(sealer, SEGMENT_DOOMED, &did);
}

/* Merge INPUTS, as many as are merged at once, into segment ID. */
static int merge_into(struct sealer *sealer, const struct segment *inputs, uint64_t id)
{
    size_t n = sealer->options.merge_width;
    struct segment_job job = begin_job(sealer, beside_merging);
    job.segments = inputs;
    job.n_segments = n;
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
    int rc = segment_make(&job, &segment, requests);
    FAILPOINT("merged");
    return rc;
}

/* Read the rows of TABLE in SEGMENT. */
static int read_table(const struct env *env, MDB_txn *txn, uint64_t segment,
                      enum segment_table table)
{
    struct segment_scan scan;
    const void *row = NULL;
    int rc = segment_scan_open(env, txn, (struct segment_start){segment, table, 0, 0}, &scan);
    if (rc < 0) {
        return rc;
    }
    for (rc = segment_scan_peek(&scan, &row); rc == 0 && row != NULL;
         rc = segment_scan_peek(&scan, &row)) {
        segment_scan_step(&scan);
    }
    segment_scan_close(&scan);
    return rc;
}

static bool is_damaged(const struct env *env, MDB_txn *txn, uint64_t segment)
{
    int rc = 0;
    for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS && rc == 0; table++) {
        rc = read_table(env, txn, segment, table);
    }
    return rc == STATUS_CORRUPT;
}

static void leave_out(struct sealer *sealer, uint64_t segment)
{
    if (sealer->n_left_out < SEALER_LEFT_OUT_MAX) {
        sealer->left_out[sealer->n_left_out] = segment;
        sealer->n_left_out++;
        atomic_store(&sealer->damaged, sealer->left_out[0]);
    }
}

/* INPUTS could not be merged: leave those out that are damaged, or all where none is found to be.
 * Whoever reads them is told, and all else goes on.  Returns 0, or the status of a failed read. */
static int leave_out_damaged(struct sealer *sealer, const struct segment *inputs)
{
    size_t before = sealer->n_left_out;
    MDB_txn *txn;
    int rc = env_status(mdb_txn_begin(sealer->options.env->mdb, NULL, MDB_RDONLY, &txn));
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < sealer->options.merge_width; i++) {
        if (is_damaged(sealer->options.env, txn, inputs[i].id)) {
            leave_out(sealer, inputs[i].id);
        }
    }
    mdb_txn_abort(txn);
    bool found = sealer->n_left_out > before;
    for (size_t i = 0; i < sealer->options.merge_width && !found; i++) {
        leave_out(sealer, inputs[i].id);
    }
    return 0;
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
    const struct segment *inputs = find_merge(sealer, manifest.segments, manifest.n);
    *ret_did = inputs != NULL;
    if (inputs != NULL) {
        rc = merge_into(sealer, inputs, id);
        rc = rc == STATUS_CORRUPT ? leave_out_damaged(sealer, inputs) : rc;
    }
    manifest_done(&manifest);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Do all that there is to do now. */
static int work(struct sealer *sealer)
{
    bool did = true;
    int rc = 0;
    while (did && rc == 0 && !is_closing(sealer)) {
        did = false;
        rc = sealer_seal(sealer);
        if (rc == 0) {
            rc = merge(sealer, &did);
        }
        if (rc == 0 && !did) {
            rc = sweep(sealer, SEGMENT_BUILDING, &did);
        }
        if (rc == 0 && !did) {
            rc = sweep(sealer, SEGMENT_DOOMED, &did);
        }
    }
    return rc;
}

/* Leave nothing of what failed with RC half made, and make room where there was none.  *RET_DID:
 * whether it was made.  Returns RC, or STATUS_STORAGE_FAILED. */
static int clean_up(struct sealer *sealer, int rc, bool *ret_did)
{
    *ret_did = false;
    if (rc == 0 || rc == STATUS_STORAGE_FAILED || rc == STATUS_SHUTTING_DOWN) {
        return rc;
    }
    int cleaned = clear_away(sealer);
    if (cleaned == 0 && rc == STATUS_STORAGE_FULL) {
        cleaned = make_room(sealer, ret_did);
    }
    return cleaned == STATUS_STORAGE_FAILED ? cleaned : rc;
}

/* Work; LAST is how that went the last time.  Where there is no room, what was replaced is removed
 * before anything else is tried. */
static int run(struct sealer *sealer, int last)
{
    bool made_room = false;
    int rc = clean_up(sealer, last == STATUS_STORAGE_FULL ? last : 0, &made_room);
    do {
        if (rc != STATUS_STORAGE_FAILED) {
            rc = clean_up(sealer, work(sealer), &made_room);
        }
    } while (rc == STATUS_STORAGE_FULL && made_room && !is_closing(sealer));
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
    int rc = 0;
    thread_begin("sealer");
    while (wait_for_work(sealer)) {
        rc = run(sealer, rc);
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
    pthread_mutex_lock(&sealer->lock);
    sealer->closing = false;
    pthread_mutex_unlock(&sealer->lock);
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
