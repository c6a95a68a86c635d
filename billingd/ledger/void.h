/* The rules about voids: the reversal of one usage record, once.  Writes run on the committer
 * thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

struct void_create {
    /* --- asked --- */
    struct customer_ref customer;
    struct record asked;   /* request_id, recorded_by and, of usage_voided: usage, reason */
    struct slice services; /* the caller may write of these alone, as services_encode() makes them;
                              empty: of any */
    /* --- answered --- */
    struct outcome outcome;
    struct record record; /* with status 0: what was recorded, now or before */
    struct amount amount; /* likewise: what it adds to the bill */
    struct slice service; /* with STATUS_FORBIDDEN: of the usage; in the arena */
};

/* Void one usage record, once per request id and once at all.  It bills where the usage does, or
 * from the end of the customer's last invoice on.
 *
 * Returns 0 with the outcome set; refused with STATUS_CUSTOMER_NOT_FOUND, _FORBIDDEN (whatever was
 * recorded before), _REQUEST_ID_REUSED, _USAGE_NOT_FOUND (also for another customer's), or
 * _ALREADY_VOIDED, which names the void.
 * Returns the store's error, or STATUS_TOO_LARGE where ARENA is too small for a replayed record. */
MUSTCHECK int void_create(struct store_txn *txn, struct arena *arena, struct void_create *create);

struct void_get {
    /* --- asked --- */
    struct customer_ref customer;
    uint64_t usage; /* sequence number of what it voids */
    /* --- answered --- */
    struct record record;
    struct amount amount; /* what it adds to the bill */
};

/* The void of one usage record.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_USAGE_NOT_FOUND,
 * STATUS_VOID_NOT_FOUND where it is not voided, STATUS_TOO_LARGE (arena), or the store's error. */
MUSTCHECK int void_get(struct store_view *view, struct arena *arena, struct void_get *get);
