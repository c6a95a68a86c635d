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

/* Add N to a counter that this thread alone adds to: without the price of a locked one. */
void counter_add(atomic_uint_fast64_t *counter, uint64_t n);
uint64_t counter_get(const atomic_uint_fast64_t *counter);
