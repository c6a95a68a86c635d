/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
 * Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the LENGTH bytes at TEXT are well formed. */
bool utf8_valid(const char *text, size_t length);

/* Whether they are well formed and hold no control character (C0, DEL, C1): fit for a name that
 * people read in a terminal, a log line or a CSV file. */
bool utf8_printable(const char *text, size_t length);
