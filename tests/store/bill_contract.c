/* What store.h promises of voids, adjustments, invoices, services and the journal, of any engine:
 * as store_contract.c. */
#include <stdio.h>

#include "tests/store/sealing.h"

static const int64_t forever_us = INT64_MAX;

/* --- helpers ---------------------------------------------------------------------------------- */

/* Append RECORD, which is to be refused, and see that nothing of its transaction stays. */
static void assert_append_refused(struct store *store, const struct model *model,
                                  const struct record *record, int status)
{
    struct store_txn *txn = begin(store, birth_us);
    struct record appended = *record;
    struct record other = usage_at(1, 0, 0, "another");
    assert_status(store_append(txn, &appended), status);
    assert_status(store_append(txn, &other), status); /* it can only be aborted */
    assert_status(store_commit(txn), status);
    check_now(store, model);
}

static void append_alone(struct store *store, struct model *model, const struct record *record,
                         int64_t now_us)
{
    struct store_txn *txn = begin(store, now_us);
    append(txn, model, record, now_us);
    assert_ok(store_commit(txn));
}

/* Customers 1 and 2, each with a usage at 10 hours: 3 and 4; 5 is 1's, late: 20 hours, not 12. */
static struct store *store_with_usage(struct model *model)
{
    struct store *store = open_in(testkit_tmpdir());
    struct store_txn *txn = begin(store, birth_us);
    struct record records[] = {
        customer_named("one", ""),
        customer_named("two", ""),
        usage_at(1, 10 * hour_us, 10 * hour_us, "u3"),
        usage_at(2, 10 * hour_us, 10 * hour_us, "u4"),
        usage_at(1, 12 * hour_us, 20 * hour_us, "u5"),
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        append(txn, model, &records[i], birth_us);
    }
    assert_ok(store_commit(txn));
    return store;
}

/* What was seen, as text: "3 5 6". */
struct seen {
    char text[200];
    size_t stop_at; /* end the scan after so many; 0: never */
    size_t n;
};

static int see(struct seen *seen, const char *what)
{
    size_t length = strlen(seen->text);
    int rc = snprintf(seen->text + length, sizeof seen->text - length, "%s%s",
                      length == 0 ? "" : " ", what);
    assert_in_range(rc, 1, sizeof seen->text - length - 1);
    return ++seen->n == seen->stop_at ? STORE_SCAN_STOP : 0;
}

static int see_record(const struct record *record, void *arg)
{
    return see(arg, testkit_format("%u", (unsigned)record->seq));
}

static int see_service(const struct store_service *service, void *arg)
{
    return see(arg, testkit_format("%.*s", (int)service->name.length, service->name.data));
}

/* --- voids and adjustments -------------------------------------------------------------------- */

static void void__is_found_by_its_usage_in_its_own_transaction_too(void **state)
{
    struct model *model = model_create();
    struct rng rng = rng_make("void");
    struct store *store = store_with_usage(model);
    struct record voided = void_of(&model->record[2], 30 * hour_us, "v6");
    struct record found;
    (void)state;
    settle(store, model);
    struct store_txn *txn = begin(store, birth_us + 1);
    append(txn, model, &voided, birth_us + 1);
    model_check(model, store_txn_view(txn), &rng, 40 * hour_us, 3);
    struct store_view *before = snapshot(store);
    assert_status(store_void(before, 3, &found), STATUS_NOT_FOUND);
    assert_ok(store_commit(txn));
    assert_status(store_void(before, 3, &found), STATUS_NOT_FOUND);
    store_release(before);
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

static void void__twice__spoils_the_transaction(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record first = void_of(&model->record[2], 10 * hour_us, "v6");
    struct record second = void_of(&model->record[2], 11 * hour_us, "v7");
    (void)state;
    settle(store, model);
    append_alone(store, model, &first, birth_us);
    assert_append_refused(store, model, &second, STATUS_INTERNAL);
    struct record other = void_of(&model->record[4], 20 * hour_us, "v7"); /* the id is free */
    append_alone(store, model, &other, birth_us);
    settle(store, model);
    check_now(store, model);
    store_close(store);
}

static void request__of_void_adjustment_and_invoice__are_the_customers(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record taken[] = {
        void_of(&model->record[2], 10 * hour_us, "u5"),
        adjustment_at(1, 0, 0, "u5"),
        invoice_of(1, 1, 0, 1, "u5"),
    };
    struct record of_two[] = {
        void_of(&model->record[3], 10 * hour_us, "v6"),
        adjustment_at(2, 0, 0, "u5"), /* another's: free */
        invoice_of(2, 1, 0, 1, "u3"),
    };
    (void)state;
    settle(store, model);
    for (size_t i = 0; i < 3; i++) {
        assert_append_refused(store, model, &taken[i], STATUS_INTERNAL);
        append_alone(store, model, &of_two[i], birth_us);
        settle(store, model);
        check_now(store, model); /* which looks every request id up */
    }
    store_close(store);
}

/* 6 voids 3 at 10, billed at 20; 7 voids 5 at 12, billed at 20; 8 adjusts at 11, 9 late: 12 to
 * 20. */
static struct store *store_with_all_rows(struct model *model)
{
    struct store *store = store_with_usage(model);
    struct record records[] = {
        void_of(&model->record[2], 20 * hour_us, "v6"),
        void_of(&model->record[4], 20 * hour_us, "v7"),
        adjustment_at(1, 11 * hour_us, 11 * hour_us, "a8"),
        adjustment_at(1, 12 * hour_us, 20 * hour_us, "a9"),
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        append_alone(store, model, &records[i], birth_us);
    }
    settle(store, model);
    return store;
}

static void scan__any_rows__are_merged_by_time_and_number(void **state)
{
    static const struct {
        unsigned rows;
        enum store_clock by;
        int64_t start_h;
        int64_t end_h;
        struct store_position after;
        const char *seqs;
    } cases[] = {
        {STORE_BILLABLE, STORE_BY_OCCURRED, 0, 99, {0}, "3 6 8 5 7 9"},
        {STORE_BILLABLE, STORE_BY_BILLED, 0, 99, {0}, "3 8 5 6 7 9"},
        {STORE_USAGE, STORE_BY_OCCURRED, 0, 99, {0}, "3 5"},
        {STORE_VOIDS, STORE_BY_OCCURRED, 0, 99, {0}, "6 7"},
        {STORE_VOIDS, STORE_BY_BILLED, 0, 20, {0}, ""},
        {STORE_ADJUSTMENTS, STORE_BY_OCCURRED, 0, 99, {0}, "8 9"},
        {STORE_ADJUSTMENTS, STORE_BY_BILLED, 12, 99, {0}, "9"},
        {STORE_VOIDS | STORE_ADJUSTMENTS, STORE_BY_BILLED, 0, 99, {0}, "8 6 7 9"},
        {STORE_USAGE | STORE_ADJUSTMENTS, STORE_BY_BILLED, 11, 20, {0}, "8"},
        {0, STORE_BY_BILLED, 0, 99, {0}, ""},
        {STORE_BILLABLE, STORE_BY_OCCURRED, 11, 12, {0}, "8"},
        {STORE_BILLABLE, STORE_BY_OCCURRED, 0, 99, {12 * INT64_C(3600000000), 5}, "7 9"},
        {STORE_BILLABLE, STORE_BY_BILLED, 0, 99, {20 * INT64_C(3600000000), 6}, "7 9"},
    };
    struct model *model = model_create();
    struct store *store = store_with_all_rows(model);
    struct store_view *view = snapshot(store);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.n = 0};
        struct store_range range = {
            .customer = 1,
            .rows = cases[i].rows,
            .by = cases[i].by,
            .start_us = cases[i].start_h * hour_us,
            .end_us = cases[i].end_h * hour_us,
            .after = cases[i].after,
        };
        assert_ok(store_scan(view, &range, see_record, &seen));
        assert_string_equal(seen.text, cases[i].seqs);
    }
    struct seen seen = {.stop_at = 4};
    struct store_range range = {1, STORE_BILLABLE, STORE_BY_BILLED, 0, forever_us, {0}};
    assert_ok(store_scan(view, &range, see_record, &seen));
    assert_string_equal(seen.text, "3 8 5 6");
    store_release(view);
    store_close(store);
}

static int print_sum(const struct store_sum *sum, void *arg)
{
    char units[AMOUNT_TEXT_MAX];
    char amount[AMOUNT_TEXT_MAX];
    amount_print(sum->units, units);
    amount_print(sum->amount, amount);
    return see(arg, testkit_format("%dh:%u-%u/%u=%s,%s;", (int)(sum->hour_us / hour_us),
                                   (unsigned)sum->records, (unsigned)sum->voided,
                                   (unsigned)sum->late, units, amount));
}

/* In the window that its void bills in, usage counts below zero. */
static void sums__voids__take_away_where_they_bill(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record voided = void_of(&model->record[2], 30 * hour_us + 5, "v6");
    struct store_range range = {1, 0, STORE_BY_BILLED, 30 * hour_us, forever_us, {0}};
    struct seen seen = {.n = 0};
    (void)state;
    append_alone(store, model, &voided, birth_us);
    settle(store, model);
    struct store_view *view = snapshot(store);
    assert_ok(store_scan_sums(view, &range, print_sum, &seen));
    assert_string_equal(seen.text, "30h:0-1/0=-58,-2.9;");
    store_release(view);
    check_now(store, model);
    store_close(store);
}

/* --- invoices --------------------------------------------------------------------------------- */

static void invoice__moves_the_customers_billed_until_and_nothing_else_of_it(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record records[] = {
        renamed_to(1, "Ajax"),          invoice_of(1, 1, 0, 10, "i"),
        invoice_of(2, 2, 0, 20, "i"),   renamed_to(2, "Bolt"), /* keeps it */
        invoice_of(1, 3, 10, 30, "i3"),
    };
    struct rng rng = rng_make("invoice");
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct store_txn *txn = begin(store, birth_us + 1);
        append(txn, model, &records[i], birth_us + 1);
        model_check(model, store_txn_view(txn), &rng, hour_us, 1);
        assert_ok(store_commit(txn));
        settle(store, model);
        check_now(store, model);
    }
    struct store_view *view = snapshot(store);
    struct store_customer customer;
    assert_ok(store_customer(view, 1, &customer));
    assert_i64(customer.billed_until_us, 30);
    assert_i64(customer.updated_at_us, birth_us + 1);
    store_release(view);
    store_close(store);
}

static void invoice__out_of_turn_or_of_nobody__spoils_the_transaction(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record first = invoice_of(1, 1, 0, 10, "i1");
    struct record gap = invoice_of(1, 3, 10, 20, "i3");
    struct record again = invoice_of(1, 1, 10, 20, "i4");
    struct record nobodys = invoice_of(77, 2, 0, 10, "i5");
    (void)state;
    append_alone(store, model, &first, birth_us);
    settle(store, model);
    assert_append_refused(store, model, &gap, STATUS_INTERNAL);
    assert_append_refused(store, model, &again, STATUS_INTERNAL);
    assert_append_refused(store, model, &nobodys, STATUS_CORRUPT);
    store_close(store);
}

static void scan_invoices__of_one_or_all__behind_a_number(void **state)
{
    static const struct {
        uint64_t customer;
        uint64_t after;
        size_t stop_at;
        const char *seqs;
    } cases[] = {
        {0, 0, 0, "6 7 8 9"}, {0, 2, 0, "8 9"}, {0, 4, 0, ""}, {0, 0, 3, "6 7 8"},
        {1, 0, 0, "6 8"},     {1, 1, 0, "8"},   {1, 3, 0, ""}, {2, 0, 0, "7 9"},
        {2, 1, 0, "7 9"},     {2, 0, 1, "7"},   {3, 0, 0, ""}, {UINT64_MAX, 0, 0, ""},
    };
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct record invoice = invoice_of(1 + i % 2, 1 + i, i, i + 2, testkit_format("i%u", i));
        append_alone(store, model, &invoice, birth_us);
    }
    settle(store, model);
    struct store_view *view = snapshot(store);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.stop_at = cases[i].stop_at};
        assert_ok(store_scan_invoices(view, cases[i].customer, cases[i].after, see_record, &seen));
        assert_string_equal(seen.text, cases[i].seqs);
    }
    store_release(view);
    store_close(store);
}

/* --- API keys --------------------------------------------------------------------------------- */

static void key__revoked__frees_its_name_and_stays(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    struct model *model = model_create();
    struct record records[] = {
        key_created("ingest"),    key_used(1, 5 * hour_us), key_revoked(1, "ingest"),
        key_created("ingest"),    key_created("ingest 2"),  key_used(4, 6 * hour_us),
        key_used(1, 7 * hour_us), /* it was used before it was revoked */
    };
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct store_txn *txn = begin(store, birth_us + (int64_t)i);
        append(txn, model, &records[i], birth_us + (int64_t)i);
        model_check_keys(model, store_txn_view(txn));
        assert_ok(store_commit(txn));
        check_now(store, model);
    }
    settle(store, model);
    struct store_view *view = snapshot(store);
    uint64_t seq;
    assert_ok(store_api_key_named(view, SLICE("ingest"), &seq));
    assert_u64(seq, 4);
    assert_status(store_api_key_named(view, SLICE("inges"), &seq), STATUS_NOT_FOUND);
    assert_status(store_api_key_named(view, (struct slice){0}, &seq), STATUS_NOT_FOUND);
    struct model_keys keys = {.model = model, .after = 4};
    assert_ok(store_scan_api_keys(view, 4, model_expect_key, &keys));
    assert_u64(keys.after, 5);
    assert_ok(store_scan_api_keys(view, 5, model_expect_key, &keys));
    assert_ok(store_scan_api_keys(view, UINT64_MAX, model_expect_key, &keys));
    store_release(view);
    store_close(store);
}

static void key__what_cannot_be__spoils_the_transaction(void **state)
{
    struct store *store = open_in(testkit_tmpdir());
    struct model *model = model_create();
    struct record first = key_created("ingest");
    struct record wrong[] = {
        key_created("ingest"),     /* the name is taken */
        key_revoked(1, "another"), /* it is not called so */
        key_revoked(2, "ingest"),  /* there is no such key */
        key_used(2, hour_us),      /* likewise */
    };
    (void)state;
    append_alone(store, model, &first, birth_us);
    settle(store, model);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_append_refused(store, model, &wrong[i], STATUS_INTERNAL);
    }
    struct record revoked = key_revoked(1, "ingest");
    append_alone(store, model, &revoked, birth_us);
    assert_append_refused(store, model, &revoked, STATUS_INTERNAL); /* it is already */
    store_close(store);
}

/* --- services --------------------------------------------------------------------------------- */

static void service__put_again__keeps_when_it_was_made_until_it_is_deleted(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record steps[] = {
        service_put(SLICE("S3"), "GB"),
        service_put(SLICE("S3"), ""),
        service_deleted(SLICE("S3")),
        service_put(SLICE("S3"), "TB"),
    };
    static const struct {
        int status;
        int64_t created_at_us;
        int64_t updated_at_us;
    } expected[] = {{0, 0, 0}, {0, 0, 1}, {STATUS_NOT_FOUND, 0, 0}, {0, 3, 3}};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct store_service service;
        append_alone(store, model, &steps[i], i);
        settle(store, model);
        struct store_view *view = snapshot(store);
        assert_status(store_service(view, SLICE("S3"), &service), expected[i].status);
        if (expected[i].status == 0) {
            assert_i64(service.created_at_us, expected[i].created_at_us);
            assert_i64(service.updated_at_us, expected[i].updated_at_us);
        }
        store_release(view);
        check_now(store, model);
    }
    store_close(store);
}

static void service__deleted_where_there_is_none__spoils_the_transaction(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct record put = service_put(SLICE("S3"), "GB");
    struct record deleted = service_deleted(SLICE("S3"));
    struct record longer = service_deleted(SLICE("S30"));
    (void)state;
    assert_append_refused(store, model, &deleted, STATUS_INTERNAL);
    append_alone(store, model, &put, birth_us);
    settle(store, model);
    assert_append_refused(store, model, &longer, STATUS_INTERNAL);
    store_close(store);
}

static void service__names_that_cannot_be__are_not_found(void **state)
{
    static char text[LIMIT_SERVICE_BYTES + 44];
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    struct slice longest = {text, LIMIT_SERVICE_BYTES};
    struct store_service service;
    struct seen seen = {.n = 0};
    (void)state;
    memset(text, 'a', sizeof text);
    struct record put = service_put(longest, "");
    append_alone(store, model, &put, birth_us);
    settle(store, model);
    check_now(store, model);
    struct store_view *view = snapshot(store);
    assert_ok(store_service(view, longest, &service));
    for (size_t length = 0; length <= sizeof text; length += 100) {
        struct slice name = {text, length};
        assert_status(store_service(view, name, &service), STATUS_NOT_FOUND);
    }
    assert_ok(store_scan_services(view, (struct slice){text, sizeof text}, see_service, &seen));
    assert_string_equal(seen.text, "");
    store_release(view);
    store_close(store);
}

static void scan_services__go_by_the_bytes_of_their_names(void **state)
{
    static const struct slice names[] = {
        {"b", 1}, {"a", 1}, {"\x01", 1}, {"ab", 2}, {"\xff", 1}, {"a\x01", 2}, {"B", 1},
    };
    static const struct {
        const char *after;
        size_t stop_at;
        const char *names;
    } cases[] = {
        {"", 0, "\x01 B a a\x01 ab b \xff"},
        {"", 2, "\x01 B"},
        {"a", 0, "a\x01 ab b \xff"},
        {"aa", 0, "ab b \xff"},
        {"C", 1, "a"},
        {"\xff", 0, ""},
        {"\xff\xff", 0, ""},
    };
    struct model *model = model_create();
    struct store *store = store_with_usage(model);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct record put = service_put(names[i], "");
        append_alone(store, model, &put, birth_us);
    }
    settle(store, model);
    struct store_view *view = snapshot(store);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.stop_at = cases[i].stop_at};
        assert_ok(store_scan_services(view, slice_of(cases[i].after), see_service, &seen));
        assert_string_equal(seen.text, cases[i].names);
    }
    store_release(view);
    store_close(store);
}

/* --- the journal ------------------------------------------------------------------------------ */

/* The numbers of the records of MODEL behind AFTER, up to N of them. */
static const char *numbers_behind(const struct model *model, uint64_t after, size_t n)
{
    struct seen seen = {.n = 0};
    for (uint64_t seq = after; seq < model->records && seen.n < n;) {
        IGNORE(see(&seen, testkit_format("%u", (unsigned)++seq)) < 0); /* it counts */
    }
    return testkit_format("%s", seen.text);
}

static void scan_journal__behind_any_record__gives_the_rest(void **state)
{
    struct model *model = model_create();
    struct store *store = store_with_all_rows(model);
    struct store_view *view = snapshot(store);
    const struct {
        uint64_t after;
        size_t stop_at;
    } cases[] = {
        {0, 0},
        {0, 2},
        {4, 0},
        {model->records - 1, 0},
        {model->records, 0},
        {model->records + 77, 0},
        {UINT64_MAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.stop_at = cases[i].stop_at};
        size_t n = cases[i].stop_at == 0 ? SIZE_MAX : cases[i].stop_at;
        assert_ok(store_scan_journal(view, cases[i].after, see_record, &seen));
        assert_string_equal(seen.text, numbers_behind(model, cases[i].after, n));
    }
    store_release(view);
    store_close(store);
}

/* Reads the first record for each that it is given, which is in another block. */
struct wanderer {
    struct store_view *view;
    const struct model *model;
    uint64_t seen;
};

static int read_elsewhere(const struct record *record, void *arg)
{
    struct wanderer *wanderer = arg;
    struct record first;
    assert_ok(store_record(wanderer->view, 1, &first));
    assert_same_record(&first, &wanderer->model->record[0]);
    assert_same_record(record, &wanderer->model->record[wanderer->seen++]);
    return 0;
}

static void scan_journal__in_a_transaction__sees_what_is_pending(void **state)
{
    struct model *model = model_create();
    struct rng rng = rng_make("pending");
    struct store *store = store_with_usage(model);
    (void)state;
    settle(store, model);
    struct store_txn *txn = begin(store, birth_us);
    for (int i = 0; i < 40; i++) {
        struct record usage = random_usage(&rng, 1);
        usage.request_id = text_copy(testkit_format("r%d", i));
        append(txn, model, &usage, birth_us);
        struct wanderer wanderer = {store_txn_view(txn), model, 0};
        assert_ok(store_scan_journal(wanderer.view, 0, read_elsewhere, &wanderer));
        assert_u64(wanderer.seen, model->records);
    }
    store_abort(txn);
    store_close(store);
}

static int fail_with(const struct record *record, void *arg)
{
    (void)record;
    return *(const int *)arg;
}

static int fail_service(const struct store_service *service, void *arg)
{
    (void)service;
    return *(const int *)arg;
}

static void scans__a_callback_that_fails__ends_them_with_its_status(void **state)
{
    static const int statuses[] = {STATUS_BUSY, STATUS_NOT_FOUND, STATUS_CORRUPT};
    struct model *model = model_create();
    struct store *store = store_with_all_rows(model);
    struct record invoice = invoice_of(1, 1, 0, 1, "i");
    struct record put = service_put(SLICE("S3"), "");
    (void)state;
    append_alone(store, model, &invoice, birth_us);
    append_alone(store, model, &put, birth_us);
    struct store_view *view = snapshot(store);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        int status = statuses[i];
        assert_status(store_scan_journal(view, 0, fail_with, &status), status);
        assert_status(store_scan_invoices(view, 0, 0, fail_with, &status), status);
        assert_status(store_scan_invoices(view, 1, 0, fail_with, &status), status);
        assert_status(store_scan_services(view, (struct slice){0}, fail_service, &status), status);
    }
    assert_u64(store_view_damaged(view), 0); /* what a callback says is not of the journal */
    store_release(view);
    store_close(store);
}

/* Rows of a scan after the second of which it is told to stop. */
struct stopped_scan {
    atomic_bool stopping;
    unsigned rows;
};

static int count_and_stop(void *arg)
{
    struct stopped_scan *scan = arg;
    scan->rows++;
    atomic_store(&scan->stopping, scan->rows == 2);
    return 0;
}

static int stopped_customer(const struct store_customer *customer, void *arg)
{
    (void)customer;
    return count_and_stop(arg);
}

static int stopped_record(const struct record *record, void *arg)
{
    (void)record;
    return count_and_stop(arg);
}

static int stopped_position(struct store_position position, void *arg)
{
    (void)position;
    return count_and_stop(arg);
}

static int stopped_sum(const struct store_sum *sum, void *arg)
{
    (void)sum;
    return count_and_stop(arg);
}

static int stopped_service(const struct store_service *service, void *arg)
{
    (void)service;
    return count_and_stop(arg);
}

static int scan_until_stopped(struct store_view *view, int which, struct stopped_scan *scan)
{
    struct store_range range = {
        .customer = 1, .rows = STORE_BILLABLE, .by = STORE_BY_BILLED, .end_us = INT64_MAX};
    switch (which) {
    case 0:
        return store_scan_customers(view, 0, stopped_customer, scan);
    case 1:
        return store_scan(view, &range, stopped_record, scan);
    case 2:
        return store_scan_positions(view, &range, stopped_position, scan);
    case 3:
        return store_scan_sums(view, &range, stopped_sum, scan);
    case 4:
        return store_scan_invoices(view, 0, 0, stopped_record, scan);
    case 5:
        return store_scan_services(view, (struct slice){0}, stopped_service, scan);
    default:
        return store_scan_journal(view, 0, stopped_record, scan);
    }
}

static void view__told_to_stop__reads_no_further(void **state)
{
    struct model *model = model_create();
    struct store *store = open_in(testkit_tmpdir());
    struct record record;
    (void)state;
    struct store_txn *txn = begin(store, birth_us);
    for (int i = 1; i <= 3; i++) {
        struct record customer = customer_named(testkit_format("%d", i), "");
        append(txn, model, &customer, birth_us);
    }
    for (int i = 1; i <= 3; i++) {
        int64_t time_us = i * hour_us; /* a sum each */
        struct record usage = usage_at(1, time_us, time_us, testkit_format("u%d", i));
        struct record put = service_put(slice_of(testkit_format("s%d", i)), "");
        struct record invoice =
            invoice_of((uint64_t)i, (uint64_t)i, 0, 1, testkit_format("i%d", i));
        append(txn, model, &usage, birth_us);
        append(txn, model, &put, birth_us);
        append(txn, model, &invoice, birth_us);
    }
    assert_ok(store_commit(txn));
    settle(store, model);
    struct store_view *view = snapshot(store);
    for (int which = 0; which < 7; which++) {
        struct stopped_scan scan = {0};
        store_view_stop_on(view, &scan.stopping);
        assert_ok(store_record(view, 1, &record));
        assert_status(scan_until_stopped(view, which, &scan), STATUS_SHUTTING_DOWN);
        assert_u64(scan.rows, 2);
        assert_status(store_record(view, 1, &record), STATUS_SHUTTING_DOWN);
    }
    store_release(view);
    view = snapshot(store); /* it may be the same, taken up again */
    assert_ok(store_record(view, 1, &record));
    store_release(view);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    sealing_test(void__is_found_by_its_usage_in_its_own_transaction_too),
    sealing_test(void__twice__spoils_the_transaction),
    sealing_test(request__of_void_adjustment_and_invoice__are_the_customers),
    sealing_test(scan__any_rows__are_merged_by_time_and_number),
    sealing_test(sums__voids__take_away_where_they_bill),
    sealing_test(invoice__moves_the_customers_billed_until_and_nothing_else_of_it),
    sealing_test(invoice__out_of_turn_or_of_nobody__spoils_the_transaction),
    sealing_test(scan_invoices__of_one_or_all__behind_a_number),
    sealing_test(key__revoked__frees_its_name_and_stays),
    sealing_test(key__what_cannot_be__spoils_the_transaction),
    sealing_test(service__put_again__keeps_when_it_was_made_until_it_is_deleted),
    sealing_test(service__deleted_where_there_is_none__spoils_the_transaction),
    sealing_test(service__names_that_cannot_be__are_not_found),
    sealing_test(scan_services__go_by_the_bytes_of_their_names),
    sealing_test(scan_journal__behind_any_record__gives_the_rest),
    sealing_test(scan_journal__in_a_transaction__sees_what_is_pending),
    sealing_test(scans__a_callback_that_fails__ends_them_with_its_status),
    sealing_test(view__told_to_stop__reads_no_further),
};

int main(int argc, char **argv)
{
    fixture_take_uri(&argc, &argv);
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests_name(fixture_uri, tests, NULL, NULL));
}
