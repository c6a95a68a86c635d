/* What the client library offers beside calls: durations, times, decimals, request ids. */
#include <ctype.h>
#include <string.h>

#include <billing/billing.h>

#include "tests/lib/testkit.h"

static void duration_parse__well_formed__milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } table[] = {
        {"0ms", 0},
        {"1ms", 1},
        {"250ms", 250},
        {"5s", 5000},
        {"2m", 120000},
        {"1h", 3600000},
        {"007s", 7000},
        {"168h", 604800000},
        {"604800s", 604800000},
        {"604800000ms", 604800000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t ms = -1;
        assert_i64(billing_duration_parse(table[i].text, &ms), 0);
        assert_i64(ms, table[i].ms);
    }
}

static void duration_parse__not_one__refused_and_left_alone(void **state)
{
    static const struct {
        const char *text;
        int status;
    } table[] = {
        {"", BILLING_E_ARGUMENT},
        {"5", BILLING_E_ARGUMENT},
        {"s", BILLING_E_ARGUMENT},
        {"-1s", BILLING_E_ARGUMENT},
        {"+1s", BILLING_E_ARGUMENT},
        {" 1s", BILLING_E_ARGUMENT},
        {"1s ", BILLING_E_ARGUMENT},
        {"1 s", BILLING_E_ARGUMENT},
        {"1.5s", BILLING_E_ARGUMENT},
        {"1S", BILLING_E_ARGUMENT},
        {"1us", BILLING_E_ARGUMENT},
        {"1s1s", BILLING_E_ARGUMENT},
        {"1d", BILLING_E_ARGUMENT},
        {"604800001ms", BILLING_E_RANGE},
        {"169h", BILLING_E_RANGE},
        {"99999999999999999999999999h", BILLING_E_RANGE},
        {"18446744073709551616ms", BILLING_E_RANGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t ms = -1;
        assert_i64(billing_duration_parse(table[i].text, &ms), table[i].status);
        assert_i64(ms, -1);
    }
    assert_i64(billing_duration_parse(NULL, NULL), BILLING_E_ARGUMENT);
}

static void time__there_and_back__same(void **state)
{
    char text[BILLING_TIME_TEXT_MAX];
    int64_t time_us = -1;
    (void)state;
    assert_i64(billing_time_parse("2026-11-22T12:01:38.1234567+01:00", &time_us), 0);
    assert_i64(billing_time_format(time_us, text, sizeof text), 0);
    assert_string_equal(text, "2026-11-22T11:01:38.123456Z");
    assert_i64(billing_time_format(time_us, text, sizeof text - 1), BILLING_E_ARGUMENT);
    assert_i64(billing_time_format(-1, text, sizeof text), BILLING_E_RANGE);
    assert_i64(billing_time_format(INT64_MAX, text, sizeof text), BILLING_E_RANGE);
    assert_i64(billing_time_parse("yesterday", &time_us), BILLING_E_ARGUMENT);
    assert_i64(billing_time_parse("1969-12-31T23:59:59Z", &time_us), BILLING_E_RANGE);
    assert_i64(billing_time_parse(NULL, &time_us), BILLING_E_ARGUMENT);
}

static void assert_time(int64_t time_us, const char *expected)
{
    char text[BILLING_TIME_TEXT_MAX];
    assert_i64(billing_time_format(time_us, text, sizeof text), 0);
    assert_string_equal(text, expected);
}

static void month_parse__a_month__its_window(void **state)
{
    static const char *const wrong[] = {"2026-13", "2026-00", "2026-1",  "26-11",  "2026-11-",
                                        "2026/11", "",        "2026-1x", "abcdefg"};
    int64_t start_us;
    int64_t end_us;
    (void)state;
    assert_i64(billing_month_parse("2026-11", &start_us, &end_us), 0);
    assert_time(start_us, "2026-11-01T00:00:00.000000Z");
    assert_time(end_us, "2026-12-01T00:00:00.000000Z");
    assert_i64(billing_month_parse("2024-12", &start_us, &end_us), 0);
    assert_time(end_us, "2025-01-01T00:00:00.000000Z");
    assert_i64(billing_month_parse("1970-01", &start_us, &end_us), 0);
    assert_i64(start_us, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_i64(billing_month_parse(wrong[i], &start_us, &end_us), BILLING_E_ARGUMENT);
    }
    assert_i64(billing_month_parse("1969-12", &start_us, &end_us), BILLING_E_RANGE);
    assert_i64(billing_month_parse("9999-12", &start_us, &end_us), BILLING_E_RANGE);
    assert_i64(billing_month_parse(NULL, &start_us, &end_us), BILLING_E_ARGUMENT);
}

static void decimal_check__a_decimal__its_canonical_form(void **state)
{
    char canonical[BILLING_DECIMAL_TEXT_MAX];
    const char *reason = NULL;
    (void)state;
    assert_i64(billing_decimal_check("0.050", canonical, &reason), 0);
    assert_string_equal(canonical, "0.05");
    assert_i64(billing_decimal_check("-1e-7", canonical, NULL), 0);
    assert_string_equal(canonical, "-0.0000001");
    assert_i64(billing_decimal_check("-0", canonical, NULL), 0);
    assert_string_equal(canonical, "0");
    assert_i64(billing_decimal_check("58", NULL, NULL), 0);
    assert_null(reason);
    assert_i64(billing_decimal_check("NaN", canonical, &reason), BILLING_E_ARGUMENT);
    assert_non_null(reason);
    reason = NULL;
    assert_i64(billing_decimal_check("0.1234567890123456789", canonical, &reason), BILLING_E_RANGE);
    assert_non_null(reason);
    assert_i64(billing_decimal_check("", NULL, NULL), BILLING_E_ARGUMENT);
    assert_i64(billing_decimal_check(NULL, NULL, NULL), BILLING_E_ARGUMENT);
}

/* --- request ids ------------------------------------------------------------------------------ */

enum {
    IDS = 2000,
    ID_SIZE = 37,
};

static void request_id_new__any__is_a_uuid_of_version_7(void **state)
{
    char id[ID_SIZE];
    (void)state;
    assert_i64(billing_request_id_new(id, sizeof id), 0);
    assert_int_equal(strlen(id), 36);
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            assert_int_equal(id[i], '-');
        } else {
            assert_true(isxdigit((unsigned char)id[i]) && !isupper((unsigned char)id[i]));
        }
    }
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    assert_i64(billing_request_id_new(id, ID_SIZE - 1), BILLING_E_ARGUMENT);
    assert_i64(billing_request_id_new(NULL, ID_SIZE), BILLING_E_ARGUMENT);
}

/* Behind the time (to a quarter of a microsecond) an id is random; so two that follow each other
 * sort, but for those made within the same quarter, and no two are equal. */
static void request_id_new__many__differ_and_sort_by_time(void **state)
{
    static char ids[IDS][ID_SIZE];
    enum {
        TIME_CHARS = 18, /* 60 bits, the version, two hyphens */
    };
    (void)state;
    for (size_t i = 0; i < IDS; i++) {
        assert_i64(billing_request_id_new(ids[i], ID_SIZE), 0);
    }
    for (size_t i = 1; i < IDS; i++) {
        assert_true(strncmp(ids[i - 1], ids[i], TIME_CHARS) <= 0);
        for (size_t j = i; j > 0 && strncmp(ids[j - 1], ids[i], TIME_CHARS) == 0; j--) {
            assert_string_not_equal(ids[j - 1], ids[i]);
        }
    }
}

static void strerror__every_number__has_its_own_words(void **state)
{
    static const int numbers[] = {
        BILLING_OK,
        BILLING_E_NO_MEMORY,
        BILLING_E_ARGUMENT,
        BILLING_E_RANGE,
        BILLING_E_FULL,
        BILLING_E_STATE,
        BILLING_E_SYSTEM,
        BILLING_E_NOT_RECORDED,
        BILLING_E_REFUSED,
        BILLING_E_UNKNOWN,
        12345,
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(strlen(billing_strerror(numbers[i])) > 0);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(billing_strerror(numbers[i]), billing_strerror(numbers[j]));
        }
    }
    assert_int_equal(strspn(billing_version(), "0123456789."), strlen(billing_version()));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(duration_parse__well_formed__milliseconds),
    cmocka_unit_test(duration_parse__not_one__refused_and_left_alone),
    cmocka_unit_test(time__there_and_back__same),
    cmocka_unit_test(month_parse__a_month__its_window),
    cmocka_unit_test(decimal_check__a_decimal__its_canonical_form),
    cmocka_unit_test(request_id_new__any__is_a_uuid_of_version_7),
    cmocka_unit_test(request_id_new__many__differ_and_sort_by_time),
    cmocka_unit_test(strerror__every_number__has_its_own_words),
};

TESTKIT_MAIN(tests)
