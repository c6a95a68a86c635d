/* Verifying the catalogue as it is now: of the records, the last first, the first about a service
 * says whether it is there.
 *
 * Some 100 bytes for each name that was ever in the catalogue. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* For verify->services; NULL where there is no memory.  NULL is fine to destroy. */
struct verify_services *verify_services_create(void);
void verify_services_destroy(struct verify_services *services);

/* RECORD, of whatever kind, is in the journal.  Returns as verify_tables_add(). */
MUSTCHECK int verify_services_add(struct verify *verify, const struct record *record);

/* All records were given: compare the rows, and count them in verify->expected.  Returns
 * likewise. */
MUSTCHECK int verify_services_end(struct verify *verify);

/* Whether the service NAME should be there. */
bool verify_services_has(const struct verify *verify, struct slice name);
