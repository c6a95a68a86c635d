/* What a caller wants recorded.  One thread at a time. */
#pragma once

#include <billing/billing.h>

#include "billing.pb-c.h"
#include "libbilling/src/arena.h"
#include "proto/limits.h"

struct billing_usage_input {
    Billing__V1__UsageInput message;         /* its texts are owned, also those that are not set */
    Billing__V1__Label labels[LIMIT_LABELS]; /* likewise, beyond n_labels too */
    Billing__V1__Label *label_list[LIMIT_LABELS];
    bool failed; /* a setter found no memory: the input is not what was asked for */
};

struct billing_usage_batch {
    struct arena arena;              /* of the items */
    Billing__V1__UsageInput **items; /* owned */
    size_t count;
    size_t capacity; /* of items */
    size_t bytes;    /* that the items take in a frame */
    bool lacks_id;   /* an item has no request id of its own */
    bool has_request_id;
    char request_id[BILLING_REQUEST_ID_BYTES_MAX + 1];
};
