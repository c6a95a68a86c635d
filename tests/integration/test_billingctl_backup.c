/* server backup and server verify of billingctl, with a real daemon. */
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"

static void backup__while_it_serves__a_data_directory_that_serves(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    const char *customer =
        ctl_line(CTL_ENDS(&at, 0, "customer", "create", "Acme", "--output", "id").out);
    CTL_ENDS(&at, 0, "usage", "create", "--customer", customer, "--service", "S", "--units", "3",
             "--price", "2", "--at", "2026-10-01");
    const char *directory = testkit_format("%s/copy", testkit_tmpdir());
    struct ctl_result backup = CTL_ENDS(&at, 0, "server", "backup", directory);
    assert_contains(backup.out, testkit_format("%s\n", directory));
    assert_contains(backup.out, "journal_position  2\n");
    struct ctl_result ended =
        CTL_ENDS(&at, 0, "server", "cancel",
                 ctl_line(CTL_ENDS(&at, 0, "server", "verify", "--output", "id", "--quiet").out));
    assert_contains(ended.out, "done\n");
    assert_contains(CTL_ENDS(&at, 1, "server", "cancel", "job_0").err, "(job_not_found)");
    struct ctl_result again = CTL_ENDS(&at, 1, "server", "backup", directory);
    assert_contains(again.err, testkit_format("'%s' is there already", directory));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);

    const struct daemon_options options = {.data_dir = directory};
    daemon = daemon_process_start(&options);
    at.url = daemon_process_url(daemon);
    struct ctl_result bill = CTL_ENDS(&at, 0, "bill", "show", "--customer", customer, "--month",
                                      "2026-10", "--output", "json");
    assert_contains(bill.out, "\"exact_total\": 6,");
    CTL_ENDS(&at, 0, "server", "verify");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static void backup__in_memory__made_with_a_warning(void **state)
{
    (void)state;
    struct statfs about;
    char directory[] = "/dev/shm/billing-backup-XXXXXX";
    if (statfs("/dev/shm", &about) != 0 || about.f_type != TMPFS_MAGIC ||
        mkdtemp(directory) == NULL) {
        print_message("no tmpfs at /dev/shm here\n");
        skip();
    }
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    const char *copy = testkit_format("%s/copy", directory);
    struct ctl_result backup = CTL_ENDS(&at, 0, "server", "backup", copy);
    const char *words =
        testkit_format("'%s' is on a tmpfs file system, which is in memory", directory);
    assert_contains(backup.err, testkit_format("warning: %s", words));
    daemon_process_await_stderr(daemon, "msg=\"backup done\"");
    assert_contains(daemon_process_stderr(daemon), "level=warning area=store");
    assert_contains(daemon_process_stderr(daemon), words);
    struct ctl_result other = CTL_ENDS(&at, 1, "server", "backup",
                                       testkit_format("%s/copy", daemon_process_data_dir(daemon)));
    assert_contains(other.err, "directory: ");
    assert_contains(other.err, "is in the data directory");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
    assert_int_equal(unlink(testkit_format("%s/data.mdb", copy)), 0);
    assert_int_equal(rmdir(copy), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void verify__a_sound_store__ok(void **state)
{
    (void)state;
    struct daemon_process *daemon = daemon_process_start(NULL);
    struct ctl_setup at = {.url = daemon_process_url(daemon)};
    CTL_ENDS(&at, 0, "customer", "create", "Acme");
    struct ctl_result verified = CTL_ENDS(&at, 0, "server", "verify");
    assert_string_equal(verified.out, "ok\n");
    assert_contains(verified.err, "1 records and ");
    assert_contains(verified.err, "up to journal position 1\n");
    assert_string_equal(CTL_ENDS(&at, 0, "server", "verify", "--quiet").err, "");
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(backup__while_it_serves__a_data_directory_that_serves),
    cmocka_unit_test(backup__in_memory__made_with_a_warning),
    cmocka_unit_test(verify__a_sound_store__ok),
};

TESTKIT_MAIN(tests)
