/* The rules about API keys: what one may be called, how many there are, and that a revoked one
 * stays revoked.  Who a key is, is rpc/keyring.h's part.
 *
 * Making a key takes no request id: it shows a secret once, and a retry could not show it again.
 * Who lost the answer finds the name taken, revokes that key and makes another.
 *
 * Writes run on the committer thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

struct api_key_create {
    /* --- asked --- */
    struct key_created asked;
    struct slice recorded_by;
    /* --- answered --- */
    struct outcome outcome;
    struct store_api_key key; /* with status 0; its texts are those that were asked with */
};

/* Make a key.  Returns 0 with the outcome set: refused with STATUS_KEY_EXISTS, which names the key
 * that has the name and is not revoked, or STATUS_TOO_MANY_KEYS, where LIMIT_KEYS are not revoked.
 * Returns the store's error otherwise. */
MUSTCHECK int api_key_create(struct store_txn *txn, struct api_key_create *create);

struct api_key_revoke {
    /* --- asked --- */
    uint64_t seq;      /* of its creation; 0: by name */
    struct slice name; /* of one that is not revoked */
    struct slice recorded_by;
    /* --- answered --- */
    struct outcome outcome;
    struct store_api_key key; /* with status 0; its texts in the arena */
    bool recorded;            /* false where it was revoked already */
};

/* Revoke a key; one that is revoked stays as it is.  Returns 0 with the outcome set (refused with
 * STATUS_KEY_NOT_FOUND), STATUS_TOO_LARGE (arena), or the store's error. */
MUSTCHECK int api_key_revoke(struct store_txn *txn, struct arena *arena,
                             struct api_key_revoke *revoke);

struct api_key_page {
    /* --- asked --- */
    uint64_t after_seq; /* those made after this one; 0: all */
    unsigned limit;     /* at least 1 */
    bool include_revoked;
    /* --- answered --- */
    struct store_api_key *keys; /* in the arena */
    unsigned n;
    bool more; /* there are keys behind the last of these */
};

/* Keys in the order in which they were made.  Returns 0, STATUS_TOO_LARGE (arena), or the store's
 * error. */
MUSTCHECK int api_key_list(struct store_view *view, struct arena *arena, struct api_key_page *page);

/* Record when keys were used last: N of USES, as key_uses_encode() takes them, noted by
 * RECORDED_BY.  Returns 0, or the store's error. */
MUSTCHECK int api_key_note_uses(struct store_txn *txn, const struct key_use *uses, size_t n,
                                struct slice recorded_by);
