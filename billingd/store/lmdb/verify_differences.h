/* Where a sketch says that the rows of a table are not those that the records call for: which. */
#pragma once

#include "billingd/store/lmdb/verify_rows.h"
#include "billingd/store/lmdb/verify_sketch.h"

/* Tell how the rows of TABLE in UNIT differ, in the buckets where SKETCH does: some of them one by
 * one, then how many more.  Returns 0, what a callback returns, STATUS_NO_MEMORY, or the status of
 * a failed read. */
MUSTCHECK int verify_differences(struct verify *verify, struct verify_unit *unit,
                                 enum segment_table table, const struct sketch *sketch);
