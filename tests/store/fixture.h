/* Opening stores and writing to them, in step with a model.  Main thread. */
#pragma once

#include "tests/store/model_check.h"

enum {
    MAP_BYTES = 256 << 20,
    READERS_MAX = 4,
    PATIENCE_MS = 120000, /* for what comes by itself, on a machine that has other things to do */
};

static const int64_t birth_us = INT64_C(1763809298000000);
static const int64_t hour_us = INT64_C(3600000000);
static const char *fixture_uri = "lmdb:"; /* of the stores that are opened here */

/* Take the URI off the arguments of a contract's main: [URI] [PATTERN]. */
static inline void fixture_take_uri(int *argc, char ***argv)
{
    if (*argc > 1 && strchr((*argv)[1], ':') != NULL) {
        fixture_uri = (*argv)[1];
        (*argv)[1] = (*argv)[0];
        --*argc;
        ++*argv;
    }
}

static inline struct store_options options_in(const char *directory)
{
    return (struct store_options){
        .data_dir = directory,
        .map_bytes = MAP_BYTES,
        .readers_max = READERS_MAX,
        .currency = "USD",
        .now_us = birth_us,
    };
}

static inline struct store *open_with(const struct store_options *options)
{
    struct errinfo reason = {""};
    struct store *store = NULL;
    int rc = store_open(fixture_uri, options, &store, &reason);
    if (rc < 0) {
        testkit_fail("store_open: %d: %s", rc, reason.message);
    }
    return store;
}

static inline struct store *open_in(const char *directory)
{
    struct store_options options = options_in(directory);
    return open_with(&options);
}

/* Open and close the store in DIRECTORY, so that all of its records are in segments. */
static inline void seal_all(const char *directory)
{
    const char *uri = fixture_uri;
    fixture_uri = "lmdb:?head_records=1&merge_width=64";
    store_close(open_in(directory));
    fixture_uri = uri;
}

/* The data file of STORE, in DIRECTORY, as a crash would leave it now; its length in *RET_BYTES.
 * Free it.  It is read while a transaction is open, since else the sealer may write, and what is
 * read would be of several moments. */
static inline char *crash_image(struct store *store, const char *directory, size_t *ret_bytes)
{
    struct store_txn *txn;
    assert_ok(store_begin(store, birth_us, &txn));
    char *data = testkit_read_file(testkit_format("%s/data.mdb", directory), ret_bytes);
    store_abort(txn);
    return data;
}

/* End STORE, in DIRECTORY, as a crash does: nothing is sealed that was not.  Returns the directory
 * that a start would find. */
static inline const char *crash(struct store *store, const char *directory)
{
    const char *copy = testkit_tmpdir();
    size_t bytes;
    char *data = crash_image(store, directory, &bytes);
    testkit_write_file(testkit_format("%s/data.mdb", copy), data, bytes);
    free(data);
    store_close(store);
    return copy;
}

static inline struct store_txn *begin(struct store *store, int64_t now_us)
{
    struct store_txn *txn;
    assert_ok(store_begin(store, now_us, &txn));
    return txn;
}

static inline struct store_view *snapshot(struct store *store)
{
    struct store_view *view;
    assert_ok(store_snapshot(store, &view));
    return view;
}

/* Append to both; the store's idea of the number is to be the model's. */
static inline void append(struct store_txn *txn, struct model *model, const struct record *record,
                          int64_t now_us)
{
    struct record appended = *record;
    assert_ok(store_append(txn, &appended));
    model_append(model, record, now_us);
    assert_u64(appended.seq, model->records);
    assert_i64(appended.created_at_us, now_us);
}

static inline struct record customer_named(const char *name, const char *external_id)
{
    return (struct record){
        .kind = RECORD_CUSTOMER_CREATED,
        .customer_created = {.name = text_copy(name), .external_id = text_copy(external_id)},
    };
}

static inline struct record renamed_to(uint64_t customer, const char *name)
{
    return (struct record){
        .kind = RECORD_CUSTOMER_RENAMED,
        .customer_renamed = {.customer = customer, .name = text_copy(name)},
    };
}

static inline struct record usage_at(uint64_t customer, int64_t occurred_at_us, int64_t bills_at_us,
                                     const char *request_id)
{
    return (struct record){
        .kind = RECORD_USAGE,
        .request_id = text_copy(request_id),
        .recorded_by = SLICE("uid:1000"),
        .usage = {.customer = customer,
                  .service = SLICE("Database Hosting"),
                  .units = make_decimal(58, 0),
                  .price = make_decimal(5, 2),
                  .occurred_at_us = occurred_at_us,
                  .bills_at_us = bills_at_us},
    };
}

/* The void of USAGE, which has a number, at BILLS_AT_US. */
static inline struct record void_of(const struct record *usage, int64_t bills_at_us,
                                    const char *request_id)
{
    return (struct record){
        .kind = RECORD_USAGE_VOIDED,
        .request_id = text_copy(request_id),
        .recorded_by = SLICE("uid:1000"),
        .usage_voided = {.customer = usage->usage.customer,
                         .usage = usage->seq,
                         .occurred_at_us = usage->usage.occurred_at_us,
                         .bills_at_us = bills_at_us,
                         .reason = SLICE("measured twice")},
    };
}

static inline struct record adjustment_at(uint64_t customer, int64_t occurred_at_us,
                                          int64_t bills_at_us, const char *request_id)
{
    return (struct record){
        .kind = RECORD_ADJUSTMENT,
        .request_id = text_copy(request_id),
        .recorded_by = SLICE("uid:1000"),
        .adjustment = {.customer = customer,
                       .reason = SLICE("goodwill"),
                       .amount = make_decimal(-1995, 2),
                       .occurred_at_us = occurred_at_us,
                       .bills_at_us = bills_at_us},
    };
}

/* Of nothing. */
static inline struct record invoice_of(uint64_t customer, uint64_t number, int64_t start_us,
                                       int64_t end_us, const char *request_id)
{
    return (struct record){
        .kind = RECORD_INVOICE,
        .request_id = text_copy(request_id),
        .recorded_by = SLICE("uid:1000"),
        .invoice = {.customer = customer,
                    .number = number,
                    .start_us = start_us,
                    .end_us = end_us,
                    .minor_digits = 2,
                    .digest = {7, 7, 7}},
    };
}

static inline struct record service_put(struct slice name, const char *unit)
{
    return (struct record){.kind = RECORD_SERVICE_PUT,
                           .service_put = {.name = name, .unit = text_copy(unit)}};
}

static inline struct record service_deleted(struct slice name)
{
    return (struct record){.kind = RECORD_SERVICE_DELETED, .service_deleted = {.name = name}};
}

/* Of a writer of one service, that does not expire. */
static inline struct record key_created(const char *name)
{
    static const char services[] = "\x02S3";
    return (struct record){
        .kind = RECORD_KEY_CREATED,
        .recorded_by = SLICE("uid:0"),
        .key_created = {.name = text_copy(name),
                        .role = KEY_WRITER,
                        .services = {services, sizeof services - 1},
                        .hash = {4, 2}},
    };
}

static inline struct record key_revoked(uint64_t key, const char *name)
{
    return (struct record){
        .kind = RECORD_KEY_REVOKED,
        .recorded_by = SLICE("uid:1"),
        .key_revoked = {.key = key, .name = text_copy(name)},
    };
}

static inline struct record key_used(uint64_t key, int64_t used_at_us)
{
    struct key_use use = {key, used_at_us};
    uint8_t *bytes = testkit_alloc(KEY_USES_BYTES_MAX);
    size_t length = key_uses_encode(&use, 1, bytes);
    return (struct record){
        .kind = RECORD_KEY_USED,
        .recorded_by = SLICE("billingd"),
        .key_used = {.uses = {(const char *)bytes, length}},
    };
}

static inline void check_now(struct store *store, const struct model *model)
{
    struct rng rng = rng_make("check");
    struct store_view *view = snapshot(store);
    model_check(model, view, &rng, 1000 * hour_us, 1);
    model_verify(model, view);
    store_release(view);
}

/* Every request id of MODEL leads to its record, in VIEW, and is nobody else's. */
static inline void check_requests(struct store_view *view, const struct model *model)
{
    for (uint64_t i = 0; i < model->records; i++) {
        const struct record *record = &model->record[i];
        struct store_key key = {record_scope(record), record->request_id};
        struct record found;
        if (key.request_id.length > 0) {
            assert_ok(store_request(view, key, &found));
            assert_u64(found.seq, record->seq);
            key.scope += 1000000; /* nobody's */
            assert_status(store_request(view, key, &found), STATUS_NOT_FOUND);
        }
    }
}

/* The same for one who is about to write. */
static inline void check_replays(struct store *store, const struct model *model)
{
    struct store_txn *txn = begin(store, birth_us);
    check_requests(store_txn_view(txn), model);
    store_abort(txn);
}

/* Opening with OPTIONS fails, and the reason contains PART. */
static inline void assert_refused(const struct store_options *options, const char *part)
{
    struct errinfo reason = {""};
    struct store *store;
    assert_true(store_open(fixture_uri, options, &store, &reason) < 0);
    assert_contains(reason.message, part);
}
