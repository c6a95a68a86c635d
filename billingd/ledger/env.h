/* What the rules are told rather than look up: the time and the deployment's constants. */
#pragma once

#include <stdint.h>

struct ledger_env {
    int64_t now_us;       /* wall clock of the commit, or of the query */
    const char *currency; /* ISO 4217 code; static memory */
    int minor_digits;     /* fraction digits of its minor unit */
};
