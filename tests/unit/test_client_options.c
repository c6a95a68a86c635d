/* What clients are made of: URLs, bounds, the environment, the default places, the shared
 * client. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <billing/billing.h>

#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

static void clear_environment(void)
{
    static const char *const names[] = {
        "BILLING_URL",           "BILLING_TOKEN",     "BILLING_TIMEOUT", "BILLING_TOKEN_FILE",
        "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(unsetenv(names[i]), 0);
    }
}

/* The URL of a client with OPTIONS. */
static const char *url_of(const billing_options *options)
{
    billing_client *client;
    assert_i64(billing_client_new(options, &client), 0);
    const char *url = testkit_format("%s", billing_client_url(client));
    billing_client_free(client);
    return url;
}

static void set_url__good__is_the_clients(void **state)
{
    static const char *const urls[] = {
        "unix:///run/billingd/billingd.sock",
        "unix:///a b:c",
        "tcp://localhost:1",
        "tcp://billing-1.example_x.org:65535",
        "tcp://127.0.0.1:7400",
        "tcp://[::1]:7400",
        "tcp://[fe80::1:2]:7400",
    };
    billing_options *options = billing_options_new();
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_i64(billing_options_set_url(options, urls[i]), 0);
        assert_string_equal(url_of(options), urls[i]);
    }
    billing_options_free(options);
}

static void set_url__bad__refused_and_the_old_one_stays(void **state)
{
    static const char *const urls[] = {
        "",
        "/run/billingd.sock",
        "unix:/run/billingd.sock",
        "unix://",
        "unix://relative",
        "UNIX:///x",
        "http://localhost:1",
        "tcp://localhost",
        "tcp://localhost:",
        "tcp://localhost:0",
        "tcp://localhost:65536",
        "tcp://localhost:99999999999",
        "tcp://localhost:-1",
        "tcp://localhost:1/",
        "tcp://localhost:http",
        "tcp://:1",
        "tcp://[]:1",
        "tcp://[::1:1",
        "tcp://::1:1",
        "tcp://[x]:1",
        "tcp://a b:1",
        "tcp://user@host:1",
    };
    char path[8 + 107 + 1 + 1] = "unix:///";
    billing_options *options = billing_options_new();
    (void)state;
    assert_i64(billing_options_set_url(options, "tcp://kept:1"), 0);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_i64(billing_options_set_url(options, urls[i]), BILLING_E_ARGUMENT);
    }
    memset(path + 8, 'x', 107); /* a path of 108 bytes: one more than a socket address holds */
    assert_i64(billing_options_set_url(options, path), BILLING_E_ARGUMENT);
    assert_string_equal(url_of(options), "tcp://kept:1");
    path[8 + 106] = '\0';
    assert_i64(billing_options_set_url(options, path), 0);
    billing_options_free(options);
}

static void setters__at_and_past_their_bounds__range(void **state)
{
    billing_options *o = billing_options_new();
    (void)state;
    assert_i64(billing_options_set_timeout_ms(o, 1), 0);
    assert_i64(billing_options_set_timeout_ms(o, 604800000), 0);
    assert_i64(billing_options_set_timeout_ms(o, 0), BILLING_E_RANGE);
    assert_i64(billing_options_set_timeout_ms(o, 604800001), BILLING_E_RANGE);
    assert_i64(billing_options_set_try_timeout_ms(o, 1), 0);
    assert_i64(billing_options_set_try_timeout_ms(o, 0), BILLING_E_RANGE);
    assert_i64(billing_options_set_try_timeout_ms(o, INT64_MAX), BILLING_E_RANGE);
    assert_i64(billing_options_set_retries_max(o, 0), 0);
    assert_i64(billing_options_set_retries_max(o, 100), 0);
    assert_i64(billing_options_set_retries_max(o, -1), BILLING_E_RANGE);
    assert_i64(billing_options_set_retries_max(o, 101), BILLING_E_RANGE);
    assert_i64(billing_options_set_retry_delay_ms(o, 0), 0);
    assert_i64(billing_options_set_retry_delay_ms(o, 60001), BILLING_E_RANGE);
    assert_i64(billing_options_set_retry_delay_ms(o, -1), BILLING_E_RANGE);
    assert_i64(billing_options_set_frame_bytes_max(o, 65536), 0);
    assert_i64(billing_options_set_frame_bytes_max(o, 65535), BILLING_E_RANGE);
    assert_i64(billing_options_set_frame_bytes_max(o, (size_t)1 << 30), 0);
    assert_i64(billing_options_set_frame_bytes_max(o, SIZE_MAX), BILLING_E_RANGE);
    billing_options_free(o);
}

static void set_token__anything__only_printable_without_blanks(void **state)
{
    char token[4096 + 2];
    billing_options *o = billing_options_new();
    (void)state;
    memset(token, 'a', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    assert_i64(billing_options_set_token(o, token), BILLING_E_ARGUMENT);
    token[4096] = '\0';
    assert_i64(billing_options_set_token(o, token), 0);
    assert_i64(billing_options_set_token(o, ""), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token(o, "a b"), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token(o, "a\n"), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token(o, "\xc3\xa9"), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token(o, NULL), 0);
    billing_options_free(o);
}

static void null_handles__everywhere__argument(void **state)
{
    (void)state;
    assert_i64(billing_options_set_url(NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_timeout_ms(NULL, 1), BILLING_E_ARGUMENT);
    assert_i64(billing_options_set_token(NULL, "a"), BILLING_E_ARGUMENT);
    assert_i64(billing_options_from_environment(NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_client_new(NULL, NULL), BILLING_E_ARGUMENT);
    assert_null(billing_client_url(NULL));
    billing_options_set_log(NULL, NULL, NULL);
    billing_options_set_request_id_maker(NULL, NULL, NULL);
    billing_options_free(NULL);
    billing_client_free(NULL);
}

/* --- the environment -------------------------------------------------------------------------- */

static void from_environment__set__read_and_empty_is_unset(void **state)
{
    billing_options *o = billing_options_new();
    const char *variable = "untouched";
    (void)state;
    clear_environment();
    assert_i64(billing_options_from_environment(o, &variable), 0);
    assert_int_equal(setenv("BILLING_URL", "tcp://from-environment:1", 1), 0);
    assert_int_equal(setenv("BILLING_TOKEN", "secret", 1), 0);
    assert_int_equal(setenv("BILLING_TIMEOUT", "2m", 1), 0);
    assert_i64(billing_options_from_environment(o, &variable), 0);
    assert_string_equal(url_of(o), "tcp://from-environment:1");
    assert_int_equal(setenv("BILLING_URL", "", 1), 0);
    assert_i64(billing_options_from_environment(o, &variable), 0);
    assert_string_equal(url_of(o), "tcp://from-environment:1");
    assert_string_equal(variable, "untouched");
    billing_options_free(o);
}

static void from_environment__wrong__names_the_variable(void **state)
{
    static const struct {
        const char *variable;
        const char *value;
        int status;
    } table[] = {
        {"BILLING_URL", "localhost:1", BILLING_E_ARGUMENT},
        {"BILLING_TOKEN", "two words", BILLING_E_ARGUMENT},
        {"BILLING_TIMEOUT", "5", BILLING_E_ARGUMENT},
        {"BILLING_TIMEOUT", "0s", BILLING_E_RANGE},
        {"BILLING_TIMEOUT", "999h", BILLING_E_RANGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        billing_options *o = billing_options_new();
        const char *variable = NULL;
        clear_environment();
        assert_int_equal(setenv(table[i].variable, table[i].value, 1), 0);
        assert_i64(billing_options_from_environment(o, &variable), table[i].status);
        assert_string_equal(variable, table[i].variable);
        assert_i64(billing_options_from_environment(o, NULL), table[i].status);
        billing_options_free(o);
    }
    clear_environment();
}

static void client_new__without_a_url__takes_the_daemons_places(void **state)
{
    (void)state;
    clear_environment();
    assert_string_equal(url_of(NULL), "unix:///run/billingd/billingd.sock");
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/1", 1), 0);
    assert_string_equal(url_of(NULL), "unix:///run/user/1/billingd.sock");
    assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1), 0);
    assert_string_equal(url_of(NULL), "unix:///run/a/billingd.sock");
    assert_int_equal(setenv("RUNTIME_DIRECTORY", "not/absolute", 1), 0);
    assert_string_equal(url_of(NULL), "unix:///run/user/1/billingd.sock");
    clear_environment();
}

static void client__default_places__first_with_a_daemon_is_used(void **state)
{
    billing_client *client;
    billing_error *error;
    (void)state;
    clear_environment();
    struct fake_daemon *fake = fake_start(NULL, 0);
    const char *url = fake_url(fake);
    const char *name = strrchr(url, '/');
    const char *directory = testkit_format("%.*s", (int)(name - url - 7), url + 7);
    assert_int_equal(setenv("RUNTIME_DIRECTORY", testkit_tmpdir(), 1), 0); /* nobody listens */
    assert_int_equal(setenv("XDG_RUNTIME_DIR", directory, 1), 0);
    assert_i64(billing_client_new(NULL, &client), 0);
    clear_environment(); /* it was read when the client was made */
    assert_i64(billing_server_info(client, NULL, &error), 0);
    assert_int_equal(fake_requests(fake), 1);
    billing_client_free(client);
    fake_stop(fake);
}

/* --- the shared client ------------------------------------------------------------------------ */

/* In one test, since it is one a process. */
static void shared__first_use__made_of_the_environment_and_kept(void **state)
{
    billing_options *options = billing_options_new();
    (void)state;
    clear_environment();
    assert_int_equal(setenv("BILLING_URL", "nonsense", 1), 0);
    assert_null(billing_client_shared()); /* and tried again the next time */
    assert_int_equal(setenv("BILLING_URL", "tcp://shared:1", 1), 0);
    billing_client *client = billing_client_shared();
    assert_non_null(client);
    assert_string_equal(billing_client_url(client), "tcp://shared:1");
    assert_int_equal(setenv("BILLING_URL", "tcp://other:1", 1), 0);
    assert_ptr_equal(billing_client_shared(), client);
    assert_i64(billing_client_shared_configure(options), BILLING_E_STATE);
    billing_client_free(client); /* does nothing */
    assert_string_equal(billing_client_url(billing_client_shared()), "tcp://shared:1");
    billing_options_free(options);
    clear_environment();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(set_url__good__is_the_clients),
    cmocka_unit_test(set_url__bad__refused_and_the_old_one_stays),
    cmocka_unit_test(setters__at_and_past_their_bounds__range),
    cmocka_unit_test(set_token__anything__only_printable_without_blanks),
    cmocka_unit_test(null_handles__everywhere__argument),
    cmocka_unit_test(from_environment__set__read_and_empty_is_unset),
    cmocka_unit_test(from_environment__wrong__names_the_variable),
    cmocka_unit_test(client_new__without_a_url__takes_the_daemons_places),
    cmocka_unit_test(client__default_places__first_with_a_daemon_is_used),
    cmocka_unit_test(shared__first_use__made_of_the_environment_and_kept),
};

TESTKIT_MAIN(tests)
