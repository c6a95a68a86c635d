/* Decimals: what is taken, what is refused and why, and how they are printed and compared; every
 * random case against tests/lib/decimal_oracle. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "proto/decimal.h"
#include "tests/lib/decimal_oracle.h"
#include "tests/lib/testkit.h"

enum {
    RANDOM_CASES = 200000,
    RANDOM_TEXT_MAX = 256,
};

/* decimal_parse() of a copy on the heap of exactly LENGTH bytes, so that a sanitizer sees a read
 * past its end. */
static int parse(const char *text, size_t length, struct decimal *ret, const char **reterr)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    int status = decimal_parse(copy, length, ret, reterr);
    free(copy);
    return status;
}

static struct decimal parsed(const char *text)
{
    struct decimal value;
    assert_ok(parse(text, strlen(text), &value, NULL));
    return value;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void parse__accepted__prints_canonically(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"58", "58"},
        {"0.05", "0.05"},
        {"0.050", "0.05"},
        {"6.3277086448", "6.3277086448"},
        {"0.0000004", "0.0000004"},
        {"1e-7", "0.0000001"},
        {"1E+3", "1000"},
        {"1e0", "1"},
        {"+1", "1"},
        {"-1", "-1"},
        {"000", "0"},
        {"-0", "0"},
        {"+0", "0"},
        {"-0.000", "0"},
        {"0e99999999999999999999999999", "0"},
        {"-0e-99999999999999999999999999", "0"},
        {"0007", "7"},
        {"00000000000000000000000000000000000000000001", "1"},
        {"0.10000000000000000000000000000000000000000000", "0.1"},
        /* 18 significant digits */
        {"123456789012345678", "123456789012345678"},
        {"-999999999999999999", "-999999999999999999"},
        {"1234567890.12345678", "1234567890.12345678"},
        {"1234567890123456780", "1234567890123456780"},
        /* 18 fraction digits */
        {"0.123456789012345678", "0.123456789012345678"},
        {"0.000000000000000001", "0.000000000000000001"},
        {"1e-18", "0.000000000000000001"},
        {"10e-19", "0.000000000000000001"},
        {"-999999999999999999e-18", "-0.999999999999999999"},
        /* 26 digits before the point */
        {"1e25", "10000000000000000000000000"},
        {"99999999999999999900000000", "99999999999999999900000000"},
        {"-999999999999999999e8", "-99999999999999999900000000"},
        {"0.00000000001e36", "10000000000000000000000000"},
        /* what an exponent undoes */
        {"1000000000000000000000000000000000000000000e-42", "1"},
        {"0.000000000000000000000000000000000000000001e42", "1"},
        {"1e-000000000000000000000000000000000018", "0.000000000000000001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal value;
        char text[DECIMAL_TEXT_MAX];
        int status = parse(cases[i][0], strlen(cases[i][0]), &value, NULL);
        if (status != 0) {
            testkit_fail("'%s' is refused", cases[i][0]);
        }
        size_t length = decimal_print(value, text);
        assert_text(text, length, cases[i][1]);
        assert_u64(strlen(text), length);
    }
}

static const struct {
    const char *text;
    size_t length;
} not_numbers[] = {
#define CASE(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
    CASE(""),
    CASE(" "),
    CASE("+"),
    CASE("-"),
    CASE("."),
    CASE("1."),
    CASE(".5"),
    CASE("-.5"),
    CASE("1.e5"),
    CASE("1e"),
    CASE("1e+"),
    CASE("1e-"),
    CASE("e5"),
    CASE("1e1.5"),
    CASE("1e1e1"),
    CASE("--1"),
    CASE("+-1"),
    CASE("1-"),
    CASE("1+1"),
    CASE("1.2.3"),
    CASE("1..2"),
    CASE("NaN"),
    CASE("nan"),
    CASE("Infinity"),
    CASE("-Infinity"),
    CASE("inf"),
    CASE("0x10"),
    CASE("0x1p3"),
    CASE("0b1"),
    CASE("1f"),
    CASE("1_000"),
    CASE("1,000"),
    CASE("1,5"),
    CASE(" 1"),
    CASE("1 "),
    CASE("1 000"),
    CASE("\t1"),
    CASE("1\n"),
    CASE("\n1"),
    CASE("1\r\n"),
    CASE("1\0"),
    CASE("\0"
         "1"),
    CASE("1\0"
         "2"),
    CASE("1.\0"
         "5"),
    CASE("1e\0"
         "5"),
    CASE("\"1\""),
    CASE("'1"),
    CASE("$1"),
    CASE("1%"),
    CASE("one"),
    CASE("null"),
    CASE("true"),
    CASE("\xEF\xBB\xBF"
         "1"),
    CASE("\xD9\xA1"),
    CASE("\xEF\xBC\x91"),
    CASE("\xE2\x88\x92"
         "1"),
    CASE("1\x80"),
    CASE("/1"),
    CASE("1:"),
#undef CASE
};

static void parse__not_a_number__wrong_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof not_numbers / sizeof not_numbers[0]; i++) {
        struct decimal value;
        const char *error = NULL;
        if (parse(not_numbers[i].text, not_numbers[i].length, &value, &error) !=
            STATUS_WRONG_TYPE) {
            testkit_fail("case %zu, '%s', is not STATUS_WRONG_TYPE", i, not_numbers[i].text);
        }
        assert_string_equal(error, "not a decimal number");
    }
    struct decimal value;
    /* nothing at all, as an empty field of a message is */
    assert_status(decimal_parse(NULL, 0, &value, NULL), STATUS_WRONG_TYPE);
}

static void parse__does_not_fit__bound_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"1234567890123456789", "more than 18 significant digits"},
        {"-1.234567890123456789", "more than 18 significant digits"},
        {"1000000000000000001", "more than 18 significant digits"},
        {"100000000000000000000000000000000000001e-38", "more than 18 significant digits"},
        {"0.1234567890123456789", "more than 18 significant digits"},
        {"0.0000000000000000001", "more than 18 fraction digits"},
        {"1e-19", "more than 18 fraction digits"},
        {"-1e-99999999999999999999999999", "more than 18 fraction digits"},
        {"1e-9223372036854775808", "more than 18 fraction digits"},
        {"1e26", "more than 26 digits before the point"},
        {"100000000000000000000000000", "more than 26 digits before the point"},
        {"-12e25", "more than 26 digits before the point"},
        {"1e99999999999999999999999999", "more than 26 digits before the point"},
        {"1e2147483647", "more than 26 digits before the point"},
        {"1e2147483648", "more than 26 digits before the point"},
        {"1e4294967296", "more than 26 digits before the point"},
        {"1e9223372036854775807", "more than 26 digits before the point"},
        {"1e18446744073709551616", "more than 26 digits before the point"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal value;
        const char *error = "";
        int status = parse(cases[i][0], strlen(cases[i][0]), &value, &error);
        if (status != STATUS_OUT_OF_BOUNDS || strcmp(error, cases[i][1]) != 0) {
            testkit_fail("'%s': status %d, '%s'", cases[i][0], status, error);
        }
        assert_status(parse(cases[i][0], strlen(cases[i][0]), &value, NULL), STATUS_OUT_OF_BOUNDS);
    }
}

/* A million zeros cost time in proportion and change nothing. */
static void parse__very_long__still_exact(void **state)
{
    (void)state;
    enum { ZEROS = 1000000 };
    char *text = malloc(2 * ZEROS + 16);
    struct decimal value;
    assert_non_null(text);
    memset(text, '0', 2 * ZEROS + 16);
    text[ZEROS] = '.';
    text[ZEROS - 1] = '7';
    assert_ok(parse(text, 2 * ZEROS, &value, NULL));
    assert_true(decimal_equal(value, parsed("7")));
    text[2 * ZEROS - 1] = '1';
    assert_status(parse(text, 2 * ZEROS, &value, NULL), STATUS_OUT_OF_BOUNDS);
    free(text);
}

/* --- make ------------------------------------------------------------------------------------- */

static void make__not_normal_or_out_of_bounds__corrupt(void **state)
{
    (void)state;
    static const struct {
        int64_t digits;
        int scale;
    } cases[] = {
        {0, 1},
        {0, -1},
        {10, 0},
        {-120, 3},
        {1000000000000000000, 0},
        {999999999999999999 + INT64_C(2), 0},
        {-1000000000000000001, 5},
        {INT64_MAX, 0},
        {INT64_MIN, 0},
        {INT64_MIN + 1, 0},
        {1, 19},
        {1, 127},
        {1, INT_MAX},
        {1, -26},
        {1, -128},
        {1, INT_MIN},
        {1, 256}, /* would be 0 in 8 bits */
        /* 27 digits before the point, of more than one significant */
        {12, -25},
        {999999999999999999, -9},
        {-999999999999999999, -25},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal value;
        if (decimal_make(cases[i].digits, cases[i].scale, &value) != STATUS_CORRUPT) {
            testkit_fail("%lld, scale %d, is taken", (long long)cases[i].digits, cases[i].scale);
        }
    }
}

static void make__edges__same_as_parsed(void **state)
{
    (void)state;
    static const struct {
        int64_t digits;
        int scale;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {1, 18, "0.000000000000000001"},
        {-1, -25, "-10000000000000000000000000"},
        {999999999999999999, -8, "99999999999999999900000000"},
        {-999999999999999999, 18, "-0.999999999999999999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal value;
        assert_ok(decimal_make(cases[i].digits, cases[i].scale, &value));
        assert_true(decimal_equal(value, parsed(cases[i].text)));
        assert_i64(decimal_mantissa(value), cases[i].digits);
        assert_i64(decimal_scale(value), cases[i].scale);
        assert_true(decimal_is_negative(value) == (cases[i].digits < 0));
    }
}

/* --- random ----------------------------------------------------------------------------------- */

static char *put_digits(struct rng *rng, char *at, uint64_t n)
{
    bool zeros = rng_below(rng, 4) == 0; /* runs of zeros and nines are where bounds are */
    bool nines = rng_below(rng, 8) == 0;
    for (uint64_t i = 0; i < n; i++) {
        char digit = (char)('0' + rng_below(rng, 10));
        if (nines) {
            digit = '9';
        } else if (zeros && rng_below(rng, 16) != 0) {
            digit = '0';
        }
        *at++ = digit;
    }
    return at;
}

/* How many digits: mostly about a bound. */
static uint64_t some_digits(struct rng *rng)
{
    static const int near[] = {0, 1, 2, 8, 9, 17, 18, 19, 20, 25, 26, 27, 28, 40};
    return (uint64_t)near[rng_below(rng, sizeof near / sizeof near[0])];
}

/* A text that is a number or nearly one. */
static size_t random_text(struct rng *rng, char *text)
{
    static const char noise[] = "0123456789+-.eE \t\n\0x,_";
    char *at = text;
    if (rng_below(rng, 3) == 0) {
        *at++ = "+-"[rng_below(rng, 2)];
    }
    at = put_digits(rng, at, some_digits(rng));
    if (rng_below(rng, 2) == 0) {
        *at++ = '.';
        at = put_digits(rng, at, some_digits(rng));
    }
    if (rng_below(rng, 3) == 0) {
        *at++ = "eE"[rng_below(rng, 2)];
        if (rng_below(rng, 3) != 0) {
            *at++ = "+-"[rng_below(rng, 2)];
        }
        at = put_digits(rng, at, rng_below(rng, 8) == 0 ? some_digits(rng) : 1 + rng_below(rng, 2));
    }
    if (rng_below(rng, 8) == 0 && at > text) { /* spoil a byte, or put one more behind */
        char *where = text + rng_below(rng, (uint64_t)(at - text) + 1);
        *where = noise[rng_below(rng, sizeof noise - 1)];
        at += where == at;
    }
    return (size_t)(at - text);
}

static int status_of(enum oracle_verdict verdict)
{
    switch (verdict) {
    case ORACLE_FITS:
        return 0;
    case ORACLE_NOT_A_NUMBER:
        return STATUS_WRONG_TYPE;
    case ORACLE_TOO_MANY_DIGITS:
    case ORACLE_TOO_MANY_FRACTION:
    case ORACLE_TOO_MANY_WHOLE:
        return STATUS_OUT_OF_BOUNDS;
    }
    abort();
}

/* VALUE is EXPECTED, prints as it, parses back from that, and is in normal form. */
static void check_value(struct decimal value, const mpz_t expected)
{
    char text[DECIMAL_TEXT_MAX];
    char expected_text[ORACLE_TEXT_MAX];
    struct decimal again;
    mpz_t got;
    mpz_init(got);
    oracle_of_decimal(value, got);
    assert_int_equal(mpz_cmp(got, expected), 0);
    mpz_clear(got);
    oracle_print(expected, expected_text);
    size_t length = decimal_print(value, text);
    assert_true(length < DECIMAL_TEXT_MAX);
    assert_text(text, length, expected_text);
    assert_ok(parse(text, length, &again, NULL));
    assert_true(decimal_equal(again, value));
    assert_ok(decimal_make(decimal_mantissa(value), decimal_scale(value), &again));
    assert_true(decimal_equal(again, value));
}

static void parse__random__accepts_exactly_what_the_contract_does(void **state)
{
    (void)state;
    struct rng rng = rng_make("parse");
    mpz_t expected;
    mpz_init(expected);
    int verdicts[ORACLE_TOO_MANY_WHOLE + 1] = {0};
    for (int i = 0; i < RANDOM_CASES; i++) {
        char text[RANDOM_TEXT_MAX];
        struct decimal value;
        size_t length = random_text(&rng, text);
        enum oracle_verdict verdict = oracle_parse(text, length, expected);
        int status = parse(text, length, &value, NULL);
        verdicts[verdict]++;
        if (status != status_of(verdict)) {
            testkit_fail("'%.*s': %d, by the oracle %d", (int)length, text, status,
                         status_of(verdict));
        }
        if (status == 0) {
            check_value(value, expected);
        }
    }
    mpz_clear(expected);
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        assert_true(verdicts[i] > RANDOM_CASES / 1000); /* each was met, and not by chance */
    }
}

/* A decimal of random members, small or at the bounds. */
static struct decimal random_decimal(struct rng *rng)
{
    for (;;) {
        struct decimal value;
        int64_t bound = 10;
        for (uint64_t n = rng_below(rng, 18); n > 0; n--) {
            bound *= 10;
        }
        int64_t mantissa = rng_between(rng, 1 - bound, bound - 1);
        if (decimal_make(mantissa, (int)rng_between(rng, -25, 18), &value) == 0) {
            return value;
        }
    }
}

static int sign_of(int n)
{
    return (n > 0) - (n < 0);
}

static void compare__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("compare");
    mpz_t a_value;
    mpz_t b_value;
    mpz_inits(a_value, b_value, NULL);
    for (int i = 0; i < RANDOM_CASES; i++) {
        struct decimal a = random_decimal(&rng);
        struct decimal b = rng_below(&rng, 8) == 0 ? a : random_decimal(&rng);
        oracle_of_decimal(a, a_value);
        oracle_of_decimal(b, b_value);
        int expected = mpz_cmp(a_value, b_value);
        assert_int_equal(sign_of(decimal_compare(a, b)), sign_of(expected));
        assert_int_equal(sign_of(decimal_compare(b, a)), -sign_of(expected));
        assert_true(decimal_equal(a, b) == (expected == 0));
        assert_true(decimal_is_negative(a) == (mpz_sgn(a_value) < 0));
    }
    mpz_clears(a_value, b_value, NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parse__accepted__prints_canonically),
    cmocka_unit_test(parse__not_a_number__wrong_type),
    cmocka_unit_test(parse__does_not_fit__bound_named),
    cmocka_unit_test(parse__very_long__still_exact),
    cmocka_unit_test(make__not_normal_or_out_of_bounds__corrupt),
    cmocka_unit_test(make__edges__same_as_parsed),
    cmocka_unit_test(parse__random__accepts_exactly_what_the_contract_does),
    cmocka_unit_test(compare__random__as_the_oracle),
};

TESTKIT_MAIN(tests)
