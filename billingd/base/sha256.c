#include "billingd/base/sha256.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "billingd/base/assert.h"

struct sha256 {
    EVP_MD_CTX *context;
    EVP_MD *algorithm;
};

struct sha256 *sha256_create(void)
{
    struct sha256 *sha = calloc(1, sizeof *sha);
    if (sha == NULL) {
        return NULL;
    }
    sha->context = EVP_MD_CTX_new();
    sha->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha->context == NULL || sha->algorithm == NULL) {
        sha256_destroy(sha);
        return NULL;
    }
    return sha;
}

void sha256_destroy(struct sha256 *sha)
{
    if (sha == NULL) {
        return;
    }
    EVP_MD_free(sha->algorithm);
    EVP_MD_CTX_free(sha->context);
    free(sha);
}

void sha256_begin(struct sha256 *sha)
{
    INVARIANT(EVP_DigestInit_ex2(sha->context, sha->algorithm, NULL) == 1);
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length)
{
    INVARIANT(EVP_DigestUpdate(sha->context, bytes, length) == 1);
}

void sha256_end(struct sha256 *sha, uint8_t ret_hash[SHA256_BYTES])
{
    unsigned length = 0;
    INVARIANT(EVP_DigestFinal_ex(sha->context, ret_hash, &length) == 1);
    INVARIANT(length == SHA256_BYTES);
}

bool sha256_equal(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES])
{
    return CRYPTO_memcmp(a, b, SHA256_BYTES) == 0;
}

void sha256_print(const uint8_t hash[SHA256_BYTES], char ret_text[SHA256_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        ret_text[2 * i] = digits[hash[i] >> 4];
        ret_text[2 * i + 1] = digits[hash[i] & 15];
    }
}
