/* Failing disks: of a run that seals, merges and removes, each call that writes or syncs fails
 * once, by whatever thread, in each way that it can.  The store goes on, or says that it cannot and
 * is right after the next start.  See campaign.h for the arguments; a fault is a run with one
 * failed call. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "billingd/store/lmdb/manifest.h"
#include "tests/fault/campaign.h"
#include "tests/fault/clerk.h"
#include "tests/fault/disk.h"

enum {
    STEPS = 14, /* of a sitting */
    SITTINGS = 2,
    TEST_FAULTS = 500,
    PATIENCE_MS = 60000,
    MAP_BYTES = 16 << 20,
    READERS = 4,
    HURRY_MS = 1,
};

static const char uri[] = "lmdb:?head_records=4&merge_width=2&slice_bytes=16368&block_bytes=600";

struct run {
    struct campaign *campaign;
    uint64_t seed;
    const char *directory;
    uint64_t n; /* the call that fails */
    enum disk_fault fault;
    bool was_met; /* when the store was opened */
    struct clerk clerk;
    struct store *store; /* NULL: closed */
};

static void complain(struct run *run, const char *what, const char *detail)
{
    campaign_note(run->campaign, "%s %s: seed %" PRIu64 ", call %" PRIu64 " fails with %s: %s",
                  what, detail, run->seed, run->n, disk_fault_names[run->fault],
                  disk_failed() == NULL ? "none" : disk_failed());
}

/* --- open and close --------------------------------------------------------------------------- */

/* A fault may keep it from opening, once. */
static void open_store(struct run *run)
{
    struct store_options options = {
        .data_dir = run->directory,
        .map_bytes = MAP_BYTES,
        .readers_max = READERS,
        .currency = "USD",
        .now_us = INT64_C(1763809298000000),
    };
    struct errinfo reason;
    bool met_before = disk_failed() != NULL;
    int rc = store_open(uri, &options, &run->store, &reason);
    if (rc < 0 && !met_before && disk_failed() != NULL) {
        rc = store_open(uri, &options, &run->store, &reason);
    }
    if (rc < 0) {
        complain(run, "does not open:", reason.message);
        run->store = NULL;
    }
}

static void close_store(struct run *run)
{
    if (run->store != NULL) {
        store_close(run->store);
        run->store = NULL;
    }
}

static void remove_store(const struct run *run)
{
    static const char *const names[] = {"data.mdb", "data.mdb.new", "lock.mdb", "LOCK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        IGNORE(unlink(testkit_format("%s/%s", run->directory, names[i])) < 0); /* none is there */
    }
}

/* --- segments --------------------------------------------------------------------------------- */

/* The manifest of the store, which is closed, read without touching anything. */
static void read_manifest(const struct run *run, struct manifest *ret)
{
    struct env env = {.mdb = NULL};
    MDB_txn *txn;
    assert_int_equal(mdb_env_create(&env.mdb), 0);
    assert_int_equal(mdb_env_set_maxdbs(env.mdb, 1), 0);
    assert_int_equal(mdb_env_open(env.mdb, run->directory, MDB_RDONLY | MDB_NOLOCK, 0), 0);
    assert_int_equal(mdb_txn_begin(env.mdb, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "manifest", 0, &env.tables[ENV_MANIFEST]), 0);
    assert_ok(manifest_read(&env, txn, ret));
    mdb_txn_abort(txn);
    mdb_env_close(env.mdb);
}

/* Whether all there are count, and none can be merged. */
static bool segments_are_settled(const struct run *run)
{
    struct manifest manifest;
    bool are = true;
    read_manifest(run, &manifest);
    for (size_t i = 0; i < manifest.n; i++) {
        const struct segment *segment = &manifest.segments[i];
        are = are && segment->state == SEGMENT_LIVE &&
              (i == 0 || segment->level != segment[-1].level); /* merge_width is 2 */
    }
    manifest_done(&manifest);
    return are;
}

/* That the run sealed, merged and removed: of the segments that there were most are gone. */
static void check_segments(const struct run *run)
{
    struct manifest manifest;
    read_manifest(run, &manifest);
    assert_true(manifest_next_id(&manifest) - 1 > 2 * manifest.n);
    manifest_done(&manifest);
}

/* --- work ------------------------------------------------------------------------------------- */

/* What is full is tried again until it is not; what has failed stays so until it is opened
 * again. */
static void step(struct run *run)
{
    int rc = STATUS_STORAGE_FULL;
    int64_t end_ms = testkit_now_ms() + PATIENCE_MS;
    while (rc == STATUS_STORAGE_FULL && testkit_now_ms() < end_ms) {
        rc = clerk_step(&run->clerk, run->store, 3);
        if (rc == STATUS_STORAGE_FULL) {
            poll(NULL, 0, HURRY_MS); /* for the sealer, which tries again as often */
        }
    }
    if (rc == STATUS_STORAGE_FAILED) {
        struct store_txn *txn;
        if (store_begin(run->store, run->clerk.env.now_us, &txn) == 0) {
            store_abort(txn);
            complain(run, "goes on", "having failed");
        }
        close_store(run);
    } else if (rc < 0) {
        complain(run, "does not go on:", status_info(rc)->name);
        close_store(run);
    }
}

static bool has_failed(const struct run *run)
{
    struct store_view *view;
    int rc = store_snapshot(run->store, &view);
    if (rc == 0) {
        store_release(view);
    }
    return rc == STATUS_STORAGE_FAILED;
}

/* A store that fails by itself, between two requests, says so to the next. */
static void reopen_failed(struct run *run)
{
    if (run->store != NULL && has_failed(run)) {
        close_store(run);
    }
    if (run->store == NULL) {
        open_store(run);
    }
}

/* Open and close it until the sealer has merged and removed all that there is: that is within the
 * run, and may fail too. */
static bool settle(struct run *run)
{
    int64_t end_ms = testkit_now_ms() + PATIENCE_MS;
    while (testkit_now_ms() < end_ms) {
        close_store(run);
        if (segments_are_settled(run)) {
            return true;
        }
        open_store(run);
        if (run->store == NULL) {
            return false;
        }
        poll(NULL, 0, HURRY_MS); /* for the sealer */
    }
    complain(run, "does not merge and remove", "");
    return false;
}

static bool work(struct run *run)
{
    for (int i = 0; i < STEPS * SITTINGS || run->clerk.open.n > 0; i++) {
        if (i == STEPS) {
            close_store(run);
        }
        reopen_failed(run);
        if (run->store == NULL || i == 2 * STEPS * SITTINGS) {
            complain(run, "comes to no end", "");
            return false;
        }
        step(run);
    }
    return true;
}

/* Returns false where the sealer, which goes on meanwhile, met the fault: nothing is known then. */
static bool check_once(struct run *run, struct checker_result *result)
{
    struct checker_options options = {.seed = run->seed, .windows = 1, .services_ignored = true};
    struct checker_result before = *result;
    reopen_failed(run);
    if (run->store == NULL) {
        return true; /* which open_store() has complained of */
    }
    checker_run(run->clerk.log, run->store, &options, result);
    if (!has_failed(run)) {
        return true;
    }
    before.memory = result->memory;
    *result = before;
    return false;
}

static void check(struct run *run)
{
    struct checker_result *result = &run->campaign->result;
    uint64_t before = checker_violations(result);
    if (!check_once(run, result) && !check_once(run, result)) { /* there is one fault a run */
        complain(run, "fails", "twice");
    }
    if (checker_violations(result) != before) {
        complain(run, "wrong", "");
    }
}

/* The run with call N failing.  Returns whether there was such a call. */
static bool run_once(struct run *run, uint64_t n, enum disk_fault fault)
{
    struct checker_result *result = &run->campaign->result;
    run->n = n;
    run->fault = fault;
    clerk_init(&run->clerk, run->seed);
    remove_store(run);
    disk_fail(run->directory, n, fault);
    if (work(run)) {
        uint64_t acknowledged = result->acknowledged;
        check(run);
        result->acknowledged = acknowledged; /* is counted once */
        if (settle(run)) {
            check(run);
        }
    }
    close_store(run);
    if (run->clerk.broken > 0) {
        complain(run, "broken", "");
    }
    bool met = disk_failed() != NULL;
    disk_heal();
    clerk_done(&run->clerk);
    return met;
}

static bool wants_more(const struct campaign *campaign, uint64_t injected)
{
    return injected < campaign->faults_left && testkit_now_ms() < campaign->deadline_ms;
}

/* The numbers below N, each once, in any order. */
static uint64_t *shuffled(uint64_t n, struct rng *rng)
{
    uint64_t *numbers = calloc(n, sizeof *numbers);
    assert_non_null(numbers);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t j = rng_below(rng, i + 1);
        numbers[i] = numbers[j];
        numbers[j] = i;
    }
    return numbers;
}

/* Each call, in each way, in any order: where there is no time for all, those that are met are from
 * all over the run. */
static void fail_each(struct campaign *campaign, uint64_t seed)
{
    struct run *run = calloc(1, sizeof *run);
    struct rng rng = {seed};
    uint64_t injected = 0;
    uint64_t tried = 0;
    assert_non_null(run);
    *run = (struct run){.campaign = campaign, .seed = seed, .directory = testkit_tmpdir()};
    disk_hurry(HURRY_MS);
    assert_false(run_once(run, 0, DISK_EIO));
    uint64_t calls = disk_calls();
    check_segments(run);
    uint64_t faults = calls * DISK__FAULTS;
    uint64_t *order = shuffled(faults, &rng);
    for (; tried < faults && wants_more(campaign, injected); tried++) {
        uint64_t call = order[tried] / DISK__FAULTS + 1;
        injected += run_once(run, call, (enum disk_fault)(order[tried] % DISK__FAULTS));
    }
    print_message("%" PRIu64 " faults in %" PRIu64 " calls, each of which can fail in %d ways\n",
                  injected, calls, DISK__FAULTS);
    campaign->faults += injected;
    campaign->cut_short = tried < faults;
    disk_hurry(-1);
    free(order);
    free(run);
}

int main(int argc, char **argv)
{
    struct campaign campaign = {.part = "io", .test_faults = TEST_FAULTS, .run = fail_each};
    disk_use_memory();
    return campaign_main(argc, argv, &campaign);
}
