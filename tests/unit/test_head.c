/* The head: lists as readers see them, what the committer finds, and what is left when there is no
 * memory.
 *
 * Linked with -Wl,--wrap=calloc. */
#include "billingd/store/lmdb/head.h"
#include "tests/unit/lmdb_env.h"

/* --- the heap --------------------------------------------------------------------------------- */

static int until_failure = -1; /* allocations that succeed before one fails; below 0: none does */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

void *__wrap_calloc(size_t count, size_t size)
{
    if (until_failure >= 0 && until_failure-- == 0) {
        return NULL;
    }
    return __real_calloc(count, size);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct head head;

static void start(uint64_t records_max)
{
    assert_ok(head_init(&head, records_max, 0));
}

/* A run whose request ids are noted, as they are when its records are appended. */
static struct run *noted_run(uint64_t first_seq, uint64_t last_seq)
{
    struct run *run = lmdb_env_run(first_seq, last_seq);
    for (size_t i = 0; i < run->n_requests; i++) {
        assert_ok(head_note(&head, run->requests[i]));
    }
    return run;
}

static void record(uint64_t first_seq, uint64_t last_seq)
{
    assert_ok(head_publish(&head, noted_run(first_seq, last_seq)));
    head_settle(&head);
    head_tidy(&head);
    assert_false(head_is_untidy(&head));
}

/* The last run was not recorded after all. */
static void retract(void)
{
    struct head_list *list = head_hold(&head);
    const struct run *run = list->runs[list->n - 1];
    head_retract(&head);
    for (size_t i = 0; i < run->n_requests; i++) {
        head_forget(&head, run->requests[i]);
        head_forget(&head, run->requests[i]); /* does no more */
    }
    head_list_release(list);
}

/* LIST has the records from FIRST_SEQ to LAST_SEQ, without a gap; it is let go. */
static void assert_covers(struct head_list *list, uint64_t first_seq, uint64_t last_seq)
{
    uint64_t next_seq = first_seq;
    assert_non_null(list);
    for (size_t i = 0; i < list->n; i++) {
        assert_u64(list->runs[i]->first_seq, next_seq);
        next_seq = list->runs[i]->last_seq + 1;
        assert_u64(list->runs[i]->n_requests, next_seq - list->runs[i]->first_seq);
    }
    assert_u64(next_seq, last_seq + 1);
    head_list_release(list);
}

static struct head_list *frozen(void)
{
    struct head_list *list;
    assert_ok(head_frozen(&head, &list));
    return list;
}

/* How often the committer's table has SEQ. */
static int times_found(uint64_t seq)
{
    struct head_requests requests = head_requests(lmdb_env_mix(seq + 1));
    int times = 0;
    head_prefetch(&head, requests.low);
    for (uint64_t found; (found = head_requests_next(&head, &requests)) != 0;) {
        assert_u64(found, seq);
        times++;
    }
    return times;
}

static void assert_found(uint64_t first_seq, uint64_t last_seq, int times)
{
    for (uint64_t seq = first_seq; seq <= last_seq; seq++) {
        assert_int_equal(times_found(seq), times);
    }
}

/* --- publishing ------------------------------------------------------------------------------- */

static void publish__before_it_settles__is_listed_and_its_ids_are_found(void **state)
{
    (void)state;
    start(100);
    assert_covers(head_hold(&head), 1, 0);
    struct run *run = noted_run(1, 5);
    assert_covers(head_hold(&head), 1, 0);
    assert_found(1, 5, 1); /* by the transaction itself */
    assert_ok(head_publish(&head, run));
    assert_covers(head_hold(&head), 1, 5);
    head_settle(&head);
    assert_covers(head_hold(&head), 1, 5);
    assert_found(1, 5, 1);
    assert_u64(head_active(&head), 5);
    head_done(&head);
}

static void retract__takes_the_last_run_back_alone(void **state)
{
    (void)state;
    start(100);
    record(1, 5);
    struct head_list *before = head_hold(&head);
    assert_ok(head_publish(&head, noted_run(6, 9)));
    struct head_list *with = head_hold(&head);
    retract();
    assert_covers(head_hold(&head), 1, 5);
    assert_covers(before, 1, 5);
    assert_covers(with, 1, 9); /* who has it keeps it */
    assert_found(6, 9, 0);
    record(6, 7); /* others under the same numbers */
    assert_covers(head_hold(&head), 1, 7);
    assert_found(6, 7, 1);
    head_done(&head);
}

static int begin_with(void *arg)
{
    return *(int *)arg;
}

static void view__whose_transaction_fails__has_no_list(void **state)
{
    struct head_list *list = NULL;
    int rc = STATUS_BUSY;
    (void)state;
    start(100);
    assert_status(head_view(&head, begin_with, &rc, &list), STATUS_BUSY);
    assert_null(list);
    rc = 0;
    assert_ok(head_view(&head, begin_with, &rc, &list));
    assert_covers(list, 1, 0);
    head_done(&head);
}

/* --- merging ---------------------------------------------------------------------------------- */

static void tidy__many_runs__leaves_few(void **state)
{
    size_t most = 0;
    (void)state;
    start(UINT64_MAX);
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        record(seq, seq);
        struct head_list *list = head_hold(&head);
        most = list->n > most ? list->n : most;
        assert_covers(list, 1, seq);
    }
    assert_true(most <= 4 * 7 + 7);
    assert_found(1, 1000, 1);
    head_done(&head);
}

/* A list that somebody holds does not change with what becomes of its runs. */
static void list__pinned_through_merges_and_seals__stays_as_it_was(void **state)
{
    struct head_list *pinned[20];
    (void)state;
    start(50);
    for (uint64_t i = 0; i < 20; i++) {
        for (uint64_t seq = 1 + i * 10; seq <= 10 + i * 10; seq++) {
            record(seq, seq);
            if (head_freeze(&head)) {
                head_list_release(frozen());
            }
        }
        pinned[i] = head_hold(&head);
        if (head_is_frozen(&head) && i % 3 == 2) {
            head_drop(&head);
        }
    }
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t first_seq = pinned[i]->runs[0]->first_seq;
        assert_covers(pinned[i], first_seq, 10 + i * 10);
    }
    head_done(&head);
}

/* --- freezing --------------------------------------------------------------------------------- */

static void freeze__only_when_full_and_nothing_is_frozen(void **state)
{
    (void)state;
    start(10);
    record(1, 9);
    assert_false(head_freeze(&head));
    assert_null(frozen());
    assert_false(head_is_frozen(&head));
    record(10, 10);
    assert_true(head_freeze(&head));
    assert_true(head_is_frozen(&head));
    assert_u64(head_active(&head), 0);
    assert_covers(frozen(), 1, 10);
    record(11, 30);
    assert_false(head_freeze(&head)); /* one at a time */
    assert_u64(head_active(&head), 20);
    assert_covers(frozen(), 1, 10);
    assert_covers(head_hold(&head), 1, 30);
    assert_found(1, 30, 1);
    head_drop(&head);
    assert_null(frozen());
    assert_covers(head_hold(&head), 11, 30);
    assert_true(head_freeze(&head)); /* at once, with no commit between: its ids are the new ones */
    assert_covers(frozen(), 11, 30);
    assert_found(1, 10, 0);
    assert_found(11, 30, 1);
    head_done(&head);
}

static void drop__what_was_frozen_is_found_until_the_next_commit(void **state)
{
    (void)state;
    start(10);
    record(1, 10);
    assert_true(head_freeze(&head));
    head_drop(&head);
    assert_found(1, 10, 1); /* whoever searches meanwhile may not see the segment yet */
    record(11, 11);
    assert_found(1, 10, 0);
    assert_found(11, 11, 1);
    head_done(&head);
}

static void merge__never_across_what_is_frozen(void **state)
{
    (void)state;
    start(4);
    for (uint64_t seq = 1; seq <= 4; seq++) {
        record(seq, seq);
    }
    assert_true(head_freeze(&head));
    for (uint64_t seq = 5; seq <= 40; seq++) {
        record(seq, seq);
        struct head_list *list = head_hold(&head);
        bool boundary = false;
        for (size_t i = 0; i < list->n; i++) {
            boundary |= list->runs[i]->last_seq == 4;
        }
        assert_true(boundary);
        head_list_release(list);
        assert_covers(frozen(), 1, 4);
    }
    head_done(&head);
}

/* --- between a publish and its end ------------------------------------------------------------ */

static void drop__while_a_run_is_published__and_it_is_retracted(void **state)
{
    (void)state;
    start(4);
    record(1, 4);
    assert_true(head_freeze(&head));
    assert_ok(head_publish(&head, noted_run(5, 8)));
    head_drop(&head);
    assert_covers(head_hold(&head), 5, 8);
    retract();
    assert_null(frozen());
    record(5, 9);
    assert_covers(head_hold(&head), 5, 9);
    assert_true(head_freeze(&head));
    assert_covers(frozen(), 5, 9); /* what is sealed is not sealed again */
    head_done(&head);
}

/* --- no memory -------------------------------------------------------------------------------- */

static void publish__no_memory__nothing_done(void **state)
{
    (void)state;
    start(100);
    record(1, 3);
    for (int i = 0; i < 2; i++) {
        struct run *run = lmdb_env_run(4, 400);
        until_failure = i;
        assert_status(head_publish(&head, run), STATUS_NO_MEMORY);
        until_failure = -1;
        run_release(run);
        assert_covers(head_hold(&head), 1, 3);
    }
    record(4, 400);
    assert_found(1, 400, 1);
    head_done(&head);
}

static void note__no_memory__says_so(void **state)
{
    enum { FIRST_ROOM = 40 }; /* of the smallest table */
    struct request_row row = {1, 2, FIRST_ROOM + 1};
    (void)state;
    start(1);
    record(1, FIRST_ROOM);
    until_failure = 0;
    assert_status(head_note(&head, row), STATUS_NO_MEMORY);
    until_failure = -1;
    head_forget(&head, row);
    record(FIRST_ROOM + 1, FIRST_ROOM + 3);
    assert_found(1, FIRST_ROOM + 3, 1);
    head_done(&head);
}

static void tidy__no_memory_to_merge__merges_later(void **state)
{
    (void)state;
    start(1000);
    for (uint64_t seq = 1; seq <= 40; seq++) {
        assert_ok(head_publish(&head, noted_run(seq, seq)));
        head_settle(&head);
        for (int i = 0; i < 2; i++) {
            until_failure = i;
            head_tidy(&head);
            until_failure = -1;
        }
    }
    struct head_list *list = head_hold(&head);
    assert_u64(list->n, 40);
    assert_covers(list, 1, 40);
    assert_true(head_is_untidy(&head));
    record(41, 41);
    list = head_hold(&head);
    assert_u64(list->n, 2 + 9);
    assert_covers(list, 1, 41);
    assert_found(1, 41, 1);
    head_done(&head);
}

/* A run that is published may still be taken back. */
static void tidy__before_the_last_settles__leaves_it_alone(void **state)
{
    (void)state;
    start(1000);
    for (uint64_t seq = 1; seq <= 16; seq++) {
        assert_ok(head_publish(&head, noted_run(seq, seq)));
        head_tidy(&head);
        assert_false(head_is_untidy(&head));
        if (seq < 16) {
            head_settle(&head);
        }
    }
    retract();
    assert_covers(head_hold(&head), 1, 15);
    record(16, 16);
    struct head_list *list = head_hold(&head);
    assert_u64(list->n, 1);
    assert_covers(list, 1, 16);
    assert_ok(head_publish(&head, noted_run(17, 17)));
    retract();
    assert_covers(head_hold(&head), 1, 16);
    assert_found(1, 16, 1);
    assert_found(17, 17, 0);
    head_done(&head);
}

/* Runs that could not be dropped are passed over from then on, and go with the next change. */
static void drop__no_memory__is_not_sealed_again(void **state)
{
    (void)state;
    start(4);
    record(1, 4);
    assert_true(head_freeze(&head));
    assert_ok(head_publish(&head, lmdb_env_run(5, 8)));
    until_failure = 0;
    head_drop(&head);
    until_failure = -1;
    assert_covers(head_hold(&head), 1, 8);
    assert_null(frozen());
    head_settle(&head);
    assert_true(head_freeze(&head));
    assert_covers(frozen(), 5, 8);
    record(9, 9);
    assert_covers(head_hold(&head), 5, 9);
    head_done(&head);
}

static void frozen__no_memory__says_so(void **state)
{
    struct head_list *list;
    (void)state;
    start(4);
    record(1, 4);
    assert_true(head_freeze(&head));
    until_failure = 0;
    assert_status(head_frozen(&head, &list), STATUS_NO_MEMORY);
    until_failure = -1;
    assert_covers(frozen(), 1, 4);
    head_done(&head);
}

static void init__no_memory__says_so(void **state)
{
    (void)state;
    until_failure = 0;
    assert_status(head_init(&head, 1, 0), STATUS_NO_MEMORY);
    until_failure = -1;
    head_done(&head);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(publish__before_it_settles__is_listed_and_its_ids_are_found),
    cmocka_unit_test(retract__takes_the_last_run_back_alone),
    cmocka_unit_test(view__whose_transaction_fails__has_no_list),
    cmocka_unit_test(tidy__many_runs__leaves_few),
    cmocka_unit_test(list__pinned_through_merges_and_seals__stays_as_it_was),
    cmocka_unit_test(freeze__only_when_full_and_nothing_is_frozen),
    cmocka_unit_test(drop__what_was_frozen_is_found_until_the_next_commit),
    cmocka_unit_test(merge__never_across_what_is_frozen),
    cmocka_unit_test(drop__while_a_run_is_published__and_it_is_retracted),
    cmocka_unit_test(publish__no_memory__nothing_done),
    cmocka_unit_test(note__no_memory__says_so),
    cmocka_unit_test(tidy__no_memory_to_merge__merges_later),
    cmocka_unit_test(tidy__before_the_last_settles__leaves_it_alone),
    cmocka_unit_test(drop__no_memory__is_not_sealed_again),
    cmocka_unit_test(frozen__no_memory__says_so),
    cmocka_unit_test(init__no_memory__says_so),
};

TESTKIT_MAIN(tests)
