/* What whoever records is told where the sealer's writes fail: one that rides along in a commit,
 * and one of its own; and what becomes of one that rode along in a commit that failed.
 *
 * The sealer stands at a gate before it offers a slice, so that the test says which commit takes it
 * along.  This program's own fdatasync() stands before the C library's for liblmdb too.  Linked
 * with -Wl,--wrap= of turn_offer, segment_put and head_drop. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "billingd/store/lmdb/head.h"
#include "billingd/store/lmdb/segment.h"
#include "billingd/store/lmdb/turn.h"
#include "tests/store/fixture.h"

/* --- the gate --------------------------------------------------------------------------------- */

static _Thread_local bool is_main; /* the committer's part */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static struct turn *offered_to; /* the turn of the last offer */
static bool chunk_fails;        /* the next that a commit takes along */
static int commit_error;        /* of the next commit's sync, unless 0 */
static bool sync_fails;         /* of the sealer */

/* What has happened since the test began. */
static struct {
    unsigned offers;             /* that came to the gate */
    unsigned chunks_along;       /* that commits took along, or tried to */
    unsigned chunks_alone;       /* that the sealer wrote by itself */
    unsigned offers_until_alone; /* when it wrote the first of them */
    unsigned sealed;             /* how often what is in the head was */
    unsigned syncs_failed;       /* of the sealer */
} seen;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
bool __real_turn_offer(struct turn *turn, struct ride *ride);
bool __wrap_turn_offer(struct turn *turn, struct ride *ride);
int __real_segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                       const uint8_t *bytes, size_t length);
int __wrap_segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                       const uint8_t *bytes, size_t length);
void __real_head_drop(struct head *head);
void __wrap_head_drop(struct head *head);
/* NOLINTEND(bugprone-reserved-identifier) */

bool __wrap_turn_offer(struct turn *turn, struct ride *ride)
{
    pthread_mutex_lock(&lock);
    offered_to = turn;
    seen.offers++;
    pthread_cond_broadcast(&changed);
    while (!gate_is_open) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return __real_turn_offer(turn, ride);
}

int __wrap_segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                       const uint8_t *bytes, size_t length)
{
    pthread_mutex_lock(&lock);
    bool fails = is_main && chunk_fails;
    chunk_fails = chunk_fails && !fails;
    seen.chunks_along += is_main;
    if (!is_main && seen.chunks_alone++ == 0) {
        seen.offers_until_alone = seen.offers;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return fails ? STATUS_NO_MEMORY : __real_segment_put(env, txn, key, bytes, length);
}

void __wrap_head_drop(struct head *head)
{
    __real_head_drop(head);
    pthread_mutex_lock(&lock);
    seen.sealed++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved name */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd; /* nothing here needs a disk that outlives the machine */
    pthread_mutex_lock(&lock);
    int error = is_main ? commit_error : (sync_fails ? EIO : 0);
    commit_error = is_main ? 0 : commit_error;
    seen.syncs_failed += !is_main && error != 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    errno = error;
    return error != 0 ? -1 : 0;
}

/* Wait until *COUNT, which is guarded by the lock, is N. */
static void wait_until(const unsigned *count, unsigned n)
{
    pthread_mutex_lock(&lock);
    while (*count < n) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static unsigned value_of(const unsigned *count)
{
    pthread_mutex_lock(&lock);
    unsigned value = *count;
    pthread_mutex_unlock(&lock);
    return value;
}

static void set(bool *flag, bool value)
{
    pthread_mutex_lock(&lock);
    *flag = value;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void set_commit_error(int error)
{
    pthread_mutex_lock(&lock);
    commit_error = error;
    pthread_mutex_unlock(&lock);
}

/* Let the sealer go on, and wait until its slice is offered: the turn is taken, so it stays so. */
static void let_offer(void)
{
    set(&gate_is_open, true);
    for (bool offered = false; !offered;) {
        pthread_mutex_lock(&offered_to->lock);
        offered = offered_to->ride != NULL;
        pthread_mutex_unlock(&offered_to->lock);
        sched_yield();
    }
}

/* --- helpers ---------------------------------------------------------------------------------- */

/* A store whose sealer has a customer and a usage to seal; unless the gate is OPEN, it comes to a
 * stand there. */
static struct store *begin_sealing(const char *directory, struct model *model, bool open)
{
    pthread_mutex_lock(&lock);
    gate_is_open = open;
    memset(&seen, 0, sizeof seen);
    pthread_mutex_unlock(&lock);
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("Acme", "");
    struct record usage = usage_at(1, 0, 0, "first");
    append(txn, model, &customer, birth_us);
    append(txn, model, &usage, birth_us);
    assert_ok(store_commit(txn));
    if (!open) {
        wait_until(&seen.offers, 1);
    }
    return store;
}

static struct store_txn *begin_usage(struct store *store, struct model *model)
{
    struct store_txn *txn = begin(store, birth_us);
    struct record usage = usage_at(1, hour_us, hour_us, "second");
    append(txn, model, &usage, birth_us);
    return txn;
}

/* --- a slice that rides along ----------------------------------------------------------------- */

/* Record a usage, of which the model is not told, in a commit that takes the slice along.  Returns
 * how that went. */
static int commit_with_slice(struct store *store, struct model *model)
{
    struct model_mark mark = model_mark(model);
    struct store_txn *txn = begin_usage(store, model);
    let_offer();
    int rc = store_commit(txn);
    model_return(model, &mark);
    assert_true(value_of(&seen.chunks_along) > 0);
    return rc;
}

/* All that is in the model is there, also once it is read from the segment, and after a start; and
 * so is one record more. */
static void check_sealed(struct store *store, struct model *model, const char *directory)
{
    check_now(store, model);
    wait_until(&seen.sealed, 1);
    check_now(store, model);
    assert_ok(store_commit(begin_usage(store, model)));
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
}

static void commit__slice_along_cannot_be_written__busy_and_the_same_again_goes_well(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    (void)state;
    struct store *store = begin_sealing(directory, model, false);
    set(&chunk_fails, true);
    assert_status(commit_with_slice(store, model), STATUS_BUSY);
    assert_u64(value_of(&seen.chunks_along), 1);
    check_sealed(store, model, directory);
    assert_u64(value_of(&seen.offers_until_alone), 1); /* it was not offered once more */
}

static void commit__no_room_with_a_slice_along__slice_is_written_again(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    (void)state;
    struct store *store = begin_sealing(directory, model, false);
    set_commit_error(ENOSPC);
    assert_status(commit_with_slice(store, model), STATUS_STORAGE_FULL);
    unsigned chunks = value_of(&seen.chunks_along);
    check_sealed(store, model, directory);
    assert_true(value_of(&seen.chunks_alone) >= chunks);
}

/* The segment is not made live without its slice, of which nobody knows whether it is on disk. */
static void commit__outcome_unknown_with_a_slice_along__nothing_more_is_sealed(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store_txn *txn;
    (void)state;
    struct store *store = begin_sealing(directory, model, false);
    set_commit_error(EIO);
    assert_status(commit_with_slice(store, model), STATUS_STORAGE_FAILED);
    assert_status(store_begin(store, birth_us, &txn), STATUS_STORAGE_FAILED);
    store_close(store);
    assert_u64(value_of(&seen.sealed), 0);
    store = open_in(directory);
    check_now(store, model);
    assert_ok(store_commit(begin_usage(store, model)));
    check_now(store, model);
    store_close(store);
}

/* --- a slice of the sealer's own -------------------------------------------------------------- */

/* Nobody knows whether it is on disk: who waits for the turn meanwhile does not begin. */
static void begin__behind_a_turn_that_was_spoilt__is_refused_until_a_start(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store_txn *txn;
    (void)state;
    set(&sync_fails, true);
    struct store *store = begin_sealing(directory, model, true);
    wait_until(&seen.syncs_failed, 1); /* in its turn, which it gives back when it has said so */
    set(&sync_fails, false);
    for (int i = 0; i < 2; i++) {
        assert_status(store_begin(store, birth_us, &txn), STATUS_STORAGE_FAILED);
    }
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    assert_ok(store_commit(begin_usage(store, model)));
    check_now(store, model);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(commit__slice_along_cannot_be_written__busy_and_the_same_again_goes_well),
    cmocka_unit_test(commit__no_room_with_a_slice_along__slice_is_written_again),
    cmocka_unit_test(commit__outcome_unknown_with_a_slice_along__nothing_more_is_sealed),
    cmocka_unit_test(begin__behind_a_turn_that_was_spoilt__is_refused_until_a_start),
};

int main(int argc, char **argv)
{
    is_main = true;
    fixture_uri = "lmdb:?head_records=1&merge_width=64&slice_bytes=16368";
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(argv[0], tests, NULL, NULL));
}
