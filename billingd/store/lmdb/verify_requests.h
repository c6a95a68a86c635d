/* Verifying that no request id was recorded twice: over the rows of all segments and the head, in
 * the order of their fingerprints. */
#pragma once

#include "billingd/store/lmdb/verify_rows.h"

/* Compare the request ids of the N UNITS whose rows can all be read.  Returns 0, what a callback
 * returns, STATUS_NO_MEMORY, or the status of a failed read. */
MUSTCHECK int verify_requests(struct verify *verify, const struct verify_unit *units, size_t n);
