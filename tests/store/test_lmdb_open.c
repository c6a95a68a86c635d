/* What "lmdb:" URIs say, and the directory that a store lives in. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "billingd/store/lmdb/config.h"
#include "billingd/store/lmdb/directory.h"
#include "tests/store/fixture.h"

/* --- URIs ------------------------------------------------------------------------------------- */

static void config__uris__name_directory_and_block_size(void **state)
{
    static const struct {
        const char *uri;
        const char *directory;
        size_t block_bytes;
    } cases[] = {
        {"lmdb:", "/data", 128 * 1024 - 16},
        {"lmdb:/elsewhere", "/elsewhere", 128 * 1024 - 16},
        {"lmdb:?block_bytes=256", "/data", 256},
        {"lmdb:/elsewhere/b?block_bytes=131072", "/elsewhere/b", 131072},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lmdb_config config;
        struct errinfo reason;
        assert_ok(lmdb_config_parse(cases[i].uri, "/data", &config, &reason));
        assert_string_equal(config.directory, cases[i].directory);
        assert_u64(config.block_bytes, cases[i].block_bytes);
    }
}

static void config__options__come_in_any_order_within_their_bounds(void **state)
{
    static const struct {
        const char *uri;
        unsigned long head_records;
        unsigned long slice_bytes;
        unsigned long merge_width;
    } cases[] = {
        {"lmdb:", 262144, 262144, 8},
        {"lmdb:/d?head_records=1&slice_bytes=16368&merge_width=2", 1, 16368, 2},
        {"lmdb:?merge_width=64&block_bytes=600&head_records=16777216", 16777216, 262144, 64},
        {"lmdb:?slice_bytes=67108864", 262144, 67108864, 8},
        {"lmdb:?head_records=5&head_records=6", 6, 262144, 8}, /* the last one counts */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lmdb_config config;
        struct errinfo reason;
        assert_ok(lmdb_config_parse(cases[i].uri, "/data", &config, &reason));
        assert_u64(config.head_records, cases[i].head_records);
        assert_u64(config.slice_bytes, cases[i].slice_bytes);
        assert_u64(config.merge_width, cases[i].merge_width);
    }
}

static void config__bad_uris__are_refused_by_name(void **state)
{
    static const struct {
        const char *uri;
        const char *part;
    } cases[] = {
        {"lmdb:relative", "'lmdb:relative'"},
        {"lmdb:?", "unknown option ''"},
        {"lmdb:?nosuch=1", "unknown option 'nosuch=1'"},
        {"lmdb:?block_bytes=", "block_bytes is to be from 256 to 131072, not ''"},
        {"lmdb:?block_bytes=255", "not '255'"},
        {"lmdb:?block_bytes=131073", "not '131073'"},
        {"lmdb:?block_bytes=-1", "not '-1'"},
        {"lmdb:?block_bytes=1k", "not '1k'"},
        {"lmdb:?block_bytes=99999999999999999999999", "not '9999"},
        {"lmdb:?head_records=0", "head_records is to be from 1 to 16777216, not '0'"},
        {"lmdb:?head_records=16777217", "not '16777217'"},
        {"lmdb:?slice_bytes=16367", "slice_bytes is to be from 16368 to 67108864, not '16367'"},
        {"lmdb:?slice_bytes=67108865", "not '67108865'"},
        {"lmdb:?merge_width=1", "merge_width is to be from 2 to 64, not '1'"},
        {"lmdb:?merge_width=65", "not '65'"},
        {"lmdb:?merge_width=2&", "unknown option ''"},
        {"lmdb:?merge_width=2&&head_records=2", "unknown option ''"},
        {"lmdb:?merge_width=2&merge_width=x", "not 'x'"},
        {"lmdb:?merge_width", "unknown option 'merge_width'; known: block_bytes=N, head_records=N"},
        {"lmdb:?merge_widths=2", "unknown option 'merge_widths=2'"},
        {"lmdb:?merge_width=2?head_records=2", "not '2?head_records=2'"},
    };
    struct lmdb_config config;
    struct errinfo reason;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(lmdb_config_parse(cases[i].uri, "/data", &config, &reason),
                      STATUS_OUT_OF_BOUNDS);
        assert_contains(reason.message, cases[i].part);
    }
    char *path = testkit_alloc(PATH_MAX + 1);
    memset(path, 'a', PATH_MAX);
    path[0] = '/';
    assert_status(lmdb_config_parse("lmdb:", path, &config, &reason), STATUS_OUT_OF_BOUNDS);
    path[PATH_MAX - 1] = '\0';
    assert_ok(lmdb_config_parse("lmdb:", path, &config, &reason));
    assert_status(lmdb_config_parse("lmdb:", "", &config, &reason), STATUS_OUT_OF_BOUNDS);
}

/* --- the directory ---------------------------------------------------------------------------- */

static void assert_mode(const char *path, mode_t mode)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, mode);
}

static void open__missing_directories__are_made_for_the_owner_alone(void **state)
{
    const char *top = testkit_tmpdir();
    const char *data = testkit_format("%s/a/b/data/", top);
    (void)state;
    mode_t mask = umask(0);
    store_close(open_in(data));
    IGNORE(umask(mask) != 0); /* as it was */
    assert_mode(testkit_format("%s/a", top), 0700);
    assert_mode(testkit_format("%s/a/b", top), 0700);
    assert_mode(data, 0700);
    assert_mode(testkit_format("%s/data.mdb", data), 0600);
    assert_mode(testkit_format("%s/lock.mdb", data), 0600);
    assert_mode(testkit_format("%s/LOCK", data), 0600);
    store_close(open_in(data));
}

static void open__directory_of_the_uri__comes_before_the_options(void **state)
{
    const char *directory = testkit_tmpdir();
    struct store_options options = options_in("/nonexistent/never");
    struct errinfo reason = {""};
    struct store *store;
    (void)state;
    assert_ok(store_open(testkit_format("lmdb:%s", directory), &options, &store, &reason));
    store_close(store);
    assert_mode(testkit_format("%s/data.mdb", directory), 0600);
}

static void open__path_that_is_no_directory__is_refused_by_name(void **state)
{
    const char *path = testkit_format("%s/file", testkit_tmpdir());
    struct store_options options = options_in(path);
    (void)state;
    testkit_write_file(path, "x", 1);
    assert_refused(&options, path);
    options.data_dir = testkit_format("%s/below", path);
    assert_refused(&options, options.data_dir);
}

static void open__too_much_address_space__is_refused_with_the_number(void **state)
{
    struct store_options options = options_in(testkit_tmpdir());
    (void)state;
    options.map_bytes = UINT64_C(1) << 60;
    assert_refused(&options, "1152921504606846976 bytes of address space");
    store_close(open_in(options.data_dir)); /* and left nothing behind */
}

/* --- the lock --------------------------------------------------------------------------------- */

static void open__while_open__names_process_and_directory(void **state)
{
    struct store_options options = options_in(testkit_tmpdir());
    struct store *store = open_with(&options);
    (void)state;
    assert_refused(&options, testkit_format("in use by process %ld", (long)getpid()));
    assert_refused(&options, options.data_dir);
    store_close(store);
}

static void assert_lock_names(const char *directory, pid_t holder)
{
    char *pid = testkit_read_file(testkit_format("%s/LOCK", directory), NULL);
    assert_string_equal(pid, testkit_format("%ld\n", (long)holder));
    free(pid);
}

__attribute__((noreturn)) static void open_and_be_killed(const char *directory)
{
    struct store_options options = options_in(directory);
    struct errinfo reason;
    struct store *store;
    if (store_open("lmdb:", &options, &store, &reason) == 0) {
        IGNORE(raise(SIGKILL) != 0); /* it does not return */
    }
    _exit(1);
}

/* A process that was killed while it had the store in DIRECTORY open. */
static pid_t run_killed_holder(const char *directory)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_and_be_killed(directory);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return child;
}

/* The lock is the kernel's, so what a killed daemon left does not count. */
static void open__after_a_killed_holder__goes_well(void **state)
{
    const char *directory = testkit_tmpdir();
    (void)state;
    assert_lock_names(directory, run_killed_holder(directory));
    store_close(open_in(directory));
    assert_lock_names(directory, getpid());
}

/* --- file systems ----------------------------------------------------------------------------- */

static void refused_type__network_and_fuse__by_name(void **state)
{
    (void)state;
    assert_string_equal(directory_refused_type(0x6969), "NFS");
    assert_string_equal(directory_refused_type(0xFF534D42), "CIFS");
    assert_string_equal(directory_refused_type(0xFFFFFFFFFF534D42), "CIFS"); /* sign-extended */
    assert_string_equal(directory_refused_type(0x65735546), "FUSE");
    assert_string_equal(directory_refused_type(0x01021997), "9P");
    assert_null(directory_refused_type(0xEF53));     /* ext4 */
    assert_null(directory_refused_type(0x58465342)); /* XFS */
    assert_null(directory_refused_type(0x9123683E)); /* btrfs */
    assert_null(directory_refused_type(0x01021994)); /* tmpfs */
    assert_null(directory_refused_type(0x2FC12FC1)); /* ZFS */
    assert_null(directory_refused_type(0x794C7630)); /* overlayfs */
}

/* What a power cut leaves of a first start: half of a file under the name that it has while it is
 * made, and none under its own. */
static void open__file_that_was_half_made__is_made_anew(void **state)
{
    static const uint8_t zeros[8192];
    const char *directory = testkit_tmpdir();
    const char *aside = testkit_format("%s/data.mdb.new", directory);
    (void)state;
    testkit_write_file(aside, zeros, sizeof zeros);
    store_close(open_in(directory));
    assert_true(access(aside, F_OK) < 0);
    store_close(open_in(directory));
}

static void note_progress_cb(uint64_t seq, void *arg)
{
    uint64_t *last = arg;
    assert_true(seq > *last);
    *last = seq;
}

/* Whoever waits for the start hears that it goes on, and how far it is. */
static void open__a_journal_to_read__tells_of_its_progress(void **state)
{
    const char *directory = testkit_tmpdir();
    struct store_options options = options_in(directory);
    struct record record = customer_named("Acme", "acme");
    uint64_t last = 0;
    (void)state;
    struct store *store = open_with(&options);
    struct store_txn *txn = begin(store, birth_us);
    assert_ok(store_append(txn, &record));
    assert_ok(store_commit(txn));
    directory = crash(store, directory);
    options = options_in(directory);
    options.progress = note_progress_cb;
    options.progress_arg = &last;
    store_close(open_with(&options));
    assert_u64(last, 1);
}

/* A data directory as nobody in particular finds it, in which NAME has MODE. */
static int look_with(const char *name, mode_t mode, struct errinfo *reason)
{
    static const char *const files[] = {"LOCK", "data.mdb"};
    struct directory directory;
    const char *path = testkit_tmpdir();
    bool root = geteuid() == 0;
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(back >= 0 && chdir(path) == 0); /* what is above may be root's alone */
    assert_int_equal(chmod(".", 0777), 0);
    for (size_t i = 0; i < 2; i++) {
        testkit_write_file(files[i], "", 0);
        assert_int_equal(chmod(files[i], 0666), 0);
    }
    assert_int_equal(chmod(name, mode), 0);
    assert_true(!root || seteuid(65534) == 0);
    int rc = directory_look(".", &directory, reason);
    assert_true(!root || seteuid(0) == 0);
    assert_int_equal(chmod(".", 0777), 0);
    assert_true(fchdir(back) == 0 && close(back) == 0);
    if (rc == 0) {
        directory_close(&directory);
    }
    return rc;
}

static void look__what_may_not_be_written__is_named(void **state)
{
    struct errinfo reason;
    (void)state;
    assert_ok(look_with(".", 0777, &reason));
    assert_status(look_with(".", 0555, &reason), STATUS_STORAGE_FAILED);
    assert_non_null(
        strstr(reason.message, "cannot write to data directory '.': Permission denied"));
    assert_status(look_with("LOCK", 0444, &reason), STATUS_STORAGE_FAILED);
    assert_non_null(strstr(reason.message, "cannot write to LOCK in data directory '.'"));
    assert_status(look_with("data.mdb", 0444, &reason), STATUS_STORAGE_FAILED);
    assert_non_null(strstr(reason.message, "cannot write to data.mdb in data directory '.'"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(config__uris__name_directory_and_block_size),
    cmocka_unit_test(config__options__come_in_any_order_within_their_bounds),
    cmocka_unit_test(config__bad_uris__are_refused_by_name),
    cmocka_unit_test(open__missing_directories__are_made_for_the_owner_alone),
    cmocka_unit_test(open__directory_of_the_uri__comes_before_the_options),
    cmocka_unit_test(open__path_that_is_no_directory__is_refused_by_name),
    cmocka_unit_test(open__too_much_address_space__is_refused_with_the_number),
    cmocka_unit_test(open__while_open__names_process_and_directory),
    cmocka_unit_test(open__after_a_killed_holder__goes_well),
    cmocka_unit_test(open__file_that_was_half_made__is_made_anew),
    cmocka_unit_test(open__a_journal_to_read__tells_of_its_progress),
    cmocka_unit_test(look__what_may_not_be_written__is_named),
    cmocka_unit_test(refused_type__network_and_fuse__by_name),
};

TESTKIT_MAIN(tests)
