#include "billingd/store/lmdb/run.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

struct run *run_create(uint64_t first_seq, uint64_t last_seq)
{
    struct run *run = calloc(1, sizeof *run);
    if (run != NULL) {
        atomic_init(&run->refs, 1);
        atomic_init(&run->sorted, true);
        INVARIANT(pthread_mutex_init(&run->lock, NULL) == 0);
        run->first_seq = first_seq;
        run->last_seq = last_seq;
    }
    return run;
}

struct run *run_hold(struct run *run)
{
    atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
    return run;
}

void run_release(struct run *run)
{
    /* what others did with it comes before it is freed */
    if (run == NULL || atomic_fetch_sub_explicit(&run->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    free(run->requests);
    free(run->usage);
    free(run->late);
    free(run->sums);
    INVARIANT(pthread_mutex_destroy(&run->lock) == 0);
    free(run);
}

/* --- sums ------------------------------------------------------------------------------------- */

void run_add_sum(struct run *run, const struct sum_row *row)
{
    struct sum_row *last = run->n_sums > 0 ? &run->sums[run->n_sums - 1] : NULL;
    if (last == NULL || !sum_row_same(last, row) || !sum_row_add(last, row)) {
        run->sums[run->n_sums++] = *row;
    }
}

void run_fit_sums(struct run *run)
{
    struct sum_row *fitting = realloc(run->sums, run->n_sums * sizeof *run->sums);
    run->sums = fitting != NULL ? fitting : run->sums;
}

/* --- merging ---------------------------------------------------------------------------------- */

/* A tree of losers (Knuth, volume 3, 5.4.1): inputs are its leaves, and each node keeps the one
 * that lost there, so that the next row costs one comparison a level.  Of N inputs, number I is
 * node N + I, and the nodes above them are 1 to N - 1.
 *
 * What is done for every row is inlined into each table's own merge, so that comparing is no
 * call. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

typedef int (*compare_fn)(const void *a, const void *b);

enum {
    NOBODY = -1, /* lost yet */
};

struct input {
    const char *at; /* its next row */
    const char *end;
    ptrdiff_t loser; /* at the node with this number; no matter of this input's */
};

struct merge {
    struct input *inputs; /* owned */
    size_t n;
    size_t winner; /* has the least of all next rows; of equal ones, the first input's */
};

ALWAYS_INLINE bool is_before(const struct merge *m, size_t a, size_t b, compare_fn compare)
{
    const struct input *x = &m->inputs[a];
    const struct input *y = &m->inputs[b];
    if (x->at == x->end || y->at == y->end) {
        return x->at != x->end;
    }
    int order = compare(x->at, y->at);
    return order != 0 ? order < 0 : a < b;
}

/* INPUT has a new next row: from its leaf upwards, the lesser goes on. */
ALWAYS_INLINE void play(struct merge *m, size_t input, compare_fn compare)
{
    size_t winner = input;
    for (size_t node = (m->n + input) / 2; node > 0; node /= 2) {
        ptrdiff_t *loser = &m->inputs[node].loser;
        if (*loser == NOBODY) { /* only at the start: waits for who comes from the other side */
            *loser = (ptrdiff_t)winner;
            return;
        }
        if (is_before(m, (size_t)*loser, winner, compare)) {
            size_t other = (size_t)*loser;
            *loser = (ptrdiff_t)winner;
            winner = other;
        }
    }
    m->winner = winner;
}

ALWAYS_INLINE void start(struct merge *m, compare_fn compare)
{
    for (size_t i = 0; i < m->n; i++) {
        m->inputs[i].loser = NOBODY;
    }
    for (size_t i = 0; i < m->n; i++) {
        play(m, i, compare);
    }
}

/* The next row of all; there is one. */
ALWAYS_INLINE const void *next(struct merge *m, size_t row_bytes, compare_fn compare)
{
    size_t input = m->winner;
    const void *row = m->inputs[input].at;
    m->inputs[input].at += row_bytes;
    play(m, input, compare);
    return row;
}

/* N rows at ROWS are what INPUT has. */
static void feed(struct merge *m, size_t input, const void *rows, size_t n, size_t row_bytes)
{
    m->inputs[input].at = rows;
    m->inputs[input].end = rows == NULL ? NULL : m->inputs[input].at + n * row_bytes;
}

static int merge_requests(struct merge *m, struct run *const *runs, struct run *merged)
{
    size_t total = 0;
    for (size_t i = 0; i < m->n; i++) {
        feed(m, i, runs[i]->requests, runs[i]->n_requests, sizeof *merged->requests);
        total += runs[i]->n_requests;
    }
    if (total == 0) {
        return 0;
    }
    merged->requests = malloc(total * sizeof *merged->requests);
    if (merged->requests == NULL) {
        return STATUS_NO_MEMORY;
    }
    start(m, request_row_order);
    while (merged->n_requests < total) {
        merged->requests[merged->n_requests++] =
            *(const struct request_row *)next(m, sizeof *merged->requests, request_row_order);
    }
    return 0;
}

/* Of what the inputs have: TOTAL rows. */
static int merge_places(struct merge *m, size_t total, struct place_row **ret_rows)
{
    struct place_row *rows = NULL;
    if (total > 0) {
        rows = malloc(total * sizeof *rows);
        if (rows == NULL) {
            return STATUS_NO_MEMORY;
        }
        start(m, place_row_order);
    }
    for (size_t i = 0; i < total; i++) {
        rows[i] = *(const struct place_row *)next(m, sizeof *rows, place_row_order);
    }
    *ret_rows = rows;
    return 0;
}

static int merge_usage(struct merge *m, struct run *const *runs, struct run *merged)
{
    for (size_t i = 0; i < m->n; i++) {
        feed(m, i, runs[i]->usage, runs[i]->n_usage, sizeof *merged->usage);
        merged->n_usage += runs[i]->n_usage;
    }
    return merge_places(m, merged->n_usage, &merged->usage);
}

static int merge_late(struct merge *m, struct run *const *runs, struct run *merged)
{
    for (size_t i = 0; i < m->n; i++) {
        feed(m, i, runs[i]->late, runs[i]->n_late, sizeof *merged->late);
        merged->n_late += runs[i]->n_late;
    }
    return merge_places(m, merged->n_late, &merged->late);
}

/* TOTAL rows, those of the same sum behind one another, become one each where they fit. */
static void add_up(struct merge *m, size_t total, struct run *merged)
{
    start(m, sum_row_order);
    for (size_t i = 0; i < total; i++) {
        const struct sum_row *row = next(m, sizeof *row, sum_row_order);
        run_add_sum(merged, row);
    }
}

static int merge_sums(struct merge *m, struct run *const *runs, struct run *merged)
{
    size_t total = 0;
    for (size_t i = 0; i < m->n; i++) {
        feed(m, i, runs[i]->sums, runs[i]->n_sums, sizeof *merged->sums);
        total += runs[i]->n_sums;
    }
    if (total == 0) {
        return 0;
    }
    merged->sums = malloc(total * sizeof *merged->sums);
    if (merged->sums == NULL) {
        return STATUS_NO_MEMORY;
    }
    add_up(m, total, merged);
    run_fit_sums(merged);
    return 0;
}

static int merge_all(struct run *const *runs, size_t n, struct run *merged)
{
    struct merge m = {.inputs = calloc(n, sizeof *m.inputs), .n = n};
    int rc = m.inputs == NULL ? STATUS_NO_MEMORY : 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = run_sort(runs[i]);
    }
    if (rc == 0) {
        rc = merge_requests(&m, runs, merged);
    }
    if (rc == 0) {
        rc = merge_usage(&m, runs, merged);
    }
    if (rc == 0) {
        rc = merge_late(&m, runs, merged);
    }
    if (rc == 0) {
        rc = merge_sums(&m, runs, merged);
    }
    free(m.inputs);
    return rc;
}

int run_merge(struct run *const *runs, size_t n, struct run **ret_run)
{
    REQUIRE(n > 0);
    struct run *merged = run_create(runs[0]->first_seq, runs[n - 1]->last_seq);
    if (merged == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        REQUIRE(i == 0 || runs[i]->first_seq == runs[i - 1]->last_seq + 1);
        unsigned above = runs[i]->level + 1;
        merged->level = above > merged->level ? above : merged->level;
    }
    int rc = merge_all(runs, n, merged);
    if (rc < 0) {
        run_release(merged);
        return rc;
    }
    *ret_run = merged;
    return 0;
}
