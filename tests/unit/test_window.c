/* Windows of the calendar. */
#include "billingd/ledger/window.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static void window_of__any_time__is_its_hour_day_or_month(void **state)
{
    static const struct {
        enum window window;
        const char *time;
        const char *start;
        const char *end;
    } table[] = {
        {WINDOW_HOUR, "2026-11-22T11:01:38Z", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"},
        {WINDOW_HOUR, "2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"},
        {WINDOW_HOUR, "2026-11-22T10:59:59.999999Z", "2026-11-22T10:00:00Z",
         "2026-11-22T11:00:00Z"},
        {WINDOW_HOUR, "2026-12-31T23:30:00Z", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"},
        {WINDOW_HOUR, "2028-02-29T23:59:59Z", "2028-02-29T23:00:00Z", "2028-03-01T00:00:00Z"},
        {WINDOW_HOUR, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z"},
        {WINDOW_DAY, "2026-11-22T11:01:38Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
        {WINDOW_DAY, "2026-11-22T23:59:59.999999Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"},
        {WINDOW_DAY, "2026-12-31T12:00:00Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
        {WINDOW_DAY, "2028-02-28T12:00:00Z", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z"},
        {WINDOW_DAY, "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
        {WINDOW_DAY, "2100-02-28T12:00:00Z", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z"},
        {WINDOW_MONTH, "2026-11-22T11:01:38Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
        {WINDOW_MONTH, "2026-12-31T23:59:59.999999Z", "2026-12-01T00:00:00Z",
         "2027-01-01T00:00:00Z"},
        {WINDOW_MONTH, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"},
        {WINDOW_MONTH, "2028-02-29T00:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
        {WINDOW_MONTH, "2027-02-28T23:59:59Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"},
        {WINDOW_MONTH, "2027-04-30T00:00:00Z", "2027-04-01T00:00:00Z", "2027-05-01T00:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct period period = window_of(table[i].window, book_time(table[i].time));
        assert_i64(period.start_us, book_time(table[i].start));
        assert_i64(period.end_us, book_time(table[i].end));
    }
}

static void window_of__the_last_microsecond__ends_with_all_times(void **state)
{
    (void)state;
    for (int window = WINDOW_HOUR; window <= WINDOW_MONTH; window++) {
        struct period period = window_of((enum window)window, TIMESTAMP_MAX);
        assert_i64(period.end_us, TIMESTAMP_MAX + 1);
    }
}

/* Windows follow on each other without a gap, and each is told by its text: the first 13, 10 or 7
 * bytes of a time. */
static void window_of__random_times__are_the_times_that_begin_alike(void **state)
{
    static const size_t lengths[] = {13, 10, 7};
    struct rng rng = rng_make("windows");
    (void)state;
    for (int i = 0; i < 20000; i++) {
        enum window window = (enum window)(i % 3);
        int64_t time_us = rng_between(&rng, 0, TIMESTAMP_MAX - INT64_C(32) * 86400 * 1000000);
        struct period period = window_of(window, time_us);
        char text[4][TIMESTAMP_TEXT_MAX];
        timestamp_print(time_us, text[0]);
        timestamp_print(period.start_us, text[1]);
        timestamp_print(period.end_us - 1, text[2]);
        timestamp_print(period.end_us, text[3]);
        assert_true(period.start_us <= time_us && time_us < period.end_us);
        assert_memory_equal(text[0], text[1], lengths[window]);
        assert_memory_equal(text[0], text[2], lengths[window]);
        assert_memory_not_equal(text[0], text[3], lengths[window]);
        assert_i64(window_of(window, period.end_us).start_us, period.end_us);
        assert_true(period.start_us == 0 ||
                    window_of(window, period.start_us - 1).end_us == period.start_us);
    }
}

static void window_count__any_period__is_how_many_windows_it_touches(void **state)
{
    static const struct {
        const char *start;
        const char *end;
        uint64_t counts[3];
    } table[] = {
        {"2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z", {1, 1, 1}},
        {"2026-11-22T11:00:00Z", "2026-11-22T12:00:00.000001Z", {2, 1, 1}},
        {"2026-11-22T10:59:59.999999Z", "2026-11-22T12:00:00Z", {2, 1, 1}},
        {"2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00.000001Z", {2, 2, 2}},
        {"2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z", {1, 1, 1}},
        {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", {8760, 365, 12}},
        {"2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z", {8784, 366, 12}},
        {"2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", {696, 29, 1}},
        {"2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z", {672, 28, 1}},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z", {1, 1, 1}},
        {"1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", {70389528, 2932897, 96360}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct period period = {book_time(table[i].start), book_time(table[i].end)};
        for (int window = WINDOW_HOUR; window <= WINDOW_MONTH; window++) {
            assert_u64(window_count((enum window)window, period), table[i].counts[window]);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(window_of__any_time__is_its_hour_day_or_month),
    cmocka_unit_test(window_of__the_last_microsecond__ends_with_all_times),
    cmocka_unit_test(window_of__random_times__are_the_times_that_begin_alike),
    cmocka_unit_test(window_count__any_period__is_how_many_windows_it_touches),
};

TESTKIT_MAIN(tests)
