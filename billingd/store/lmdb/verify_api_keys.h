/* Verifying the rows of API keys: of the records, the last first, the first about a key says
 * whether it is revoked, and when it was used last.
 *
 * Some bits a record of the journal, of which nothing is touched but near keys. */
#pragma once

#include "billingd/store/lmdb/verify_state.h"

/* For verify->api_keys, of a journal of verify->last_seq records; NULL where there is no memory.
 * NULL is fine to destroy. */
struct verify_api_keys *verify_api_keys_create(const struct verify *verify);
void verify_api_keys_destroy(struct verify_api_keys *keys);

/* RECORD, of whatever kind, is in the journal: compare the rows of `api_keys`.  Returns as
 * verify_tables_add(). */
MUSTCHECK int verify_api_keys_add(struct verify *verify, const struct record *record);

/* Whether the key SEQ, of whose creation all later records were given, is not revoked. */
bool verify_api_keys_counts(const struct verify *verify, uint64_t seq);
