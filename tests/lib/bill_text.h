/* Bills and invoices in full as plain text, so that a test can say that two are the same, or that
 * one has not changed.  The two look alike: an invoice is the bill of its period.
 *
 *   S 0.05 x 3 = 0.15, 2 records, 1 voided, 0 late
 *   adjustment 17 = -5
 *   exact -4.85, total -4.85
 *
 * Main thread; what fails fails the test.  Texts are the kit's. */
#pragma once

#include "billingd/ledger/period.h"
#include "tests/lib/book.h"

/* The bill of CUSTOMER for PERIOD, read in pages of LIMIT. */
const char *bill_text(struct book *book, uint64_t customer, struct period period, unsigned limit);

/* The invoice NUMBER, likewise. */
const char *invoice_text(struct book *book, uint64_t number, unsigned limit);
