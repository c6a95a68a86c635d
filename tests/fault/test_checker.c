/* The judge, judged: what it is there to see it sees, and nothing else.  A small business is done
 * in a book and logged as a client would; then the one or the other is changed. */
#include <inttypes.h>
#include <stdlib.h>

#include "billingd/rpc/object_id.h"
#include "tests/fault/business.h"
#include "tests/lib/testkit.h"

enum {
    HOUR_SECONDS = 3600,
};

struct scene {
    struct business b; /* the customer, a usage, its void, a credit, an invoice, late usage */
    const char *log_path;
    struct logged_request *usage;
    struct logged_request *late;
    uint64_t usage_seq;
    uint64_t late_seq;
};

static void do_invoice(struct business *b)
{
    int64_t end_us = b->book->env.now_us - 1;
    struct logged_payload payload = {
        .kind = LOGGED_INVOICE, .customer = b->customer, .end_us = end_us};
    struct logged_request *request = request_log_send(b->log, "i", &payload);
    struct invoice_finalize *invoice = book_invoice(b->book, b->customer_seq, end_us, "i");
    book_finalize_invoice(b->book, invoice);
    assert_status(invoice->outcome.status, 0);
    business_acknowledge(b, request, invoice->page.record.seq);
}

static int setup(void **state)
{
    struct scene *scene = testkit_alloc(sizeof *scene);
    struct business *b = &scene->b;
    scene->log_path = testkit_format("%s/log", testkit_tmpdir());
    business_open(b, scene->log_path);
    scene->usage = business_do_usage(b, "u", 0);
    business_do_void(b, scene->usage);
    business_do_adjustment(b);
    b->book->env.now_us += (int64_t)HOUR_SECONDS * 1000000;
    do_invoice(b);
    scene->late =
        business_do_usage(b, "l", b->book->env.now_us - (int64_t)2 * HOUR_SECONDS * 1000000);
    scene->usage_seq = scene->usage->answer.seq;
    scene->late_seq = scene->late->answer.seq;
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    business_close(&scene->b);
    return 0;
}

static struct business *business_of(void **state)
{
    struct scene *scene = *state;
    return &scene->b;
}

/* --- the verdict ------------------------------------------------------------------------------ */

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
    struct business *b = business_of(state);
    business_check(b);
    assert_clean(b);
    assert_u64(b->result.acknowledged, 6);
    assert_u64(b->result.unknown, 0);
    assert_true(b->result.bills >= 6);
}

static void check__log_kept_in_a_file__says_the_same(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    business_log_usage(b, "cut", 0);
    request_log_destroy(b->log);
    size_t bytes;
    char *data = testkit_read_file(scene->log_path, &bytes);
    const char *path = testkit_format("%s/cut", testkit_tmpdir());
    testkit_write_file(path, data, bytes - 5); /* killed in the middle of the last line */
    free(data);
    b->log = request_log_load(path);
    business_check(b);
    assert_clean(b);
    assert_u64(b->result.acknowledged, 6);
    assert_u64(b->result.unknown, 0);
}

static void check__acknowledged_and_not_there__is_lost(void **state)
{
    struct business *b = business_of(state);
    business_acknowledge(b, business_log_usage(b, "gone", 0), 17);
    business_check(b);
    assert_only(b, &b->result.lost, "'gone'");
}

static void check__unknown__may_be_there_or_not(void **state)
{
    struct business *b = business_of(state);
    business_log_usage(b, "there", 0);
    business_log_usage(b, "not there", 0);
    IGNORE(business_record_usage(b, "there", 0) == 0);
    business_check(b);
    assert_clean(b);
    assert_u64(b->result.unknown, 2);
    assert_u64(b->result.found, 1);
}

static void check__unknown_then_acknowledged_by_a_retry__has_to_be_there(void **state)
{
    struct business *b = business_of(state);
    struct logged_request *request = business_log_usage(b, "retried", 0);
    business_check(b);
    assert_clean(b);
    business_acknowledge(b, request, 17);
    business_check(b);
    assert_only(b, &b->result.lost, "'retried'");
}

static void check__asked_for_by_nobody__is_foreign(void **state)
{
    struct business *b = business_of(state);
    IGNORE(business_record_usage(b, "whose", 0) == 0);
    business_check(b);
    assert_u64(b->result.foreign, 1);
    assert_contains(b->result.texts[0], "'whose'");
}

static void check__refused_and_there__is_foreign(void **state)
{
    struct business *b = business_of(state);
    request_log_refuse(b->log, business_log_usage(b, "refused", 0), "out_of_bounds");
    IGNORE(business_record_usage(b, "refused", 0) == 0);
    business_check(b);
    assert_only(b, &b->result.foreign, "'refused'");
}

static void check__of_another_name_space__is_foreign(void **state)
{
    struct business *b = business_of(state);
    struct customer_create create = {.name = SLICE("Other"), .request_id = SLICE("o")};
    business_acknowledge(b, business_log_usage(b, "o", 0), 17);
    book_create_customer(b->book, &create);
    business_check(b);
    assert_u64(b->result.lost, 1);
    assert_u64(b->result.foreign, 1);
}

static void take_the_id_of_another(struct record *record)
{
    record->request_id = SLICE("u");
}

static void check__one_request_id_twice__is_doubled(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    memory_store_alter(b->book->memory, scene->late_seq, take_the_id_of_another);
    business_check(b);
    assert_u64(b->result.doubled, 1);
    assert_contains(b->result.texts[0], "'u'");
}

static void double_the_units(struct record *record)
{
    record->usage.units = book_decimal("116");
}

static void check__other_units__are_a_wrong_payload_and_a_wrong_bill(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    memory_store_alter(b->book->memory, scene->late_seq, double_the_units);
    business_check(b);
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
    struct scene *scene = *state;
    struct business *b = &scene->b;
    memory_store_alter(b->book->memory, scene->late_seq, bill_when_it_occurred);
    business_check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_contains(b->result.texts[0], "bills_at");
}

static void pay_less(struct record *record)
{
    record->adjustment.amount = book_decimal("-4");
}

static void check__another_amount_after_the_invoice__is_not_verified(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    uint64_t adjustment = scene->usage_seq + 2;
    memory_store_alter(b->book->memory, adjustment, pay_less);
    business_check(b);
    assert_u64(b->result.wrong_payload, 1);
    assert_u64(b->result.unsound, 1); /* the invoice's own check */
    assert_true(b->result.wrong_bill > 0);
}

static void check__damaged_record__is_unsound(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    memory_store_damage(b->book->memory, scene->late_seq);
    business_check(b);
    assert_true(b->result.unsound > 0);
}

static void check__answer_with_another_id__is_wrong(void **state)
{
    struct business *b = business_of(state);
    struct logged_request *request = business_log_usage(b, "other", 0);
    uint64_t seq = business_record_usage(b, "other", 0);
    char id[OBJECT_ID_TEXT_MAX];
    object_id_print(OBJECT_USAGE, seq, 1, id); /* of another deployment */
    struct logged_answer answer = {.id = id};
    request_log_acknowledge(b->log, request, &answer);
    business_check(b);
    assert_only(b, &b->result.wrong_answer, "'other'");
}

static void check__answer_that_changes__is_wrong(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    struct logged_answer answer = {.seq = scene->usage_seq + 1};
    request_log_acknowledge(b->log, scene->usage, &answer);
    business_check(b);
    assert_only(b, &b->result.wrong_answer, "and before");
}

static void check__refused_after_it_was_acknowledged__is_wrong(void **state)
{
    struct scene *scene = *state;
    struct business *b = &scene->b;
    request_log_refuse(b->log, scene->usage, "request_id_reused");
    business_check(b);
    assert_only(b, &b->result.wrong_answer, "request_id_reused");
}

static void check__known_until_a_tick__takes_what_was_open_as_unknown(void **state)
{
    struct business *b = business_of(state);
    struct logged_request *request = business_log_usage(b, "open", 0);
    struct checker_options options = {.known_until = request_log_tick(b->log)};
    business_acknowledge(b, request, 17);
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
    struct scene *scene = *state;
    struct business *b = &scene->b;
    struct checker_options options = {.known_until = scene->late->sent_tick - 1};
    checker_run(b->log, memory_store_handle(b->book->memory), &options, &b->result);
    assert_u64(b->result.foreign, 1);
    assert_contains(b->result.texts[0], "'l'");
}

static void check__no_store__is_unsound(void **state)
{
    struct business *b = business_of(state);
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
