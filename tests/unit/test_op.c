/* Lists of ops, and the way back to the loop thread. */
#include <pthread.h>

#include "billingd/commit/completions.h"
#include "billingd/commit/op.h"
#include "tests/lib/testkit.h"

/* --- lists ------------------------------------------------------------------------------------ */

static void op_list__pushed__come_out_in_order_and_are_counted(void **state)
{
    struct op ops[3] = {{.bytes = 10}, {.bytes = 20}, {.bytes = 30}};
    struct op_list list = {0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        op_list_push(&list, &ops[i]);
    }
    assert_u64(list.count, 3);
    assert_u64(list.bytes, 60);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(op_list_pop(&list), &ops[i]);
        assert_null(ops[i].next);
    }
    assert_null(op_list_pop(&list));
    assert_u64(list.count + list.bytes, 0);
    op_list_push(&list, &ops[1]); /* usable again */
    assert_ptr_equal(list.last, &ops[1]);
    assert_ptr_equal(op_list_pop(&list), &ops[1]);
}

static void op_list_append__any_of_both_empty__keeps_order_and_sums(void **state)
{
    struct op ops[4] = {{.bytes = 1}, {.bytes = 2}, {.bytes = 4}, {.bytes = 8}};
    struct op_list to = {0};
    struct op_list from = {0};
    (void)state;
    op_list_append(&to, &from); /* both empty */
    assert_null(to.first);
    op_list_push(&from, &ops[0]);
    op_list_push(&from, &ops[1]);
    op_list_append(&to, &from); /* to empty */
    assert_null(from.first);
    assert_u64(from.count + from.bytes, 0);
    op_list_append(&to, &from); /* from empty */
    op_list_push(&from, &ops[2]);
    op_list_push(&from, &ops[3]);
    op_list_append(&to, &from);
    assert_u64(to.count, 4);
    assert_u64(to.bytes, 15);
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(op_list_pop(&to), &ops[i]);
    }
}

/* --- completions ------------------------------------------------------------------------------ */

struct note {
    struct op op;
    int id;
};

static int done_ids[64];
static size_t n_done;
static unsigned wakes;

static void done_cb(struct op *op)
{
    done_ids[n_done++] = ((struct note *)(void *)op)->id;
}

static void wake_cb(void *arg)
{
    ++*(unsigned *)arg;
}

static void push_one(struct completions *completions, struct note *note, int id)
{
    struct op_list list = {0};
    *note = (struct note){.op = {.done = done_cb}, .id = id};
    op_list_push(&list, &note->op);
    completions_push(completions, &list);
    assert_null(list.first);
}

static void completions__pushed_while_not_empty__wake_once_and_drain_in_order(void **state)
{
    struct completions completions;
    struct note notes[4];
    (void)state;
    n_done = 0;
    wakes = 0;
    completions_init(&completions, wake_cb, &wakes);
    assert_u64(completions_drain(&completions), 0);
    for (int i = 0; i < 3; i++) {
        push_one(&completions, &notes[i], i);
    }
    assert_u64(wakes, 1);
    assert_u64(completions_drain(&completions), 3);
    push_one(&completions, &notes[3], 3);
    assert_u64(wakes, 2);
    assert_u64(completions_drain(&completions), 1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(done_ids[i], i);
    }
    completions_done(&completions);
}

static void completions__urgent__go_first_and_the_others_by_parts(void **state)
{
    struct completions completions;
    struct note notes[5];
    struct op_list urgent = {0};
    (void)state;
    n_done = 0;
    wakes = 0;
    completions_init(&completions, wake_cb, &wakes);
    for (int i = 0; i < 4; i++) {
        push_one(&completions, &notes[i], i);
    }
    assert_u64(completions_drain_some(&completions, 3), 3);
    notes[4] = (struct note){.op = {.done = done_cb}, .id = 4};
    op_list_push(&urgent, &notes[4].op);
    completions_push_both(&completions, &urgent, &(struct op_list){0});
    assert_u64(wakes, 2);
    assert_u64(completions_drain_urgent(&completions), 1);
    assert_int_equal(done_ids[3], 4);
    assert_u64(completions_drain_urgent(&completions), 0);
    assert_u64(completions_drain_some(&completions, 3), 1);
    assert_int_equal(done_ids[4], 3);
    completions_done(&completions);
}

/* --- turns ------------------------------------------------------------------------------------ */

enum {
    TURN_OPS = 12, /* of OP_BYTES each, at most */
    OP_BYTES = FAIR_QUEUE_TURN_BYTES / TURN_OPS,
};

/* N of ASKER, whose ids begin at ID, pushed together. */
static void push_of(struct completions *completions, unsigned asker, int id, int n)
{
    struct note *notes = testkit_alloc((size_t)n * sizeof *notes);
    struct op_list list = {0};
    for (int i = 0; i < n; i++) {
        notes[i] =
            (struct note){.op = {.done = done_cb, .asker = asker, .bytes = OP_BYTES}, .id = id + i};
        op_list_push(&list, &notes[i].op);
    }
    completions_push(completions, &list);
}

/* What one has ready keeps the answers of another waiting for a turn, not for all of it; and each
 * one's are in order. */
static void completions__much_of_one_is_ready__the_other_waits_for_a_turn(void **state)
{
    enum { MANY = 50, FEW = 5, OTHER = 100 };
    struct completions completions;
    (void)state;
    n_done = 0;
    completions_init(&completions, wake_cb, &wakes);
    push_of(&completions, 1, 0, MANY);
    assert_u64(completions_drain_some(&completions, 1), 1);
    push_of(&completions, 2, OTHER, FEW);
    assert_u64(completions_drain_some(&completions, TURN_OPS + FEW), TURN_OPS + FEW);
    int of_the_other = 0;
    int of_the_first = 0;
    for (size_t i = 0; i < n_done; i++) {
        bool is_other = done_ids[i] >= OTHER;
        int expected = is_other ? OTHER + of_the_other++ : of_the_first++;
        assert_int_equal(done_ids[i], expected);
    }
    assert_int_equal(of_the_other, FEW);
    assert_u64(completions_drain(&completions), MANY - of_the_first);
    completions_done(&completions);
}

/* Whoever is told that a key was revoked has been told that it was made, and all before it. */
static void completions__in_order__overtakes_nothing(void **state)
{
    enum { MANY = 40, KEY = 200 };
    struct completions completions;
    struct note key = {.op = {.done = done_cb, .asker = 2, .in_order = true}, .id = KEY};
    struct op_list list = {0};
    (void)state;
    n_done = 0;
    completions_init(&completions, wake_cb, &wakes);
    push_of(&completions, 1, 0, MANY);
    op_list_push(&list, &key.op);
    completions_push(&completions, &list);
    push_of(&completions, 3, MANY, 1); /* and is not overtaken */
    while (n_done < MANY + 2) {
        assert_true(completions_drain_some(&completions, 3) > 0);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(done_ids[i], i);
    }
    assert_int_equal(done_ids[MANY], KEY);
    assert_int_equal(done_ids[MANY + 1], MANY);
    completions_done(&completions);
}

/* --- pushed from within, and by many ---------------------------------------------------------- */

static struct completions *chained;
static struct note chained_note;

static void done_and_push_cb(struct op *op)
{
    done_cb(op);
    push_one(chained, &chained_note, 2);
}

static void completions__pushed_by_done__wait_for_the_next_drain(void **state)
{
    struct completions completions;
    struct note note = {.op = {.done = done_and_push_cb}, .id = 1};
    struct op_list list = {0};
    (void)state;
    n_done = 0;
    wakes = 0;
    chained = &completions;
    completions_init(&completions, wake_cb, &wakes);
    op_list_push(&list, &note.op);
    completions_push(&completions, &list);
    assert_u64(completions_drain(&completions), 1);
    assert_u64(wakes, 2); /* nobody would drain otherwise */
    assert_u64(completions_drain(&completions), 1);
    assert_int_equal(done_ids[1], 2);
    completions_done(&completions);
}

/* --- from many threads ------------------------------------------------------------------------ */

enum {
    THREADS = 4,
    EACH = 2000,
};

struct crowd {
    struct completions completions;
    pthread_mutex_t lock; /* guards woken */
    pthread_cond_t changed;
    unsigned woken;
};

struct pusher {
    struct crowd *crowd;
    struct note notes[EACH];
};

static size_t crowd_done;
static int crowd_last[THREADS];
static bool crowd_ordered;

static void crowd_done_cb(struct op *op)
{
    int id = ((struct note *)(void *)op)->id;
    crowd_ordered = crowd_ordered && crowd_last[id / EACH] < id;
    crowd_last[id / EACH] = id;
    crowd_done++;
}

static void crowd_wake_cb(void *arg)
{
    struct crowd *crowd = arg;
    pthread_mutex_lock(&crowd->lock);
    crowd->woken++;
    pthread_cond_signal(&crowd->changed);
    pthread_mutex_unlock(&crowd->lock);
}

static void *push_many(void *arg)
{
    struct pusher *pusher = arg;
    for (int i = 0; i < EACH; i++) {
        struct op_list list = {0};
        pusher->notes[i].op.done = crowd_done_cb;
        op_list_push(&list, &pusher->notes[i].op);
        completions_push(&pusher->crowd->completions, &list);
    }
    return NULL;
}

static void completions__from_many_threads__all_arrive_each_threads_in_order(void **state)
{
    struct crowd *crowd = testkit_alloc(sizeof *crowd);
    struct pusher *pushers = testkit_alloc(THREADS * sizeof *pushers);
    pthread_t threads[THREADS];
    (void)state;
    crowd_ordered = true;
    crowd_done = 0;
    assert_int_equal(pthread_mutex_init(&crowd->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&crowd->changed, NULL), 0);
    completions_init(&crowd->completions, crowd_wake_cb, crowd);
    for (int t = 0; t < THREADS; t++) {
        crowd_last[t] = -1;
        pushers[t].crowd = crowd;
        for (int i = 0; i < EACH; i++) {
            pushers[t].notes[i].id = t * EACH + i;
        }
        assert_int_equal(pthread_create(&threads[t], NULL, push_many, &pushers[t]), 0);
    }
    while (crowd_done < (size_t)THREADS * EACH) { /* as a loop would: only when woken */
        pthread_mutex_lock(&crowd->lock);
        while (crowd->woken == 0) {
            pthread_cond_wait(&crowd->changed, &crowd->lock);
        }
        crowd->woken = 0;
        pthread_mutex_unlock(&crowd->lock);
        completions_drain(&crowd->completions);
    }
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    }
    assert_true(crowd_ordered);
    completions_done(&crowd->completions);
    assert_int_equal(pthread_cond_destroy(&crowd->changed), 0);
    assert_int_equal(pthread_mutex_destroy(&crowd->lock), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(op_list__pushed__come_out_in_order_and_are_counted),
    cmocka_unit_test(op_list_append__any_of_both_empty__keeps_order_and_sums),
    cmocka_unit_test(completions__pushed_while_not_empty__wake_once_and_drain_in_order),
    cmocka_unit_test(completions__urgent__go_first_and_the_others_by_parts),
    cmocka_unit_test(completions__much_of_one_is_ready__the_other_waits_for_a_turn),
    cmocka_unit_test(completions__in_order__overtakes_nothing),
    cmocka_unit_test(completions__pushed_by_done__wait_for_the_next_drain),
    cmocka_unit_test(completions__from_many_threads__all_arrive_each_threads_in_order),
};

TESTKIT_MAIN(tests)
