/* What became of the requests, counted.  Loop thread only, so counting costs an addition. */
#pragma once

#include "billingd/base/metrics_text.h"
#include "billingd/rpc/request.h"

/* How a request was answered: with 0 or a negative STATUS_*, or with one of these. */
enum {
    OUTCOME_OK = 0,
    OUTCOME_RECORDED = 1,
    OUTCOME_REPLAYED = 2,
};

/* What became of an item of a batch. */
enum {
    REQUEST_ITEM_RECORDED,
    REQUEST_ITEM_REPLAYED,
    REQUEST_ITEM_REFUSED,
    REQUEST__ITEMS,
};

enum {
    REQUEST_STATS_METHODS = 128, /* by the field number of the call; below 4: enum request_page */
    REQUEST_STATS_OUTCOMES = 80, /* by outcome */
    REQUEST_STATS_STATUSES = 72, /* of them: numbers of status.h */
    REQUEST_STATS_KINDS = 5,     /* enum lane, and heavy reads */
};

struct request_stats {
    uint64_t answered[REQUEST_STATS_METHODS][REQUEST_STATS_OUTCOMES];
    uint64_t problems[REQUEST_STATS_STATUSES]; /* by status, those of batch items too */
    uint64_t items[REQUEST__ITEMS];
    uint64_t log_left_out; /* requests that the log has no line of */
    struct histogram times[REQUEST_STATS_KINDS];
};

/* Begin STATS, in which nothing is counted. */
void request_stats_init(struct request_stats *stats);

/* How REQUEST, whose response is complete, is answered. */
int request_outcome(const struct request *request);

/* What OUTCOME is called: "ok", "recorded", "replayed", or the code of a status.  Static memory. */
const char *request_outcome_name(int outcome);

/* What is asked for: the method's name, else that of a page, else "none".  Static memory. */
const char *request_name(const struct request *request);

/* Count that REQUEST was answered with OUTCOME after so many microseconds. */
void request_stats_count(struct request_stats *stats, const struct request *request, int outcome,
                         uint64_t us);

/* All of it as metrics. */
void request_stats_write(const struct request_stats *stats, struct metrics_text *text);
