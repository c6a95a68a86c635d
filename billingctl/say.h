/* Standard error: everything that is said to people.  Owns the one line there that may be
 * transient, a progress bar, and clears it away before anything else is said.  Main thread. */
#pragma once

#include "billingctl/text.h"

/* Say one line, in printf()'s manner: "billingctl: " in front, a newline behind, control characters
 * made harmless. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The same without "billingctl: ": a line that belongs to the one before. */
__attribute__((format(printf, 1, 2))) void say_more(const char *format, ...);

/* Append to RET the line that say() would say. */
__attribute__((format(printf, 2, 3))) void say_put(struct text *ret, const char *format, ...);

/* Say TEXT, of several lines, as it is. */
void say_text(const char *text);

/* Show LINE in place of the transient line; "" for none.  For terminals only. */
void say_transient(const char *line);
