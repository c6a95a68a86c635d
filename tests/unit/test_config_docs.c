/* The table of options, --help, the two man pages and the sample file say the same. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/config.h"
#include "billingd/config_options.h"
#include "tests/lib/testkit.h"

/* --- the texts -------------------------------------------------------------------------------- */

static const char *source_file(const char *name)
{
    size_t bytes;
    char *text = testkit_read_file(testkit_format("%s/%s", testkit_source_dir(), name), &bytes);
    const char *kept = testkit_format("%s", text);
    assert_u64(strlen(kept), bytes);
    free(text);
    return kept;
}

static const char *help_text(void)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    config_help(out);
    assert_i64(fclose(out), 0);
    const char *kept = testkit_format("%s", text);
    free(text);
    return kept;
}

/* OPTION's name as a flag, without its "--". */
static const char *flag_of(const struct config_option *option)
{
    char *flag = testkit_alloc(strlen(option->name) + 1);
    memcpy(flag, option->name, strlen(option->name));
    for (char *at = strchr(flag, '_'); at != NULL; at = strchr(at, '_')) {
        *at = '-';
    }
    return flag;
}

/* Where TEXT has LINE at the beginning of a line, which is to be once. */
static const char *find_line(const char *text, const char *line)
{
    const char *found = NULL;
    unsigned n = 0;
    for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line)) {
        if (at == text || at[-1] == '\n') {
            found = at;
            n++;
        }
    }
    if (n != 1) {
        testkit_fail("'%s' begins %u lines, not one", line, n);
    }
    return found;
}

/* The line behind the one at AT. */
static const char *next_line(const char *at)
{
    const char *begin = at + strcspn(at, "\n") + 1;
    return testkit_format("%.*s", (int)strcspn(begin, "\n"), begin);
}

/* Call CHECK for each word behind a BEFORE in TEXT. */
static unsigned for_each_word(const char *text, const char *before,
                              void (*check)(const char *word, const char *behind))
{
    unsigned n = 0;
    for (const char *at = strstr(text, before); at != NULL; at = strstr(at, before)) {
        at += strlen(before);
        size_t length = 0;
        while (islower((unsigned char)at[length]) || at[length] == '-' || at[length] == '_') {
            length++;
        }
        check(testkit_format("%.*s", (int)length, at), at + length);
        n++;
    }
    return n;
}

/* --- --help ----------------------------------------------------------------------------------- */

static void help__every_option__with_value_default_and_bounds(void **state)
{
    (void)state;
    const char *help = help_text();
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        const char *argument = option->argument == NULL ? "" : option->argument;
        const char *line = find_line(help, testkit_format("  --%s%s%s\n", flag_of(option),
                                                          *argument == '\0' ? "" : " ", argument));
        const char *words = next_line(line);
        assert_contains(words, option->help);
        const char *bounds = config_option_bounds(option).text;
        if (*bounds != '\0') {
            assert_contains(words, testkit_format("[default %s; %s]", option->fallback, bounds));
        }
    }
}

static void help__no_line_is_too_long_for_a_terminal(void **state)
{
    (void)state;
    for (const char *at = help_text(); *at != '\0'; at += strcspn(at, "\n") + 1) {
        if (strcspn(at, "\n") > 100) {
            testkit_fail("longer than 100: %.*s", (int)strcspn(at, "\n"), at);
        }
    }
}

/* --- billingd(8) ------------------------------------------------------------------------------ */

static void check_flag_exists(const char *word, const char *behind)
{
    bool name_of_any = strcmp(word, "") == 0 && *behind == '*'; /* "--name" for whichever */
    if (!name_of_any && config_option_by_flag(word, strlen(word)) == NULL) {
        testkit_fail("billingd(8) has --%s, billingd has not", word);
    }
}

static void billingd_8__every_option_and_no_other(void **state)
{
    (void)state;
    const char *page = source_file("docs/man/billingd.8.scd");
    for (size_t i = 0; i < config_options_n; i++) {
        find_line(page, testkit_format("*--%s*%s%s", flag_of(&config_options[i]),
                                       config_options[i].argument == NULL ? "" : " ",
                                       config_options[i].type == CONFIG_LIST ||
                                               config_options[i].argument == NULL
                                           ? ""
                                           : testkit_format("_%s_", config_options[i].argument)));
    }
    assert_true(for_each_word(page, "*--", check_flag_exists) > config_options_n);
}

static void billingd_8__exit_statuses_and_the_two_commands(void **state)
{
    (void)state;
    const char *page = source_file("docs/man/billingd.8.scd");
    find_line(page, "*0*\n");
    find_line(page, "*1*\n");
    find_line(page, "*2*\n");
    find_line(page, "*70*\n");
    find_line(page, "curl -X POST http://127.0.0.1:3001/api/v1/customers "
                    "-H 'Content-Type: application/json' "
                    "-d '{\"customer_name\": \"A test customer name\"}'\n");
    find_line(page, "curl -X POST http://127.0.0.1:3001/api/v1/customers/<id>/usage "
                    "-H 'Content-Type: application/json' "
                    "-d '{\"service\": \"Database Hosting\", \"units_consumed\": 58, "
                    "\"price_per_unit\": 0.05}'\n");
}

/* What the page says may change at SIGHUP is what the table says. */
static void billingd_8__what_reloads_is_named_and_nothing_else(void **state)
{
    (void)state;
    const char *page = source_file("docs/man/billingd.8.scd");
    const char *begin = find_line(page, "# RELOADING\n");
    const char *end = strstr(begin, "The others take a restart");
    assert_non_null(end);
    const char *section = testkit_format("%.*s", (int)(end - begin), begin);
    for (size_t i = 0; i < config_options_n; i++) {
        const char *name = testkit_format("*%s*", config_options[i].name);
        bool named = strstr(section, name) != NULL;
        if (named != (config_options[i].scope == CONFIG_RELOAD)) {
            testkit_fail("%s %s in RELOADING of billingd(8)", name, named ? "stands" : "is not");
        }
    }
}

/* --- billingd.conf(5) ------------------------------------------------------------------------- */

static const char *kind_of(const struct config_option *option)
{
    static const char *const kinds[] = {
        [CONFIG_TEXT] = "text",   [CONFIG_LIST] = "list",  [CONFIG_FLAG] = "flag",
        [CONFIG_COUNT] = "count", [CONFIG_BYTES] = "size", [CONFIG_DURATION] = "time",
        [CONFIG_MODE] = "mode",
    };
    return kinds[option->type];
}

static void check_entry_exists(const char *word, const char *behind)
{
    if (strncmp(behind, "* = _", 5) == 0 && config_option_by_name(word) == NULL) {
        testkit_fail("billingd.conf(5) has %s, the file has not", word);
    }
}

static void billingd_conf_5__every_option_with_default_and_bounds_and_no_other(void **state)
{
    (void)state;
    const char *page = source_file("docs/man/billingd.conf.5.scd");
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        if (option->scope == CONFIG_ARGUMENT) {
            continue;
        }
        const char *line =
            find_line(page, testkit_format("*%s* = _%s_\n", option->name, kind_of(option)));
        const char *words = next_line(line);
        const char *bounds = config_option_bounds(option).text;
        assert_contains(words, option->fallback == NULL
                                   ? "Default: "
                                   : testkit_format("Default *%s*", option->fallback));
        if (*bounds != '\0') {
            assert_contains(words, testkit_format("*; from %s.", bounds));
        }
    }
    for_each_word(page, "\n*", check_entry_exists);
}

/* --- the sample ------------------------------------------------------------------------------- */

/* PATH is read without complaint, and says about each option what the table says. */
static void check_defaults(const char *path)
{
    char program[] = "billingd";
    char flag[] = "--config";
    char *file = strdup(path);
    struct config config;
    assert_non_null(file);
    assert_i64(setenv("STATE_DIRECTORY", "/var/lib/billingd", 1), 0);
    assert_i64(setenv("RUNTIME_DIRECTORY", "/run/billingd", 1), 0);
    int rc = config_load(3, (char *[]){program, flag, file, NULL}, &config, stderr);
    assert_ok(rc);
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        struct config expected = {0};
        const char *at = (const char *)&config + option->offset;
        const char *fallback = (const char *)&expected + option->offset;
        if (option->fallback == NULL) {
            continue;
        }
        assert_ok(config_option_set(option, option->fallback, &expected));
        if (option->type == CONFIG_TEXT) {
            assert_string_equal(*(char *const *)at, *(char *const *)fallback);
        } else if (option->type == CONFIG_FLAG) {
            assert_i64(*(const bool *)at, *(const bool *)fallback);
        } else if (*(const int64_t *)at != *(const int64_t *)fallback) {
            testkit_fail("the sample has another %s than its default", option->name);
        }
        config_done(&expected);
    }
    assert_string_equal(config.data_dir, "/var/lib/billingd");
    assert_i64(config.listen.n, 1);
    assert_string_equal(config.listen.items[0], "unix:/run/billingd/billingd.sock");
    config_done(&config);
    free(file);
}

static void sample__as_it_stands__changes_nothing(void **state)
{
    (void)state;
    check_defaults(testkit_format("%s/packaging/billingd.conf", testkit_source_dir()));
}

static void sample__every_option_with_its_default(void **state)
{
    (void)state;
    const char *sample = source_file("packaging/billingd.conf");
    char *bare = testkit_alloc(strlen(sample) + 1);
    size_t length = 0;
    for (size_t i = 0; sample[i] != '\0'; i++) { /* without each '#' that a name follows */
        bool option = sample[i] == '#' && islower((unsigned char)sample[i + 1]);
        bare[length] = sample[i];
        length += !option;
    }
    bare[length] = '\0';
    for (size_t i = 0; i < config_options_n; i++) {
        if (config_options[i].scope != CONFIG_ARGUMENT) {
            find_line(bare, testkit_format("%s = ", config_options[i].name));
        }
    }
    const char *path = testkit_format("%s/sample.conf", testkit_tmpdir());
    testkit_write_file(path, bare, length);
    check_defaults(path);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(help__every_option__with_value_default_and_bounds),
    cmocka_unit_test(help__no_line_is_too_long_for_a_terminal),
    cmocka_unit_test(billingd_8__every_option_and_no_other),
    cmocka_unit_test(billingd_8__exit_statuses_and_the_two_commands),
    cmocka_unit_test(billingd_8__what_reloads_is_named_and_nothing_else),
    cmocka_unit_test(billingd_conf_5__every_option_with_default_and_bounds_and_no_other),
    cmocka_unit_test(sample__as_it_stands__changes_nothing),
    cmocka_unit_test(sample__every_option_with_its_default),
};

TESTKIT_MAIN(tests)
