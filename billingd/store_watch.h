/* What the store does by itself and cannot log: sealing records into segments, and segments that
 * are found damaged.  Looked at now and then, and told when it changes.  Loop thread. */
#pragma once

#include <stdbool.h>

#include "billingd/store/store.h"

/* Starts as {0}: all is well. */
struct store_watch {
    bool is_failing; /* the sealer, and that was said */
    bool is_damaged; /* a segment, and that was said */
};

/* The store is as STATS say: log what that changes. */
void store_watch_note(struct store_watch *watch, const struct store_stats *stats);
