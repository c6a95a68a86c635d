/* The command line of billingctl: flags, words, and the table of commands. */
#include <stdlib.h>
#include <string.h>

#include "billingctl/commands.h"
#include "billingctl/completion.h"
#include "billingctl/help.h"
#include "tests/lib/testkit.h"

enum {
    WORDS_MAX = 192,
};

struct line {
    char *argv[WORDS_MAX + 1];
    int argc;
    struct options options;
    struct reason reason;
    bool parsed;
};

/* Parse "billingctl " TEXT, split at blanks; "_" stands for an empty word. */
static struct line *parse(const char *text)
{
    struct line *line = testkit_alloc(sizeof *line);
    char *rest = testkit_alloc(strlen(text) + 1);
    char *word;
    memcpy(rest, text, strlen(text) + 1);
    line->argv[line->argc++] = rest + strlen(text);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word == '\0') {
            continue;
        }
        assert_true(line->argc < WORDS_MAX);
        line->argv[line->argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
    }
    line->parsed = options_parse(line->argc, line->argv, &line->options, &line->reason);
    return line;
}

static void refuses(const char *text, const char *reason)
{
    struct line *line = parse(text);
    if (line->parsed) {
        testkit_fail("taken: %s", text);
    }
    assert_contains(line->reason.text, reason);
}

/* The whole way: parse, find, check. */
static const struct command *accept(const char *text, struct options *ret)
{
    struct line *line = parse(text);
    if (!line->parsed) {
        testkit_fail("%s: %s", text, line->reason.text);
    }
    const struct command *command = command_find(&line->options, &line->reason);
    if (command == NULL || !command_check(command, &line->options, &line->reason)) {
        testkit_fail("%s: %s", text, line->reason.text);
    }
    *ret = line->options;
    return command;
}

static void rejects(const char *text, const char *reason)
{
    struct line *line = parse(text);
    assert_true(line->parsed);
    const struct command *command = command_find(&line->options, &line->reason);
    if (command != NULL && command_check(command, &line->options, &line->reason)) {
        testkit_fail("taken: %s", text);
    }
    assert_contains(line->reason.text, reason);
}

/* --- flags ------------------------------------------------------------------------------------ */

static void parse__flags_anywhere__same_options(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--server unix:///s --customer c usage list --limit 5",
        "usage --server unix:///s list --limit=5 --customer=c",
        "usage list --limit 5 --customer c --server=unix:///s",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct options options;
        const struct command *command = accept(lines[i], &options);
        assert_string_equal(command->noun, "usage");
        assert_string_equal(command->verb, "list");
        assert_string_equal(options.values[FLAG_SERVER], "unix:///s");
        assert_string_equal(options.values[FLAG_CUSTOMER], "c");
        assert_string_equal(options.values[FLAG_LIMIT], "5");
        assert_null(options.values[FLAG_SERVICE]);
    }
}

static void parse__two_dashes__end_the_flags(void **state)
{
    (void)state;
    struct options options;
    accept("customer create -- --output", &options);
    assert_string_equal(options.words[2], "--output");
    assert_false(options_has(&options, FLAG_OUTPUT));
    accept("customer create -", &options);
    assert_string_equal(options.words[2], "-");
}

static void parse__value_with_equals__whole(void **state)
{
    (void)state;
    struct options options;
    accept("customer create --external-id=a=b=c x", &options);
    assert_string_equal(options.values[FLAG_EXTERNAL_ID], "a=b=c");
    accept("customer create --external-id= x", &options);
    assert_string_equal(options.values[FLAG_EXTERNAL_ID], "");
    accept("customer create --external-id=--x x", &options);
    assert_string_equal(options.values[FLAG_EXTERNAL_ID], "--x");
}

static void parse__single_dash_value__taken(void **state)
{
    (void)state;
    struct options options;
    accept("usage create --customer c --service s --units -5 --price 1", &options);
    assert_string_equal(options.values[FLAG_UNITS], "-5");
}

static void parse__bad_flags__refused(void **state)
{
    (void)state;
    refuses("customer get a --bogus", "no flag --bogus");
    refuses("customer get a -x", "no flag -x");
    refuses("customer get a --token secret", "no flag --token"); /* which others could read */
    refuses("customer get a --serve x", "no flag --serve");
    refuses("customer get a --=x", "no flag --=x");
    refuses("customer get a --server", "--server needs a value");
    refuses("usage create --units --price 5", "--units needs a value");
    refuses("customer get a --server -- x", "--server needs a value");
    refuses("customer get a --timeout 5s --timeout=5s", "--timeout is given twice");
    refuses("--help --help", "--help is given twice");
    refuses("usage import f --derive-ids=yes", "--derive-ids takes no value");
    refuses("invoice finalize --all=yes", "--all takes no value");
    refuses("usage summary --group-by --include-empty", "--group-by needs a value");
    refuses("a b c d e f g h i", "unexpected argument 'i'");
}

static void parse__labels__up_to_sixteen(void **state)
{
    (void)state;
    struct text line = {0};
    for (int i = 0; i < BILLING_LABELS_MAX; i++) {
        text_printf(&line, "--label k%d=v ", i);
    }
    struct line *full = parse(text_of(&line));
    assert_true(full->parsed);
    assert_u64(full->options.labels.count, BILLING_LABELS_MAX);
    assert_string_equal(full->options.labels.values[15], "k15=v");
    text_puts(&line, "--label one=more");
    refuses(text_of(&line), "more than 16");
    text_done(&line);
}

static void parse__services__many_where_the_command_takes_them(void **state)
{
    (void)state;
    struct options options;
    accept("key create --name n --role writer --service a --service b", &options);
    assert_u64(options.services.count, 2);
    assert_string_equal(options.services.values[0], "a");
    assert_string_equal(options.services.values[1], "b");
    rejects("usage list --customer c --service a --service b", "--service is given twice");
    rejects("usage create --customer c --service a --service b --units 1 --price 1",
            "--service is given twice");
    struct text line = {0};
    text_puts(&line, "key create --name n --role writer");
    for (int i = 0; i < OPTIONS_MANY_MAX; i++) {
        text_printf(&line, " --service s%d", i);
    }
    accept(text_of(&line), &options);
    text_puts(&line, " --service one-more");
    refuses(text_of(&line), "more than 64");
    text_done(&line);
}

/* --- commands --------------------------------------------------------------------------------- */

static void find__unknown__named(void **state)
{
    (void)state;
    rejects("", "a command is missing");
    rejects("bogus", "no command 'bogus'");
    rejects("customer", "create, get, list, rename");
    rejects("customer bogus", "no command 'customer bogus'");
    rejects("customers list", "no command 'customers'");
}

static void check__arguments_and_flags__as_the_table_says(void **state)
{
    (void)state;
    rejects("customer create", "NAME is missing");
    rejects("customer create a b", "unexpected argument 'b'");
    rejects("customer rename a", "NAME is missing");
    rejects("customer list a", "unexpected argument 'a'");
    rejects("customer get a --service s", "customer get takes no --service");
    rejects("customer get a --label k=v", "customer get takes no --label");
    rejects("usage create --customer c --service s --units 1", "--price P is missing");
    rejects("usage list", "--customer ID is missing");
    rejects("usage void --customer c --reason r", "USAGE_ID is missing");
    rejects("usage void u --customer c", "--reason R is missing");
    rejects("usage void u --reason r", "--customer ID is missing");
    rejects("usage list --customer c --window day", "usage list takes no --window");
    rejects("adjustment create --customer c --reason r", "--amount A is missing");
    rejects("adjustment create --customer c --amount 1", "--reason R is missing");
    rejects("bill list --month 2026-11 --explain", "bill list takes no --explain");
    rejects("invoice list --all", "invoice list takes no --all");
    rejects("invoice show", "NUMBER is missing");
    rejects("invoice verify 1 2", "unexpected argument '2'");
    rejects("service add", "NAME is missing");
    rejects("service remove s --unit u", "service remove takes no --unit");
    rejects("key create --name n", "--role ROLE is missing");
    rejects("key create --role admin", "--name N is missing");
    rejects("key revoke", "ID is missing");
    rejects("key revoke k --all", "key revoke takes no --all");
    rejects("server backup", "DIR is missing");
    rejects("server verify d", "unexpected argument 'd'");
    rejects("help a b c", "unexpected argument 'c'");
    struct options options;
    accept("help", &options);
    accept("help usage", &options);
    accept("help usage import", &options);
    accept("adjustment create --customer c --amount -5 --reason r", &options);
    assert_string_equal(options.values[FLAG_AMOUNT], "-5");
    accept("invoice finalize --all --dry-run --month 2026-11", &options);
    assert_true(options_has(&options, FLAG_ALL) && options_has(&options, FLAG_DRY_RUN));
}

static void table__every_row__sound(void **state)
{
    (void)state;
    uint64_t global = FLAG_BIT(FLAG_GLOBAL__COUNT) - 1;
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        assert_non_null(command->run);
        assert_true(command->help[0] >= 'a' && command->help[0] <= 'z');
        assert_u64(command->required & command->optional, 0);
        assert_u64((command->required | command->optional) & global, 0);
        assert_u64((command->required | command->optional) >> FLAG__COUNT, 0);
        for (size_t j = 0; j < i; j++) {
            bool same_noun = strcmp(command_table[j].noun, command->noun) == 0;
            /* One noun's rows stand together: help and completion go by that. */
            assert_true(!same_noun || strcmp(command_table[i - 1].noun, command->noun) == 0);
            assert_true(!same_noun || strcmp(command_table[j].verb, command->verb) != 0);
        }
    }
    for (int i = 0; i < FLAG__COUNT; i++) {
        assert_non_null(flag_table[i].name);
        assert_non_null(flag_table[i].help);
    }
}

/* --- help and completion ---------------------------------------------------------------------- */

static void help__every_command__names_its_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        const char *words[] = {command->noun, command->verb};
        struct text text = {0};
        assert_true(help_put(&text, words, command_words(command)));
        for (int j = 0; j < FLAG__COUNT; j++) {
            const char *flag = testkit_format("  --%s ", flag_table[j].name);
            bool takes = command_takes(command, (enum flag_id)j);
            assert_int_equal(strstr(text_of(&text), flag) != NULL, takes);
        }
        text_done(&text);
    }
}

static void help__everything__names_every_command(void **state)
{
    (void)state;
    struct text text = {0};
    assert_true(help_put(&text, NULL, 0));
    for (size_t i = 0; i < command_count; i++) {
        assert_contains(text_of(&text), command_table[i].help);
    }
    text_done(&text);
}

static void help__noun_or_nonsense__verbs_or_nothing(void **state)
{
    (void)state;
    const char *usage[] = {"usage", "bogus"};
    const char *bogus[] = {"bogus"};
    struct text text = {0};
    assert_false(help_put(&text, bogus, 1));
    assert_false(help_put(&text, usage, 2));
    assert_u64(text.length, 0);
    assert_true(help_put(&text, usage, 1));
    assert_contains(text_of(&text), "usage import FILE");
    assert_null(strstr(text_of(&text), "customer create"));
    text_done(&text);
}

static void completion__every_shell__knows_every_command_and_flag(void **state)
{
    (void)state;
    void (*const shells[])(struct text *) = {completion_put_bash, completion_put_zsh,
                                             completion_put_fish};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        struct text text = {0};
        shells[i](&text);
        for (size_t j = 0; j < command_count; j++) {
            const struct command *command = &command_table[j];
            assert_contains(text_of(&text), command->noun);
            if (command->verb != NULL) {
                assert_contains(text_of(&text), testkit_format(" %s ", command->verb));
            }
        }
        for (int j = 0; j < FLAG__COUNT; j++) {
            assert_contains(text_of(&text), flag_table[j].name);
        }
        text_done(&text);
    }
}

/* The manual page is written by hand: it must not forget any. */
static void man_page__every_command_and_flag__there(void **state)
{
    (void)state;
    char *page = testkit_read_file(
        testkit_format("%s/docs/man/billingctl.1.scd", testkit_source_dir()), NULL);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        bool is_completion = strcmp(command->noun, "completion") == 0; /* in one line for all */
        assert_contains(page, command->verb == NULL || is_completion
                                  ? testkit_format("\n*%s* ", command->noun)
                                  : testkit_format("\n*%s %s*", command->noun, command->verb));
    }
    for (int i = 0; i < FLAG__COUNT; i++) {
        assert_contains(page, testkit_format("*--%s*", flag_table[i].name));
    }
    free(page);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parse__flags_anywhere__same_options),
    cmocka_unit_test(parse__two_dashes__end_the_flags),
    cmocka_unit_test(parse__value_with_equals__whole),
    cmocka_unit_test(parse__single_dash_value__taken),
    cmocka_unit_test(parse__bad_flags__refused),
    cmocka_unit_test(parse__labels__up_to_sixteen),
    cmocka_unit_test(parse__services__many_where_the_command_takes_them),
    cmocka_unit_test(find__unknown__named),
    cmocka_unit_test(check__arguments_and_flags__as_the_table_says),
    cmocka_unit_test(table__every_row__sound),
    cmocka_unit_test(help__every_command__names_its_flags),
    cmocka_unit_test(help__everything__names_every_command),
    cmocka_unit_test(help__noun_or_nonsense__verbs_or_nothing),
    cmocka_unit_test(completion__every_shell__knows_every_command_and_flag),
    cmocka_unit_test(man_page__every_command_and_flag__there),
};

TESTKIT_MAIN(tests)
