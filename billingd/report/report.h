/* Reports of unexpected errors to Sentry, or to what speaks as it does.
 *
 * Whatever is logged as an error is put into a bounded queue, which never waits, and a thread of
 * its own sends it: each kind once a minute, none while the receiver wants none.  What does not
 * fit, may not go, or does not arrive is counted and forgotten; nothing is ever sent twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/status.h"

struct report;

struct report_options {
    const char *dsn;         /* which report_dsn_parse() takes */
    const char *environment; /* static, as the next */
    const char *version;
};

/* What may become of an event. */
enum report_fate {
    REPORT_SENT,
    REPORT_DROPPED, /* the queue was full, or the end came first */
    REPORT_LIMITED, /* one like it went out within a minute, or the receiver wants none */
    REPORT_FAILED,  /* it did not arrive */
    REPORT__FATES,
};

/* Start reporting what is logged as an error.  Before other threads.  Returns 0,
 * STATUS_OUT_OF_BOUNDS (the DSN) or STATUS_NO_MEMORY. */
MUSTCHECK int report_create(const struct report_options *options, struct report **ret_report);

/* Wait until what was logged until now is sent, or otherwise dealt with, at most TIMEOUT_MS.  Any
 * thread but the report's own. */
void report_flush(struct report *report, unsigned timeout_ms);

/* The same, then end; NULL is fine.  After other threads. */
void report_destroy(struct report *report, unsigned timeout_ms);

/* How many events met FATE.  Any thread. */
uint64_t report_count(const struct report *report, enum report_fate fate);

/* In a word: "sent".  A static text. */
const char *report_fate_name(enum report_fate fate);
