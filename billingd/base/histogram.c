#include "billingd/base/histogram.h"

const struct histogram_scale histogram_times_us = {
    .n = 16,
    .bounds = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
               1000000, 2500000, 5000000, 10000000},
};

const struct histogram_scale histogram_counts = {
    .n = 17,
    .bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536},
};

/* This thread alone adds to COUNTER, so it need not pay for a locked addition. */
static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

uint64_t histogram_read(const atomic_uint_fast64_t *part)
{
    return atomic_load_explicit(part, memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    size_t i = 0;
    while (i < histogram->scale->n && value > histogram->scale->bounds[i]) {
        i++;
    }
    add(&histogram->buckets[i], 1);
    add(&histogram->sum, value);
}
