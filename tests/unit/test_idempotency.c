/* Exactly once: every row of the promise, on the rules themselves. */
#include "billingd/ledger/idempotency.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static const char *const two_labels[] = {"env", "prod", "team", "a"};
static const char *const other_labels[] = {"env", "prod", "team", "b"};

static void assert_same_record(const struct record *a, const struct record *b)
{
    assert_u64(a->seq, b->seq);
    assert_i64(a->created_at_us, b->created_at_us);
    assert_true(slice_equal(a->request_id, b->request_id));
    assert_true(slice_equal(a->recorded_by, b->recorded_by));
    assert_u64(a->usage.customer, b->usage.customer);
    assert_true(slice_equal(a->usage.service, b->usage.service));
    assert_true(decimal_equal(a->usage.units, b->usage.units));
    assert_true(decimal_equal(a->usage.price, b->usage.price));
    assert_i64(a->usage.occurred_at_us, b->usage.occurred_at_us);
    assert_i64(a->usage.bills_at_us, b->usage.bills_at_us);
    assert_true(slice_equal(a->usage.labels, b->usage.labels));
}

/* --- usage ------------------------------------------------------------------------------------ */

static void usage_create__new__is_recorded_as_asked(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create create = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &create);
    assert_ok(create.outcome.status);
    assert_false(create.outcome.replayed);
    struct record stored = book_record(book, create.record.seq);
    assert_same_record(&create.record, &stored);
    assert_int_equal(stored.kind, RECORD_USAGE);
    assert_text(stored.request_id.data, stored.request_id.length, "r1");
    assert_text(stored.recorded_by.data, stored.recorded_by.length, "tester");
    assert_i64(stored.created_at_us, book->env.now_us);
    assert_i64(stored.usage.occurred_at_us, book->env.now_us);
    assert_false(stored.usage.occurred_at_given);
    book_close(book);
}

static void usage_create__same_id_same_payload__is_the_first_record_again(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    (void)state;
    first.asked.usage.labels = book_labels(two_labels, 2);
    book_create_usage(book, &first);
    book->env.now_us += 1000000;
    for (int i = 0; i < 3; i++) {
        struct usage_create again = book_usage(customer, "r1");
        again.asked.usage.labels = book_labels(two_labels, 2);
        again.asked.recorded_by = SLICE("somebody else");
        book_create_usage(book, &again);
        assert_ok(again.outcome.status);
        assert_true(again.outcome.replayed);
        assert_same_record(&again.record, &first.record);
    }
    assert_u64(book_records(book), 2);
    book_close(book);
}

static void usage_create__numbers_written_otherwise__are_the_same_payload(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &first);
    again.asked.usage.units = book_decimal("058.000");
    again.asked.usage.price = book_decimal("5e-2");
    book_create_usage(book, &again);
    assert_true(again.outcome.replayed);
    again = book_usage(customer, "r1");
    again.asked.usage.price = book_decimal("0.050");
    book_create_usage(book, &again);
    assert_true(again.outcome.replayed);
    book_close(book);
}

/* Ask again under r1 after CHANGE, and expect exactly DIFFERS. */
static void expect_reuse(struct book *book, uint64_t customer, uint64_t first,
                         void (*change)(struct usage *usage), unsigned differs)
{
    struct usage_create again = book_usage(customer, "r1");
    again.asked.usage.labels = book_labels(two_labels, 2);
    again.asked.usage.occurred_at_given = true;
    again.asked.usage.occurred_at_us = book->env.now_us;
    change(&again.asked.usage);
    book_create_usage(book, &again);
    assert_status(again.outcome.status, differs == 0 ? 0 : STATUS_REQUEST_ID_REUSED);
    assert_int_equal(again.outcome.replayed, differs == 0);
    assert_u64(again.outcome.differs, differs);
    assert_u64(again.outcome.existing_seq, first);
    assert_int_equal(again.outcome.existing_kind, RECORD_USAGE);
}

static void change_nothing(struct usage *usage)
{
    (void)usage;
}

static void change_service(struct usage *usage)
{
    usage->service = SLICE("Database hosting");
}

static void change_units(struct usage *usage)
{
    usage->units = book_decimal("58.000000000000001");
}

static void change_price(struct usage *usage)
{
    usage->price = book_decimal("0");
}

static void change_time(struct usage *usage)
{
    usage->occurred_at_us++;
}

static void drop_time(struct usage *usage)
{
    usage->occurred_at_given = false;
    usage->occurred_at_us = 0;
}

static void change_label(struct usage *usage)
{
    usage->labels = book_labels(other_labels, 2);
}

static void drop_label(struct usage *usage)
{
    usage->labels = book_labels(two_labels, 1);
}

static void drop_labels(struct usage *usage)
{
    usage->labels = (struct slice){0};
}

static void change_all(struct usage *usage)
{
    change_service(usage);
    change_units(usage);
    change_price(usage);
    drop_time(usage);
    change_label(usage);
}

static void usage_create__same_id_other_payload__names_exactly_what_differs(void **state)
{
    static const struct {
        void (*change)(struct usage *usage);
        unsigned differs;
    } table[] = {
        {change_nothing, 0},
        {change_service, DIFFERS_SERVICE},
        {change_units, DIFFERS_UNITS_CONSUMED},
        {change_price, DIFFERS_PRICE_PER_UNIT},
        {change_time, DIFFERS_OCCURRED_AT},
        {drop_time, DIFFERS_OCCURRED_AT},
        {change_label, DIFFERS_LABELS},
        {drop_label, DIFFERS_LABELS},
        {drop_labels, DIFFERS_LABELS},
        {change_all, DIFFERS_SERVICE | DIFFERS_UNITS_CONSUMED | DIFFERS_PRICE_PER_UNIT |
                         DIFFERS_OCCURRED_AT | DIFFERS_LABELS},
    };
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    (void)state;
    first.asked.usage.labels = book_labels(two_labels, 2);
    first.asked.usage.occurred_at_given = true;
    first.asked.usage.occurred_at_us = book->env.now_us;
    book_create_usage(book, &first);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        expect_reuse(book, customer, first.record.seq, table[i].change, table[i].differs);
    }
    assert_u64(book_records(book), 2);
    book_close(book);
}

/* The clock filled in what a caller may now name: it is another payload all the same. */
static void usage_create__time_left_out_then_given__differs_even_if_equal(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &first);
    again.asked.usage.occurred_at_given = true;
    again.asked.usage.occurred_at_us = first.record.usage.occurred_at_us;
    book_create_usage(book, &again);
    assert_status(again.outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_u64(again.outcome.differs, DIFFERS_OCCURRED_AT);
    book_close(book);
}

static void usage_create__refused__does_not_use_up_its_id(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create create = book_usage(customer, "r1");
    (void)state;
    create.asked.usage.units = book_decimal("1e15");
    create.asked.usage.price = book_decimal("1");
    book_create_usage(book, &create);
    assert_status(create.outcome.status, STATUS_AMOUNT_TOO_LARGE);
    assert_u64(book_records(book), 1);
    create = book_usage(customer, "r1");
    book_create_usage(book, &create);
    assert_ok(create.outcome.status);
    assert_false(create.outcome.replayed);
    book_close(book);
}

/* What was recorded is answered even where the clock would refuse it today. */
static void usage_create__retry_of_what_would_be_refused_today__is_answered(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again;
    (void)state;
    first.asked.usage.occurred_at_given = true;
    first.asked.usage.occurred_at_us = book->env.now_us + LIMIT_FUTURE_US;
    again = first;
    book_create_usage(book, &first);
    assert_ok(first.outcome.status);
    book->env.now_us -= INT64_C(3600) * 1000000; /* the clock was set back an hour */
    book_create_usage(book, &again);
    assert_ok(again.outcome.status);
    assert_true(again.outcome.replayed);
    assert_same_record(&again.record, &first.record);
    struct usage_create fresh = first;
    fresh.asked.request_id = SLICE("r2");
    book_create_usage(book, &fresh);
    assert_status(fresh.outcome.status, STATUS_TIME_OUT_OF_RANGE);
    book_close(book);
}

/* The first answer, not what it would be after an invoice. */
static void usage_create__retry_after_an_invoice__is_not_late(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &first);
    memory_store_set_billed_until(book->memory, customer, book->env.now_us + 1000);
    book->env.now_us += 2000;
    book_create_usage(book, &again);
    assert_true(again.outcome.replayed);
    assert_false(usage_is_late(&again.record.usage));
    assert_same_record(&again.record, &first.record);
    book_close(book);
}

static void usage_create__twice_in_one_transaction__the_second_is_replayed(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    struct usage_create other = book_usage(customer, "r1");
    (void)state;
    struct store_txn *txn = book_begin(book);
    assert_ok(usage_create(txn, &book->arena, &book->env, &first));
    assert_ok(usage_create(txn, &book->arena, &book->env, &again));
    other.asked.usage.units = book_decimal("59");
    assert_ok(usage_create(txn, &book->arena, &book->env, &other));
    assert_ok(store_commit(txn));
    assert_true(again.outcome.replayed);
    assert_same_record(&again.record, &first.record);
    assert_status(other.outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_u64(other.outcome.differs, DIFFERS_UNITS_CONSUMED);
    assert_u64(book_records(book), 2);
    book_close(book);
}

/* A group that fails is carried out again one by one: what was a replay of a neighbour may now be
 * the first. */
static void usage_create__a_replay_whose_first_was_undone__is_recorded_as_its_own(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    (void)state;
    again.asked.recorded_by = SLICE("somebody else");
    struct store_txn *txn = book_begin(book);
    assert_ok(usage_create(txn, &book->arena, &book->env, &first));
    assert_ok(usage_create(txn, &book->arena, &book->env, &again));
    assert_true(again.outcome.replayed);
    store_abort(txn);
    book->env.now_us += 5;
    book_create_usage(book, &again);
    assert_ok(again.outcome.status);
    assert_false(again.outcome.replayed);
    struct record stored = book_record(book, again.record.seq);
    assert_text(stored.recorded_by.data, stored.recorded_by.length, "somebody else");
    assert_i64(stored.usage.occurred_at_us, book->env.now_us);
    assert_false(stored.usage.occurred_at_given);
    book_close(book);
}

/* --- name spaces ------------------------------------------------------------------------------ */

static void usage_create__two_customers_one_id__are_two_records(void **state)
{
    struct book *book = book_open();
    struct usage_create one = book_usage(book_add_customer(book, NULL), "r1");
    struct usage_create two = book_usage(book_add_customer(book, NULL), "r1");
    (void)state;
    two.asked.usage.units = book_decimal("1");
    book_create_usage(book, &one);
    book_create_usage(book, &two);
    assert_ok(two.outcome.status);
    assert_false(two.outcome.replayed);
    book_close(book);
}

static void usage_create__an_id_that_created_a_customer__is_free(void **state)
{
    struct book *book = book_open();
    struct customer_create customer = {.name = SLICE("A"), .request_id = SLICE("r1")};
    (void)state;
    book_create_customer(book, &customer);
    struct usage_create usage = book_usage(customer.customer.seq, "r1");
    book_create_usage(book, &usage);
    assert_ok(usage.outcome.status);
    assert_false(usage.outcome.replayed);
    book_close(book);
}

/* The customer's name space is one, whichever way it was named. */
static void usage_create__same_customer_by_external_id__is_the_same_request(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "acme");
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(0, "r1");
    (void)state;
    again.customer.external_id = SLICE("acme");
    book_create_usage(book, &first);
    book_create_usage(book, &again);
    assert_true(again.outcome.replayed);
    assert_u64(again.record.seq, first.record.seq);
    book_close(book);
}

/* --- customers -------------------------------------------------------------------------------- */

static struct customer_create asked_customer(const char *name, const char *external_id)
{
    return (struct customer_create){
        .name = slice_of(name),
        .external_id = slice_of(external_id),
        .request_id = SLICE("r1"),
        .recorded_by = SLICE("tester"),
    };
}

static void customer_create__same_id__is_replayed_or_names_what_differs(void **state)
{
    static const struct {
        const char *name;
        const char *external_id;
        unsigned differs;
    } table[] = {
        {"Acme", "a", 0},
        {"Acme Inc", "a", DIFFERS_CUSTOMER_NAME},
        {"Acme", "b", DIFFERS_EXTERNAL_ID},
        {"Acme", "", DIFFERS_EXTERNAL_ID},
        {"acme", "A", DIFFERS_CUSTOMER_NAME | DIFFERS_EXTERNAL_ID},
    };
    struct book *book = book_open();
    struct customer_create first = asked_customer("Acme", "a");
    (void)state;
    book_create_customer(book, &first);
    assert_ok(first.outcome.status);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct customer_create again = asked_customer(table[i].name, table[i].external_id);
        book_create_customer(book, &again);
        assert_u64(again.outcome.differs, table[i].differs);
        assert_int_equal(again.outcome.replayed, table[i].differs == 0);
        assert_status(again.outcome.status, table[i].differs == 0 ? 0 : STATUS_REQUEST_ID_REUSED);
        assert_u64(again.outcome.existing_seq, first.customer.seq);
    }
    assert_u64(book_records(book), 1);
    book_close(book);
}

/* Its external id is taken, by itself: a retry all the same. */
static void customer_create__retry_after_renaming__is_the_customer_as_it_was(void **state)
{
    struct book *book = book_open();
    struct customer_create first = asked_customer("Acme", "a");
    struct customer_create again = asked_customer("Acme", "a");
    (void)state;
    book_create_customer(book, &first);
    struct customer_rename rename = {.customer_ref = {.seq = first.customer.seq},
                                     .name = SLICE("Other")};
    book->env.now_us += 7;
    book_rename_customer(book, &rename);
    assert_true(rename.recorded);
    book_create_customer(book, &again);
    assert_true(again.outcome.replayed);
    assert_text(again.customer.name.data, again.customer.name.length, "Acme");
    assert_text(again.customer.external_id.data, again.customer.external_id.length, "a");
    assert_i64(again.customer.updated_at_us, first.customer.updated_at_us);
    assert_i64(again.customer.created_at_us, first.customer.created_at_us);
    book_close(book);
}

/* --- the comparison itself -------------------------------------------------------------------- */

static void idempotency_differences__another_kind__is_another_method(void **state)
{
    struct record usage = {.kind = RECORD_USAGE};
    struct record created = {.kind = RECORD_CUSTOMER_CREATED};
    (void)state;
    assert_u64(idempotency_differences(&usage, &created), DIFFERS_METHOD);
    assert_u64(idempotency_differences(&created, &usage), DIFFERS_METHOD);
    assert_u64(idempotency_differences(&created, &created), 0);
    static const enum record_kind kinds[] = {RECORD_USAGE, RECORD_USAGE_VOIDED, RECORD_ADJUSTMENT,
                                             RECORD_INVOICE};
    for (int i = 0; i < 16; i++) {
        struct record asked = {.kind = kinds[i / 4]};
        struct record first = {.kind = kinds[i % 4]};
        assert_u64(idempotency_differences(&asked, &first), i / 4 == i % 4 ? 0 : DIFFERS_METHOD);
    }
}

static void idempotency_check__the_store_fails__says_so_and_decides_nothing(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct usage_create first = book_usage(customer, "r1");
    struct usage_create again = book_usage(customer, "r1");
    (void)state;
    book_create_usage(book, &first);
    memory_store_damage(book->memory, first.record.seq);
    struct store_txn *txn = book_begin(book);
    assert_status(usage_create(txn, &book->arena, &book->env, &again), STATUS_CORRUPT);
    store_abort(txn);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(usage_create__new__is_recorded_as_asked),
    cmocka_unit_test(usage_create__same_id_same_payload__is_the_first_record_again),
    cmocka_unit_test(usage_create__numbers_written_otherwise__are_the_same_payload),
    cmocka_unit_test(usage_create__same_id_other_payload__names_exactly_what_differs),
    cmocka_unit_test(usage_create__time_left_out_then_given__differs_even_if_equal),
    cmocka_unit_test(usage_create__refused__does_not_use_up_its_id),
    cmocka_unit_test(usage_create__retry_of_what_would_be_refused_today__is_answered),
    cmocka_unit_test(usage_create__retry_after_an_invoice__is_not_late),
    cmocka_unit_test(usage_create__twice_in_one_transaction__the_second_is_replayed),
    cmocka_unit_test(usage_create__a_replay_whose_first_was_undone__is_recorded_as_its_own),
    cmocka_unit_test(usage_create__two_customers_one_id__are_two_records),
    cmocka_unit_test(usage_create__an_id_that_created_a_customer__is_free),
    cmocka_unit_test(usage_create__same_customer_by_external_id__is_the_same_request),
    cmocka_unit_test(customer_create__same_id__is_replayed_or_names_what_differs),
    cmocka_unit_test(customer_create__retry_after_renaming__is_the_customer_as_it_was),
    cmocka_unit_test(idempotency_differences__another_kind__is_another_method),
    cmocka_unit_test(idempotency_check__the_store_fails__says_so_and_decides_nothing),
};

TESTKIT_MAIN(tests)
