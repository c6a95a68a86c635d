/* The open period, and the currencies' minor units. */
#include "billingd/ledger/currency.h"
#include "billingd/ledger/period.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

static void period_current__any_day__is_its_month(void **state)
{
    static const struct {
        const char *now;
        const char *billed_until; /* "": no invoice yet */
        const char *start;
        const char *end;
    } table[] = {
        /* Month ends, to the microsecond. */
        {"2026-11-22T11:01:38Z", "", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
        {"2026-11-01T00:00:00Z", "", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
        {"2026-11-30T23:59:59.999999Z", "", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
        {"2026-12-01T00:00:00Z", "", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"2026-12-31T23:59:59.999999Z", "", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"2027-01-01T00:00:00Z", "", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"},
        /* February. */
        {"2027-02-28T23:59:59Z", "", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"},
        {"2028-02-29T12:00:00Z", "", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
        {"2100-02-28T23:59:59Z", "", "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"},
        {"2000-02-29T00:00:00Z", "", "2000-02-01T00:00:00Z", "2000-03-01T00:00:00Z"},
        {"1970-01-01T00:00:00Z", "", "1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z"},
        /* Behind an invoice. */
        {"2026-11-22T11:01:38Z", "2026-10-15T00:00:00Z", "2026-11-01T00:00:00Z",
         "2026-12-01T00:00:00Z"},
        {"2026-11-22T11:01:38Z", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z",
         "2026-12-01T00:00:00Z"},
        {"2026-11-22T11:01:38Z", "2026-11-10T00:00:00.000001Z", "2026-11-10T00:00:00.000001Z",
         "2026-12-01T00:00:00Z"},
        /* The clock was set back, or the invoice reaches past it. */
        {"2026-11-22T11:01:38Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z",
         "2027-01-01T00:00:00Z"},
        {"2026-11-22T11:01:38Z", "2027-03-05T00:00:00Z", "2027-03-05T00:00:00Z",
         "2027-04-01T00:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t billed_until_us =
            *table[i].billed_until == '\0' ? 0 : book_time(table[i].billed_until);
        struct period period = period_current(book_time(table[i].now), billed_until_us);
        assert_i64(period.start_us, book_time(table[i].start));
        assert_i64(period.end_us, book_time(table[i].end));
    }
}

/* Whatever the clock, an open period holds now or what comes behind the last invoice. */
static void period_current__any_times__holds_the_later_of_both_and_ends_a_month(void **state)
{
    struct rng rng = rng_make("periods");
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t now_us = rng_between(&rng, 0, TIMESTAMP_MAX);
        int64_t billed_us =
            rng_below(&rng, 2) == 0
                ? 0
                : rng_between(&rng, now_us > 5000000000000 ? now_us - 5000000000000 : 0, now_us);
        struct period period = period_current(now_us, billed_us);
        assert_true(period.start_us <= now_us && now_us < period.end_us);
        assert_true(period.start_us >= billed_us);
        assert_true(period.end_us - period.start_us <= INT64_C(31) * 86400 * 1000000);
        if (period.end_us <= TIMESTAMP_MAX) {
            struct civil_time end = timestamp_civil(period.end_us);
            assert_int_equal(end.day, 1);
            assert_int_equal(end.hour + end.minute + end.second + end.microsecond, 0);
        }
    }
}

static void currency_minor_digits__known_codes__are_iso_4217s(void **state)
{
    static const struct {
        const char *code;
        int digits;
    } table[] = {
        {"USD", 2},   {"EUR", 2},  {"GBP", 2},  {"CHF", 2},   {"ZWG", 2},  {"AED", 2},  {"JPY", 0},
        {"KRW", 0},   {"BIF", 0},  {"XPF", 0},  {"ISK", 0},   {"BHD", 3},  {"TND", 3},  {"KWD", 3},
        {"USDT", -1}, {"US", -1},  {"", -1},    {"usd", -1},  {"XXX", -1}, {"XTS", -1}, {"XAU", -1},
        {"SD ", -1},  {"D E", -1}, {" US", -1}, {"EUR ", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(currency_minor_digits(table[i].code), table[i].digits);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(period_current__any_day__is_its_month),
    cmocka_unit_test(period_current__any_times__holds_the_later_of_both_and_ends_a_month),
    cmocka_unit_test(currency_minor_digits__known_codes__are_iso_4217s),
};

TESTKIT_MAIN(tests)
