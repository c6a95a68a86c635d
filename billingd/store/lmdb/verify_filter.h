/* Verifying filters: made again from the request ids of the segment, which come in the order of the
 * filter's blocks, and compared block by block. */
#pragma once

#include "billingd/store/lmdb/verify_rows.h"

/* Compare the filter of UNIT, a segment, where its request ids and its blocks can all be read.
 * Returns 0, what a callback returns, STATUS_NO_MEMORY, or the status of a failed read. */
MUSTCHECK int verify_filter(struct verify *verify, const struct verify_unit *unit);
