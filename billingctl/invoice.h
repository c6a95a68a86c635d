/* Invoices in a list.  Main thread. */
#pragma once

#include "billingctl/pages.h"

extern const struct view invoice_totals_view;

/* A page_fn: of the invoices of --customer, or of all. */
int invoice_totals_page(const struct ctl *ctl, const billing_query *query,
                        billing_object **ret_reply, billing_error **ret_error);
