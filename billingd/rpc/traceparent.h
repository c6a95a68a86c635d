/* W3C Trace Context: the traceparent header, which says to which trace a request belongs.  Pure. */
#pragma once

#include <stdbool.h>

#include "billingd/base/slice.h"

enum {
    TRACEPARENT_BYTES = 55, /* 00-<32 hex>-<16 hex>-<2 hex> */
};

/* Whether TEXT is a valid traceparent.  Of a later version than 00 as much counts as 00 has, as the
 * specification wants it; what is not valid counts for none at all. */
bool traceparent_is_valid(struct slice text);
