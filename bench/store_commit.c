/* What the store's commits cost, without daemon or wire.
 *
 *   bench_store_commit DIRECTORY [RECORDS]
 *
 * First, commits of one record, taking turns with bare LMDB commits of one value of the same size
 * (their median is what the disk alone takes): once into a store that is empty, once at the end.
 * Between them, commits of 1,000 records with random request ids for customers at random, up to
 * RECORDS (1,000,000) in all, with the rate of each tenth.  DIRECTORY should be on the disk to
 * measure; what is made in it stays. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lmdb.h>

#include "billingd/store/store.h"

enum {
    RECORDS_DEFAULT = 1000000,
    BATCH = 1000,
    CUSTOMERS = 10000,
    ROUNDS = 2000,
    VALUE_BYTES = 175, /* of a block of one record as made here */
};

static const uint64_t map_bytes = UINT64_C(64) << 30;
#define START_US INT64_C(1763809298000000)

static void check(int failed, const char *what)
{
    if (failed) {
        IGNORE(fprintf(stderr, "failed: %s\n", what) < 0); /* nowhere else to say it */
        exit(1);
    }
}

static int64_t now_ns(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) != 0, "clock_gettime");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t random_next(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* --- the bare commit -------------------------------------------------------------------------- */

struct bare {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t next;
};

static void bare_open(struct bare *bare, const char *directory)
{
    MDB_txn *txn;
    char path[4096];
    check(snprintf(path, sizeof path, "%s/bare.mdb", directory) >= (int)sizeof path, "path");
    check(mdb_env_create(&bare->env) != 0, "mdb_env_create");
    check(mdb_env_set_mapsize(bare->env, map_bytes) != 0, "mdb_env_set_mapsize");
    check(mdb_env_open(bare->env, path, MDB_NOTLS | MDB_NOSUBDIR, 0600) != 0, "mdb_env_open");
    check(mdb_txn_begin(bare->env, NULL, 0, &txn) != 0, "mdb_txn_begin");
    check(mdb_dbi_open(txn, NULL, 0, &bare->dbi) != 0, "mdb_dbi_open");
    check(mdb_txn_commit(txn) != 0, "mdb_txn_commit");
}

static void bare_commit(struct bare *bare)
{
    char bytes[VALUE_BYTES] = {0};
    uint64_t big_endian = __builtin_bswap64(++bare->next);
    MDB_val key = {sizeof big_endian, &big_endian};
    MDB_val value = {sizeof bytes, bytes};
    MDB_txn *txn;
    check(mdb_txn_begin(bare->env, NULL, 0, &txn) != 0, "mdb_txn_begin");
    check(mdb_put(txn, bare->dbi, &key, &value, MDB_APPEND) != 0, "mdb_put");
    check(mdb_txn_commit(txn) != 0, "mdb_txn_commit");
}

/* --- the store -------------------------------------------------------------------------------- */

static struct store *open_store(const char *directory)
{
    struct store *store;
    struct errinfo reason = {""};
    char path[4096];
    check(snprintf(path, sizeof path, "%s/store", directory) >= (int)sizeof path, "path");
    struct store_options options = {
        .data_dir = path,
        .map_bytes = map_bytes,
        .readers_max = 4,
        .currency = "USD",
        .now_us = START_US,
    };
    check(store_open("lmdb:", &options, &store, &reason) < 0, reason.message);
    return store;
}

static void append_customers(struct store *store)
{
    struct store_txn *txn;
    check(store_begin(store, START_US, &txn) < 0, "begin");
    for (int i = 0; i < CUSTOMERS; i++) {
        struct record record = {.kind = RECORD_CUSTOMER_CREATED,
                                .customer_created = {.name = SLICE("A customer's name")}};
        check(store_append(txn, &record) < 0, "append");
    }
    check(store_commit(txn) < 0, "commit");
}

/* One usage under a new random request id, as a client would make it. */
static void append_usage(struct store_txn *txn, int64_t now_us)
{
    char id[40];
    struct record record = {
        .kind = RECORD_USAGE,
        .recorded_by = SLICE("uid:1000"),
        .usage = {.customer = 1 + random_next() % CUSTOMERS,
                  .service = SLICE("Database Hosting"),
                  .occurred_at_us = now_us,
                  .bills_at_us = now_us,
                  .occurred_at_given = true},
    };
    int length = snprintf(id, sizeof id, "%08" PRIx32 "-%016" PRIx64, (uint32_t)random_next(),
                          random_next());
    record.request_id = (struct slice){id, (size_t)length};
    check(decimal_make((int64_t)(random_next() % 100000) * 10 + 1, 4, &record.usage.units) < 0 ||
              decimal_make((int64_t)(random_next() % 12) * 10 + 3, 4, &record.usage.price) < 0,
          "decimal");
    check(store_append(txn, &record) < 0, "append");
}

static void commit_usages(struct store *store, unsigned n)
{
    static int64_t now_us = START_US;
    struct store_txn *txn;
    now_us += 1000;
    check(store_begin(store, now_us, &txn) < 0, "begin");
    for (unsigned i = 0; i < n; i++) {
        append_usage(txn, now_us);
    }
    check(store_commit(txn) < 0, "commit");
}

/* --- measuring -------------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* PERCENT of the ROUNDS times at NS, which are sorted, are below this many microseconds. */
static double percentile_us(const int64_t *ns, unsigned percent)
{
    size_t at = (size_t)ROUNDS * percent / 100;
    return (double)ns[at] / 1e3;
}

static void measure_single(struct store *store, struct bare *bare, const char *when)
{
    static int64_t bare_ns[ROUNDS];
    static int64_t store_ns[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t before = now_ns();
        bare_commit(bare);
        int64_t between = now_ns();
        commit_usages(store, 1);
        bare_ns[i] = between - before;
        store_ns[i] = now_ns() - between;
    }
    qsort(bare_ns, ROUNDS, sizeof bare_ns[0], compare_ns);
    qsort(store_ns, ROUNDS, sizeof store_ns[0], compare_ns);
    IGNORE(printf("one record, %s: bare p50 %.1f us p99 %.1f us, store p50 %.1f us p99 %.1f us, "
                  "ratio of medians %.2f\n",
                  when, percentile_us(bare_ns, 50), percentile_us(bare_ns, 99),
                  percentile_us(store_ns, 50), percentile_us(store_ns, 99),
                  percentile_us(store_ns, 50) / percentile_us(bare_ns, 50)) < 0); /* stdout */
}

static void measure_batches(struct store *store, uint64_t records)
{
    uint64_t tenth = records / 10 / BATCH * BATCH;
    for (int i = 1; i <= 10; i++) {
        int64_t before = now_ns();
        for (uint64_t done = 0; done < tenth; done += BATCH) {
            commit_usages(store, BATCH);
        }
        double seconds = (double)(now_ns() - before) / 1e9;
        IGNORE(printf("%d a commit, up to %" PRIu64 ": %.0f records/s\n", BATCH,
                      tenth * (uint64_t)i, (double)tenth / seconds) < 0); /* stdout */
        IGNORE(fflush(stdout) != 0);                                      /* stdout */
    }
}

int main(int argc, char **argv)
{
    struct bare bare = {0};
    if (argc < 2 || argc > 3) {
        IGNORE(fprintf(stderr, "usage: bench_store_commit DIRECTORY [RECORDS]\n") < 0); /* stderr */
        return 2;
    }
    uint64_t records = argc == 3 ? strtoull(argv[2], NULL, 10) : RECORDS_DEFAULT;
    bare_open(&bare, argv[1]);
    struct store *store = open_store(argv[1]);
    append_customers(store);
    measure_single(store, &bare, "empty store");
    measure_batches(store, records);
    measure_single(store, &bare, "full store");
    store_close(store);
    mdb_env_close(bare.env);
    return 0;
}
