/* The tables of voids, adjustments, invoices and services: damage to them, and stores that were
 * made before there were any. */
#include "tests/store/surgery.h"

/* --- stores to damage ------------------------------------------------------------------------- */

static void append_alone(struct store *store, struct model *model, const struct record *record)
{
    struct store_txn *txn = begin(store, birth_us);
    append(txn, model, record, birth_us);
    assert_ok(store_commit(txn));
}

/* Customers 1, 2 and 3; 1's usage 4 and 5; their voids 6, in time, and 7, late; 1's adjustments 8,
 * in time, and 9, late; invoices 1 to 3 of 1, 2 and 2: 10 to 12; services EC2 and S3: 13 and 14.
 * One a block. */
static const char *make_store(void)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct record first[] = {
        customer_named("one", ""),
        customer_named("two", ""),
        customer_named("three", ""),
        usage_at(1, hour_us, hour_us, "u4"),
        usage_at(1, 2 * hour_us, 2 * hour_us, "u5"),
    };
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        append_alone(store, model, &first[i]);
    }
    struct record second[] = {
        void_of(&model->record[3], hour_us, "v6"),
        void_of(&model->record[4], 40 * hour_us, "v7"),
        adjustment_at(1, hour_us, hour_us, "a8"),
        adjustment_at(1, 2 * hour_us, 40 * hour_us, "a9"),
        invoice_of(1, 1, 0, 10, "i10"),
        invoice_of(2, 2, 0, 10, "i11"),
        invoice_of(2, 3, 10, 20, "i12"),
        service_put(SLICE("EC2"), "h"),
        service_put(SLICE("S3"), "GB"),
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        append_alone(store, model, &second[i]);
    }
    store_close(store);
    return directory;
}

/* --- questions -------------------------------------------------------------------------------- */

static int ask_void(struct store_view *view)
{
    struct record record;
    return store_void(view, 4, &record);
}

static int scan_rows(struct store_view *view, unsigned rows, enum store_clock by)
{
    struct store_range range = {1, rows, by, 0, INT64_MAX, {0}};
    int seen = 0;
    int rc = store_scan(view, &range, count_record, &seen);
    return rc == 0 && seen != 2 ? STATUS_INTERNAL : rc;
}

static int ask_voids_occurred(struct store_view *view)
{
    return scan_rows(view, STORE_VOIDS, STORE_BY_OCCURRED);
}

static int ask_voids_billed(struct store_view *view)
{
    return scan_rows(view, STORE_VOIDS, STORE_BY_BILLED);
}

static int ask_adjustments_occurred(struct store_view *view)
{
    return scan_rows(view, STORE_ADJUSTMENTS, STORE_BY_OCCURRED);
}

static int ask_adjustments_billed(struct store_view *view)
{
    return scan_rows(view, STORE_ADJUSTMENTS, STORE_BY_BILLED);
}

static int ask_invoice(struct store_view *view)
{
    struct record record;
    return store_invoice(view, 2, &record);
}

static int ask_invoices(struct store_view *view)
{
    int seen = 0;
    return store_scan_invoices(view, 0, 0, count_record, &seen);
}

static int ask_invoices_of_one(struct store_view *view)
{
    int seen = 0;
    return store_scan_invoices(view, 1, 0, count_record, &seen);
}

static int ask_invoices_of_three(struct store_view *view)
{
    int seen = 0;
    return store_scan_invoices(view, 3, 0, count_record, &seen);
}

static int ask_service(struct store_view *view)
{
    struct store_service service;
    return store_service(view, SLICE("EC2"), &service);
}

static int keep_service(const struct store_service *service, void *arg)
{
    (void)service;
    (void)arg;
    return 0;
}

static int ask_services(struct store_view *view)
{
    return store_scan_services(view, (struct slice){0}, keep_service, NULL);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void read__damaged_table__fails(void **state)
{
    static const struct {
        const char *table;
        int index;
        enum place place;
        int at;
        int (*question)(struct store_view *view);
    } damages[] = {
        {"void_of", 0, IN_VALUE, 0, ask_void}, /* leads to another void: 7 */
        {"void_of", 0, IN_VALUE, 6, ask_void}, /* leads nowhere */
        {"voids", 0, IN_KEY, 15, ask_voids_occurred},
        {"voids", 0, IN_KEY, 8, ask_voids_occurred},
        {"voids", 0, IN_KEY, 22, ask_voids_occurred},
        {"voids", 0, IN_KEY, 15, ask_voids_billed},
        {"voids", 1, IN_VALUE, 0, ask_voids_billed}, /* neither late nor in time */
        {"voids_late", 0, IN_KEY, 15, ask_voids_billed},
        {"voids_late", 0, IN_KEY, 23, ask_voids_billed},
        {"adjustments", 0, IN_KEY, 15, ask_adjustments_occurred},
        {"adjustments", 0, IN_KEY, 23, ask_adjustments_occurred},
        {"adjustments", 0, IN_KEY, 15, ask_adjustments_billed},
        {"adjustments", 1, IN_VALUE, 0, ask_adjustments_billed},
        {"adjustments_late", 0, IN_KEY, 15, ask_adjustments_billed},
        {"adjustments_late", 0, IN_KEY, 22, ask_adjustments_billed},
        {"invoices", 1, IN_VALUE, 0, ask_invoice},  /* leads to another invoice: 10 */
        {"invoices", 1, IN_VALUE, 6, ask_invoice},  /* leads nowhere */
        {"invoices", 2, IN_VALUE, 0, ask_invoices}, /* leads to a service: 13 */
        {"invoices", 0, IN_KEY, 6, ask_invoices},   /* another number */
        {"customer_invoices", 0, IN_VALUE, 0, ask_invoices_of_one},
        {"customer_invoices", 0, IN_KEY, 14, ask_invoices_of_one},
        {"services", 0, IN_VALUE, 0, ask_service},  /* created_at */
        {"services", 0, IN_VALUE, 8, ask_service},  /* updated_at */
        {"services", 0, IN_VALUE, 16, ask_service}, /* unit */
        {"services", 0, IN_VALUE, -1, ask_service}, /* checksum */
        {"services", 1, IN_VALUE, 16, ask_services},
        {"services", 1, IN_KEY, 0, ask_services}, /* another's row */
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        const char *directory = make_store();
        assert_ok(ask(directory, damages[i].question));
        flip(directory, damages[i].table, damages[i].index, damages[i].place, damages[i].at);
        int rc = ask(directory, damages[i].question);
        if (rc != STATUS_CORRUPT) {
            testkit_fail("damage %zu, to %s, was not seen: %d", i, damages[i].table, rc);
        }
    }
}

/* 2's invoice becomes 3's: the record says otherwise. */
static void read__invoice_of_another_customer__fails(void **state)
{
    const char *directory = make_store();
    (void)state;
    assert_ok(ask(directory, ask_invoices_of_three));
    flip(directory, "customer_invoices", 1, IN_KEY, 7);
    assert_status(ask(directory, ask_invoices_of_three), STATUS_CORRUPT);
}

static void read__rows_of_wrong_length__fail(void **state)
{
    static const struct {
        const char *table;
        int (*question)(struct store_view *view);
    } tables[] = {{"void_of", ask_void},
                  {"invoices", ask_invoices},
                  {"customer_invoices", ask_invoices_of_one},
                  {"services", ask_service}};
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, tables[i].table, 0);
        row->value_bytes = row->value_bytes > 8 ? 23 : 7; /* shorter than an empty row */
        row_put(&surgery, tables[i].table, row);
        surgery_end(&surgery);
        assert_status(ask(directory, tables[i].question), STATUS_CORRUPT);
    }
}

static int keep_sum(const struct store_sum *sum, void *arg)
{
    (void)sum;
    (void)arg;
    return 0;
}

/* The voids are whole; what one of them voids is not. */
static void sums__voided_usage_is_damaged__fail_and_name_it(void **state)
{
    const char *directory = make_store();
    struct store_range range = {1, 0, STORE_BY_BILLED, 30 * hour_us, INT64_MAX, {0}};
    (void)state;
    seal_all(directory);
    flip(directory, "journal", 4, IN_VALUE, -20);
    struct store *store = open_in(directory);
    struct store_view *view = snapshot(store);
    assert_status(store_scan_sums(view, &range, keep_sum, NULL), STATUS_CORRUPT);
    assert_u64(store_view_damaged(view), 5);
    range.start_us = 0;
    range.end_us = 2 * hour_us; /* without it */
    assert_ok(store_scan_sums(view, &range, keep_sum, NULL));
    store_release(view);
    store_close(store);
}

/* A row that cannot be read is not overwritten with half of what it said. */
static void append__over_a_damaged_row__fails(void **state)
{
    const char *directory = make_store();
    (void)state;
    flip(directory, "services", 1, IN_VALUE, 0);
    flip(directory, "customers", 0, IN_VALUE, 0);
    struct store *store = open_in(directory);
    struct record records[] = {service_put(SLICE("S3"), "TB"), invoice_of(1, 4, 10, 20, "i")};
    for (int i = 0; i < 2; i++) {
        struct store_txn *txn = begin(store, birth_us);
        assert_status(store_append(txn, &records[i]), STATUS_CORRUPT);
        store_abort(txn);
    }
    struct store_txn *txn = begin(store, birth_us); /* it can be taken away and put anew */
    struct record deleted = service_deleted(SLICE("S3"));
    assert_ok(store_append(txn, &deleted));
    assert_ok(store_append(txn, &records[0]));
    assert_ok(store_commit(txn));
    store_close(store);
    assert_ok(ask(directory, ask_services));
}

/* --- stores made before ----------------------------------------------------------------------- */

static const char *const new_tables[] = {
    "voids",    "voids_late",       "void_of",  "adjustments",
    "invoices", "adjustments_late", "services", "customer_invoices",
};

/* A store as it was before there were voids: its journal in record format 1, and none of the tables
 * that came with the others. */
static const char *make_old_store(struct model *model)
{
    const char *directory = testkit_tmpdir();
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record customer = customer_named("Acme", "external-1");
    struct record usage = usage_at(1, hour_us, 5 * hour_us, "u2");
    append(txn, model, &customer, birth_us);
    append(txn, model, &usage, birth_us);
    assert_ok(store_commit(txn));
    store_close(store);
    forge_block(directory, 0, 6, 1);
    struct surgery surgery = surgery_begin(directory);
    for (size_t i = 0; i < sizeof new_tables / sizeof new_tables[0]; i++) {
        MDB_dbi dbi = table_named(&surgery, new_tables[i]);
        assert_int_equal(mdb_drop(surgery.txn, dbi, 1), 0);
    }
    surgery_end(&surgery);
    return directory;
}

static void open__store_of_record_format_1__goes_on(void **state)
{
    struct model *model = model_create();
    const char *directory = make_old_store(model);
    struct store *store = open_in(directory);
    (void)state;
    check_now(store, model);
    struct record records[] = {
        void_of(&model->record[1], 6 * hour_us, "v3"),
        adjustment_at(1, 0, 0, "a4"),
        invoice_of(1, 1, 0, 10, "i5"),
        service_put(SLICE("S3"), ""),
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        append_alone(store, model, &records[i]);
    }
    check_now(store, model);
    store_close(store);
    store = open_in(directory);
    check_now(store, model);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(read__damaged_table__fails),
    cmocka_unit_test(read__invoice_of_another_customer__fails),
    cmocka_unit_test(read__rows_of_wrong_length__fail),
    cmocka_unit_test(sums__voided_usage_is_damaged__fail_and_name_it),
    cmocka_unit_test(append__over_a_damaged_row__fails),
    cmocka_unit_test(open__store_of_record_format_1__goes_on),
};

int main(int argc, char **argv)
{
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
