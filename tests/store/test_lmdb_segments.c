/* Bad days of the segments: what lies on their boundaries, damage to them, views that outlive them,
 * clocks that jump. */
#include "tests/store/history.h"
#include "tests/store/sealing.h"
#include "tests/store/surgery.h"

static const char *const seal_each = "lmdb:?head_records=1&merge_width=2&slice_bytes=16368";
static const char *const merge_late = "lmdb:?head_records=1&merge_width=64";

static void append_alone(struct store *store, struct model *model, const struct record *record)
{
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, record, birth_us);
    assert_ok(store_commit(txn));
}

/* --- duplicates ------------------------------------------------------------------------------- */

/* Record SEQ's request id is not free for a writer, nor for a reader. */
static void check_duplicate(struct store *store, const struct model *model, uint64_t seq)
{
    struct store_txn *txn = begin(store, birth_us);
    struct record again = model->record[seq - 1];
    if (again.request_id.length > 0) {
        assert_status(store_append(txn, &again), STATUS_INTERNAL);
    }
    store_abort(txn);
}

/* After each commit all that was ever recorded is a duplicate: in the head, on the way into a
 * segment, in one, on the way from eight of them into another. */
static void assert_duplicates_are_found(const char *uri, int commits)
{
    struct rng rng = rng_make(uri);
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    fixture_uri = uri;
    struct store *store = open_in(directory);
    for (int i = 0; i < commits; i++) {
        history_step(&rng, store, model, 3);
        struct store_view *view = snapshot(store);
        check_requests(view, model);
        store_release(view);
        check_replays(store, model);
        if (model->records > 0) {
            check_duplicate(store, model, 1 + rng_below(&rng, model->records));
            check_duplicate(store, model, model->records);
        }
    }
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
    fixture_uri = "lmdb:";
}

static void request__across_every_boundary__is_found(void **state)
{
    (void)state;
    assert_duplicates_are_found(seal_each, 150);
    assert_duplicates_are_found("lmdb:?head_records=4&merge_width=8&slice_bytes=16368", 150);
}

enum {
    WIDEST = 64,                      /* the most segments that are merged at once */
    MANY_RECORDS = 3 * WIDEST - 1,    /* two merges, and all but one of a third */
    MANY_SEGMENTS = 2 + (WIDEST - 1), /* that is: more than fit into 64 bits */
};

/* Record customer I, which becomes a segment by itself. */
static void append_segment(struct store *store, struct model *model, int i)
{
    struct record customer = customer_named(testkit_format("name %d", i), "");
    uint64_t seals = sealing_count().seals;
    customer.request_id = text_copy(testkit_format("id-%d", i));
    append_alone(store, model, &customer);
    do { /* the head is empty a moment before that is counted */
        sealing_await(store, seals);
    } while (sealing_count().seals == seals);
    assert_u64(sealing_count().seals, seals + 1);
}

/* Every request id of MODEL is taken, for readers and for writers, and no other is. */
static void check_duplicates(struct store *store, const struct model *model)
{
    struct store_view *view = snapshot(store);
    check_requests(view, model);
    store_release(view);
    for (uint64_t seq = 1; seq <= model->records; seq++) {
        check_duplicate(store, model, seq);
    }
}

static void request__in_one_of_more_than_64_segments__is_found(void **state)
{
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct store_stats stats;
    (void)state;
    fixture_uri = "lmdb:?head_records=1&merge_width=64";
    struct store *store = open_in(directory);
    for (int i = 0; i < MANY_RECORDS; i++) {
        append_segment(store, model, i);
        check_duplicate(store, model, 1 + (uint64_t)i);
        check_duplicate(store, model, 1 + (uint64_t)i / WIDEST * WIDEST);
    }
    do { /* the sealer counts them after the last seal */
        sched_yield();
        store_stats(store, &stats);
    } while (stats.segments < MANY_SEGMENTS && stats.sealer_status == 0);
    assert_u64(stats.segments, MANY_SEGMENTS);
    check_duplicates(store, model);
    check_now(store, model);
    store_close(store);
    store = open_in(directory); /* as many */
    check_duplicates(store, model);
    append_segment(store, model, MANY_RECORDS); /* which makes 64 of them one, and then another */
    append_segment(store, model, MANY_RECORDS + 1);
    check_duplicates(store, model);
    check_now(store, model);
    store_close(store);
    fixture_uri = "lmdb:";
}

/* What a start reads from the journal is a duplicate as it was before. */
static void request__after_a_crash__is_found(void **state)
{
    struct rng rng = rng_make("crash");
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    (void)state;
    fixture_uri = "lmdb:";
    struct store *store = open_in(directory);
    while (model->records < 200) {
        history_step(&rng, store, model, 20);
    }
    store = open_in(crash(store, directory));
    check_replays(store, model);
    for (uint64_t seq = 1; seq <= model->records; seq++) {
        check_duplicate(store, model, seq);
    }
    check_now(store, model);
    store_close(store);
}

/* --- boundaries inside batches ---------------------------------------------------------------- */

static void add_usages(struct store *store, uint64_t first, int n)
{
    struct store_txn *txn = begin(store, birth_us);
    for (int i = 0; i < n; i++) {
        struct record usage = usage_at(1, (int64_t)i, (int64_t)i, "");
        assert_ok(store_append(txn, &usage));
        assert_u64(usage.seq, first + (uint64_t)i);
    }
    assert_ok(store_commit(txn));
}

static void check_usages(const char *directory, uint64_t n)
{
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    struct store_range range = {1, STORE_USAGE, STORE_BY_OCCURRED, 0, INT64_MAX, {0}};
    struct store_info info;
    int rows = 0;
    assert_ok(store_info(view, &info));
    assert_u64(info.usage, n);
    assert_ok(store_scan(view, &range, count_record, &rows));
    assert_u64(rows, n);
    store_release(view);
    store_close(store);
}

/* Of COMMITS of 1,000 usages each, of which none is in a segment, a start with URI shows all. */
static void assert_start_shows_all(const char *uri, uint64_t commits)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct record customer = customer_named("Acme", "");
    fixture_uri = "lmdb:";
    struct store *store = open_in(directory);
    append_alone(store, model, &customer);
    for (uint64_t i = 0; i < commits; i++) {
        add_usages(store, 2 + i * 1000, 1000);
    }
    directory = crash(store, directory);
    fixture_uri = uri;
    check_usages(directory, 1000 * commits);
    fixture_uri = "lmdb:";
    check_usages(directory, 1000 * commits);
}

/* What a start reads in parts, of 32,768 records, is seen as a whole, wherever the parts meet: in
 * the middle of the last block, or before. */
static void open__more_than_a_part_of_the_journal__shows_all_of_it(void **state)
{
    (void)state;
    for (uint64_t commits = 33; commits <= 34; commits++) {
        assert_start_shows_all("lmdb:", commits);
        assert_start_shows_all("lmdb:?head_records=1000&merge_width=2", commits);
    }
}

static void commit__many_times_the_head__is_one_batch(void **state)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct record customer = customer_named("Acme", "");
    (void)state;
    fixture_uri = "lmdb:?head_records=7&merge_width=2&slice_bytes=16368&block_bytes=600";
    struct store *store = open_in(directory);
    append_alone(store, model, &customer);
    for (uint64_t i = 0; i < 5; i++) {
        struct store_txn *txn = begin(store, birth_us);
        for (int k = 0; k < 500; k++) {
            struct record usage = usage_at(1, k, k, testkit_format("%u-%d", (unsigned)i, k));
            append(txn, model, &usage, birth_us);
        }
        assert_ok(store_commit(txn));
        check_now(store, model);
    }
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
    fixture_uri = "lmdb:";
}

/* --- views ------------------------------------------------------------------------------------ */

enum {
    SEVERAL = 3,
};

static void view__pinned_through_seals_and_merges__stays_as_it_was(void **state)
{
    struct rng rng = rng_make("pinned");
    struct model *model = model_create();
    const struct model *models[3];
    struct store_view *views[3];
    (void)state;
    fixture_uri = seal_each;
    struct store *store = open_in(testkit_tmpdir());
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 30; k++) {
            history_step(&rng, store, model, 5);
        }
        views[i] = snapshot(store);
        models[i] = model_copy(model);
    }
    struct sealing pinned = sealing_count();
    for (int k = 0; k < 100; k++) {
        uint64_t seals = sealing_count().seals;
        uint64_t records = model->records;
        history_step(&rng, store, model, 5);
        if (k % 2 == 0 && model->records > records) { /* else it goes on beside the sealer */
            sealing_await(store, seals);
        }
        int i = k % 3;
        if (k % 20 < 3) {
            model_check(models[i], views[i], &rng, history_time_max_us, 1);
        }
    }
    assert_true(sealing_count().seals >= pinned.seals + SEVERAL);
    while (sealing_count().merges < pinned.merges + SEVERAL ||
           sealing_count().removals < pinned.removals + SEVERAL) {
        sched_yield(); /* the sealer does both when there is nothing else to do */
    }
    for (int i = 0; i < 3; i++) {
        model_check(models[i], views[i], &rng, history_time_max_us, 2);
        model_verify(models[i], views[i]);
        check_requests(views[i], models[i]);
        store_release(views[i]);
        check_now(store, model);
    }
    store_close(store);
    fixture_uri = "lmdb:";
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void clock__jumps_back__order_is_the_journals(void **state)
{
    static const int64_t steps_us[] = {0, 3600000000, -86400000000, 1, -1, -600000000, 0};
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    int64_t now_us = birth_us;
    struct record customer = customer_named("Acme", "");
    (void)state;
    fixture_uri = seal_each;
    struct store *store = open_in(directory);
    append_alone(store, model, &customer);
    for (int i = 0; i < 70; i++) {
        now_us += steps_us[i % 7];
        struct store_txn *txn = begin(store, now_us);
        for (int k = 0; k < 3; k++) {
            int64_t time_us = now_us - birth_us + INT64_C(900) * hour_us;
            struct record usage =
                usage_at(1, time_us, time_us + (k == 2) * hour_us, testkit_format("%d-%d", i, k));
            append(txn, model, &usage, now_us);
        }
        assert_ok(store_commit(txn));
    }
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
    fixture_uri = "lmdb:";
}

/* --- damage ----------------------------------------------------------------------------------- */

enum {
    USAGES = 20,
};

/* Customer 1 and usage 2 to 21, one an hour, those of odd hours late: in one segment, of which each
 * table is one chunk. */
static const char *make_segment(struct model *model)
{
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    struct record customer = customer_named("Acme", "");
    append_alone(store, model, &customer);
    for (int i = 1; i <= USAGES; i++) {
        struct record usage =
            usage_at(1, i * hour_us, (i + i % 2 * 50) * hour_us, testkit_format("request-%d", i));
        append_alone(store, model, &usage);
    }
    store_close(store);
    seal_all(directory);
    assert_int_equal(count_rows(directory, "manifest"), 1);
    assert_int_equal(count_rows(directory, "segments"), 5);
    return directory;
}

static int ask_request(struct store_view *view)
{
    struct record record;
    return store_request(view, (struct store_key){1, SLICE("request-1")}, &record);
}

static int scan_by(struct store_view *view, enum store_clock by)
{
    struct store_range range = {1, STORE_USAGE, by, 0, INT64_MAX, {0}};
    int rows = 0;
    int rc = store_scan(view, &range, count_record, &rows);
    return rc == 0 && rows < USAGES ? STATUS_INTERNAL : rc;
}

static int ask_occurred(struct store_view *view)
{
    return scan_by(view, STORE_BY_OCCURRED);
}

static int ask_billed(struct store_view *view)
{
    return scan_by(view, STORE_BY_BILLED);
}

static int add_records(const struct store_sum *sum, void *arg)
{
    *(uint64_t *)arg += sum->records;
    return 0;
}

static int ask_sums(struct store_view *view)
{
    struct store_range range = {1, 0, STORE_BY_OCCURRED, 0, 900 * hour_us, {0}};
    uint64_t records = 0;
    int rc = store_scan_sums(view, &range, add_records, &records);
    return rc == 0 && records < USAGES ? STATUS_INTERNAL : rc;
}

/* By chunk of the segment: which questions it spoils. */
static const struct question {
    int (*ask)(struct store_view *view);
    bool spoilt_by[5]; /* requests, usage, late, sums, filter */
} questions[] = {
    {ask_request, {true, false, false, false, false}},
    {ask_occurred, {false, true, false, false, false}},
    {ask_billed, {false, true, true, false, false}},
    {ask_sums, {false, false, false, true, false}},
};

/* Chunk CHUNK of the segment in STORE is damaged: what needs it is an error.  What is right may
 * still be told where a search does not come by. */
static void assert_spoilt(struct store *store, int chunk)
{
    struct store_view *view = snapshot(store);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        int rc = questions[i].ask(view);
        if (questions[i].spoilt_by[chunk]) {
            assert_status(rc, STATUS_CORRUPT);
        } else if (rc != 0) {
            assert_status(rc, STATUS_CORRUPT); /* the chunk beside it; never another figure */
        }
    }
    store_release(view);
}

/* New request ids are recorded; an old one never twice. */
static void assert_recording_goes_on(struct store *store, int chunk)
{
    for (int i = 0; i < 10; i++) {
        struct store_txn *txn = begin(store, birth_us);
        struct record usage =
            usage_at(1, 800 * hour_us, 800 * hour_us, testkit_format("new-%d", i));
        assert_ok(store_append(txn, &usage));
        assert_ok(store_commit(txn));
    }
    struct store_txn *txn = begin(store, birth_us);
    struct record found;
    int rc = store_request(store_txn_view(txn), (struct store_key){1, SLICE("request-1")}, &found);
    assert_status(rc, chunk == 0 ? STATUS_CORRUPT : 0);
    assert_ok(store_request(store_txn_view(txn), (struct store_key){1, SLICE("new-9")}, &found));
    store_abort(txn);
}

static void damage(const char *directory, int chunk, int variant)
{
    static const int value_at[] = {0, 16, 48, 60, 100, 4000, -1, -9};
    enum { VALUES = sizeof value_at / sizeof value_at[0] };
    if (variant < VALUES) {
        flip(directory, "segments", chunk, IN_VALUE, value_at[variant]);
        return;
    }
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "segments", chunk); /* and not put back */
    if (variant == VALUES) {
        row->value_bytes = 100;
        row_put(&surgery, "segments", row);
    }
    surgery_end(&surgery);
}

static void read__damaged_or_missing_chunk__fails_and_recording_goes_on(void **state)
{
    (void)state;
    for (int chunk = 0; chunk < 5; chunk++) {
        for (int variant = 0; variant < 10; variant++) {
            const char *directory = make_segment(model_create());
            damage(directory, chunk, variant);
            fixture_uri = merge_late;
            struct store *store = open_in(directory);
            assert_spoilt(store, chunk);
            assert_recording_goes_on(store, chunk);
            assert_spoilt(store, chunk);
            store_close(store);
            fixture_uri = seal_each; /* which wants to merge it */
            store = open_in(directory);
            assert_spoilt(store, chunk);
            store_close(store);
            fixture_uri = "lmdb:";
        }
    }
}

/* A chunk that stands in another's place: any byte of its key. */
static void read__chunk_under_a_damaged_key__fails(void **state)
{
    static const int key_at[] = {7, 8, 16, 24, 28}; /* segment, table, customer, time, number */
    (void)state;
    for (int chunk = 0; chunk < 4; chunk++) {
        for (size_t i = 0; i < sizeof key_at / sizeof key_at[0]; i++) {
            const char *directory = make_segment(model_create());
            flip(directory, "segments", chunk, IN_KEY, key_at[i]);
            fixture_uri = merge_late;
            struct store *store = open_in(directory);
            assert_spoilt(store, chunk);
            store_close(store);
            fixture_uri = "lmdb:";
        }
    }
}

/* A void that is still to be sealed needs what it voids. */
static void open__void_of_a_damaged_usage__is_refused_by_name(void **state)
{
    struct model *model = model_create();
    const char *directory = make_segment(model);
    struct store_options options = options_in(directory);
    (void)state;
    struct store *store = open_in(directory);
    struct record voided = void_of(&model->record[4], 900 * hour_us, "void");
    append_alone(store, model, &voided);
    directory = crash(store, directory);
    options.data_dir = directory;
    flip(directory, "journal", 4, IN_VALUE, -20);
    assert_refused(&options, "record 22 of the journal, or what it refers to");
    flip(directory, "journal", 4, IN_VALUE, -20);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
}

/* The filter is only to save time. */
static void request__without_a_filter__is_found_all_the_same(void **state)
{
    struct model *model = model_create();
    const char *directory = make_segment(model);
    (void)state;
    flip(directory, "segments", 4, IN_VALUE, 50);
    fixture_uri = merge_late;
    struct store *store = open_in(directory);
    check_replays(store, model);
    check_duplicate(store, model, 5);
    struct rng rng = rng_make("check");
    struct store_view *view = snapshot(store);
    model_check(model, view, &rng, 1000 * hour_us, 1);
    store_release(view);
    store_close(store);
    fixture_uri = "lmdb:";
}

static void open__damaged_manifest__is_refused(void **state)
{
    static const int value_at[] = {0, 4, 8, 16, 24, 56, 64, -1};
    (void)state;
    for (size_t i = 0; i <= sizeof value_at / sizeof value_at[0]; i++) {
        const char *directory = make_segment(model_create());
        struct store_options options = options_in(directory);
        if (i < sizeof value_at / sizeof value_at[0]) {
            flip(directory, "manifest", 0, IN_VALUE, value_at[i]);
        } else {
            flip(directory, "manifest", 0, IN_KEY, 7);
        }
        assert_refused(&options, "the manifest's row of segment ");
        assert_refused(&options, directory);
    }
}

/* One of two: the journal has a gap that is in no segment. */
static void open__segment_missing_from_the_manifest__is_refused(void **state)
{
    struct model *model = model_create();
    const char *directory = make_segment(model);
    (void)state;
    fixture_uri = merge_late;
    struct store *store = open_in(directory);
    struct record usage = usage_at(1, 0, 0, "last");
    append_alone(store, model, &usage);
    store_close(store);
    seal_all(directory);
    assert_int_equal(count_rows(directory, "manifest"), 2);
    struct surgery surgery = surgery_begin(directory);
    IGNORE(row_take(&surgery, "manifest", 0) == NULL);
    surgery_end(&surgery);
    struct store_options options = options_in(directory);
    assert_refused(&options, " of the manifest has the records ");
    assert_refused(&options, "where those from 1 on are to follow");
    fixture_uri = "lmdb:";
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(request__across_every_boundary__is_found),
    cmocka_unit_test(request__in_one_of_more_than_64_segments__is_found),
    cmocka_unit_test(request__after_a_crash__is_found),
    cmocka_unit_test(open__more_than_a_part_of_the_journal__shows_all_of_it),
    cmocka_unit_test(commit__many_times_the_head__is_one_batch),
    cmocka_unit_test(view__pinned_through_seals_and_merges__stays_as_it_was),
    cmocka_unit_test(clock__jumps_back__order_is_the_journals),
    cmocka_unit_test(read__damaged_or_missing_chunk__fails_and_recording_goes_on),
    cmocka_unit_test(read__chunk_under_a_damaged_key__fails),
    cmocka_unit_test(open__void_of_a_damaged_usage__is_refused_by_name),
    cmocka_unit_test(request__without_a_filter__is_found_all_the_same),
    cmocka_unit_test(open__damaged_manifest__is_refused),
    cmocka_unit_test(open__segment_missing_from_the_manifest__is_refused),
};

TESTKIT_MAIN(tests)
