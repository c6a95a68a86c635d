/* billingd --check: what it tells, and that it changes nothing on disk. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http_client.h"
#include "tests/lib/testkit.h"

static struct ctl_result check(const char *data_dir, const char *more)
{
    struct ctl_setup billingd = {.program = testkit_billingd()};
    const char *listen = testkit_format("unix:%s/socket", testkit_tmpdir());
    return CTL(&billingd, "--check", "--data-dir", data_dir, "--listen", listen, more);
}

/* Every name in DIRECTORY, with its size, times and inode. */
static const char *picture(const char *directory)
{
    const char *text = "";
    DIR *list = opendir(directory);
    assert_non_null(list);
    for (const struct dirent *row = readdir(list); row != NULL; row = readdir(list)) {
        struct stat about;
        if (strcmp(row->d_name, "..") == 0) {
            continue; /* others' */
        }
        assert_int_equal(lstat(testkit_format("%s/%s", directory, row->d_name), &about), 0);
        text = testkit_format("%s%s %lld %llu %lld.%09ld %lld.%09ld\n", text, row->d_name,
                              (long long)about.st_size, (unsigned long long)about.st_ino,
                              (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec,
                              (long long)about.st_ctim.tv_sec, about.st_ctim.tv_nsec);
    }
    closedir(list);
    return text;
}

/* A data directory with one record in it; the daemon that has it. */
static struct daemon_process *start_with_record(void)
{
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct http_reply reply;
    http_once(daemon_process_http(daemon), "POST", "/api/v1/customers", NULL,
              "{\"customer_name\": \"Acme\"}", &reply);
    assert_int_equal(reply.status, 201);
    http_reply_done(&reply);
    return daemon;
}

static void check__no_store__says_so_and_makes_none(void **state)
{
    (void)state;
    const char *above = testkit_tmpdir();
    struct ctl_result deep = check(testkit_format("%s/not/there", above), NULL);
    assert_int_equal(deep.status, 0);
    assert_contains(deep.err, "there is no store yet");
    assert_int_equal(access(testkit_format("%s/not", above), F_OK), -1);
    const char *before = picture(above);
    struct ctl_result empty = check(above, NULL);
    assert_int_equal(empty.status, 0);
    assert_contains(empty.err, "there is no store yet");
    assert_string_equal(picture(above), before);
}

static void check__no_place_for_one__refused(void **state)
{
    (void)state;
    const char *file = testkit_format("%s/file", testkit_tmpdir());
    testkit_write_file(file, "x", 1);
    struct ctl_result below = check(testkit_format("%s/data", file), NULL);
    assert_int_equal(below.status, 1);
    assert_contains(below.err, "Not a directory");
}

static void check__a_store__is_told_and_left_as_it_is(void **state)
{
    (void)state;
    struct daemon_process *daemon = start_with_record();
    const char *data = daemon_process_data_dir(daemon);
    struct ctl_result used = check(data, NULL);
    assert_int_equal(used.status, 1);
    assert_contains(used.err,
                    testkit_format("is in use by process %d", daemon_process_pid(daemon)));
    daemon_process_kill(daemon); /* with nothing sealed: a start would have something to do */
    const char *before = picture(data);
    struct ctl_result sound = check(data, NULL);
    assert_int_equal(sound.status, 0);
    assert_contains(sound.err, "there is a store");
    assert_contains(sound.err, "journal_position=1 currency=USD");
    struct ctl_result other = check(data, "--currency=EUR");
    assert_int_equal(other.status, 1);
    assert_contains(other.err, "is in USD and cannot go on in EUR");
    assert_string_equal(picture(data), before);
    daemon_process_destroy(daemon);
}

static void check__another_file_in_its_place__refused(void **state)
{
    (void)state;
    const char *data = testkit_tmpdir();
    char *noise = testkit_alloc(8192);
    memset(noise, 'x', 8192);
    testkit_write_file(testkit_format("%s/data.mdb", data), noise, 8192);
    const char *before = picture(data);
    struct ctl_result result = check(data, NULL);
    assert_int_equal(result.status, 1);
    assert_contains(result.err, "cannot read '");
    assert_string_equal(picture(data), before);
}

/* What a copy leaves that found no room. */
static void check__a_file_cut_off_at_its_beginning__refused(void **state)
{
    static const struct {
        size_t bytes;
        const char *said;
    } files[] = {{0, "has nothing in it"}, {1, "cannot read '"}, {4096, "cannot read '"}};
    char begun[4096];
    (void)state;
    struct daemon_process *daemon = start_with_record();
    daemon_process_stop(daemon);
    FILE *whole = fopen(testkit_format("%s/data.mdb", daemon_process_data_dir(daemon)), "r");
    assert_non_null(whole);
    assert_int_equal(fread(begun, sizeof begun, 1, whole), 1);
    assert_int_equal(fclose(whole), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *data = testkit_tmpdir();
        testkit_write_file(testkit_format("%s/data.mdb", data), begun, files[i].bytes);
        const char *before = picture(data);
        struct ctl_result result = check(data, NULL);
        assert_int_equal(result.status, 1);
        assert_contains(result.err, files[i].said);
        assert_string_equal(picture(data), before);
    }
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(check__no_store__says_so_and_makes_none),
    cmocka_unit_test(check__no_place_for_one__refused),
    cmocka_unit_test(check__a_store__is_told_and_left_as_it_is),
    cmocka_unit_test(check__another_file_in_its_place__refused),
    cmocka_unit_test(check__a_file_cut_off_at_its_beginning__refused),
};

TESTKIT_MAIN(tests)
