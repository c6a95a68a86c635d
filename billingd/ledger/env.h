/* What the rules are told rather than look up: the time and the deployment's constants. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ledger_env {
    int64_t now_us;        /* wall clock of the commit, or of the query */
    const char *currency;  /* ISO 4217 code; static memory */
    int minor_digits;      /* fraction digits of its minor unit */
    uint64_t *sweep_left;  /* records that may still be read to catch up with the journal in this
                              transaction; NULL: no bound */
    bool catalogue_listed; /* no other services are billed than those in the catalogue */
};
