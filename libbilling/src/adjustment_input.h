/* An adjustment that a caller wants recorded.  One thread at a time. */
#pragma once

#include <billing/billing.h>

#include "billing.pb-c.h"

struct billing_adjustment_input {
    Billing__V1__CreateAdjustment message; /* its texts are owned, also those that are not set */
    bool failed; /* a setter found no memory: the input is not what was asked for */
};
