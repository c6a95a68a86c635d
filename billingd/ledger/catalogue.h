/* The rules about the catalogue: the services that may be billed, where a deployment lists them.
 * Writes run on the committer thread, queries on a reader. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/store/store.h"

/* Refuse SERVICE where the deployment bills listed services alone and this is none: *OUTCOME gets
 * STATUS_SERVICE_NOT_ALLOWED, and is left alone otherwise.  Returns 0 or the store's error. */
MUSTCHECK int catalogue_check(struct store_view *view, const struct ledger_env *env,
                              struct slice service, struct outcome *outcome);

struct catalogue_put {
    /* --- asked --- */
    struct slice name;
    struct slice unit; /* empty: none */
    struct slice recorded_by;
    /* --- answered --- */
    struct store_service service; /* as it is now */
    bool recorded;                /* false where it was so already */
};

/* Put a service into the catalogue, or change its unit.  Returns 0, STATUS_TOO_LARGE (arena), or
 * the store's error. */
MUSTCHECK int catalogue_put(struct store_txn *txn, struct arena *arena, struct catalogue_put *put);

struct catalogue_delete {
    /* --- asked --- */
    struct slice name;
    struct slice recorded_by;
    /* --- answered --- */
    struct outcome outcome;
};

/* Take a service out of the catalogue; what was billed of it stays.  Returns 0 with the outcome set
 * (refused with STATUS_SERVICE_NOT_FOUND), or the store's error. */
MUSTCHECK int catalogue_delete(struct store_txn *txn, struct catalogue_delete *delete);

/* The service NAME, its texts in ARENA.  Returns 0, STATUS_SERVICE_NOT_FOUND, STATUS_TOO_LARGE
 * (arena), or the store's error. */
MUSTCHECK int catalogue_get(struct store_view *view, struct arena *arena, struct slice name,
                            struct store_service *ret);

struct catalogue_page {
    /* --- asked --- */
    struct slice after_name; /* those behind this one; empty: all */
    unsigned limit;          /* at least 1 */
    /* --- answered --- */
    struct store_service *services; /* in the arena */
    unsigned n;
    bool more; /* there are services behind the last of these */
};

/* Services by the bytes of their names.  Returns 0, STATUS_TOO_LARGE (arena), or the store's
 * error. */
MUSTCHECK int catalogue_list(struct store_view *view, struct arena *arena,
                             struct catalogue_page *page);
