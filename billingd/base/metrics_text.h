/* Metrics as text, in version 0.0.4 of the exposition format of Prometheus.
 *
 * A family is its head, then all its samples.  Integers and decimals alone: nothing goes through
 * floating point.  Pure but for the heap; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/base/histogram.h"

/* Starts as {0}.  A failed allocation sticks. */
struct metrics_text {
    char *data; /* owned: to be freed; not NUL-terminated */
    size_t length;
    size_t capacity;
    bool failed;
    const char *name; /* of the family */
};

enum metrics_type {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_HISTOGRAM,
};

struct metrics_label {
    const char *name; /* NULL ends a list */
    const char *value;
};

#define METRICS_LABELS(...) ((const struct metrics_label[]){__VA_ARGS__, {0}})

/* Begin the family NAME (static), of which HELP says in a line what it counts. */
void metrics_family(struct metrics_text *text, const char *name, enum metrics_type type,
                    const char *help);

/* A sample of it, with LABELS (NULL: none); the second in seconds, with what is behind the
 * point. */
void metrics_sample(struct metrics_text *text, const struct metrics_label *labels, uint64_t value);
void metrics_seconds(struct metrics_text *text, const struct metrics_label *labels, int64_t us);

/* All samples of HISTOGRAM; of times in seconds, where it is on histogram_times_us. */
void metrics_histogram(struct metrics_text *text, const struct metrics_label *labels,
                       const struct histogram *histogram);

/* A family of one sample without labels. */
void metrics_counter(struct metrics_text *text, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct metrics_text *text, const char *name, const char *help, uint64_t value);
