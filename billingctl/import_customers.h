/* Customers that an import creates where they are not there yet.  Main thread. */
#pragma once

#include "billingctl/ctl_exit.h"
#include "billingctl/import_batch.h"
#include "billingctl/import_row.h"
#include "billingctl/tally.h"

/* Make sure that the customer of ROW exists, where the row has a name for it.  KNOWN, {0} at first,
 * holds those that do.  ROW is rejected where the daemon will not have the customer.
 * Returns CTL_DONE, or another exit status, having said why: the import cannot go on. */
MUSTCHECK int import_customers_ensure(const struct import_batch *batch, struct tally *known,
                                      struct import_row *row);
