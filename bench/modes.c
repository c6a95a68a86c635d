/* The table of modes: what each measures, and what its options are where they are left out. */
#include "bench/options.h"

#define MILLION UINT64_C(1000000)

const struct bench_mode bench_modes[BENCH__MODES] = {
    [BENCH_SYNC] = {"sync",
                    mode_sync,
                    "the disk: fdatasync of 4 KiB, and an LMDB commit of one record",
                    {.samples = 2000}},
    [BENCH_RAW_APPEND] =
        {"raw-append",
         mode_raw_append,
         "the limit: LMDB appending the bytes of the same records to one table,\n"
         "      at the same commit size, and nothing else",
         {.records = MILLION, .batch = 1000, .customers = 10000, .window = MILLION}},
    [BENCH_RAW_BTREE] =
        {"raw-btree",
         mode_raw_btree,
         "the naive layout in LMDB: the journal, a B-tree of request ids, and one\n"
         "      by customer and time",
         {.records = MILLION, .batch = 1000, .customers = 10000, .window = MILLION}},
    [BENCH_ENGINE] = {"engine",
                      mode_engine,
                      "the store alone, through store.h: look each request id up, append, commit;\n"
                      "      then end as by a crash, and open it again",
                      {.records = MILLION, .batch = 1000, .customers = 10000, .window = MILLION}},
    [BENCH_RPC] =
        {"rpc",
         mode_rpc,
         "a daemon through its socket: batches, or single records with --batch 1",
         {.batch = 1, .customers = 10000, .window = MILLION, .clients = 1, .pipeline = 1}},
    [BENCH_HTTP] =
        {"http",
         mode_http,
         "the same through the HTTP shim, on connections that are kept alive",
         {.batch = 1, .customers = 10000, .window = MILLION, .clients = 1, .pipeline = 1}},
    [BENCH_READ] = {"read",
                    mode_read,
                    "bill of a month, list of 100, one record by its id, one by its request id,\n"
                    "      over RPC from one client, in a store of --records",
                    {.records = MILLION,
                     .batch = 1000,
                     .customers = 10000,
                     .window = MILLION,
                     .clients = 4,
                     .pipeline = 1,
                     .seconds = 60,
                     .samples = 1000}},
    [BENCH_FAIRNESS] =
        {"fairness",
         mode_fairness,
         "what one identity keeps of its rate beside a flood of another and idle\n"
         "      connections: alone, then beside them, --seconds each, --samples times in turn;\n"
         "      the flood has --clients connections with --pipeline in flight on each",
         {.batch = 1,
          .customers = 10000,
          .clients = 4,
          .pipeline = 1000,
          .in_flight = 1000,
          .flood_batch = 1,
          .idle = 2000,
          .seconds = 2,
          .samples = 3}},
};
