/* The API keys that count, in memory: who a token is.
 *
 * A token is the id of its key and a secret: "billing_key_0g000000000w5bq3_" and 43 characters of
 * base64url, which are 256 random bits.  The store has the secret's SHA-256 alone; so a token is
 * shown once, where its key is made, and cannot be found out afterwards, only revoked.
 *
 * What is committed is in the keyring before its answer leaves: a key counts for every request that
 * comes after the answer to CreateKey, and for none that comes after that to RevokeKey, on open
 * connections too.
 *
 * Loop thread only. */
#pragma once

#include "billingd/ledger/api_key.h"
#include "billingd/rpc/identity.h"

struct keyring;

enum {
    KEYRING_SECRET_BYTES = 43,   /* of text */
    KEYRING_TOKEN_TEXT_MAX = 96, /* NUL included */
};

/* An empty one, of the store with ID_KEY; NULL when out of memory. */
struct keyring *keyring_create(uint64_t id_key);

/* NULL is fine. */
void keyring_destroy(struct keyring *keyring);

/* Hold the keys that VIEW has, less those that are revoked, and no others: at the start, and where
 * an operator asks for it.  Reads the store.  Returns 0, or a status, and KEYRING is as it was:
 * the store's, or STATUS_NO_MEMORY. */
MUSTCHECK int keyring_reload(struct keyring *keyring, struct store_view *view);

/* Hold KEY, which was committed, too.  Aborts when out of memory: somebody is told that it
 * counts. */
void keyring_add(struct keyring *keyring, const struct store_api_key *key);

/* Hold the key SEQ no more; whether it is held or not. */
void keyring_remove(struct keyring *keyring, uint64_t seq);

/* Who TOKEN is at NOW_US, by the wall clock.  What *RET refers to is the keyring's, until it next
 * changes.  Notes the use.  Returns 0, or STATUS_UNAUTHENTICATED where TOKEN is that of no key, or
 * of one that is revoked or expired. */
MUSTCHECK int keyring_identify(struct keyring *keyring, struct slice token, int64_t now_us,
                               struct identity *ret);

/* Whether the key SEQ counts at NOW_US: it is neither revoked nor expired. */
bool keyring_counts(const struct keyring *keyring, uint64_t seq, int64_t now_us);

/* When the key SEQ was used last, as far as this process knows; 0: it does not. */
int64_t keyring_last_used(const struct keyring *keyring, uint64_t seq);

/* --- for key_log.h ---------------------------------------------------------------------------- */

/* Whether a key was used an hour or more behind the last use of it that is written. */
bool keyring_is_due(const struct keyring *keyring);

/* Such keys (ALL: those with any use that is not written), by sequence number, at most
 * KEY_USES_MAX of them, into RET_USES.  Returns how many. */
size_t keyring_take_due(struct keyring *keyring, bool all, struct key_use *ret_uses);

/* N of USES are written. */
void keyring_note_written(struct keyring *keyring, const struct key_use *uses, size_t n);

/* --- secrets ---------------------------------------------------------------------------------- */

/* A new secret into RET_SECRET, and its hash into RET_HASH. */
void keyring_new_secret(struct keyring *keyring, char ret_secret[KEYRING_SECRET_BYTES],
                        uint8_t ret_hash[KEY_HASH_BYTES]);

/* Print the token of the key SEQ with SECRET into BUFFER of KEYRING_TOKEN_TEXT_MAX bytes.  Returns
 * its length. */
size_t keyring_print_token(const struct keyring *keyring, uint64_t seq,
                           const char secret[KEYRING_SECRET_BYTES], char *buffer);
