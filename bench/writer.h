/* Who records the standard load in a store, as the committer thread does: announce, look up,
 * append, commit.  One thread; what goes wrong ends the program. */
#pragma once

#include "bench/load.h"
#include "billingd/store/store.h"
#include "proto/limits.h"

struct load_writer {
    struct store *store; /* not owned */
    struct load load;
    uint64_t first_customer; /* the record that created it */
    struct load_record records[LIMIT_BATCH_ITEMS];
    struct store_key keys[LIMIT_BATCH_ITEMS];
};

/* Open the store at URI in DIRECTORY. */
struct store *writer_open_store(const char *uri, const char *directory);

/* Ready WRITER, whose load is begun, to record in STORE: create the load's customers. */
void writer_begin(struct load_writer *writer, struct store *store);

/* Commit N new records, up to LIMIT_BATCH_ITEMS.  Returns how many nanoseconds the store took. */
int64_t writer_commit(struct load_writer *writer, uint64_t n);
