/* Invoices: bills that are numbered, kept and never change.
 *
 * Finalising is done in two steps, since a large one takes a second that recording must not wait
 * for: a reader drafts (invoice_prepare), then the committer brings the draft up to date, decides
 * and appends (invoice_finalize).  Where too much has happened in between, it is to be prepared
 * again, which then only has to catch up. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/invoice_draft.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

/* What an invoice consists of, one page of it. */
struct invoice_page {
    /* --- asked --- */
    unsigned limit; /* lines and adjustments, at least 1 */
    uint64_t after; /* that many are passed over: lines first, then adjustments */
    /* --- answered --- */
    struct record record;    /* the invoice itself */
    struct bill_line *lines; /* in the arena */
    size_t n_lines;
    struct record *adjustments; /* in the arena */
    size_t n_adjustments;
    bool more; /* there are entries behind these */
};

struct invoice_finalize {
    /* --- asked --- */
    struct customer_ref customer;
    /* request_id, recorded_by and, of invoice: end_us, and start_us where start_given. */
    struct record asked;
    unsigned limit; /* of the page that is answered */
    /* --- between the steps --- */
    struct invoice_draft draft;
    bool used; /* the draft was brought up to date by a transaction that then failed */
    /* --- answered --- */
    struct outcome outcome;
    struct invoice_page page; /* with status 0 */
};

/* Ready FINALIZE, all zero but for what is asked; it will keep its parts in ARENA. */
void invoice_finalize_init(struct invoice_finalize *finalize, struct arena *arena);

/* Reader thread: draft the invoice, or bring the draft up to VIEW.
 *
 * Returns 0 with the outcome set: STATUS_OUTDATED: it is the committer's turn; else all is said
 * already: status 0 for a replay, or a refusal as of invoice_finalize().  Returns STATUS_TOO_LARGE,
 * STATUS_NO_MEMORY, STATUS_OUT_OF_BOUNDS, or the store's error. */
MUSTCHECK int invoice_prepare(struct store_view *view, struct arena *arena,
                              const struct ledger_env *env, struct invoice_finalize *finalize);

/* Committer thread: finalise, once per request id.
 *
 * Returns 0 with the outcome set: STATUS_OUTDATED: it must be prepared again; refused with
 * STATUS_CUSTOMER_NOT_FOUND, _REQUEST_ID_REUSED, _PERIOD_NOT_CLOSED, _ALREADY_FINALIZED or
 * _NOT_CONTIGUOUS.  Otherwise returns as invoice_prepare().  *RET_APPENDED: how many records. */
MUSTCHECK int invoice_finalize(struct store_txn *txn, struct arena *arena,
                               const struct ledger_env *env, struct invoice_finalize *finalize,
                               unsigned *ret_appended);

/* Read the page of the invoice NUMBER.  Returns 0, STATUS_INVOICE_NOT_FOUND, STATUS_TOO_LARGE
 * (arena), or the store's error.  Any thread. */
MUSTCHECK int invoice_get(struct store_view *view, struct arena *arena, uint64_t number,
                          struct invoice_page *page);

struct invoice_list {
    /* --- asked --- */
    bool of_customer; /* only those of `customer` */
    struct customer_ref customer;
    uint64_t after_number;
    unsigned limit; /* at least 1 */
    /* --- answered --- */
    struct record *records; /* in the arena */
    unsigned n;
    bool more; /* there are invoices behind the last of these */
};

/* Invoices by number.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (arena), or the
 * store's error.  Reader threads. */
MUSTCHECK int invoice_list(struct store_view *view, struct arena *arena, struct invoice_list *list);
