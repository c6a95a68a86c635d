/* Whether an invoice still is what the records say: it is drafted again from them and compared.
 * Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/base/sha256.h"
#include "billingd/store/store.h"

enum {
    INVOICE_DIFFERENCES_MAX = 100,
};

struct invoice_difference {
    struct slice what;     /* "digest", "lines[Database Hosting 0.05].units_consumed" */
    uint64_t seq;          /* of the record that it is about; 0: none */
    enum record_kind kind; /* of that, 0: it cannot be told */
    struct slice invoice;  /* as the invoice has it; empty: not at all */
    struct slice computed; /* as the records have it; likewise */
};

struct invoice_verify {
    /* --- asked --- */
    uint64_t number;
    /* --- answered --- */
    uint64_t records; /* that were read */
    bool drafted;     /* `digest` could be computed */
    uint8_t digest[SHA256_BYTES];
    struct invoice_difference *differences; /* in the arena */
    size_t n_differences;                   /* 0: it is verified */
};

/* Verify one.  Damaged records are differences.  Returns 0, STATUS_INVOICE_NOT_FOUND,
 * STATUS_TOO_LARGE (arena), STATUS_NO_MEMORY, or the store's error other than STATUS_CORRUPT. */
MUSTCHECK int invoice_verify(struct store_view *view, struct arena *arena,
                             struct invoice_verify *verify);
