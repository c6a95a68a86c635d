/* Turns: one at a time, and by turns where both want it. */
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "billingd/store/lmdb/turn.h"
#include "tests/lib/testkit.h"

enum {
    ROUNDS = 2000,
};

struct player {
    struct turn *turn;
    enum turn_of who;
    int rounds;
    unsigned *count; /* guarded by the turn */
    char *order;     /* likewise: who had it, in order */
};

static void *play(void *arg)
{
    struct player *player = arg;
    for (int i = 0; i < player->rounds; i++) {
        turn_take(player->turn, player->who);
        player->order[(*player->count)++] = player->who == TURN_SEALER ? 's' : 'c';
        turn_give(player->turn);
    }
    return NULL;
}

static void take__by_one_alone__again_and_again(void **state)
{
    struct turn turn;
    (void)state;
    turn_init(&turn);
    for (int i = 0; i < 3; i++) {
        turn_take(&turn, TURN_SEALER);
        turn_give(&turn);
    }
    for (int i = 0; i < 3; i++) {
        turn_take(&turn, TURN_COMMITTER);
        turn_give(&turn);
    }
    turn_done(&turn);
}

static void wait_until_wanted(struct turn *turn, enum turn_of who)
{
    for (bool wanted = false; !wanted;) {
        pthread_mutex_lock(&turn->lock);
        wanted = turn->wanted[who];
        pthread_mutex_unlock(&turn->lock);
        poll(NULL, 0, 1);
    }
}

/* Who has it and asks again at once comes behind the other, who waits. */
static void assert_the_other_is_next(enum turn_of first, enum turn_of other, const char *expected)
{
    struct turn turn;
    char order[4] = "";
    unsigned count = 0;
    struct player player = {&turn, other, 1, &count, order};
    pthread_t thread;
    turn_init(&turn);
    turn_take(&turn, first);
    assert_int_equal(pthread_create(&thread, NULL, play, &player), 0);
    wait_until_wanted(&turn, other);
    assert_u64(count, 0);
    turn_give(&turn);
    turn_take(&turn, first);
    order[count++] = first == TURN_SEALER ? 's' : 'c';
    turn_give(&turn);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(order, expected);
    turn_done(&turn);
}

static void take__while_the_other_waits__comes_behind_it(void **state)
{
    (void)state;
    assert_the_other_is_next(TURN_COMMITTER, TURN_SEALER, "sc");
    assert_the_other_is_next(TURN_SEALER, TURN_COMMITTER, "cs");
}

static void take__by_both_many_times__is_never_shared_nor_stuck(void **state)
{
    static char order[2 * ROUNDS + 1];
    struct turn turn;
    unsigned count = 0;
    struct player players[2] = {{&turn, TURN_COMMITTER, ROUNDS, &count, order},
                                {&turn, TURN_SEALER, ROUNDS, &count, order}};
    pthread_t threads[2];
    (void)state;
    turn_init(&turn);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, play, &players[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_u64(count, 2 * ROUNDS);
    assert_u64(strlen(order), 2 * ROUNDS);
    turn_done(&turn);
}

/* Where nobody records, an offer is in vain: it is waited for once, until somebody does. */
static void offer__nobody_begins__is_not_waited_for_again(void **state)
{
    struct turn turn;
    struct ride ride = {0};
    (void)state;
    turn_init(&turn);
    assert_false(turn.quiet);
    for (int i = 0; i < 2; i++) {
        assert_false(turn_offer(&turn, &ride));
        assert_true(turn.quiet);
    }
    turn_take(&turn, TURN_SEALER);
    turn_give(&turn);
    assert_true(turn.quiet);
    turn_take(&turn, TURN_COMMITTER);
    turn_give(&turn);
    assert_false(turn.quiet);
    turn_done(&turn);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(take__by_one_alone__again_and_again),
    cmocka_unit_test(take__while_the_other_waits__comes_behind_it),
    cmocka_unit_test(take__by_both_many_times__is_never_shared_nor_stuck),
    cmocka_unit_test(offer__nobody_begins__is_not_waited_for_again),
};

TESTKIT_MAIN(tests)
