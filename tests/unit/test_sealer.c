/* The sealer: what it seals, merges and removes, and in which order.
 *
 * The test is the committer: while it has the turn, the sealer stands still before its next
 * transaction. */
#include <poll.h>

#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/sealer.h"
#include "tests/unit/lmdb_env.h"

/* --- a head and its sealer -------------------------------------------------------------------- */

/* Where a test fails, its sealer goes on with it. */
struct bench {
    struct env *env;
    struct head head;
    struct turn turn;
    struct filter_shelf shelf;
    struct sealer sealer;
    uint64_t last_seq;
};

static void set_up(struct bench *bench, struct env *env, uint64_t records_max, unsigned width)
{
    struct manifest manifest = lmdb_env_manifest(env);
    *bench = (struct bench){.env = env, .last_seq = manifest_sealed_seq(&manifest)};
    manifest_done(&manifest);
    assert_ok(head_init(&bench->head, records_max, bench->last_seq));
    turn_init(&bench->turn);
    filter_shelf_init(&bench->shelf);
    struct sealer_options options = {.env = env,
                                     .head = &bench->head,
                                     .turn = &bench->turn,
                                     .shelf = &bench->shelf,
                                     .slice_bytes = SEGMENT_CHUNK_BYTES,
                                     .merge_width = width};
    sealer_init(&bench->sealer, &options);
}

static void take_down(struct bench *bench)
{
    sealer_stop(&bench->sealer);
    sealer_done(&bench->sealer);
    filter_shelf_done(&bench->shelf);
    turn_done(&bench->turn);
    head_done(&bench->head);
}

static void record(struct bench *bench, uint64_t n)
{
    struct run *run = lmdb_env_run(bench->last_seq + 1, bench->last_seq + n);
    assert_ok(head_publish(&bench->head, run));
    head_settle(&bench->head);
    head_tidy(&bench->head);
    bench->last_seq += n;
}

/* Record N and have them frozen. */
static void record_and_freeze(struct bench *bench, uint64_t n)
{
    record(bench, n);
    assert_true(head_freeze(&bench->head));
}

static void seal_by_hand(struct bench *bench, uint64_t n)
{
    record_and_freeze(bench, n);
    assert_ok(sealer_seal(&bench->sealer));
    assert_false(head_is_frozen(&bench->head));
}

/* --- what there is ---------------------------------------------------------------------------- */

/* How many segments are in STATE. */
static unsigned count(const struct env *env, enum segment_state state)
{
    struct manifest manifest = lmdb_env_manifest(env);
    unsigned n = 0;
    for (size_t i = 0; i < manifest.n; i++) {
        n += manifest.segments[i].state == state;
    }
    manifest_done(&manifest);
    return n;
}

/* The levels of the live segments, in the order of the journal: "2110". */
static const char *levels(const struct env *env)
{
    struct manifest manifest = lmdb_env_manifest(env);
    char *text = testkit_alloc(manifest.n + 1);
    assert_true(manifest_is_whole(&manifest));
    manifest_keep_live(&manifest);
    for (size_t i = 0; i < manifest.n; i++) {
        text[i] = (char)('0' + manifest.segments[i].level);
    }
    manifest_done(&manifest);
    return text;
}

/* Live segments have all of the records, each once, and there is nothing else. */
static void assert_all_there(const struct bench *bench)
{
    struct manifest manifest = lmdb_env_manifest(bench->env);
    uint64_t requests = 0;
    MDB_txn *txn = lmdb_env_begin(bench->env, false);
    assert_true(manifest_is_whole(&manifest));
    assert_u64(manifest_sealed_seq(&manifest), bench->last_seq);
    for (size_t i = 0; i < manifest.n; i++) {
        const struct segment *segment = &manifest.segments[i];
        struct segment_scan scan;
        const void *row;
        assert_int_equal(segment->state, SEGMENT_LIVE);
        assert_ok(segment_scan_open(
            bench->env, txn, (struct segment_start){segment->id, SEGMENT_REQUESTS, 0, 0}, &scan));
        for (uint64_t high = 0;; requests++) {
            assert_ok(segment_scan_peek(&scan, &row));
            if (row == NULL) {
                break;
            }
            const struct request_row *request = row;
            assert_true(request->high >= high);
            assert_u64(request->high, lmdb_env_mix(request->seq));
            assert_true(request->seq >= segment->first_seq && request->seq <= segment->last_seq);
            high = request->high;
            segment_scan_step(&scan);
        }
        segment_scan_close(&scan);
    }
    assert_u64(requests, bench->last_seq);
    mdb_txn_abort(txn);
    manifest_done(&manifest);
}

static void wait_until(bool (*is_so)(const struct bench *bench), const struct bench *bench)
{
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    while (!is_so(bench)) {
        assert_true(testkit_now_ms() < end_ms);
        poll(NULL, 0, 1);
    }
}

static bool is_at_rest(const struct bench *bench)
{
    return count(bench->env, SEGMENT_DOOMED) == 0 && count(bench->env, SEGMENT_BUILDING) == 0;
}

/* All that was recorded, and is sealed, is in live segments: also while they are merged. */
static void assert_covered(const struct bench *bench)
{
    struct manifest manifest = lmdb_env_manifest(bench->env);
    assert_true(manifest_is_whole(&manifest));
    assert_u64(manifest_sealed_seq(&manifest), bench->last_seq);
    manifest_done(&manifest);
}

/* Wait until nothing but live segments of these levels is left. */
static void wait_for_levels(const struct bench *bench, const char *expected)
{
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    while (strcmp(levels(bench->env), expected) != 0 || !is_at_rest(bench)) {
        if (testkit_now_ms() > end_ms) {
            testkit_fail("levels are %s, not %s", levels(bench->env), expected);
        }
        assert_covered(bench);
        poll(NULL, 0, 1);
    }
}

/* --- sealing ---------------------------------------------------------------------------------- */

static void seal__nothing_frozen__does_nothing(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 10, 2);
    record(bench, 5);
    assert_ok(sealer_seal(&bench->sealer));
    assert_string_equal(levels(bench->env), "");
    assert_u64(head_active(&bench->head), 5);
    take_down(bench);
    env_close(bench->env);
}

static void seal__frozen_runs__become_a_segment(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    seal_by_hand(bench, 1);
    seal_by_hand(bench, 5000); /* many slices */
    record(bench, 7);
    record(bench, 9);
    assert_true(head_freeze(&bench->head));
    assert_ok(sealer_seal(&bench->sealer));
    assert_string_equal(levels(bench->env), "000");
    assert_all_there(bench);
    take_down(bench);
    env_close(bench->env);
}

/* --- merging ---------------------------------------------------------------------------------- */

/* SEGMENTS of them, merged by WIDTH: what is left. */
static void assert_merged(unsigned width, int segments, const char *expected)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    set_up(bench, lmdb_env_new(), 1, width);
    for (int i = 0; i < segments; i++) {
        seal_by_hand(bench, 1 + (uint64_t)(i % 3) * 900);
    }
    record_and_freeze(bench, 3);
    assert_ok(sealer_start(&bench->sealer));
    assert_ok(sealer_wait(&bench->sealer));
    wait_for_levels(bench, expected);
    assert_all_there(bench);
    take_down(bench);
    env_close(bench->env);
}

static void merge__by_width__leaves_the_digits_of_the_number(void **state)
{
    (void)state;
    assert_merged(2, 0, "0");
    assert_merged(2, 1, "1");
    assert_merged(2, 2, "10");
    assert_merged(2, 9, "31");    /* ten */
    assert_merged(3, 13, "2100"); /* fourteen */
    assert_merged(8, 6, "0000000");
    assert_merged(8, 7, "1");
    assert_merged(8, 16, "110");
    assert_merged(8, 63, "2");
    assert_merged(64, 64, "10");
}

/* Sums that are equal in all that they are ordered by, more than a slice of them, since no two fit
 * together. */
static void merge__equal_sums_that_do_not_fit__keeps_each(void **state)
{
    enum { SUMS = 600 };
    struct bench *bench = testkit_alloc(sizeof *bench);
    struct segment_scan scan;
    const void *row;
    uint64_t units = 0;
    uint64_t n = 0;
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    for (uint64_t i = 0; i < 2; i++) {
        bench->last_seq++;
        struct run *run = lmdb_env_run(bench->last_seq, bench->last_seq);
        run->sums = calloc(SUMS, sizeof *run->sums);
        run->n_sums = SUMS;
        for (uint64_t k = 0; k < SUMS; k++) {
            run->sums[k] = (struct sum_row){.customer = 1,
                                            .hour = 7,
                                            .named_by = 1,
                                            .units_low = i * SUMS + k,
                                            .records = UINT16_MAX};
        }
        assert_ok(head_publish(&bench->head, run));
        head_settle(&bench->head);
        assert_true(head_freeze(&bench->head));
        assert_ok(sealer_seal(&bench->sealer));
    }
    assert_ok(sealer_start(&bench->sealer));
    wait_for_levels(bench, "1");
    struct manifest manifest = lmdb_env_manifest(bench->env);
    MDB_txn *txn = lmdb_env_begin(bench->env, false);
    struct segment_start start = {.segment = manifest.segments[0].id, .table = SEGMENT_SUMS};
    assert_ok(segment_scan_open(bench->env, txn, start, &scan));
    for (assert_ok(segment_scan_peek(&scan, &row)); row != NULL;
         assert_ok(segment_scan_peek(&scan, &row))) {
        units += ((const struct sum_row *)row)->units_low;
        n++;
        segment_scan_step(&scan);
    }
    assert_u64(n, 2 * SUMS);
    assert_u64(units, (2 * SUMS - 1) * SUMS);
    segment_scan_close(&scan);
    mdb_txn_abort(txn);
    manifest_done(&manifest);
    take_down(bench);
    env_close(bench->env);
}

static bool is_building_a_merge(const struct bench *bench)
{
    struct manifest manifest = lmdb_env_manifest(bench->env);
    bool building = false;
    for (size_t i = 0; i < manifest.n; i++) {
        building |=
            manifest.segments[i].state == SEGMENT_BUILDING && manifest.segments[i].level > 0;
    }
    manifest_done(&manifest);
    return building;
}

/* Let the sealer have at most one turn, and have the next. */
static void step(struct bench *bench)
{
    pthread_mutex_lock(&bench->turn.lock);
    bench->turn.wanted[TURN_COMMITTER] = true; /* before it is given */
    pthread_mutex_unlock(&bench->turn.lock);
    turn_give(&bench->turn);
    turn_take(&bench->turn, TURN_COMMITTER);
}

/* Let the sealer, which stands still, go on until it IS_SO. */
static void step_until(struct bench *bench, bool (*is_so)(const struct bench *bench))
{
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    while (!is_so(bench)) {
        assert_true(testkit_now_ms() < end_ms);
        step(bench);
    }
}

/* Start the sealer, and stop it when it IS_SO, with the turn taken. */
static void start_until(struct bench *bench, bool (*is_so)(const struct bench *bench))
{
    turn_take(&bench->turn, TURN_COMMITTER);
    assert_ok(sealer_start(&bench->sealer));
    step_until(bench, is_so);
}

/* What is frozen while segments are merged does not wait for the end of the merge. */
static void merge__is_put_off_for_what_is_frozen_meanwhile(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    seal_by_hand(bench, 4000);
    seal_by_hand(bench, 4000);
    start_until(bench, is_building_a_merge);
    assert_string_equal(levels(bench->env), "00");
    record_and_freeze(bench, 10);
    sealer_wake(&bench->sealer);
    int64_t end_ms = testkit_now_ms() + testkit_patience_ms();
    while (head_is_frozen(&bench->head)) {
        assert_true(testkit_now_ms() < end_ms);
        assert_true(strcmp(levels(bench->env), "10") != 0); /* the merge is not done before */
        step(bench);
    }
    assert_string_equal(levels(bench->env), "000");
    assert_true(is_building_a_merge(bench));
    turn_give(&bench->turn);
    assert_ok(sealer_wait(&bench->sealer));
    wait_for_levels(bench, "10");
    assert_all_there(bench);
    take_down(bench);
    env_close(bench->env);
}

/* --- filters ---------------------------------------------------------------------------------- */

/* Who looks request ids up need not open that of a new segment; of one that is not read any more
 * there is none. */
static void seal__filter_is_on_the_shelf_before_it_is_asked(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    struct open_filter filter;
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    seal_by_hand(bench, 300);
    assert_u64(bench->shelf.n, 1);
    assert_true(filter_shelf_take(&bench->shelf, 1, &filter));
    for (uint64_t seq = 1; seq <= 300; seq++) {
        uint64_t block = filter_block_of(lmdb_env_mix(seq), filter.n_blocks);
        assert_true(
            filter_may_have(filter.chunks[0] + block * FILTER_BLOCK_BYTES, lmdb_env_mix(seq + 1)));
    }
    open_filter_done(&filter);
    assert_false(filter_shelf_take(&bench->shelf, 1, &filter));
    seal_by_hand(bench, 300);
    assert_ok(sealer_start(&bench->sealer));
    wait_for_levels(bench, "1");
    sealer_stop(&bench->sealer);
    assert_u64(bench->shelf.n, 1);
    assert_true(filter_shelf_take(&bench->shelf, 3, &filter));
    open_filter_done(&filter);
    take_down(bench);
    env_close(bench->env);
}

/* --- closing ---------------------------------------------------------------------------------- */

/* Gives the turn back once the sealer is told to end, or has ended without it. */
struct giver {
    struct bench *bench;
    atomic_bool stopped;
};

static void *give_when_closing(void *arg)
{
    struct giver *giver = arg;
    struct sealer *sealer = &giver->bench->sealer;
    for (bool closing = false; !closing && !atomic_load(&giver->stopped);) {
        pthread_mutex_lock(&sealer->lock);
        closing = sealer->closing;
        pthread_mutex_unlock(&sealer->lock);
        poll(NULL, 0, 1);
    }
    turn_give(&giver->bench->turn);
    return NULL;
}

/* In the middle of a merge: it ends after the slice, and what is half made goes at the next. */
static void done__in_the_middle_of_a_merge__the_next_begins_anew(void **state)
{
    struct env *env = lmdb_env_new();
    struct bench *bench = testkit_alloc(sizeof *bench);
    struct giver giver = {.bench = bench};
    pthread_t thread;
    (void)state;
    set_up(bench, env, 1, 2);
    seal_by_hand(bench, 6000);
    seal_by_hand(bench, 6000);
    start_until(bench, is_building_a_merge);
    assert_int_equal(pthread_create(&thread, NULL, give_when_closing, &giver), 0);
    sealer_stop(&bench->sealer);
    atomic_store(&giver.stopped, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sealer_done(&bench->sealer);
    filter_shelf_done(&bench->shelf);
    turn_done(&bench->turn);
    head_done(&bench->head);
    assert_string_equal(levels(env), "00");
    assert_int_equal(count(env, SEGMENT_BUILDING), 1);
    assert_int_equal(count(env, SEGMENT_DOOMED), 0);
    set_up(bench, env, 1, 2);
    assert_ok(sealer_start(&bench->sealer));
    wait_for_levels(bench, "1");
    assert_all_there(bench);
    take_down(bench);
    env_close(env);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void damage_first_chunk(const struct env *env)
{
    static uint8_t bytes[SEGMENT_CHUNK_BYTES];
    MDB_txn *txn = lmdb_env_begin(env, true);
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    assert_int_equal(mdb_cursor_open(txn, env->tables[ENV_SEGMENTS], &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    memcpy(bytes, value.mv_data, value.mv_size);
    bytes[100] ^= 1;
    value.mv_data = bytes;
    assert_int_equal(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    mdb_cursor_close(cursor);
    assert_ok(env_commit(env, txn));
}

/* It is left as it is and told of; sealing goes on, and merging the others. */
static void merge__of_a_damaged_segment__leaves_out_that_one(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    seal_by_hand(bench, 100);
    seal_by_hand(bench, 100);
    damage_first_chunk(bench->env);
    assert_ok(sealer_start(&bench->sealer));
    for (int i = 0; i < 5; i++) {
        record_and_freeze(bench, 10);
        sealer_wake(&bench->sealer);
        assert_ok(sealer_wait(&bench->sealer));
        assert_ok(sealer_status(&bench->sealer));
    }
    wait_for_levels(bench, "021");
    assert_u64(bench->sealer.damaged, 1);
    assert_ok(sealer_status(&bench->sealer));
    take_down(bench);
    env_close(bench->env);
}

/* --- what was replaced ------------------------------------------------------------------------ */

static bool has_merged_once(const struct bench *bench)
{
    return strcmp(levels(bench->env), "100") == 0;
}

static bool has_merged_twice(const struct bench *bench)
{
    return strcmp(levels(bench->env), "11") == 0;
}

static bool has_merged_eight(const struct bench *bench)
{
    return strcmp(levels(bench->env), "1") == 0;
}

/* There is always something to merge where much is recorded: what merges leave does not wait for
 * the end of that. */
static void sweep__goes_on_beside_merging(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    for (int i = 0; i < 4; i++) {
        seal_by_hand(bench, 4000);
    }
    start_until(bench, has_merged_once);
    assert_int_equal(count(bench->env, SEGMENT_DOOMED), 2);
    step_until(bench, has_merged_twice);
    assert_int_equal(count(bench->env, SEGMENT_DOOMED), 2); /* those of the second merge alone */
    turn_give(&bench->turn);
    wait_for_levels(bench, "2");
    assert_all_there(bench);
    take_down(bench);
    env_close(bench->env);
}

/* --- no room ---------------------------------------------------------------------------------- */

static bool is_full(const struct bench *bench)
{
    return sealer_status((struct sealer *)(uintptr_t)&bench->sealer) == STATUS_STORAGE_FULL;
}

/* Take the turn when nothing is half made: the sealer tries again each second. */
static void take_turn_at_rest(struct bench *bench)
{
    turn_take(&bench->turn, TURN_COMMITTER);
    step_until(bench, is_at_rest);
}

/* What one attempt leaves takes no room from the next, nor from the committer. */
static void seal__map_full__says_so_and_leaves_nothing_behind(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_open(testkit_tmpdir(), 1 << 20), 1, 2);
    record_and_freeze(bench, 30000);
    record(bench, 5);
    assert_ok(sealer_start(&bench->sealer));
    wait_until(is_full, bench);
    assert_status(sealer_wait(&bench->sealer), STATUS_STORAGE_FULL);
    assert_true(head_is_frozen(&bench->head));
    take_turn_at_rest(bench);
    MDB_txn *txn = lmdb_env_begin(bench->env, true); /* the committer finds room */
    static uint8_t block[100000];
    assert_ok(env_put(bench->env, txn, ENV_JOURNAL, (MDB_val){5, (char[]){"block"}}, block,
                      sizeof block));
    assert_ok(env_commit(bench->env, txn));
    turn_give(&bench->turn);
    assert_string_equal(levels(bench->env), "");
    take_down(bench);
    env_close(bench->env);
}

/* Fill the map until no value of PAGES_MIN fits, whoever's turn it is. */
static void fill_map(const struct env *env, size_t pages_min)
{
    static uint8_t bytes[64 * 4096];
    uint64_t key = 0;
    for (size_t pages = sizeof bytes / 4096; pages >= pages_min;) {
        MDB_txn *txn = lmdb_env_begin(env, true);
        key++;
        int rc =
            env_put(env, txn, ENV_JOURNAL, (MDB_val){sizeof key, &key}, bytes, pages * 4096 - 16);
        if (rc < 0) {
            mdb_txn_abort(txn);
        } else {
            rc = env_commit(env, txn);
        }
        pages = rc < 0 ? pages / 2 : pages;
    }
}

static bool nothing_is_frozen(const struct bench *bench)
{
    return !head_is_frozen((struct head *)(uintptr_t)&bench->head);
}

/* What nobody reads any more is room enough. */
static void seal__no_room_but_in_replaced_segments__comes_back(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_open(testkit_tmpdir(), 4 << 20), 1, 8);
    for (int i = 0; i < 8; i++) {
        seal_by_hand(bench, 2000);
    }
    start_until(bench, has_merged_eight);
    assert_int_equal(count(bench->env, SEGMENT_DOOMED), 8);
    fill_map(bench->env, 8);
    record_and_freeze(bench, 4000);
    turn_give(&bench->turn);
    wait_until(nothing_is_frozen, bench);
    wait_for_levels(bench, "10");
    assert_ok(sealer_status(&bench->sealer));
    assert_all_there(bench);
    take_down(bench);
    env_close(bench->env);
}

static void wait__nothing_frozen__is_at_once_whatever_the_status(void **state)
{
    struct bench *bench = testkit_alloc(sizeof *bench);
    (void)state;
    set_up(bench, lmdb_env_new(), 1, 2);
    assert_ok(sealer_wait(&bench->sealer));
    pthread_mutex_lock(&bench->sealer.lock);
    bench->sealer.status = STATUS_STORAGE_FULL; /* of a merge, say */
    pthread_mutex_unlock(&bench->sealer.lock);
    assert_ok(sealer_wait(&bench->sealer));
    record_and_freeze(bench, 1);
    assert_status(sealer_wait(&bench->sealer), STATUS_STORAGE_FULL);
    take_down(bench);
    env_close(bench->env);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(seal__nothing_frozen__does_nothing),
    cmocka_unit_test(seal__frozen_runs__become_a_segment),
    cmocka_unit_test(merge__by_width__leaves_the_digits_of_the_number),
    cmocka_unit_test(merge__equal_sums_that_do_not_fit__keeps_each),
    cmocka_unit_test(merge__is_put_off_for_what_is_frozen_meanwhile),
    cmocka_unit_test(seal__filter_is_on_the_shelf_before_it_is_asked),
    cmocka_unit_test(done__in_the_middle_of_a_merge__the_next_begins_anew),
    cmocka_unit_test(merge__of_a_damaged_segment__leaves_out_that_one),
    cmocka_unit_test(sweep__goes_on_beside_merging),
    cmocka_unit_test(seal__no_room_but_in_replaced_segments__comes_back),
    cmocka_unit_test(seal__map_full__says_so_and_leaves_nothing_behind),
    cmocka_unit_test(wait__nothing_frozen__is_at_once_whatever_the_status),
};

TESTKIT_MAIN(tests)
