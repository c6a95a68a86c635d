/* What an invoice consists of, as it is kept: records of the kind RECORD_INVOICE_ENTRIES right
 * behind the invoice's own, lines first, then adjustments. */
#pragma once

#include "billingd/ledger/invoice_draft.h"
#include "billingd/store/store.h"

/* Append the entries of INVOICE, whose record is appended already: the lines and adjustments of
 * DRAFT, which is finished.  *RET_RECORDS: in how many records.  Returns 0 or the store's error.
 * Committer thread. */
MUSTCHECK int invoice_entries_append(struct store_txn *txn, const struct record *invoice,
                                     const struct invoice_draft *draft, unsigned *ret_records);

/* As the store's scans; slices in ENTRY die with the view. */
typedef int (*invoice_entry_fn)(const struct invoice_entry *entry, void *arg);

/* Every entry of INVOICE in its order.  Returns 0, what the callback returned, STATUS_CORRUPT where
 * they are not what INVOICE says, or the store's error.  Any thread. */
MUSTCHECK int invoice_entries_scan(struct store_view *view, const struct record *invoice,
                                   invoice_entry_fn entry_cb, void *arg);
