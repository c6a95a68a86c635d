/* The configuration file of billingctl, and the files it names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "billingctl/config.h"
#include "tests/lib/testkit.h"

/* Apply TEXT, of a file that is private or not.  Returns the reason, or NULL where it was taken. */
static const char *apply_to(const char *text, bool is_private)
{
    struct reason reason;
    billing_options *options = billing_options_new();
    char *copy = testkit_alloc(strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    bool taken = config_apply("f.conf", copy, is_private, options, &reason);
    billing_options_free(options);
    return taken ? NULL : testkit_format("%s", reason.text);
}

static const char *apply(const char *text)
{
    return apply_to(text, false);
}

static void apply__well_formed__taken(void **state)
{
    (void)state;
    assert_null(apply(""));
    assert_null(apply("\n\n"));
    assert_null(apply("# a comment\n  # another\r\n"));
    assert_null(apply("url = unix:///run/x.sock\ntimeout=5s\n"));
    assert_null(apply("\turl\t=\ttcp://127.0.0.1:3002  \r\n"));
    assert_null(apply("timeout = 250ms")); /* no newline at the end */
}

static void apply__bad_line__named_with_its_number(void **state)
{
    (void)state;
    assert_contains(apply("url = unix:///x\n\nurl = unix:///y\n"),
                    "f.conf:3: 'url' is there twice");
    assert_contains(apply("# x\npassword = secret\n"), "f.conf:2: 'password' is not one of");
    assert_contains(apply("nonsense\n"), "f.conf:1: not a line like");
    assert_contains(apply("= x\n"), "f.conf:1: '' is not one of");
    assert_contains(apply("url = http://x\n"), "f.conf:1: url: 'http://x'");
    assert_contains(apply("url =\n"), "f.conf:1: url: ''");
    assert_contains(apply("timeout = soon\n"), "f.conf:1: timeout: 'soon'");
    assert_contains(apply("timeout = 0s\n"), "f.conf:1: timeout");
    assert_contains(apply("token_file =\n"), "f.conf:1: token_file: ''");
    assert_contains(apply("token_file = /x\ntoken_file = /y\n"), "'token_file' is there twice");
}

static void apply__token__only_in_a_private_file(void **state)
{
    (void)state;
    assert_null(apply_to("token = bk_secret\n", true));
    assert_contains(apply("token = bk_secret\n"), "f.conf:1: 'token' may not stand in a file");
    assert_contains(apply("token = bk_secret\n"), "chmod go=");
    assert_contains(apply_to("token = two words\n", true), "f.conf:1: token: is not one");
    assert_null(strstr(apply("token = bk_secret\n"), "bk_"));
    assert_null(strstr(apply_to("token = two words\n", true), "two"));
    assert_null(apply("token_file = /a/file/that/is/read/later\n"));
}

/* --- the files -------------------------------------------------------------------------------- */

static const char *load(void)
{
    struct reason reason;
    billing_options *options = billing_options_new();
    bool taken = config_load(options, &reason);
    billing_options_free(options);
    return taken ? NULL : testkit_format("%s", reason.text);
}

static void load__own_file__found_by_xdg_then_home(void **state)
{
    (void)state;
    const char *home = testkit_tmpdir();
    assert_int_equal(mkdir(testkit_format("%s/.config", home), 0700), 0);
    assert_int_equal(mkdir(testkit_format("%s/.config/billing", home), 0700), 0);
    assert_int_equal(setenv("HOME", home, 1), 0);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_null(load()); /* no file is no error */

    const char *path = testkit_format("%s/.config/billing/billingctl.conf", home);
    testkit_write_file(path, "bogus\n", 6);
    assert_contains(load(), "billingctl.conf:1:");
    testkit_write_file(path, "url = unix:///x\0y\n", 18);
    assert_contains(load(), "NUL byte");

    assert_int_equal(setenv("XDG_CONFIG_HOME", testkit_tmpdir(), 1), 0);
    assert_null(load()); /* it is looked for there instead */
    assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
    assert_contains(load(), "NUL byte"); /* which counts as none */
}

static void load__own_file_with_a_token__must_be_private(void **state)
{
    (void)state;
    const char *home = testkit_tmpdir();
    assert_int_equal(mkdir(testkit_format("%s/billing", home), 0700), 0);
    assert_int_equal(setenv("XDG_CONFIG_HOME", home, 1), 0);
    const char *path = testkit_format("%s/billing/billingctl.conf", home);
    testkit_write_file(path, "token = bk_secret\n", 18);
    static const mode_t modes[] = {0640, 0604, 0620};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_contains(load(), "'token' may not stand");
    }
    assert_int_equal(chmod(path, 0600), 0);
    assert_null(load());
}

static void load__variables__refused_without_their_secrets(void **state)
{
    (void)state;
    assert_int_equal(setenv("XDG_CONFIG_HOME", testkit_tmpdir(), 1), 0);
    assert_int_equal(setenv("BILLING_TOKEN", "bk_two words", 1), 0);
    assert_contains(load(), "$BILLING_TOKEN: is not a token");
    assert_null(strstr(load(), "bk_"));
    assert_int_equal(unsetenv("BILLING_TOKEN"), 0);
    assert_int_equal(setenv("TRACEPARENT", "nonsense", 1), 0);
    assert_null(load()); /* it is somebody else's, and left out */
    assert_int_equal(unsetenv("TRACEPARENT"), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(apply__well_formed__taken),
    cmocka_unit_test(apply__bad_line__named_with_its_number),
    cmocka_unit_test(apply__token__only_in_a_private_file),
    cmocka_unit_test(load__own_file__found_by_xdg_then_home),
    cmocka_unit_test(load__own_file_with_a_token__must_be_private),
    cmocka_unit_test(load__variables__refused_without_their_secrets),
};

TESTKIT_MAIN(tests)
