/* Every bound that both sides of the wire know.  Bounds of the daemon alone are rows of its option
 * table (billingd/config_options.c).  Each has a test that goes past it. */
#pragma once

enum {
    LIMIT_CUSTOMER_NAME_BYTES = 1024,
    LIMIT_EXTERNAL_ID_BYTES = 256,
    LIMIT_SERVICE_BYTES = 256,
    LIMIT_UNIT_BYTES = 64,
    LIMIT_REASON_BYTES = 1024,
    LIMIT_REQUEST_ID_BYTES = 128,
    LIMIT_DIRECTORY_BYTES = 1024,
    LIMIT_LABELS = 16,
    LIMIT_LABEL_NAME_BYTES = 64,
    LIMIT_LABEL_VALUE_BYTES = 1024,
    LIMIT_BATCH_ITEMS = 10000,
    LIMIT_KEY_NAME_BYTES = 128,
    LIMIT_KEY_SERVICES = 64, /* that one key is limited to */
    LIMIT_KEYS = 10000,      /* API keys that are not revoked */
    LIMIT_PAGE_DEFAULT = 100,
    LIMIT_PAGE_MAX = 1000,
    LIMIT_FRAME_BYTES_DEFAULT = 16 * 1024 * 1024,
    LIMIT_FRAME_BYTES_MIN = 64 * 1024, /* a frame bound below this would refuse single records */
};

/* occurred_at may lie this far ahead of the daemon's clock. */
#define LIMIT_FUTURE_US (INT64_C(24) * 3600 * 1000000)
