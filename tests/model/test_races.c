/* What happens at the same time: two finalisations, and records that arrive at the very end of a
 * window while it is finalised. */
#include <string.h>
#include <time.h>

#include "tests/model/office.h"

enum {
    ROUNDS = 40,
    RECORDS = 60, /* that are on their way while an invoice is made */
};

/* 2025-03-01: where the windows end. */
#define END INT64_C(1740787200000000)
#define DAY INT64_C(86400000000)

/* A second client, for as long as a test runs. */
static void open_second(struct office *office, struct raw_client *client)
{
    if (!raw_client_open(client, daemon_process_unix(office->daemon))) {
        testkit_fail("cannot connect to the daemon");
    }
}

static void send(struct raw_client *client, Billing__V1__Request *request)
{
    PUT(request, call_id, ++client->last_call_id);
    assert_int_equal(raw_client_send_request(client, request), SOCK_OK);
}

static void record(struct office *office, const char *customer, int64_t time)
{
    Billing__V1__UsageInput *usage = office_usage(office, customer, "Egress", "1", "0.05");
    PUT(usage, occurred_at, time);
    IGNORE(office_get(office, OFFICE_CALL(CREATE_USAGE), usage) == NULL); /* it is recorded */
}

/* --- two finalisations ------------------------------------------------------------------------ */

/* Finalise under A_ID and B_ID over two connections at once; the answers. */
static void finalize_twice(struct office *office, struct raw_client *second, const char *customer,
                           const char *const ids[2], Billing__V1__Response *ret[2])
{
    struct raw_client *clients[] = {&office->client, second};
    for (size_t i = 0; i < 2; i++) {
        send(clients[i], office_request(office, OFFICE_CALL(FINALIZE_INVOICE),
                                        office_finalize(office, customer, END, ids[i])));
    }
    for (size_t i = 0; i < 2; i++) {
        ret[i] = office_receive(office, clients[i]);
    }
}

static bool is_invoice(const Billing__V1__Response *response)
{
    return response->result_case == BILLING__V1__RESPONSE__RESULT_FINALIZE_INVOICE;
}

static void of_two_finalisations_one_makes_the_invoice(void **state)
{
    static const char *const ids[] = {"one", "two"};
    struct office *office = *state;
    struct raw_client second;
    open_second(office, &second);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        const char *customer = office_customer(office);
        Billing__V1__Response *answers[2];
        record(office, customer, END - 1);
        finalize_twice(office, &second, customer, ids, answers);
        assert_int_equal(is_invoice(answers[0]) + is_invoice(answers[1]), 1);
        const Billing__V1__Response *won = answers[is_invoice(answers[0]) ? 0 : 1];
        const Billing__V1__Response *lost = answers[is_invoice(answers[0]) ? 1 : 0];
        assert_u64(won->finalize_invoice->invoice->number, round); /* no gap where one lost */
        assert_text(lost->problem->code.data, lost->problem->code.len, "already_finalized");
        assert_text(lost->problem->existing_id.data, lost->problem->existing_id.len,
                    memory_format(&office->memory, "%u", (unsigned)round));
        office_verify(office, round, 1);
    }
    raw_client_close(&second);
}

static void the_same_finalisation_twice_at_once_is_one(void **state)
{
    static const char *const ids[] = {"one", "one"};
    struct office *office = *state;
    struct raw_client second;
    open_second(office, &second);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        const char *customer = office_customer(office);
        Billing__V1__Response *answers[2];
        record(office, customer, END - 1);
        finalize_twice(office, &second, customer, ids, answers);
        assert_true(is_invoice(answers[0]) && is_invoice(answers[1]));
        assert_int_equal((answers[0]->replayed != 0) + (answers[1]->replayed != 0), 1);
        assert_u64(answers[0]->finalize_invoice->invoice->number, round);
        const char *words = message_difference(&office->memory, answers[0]->finalize_invoice,
                                               answers[1]->finalize_invoice);
        if (words != NULL) {
            testkit_fail("two answers to one request: %s", words);
        }
    }
    raw_client_close(&second);
}

/* --- records on their way --------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &time), 0);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

struct race {
    const char *customer;
    int64_t end;               /* of the invoice */
    int64_t bills_at[RECORDS]; /* as each record was told */
};

/* Record one usage, occurring at TIME (0: when it comes in); where it bills. */
static int64_t record_one(struct office *office, const char *customer, int64_t time)
{
    Billing__V1__UsageInput *usage = office_usage(office, customer, "Egress", "1", "0.05");
    if (time != 0) {
        PUT(usage, occurred_at, time);
    }
    return office_get(office, OFFICE_CALL(CREATE_USAGE), usage)->create_usage->usage->bills_at;
}

/* Record RECORDS of a new customer, one behind the other, occurring at TIME (0: when they come in);
 * meanwhile, behind some of them, the second client finalises up to END (0: now). */
static struct race run_race(struct office *office, struct raw_client *second, int64_t time,
                            int64_t end)
{
    struct race race = {.customer = office_customer(office), .end = end};
    struct rng rng = rng_make(race.customer);
    size_t behind = rng_below(&rng, RECORDS / 2);
    for (size_t i = 0; i < RECORDS; i++) {
        if (i == behind) {
            race.end = end == 0 ? now() : end;
            send(second, office_request(office, OFFICE_CALL(FINALIZE_INVOICE),
                                        office_finalize(office, race.customer, race.end, NULL)));
        }
        race.bills_at[i] = record_one(office, race.customer, time);
    }
    return race;
}

static uint64_t count_before_end(const struct race *race)
{
    uint64_t before = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        before += race->bills_at[i] < race->end;
    }
    return before;
}

static uint64_t records_of(Billing__V1__BillLine *const *lines, size_t n)
{
    assert_true(n <= 1);
    return n == 0 ? 0 : lines[0]->records;
}

/* Look where each record is.  Returns how many the invoice has. */
static uint64_t check_race(struct office *office, struct raw_client *second,
                           const struct race *race)
{
    uint64_t before = count_before_end(race);
    const Billing__V1__Response *answer = office_receive(office, second);
    if (!is_invoice(answer)) {
        testkit_fail("no invoice: %s", message_words(&office->memory, answer));
    }
    const Billing__V1__Invoice *invoice = answer->finalize_invoice->invoice;
    const Billing__V1__Bill *same = office_bill(office, race->customer, invoice->start, race->end);
    const Billing__V1__Bill *next = office_bill(office, race->customer, race->end, race->end + DAY);
    assert_u64(records_of(invoice->lines, invoice->n_lines), before);
    assert_u64(records_of(same->lines, same->n_lines), before);
    assert_u64(records_of(next->lines, next->n_lines), RECORDS - before);
    office_verify(office, invoice->number, before);
    return before;
}

static void a_record_that_arrives_meanwhile_is_billed_once(void **state)
{
    struct office *office = *state;
    struct raw_client second;
    uint64_t some = 0;
    open_second(office, &second);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct race race = run_race(office, &second, END - 1, END);
        uint64_t invoiced = check_race(office, &second, &race);
        some += invoiced > 0 && invoiced < RECORDS;
        memory_done(&office->memory);
    }
    assert_true(some > 0); /* else nothing was ever at the same time */
    raw_client_close(&second);
}

static void a_window_that_ends_now_has_no_hole(void **state)
{
    struct office *office = *state;
    struct raw_client second;
    open_second(office, &second);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct race race = run_race(office, &second, 0, 0);
        IGNORE(check_race(office, &second, &race) > 0); /* how many, the clock says */
        memory_done(&office->memory);
    }
    raw_client_close(&second);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(of_two_finalisations_one_makes_the_invoice, office_open,
                                    office_close),
    cmocka_unit_test_setup_teardown(the_same_finalisation_twice_at_once_is_one, office_open,
                                    office_close),
    cmocka_unit_test_setup_teardown(a_record_that_arrives_meanwhile_is_billed_once, office_open,
                                    office_close),
    cmocka_unit_test_setup_teardown(a_window_that_ends_now_has_no_hole, office_open, office_close),
};

OFFICE_MAIN(tests)
