/* A disk that is full in any step of sealing, merging and removing: nothing is lost, what was
 * recorded is found, and all comes back by itself when there is room.
 *
 * This program's own fdatasync() stands before the C library's for liblmdb too; the sealer's are
 * those of the one other thread. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/store/history.h"

static _Thread_local bool is_main;
static atomic_int syncs_left; /* of the sealer, until there is no room for it; below 0: there is */
static atomic_int refused;    /* how many then were */
static atomic_int refusal = ENOSPC;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved name */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd; /* nothing here needs a disk that outlives the machine */
    if (is_main || atomic_load(&syncs_left) < 0) {
        return 0;
    }
    if (atomic_load(&syncs_left) > 0) {
        atomic_fetch_sub(&syncs_left, 1);
        return 0;
    }
    atomic_fetch_add(&refused, 1);
    errno = atomic_load(&refusal);
    return -1;
}

static void fill_after(int syncs)
{
    atomic_store(&refused, 0);
    atomic_store(&syncs_left, syncs);
}

static void make_room(void)
{
    atomic_store(&syncs_left, -1);
}

/* --- load ------------------------------------------------------------------------------------- */

/* Up to N random records in a transaction.  Returns what the store said: 0, or
 * STATUS_STORAGE_FULL with nothing of it recorded. */
static int try_step(struct rng *rng, struct store *store, struct model *model, uint64_t n)
{
    int64_t now_us = birth_us + (int64_t)model->records;
    struct model_mark mark = model_mark(model);
    struct store_txn *txn = begin(store, now_us);
    int rc = 0;
    for (uint64_t i = 1 + rng_below(rng, n); i > 0 && rc == 0; i--) {
        struct record record = history_record(rng, model);
        struct record appended = record;
        rc = store_append(txn, &appended);
        model_append(model, &record, now_us);
    }
    if (rc == 0) {
        rc = store_commit(txn);
    } else {
        store_abort(txn);
    }
    if (rc < 0) {
        assert_status(rc, STATUS_STORAGE_FULL);
        model_return(model, &mark);
    }
    return rc;
}

/* Record until it is taken, within what the sealer's own retries need. */
static void step_when_there_is_room(struct rng *rng, struct store *store, struct model *model)
{
    int64_t end_ms = testkit_now_ms() + PATIENCE_MS;
    while (try_step(rng, store, model, 5) < 0) {
        assert_true(testkit_now_ms() < end_ms);
        poll(NULL, 0, 10);
    }
}

static void check_all(struct store *store, const struct model *model)
{
    check_now(store, model);
    check_replays(store, model);
}

/* --- the sealer's disk is full ---------------------------------------------------------------- */

/* From the sealer's sync number SYNCS on, for as long as the head takes records. */
static void survive_full_after(int syncs)
{
    struct rng rng = rng_make(testkit_format("full %d", syncs));
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    int full = 0;
    make_room();
    struct store *store = open_in(directory);
    fill_after(syncs);
    for (int i = 0; i < 200 && full < 3; i++) {
        full = try_step(&rng, store, model, 5) < 0 ? full + 1 : 0;
        if (i % 20 == 0 || full > 0) {
            check_all(store, model);
        }
    }
    assert_true(full == 3); /* recording ends when the head has its fill */
    assert_true(atomic_load(&refused) > 0);
    if (syncs % 2 == 0) { /* also over a start on the full disk */
        store_close(store);
        is_main = false; /* the start seals as the sealer does */
        atomic_store(&syncs_left, 0);
        store = open_in(directory);
        is_main = true;
        check_all(store, model);
    }
    make_room();
    for (int i = 0; i < 20; i++) {
        step_when_there_is_room(&rng, store, model);
    }
    check_all(store, model);
    store_close(store);
    store = open_in(directory);
    check_all(store, model);
    store_close(store);
}

static void seal__disk_full_at_any_step__nothing_lost_and_comes_back(void **state)
{
    static const int syncs[] = {0, 1, 2, 3, 4, 5, 6, 8, 13, 24};
    (void)state;
    for (size_t i = 0; i < sizeof syncs / sizeof syncs[0]; i++) {
        survive_full_after(syncs[i]);
    }
}

/* --- the sealer's disk is broken -------------------------------------------------------------- */

/* A record by itself, which is in MODEL only where it was taken.  Returns what the store said. */
static int try_record(struct rng *rng, struct store *store, struct model *model)
{
    struct store_txn *txn;
    struct record record = history_record(rng, model);
    struct record appended = record;
    int rc = store_begin(store, birth_us, &txn);
    if (rc < 0) {
        return rc;
    }
    rc = store_append(txn, &appended);
    if (rc < 0) {
        store_abort(txn);
        return rc;
    }
    rc = store_commit(txn);
    if (rc == 0) {
        model_append(model, &record, birth_us);
    }
    return rc;
}

/* Nobody knows whether the sealer's commit is on disk: the store says so, to whoever writes from
 * then on, and a start reads what there is. */
static void break_after(int syncs)
{
    struct rng rng = rng_make(testkit_format("broken %d", syncs));
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct store_txn *txn;
    int rc = 0;
    make_room();
    struct store *store = open_in(directory);
    atomic_store(&refusal, EIO);
    fill_after(syncs);
    for (int tries = 0; rc == 0; tries++) {
        rc = try_record(&rng, store, model);
        assert_true(tries < 10000);
    }
    assert_status(rc, STATUS_STORAGE_FAILED);
    make_room();
    assert_status(store_begin(store, birth_us, &txn), STATUS_STORAGE_FAILED);
    store_close(store);
    atomic_store(&refusal, ENOSPC);
    store = open_in(directory);
    check_all(store, model);
    store_close(store);
}

static void seal__sync_fails__nothing_is_recorded_until_a_start(void **state)
{
    (void)state;
    for (int syncs = 0; syncs < 9; syncs++) {
        break_after(syncs);
    }
}

/* --- the file may not grow -------------------------------------------------------------------- */

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Nobody can write any more, in whichever step each is. */
static void file__cannot_grow__nothing_lost_and_comes_back(void **state)
{
    struct rng rng = rng_make("limit");
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct stat about;
    (void)state;
    make_room();
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct store *store = open_in(directory);
    for (rlim_t room = 0; room < 200000; room += 40009) {
        int full = 0;
        assert_int_equal(stat(testkit_format("%s/data.mdb", directory), &about), 0);
        set_file_limit((rlim_t)about.st_size + room);
        for (int i = 0; i < 200 && full < 3; i++) {
            full = try_step(&rng, store, model, 40) < 0 ? full + 1 : 0;
        }
        check_all(store, model);
        if (room / 40009 % 2 == 1) { /* a start needs no room */
            store_close(store);
            store = open_in(directory);
            check_all(store, model);
        }
        set_file_limit(RLIM_INFINITY);
        step_when_there_is_room(&rng, store, model);
        check_all(store, model);
    }
    store_close(store);
    store = open_in(directory);
    check_all(store, model);
    store_close(store);
}

/* --- the map is full -------------------------------------------------------------------------- */

static void map__full__reading_goes_on_and_a_larger_one_goes_on_from_there(void **state)
{
    struct rng rng = rng_make("map");
    struct model *model = model_create();
    struct store_options options = options_in(testkit_tmpdir());
    int full = 0;
    (void)state;
    make_room();
    options.map_bytes = 2 << 20;
    struct store *store = open_with(&options);
    for (int i = 0; i < 2000 && full < 5; i++) {
        full = try_step(&rng, store, model, 40) < 0 ? full + 1 : 0;
    }
    assert_int_equal(full, 5);
    check_all(store, model);
    store_close(store);
    store = open_with(&options); /* it still starts */
    check_all(store, model);
    store_close(store);
    options.map_bytes = MAP_BYTES;
    store = open_with(&options);
    for (int i = 0; i < 10; i++) {
        step_when_there_is_room(&rng, store, model);
    }
    check_all(store, model);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(seal__disk_full_at_any_step__nothing_lost_and_comes_back),
    cmocka_unit_test(seal__sync_fails__nothing_is_recorded_until_a_start),
    cmocka_unit_test(file__cannot_grow__nothing_lost_and_comes_back),
    cmocka_unit_test(map__full__reading_goes_on_and_a_larger_one_goes_on_from_there),
};

int main(int argc, char **argv)
{
    is_main = true;
    fixture_uri = "lmdb:?head_records=5&merge_width=2&slice_bytes=16368";
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
