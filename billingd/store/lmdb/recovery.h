/* The start: the head is made again from what the journal has behind the last segment, sealing as
 * it fills, so that it takes no more memory than while the store runs.  Before other threads. */
#pragma once

#include "billingd/store/lmdb/sealer.h"

/* Fill HEAD, which is empty, from the journal of ENV; SEALER has no thread yet.  Returns 0, or a
 * status with REASON: STATUS_CORRUPT names the damaged record. */
MUSTCHECK int recovery_run(const struct env *env, uint64_t id_key, struct head *head,
                           struct sealer *sealer, struct errinfo *reason);
