/* An API key that a caller wants made.  One thread at a time. */
#pragma once

#include <billing/admin.h>

#include "billing.pb-c.h"

struct billing_key_input {
    Billing__V1__CreateKey message; /* its texts and the list of them are owned */
    bool failed; /* a setter found no memory: the input is not what was asked for */
};
