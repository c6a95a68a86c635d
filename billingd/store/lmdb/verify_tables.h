/* Verifying the tables that have rows of single records: each record's rows are looked up, and
 * counted; where there are more, each row is looked up in the journal. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* RECORD is in the journal; those behind it were given before.  Returns 0, what a callback returns,
 * STATUS_NO_MEMORY, or the status of a failed read. */
MUSTCHECK int verify_tables_add(struct verify *verify, const struct record *record);

/* All records were given: what else do the tables have?  Returns likewise. */
MUSTCHECK int verify_tables_end(struct verify *verify);
