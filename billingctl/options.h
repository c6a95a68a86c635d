/* The command line: flags, wherever they stand, and the words between them.  Pure; any thread.
 *
 * There is one table of flags for all commands, so that a flag takes a value or not whatever
 * command it is for, and may stand in front of the noun. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/text.h"

enum flag_id {
    /* --- of every command --- */
    FLAG_SERVER,
    FLAG_OUTPUT,
    FLAG_REQUEST_ID,
    FLAG_TIMEOUT,
    FLAG_TOKEN_FILE,
    FLAG_HELP,
    FLAG_VERSION,
    /* --- of some: see the table of commands --- */
    FLAG_CUSTOMER,
    FLAG_EXTERNAL_ID,
    FLAG_SERVICE,
    FLAG_UNITS,
    FLAG_PRICE,
    FLAG_AMOUNT,
    FLAG_REASON,
    FLAG_AT,
    FLAG_LABEL,
    FLAG_START,
    FLAG_END,
    FLAG_MONTH,
    FLAG_BY,
    FLAG_WINDOW,
    FLAG_GROUP_BY,
    FLAG_INCLUDE_EMPTY,
    FLAG_EXPLAIN,
    FLAG_ALL,
    FLAG_DRY_RUN,
    FLAG_UNIT,
    FLAG_LIMIT,
    FLAG_CURSOR,
    FLAG_FORMAT,
    FLAG_DERIVE_IDS,
    FLAG_BATCH,
    FLAG_REJECTS,
    FLAG_QUIET,
    FLAG_NAME,
    FLAG_ROLE,
    FLAG_EXPIRES,
    FLAG__COUNT,
    FLAG_GLOBAL__COUNT = FLAG_CUSTOMER,
};

#define FLAG_BIT(id) (UINT64_C(1) << (id))

struct flag {
    const char *name;  /* without the "--" */
    const char *value; /* what to call its value in help; NULL: it takes none */
    const char *words; /* its values, where they are a few words with blanks between; or NULL */
    const char *field; /* the name that the daemon has for it in errors; or NULL */
    const char *help;  /* one line */
    size_t times;      /* it may be given, by commands that take it more than once; 0: once */
};

extern const struct flag flag_table[FLAG__COUNT];

enum {
    OPTIONS_WORDS_MAX = 8, /* no command takes as many */
    OPTIONS_MANY_MAX = 64, /* times that any flag may be given */
};

/* The values of a flag that may be given more than once, in their order. */
struct many {
    const char *values[OPTIONS_MANY_MAX];
    size_t count;
};

struct options {
    const char *values[FLAG__COUNT]; /* NULL: not given; "" for those that take no value */
    struct many labels;
    struct many services;
    const char *words[OPTIONS_WORDS_MAX]; /* noun, verb, arguments */
    size_t word_count;
};

/* Take ARGV apart.  *RET points into it.  Returns true, or false with *RETERR for people: a flag
 * that is unknown, given twice, without its value or with one too many. */
MUSTCHECK bool options_parse(int argc, char *const *argv, struct options *ret,
                             struct reason *reterr);

/* Whether flag ID is given. */
bool options_has(const struct options *options, enum flag_id id);
