/* An invoice while it is made, or made again to be compared: the lines, the adjustments and the
 * digest of all records of one customer that bill within a period, up to a position of the journal.
 *
 * A million records take a second.  So a draft is built from a reader's view, beside the committer,
 * and then brought up to date by what the journal has behind its position: often nothing.
 *
 * The digest is a chain in the order of the journal, so that it can be carried on:
 *
 *   digest 0: SHA-256 of the text
 *     "invoice of customer <seq> from <start> to <end> in store <key>"
 *     with times in microseconds and the store's id_key as 16 hexadecimal digits
 *
 *   digest n: SHA-256 of digest n-1, then of the n-th record
 *     its sequence number and its created_at, 64 bits each, little-endian
 *     its bytes as record_encode() makes them
 *
 * One thread at a time. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/base/sha256.h"
#include "billingd/ledger/bill_lines.h"
#include "billingd/ledger/bill_totals.h"
#include "billingd/ledger/period.h"
#include "billingd/store/store.h"

struct draft_adjustment {
    struct store_position position; /* by bills_at */
    struct decimal amount;
};

struct invoice_draft {
    uint64_t customer; /* 0: nothing is drafted */
    struct period period;
    uint64_t position; /* sequence number up to which records are in it */
    uint64_t records;  /* how many: usage, voids, adjustments */
    uint8_t digest[SHA256_BYTES];
    struct bill_lines lines;
    struct draft_adjustment *adjustments; /* in the arena; in the order of the journal */
    size_t n_adjustments;
    size_t adjustments_max;

    uint64_t reading; /* the record that was read last: where a failure is */
    /* --- of a draft that is finished --- */
    bool finished;
    struct bill_line **sorted; /* lines.n of them, by service and price; in the arena */
    struct bill_totals totals;

    struct arena *arena;
    struct sha256 *sha; /* while records are added */
    size_t seqs_max;    /* of whoever has more records, the journal is read as a whole instead */
};

/* An empty draft whose parts will lie in ARENA; nothing else is owned. */
void invoice_draft_init(struct invoice_draft *draft, struct arena *arena);

/* Draft anew: CUSTOMER's records that bill within PERIOD, those up to POSITION (at most the view's
 * last).  Returns 0, STATUS_TOO_LARGE (arena), STATUS_NO_MEMORY, STATUS_OUT_OF_BOUNDS, or the
 * store's error; after a failure only building anew helps. */
MUSTCHECK int invoice_draft_build(struct invoice_draft *draft, struct store_view *view,
                                  uint64_t customer, struct period period, uint64_t position);

/* Add what the journal of VIEW has behind the draft's position, if that is at most RECORDS_MAX
 * records of anyone's.  Returns as invoice_draft_build(), or STATUS_OUTDATED with nothing done
 * where there are more. */
MUSTCHECK int invoice_draft_advance(struct invoice_draft *draft, struct store_view *view,
                                    uint64_t records_max);

/* As invoice_draft_build(), but out of the journal itself, trusting nothing that is derived from
 * it: reads all that was recorded since the customer was created. */
MUSTCHECK int invoice_draft_recompute(struct invoice_draft *draft, struct store_view *view,
                                      uint64_t customer, struct period period, uint64_t position);

/* Whether RECORD bills within the draft's period, and is its customer's. */
bool invoice_draft_is_about(const struct invoice_draft *draft, const struct record *record);

/* Make the draft a bill: `sorted` and `totals`, rounded to MINOR_DIGITS, and its adjustments in the
 * order of their positions.  It can be advanced further, and is then to be finished again; where
 * nothing came in between that costs nothing.  Returns 0, STATUS_TOO_LARGE or
 * STATUS_OUT_OF_BOUNDS. */
MUSTCHECK int invoice_draft_finish(struct invoice_draft *draft, int minor_digits);
