/* One line of the log, as it is put together: logfmt or JSON, whatever the values hold.
 *
 *   time=2026-11-22T11:01:38.000000Z level=info area=net msg="listening here" port=80
 *   {"time":"2026-11-22T11:01:38.000000Z","level":"info","area":"net","msg":"...","port":80}
 *
 * In either form what could end the line, forge a field, move a terminal's cursor or turn text
 * around is escaped as JSON does it, and bytes that are not UTF-8 become U+FFFD.  What does not fit
 * is cut, between characters, and the line says so in a last field: cut=true.
 * Pure; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/slice.h"

enum log_format {
    LOG_LOGFMT,
    LOG_JSON,
};

enum {
    LOG_LINE_BYTES = 4096, /* PIPE_BUF: what a pipe that is writable takes at once */
};

struct log_line {
    enum log_format format;
    bool cut; /* there was no room: nothing more is put */
    bool any; /* it has a field */
    size_t length;
    char text[LOG_LINE_BYTES];
};

/* Begin LINE.  PRIORITY, from 0 to 7, stands before it as systemd's journal wants it; -1: none. */
void log_line_begin(struct log_line *line, enum log_format format, int priority);

/* Put a field.  NAME is of letters, digits and _. */
void log_line_text(struct log_line *line, const char *name, struct slice value);
void log_line_int(struct log_line *line, const char *name, int64_t value);

/* End it: LINE->length bytes at LINE->text, the last of them the newline. */
void log_line_end(struct log_line *line);
