/* Sorting rows of three words, against qsort(). */
#include <stdlib.h>
#include <string.h>

#include "billingd/store/lmdb/row_sort.h"
#include "tests/lib/testkit.h"

enum {
    ROWS_MAX = 5000,
};

static struct row_words rows[ROWS_MAX];
static struct row_words expected[ROWS_MAX];
static struct row_words scratch[ROWS_MAX];

static int compare(const void *a, const void *b)
{
    const struct row_words *x = a;
    const struct row_words *y = b;
    for (int i = 0; i < 3; i++) {
        if (x->word[i] != y->word[i]) {
            return x->word[i] < y->word[i] ? -1 : 1;
        }
    }
    return 0;
}

static void check(size_t n, unsigned leading_bytes)
{
    memcpy(expected, rows, n * sizeof *rows);
    qsort(expected, n, sizeof *expected, compare);
    row_sort(rows, scratch, n, leading_bytes);
    assert_memory_equal(rows, expected, n * sizeof *rows);
}

/* The words' numbers come from as many values as MASKS have. */
static void fill(struct rng *rng, size_t n, const uint64_t masks[3])
{
    for (size_t i = 0; i < n; i++) {
        for (int word = 0; word < 3; word++) {
            rows[i].word[word] = rng_next(rng) & masks[word];
        }
    }
}

static void row_sort__any_rows__are_as_qsort_has_them(void **state)
{
    static const uint64_t shapes[][3] = {
        {UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {UINT64_MAX, 0, 0},
        {0, UINT64_MAX, 0},
        {0, 0, UINT64_MAX},
        {0, 0, 0},
        {3, UINT64_MAX, 0xFF},
        {0xFFFFFF, 0x3FF, 1},
        {UINT64_C(0xFF000000000000FF), UINT64_C(0x00FF00FF00000000), 7},
        {UINT64_C(1) << 63, 1, UINT64_MAX},
    };
    static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 66, 100, 257, 1000};
    struct rng rng = rng_make("row_sort");
    (void)state;
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (unsigned leading_bytes = 1; leading_bytes <= 16; leading_bytes++) {
                fill(&rng, sizes[i], shapes[shape]);
                check(sizes[i], leading_bytes);
            }
        }
    }
}

static void row_sort__many_rows__are_as_qsort_has_them(void **state)
{
    static const uint64_t shape[3] = {0xFFF, UINT64_MAX >> 20, UINT64_MAX};
    struct rng rng = rng_make("row_sort: many");
    (void)state;
    for (int i = 0; i < 20; i++) {
        fill(&rng, ROWS_MAX, shape);
        check(ROWS_MAX, 16);
        check(ROWS_MAX, 16); /* in order already */
    }
}

/* As sequence numbers do: equal in all that leads, in order in the rest. */
static void row_sort__equal_rows__stay_as_they_came(void **state)
{
    struct rng rng = rng_make("row_sort: equal");
    (void)state;
    for (size_t i = 0; i < ROWS_MAX; i++) {
        rows[i] = (struct row_words){{rng_below(&rng, 3), rng_below(&rng, 3), i}};
    }
    check(ROWS_MAX, 16);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(row_sort__any_rows__are_as_qsort_has_them),
    cmocka_unit_test(row_sort__many_rows__are_as_qsort_has_them),
    cmocka_unit_test(row_sort__equal_rows__stay_as_they_came),
};

TESTKIT_MAIN(tests)
