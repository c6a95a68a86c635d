/* Disks that fail and fill.  This program's own fdatasync() and pwrite() stand before the C
 * library's for liblmdb too, so that a test can make them fail. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/store/fixture.h"

/* --- faults ----------------------------------------------------------------------------------- */

enum fault {
    NO_FAULT,
    FAIL_SYNC, /* fdatasync() of the pages */
    FAIL_META, /* the write that makes a commit count: the only one that is no whole page */
};

static enum fault fault;
static int fault_errno;
static int faults_met;
static _Thread_local bool is_main; /* the committer's part, which alone meets them */

static atomic_int sealer_sync_ms; /* so long a sync of the sealer takes at least */
static atomic_bool sealer_syncs;  /* it is in one */
static atomic_int writes;         /* of the committer's part */
static atomic_int writes_beside;  /* of them, while the sealer was in a sync */

/* Set before threads. */
static ssize_t (*real_pwrite)(int fd, const void *data, size_t bytes, off_t offset);

static bool meets(enum fault wanted)
{
    if (!is_main || fault != wanted) {
        return false;
    }
    faults_met++;
    errno = fault_errno;
    return true;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs are reserved names */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    if (is_main) {
        return meets(FAIL_SYNC) ? -1 : fsync(fd);
    }
    atomic_store(&sealer_syncs, true);
    poll(NULL, 0, atomic_load(&sealer_sync_ms));
    int rc = fsync(fd);
    atomic_store(&sealer_syncs, false);
    return rc;
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *data, size_t bytes,
                                                      off_t offset)
{
    if (bytes % 4096 != 0 && meets(FAIL_META)) {
        return -1;
    }
    if (is_main) {
        atomic_fetch_add(&writes, 1);
        atomic_fetch_add(&writes_beside, atomic_load(&sealer_syncs) ? 1 : 0);
    }
    return real_pwrite(fd, data, bytes, offset);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static void fail_next(enum fault which, int error)
{
    fault = which;
    fault_errno = error;
    faults_met = 0;
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct store *store_with_customer(const char *directory, struct model *model)
{
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("Acme", "");
    append(txn, model, &customer, birth_us);
    assert_ok(store_commit(txn));
    return store;
}

/* A transaction of N usages that is still open. */
static struct store_txn *begin_usages(struct store *store, struct model *model, int n)
{
    struct store_txn *txn = begin(store, birth_us);
    for (int i = 0; i < n; i++) {
        struct record usage =
            usage_at(1, i, i, testkit_format("request-%u", (unsigned)model->records));
        append(txn, model, &usage, birth_us);
    }
    return txn;
}

/* --- failing ---------------------------------------------------------------------------------- */

/* The commit's outcome is unknown: the store says so and takes no further transaction; a new
 * start finds all of it or nothing. */
static void assert_outcome_unknown(enum fault which, int error)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = store_with_customer(directory, model);
    struct model_mark mark = model_mark(model);
    struct store_txn *txn = begin_usages(store, model, 3);
    fail_next(which, error);
    assert_status(store_commit(txn), STATUS_STORAGE_FAILED);
    assert_true(faults_met > 0);
    fail_next(NO_FAULT, 0);
    assert_status(store_begin(store, birth_us, &txn), STATUS_STORAGE_FAILED);
    store_close(store);
    store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct store_info info;
    assert_ok(store_info(view, &info));
    store_release(view);
    if (info.last_seq == mark.records) {
        model_return(model, &mark);
    }
    check_now(store, model);
    store_close(store);
}

static void commit__sync_fails__outcome_unknown(void **state)
{
    (void)state;
    assert_outcome_unknown(FAIL_SYNC, EIO);
}

static void commit__meta_write_fails__outcome_unknown(void **state)
{
    (void)state;
    assert_outcome_unknown(FAIL_META, EIO);
}

/* No room in the one write that makes a commit count is not "nothing recorded". */
static void commit__no_room_for_meta__outcome_unknown(void **state)
{
    (void)state;
    assert_outcome_unknown(FAIL_META, ENOSPC);
}

static void view__after_a_failed_meta_write__is_refused(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_customer(testkit_tmpdir(), model);
    struct store_txn *txn = begin_usages(store, model, 1);
    struct store_view *view = snapshot(store);
    struct store_view *later;
    struct record record;
    (void)state;
    fail_next(FAIL_META, EIO);
    assert_status(store_commit(txn), STATUS_STORAGE_FAILED);
    assert_true(faults_met > 0);
    fail_next(NO_FAULT, 0);
    assert_ok(store_record(view, 1, &record)); /* what was being read is still there */
    assert_status(store_record(view, 2, &record), STATUS_NOT_FOUND);
    store_release(view);
    for (int i = 0; i < READERS_MAX + 1; i++) { /* more than there are: none is lost */
        assert_status(store_snapshot(store, &later), STATUS_STORAGE_FAILED);
    }
    store_close(store);
}

/* --- filling ---------------------------------------------------------------------------------- */

/* Wait until records are taken again: what waits to be sealed comes first. */
static void wait_for_room(struct store *store)
{
    int rc = STATUS_STORAGE_FULL;
    int64_t end_ms = testkit_now_ms() + PATIENCE_MS;
    while (rc == STATUS_STORAGE_FULL) {
        struct store_txn *txn = begin(store, birth_us);
        struct record usage = usage_at(1, 0, 0, "");
        rc = store_append(txn, &usage);
        store_abort(txn);
        assert_true(testkit_now_ms() < end_ms);
        poll(NULL, 0, rc < 0 ? 10 : 0); /* the next attempt comes within a second */
    }
    assert_ok(rc);
}

static void commit__no_room_at_sync__nothing_recorded_and_goes_on(void **state)
{
    static const int errors[] = {ENOSPC, EDQUOT};
    struct model *model = model_create();
    struct store *store = store_with_customer(testkit_tmpdir(), model);
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        wait_for_room(store);
        struct model_mark mark = model_mark(model);
        struct store_txn *txn = begin_usages(store, model, 3);
        fail_next(FAIL_SYNC, errors[i]);
        assert_status(store_commit(txn), STATUS_STORAGE_FULL);
        assert_true(faults_met > 0);
        fail_next(NO_FAULT, 0);
        model_return(model, &mark);
        check_now(store, model);
        wait_for_room(store);
        assert_ok(store_commit(begin_usages(store, model, 3)));
        check_now(store, model);
    }
    store_close(store);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that may not grow behaves as on a full disk: the write that crosses the limit is cut
 * short, which LMDB reports as EIO, and one behind it fails. */
static void commit__file_cannot_grow__nothing_recorded_until_it_can(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = store_with_customer(directory, model);
    struct stat about;
    (void)state;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (rlim_t room = 0; room < 400000; room += 30011) {
        wait_for_room(store);
        struct model_mark mark = model_mark(model);
        struct store_txn *txn = begin_usages(store, model, room == 0 ? 9000 : 1000);
        assert_int_equal(stat(testkit_format("%s/data.mdb", directory), &about), 0);
        set_file_limit((rlim_t)about.st_size + room);
        int rc = store_commit(txn);
        if (rc < 0) {
            assert_status(rc, STATUS_STORAGE_FULL);
            model_return(model, &mark);
        }
        set_file_limit(RLIM_INFINITY);
        check_now(store, model);
        if (room == 0 && strcmp(fixture_uri, "lmdb:") == 0) { /* else there may be free pages */
            assert_true(rc < 0);
        }
    }
    wait_for_room(store);
    assert_ok(store_commit(begin_usages(store, model, 10)));
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
}

/* --- beside the sealer ------------------------------------------------------------------------ */

/* Until the sealer is in a sync, if it comes to one: it waits until the committer is quiet. */
static void wait_for_sealer(void)
{
    for (int tries = 0; !atomic_load(&sealer_syncs) && tries < 300; tries++) {
        poll(NULL, 0, 1);
    }
}

/* The room behind the pages in use is what a begin writes, and it is where the sealer's pages may
 * just have been put. */
static void begin__room_is_due_while_the_sealer_writes__waits_for_its_turn(void **state)
{
    const char *uri = fixture_uri;
    int rooms = 0;
    (void)state;
    if (strcmp(uri, "lmdb:") != 0) {
        skip(); /* it has a URI of its own, and takes seconds */
    }
    fixture_uri = "lmdb:?head_records=1&merge_width=2&slice_bytes=16368";
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = store_with_customer(directory, model);
    atomic_store(&writes_beside, 0);
    atomic_store(&sealer_sync_ms, 20);
    for (int i = 0; rooms < 8; i++) {
        assert_true(i < 1000);
        wait_for_sealer();
        int before = atomic_load(&writes);
        struct store_txn *txn = begin(store, birth_us);
        rooms += atomic_load(&writes) - before;
        struct record usage = usage_at(1, i, i, testkit_format("request-%d", i));
        append(txn, model, &usage, birth_us);
        assert_ok(store_commit(txn));
    }
    atomic_store(&sealer_sync_ms, 0);
    assert_int_equal(atomic_load(&writes_beside), 0);
    check_now(store, model);
    store_close(store);
    fixture_uri = uri;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(commit__sync_fails__outcome_unknown),
    cmocka_unit_test(commit__meta_write_fails__outcome_unknown),
    cmocka_unit_test(commit__no_room_for_meta__outcome_unknown),
    cmocka_unit_test(view__after_a_failed_meta_write__is_refused),
    cmocka_unit_test(commit__no_room_at_sync__nothing_recorded_and_goes_on),
    cmocka_unit_test(commit__file_cannot_grow__nothing_recorded_until_it_can),
    cmocka_unit_test(begin__room_is_due_while_the_sealer_writes__waits_for_its_turn),
};

int main(int argc, char **argv)
{
    is_main = true;
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
