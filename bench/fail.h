/* How a measurement ends that cannot go on: it says why, and exits with 1.  Any thread. */
#pragma once

#include <stdbool.h>

#include "proto/status.h"

/* Say what FORMAT says on stderr, and exit. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* Say WHAT and errno's text, and exit. */
__attribute__((noreturn)) void fail_errno(const char *what);

/* Unless GOOD: that.  Inline, so that whoever reads on knows that it was good. */
static inline void check(bool good, const char *what)
{
    if (!good) {
        fail_errno(what);
    }
}

/* Unless STATUS, of a call to a room of ours, is 0: say WHAT and its title, and exit. */
void check_status(int status, const char *what);

/* Unless RC, of a call to LMDB, is 0: say WHAT and its text, and exit. */
void check_lmdb(int rc, const char *what);
