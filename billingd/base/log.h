/* The log: one event a line on stderr, logfmt.
 *
 *   time=2026-11-22T11:01:38.000000Z level=info area=net msg=listening door=http
 * address=127.0.0.1:80
 *
 * Any thread; a line is one write().  Lower case, no full stop; values in quotes where they need
 * it.  Rooms that are like libraries (base, store, ledger, proto) return errors and do not log. */
#pragma once

#include <stdint.h>

#include "billingd/base/slice.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
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

/* Lines below LEVEL are left out from now on.  At start, before threads. */
void log_set_level(enum log_level level);

/* Write one line.  FIELDS end with one whose name is NULL; the macros below see to it. */
void log_write(enum log_level level, enum log_area area, const char *message,
               const struct log_field *fields);

#define LOG_AT(level, area, message, ...)                                                          \
    log_write(level, area, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})

#define log_debug(area, ...)   LOG_AT(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
#define log_info(area, ...)    LOG_AT(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_warning(area, ...) LOG_AT(LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_error(area, ...)   LOG_AT(LOG_LEVEL_ERROR, area, __VA_ARGS__)
