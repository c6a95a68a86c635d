/* Request ids made of what is recorded.  Pure; any thread.
 *
 * What is hashed here never changes: other ids for the same rows would record them again. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "billingctl/import_row.h"

enum {
    DERIVE_HASH_BYTES = 32,
};

struct derive_hash {
    unsigned char bytes[DERIVE_HASH_BYTES]; /* SHA-256 */
};

/* The hash of what is recorded of ROW, which names its customer by its id: equal for rows that are
 * recorded alike, however their numbers, times and labels are written. */
struct derive_hash derive_hash_row(const struct import_row *row);

/* Append the request id of a row with HASH that has BEFORE equal ones before it. */
void derive_put_id(const struct derive_hash *hash, uint64_t before, struct text *ret);

/* The hash of PARTS, COUNT texts, as they are. */
struct derive_hash derive_hash_parts(const char *const *parts, size_t count);

/* Append the same in 64 hexadecimal digits. */
void derive_put_hash(const char *const *parts, size_t count, struct text *ret);
