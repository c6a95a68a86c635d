/* The rows of an import that are recorded one by one: adjustments and voids.  Main thread. */
#pragma once

#include <billing/billing.h>

#include "billingctl/ctl_exit.h"
#include "billingctl/import_row.h"
#include "billingctl/text.h"

enum import_outcome {
    IMPORT_RECORDED,
    IMPORT_REPLAYED,
    IMPORT_REJECTED,
};

/* Record ROW, an adjustment or a void, through CLIENT.  On 0, *RET_OUTCOME is what came of it, with
 * the reason appended to RET_REASON where it is rejected.  Else a BILLING_E_* that does not speak
 * against the row: the import cannot go on, and *RET_ERROR, to be freed, says why (NULL: nothing
 * to add). */
MUSTCHECK int import_entry_record(billing_client *client, const struct import_row *row,
                                  enum import_outcome *ret_outcome, struct text *ret_reason,
                                  billing_error **ret_error);

/* Append what PROBLEM, the daemon's, says in one line. */
void import_entry_put_problem(const billing_object *problem, struct text *ret);

/* Whether PROBLEM, or NULL, is that something is recorded under the request id that differs in its
 * time alone. */
bool import_entry_differs_in_time(const billing_object *problem);
