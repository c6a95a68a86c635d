/* One line of the log for each request that was answered, up to so many a second; one line tells
 * how many more there were.  What failed by our fault is always told.
 *
 * A line has the request's id, its trace, who asked through which door for what, how it was
 * answered and how long it took; never a header, a query, a token or a key.  What was asked
 * stands in it only where `log_payloads` is set, and only so much of it.  Loop thread only. */
#pragma once

#include "billingd/rpc/request.h"

struct request_log_options {
    unsigned per_second_max; /* 0: only what failed by our fault */
    bool payloads;
};

struct request_log {
    struct request_log_options options;
    int64_t second_us; /* monotonic: when the second began that is counted */
    unsigned left;     /* lines that may still be written in it */
    uint64_t left_out; /* requests without a line, of which no line tells yet */
};

/* Log that REQUEST was answered with OUTCOME (request_stats.h), within US, at NOW_US.  Returns
 * whether there is a line, or none was due; else it was left out. */
bool request_log_answer(struct request_log *log, const struct request *request, int outcome,
                        uint64_t us, int64_t now_us);

/* Say how many were left out, where a second is over.  From time to time. */
void request_log_tick(struct request_log *log, int64_t now_us);

/* Say it now, where any were. */
void request_log_flush(struct request_log *log);
