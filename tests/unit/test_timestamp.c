/* Times: against the C library's own calendar (timegm, gmtime_r), and a regular expression for the
 * form. */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/timestamp.h"
#include "tests/lib/testkit.h"

#define SECOND_US INT64_C(1000000)
#define DAY_S     INT64_C(86400)

enum {
    RANDOM_CASES = 200000,
    TEXT_MAX = 128,
};

static int parse(const char *text, size_t length, int64_t *ret_us)
{
    char *copy = malloc(length > 0 ? length : 1); /* exactly: a sanitizer sees a read past it */
    assert_non_null(copy);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    int status = timestamp_parse(copy, length, ret_us);
    free(copy);
    return status;
}

static struct tm utc(int64_t second)
{
    struct tm result;
    time_t time = (time_t)second;
    assert_non_null(gmtime_r(&time, &result));
    return result;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void parse__accepted__as_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        {"2026-11-22T11:01:38.000000Z", "2026-11-22T11:01:38.000000Z"},
        {"2026-11-22t11:01:38z", "2026-11-22T11:01:38.000000Z"},
        {"2026-11-22 11:01:38", "2026-11-22T11:01:38.000000Z"},
        {"2026-11-22T11:01:38", "2026-11-22T11:01:38.000000Z"},
        {"2026-11-22 11:01:38.5", "2026-11-22T11:01:38.500000Z"},
        {"2026-11-22T11:01:38.1234569999Z", "2026-11-22T11:01:38.123456Z"},
        {"9999-12-31T23:59:59.9999999999999999999999Z", "9999-12-31T23:59:59.999999Z"},
        {"2026-11-22T11:01:38+01:00", "2026-11-22T10:01:38.000000Z"},
        {"2026-11-22T11:01:38-23:59", "2026-11-23T11:00:38.000000Z"},
        {"2026-11-22T11:01:38+23:59", "2026-11-21T11:02:38.000000Z"},
        {"2026-11-22T11:01:38-00:00", "2026-11-22T11:01:38.000000Z"},
        {"2026-01-01T00:00:00+00:01", "2025-12-31T23:59:00.000000Z"},
        {"2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"},
        {"2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000000Z"},
        {"1969-12-31T23:59:59-00:01", "1970-01-01T00:00:59.000000Z"},
        {"1969-12-31T16:00:00-08:00", "1970-01-01T00:00:00.000000Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t time_us;
        char text[TIMESTAMP_TEXT_MAX];
        if (parse(cases[i].text, strlen(cases[i].text), &time_us) != 0) {
            testkit_fail("'%s' is refused", cases[i].text);
        }
        size_t length = timestamp_print(time_us, text);
        assert_text(text, length, cases[i].printed);
        assert_u64(strlen(text), length);
    }
}

static void parse__no_time__wrong_type(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "now",
        "2026",
        "2026-11-22",
        "2026-11-22T",
        "2026-11-22T11:01",
        "2026-11-22T11:01Z",
        "2026-11-22T11:01:38.Z",
        "2026-11-22T11:01:38.",
        "2026-11-22T11:01:38,5Z",
        "2026-11-22_11:01:38Z",
        "2026-11-22  11:01:38Z",
        "2026-11-22T11:01:38 Z",
        "2026-11-22T11:01:38ZZ",
        "2026-11-22T11:01:38Z ",
        " 2026-11-22T11:01:38Z",
        "2026-11-22T11:01:38Z\n",
        "2026-11-22T11:01:38+1",
        "2026-11-22T11:01:38+01",
        "2026-11-22T11:01:38+0100",
        "2026-11-22T11:01:38+01:0",
        "2026-11-22T11:01:38+24:00",
        "2026-11-22T11:01:38+01:60",
        "2026-11-22T11:01:38 01:00",
        "2026-11-22T11:01:38GMT",
        "2026-11-22T24:00:00Z",
        "2026-11-22T11:60:00Z",
        "2026-11-22T11:01:60Z", /* no second of its own */
        "2016-12-31T23:59:60Z",
        "2026-00-22T11:01:38Z",
        "2026-13-22T11:01:38Z",
        "2026-11-00T11:01:38Z",
        "2026-11-31T11:01:38Z",
        "2026-02-29T11:01:38Z",
        "2100-02-29T11:01:38Z", /* no leap year */
        "26-11-22T11:01:38Z",
        "02026-11-22T11:01:38Z",
        "+2026-11-22T11:01:38Z",
        "-026-11-22T11:01:38Z",
        "2026-1-22T11:01:38Z",
        "2026/11/22T11:01:38Z",
        "20261122T110138Z",
        "2026-W47-7T11:01:38Z",
        "2026-11-22T1:01:38Z",
        "2026-11-22T-1:01:38Z",
        "1795345298",
        "2026-11-22T11:01:3\xD9\xA8Z",
    };
    int64_t time_us;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i], strlen(cases[i]), &time_us) != STATUS_WRONG_TYPE) {
            testkit_fail("'%s' is not STATUS_WRONG_TYPE", cases[i]);
        }
    }
    static const char nul[] = "2026-11-22T11:01:38\0";
    assert_status(parse(nul, sizeof nul - 1, &time_us), STATUS_WRONG_TYPE);
    assert_status(timestamp_parse(NULL, 0, &time_us), STATUS_WRONG_TYPE);
}

static void parse__before_1970_or_after_9999__out_of_range(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00+00:01", "1969-12-31T23:59:59",
        "0000-01-01T00:00:00Z",        "0001-02-28T00:00:00-23:59", "1600-02-29T00:00:00Z",
        "9999-12-31T23:59:59-00:01",   "9999-12-31T00:01:00-23:59",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t time_us;
        if (parse(cases[i], strlen(cases[i]), &time_us) != STATUS_TIME_OUT_OF_RANGE) {
            testkit_fail("'%s' is not STATUS_TIME_OUT_OF_RANGE", cases[i]);
        }
    }
}

/* --- against the C library -------------------------------------------------------------------- */

static void assert_civil(int64_t time_us)
{
    struct tm expected = utc(time_us / SECOND_US);
    struct civil_time got = timestamp_civil(time_us);
    assert_i64(got.year, expected.tm_year + 1900);
    assert_i64(got.month, expected.tm_mon + 1);
    assert_i64(got.day, expected.tm_mday);
    assert_i64(got.hour, expected.tm_hour);
    assert_i64(got.minute, expected.tm_min);
    assert_i64(got.second, expected.tm_sec);
    assert_i64(got.microsecond, time_us % SECOND_US);
}

static void civil__every_day__as_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day * DAY_S * SECOND_US <= TIMESTAMP_MAX; day++) {
        assert_civil(day * DAY_S * SECOND_US);
        assert_civil((day + 1) * DAY_S * SECOND_US - 1);
    }
}

static void month_start__every_month__as_the_c_library(void **state)
{
    (void)state;
    for (int year = 1970; year < 10000; year++) {
        for (int month = 1; month <= 25; month++) { /* past 12: of the years behind */
            struct tm first = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1};
            assert_i64(timestamp_month_start(year, month), timegm(&first) * SECOND_US);
        }
    }
}

/* TIME_US as it may be written: in some zone, with some digits.  Returns the length, or 0 where
 * that needs a year of five digits. */
static size_t random_writing(struct rng *rng, int64_t time_us, char *text)
{
    int zone_minutes = (int)rng_between(rng, -(24 * 60 - 1), 24 * 60 - 1);
    uint64_t zone_form = rng_below(rng, 4);
    if (zone_form != 0) {
        zone_minutes = 0;
    }
    struct tm local = utc(time_us / SECOND_US + zone_minutes * 60);
    if (local.tm_year + 1900 > 9999) {
        return 0;
    }
    char fraction[32];
    int digits = (int)rng_between(rng, 6, 12);
    IGNORE(snprintf(fraction, sizeof fraction, ".%06d%06d", (int)(time_us % SECOND_US),
                    (int)rng_below(rng, 1000000)) < 0);
    fraction[1 + digits] = '\0';
    if (time_us % SECOND_US == 0 && rng_below(rng, 2) == 0) {
        fraction[0] = '\0';
    }
    char zone[16];
    int distance = abs(zone_minutes);
    IGNORE(snprintf(zone, sizeof zone, "%c%02d:%02d", zone_minutes < 0 ? '-' : '+', distance / 60,
                    distance % 60) < 0);
    static const char *const utc_forms[] = {"", "Z", "z"};
    int n = snprintf(text, TEXT_MAX, "%04d-%02d-%02d%c%02d:%02d:%02d%s%s", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, "Tt "[rng_below(rng, 3)], local.tm_hour,
                     local.tm_min, local.tm_sec, fraction,
                     zone_form == 0 ? zone : utc_forms[zone_form - 1]);
    return (size_t)n;
}

static int64_t random_time(struct rng *rng)
{
    static const int64_t edges[] = {0, TIMESTAMP_MAX, INT64_C(1709164800000000)}; /* 2024-02-29 */
    if (rng_below(rng, 8) != 0) {
        return rng_between(rng, 0, TIMESTAMP_MAX);
    }
    int64_t time_us = edges[rng_below(rng, sizeof edges / sizeof edges[0])];
    time_us += rng_between(rng, -2, 2) * DAY_S / 2 * SECOND_US + rng_between(rng, -1, 1);
    return time_us < 0 ? 0 : time_us > TIMESTAMP_MAX ? TIMESTAMP_MAX : time_us;
}

static void parse_and_print__random__as_the_c_library(void **state)
{
    (void)state;
    struct rng rng = rng_make("times");
    for (int i = 0; i < RANDOM_CASES; i++) {
        int64_t time_us = random_time(&rng);
        int64_t got_us;
        char text[TEXT_MAX];
        assert_civil(time_us);
        size_t length = random_writing(&rng, time_us, text);
        if (length > 0 && (parse(text, length, &got_us) != 0 || got_us != time_us)) {
            testkit_fail("'%s' is not %lld", text, (long long)time_us);
        }
        char printed[TIMESTAMP_TEXT_MAX];
        char expected[TEXT_MAX];
        struct tm t = utc(time_us / SECOND_US);
        size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &t);
        IGNORE(snprintf(expected + n, sizeof expected - n, ".%06dZ", (int)(time_us % SECOND_US)) <
               0);
        length = timestamp_print(time_us, printed);
        assert_text(printed, length, expected);
        assert_ok(parse(printed, length, &got_us));
        assert_i64(got_us, time_us);
    }
}

/* --- what is taken at all --------------------------------------------------------------------- */

static int number(const char *text, int at, int width)
{
    int value = 0;
    for (int i = 0; i < width; i++) {
        value = value * 10 + (text[at + i] - '0');
    }
    return value;
}

/* The status that the contract asks for, by a regular expression for the form and timegm(), which
 * changes a date that does not exist. */
static int oracle(const char *text, size_t length)
{
    static const char form[] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}"
                               "(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?$";
    static regex_t compiled;
    static bool ready;
    regmatch_t parts[3] = {{.rm_so = 0, .rm_eo = (regoff_t)length}};
    if (!ready) {
        assert_int_equal(regcomp(&compiled, form, REG_EXTENDED), 0);
        ready = true;
    }
    if (regexec(&compiled, text, 3, parts, REG_STARTEND) != 0 || parts[0].rm_eo != (int)length) {
        return STATUS_WRONG_TYPE;
    }
    struct tm t = {
        .tm_year = number(text, 0, 4) - 1900,
        .tm_mon = number(text, 5, 2) - 1,
        .tm_mday = number(text, 8, 2),
        .tm_hour = number(text, 11, 2),
        .tm_min = number(text, 14, 2),
        .tm_sec = number(text, 17, 2),
    };
    struct tm normal = t;
    int64_t second = timegm(&normal);
    if (normal.tm_mon != t.tm_mon || normal.tm_mday != t.tm_mday || normal.tm_hour != t.tm_hour ||
        normal.tm_min != t.tm_min || normal.tm_sec != t.tm_sec) {
        return STATUS_WRONG_TYPE;
    }
    int zone = parts[2].rm_so;
    if (zone >= 0 && (text[zone] == '+' || text[zone] == '-')) {
        int hours = number(text, zone + 1, 2);
        int minutes = number(text, zone + 4, 2);
        if (hours > 23 || minutes > 59) {
            return STATUS_WRONG_TYPE;
        }
        second -= (text[zone] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
    }
    return second < 0 || second > TIMESTAMP_MAX / SECOND_US ? STATUS_TIME_OUT_OF_RANGE : 0;
}

static void parse__spoiled__accepts_exactly_what_the_contract_does(void **state)
{
    (void)state;
    static const char noise[] = "0123456789012345678901234567890123456789-:TZ. +\0x";
    struct rng rng = rng_make("spoiled");
    int taken = 0;
    for (int i = 0; i < RANDOM_CASES; i++) {
        char text[TEXT_MAX];
        int64_t time_us;
        size_t length = random_writing(&rng, random_time(&rng), text);
        for (uint64_t n = rng_below(&rng, 4); n > 0 && length > 0; n--) {
            text[rng_below(&rng, length)] = noise[rng_below(&rng, sizeof noise - 1)];
        }
        length -= rng_below(&rng, 16) == 0 && length > 0;
        int expected = oracle(text, length);
        int got = parse(text, length, &time_us);
        taken += got == 0;
        if (got != expected) {
            testkit_fail("'%.*s': %d, by the oracle %d", (int)length, text, got, expected);
        }
    }
    assert_true(taken > RANDOM_CASES / 10 && taken < RANDOM_CASES * 9 / 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parse__accepted__as_written),
    cmocka_unit_test(parse__no_time__wrong_type),
    cmocka_unit_test(parse__before_1970_or_after_9999__out_of_range),
    cmocka_unit_test(civil__every_day__as_the_c_library),
    cmocka_unit_test(month_start__every_month__as_the_c_library),
    cmocka_unit_test(parse_and_print__random__as_the_c_library),
    cmocka_unit_test(parse__spoiled__accepts_exactly_what_the_contract_does),
};

TESTKIT_MAIN(tests)
