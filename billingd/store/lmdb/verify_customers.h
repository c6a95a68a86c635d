/* Verifying customers as they are now: of the records, the last first, the first that names a
 * customer and the first that bills one say what the row has to say.
 *
 * Two bits for each record of the journal say of which customers that was seen. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* For verify->customers, of records up to verify->last_seq; NULL where there is no memory.  NULL is
 * fine to destroy. */
struct verify_customers *verify_customers_create(const struct verify *verify);
void verify_customers_destroy(struct verify_customers *customers);

/* RECORD, of whatever kind, is in the journal.  Returns as verify_tables_add(). */
MUSTCHECK int verify_customers_add(struct verify *verify, const struct record *record);
