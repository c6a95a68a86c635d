/* What an "lmdb:" URI says:
 *
 *   lmdb:[/absolute/directory][?OPTION=N[&OPTION=N]...]
 *
 * Without a directory it is the data directory of the store's options.  The options bound what
 * the engine does at once; small ones let a test see with few records what else takes millions:
 *   block_bytes    of a block of the journal
 *   head_records   that are kept in memory before they are sealed into a segment
 *   slice_bytes    of what the sealer writes in one transaction
 *   merge_width    so many segments of a size are merged into one
 *
 * Pure; any thread. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "billingd/store/store.h"

struct lmdb_config {
    char directory[PATH_MAX];
    unsigned long block_bytes;
    unsigned long head_records;
    unsigned long slice_bytes;
    unsigned long merge_width;
};

/* Parse URI.  Returns 0, or STATUS_OUT_OF_BOUNDS with REASON. */
MUSTCHECK int lmdb_config_parse(const char *uri, const char *data_dir, struct lmdb_config *ret,
                                struct errinfo *reason);
