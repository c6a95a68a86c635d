/* FOCUS 1.0, the FinOps Open Cost and Usage Specification: how a row of a cloud bill becomes a
 * usage record.  The mapping alone, for tests; import_format.h has the reader. */
#pragma once

#include "billingctl/text.h"

/* Append the request id of the row ID of the bill of PROVIDER for the period that begins at PERIOD:
 * "focus:2024-09-01:AWS:11472", or a hash of the three where that would be no request id or could
 * be another row's.  Returns false with *RETERR where PERIOD is no time. */
bool import_focus_request_id(const char *period, const char *provider, const char *id,
                             struct text *ret, struct reason *reterr);
