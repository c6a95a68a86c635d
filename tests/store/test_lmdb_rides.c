/* What whoever records is told where the sealer's writes fail: one that rides along in a commit,
 * and one of its own.
 *
 * The sealer stands at a gate before it offers a slice, so that the test says which commit takes it
 * along.  This program's own fdatasync() stands before the C library's for liblmdb too.  Linked
 * with -Wl,--wrap= of turn_offer and segment_put. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "billingd/store/lmdb/segment.h"
#include "billingd/store/lmdb/turn.h"
#include "tests/store/fixture.h"

/* --- the gate --------------------------------------------------------------------------------- */

static _Thread_local bool is_main; /* the committer's part */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_is_open;
static struct turn *offered_to;     /* the turn of the last offer */
static unsigned offers;             /* that came to the gate */
static bool chunk_fails;            /* the next that a commit takes along */
static unsigned chunks_along;       /* that commits took along, or tried to */
static unsigned chunks_alone;       /* that the sealer wrote by itself */
static unsigned offers_until_alone; /* when it wrote the first of them */
static bool sync_fails;             /* of the sealer */
static unsigned syncs_failed;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
bool __real_turn_offer(struct turn *turn, struct ride *ride);
bool __wrap_turn_offer(struct turn *turn, struct ride *ride);
int __real_segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                       const uint8_t *bytes, size_t length);
int __wrap_segment_put(const struct env *env, MDB_txn *txn, const uint8_t key[SEGMENT_KEY_BYTES],
                       const uint8_t *bytes, size_t length);
/* NOLINTEND(bugprone-reserved-identifier) */

bool __wrap_turn_offer(struct turn *turn, struct ride *ride)
{
    pthread_mutex_lock(&lock);
    offered_to = turn;
    offers++;
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
    chunks_along += is_main;
    offers_until_alone = is_main || chunks_alone > 0 ? offers_until_alone : offers;
    chunks_alone += !is_main;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return fails ? STATUS_NO_MEMORY : __real_segment_put(env, txn, key, bytes, length);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved name */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd; /* nothing here needs a disk that outlives the machine */
    pthread_mutex_lock(&lock);
    bool fails = !is_main && sync_fails;
    syncs_failed += fails;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    errno = EIO;
    return fails ? -1 : 0;
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

/* A store whose sealer has a customer and a usage to seal. */
static struct store *begin_sealing(const char *directory, struct model *model)
{
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("Acme", "");
    struct record usage = usage_at(1, 0, 0, "first");
    append(txn, model, &customer, birth_us);
    append(txn, model, &usage, birth_us);
    assert_ok(store_commit(txn));
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

static void commit__slice_along_cannot_be_written__busy_and_the_same_again_goes_well(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    (void)state;
    set(&gate_is_open, false);
    struct store *store = begin_sealing(directory, model);
    wait_until(&offers, 1);
    struct model_mark mark = model_mark(model);
    struct store_txn *txn = begin_usage(store, model);
    let_offer();
    set(&chunk_fails, true);
    assert_status(store_commit(txn), STATUS_BUSY);
    assert_u64(value_of(&chunks_along), 1);
    model_return(model, &mark);
    check_now(store, model);
    wait_until(&chunks_alone, 1);
    assert_u64(value_of(&offers_until_alone), 1); /* it was not offered once more */
    assert_ok(store_commit(begin_usage(store, model)));
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
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
    set(&gate_is_open, true);
    set(&sync_fails, true);
    struct store *store = begin_sealing(directory, model);
    wait_until(&syncs_failed, 1); /* in its turn, which it gives back when it has said so */
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
    cmocka_unit_test(begin__behind_a_turn_that_was_spoilt__is_refused_until_a_start),
};

int main(int argc, char **argv)
{
    is_main = true;
    fixture_uri = "lmdb:?head_records=1&merge_width=64&slice_bytes=16368";
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(argv[0], tests, NULL, NULL));
}
