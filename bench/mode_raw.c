/* LMDB with the records of the standard load and none of our code around it: as fast as it goes,
 * and as one would lay it out at first. */
#include <stdlib.h>

#include "bench/bare.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/pace.h"
#include "billingd/base/bytes.h"

enum {
    POOL_RECORDS = 1 << 16,
    KEY_BYTES = 8 + LOAD_ID_BYTES,
};

struct raw {
    struct bare bare;
    struct load load;
    MDB_dbi requests; /* of the naive layout */
    MDB_dbi usage;
    struct slice *pool; /* of the other: records that are made ahead */
};

/* A record of the load, encoded into BUFFER. */
static size_t encode_next(struct load *load, struct load_record *ret, uint8_t *buffer)
{
    struct record record;
    load_next(load, ret);
    load_store_record(load, ret, 1, &record);
    return record_encode(&record, buffer);
}

static void fill_pool(struct raw *raw)
{
    static uint8_t buffer[RECORD_BYTES_MAX];
    struct load_record record;
    raw->pool = calloc(POOL_RECORDS, sizeof raw->pool[0]);
    check(raw->pool != NULL, "memory");
    for (unsigned i = 0; i < POOL_RECORDS; i++) {
        size_t bytes = encode_next(&raw->load, &record, buffer);
        char *copy = malloc(bytes);
        check(copy != NULL, "memory");
        memcpy(copy, buffer, bytes);
        raw->pool[i] = (struct slice){copy, bytes};
    }
}

static void append_one(struct raw *raw, MDB_txn *txn)
{
    struct slice bytes = raw->pool[raw->bare.next % POOL_RECORDS];
    bare_append(&raw->bare, txn, bytes.data, bytes.length);
}

static void put(MDB_txn *txn, MDB_dbi table, MDB_val key, uint64_t number)
{
    uint8_t bytes[sizeof number];
    bytes_put_be64(bytes, number);
    MDB_val value = {sizeof bytes, bytes};
    check_lmdb(mdb_put(txn, table, &key, &value, MDB_NOOVERWRITE), "mdb_put");
}

/* Also under its customer and request id, and under its customer and time. */
static void insert_one(struct raw *raw, MDB_txn *txn)
{
    static uint8_t buffer[RECORD_BYTES_MAX];
    struct load_record record;
    uint8_t key[KEY_BYTES];
    uint64_t number = raw->bare.next;
    size_t bytes = encode_next(&raw->load, &record, buffer);
    bare_append(&raw->bare, txn, buffer, bytes);
    bytes_put_be64(key, record.customer);
    memcpy(key + 8, record.id, LOAD_ID_BYTES);
    put(txn, raw->requests, (MDB_val){8 + LOAD_ID_BYTES, key}, number);
    bytes_put_be64(key + 8, (uint64_t)record.occurred_at_us);
    bytes_put_be64(key + 16, number);
    put(txn, raw->usage, (MDB_val){24, key}, number);
}

static void measure(const struct bench_options *options, struct report *report, struct raw *raw,
                    void (*write_one)(struct raw *raw, MDB_txn *txn))
{
    static struct pace pace;
    static struct latency commits;
    pace_start(&pace, options->window, clock_ns());
    while (pace.records < options->records) {
        uint64_t left = options->records - pace.records;
        uint64_t batch = left < options->batch ? left : options->batch;
        int64_t start_ns = clock_ns();
        MDB_txn *txn = bare_begin(&raw->bare);
        for (uint64_t i = 0; i < batch; i++) {
            write_one(raw, txn);
        }
        bare_commit(txn);
        int64_t end_ns = clock_ns();
        latency_add(&commits, end_ns - start_ns);
        pace_add(&pace, batch, end_ns);
    }
    report_count(report, "batch", options->batch);
    report_text(report, "ids", options->ids);
    report_seed(report, options->seed);
    pace_report(&pace, report);
    report_latency(report, "commit", &commits);
}

static void report_size(const struct bench_options *options, struct report *report,
                        const char *directory)
{
    report_number(report, "bytes_per_record",
                  (double)files_bytes(directory) / (double)options->records, 1);
}

void mode_raw_append(const struct bench_options *options, struct report *report)
{
    struct raw raw;
    const char *directory = files_scratch(options->dir, options->keep);
    load_init(&raw.load, options->seed, options->customers, options_ordered(options));
    fill_pool(&raw);
    bare_open(&raw.bare, directory, 0);
    measure(options, report, &raw, append_one);
    report_size(options, report, directory);
    bare_close(&raw.bare);
    for (unsigned i = 0; i < POOL_RECORDS; i++) {
        free((void *)(uintptr_t)raw.pool[i].data); /* ours, behind a slice's const */
    }
    free(raw.pool);
}

void mode_raw_btree(const struct bench_options *options, struct report *report)
{
    struct raw raw;
    const char *directory = files_scratch(options->dir, options->keep);
    load_init(&raw.load, options->seed, options->customers, options_ordered(options));
    bare_open(&raw.bare, directory, 2);
    MDB_txn *txn = bare_begin(&raw.bare);
    check_lmdb(mdb_dbi_open(txn, "requests", MDB_CREATE, &raw.requests), "mdb_dbi_open");
    check_lmdb(mdb_dbi_open(txn, "usage", MDB_CREATE, &raw.usage), "mdb_dbi_open");
    bare_commit(txn);
    measure(options, report, &raw, insert_one);
    report_size(options, report, directory);
    bare_close(&raw.bare);
}
