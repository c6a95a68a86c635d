/* Invoices in a list.  Main thread. */
#pragma once

#include "billingctl/list.h"

extern const struct view invoice_totals_view;
