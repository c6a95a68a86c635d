/* Memory of one request: zeroed, aligned, bounded. */
#include <signal.h>

#include "billingd/base/arena.h"
#include "tests/lib/child.h"
#include "tests/lib/testkit.h"

static bool is_zeroed(const void *memory, size_t bytes)
{
    const unsigned char *at = memory;
    for (size_t i = 0; i < bytes; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

static void arena_alloc__any_size__is_zeroed_aligned_and_apart(void **state)
{
    struct rng rng = rng_make("arena sizes");
    struct arena arena;
    unsigned char *before = NULL;
    size_t before_bytes = 0;
    (void)state;
    arena_init(&arena, 64 * 1024 * 1024);
    for (int i = 0; i < 3000; i++) {
        size_t bytes = rng_below(&rng, i % 100 == 0 ? 100000 : 300) + 1;
        unsigned char *memory = arena_alloc(&arena, bytes);
        assert_non_null(memory);
        assert_u64((uintptr_t)memory % 16, 0);
        assert_true(is_zeroed(memory, bytes));
        memset(memory, 0xA5, bytes);
        if (before != NULL) { /* nobody wrote into the one before */
            assert_u64(before[0], 0xA5);
            assert_u64(before[before_bytes - 1], 0xA5);
        }
        before = memory;
        before_bytes = bytes;
    }
    arena_done(&arena);
}

static void arena_reset__first_chunk__is_used_again_and_zeroed(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 100000);
    char *first = arena_alloc(&arena, 100);
    memset(first, 0xA5, 100);
    assert_non_null(arena_alloc(&arena, 50000));
    arena_reset(&arena, 8000);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    assert_true(is_zeroed(first, 100));
    assert_null(arena_alloc(&arena, 8000 - 100)); /* the chunk counts against the new budget */
    arena_reset(&arena, 992);                     /* which it would exceed */
    assert_u64(arena_bytes(&arena), 0);
    assert_non_null(arena_alloc(&arena, 992));
    assert_null(arena_alloc(&arena, 1));
    arena_done(&arena);
}

static void arena_alloc__nothing__is_no_failure(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 4096);
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_need(&arena, 0));
    assert_non_null(arena_alloc_array(&arena, 0, 100));
    arena_done(&arena);
}

static void arena_alloc__beyond_its_budget__is_null_and_what_is_there_stays(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 10000);
    char *first = arena_alloc(&arena, 6000);
    assert_non_null(first);
    memset(first, 7, 6000);
    assert_null(arena_alloc(&arena, 6000));
    assert_non_null(arena_alloc(&arena, 3000));
    assert_null(arena_alloc(&arena, 3000));
    assert_u64(first[5999], 7);
    assert_true(arena_bytes(&arena) <= 10000);
    arena_done(&arena);
}

static void arena_alloc__the_whole_budget__fits(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1024 * 1024);
    assert_non_null(arena_alloc(&arena, 1024 * 1024));
    assert_null(arena_alloc(&arena, 1));
    arena_done(&arena);
}

static void arena_alloc__sizes_that_overflow__are_null(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 15));
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc_array(&arena, 3, SIZE_MAX / 2));
    arena_done(&arena);
}

static void arena_set_budget__after_exhaustion__lets_more_be_taken(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 100);
    assert_null(arena_alloc(&arena, 200));
    arena_set_budget(&arena, 1000);
    assert_non_null(arena_alloc(&arena, 200));
    assert_true(arena_bytes(&arena) >= 200 && arena_bytes(&arena) <= 1100);
    arena_done(&arena);
}

static void arena_copy__text__is_a_copy_and_empty_is_empty(void **state)
{
    struct arena arena;
    char text[] = "abc";
    struct slice copy = SLICE("before");
    (void)state;
    arena_init(&arena, 32);
    assert_ok(arena_copy(&arena, (struct slice){text, 3}, &copy));
    text[0] = 'x';
    assert_text(copy.data, copy.length, "abc");
    assert_ok(arena_copy(&arena, (struct slice){0}, &copy));
    assert_u64(copy.length, 0);
    copy = SLICE("kept");
    assert_status(arena_copy(&arena, SLICE("this is more than what is left of it"), &copy),
                  STATUS_TOO_LARGE);
    assert_text(copy.data, copy.length, "kept");
    arena_done(&arena);
}

static void arena_printf__long_text__is_cut_and_no_room_is_empty(void **state)
{
    struct arena arena;
    char text[2000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    arena_init(&arena, 4096);
    struct slice made = arena_printf(&arena, "%d-%s", 7, "abc");
    assert_text(made.data, made.length, "7-abc");
    made = arena_printf(&arena, "%s", text);
    assert_true(made.length > 100 && made.length < sizeof text);
    arena_done(&arena);

    arena_init(&arena, 8);
    assert_u64(arena_printf(&arena, "%s", text).length, 0);
    arena_done(&arena);
}

static void need_too_much(void *arg)
{
    struct arena arena;
    (void)arg;
    arena_init(&arena, 10);
    arena_need(&arena, 11);
}

static void arena_need__beyond_its_budget__aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(need_too_much, NULL), -SIGABRT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(arena_alloc__any_size__is_zeroed_aligned_and_apart),
    cmocka_unit_test(arena_reset__first_chunk__is_used_again_and_zeroed),
    cmocka_unit_test(arena_alloc__nothing__is_no_failure),
    cmocka_unit_test(arena_alloc__beyond_its_budget__is_null_and_what_is_there_stays),
    cmocka_unit_test(arena_alloc__the_whole_budget__fits),
    cmocka_unit_test(arena_alloc__sizes_that_overflow__are_null),
    cmocka_unit_test(arena_set_budget__after_exhaustion__lets_more_be_taken),
    cmocka_unit_test(arena_copy__text__is_a_copy_and_empty_is_empty),
    cmocka_unit_test(arena_printf__long_text__is_cut_and_no_room_is_empty),
    cmocka_unit_test(arena_need__beyond_its_budget__aborts),
};

TESTKIT_MAIN(tests)
