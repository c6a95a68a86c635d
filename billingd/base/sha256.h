/* SHA-256 (FIPS 180-4), of OpenSSL: one object, used again and again, since looking the algorithm
 * up costs more than hashing a record.  One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHA256_BYTES = 32,
    SHA256_TEXT_BYTES = 2 * SHA256_BYTES,
};

struct sha256;

/* Returns NULL when out of memory. */
struct sha256 *sha256_create(void);

/* NULL is fine. */
void sha256_destroy(struct sha256 *sha);

/* Begin a message, add LENGTH bytes at BYTES to it, and end it with its hash. */
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t length);
void sha256_end(struct sha256 *sha, uint8_t ret_hash[SHA256_BYTES]);

/* Whether A and B are equal, in a time that says nothing of where they differ. */
bool sha256_equal(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES]);

/* Print HASH in lower-case hexadecimal, without a NUL. */
void sha256_print(const uint8_t hash[SHA256_BYTES], char ret_text[SHA256_TEXT_BYTES]);
