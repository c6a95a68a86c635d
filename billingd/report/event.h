/* An unexpected error, as it is reported: where in the daemon, what, in which call, under which
 * code.  Nothing of whom or what it was about: of a log line's fields those alone go out that are
 * named here, and they hold words of the program.  Pure; any thread. */
#pragma once

#include <stdint.h>

#include "billingd/base/log.h"

enum {
    REPORT_WORD_BYTES = 64,
    REPORT_MESSAGE_BYTES = 128,
    REPORT_TRACE_BYTES = 64,
    REPORT_ENVELOPE_BYTES = 4096,
};

struct report_event {
    int64_t time_us; /* wall clock */
    enum log_area area;
    char message[REPORT_MESSAGE_BYTES];
    char method[REPORT_WORD_BYTES]; /* "CreateUsage"; "": in none */
    char code[REPORT_WORD_BYTES];   /* "storage_damaged"; "": none */
    char place[REPORT_WORD_BYTES];  /* of a check that failed: file:line; "": none */
    char trace[REPORT_TRACE_BYTES]; /* traceparent; "": none */
};

struct report_origin {
    const char *version;
    const char *environment;
};

/* The event of a line of the log. */
void report_event_make(struct report_event *event, enum log_area area, const char *message,
                       const struct log_field *fields, int64_t time_us);

/* Equal for events that are the same but for their time. */
uint64_t report_event_fingerprint(const struct report_event *event);

/* EVENT, which REPEATED others like it came before, that were not sent, as an envelope in TEXT of
 * REPORT_ENVELOPE_BYTES; RANDOM makes its id.  Returns its length. */
size_t report_event_envelope(const struct report_event *event, const struct report_origin *origin,
                             unsigned repeated, const uint8_t random[16], char *text);
