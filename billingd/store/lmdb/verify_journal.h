/* Verifying the journal, block by block from the last to the first, and reading its records again
 * for what is derived from them. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* Find where the journal of VERIFY's view ends, for verify->last_seq, whether its last block can be
 * read or not.  Returns 0, or the status of a failed read. */
MUSTCHECK int verify_journal_end(struct verify *verify);

/* Check all blocks, and give each record that can be read to verify_tables_add(), the last first.
 * Returns 0, what a callback returns, STATUS_NO_MEMORY, or the status of a failed read. */
MUSTCHECK int verify_journal(struct verify *verify);

/* Give the records from FIRST_SEQ to LAST_SEQ that can be read, in order.  Returns 0, or what
 * RECORD_CB returns. */
MUSTCHECK int verify_records(struct verify *verify, uint64_t first_seq, uint64_t last_seq,
                             store_record_fn record_cb, void *arg);

/* The record SEQ, once all blocks were checked.  Returns 0; STATUS_NOT_FOUND where there is none;
 * STATUS_CORRUPT where it cannot be read, which was told of; or the status of a failed read. */
MUSTCHECK int verify_record(struct verify *verify, uint64_t seq, struct record *ret);
