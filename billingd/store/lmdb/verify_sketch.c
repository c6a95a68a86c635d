#include "billingd/store/lmdb/verify_sketch.h"

#include <xxhash.h>

static const uint64_t modulus = AMOUNT_RESIDUE_MODULUS;

static uint64_t times(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b % modulus);
}

/* What tells a row from all others; of a sum, what its figures are about. */
static XXH128_hash_t hash_of(enum segment_table table, const void *row, uint64_t seed)
{
    size_t bytes = table == SEGMENT_SUMS ? SUM_ROW_KEY_BYTES : segment_row_bytes(table);
    return XXH3_128bits_withSeed(row, bytes, seed);
}

/* The figures of a sum as one number, whose digits to the base SEED they are: of the sum of two,
 * it is the sum.  What units cost follows from the price, by which the row is weighted. */
static uint64_t figures_of(const struct sum_row *row, uint64_t seed)
{
    struct amount units;
    struct amount amount;
    uint64_t base = seed % modulus;
    if (sum_row_amounts(row, &units, &amount) < 0) { /* no records do: so it differs */
        return XXH3_64bits_withSeed(row, sizeof *row, seed) % modulus;
    }
    uint64_t value = amount_residue(units);
    value = (times(value, base) + row->unused) % modulus;
    value = (times(value, base) + row->late) % modulus;
    value = (times(value, base) + row->voided) % modulus;
    return (times(value, base) + row->records) % modulus;
}

static uint64_t weigh(enum segment_table table, const void *row, uint64_t seed,
                      unsigned *ret_bucket)
{
    XXH128_hash_t hash = hash_of(table, row, seed);
    uint64_t weight = hash.high64 % modulus;
    *ret_bucket = (unsigned)(hash.low64 % SKETCH_BUCKETS);
    return table == SEGMENT_SUMS ? times(weight, figures_of(row, seed)) : weight;
}

unsigned sketch_bucket(enum segment_table table, const void *row, uint64_t seed)
{
    return (unsigned)(hash_of(table, row, seed).low64 % SKETCH_BUCKETS);
}

void sketch_add(struct sketch *sketch, enum segment_table table, const void *row, uint64_t seed)
{
    unsigned bucket;
    uint64_t weight = weigh(table, row, seed, &bucket);
    sketch->sums[bucket] = (sketch->sums[bucket] + weight) % modulus;
    sketch->rows[bucket]++;
}

void sketch_take(struct sketch *sketch, enum segment_table table, const void *row, uint64_t seed)
{
    unsigned bucket;
    uint64_t weight = weigh(table, row, seed, &bucket);
    sketch->sums[bucket] = (sketch->sums[bucket] + modulus - weight) % modulus;
    sketch->rows[bucket]++;
}

bool sketch_differs(const struct sketch *sketch, unsigned bucket)
{
    return sketch->sums[bucket] != 0;
}
