#include "billingd/rpc/keyring.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/random.h"
#include "billingd/base/sha256.h"
#include "billingd/rpc/object_id.h"

enum {
    SECRET_RANDOM_BYTES = 32,
    KEYS_FIRST = 16,
};

/* How far the last use that the store has may be behind. */
static const int64_t written_every_us = INT64_C(3600) * 1000000;

static const struct slice token_prefix = {.data = "billing_", .length = 8};
static const struct slice name_prefix = {.data = "key:", .length = 4};

struct held_key {
    uint64_t seq;
    enum role role;
    uint8_t hash[KEY_HASH_BYTES];
    int64_t expires_at_us; /* 0: never */
    int64_t used_us;       /* by the wall clock; 0: not yet */
    int64_t written_us;    /* the last use that the store has */
    struct slice services; /* in text */
    struct slice name;     /* with its prefix; in text */
    char text[];
};

struct keyring {
    uint64_t id_key;
    struct sha256 *sha;     /* owned */
    struct held_key **keys; /* owned, each of them too; by seq */
    size_t n;
    size_t n_max;
    bool due; /* some key may be */
};

/* --- life ------------------------------------------------------------------------------------- */

struct keyring *keyring_create(uint64_t id_key)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL) {
        return NULL;
    }
    keyring->id_key = id_key;
    keyring->sha = sha256_create();
    if (keyring->sha == NULL) {
        free(keyring);
        return NULL;
    }
    return keyring;
}

static void free_keys(struct keyring *keyring)
{
    for (size_t i = 0; i < keyring->n; i++) {
        free(keyring->keys[i]);
    }
    free(keyring->keys);
    keyring->keys = NULL;
    keyring->n = keyring->n_max = 0;
}

void keyring_destroy(struct keyring *keyring)
{
    if (keyring == NULL) {
        return;
    }
    free_keys(keyring);
    sha256_destroy(keyring->sha);
    free(keyring);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Where the key SEQ is, or would be. */
static size_t place_of(const struct keyring *keyring, uint64_t seq)
{
    size_t low = 0;
    size_t high = keyring->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keyring->keys[middle]->seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct held_key *find(const struct keyring *keyring, uint64_t seq)
{
    size_t at = place_of(keyring, seq);
    return at < keyring->n && keyring->keys[at]->seq == seq ? keyring->keys[at] : NULL;
}

static enum role role_of(enum key_role role)
{
    switch (role) {
    case KEY_READER:
        return ROLE_READER;
    case KEY_WRITER:
        return ROLE_WRITER;
    case KEY_ADMIN:
        return ROLE_ADMIN;
    }
    return ROLE_NONE; /* record_decode() lets no other through */
}

static char *append_text(char *at, struct slice text)
{
    if (text.length > 0) {
        memcpy(at, text.data, text.length);
    }
    return at + text.length;
}

static struct held_key *make_key(const struct store_api_key *key)
{
    const struct key_created *created = &key->created;
    size_t name_bytes = name_prefix.length + created->name.length;
    struct held_key *held = malloc(sizeof *held + name_bytes + created->services.length);
    if (held == NULL) {
        return NULL;
    }
    *held = (struct held_key){
        .seq = key->seq,
        .role = role_of(created->role),
        .expires_at_us = created->expires_at_us,
        .used_us = key->last_used_us,
        .written_us = key->last_used_us,
        .name = {held->text, name_bytes},
        .services = {held->text + name_bytes, created->services.length},
    };
    memcpy(held->hash, created->hash, sizeof held->hash);
    char *at = append_text(held->text, name_prefix);
    at = append_text(at, created->name);
    append_text(at, created->services);
    return held;
}

static int make_room(struct keyring *keyring)
{
    if (keyring->n < keyring->n_max) {
        return 0;
    }
    size_t n_max = keyring->n_max == 0 ? KEYS_FIRST : 2 * keyring->n_max;
    struct held_key **keys = reallocarray(keyring->keys, n_max, sizeof(struct held_key *));
    if (keys == NULL) {
        return STATUS_NO_MEMORY;
    }
    keyring->keys = keys;
    keyring->n_max = n_max;
    return 0;
}

static int hold(struct keyring *keyring, const struct store_api_key *key)
{
    size_t at = place_of(keyring, key->seq);
    if (at < keyring->n && keyring->keys[at]->seq == key->seq) {
        return 0; /* a reload was faster */
    }
    int rc = make_room(keyring);
    struct held_key *held = rc == 0 ? make_key(key) : NULL;
    if (held == NULL) {
        return STATUS_NO_MEMORY;
    }
    memmove(&keyring->keys[at + 1], &keyring->keys[at],
            (keyring->n - at) * sizeof(struct held_key *));
    keyring->keys[at] = held;
    keyring->n++;
    return 0;
}

void keyring_add(struct keyring *keyring, const struct store_api_key *key)
{
    INVARIANT(hold(keyring, key) == 0);
}

void keyring_remove(struct keyring *keyring, uint64_t seq)
{
    size_t at = place_of(keyring, seq);
    if (at == keyring->n || keyring->keys[at]->seq != seq) {
        return;
    }
    free(keyring->keys[at]);
    keyring->n--;
    memmove(&keyring->keys[at], &keyring->keys[at + 1],
            (keyring->n - at) * sizeof(struct held_key *));
}

/* --- the store's ------------------------------------------------------------------------------ */

static int reload_row_cb(const struct store_api_key *key, void *arg)
{
    return key->revoked_at_us != 0 ? 0 : hold(arg, key);
}

int keyring_reload(struct keyring *keyring, struct store_view *view)
{
    struct keyring fresh = {.id_key = keyring->id_key, .sha = keyring->sha};
    int rc = store_scan_api_keys(view, 0, reload_row_cb, &fresh);
    if (rc < 0) {
        free_keys(&fresh);
        return rc;
    }
    for (size_t i = 0; i < fresh.n; i++) { /* what is not recorded yet of their use */
        const struct held_key *before = find(keyring, fresh.keys[i]->seq);
        if (before != NULL && before->used_us > fresh.keys[i]->used_us) {
            fresh.keys[i]->used_us = before->used_us;
        }
    }
    free_keys(keyring);
    fresh.due = true; /* whether it is, is looked up */
    *keyring = fresh;
    return 0;
}

/* --- who it is -------------------------------------------------------------------------------- */

static void hash_secret(struct keyring *keyring, const char *secret,
                        uint8_t ret_hash[KEY_HASH_BYTES])
{
    sha256_begin(keyring->sha);
    sha256_add(keyring->sha, secret, KEYRING_SECRET_BYTES);
    sha256_end(keyring->sha, ret_hash);
}

/* The key that TOKEN, which is of the right length, names. */
static struct held_key *find_named(const struct keyring *keyring, struct slice token)
{
    size_t id_bytes = token.length - token_prefix.length - 1 - KEYRING_SECRET_BYTES;
    struct slice id = {token.data + token_prefix.length, id_bytes};
    if (memcmp(token.data, token_prefix.data, token_prefix.length) != 0 ||
        id.data[id.length] != '_') {
        return NULL;
    }
    uint64_t seq = object_id_parse(OBJECT_KEY, id, keyring->id_key);
    return seq == 0 ? NULL : find(keyring, seq);
}

static bool is_expired(const struct held_key *key, int64_t now_us)
{
    return key->expires_at_us != 0 && key->expires_at_us <= now_us;
}

static bool is_due(const struct held_key *key)
{
    return key->used_us - key->written_us >= written_every_us;
}

int keyring_identify(struct keyring *keyring, struct slice token, int64_t now_us,
                     struct identity *ret)
{
    uint8_t hash[KEY_HASH_BYTES];
    if (token.length <= token_prefix.length + 1 + KEYRING_SECRET_BYTES ||
        token.length >= KEYRING_TOKEN_TEXT_MAX) {
        return STATUS_UNAUTHENTICATED;
    }
    struct held_key *key = find_named(keyring, token);
    if (key == NULL) {
        return STATUS_UNAUTHENTICATED;
    }
    hash_secret(keyring, token.data + token.length - KEYRING_SECRET_BYTES, hash);
    if (!sha256_equal(hash, key->hash) || is_expired(key, now_us)) {
        return STATUS_UNAUTHENTICATED;
    }
    key->used_us = now_us > key->used_us ? now_us : key->used_us;
    keyring->due |= is_due(key);
    *ret = (struct identity){
        .name = key->name, .role = key->role, .key = key->seq, .services = key->services};
    return 0;
}

bool keyring_counts(const struct keyring *keyring, uint64_t seq, int64_t now_us)
{
    const struct held_key *key = find(keyring, seq);
    return key != NULL && !is_expired(key, now_us);
}

int64_t keyring_last_used(const struct keyring *keyring, uint64_t seq)
{
    const struct held_key *key = find(keyring, seq);
    return key == NULL ? 0 : key->used_us;
}

/* --- uses ------------------------------------------------------------------------------------- */

bool keyring_is_due(const struct keyring *keyring)
{
    return keyring->due;
}

size_t keyring_take_due(struct keyring *keyring, bool all, struct key_use *ret_uses)
{
    size_t n = 0;
    keyring->due = false;
    for (size_t i = 0; i < keyring->n; i++) {
        const struct held_key *key = keyring->keys[i];
        if (!is_due(key) && !(all && key->used_us > key->written_us)) {
            continue;
        }
        if (n == KEY_USES_MAX) {
            keyring->due = true;
            break;
        }
        ret_uses[n++] = (struct key_use){key->seq, key->used_us};
    }
    return n;
}

void keyring_note_written(struct keyring *keyring, const struct key_use *uses, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct held_key *key = find(keyring, uses[i].key);
        if (key != NULL) { /* it may be revoked meanwhile */
            key->written_us = uses[i].used_at_us;
        }
    }
}

/* --- secrets ---------------------------------------------------------------------------------- */

/* RFC 4648, without padding. */
static void print_base64url(const uint8_t random[SECRET_RANDOM_BYTES],
                            char ret_text[KEYRING_SECRET_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < SECRET_RANDOM_BYTES; i++) {
        bits = bits << 8 | random[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6) {
            ret_text[n++] = digits[bits >> (n_bits - 6) & 63];
        }
    }
    ret_text[n++] = digits[bits << (6 - n_bits) & 63];
    INVARIANT(n == KEYRING_SECRET_BYTES);
}

void keyring_new_secret(struct keyring *keyring, char ret_secret[KEYRING_SECRET_BYTES],
                        uint8_t ret_hash[KEY_HASH_BYTES])
{
    uint8_t random[SECRET_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    print_base64url(random, ret_secret);
    hash_secret(keyring, ret_secret, ret_hash);
    explicit_bzero(random, sizeof random);
}

size_t keyring_print_token(const struct keyring *keyring, uint64_t seq,
                           const char secret[KEYRING_SECRET_BYTES], char *buffer)
{
    char id[OBJECT_ID_TEXT_MAX];
    size_t id_bytes = object_id_print(OBJECT_KEY, seq, keyring->id_key, id);
    char *at = append_text(buffer, token_prefix);
    at = append_text(at, (struct slice){id, id_bytes});
    *at++ = '_';
    at = append_text(at, (struct slice){secret, KEYRING_SECRET_BYTES});
    *at = '\0';
    return (size_t)(at - buffer);
}
