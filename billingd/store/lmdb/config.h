/* What an "lmdb:" URI says:
 *
 *   lmdb:[/absolute/directory][?block_bytes=N]
 *
 * Without a directory it is the data directory of the store's options.  block_bytes bounds the
 * journal's blocks: small ones let a test span many blocks with few records.
 *
 * Pure; any thread. */
#pragma once

#include <limits.h>
#include <stddef.h>

#include "billingd/store/store.h"

struct lmdb_config {
    char directory[PATH_MAX];
    size_t block_bytes;
};

/* Parse URI.  Returns 0, or STATUS_OUT_OF_BOUNDS with REASON. */
MUSTCHECK int lmdb_config_parse(const char *uri, const char *data_dir, struct lmdb_config *ret,
                                struct errinfo *reason);
