/* The sketch: the same rows in any order and any parts leave nothing, and any other do. */
#include "billingd/store/lmdb/verify_sketch.h"
#include "tests/lib/testkit.h"

enum {
    ROWS = 5000,
    CHANGES = 20000,
};

static struct sketch *new_sketch(void)
{
    return testkit_alloc(sizeof(struct sketch));
}

static unsigned count_differing(const struct sketch *sketch)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SKETCH_BUCKETS; i++) {
        n += sketch_differs(sketch, i);
    }
    return n;
}

static struct sum_row random_sum(struct rng *rng)
{
    return (struct sum_row){
        .customer = rng_below(rng, 50),
        .service_high = rng_below(rng, 3),
        .price_mantissa = 3,
        .hour = (uint32_t)rng_below(rng, 40),
        .clocks = SUM_BY_OCCURRED,
        .units_scale = 3,
        .named_by = rng_below(rng, 1000),
        .units_low = 1 + rng_below(rng, 1000),
        .records = (uint16_t)(1 + rng_below(rng, 9)),
        .voided = (uint16_t)rng_below(rng, 9),
        .late = (uint16_t)rng_below(rng, 9),
    };
}

static void places__the_same_in_another_order__leave_nothing(void **state)
{
    struct sketch *sketch = new_sketch();
    (void)state;
    for (uint64_t i = 0; i < ROWS; i++) {
        struct place_row row = {i % 7, (int64_t)i, i << 1};
        sketch_add(sketch, SEGMENT_USAGE, &row, 99);
    }
    for (uint64_t i = ROWS; i-- > 0;) {
        struct place_row row = {i % 7, (int64_t)i, i << 1};
        sketch_take(sketch, SEGMENT_USAGE, &row, 99);
    }
    assert_int_equal(count_differing(sketch), 0);
}

static void places__one_missing_or_twice_or_changed__is_told_by_its_bucket(void **state)
{
    struct rng rng = rng_make("places");
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct sketch *sketch = new_sketch();
        struct place_row row = {rng_next(&rng), (int64_t)(rng_next(&rng) >> 1), rng_next(&rng)};
        uint64_t seed = rng_next(&rng);
        sketch_add(sketch, SEGMENT_LATE, &row, seed);
        assert_int_equal(count_differing(sketch), 1);
        assert_true(sketch_differs(sketch, sketch_bucket(SEGMENT_LATE, &row, seed)));
        sketch_take(sketch, SEGMENT_LATE, &row, seed);
        assert_int_equal(count_differing(sketch), 0);
        sketch_take(sketch, SEGMENT_LATE, &row, seed);
        assert_true(sketch_differs(sketch, sketch_bucket(SEGMENT_LATE, &row, seed)));
        sketch_add(sketch, SEGMENT_LATE, &row, seed);
        row.seq_late ^= UINT64_C(1) << rng_below(&rng, 64);
        sketch_add(sketch, SEGMENT_LATE, &row, seed);
        assert_true(sketch_differs(sketch, sketch_bucket(SEGMENT_LATE, &row, seed)));
    }
}

/* Whatever the parts are that a sum comes in. */
static void sums__in_parts__leave_nothing(void **state)
{
    struct rng rng = rng_make("parts");
    struct sketch *sketch = new_sketch();
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        struct sum_row whole = random_sum(&rng);
        struct sum_row part = whole;
        sketch_add(sketch, SEGMENT_SUMS, &whole, 7);
        for (uint64_t parts = rng_below(&rng, 4); parts > 0; parts--) {
            struct sum_row more = random_sum(&rng);
            memcpy(&more, &whole, SUM_ROW_KEY_BYTES);
            assert_true(sum_row_add(&part, &more));
            sketch_add(sketch, SEGMENT_SUMS, &more, 7);
        }
        part.named_by++; /* which may be of any part */
        sketch_take(sketch, SEGMENT_SUMS, &part, 7);
    }
    assert_int_equal(count_differing(sketch), 0);
}

static void sums__any_bit_changed__is_told(void **state)
{
    struct rng rng = rng_make("bits");
    struct sketch *sketch = new_sketch();
    (void)state;
    for (int i = 0; i < CHANGES; i++) {
        struct sum_row row = random_sum(&rng);
        uint64_t seed = rng_next(&rng);
        sketch_add(sketch, SEGMENT_SUMS, &row, seed);
        struct sum_row changed = row;
        size_t bit;
        do {
            bit = rng_below(&rng, sizeof row * 8);
        } while (bit / 8 >= offsetof(struct sum_row, named_by) &&
                 bit / 8 < offsetof(struct sum_row, named_by) + sizeof row.named_by);
        ((uint8_t *)&changed)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        sketch_take(sketch, SEGMENT_SUMS, &changed, seed);
        assert_true(count_differing(sketch) > 0);
        sketch_add(sketch, SEGMENT_SUMS, &changed, seed);
        sketch_take(sketch, SEGMENT_SUMS, &row, seed);
        assert_int_equal(count_differing(sketch), 0);
    }
}

/* What one has too much the other has too little, in the same bucket or not. */
static void sums__exchanged_figures__are_told(void **state)
{
    struct rng rng = rng_make("exchanged");
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct sketch *sketch = new_sketch();
        struct sum_row a = random_sum(&rng);
        struct sum_row b = random_sum(&rng);
        a.customer = 100;
        sketch_add(sketch, SEGMENT_SUMS, &a, 5);
        sketch_add(sketch, SEGMENT_SUMS, &b, 5);
        a.records++;
        b.records--;
        sketch_take(sketch, SEGMENT_SUMS, &a, 5);
        sketch_take(sketch, SEGMENT_SUMS, &b, 5);
        assert_true(count_differing(sketch) > 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(places__the_same_in_another_order__leave_nothing),
    cmocka_unit_test(places__one_missing_or_twice_or_changed__is_told_by_its_bucket),
    cmocka_unit_test(sums__in_parts__leave_nothing),
    cmocka_unit_test(sums__any_bit_changed__is_told),
    cmocka_unit_test(sums__exchanged_figures__are_told),
};

TESTKIT_MAIN(tests)
