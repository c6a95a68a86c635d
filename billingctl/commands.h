/* The table of commands: what may be on a command line, what help and completion say, and what
 * runs.  A new command is a row here and a function.  Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingctl/options.h"
#include "billingctl/text.h"

struct ctl;

enum command_traits {
    COMMAND_LOCAL = 1,    /* asks no daemon */
    COMMAND_RECORDS = 2,  /* records something under a request id */
    COMMAND_HAS_ID = 4,   /* its result has an id to print */
    COMMAND_SERVICES = 8, /* takes --service more than once */
};

struct command {
    const char *noun;
    const char *verb;            /* NULL: the noun is the whole command */
    const char *args;            /* "ID NAME"; "" for none; "[...]" may be left out */
    uint64_t required;           /* FLAG_BIT() of those that must be given */
    uint64_t optional;           /* and may be; the flags of every command are not in either */
    unsigned traits;             /* enum command_traits */
    const char *help;            /* one line */
    const char *more;            /* paragraphs, each line with a newline; or NULL */
    int (*run)(struct ctl *ctl); /* returns an enum ctl_exit, or CTL_SIGNAL + a signal */
};

extern const struct command command_table[];
extern const size_t command_count;

/* The command that OPTIONS name, or NULL with *RETERR. */
const struct command *command_find(const struct options *options, struct reason *reterr);

/* Whether OPTIONS have the arguments and flags that COMMAND takes; false with *RETERR. */
MUSTCHECK bool command_check(const struct command *command, const struct options *options,
                             struct reason *reterr);

/* Whether COMMAND takes flag ID. */
bool command_takes(const struct command *command, enum flag_id id);

/* Whether COMMAND takes flag ID more than once. */
bool command_repeats(const struct command *command, enum flag_id id);

/* How many words of a command line are its name: 1 or 2. */
size_t command_words(const struct command *command);
