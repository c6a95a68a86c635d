/* billingctl's command line and its config file: the input is words, a line each, up to an empty
 * line, and behind it the file.  What is refused is said; where flags stand makes no difference;
 * and whatever is shown to a terminal, a shell, a CSV or a JSON reader obeys nothing in it. */
#include <stdlib.h>
#include <string.h>

#include "billingctl/commands.h"
#include "billingctl/config.h"
#include "billingctl/options.h"
#include "proto/utf8.h"
#include "tests/fuzz/fuzz.h"

enum {
    WORDS_MAX = 32,
};

struct line {
    char *argv[2 * WORDS_MAX + 1]; /* owned */
    int argc;
};

static void line_done(struct line *line)
{
    while (line->argc > 0) {
        free(line->argv[--line->argc]);
    }
}

/* --- the command line ------------------------------------------------------------------------- */

static void check_options(const struct options *options)
{
    FUZZ_CHECK(options->word_count <= OPTIONS_WORDS_MAX);
    FUZZ_CHECK(options->labels.count <= BILLING_LABELS_MAX);
    FUZZ_CHECK(options->services.count <= flag_table[FLAG_SERVICE].times);
    FUZZ_CHECK(options_has(options, FLAG_LABEL) == (options->labels.count > 0));
    FUZZ_CHECK(options_has(options, FLAG_SERVICE) == (options->services.count > 0));
}

/* Add the word that A, B and C make together. */
static void add(struct line *line, const char *a, const char *b, const char *c)
{
    struct text word = {0};
    text_puts(&word, a);
    text_puts(&word, b);
    text_puts(&word, c);
    line->argv[line->argc++] = fuzz_string((struct slice){text_of(&word), word.length});
    text_done(&word);
}

static void add_flag(struct line *line, enum flag_id id, const char *value)
{
    struct text flag = {0};
    text_puts(&flag, "--");
    text_puts(&flag, flag_table[id].name);
    add(line, text_of(&flag), flag_table[id].value != NULL ? "=" : "", value);
    text_done(&flag);
}

static void add_many(struct line *line, enum flag_id id, const struct many *many)
{
    for (size_t i = 0; i < many->count; i++) {
        add_flag(line, id, many->values[i]);
    }
}

/* OPTIONS once more, flags first, each in one word. */
static struct line spell(const struct options *options)
{
    struct line line = {0};
    add(&line, "billingctl", "", "");
    for (int id = 0; id < FLAG__COUNT; id++) {
        if (id != FLAG_LABEL && id != FLAG_SERVICE && options->values[id] != NULL) {
            add_flag(&line, (enum flag_id)id, options->values[id]);
        }
    }
    add_many(&line, FLAG_LABEL, &options->labels);
    add_many(&line, FLAG_SERVICE, &options->services);
    add(&line, "--", "", "");
    for (size_t i = 0; i < options->word_count; i++) {
        add(&line, options->words[i], "", "");
    }
    return line;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_same(const struct many *again, const struct many *many)
{
    FUZZ_CHECK(again->count == many->count);
    for (size_t i = 0; i < many->count; i++) {
        FUZZ_CHECK(same(again->values[i], many->values[i]));
    }
}

static void check_spelled(const struct options *options)
{
    struct options again;
    struct reason reason;
    struct line line = spell(options);
    FUZZ_CHECK(options_parse(line.argc, line.argv, &again, &reason));
    FUZZ_CHECK(again.word_count == options->word_count);
    check_same(&again.labels, &options->labels);
    check_same(&again.services, &options->services);
    for (size_t i = 0; i < options->word_count; i++) {
        FUZZ_CHECK(same(again.words[i], options->words[i]));
    }
    for (int id = 0; id < FLAG__COUNT; id++) {
        FUZZ_CHECK(same(again.values[id], options->values[id]));
    }
    line_done(&line);
}

static void check_line(const struct line *line)
{
    struct options options;
    struct reason reason = {""};
    if (!options_parse(line->argc, line->argv, &options, &reason)) {
        FUZZ_CHECK(reason.text[0] != '\0');
        return;
    }
    check_options(&options);
    check_spelled(&options);
    const struct command *command = command_find(&options, &reason);
    if (command == NULL || !command_check(command, &options, &reason)) {
        FUZZ_CHECK(reason.text[0] != '\0');
        return;
    }
    for (int id = FLAG_GLOBAL__COUNT; id < FLAG__COUNT; id++) {
        FUZZ_CHECK(options.values[id] == NULL || command_takes(command, (enum flag_id)id));
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

static void check_visible(const char *string)
{
    struct text text = {0};
    text_put_visible(&text, string);
    FUZZ_CHECK(utf8_printable(text_of(&text), text.length));
    FUZZ_CHECK(text.length <= strlen(string));
    text_done(&text);
}

static void check_shell(const char *string)
{
    struct text text = {0};
    text_put_shell(&text, string);
    const char *at = text_of(&text);
    if (*at != '\'') { /* else it is in quotes, and each quote of its own is '\'' */
        FUZZ_CHECK(*at != '\0' && strpbrk(at, " \t\n\"`$&|;<>()*?[]{}~#!\\") == NULL);
    }
    text_done(&text);
}

/* --- the file --------------------------------------------------------------------------------- */

static void check_file(struct slice file)
{
    struct reason reason = {""};
    char *text = fuzz_string(file);
    billing_options *options = billing_options_new();
    FUZZ_CHECK(options != NULL);
    if (!config_apply("f.conf", text, file.length % 2 == 0, options, &reason)) {
        FUZZ_CHECK(strncmp(reason.text, "f.conf:", 7) == 0);
    }
    billing_options_free(options);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct line line = {0};
    add(&line, "billingctl", "", "");
    while (line.argc < WORDS_MAX && input.left > 0) {
        const uint8_t *end = memchr(input.at, '\n', input.left);
        struct slice word = fuzz_slice(&input, end == NULL ? input.left : (size_t)(end - input.at));
        if (fuzz_byte(&input) != '\n' || word.length == 0) {
            break;
        }
        char *string = fuzz_string(word);
        check_visible(string);
        check_shell(string);
        line.argv[line.argc++] = string;
    }
    check_line(&line);
    line_done(&line);
    check_file(fuzz_rest(&input));
    return 0;
}
