/* What was asked, as a message may quote it.  Pure; any thread. */
#pragma once

#include <stdint.h>

#include "billingd/base/slice.h"

enum {
    QUOTE_BYTES = 48, /* of what is quoted; the rest is cut */
};

struct quote {
    char text[QUOTE_BYTES + 4];
};

/* TEXT cut, and harmless wherever it is printed. */
struct quote quote_text(struct slice text);

/* TIME_US (0 to TIMESTAMP_MAX) in RFC 3339. */
struct quote quote_time(int64_t time_us);
