/* The start: the head is made again from what the journal has behind the last segment, sealing as
 * it fills, so that it takes no more memory than while the store runs.  Before other threads. */
#pragma once

#include "billingd/store/lmdb/sealer.h"

struct recovery_options {
    const struct env *env;
    uint64_t id_key;
    void (*progress)(uint64_t seq, void *arg); /* as in struct store_options; NULL: none */
    void *progress_arg;
};

/* Fill HEAD, which is empty, from the journal of the environment; SEALER has no thread yet.
 * Returns 0, or a status with REASON: STATUS_CORRUPT names the damaged record. */
MUSTCHECK int recovery_run(const struct recovery_options *options, struct head *head,
                           struct sealer *sealer, struct errinfo *reason);
