/* How long things took: a histogram whose buckets are at most 1 % wide, in a fixed amount of
 * memory, so that keeping it costs a measurement nothing.
 *
 * A struct of zeros is an empty one.  One thread at a time. */
#pragma once

#include <stdint.h>

enum {
    LATENCY_SUB_BITS = 7, /* 128 buckets between one power of two and the next */
    LATENCY_BUCKETS = (63 - LATENCY_SUB_BITS + 1) << LATENCY_SUB_BITS,
};

struct latency {
    uint64_t counts[LATENCY_BUCKETS];
    uint64_t n;
    int64_t max_ns;
};

/* Something took NS nanoseconds; what is below 0 counts as 0. */
void latency_add(struct latency *latency, int64_t ns);

/* PER_MILLE of all took at most this many nanoseconds; 0 where there is nothing. */
int64_t latency_quantile_ns(const struct latency *latency, unsigned per_mille);
