/* Where the lines of the log go: stderr, without ever waiting for who reads it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Write LENGTH bytes (a line, at most LOG_LINE_BYTES) at once, or not at all; of a disk that has no
 * more room a part may be written, and then the next line begins a new one.  Returns whether all of
 * it was.  One thread at a time. */
bool log_sink_write(const char *line, size_t length);

/* Whether stderr is the stream that systemd names in STREAM, the value of $JOURNAL_STREAM ("device:
 * inode", in decimal); NULL: it is not. */
bool log_sink_is_journal(const char *stream);
