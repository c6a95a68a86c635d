/* Where a backup goes: a directory that has its name only once it is whole.
 *
 * It is made beside DIRECTORY, as `DIRECTORY.partial-` and twelve hexadecimal digits, and locked
 * while it is worked on: so what a process left there that died is known by its name, by not being
 * locked, and by having nothing in it but a store's files, and the next backup beside it takes it
 * away.  One thread. */
#pragma once

#include <limits.h>

#include "billingd/store/store.h"

struct backup_target {
    char path[PATH_MAX];    /* what it is to be called */
    char partial[PATH_MAX]; /* what it is called so far */
    int parent_fd;          /* owned; of the directory that both are in */
    int fd;                 /* owned; of the partial one, which it locks; -1: it is not ours */
};

/* As store_backup_check(), of a store in DATA_DIR. */
MUSTCHECK int backup_target_check(const char *directory, const char *data_dir,
                                  struct errinfo *reason);

/* Take away what was left beside DIRECTORY, see that there is room for BYTES, and make and lock the
 * partial directory.  Returns 0; as store_backup_check(); STATUS_STORAGE_FULL; or
 * STATUS_STORAGE_FAILED: with REASON. */
MUSTCHECK int backup_target_begin(const char *directory, const char *data_dir, uint64_t bytes,
                                  struct backup_target *ret, struct errinfo *reason);

/* Give TARGET, whose data file nobody has open, its name; all of it is on disk then.  Returns as
 * backup_target_begin(); on failure it has no name yet. */
MUSTCHECK int backup_target_finish(struct backup_target *target, struct errinfo *reason);

/* Take TARGET away unless it has its name, and free what it has. */
void backup_target_done(struct backup_target *target);
