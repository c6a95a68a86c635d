/* An engine in plain memory, for tests of what lies above the store: lists, no indexes, and faults
 * to order.
 *
 * It keeps every promise of store.h but durability, and holds its callers to theirs: what a read
 * returned is freed where store.h lets it die, so that a sanitizer sees who kept it; an append of
 * what is malformed or taken aborts.
 *
 * One lock guards all of it.  What is set here may be set by any thread at any time, and concerns
 * the calls that come after. */
#pragma once

#include "billingd/store/store.h"

struct memory_store;

/* An empty store.  Destroy it when no transaction or view is open. */
struct memory_store *memory_store_create(void);
void memory_store_destroy(struct memory_store *memory);

/* What the rooms above are given.  store_close() on it does nothing. */
struct store *memory_store_handle(struct memory_store *memory);

/* --- faults ----------------------------------------------------------------------------------- */

enum memory_call {
    MEMORY_BEGIN,
    MEMORY_ANNOUNCE,
    MEMORY_APPEND,
    MEMORY_COMMIT, /* fails with nothing recorded */
    MEMORY_SNAPSHOT,
    MEMORY_INFO,
    MEMORY_READ,  /* one record, customer or service: alone, or in a scan */
    MEMORY_CALLS, /* how many there are */
};

/* Let AFTER calls pass, then fail the next TIMES with STATUS. */
void memory_store_fail(struct memory_store *memory, enum memory_call call, int status,
                       unsigned after, unsigned times);

/* From now on whatever reads the record SEQ gets STATUS_CORRUPT. */
void memory_store_damage(struct memory_store *memory, uint64_t seq);

/* Change the record SEQ as somebody would who tampers with stored bytes and makes the checksums
 * right again: ALTER_CB, called once with a copy of it, says how.  Nobody else may be reading. */
void memory_store_alter(struct memory_store *memory, uint64_t seq,
                        void (*alter_cb)(struct record *record));

/* CUSTOMER, which has no invoice, is to look as if its last had ended at BILLED_UNTIL_US.  For one
 * customer at a time. */
void memory_store_set_billed_until(struct memory_store *memory, uint64_t customer,
                                   int64_t billed_until_us);

/* What store_stats() says from now on. */
void memory_store_set_stats(struct memory_store *memory, const struct store_stats *stats);

/* --- a slow disk ------------------------------------------------------------------------------ */

/* From now on commits wait at a gate. */
void memory_store_hold_commits(struct memory_store *memory);

/* Wait until a commit stands at the gate. */
void memory_store_wait_held(struct memory_store *memory);

/* Let the commit through that stands there, or will next; the gate stays. */
void memory_store_let_one_commit(struct memory_store *memory);

/* Take the gate away. */
void memory_store_open_gate(struct memory_store *memory);

/* --- what was done ---------------------------------------------------------------------------- */

struct memory_counts {
    uint64_t calls[MEMORY_CALLS]; /* also those that failed */
    uint64_t aborts;
    uint64_t keys_announced;
    uint64_t records; /* committed */
    unsigned views_open;
};

struct memory_counts memory_store_counts(struct memory_store *memory);
