/* The table of request ids, against a plain list.
 *
 * Linked with -Wl,--wrap=calloc. */
#include <signal.h>
#include <stdlib.h>

#include "billingd/store/lmdb/request_table.h"
#include "tests/lib/child.h"
#include "tests/lib/testkit.h"

/* --- the heap --------------------------------------------------------------------------------- */

static bool heap_is_empty; /* the next allocation fails */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

void *__wrap_calloc(size_t count, size_t size)
{
    return heap_is_empty ? NULL : __real_calloc(count, size);
}

/* --- the model -------------------------------------------------------------------------------- */

enum {
    ROWS_MAX = 20000,
};

static struct request_row rows[ROWS_MAX];
static size_t n_rows;

static void add(struct request_table *table, uint64_t high, uint64_t low, uint64_t seq)
{
    struct request_row row = {high, low, seq};
    assert_ok(request_table_reserve(table, 1));
    request_table_add(table, row);
    rows[n_rows++] = row;
}

/* Every row that may have this fingerprint comes once, and no other; none has a seq of 64 or more
 * bits. */
static void check(const struct request_table *table, uint64_t low)
{
    uint64_t expected = 0;
    uint64_t got = 0;
    size_t n_expected = 0;
    size_t n_got = 0;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < n_rows; i++) {
        if ((uint32_t)rows[i].low == (uint32_t)low) { /* all that it keeps */
            expected += rows[i].seq * rows[i].seq;
            n_expected++;
        }
    }
    request_table_prefetch(table, low);
    for (uint64_t seq; (seq = request_table_next(table, low, &at)) != 0; n_got++) {
        got += seq * seq;
        assert_true(n_got < n_expected);
    }
    assert_u64(n_got, n_expected);
    assert_u64(got, expected);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* Fingerprints of BOUND values for each half: with few, many are equal and all want the same
 * slots. */
static void fill_and_check(uint64_t bound, size_t n, const char *name)
{
    struct rng rng = rng_make(name);
    struct request_table table;
    request_table_init(&table);
    n_rows = 0;
    for (size_t i = 0; i < n; i++) {
        add(&table, rng_below(&rng, bound), 0 - rng_below(&rng, bound), i + 1);
        if (i % 16 == 0) {
            size_t known = rng_below(&rng, n_rows);
            check(&table, rows[known].low);
            check(&table, 0 - rng_below(&rng, bound));
        }
    }
    assert_u64(table.n, n);
    assert_true(table.n_slots >= n);
    request_table_done(&table);
}

static void request_table__fingerprints_that_collide__finds_every_row(void **state)
{
    (void)state;
    fill_and_check(4, 300, "collide, 4"); /* from both ends of the table */
    fill_and_check(100, 2000, "collide, 100");
}

static void request_table__random_fingerprints__finds_every_row(void **state)
{
    (void)state;
    fill_and_check(UINT64_MAX, ROWS_MAX, "apart");
}

/* What is left is found, whatever went before it. */
static void remove_and_check(uint64_t bound, size_t n, const char *name)
{
    struct rng rng = rng_make(name);
    struct request_table table;
    request_table_init(&table);
    n_rows = 0;
    for (size_t i = 0; i < n; i++) {
        add(&table, rng_below(&rng, bound), 0 - rng_below(&rng, bound), i + 1);
        if (rng_below(&rng, 3) == 0) {
            size_t gone = rng_below(&rng, n_rows);
            struct request_row row = rows[gone];
            rows[gone] = rows[--n_rows];
            request_table_remove(&table, row);
            request_table_remove(&table, row); /* it is not there */
            assert_u64(table.n, n_rows);
            check(&table, row.low);
        }
        if (n_rows > 0) {
            check(&table, rows[rng_below(&rng, n_rows)].low);
        }
    }
    while (n_rows > 0) {
        request_table_remove(&table, rows[--n_rows]);
    }
    assert_u64(table.n, 0);
    for (size_t i = 0; i < table.n_slots; i++) {
        assert_u64(table.slots[i].offset, 0);
    }
    request_table_done(&table);
}

static void request_table_remove__any_row__leaves_the_others(void **state)
{
    struct request_table empty;
    (void)state;
    remove_and_check(4, 300, "remove, 4");
    remove_and_check(40, 1000, "remove, 40");
    remove_and_check(UINT64_MAX, 2000, "remove, apart");
    request_table_init(&empty);
    request_table_remove(&empty, (struct request_row){1, 2, 3});
}

static void request_table_next__empty__is_none(void **state)
{
    struct request_table table;
    size_t at = SIZE_MAX;
    (void)state;
    request_table_init(&table);
    request_table_prefetch(&table, 2);
    assert_u64(request_table_next(&table, 2, &at), 0);
    assert_ok(request_table_reserve(&table, 10));
    request_table_prefetch(&table, 2);
    assert_u64(request_table_next(&table, 0, &at), 0);
    request_table_done(&table);
}

static void request_table_clear__forgets__and_keeps_room_up_to_its_bound(void **state)
{
    struct request_table table;
    size_t at = SIZE_MAX;
    (void)state;
    request_table_init(&table);
    n_rows = 0;
    add(&table, 1, 2, 3);
    size_t bytes = table.n_slots * sizeof *table.slots;
    request_table_clear(&table, bytes);
    assert_non_null(table.slots);
    assert_u64(request_table_next(&table, 2, &at), 0);
    add(&table, 1, 2, 4);
    assert_u64(request_table_next(&table, 2, &at), 4);
    request_table_clear(&table, bytes - 1);
    assert_null(table.slots);
    assert_u64(table.n_slots, 0);
    at = SIZE_MAX;
    assert_u64(request_table_next(&table, 2, &at), 0);
    add(&table, 1, 2, 5);
    assert_u64(request_table_next(&table, 2, &at), 5);
    request_table_done(&table);
}

static void request_table_reserve__so_many__adds_them_without_memory(void **state)
{
    struct request_table table;
    (void)state;
    request_table_init(&table);
    assert_ok(request_table_reserve(&table, 1000));
    heap_is_empty = true;
    for (uint64_t i = 0; i < 1000; i++) {
        request_table_add(&table, (struct request_row){i, i, i + 1});
    }
    assert_ok(request_table_reserve(&table, 0));
    heap_is_empty = false;
    request_table_done(&table);
}

static void request_table_reserve__no_memory__is_as_it_was(void **state)
{
    struct request_table table;
    size_t at = SIZE_MAX;
    (void)state;
    request_table_init(&table);
    heap_is_empty = true;
    assert_status(request_table_reserve(&table, 1), STATUS_NO_MEMORY);
    heap_is_empty = false;
    n_rows = 0;
    add(&table, 1, 2, 3);
    size_t n_slots = table.n_slots;
    heap_is_empty = true;
    assert_status(request_table_reserve(&table, 1000), STATUS_NO_MEMORY);
    heap_is_empty = false;
    assert_status(request_table_reserve(&table, SIZE_MAX), STATUS_NO_MEMORY);
    assert_status(request_table_reserve(&table, SIZE_MAX / 4), STATUS_NO_MEMORY);
    assert_u64(table.n_slots, n_slots);
    assert_u64(request_table_next(&table, 2, &at), 3);
    request_table_done(&table);
}

static void add_without_room(void *arg)
{
    struct request_table table;
    (void)arg;
    request_table_init(&table);
    request_table_add(&table, (struct request_row){1, 2, 3});
}

static void request_table_add__no_room__aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(add_without_room, NULL), -SIGABRT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(request_table__fingerprints_that_collide__finds_every_row),
    cmocka_unit_test(request_table__random_fingerprints__finds_every_row),
    cmocka_unit_test(request_table_remove__any_row__leaves_the_others),
    cmocka_unit_test(request_table_next__empty__is_none),
    cmocka_unit_test(request_table_clear__forgets__and_keeps_room_up_to_its_bound),
    cmocka_unit_test(request_table_reserve__so_many__adds_them_without_memory),
    cmocka_unit_test(request_table_reserve__no_memory__is_as_it_was),
    cmocka_unit_test(request_table_add__no_room__aborts),
};

TESTKIT_MAIN(tests)
