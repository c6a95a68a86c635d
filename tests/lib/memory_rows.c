#include "tests/lib/memory_rows.h"

#include <stdio.h>

void memory_die(const char *why)
{
    IGNORE(fprintf(stderr, "memory_store: %s\n", why) < 0); /* nowhere else to say it */
    abort();
}

void *memory_need(size_t bytes)
{
    void *memory = calloc(1, bytes == 0 ? 1 : bytes);
    memory_check(memory != NULL, "out of memory");
    return memory;
}

struct memory_view *memory_view_of(struct store_view *view)
{
    return (struct memory_view *)(void *)view;
}

/* --- texts ------------------------------------------------------------------------------------ */

void memory_own_texts(struct record *record)
{
    struct slice *texts[RECORD_TEXTS_MAX];
    size_t n = record_texts(record, texts);
    for (size_t i = 0; i < n; i++) {
        char *copy = memory_need(texts[i]->length);
        if (texts[i]->length > 0) {
            memcpy(copy, texts[i]->data, texts[i]->length);
        }
        texts[i]->data = copy;
    }
}

void memory_free_row(struct row *row)
{
    struct slice *texts[RECORD_TEXTS_MAX];
    size_t n = record_texts(&row->record, texts);
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)texts[i]->data);
    }
    free(row);
}

struct slice memory_lend(struct memory_view *view, struct slice text)
{
    struct loan *loan = memory_need(sizeof *loan + text.length);
    loan->next = view->loans;
    view->loans = loan;
    if (text.length == 0) {
        return (struct slice){0};
    }
    return (struct slice){memcpy(loan->data, text.data, text.length), text.length};
}

void memory_end_loans(struct memory_view *view)
{
    while (view->loans != NULL) {
        struct loan *next = view->loans->next;
        free(view->loans);
        view->loans = next;
    }
}

void memory_lend_record(struct memory_view *view, const struct row *row, struct record *ret)
{
    struct slice *texts[RECORD_TEXTS_MAX];
    *ret = row->record;
    size_t n = record_texts(ret, texts);
    for (size_t i = 0; i < n; i++) {
        *texts[i] = memory_lend(view, *texts[i]);
    }
}

uint64_t memory_hash(struct store_key key)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ key.scope;
    for (size_t i = 0; i < key.request_id.length; i++) {
        hash = (hash ^ (unsigned char)key.request_id.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* --- looking ---------------------------------------------------------------------------------- */

const struct row *memory_row(struct memory_view *view, uint64_t seq)
{
    struct memory_store *m = view->memory;
    const struct row *row = NULL;
    pthread_mutex_lock(&m->lock);
    if (seq >= 1 && seq <= view->n) {
        row = m->rows[seq - 1];
    }
    pthread_mutex_unlock(&m->lock);
    return row;
}

bool memory_is_damaged(struct memory_view *view, const struct row *row)
{
    pthread_mutex_lock(&view->memory->lock);
    bool damaged = row->damaged;
    pthread_mutex_unlock(&view->memory->lock);
    return damaged;
}

static bool is_under(const struct row *row, struct store_key key)
{
    return record_scope(&row->record) == key.scope && row->record.request_id.length > 0 &&
           slice_equal(row->record.request_id, key.request_id);
}

const struct row *memory_find_request(struct memory_view *view, struct store_key key)
{
    struct memory_store *m = view->memory;
    uint64_t hash = memory_hash(key);
    const struct row *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < view->n && found == NULL; i++) {
        if (m->hashes[i] == hash && is_under(m->rows[i], key)) {
            found = m->rows[i];
        }
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

const struct row *memory_find_external_id(struct memory_view *view, struct slice external_id)
{
    for (uint64_t seq = 1; seq <= view->n && external_id.length > 0; seq++) {
        const struct row *row = memory_row(view, seq);
        if (row->record.kind == RECORD_CUSTOMER_CREATED &&
            slice_equal(row->record.customer_created.external_id, external_id)) {
            return row;
        }
    }
    return NULL;
}

const struct row *memory_find_kind(struct memory_view *view, uint64_t seq, enum record_kind kind)
{
    const struct row *row = memory_row(view, seq);
    return row != NULL && row->record.kind == kind ? row : NULL;
}

const struct row *memory_find_last(struct memory_view *view, enum record_kind kind,
                                   matches_fn matches, const void *wanted)
{
    struct memory_store *m = view->memory;
    const struct row *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (size_t i = m->of_kind[kind] > 0 ? view->n : 0; i > 0 && found == NULL; i--) {
        const struct record *record = &m->rows[i - 1]->record;
        if (record->kind == kind && matches(record, wanted)) {
            found = m->rows[i - 1];
        }
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

bool memory_is_of_customer(const struct record *record, const void *wanted)
{
    return record_customer(record) == *(const uint64_t *)wanted;
}

static bool is_void_of(const struct record *record, const void *wanted)
{
    return record->usage_voided.usage == *(const uint64_t *)wanted;
}

bool memory_is_numbered(const struct record *record, const void *wanted)
{
    return record->invoice.number == *(const uint64_t *)wanted;
}

const struct row *memory_find_void(struct memory_view *view, uint64_t usage_seq)
{
    return memory_find_last(view, RECORD_USAGE_VOIDED, is_void_of, &usage_seq);
}

uint64_t memory_count_kind(struct memory_view *view, enum record_kind kind)
{
    uint64_t n = 0;
    for (uint64_t seq = 1; seq <= view->n; seq++) {
        n += memory_find_kind(view, seq, kind) != NULL;
    }
    return n;
}

const struct row *memory_find_service(struct memory_view *view, struct slice name,
                                      const struct row **ret_created)
{
    const struct row *created = NULL;
    const struct row *updated = NULL;
    for (uint64_t seq = 1; seq <= view->n; seq++) {
        const struct row *row = memory_row(view, seq);
        if (row->record.kind == RECORD_SERVICE_PUT &&
            slice_equal(row->record.service_put.name, name)) {
            created = created == NULL ? row : created;
            updated = row;
        } else if (row->record.kind == RECORD_SERVICE_DELETED &&
                   slice_equal(row->record.service_deleted.name, name)) {
            created = updated = NULL;
        }
    }
    if (ret_created != NULL) {
        *ret_created = created;
    }
    return updated;
}
