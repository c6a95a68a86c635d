/* Backing up: what is made is a store with the same records, whatever else is written meanwhile;
 * and whatever fails, nothing is there that could be taken for a backup.
 *
 * This program's own calls stand before the C library's for liblmdb too: they fail where a test
 * says so, in files of a backup alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/store/history.h"
#include "tests/store/surgery.h"

static const char *const small_uris[] = {
    "lmdb:?head_records=1&merge_width=2&slice_bytes=16368",
    "lmdb:?head_records=7&merge_width=3&slice_bytes=16368&block_bytes=600",
    "lmdb:?head_records=100&merge_width=8",
};

enum {
    N_URIS = sizeof small_uris / sizeof small_uris[0],
    STEPS = 30,
    STEP_RECORDS = 8,
};

/* --- a disk that fails ------------------------------------------------------------------------ */

/* The sealer, whose calls are to other files, looks at what is atomic here, too. */
static atomic_int calls_left = -1; /* to a backup's files, until they fail; below 0: they do not */
static int calls_failed;
static bool once;                /* only one of them: those after it succeed again */
static atomic_bool fsyncs_alone; /* no other calls count: LMDB makes none of these */
static int call_error;
static unsigned long blocks_left; /* that the disk has room for; 0: as it is */

/* Whether a call about FD is to fail: of a file, or of the directory, of a backup that is not done
 * or of the one beside it. */
static bool fails(int fd)
{
    char link[64];
    char path[PATH_MAX];
    IGNORE(snprintf(link, sizeof link, "/proc/self/fd/%d", fd) < 0);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (calls_left < 0 || length < 0) {
        return false;
    }
    path[length] = '\0';
    if (strstr(path, "/backups") == NULL) {
        return false;
    }
    if (calls_left > 0) {
        calls_left--;
        return false;
    }
    calls_failed++;
    calls_left = once ? -1 : 0;
    errno = call_error;
    return true;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs are reserved names */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return !fsyncs_alone && fails(fd) ? -1
                                      : 0; /* nothing here needs a disk that outlives the machine */
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    return fails(fd) ? -1 : 0;
}

__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *data, size_t bytes,
                                                      off_t at)
{
    return !fsyncs_alone && fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, bytes, at);
}

__attribute__((visibility("default"))) ssize_t pwritev(int fd, const struct iovec *vectors, int n,
                                                       off_t at)
{
    return !fsyncs_alone && fails(fd) ? -1 : syscall(SYS_pwritev, fd, vectors, n, at, 0);
}

__attribute__((visibility("default"))) int fstatvfs(int fd, struct statvfs *ret)
{
    char link[64];
    IGNORE(snprintf(link, sizeof link, "/proc/self/fd/%d/.", fd) < 0);
    int rc = statvfs(link, ret);
    ret->f_bavail = blocks_left == 0 ? ret->f_bavail : blocks_left;
    return rc;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static void fail_after(int calls, int error)
{
    calls_left = calls;
    calls_failed = 0;
    call_error = error;
    once = error != ENOSPC; /* what is full stays so */
}

/* --- making backups --------------------------------------------------------------------------- */

struct watch {
    uint64_t done; /* the last that was told */
    uint64_t all;
    unsigned calls;
    unsigned end_at; /* the call that ends it; 0: none does */
    void (*between)(void *arg);
    void *arg;
};

static int watch_cb(uint64_t done, uint64_t all, void *arg)
{
    struct watch *watch = arg;
    assert_true(done >= watch->done);
    assert_true(done <= all);
    assert_true(watch->calls == 0 || all == watch->all);
    watch->done = done;
    watch->all = all;
    watch->calls++;
    if (watch->between != NULL) {
        watch->between(watch->arg);
    }
    return watch->calls == watch->end_at ? STATUS_SHUTTING_DOWN : 0;
}

static int back_up(struct store *store, const char *directory, struct watch *watch,
                   struct store_copied *ret, struct errinfo *reason)
{
    const struct store_backup backup = {directory, watch_cb, watch};
    return store_backup(store, &backup, ret, reason);
}

/* A directory of the name that fails() goes by. */
static const char *new_backups(void)
{
    const char *directory = testkit_format("%s/backups", testkit_tmpdir());
    assert_int_equal(mkdir(directory, 0700), 0);
    return directory;
}

static struct store_copied back_up_well(struct store *store, const char *directory)
{
    struct watch watch = {0};
    struct store_copied copied;
    struct errinfo reason = {""};
    if (back_up(store, directory, &watch, &copied, &reason) < 0) {
        testkit_fail("%s: %s", directory, reason.message);
    }
    assert_u64(watch.done, watch.all);
    return copied;
}

static unsigned count_entries(const char *directory)
{
    unsigned n = 0;
    DIR *list = opendir(directory);
    assert_non_null(list);
    for (const struct dirent *row = readdir(list); row != NULL; row = readdir(list)) {
        n += strcmp(row->d_name, ".") != 0 && strcmp(row->d_name, "..") != 0;
    }
    closedir(list);
    return n;
}

static void step(struct rng *rng, struct store *store, struct model *model)
{
    int64_t now_us = birth_us + (int64_t)model->records;
    struct store_txn *txn = begin(store, now_us);
    for (uint64_t n = 1 + rng_below(rng, STEP_RECORDS); n > 0; n--) {
        struct record record = history_record(rng, model);
        append(txn, model, &record, now_us);
    }
    assert_ok(store_commit(txn));
}

static struct store_info info_of(struct store *store)
{
    struct store_info info;
    struct store_view *view = snapshot(store);
    assert_ok(store_info(view, &info));
    store_release(view);
    return info;
}

/* The backup in DIRECTORY is STORE as MODEL has it, and goes on from there. */
static void check_backup(const char *directory, struct store *store, struct model *model)
{
    struct rng rng = rng_make("after");
    struct model_mark mark = model_mark(model);
    struct store *copy = open_in(directory);
    assert_u64(info_of(copy).id_key, info_of(store).id_key);
    assert_i64(info_of(copy).created_at_us, info_of(store).created_at_us);
    assert_u64(info_of(copy).last_seq, model->records);
    check_now(copy, model);
    check_replays(copy, model);
    for (int i = 0; i < 3; i++) {
        step(&rng, copy, model);
    }
    check_now(copy, model);
    store_close(copy);
    model_return(model, &mark);
}

/* --- what is made ----------------------------------------------------------------------------- */

static void backup__random_history__is_the_same_store(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_URIS; i++) {
        struct rng rng = rng_make(small_uris[i]);
        struct model *model = model_create();
        const char *backups = new_backups();
        fixture_uri = small_uris[i];
        struct store *store = open_in(testkit_tmpdir());
        for (int n = 0; n < 4; n++) {
            const char *directory = testkit_format("%s/%d", backups, n);
            struct store_copied copied = back_up_well(store, directory); /* the first: of nothing */
            assert_u64(copied.last_seq, model->records);
            assert_u64(count_entries(backups), n + 1);
            assert_u64(count_entries(directory), 1); /* the data, and nothing that was a lock */
            struct stat about;
            assert_int_equal(stat(testkit_format("%s/data.mdb", directory), &about), 0);
            assert_u64(copied.bytes, about.st_size);
            assert_int_equal(about.st_mode & 0777, 0600);
            assert_int_equal(stat(directory, &about), 0);
            assert_int_equal(about.st_mode & 0777, 0700);
            check_backup(directory, store, model);
            for (int s = 0; s < STEPS; s++) {
                step(&rng, store, model);
            }
        }
        check_now(store, model);
        store_close(store);
        fixture_uri = "lmdb:";
    }
}

struct busy {
    struct rng rng;
    struct store *store;
    struct model *model;
    unsigned steps_left;
};

static void record_more(void *arg)
{
    struct busy *busy = arg;
    if (busy->steps_left > 0) {
        busy->steps_left--;
        step(&busy->rng, busy->store, busy->model);
    }
}

/* Written to between any two rows that are copied. */
static void backup__written_to_meanwhile__is_the_state_it_began_with(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_URIS; i++) {
        fixture_uri = small_uris[i];
        struct busy busy = {.rng = rng_make("busy"), .model = model_create(), .steps_left = 60};
        busy.store = open_in(testkit_tmpdir());
        for (int s = 0; s < STEPS; s++) {
            step(&busy.rng, busy.store, busy.model);
        }
        struct model_mark mark = model_mark(busy.model);
        struct watch watch = {.between = record_more, .arg = &busy};
        const char *directory = testkit_format("%s/one", new_backups());
        struct store_copied copied;
        struct errinfo reason;
        uint64_t before = busy.model->records;
        assert_ok(back_up(busy.store, directory, &watch, &copied, &reason));
        assert_u64(busy.steps_left, 0);
        assert_u64(copied.last_seq, before);
        check_now(busy.store, busy.model);
        model_return(busy.model, &mark);
        check_backup(directory, busy.store, busy.model);
        store_close(busy.store);
        fixture_uri = "lmdb:";
    }
}

/* --- what is not made ------------------------------------------------------------------------- */

/* A store with some records. */
static struct store *small_store(struct model *model)
{
    struct rng rng = rng_make("small");
    fixture_uri = small_uris[1];
    struct store *store = open_in(testkit_tmpdir());
    fixture_uri = "lmdb:";
    for (int s = 0; s < STEPS; s++) {
        step(&rng, store, model);
    }
    return store;
}

static void refuse(struct store *store, const char *directory, const char *part)
{
    struct watch watch = {0};
    struct store_copied copied;
    struct errinfo reason = {""};
    assert_status(store_backup_check(store, directory, &reason), STATUS_OUT_OF_BOUNDS);
    assert_contains(reason.message, part);
    reason.message[0] = '\0';
    assert_status(back_up(store, directory, &watch, &copied, &reason), STATUS_OUT_OF_BOUNDS);
    assert_contains(reason.message, part);
}

static void backup__place_that_will_not_do__is_refused_in_words(void **state)
{
    (void)state;
    struct store *store = small_store(model_create());
    const char *backups = new_backups();
    char *long_path = testkit_alloc(PATH_MAX + 1);
    long_path[0] = '/';
    memset(long_path + 1, 'x', PATH_MAX - 1);
    refuse(store, "", "not absolute");
    refuse(store, "backups/one", "not absolute");
    refuse(store, "/", "there already");
    refuse(store, backups, "there already");
    refuse(store, testkit_format("%s/", backups), "there already");
    refuse(store, testkit_format("%s/..", backups), "there already");
    refuse(store, long_path, "are allowed");
    refuse(store, testkit_format("%s/one.partial-0123456789ab/", backups), "take it away");
    testkit_write_file(testkit_format("%s/file", backups), "x", 1);
    refuse(store, testkit_format("%s/file", backups), "there already");
    refuse(store, testkit_format("%s/file/one", backups), "file'");
    refuse(store, testkit_format("%s/none/one", backups), "No such file");
    assert_int_equal(symlink("nowhere", testkit_format("%s/link", backups)), 0);
    refuse(store, testkit_format("%s/link", backups), "there already");
    assert_u64(count_entries(backups), 2);
    store_close(store);
}

static void backup__in_or_around_the_store__is_refused_by_whatever_path(void **state)
{
    (void)state;
    struct store *store;
    struct errinfo reason;
    const char *above = testkit_tmpdir();
    const char *links = testkit_tmpdir();
    const char *data = testkit_format("%s/data", above);
    struct store_options options = {
        .data_dir = data,
        .map_bytes = UINT64_C(1) << 30,
        .readers_max = READERS_MAX,
        .currency = "USD",
        .now_us = 1700000000000000,
    };
    assert_ok(store_open("lmdb:", &options, &store, &reason));
    size_t before = count_entries(data);
    assert_int_equal(symlink(data, testkit_format("%s/data", links)), 0);
    assert_int_equal(symlink(above, testkit_format("%s/above", links)), 0);
    refuse(store, data, "is the data directory itself");
    refuse(store, testkit_format("%s/data", links), "is the data directory itself");
    refuse(store, testkit_format("%s/one", data), "is in the data directory");
    refuse(store, testkit_format("%s/../data/one", data), "is in the data directory");
    refuse(store, testkit_format("%s/data/one", links), "is in the data directory");
    refuse(store, testkit_format("%s/above/data/one", links), "is in the data directory");
    refuse(store, above, "holds the data directory");
    refuse(store, testkit_format("%s/above", links), "holds the data directory");
    assert_int_equal(mkdir(testkit_format("%s/deep", data), 0700), 0);
    refuse(store, testkit_format("%s/deep/one", data), "is in the data directory");
    assert_u64(count_entries(data), before + 1);
    /* Beside it is fine, also by a name that begins like it. */
    back_up_well(store, testkit_format("%s/data-copy", above));
    store_close(store);
}

static void backup__directory_not_ours_to_write__is_refused(void **state)
{
    (void)state;
    enum { NOBODY = 65534 };
    struct store *store = small_store(model_create());
    const char *backups = new_backups();
    assert_int_equal(chmod(backups, 0500), 0);
    bool root = geteuid() == 0;
    if (root) {
        assert_int_equal(chown(backups, NOBODY, NOBODY), 0);
        assert_int_equal(chmod(testkit_format("%s/..", backups), 0755), 0);
        assert_int_equal(chmod(testkit_format("%s/../..", backups), 0755), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    refuse(store, testkit_format("%s/one", backups), "may not write");
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(chmod(backups, 0700), 0);
    assert_u64(count_entries(backups), 0);
    store_close(store);
}

static void backup__no_view_left__is_busy(void **state)
{
    (void)state;
    struct store *store = small_store(model_create());
    struct store_view *views[READERS_MAX];
    struct watch watch = {0};
    struct store_copied copied;
    struct errinfo reason = {""};
    const char *backups = new_backups();
    const char *directory = testkit_format("%s/one", backups);
    for (int i = 0; i < READERS_MAX; i++) {
        views[i] = snapshot(store);
    }
    assert_status(back_up(store, directory, &watch, &copied, &reason), STATUS_BUSY);
    assert_true(reason.message[0] != '\0');
    for (int i = 0; i < READERS_MAX; i++) {
        store_release(views[i]);
    }
    assert_u64(count_entries(backups), 0);
    back_up_well(store, directory);
    store_close(store);
}

static void backup__disk_with_less_room_than_it_takes__is_refused_at_once(void **state)
{
    (void)state;
    struct store *store = small_store(model_create());
    struct watch watch = {0};
    struct store_copied copied;
    struct errinfo reason = {""};
    const char *backups = new_backups();
    blocks_left = 1;
    assert_status(back_up(store, testkit_format("%s/one", backups), &watch, &copied, &reason),
                  STATUS_STORAGE_FULL);
    blocks_left = 0;
    assert_contains(reason.message, "has room for");
    assert_u64(watch.calls, 0);
    assert_u64(count_entries(backups), 0);
    store_close(store);
}

/* Ended at any time, also in the last moment. */
static void backup__ended__leaves_nothing(void **state)
{
    (void)state;
    struct model *model = model_create();
    struct store *store = small_store(model);
    const char *backups = new_backups();
    const char *directory = testkit_format("%s/one", backups);
    int rc = STATUS_SHUTTING_DOWN;
    unsigned at = 0;
    while (rc < 0) {
        struct watch watch = {.end_at = ++at};
        struct store_copied copied;
        struct errinfo reason;
        rc = back_up(store, directory, &watch, &copied, &reason);
        if (rc < 0) {
            assert_status(rc, STATUS_SHUTTING_DOWN);
            assert_u64(watch.calls, at);
            assert_u64(count_entries(backups), 0);
        }
    }
    assert_true(at > 50); /* it was asked at each row */
    check_backup(directory, store, model);
    store_close(store);
}

/* One that has been opened, and closed again. */
static void remove_store(const char *directory)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "LOCK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(unlink(testkit_format("%s/%s", directory, names[i])), 0);
    }
    assert_int_equal(rmdir(directory), 0);
}

/* Each write and each sync fails once. */
static void fail_each(int error)
{
    struct model *model = model_create();
    struct store *store = small_store(model);
    const char *backups = new_backups();
    const char *directory = testkit_format("%s/one", backups);
    int rc = -1;
    int at = 0;
    for (; rc < 0; at++) {
        struct watch watch = {0};
        struct store_copied copied;
        struct errinfo reason = {""};
        fail_after(at, error);
        rc = back_up(store, directory, &watch, &copied, &reason);
        calls_left = -1;
        if (calls_failed == 0) {
            assert_ok(rc);
        }
        if (rc < 0) {
            assert_true(rc == STATUS_STORAGE_FULL || rc == STATUS_STORAGE_FAILED);
            assert_true(reason.message[0] != '\0');
            assert_u64(count_entries(backups), 0);
        } else if (calls_failed > 0) { /* sealing of the copy, or a courtesy: it is whole */
            check_backup(directory, store, model);
            remove_store(directory);
            rc = -1;
        }
    }
    assert_true(at > 5);
    check_backup(directory, store, model);
    check_now(store, model);
    store_close(store);
}

static void backup__disk_full_in_any_call__leaves_nothing(void **state)
{
    (void)state;
    fail_each(ENOSPC);
}

static void backup__failing_disk_in_any_call__leaves_nothing(void **state)
{
    (void)state;
    fail_each(EIO);
}

/* Of the file, its directory, and the one that has its name: each counts. */
static void backup__failing_fsync__is_never_passed_over(void **state)
{
    (void)state;
    struct store *store = small_store(model_create());
    const char *backups = new_backups();
    int rc = -1;
    int at = 0;
    fsyncs_alone = true;
    for (; rc < 0; at++) {
        struct watch watch = {0};
        struct store_copied copied;
        struct errinfo reason = {""};
        fail_after(at, EIO);
        rc = back_up(store, testkit_format("%s/one", backups), &watch, &copied, &reason);
        calls_left = -1;
        assert_int_equal(rc<0, calls_failed> 0);
        assert_u64(count_entries(backups), rc < 0 ? 0 : 1);
    }
    fsyncs_alone = false;
    assert_true(at > 3);
    store_close(store);
}

static void backup__damaged_block__is_refused_naming_it(void **state)
{
    (void)state;
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct rng rng = rng_make("damaged");
    struct store *store = open_in(directory);
    for (int s = 0; s < 5; s++) {
        step(&rng, store, model);
    }
    store_close(store);
    seal_all(directory);
    flip(directory, "journal", 0, IN_VALUE, 70);
    store = open_in(directory);
    struct watch watch = {0};
    struct store_copied copied;
    struct errinfo reason = {""};
    const char *backups = new_backups();
    assert_status(back_up(store, testkit_format("%s/one", backups), &watch, &copied, &reason),
                  STATUS_CORRUPT);
    assert_contains(reason.message, "the block of record 1:");
    assert_u64(count_entries(backups), 0);
    store_close(store);
}

/* --- what was left behind --------------------------------------------------------------------- */

static const char *leave(const char *backups, const char *name, const char *file)
{
    const char *directory = testkit_format("%s/%s", backups, name);
    assert_int_equal(mkdir(directory, 0700), 0);
    if (file != NULL) {
        testkit_write_file(testkit_format("%s/%s", directory, file), "x", 1);
    }
    return directory;
}

static void backup__what_dead_ones_left__is_taken_away_and_nothing_else(void **state)
{
    (void)state;
    struct store *store = small_store(model_create());
    const char *backups = new_backups();
    const char *const gone[] = {
        leave(backups, "one.partial-0123456789ab", "data.mdb"),
        leave(backups, "other.partial-0123456789ab", "data.mdb.new"),
        leave(backups, "third.partial-abcdefabcdef", NULL),
    };
    const char *const kept[] = {
        leave(backups, "foreign.partial-0123456789ab", "letter.txt"),
        leave(backups, "partial-0123456789ab", "data.mdb"),
        leave(backups, "one.partial-0123456789a", "data.mdb"),
        leave(backups, "one.partial-0123456789xy", "data.mdb"),
        leave(backups, "one.partial-0123456789abc", "data.mdb"),
        leave(backups, "running.partial-0123456789ab", "data.mdb"),
        leave(backups, "yesterday", "data.mdb"),
    };
    int fd = open(kept[5], O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    back_up_well(store, testkit_format("%s/one", backups));
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        assert_int_equal(access(gone[i], F_OK), -1);
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        assert_u64(count_entries(kept[i]), 1);
    }
    close(fd);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(backup__random_history__is_the_same_store),
    cmocka_unit_test(backup__written_to_meanwhile__is_the_state_it_began_with),
    cmocka_unit_test(backup__place_that_will_not_do__is_refused_in_words),
    cmocka_unit_test(backup__in_or_around_the_store__is_refused_by_whatever_path),
    cmocka_unit_test(backup__directory_not_ours_to_write__is_refused),
    cmocka_unit_test(backup__no_view_left__is_busy),
    cmocka_unit_test(backup__disk_with_less_room_than_it_takes__is_refused_at_once),
    cmocka_unit_test(backup__ended__leaves_nothing),
    cmocka_unit_test(backup__disk_full_in_any_call__leaves_nothing),
    cmocka_unit_test(backup__failing_disk_in_any_call__leaves_nothing),
    cmocka_unit_test(backup__failing_fsync__is_never_passed_over),
    cmocka_unit_test(backup__damaged_block__is_refused_naming_it),
    cmocka_unit_test(backup__what_dead_ones_left__is_taken_away_and_nothing_else),
};

TESTKIT_MAIN(tests)
