/* Every customer's bill, in a list.  Main thread. */
#pragma once

#include "billingctl/pages.h"

extern const struct view bill_totals_view;

/* A page_fn: of every customer's totals. */
int bill_totals_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error);
