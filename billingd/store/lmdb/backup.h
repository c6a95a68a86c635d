/* Backing up: a view is copied (backup_copy.h) beside its place (backup_target.h), given back,
 * the copy opened as any store is and compared with what the view had; then it gets its name.
 *
 * The head is not copied: it is what the journal has behind the last segment, and opening a store
 * makes it from there.  So what a view has in its transaction is enough.
 *
 * Any thread, one backup at a time. */
#pragma once

#include "billingd/store/lmdb/meta.h"

/* Of what; nothing in it is owned. */
struct backup_source {
    struct store *store;
    const struct env *env;
    const struct meta *meta;
};

/* As store_backup(); the progress_cb of HOW is set. */
MUSTCHECK int backup_run(const struct backup_source *source, const struct store_backup *how,
                         struct store_copied *ret, struct errinfo *reason);
