/* When keys were used last, kept in the journal, so that a restart does not forget it.
 *
 * The keyring knows it to the microsecond; here it is written, at most once an hour a key and once
 * a minute at all, with the commits of a turn in which a key was used: an idle daemon writes
 * nothing, and no request waits for it.  Loop thread, but for what the committer carries out. */
#pragma once

#include "billingd/commit/committer.h"
#include "billingd/rpc/keyring.h"

struct key_log {
    struct op op;
    struct keyring *keyring;     /* not owned */
    struct committer *committer; /* likewise */
    int64_t next_us;             /* monotonic: not before */
    bool writing;                /* op is the committer's */
    size_t n;                    /* of uses: what op writes */
    struct key_use uses[KEY_USES_MAX];
};

/* Ready LOG. */
void key_log_init(struct key_log *log, struct keyring *keyring, struct committer *committer);

/* Submit what is due, where anything is; costs nothing otherwise. */
void key_log_write(struct key_log *log);

/* Submit all that is not written yet, as far as one record holds it: at the end. */
void key_log_close(struct key_log *log);
