/* Times: what is taken prints to what parses to it again, at the place that the C library's
 * calendar has for it; and every microsecond there is prints and parses. */
#include <stdlib.h>
#include <time.h>

#include "proto/timestamp.h"
#include "tests/fuzz/fuzz.h"

#define SECOND_US INT64_C(1000000)

static void check_time(int64_t time_us)
{
    char text[TIMESTAMP_TEXT_MAX];
    int64_t again;
    struct tm tm;
    time_t second = (time_t)(time_us / SECOND_US);
    FUZZ_CHECK(time_us >= 0 && time_us <= TIMESTAMP_MAX);
    size_t length = timestamp_print(time_us, text);
    FUZZ_CHECK(length < sizeof text && text[length] == '\0');
    FUZZ_CHECK(timestamp_parse(text, length, &again) == 0 && again == time_us);
    FUZZ_CHECK(gmtime_r(&second, &tm) != NULL);
    struct civil_time civil = timestamp_civil(time_us);
    FUZZ_CHECK(civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1);
    FUZZ_CHECK(civil.day == tm.tm_mday && civil.hour == tm.tm_hour);
    FUZZ_CHECK(civil.minute == tm.tm_min && civil.second == tm.tm_sec);
    FUZZ_CHECK(civil.microsecond == time_us % SECOND_US);
    int64_t month_us = timestamp_month_start(civil.year, civil.month);
    FUZZ_CHECK(month_us <= time_us && time_us - month_us < 31 * 24 * 3600 * SECOND_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct slice text = {(const char *)data, size};
    char *copy = fuzz_copy(text);
    int64_t time_us;
    int status = timestamp_parse(copy, text.length, &time_us);
    FUZZ_CHECK(status == 0 || status == STATUS_WRONG_TYPE || status == STATUS_TIME_OUT_OF_RANGE);
    if (status == 0) {
        check_time(time_us);
    }
    check_time((int64_t)(fuzz_number(&input, 8) % ((uint64_t)TIMESTAMP_MAX + 1)));
    free(copy);
    return 0;
}
