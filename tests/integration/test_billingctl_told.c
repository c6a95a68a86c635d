/* billingctl against a daemon that does as it is told: long work that lasts for as long as a test
 * needs, answers that are lost, and what goes over the wire. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billing.pb-c.h"
#include "tests/integration/ctl_run.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_admin.h"
#include "tests/unit/fake_daemon.h"

enum {
    PATIENCE_MS = 120000,
};

static const struct fake_step *const no_script;

/* The directory that the first request, to start a backup, named. */
static const char *asked_directory(struct fake_daemon *fake)
{
    struct fake_seen seen = fake_request(fake, 0);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, seen.bytes, seen.frame);
    assert_non_null(request);
    assert_int_equal(request->call_case, BILLING__V1__REQUEST__CALL_START_BACKUP);
    const ProtobufCBinaryData *bytes = &request->start_backup->directory;
    const char *directory = testkit_format("%.*s", (int)bytes->len, (const char *)bytes->data);
    billing__v1__request__free_unpacked(request, NULL);
    return directory;
}

/* How many requests of the kind CALL_CASE came. */
static size_t count_calls(struct fake_daemon *fake, int call_case)
{
    size_t count = 0;
    for (size_t i = 0; i < fake_requests(fake) && i < FAKE_REQUESTS_MAX; i++) {
        count += fake_request(fake, i).call == call_case ? 1U : 0U;
    }
    return count;
}

/* Wait until a request of the kind CALL_CASE came. */
static void await_call(struct fake_daemon *fake, int call_case)
{
    int64_t start_ms = testkit_now_ms();
    while (count_calls(fake, call_case) == 0) {
        if (testkit_now_ms() - start_ms > PATIENCE_MS) {
            testkit_fail("nobody made call %d", call_case);
        }
        assert_int_equal(sched_yield(), 0);
    }
}

/* Wait until the fake was asked for a job. */
static void await_look(struct fake_daemon *fake)
{
    await_call(fake, BILLING__V1__REQUEST__CALL_GET_JOB);
}

/* --- backup ----------------------------------------------------------------------------------- */

static void backup__done__prints_what_it_holds(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 0, "server", "backup", "/backups/1");
    assert_contains(result.out, "/backups/1\n");
    assert_contains(result.out, "65536\n");
    assert_contains(result.out, "journal_position");
    assert_string_equal(result.err, ""); /* no bar where there is no terminal */
    assert_string_equal(asked_directory(fake), "/backups/1");
    fake_stop(fake);
}

static void backup__as_json_and_id__the_job(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result json = CTL_ENDS(&setup, 0, "server", "backup", "/b", "--output", "json");
    assert_contains(json.out, "{\"job\": {\"id\": \"job_backup\", \"kind\": \"backup\", "
                              "\"state\": \"done\"");
    assert_string_equal(CTL_ENDS(&setup, 0, "server", "backup", "/b", "--output", "id").out,
                        "job_backup\n");
    fake_stop(fake);
}

static void backup__relative_directory__from_here_over_the_unix_socket_alone(void **state)
{
    char here[4096];
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct fake_daemon *tcp = fake_start_tcp(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    CTL_ENDS(&setup, 0, "server", "backup", "some/where");
    assert_string_equal(asked_directory(fake), testkit_format("%s/some/where", here));
    setup.url = fake_url(tcp);
    struct ctl_result refused = CTL_ENDS(&setup, 2, "server", "backup", "some/where");
    assert_contains(refused.err, "'some/where' is not a path from / on, on the host of tcp://");
    assert_u64(fake_requests(tcp), 0);
    fake_stop(tcp);
    fake_stop(fake);
}

/* Interrupt a backup with SIGNAL while it runs. */
static void interrupt(int signal_number)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    const char *args[] = {"server", "backup", "/slow", NULL};
    struct ctl_process process = ctl_start(&setup, args);
    await_look(fake);
    assert_int_equal(kill(process.pid, signal_number), 0);
    struct ctl_result result = ctl_wait(&process);
    assert_int_equal(result.status, 128 + signal_number);
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, "billingctl: cancelled\n");
    assert_u64(count_calls(fake, BILLING__V1__REQUEST__CALL_CANCEL_JOB), 1);
    fake_stop(fake);
}

static void backup__interrupted__cancels_the_job(void **state)
{
    (void)state;
    interrupt(SIGINT);
    interrupt(SIGTERM);
}

/* A backup that a cancellation does not end, whose daemon is FAKE, interrupted with SIGNAL: it was
 * cancelled, and is looked at again. */
static struct ctl_process interrupt_stuck(struct fake_daemon *fake, int signal_number)
{
    struct ctl_setup setup = {.url = fake_url(fake)};
    const char *args[] = {"server", "backup", "/stuck", NULL};
    fake_end_stuck(BILLING__V1__JOB__STATE__RUNNING);
    struct ctl_process process = ctl_start(&setup, args);
    await_look(fake);
    assert_int_equal(kill(process.pid, signal_number), 0);
    await_call(fake, BILLING__V1__REQUEST__CALL_CANCEL_JOB);
    size_t before = fake_requests(fake);
    int64_t start_ms = testkit_now_ms();
    while (fake_requests(fake) < before + 3) {
        if (testkit_now_ms() - start_ms > PATIENCE_MS) {
            testkit_fail("the job is not looked at any more");
        }
        assert_int_equal(sched_yield(), 0);
    }
    return process;
}

static void backup__interrupted__waits_for_the_end_and_tells_which_it_was(void **state)
{
    static const struct {
        Billing__V1__Job__State state;
        int status;
        const char *said;
    } ends[] = {
        {BILLING__V1__JOB__STATE__CANCELLED, 128 + SIGINT, "billingctl: cancelled\n"},
        {BILLING__V1__JOB__STATE__DONE, 0,
         "billingctl: it was done before it could be cancelled\n"},
        {BILLING__V1__JOB__STATE__FAILED, 1, "billingctl: the job failed: the disk is gone\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct fake_daemon *fake = fake_start(no_script, 0);
        struct ctl_process process = interrupt_stuck(fake, SIGINT);
        fake_end_stuck(ends[i].state);
        struct ctl_result result = ctl_wait(&process);
        assert_int_equal(result.status, ends[i].status);
        assert_string_equal(result.err, ends[i].said);
        assert_true((strstr(result.out, "/stuck\n") != NULL) == (ends[i].status == 0));
        assert_u64(count_calls(fake, BILLING__V1__REQUEST__CALL_CANCEL_JOB), 1);
        fake_stop(fake);
    }
}

static void backup__interrupted_again__ends_at_once_by_that_signal(void **state)
{
    static const int signals[][2] = {
        {SIGINT, SIGINT}, {SIGTERM, SIGTERM}, {SIGINT, SIGTERM}, {SIGTERM, SIGINT}};
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct fake_daemon *fake = fake_start(no_script, 0);
        struct ctl_process process = interrupt_stuck(fake, signals[i][0]);
        assert_int_equal(kill(process.pid, signals[i][1]), 0);
        fake_end_stuck(BILLING__V1__JOB__STATE__CANCELLED); /* seen by one that lives on alone */
        struct ctl_result result = ctl_wait(&process);
        assert_int_equal(result.status, 256 + signals[i][1]);
        assert_string_equal(result.out, "");
        assert_string_equal(result.err, "");
        fake_stop(fake);
    }
}

/* As a shell has it ignored for what it puts into the background. */
static void backup__signal_that_is_ignored__is_no_interrupt(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup shell = {.url = fake_url(fake), .program = "/bin/sh"};
    const char *command =
        testkit_format("trap '' INT; exec '%s' server backup /slow", testkit_billingctl());
    const char *args[] = {"-c", command, NULL};
    (void)state;
    struct ctl_process process = ctl_start(&shell, args);
    await_look(fake);
    assert_int_equal(kill(process.pid, SIGINT), 0);
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    assert_int_equal(ctl_wait(&process).status, 128 + SIGTERM);
    fake_stop(fake);
}

static void backup__daemon_says_no__refused_with_its_words(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "forbidden", .http = 403},
    };
    struct fake_daemon *fake = fake_start(script, 1);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 1, "server", "backup", "/b");
    assert_contains(result.err, "(forbidden)");
    assert_string_equal(result.out, "");
    fake_stop(fake);
}

static void backup__daemon_gone_meanwhile__says_so_and_names_the_job(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_ANSWER},
        {.act = FAKE_PROBLEM, .code = "job_not_found", .http = 404},
    };
    struct fake_daemon *fake = fake_start(script, 2);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 4, "server", "backup", "/b");
    assert_contains(result.err, "what became of the job job_backup is not known");
    fake_stop(fake);
}

static void backup__daemon_shuts_down_meanwhile__outcome_unknown(void **state)
{
    enum { STEPS = 8 }; /* more than are tried */
    struct fake_step script[STEPS] = {{.act = FAKE_ANSWER}};
    for (size_t i = 1; i < STEPS; i++) {
        script[i] = (struct fake_step){.act = FAKE_PROBLEM, .code = "shutting_down", .http = 503};
    }
    struct fake_daemon *fake = fake_start(script, STEPS);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 4, "server", "backup", "/b", "--timeout", "500ms");
    assert_contains(result.err, "what became of the job job_backup is not known");
    fake_stop(fake);
}

/* --- verify ----------------------------------------------------------------------------------- */

static void verify__findings__listed_and_exit_status_1(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result table = CTL_ENDS(&setup, 1, "server", "verify");
    assert_contains(table.out, "FAULT  TABLE  RECORD  ROWS  TEXT\n");
    assert_contains(table.out, "wrong  sums              3  a sum differs\n");
    assert_contains(table.err, "17 records and 40 rows checked, up to journal position 17\n");
    assert_contains(table.err, "findings: 2\n");
    assert_contains(table.err, "the first 1 are listed\n");
    struct ctl_result csv = CTL_ENDS(&setup, 1, "server", "verify", "--output", "csv", "--quiet");
    assert_string_equal(csv.out, "fault,table,record,rows,text\nwrong,sums,,3,a sum differs\n");
    struct ctl_result json = CTL_ENDS(&setup, 1, "server", "verify", "--output", "json");
    assert_contains(json.out, "\"findings\": [{\"fault\": \"wrong\"");
    fake_stop(fake);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void key_create__each_form__the_secret_on_standard_output_alone(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result table = CTL_ENDS(&setup, 0, "key", "create", "--name", "metering", "--role",
                                       "writer", "--service", "A b", "--service", "C");
    assert_contains(table.out, "services      [\"A b\", \"C\"]\n");
    assert_contains(table.out, "\n" FAKE_NEW_KEY "\n");
    assert_string_equal(strrchr(table.out, 'b'), "bk_new-secret\n"); /* the last line */
    assert_contains(table.err, "shown this once");
    assert_null(strstr(table.err, FAKE_NEW_KEY));

    struct ctl_result csv =
        CTL_ENDS(&setup, 0, "key", "create", "--name", "n", "--role", "admin", "--output", "csv");
    assert_contains(csv.out, "key,id,name,role,services,");
    assert_contains(csv.out, "\n" FAKE_NEW_KEY ",key_1,n,admin,,");
    fake_stop(fake);
}

static void key_create__answer_lost_for_ever__says_what_to_do(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_HANG_UP},
        {.act = FAKE_PROBLEM, .code = "name_taken", .http = 409},
    };
    struct fake_daemon *fake = fake_start(script, 2);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result result =
        CTL_ENDS(&setup, 4, "key", "create", "--name", "n", "--role", "reader");
    assert_contains(result.err, "whether the key was made is not known");
    assert_contains(result.err, "billingctl key list");
    assert_null(strstr(result.err, "does no harm"));
    fake_stop(fake);
}

static void key_create__nowhere_to_write__says_which_to_revoke(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake), .stdout_path = "/dev/full"};
    (void)state;
    struct ctl_result result =
        CTL_ENDS(&setup, 1, "key", "create", "--name", "n", "--role", "reader");
    assert_contains(result.err, "billingctl key revoke key_1");
    assert_null(strstr(result.err, FAKE_NEW_KEY));
    fake_stop(fake);
}

static void key_create__bad_values__named_and_nothing_sent(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    struct ctl_result role = CTL_ENDS(&setup, 2, "key", "create", "--name", "n", "--role", "root");
    assert_contains(role.err, "--role: 'root' is none of: reader writer admin");
    struct ctl_result expires = CTL_ENDS(&setup, 2, "key", "create", "--name", "n", "--role",
                                         "reader", "--expires", "soon");
    assert_contains(expires.err, "--expires: 'soon' is neither a time");
    assert_u64(fake_requests(fake), 0);
    fake_stop(fake);
}

/* --- who asks --------------------------------------------------------------------------------- */

/* The token that request INDEX of the fake carried, or "". */
static const char *token_of(struct fake_daemon *fake, size_t index)
{
    struct fake_seen seen = fake_request(fake, index);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, seen.bytes, seen.frame);
    assert_non_null(request);
    const char *token = testkit_format("%.*s", (int)request->token.len,
                                       request->has_token ? (char *)request->token.data : "");
    billing__v1__request__free_unpacked(request, NULL);
    return token;
}

static const char *private_file(const char *name, const char *contents)
{
    const char *path = testkit_format("%s/%s", testkit_tmpdir(), name);
    testkit_write_file(path, contents, strlen(contents));
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static void token__from_everywhere__flag_then_environment_then_file(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    const char *config_home = testkit_tmpdir();
    assert_int_equal(mkdir(testkit_format("%s/billing", config_home), 0700), 0);
    const char *config = testkit_format("%s/billing/billingctl.conf", config_home);
    testkit_write_file(config, "token = in-config\n", 18);
    assert_int_equal(chmod(config, 0600), 0);
    const char *env[] = {testkit_format("XDG_CONFIG_HOME=%s", config_home), NULL, NULL, NULL};
    setup.env = env;
    CTL_ENDS(&setup, 0, "server", "info");
    env[1] = testkit_format("BILLING_TOKEN_FILE=%s", private_file("env", "in-env-file\n"));
    CTL_ENDS(&setup, 0, "server", "info");
    env[2] = "BILLING_TOKEN=in-env";
    CTL_ENDS(&setup, 0, "server", "info");
    CTL_ENDS(&setup, 0, "server", "info", "--token-file", private_file("flag", "in-flag-file\n"));
    assert_string_equal(token_of(fake, 0), "in-config");
    assert_string_equal(token_of(fake, 1), "in-env-file");
    assert_string_equal(token_of(fake, 2), "in-env");
    assert_string_equal(token_of(fake, 3), "in-flag-file");
    fake_stop(fake);
}

static void token_file__others_may_read_it__bad_configuration(void **state)
{
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake)};
    (void)state;
    const char *path = private_file("token", "bk_secret\n");
    assert_int_equal(chmod(path, 0644), 0);
    struct ctl_result result = CTL_ENDS(&setup, 2, "server", "info", "--token-file", path);
    assert_contains(result.err, "mode 0644");
    assert_contains(result.err, testkit_format("chmod go= %s", path));
    assert_null(strstr(result.err, "bk_secret"));
    assert_u64(fake_requests(fake), 0);
    fake_stop(fake);
}

static void traceparent__in_the_environment__passed_on(void **state)
{
    static const char *const env[] = {
        "TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", NULL};
    struct fake_daemon *fake = fake_start(no_script, 0);
    struct ctl_setup setup = {.url = fake_url(fake), .env = env};
    (void)state;
    CTL_ENDS(&setup, 0, "server", "info");
    struct fake_seen seen = fake_request(fake, 0);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, seen.bytes, seen.frame);
    assert_non_null(request);
    assert_text(request->traceparent.data, request->traceparent.len, env[0] + 12);
    billing__v1__request__free_unpacked(request, NULL);
    fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(backup__done__prints_what_it_holds),
    cmocka_unit_test(backup__as_json_and_id__the_job),
    cmocka_unit_test(backup__relative_directory__from_here_over_the_unix_socket_alone),
    cmocka_unit_test(backup__interrupted__cancels_the_job),
    cmocka_unit_test(backup__interrupted__waits_for_the_end_and_tells_which_it_was),
    cmocka_unit_test(backup__interrupted_again__ends_at_once_by_that_signal),
    cmocka_unit_test(backup__signal_that_is_ignored__is_no_interrupt),
    cmocka_unit_test(backup__daemon_says_no__refused_with_its_words),
    cmocka_unit_test(backup__daemon_gone_meanwhile__says_so_and_names_the_job),
    cmocka_unit_test(backup__daemon_shuts_down_meanwhile__outcome_unknown),
    cmocka_unit_test(verify__findings__listed_and_exit_status_1),
    cmocka_unit_test(key_create__each_form__the_secret_on_standard_output_alone),
    cmocka_unit_test(key_create__answer_lost_for_ever__says_what_to_do),
    cmocka_unit_test(key_create__nowhere_to_write__says_which_to_revoke),
    cmocka_unit_test(key_create__bad_values__named_and_nothing_sent),
    cmocka_unit_test(token__from_everywhere__flag_then_environment_then_file),
    cmocka_unit_test(token_file__others_may_read_it__bad_configuration),
    cmocka_unit_test(traceparent__in_the_environment__passed_on),
};

TESTKIT_MAIN(tests)
