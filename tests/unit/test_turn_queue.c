/* Who waits for the next turn of the loop, and in which order they go on. */
#include <string.h>

#include "billingd/net/turn_queue.h"
#include "tests/lib/testkit.h"

struct guest {
    struct turn_waiter waiter;
    struct turn_queue *queue;
    struct guest *sends_away; /* NULL: nobody */
    bool again;
    bool is_heard;
    char name;
    char *heard;
};

static void heard_cb(void *arg)
{
    struct guest *guest = arg;
    guest->heard[strlen(guest->heard)] = guest->name;
    if (guest->sends_away != NULL) {
        turn_queue_leave(guest->queue, &guest->sends_away->waiter);
    }
    if (guest->again) {
        turn_queue_wait(guest->queue, &guest->waiter, guest->is_heard);
    }
}

static void queue__goes_in_order_once_a_turn_without_those_who_left(void **state)
{
    uv_loop_t loop;
    struct turn_queue queue;
    char heard[16] = "";
    struct guest guests[4];
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    turn_queue_init(&queue, &loop);
    for (int i = 0; i < 4; i++) {
        guests[i] = (struct guest){.queue = &queue, .name = (char)('a' + i), .heard = heard};
        guests[i].waiter = (struct turn_waiter){.go_on = heard_cb, .connection = &guests[i]};
        turn_queue_wait(&queue, &guests[i].waiter, true);
        turn_queue_wait(&queue, &guests[i].waiter, true); /* it waits already */
    }
    guests[0].again = true;
    guests[1].sends_away = &guests[3]; /* who is last */
    turn_queue_go_on(&queue);
    assert_string_equal(heard, "abc");
    assert_true(uv_is_active((uv_handle_t *)&queue.awake));
    guests[0].again = false;
    turn_queue_go_on(&queue);
    assert_string_equal(heard, "abca");
    assert_false(uv_is_active((uv_handle_t *)&queue.awake));
    turn_queue_close(&queue);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* First, last, and between two others. */
static void queue__some_leave__the_others_keep_their_order(void **state)
{
    enum { GUESTS = 8 };
    static const int leaving[] = {3, 4, 0, 7, 1, 5};
    uv_loop_t loop;
    struct turn_queue queue;
    char heard[16] = "";
    struct guest guests[GUESTS];
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    turn_queue_init(&queue, &loop);
    for (int i = 0; i < GUESTS; i++) {
        guests[i] = (struct guest){.queue = &queue, .name = (char)('a' + i), .heard = heard};
        guests[i].waiter = (struct turn_waiter){.go_on = heard_cb, .connection = &guests[i]};
        turn_queue_wait(&queue, &guests[i].waiter, true);
    }
    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++) {
        turn_queue_leave(&queue, &guests[leaving[i]].waiter);
        turn_queue_leave(&queue, &guests[leaving[i]].waiter); /* it has left already */
    }
    turn_queue_wait(&queue, &guests[3].waiter, true);
    turn_queue_wait(&queue, &guests[0].waiter, false); /* so before all of them */
    turn_queue_go_on(&queue);
    assert_string_equal(heard, "acgd");
    turn_queue_close(&queue);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* A turn is worth one that is heard here. */
static void queue__who_was_not_heard__goes_before_who_was(void **state)
{
    enum { TURNS = 4 };
    uv_loop_t loop;
    struct turn_queue queue;
    char heard[16] = "";
    struct guest guests[3];
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    turn_queue_init(&queue, &loop);
    for (int i = 0; i < 3; i++) {
        guests[i] = (struct guest){.queue = &queue, .name = (char)('a' + i), .heard = heard};
        guests[i].waiter = (struct turn_waiter){.go_on = heard_cb, .connection = &guests[i]};
        guests[i].again = true;
        turn_queue_wait(&queue, &guests[i].waiter, false);
    }
    for (int i = 0; i < TURNS; i++) { /* a in the first, b in the second, and so on */
        for (int j = 0; j < 3; j++) {
            guests[j].is_heard = j == i % 3;
        }
        turn_queue_go_on(&queue);
    }
    assert_string_equal(heard, "abcbcacababc");
    for (int i = 0; i < 3; i++) {
        turn_queue_leave(&queue, &guests[i].waiter);
    }
    turn_queue_close(&queue);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(queue__goes_in_order_once_a_turn_without_those_who_left),
    cmocka_unit_test(queue__some_leave__the_others_keep_their_order),
    cmocka_unit_test(queue__who_was_not_heard__goes_before_who_was),
};

TESTKIT_MAIN(tests)
