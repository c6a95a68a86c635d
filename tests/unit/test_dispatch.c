/* What the desk itself refuses, whatever the call; and errors of ours. */
#include <fcntl.h>
#include <unistd.h>

#include "billingd/base/clock.h"
#include "billingd/rpc/dispatch.h"
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

/* --- what the desk refuses -------------------------------------------------------------------- */

static void dispatch_submit__no_call__is_an_unknown_method(void **state)
{
    struct desk *desk = desk_open(NULL);
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    (void)state;
    request.has_call_id = true;
    request.call_id = 9;
    Billing__V1__Response *response = desk_call(desk, &request);
    desk_problem(response, STATUS_UNKNOWN_METHOD);
    assert_u64(response->call_id, 9);
    desk_close(desk);
}

/* A message with a field 199 that the .proto does not have. */
static void add_unknown_field(ProtobufCMessage *message)
{
    static uint8_t value[] = {1};
    ProtobufCMessageUnknownField *field = testkit_alloc(sizeof *field);
    *field = (ProtobufCMessageUnknownField){
        .tag = 199,
        .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT,
        .len = sizeof value,
        .data = value,
    };
    message->n_unknown_fields = 1;
    message->unknown_fields = field;
}

static void dispatch_submit__unknown_field_in_any_message__is_refused_by_its_number(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    const char *usage = desk_add_usage(desk, customer, NULL);
    struct {
        Billing__V1__Request__CallCase which;
        void *message;
        int status;
    } table[] = {
        {CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL), STATUS_UNKNOWN_FIELD},
        {CALL(GET_CUSTOMER), get_customer_input(customer), STATUS_INVALID_QUERY},
        {CALL(LIST_CUSTOMERS), list_customers_input(NULL), STATUS_INVALID_QUERY},
        {CALL(UPDATE_CUSTOMER), update_input(customer, "B"), STATUS_UNKNOWN_FIELD},
        {CALL(CREATE_USAGE), usage_input(customer, NULL), STATUS_UNKNOWN_FIELD},
        {CALL(GET_USAGE), get_usage_input(customer, usage), STATUS_INVALID_QUERY},
        {CALL(LIST_USAGE), list_usage_input(customer), STATUS_INVALID_QUERY},
        {CALL(GET_BILL), bill_input(customer), STATUS_INVALID_QUERY},
        {CALL(GET_REQUEST), get_request_input(NULL, "r"), STATUS_INVALID_QUERY},
        {CALL(GET_SERVER_INFO), info_input(), STATUS_INVALID_QUERY},
        {CALL(CHECK_HEALTH), health_input(), STATUS_INVALID_QUERY},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        add_unknown_field(table[i].message);
        const Billing__V1__Problem *problem =
            desk_problem(call(desk, table[i].which, table[i].message), table[i].status);
        assert_u64(problem->n_errors, 1);
        assert_contains(desk_field(problem, "", STATUS_UNKNOWN_FIELD), "199");
    }
    assert_u64(memory_store_counts(desk->memory).records, 2);
    desk_close(desk);
}

/* The envelope is a message too: what a newer client put there may change what it asks for. */
static void dispatch_submit__unknown_field_of_the_request_itself__is_refused(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    Billing__V1__Request *request =
        desk_request(CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL));
    add_unknown_field(&request->base);
    const Billing__V1__Problem *problem =
        desk_problem(desk_call(desk, request), STATUS_UNKNOWN_FIELD);
    assert_contains(desk_field(problem, "", STATUS_UNKNOWN_FIELD), "199");
    assert_u64(memory_store_counts(desk->memory).records, 0);
    desk_close(desk);
}

static void dispatch_submit__role_too_low__is_refused_and_not_even_looked_at(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    Billing__V1__UsageInput *item = usage_input(customer, "r");
    struct {
        enum role least;
        Billing__V1__Request__CallCase which;
        void *message;
    } table[] = {
        {ROLE_WRITER, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL)},
        {ROLE_WRITER, CALL(UPDATE_CUSTOMER), update_input(customer, "B")},
        {ROLE_WRITER, CALL(CREATE_USAGE), usage_input(customer, NULL)},
        {ROLE_WRITER, CALL(CREATE_USAGE_BATCH), desk_batch_input(&item, 1, NULL)},
        {ROLE_READER, CALL(GET_CUSTOMER), get_customer_input(customer)},
        {ROLE_READER, CALL(LIST_CUSTOMERS), list_customers_input(NULL)},
        {ROLE_READER, CALL(GET_USAGE), get_usage_input(customer, customer)},
        {ROLE_READER, CALL(LIST_USAGE), list_usage_input(customer)},
        {ROLE_READER, CALL(GET_BILL), bill_input(customer)},
        {ROLE_READER, CALL(GET_REQUEST), get_request_input(NULL, "r")},
        {ROLE_READER, CALL(GET_SERVER_INFO), info_input()},
        {ROLE_NONE, CALL(CHECK_HEALTH), health_input()},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (enum role role = ROLE_NONE; role <= ROLE_ADMIN; role++) {
            desk->who.role = role;
            Billing__V1__Response *response = call(desk, table[i].which, table[i].message);
            if (role < table[i].least) {
                desk_problem(response,
                             role == ROLE_NONE ? STATUS_UNAUTHENTICATED : STATUS_FORBIDDEN);
            } else if (response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
                assert_true(response->problem->status == 404 || response->problem->status == 409);
            }
        }
    }
    desk_close(desk);
}

static void dispatch_submit__draining__refuses_and_answers_what_is_in_flight(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *before =
        desk_submit(desk, desk_request(CALL(CREATE_USAGE), usage_input(customer, NULL)));
    assert_u64(desk->dispatch.stats.in_flight, 1);
    dispatch_drain(&desk->dispatch);
    desk_problem(call(desk, CALL(CREATE_USAGE), usage_input(customer, NULL)), STATUS_SHUTTING_DOWN);
    desk_problem(call(desk, CALL(GET_CUSTOMER), get_customer_input(customer)),
                 STATUS_SHUTTING_DOWN);
    memory_store_open_gate(desk->memory);
    assert_int_equal(desk_wait(desk, before)->result_case, CALL(CREATE_USAGE));
    assert_u64(desk->dispatch.stats.in_flight, 0);
    desk_close(desk);
}

static bool is_pressed(struct desk *desk)
{
    return dispatch_is_pressed(&desk->dispatch,
                               askers_find(&desk->dispatch.askers, desk->who.name, 0));
}

static void dispatch_submit__queue_full__is_busy_and_records_nothing(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.queue_ops_max = 2});
    struct desk_answer *answers[3];
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    for (int i = 0; i < 3; i++) {
        answers[i] =
            desk_submit(desk, desk_request(CALL(CREATE_USAGE), usage_input(customer, NULL)));
        if (i == 0) {
            memory_store_wait_held(desk->memory);
        }
    }
    assert_true(is_pressed(desk));
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_USAGE), usage_input(customer, "r1")), STATUS_BUSY);
    assert_u64(problem->retry_after_ms, 1000);
    assert_field(problem->request_id, "r1");
    memory_store_open_gate(desk->memory);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(desk_wait(desk, answers[i])->result_case, CALL(CREATE_USAGE));
    }
    assert_false(is_pressed(desk));
    assert_u64(memory_store_counts(desk->memory).records, 4);
    desk_close(desk);
}

/* Readers are faster than the loop: what they have made waits for it, and is memory. */
static void dispatch_submit__answers_that_wait_for_the_loop__are_counted(void **state)
{
    enum { CUSTOMERS = 100 };
    struct desk *desk = desk_open(NULL);
    char name[1025];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < CUSTOMERS; i++) {
        Billing__V1__Request *create =
            desk_request(CALL(CREATE_CUSTOMER), desk_customer_input(name, NULL, NULL));
        assert_non_null(desk_call(desk, create)->create_customer);
    }
    struct memory_use *memory = &desk->dispatch.memory;
    Billing__V1__Request *list = desk_request(CALL(LIST_CUSTOMERS), list_customers_input(NULL));
    struct desk_answer *first = desk_submit(desk, list);
    bell_wait(&desk->bell);
    assert_false(first->done);
    assert_true(memory->bytes > CUSTOMERS * 1024);
    memory->bytes_max = CUSTOMERS * 1024;
    desk_problem(desk_wait(desk, desk_submit(desk, list)), STATUS_BUSY);
    memory->bytes_max = 0;
    desk_drain(desk);
    assert_true(first->done);
    assert_int_equal(first->response->list_customers->n_customers, CUSTOMERS);
    assert_u64(memory->bytes, 0);
    desk_close(desk);
}

static void dispatch_submit__timeout_passed_in_the_queue__is_not_begun(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *customer = desk_add_customer(desk, NULL);
    memory_store_hold_commits(desk->memory);
    struct desk_answer *first =
        desk_submit(desk, desk_request(CALL(CREATE_USAGE), usage_input(customer, NULL)));
    memory_store_wait_held(desk->memory);
    Billing__V1__Request *hasty = desk_request(CALL(CREATE_USAGE), usage_input(customer, "r1"));
    hasty->has_timeout_ms = true;
    hasty->timeout_ms = 1;
    struct desk_answer *second = desk_submit(desk, hasty);
    Billing__V1__Request *patient = desk_request(CALL(CREATE_USAGE), usage_input(customer, "r2"));
    patient->has_timeout_ms = true;
    patient->timeout_ms = UINT32_MAX;
    struct desk_answer *third = desk_submit(desk, patient);
    int64_t late_us = clock_monotonic_us() + 2000;
    while (clock_monotonic_us() < late_us) { /* until its time is over, however fast we are */
    }
    memory_store_open_gate(desk->memory);
    desk_wait(desk, first);
    const Billing__V1__Problem *problem =
        desk_problem(desk_wait(desk, second), STATUS_DEADLINE_EXCEEDED);
    assert_field(problem->request_id, "r1");
    assert_int_equal(desk_wait(desk, third)->result_case, CALL(CREATE_USAGE));
    assert_u64(memory_store_counts(desk->memory).records, 3);
    desk_close(desk);
}

static void dispatch_submit__require_request_id__refuses_writes_without(void **state)
{
    struct desk *desk = desk_open(&(struct desk_options){.require_request_id = true});
    (void)state;
    const Billing__V1__Problem *problem =
        desk_problem(call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, NULL)),
                     STATUS_MISSING_FIELD);
    desk_field(problem, "request_id", STATUS_MISSING_FIELD);
    Billing__V1__Response *made =
        call(desk, CALL(CREATE_CUSTOMER), desk_customer_input("A", NULL, "r1"));
    const char *customer = desk_text(made->create_customer->customer->id);
    desk_problem(call(desk, CALL(CREATE_USAGE), usage_input(customer, NULL)), STATUS_MISSING_FIELD);
    desk_add_usage(desk, customer, "r1");
    call(desk, CALL(UPDATE_CUSTOMER), update_input(customer, "B")); /* takes none */
    assert_u64(memory_store_counts(desk->memory).records, 3);
    desk_close(desk);
}

/* --- errors of ours --------------------------------------------------------------------------- */

/* What is written to stderr until end_catch(). */
static int catch_pipe[2];
static int caught_fd;

static void begin_catch(void)
{
    assert_int_equal(pipe2(catch_pipe, O_CLOEXEC), 0);
    caught_fd = dup(STDERR_FILENO);
    assert_true(caught_fd >= 0 && dup2(catch_pipe[1], STDERR_FILENO) >= 0);
}

static const char *end_catch(void)
{
    char *text = testkit_alloc(4096);
    assert_true(dup2(caught_fd, STDERR_FILENO) >= 0);
    close(caught_fd);
    close(catch_pipe[1]);
    assert_true(read(catch_pipe[0], text, 4095) >= 0);
    close(catch_pipe[0]);
    return text;
}

static void dispatch_submit__damaged_data__is_500_logged_with_the_request_id(void **state)
{
    struct desk *desk = desk_open(NULL);
    (void)state;
    const char *damaged = desk_add_customer(desk, NULL);
    const char *sound = desk_add_customer(desk, NULL);
    memory_store_damage(desk->memory, 1);
    begin_catch();
    Billing__V1__Response *response = call(desk, CALL(CREATE_USAGE), usage_input(damaged, "r-77"));
    const char *log = end_catch();
    const Billing__V1__Problem *problem = desk_problem(response, STATUS_CORRUPT);
    assert_field(problem->request_id, "r-77");
    assert_contains(log, "level=error");
    assert_contains(log, "method=CreateUsage");
    assert_contains(log, "outcome=storage_damaged status=500");
    assert_contains(log, "request_id=r-77");
    begin_catch();
    desk_problem(call(desk, CALL(GET_BILL), bill_input(damaged)), STATUS_CORRUPT);
    assert_contains(end_catch(), "method=GetBill");
    desk_add_usage(desk, sound, NULL);
    desk_close(desk);
}

static void dispatch_submit__a_customer_id_of_megabytes__names_nobody(void **state)
{
    struct desk *desk = desk_open(NULL);
    char *text = testkit_alloc(8 * 1024 * 1024);
    (void)state;
    memset(text, 'x', 8 * 1024 * 1024 - 1);
    desk_problem(call(desk, CALL(GET_CUSTOMER), get_customer_input(text)),
                 STATUS_CUSTOMER_NOT_FOUND);
    desk_close(desk);
}

static void request_unpack__what_takes_too_much_memory__is_too_large(void **state)
{
    enum {
        LABELS = 2000000 /* of 2 bytes on the wire, and dozens in memory */
    };
    struct desk *desk = desk_open(NULL);
    Billing__V1__UsageInput *input = usage_input("x", NULL);
    Billing__V1__Label empty = BILLING__V1__LABEL__INIT;
    (void)state;
    input->labels = testkit_alloc(LABELS * sizeof(void *));
    for (input->n_labels = 0; input->n_labels < LABELS; input->n_labels++) {
        input->labels[input->n_labels] = &empty;
    }
    struct desk_answer *answer = desk_submit(desk, desk_request(CALL(CREATE_USAGE), input));
    desk_problem(desk_wait(desk, answer), STATUS_TOO_LARGE);
    assert_true(answer->arena_bytes <= REQUEST_ARENA_BYTES_MAX + 65536);
    desk_close(desk);
}

static void request_unpack__garbage__is_a_malformed_frame(void **state)
{
    struct desk *desk = desk_open(NULL);
    struct rng rng = rng_make("garbage");
    struct identity who = {.name = SLICE("x")};
    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[64];
        size_t length = rng_below(&rng, sizeof bytes + 1);
        struct request *request = request_create(&desk->dispatch, &who, 65536, NULL, NULL);
        assert_non_null(request);
        rng_fill(&rng, bytes, length);
        int rc = request_unpack(request, bytes, length);
        assert_true(rc == 0 || rc == STATUS_MALFORMED_FRAME || rc == STATUS_TOO_LARGE);
        request_free(request);
    }
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(dispatch_submit__no_call__is_an_unknown_method),
    cmocka_unit_test(dispatch_submit__unknown_field_in_any_message__is_refused_by_its_number),
    cmocka_unit_test(dispatch_submit__unknown_field_of_the_request_itself__is_refused),
    cmocka_unit_test(dispatch_submit__role_too_low__is_refused_and_not_even_looked_at),
    cmocka_unit_test(dispatch_submit__draining__refuses_and_answers_what_is_in_flight),
    cmocka_unit_test(dispatch_submit__queue_full__is_busy_and_records_nothing),
    cmocka_unit_test(dispatch_submit__answers_that_wait_for_the_loop__are_counted),
    cmocka_unit_test(dispatch_submit__timeout_passed_in_the_queue__is_not_begun),
    cmocka_unit_test(dispatch_submit__require_request_id__refuses_writes_without),
    cmocka_unit_test(dispatch_submit__damaged_data__is_500_logged_with_the_request_id),
    cmocka_unit_test(dispatch_submit__a_customer_id_of_megabytes__names_nobody),
    cmocka_unit_test(request_unpack__what_takes_too_much_memory__is_too_large),
    cmocka_unit_test(request_unpack__garbage__is_a_malformed_frame),
};

TESTKIT_MAIN(tests)
