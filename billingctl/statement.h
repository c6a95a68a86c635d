/* A bill or an invoice, whole: its lines and adjustments over all pages.  Main thread. */
#pragma once

#include "billingctl/ctl.h"

/* Starts as {.number}; ends with statement_done(). */
struct statement {
    uint64_t number;        /* of the invoice; 0: a bill */
    billing_object **pages; /* owned, as what they point to; the totals stand on each */
    size_t count;
};

/* Take PAGE, a reply, as the next one. */
void statement_add(struct statement *statement, billing_object *page);

/* Ask for all pages of the bill of --customer, over the window of QUERY, or of the invoice. Returns
 * CTL_DONE, or another exit status, having said why. */
int statement_get(const struct ctl *ctl, billing_query *query, struct statement *statement);

/* Ask for the pages behind the last one that is there.  Returns as statement_get(). */
int statement_get_rest(const struct ctl *ctl, billing_query *query, struct statement *statement);

/* Print it; there is a page at least. */
void statement_print(enum output_format format, const struct statement *statement);

/* Free the pages. */
void statement_done(struct statement *statement);
