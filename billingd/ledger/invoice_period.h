/* Which period an invoice may bill: contiguous with the last one, closed, and leaving nothing out.
 * Any thread. */
#pragma once

#include "billingd/ledger/env.h"
#include "billingd/ledger/outcome.h"
#include "billingd/ledger/period.h"
#include "billingd/store/store.h"

/* Where CUSTOMER's next invoice begins, if it ends at END_US and nobody says otherwise: at the end
 * of the last one; with none, at the start of the UTC month of the first record, or of END_US where
 * that is earlier.  Returns 0, or the store's error. */
MUSTCHECK int invoice_default_start(struct store_view *view, const struct store_customer *customer,
                                    int64_t end_us, int64_t *ret_start_us);

/* The period of the invoice that is ASKED for: to its end_us, from its start_us where start_given.
 *
 * Returns 0 with *RET, and *RET_OUTCOME saying why not:
 *   STATUS_PERIOD_NOT_CLOSED   the end is in the future: it says which, and the clock
 *   STATUS_ALREADY_FINALIZED   an invoice, which it names, has this very period, or, where no start
 *                              is given, bills up to the end or beyond
 *   STATUS_NOT_CONTIGUOUS      the customer is invoiced beyond the start or the end already: it
 *                              names the first invoice that ends behind that; or, naming none, a
 *                              record would be left out that bills before the start
 * or the store's error. */
MUSTCHECK int invoice_period(struct store_view *view, const struct ledger_env *env,
                             const struct store_customer *customer, const struct invoice *asked,
                             struct period *ret, struct outcome *ret_outcome);
