#include "billingd/ledger/api_key.h"

/* Whether another key may be called so, and there may be another. */
static int check_new(struct store_view *view, struct slice name, struct outcome *outcome)
{
    struct store_info info;
    uint64_t seq;
    int rc = store_api_key_named(view, name, &seq);
    if (rc == 0) {
        *outcome = (struct outcome){
            .status = STATUS_KEY_EXISTS,
            .existing_seq = seq,
            .existing_kind = RECORD_KEY_CREATED,
        };
        return 0;
    }
    if (rc == STATUS_NOT_FOUND) {
        rc = store_info(view, &info);
    }
    if (rc == 0 && info.api_keys >= LIMIT_KEYS) {
        outcome->status = STATUS_TOO_MANY_KEYS;
    }
    return rc;
}

int api_key_create(struct store_txn *txn, struct api_key_create *create)
{
    struct record record = {
        .kind = RECORD_KEY_CREATED,
        .recorded_by = create->recorded_by,
        .key_created = create->asked,
    };
    create->outcome = (struct outcome){0};
    int rc = check_new(store_txn_view(txn), create->asked.name, &create->outcome);
    if (rc < 0 || create->outcome.status != 0) {
        return rc;
    }
    rc = store_append(txn, &record);
    create->key = (struct store_api_key){
        .seq = record.seq,
        .created = create->asked,
        .created_by = create->recorded_by,
        .created_at_us = record.created_at_us,
    };
    return rc;
}

/* --- revoking --------------------------------------------------------------------------------- */

static int keep(struct arena *arena, struct store_api_key *key)
{
    struct slice *texts[] = {&key->created.name, &key->created.services, &key->created_by,
                             &key->revoked_by};
    int rc = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == 0; i++) {
        rc = arena_copy(arena, *texts[i], texts[i]);
    }
    return rc;
}

static int find(struct store_view *view, const struct api_key_revoke *revoke,
                struct store_api_key *ret)
{
    uint64_t seq = revoke->seq;
    int rc = seq == 0 ? store_api_key_named(view, revoke->name, &seq) : 0;
    return rc < 0 ? rc : store_api_key(view, seq, ret);
}

int api_key_revoke(struct store_txn *txn, struct arena *arena, struct api_key_revoke *revoke)
{
    struct record record = {.kind = RECORD_KEY_REVOKED, .recorded_by = revoke->recorded_by};
    struct store_api_key *key = &revoke->key;
    revoke->outcome = (struct outcome){0};
    revoke->recorded = false;
    int rc = find(store_txn_view(txn), revoke, key);
    if (rc == STATUS_NOT_FOUND) {
        revoke->outcome.status = STATUS_KEY_NOT_FOUND;
        return 0;
    }
    if (rc == 0) {
        rc = keep(arena, key);
    }
    if (rc < 0 || key->revoked_at_us != 0) {
        return rc;
    }
    record.key_revoked = (struct key_revoked){.key = key->seq, .name = key->created.name};
    rc = store_append(txn, &record);
    key->revoked_at_us = record.created_at_us;
    key->revoked_by = revoke->recorded_by;
    revoke->recorded = rc == 0;
    return rc;
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
    struct arena *arena;
    struct api_key_page *page;
};

static int list_row_cb(const struct store_api_key *key, void *arg)
{
    struct listing *listing = arg;
    struct api_key_page *page = listing->page;
    if (key->revoked_at_us != 0 && !page->include_revoked) {
        return 0;
    }
    if (page->n == page->limit) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    struct store_api_key *kept = &page->keys[page->n];
    *kept = *key;
    page->n++;
    return keep(listing->arena, kept);
}

int api_key_list(struct store_view *view, struct arena *arena, struct api_key_page *page)
{
    struct listing listing = {.arena = arena, .page = page};
    page->n = 0;
    page->more = false;
    page->keys = arena_alloc_array(arena, page->limit, sizeof *page->keys);
    if (page->keys == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan_api_keys(view, page->after_seq, list_row_cb, &listing);
}

/* --- uses ------------------------------------------------------------------------------------- */

int api_key_note_uses(struct store_txn *txn, const struct key_use *uses, size_t n,
                      struct slice recorded_by)
{
    uint8_t encoded[KEY_USES_BYTES_MAX];
    size_t length = key_uses_encode(uses, n, encoded);
    struct record record = {
        .kind = RECORD_KEY_USED,
        .recorded_by = recorded_by,
        .key_used = {.uses = {(const char *)encoded, length}},
    };
    return store_append(txn, &record);
}
