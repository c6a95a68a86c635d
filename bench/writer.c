#include "bench/writer.h"

#include "bench/clock.h"
#include "bench/fail.h"
#include "billingd/base/clock.h"

enum {
    READERS = 4,
    CUSTOMERS_PER_COMMIT = 10000,
};

static const uint64_t map_bytes = UINT64_C(1) << 40;

struct store *writer_open_store(const char *uri, const char *directory)
{
    struct store *store;
    struct errinfo reason = {""};
    const struct store_options options = {
        .data_dir = directory,
        .map_bytes = map_bytes,
        .readers_max = READERS,
        .currency = "USD",
        .now_us = clock_wall_us(),
    };
    if (store_open(uri, &options, &store, &reason) != 0) {
        fail("%s", reason.message);
    }
    return store;
}

void writer_begin(struct load_writer *writer, struct store *store)
{
    uint64_t left = writer->load.customers;
    writer->store = store;
    writer->first_customer = 0;
    while (left > 0) {
        struct store_txn *txn;
        check_status(store_begin(store, clock_wall_us(), &txn), "begin");
        for (unsigned i = 0; i < CUSTOMERS_PER_COMMIT && left > 0; i++, left--) {
            struct record record = {.kind = RECORD_CUSTOMER_CREATED,
                                    .customer_created = {.name = SLICE("A customer's name")}};
            check_status(store_append(txn, &record), "append");
            if (writer->first_customer == 0) {
                writer->first_customer = record.seq;
            }
        }
        check_status(store_commit(txn), "commit");
    }
}

/* Look up and append RECORD in TXN, as the rules do. */
static void append_usage(struct load_writer *writer, struct store_txn *txn,
                         const struct load_record *load_record, struct store_key key)
{
    struct record record;
    struct record found;
    if (store_request(store_txn_view(txn), key, &found) != STATUS_NOT_FOUND) {
        fail("a request id that is new was found, or could not be looked up");
    }
    load_store_record(&writer->load, load_record, writer->first_customer, &record);
    check_status(store_append(txn, &record), "append");
}

int64_t writer_commit(struct load_writer *writer, uint64_t n)
{
    struct store_txn *txn;
    for (uint64_t i = 0; i < n; i++) {
        struct load_record *record = &writer->records[i];
        load_next(&writer->load, record);
        writer->keys[i] = (struct store_key){.scope = writer->first_customer + record->customer,
                                             .request_id = {record->id, LOAD_ID_BYTES}};
    }
    int64_t start_ns = clock_ns();
    check_status(store_begin(writer->store, clock_wall_us(), &txn), "begin");
    check_status(store_announce(txn, writer->keys, n), "announce");
    for (uint64_t i = 0; i < n; i++) {
        append_usage(writer, txn, &writer->records[i], writer->keys[i]);
    }
    check_status(store_commit(txn), "commit");
    return clock_ns() - start_ns;
}
