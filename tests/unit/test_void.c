/* The rules about voids: one a usage record, linked to it, and where it lands. */
#include "billingd/ledger/void.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static void assert_same_void(const struct record *a, const struct record *b)
{
    assert_u64(a->seq, b->seq);
    assert_int_equal(a->kind, b->kind);
    assert_i64(a->created_at_us, b->created_at_us);
    assert_true(slice_equal(a->request_id, b->request_id));
    assert_true(slice_equal(a->recorded_by, b->recorded_by));
    assert_u64(a->usage_voided.customer, b->usage_voided.customer);
    assert_u64(a->usage_voided.usage, b->usage_voided.usage);
    assert_i64(a->usage_voided.occurred_at_us, b->usage_voided.occurred_at_us);
    assert_i64(a->usage_voided.bills_at_us, b->usage_voided.bills_at_us);
    assert_true(slice_equal(a->usage_voided.reason, b->usage_voided.reason));
}

static void assert_amount(struct amount amount, const char *expected)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(amount, text);
    assert_string_equal(text, expected);
}

static struct void_create create_void(struct book *book, uint64_t customer, uint64_t usage,
                                      const char *request_id)
{
    struct void_create create = book_void(customer, usage, request_id);
    book_create_void(book, &create);
    return create;
}

/* --- creating --------------------------------------------------------------------------------- */

static void void_create__a_usage__is_recorded_as_its_negative_and_linked(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "3", "0.5", 1234);
    (void)state;
    struct void_create create = create_void(book, customer, usage, "r1");
    assert_ok(create.outcome.status);
    assert_false(create.outcome.replayed);
    assert_amount(create.amount, "-1.5");
    struct record stored = book_record(book, create.record.seq);
    assert_same_void(&create.record, &stored);
    assert_int_equal(stored.kind, RECORD_USAGE_VOIDED);
    assert_u64(stored.usage_voided.customer, customer);
    assert_u64(stored.usage_voided.usage, usage);
    assert_i64(stored.usage_voided.occurred_at_us, 1234);
    assert_i64(stored.usage_voided.bills_at_us, 1234);
    assert_i64(stored.created_at_us, book->env.now_us);
    assert_text(stored.usage_voided.reason.data, stored.usage_voided.reason.length, "an error");
    assert_text(stored.recorded_by.data, stored.recorded_by.length, "tester");
    assert_text(stored.request_id.data, stored.request_id.length, "r1");
    book_close(book);
}

static void void_create__nothing_of_that_customer__is_refused_and_uses_up_no_id(void **state)
{
    struct book *book = book_open();
    uint64_t one = book_add_customer(book, NULL);
    uint64_t two = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, one, "S", "1", "1", 1);
    uint64_t adjustment = book_add_adjustment(book, one, "", "1", 1);
    uint64_t records = book_records(book);
    (void)state;
    const struct {
        uint64_t customer;
        uint64_t usage;
        int status;
    } table[] = {
        {two, usage, STATUS_USAGE_NOT_FOUND},       {one, 0, STATUS_USAGE_NOT_FOUND},
        {one, one, STATUS_USAGE_NOT_FOUND},         {one, adjustment, STATUS_USAGE_NOT_FOUND},
        {one, records + 1, STATUS_USAGE_NOT_FOUND}, {99, usage, STATUS_CUSTOMER_NOT_FOUND},
        {usage, usage, STATUS_CUSTOMER_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct void_create create = create_void(book, table[i].customer, table[i].usage, "r1");
        assert_status(create.outcome.status, table[i].status);
        assert_u64(create.outcome.existing_seq, 0);
    }
    assert_u64(book_records(book), records);
    assert_ok(create_void(book, one, usage, "r1").outcome.status);
    book_close(book);
}

static void void_create__voided_before__is_refused_and_names_the_void(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    uint64_t first = book_add_void(book, customer, usage);
    (void)state;
    struct void_create again = create_void(book, customer, usage, "r2");
    assert_status(again.outcome.status, STATUS_ALREADY_VOIDED);
    assert_false(again.outcome.replayed);
    assert_u64(again.outcome.existing_seq, first);
    assert_int_equal(again.outcome.existing_kind, RECORD_USAGE_VOIDED);
    assert_u64(book_records(book), 3);
    struct void_create of_void = create_void(book, customer, first, "r3");
    assert_status(of_void.outcome.status, STATUS_USAGE_NOT_FOUND);
    book_close(book);
}

static void void_create__twice_in_one_transaction__the_second_is_refused(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    struct void_create first = book_void(customer, usage, "r1");
    struct void_create second = book_void(customer, usage, "r2");
    struct void_create retry = book_void(customer, usage, "r1");
    (void)state;
    struct store_txn *txn = book_begin(book);
    assert_ok(void_create(txn, &book->arena, &first));
    assert_ok(void_create(txn, &book->arena, &second));
    assert_ok(void_create(txn, &book->arena, &retry));
    assert_ok(store_commit(txn));
    assert_ok(first.outcome.status);
    assert_status(second.outcome.status, STATUS_ALREADY_VOIDED);
    assert_u64(second.outcome.existing_seq, first.record.seq);
    assert_true(retry.outcome.replayed);
    assert_same_void(&retry.record, &first.record);
    assert_u64(book_records(book), 3);
    book_close(book);
}

/* --- exactly once ----------------------------------------------------------------------------- */

static void void_create__same_id_same_payload__is_the_first_answer_again(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "acme");
    uint64_t usage = book_add_usage(book, customer, "S", "3", "0.5", 1234);
    struct void_create first = create_void(book, customer, usage, "r1");
    (void)state;
    memory_store_set_billed_until(book->memory, customer, book->env.now_us + 1000);
    book->env.now_us += 2000;
    struct void_create again = book_void(0, usage, "r1");
    again.customer.external_id = SLICE("acme");
    again.asked.recorded_by = SLICE("somebody else");
    book_create_void(book, &again);
    assert_ok(again.outcome.status);
    assert_true(again.outcome.replayed);
    assert_same_void(&again.record, &first.record);
    assert_amount(again.amount, "-1.5");
    assert_u64(book_records(book), 3);
    book_close(book);
}

/* The id is looked up first: it decides also where the usage is voided, or is none. */
static void void_create__same_id_other_payload__names_exactly_what_differs(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    uint64_t other = book_add_usage(book, customer, "S", "1", "1", 2);
    struct void_create first = create_void(book, customer, usage, "r1");
    (void)state;
    const struct {
        uint64_t usage;
        const char *reason;
        unsigned differs;
    } table[] = {
        {usage, "an error!", DIFFERS_REASON},
        {other, "an error", DIFFERS_USAGE_ID},
        {other, "An error", DIFFERS_USAGE_ID | DIFFERS_REASON},
        {0, "an error", DIFFERS_USAGE_ID},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct void_create again = book_void(customer, table[i].usage, "r1");
        again.asked.usage_voided.reason = slice_of(table[i].reason);
        book_create_void(book, &again);
        assert_status(again.outcome.status, STATUS_REQUEST_ID_REUSED);
        assert_u64(again.outcome.differs, table[i].differs);
        assert_u64(again.outcome.existing_seq, first.record.seq);
        assert_int_equal(again.outcome.existing_kind, RECORD_USAGE_VOIDED);
    }
    assert_u64(book_records(book), 4);
    book_close(book);
}

/* --- where it lands --------------------------------------------------------------------------- */

static void void_create__before_and_after_an_invoice__bills_at_the_later(void **state)
{
    static const struct {
        int64_t occurred_us;
        int64_t billed_before_us; /* when the usage was recorded */
        int64_t billed_until_us;  /* when it is voided */
        int64_t expected_us;
    } table[] = {
        {500, 0, 0, 500},     /* on the open period it cancels */
        {500, 0, 499, 500},   /* likewise: the invoice ended before it */
        {500, 0, 500, 500},   /* and at the very end, which is not within */
        {500, 0, 501, 501},   /* invoiced: a credit on the next bill */
        {500, 700, 700, 700}, /* late usage, still open: where the usage bills */
        {500, 700, 900, 900}, /* late usage, invoiced meanwhile */
        {500, 700, 701, 701},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_open();
        uint64_t customer = book_add_customer(book, NULL);
        memory_store_set_billed_until(book->memory, customer, table[i].billed_before_us);
        uint64_t usage = book_add_usage(book, customer, "S", "1", "1", table[i].occurred_us);
        memory_store_set_billed_until(book->memory, customer, table[i].billed_until_us);
        struct void_create create = create_void(book, customer, usage, "r1");
        assert_ok(create.outcome.status);
        assert_i64(create.record.usage_voided.bills_at_us, table[i].expected_us);
        assert_i64(create.record.usage_voided.occurred_at_us, table[i].occurred_us);
        book_close(book);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static int get(struct book *book, struct void_get *get)
{
    struct store_view *view = book_view(book);
    int rc = void_get(view, &book->arena, get);
    book_release(view);
    return rc;
}

static void void_get__by_usage__is_its_void_or_says_what_is_missing(void **state)
{
    struct book *book = book_open();
    uint64_t one = book_add_customer(book, "one");
    uint64_t two = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, one, "S", "1e12", "999.999999", 1);
    uint64_t other = book_add_usage(book, one, "S", "1", "1", 1);
    (void)state;
    struct void_get found = {.customer = {.external_id = SLICE("one")}, .usage = usage};
    assert_status(get(book, &found), STATUS_VOID_NOT_FOUND);
    struct void_create create = create_void(book, one, usage, "r1");
    assert_ok(get(book, &found));
    assert_same_void(&found.record, &create.record);
    assert_amount(found.amount, "-999999999000000");
    struct void_get of_other = {.customer = {.seq = one}, .usage = other};
    assert_status(get(book, &of_other), STATUS_VOID_NOT_FOUND);
    struct void_get of_two = {.customer = {.seq = two}, .usage = usage};
    assert_status(get(book, &of_two), STATUS_USAGE_NOT_FOUND);
    struct void_get of_void = {.customer = {.seq = one}, .usage = create.record.seq};
    assert_status(get(book, &of_void), STATUS_USAGE_NOT_FOUND);
    struct void_get of_none = {.customer = {.seq = one}};
    assert_status(get(book, &of_none), STATUS_USAGE_NOT_FOUND);
    struct void_get of_nobody = {.customer = {.seq = 99}, .usage = usage};
    assert_status(get(book, &of_nobody), STATUS_CUSTOMER_NOT_FOUND);
    book_close(book);
}

static void void__damaged_records__are_errors(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    uint64_t voided = book_add_usage(book, customer, "S", "1", "1", 1);
    struct void_create create = create_void(book, customer, voided, "r1");
    struct void_get found = {.customer = {.seq = customer}, .usage = voided};
    (void)state;
    memory_store_damage(book->memory, usage);
    struct store_txn *txn = book_begin(book);
    struct void_create of_damaged = book_void(customer, usage, "r2");
    assert_status(void_create(txn, &book->arena, &of_damaged), STATUS_CORRUPT);
    store_abort(txn);
    memory_store_damage(book->memory, create.record.seq);
    assert_status(get(book, &found), STATUS_CORRUPT);
    txn = book_begin(book);
    struct void_create again = book_void(customer, voided, "r3");
    assert_status(void_create(txn, &book->arena, &again), STATUS_CORRUPT);
    store_abort(txn);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(void_create__a_usage__is_recorded_as_its_negative_and_linked),
    cmocka_unit_test(void_create__nothing_of_that_customer__is_refused_and_uses_up_no_id),
    cmocka_unit_test(void_create__voided_before__is_refused_and_names_the_void),
    cmocka_unit_test(void_create__twice_in_one_transaction__the_second_is_refused),
    cmocka_unit_test(void_create__same_id_same_payload__is_the_first_answer_again),
    cmocka_unit_test(void_create__same_id_other_payload__names_exactly_what_differs),
    cmocka_unit_test(void_create__before_and_after_an_invoice__bills_at_the_later),
    cmocka_unit_test(void_get__by_usage__is_its_void_or_says_what_is_missing),
    cmocka_unit_test(void__damaged_records__are_errors),
};

TESTKIT_MAIN(tests)
