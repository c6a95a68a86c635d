/* The judge, judged: what it is there to see it sees, and nothing else.  A small business is done
 * in a book and logged as a client would; then the one or the other is changed. */
#include <inttypes.h>
#include <stdlib.h>

#include "billingd/rpc/object_id.h"
#include "tests/fault/checker.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

enum {
    HOUR_SECONDS = 3600,
};

struct business {
    struct book *book;
    struct request_log *log;
    const char *log_path;
    struct checker_result result;
    struct logged_request *customer;
    struct logged_request *usage;
    struct logged_request *late;
    uint64_t customer_seq;
    uint64_t usage_seq;
    uint64_t late_seq;
};

static void acknowledge(struct business *b, struct logged_request *request, uint64_t seq)
{
    struct logged_answer answer = {.seq = seq, .created_at_us = b->book->env.now_us};
    request_log_acknowledge(b->log, request, &answer);
}

/* --- the business: book and log alike --------------------------------------------------------- */

static struct logged_request *log_usage(struct business *b, const char *request_id,
                                        int64_t occurred_at_us)
{
    struct logged_payload payload = {
        .kind = LOGGED_USAGE,
        .customer = b->customer,
        .service = "Database Hosting",
        .units = "58",
        .price = "0.05",
        .occurred_at_us = occurred_at_us,
    };
    return request_log_send(b->log, request_id, &payload);
}

static uint64_t record_usage(struct business *b, const char *request_id, int64_t occurred_at_us)
{
    struct usage_create create = book_usage(b->customer_seq, request_id);
    create.asked.usage.occurred_at_given = occurred_at_us != 0;
    create.asked.usage.occurred_at_us = occurred_at_us;
    book_create_usage(b->book, &create);
    return create.record.seq;
}

static void do_customer(struct business *b)
{
    struct logged_payload payload = {.kind = LOGGED_CUSTOMER, .name = "Acme"};
    struct customer_create create = {.name = SLICE("Acme"), .request_id = SLICE("c")};
    b->customer = request_log_send(b->log, "c", &payload);
    book_create_customer(b->book, &create);
    b->customer_seq = create.customer.seq;
    acknowledge(b, b->customer, b->customer_seq);
}

static void do_usage(struct business *b)
{
    b->usage = log_usage(b, "u", 0);
    b->usage_seq = record_usage(b, "u", 0);
    acknowledge(b, b->usage, b->usage_seq);
}

static void do_void(struct business *b)
{
    struct logged_payload payload = {
        .kind = LOGGED_VOID, .customer = b->customer, .usage = b->usage, .reason = "an error"};
    struct logged_request *request = request_log_send(b->log, "v", &payload);
    struct void_create create = book_void(b->customer_seq, b->usage_seq, "v");
    book_create_void(b->book, &create);
    acknowledge(b, request, create.record.seq);
}

static void do_adjustment(struct business *b)
{
    struct logged_payload payload = {
        .kind = LOGGED_ADJUSTMENT, .customer = b->customer, .amount = "-5", .reason = "goodwill"};
    struct logged_request *request = request_log_send(b->log, "a", &payload);
    struct adjustment_create create = book_adjustment(b->customer_seq, "a");
    book_create_adjustment(b->book, &create);
    acknowledge(b, request, create.record.seq);
}

static void do_invoice(struct business *b)
{
    int64_t end_us = b->book->env.now_us - 1;
    struct logged_payload payload = {
        .kind = LOGGED_INVOICE, .customer = b->customer, .end_us = end_us};
    struct logged_request *request = request_log_send(b->log, "i", &payload);
    struct invoice_finalize *invoice = book_invoice(b->book, b->customer_seq, end_us, "i");
    book_finalize_invoice(b->book, invoice);
    assert_status(invoice->outcome.status, 0);
    acknowledge(b, request, invoice->page.record.seq);
}

static void do_late_usage(struct business *b)
{
    int64_t occurred_at_us = b->book->env.now_us - (int64_t)2 * HOUR_SECONDS * 1000000;
    b->late = log_usage(b, "l", occurred_at_us);
    b->late_seq = record_usage(b, "l", occurred_at_us);
    acknowledge(b, b->late, b->late_seq);
}

static int setup(void **state)
{
    struct business *b = testkit_alloc(sizeof *b);
    b->book = book_open();
    b->log_path = testkit_format("%s/log", testkit_tmpdir());
    b->log = request_log_create(b->log_path);
    do_customer(b);
    do_usage(b);
    do_void(b);
    do_adjustment(b);
    b->book->env.now_us += (int64_t)HOUR_SECONDS * 1000000;
    do_invoice(b);
    do_late_usage(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct business *b = *state;
    checker_result_done(&b->result);
    request_log_destroy(b->log);
    book_close(b->book);
    return 0;
}

/* --- the verdict ------------------------------------------------------------------------------ */

static void check(struct business *b)
{
    checker_run(b->log, memory_store_handle(b->book->memory), NULL, &b->result);
}

static void assert_clean(const struct business *b)
{
    if (checker_violations(&b->result) != 0) {
        testkit_fail("%s", b->result.texts[0]);
    }
}

/* Only COUNT of the result says so, and it says so once, naming TEXT. */
static void assert_only(const struct business *b, const uint64_t *count, const char *text)
{
    assert_u64(*count, 1);
    if (checker_violations(&b->result) != 1) {
        testkit_fail("%" PRIu64 " violations: %s; %s", checker_violations(&b->result),
                     b->result.texts[0], b->result.texts[1]);
    }
    assert_contains(b->result.texts[0], text);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void check__log_and_store_agree__finds_nothing(void **state)
{
    struct business *b = *state;
    check(b);
    assert_clean(b);
    assert_u64(b->result.acknowledged, 6);
    assert_u64(b->result.unknown, 0);
    assert_true(b->result.bills >= 6);
}

static void check__log_kept_in_a_file__says_the_same(void **state)
{
    struct business *b = *state;
    log_usage(b, "cut", 0);
    request_log_destroy(b->log);
    size_t bytes;
    char *data = testkit_read_file(b->log_path, &bytes);
    const char *path = testkit_format("%s/cut", testkit_tmpdir());
    testkit_write_file(path, data, bytes - 5); /* killed in the middle of the last line */
    free(data);
    b->log = request_log_load(path);
    check(b);
    assert_clean(b);
    assert_u64(b->result.acknowledged, 6);
    assert_u64(b->result.unknown, 0);
}

static void check__acknowledged_and_not_there__is_lost(void **state)
{
    struct business *b = *state;
    acknowledge(b, log_usage(b, "gone", 0), 17);
    check(b);
    assert_only(b, &b->result.lost, "'gone'");
}

static void check__unknown__may_be_there_or_not(void **state)
{
    struct business *b = *state;
    log_usage(b, "there", 0);
    log_usage(b, "not there", 0);
    IGNORE(record_usage(b, "there", 0) == 0);
    check(b);
    assert_clean(b);
    assert_u64(b->result.unknown, 2);
    assert_u64(b->result.found, 1);
}

static void check__unknown_then_acknowledged_by_a_retry__has_to_be_there(void **state)
{
    struct business *b = *state;
    struct logged_request *request = log_usage(b, "retried", 0);
    check(b);
    assert_clean(b);
    acknowledge(b, request, 17);
    check(b);
    assert_only(b, &b->result.lost, "'retried'");
}

static void check__asked_for_by_nobody__is_foreign(void **state)
{
    struct business *b = *state;
    IGNORE(record_usage(b, "whose", 0) == 0);
    check(b);
    assert_u64(b->result.foreign, 1);
    assert_contains(b->result.texts[0], "'whose'");
}

static void check__refused_and_there__is_foreign(void **state)
{
    struct business *b = *state;
    request_log_refuse(b->log, log_usage(b, "refused", 0), "out_of_bounds");
    IGNORE(record_usage(b, "refused", 0) == 0);
    check(b);
    assert_only(b, &b->result.foreign, "'refused'");
}

static void check__of_another_name_space__is_foreign(void **state)
{
    struct business *b = *state;
    struct customer_create create = {.name = SLICE("Other"), .request_id = SLICE("o")};
    acknowledge(b, log_usage(b, "o", 0), 17);
    book_create_customer(b->book, &create);
    check(b);
    assert_u64(b->result.lost, 1);
    assert_u64(b->result.foreign, 1);
}

static void take_the_id_of_another(struct record *record)
{
    record->request_id = SLICE("u");
}

static void check__one_request_id_twice__is_doubled(void **state)
{
    struct business *b = *state;
    memory_store_alter(b->book->memory, b->late_seq, take_the_id_of_another);
    check(b);
    assert_u64(b->result.doubled, 1);
    assert_contains(b->result.texts[0], "'u'");
}

static void double_the_units(struct record *record)
{
    record->usage.units = book_decimal("116");
}

static void check__other_units__are_a_wrong_payload_and_a_wrong_bill(void **state)
{
    struct business *b = *state;
    memory_store_alter(b->book->memory, b->late_seq, double_the_units);
    check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_contains(b->result.texts[0], "units is '116' in place of '58'");
    assert_true(b->result.wrong_bill > 0);
    assert_u64(b->result.lost + b->result.doubled + b->result.foreign, 0);
}

static void bill_when_it_occurred(struct record *record)
{
    record->usage.bills_at_us = record->usage.occurred_at_us;
}

static void check__late_usage_on_a_closed_bill__is_wrong(void **state)
{
    struct business *b = *state;
    memory_store_alter(b->book->memory, b->late_seq, bill_when_it_occurred);
    check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_contains(b->result.texts[0], "bills_at");
}

static void pay_less(struct record *record)
{
    record->adjustment.amount = book_decimal("-4");
}

static void check__another_amount_after_the_invoice__is_not_verified(void **state)
{
    struct business *b = *state;
    uint64_t adjustment = b->usage_seq + 2;
    memory_store_alter(b->book->memory, adjustment, pay_less);
    check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_u64(b->result.unsound, 1); /* the invoice's own check */
    assert_true(b->result.wrong_bill > 0);
}

static void check__damaged_record__is_unsound(void **state)
{
    struct business *b = *state;
    memory_store_damage(b->book->memory, b->late_seq);
    check(b);
    assert_true(b->result.unsound > 0);
}

static void check__answer_with_another_id__is_wrong(void **state)
{
    struct business *b = *state;
    struct logged_request *request = log_usage(b, "other", 0);
    uint64_t seq = record_usage(b, "other", 0);
    char id[OBJECT_ID_TEXT_MAX];
    object_id_print(OBJECT_USAGE, seq, 1, id); /* of another deployment */
    struct logged_answer answer = {.id = id};
    request_log_acknowledge(b->log, request, &answer);
    check(b);
    assert_only(b, &b->result.wrong_answer, "'other'");
}

static void check__answer_that_changes__is_wrong(void **state)
{
    struct business *b = *state;
    struct logged_answer answer = {.seq = b->usage_seq + 1};
    request_log_acknowledge(b->log, b->usage, &answer);
    check(b);
    assert_only(b, &b->result.wrong_answer, "and before");
}

static void check__refused_after_it_was_acknowledged__is_wrong(void **state)
{
    struct business *b = *state;
    request_log_refuse(b->log, b->usage, "request_id_reused");
    check(b);
    assert_only(b, &b->result.wrong_answer, "request_id_reused");
}

static void check__known_until_a_tick__takes_what_was_open_as_unknown(void **state)
{
    struct business *b = *state;
    struct logged_request *request = log_usage(b, "open", 0);
    struct checker_options options = {.known_until = request_log_tick(b->log)};
    acknowledge(b, request, 17);
    checker_run(b->log, memory_store_handle(b->book->memory), &options, &b->result);
    assert_clean(b);
    assert_u64(b->result.acknowledged, 6);
    assert_u64(b->result.unknown, 1);
    options.known_until = request_log_tick(b->log);
    checker_run(b->log, memory_store_handle(b->book->memory), &options, &b->result);
    assert_only(b, &b->result.lost, "'open'");
}

static void check__known_until_before_it_was_sent__is_foreign(void **state)
{
    struct business *b = *state;
    struct checker_options options = {.known_until = b->late->sent_tick - 1};
    checker_run(b->log, memory_store_handle(b->book->memory), &options, &b->result);
    assert_u64(b->result.foreign, 1);
    assert_contains(b->result.texts[0], "'l'");
}

static void check__no_store__is_unsound(void **state)
{
    struct business *b = *state;
    checker_run_at(b->log, "lmdb:/proc/nowhere", testkit_tmpdir(), NULL, &b->result);
    assert_only(b, &b->result.unsound, "does not open");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(check__log_and_store_agree__finds_nothing),
    TEST(check__log_kept_in_a_file__says_the_same),
    TEST(check__acknowledged_and_not_there__is_lost),
    TEST(check__unknown__may_be_there_or_not),
    TEST(check__unknown_then_acknowledged_by_a_retry__has_to_be_there),
    TEST(check__asked_for_by_nobody__is_foreign),
    TEST(check__refused_and_there__is_foreign),
    TEST(check__of_another_name_space__is_foreign),
    TEST(check__one_request_id_twice__is_doubled),
    TEST(check__other_units__are_a_wrong_payload_and_a_wrong_bill),
    TEST(check__late_usage_on_a_closed_bill__is_wrong),
    TEST(check__another_amount_after_the_invoice__is_not_verified),
    TEST(check__damaged_record__is_unsound),
    TEST(check__answer_with_another_id__is_wrong),
    TEST(check__answer_that_changes__is_wrong),
    TEST(check__refused_after_it_was_acknowledged__is_wrong),
    TEST(check__known_until_a_tick__takes_what_was_open_as_unknown),
    TEST(check__known_until_before_it_was_sent__is_foreign),
    TEST(check__no_store__is_unsound),
};

TESTKIT_MAIN(tests)
