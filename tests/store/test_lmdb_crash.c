/* Killed at every step of sealing and merging, under load: what was acknowledged is there once, and
 * nothing but what was acknowledged, or was about to be.
 *
 * The load is a process of its own, with a library that kills itself where it is told to
 * (billingd/base/failpoint.h).  It tells what was acknowledged through a pipe. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/store/history.h"
#include "tests/store/sealing.h"

enum {
    BATCHES = 60,     /* unless it is killed before */
    SMALL_BATCH = 12, /* at most */
    LARGE_BATCH = 80, /* exactly */
};

/* Of the load: with LARGE_BATCH it waits for each seal, and at the end for a merge, which is of so
 * many records that each of its tables takes several slices. */
static uint64_t batch_records = SMALL_BATCH;

/* A process that is killed leaves what it wrote: no sync is needed.  This program's own stands
 * before the C library's for liblmdb too. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved name */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* A random transaction on STORE, which may be NULL, and MODEL: the same either way. */
static void step(struct rng *rng, struct store *store, struct model *model)
{
    int64_t now_us = birth_us + (int64_t)model->records;
    struct store_txn *txn = store != NULL ? begin(store, now_us) : NULL;
    uint64_t n = batch_records == LARGE_BATCH ? LARGE_BATCH : 1 + rng_below(rng, batch_records);
    for (; n > 0; n--) {
        struct record record = history_record(rng, model);
        if (txn != NULL) {
            append(txn, model, &record, now_us);
        } else {
            model_append(model, &record, now_us);
        }
    }
    if (txn != NULL) {
        assert_ok(store_commit(txn));
    }
}

/* --- the process that is killed --------------------------------------------------------------- */

/* Random transactions from SEED on, whose number goes to FD when each is acknowledged. */
__attribute__((noreturn)) static void write_load(const char *directory, const char *point,
                                                 uint64_t seed, int fd)
{
    struct rng rng = {seed};
    struct model *model = model_create();
    if (setenv("BILLING_FAILPOINT", point, 1) < 0) {
        _exit(2);
    }
    struct store *store = open_in(directory);
    uint64_t merges = sealing_count().merges;
    for (int i = 0; i < BATCHES; i++) {
        uint64_t seals = sealing_count().seals;
        step(&rng, store, model);
        if (write(fd, &(char){'a'}, 1) != 1) {
            _exit(2);
        }
        if (batch_records == LARGE_BATCH) {
            sealing_await(store, seals);
        }
    }
    while (batch_records == LARGE_BATCH && sealing_count().merges == merges) {
        store_abort(begin(store, birth_us));
        sched_yield();
    }
    store_close(store);
    _exit(0);
}

/* Run it.  Returns how many transactions were acknowledged; *RET_KILLED: it killed itself. */
static int run_load(const char *directory, const char *point, uint64_t seed, bool *ret_killed)
{
    int ends[2];
    int status;
    int acknowledged = 0;
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_load(directory, point, seed, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1) {
        acknowledged++;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!*ret_killed) {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(acknowledged, BATCHES);
    }
    return acknowledged;
}

/* --- what is there afterwards ----------------------------------------------------------------- */

static uint64_t last_seq(struct store *store)
{
    struct store_info info;
    struct store_view *view = snapshot(store);
    assert_ok(store_info(view, &info));
    store_release(view);
    return info.last_seq;
}

/* Bring MODEL to where the same load leads after ACKNOWLEDGED transactions, or after one more:
 * STORE says which. */
static void follow(struct store *store, struct model *model, uint64_t seed, int acknowledged)
{
    struct rng rng = {seed};
    for (int i = 0; i < acknowledged; i++) {
        step(&rng, NULL, model);
    }
    uint64_t there = last_seq(store);
    if (there != model->records) {
        step(&rng, NULL, model);
    }
    assert_u64(there, model->records);
}

static void check_all(struct store *store, const struct model *model)
{
    check_now(store, model);
    check_replays(store, model);
}

/* Killed there the TIMESth time: returns false where it came to no such. */
static bool survive(const char *point, int times)
{
    bool killed;
    struct rng rng = rng_make(testkit_format("%s %d", point, times));
    uint64_t seed = rng_next(&rng);
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    int acknowledged = run_load(directory, testkit_format("%s:%d", point, times), seed, &killed);
    struct store *store = open_in(directory);
    follow(store, model, seed, acknowledged);
    check_all(store, model);
    for (int i = 0; i < 10; i++) {
        step(&rng, store, model);
    }
    check_all(store, model);
    store_close(store);
    store = open_in(directory);
    check_all(store, model);
    store_close(store);
    return killed;
}

static const int all_times[] = {1, 2, 3, 5, 8, 13, 21};

static void survive_each(const char *point, int met_at_least)
{
    int met = 0;
    for (size_t i = 0; i < sizeof all_times / sizeof all_times[0]; i++) {
        met += survive(point, all_times[i]);
    }
    assert_true(met >= met_at_least); /* the place is still passed */
}

static void kill__before_a_slice__loses_nothing(void **state)
{
    (void)state;
    survive_each("before_slice", 6);
}

static void kill__after_a_slice__loses_nothing(void **state)
{
    (void)state;
    survive_each("after_slice", 6);
}

static void kill__before_a_segment_is_live__loses_nothing(void **state)
{
    (void)state;
    survive_each("before_live", 5);
}

static void kill__sealed_and_still_in_the_head__loses_nothing(void **state)
{
    (void)state;
    survive_each("sealed", 4);
}

static void kill__merged_with_the_inputs_doomed__loses_nothing(void **state)
{
    (void)state;
    survive_each("merged", 2);
}

static void kill__before_a_removal__loses_nothing(void **state)
{
    (void)state;
    survive_each("before_removal", 2);
}

static void kill__after_a_removal__loses_nothing(void **state)
{
    (void)state;
    survive_each("after_removal", 2);
}

/* Killed at every slice of the first merge, until it has no more of them. */
static void survive_each_slice_of_a_merge(const char *point)
{
    const char *uri = fixture_uri;
    int slices = 0;
    fixture_uri = "lmdb:?head_records=1000&merge_width=4&slice_bytes=16368";
    batch_records = LARGE_BATCH;
    while (survive(point, slices + 1)) {
        slices++;
    }
    assert_in_range(slices, 3, 20);
    batch_records = SMALL_BATCH;
    fixture_uri = uri;
}

static void kill__before_a_slice_of_a_merge__loses_nothing(void **state)
{
    (void)state;
    survive_each_slice_of_a_merge("before_merge_slice");
}

static void kill__after_a_slice_of_a_merge__loses_nothing(void **state)
{
    (void)state;
    survive_each_slice_of_a_merge("after_merge_slice");
}

/* A start in DIRECTORY, killed at POINT if it comes there. */
static void start_and_be_killed(const char *directory, const char *point)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        IGNORE(setenv("BILLING_FAILPOINT", point, 1) < 0);
        struct store *store = open_in(directory);
        poll(NULL, 0, 20); /* for the sealer to die in; if it does not, all the same */
        store_close(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
}

/* Again and again in the same store, with no start that goes well between them. */
static void kill__many_times_in_a_row__loses_nothing(void **state)
{
    static const char *const points[] = {"before_slice:1",   "after_slice:2",   "before_live:1",
                                         "sealed:1",         "before_slice:4",  "merged:1",
                                         "before_removal:1", "after_removal:1", "after_slice:1"};
    struct rng rng = rng_make("row");
    uint64_t seed = rng_next(&rng);
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    bool killed;
    (void)state;
    int acknowledged = run_load(directory, "sealed:20", seed, &killed);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        start_and_be_killed(directory, points[i]);
    }
    struct store *store = open_in(directory);
    follow(store, model, seed, acknowledged);
    check_all(store, model);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(kill__before_a_slice__loses_nothing),
    cmocka_unit_test(kill__after_a_slice__loses_nothing),
    cmocka_unit_test(kill__before_a_slice_of_a_merge__loses_nothing),
    cmocka_unit_test(kill__after_a_slice_of_a_merge__loses_nothing),
    cmocka_unit_test(kill__before_a_segment_is_live__loses_nothing),
    cmocka_unit_test(kill__sealed_and_still_in_the_head__loses_nothing),
    cmocka_unit_test(kill__merged_with_the_inputs_doomed__loses_nothing),
    cmocka_unit_test(kill__before_a_removal__loses_nothing),
    cmocka_unit_test(kill__after_a_removal__loses_nothing),
    cmocka_unit_test(kill__many_times_in_a_row__loses_nothing),
};

int main(int argc, char **argv)
{
    fixture_uri = "lmdb:?head_records=5&merge_width=2&slice_bytes=16368";
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
