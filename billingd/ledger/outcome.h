/* What the rules decided about one thing that was asked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/store/record.h"

/* What may differ between the payloads of two requests under one id. */
enum difference {
    DIFFERS_METHOD = 1 << 0,
    DIFFERS_CUSTOMER_NAME = 1 << 1,
    DIFFERS_EXTERNAL_ID = 1 << 2,
    DIFFERS_SERVICE = 1 << 3,
    DIFFERS_UNITS_CONSUMED = 1 << 4,
    DIFFERS_PRICE_PER_UNIT = 1 << 5,
    DIFFERS_OCCURRED_AT = 1 << 6,
    DIFFERS_LABELS = 1 << 7,
    DIFFERS_USAGE_ID = 1 << 8,
    DIFFERS_REASON = 1 << 9,
    DIFFERS_AMOUNT = 1 << 10,
    DIFFERS_START = 1 << 11,
    DIFFERS_END = 1 << 12,
};

struct outcome {
    int status;                     /* 0: recorded, now or before; else why it was refused */
    bool replayed;                  /* recorded before, under the same request id */
    uint64_t existing_seq;          /* what stands in the way: its record's sequence number, or an
                                       invoice's number; 0: nothing */
    enum record_kind existing_kind; /* its kind, where existing_seq is not 0 */
    unsigned differs;               /* enum difference, with STATUS_REQUEST_ID_REUSED */
    int64_t asked_us; /* the time that is too late, and the latest that is not: with */
    int64_t bound_us; /* STATUS_TIME_OUT_OF_RANGE and STATUS_PERIOD_NOT_CLOSED */
};
