/* Runs: built of random records and merged, against rows that are collected and sorted plainly. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/store/lmdb/run.h"
#include "tests/lib/child.h"
#include "tests/lib/heap.h"
#include "tests/lib/testkit.h"

#define HOUR_US  INT64_C(3600000000)
#define START_US (480000 * HOUR_US)
#define ID_KEY   UINT64_C(0x0123456789ABCDEF)

/* --- random records --------------------------------------------------------------------------- */

enum {
    RECORDS_MAX = 3000,
    ID_BYTES = 24,
};

/* A history: record I has the sequence number I + 1. */
static struct record records[RECORDS_MAX];
static char ids[RECORDS_MAX][ID_BYTES];

/* How many different ones there are, of what a record has. */
struct variety {
    uint64_t customers;
    uint64_t prices;
    uint64_t hours;
};

static struct decimal decimal(int64_t mantissa, int scale)
{
    struct decimal value;
    assert_ok(decimal_make(mantissa, scale, &value));
    return value;
}

static void make_usage(struct rng *rng, const struct variety *variety, struct record *record)
{
    static const struct slice services[] = {
        {"Database Hosting", 16}, {"Transfer", 8}, {"GPU", 3}, {"Backup", 6}};
    int64_t occurred_at_us =
        START_US + (int64_t)(rng_next(rng) % (variety->hours * (uint64_t)HOUR_US));
    bool late = rng_below(rng, 8) == 0;
    record->kind = RECORD_USAGE;
    record->usage = (struct usage){
        .customer = 1 + rng_below(rng, variety->customers),
        .service = services[rng_below(rng, sizeof services / sizeof *services)],
        .units = decimal((int64_t)rng_below(rng, 1000) * 10 + 1, (int)rng_below(rng, 5)),
        .price = decimal((int64_t)rng_below(rng, variety->prices) * 10 + 3, 4),
        .occurred_at_us = occurred_at_us,
        .bills_at_us = occurred_at_us + (late ? rng_between(rng, 1, 3 * HOUR_US) : 0),
    };
}

static void make_void(struct rng *rng, const struct record *usage, struct record *record)
{
    record->kind = RECORD_USAGE_VOIDED;
    record->usage_voided = (struct usage_voided){
        .customer = usage->usage.customer,
        .usage = usage->seq,
        .occurred_at_us = usage->usage.occurred_at_us,
        .bills_at_us = usage->usage.bills_at_us + rng_between(rng, 0, HOUR_US),
    };
}

/* Mostly usage; some voids; a few that stand in no table but that of request ids, or in none. */
static void make_record(struct rng *rng, const struct variety *variety, size_t at)
{
    struct record *record = &records[at];
    *record = (struct record){.seq = at + 1};
    int length = snprintf(ids[at], ID_BYTES, "id-%zu", at);
    record->request_id = (struct slice){ids[at], (size_t)length};
    const struct record *other = at > 0 ? &records[rng_below(rng, at)] : record;
    switch (rng_below(rng, 20)) {
    case 0:
        record->kind = RECORD_CUSTOMER_CREATED;
        break;
    case 1:
        record->kind = RECORD_ADJUSTMENT;
        record->adjustment.customer = 1;
        break;
    case 2:
        record->kind = RECORD_SERVICE_PUT;
        record->request_id = (struct slice){0};
        break;
    case 3:
    case 4:
        if (other->kind == RECORD_USAGE) {
            make_void(rng, other, record);
        } else {
            make_usage(rng, variety, record);
        }
        break;
    default:
        make_usage(rng, variety, record);
    }
}

static void make_records(const char *name, size_t n, struct variety variety)
{
    struct rng rng = rng_make(name);
    for (size_t i = 0; i < n; i++) {
        make_record(&rng, &variety, i);
    }
}

static const struct record *voided_by(const struct record *record)
{
    return record->kind == RECORD_USAGE_VOIDED ? &records[record->usage_voided.usage - 1] : NULL;
}

static int add_record(struct run_builder *builder, const struct record *record,
                      const struct record *voided)
{
    struct request_row request;
    bool has = run_builder_request(builder, record, &request);
    return run_builder_add(builder, record, has ? &request : NULL, voided);
}

/* Record FIRST up to before BEHIND, both as indices, into BUILDER. */
static int add_records(struct run_builder *builder, size_t first, size_t behind)
{
    int rc = 0;
    run_builder_reset(builder, first + 1);
    for (size_t i = first; i < behind && rc == 0; i++) {
        rc = add_record(builder, &records[i], voided_by(&records[i]));
    }
    return rc;
}

static struct run *build(size_t first, size_t behind)
{
    struct run_builder builder;
    struct run *run;
    run_builder_init(&builder, ID_KEY);
    assert_ok(add_records(&builder, first, behind));
    assert_u64(run_builder_count(&builder), behind - first);
    assert_ok(run_build(&builder, &run));
    assert_ok(run_sort(run));
    run_builder_done(&builder);
    return run;
}

/* --- the model -------------------------------------------------------------------------------- */

static struct {
    struct request_row requests[RECORDS_MAX];
    size_t n_requests;
    struct place_row usage[RECORDS_MAX];
    size_t n_usage;
    struct place_row late[RECORDS_MAX];
    size_t n_late;
    struct sum_row sums[2 * RECORDS_MAX];
    size_t n_sums;
} model;

static void model_sum(const struct sum_row *row)
{
    for (size_t i = 0; i < model.n_sums; i++) {
        if (sum_row_compare(&model.sums[i], row) == 0) {
            assert_true(sum_row_add(&model.sums[i], row));
            return;
        }
    }
    model.sums[model.n_sums++] = *row;
}

static void model_add(const struct record *record)
{
    struct sum_row sums[2];
    unsigned n_sums = 0;
    const struct record *used = record->kind == RECORD_USAGE ? record : voided_by(record);
    if (record->request_id.length > 0) {
        struct request_row *row = &model.requests[model.n_requests++];
        row_fingerprint((struct store_key){record_scope(record), record->request_id}, ID_KEY,
                        &row->high, &row->low);
        row->seq = record->seq;
    }
    if (record->kind == RECORD_USAGE) {
        const struct usage *usage = &record->usage;
        bool late = usage->bills_at_us > usage->occurred_at_us;
        uint64_t seq_late = record->seq * 2 + (late ? 1 : 0);
        model.usage[model.n_usage++] =
            (struct place_row){usage->customer, usage->occurred_at_us, seq_late};
        if (late) {
            model.late[model.n_late++] =
                (struct place_row){usage->customer, usage->bills_at_us, seq_late};
        }
    }
    if (used != NULL) {
        n_sums = sum_rows_of(record, &used->usage, used->seq, ID_KEY, sums);
    }
    for (unsigned i = 0; i < n_sums; i++) {
        model_sum(&sums[i]);
    }
}

static void make_model(size_t first, size_t behind)
{
    memset(&model, 0, sizeof model);
    for (size_t i = first; i < behind; i++) {
        model_add(&records[i]);
    }
    qsort(model.requests, model.n_requests, sizeof *model.requests, request_row_order);
    qsort(model.usage, model.n_usage, sizeof *model.usage, place_row_order);
    qsort(model.late, model.n_late, sizeof *model.late, place_row_order);
    qsort(model.sums, model.n_sums, sizeof *model.sums, sum_row_order);
}

static void check_rows(const void *got, size_t n_got, const void *expected, size_t n, size_t bytes)
{
    assert_u64(n_got, n);
    assert_int_equal(got == NULL, n == 0);
    if (n > 0) {
        assert_memory_equal(got, expected, n * bytes);
    }
}

/* RUN has the rows of these records, to the byte. */
static void check_run(struct run *run, size_t first, size_t behind)
{
    assert_ok(run_sort(run));
    make_model(first, behind);
    assert_u64(run->first_seq, first + 1);
    assert_u64(run->last_seq, behind);
    check_rows(run->requests, run->n_requests, model.requests, model.n_requests,
               sizeof *model.requests);
    check_rows(run->usage, run->n_usage, model.usage, model.n_usage, sizeof *model.usage);
    check_rows(run->late, run->n_late, model.late, model.n_late, sizeof *model.late);
    check_rows(run->sums, run->n_sums, model.sums, model.n_sums, sizeof *model.sums);
}

/* --- building --------------------------------------------------------------------------------- */

static void run_build__any_records__has_their_rows_in_order(void **state)
{
    static const struct variety varieties[] = {
        {1, 1, 1}, {1, 500, 1}, {3, 12, 2}, {50, 2, 5}, {1000000, 12, 24}};
    static const size_t sizes[] = {1, 2, 10, 64, 65, 200, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof varieties / sizeof *varieties; i++) {
        make_records("run_build", RECORDS_MAX, varieties[i]);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct run *run = build(0, sizes[k]);
            assert_u64(run->level, 0);
            check_run(run, 0, sizes[k]);
            run_release(run);
        }
        struct run *run = build(1000, RECORDS_MAX);
        check_run(run, 1000, RECORDS_MAX);
        run_release(run);
    }
}

static void run_build__builder__keeps_its_rows_and_takes_more(void **state)
{
    struct run_builder builder;
    struct run *run;
    (void)state;
    make_records("run_build: again", 500, (struct variety){5, 5, 5});
    run_builder_init(&builder, ID_KEY);
    assert_u64(run_builder_count(&builder), 0);
    for (size_t i = 0; i < 500; i++) {
        assert_ok(add_record(&builder, &records[i], voided_by(&records[i])));
        if (i % 100 == 7) {
            assert_ok(run_build(&builder, &run));
            check_run(run, 0, i + 1);
            run_release(run);
        }
    }
    run_builder_done(&builder);
}

/* How many of RUN's rows stand before one that belongs before them, once it is sorted. */
static void *sort_and_count(void *arg)
{
    struct run *run = arg;
    size_t wrong = run_sort(run) == 0 ? 0 : 1;
    for (size_t i = 1; i < run->n_requests; i++) {
        wrong += request_row_compare(&run->requests[i - 1], &run->requests[i]) > 0;
    }
    for (size_t i = 1; i < run->n_usage; i++) {
        wrong += place_row_compare(&run->usage[i - 1], &run->usage[i]) > 0;
    }
    for (size_t i = 1; i < run->n_sums; i++) {
        wrong += sum_row_compare(&run->sums[i - 1], &run->sums[i]) >= 0;
    }
    return (void *)(uintptr_t)wrong;
}

static void run_sort__by_several_at_once__is_sorted_for_each(void **state)
{
    enum { THREADS = 4, ROUNDS = 20 };
    (void)state;
    make_records("run_sort", 2000, (struct variety){10, 3, 5});
    for (size_t round = 0; round < ROUNDS; round++) {
        struct run_builder builder;
        struct run *run;
        pthread_t threads[THREADS];
        run_builder_init(&builder, ID_KEY);
        assert_ok(add_records(&builder, round * 100, round * 100 + 100));
        assert_ok(run_build(&builder, &run));
        run_builder_done(&builder);
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, sort_and_count, run), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *wrong;
            assert_int_equal(pthread_join(threads[i], &wrong), 0);
            assert_null(wrong);
        }
        check_run(run, round * 100, round * 100 + 100);
        run_release(run);
    }
}

static void run_builder_reset__used_builder__begins_anew(void **state)
{
    struct run_builder builder;
    struct run *run;
    (void)state;
    make_records("run_builder_reset", 1000, (struct variety){2, 2, 2});
    run_builder_init(&builder, ID_KEY);
    for (size_t i = 0; i < 20; i++) {
        size_t first = i * 37;
        assert_ok(add_records(&builder, first, first + 1 + i * 10));
        assert_ok(run_build(&builder, &run));
        check_run(run, first, first + 1 + i * 10);
        run_release(run);
    }
    run_builder_done(&builder);
}

static void run_builder_reset__large_builder__gives_its_memory_back(void **state)
{
    struct run_builder builder;
    struct record record = {.kind = RECORD_SERVICE_PUT};
    (void)state;
    run_builder_init(&builder, ID_KEY);
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        record.seq = seq;
        assert_ok(add_record(&builder, &record, NULL));
    }
    assert_non_null(builder.sums);
    run_builder_reset(&builder, 20001);
    assert_null(builder.sums);
    record.seq = 20001;
    assert_ok(add_record(&builder, &record, NULL));
    run_builder_reset(&builder, 20001);
    assert_non_null(builder.sums);
    run_builder_done(&builder);
}

static void add_out_of_order(void *arg)
{
    struct run_builder builder;
    struct record record = {.seq = 2, .kind = RECORD_SERVICE_PUT};
    (void)arg;
    run_builder_init(&builder, ID_KEY);
    IGNORE(add_record(&builder, &record, NULL)); /* does not return */
}

static void build_nothing(void *arg)
{
    struct run_builder builder;
    struct run *run;
    (void)arg;
    run_builder_init(&builder, ID_KEY);
    IGNORE(run_build(&builder, &run)); /* does not return */
}

static void run_builder__record_out_of_order_or_none__aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(add_out_of_order, NULL), -SIGABRT);
    assert_int_equal(child_run(build_nothing, NULL), -SIGABRT);
}

/* --- merging ---------------------------------------------------------------------------------- */

enum {
    RUNS_MAX = 40,
};

/* Runs of random sizes, some of a single record, of all records up to RET_BEHIND. */
static size_t build_runs(struct rng *rng, size_t n, struct run **runs)
{
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        size_t left_a_run = (RECORDS_MAX - first) / (n - i);
        size_t size = rng_below(rng, 3) == 0 ? 1 : 1 + rng_below(rng, left_a_run);
        runs[i] = build(first, first + size);
        first += size;
    }
    return first;
}

static void release_runs(struct run **runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        run_release(runs[i]);
    }
}

static void run_merge__any_number_of_runs__is_the_run_of_all_their_records(void **state)
{
    struct rng rng = rng_make("run_merge");
    struct run *runs[RUNS_MAX];
    struct run *merged;
    (void)state;
    for (size_t n = 1; n <= RUNS_MAX; n += n < 20 ? 1 : 5) {
        make_records("run_merge", RECORDS_MAX, (struct variety){1 + n % 7 * 30, 1 + n % 5, 1 + n});
        size_t behind = build_runs(&rng, n, runs);
        assert_ok(run_merge(runs, n, &merged));
        assert_u64(merged->level, 1);
        check_run(merged, 0, behind);
        run_release(merged);
        release_runs(runs, n);
    }
}

static void run_merge__of_merged_runs__is_a_level_above_the_highest(void **state)
{
    struct rng rng = rng_make("run_merge: levels");
    struct run *runs[9];
    struct run *merged[3];
    struct run *all;
    (void)state;
    make_records("run_merge: levels", RECORDS_MAX, (struct variety){20, 3, 4});
    size_t behind = build_runs(&rng, 9, runs);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(run_merge(&runs[i * 3], 3, &merged[i]));
    }
    assert_ok(run_merge(merged, 3, &all));
    assert_u64(all->level, 2);
    check_run(all, 0, behind);
    run_release(all);

    struct run *mixed[] = {merged[0], merged[1], runs[6]};
    assert_ok(run_merge(mixed, 3, &all));
    assert_u64(all->level, 2);
    check_run(all, 0, runs[6]->last_seq);
    run_release(all);
    release_runs(runs, 9);
    release_runs(merged, 3);
}

static void run_merge__runs_without_rows__is_a_run_without_rows(void **state)
{
    struct run *runs[3];
    struct run *merged;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        records[i] = (struct record){.seq = i + 1, .kind = RECORD_SERVICE_PUT};
        runs[i] = build(i, i + 1);
        check_run(runs[i], i, i + 1);
    }
    assert_ok(run_merge(runs, 3, &merged));
    check_run(merged, 0, 3);
    run_release(merged);
    release_runs(runs, 3);
}

static void run_merge__sum_beyond_its_counter__is_two_rows(void **state)
{
    struct rng rng = rng_make("run_merge: beyond");
    struct variety one = {1, 1, 1};
    struct run *runs[2];
    struct run *merged;
    (void)state;
    make_usage(&rng, &one, &records[0]);
    records[0].seq = 1;
    records[1] = records[0];
    records[1].seq = 2;
    runs[0] = build(0, 1);
    runs[1] = build(1, 2);
    runs[0]->sums[0].records = UINT16_MAX;
    assert_ok(run_merge(runs, 2, &merged));
    assert_u64(merged->n_sums, runs[0]->n_sums + 1);
    assert_memory_equal(&merged->sums[0], &runs[0]->sums[0], sizeof *merged->sums);
    assert_memory_equal(&merged->sums[1], &runs[1]->sums[0], sizeof *merged->sums);
    run_release(merged);
    runs[0]->sums[0].records--;
    assert_ok(run_merge(runs, 2, &merged));
    assert_u64(merged->n_sums, runs[0]->n_sums);
    assert_u64(merged->sums[0].records, UINT16_MAX);
    run_release(merged);
    release_runs(runs, 2);
}

static void merge_with_a_gap(void *arg)
{
    struct run *merged;
    struct run runs[] = {{.first_seq = 1, .last_seq = 2}, {.first_seq = 4, .last_seq = 4}};
    struct run *both[] = {&runs[0], &runs[1]};
    (void)arg;
    IGNORE(run_merge(both, 2, &merged)); /* does not return */
}

static void run_merge__gap_between_runs__aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(merge_with_a_gap, NULL), -SIGABRT);
}

/* --- lives ------------------------------------------------------------------------------------ */

static void run_release__last_hold__frees_it(void **state)
{
    (void)state;
    make_records("run_release", 100, (struct variety){2, 2, 2});
    heap_begin(-1);
    struct run *run = build(0, 100);
    struct run *held = run_hold(run);
    run_release(run);
    bool readable = held == run && held->n_usage > 0 && held->usage[0].customer > 0;
    run_release(held);
    run_release(NULL);
    assert_i64(heap_end(), 0);
    assert_true(readable);
}

/* All that takes memory, in a row.  Returns 0 or what went wrong first. */
static int build_and_merge(void)
{
    struct run_builder builder;
    struct run *runs[2] = {NULL, NULL};
    struct run *merged = NULL;
    run_builder_init(&builder, ID_KEY);
    int rc = add_records(&builder, 0, 200);
    if (rc == 0) {
        rc = run_build(&builder, &runs[0]);
    }
    if (rc == 0) {
        rc = add_records(&builder, 200, 300);
    }
    if (rc == 0) {
        rc = run_build(&builder, &runs[1]);
    }
    if (rc == 0) {
        rc = run_merge(runs, 2, &merged);
    }
    run_builder_done(&builder);
    run_release(runs[0]);
    run_release(runs[1]);
    run_release(merged);
    return rc;
}

static void run__each_allocation_fails_once__says_so_and_leaves_nothing_behind(void **state)
{
    bool failed = true;
    int failures = 0;
    (void)state;
    make_records("no memory", 300, (struct variety){10, 3, 2});
    for (long i = 0; failed; i++) {
        heap_begin(i);
        int rc = build_and_merge();
        long blocks = heap_end();
        failed = heap_failed();
        failures += rc < 0;
        assert_status(rc, rc == 0 ? 0 : STATUS_NO_MEMORY);
        assert_i64(blocks, 0);
        assert_true(failed || rc == 0);
        assert_true(i < 1000);
    }
    heap_heal();
    assert_true(failures > 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(run_build__any_records__has_their_rows_in_order),
    cmocka_unit_test(run_build__builder__keeps_its_rows_and_takes_more),
    cmocka_unit_test(run_sort__by_several_at_once__is_sorted_for_each),
    cmocka_unit_test(run_builder_reset__used_builder__begins_anew),
    cmocka_unit_test(run_builder_reset__large_builder__gives_its_memory_back),
    cmocka_unit_test(run_builder__record_out_of_order_or_none__aborts),
    cmocka_unit_test(run_merge__any_number_of_runs__is_the_run_of_all_their_records),
    cmocka_unit_test(run_merge__of_merged_runs__is_a_level_above_the_highest),
    cmocka_unit_test(run_merge__runs_without_rows__is_a_run_without_rows),
    cmocka_unit_test(run_merge__sum_beyond_its_counter__is_two_rows),
    cmocka_unit_test(run_merge__gap_between_runs__aborts),
    cmocka_unit_test(run_release__last_hold__frees_it),
    cmocka_unit_test(run__each_allocation_fails_once__says_so_and_leaves_nothing_behind),
};

TESTKIT_MAIN(tests)
