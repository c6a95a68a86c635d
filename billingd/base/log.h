/* The log: one event a line on stderr, in logfmt or as JSON (log_line.h).
 *
 *   time=2026-11-22T11:01:38.000000Z level=info area=daemon msg=ready pid=4711
 *
 * Any thread; a line is one write(), and never waits: one that a full pipe has no room for is
 * dropped and counted, and the next that fits says how many.  Lower case, no full stop.  Rooms that
 * are like libraries (base, store, ledger, proto) return errors and do not log.
 *
 * What is logged as an error is what nobody expects: it is also handed to the hook. */
#pragma once

#include <stdint.h>

#include "billingd/base/log_line.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
    LOG__LEVELS,
};

enum log_area {
    LOG_DAEMON,
    LOG_NET,
    LOG_RPC,
    LOG_COMMIT,
    LOG_STORE,
};

struct log_field {
    const char *name; /* NULL ends a list */
    enum { LOG_FIELD_SLICE, LOG_FIELD_INT } type;
    struct slice text;
    int64_t number;
};

#define LOG_SLICE(field_name, value)                                                               \
    ((struct log_field){.name = (field_name), .type = LOG_FIELD_SLICE, .text = (value)})
#define LOG_TEXT(field_name, value) LOG_SLICE(field_name, slice_of(value))
#define LOG_INT(field_name, value)                                                                 \
    ((struct log_field){.name = (field_name), .type = LOG_FIELD_INT, .number = (int64_t)(value)})

struct log_options {
    enum log_level level; /* lines below it are left out */
    enum log_format format;
    bool journal; /* stderr is systemd's: it has its own clock, and wants the priority before */
};

/* How lines are written from now on.  At start, before threads.  Until then: logfmt, from
 * LOG_LEVEL_INFO on. */
void log_configure(const struct log_options *options);

/* Lines below LEVEL are left out from now on.  Any thread. */
void log_set_level(enum log_level level);

/* Whether a line of LEVEL is written at all: for who has to do something to put one together. */
bool log_is_on(enum log_level level);

/* Write one line.  FIELDS end with one whose name is NULL; the macros below see to it. */
void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields);

#define LOG_AT(level, area, message, ...)                                                          \
    log_write(level, area, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})

#define log_debug(area, ...)   LOG_AT(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)    LOG_AT(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_warning(area, ...) LOG_AT(LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_error(area, ...)   LOG_AT(LOG_LEVEL_ERROR, area, __VA_ARGS__)

/* Say how many lines were dropped, where that is not said yet and there is room now. */
void log_catch_up(void);

/* Lines so far: of LEVEL, whether they went out or not; and those that did not. */
uint64_t log_lines(enum log_level level);
uint64_t log_dropped(void);

/* What AREA is called in a line.  A static text. */
const char *log_area_name(enum log_area area);

/* Called with each line of LOG_LEVEL_ERROR, from whichever thread logs it: must not wait, nor
 * log. */
typedef void (*log_error_fn)(enum log_area area, const char *message,
                             const struct log_field *fields, void *arg);

/* Hand errors to HOOK, with ARG, from now on; NULL: to nobody.  While no other thread logs. */
void log_set_error_hook(log_error_fn hook, void *arg);
