/* The queue that askers share: whose turn it is, what stays in order, and who is let in when. */
#include "billingd/commit/fair_queue.h"
#include "tests/lib/testkit.h"

enum {
    SMALL = 4096, /* bytes of an op: some fifty of them are a turn */
};

static struct fair_queue queue;

static int begin(void **state)
{
    (void)state;
    return fair_queue_init(&queue);
}

static int end(void **state)
{
    (void)state;
    fair_queue_done(&queue);
    return 0;
}

/* N ops of ASKER; their order is in deadline_us. */
static struct op *push(unsigned asker, size_t n, size_t bytes)
{
    struct op *ops = testkit_alloc(n * sizeof *ops);
    for (size_t i = 0; i < n; i++) {
        ops[i] = (struct op){.asker = asker, .bytes = bytes, .deadline_us = (int64_t)i};
        fair_queue_push(&queue, &ops[i]);
    }
    return ops;
}

static size_t count_of(const struct op_list *list, unsigned asker)
{
    size_t n = 0;
    for (const struct op *op = list->first; op != NULL; op = op->next) {
        n += op->asker == asker;
    }
    return n;
}

static void pop__one_asker__in_the_order_of_arrival(void **state)
{
    (void)state;
    push(7, 1000, SMALL);
    for (int64_t i = 0; i < 1000; i++) {
        assert_i64(fair_queue_pop(&queue)->deadline_us, i);
    }
    assert_null(fair_queue_pop(&queue));
    assert_u64(queue.ops + queue.bytes + queue.askers, 0);
}

/* Whoever comes with one op waits for one turn of each other, not for all that they have. */
static void pop__a_flood_before_it__a_lone_op_waits_for_one_turn(void **state)
{
    (void)state;
    push(1, 100000, SMALL);
    push(2, 1, SMALL);
    size_t before = 0;
    while (fair_queue_pop(&queue)->asker != 2) {
        before++;
    }
    assert_true(before <= FAIR_QUEUE_TURN_BYTES / SMALL);
}

/* Who has had nothing waiting is next, whatever is left of another one's turn. */
static void pop__a_newcomer__is_next(void **state)
{
    (void)state;
    push(1, 100, SMALL);
    fair_queue_pop(&queue); /* its own first turn begins */
    for (int i = 0; i < 20; i++) {
        fair_queue_pop(&queue); /* and is over */
    }
    push(2, 1, SMALL);
    assert_int_equal(fair_queue_pop(&queue)->asker, 2);
    assert_int_equal(fair_queue_pop(&queue)->asker, 1);
}

/* Who comes and goes is no newcomer again until the others have had a turn. */
static void pop__a_newcomer_again_and_again__leaves_the_others_their_turns(void **state)
{
    size_t of_the_other = 0;
    (void)state;
    push(1, 1000, SMALL);
    for (int i = 0; i < 30; i++) {
        fair_queue_pop(&queue);
    }
    for (int i = 0; i < 200; i++) {
        push(2, FAIR_QUEUE_TURN_BYTES / SMALL, SMALL); /* what a turn is worth and more */
        for (int j = 0; j < FAIR_QUEUE_TURN_BYTES / SMALL; j++) {
            of_the_other += fair_queue_pop(&queue)->asker == 1;
        }
        if (queue.shares[1].ops.first == NULL) {
            push(1, 1000, SMALL);
        }
    }
    assert_in_range(of_the_other, 200 * (FAIR_QUEUE_TURN_BYTES / SMALL) * 2 / 5,
                    200 * (FAIR_QUEUE_TURN_BYTES / SMALL) * 3 / 5);
}

static void pop__both_have_much__each_gets_half_in_bytes(void **state)
{
    size_t bytes[3] = {0};
    (void)state;
    push(1, 10000, SMALL);
    push(2, 10000, (size_t)4 * SMALL);
    for (int i = 0; i < 5000; i++) {
        struct op *op = fair_queue_pop(&queue);
        bytes[op->asker] += op->bytes + FAIR_QUEUE_OP_BYTES;
    }
    size_t apart = bytes[1] > bytes[2] ? bytes[1] - bytes[2] : bytes[2] - bytes[1];
    assert_true(apart <= (size_t)2 * FAIR_QUEUE_TURN_BYTES);
}

/* An op that costs more than a turn is not cut; what it overdraws is waited out. */
static void pop__huge_ops_of_one__the_other_gets_as_much_in_between(void **state)
{
    size_t small = 0;
    (void)state;
    push(1, 10, (size_t)16 * FAIR_QUEUE_TURN_BYTES);
    push(2, 100000, SMALL);
    for (unsigned huge = 0; huge < 4;) {
        unsigned asker = fair_queue_pop(&queue)->asker;
        huge += asker == 1;
        small += asker == 2;
    }
    size_t turns = small * (SMALL + FAIR_QUEUE_OP_BYTES) / FAIR_QUEUE_TURN_BYTES;
    assert_true(turns >= 3 * 15 && turns <= 3 * 18);
}

/* Against a plain model: each asker's ops come out in order, all of them, once. */
static void pop__random_askers__each_keeps_its_order_and_nothing_is_lost(void **state)
{
    struct rng rng = rng_make("fair_queue");
    int64_t pushed[8] = {0};
    int64_t popped[8] = {0};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned asker = (unsigned)rng_below(&rng, 8);
        uint64_t choice = rng_below(&rng, 8);
        if (choice == 0) {
            struct op_list group = {0};
            fair_queue_take_small(&queue, 2, SIZE_MAX, 300000, &group);
            for (struct op *op = group.first; op != NULL; op = op->next) {
                assert_i64(op->deadline_us, popped[op->asker]++);
            }
        } else if (choice < 5) {
            struct op *op = testkit_alloc(sizeof *op);
            *op = (struct op){.asker = asker,
                              .bytes = (size_t)rng_below(&rng, 600000),
                              .deadline_us = pushed[asker]++};
            fair_queue_push(&queue, op);
        } else {
            struct op *op = fair_queue_pop(&queue);
            if (op != NULL) {
                assert_i64(op->deadline_us, popped[op->asker]);
                popped[op->asker]++;
            }
        }
    }
    for (struct op *op = fair_queue_pop(&queue); op != NULL; op = fair_queue_pop(&queue)) {
        assert_i64(op->deadline_us, popped[op->asker]);
        popped[op->asker]++;
    }
    assert_memory_equal(pushed, popped, sizeof pushed);
    assert_u64(queue.ops + queue.bytes + queue.askers, 0);
}

static void take__many_askers__fills_the_group_with_all_of_them(void **state)
{
    struct op_list group = {0};
    (void)state;
    push(1, 100000, SMALL);
    push(2, 10, SMALL);
    push(3, 10, SMALL);
    fair_queue_take(&queue, 4096, SIZE_MAX, &group);
    assert_u64(group.count, 4096);
    assert_u64(count_of(&group, 2), 10);
    assert_u64(count_of(&group, 3), 10);
    assert_u64(queue.ops, 100020 - 4096);
}

static void take__bytes__are_not_gone_past_but_by_one_alone(void **state)
{
    struct op_list group = {0};
    (void)state;
    push(1, 3, 1000);
    fair_queue_take(&queue, 100, 2500, &group);
    assert_u64(group.count, 2);
    group = (struct op_list){0};
    fair_queue_take(&queue, 100, 10, &group);
    assert_u64(group.count, 1);
    assert_u64(queue.askers, 0);
}

/* --- level ------------------------------------------------------------------------------------ */

enum {
    TURN_OPS = FAIR_QUEUE_TURN_BYTES / (SMALL + FAIR_QUEUE_OP_BYTES) + 1,
};

/* Of four thousand that one has waiting no more are taken than of the other's thousand. */
static void take_level__one_has_much_more__it_gets_as_much_as_the_other(void **state)
{
    struct op_list group = {0};
    (void)state;
    push(1, 4000, SMALL);
    push(2, 1000, SMALL);
    fair_queue_take_level(&queue, 10000, SIZE_MAX, FAIR_QUEUE_TURN_BYTES, &group);
    assert_u64(count_of(&group, 2), 1000);
    assert_in_range(count_of(&group, 1), 1000 - TURN_OPS, 1000 + TURN_OPS);
    assert_u64(queue.ops, 5000 - group.count);
}

/* Over many groups it is as much, whoever comes first: each is in step with the other's. */
static void take_level__again_and_again__both_get_the_same(void **state)
{
    enum { GROUPS = 100, OTHER = 300 };
    size_t of_one = 0;
    (void)state;
    push(1, (size_t)GROUPS * OTHER * 2, SMALL);
    for (int i = 0; i < GROUPS; i++) {
        struct op_list group = {0};
        push(2, OTHER, SMALL);
        fair_queue_take_level(&queue, 10000, SIZE_MAX, FAIR_QUEUE_TURN_BYTES, &group);
        assert_u64(count_of(&group, 2), OTHER);
        of_one += count_of(&group, 1);
    }
    assert_in_range(of_one, GROUPS * (OTHER - TURN_OPS), GROUPS * (OTHER + TURN_OPS));
}

/* So little of the other that a group would be hardly worth its sync: it is filled up to the bytes
 * that are always free. */
static void take_level__the_other_has_little__the_group_is_filled_up(void **state)
{
    enum { FREE = 200 };
    struct op_list group = {0};
    (void)state;
    push(1, 4000, SMALL);
    push(2, 3, SMALL);
    fair_queue_take_level(&queue, 10000, SIZE_MAX, (size_t)FREE * SMALL, &group);
    assert_u64(count_of(&group, 2), 3);
    assert_u64(group.count, FREE);
}

/* The other is on its way back, and is not to find a huge group before it. */
static void take_level__nothing_of_the_other__no_more_than_is_free(void **state)
{
    enum { FREE = 200 };
    struct op_list group = {0};
    (void)state;
    push(1, 4000, SMALL);
    fair_queue_take_level(&queue, 10000, SIZE_MAX, (size_t)FREE * SMALL, &group);
    assert_u64(group.count, FREE);
    group = (struct op_list){0};
    fair_queue_take_level(&queue, 10, SIZE_MAX, (size_t)FREE * SMALL, &group);
    assert_u64(group.count, 10); /* the bounds hold all the same */
    group = (struct op_list){0};
    fair_queue_take_level(&queue, 10000, (size_t)20 * SMALL, (size_t)FREE * SMALL, &group);
    assert_u64(group.count, 20);
    group = (struct op_list){0};
    fair_queue_take_level(&queue, 10000, SIZE_MAX, 1, &group);
    assert_u64(group.count, 1); /* and one that is too large goes alone */
}

/* --- small ------------------------------------------------------------------------------------ */

/* Whose next op is too large is passed over with all that is behind it, and is the next after. */
static void take_small__whose_next_is_large__keeps_its_place(void **state)
{
    struct op_list group = {0};
    (void)state;
    push(1, 1, (size_t)2 * SMALL);
    push(1, 5, SMALL);
    push(2, 10, SMALL);
    push(3, 1, SMALL);
    push(3, 1, (size_t)2 * SMALL);
    assert_true(fair_queue_has_small(&queue, SMALL));
    fair_queue_take_small(&queue, 8, SIZE_MAX, SMALL, &group);
    assert_u64(group.count, 8);
    fair_queue_take_small(&queue, 100, SIZE_MAX, SMALL, &group);
    assert_u64(count_of(&group, 1), 0);
    assert_u64(count_of(&group, 2), 10);
    assert_u64(count_of(&group, 3), 1);
    assert_false(fair_queue_has_small(&queue, SMALL));
    fair_queue_take_small(&queue, 100, SIZE_MAX, SMALL, &group);
    assert_u64(group.count, 11);
    push(4, 1, SMALL);
    group = (struct op_list){0};
    fair_queue_take(&queue, 100, SIZE_MAX, &group);
    assert_u64(count_of(&group, 1), 6);
    assert_u64(count_of(&group, 3), 1);
    assert_u64(count_of(&group, 4), 1);
    assert_u64(queue.ops + queue.bytes + queue.askers, 0);
}

static void take_small__bytes__are_not_gone_past_but_by_one_alone(void **state)
{
    struct op_list group = {0};
    (void)state;
    push(1, 3, 1000);
    fair_queue_take_small(&queue, 100, 2500, 1000, &group);
    assert_u64(group.count, 2);
    group = (struct op_list){0};
    fair_queue_take_small(&queue, 100, 10, 1000, &group);
    assert_u64(group.count, 1);
    assert_false(fair_queue_has_small(&queue, 1000));
}

static void append__goes_behind_what_each_asker_has(void **state)
{
    struct fair_queue more;
    struct op_list all = {0};
    int64_t at[6] = {0};
    (void)state;
    assert_ok(fair_queue_init(&more));
    struct op ops[6];
    for (int i = 0; i < 6; i++) {
        ops[i] = (struct op){.asker = 1 + (unsigned)i % 2, .bytes = 10, .deadline_us = i / 2};
        fair_queue_push(i < 3 ? &queue : &more, &ops[i]);
    }
    fair_queue_append(&queue, &more, 77);
    assert_u64(more.ops + more.bytes + more.askers, 0);
    assert_u64(queue.ops, 6);
    assert_u64(queue.bytes, 60);
    assert_i64(queue.shares[1].since_us, 0); /* it was there before */
    fair_queue_push(&more, &(struct op){.asker = 5, .bytes = 10});
    fair_queue_append(&queue, &more, 78);
    assert_i64(queue.shares[5].since_us, 78);
    fair_queue_take(&queue, 100, 1000, &all);
    for (struct op *op = all.first; op != NULL; op = op->next) {
        assert_i64(op->deadline_us, at[op->asker]++);
    }
    fair_queue_done(&more);
}

/* --- room ------------------------------------------------------------------------------------- */

static struct fair_load load_of(size_t ops, size_t own_ops, size_t askers)
{
    return (struct fair_load){
        .ops = ops,
        .bytes = ops * 10,
        .own_ops = own_ops,
        .own_bytes = own_ops * 10,
        .askers = askers,
        .ops_max = 100,
        .bytes_max = 1000,
    };
}

static void has_room__table(void **state)
{
    (void)state;
    static const struct {
        size_t ops, own_ops, askers, bytes;
        bool room;
    } cases[] = {
        {0, 0, 0, 5000, true},    /* an empty queue takes any */
        {99, 99, 1, 10, true},    /* a lone asker has all of it */
        {100, 100, 1, 10, false}, /* and no more */
        {99, 99, 1, 11, false},   /* in bytes too */
        {100, 0, 1, 10, true},    /* who holds nothing is let into a full one */
        {100, 0, 1, 900, true},   /* with whatever it brings, up to twice the bound */
        {100, 0, 1, 1001, false}, /* but no further */
        {130, 49, 2, 10, true},   /* who holds less than its share too */
        {130, 50, 2, 10, false},  /* who holds it not */
        {130, 30, 2, 201, false}, /* nor where it would hold more */
        {130, 100, 2, 10, false}, /* nor the one that fills it */
        {150, 33, 3, 10, false},  /* a share is smaller among more */
        {200, 0, 5, 10, false},   /* twice the bound is the end for all */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fair_load load = load_of(cases[i].ops, cases[i].own_ops, cases[i].askers);
        if (fair_load_has_room(&load, cases[i].bytes) != cases[i].room) {
            testkit_fail("case %zu", i);
        }
    }
}

static void is_pressed__table(void **state)
{
    (void)state;
    static const struct {
        size_t ops, own_ops, askers;
        bool pressed;
    } cases[] = {
        {50, 50, 1, false}, {51, 51, 1, true},  {51, 0, 1, false},
        {90, 1, 2, false},  {90, 26, 2, true},  {90, 25, 2, false},
        {90, 89, 2, true},  {40, 40, 5, false}, {100, 1, 100, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fair_load load = load_of(cases[i].ops, cases[i].own_ops, cases[i].askers);
        if (fair_load_is_pressed(&load) != cases[i].pressed) {
            testkit_fail("case %zu", i);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(pop__one_asker__in_the_order_of_arrival, begin, end),
    cmocka_unit_test_setup_teardown(pop__a_flood_before_it__a_lone_op_waits_for_one_turn, begin,
                                    end),
    cmocka_unit_test_setup_teardown(pop__a_newcomer__is_next, begin, end),
    cmocka_unit_test_setup_teardown(pop__a_newcomer_again_and_again__leaves_the_others_their_turns,
                                    begin, end),
    cmocka_unit_test_setup_teardown(pop__both_have_much__each_gets_half_in_bytes, begin, end),
    cmocka_unit_test_setup_teardown(pop__huge_ops_of_one__the_other_gets_as_much_in_between, begin,
                                    end),
    cmocka_unit_test_setup_teardown(pop__random_askers__each_keeps_its_order_and_nothing_is_lost,
                                    begin, end),
    cmocka_unit_test_setup_teardown(take__many_askers__fills_the_group_with_all_of_them, begin,
                                    end),
    cmocka_unit_test_setup_teardown(take__bytes__are_not_gone_past_but_by_one_alone, begin, end),
    cmocka_unit_test_setup_teardown(take_level__one_has_much_more__it_gets_as_much_as_the_other,
                                    begin, end),
    cmocka_unit_test_setup_teardown(take_level__again_and_again__both_get_the_same, begin, end),
    cmocka_unit_test_setup_teardown(take_level__the_other_has_little__the_group_is_filled_up, begin,
                                    end),
    cmocka_unit_test_setup_teardown(take_level__nothing_of_the_other__no_more_than_is_free, begin,
                                    end),
    cmocka_unit_test_setup_teardown(take_small__whose_next_is_large__keeps_its_place, begin, end),
    cmocka_unit_test_setup_teardown(take_small__bytes__are_not_gone_past_but_by_one_alone, begin,
                                    end),
    cmocka_unit_test_setup_teardown(append__goes_behind_what_each_asker_has, begin, end),
    cmocka_unit_test(has_room__table),
    cmocka_unit_test(is_pressed__table),
};

TESTKIT_MAIN(tests)
