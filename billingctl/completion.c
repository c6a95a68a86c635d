#include "billingctl/completion.h"

#include <string.h>

#include "billingctl/ctl.h"
#include "billingctl/nouns.h"

/* --- lists of words --------------------------------------------------------------------------- */

/* Whether row I is the first of its noun. */
static bool begins_noun(size_t i)
{
    return i == 0 || strcmp(command_table[i].noun, command_table[i - 1].noun) != 0;
}

static void put_nouns(struct text *text)
{
    for (size_t i = 0; i < command_count; i++) {
        if (begins_noun(i)) {
            text_printf(text, " %s", command_table[i].noun);
        }
    }
}

static void put_verbs(struct text *text, const char *noun)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(command_table[i].noun, noun) == 0 && command_table[i].verb != NULL) {
            text_printf(text, " %s", command_table[i].verb);
        }
    }
}

/* The flags FROM to TO that COMMAND takes. */
static void put_flags(struct text *text, const struct command *command, int from, int to)
{
    for (int i = from; i < to; i++) {
        if (command_takes(command, (enum flag_id)i)) {
            text_printf(text, " --%s", flag_table[i].name);
        }
    }
}

static bool takes_file(const struct flag *flag)
{
    return flag->value != NULL && strcmp(flag->value, "FILE") == 0;
}

/* The flags that take a value, as alternatives of a `case`. */
static void put_valued_flags(struct text *text, const char *separator, bool only_free)
{
    const char *between = "";
    for (int i = 0; i < FLAG__COUNT; i++) {
        const struct flag *flag = &flag_table[i];
        bool is_free = flag->words == NULL && !takes_file(flag);
        if (flag->value != NULL && (is_free || !only_free)) {
            text_printf(text, "%s--%s", between, flag->name);
            between = separator;
        }
    }
}

/* --- bash and zsh ----------------------------------------------------------------------------- */

/* What differs between the two. */
struct dialect {
    const char *begin;      /* up to the `case` of the word before */
    const char *words;      /* how words are offered: what stands in front of them */
    const char *words_end;  /* and behind them */
    const char *file;       /* how files are offered */
    const char *loop;       /* over the words before, up to the `case` of each */
    const char *skip_value; /* of a flag, in that loop */
    const char *end;
};

static void put_values(struct text *text, const struct dialect *dialect)
{
    for (int i = 0; i < FLAG__COUNT; i++) {
        const struct flag *flag = &flag_table[i];
        if (flag->words != NULL) {
            text_printf(text, "    --%s) %s %s%s; return ;;\n", flag->name, dialect->words,
                        flag->words, dialect->words_end);
        } else if (takes_file(flag)) {
            text_printf(text, "    --%s) %s; return ;;\n", flag->name, dialect->file);
        }
    }
    text_puts(text, "    ");
    put_valued_flags(text, "|", true);
    text_puts(text, ") return ;;\n    esac\n");
}

static void put_find_command(struct text *text, const struct dialect *dialect)
{
    text_printf(text, "    %s\n        case $word in\n        ", dialect->loop);
    put_valued_flags(text, "|", false);
    text_printf(text, ") %s ;;\n", dialect->skip_value);
    text_puts(text, "        -*) ;;\n"
                    "        *)\n"
                    "            if [[ -z $noun ]]; then noun=$word\n"
                    "            elif [[ -z $verb ]]; then verb=$word\n"
                    "            elif [[ $noun == help ]]; then return\n"
                    "            fi ;;\n"
                    "        esac\n"
                    "    done\n"
                    "    case \"$noun $verb\" in\n");
}

/* What `help` is to be about: a noun, then a verb of it, then nothing more. */
static void put_help_topics(struct text *text, const struct dialect *dialect)
{
    text_printf(text, "    'help ') %s", dialect->words);
    put_nouns(text);
    text_printf(text, "%s ;;\n", dialect->words_end);
    for (size_t i = 0; i < command_count; i++) {
        if (begins_noun(i) && command_table[i].verb != NULL) {
            text_printf(text, "    'help %s') %s", command_table[i].noun, dialect->words);
            put_verbs(text, command_table[i].noun);
            text_printf(text, "%s ;;\n", dialect->words_end);
        }
    }
}

static void put_commands(struct text *text, const struct dialect *dialect)
{
    text_printf(text, "    ' ') %s", dialect->words);
    put_nouns(text);
    put_flags(text, &command_table[0], 0, FLAG_GLOBAL__COUNT);
    text_printf(text, "%s ;;\n", dialect->words_end);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_table[i];
        if (begins_noun(i) && command->verb != NULL) {
            text_printf(text, "    '%s ') %s", command->noun, dialect->words);
            put_verbs(text, command->noun);
            put_flags(text, command, 0, FLAG_GLOBAL__COUNT);
            text_printf(text, "%s ;;\n", dialect->words_end);
        }
        if (command->verb != NULL) {
            text_printf(text, "    '%s %s') %s", command->noun, command->verb, dialect->words);
            put_flags(text, command, FLAG_GLOBAL__COUNT, FLAG__COUNT);
            put_flags(text, command, 0, FLAG_GLOBAL__COUNT);
            text_puts(text, dialect->words_end);
            text_printf(text, "%s%s ;;\n", strcmp(command->args, "FILE") == 0 ? "; " : "",
                        strcmp(command->args, "FILE") == 0 ? dialect->file : "");
        }
    }
    text_puts(text, "    esac\n");
}

static void put_script(struct text *text, const struct dialect *dialect)
{
    text_puts(text, dialect->begin);
    put_values(text, dialect);
    put_find_command(text, dialect);
    put_help_topics(text, dialect);
    put_commands(text, dialect);
    text_puts(text, dialect->end);
}

void completion_put_bash(struct text *text)
{
    /* bash makes a word of its own of the "=" in --flag=value. */
    static const struct dialect bash = {
        .begin = "_billingctl()\n"
                 "{\n"
                 "    local i word noun= verb= current=${COMP_WORDS[COMP_CWORD]}\n"
                 "    local before=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "    COMPREPLY=()\n"
                 "    if [[ $current == '=' ]]; then current=\n"
                 "    elif [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}\n"
                 "    fi\n"
                 "    case $before in\n",
        .words = "mapfile -t COMPREPLY < <(compgen -W '",
        .words_end = "' -- \"$current\")",
        .file = "compopt -o filenames; "
                "mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")",
        .loop = "for ((i = 1; i < COMP_CWORD; i++)); do\n"
                "        word=${COMP_WORDS[i]}",
        .skip_value = "((i++)); if [[ ${COMP_WORDS[i]} == '=' ]]; then ((i++)); fi",
        .end = "}\n"
               "complete -F _billingctl billingctl\n",
    };
    put_script(text, &bash);
}

void completion_put_zsh(struct text *text)
{
    static const struct dialect zsh = {
        .begin = "#compdef billingctl\n"
                 "_billingctl()\n"
                 "{\n"
                 "    local i word noun= verb=\n"
                 "    case ${words[CURRENT-1]} in\n",
        .words = "compadd --",
        .words_end = "",
        .file = "_files",
        .loop = "for ((i = 2; i < CURRENT; i++)); do\n"
                "        word=${words[i]}",
        .skip_value = "((i++))",
        .end = "}\n"
               "if [[ $funcstack[1] == _billingctl ]]; then _billingctl \"$@\" # from $fpath\n"
               "else compdef _billingctl billingctl\n"
               "fi\n",
    };
    put_script(text, &zsh);
}

/* --- fish ------------------------------------------------------------------------------------- */

static const char fish_begin[] =
    "# Whether the words so far, flags and their values left out, begin with these.\n"
    "function __billingctl_at\n"
    "    set -l words\n"
    "    set -l skip 0\n"
    "    for word in (commandline -opc)[2..-1]\n"
    "        if test $skip = 1\n"
    "            set skip 0\n"
    "            continue\n"
    "        end\n"
    "        switch $word\n"
    "            case ";

static const char fish_middle[] = "\n"
                                  "                set skip 1\n"
                                  "            case '-*'\n"
                                  "            case '*'\n"
                                  "                set -a words $word\n"
                                  "        end\n"
                                  "    end\n"
                                  "    if test \"$words[1]\" != help # which takes two words\n"
                                  "        set words $words[1..2]\n"
                                  "    end\n"
                                  "    test \"$words\" = \"$argv\"\n"
                                  "end\n"
                                  "complete -c billingctl -f\n";

static void put_fish_flag(struct text *text, const char *where, const struct flag *flag)
{
    text_puts(text, "complete -c billingctl ");
    if (where != NULL) {
        text_printf(text, "-n '__billingctl_at %s' ", where);
    }
    text_printf(text, "-l %s ", flag->name);
    if (flag->words != NULL) {
        text_printf(text, "-x -a '%s' ", flag->words);
    } else if (flag->value != NULL) {
        text_puts(text, takes_file(flag) ? "-r -F " : "-x ");
    }
    text_puts(text, "-d ");
    text_put_shell(text, flag->help);
    text_puts(text, "\n");
}

/* NAME, a noun or a verb with HELP (or NULL), where the words so far are WHERE. */
static void put_fish_word(struct text *text, const char *where, const char *name, const char *help)
{
    text_printf(text, "complete -c billingctl -n '__billingctl_at%s' -a %s", where, name);
    if (help != NULL) {
        text_puts(text, " -d ");
        text_put_shell(text, help);
    }
    text_puts(text, "\n");
}

/* The verb of COMMAND, to be run and to be explained. */
static void put_fish_verb(struct text *text, const struct command *command)
{
    struct text where = {0};
    text_printf(&where, " %s", command->noun);
    put_fish_word(text, text_of(&where), command->verb, command->help);
    text_clear(&where);
    text_printf(&where, " help %s", command->noun);
    put_fish_word(text, text_of(&where), command->verb, command->help);
    text_done(&where);
}

static void put_fish_command(struct text *text, const struct command *command)
{
    struct text where = {0};
    text_printf(&where, "%s %s", command->noun, command->verb);
    put_fish_verb(text, command);
    for (int i = FLAG_GLOBAL__COUNT; i < FLAG__COUNT; i++) {
        if (command_takes(command, (enum flag_id)i)) {
            put_fish_flag(text, text_of(&where), &flag_table[i]);
        }
    }
    if (strcmp(command->args, "FILE") == 0) {
        text_printf(text, "complete -c billingctl -n '__billingctl_at %s' -F\n", text_of(&where));
    }
    text_done(&where);
}

void completion_put_fish(struct text *text)
{
    text_puts(text, fish_begin);
    put_valued_flags(text, " ", false);
    text_puts(text, fish_middle);
    for (int i = 0; i < FLAG_GLOBAL__COUNT; i++) {
        put_fish_flag(text, NULL, &flag_table[i]);
    }
    for (size_t i = 0; i < command_count; i++) {
        if (begins_noun(i)) {
            put_fish_word(text, "", command_table[i].noun, NULL);
            put_fish_word(text, " help", command_table[i].noun, NULL);
        }
        if (command_table[i].verb != NULL) {
            put_fish_command(text, &command_table[i]);
        }
    }
}

/* --- the commands ----------------------------------------------------------------------------- */

static int print(void (*put)(struct text *text))
{
    struct text text = {0};
    put(&text);
    output_text(text_of(&text));
    text_done(&text);
    return CTL_DONE;
}

int completion_bash(struct ctl *ctl)
{
    (void)ctl;
    return print(completion_put_bash);
}

int completion_zsh(struct ctl *ctl)
{
    (void)ctl;
    return print(completion_put_zsh);
}

int completion_fish(struct ctl *ctl)
{
    (void)ctl;
    return print(completion_put_fish);
}
