/* FOCUS 1.0, the FinOps Open Cost and Usage Specification: how a row of a cloud bill becomes a
 * usage record or an adjustment.  The mapping alone, for tests; import_format.h has the reader. */
#pragma once

#include "billingctl/text.h"

enum {
    IMPORT_FOCUS_REASON_BYTES_MAX = 1024, /* what the daemon takes */
};

/* Columns of our own: what an export must say beyond the specification so that an import of it
 * records nothing twice.  A row with a request id here is one of ours, see export_focus.c. */
#define IMPORT_FOCUS_REQUEST_ID        "x_RequestId"
#define IMPORT_FOCUS_VOIDED_REQUEST_ID "x_VoidedRequestId"

/* Append the reason of an adjustment that a charge of CATEGORY with DESCRIPTION, each or NULL,
 * becomes: "Credit: for the outage", cut to what the daemon takes. */
void import_focus_reason(const char *category, const char *description, struct text *ret);

/* Append the request id of the row ID of the bill of PROVIDER for the period that begins at PERIOD:
 * "focus:2024-09-01:AWS:11472", or a hash of the three where that would be no request id or could
 * be another row's.  Returns false with *RETERR where PERIOD is no time. */
bool import_focus_request_id(const char *period, const char *provider, const char *id,
                             struct text *ret, struct reason *reterr);
