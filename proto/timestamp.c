#include "proto/timestamp.h"

#include <stdbool.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

/* Days from 1970-01-01 to the civil date, and back: the algorithms of Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", which count years from March. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400; /* y >= 1969 here */
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

struct scan {
    const char *at;
    const char *end;
};

/* Exactly WIDTH digits within LOW to HIGH. */
static bool take_number(struct scan *s, int width, int low, int high, int *ret)
{
    int value = 0;
    if (s->end - s->at < width) {
        return false;
    }
    for (int i = 0; i < width; i++) {
        char c = *s->at++;
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    *ret = value;
    return value >= low && value <= high;
}

static bool take_any(struct scan *s, const char *set)
{
    if (s->at == s->end) {
        return false;
    }
    for (; *set != '\0'; set++) {
        if (*s->at == *set) {
            s->at++;
            return true;
        }
    }
    return false;
}

static bool take_date(struct scan *s, struct civil_time *t)
{
    return take_number(s, 4, 0, 9999, &t->year) && take_any(s, "-") &&
           take_number(s, 2, 1, 12, &t->month) && take_any(s, "-") &&
           take_number(s, 2, 1, 31, &t->day) && t->day <= days_in_month(t->year, t->month);
}

static bool take_fraction(struct scan *s, struct civil_time *t)
{
    int digits = 0;
    t->microsecond = 0;
    if (!take_any(s, ".")) {
        return true;
    }
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++, digits++) {
        if (digits < 6) {
            t->microsecond = t->microsecond * 10 + (*s->at - '0');
        }
    }
    for (int i = digits; i < 6; i++) {
        t->microsecond *= 10;
    }
    return digits > 0;
}

static bool take_clock(struct scan *s, struct civil_time *t)
{
    return take_number(s, 2, 0, 23, &t->hour) && take_any(s, ":") &&
           take_number(s, 2, 0, 59, &t->minute) && take_any(s, ":") &&
           take_number(s, 2, 0, 59, &t->second) && take_fraction(s, t);
}

/* The zone's distance from UTC in microseconds. */
static bool take_zone(struct scan *s, int64_t *ret_offset_us)
{
    int hours;
    int minutes;
    *ret_offset_us = 0;
    if (s->at == s->end || take_any(s, "Zz")) {
        return true;
    }
    int sign = *s->at == '-' ? -1 : 1;
    if (!take_any(s, "+-") || !take_number(s, 2, 0, 23, &hours) || !take_any(s, ":") ||
        !take_number(s, 2, 0, 59, &minutes)) {
        return false;
    }
    *ret_offset_us = sign * (INT64_C(60) * hours + minutes) * 60 * SECOND_US;
    return true;
}

int timestamp_parse(const char *text, size_t length, int64_t *ret_us)
{
    if (length == 0) { /* TEXT may be NULL, which has no end */
        return STATUS_WRONG_TYPE;
    }
    struct scan s = {.at = text, .end = text + length};
    struct civil_time t;
    int64_t offset_us;
    if (!take_date(&s, &t) || !take_any(&s, "Tt ") || !take_clock(&s, &t) ||
        !take_zone(&s, &offset_us) || s.at != s.end) {
        return STATUS_WRONG_TYPE;
    }
    if (t.year < 1969) { /* 1969-12-31 west of Greenwich may be 1970 in UTC */
        return STATUS_TIME_OUT_OF_RANGE;
    }
    int64_t seconds = ((int64_t)t.hour * 60 + t.minute) * 60 + t.second;
    int64_t time_us = days_from_civil(t.year, t.month, t.day) * DAY_US + seconds * SECOND_US +
                      t.microsecond - offset_us;
    if (time_us < 0 || time_us > TIMESTAMP_MAX) {
        return STATUS_TIME_OUT_OF_RANGE;
    }
    *ret_us = time_us;
    return 0;
}

struct civil_time timestamp_civil(int64_t time_us)
{
    int64_t days = time_us / DAY_US;
    int64_t rest = time_us % DAY_US;
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    return (struct civil_time){
        .year = (int)(year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .hour = (int)(rest / (3600 * SECOND_US)),
        .minute = (int)(rest / (60 * SECOND_US) % 60),
        .second = (int)(rest / SECOND_US % 60),
        .microsecond = (int)(rest % SECOND_US),
    };
}

/* NUMBER in WIDTH digits, and what comes BEHIND it.  Returns the end. */
static char *put_number(char *at, int number, int width, char behind)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    at[width] = behind;
    return at + width + 1;
}

/* Without snprintf(): each record that is answered has three or four of them. */
size_t timestamp_print(int64_t time_us, char *buffer)
{
    struct civil_time t = timestamp_civil(time_us);
    char *at = put_number(buffer, t.year, 4, '-');
    at = put_number(at, t.month, 2, '-');
    at = put_number(at, t.day, 2, 'T');
    at = put_number(at, t.hour, 2, ':');
    at = put_number(at, t.minute, 2, ':');
    at = put_number(at, t.second, 2, '.');
    at = put_number(at, t.microsecond, 6, 'Z');
    *at = '\0';
    return (size_t)(at - buffer);
}

int64_t timestamp_month_start(int year, int month)
{
    return days_from_civil(year + (month - 1) / 12, (month - 1) % 12 + 1, 1) * DAY_US;
}
