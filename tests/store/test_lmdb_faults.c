/* Every call into LMDB, every allocation, and every call of the system that a start makes, fails
 * once: what was asked for is then refused, or right all the same; and nothing is lost, or recorded
 * in part.
 *
 * Linked with -Wl,--wrap= of each of them. */
#include "tests/store/failing_calls.h"
#include "tests/store/history.h"

enum {
    TRIES_MAX = 20000,
    STEP_RECORDS = 24,
};

/* --- stores ----------------------------------------------------------------------------------- */

static const char *const seal_few = "lmdb:?head_records=20&merge_width=3&slice_bytes=16368";
static const char *const seal_none = "lmdb:?block_bytes=2000";

/* A store in DIRECTORY with segments, merged ones and a head; nothing is being sealed. */
static struct store *make_store(const char *directory, struct rng *rng, struct model *model)
{
    fixture_uri = seal_few;
    struct store *store = open_in(directory);
    while (model->records < 300) {
        history_step(rng, store, model, STEP_RECORDS);
    }
    store_close(store);
    fixture_uri = seal_none;
    store = open_in(directory);
    for (int i = 0; i < 4; i++) {
        history_step(rng, store, model, STEP_RECORDS);
    }
    return store;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int count_record(const struct record *record, void *arg)
{
    (void)record;
    ++*(uint64_t *)arg;
    return 0;
}

static int count_customer(const struct store_customer *customer, void *arg)
{
    (void)customer;
    ++*(uint64_t *)arg;
    return 0;
}

static int count_service(const struct store_service *service, void *arg)
{
    (void)service;
    ++*(uint64_t *)arg;
    return 0;
}

static int count_position(struct store_position position, void *arg)
{
    (void)position;
    ++*(uint64_t *)arg;
    return 0;
}

static int count_sum(const struct store_sum *sum, void *arg)
{
    *(uint64_t *)arg += sum->records + sum->voided;
    return 0;
}

static const struct model *asked; /* what the reads are about */

/* One read of VIEW, and a number by which its answer is known. */
typedef int (*read_fn)(struct store_view *view, uint64_t *ret);

static int read_info(struct store_view *view, uint64_t *ret)
{
    struct store_info info = {0};
    int rc = store_info(view, &info);
    *ret = info.last_seq + 1000 * info.usage + 1000000 * info.customers;
    return rc;
}

static int read_customers(struct store_view *view, uint64_t *ret)
{
    return store_scan_customers(view, 0, count_customer, ret);
}

static int read_external_id(struct store_view *view, uint64_t *ret)
{
    int rc = 0;
    for (uint64_t i = 0; i < asked->customers && rc == 0; i++) {
        struct slice external_id = asked->customer[i].external_id;
        uint64_t seq = 0;
        rc = external_id.length == 0 ? 0 : store_external_id(view, external_id, &seq);
        *ret += seq;
    }
    return rc;
}

static int read_services(struct store_view *view, uint64_t *ret)
{
    return store_scan_services(view, (struct slice){0}, count_service, ret);
}

static int read_journal(struct store_view *view, uint64_t *ret)
{
    return store_scan_journal(view, 0, count_record, ret);
}

static int read_invoices(struct store_view *view, uint64_t *ret)
{
    struct record invoice = {0};
    int rc = store_scan_invoices(view, 0, 0, count_record, ret);
    if (rc < 0 || *ret == 0) { /* a history may have none */
        return rc;
    }
    rc = store_invoice(view, *ret, &invoice);
    return rc < 0 ? rc : store_scan_invoices(view, invoice.invoice.customer, 0, count_record, ret);
}

/* Of the customer who has most. */
static struct store_range range_by(enum store_clock by)
{
    return (struct store_range){
        .customer = asked->customer[0].seq,
        .rows = STORE_USAGE | STORE_VOIDS | STORE_ADJUSTMENTS,
        .by = by,
        .start_us = hour_us / 4,
        .end_us = history_time_max_us,
    };
}

static int read_by_occurred(struct store_view *view, uint64_t *ret)
{
    struct store_range range = range_by(STORE_BY_OCCURRED);
    return store_scan(view, &range, count_record, ret);
}

static int read_by_billed(struct store_view *view, uint64_t *ret)
{
    struct store_range range = range_by(STORE_BY_BILLED);
    return store_scan(view, &range, count_record, ret);
}

static int read_positions(struct store_view *view, uint64_t *ret)
{
    struct store_range range = range_by(STORE_BY_BILLED);
    return store_scan_positions(view, &range, count_position, ret);
}

static int read_sums(struct store_view *view, uint64_t *ret)
{
    struct store_range range = range_by(STORE_BY_BILLED);
    range.rows = STORE_USAGE | STORE_VOIDS;
    return store_scan_sums(view, &range, count_sum, ret);
}

/* Each request id, and one that nobody has. */
static int read_requests(struct store_view *view, uint64_t *ret)
{
    struct record found;
    int rc = 0;
    for (uint64_t i = 0; i < asked->records && rc == 0; i += 7) {
        const struct record *record = &asked->record[i];
        struct store_key key = {record_scope(record), record->request_id};
        rc = key.request_id.length == 0 ? 0 : store_request(view, key, &found);
        *ret += rc == 0;
    }
    if (rc == 0) {
        struct store_key nobody = {asked->customer[0].seq, SLICE("nobody's")};
        rc = store_request(view, nobody, &found);
        rc = rc == STATUS_NOT_FOUND ? 0 : rc == 0 ? STATUS_INTERNAL : rc;
    }
    return rc;
}

static int read_voids(struct store_view *view, uint64_t *ret)
{
    struct record found;
    int rc = 0;
    for (uint64_t seq = 1; seq <= asked->records && rc == 0; seq++) {
        rc = asked->void_of[seq] == 0 ? 0 : store_void(view, seq, &found);
        *ret += rc == 0;
    }
    return rc;
}

static const read_fn reads[] = {
    read_info,        read_customers, read_external_id, read_services, read_journal,  read_invoices,
    read_by_occurred, read_by_billed, read_positions,   read_sums,     read_requests, read_voids,
};

static int read_snapshot(struct store *store, read_fn read, uint64_t *ret)
{
    struct store_view *view;
    *ret = 0;
    int rc = store_snapshot(store, &view);
    if (rc == 0) {
        rc = read(view, ret);
        store_release(view);
    }
    return rc;
}

static int read_in_transaction(struct store *store, read_fn read, uint64_t *ret)
{
    struct store_txn *txn;
    *ret = 0;
    int rc = store_begin(store, birth_us, &txn);
    if (rc == 0) {
        rc = read(store_txn_view(txn), ret);
        store_abort(txn);
    }
    return rc;
}

/* READ by way of HOW, with the fault WHICH at each place in turn. */
static void assert_told_or_right(struct store *store, read_fn read,
                                 int (*how)(struct store *, read_fn, uint64_t *), enum fault which)
{
    uint64_t expected;
    uint64_t got;
    bool met = true;
    assert_ok(how(store, read, &expected));
    for (long i = 0; met; i++) {
        fail_after(which, i);
        int rc = how(store, read, &got);
        met = end_faults();
        assert_true(i < TRIES_MAX);
        assert_true(rc == 0 || (met && rc == STATUS_NO_MEMORY));
        assert_true(rc < 0 || got == expected);
    }
}

static void read__a_call_fails__is_told(void **state)
{
    struct rng rng = rng_make("read");
    struct model *model = model_create();
    struct store *store = make_store(testkit_tmpdir(), &rng, model);
    (void)state;
    asked = model;
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        for (enum fault which = 0; which < FAULTS; which++) {
            assert_told_or_right(store, reads[i], read_snapshot, which);
            assert_told_or_right(store, reads[i], read_in_transaction, which);
        }
    }
    check_now(store, model);
    store_close(store);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* RECORDS in one transaction; all of them, or nothing. */
static int write_all(struct store *store, const struct record *records, int n, int64_t now_us)
{
    struct store_txn *txn;
    int rc = store_begin(store, now_us, &txn);
    if (rc < 0) {
        return rc;
    }
    for (int i = 0; i < n && rc == 0; i++) {
        struct record record = records[i];
        rc = store_append(txn, &record);
    }
    if (rc < 0) {
        store_abort(txn);
        return rc;
    }
    return store_commit(txn);
}

static void assert_recorded_or_not(enum fault which)
{
    struct rng rng = rng_make("write");
    struct model *model = model_create();
    struct store *store = make_store(testkit_tmpdir(), &rng, model);
    struct record records[STEP_RECORDS];
    struct model_mark before = model_mark(model);
    int64_t now_us = birth_us + (int64_t)model->records;
    int rc = STATUS_NO_MEMORY;
    for (int i = 0; i < STEP_RECORDS; i++) {
        records[i] = history_record(&rng, model);
        model_append(model, &records[i], now_us);
    }
    struct model *after = model_copy(model);
    model_return(model, &before);
    for (long i = 0; rc < 0; i++) {
        fail_after(which, i);
        rc = write_all(store, records, STEP_RECORDS, now_us);
        assert_true(end_faults() || rc == 0);
        /* busy: it hit a slice of the sealer's that rode along */
        assert_true(rc == 0 || rc == STATUS_NO_MEMORY || rc == STATUS_BUSY);
        assert_true(i < TRIES_MAX);
        if (rc < 0 && i % 16 == 0) {
            check_now(store, model);
        }
    }
    check_now(store, after);
    store_close(store);
}

static void write__a_call_fails__all_or_nothing(void **state)
{
    (void)state;
    assert_recorded_or_not(FAIL_LMDB);
    assert_recorded_or_not(FAIL_MEMORY);
}

/* --- opening and closing ---------------------------------------------------------------------- */

struct image {
    char *data;
    size_t bytes;
};

/* What a crash leaves of STORE, in DIRECTORY, which is closed. */
static struct image take_image(struct store *store, const char *directory)
{
    struct image image;
    image.data = crash_image(store, directory, &image.bytes);
    store_close(store);
    return image;
}

static void put_image(const struct image *image, const char *directory)
{
    IGNORE(unlink(testkit_format("%s/lock.mdb", directory)) < 0); /* at first there is none */
    testkit_write_file(testkit_format("%s/data.mdb", directory), image->data, image->bytes);
}

/* Begin a transaction, for which filters are read that no one has read yet. */
static int begin_first(struct store *store)
{
    struct store_txn *txn;
    int rc = store_begin(store, birth_us, &txn);
    if (rc == 0) {
        store_abort(txn);
    }
    return rc;
}

/* Open the store in DIRECTORY and begin a transaction, with the fault WHICH at place UNTIL. Returns
 * whether it came to that. */
static bool meets_opening(const char *directory, enum fault which, long until)
{
    struct store_options options = options_in(directory);
    struct errinfo reason = {""};
    struct store *store = NULL;
    fail_after(which, until);
    int rc = store_open(fixture_uri, &options, &store, &reason);
    int begun = rc == 0 ? begin_first(store) : 0;
    bool met = end_faults();
    assert_true(rc == 0 || (met && reason.message[0] != '\0'));
    assert_true(begun == 0 || (met && begun == STATUS_NO_MEMORY));
    if (rc == 0) {
        store_close(store);
    }
    return met;
}

/* Open it and close it, which seals, with the fault there. */
static bool meets_closing(const char *directory, enum fault which, long until)
{
    struct store *store = open_in(directory);
    fail_after(which, until);
    store_close(store);
    return end_faults();
}

typedef bool (*meets_fn)(const char *directory, enum fault which, long until);

/* At each place in turn: afterwards all of it is there. */
static void assert_survives(const char *uri, enum fault which, meets_fn meets_at)
{
    struct rng rng = rng_make("open");
    struct model *model = model_create();
    const char *directory = testkit_tmpdir();
    struct image image = take_image(make_store(directory, &rng, model), directory);
    bool met = true;
    fixture_uri = uri;
    for (long i = 0; met; i++) {
        put_image(&image, directory);
        met = meets_at(directory, which, i);
        assert_true(i < TRIES_MAX);
        if (i % 8 == 0 || !met) {
            struct store *store = open_in(directory);
            check_now(store, model);
            store_close(store);
        }
    }
    free(image.data);
}

static void open__a_call_fails__is_told_and_the_next_goes_well(void **state)
{
    (void)state;
    for (enum fault which = 0; which < FAULTS; which++) {
        assert_survives(seal_none, which, meets_opening);
    }
}

/* Where there is nothing yet, nor the directory above. */
static void open__new_store_and_a_call_fails__is_told_and_the_next_goes_well(void **state)
{
    const char *top = testkit_tmpdir();
    (void)state;
    fixture_uri = seal_none;
    for (enum fault which = 0; which < FAULTS; which++) {
        bool met = true;
        for (long i = 0; met; i++) {
            const char *directory = testkit_format("%s/%d-%ld/store", top, (int)which, i);
            met = meets_opening(directory, which, i);
            assert_true(i < TRIES_MAX);
            store_close(open_in(directory));
        }
    }
}

static void open__a_call_fails_while_sealing__nothing_is_lost(void **state)
{
    (void)state;
    for (enum fault which = 0; which < FAULTS; which++) {
        assert_survives(seal_few, which, meets_opening);
    }
}

static void close__a_call_fails_while_sealing__nothing_is_lost(void **state)
{
    (void)state;
    for (enum fault which = 0; which < FAULTS; which++) {
        assert_survives(seal_none, which, meets_closing);
    }
}

/* --- backing up ------------------------------------------------------------------------------- */

/* A backup to DIRECTORY with the fault WHICH at place UNTIL.  Returns whether it came to that: then
 * there is none, or it is whole. */
static bool meets_backup(struct store *store, const char *directory, enum fault which, long until)
{
    const struct store_backup backup = {.directory = directory};
    struct store_copied copied;
    struct errinfo reason = {""};
    fail_after(which, until);
    int rc = store_backup(store, &backup, &copied, &reason);
    bool met = end_faults();
    assert_true(rc == 0 || (met && reason.message[0] != '\0'));
    assert_int_equal(access(directory, F_OK), rc < 0 ? -1 : 0);
    if (rc == 0) {
        struct store *copy = open_in(directory);
        check_now(copy, asked);
        store_close(copy);
        for (size_t i = 0; i < 3; i++) {
            static const char *const files[] = {"LOCK", "lock.mdb", "data.mdb"};
            assert_int_equal(unlink(testkit_format("%s/%s", directory, files[i])), 0);
        }
    }
    /* of one that is not done: that its name is free is all that counts here */
    assert_int_equal(rmdir(directory), rc < 0 ? -1 : 0);
    return met;
}

static void backup__a_call_fails__none_or_a_whole_one(void **state)
{
    struct rng rng = rng_make("backup");
    struct model *model = model_create();
    struct store *store = make_store(testkit_tmpdir(), &rng, model);
    const char *directory = testkit_format("%s/one", testkit_tmpdir());
    (void)state;
    asked = model;
    for (enum fault which = 0; which < FAULTS; which++) {
        bool met = true;
        for (long i = 0; met; i += 1 + i / 16) { /* the first calls one by one, then some */
            met = meets_backup(store, directory, which, i);
            assert_true(i < TRIES_MAX);
        }
    }
    check_now(store, model);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(read__a_call_fails__is_told),
    cmocka_unit_test(backup__a_call_fails__none_or_a_whole_one),
    cmocka_unit_test(write__a_call_fails__all_or_nothing),
    cmocka_unit_test(open__a_call_fails__is_told_and_the_next_goes_well),
    cmocka_unit_test(open__new_store_and_a_call_fails__is_told_and_the_next_goes_well),
    cmocka_unit_test(open__a_call_fails_while_sealing__nothing_is_lost),
    cmocka_unit_test(close__a_call_fails_while_sealing__nothing_is_lost),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    int failed = cmocka_run_group_tests_name(argv[0], tests, NULL, NULL);
    print_message("%ld faults\n", faults.all);
    return testkit_end(failed);
}
