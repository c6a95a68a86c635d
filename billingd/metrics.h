/* What /metrics shows: what each room of the daemon counts, in one text.  docs/operations.md says
 * what each metric means. */
#pragma once

#include "billingd/base/metrics_text.h"
#include "billingd/rpc/dispatch.h"

struct metrics_sources {
    struct dispatch *dispatch; /* and with it committer and readers */
    struct store *store;
    const struct report *report; /* NULL: errors are reported nowhere */
};

/* Append all of it.  Loop thread; reads no page of the store. */
void metrics_write(const struct metrics_sources *sources, struct metrics_text *text);
