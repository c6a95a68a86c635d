/* API keys from where people meet them: billingctl makes them over the Unix socket, and programs
 * ask with them over TCP.  The daemon is one for all tests; each test has keys of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <billing/billing.h>

#include "tests/integration/ctl_run.h"
#include "tests/lib/daemon.h"
#include "tests/lib/testkit.h"

static struct daemon_process *billingd;
static struct ctl_setup setup; /* over the Unix socket: an administrator */

/* --- helpers ---------------------------------------------------------------------------------- */

/* The last line of TEXT. */
static const char *last_line(const char *text)
{
    size_t length = strlen(text);
    size_t start = length == 0 ? 0 : length - 1;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    return ctl_line(text + start);
}

/* A new key's secret; SERVICE may be NULL. */
static const char *new_key(const char *name, const char *role, const char *service)
{
    const char *args[] = {
        "key",   "create", "--name", name, "--role", role, service == NULL ? NULL : "--service",
        service, NULL};
    struct ctl_result result = ctl_run(&setup, args);
    if (result.status != 0) {
        testkit_fail("no key: %s", result.err);
    }
    const char *secret = last_line(result.out);
    assert_true(strlen(secret) > 20);
    assert_null(strstr(result.err, secret));
    return secret;
}

/* Over TCP, with SECRET in $BILLING_TOKEN. */
static struct ctl_setup over_tcp(const char *secret)
{
    const char **env = testkit_alloc(2 * sizeof *env);
    env[0] = testkit_format("BILLING_TOKEN=%s", secret);
    const char *url = testkit_format("tcp://%s", daemon_process_address(billingd, "tcp"));
    return (struct ctl_setup){.url = url, .env = env};
}

static const char *token_file(const char *secret)
{
    const char *path = testkit_format("%s/token", testkit_tmpdir());
    const char *line = testkit_format("%s\n", secret);
    testkit_write_file(path, line, strlen(line));
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static const char *new_customer(void)
{
    return ctl_line(CTL_ENDS(&setup, 0, "customer", "create", "Acme", "--output", "id").out);
}

static struct ctl_result record(const struct ctl_setup *at, const char *customer,
                                const char *service)
{
    return CTL(at, "usage", "create", "--customer", customer, "--service", service, "--units", "1",
               "--price", "2", "--output", "json");
}

/* --- the life of a key ------------------------------------------------------------------------ */

static void key__made_listed_revoked__and_its_secret_never_again(void **state)
{
    (void)state;
    struct ctl_result made = CTL_ENDS(&setup, 0, "key", "create", "--name", "life", "--role",
                                      "reader", "--expires", "90d", "--output", "json");
    assert_contains(made.out, "{\"key\": \"");
    assert_contains(made.out, "\"api_key\": {\"id\": \"key_");
    assert_contains(made.out, "\"expires_at\": \"");
    const char *secret = ctl_line(strstr(made.out, "\": \"") + 4);
    secret = testkit_format("%.*s", (int)strcspn(secret, "\""), secret);
    struct ctl_result json = CTL_ENDS(&setup, 0, "key", "list", "--output", "json");
    assert_contains(json.out, "\"name\": \"life\", \"role\": \"reader\", \"services\": []");
    assert_null(strstr(json.out, secret));
    struct ctl_result revoked = CTL_ENDS(&setup, 0, "key", "revoke", "life", "--output", "id");
    assert_contains(made.out, ctl_line(revoked.out));
    assert_null(strstr(CTL_ENDS(&setup, 0, "key", "list").out, "  life "));
    struct ctl_result all = CTL_ENDS(&setup, 0, "key", "list", "--all", "--output", "csv");
    assert_contains(all.out, ",life,reader,,");
    /* By its id it is revoked and stays so; by its name there is none any more. */
    CTL_ENDS(&setup, 0, "key", "revoke", ctl_line(revoked.out));
    assert_contains(CTL_ENDS(&setup, 1, "key", "revoke", "life").err, "(key_not_found)");
}

static void key__name_in_force__refused_with_who_has_it(void **state)
{
    (void)state;
    CTL_ENDS(&setup, 0, "key", "create", "--name", "one", "--role", "reader");
    struct ctl_result listed = CTL_ENDS(&setup, 0, "key", "list", "--output", "json");
    const char *id = strstr(listed.out, "\"name\": \"one\"");
    assert_non_null(id);
    while (strncmp(id, "key_", 4) != 0) { /* stands before the name */
        assert_true(--id > listed.out);
    }
    struct ctl_result second =
        CTL_ENDS(&setup, 1, "key", "create", "--name", "one", "--role", "admin");
    assert_contains(second.err, "(key_exists)");
    assert_contains(second.err, testkit_format("existing id: %.*s\n", (int)strcspn(id, "\""), id));
    CTL_ENDS(&setup, 0, "key", "revoke", "one");
    CTL_ENDS(&setup, 0, "key", "create", "--name", "one", "--role", "admin");
}

static void key__with_its_id_alone__refused_and_there_is_none(void **state)
{
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 2, "key", "create", "--name", "unseen", "--role",
                                        "reader", "--output", "id");
    assert_string_equal(result.out, "");
    assert_contains(result.err, "--output: 'id' prints no key, and it is shown this once");
    assert_null(strstr(CTL_ENDS(&setup, 0, "key", "list", "--all").out, "unseen"));
}

static void key__expired_already__refused_by_its_flag(void **state)
{
    (void)state;
    struct ctl_result result = CTL_ENDS(&setup, 1, "key", "create", "--name", "past", "--role",
                                        "reader", "--expires", "2020-01-01");
    assert_contains(result.err, "--expires: ");
}

/* --- who asks --------------------------------------------------------------------------------- */

static void token__variable_or_file__records_under_the_keys_name(void **state)
{
    (void)state;
    const char *secret = new_key("metering", "writer", NULL);
    struct ctl_setup at = over_tcp(secret);
    const char *customer = new_customer();
    assert_contains(record(&at, customer, "Disk").out, "\"recorded_by\": \"key:metering\"");
    at.env = NULL;
    struct ctl_result from_file =
        CTL_ENDS(&at, 0, "usage", "create", "--customer", customer, "--service", "Disk", "--units",
                 "1", "--price", "2", "--output", "json", "--token-file", token_file(secret));
    assert_contains(from_file.out, "\"recorded_by\": \"key:metering\"");
    assert_contains(CTL_ENDS(&setup, 0, "key", "list", "--output", "json").out,
                    "\"name\": \"metering\"");
}

static void token__unknown__refused_and_not_repeated(void **state)
{
    (void)state;
    const char *customer = new_customer();
    struct ctl_setup at = over_tcp("bk_nobody-knows-this-one");
    struct ctl_result result = record(&at, customer, "Disk");
    assert_int_equal(result.status, 1);
    assert_contains(result.err, "(unauthenticated)");
    assert_null(strstr(result.err, "nobody-knows"));
    assert_null(strstr(daemon_process_stderr(billingd), "nobody-knows"));
}

static void roles__each__what_it_opens_and_no_more(void **state)
{
    (void)state;
    const char *customer = new_customer();
    struct ctl_setup reader = over_tcp(new_key("reads", "reader", NULL));
    struct ctl_setup writer = over_tcp(new_key("writes", "writer", NULL));
    struct ctl_setup admin = over_tcp(new_key("rules", "admin", NULL));
    CTL_ENDS(&reader, 0, "customer", "get", customer);
    struct ctl_result refused = record(&reader, customer, "Disk");
    assert_int_equal(refused.status, 1);
    assert_contains(refused.err, "(forbidden)");
    assert_int_equal(record(&writer, customer, "Disk").status, 0);
    assert_contains(CTL_ENDS(&writer, 1, "key", "list").err, "(forbidden)");
    assert_contains(CTL_ENDS(&admin, 0, "key", "list").out, "  rules ");
}

static void writer__of_one_service__records_that_one_alone(void **state)
{
    (void)state;
    const char *customer = new_customer();
    struct ctl_setup at = over_tcp(new_key("limited", "writer", "Backup \"daily\""));
    assert_int_equal(record(&at, customer, "Backup \"daily\"").status, 0);
    struct ctl_result refused = record(&at, customer, "Disk");
    assert_int_equal(refused.status, 1);
    assert_contains(refused.err, "forbidden");
    struct ctl_result list = CTL_ENDS(&setup, 0, "key", "list", "--output", "json");
    assert_contains(list.out, "\"services\": [\"Backup \\\"daily\\\"\"]");
}

/* Where keys are asked for, it is over TCP: the Unix socket goes by the user. */
static void token__none_where_one_is_asked_for__refused(void **state)
{
    static const char *const args[] = {"--require-auth", NULL};
    const struct daemon_options options = {.args = args};
    (void)state;
    struct daemon_process *daemon = daemon_process_start(&options);
    struct ctl_setup local = {.url = daemon_process_url(daemon)};
    struct ctl_setup far = {
        .url = testkit_format("tcp://%s", daemon_process_address(daemon, "tcp")),
    };
    struct ctl_result made =
        CTL_ENDS(&local, 0, "key", "create", "--name", "far", "--role", "reader");
    assert_contains(CTL_ENDS(&far, 1, "server", "info").err, "(unauthenticated)");
    CTL_ENDS(&far, 0, "server", "info", "--token-file", token_file(last_line(made.out)));
    daemon_process_stop(daemon);
    daemon_process_destroy(daemon);
}

/* --- programs that run ------------------------------------------------------------------------ */

static billing_client *client_over_tcp(const char *secret, const char *path)
{
    billing_options *options = billing_options_new();
    billing_client *client;
    const char *url = testkit_format("tcp://%s", daemon_process_address(billingd, "tcp"));
    assert_i64(billing_options_set_url(options, url), 0);
    if (secret != NULL) {
        assert_i64(billing_options_set_token(options, secret), 0);
    } else {
        assert_i64(billing_options_set_token_file(options, path), 0);
    }
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    return client;
}

static void revoked__while_a_connection_is_open__refused_at_once(void **state)
{
    billing_error *error;
    (void)state;
    billing_client *client = client_over_tcp(new_key("open", "reader", NULL), NULL);
    assert_i64(billing_server_info(client, NULL, NULL), 0);
    CTL_ENDS(&setup, 0, "key", "revoke", "open");
    assert_i64(billing_server_info(client, NULL, &error), BILLING_E_REFUSED);
    assert_string_equal(billing_error_code(error), "unauthenticated");
    assert_int_equal(billing_error_http_status(error), 401);
    assert_int_equal(billing_error_attempts(error), 1);
    billing_error_free(error);
    billing_client_free(client);
}

static void replaced__in_its_file__no_call_fails(void **state)
{
    (void)state;
    const char *customer = new_customer();
    const char *path = token_file(new_key("old", "writer", NULL));
    billing_client *client = client_over_tcp(NULL, path);
    assert_i64(billing_usage_record(client, customer, "Disk", "1", "2", NULL), 0);
    assert_int_equal(rename(token_file(new_key("new", "writer", NULL)), path), 0);
    CTL_ENDS(&setup, 0, "key", "revoke", "old");
    assert_i64(billing_usage_record(client, customer, "Disk", "1", "2", NULL), 0);
    billing_client_free(client);
    struct ctl_result usage =
        CTL_ENDS(&setup, 0, "usage", "list", "--customer", customer, "--output", "json");
    assert_u64(ctl_count(usage.out, "\"recorded_by\": \"key:old\""), 1);
    assert_u64(ctl_count(usage.out, "\"recorded_by\": \"key:new\""), 1);
}

static int start(void **state)
{
    (void)state;
    billingd = daemon_process_start(NULL);
    setup = (struct ctl_setup){.url = daemon_process_url(billingd)};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(key__made_listed_revoked__and_its_secret_never_again),
    cmocka_unit_test(key__name_in_force__refused_with_who_has_it),
    cmocka_unit_test(key__with_its_id_alone__refused_and_there_is_none),
    cmocka_unit_test(key__expired_already__refused_by_its_flag),
    cmocka_unit_test(token__variable_or_file__records_under_the_keys_name),
    cmocka_unit_test(token__unknown__refused_and_not_repeated),
    cmocka_unit_test(roles__each__what_it_opens_and_no_more),
    cmocka_unit_test(writer__of_one_service__records_that_one_alone),
    cmocka_unit_test(token__none_where_one_is_asked_for__refused),
    cmocka_unit_test(revoked__while_a_connection_is_open__refused_at_once),
    cmocka_unit_test(replaced__in_its_file__no_call_fails),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, start, stop));
}
