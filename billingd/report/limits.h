/* How often reports go out: each kind of event once a minute, and none while the receiver wants
 * none.  Pure; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    REPORT_KINDS_MAX = 64, /* what is known of more kinds is forgotten, of the oldest first */
    REPORT_INTERVAL_S = 60,
    REPORT_PAUSE_S = 60, /* where the receiver does not say how long */
    REPORT_PAUSE_MAX_S = 24 * 60 * 60,
};

struct report_kind {
    uint64_t fingerprint;
    int64_t sent_us; /* 0: there is none here */
    unsigned repeated;
};

/* All zero knows of none. */
struct report_limits {
    struct report_kind kinds[REPORT_KINDS_MAX];
    int64_t paused_until_us; /* monotonic, like all times here */
};

/* Whether an event with FINGERPRINT may go out at NOW_US.  *RET_REPEATED: how many like it might
 * not, since the last that did. */
bool report_limits_admit(struct report_limits *limits, uint64_t fingerprint, int64_t now_us,
                         unsigned *ret_repeated);

/* Take note of an answer with STATUS: RETRY_AFTER are the seconds of that header, or negative where
 * there is none that is sound, RATE_LIMITS is the value of X-Sentry-Rate-Limits, or NULL. */
void report_limits_note(struct report_limits *limits, long status, int64_t retry_after,
                        const char *rate_limits, int64_t now_us);
