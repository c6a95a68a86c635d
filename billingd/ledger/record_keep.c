#include "billingd/ledger/record_keep.h"

int record_keep(struct arena *arena, struct record *record)
{
    struct slice *texts[RECORD_TEXTS_MAX];
    unsigned n = record_texts(record, texts);
    for (unsigned i = 0; i < n; i++) {
        int rc = arena_copy(arena, *texts[i], texts[i]);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

size_t record_text_bytes(const struct record *record)
{
    struct record copy = *record;
    struct slice *texts[RECORD_TEXTS_MAX];
    size_t bytes = 0;
    unsigned n = record_texts(&copy, texts);
    for (unsigned i = 0; i < n; i++) {
        bytes += texts[i]->length;
    }
    return bytes;
}
