/* What a bill and the invoice that it becomes have in common, as messages, and where a page of
 * either is cut.  Loop thread; everything lies in the request's arena. */
#pragma once

#include "billingd/rpc/reply.h"

/* LINE, rounded to MINOR_DIGITS. */
Billing__V1__BillLine *reply_bill_line(struct request *request, const struct bill_line *line,
                                       int minor_digits);

/* RECORD, an adjustment, as it stands on a bill. */
Billing__V1__BillAdjustment *reply_bill_adjustment(struct request *request,
                                                   const struct record *record, int minor_digits);

/* Set the fields exact_total, total and rounding of M, a message that has them. */
#define REPLY_TOTALS(request, m, exact_, total_)                                                   \
    do {                                                                                           \
        reply_amount((request), &(m)->has_exact_total, &(m)->exact_total, (exact_));               \
        reply_amount((request), &(m)->has_total, &(m)->total, (total_));                           \
        reply_amount((request), &(m)->has_rounding, &(m)->rounding,                                \
                     bill_rounding((exact_), (total_)));                                           \
    } while (0)
