/* The lines about requests: what they say, and how many there are. */
#include <fcntl.h>
#include <unistd.h>

#include "billingd/base/log.h"
#include "billingd/rpc/dispatch.h"
#include "tests/lib/testkit.h"

/* --- stderr, caught --------------------------------------------------------------------------- */

static int catch_pipe[2];
static int stderr_fd;

static void begin_catch(void)
{
    assert_i64(pipe2(catch_pipe, O_CLOEXEC | O_NONBLOCK), 0);
    stderr_fd = dup(STDERR_FILENO);
    assert_true(stderr_fd >= 0 && dup2(catch_pipe[1], STDERR_FILENO) >= 0);
}

static const char *end_catch(void)
{
    char *text = testkit_alloc(65536);
    assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
    close(stderr_fd);
    close(catch_pipe[1]);
    IGNORE(read(catch_pipe[0], text, 65535) < 0); /* none: "" */
    close(catch_pipe[0]);
    return text;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

/* --- requests --------------------------------------------------------------------------------- */

#define SECOND_US INT64_C(1000000)

static const struct method create_usage = {
    .name = "CreateUsage",
    .call = BILLING__V1__REQUEST__CALL_CREATE_USAGE,
    .lane = LANE_WRITE,
};

static struct request make_request(unsigned status)
{
    return (struct request){
        .method = &create_usage,
        .who = {.name = SLICE("uid:7")},
        .request_id = SLICE("job-17"),
        .came_by = REQUEST_TCP,
        .told_status = status,
    };
}

static void answer_at(struct request_log *log, unsigned status, int64_t now_us)
{
    struct request request = make_request(status);
    IGNORE(request_log_answer(log, &request, 0, 42, now_us));
}

static const char *line_of(const struct request *request, int outcome, bool payloads)
{
    struct request_log log = {.options = {.per_second_max = 10, .payloads = payloads}};
    begin_catch();
    assert_true(request_log_answer(&log, request, outcome, 1834, SECOND_US));
    return end_catch();
}

/* --- tests ------------------------------------------------------------------------------------ */

static void request_log__a_request__is_a_line_with_all_about_it(void **state)
{
    struct request request = make_request(201);
    (void)state;
    request.traceparent = SLICE("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    request.told_id = SLICE("told");
    assert_contains(
        line_of(&request, OUTCOME_RECORDED, false),
        " level=info area=rpc msg=request door=tcp method=CreateUsage identity=uid:7 "
        "request_id=told traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "
        "outcome=recorded status=201 us=1834\n");
}

static void request_log__a_traceparent_that_is_not_valid__is_left_out(void **state)
{
    struct request request = make_request(200);
    (void)state;
    request.traceparent = SLICE("00-secret");
    assert_null(strstr(line_of(&request, 0, true), "secret"));
}

static void request_log__levels__go_by_status(void **state)
{
    static const struct {
        unsigned status;
        int outcome;
        const char *line;
    } cases[] = {
        {404, STATUS_CUSTOMER_NOT_FOUND, "level=info area=rpc msg=request "},
        {429, STATUS_RATE_LIMITED, "level=info area=rpc msg=request "},
        {503, STATUS_BUSY, "level=warning area=rpc msg=request "},
        {500, STATUS_CORRUPT, "level=error area=rpc msg=\"request failed\" "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct request request = make_request(cases[i].status);
        const char *line = line_of(&request, cases[i].outcome, false);
        assert_contains(line, cases[i].line);
        assert_contains(line, testkit_format(" outcome=%s status=%u ",
                                             status_info(cases[i].outcome)->name, cases[i].status));
    }
}

static void request_log__more_than_a_second_may_have__are_counted_in_one_line(void **state)
{
    struct request_log log = {.options = {.per_second_max = 3}};
    (void)state;
    begin_catch();
    for (unsigned i = 0; i < 10; i++) {
        answer_at(&log, 200, 5 * SECOND_US + i);
    }
    request_log_tick(&log, 5 * SECOND_US + 999999);
    const char *first = end_catch();
    assert_u64(count(first, "msg=request "), 3);
    assert_null(strstr(first, "left out"));
    begin_catch();
    answer_at(&log, 200, 6 * SECOND_US); /* by itself, without a tick */
    const char *next = end_catch();
    assert_contains(next, "msg=\"requests were left out of the log\" count=7\n");
    assert_u64(count(next, "msg=request "), 1);
    begin_catch();
    request_log_tick(&log, 9 * SECOND_US);
    assert_string_equal(end_catch(), "");
}

static void request_log_tick__after_a_second__says_it_when_nothing_comes(void **state)
{
    struct request_log log = {.options = {.per_second_max = 1}};
    (void)state;
    begin_catch();
    answer_at(&log, 200, SECOND_US);
    answer_at(&log, 200, SECOND_US);
    request_log_tick(&log, 2 * SECOND_US);
    assert_contains(end_catch(), "count=1\n");
}

static void request_log__500__is_always_there(void **state)
{
    struct request_log none = {.options = {.per_second_max = 0}};
    struct request_log one = {.options = {.per_second_max = 1}};
    (void)state;
    begin_catch();
    for (unsigned i = 0; i < 5; i++) {
        answer_at(&none, 500, SECOND_US);
        answer_at(&none, 200, SECOND_US);
        answer_at(&one, 500, SECOND_US);
        answer_at(&one, 503, SECOND_US);
    }
    request_log_tick(&none, 9 * SECOND_US);
    const char *text = end_catch();
    assert_u64(count(text, "msg=\"request failed\""), 10);
    assert_u64(count(text, "msg=request "), 1);
    assert_null(strstr(text, "left out"));
}

static void request_log__below_the_level__are_neither_written_nor_counted(void **state)
{
    struct request_log log = {.options = {.per_second_max = 1}};
    (void)state;
    begin_catch();
    log_set_level(LOG_LEVEL_WARNING);
    answer_at(&log, 200, SECOND_US);
    answer_at(&log, 200, SECOND_US);
    answer_at(&log, 503, SECOND_US);
    request_log_tick(&log, 9 * SECOND_US);
    log_set_level(LOG_LEVEL_INFO);
    const char *text = end_catch();
    assert_u64(count(text, "\n"), 1);
    assert_contains(text, "status=503");
}

/* --- payloads --------------------------------------------------------------------------------- */

static ProtobufCBinaryData bytes(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

static void request_log__payloads__are_there_only_where_they_are_wanted(void **state)
{
    struct request request = make_request(201);
    Billing__V1__Request message = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    (void)state;
    message.has_token = true;
    message.token = bytes("a-secret-token");
    message.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    message.create_customer = &create;
    create.has_customer_name = true;
    create.customer_name = bytes("Acme \"West\"");
    request.message = &message;
    assert_null(strstr(line_of(&request, 0, false), "Acme"));
    const char *line = line_of(&request, 0, true);
    assert_contains(line,
                    " payload=\"{\\\"customer_name\\\": \\\"Acme \\\\\\\"West\\\\\\\"\\\"}\"\n");
    assert_null(strstr(line, "secret"));
}

static void request_log__a_payload_too_long__is_cut_and_says_so(void **state)
{
    struct request request = make_request(201);
    Billing__V1__Request message = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    char *name = testkit_alloc(6001);
    (void)state;
    memset(name, 'n', 6000);
    message.call_case = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER;
    message.create_customer = &create;
    create.has_customer_name = true;
    create.customer_name = bytes(name);
    request.message = &message;
    const char *line = line_of(&request, 0, true);
    assert_contains(line, "nnn\" payload_bytes=6021\n");
    assert_true(strlen(line) < 2600);
}

static void request_log__a_batch__has_counts_and_its_first_items(void **state)
{
    enum {
        ITEMS = 9,
    };
    struct request request = make_request(200);
    Billing__V1__Request message = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateUsageBatch batch = BILLING__V1__CREATE_USAGE_BATCH__INIT;
    Billing__V1__UsageInput items[ITEMS];
    Billing__V1__UsageInput *inputs[ITEMS];
    Billing__V1__UsageBatchReply reply = BILLING__V1__USAGE_BATCH_REPLY__INIT;
    Billing__V1__UsageBatchResult results[ITEMS];
    Billing__V1__UsageBatchResult *outputs[ITEMS];
    (void)state;
    for (unsigned i = 0; i < ITEMS; i++) {
        billing__v1__usage_input__init(&items[i]);
        billing__v1__usage_batch_result__init(&results[i]);
        items[i].has_service = true;
        items[i].service = bytes(testkit_format("service-%u", i));
        results[i].status = i < 5   ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED
                            : i < 8 ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED
                                    : BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED;
        inputs[i] = &items[i];
        outputs[i] = &results[i];
    }
    batch.n_usage = ITEMS;
    batch.usage = inputs;
    reply.n_results = ITEMS;
    reply.results = outputs;
    message.call_case = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH;
    message.create_usage_batch = &batch;
    request.message = &message;
    request.response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH;
    request.response.create_usage_batch = &reply;
    const char *line = line_of(&request, 0, true);
    assert_contains(line, " items=9 recorded=5 replayed=3 refused=1 ");
    assert_contains(line, "service-3");
    assert_null(strstr(line, "service-4"));
}

static void request_log__calls_about_keys__show_no_payload(void **state)
{
    struct request request = make_request(200);
    Billing__V1__Request message = BILLING__V1__REQUEST__INIT;
    Billing__V1__RevokeKey revoke = BILLING__V1__REVOKE_KEY__INIT;
    (void)state;
    message.call_case = BILLING__V1__REQUEST__CALL_REVOKE_KEY;
    message.revoke_key = &revoke;
    revoke.has_key_id = true;
    revoke.key_id = bytes("the-secret-itself");
    request.message = &message;
    assert_null(strstr(line_of(&request, 0, true), "payload"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(request_log__a_request__is_a_line_with_all_about_it),
    cmocka_unit_test(request_log__a_traceparent_that_is_not_valid__is_left_out),
    cmocka_unit_test(request_log__levels__go_by_status),
    cmocka_unit_test(request_log__more_than_a_second_may_have__are_counted_in_one_line),
    cmocka_unit_test(request_log_tick__after_a_second__says_it_when_nothing_comes),
    cmocka_unit_test(request_log__500__is_always_there),
    cmocka_unit_test(request_log__below_the_level__are_neither_written_nor_counted),
    cmocka_unit_test(request_log__payloads__are_there_only_where_they_are_wanted),
    cmocka_unit_test(request_log__a_payload_too_long__is_cut_and_says_so),
    cmocka_unit_test(request_log__a_batch__has_counts_and_its_first_items),
    cmocka_unit_test(request_log__calls_about_keys__show_no_payload),
};

TESTKIT_MAIN(tests)
