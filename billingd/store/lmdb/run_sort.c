/* Sorting a run: as words, by their bytes. */
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/row_sort.h"
#include "billingd/store/lmdb/run.h"

enum {
    FINGERPRINT_BYTES = 4, /* tell all but some of a billion pairs apart */
    WORD_BYTES = 8,
};

static_assert(sizeof(struct request_row) == sizeof(struct row_words) &&
                  sizeof(struct place_row) == sizeof(struct row_words),
              "they are sorted as words");

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Room for sorting what is largest: the sums need two of it. */
static struct row_words *allocate_scratch(const struct run *run)
{
    size_t n = larger(larger(run->n_requests, run->n_usage), larger(run->n_late, run->n_sums * 2));
    return malloc(larger(n, 1) * sizeof(struct row_words));
}

/* --- sums ------------------------------------------------------------------------------------- */

/* What sums are sorted by: large as they are, they move once.  The last word points to the sum; the
 * two before it have the order as far as they have room for it. */
static struct row_words sum_words(const struct sum_row *sum)
{
    return (struct row_words){
        {sum->customer, (uint64_t)sum->hour << 32 | sum->service_high >> 32, (uintptr_t)sum}};
}

static const struct sum_row *sum_at(const struct row_words *words)
{
    return (const struct sum_row *)(uintptr_t)words->word[2];
}

/* Equal ones stay as they came. */
static int compare_sums(const void *a, const void *b)
{
    const struct sum_row *sum_a = sum_at(a);
    const struct sum_row *sum_b = sum_at(b);
    int order = sum_row_compare(sum_a, sum_b);
    return order != 0 ? order : (sum_a > sum_b) - (sum_a < sum_b);
}

/* Sort those again that are equal in what the words have room for: the prices of a service. */
static void sort_equal(struct row_words *words, size_t n)
{
    for (size_t first = 0, behind = 1; first < n; first = behind++) {
        while (behind < n && words[behind].word[0] == words[first].word[0] &&
               words[behind].word[1] == words[first].word[1]) {
            behind++;
        }
        if (behind - first > 1) {
            qsort(&words[first], behind - first, sizeof *words, compare_sums);
        }
    }
}

/* In an array of their own, those that are equal as one where they fit. */
static int sort_sums(struct run *run, struct row_words *scratch)
{
    size_t n = run->n_sums;
    struct sum_row *sums = run->sums;
    if (n == 0) {
        return 0;
    }
    struct sum_row *sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        scratch[i] = sum_words(&sums[i]);
    }
    row_sort(scratch, scratch + n, n, 2 * WORD_BYTES);
    sort_equal(scratch, n);
    run->sums = sorted;
    run->n_sums = 0;
    for (size_t i = 0; i < n; i++) {
        run_add_sum(run, sum_at(&scratch[i]));
    }
    run_fit_sums(run);
    free(sums);
    return 0;
}

/* --- all -------------------------------------------------------------------------------------- */

static int sort_all(struct run *run)
{
    struct row_words *scratch = allocate_scratch(run);
    if (scratch == NULL) {
        return STATUS_NO_MEMORY;
    }
    int rc = sort_sums(run, scratch); /* first: it alone can fail */
    if (rc == 0) {
        row_sort((struct row_words *)run->requests, scratch, run->n_requests, FINGERPRINT_BYTES);
        row_sort((struct row_words *)run->usage, scratch, run->n_usage, 2 * WORD_BYTES);
        row_sort((struct row_words *)run->late, scratch, run->n_late, 2 * WORD_BYTES);
    }
    free(scratch);
    return rc;
}

int run_sort(struct run *run)
{
    if (atomic_load_explicit(&run->sorted, memory_order_acquire)) {
        return 0;
    }
    pthread_mutex_lock(&run->lock);
    int rc = atomic_load_explicit(&run->sorted, memory_order_relaxed) ? 0 : sort_all(run);
    if (rc == 0) {
        atomic_store_explicit(&run->sorted, true, memory_order_release);
    }
    pthread_mutex_unlock(&run->lock);
    return rc;
}
