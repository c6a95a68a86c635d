#include "tests/lib/memory_rows.h"

static bool revokes(const struct record *record, const void *wanted)
{
    return record->key_revoked.key == *(const uint64_t *)wanted;
}

static const struct row *find_revoked(struct memory_view *view, uint64_t seq)
{
    return memory_find_last(view, RECORD_KEY_REVOKED, revokes, &seq);
}

struct last_use {
    uint64_t key;
    int64_t used_us;
};

static bool uses(const struct record *record, const void *wanted)
{
    struct last_use *last = (struct last_use *)(uintptr_t)wanted;
    struct slice rest = record->key_used.uses;
    struct key_use use;
    while (key_uses_next(&rest, &use)) {
        if (use.key == last->key) {
            last->used_us = use.used_at_us;
            return true;
        }
    }
    return false;
}

bool memory_is_key(struct memory_view *view, uint64_t seq, bool *ret_revoked)
{
    *ret_revoked = find_revoked(view, seq) != NULL;
    return memory_find_kind(view, seq, RECORD_KEY_CREATED) != NULL;
}

int memory_api_key(struct store_view *view, uint64_t seq, struct store_api_key *ret)
{
    struct memory_view *v = memory_view_of(view);
    const struct row *created = memory_find_kind(v, seq, RECORD_KEY_CREATED);
    const struct row *revoked = find_revoked(v, seq);
    struct last_use last = {.key = seq};
    struct record record;
    int rc = memory_pass_alone(v->memory, MEMORY_READ);
    if (rc < 0 || created == NULL) {
        return rc < 0 ? rc : STATUS_NOT_FOUND;
    }
    IGNORE(memory_find_last(v, RECORD_KEY_USED, uses, &last) == NULL); /* it was never used */
    memory_lend_record(v, created, &record);
    *ret = (struct store_api_key){
        .seq = seq,
        .created = record.key_created,
        .created_by = record.recorded_by,
        .created_at_us = record.created_at_us,
        .last_used_us = last.used_us,
    };
    if (revoked != NULL) {
        ret->revoked_at_us = revoked->record.created_at_us;
        ret->revoked_by = memory_lend(v, revoked->record.recorded_by);
    }
    return 0;
}

static bool is_called(const struct record *record, const void *wanted)
{
    return slice_equal(record->key_created.name, *(const struct slice *)wanted);
}

/* Of those that were ever called so only the last may not be revoked. */
uint64_t memory_find_key(struct memory_view *view, struct slice name)
{
    const struct row *row = memory_find_last(view, RECORD_KEY_CREATED, is_called, &name);
    return row == NULL || find_revoked(view, row->record.seq) != NULL ? 0 : row->record.seq;
}

int memory_api_key_named(struct store_view *view, struct slice name, uint64_t *ret_seq)
{
    struct memory_view *v = memory_view_of(view);
    uint64_t seq = memory_find_key(v, name);
    int rc = memory_pass_alone(v->memory, MEMORY_READ);
    if (rc < 0 || seq == 0) {
        return rc < 0 ? rc : STATUS_NOT_FOUND;
    }
    *ret_seq = seq;
    return 0;
}

int memory_scan_api_keys(struct store_view *view, uint64_t after_seq, store_api_key_fn row_cb,
                         void *arg)
{
    struct memory_view *v = memory_view_of(view);
    int rc = 0;
    for (uint64_t seq = after_seq; rc == 0 && seq < v->n; seq++) {
        struct store_api_key key;
        if (memory_find_kind(v, seq + 1, RECORD_KEY_CREATED) != NULL) {
            rc = memory_api_key(view, seq + 1, &key);
            rc = rc == 0 ? row_cb(&key, arg) : rc;
        }
    }
    return rc == STORE_SCAN_STOP ? 0 : rc;
}
