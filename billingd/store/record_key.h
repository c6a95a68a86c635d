/* The records about API keys: their own part of record.c.  Pure; any thread. */
#pragma once

#include "billingd/store/codec.h"
#include "billingd/store/record.h"

/* What record_encode() and record_decode() do with a record of the kind, behind what all have. */
void put_key_created(struct writer *w, const struct key_created *created);
void put_key_revoked(struct writer *w, const struct key_revoked *revoked);
void put_key_used(struct writer *w, const struct key_used *used);
void get_key_created(struct reader *r, struct key_created *ret);
void get_key_revoked(struct reader *r, struct key_revoked *ret);
void get_key_used(struct reader *r, struct key_used *ret);
