/* The plain model of one customer's bills: that of tests/model, in words that do not get into the
 * way of the store's.  What it is told is in the order of the journal.  Main thread. */
#pragma once

#include <stdint.h>

#include "tests/model/memory.h"

struct plain_ledger;

struct plain_ledger *plain_ledger_create(void);
void plain_ledger_destroy(struct plain_ledger *ledger);

/* What stands on bills.  Texts stay the caller's and are kept by reference. */
struct plain_record {
    uint64_t seq;
    const char *service; /* of usage or an adjustment; NULL: none */
    const char *units;   /* of usage */
    const char *price;   /* likewise */
    const char *amount;  /* of an adjustment */
    int64_t occurred_at_us;
};

/* Add one.  Each returns when it bills: bills_at. */
int64_t plain_ledger_usage(struct plain_ledger *ledger, const struct plain_record *record);
int64_t plain_ledger_adjustment(struct plain_ledger *ledger, const struct plain_record *record);

/* The void of the usage with sequence number USAGE_SEQ; -1: there is none, or it is voided. */
int64_t plain_ledger_void(struct plain_ledger *ledger, uint64_t usage_seq);

/* An invoice to END_US.  Returns where it starts unless it is said. */
int64_t plain_ledger_invoice(struct plain_ledger *ledger, int64_t end_us);

/* The bill for [START_US, END_US), in words:
 *
 *   S 0.05 x 3 = 0.15, 2 records, 1 voided, 0 late
 *   adjustment 17 = -5
 *   exact -4.85, total -4.85
 */
const char *plain_ledger_bill(struct plain_ledger *ledger, struct memory *memory, int64_t start_us,
                              int64_t end_us);
