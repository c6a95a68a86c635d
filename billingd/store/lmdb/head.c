#include "billingd/store/lmdb/head.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

enum {
    MERGE_WIDTH = 16,              /* so many runs of a level become one of the next */
    MERGE_RECORDS_MAX = 64 * 1024, /* what is larger is left to the sealer */
};

/* --- lists ------------------------------------------------------------------------------------ */

static struct head_list *list_create(size_t n)
{
    struct head_list *list = calloc(1, sizeof *list + n * sizeof *list->runs);
    if (list != NULL) {
        atomic_init(&list->refs, 1);
        list->n = n;
    }
    return list;
}

static struct head_list *list_hold(struct head_list *list)
{
    atomic_fetch_add(&list->refs, 1);
    return list;
}

void head_list_release(struct head_list *list)
{
    if (list == NULL || atomic_fetch_sub(&list->refs, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        run_release(list->runs[i]);
    }
    free(list);
}

/* --- life ------------------------------------------------------------------------------------- */

static void note_tables(struct head *head)
{
    size_t slots = head->active.n_slots + head->frozen.n_slots;
    atomic_store_explicit(&head->tables_bytes, slots * sizeof *head->active.slots,
                          memory_order_relaxed);
}

/* It will be full one day, and growing takes milliseconds, of a commit.  Pages that are not used
 * yet take no memory.  Where there is none, it grows. */
static void reserve_active(struct head *head)
{
    IGNORE(request_table_reserve(&head->active, head->records_max) < 0);
    note_tables(head);
}

int head_init(struct head *head, uint64_t records_max, uint64_t sealed_seq)
{
    *head = (struct head){.records_max = records_max, .sealed_seq = sealed_seq};
    head->list = list_create(0);
    if (head->list == NULL) {
        return STATUS_NO_MEMORY;
    }
    request_table_init(&head->active);
    request_table_init(&head->frozen);
    reserve_active(head);
    INVARIANT(pthread_mutex_init(&head->lock, NULL) == 0);
    return 0;
}

void head_done(struct head *head)
{
    if (head->list == NULL) {
        return; /* it was never begun */
    }
    head_list_release(head->list);
    free(head->spare);
    request_table_done(&head->active);
    request_table_done(&head->frozen);
    INVARIANT(pthread_mutex_destroy(&head->lock) == 0);
}

/* --- readers ---------------------------------------------------------------------------------- */

int head_view(struct head *head, int (*begin)(void *arg), void *arg, struct head_list **ret_list)
{
    pthread_mutex_lock(&head->lock);
    int rc = begin(arg);
    if (rc == 0) {
        *ret_list = list_hold(head->list);
    }
    pthread_mutex_unlock(&head->lock);
    return rc;
}

struct head_list *head_hold(struct head *head)
{
    pthread_mutex_lock(&head->lock);
    struct head_list *list = list_hold(head->list);
    pthread_mutex_unlock(&head->lock);
    return list;
}

/* --- committer -------------------------------------------------------------------------------- */

/* Put a new list in place: the first N runs of the old one, but for those that are sealed, and RUN
 * behind them unless it is NULL.  Takes over the caller's hold of RUN.  *RET_OLD is the old list,
 * still held: to be let go outside the lock, since it may be the last to hold much.
 * Returns 0 or STATUS_NO_MEMORY. */
static int change_list(struct head *head, size_t n, struct run *run, struct head_list **ret_old)
{
    struct head_list *old = head->list;
    struct head_list *list = list_create(n + (run != NULL));
    if (list == NULL) {
        return STATUS_NO_MEMORY;
    }
    list->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (old->runs[i]->last_seq > head->sealed_seq) {
            list->runs[list->n] = run_hold(old->runs[i]);
            list->n++;
        }
    }
    if (run != NULL) {
        list->runs[list->n] = run;
        list->n++;
    }
    head->list = list;
    *ret_old = old;
    return 0;
}

/* The last record that is not to be touched any more.  Under the lock. */
static uint64_t boundary(const struct head *head)
{
    return head->frozen_seq > head->sealed_seq ? head->frozen_seq : head->sealed_seq;
}

int head_publish(struct head *head, struct run *run)
{
    struct head_list *old = NULL;
    REQUIRE(head->spare == NULL);
    pthread_mutex_lock(&head->lock);
    head->spare = list_create(head->list->n);
    int rc = head->spare == NULL ? STATUS_NO_MEMORY : change_list(head, head->list->n, run, &old);
    if (rc < 0) {
        free(head->spare);
        head->spare = NULL;
    }
    pthread_mutex_unlock(&head->lock);
    head_list_release(old);
    return rc;
}

void head_retract(struct head *head)
{
    pthread_mutex_lock(&head->lock);
    struct head_list *failed = head->list;
    struct head_list *list = head->spare;
    list->n = failed->n - 1; /* it may have become less by merging, and never more */
    for (size_t i = 0; i < list->n; i++) {
        list->runs[i] = run_hold(failed->runs[i]);
    }
    head->list = list;
    head->spare = NULL;
    pthread_mutex_unlock(&head->lock);
    head_list_release(failed);
}

void head_settle(struct head *head)
{
    pthread_mutex_lock(&head->lock);
    struct head_list *spare = head->spare;
    head->spare = NULL;
    bool sealed = head->frozen_seq == 0;
    pthread_mutex_unlock(&head->lock);
    free(spare);
    if (sealed) {
        request_table_clear(&head->frozen, 0);
        note_tables(head);
    }
}

uint64_t head_active(struct head *head)
{
    pthread_mutex_lock(&head->lock);
    const struct head_list *list = head->list;
    uint64_t base = boundary(head);
    uint64_t last = list->n == 0 ? base : list->runs[list->n - 1]->last_seq;
    pthread_mutex_unlock(&head->lock);
    return last > base ? last - base : 0;
}

bool head_freeze(struct head *head)
{
    return head_active(head) >= head->records_max && head_freeze_all(head);
}

bool head_freeze_all(struct head *head)
{
    bool any = head_active(head) > 0;
    pthread_mutex_lock(&head->lock);
    bool freezes = any && head->frozen_seq == 0;
    if (freezes) {
        head->frozen_seq = head->list->runs[head->list->n - 1]->last_seq;
    }
    pthread_mutex_unlock(&head->lock);
    if (freezes) {
        struct request_table spare = head->frozen;
        request_table_clear(&spare, SIZE_MAX);
        head->frozen = head->active;
        head->active = spare;
        reserve_active(head);
    }
    return freezes;
}

/* --- tidying ---------------------------------------------------------------------------------- */

/* The first of MERGE_WIDTH runs of LIST, behind BOUNDARY and among the first N, that are to become
 * one; NULL: there are none. */
static struct run *const *find_merge(const struct head_list *list, uint64_t boundary, size_t n)
{
    size_t like = 0;
    for (size_t i = 0; i < n; i++) {
        struct run *const *last = &list->runs[i];
        if ((*last)->first_seq <= boundary) {
            continue;
        }
        like = like > 0 && (*last)->level == last[-1]->level ? like + 1 : 1;
        if (like >= MERGE_WIDTH &&
            (*last)->last_seq - last[1 - MERGE_WIDTH]->first_seq < MERGE_RECORDS_MAX) {
            return last + 1 - MERGE_WIDTH;
        }
    }
    return NULL;
}

/* The list, held, and in it what is to be merged, if anything is.  A run whose commit may fail is
 * left alone. */
static struct head_list *hold_for_merge(struct head *head, struct run *const **ret_runs)
{
    pthread_mutex_lock(&head->lock);
    struct head_list *list = list_hold(head->list);
    size_t n = list->n - (head->spare != NULL);
    *ret_runs = find_merge(list, boundary(head), n);
    pthread_mutex_unlock(&head->lock);
    return list;
}

bool head_is_untidy(struct head *head)
{
    struct run *const *runs;
    head_list_release(hold_for_merge(head, &runs));
    return runs != NULL;
}

/* Put MERGED, whose hold is taken over, in the place of RUNS, if they are still there.  Returns
 * whether it did. */
static bool replace_runs(struct head *head, struct run *const *runs, struct run *merged)
{
    struct head_list *list = NULL;
    pthread_mutex_lock(&head->lock);
    struct head_list *old = head->list;
    size_t at = 0;
    while (at < old->n && old->runs[at] != runs[0]) {
        at++;
    }
    if (at < old->n) { /* then all are: they go together, when they are sealed */
        list = list_create(old->n + 1 - MERGE_WIDTH);
    }
    if (list != NULL) {
        for (size_t i = 0; i < list->n; i++) {
            size_t from = i < at ? i : i + MERGE_WIDTH - 1;
            list->runs[i] = i == at ? merged : run_hold(old->runs[from]);
        }
        head->list = list;
    }
    pthread_mutex_unlock(&head->lock);
    head_list_release(list != NULL ? old : NULL);
    if (list == NULL) {
        run_release(merged);
    }
    return list != NULL;
}

static bool merge_some(struct head *head)
{
    struct run *const *runs;
    struct run *merged;
    struct head_list *list = hold_for_merge(head, &runs);
    bool merges = runs != NULL && run_merge(runs, MERGE_WIDTH, &merged) == 0 &&
                  replace_runs(head, runs, merged);
    head_list_release(list);
    return merges;
}

void head_tidy(struct head *head)
{
    struct head_list *list = head_hold(head);
    for (size_t i = list->n; i-- > 0;) {     /* the newest first: it was not there before */
        IGNORE(run_sort(list->runs[i]) < 0); /* whoever needs it tries again */
    }
    head_list_release(list);
    while (merge_some(head)) {
    }
}

/* --- request ids ------------------------------------------------------------------------------ */

int head_note(struct head *head, struct request_row row)
{
    int rc = request_table_reserve(&head->active, 1);
    if (rc == 0) {
        request_table_add(&head->active, row);
    }
    return rc;
}

void head_forget(struct head *head, struct request_row row)
{
    request_table_remove(&head->active, row);
}

struct head_requests head_requests(uint64_t low)
{
    return (struct head_requests){.low = low, .at = SIZE_MAX};
}

uint64_t head_requests_next(const struct head *head, struct head_requests *r)
{
    if (!r->in_frozen) {
        uint64_t seq = request_table_next(&head->active, r->low, &r->at);
        if (seq != 0) {
            return seq;
        }
        r->in_frozen = true;
        r->at = SIZE_MAX;
    }
    return request_table_next(&head->frozen, r->low, &r->at);
}

void head_prefetch(const struct head *head, uint64_t low)
{
    request_table_prefetch(&head->active, low);
    request_table_prefetch(&head->frozen, low);
}

/* --- sealer ----------------------------------------------------------------------------------- */

int head_frozen(struct head *head, struct head_list **ret_list)
{
    pthread_mutex_lock(&head->lock);
    const struct head_list *all = head->list;
    size_t first = 0;
    while (first < all->n && all->runs[first]->last_seq <= head->sealed_seq) {
        first++; /* sealed before, and still there where there was no memory to drop it */
    }
    size_t n = 0;
    while (first + n < all->n && all->runs[first + n]->last_seq <= head->frozen_seq) {
        n++;
    }
    struct head_list *list = n == 0 ? NULL : list_create(n);
    for (size_t i = 0; list != NULL && i < n; i++) {
        list->runs[i] = run_hold(all->runs[first + i]);
    }
    pthread_mutex_unlock(&head->lock);
    *ret_list = list;
    return n > 0 && list == NULL ? STATUS_NO_MEMORY : 0;
}

bool head_is_frozen(struct head *head)
{
    pthread_mutex_lock(&head->lock);
    bool frozen = head->frozen_seq != 0;
    pthread_mutex_unlock(&head->lock);
    return frozen;
}

void head_drop(struct head *head)
{
    struct head_list *old = NULL;
    pthread_mutex_lock(&head->lock);
    head->sealed_seq = head->frozen_seq;
    head->frozen_seq = 0;
    IGNORE(change_list(head, head->list->n, NULL, &old) < 0); /* the next change does it */
    pthread_mutex_unlock(&head->lock);
    head_list_release(old);
}

/* Of sums only those of sorted runs: the others' are being sorted, and are few. */
static uint64_t run_bytes(const struct run *run)
{
    size_t n_sums = atomic_load(&run->sorted) ? run->n_sums : 0;
    return sizeof *run + run->n_requests * sizeof *run->requests + n_sums * sizeof *run->sums +
           (run->n_usage + run->n_late) * sizeof *run->usage;
}

void head_extent(struct head *head, uint64_t *ret_records, uint64_t *ret_bytes)
{
    struct head_list *list = head_hold(head);
    uint64_t bytes = atomic_load_explicit(&head->tables_bytes, memory_order_relaxed);
    uint64_t records = 0;
    for (size_t i = 0; i < list->n; i++) {
        records += list->runs[i]->last_seq - list->runs[i]->first_seq + 1;
        bytes += run_bytes(list->runs[i]);
    }
    head_list_release(list);
    *ret_records = records;
    *ret_bytes = bytes;
}
