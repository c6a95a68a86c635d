/* Slices of the sealer: with a commit that comes, by themselves where none does, and once more by
 * themselves where both together found no room.
 *
 * The test is the committer. */
#include <poll.h>

#include "billingd/store/lmdb/slice.h"
#include "tests/unit/lmdb_env.h"

struct bench {
    struct env *env;
    struct turn turn;
    unsigned written; /* how often; read when the sealer has ended */
    int rc;           /* what slice_write() returned */
};

static int write_row(void *arg, MDB_txn *txn)
{
    struct bench *bench = arg;
    uint8_t key[] = {1};
    bench->written++;
    return env_put(bench->env, txn, ENV_MANIFEST, (MDB_val){sizeof key, key}, "x", 1);
}

static int fail_to_write(void *arg, MDB_txn *txn)
{
    (void)arg;
    (void)txn;
    return STATUS_STORAGE_FULL;
}

static void *seal(void *arg)
{
    struct bench *bench = arg;
    bench->rc = slice_write(bench->env, &bench->turn, write_row, bench);
    return NULL;
}

static void set_up(struct bench *bench)
{
    *bench = (struct bench){.env = lmdb_env_new(), .rc = 1};
    turn_init(&bench->turn);
}

static void take_down(struct bench *bench)
{
    turn_done(&bench->turn);
    env_close(bench->env);
}

static uint64_t rows(const struct bench *bench)
{
    uint64_t n;
    MDB_txn *txn = lmdb_env_begin(bench->env, false);
    assert_ok(env_count(bench->env, txn, ENV_MANIFEST, &n));
    mdb_txn_abort(txn);
    return n;
}

static void wait_for_offer(struct turn *turn)
{
    int64_t end_ms = testkit_now_ms() + 60000;
    for (bool offered = false; !offered;) {
        pthread_mutex_lock(&turn->lock);
        offered = turn->ride != NULL;
        pthread_mutex_unlock(&turn->lock);
        assert_true(testkit_now_ms() < end_ms);
        poll(NULL, 0, 1);
    }
}

/* The sealer writes while a transaction is open, whose commit takes it along and then goes as
 * STATUS says. */
static void write_with_a_commit(struct bench *bench, int status)
{
    pthread_t thread;
    turn_take(&bench->turn, TURN_COMMITTER);
    MDB_txn *txn = lmdb_env_begin(bench->env, true);
    assert_int_equal(pthread_create(&thread, NULL, seal, bench), 0);
    wait_for_offer(&bench->turn);
    assert_ok(turn_take_along(&bench->turn, txn));
    if (status == 0) {
        assert_ok(env_commit(bench->env, txn));
    } else {
        mdb_txn_abort(txn);
    }
    turn_give(&bench->turn);
    turn_ride_over(&bench->turn, status);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void write__while_a_transaction_is_open__goes_with_its_commit(void **state)
{
    struct bench bench;
    (void)state;
    set_up(&bench);
    write_with_a_commit(&bench, 0);
    assert_ok(bench.rc);
    assert_u64(bench.written, 1);
    assert_u64(rows(&bench), 1);
    take_down(&bench);
}

static void write__no_room_for_both__is_tried_by_itself(void **state)
{
    struct bench bench;
    (void)state;
    set_up(&bench);
    write_with_a_commit(&bench, STATUS_STORAGE_FULL);
    assert_ok(bench.rc);
    assert_u64(bench.written, 2);
    assert_u64(rows(&bench), 1);
    take_down(&bench);
}

static void write__outcome_unknown__is_not_tried_again(void **state)
{
    struct bench bench;
    (void)state;
    set_up(&bench);
    write_with_a_commit(&bench, STATUS_STORAGE_FAILED);
    assert_status(bench.rc, STATUS_STORAGE_FAILED);
    assert_u64(bench.written, 1);
    assert_u64(rows(&bench), 0);
    take_down(&bench);
}

/* Transactions that come one upon the other, none of which has anything to commit, do not keep the
 * sealer waiting. */
static void write__nothing_but_transactions_that_abort__is_one_of_its_own(void **state)
{
    struct bench bench;
    pthread_t thread;
    (void)state;
    set_up(&bench);
    turn_take(&bench.turn, TURN_COMMITTER);
    assert_int_equal(pthread_create(&thread, NULL, seal, &bench), 0);
    wait_for_offer(&bench.turn);
    for (bool offered = true; offered;) {
        turn_give(&bench.turn);
        turn_take(&bench.turn, TURN_COMMITTER);
        pthread_mutex_lock(&bench.turn.lock);
        offered = bench.turn.ride != NULL;
        pthread_mutex_unlock(&bench.turn.lock);
    }
    turn_give(&bench.turn);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(bench.rc);
    assert_u64(bench.written, 1);
    assert_u64(rows(&bench), 1);
    take_down(&bench);
}

static void write__no_transaction__is_one_of_its_own(void **state)
{
    struct bench bench;
    (void)state;
    set_up(&bench);
    assert_ok(slice_write(bench.env, &bench.turn, write_row, &bench));
    assert_u64(rows(&bench), 1);
    assert_status(slice_write(bench.env, &bench.turn, fail_to_write, &bench), STATUS_STORAGE_FULL);
    turn_take(&bench.turn, TURN_COMMITTER); /* it was given back */
    turn_give(&bench.turn);
    take_down(&bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(write__while_a_transaction_is_open__goes_with_its_commit),
    cmocka_unit_test(write__no_room_for_both__is_tried_by_itself),
    cmocka_unit_test(write__outcome_unknown__is_not_tried_again),
    cmocka_unit_test(write__nothing_but_transactions_that_abort__is_one_of_its_own),
    cmocka_unit_test(write__no_transaction__is_one_of_its_own),
};

TESTKIT_MAIN(tests)
