/* Windows at the ends of years and of leap days, and times that there are not, as text over
 * HTTP. */
#include <string.h>

#include "tests/lib/http_client.h"
#include "tests/model/office.h"

struct desk_of_text {
    struct office *office;
    const char *http;
    const char *customer;
};

static struct desk_of_text open_desk(struct office *office)
{
    return (struct desk_of_text){
        .office = office,
        .http = daemon_process_http(office->daemon),
        .customer = office_customer(office),
    };
}

/* Record one unit at 1 as of TIME, under a request id of that text; the answer's status. */
static int record_at(const struct desk_of_text *desk, const char *time)
{
    struct http_reply reply;
    http_once(desk->http, "POST", testkit_format("/api/v1/customers/%s/usage", desk->customer),
              NULL,
              testkit_format("{\"service\": \"Egress\", \"units_consumed\": 1, "
                             "\"price_per_unit\": 1, \"occurred_at\": \"%s\", "
                             "\"request_id\": \"%s\"}",
                             time, time),
              &reply);
    int status = reply.status;
    if (status != 201) {
        assert_contains(reply.body, "occurred_at");
    }
    http_reply_done(&reply);
    return status;
}

static void expect_text(const struct desk_of_text *desk, const char *target, int status,
                        const char *part)
{
    struct http_reply reply;
    http_once(desk->http, "GET", testkit_format("/api/v1/customers/%s/%s", desk->customer, target),
              NULL, NULL, &reply);
    if (reply.status != status) {
        testkit_fail("%s: expected %d, got %d %s", target, status, reply.status, reply.body);
    }
    assert_contains(reply.body, part);
    http_reply_done(&reply);
}

/* The bill from START to before END has N units of 1. */
static void expect_bill(const struct desk_of_text *desk, const char *start, const char *end,
                        unsigned n)
{
    expect_text(desk, testkit_format("bill?start=%s&end=%s", start, end), 200,
                testkit_format("\"exact_total\": %u,", n));
}

static void a_year_ends_at_midnight(void **state)
{
    struct desk_of_text desk = open_desk(*state);
    assert_int_equal(record_at(&desk, "2023-12-31T23:59:59.999999Z"), 201);
    assert_int_equal(record_at(&desk, "2024-01-01T00:00:00Z"), 201);
    assert_int_equal(record_at(&desk, "2024-12-31T23:59:59.9999999Z"), 201); /* cut, not rounded */
    assert_int_equal(record_at(&desk, "2025-01-01T00:59:59+01:00"), 201);    /* still 2024 */
    assert_int_equal(record_at(&desk, "2024-12-31T23:00:00-01:00"), 201);    /* 2025 already */
    expect_bill(&desk, "2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z", 1);
    expect_bill(&desk, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", 3);
    expect_bill(&desk, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1);
    expect_bill(&desk, "2023-12-31T23:59:59.999999Z", "2024-01-01T00:00:00.000001Z", 2);
    expect_bill(&desk, "2024-01-01T00:00:00.000001Z", "2024-12-31T23:59:59Z", 0);
}

static void a_leap_day_is_a_day(void **state)
{
    struct desk_of_text desk = open_desk(*state);
    assert_int_equal(record_at(&desk, "2000-02-29T00:00:00Z"), 201);
    assert_int_equal(record_at(&desk, "2024-02-28T23:59:59.999999Z"), 201);
    assert_int_equal(record_at(&desk, "2024-02-29T00:00:00Z"), 201);
    assert_int_equal(record_at(&desk, "2024-02-29T23:59:59.999999Z"), 201);
    assert_int_equal(record_at(&desk, "2024-03-01T00:00:00Z"), 201);
    assert_int_equal(record_at(&desk, "2023-02-28T23:59:59.999999Z"), 201);
    assert_int_equal(record_at(&desk, "2023-03-01T00:00:00Z"), 201);
    expect_bill(&desk, "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z", 2);
    expect_bill(&desk, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", 3);
    expect_bill(&desk, "2023-02-01T00:00:00Z", "2023-03-01T00:00:00Z", 1);
    expect_bill(&desk, "2000-02-29T00:00:00Z", "2000-03-01T00:00:00Z", 1);
}

static void a_time_that_there_is_not_is_refused(void **state)
{
    static const char *const none[] = {
        "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T00:59:60+01:00",
        "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",   "2024-02-30T00:00:00Z",
        "2024-04-31T00:00:00Z", "2024-13-01T00:00:00Z",   "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "1969-12-31T23:59:59Z",
    };
    struct desk_of_text desk = open_desk(*state);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (record_at(&desk, none[i]) != 422) {
            testkit_fail("%s is taken", none[i]);
        }
    }
    expect_text(&desk, "bill?start=2016-12-31T23:59:60Z&end=2017-02-01T00:00:00Z", 400, "start");
    expect_text(&desk, "usage?end=2016-12-31T23:59:60Z", 400, "end");
    expect_bill(&desk, "1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 0);
}

static void the_first_and_the_last_moment_are_in(void **state)
{
    struct desk_of_text desk = open_desk(*state);
    assert_int_equal(record_at(&desk, "1970-01-01T00:00:00Z"), 201);
    expect_bill(&desk, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z", 1);
    expect_bill(&desk, "1970-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z", 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_year_ends_at_midnight, office_open, office_close),
    cmocka_unit_test_setup_teardown(a_leap_day_is_a_day, office_open, office_close),
    cmocka_unit_test_setup_teardown(a_time_that_there_is_not_is_refused, office_open, office_close),
    cmocka_unit_test_setup_teardown(the_first_and_the_last_moment_are_in, office_open,
                                    office_close),
};

OFFICE_MAIN(tests)
