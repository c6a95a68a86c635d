/* What a start would find, without one: nothing on disk is made or changed. */
#pragma once

#include "billingd/store/store.h"

/* As store_look(), of the directory PATH. */
MUSTCHECK int look_at(const char *path, const struct store_options *options,
                      struct store_found *ret, struct errinfo *reason);
