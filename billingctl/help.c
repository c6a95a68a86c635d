#include "billingctl/help.h"

#include <string.h>

#include <billing/billing.h>

#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/say.h"

static const char exit_help[] =
    "Exit status\n"
    "  0  done\n"
    "  1  refused, or something on this side failed\n"
    "  2  bad command line or configuration\n"
    "  3  certainly nothing recorded: try again\n"
    "  4  recorded or not: run again with the request id that is printed\n";

static void put_flag(struct text *text, enum flag_id id)
{
    const struct flag *flag = &flag_table[id];
    text_printf(text, "--%s%s%s", flag->name, flag->value == NULL ? "" : " ",
                flag->value == NULL ? "" : flag->value);
}

/* The name of COMMAND and its arguments. */
static void put_name(struct text *text, const struct command *command)
{
    text_puts(text, command->noun);
    if (command->verb != NULL) {
        text_printf(text, " %s", command->verb);
    }
    if (*command->args != '\0') {
        text_printf(text, " %s", command->args);
    }
}

void help_put_usage(struct text *text, const struct command *command)
{
    if (command == NULL) {
        text_puts(text, "Usage: billingctl NOUN VERB [ARGUMENT]... [--FLAG VALUE]...\n"
                        "Try:   billingctl help\n");
        return;
    }
    text_puts(text, "Usage: billingctl ");
    put_name(text, command);
    for (int i = FLAG_GLOBAL__COUNT; i < FLAG__COUNT; i++) {
        enum flag_id id = (enum flag_id)i;
        bool required = (command->required & FLAG_BIT(id)) != 0;
        if (command_takes(command, id)) {
            text_puts(text, required ? " " : " [");
            put_flag(text, id);
            text_puts(text, required ? "" : "]");
            text_puts(text, command_repeats(command, id) ? "..." : "");
        }
    }
    text_puts(text, "\n");
}

/* A line of two columns: LEFT, which is freed, and RIGHT. */
static void put_pair(struct text *text, struct text *left, const char *right)
{
    enum {
        WIDTH = 28,
    };
    text_printf(text, "  %-*s  %s\n", WIDTH, text_of(left), right);
    text_done(left);
}

static void put_flags(struct text *text, const struct command *command, int from, int to)
{
    for (int i = from; i < to; i++) {
        enum flag_id id = (enum flag_id)i;
        if (command_takes(command, id)) {
            struct text left = {0};
            put_flag(&left, id);
            put_pair(text, &left, flag_table[id].help);
        }
    }
}

static void put_command(struct text *text, const struct command *command)
{
    help_put_usage(text, command);
    text_printf(text, "\n%c%s.\n", command->help[0] - 'a' + 'A', command->help + 1);
    if (command->more != NULL) {
        text_printf(text, "\n%s", command->more);
    }
    if ((command->required | command->optional) != 0) {
        text_puts(text, "\nFlags\n");
        put_flags(text, command, FLAG_GLOBAL__COUNT, FLAG__COUNT);
    }
    text_puts(text, "\nFlags of every command\n");
    put_flags(text, command, 0, FLAG_GLOBAL__COUNT);
}

/* A line for each command of NOUN; NULL: for every command. */
static size_t put_commands(struct text *text, const char *noun)
{
    size_t count = 0;
    for (size_t i = 0; i < command_count; i++) {
        if (noun == NULL || strcmp(command_table[i].noun, noun) == 0) {
            struct text left = {0};
            put_name(&left, &command_table[i]);
            put_pair(text, &left, command_table[i].help);
            count++;
        }
    }
    return count;
}

static void put_everything(struct text *text)
{
    text_puts(text, "billingctl records usage and shows bills, through billingd.\n\n");
    help_put_usage(text, NULL);
    text_puts(text, "\nCommands\n");
    put_commands(text, NULL);
    text_puts(text, "\nFlags of every command, anywhere on the line; \"--\" ends them\n");
    put_flags(text, &command_table[0], 0, FLAG_GLOBAL__COUNT);
    text_puts(
        text,
        "\nBehind the flags stand $BILLING_URL, $BILLING_TOKEN, $BILLING_TOKEN_FILE and\n"
        "$BILLING_TIMEOUT, then billing/billingctl.conf in $XDG_CONFIG_HOME or ~/.config, then\n"
        "/etc/billing/billingctl.conf.\n\n");
    text_puts(text, exit_help);
}

bool help_put(struct text *text, const char *const *words, size_t count)
{
    struct options options = {.word_count = count < 2 ? count : 2};
    struct text commands = {0};
    if (count == 0) {
        put_everything(text);
        return true;
    }
    memcpy(options.words, words, options.word_count * sizeof *words);
    const struct command *command = command_find(&options, &(struct reason){""});
    if (command != NULL) {
        put_command(text, command);
        return true;
    }
    bool is_noun = count == 1 && put_commands(&commands, words[0]) > 0;
    if (is_noun) {
        text_printf(text, "Usage: billingctl %s VERB [ARGUMENT]... [--FLAG VALUE]...\n\n%s",
                    words[0], text_of(&commands));
    }
    text_done(&commands);
    return is_noun;
}

int help_print(const char *const *words, size_t count)
{
    struct text text = {0};
    int code = CTL_DONE;
    if (help_put(&text, words, count)) {
        output_bytes(text.data, text.length);
    } else {
        say("there is no command '%s%s%s'", words[0], count > 1 ? " " : "",
            count > 1 ? words[1] : "");
        code = CTL_USAGE;
    }
    text_done(&text);
    return code;
}

int help_print_version(void)
{
    struct text text = {0};
    text_printf(&text, "billingctl %s (libbilling %s)\n", BILLING_VERSION, billing_version());
    output_bytes(text.data, text.length);
    text_done(&text);
    return CTL_DONE;
}

int help_show(struct ctl *ctl)
{
    return help_print(ctl->options.words + 1, ctl->options.word_count - 1);
}
