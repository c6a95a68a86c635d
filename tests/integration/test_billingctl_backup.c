/* server backup and server verify of billingctl, with a real daemon. */
#include <string.h>

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
    cmocka_unit_test(verify__a_sound_store__ok),
};

TESTKIT_MAIN(tests)
