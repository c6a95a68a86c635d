/* A write of the sealer's: small enough that nobody waits long for it.
 *
 * Nothing of it is on disk where it fails but for STATUS_STORAGE_FAILED, of which nobody knows.
 * Sealer thread. */
#pragma once

#include "billingd/store/lmdb/env.h"
#include "billingd/store/lmdb/turn.h"

/* Do what WRITE makes of ARG in a transaction of its own, now.  Returns 0, STATUS_STORAGE_FULL,
 * STATUS_STORAGE_FAILED, or what WRITE failed with. */
MUSTCHECK int slice_write_now(const struct env *env, struct turn *turn, ride_fn *write, void *arg);

/* The same, but with the next commit if one comes soon.  Where there is no room for both, it is
 * tried once more by itself: then the commit may have been what was too large. */
MUSTCHECK int slice_write(const struct env *env, struct turn *turn, ride_fn *write, void *arg);
