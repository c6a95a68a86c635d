#include "bench/latency.h"

enum {
    SUB_BUCKETS = 1 << LATENCY_SUB_BITS,
};

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB_BUCKETS) {
        return (unsigned)ns;
    }
    unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - LATENCY_SUB_BITS;
    return (shift << LATENCY_SUB_BITS) + (unsigned)(ns >> shift);
}

/* The largest value that falls into BUCKET. */
static int64_t bucket_end(unsigned bucket)
{
    if (bucket < SUB_BUCKETS) {
        return bucket;
    }
    unsigned shift = (bucket >> LATENCY_SUB_BITS) - 1;
    uint64_t sub = (bucket & (SUB_BUCKETS - 1)) + SUB_BUCKETS;
    return (int64_t)(((sub + 1) << shift) - 1);
}

void latency_add(struct latency *latency, int64_t ns)
{
    if (ns < 0) {
        ns = 0;
    }
    latency->counts[bucket_of((uint64_t)ns)]++;
    latency->n++;
    if (ns > latency->max_ns) {
        latency->max_ns = ns;
    }
}

int64_t latency_quantile_ns(const struct latency *latency, unsigned per_mille)
{
    uint64_t wanted = latency->n - latency->n * (1000 - per_mille) / 1000;
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS && wanted > 0; i++) {
        seen += latency->counts[i];
        if (seen >= wanted) {
            int64_t end = bucket_end(i);
            return end < latency->max_ns ? end : latency->max_ns;
        }
    }
    return latency->max_ns;
}
