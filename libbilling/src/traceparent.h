/* The trace that a call is a part of: the traceparent of W3C Trace Context.  Pure; any thread. */
#pragma once

#include <stdbool.h>

/* Whether TEXT is a traceparent: version, trace id, parent id and flags in lower-case hexadecimal
 * digits, the ids not zero, and nothing behind them. */
bool traceparent_is_good(const char *text);
