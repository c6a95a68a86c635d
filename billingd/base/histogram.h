/* Histograms: how often what was measured fell below which bound.  One thread adds; any thread
 * reads, without a lock, what may be some additions behind. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_BOUNDS_MAX = 20,
};

struct histogram_scale {
    size_t n;
    uint64_t bounds[HISTOGRAM_BOUNDS_MAX]; /* rising; each belongs to what is up to it */
};

/* Of microseconds: 100 us to 10 s.  Of what is counted: 1 to 65536. */
extern const struct histogram_scale histogram_times_us;
extern const struct histogram_scale histogram_counts;

/* All zero but for its scale is empty. */
struct histogram {
    const struct histogram_scale *scale;
    atomic_uint_fast64_t buckets[HISTOGRAM_BOUNDS_MAX + 1]; /* the last: above all bounds */
    atomic_uint_fast64_t sum;
};

/* Count VALUE. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* What PART of a histogram, a bucket or the sum, is now. */
uint64_t histogram_read(const atomic_uint_fast64_t *part);
