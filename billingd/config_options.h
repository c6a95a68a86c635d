/* The table of options: what each is called, holds and may be, for those that read them (config.c,
 * config_file.c), check them (config_check.c) and explain them (config_help(), the manual's test).
 *
 * Before threads.  Nobody else includes this: the daemon sees config.h alone. */
#pragma once

#include <stddef.h>

#include "billingd/config.h"

enum config_type {
    CONFIG_TEXT,     /* char * */
    CONFIG_LIST,     /* struct config_list: a flag for each item, or an array in the file */
    CONFIG_FLAG,     /* bool */
    CONFIG_COUNT,    /* int64_t, like all below: "4096" */
    CONFIG_BYTES,    /* "16777216" or "16MiB" */
    CONFIG_DURATION, /* milliseconds: "30000" or "30s" */
    CONFIG_MODE,     /* octal: "0660" */
};

/* Where an option may stand, and when what is new about it holds. */
enum config_scope {
    CONFIG_ARGUMENT,       /* on the command line alone */
    CONFIG_RESTART,        /* in the file too; from the next start on */
    CONFIG_RESTART_SECRET, /* likewise, and its value is not logged */
    CONFIG_RELOAD,         /* in the file too; from SIGHUP on */
};

/* How a value may stand in the file. */
enum {
    CONFIG_FORM_STRING = 1,
    CONFIG_FORM_NUMBER = 2,
    CONFIG_FORM_BOOL = 4,
    CONFIG_FORM_ARRAY = 8, /* of strings */
};

struct config_option {
    const char *name; /* in the file; a flag has '-' for its '_' */
    enum config_type type;
    enum config_scope scope;
    size_t offset;        /* in struct config */
    const char *fallback; /* the default, as one would write it; NULL: none, or found at start */
    int64_t min;          /* of a number, of a text's bytes, of a list's items */
    int64_t max;
    const char *argument; /* what --help calls the value; NULL for a CONFIG_FLAG */
    const char *help;     /* one line */
};

extern const struct config_option config_options[];
extern const size_t config_options_n;

enum {
    CONFIG_OPTIONS_MAX = 64,
    CONFIG_TEXT_BYTES_MAX = 4095, /* of a text or an item: what a path may have */
};

/* Where a value, or a problem, comes from. */
struct config_origin {
    enum { CONFIG_FROM_TABLE, CONFIG_FROM_FLAG, CONFIG_FROM_FILE } from;
    unsigned line; /* of the file */
};

/* One config_load() under way. */
struct config_load {
    struct config *config;                            /* what is filled */
    struct config_origin origins[CONFIG_OPTIONS_MAX]; /* of each option, by its index */
    const char *file;                                 /* the config file's name, or NULL */
    FILE *errors;
    unsigned problems; /* said so far */
};

/* Say one thing that is wrong, a line on LOAD's errors: where (ORIGIN), with which option (NAME;
 * NULL: none in particular), and what, in printf()'s manner. */
__attribute__((format(printf, 4, 5))) void config_problem(struct config_load *load,
                                                          struct config_origin origin,
                                                          const char *name, const char *format,
                                                          ...);

/* The option whose name is the LENGTH bytes at NAME; as a flag, where '-' is as good as '_', or as
 * in the file.  NULL where there is none of that name there. */
const struct config_option *config_option_by_flag(const char *name, size_t length);
const struct config_option *config_option_by_name(const char *name);

/* Where the value of OPTION is said to come from. */
struct config_origin *config_option_origin(struct config_load *load,
                                           const struct config_option *option);

/* TEXT, a value of OPTION, as it may be said. */
const char *config_option_shown(const struct config_option *option, const char *text);

/* Make TEXT the value of OPTION in *INTO; for a list, append it.  Returns 0, or
 * STATUS_OUT_OF_BOUNDS where TEXT is malformed or out of the option's bounds, and *INTO is left as
 * it was. */
MUSTCHECK int config_option_set(const struct config_option *option, const char *text,
                                struct config *into);

/* The same, saying what is wrong.  ORIGIN is where TEXT comes from. */
void config_option_take(struct config_load *load, const struct config_option *option,
                        struct config_origin origin, const char *text, struct config *into);

/* How values of OPTION may stand in the file, CONFIG_FORM_* added up, and the same in words:
 * "text in quotes". */
unsigned config_option_forms(const struct config_option *option, const char **ret_words);

/* "64KiB to 128MiB": the bounds of a number, as --help and the manual say them.  "" for options
 * that are none. */
struct config_bounds {
    char text[64];
};
struct config_bounds config_option_bounds(const struct config_option *option);
