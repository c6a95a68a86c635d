/* What a view sees: each record once, also where it is in the head and in a segment, or in the head
 * and not committed. */
#include "billingd/store/lmdb/segment_writer.h"
#include "billingd/store/lmdb/view_rows.h"
#include "tests/unit/lmdb_env.h"

static struct turn turn;

/* A live segment of the usages and requests that RUN has. */
static void write_segment(const struct env *env, const struct run *run)
{
    struct segment_writer writer;
    struct segment segment = {.id = 1, .first_seq = run->first_seq, .last_seq = run->last_seq};
    bool full;
    assert_ok(
        segment_writer_begin(&writer, env, &turn, &segment, run->n_requests, SEGMENT_CHUNK_BYTES));
    for (size_t i = 0; i < run->n_requests; i++) {
        segment_writer_add(&writer, SEGMENT_REQUESTS, &run->requests[i], &full);
        assert_false(full);
    }
    for (size_t i = 0; i < run->n_usage; i++) {
        segment_writer_add(&writer, SEGMENT_USAGE, &run->usage[i], &full);
        assert_false(full);
    }
    assert_ok(segment_writer_finish(&writer, NULL, 0));
    segment_writer_done(&writer);
}

/* A head of three commits: the records 1 to 4, 5 to 7, and 8 and 9. */
static void fill(struct head *head)
{
    assert_ok(head_init(head, 1000, 0));
    assert_ok(head_publish(head, lmdb_env_run(1, 4)));
    head_settle(head);
    assert_ok(head_publish(head, lmdb_env_run(5, 7)));
    head_settle(head);
    assert_ok(head_publish(head, lmdb_env_run(8, 9)));
}

/* A view, whose last block begins with BLOCK_SEQ, has the usages up to LAST_SEQ, each once. */
static void assert_sees(const struct env *env, struct head *head, uint64_t block_seq,
                        uint64_t last_seq)
{
    struct view_rows rows;
    struct row_merge merge;
    uint64_t seen = 0; /* a bit a record */
    uint64_t n = 0;
    MDB_txn *txn = lmdb_env_begin(env, false);
    assert_ok(view_rows_init(&rows, env, txn, head_hold(head), block_seq, NULL));
    assert_ok(view_rows_merge(&rows, SEGMENT_USAGE, 0, 0, &merge));
    for (const struct place_row *row = row_merge_peek(&merge); row != NULL;
         row = row_merge_peek(&merge)) {
        seen |= UINT64_C(1) << place_row_seq(row);
        n++;
        assert_ok(row_merge_step(&merge));
    }
    assert_u64(n, last_seq);
    assert_u64(seen, (UINT64_C(2) << last_seq) - 2);
    assert_u64(view_rows_usage(&rows), last_seq);
    row_merge_done(&merge);
    view_rows_done(&rows);
    mdb_txn_abort(txn);
}

/* A run is published before its commit: a snapshot from before it does not have it. */
static void run__that_is_not_committed__is_not_seen(void **state)
{
    struct env *env = lmdb_env_new();
    struct head head;
    (void)state;
    fill(&head);
    assert_sees(env, &head, 5, 7);
    assert_sees(env, &head, 8, 9);
    head_settle(&head);
    assert_sees(env, &head, 8, 9);
    head_done(&head);
    env_close(env);
}

/* Where a commit had several blocks, the last of them begins behind the run. */
static void run__of_several_blocks__is_seen(void **state)
{
    struct env *env = lmdb_env_new();
    struct head head;
    (void)state;
    fill(&head);
    assert_sees(env, &head, 9, 9);
    head_settle(&head);
    head_done(&head);
    env_close(env);
}

/* A segment is live before the head drops its runs: a view between the two sees it alone. */
static void run__that_a_segment_has__is_seen_once(void **state)
{
    struct env *env = lmdb_env_new();
    struct head head;
    struct head_list *frozen;
    (void)state;
    assert_ok(head_init(&head, 7, 0));
    assert_ok(head_publish(&head, lmdb_env_run(1, 7)));
    head_settle(&head);
    assert_true(head_freeze(&head));
    assert_ok(head_publish(&head, lmdb_env_run(8, 9)));
    head_settle(&head);
    assert_sees(env, &head, 8, 9);
    assert_ok(head_frozen(&head, &frozen));
    write_segment(env, frozen->runs[0]);
    head_list_release(frozen);
    assert_sees(env, &head, 8, 9);
    head_drop(&head);
    assert_sees(env, &head, 8, 9);
    head_done(&head);
    env_close(env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(run__that_is_not_committed__is_not_seen),
    cmocka_unit_test(run__of_several_blocks__is_seen),
    cmocka_unit_test(run__that_a_segment_has__is_seen_once),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    turn_init(&turn);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    turn_done(&turn);
    return testkit_end(failed);
}
