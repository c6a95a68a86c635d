/* Writes that a reader prepares and the committer carries out: on their way between the two. */
#include "billingd/base/clock.h"
#include "proto/timestamp.h"
#include "tests/lib/calls.h"

static struct desk_answer *submit_invoice(struct desk *desk, const char *customer, int64_t end_us,
                                          const char *request_id)
{
    return desk_submit(
        desk, desk_request(CALL(FINALIZE_INVOICE), finalize_input(customer, end_us, request_id)));
}

static struct desk_answer *submit_usage(struct desk *desk, const char *customer, int64_t time_us)
{
    Billing__V1__UsageInput *m = usage_input(customer, NULL);
    m->has_occurred_at = true;
    m->occurred_at = time_us;
    return desk_submit(desk, desk_request(CALL(CREATE_USAGE), m));
}

/* ANSWER is the invoice NUMBER of RECORDS records. */
static void assert_invoice(const Billing__V1__Response *response, uint64_t number, uint64_t records)
{
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    const Billing__V1__Invoice *invoice = response->finalize_invoice->invoice;
    assert_u64(invoice->number, number);
    assert_u64(invoice->n_lines, records > 0);
    if (records > 0) {
        assert_u64(invoice->lines[0]->records, records);
    }
}

static uint64_t views(struct desk *desk)
{
    return memory_store_counts(desk->memory).calls[MEMORY_SNAPSHOT];
}

/* Of records since it was prepared: the committer has them already when it is its turn. */
static void prepared_write__records_in_between__are_carried_out_first(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    struct desk_answer *invoice = submit_invoice(desk, customer, 2000, NULL);
    assert_u64(desk->dispatch.stats.in_flight, 1);
    bell_wait(&desk->bell); /* it is prepared, and nobody has looked yet */
    struct desk_answer *usage = submit_usage(desk, customer, 1999);
    struct desk_answer *other = submit_usage(desk, customer, 2000);
    assert_u64(desk->dispatch.stats.in_flight, 3);
    desk_drain(desk); /* behind them, and still in flight */
    assert_false(invoice->done);
    assert_invoice(desk_wait(desk, invoice), 1, 1);
    desk_wait(desk, usage);
    desk_wait(desk, other);
    assert_u64(desk->dispatch.stats.in_flight, 0);
    assert_u64(views(desk), 1);
    desk_close(desk);
}

static void prepared_write__refused_when_prepared__never_sees_the_committer(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    uint64_t begun = memory_store_counts(desk->memory).calls[MEMORY_BEGIN];
    desk_problem(call(desk, CALL(FINALIZE_INVOICE),
                      finalize_input(customer, clock_wall_us() + 60000000, NULL)),
                 STATUS_PERIOD_NOT_CLOSED);
    assert_u64(memory_store_counts(desk->memory).calls[MEMORY_BEGIN], begun);
    assert_u64(desk->dispatch.stats.in_flight, 0);
    desk_close(desk);
}

static void prepared_write__two_at_once__are_one_invoice(void **state)
{
    struct desk *desk = desk_open(NULL);
    struct desk_answer *answers[20];
    uint64_t made = 0;
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (size_t i = 0; i < 20; i++) {
        answers[i] = submit_invoice(desk, customer, 2000, i % 2 == 0 ? "r1" : NULL);
    }
    for (size_t i = 0; i < 20; i++) {
        const Billing__V1__Response *response = desk_wait(desk, answers[i]);
        if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
            assert_field(desk_problem(response, STATUS_ALREADY_FINALIZED)->existing_id, "1");
        } else {
            assert_invoice(response, 1, 0);
            made += !response->replayed;
        }
    }
    assert_u64(made, 1);
    desk_close(desk);
}

/* --- when it has to be prepared again --------------------------------------------------------- */

/* A group that fails is carried out one by one: by then the draft is spent. */
static void prepared_write__a_group_that_failed__is_prepared_again_and_right(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *first = submit_usage(desk, customer, 1000);
    memory_store_wait_held(desk->memory);
    struct desk_answer *invoice = submit_invoice(desk, customer, 2000, NULL);
    bell_wait(&desk->bell);
    struct desk_answer *second = submit_usage(desk, customer, 1001);
    desk_drain(desk); /* behind the usage, in one group with it */
    struct desk_answer *third = submit_usage(desk, customer, 1002);
    memory_store_fail(desk->memory, MEMORY_COMMIT, STATUS_STORAGE_FULL, 1, 1);
    memory_store_open_gate(desk->memory);
    assert_int_equal(desk_wait(desk, first)->result_case, CALL(CREATE_USAGE));
    assert_int_equal(desk_wait(desk, second)->result_case, CALL(CREATE_USAGE));
    assert_int_equal(desk_wait(desk, third)->result_case, CALL(CREATE_USAGE));
    assert_invoice(desk_wait(desk, invoice), 1, 3);
    assert_u64(views(desk), 2);
    assert_u64(memory_store_counts(desk->memory).records, 1 + 3 + 2);
    desk_close(desk);
}

/* Each time that it was prepared, an earlier first record moves its start. */
static void prepared_write__outdated_again_and_again__is_busy(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *invoice =
        submit_invoice(desk, customer, timestamp_month_start(2026, 11), "r1");
    for (int i = 0; i < REQUEST_PREPARED_MAX; i++) {
        bell_wait(&desk->bell); /* it is prepared: nothing else can have come to its end */
        assert_false(invoice->done);
        submit_usage(desk, customer, timestamp_month_start(2025 - i, 11));
        memory_store_wait_held(desk->memory);
        desk_drain(desk); /* now it waits behind the usage */
        memory_store_let_one_commit(desk->memory);
        for (size_t ended = 0; ended < 2;) { /* the usage, and it, outdated */
            bell_wait(&desk->bell);
            ended += desk_drain(desk);
        }
    }
    assert_true(invoice->done);
    memory_store_open_gate(desk->memory);
    const Billing__V1__Problem *problem = desk_problem(invoice->response, STATUS_BUSY);
    assert_field(problem->request_id, "r1");
    assert_u64(views(desk), REQUEST_PREPARED_MAX);
    /* Later it goes through. */
    Billing__V1__Response *response =
        call(desk, CALL(FINALIZE_INVOICE),
             finalize_input(customer, timestamp_month_start(2026, 11), "r1"));
    assert_int_equal(response->result_case, CALL(FINALIZE_INVOICE));
    assert_false(response->replayed);
    desk_close(desk);
}

/* --- when it cannot go on --------------------------------------------------------------------- */

static void prepared_write__no_room_for_the_second_step__is_busy(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.queue_ops_max = 1});
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *held = submit_usage(desk, customer, 1000);
    memory_store_wait_held(desk->memory);
    struct desk_answer *waiting = submit_usage(desk, customer, 1000);
    struct desk_answer *invoice = submit_invoice(desk, customer, 2000, "r1");
    assert_u64(desk->dispatch.stats.in_flight, 3);
    desk_problem(desk_wait(desk, invoice), STATUS_BUSY);
    assert_u64(desk->dispatch.stats.in_flight, 2);
    memory_store_open_gate(desk->memory);
    desk_wait(desk, held);
    desk_wait(desk, waiting);
    assert_u64(desk->dispatch.stats.in_flight, 0);
    desk_close(desk);
}

static void prepared_write__no_room_for_the_first_step__is_busy(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_fail(desk->memory, MEMORY_SNAPSHOT, STATUS_BUSY, 0, 1);
    desk_problem(call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1")),
                 STATUS_BUSY);
    assert_u64(desk->dispatch.stats.in_flight, 0);
    memory_store_fail(desk->memory, MEMORY_COMMIT, STATUS_STORAGE_FULL, 0, 1);
    desk_problem(call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1")),
                 STATUS_STORAGE_FULL);
    memory_store_fail(desk->memory, MEMORY_ANNOUNCE, STATUS_CORRUPT, 0, 1);
    desk_problem(call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1")),
                 STATUS_CORRUPT);
    assert_u64(memory_store_counts(desk->memory).records, 1);
    assert_invoice(call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1")), 1, 0);
    desk_close(desk);
}

static void prepared_write__its_time_is_over_between_the_steps__is_not_carried_out(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *held = submit_usage(desk, customer, 1000);
    memory_store_wait_held(desk->memory);
    Billing__V1__Request *request =
        desk_request(CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1"));
    request->has_timeout_ms = true;
    request->timeout_ms = 20;
    struct desk_answer *invoice = desk_submit(desk, request);
    bell_wait(&desk->bell);
    desk_drain(desk);
    int64_t late_us = clock_monotonic_us() + 22000;
    while (clock_monotonic_us() < late_us) { /* until its time is over, however fast we are */
    }
    memory_store_open_gate(desk->memory);
    desk_wait(desk, held);
    assert_field(desk_problem(desk_wait(desk, invoice), STATUS_DEADLINE_EXCEEDED)->request_id,
                 "r1");
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

/* --- what it costs ---------------------------------------------------------------------------- */

static void note_heavy_cb(struct request *request)
{
    bool *heavy = request->door;
    *heavy = request->op.heavy;
    request_free(request);
}

/* Whether the op of REQUEST went to the workers as a heavy one. */
static bool goes_as_heavy(struct desk *desk, const Billing__V1__Request *message)
{
    bool heavy = false;
    uint8_t packed[256];
    size_t bytes = billing__v1__request__pack(message, packed);
    struct request *request =
        request_create(&desk->dispatch, &desk->who, REQUEST_ARENA_BYTES_MAX, note_heavy_cb, &heavy);
    assert_non_null(request);
    assert_ok(request_unpack(request, packed, bytes));
    dispatch_submit(&desk->dispatch, request);
    dispatch_flush(&desk->dispatch);
    while (desk->dispatch.stats.in_flight > 0) {
        bell_wait(&desk->bell);
        desk_drain(desk);
    }
    return heavy;
}

static void dispatch__what_may_take_seconds__goes_as_heavy(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__VerifyInvoice verify = BILLING__V1__VERIFY_INVOICE__INIT;
    Billing__V1__ListBills bills = BILLING__V1__LIST_BILLS__INIT;
    Billing__V1__GetCustomer customer = BILLING__V1__GET_CUSTOMER__INIT;
    (void)state;
    const char *id = desk_add_customer(desk, NULL);
    verify.has_number = true;
    verify.number = 1;
    DESK_SET(&customer, customer_id, id);
    assert_true(
        goes_as_heavy(desk, desk_request(CALL(FINALIZE_INVOICE), finalize_input(id, 2000, NULL))));
    assert_true(goes_as_heavy(desk, desk_request(CALL(VERIFY_INVOICE), &verify)));
    assert_true(goes_as_heavy(desk, desk_request(CALL(LIST_BILLS), &bills)));
    assert_false(goes_as_heavy(desk, desk_request(CALL(GET_CUSTOMER), &customer)));
    desk_close(desk);
}

/* --- shutting down ---------------------------------------------------------------------------- */

static void prepared_write__draining__is_still_carried_out(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    struct desk_answer *invoice = submit_invoice(desk, customer, 2000, NULL);
    bell_wait(&desk->bell);
    dispatch_drain(&desk->dispatch);
    desk_drain(desk);
    assert_invoice(desk_wait(desk, invoice), 1, 0);
    desk_close(desk);
}

static void dispatch_close__prepared__is_refused_and_records_nothing(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    struct desk_answer *invoice = submit_invoice(desk, customer, 2000, "r1");
    bell_wait(&desk->bell);
    dispatch_close(&desk->dispatch);
    desk_drain(desk);
    assert_true(invoice->done);
    assert_field(desk_problem(invoice->response, STATUS_SHUTTING_DOWN)->request_id, "r1");
    desk_problem(call(desk, CALL(FINALIZE_INVOICE), finalize_input(customer, 2000, "r1")),
                 STATUS_SHUTTING_DOWN);
    assert_u64(memory_store_counts(desk->memory).records, 1);

    desk_close(desk);
}

/* The workers are gone when its turn comes. */
static void desk_close__prepared_or_outdated__touches_no_worker(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    for (int i = 0; i < 5; i++) {
        submit_invoice(desk, customer, 2000 + i, NULL);
    }
    bell_wait(&desk->bell);
    desk_close(desk);

    desk = desk_open(NULL);
    customer = desk_add_customer(desk, NULL);
    submit_invoice(desk, customer, 2000, NULL);
    bell_wait(&desk->bell);
    submit_usage(desk, customer, 1000);
    desk_drain(desk);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(prepared_write__records_in_between__are_carried_out_first),
    cmocka_unit_test(prepared_write__refused_when_prepared__never_sees_the_committer),
    cmocka_unit_test(prepared_write__two_at_once__are_one_invoice),
    cmocka_unit_test(prepared_write__a_group_that_failed__is_prepared_again_and_right),
    cmocka_unit_test(prepared_write__outdated_again_and_again__is_busy),
    cmocka_unit_test(prepared_write__no_room_for_the_second_step__is_busy),
    cmocka_unit_test(prepared_write__no_room_for_the_first_step__is_busy),
    cmocka_unit_test(prepared_write__its_time_is_over_between_the_steps__is_not_carried_out),
    cmocka_unit_test(dispatch__what_may_take_seconds__goes_as_heavy),
    cmocka_unit_test(prepared_write__draining__is_still_carried_out),
    cmocka_unit_test(dispatch_close__prepared__is_refused_and_records_nothing),
    cmocka_unit_test(desk_close__prepared_or_outdated__touches_no_worker),
};

TESTKIT_MAIN(tests)
