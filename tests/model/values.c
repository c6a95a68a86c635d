#include "tests/model/values.h"

#include <string.h>

#include "proto/timestamp.h"

enum {
    SECOND_US = 1000000,
};

#define HOUR_US (INT64_C(3600) * SECOND_US)
#define DAY_US  (24 * HOUR_US)

bool once_in(struct values *values, unsigned n)
{
    return rng_below(values->rng, n) == 0;
}

const char *any_of(struct values *values, const char *const *list)
{
    size_t n = 0;
    while (list[n] != NULL) {
        n++;
    }
    return list[rng_below(values->rng, n)];
}

/* --- times ------------------------------------------------------------------------------------ */

static int64_t instant(const char *text)
{
    int64_t time;
    assert_ok(timestamp_parse(text, strlen(text), &time));
    return time;
}

void values_init(struct values *values, struct rng *rng, struct memory *step, int64_t now)
{
    static const char *const known[] = {
        "1970-01-01T00:00:00Z", "1999-12-31T23:00:00Z",        "2000-02-29T00:00:00Z",
        "2000-03-01T00:00:00Z", "2023-03-01T00:00:00Z",        "2024-01-01T00:00:00Z",
        "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z",        "2024-12-31T00:00:00Z",
        "2025-01-01T00:00:00Z", "2025-06-15T12:00:00Z",        "2025-06-15T13:00:00Z",
        "2026-01-01T00:00:00Z", "2026-06-30T23:59:59.999999Z", NULL,
    };
    *values = (struct values){.rng = rng, .step = step};
    struct civil_time civil = timestamp_civil(now);
    values->places[values->n_places++] = timestamp_month_start(civil.year, civil.month);
    values->places[values->n_places++] = now - HOUR_US;
    while (values->n_places < sizeof values->places / sizeof values->places[0]) {
        values->places[values->n_places++] = instant(any_of(values, known));
    }
}

int64_t any_time(struct values *values, int64_t now)
{
    int64_t place = values->places[rng_below(values->rng, values->n_places)];
    int64_t time;
    switch (rng_below(values->rng, 8)) {
    case 0:
    case 1:
    case 2:
        time = place + rng_between(values->rng, -1, 1);
        break;
    case 3:
    case 4:
        time = place + rng_between(values->rng, -2 * DAY_US, 2 * DAY_US);
        break;
    case 5:
        time = place + rng_between(values->rng, -3, 3) * HOUR_US + rng_between(values->rng, -1, 0);
        break;
    case 6:
        time = now + rng_between(values->rng, -DAY_US, 23 * HOUR_US);
        break;
    default:
        time = once_in(values, 8) ? now + 25 * HOUR_US : rng_between(values->rng, 0, now);
        break;
    }
    return time < 0 ? 0 : time;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* N digits, of which FRACTION stand behind the point. */
static const char *digits(struct values *values, unsigned n, unsigned fraction)
{
    char text[32] = "";
    for (unsigned i = 0; i < n; i++) {
        text[i] = (char)('0' + rng_below(values->rng, 10));
    }
    if (fraction == 0) {
        return memory_format(values->step, "%s", text);
    }
    return memory_format(values->step, "%s%.*s.%s", fraction == n ? "0" : "", (int)(n - fraction),
                         text, text + n - fraction);
}

static const char *wrong_number(struct values *values)
{
    static const char *const wrong[] = {
        "",
        "abc",
        ".5",
        "1.",
        "-1",
        "0x10",
        "1e-19",
        "1e27",
        "NaN",
        "1 ",
        "1,5",
        "1234567890123456789",
        "0.1234567890123456789",
        "--1",
        "1e",
        NULL,
    };
    return any_of(values, wrong);
}

const char *any_number(struct values *values)
{
    static const char *const special[] = {
        "0",
        "0.000",
        "-0",
        "0e5",
        "1",
        "1e-18",
        "0.000000000000000001",
        "58e-1",
        "5E-1",
        "+2.5",
        "007",
        "100",
        "123456789012345678e-18",
        "999999999999999",
        "999999.999999999999",
        "99999999999999999900000000",
        "1e14",
        NULL,
    };
    switch (rng_below(values->rng, 16)) {
    case 0:
        return wrong_number(values);
    case 1:
    case 2:
    case 3:
        return any_of(values, special);
    case 4:
    case 5:
        return digits(values, 18, (unsigned)rng_between(values->rng, 9, 18));
    case 6:
    case 7:
        return digits(values, 8, (unsigned)rng_between(values->rng, 0, 8));
    case 8: /* a half of a cent */
        return memory_format(values->step, "%u.%02u5", (unsigned)rng_below(values->rng, 3),
                             (unsigned)rng_below(values->rng, 100));
    default:
        return memory_format(values->step, "%u", (unsigned)rng_below(values->rng, 1000));
    }
}

const char *any_units(struct values *values)
{
    static const char *const few[] = {"1",   "3",    "58",  "0",   "0.5",
                                      "1.5", "7.25", "1e2", "2.0", NULL};
    return once_in(values, 3) ? any_number(values) : any_of(values, few);
}

const char *any_price(struct values *values)
{
    static const char *const few[] = {"0.05",   "0.005", "0.015",        "0.025",     "1",
                                      "0.0050", "0",     "6.3277086448", "0.0000004", NULL};
    return once_in(values, 4) ? any_number(values) : any_of(values, few);
}

const char *any_amount(struct values *values)
{
    static const char *const few[] = {"-10",    "0",      "0.005",  "-0.005",
                                      "-0.015", "25.125", "-1e-18", "999999999999999",
                                      "1e15",   "-1e15",  "-0",     NULL};
    const char *number = any_number(values);
    return once_in(values, 2)   ? any_of(values, few)
           : once_in(values, 2) ? memory_format(values->step, "-%s", number)
                                : number;
}

const char *same_number(struct values *values, const char *text)
{
    bool plain = *text != '\0' && strspn(text, "0123456789.") == strlen(text);
    const char *point = strchr(text, '.');
    if (!plain || (point != NULL && strlen(point) > 17) || strlen(text) > 20) {
        return text;
    }
    return once_in(values, 2) ? memory_format(values->step, "%se0", text)
           : point != NULL    ? memory_format(values->step, "%s0", text)
                              : memory_format(values->step, "0%s.0", text);
}

/* --- texts ------------------------------------------------------------------------------------ */

const char *any_service(struct values *values)
{
    static const char *const few[] = {"Database Hosting",
                                      "Egress",
                                      "Egress Europe",
                                      "egress",
                                      "Stra\xc3\xb6m",
                                      "a,b\"c",
                                      "z",
                                      NULL};
    switch (rng_below(values->rng, 40)) {
    case 0:
        return "";
    case 1:
        return "no\ttabs";
    case 2:
        return memory_format(values->step, "%0*d", (int)rng_between(values->rng, 255, 257), 7);
    default:
        return any_of(values, few);
    }
}

const char *any_name(struct values *values)
{
    static const char *const few[] = {
        "Acme", "Acme Ltd", "J\xc3\xbcrgen & Co", "x", "wrong", "a credit", "=1+1", NULL};
    return once_in(values, 30) ? "" : any_of(values, few);
}
