/* What the rows of records cost in memory: building runs, merging them, finding request ids.
 *
 *   bench_run_build [RECORDS]
 *
 * Each figure is of about RECORDS (1,000,000) usage records with random request ids, for customers
 * at random, at one of 12 prices within an hour; in nanoseconds of this thread's own time a record,
 * so that others on the machine do not count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/fail.h"
#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/request_table.h"
#include "billingd/store/lmdb/run.h"

enum {
    RECORDS_DEFAULT = 1000000,
    RECORDS_MIN = 100000,
    INPUTS = 8, /* of a merge */
    BATCH_MAX = 8000,
    ANNOUNCED = 1000, /* request ids at once */
};

#define START_US INT64_C(1763809298000000)
#define ID_KEY   UINT64_C(0x9E3779B97F4A7C15)

static uint64_t random_next(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void say(const char *what, uint64_t n, uint64_t customers, int64_t ns, uint64_t records)
{
    IGNORE(printf("%-8s %6" PRIu64 " records, %6" PRIu64 " customers: %6.1f ns/record\n", what, n,
                  customers, (double)ns / (double)records) < 0); /* stdout */
    IGNORE(fflush(stdout) != 0);                                 /* stdout */
}

/* --- records ---------------------------------------------------------------------------------- */

static struct record *records;
static char (*ids)[40];

static void make_records(uint64_t customers)
{
    for (unsigned i = 0; i < BATCH_MAX; i++) {
        struct record *record = &records[i];
        *record = (struct record){
            .kind = RECORD_USAGE,
            .usage = {.customer = 1 + random_next() % customers,
                      .service = SLICE("Database Hosting"),
                      .occurred_at_us = START_US + (int64_t)(random_next() % 1000000000)},
        };
        record->usage.bills_at_us = record->usage.occurred_at_us;
        int length = snprintf(ids[i], sizeof ids[i], "%08" PRIx32 "-%016" PRIx64,
                              (uint32_t)random_next(), random_next());
        record->request_id = (struct slice){ids[i], (size_t)length};
        check_status(
            decimal_make((int64_t)(random_next() % 100000) * 10 + 1, 4, &record->usage.units),
            "units");
        check_status(decimal_make((int64_t)(random_next() % 12) * 10 + 3, 4, &record->usage.price),
                     "price");
    }
}

static void add_records(struct run_builder *builder, unsigned n)
{
    uint64_t first_seq = builder->last_seq + 1;
    run_builder_reset(builder, first_seq);
    for (unsigned i = 0; i < n; i++) {
        struct request_row request;
        records[i].seq = first_seq + i;
        if (!run_builder_request(builder, &records[i], &request)) {
            fail("a record with a request id has none");
        }
        check_status(run_builder_add(builder, &records[i], &request, NULL), "run_builder_add");
    }
}

static struct run *build(struct run_builder *builder, unsigned n)
{
    struct run *run;
    add_records(builder, n);
    check_status(run_build(builder, &run), "run_build");
    check_status(run_sort(run), "run_sort");
    return run;
}

/* --- measuring -------------------------------------------------------------------------------- */

static void measure_build(unsigned n, uint64_t customers, uint64_t total)
{
    struct run_builder builder;
    uint64_t rounds = total / n;
    run_builder_init(&builder, ID_KEY);
    make_records(customers);
    int64_t before = clock_thread_cpu_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        add_records(&builder, n);
    }
    int64_t add_ns = clock_thread_cpu_ns() - before;
    before = clock_thread_cpu_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        run_release(build(&builder, n));
    }
    say("add", n, customers, add_ns, rounds * n);
    say("build", n, customers, clock_thread_cpu_ns() - before - add_ns, rounds * n);
    run_builder_done(&builder);
}

static void measure_merge(unsigned n, uint64_t customers, uint64_t total)
{
    struct run_builder builder;
    struct run *runs[INPUTS];
    struct run *merged;
    uint64_t rounds = total / ((uint64_t)n * INPUTS);
    run_builder_init(&builder, ID_KEY);
    for (int i = 0; i < INPUTS; i++) {
        make_records(customers);
        runs[i] = build(&builder, n);
    }
    int64_t before = clock_thread_cpu_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        check_status(run_merge(runs, INPUTS, &merged), "run_merge");
        run_release(merged);
    }
    say("merge 8", n, customers, clock_thread_cpu_ns() - before, rounds * n * INPUTS);
    for (int i = 0; i < INPUTS; i++) {
        run_release(runs[i]);
    }
    run_builder_done(&builder);
}

/* Of what is not there, no more than MOST are FOUND. */
static void check_chance(uint64_t found, uint64_t most)
{
    if (found > most) {
        fail("%" PRIu64 " are found: more than chance can find", found);
    }
}

/* So many new fingerprints, known to the cache as the store has them before it asks. */
static const struct request_row *announce(const struct request_table *table)
{
    static struct request_row rows[ANNOUNCED];
    for (int i = 0; i < ANNOUNCED; i++) {
        rows[i] = (struct request_row){random_next(), random_next(), 1};
        request_table_prefetch(table, rows[i].low);
    }
    return rows;
}

static void fill_table(struct request_table *table, uint64_t rounds)
{
    for (uint64_t round = 0; round < rounds; round++) {
        const struct request_row *rows = announce(table);
        for (int i = 0; i < ANNOUNCED; i++) {
            request_table_add(table, rows[i]);
        }
    }
}

/* Of about N keys in a table: adding them, and asking for as many that are not there. */
static void measure_table(uint64_t n)
{
    struct request_table table;
    uint64_t found = 0;
    uint64_t rounds = n / ANNOUNCED;
    request_table_init(&table);
    check_status(request_table_reserve(&table, n), "request_table_reserve");
    fill_table(&table, rounds); /* its pages are there afterwards, as in a daemon that runs */
    request_table_clear(&table, SIZE_MAX);
    int64_t before = clock_thread_cpu_ns();
    fill_table(&table, rounds);
    say("table +", n, 0, clock_thread_cpu_ns() - before, n);
    before = clock_thread_cpu_ns();
    for (uint64_t round = 0; round < rounds; round++) {
        const struct request_row *rows = announce(&table);
        for (int i = 0; i < ANNOUNCED; i++) {
            size_t at = SIZE_MAX;
            found += request_table_next(&table, rows[i].low, &at) != 0;
        }
    }
    say("table ?", n, 0, clock_thread_cpu_ns() - before, n);
    check_chance(found, n / 1000 + 10);
    request_table_done(&table);
}

/* The same of a filter, which nothing is announced to. */
static void measure_filter(uint64_t n)
{
    uint64_t found = 0;
    uint64_t n_blocks = filter_blocks(n);
    uint8_t *blocks = calloc(n_blocks, FILTER_BLOCK_BYTES);
    check(blocks != NULL, "memory");
    int64_t before = clock_thread_cpu_ns();
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *block = blocks + filter_block_of(random_next(), n_blocks) * FILTER_BLOCK_BYTES;
        filter_add(block, random_next());
    }
    say("filter +", n, 0, clock_thread_cpu_ns() - before, n);
    before = clock_thread_cpu_ns();
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *block = blocks + filter_block_of(random_next(), n_blocks) * FILTER_BLOCK_BYTES;
        found += filter_may_have(block, random_next());
    }
    say("filter ?", n, 0, clock_thread_cpu_ns() - before, n);
    check_chance(found, n / 100);
    free(blocks);
}

int main(int argc, char **argv)
{
    uint64_t total = argc == 2 ? strtoull(argv[1], NULL, 10) : RECORDS_DEFAULT;
    if (argc > 2 || total < RECORDS_MIN) {
        IGNORE(fprintf(stderr, "usage: bench_run_build [RECORDS]\n") < 0); /* stderr */
        return 2;
    }
    records = calloc(BATCH_MAX, sizeof *records);
    ids = calloc(BATCH_MAX, sizeof *ids);
    check(records != NULL && ids != NULL, "memory");
    for (uint64_t customers = 10; customers <= 100000; customers *= 100) {
        measure_build(1, customers, total);
        measure_build(100, customers, total);
        measure_build(1000, customers, total);
        measure_build(8000, customers, total);
        measure_merge(1000, customers, total);
        measure_merge(8000, customers, total);
    }
    for (uint64_t n = total / 10; n <= total; n += total - total / 10) {
        measure_table(n);
        measure_filter(n);
    }
    free(records);
    free(ids);
    return 0;
}
