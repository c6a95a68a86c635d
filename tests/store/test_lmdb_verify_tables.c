/* Verifying tables and what is in memory: each row that is missing, too many or wrong is found. */
#include "billingd/store/lmdb/api_key_row.h"
#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/service_row.h"
#include "tests/store/verifying.h"

static const char *const row_tables[] = {"request ids", "usage", "late usage", "sums", "filter"};

/* --- tables ----------------------------------------------------------------------------------- */

static const struct damaged_table {
    const char *table;
    uint64_t seq; /* of the record whose row is the first */
} damaged_tables[] = {
    {"customers", CUSTOMER},
    {"external_ids", CUSTOMER},
    {"voids", VOID},
    {"voids_late", VOID},
    {"void_of", VOID},
    {"adjustments", ADJUSTMENT},
    {"adjustments_late", ADJUSTMENT},
    {"invoices", INVOICE},
    {"customer_invoices", INVOICE},
    {"services", SERVICE + 2},
    {"api_keys", KEY},
    {"api_key_names", KEY},
};

enum {
    DAMAGED_TABLES = sizeof damaged_tables / sizeof damaged_tables[0],
};

static void verify__missing_row_of_a_table__is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < DAMAGED_TABLES; i++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        IGNORE(row_take(&surgery, damaged_tables[i].table, 0) == NULL);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_MISSING, damaged_tables[i].table, damaged_tables[i].seq);
        assert_u64(findings->n, 1);
    }
}

/* A row more: the first one under another key. */
static void verify__surplus_row_of_a_table__is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < DAMAGED_TABLES; i++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, damaged_tables[i].table, 0);
        row_put(&surgery, damaged_tables[i].table, row);
        row->key[row->key_bytes - 1] ^= 0x40;
        row_put(&surgery, damaged_tables[i].table, row);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_SURPLUS, damaged_tables[i].table, 0);
        assert_u64(findings->n, 1);
    }
}

/* The row under another key, so that there are as many as before. */
static void verify__moved_row_of_a_table__is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < DAMAGED_TABLES; i++) {
        const char *directory = make_store();
        flip(directory, damaged_tables[i].table, 0, IN_KEY, -1);
        struct findings *findings = verify_in(directory);
        assert_true(findings->n > 0);
        assert_only(findings, damaged_tables[i].table, damaged_tables[i].table);
    }
}

static void verify__changed_row_of_a_table__is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < DAMAGED_TABLES; i++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, damaged_tables[i].table, 0);
        row->value[0] ^= 1;
        row->value_bytes += row->value_bytes == 0; /* of what has no value */
        row_put(&surgery, damaged_tables[i].table, row);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        bool checked = strcmp(damaged_tables[i].table, "customers") == 0 ||
                       strcmp(damaged_tables[i].table, "services") == 0 ||
                       strcmp(damaged_tables[i].table, "api_keys") == 0;
        assert_found(findings, checked ? STORE_DAMAGED : STORE_WRONG, damaged_tables[i].table,
                     damaged_tables[i].seq);
        assert_u64(findings->n, 1);
    }
}

/* --- what is as it is now, under checksums that are right ------------------------------------- */

static void forge_customer(const char *directory, int member)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "customers", 1);
    uint8_t buffer[CUSTOMER_ROW_BYTES_MAX];
    struct store_customer customer;
    assert_ok(customer_row_read(RENAMED, row->value, row->value_bytes, &customer));
    switch (member) {
    case 0:
        customer.name = SLICE("Globex"); /* as it was called before */
        break;
    case 1:
        customer.external_id = SLICE("external-1");
        break;
    case 2:
        customer.created_at_us++;
        break;
    case 3:
        customer.updated_at_us++;
        break;
    default:
        customer.billed_until_us = 0; /* as before the invoice */
        break;
    }
    row->value_bytes = customer_row_write(&customer, buffer);
    memcpy(row->value, buffer, row->value_bytes);
    row_put(&surgery, "customers", row);
    surgery_end(&surgery);
}

static void verify__customer_who_is_not_as_recorded_last__is_found(void **state)
{
    static const char *const texts[] = {
        "the name of customer 2 is to be 'Initech', and is 'Globex'",
        "the external id of customer 2 is to be 'external-2', and is 'external-1'",
        "created_at of customer 2",
        "updated_at of customer 2",
        "of customer 2 is to be 3600000000 microseconds since 1970, and is 0",
    };
    (void)state;
    for (int member = 0; member < 5; member++) {
        const char *directory = make_store();
        forge_customer(directory, member);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_WRONG, "customers", RENAMED);
        assert_u64(findings->n, 1);
        assert_contains(findings->kept[0].text, texts[member]);
    }
}

static void verify__service_that_is_not_as_put_last__is_found(void **state)
{
    (void)state;
    for (int member = 0; member < 3; member++) {
        const char *directory = make_store();
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, "services", 0);
        uint8_t buffer[SERVICE_ROW_BYTES_MAX];
        struct store_service service;
        assert_ok(service_row_read(SLICE("S3"), row->value, row->value_bytes, &service));
        service.unit = member == 0 ? SLICE("GB") : service.unit; /* as it was put before */
        service.created_at_us += member == 1;
        service.updated_at_us += member == 2;
        row->value_bytes = service_row_write(&service, buffer);
        memcpy(row->value, buffer, row->value_bytes);
        row_put(&surgery, "services", row);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_WRONG, "services", SERVICE + 2);
        assert_u64(findings->n, 1);
    }
}

static void forge_key(const char *directory, int index, uint64_t seq, struct api_key_row row)
{
    struct surgery surgery = surgery_begin(directory);
    struct row *taken = row_take(&surgery, "api_keys", index);
    struct api_key_row before;
    assert_ok(api_key_row_read(seq, taken->value, taken->value_bytes, &before));
    api_key_row_write(seq, &row, taken->value);
    row_put(&surgery, "api_keys", taken);
    surgery_end(&surgery);
}

/* Above all one that is to count again though it was revoked. */
/* More services than verifying first has room for, one of them deleted again, all put twice. */
static void verify__many_services__each_is_checked(void **state)
{
    enum { SERVICES = 300, DELETED = 7 };
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct store_txn *txn = begin(store, birth_us);
    struct record record;
    (void)state;
    for (int i = 0; i < 2 * SERVICES; i++) {
        record = service_put(slice_of(testkit_format("service-%d", i % SERVICES)),
                             testkit_format("unit-%d", i));
        append(txn, model, &record, birth_us);
    }
    record = service_deleted(slice_of(testkit_format("service-%d", DELETED)));
    append(txn, model, &record, birth_us);
    assert_ok(store_commit(txn));
    store_close(store);
    assert_u64(verify_in(directory)->n, 0);
    for (int i = 0; i < SERVICES - 1; i += 97) {
        struct surgery surgery = surgery_begin(directory);
        struct row *row = row_take(&surgery, "services", i);
        surgery_end(&surgery);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_MISSING, "services", 0);
        assert_u64(findings->n, 1);
        surgery = surgery_begin(directory);
        row_put(&surgery, "services", row);
        surgery_end(&surgery);
    }
    assert_u64(verify_in(directory)->n, 0);
}

static void verify__key_that_is_not_as_recorded_last__is_found(void **state)
{
    static const struct {
        int index;
        uint64_t seq;
        struct api_key_row row;
        const char *text;
    } cases[] = {
        {1, KEY + 1, {0}, "is to be revoked by record 36 (0: by none), and is by record 0"},
        {0, KEY, {.revoked = KEY + 2, .last_used_us = INT64_C(25200000000)}, "is by record 36"},
        {0, KEY, {0}, "is to be 25200000000 microseconds since 1970, and is 0"},
        {1, KEY + 1, {.revoked = KEY + 2, .last_used_us = 5}, "is to be 0 microseconds"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *directory = make_store();
        forge_key(directory, cases[i].index, cases[i].seq, cases[i].row);
        struct findings *findings = verify_in(directory);
        assert_found(findings, STORE_WRONG, "api_keys", cases[i].seq);
        assert_u64(findings->n, 1);
        assert_contains(findings->kept[0].text, cases[i].text);
    }
}

/* A name that leads to a key that is revoked: nobody could make one of this name. */
static void verify__name_of_a_revoked_key__is_found(void **state)
{
    const char *directory = make_store();
    struct surgery surgery = surgery_begin(directory);
    struct row *row = row_take(&surgery, "api_key_names", 0);
    (void)state;
    row_put(&surgery, "api_key_names", row);
    memcpy(row->key, "old", 3);
    row->key_bytes = 3;
    row->value[0] = KEY + 1;
    row_put(&surgery, "api_key_names", row);
    surgery_end(&surgery);
    struct findings *findings = verify_in(directory);
    assert_found(findings, STORE_SURPLUS, "api_key_names", KEY + 1);
    assert_u64(findings->n, 1);
}

/* --- the head --------------------------------------------------------------------------------- */

/* Of the first run of VIEW that has any. */
static uint8_t *first_row_in_memory(struct store_view *view, enum segment_table table)
{
    const struct head_list *list = ((struct lmdb_view *)view)->rows.list;
    size_t n = 0;
    const uint8_t *rows = NULL;
    for (size_t i = 0; i < list->n && n == 0; i++) {
        rows = view_rows_of_run(list->runs[i], table, &n);
    }
    assert_true(n > 0);
    return (uint8_t *)(uintptr_t)rows;
}

/* A store with a run of all that there is, that a start has made, and one of a late usage of the
 * first hour: no tidier is at work on them. */
static struct store *open_with_two_runs(void)
{
    const char *directory = testkit_tmpdir();
    struct model *model = model_create();
    struct store *store = open_in(directory);
    struct record usage = usage_at(CUSTOMER, 0, 50 * hour_us, "the very last");
    fill(store, model);
    store = open_in(crash(store, directory));
    append_alone(store, model, &usage);
    return store;
}

static void verify__changed_row_in_memory__is_found(void **state)
{
    (void)state;
    for (int table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS; table++) {
        struct store *store = open_with_two_runs();
        struct store_view *view = snapshot(store);
        assert_u64(verify_view(view)->n, 0); /* and has the rows sorted: they stay where they are */
        uint8_t *row = first_row_in_memory(view, (enum segment_table)table);
        row[0] ^= 1;
        struct findings *findings = verify_view(view);
        /* The sum of the hour has another part. */
        assert_found(findings, table == SEGMENT_SUMS ? STORE_WRONG : STORE_MISSING,
                     row_tables[table - 1], 0);
        assert_found(findings, STORE_SURPLUS, row_tables[table - 1], 0);
        row[0] ^= 1;
        assert_u64(verify_view(view)->n, 0);
        store_release(view);
        store_close(store);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(verify__missing_row_of_a_table__is_found),
    cmocka_unit_test(verify__surplus_row_of_a_table__is_found),
    cmocka_unit_test(verify__moved_row_of_a_table__is_found),
    cmocka_unit_test(verify__changed_row_of_a_table__is_found),
    cmocka_unit_test(verify__customer_who_is_not_as_recorded_last__is_found),
    cmocka_unit_test(verify__service_that_is_not_as_put_last__is_found),
    cmocka_unit_test(verify__many_services__each_is_checked),
    cmocka_unit_test(verify__key_that_is_not_as_recorded_last__is_found),
    cmocka_unit_test(verify__name_of_a_revoked_key__is_found),
    cmocka_unit_test(verify__changed_row_in_memory__is_found),
};

TESTKIT_MAIN(tests)
