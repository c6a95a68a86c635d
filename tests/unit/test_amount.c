/* Amounts: products, sums, comparison, the one rounding and their texts, against
 * tests/lib/decimal_oracle. */
#include <string.h>

#include "proto/decimal.h"
#include "tests/lib/decimal_oracle.h"
#include "tests/lib/testkit.h"

enum {
    RANDOM_CASES = 200000,
    SUMMANDS = 1000000,
};

static struct decimal parsed(const char *text)
{
    struct decimal value;
    assert_ok(decimal_parse(text, strlen(text), &value, NULL));
    return value;
}

static void assert_amount(struct amount got, const mpz_t expected)
{
    char text[AMOUNT_TEXT_MAX];
    char expected_text[ORACLE_TEXT_MAX];
    oracle_print(expected, expected_text);
    size_t length = amount_print(got, text);
    assert_text(text, length, expected_text);
    assert_u64(strlen(text), length);
}

static struct amount parsed_amount(const char *text)
{
    return amount_from_decimal(parsed(text));
}

/* A number of at most DIGITS_MAX digits, small ones as likely as large ones. */
static void random_digits(struct rng *rng, unsigned digits_max, mpz_t ret)
{
    uint64_t digits = rng_below(rng, digits_max + 1);
    bool edge = rng_below(rng, 8) == 0; /* 99...9 or 10...0 */
    mpz_set_ui(ret, edge ? 1 : 0);
    for (uint64_t i = 0; i < digits; i++) {
        mpz_mul_ui(ret, ret, 10);
        mpz_add_ui(ret, ret, edge ? 0 : (unsigned long)rng_below(rng, 10));
    }
    if (edge && rng_below(rng, 2) == 0) {
        mpz_sub_ui(ret, ret, 1);
    }
}

static struct decimal random_decimal(struct rng *rng)
{
    for (;;) {
        struct decimal value;
        char text[64];
        mpz_t mantissa;
        mpz_init(mantissa);
        random_digits(rng, 18, mantissa);
        int length = gmp_snprintf(text, sizeof text, "%s%Zde%d", rng_below(rng, 4) == 0 ? "-" : "",
                                  mantissa, (int)rng_between(rng, -18, 25));
        mpz_clear(mantissa);
        if (decimal_parse(text, (size_t)length, &value, NULL) == 0) {
            return value;
        }
    }
}

/* --- products --------------------------------------------------------------------------------- */

static void product__edges__exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *units;
        const char *price;
        const char *amount; /* NULL: too large */
    } cases[] = {
        {"58", "0.05", "2.9"},
        {"0", "0.05", "0"},
        {"-0", "-5", "0"},
        {"0", "99999999999999999900000000", "0"},
        {"0.000000000000000001", "0.000000000000000001", "0.000000000000000000000000000000000001"},
        {"-0.000000000000000001", "0.000000000000000001",
         "-0.000000000000000000000000000000000001"},
        {"0.999999999999999999", "0.999999999999999999", "0.999999999999999998000000000000000001"},
        {"999999999999999999", "0.000000000000000001", "0.999999999999999999"},
        {"1e25", "1e-18", "10000000"},
        {"1e25", "1e-11", "100000000000000"},
        {"1e14", "9.99999999999999999", "999999999999999.999"},
        {"999999999999999.999", "1", "999999999999999.999"},
        {"-999999999999999.999", "1", "-999999999999999.999"},
        {"999999999999999.999", "-1", "-999999999999999.999"},
        {"-999999999999999.999", "-1", "999999999999999.999"},
        {"1e15", "1", NULL},
        {"-1e15", "1", NULL},
        {"1e25", "1e-10", NULL},
        {"2e7", "5e7", NULL},
        {"31622777", "31622777", NULL},
        {"31622776", "31622776", "999999961946176"},
        {"1e25", "1e25", NULL},
        {"-99999999999999999900000000", "99999999999999999900000000", NULL},
        {"999999999999999999", "999999999999999999", NULL},
        {"999999999999999999", "1e-3", "999999999999999.999"},
        {"1000000000000000.01", "1", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount amount;
        char text[AMOUNT_TEXT_MAX];
        int status = amount_product(parsed(cases[i].units), parsed(cases[i].price), &amount);
        if (cases[i].amount == NULL) {
            assert_status(status, STATUS_AMOUNT_TOO_LARGE);
        } else {
            assert_ok(status);
            assert_text(text, amount_print(amount, text), cases[i].amount);
        }
    }
}

static void product__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("product");
    int fitting = 0;
    mpz_t expected;
    mpz_t price_value;
    mpz_t scale;
    mpz_t bound;
    mpz_inits(expected, price_value, scale, bound, NULL);
    oracle_power(scale, ORACLE_SCALE);
    oracle_power(bound, 15 + ORACLE_SCALE);
    for (int i = 0; i < RANDOM_CASES; i++) {
        struct decimal units = random_decimal(&rng);
        struct decimal price = random_decimal(&rng);
        struct amount amount;
        oracle_of_decimal(units, expected);
        oracle_of_decimal(price, price_value);
        mpz_mul(expected, expected, price_value);
        assert_true(mpz_divisible_p(expected, scale) != 0); /* 36 fraction digits are enough */
        mpz_divexact(expected, expected, scale);
        int status = amount_product(units, price, &amount);
        if (mpz_cmpabs(expected, bound) >= 0) {
            assert_status(status, STATUS_AMOUNT_TOO_LARGE);
        } else {
            assert_ok(status);
            assert_amount(amount, expected);
            fitting++;
        }
    }
    mpz_clears(expected, price_value, scale, bound, NULL);
    assert_true(fitting > RANDOM_CASES / 10 && fitting < RANDOM_CASES * 9 / 10);
}

/* MANTISSA, below 2^127 either way. */
static __int128 mantissa_of(const mpz_t mantissa)
{
    mpz_t low;
    mpz_t high;
    mpz_inits(low, high, NULL);
    mpz_fdiv_r_2exp(low, mantissa, 64);
    mpz_fdiv_q_2exp(high, mantissa, 64);
    __int128 value = (__int128)mpz_get_si(high) * ((__int128)1 << 64) + mpz_get_ui(low);
    mpz_clears(low, high, NULL);
    return value;
}

static void times__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("times");
    int fitting = 0;
    mpz_t units;
    mpz_t expected;
    mpz_t price_value;
    mpz_t bound;
    mpz_inits(units, expected, price_value, bound, NULL);
    oracle_power(bound, 30 + ORACLE_SCALE); /* more than all records of a price add up to */
    for (int i = 0; i < RANDOM_CASES; i++) {
        struct decimal price = random_decimal(&rng);
        struct amount amount;
        int scale = (int)rng_between(&rng, -25, 18);
        random_digits(&rng, 35, units); /* an edge has one more */
        if (rng_below(&rng, 4) == 0) {
            mpz_neg(units, units);
        }
        oracle_power(expected, (unsigned)(ORACLE_SCALE - scale));
        mpz_mul(expected, expected, units);
        oracle_of_decimal(price, price_value);
        mpz_mul(expected, expected, price_value);
        oracle_power(price_value, ORACLE_SCALE);
        mpz_fdiv_q(expected, expected, price_value);
        int status = amount_times(mantissa_of(units), scale, price, &amount);
        if (status == 0) {
            assert_amount(amount, expected);
            fitting++;
        } else {
            assert_status(status, STATUS_CORRUPT);
            assert_true(mpz_cmpabs(expected, bound) >= 0);
        }
    }
    mpz_clears(units, expected, price_value, bound, NULL);
    assert_true(fitting > RANDOM_CASES / 2 && fitting < RANDOM_CASES);
}

static void times__mantissa_or_scale_out_of_bounds__corrupt(void **state)
{
    (void)state;
    struct amount amount;
    __int128 first = 1;
    for (int i = 0; i < 36; i++) {
        first *= 10;
    }
    assert_status(amount_times(first, 18, parsed("1"), &amount), STATUS_CORRUPT);
    assert_status(amount_times(-first, 18, parsed("1"), &amount), STATUS_CORRUPT);
    assert_ok(amount_times(first - 1, 18, parsed("1"), &amount));
    assert_status(amount_times(1, 19, parsed("1e-18"), &amount),
                  STATUS_CORRUPT); /* nor such a scale */
    assert_status(amount_times(1, 127, parsed("1"), &amount), STATUS_CORRUPT);
    assert_status(amount_times(1, -128, parsed("1"), &amount), STATUS_CORRUPT);
}

/* --- sums ------------------------------------------------------------------------------------- */

static void sum__a_million_random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("sum");
    struct amount sum = amount_zero();
    mpz_t expected;
    mpz_t value;
    mpz_inits(expected, value, NULL);
    for (int i = 1; i <= SUMMANDS; i++) {
        struct decimal units;
        struct decimal price;
        struct amount amount;
        /* 18 digits each, the last never a zero: products of up to 36 fraction digits */
        int64_t unit_digits = rng_between(&rng, 10000000000000000, 99999999999999999) * 10 + 7;
        int64_t price_digits = rng_between(&rng, -99999999999999999, 99999999999999999) * 10 + 3;
        assert_ok(decimal_make(unit_digits, (int)rng_between(&rng, 10, 18), &units));
        assert_ok(decimal_make(price_digits, (int)rng_between(&rng, 12, 18), &price));
        assert_ok(amount_product(units, price, &amount));
        mpz_set_si(value, unit_digits);
        mpz_mul_si(value, value, price_digits);
        for (int scale = decimal_scale(units) + decimal_scale(price); scale < ORACLE_SCALE;
             scale++) {
            mpz_mul_ui(value, value, 10);
        }
        if (rng_below(&rng, 4) == 0) {
            assert_ok(amount_subtract(&sum, amount));
            mpz_sub(expected, expected, value);
        } else {
            assert_ok(amount_add(&sum, amount));
            mpz_add(expected, expected, value);
        }
        if (i % 1000 == 0) {
            assert_amount(sum, expected);
        }
    }
    assert_amount(sum, expected);
    mpz_clears(expected, value, NULL);
}

/* COUNT times VALUE by doubling. */
static struct amount times(struct amount value, uint64_t count)
{
    struct amount result = amount_zero();
    for (; count > 0; count >>= 1) {
        if ((count & 1) != 0) {
            assert_ok(amount_add(&result, value));
        }
        if (count > 1) {
            assert_ok(amount_add(&value, value));
        }
    }
    return result;
}

static void sum__of_the_largest__exact_for_10_to_the_12(void **state)
{
    (void)state;
    static const char *const largest[] = {
        "99999999999999999900000000",
        "-99999999999999999900000000",
        "999999999999999.999",
        "-0.000000000000000001",
    };
    mpz_t expected;
    mpz_init(expected);
    for (size_t i = 0; i < sizeof largest / sizeof largest[0]; i++) {
        struct decimal value = parsed(largest[i]);
        struct amount sum = times(amount_from_decimal(value), 1000000000000);
        oracle_of_decimal(value, expected);
        mpz_mul_ui(expected, expected, 1000000000000);
        assert_amount(sum, expected);
    }
    mpz_clear(expected);
}

/* Doubled until it is refused: then the sum is as it was, and the truth is indeed out of reach. */
static void check_overflow(const char *start, bool by_subtracting)
{
    struct amount sum = amount_from_decimal(parsed(start));
    mpz_t expected;
    mpz_t bound;
    int status;
    mpz_inits(expected, bound, NULL);
    oracle_of_amount(sum, expected);
    do {
        struct amount before = sum;
        struct amount addend = sum;
        if (by_subtracting) {
            addend = amount_zero();
            status = amount_subtract(&addend, sum);
            status = status != 0 ? status : amount_subtract(&sum, addend);
        } else {
            status = amount_add(&sum, addend);
        }
        assert_int_equal(amount_compare(sum, before) == 0, status != 0);
        if (status == 0) {
            mpz_mul_ui(expected, expected, 2);
        }
        assert_amount(sum, expected);
    } while (status == 0);
    assert_status(status, STATUS_OUT_OF_BOUNDS);
    oracle_power(bound, 12 + 26 + ORACLE_SCALE);
    mpz_mul_ui(expected, expected, 2);
    assert_true(mpz_cmpabs(expected, bound) >= 0);
    mpz_clears(expected, bound, NULL);
}

static void sum__out_of_reach__refused_and_unchanged(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "99999999999999999900000000",
        "-99999999999999999900000000",
        "1",
        "-1",
        "0.999999999999999999",
        "-0.999999999999999999",
        "-0.000000000000000001",
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        check_overflow(starts[i], false);
        check_overflow(starts[i], true);
    }
}

static void random_value(struct rng *rng, mpz_t ret)
{
    random_digits(rng, 25 + ORACLE_SCALE, ret);
    if (rng_below(rng, 2) == 0) {
        mpz_neg(ret, ret);
    }
}

static void sum_and_compare__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("pairs");
    mpz_t a;
    mpz_t b;
    mpz_t result;
    mpz_inits(a, b, result, NULL);
    for (int i = 0; i < RANDOM_CASES / 10; i++) {
        random_value(&rng, a);
        random_value(&rng, b);
        if (rng_below(&rng, 4) == 0) { /* neighbours, or equal */
            mpz_set_si(result, (long)rng_between(&rng, -1, 1));
            mpz_add(b, a, result);
        }
        struct amount a_amount = oracle_make_amount(a);
        struct amount b_amount = oracle_make_amount(b);
        assert_amount(a_amount, a);
        int order = amount_compare(a_amount, b_amount);
        int expected = mpz_cmp(a, b);
        assert_int_equal((order > 0) - (order < 0), (expected > 0) - (expected < 0));
        struct amount sum = a_amount;
        assert_ok(amount_add(&sum, b_amount));
        mpz_add(result, a, b);
        assert_amount(sum, result);
        assert_ok(amount_subtract(&sum, b_amount));
        assert_int_equal(amount_compare(sum, a_amount), 0);
        assert_ok(amount_subtract(&sum, b_amount));
        mpz_sub(result, a, b);
        assert_amount(sum, result);
    }
    mpz_clears(a, b, result, NULL);
}

/* --- rounding --------------------------------------------------------------------------------- */

static void check_round(const mpz_t value, unsigned long digits)
{
    mpz_t expected;
    mpz_init(expected);
    oracle_round(value, digits, expected);
    struct amount rounded = amount_round(oracle_make_amount(value), (int)digits);
    assert_amount(rounded, expected);
    /* what is rounded stays, and has one form only */
    assert_int_equal(amount_compare(amount_round(rounded, (int)digits), rounded), 0);
    assert_int_equal(amount_compare(rounded, oracle_make_amount(expected)), 0);
    mpz_clear(expected);
}

static void round__every_half__to_even(void **state)
{
    (void)state;
    static const long wholes[] = {0, 1, 2, 3, 9, 10, 19, 99, 100, 199, 998, 999, 999999};
    mpz_t half;
    mpz_t value;
    mpz_t off;
    mpz_inits(half, value, off, NULL);
    for (unsigned long digits = 0; digits < ORACLE_SCALE; digits++) {
        oracle_power(half, ORACLE_SCALE - digits);
        mpz_divexact_ui(half, half, 2); /* of the last digit that is kept */
        for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++) {
            for (long by = -1; by <= 1; by++) { /* just below, on, just above */
                mpz_mul_ui(value, half, (unsigned long)(2 * wholes[i] + 1));
                mpz_set_si(off, by);
                mpz_add(value, value, off);
                check_round(value, digits);
                mpz_neg(value, value);
                check_round(value, digits);
            }
        }
    }
    mpz_clears(half, value, off, NULL);
}

/* The table that finance would check by hand. */
static void round__cents__as_written(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int digits;
        const char *rounded;
    } cases[] = {
        {"0.005", 2, "0"},      {"0.015", 2, "0.02"},   {"0.025", 2, "0.02"},
        {"-0.005", 2, "0"},     {"-0.015", 2, "-0.02"}, {"-0.025", 2, "-0.02"},
        {"0.0051", 2, "0.01"},  {"2.675", 2, "2.68"},   {"1.005", 2, "1"},
        {"0.995", 2, "1"},      {"-0.995", 2, "-1"},    {"0.5", 0, "0"},
        {"1.5", 0, "2"},        {"2.5", 0, "2"},        {"-0.5", 0, "0"},
        {"-1.5", 0, "-2"},      {"-2.5", 0, "-2"},      {"1.0005", 3, "1"},
        {"1.0015", 3, "1.002"}, {"12.34", 2, "12.34"},  {"0", 2, "0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[AMOUNT_TEXT_MAX];
        struct amount value = amount_from_decimal(parsed(cases[i].value));
        assert_text(text, amount_print(amount_round(value, cases[i].digits), text),
                    cases[i].rounded);
    }
}

static void round__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("round");
    mpz_t value;
    mpz_init(value);
    for (int i = 0; i < RANDOM_CASES / 10; i++) {
        random_value(&rng, value);
        check_round(value, (unsigned long)rng_below(&rng, ORACLE_SCALE + 1));
    }
    mpz_clear(value);
}

/* --- text and sign ---------------------------------------------------------------------------- */

static void parse__what_print_gives__comes_back(void **state)
{
    (void)state;
    struct rng rng = rng_make("texts");
    mpz_t value;
    mpz_init(value);
    for (int i = 0; i < RANDOM_CASES; i++) {
        char text[AMOUNT_TEXT_MAX];
        struct amount back;
        random_value(&rng, value);
        struct amount amount = oracle_make_amount(value);
        assert_ok(amount_parse(text, amount_print(amount, text), &back));
        assert_int_equal(amount_compare(back, amount), 0);
        assert_amount(back, value);
    }
    mpz_clear(value);
}

static void parse__ends_of_the_range__come_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "170141183460469231731687303715884105727",
        "170141183460469231731687303715884105727.999999999999999999999999999999999999",
        "-170141183460469231731687303715884105727",
        "-170141183460469231731687303715884105727.999999999999999999999999999999999999",
        "0.000000000000000000000000000000000001",
        "-0.000000000000000000000000000000000001",
        "0",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[AMOUNT_TEXT_MAX];
        struct amount amount;
        assert_ok(amount_parse(texts[i], strlen(texts[i]), &amount));
        assert_text(text, amount_print(amount, text), texts[i]);
        struct amount twice = amount_negate(amount_negate(amount));
        assert_text(text, amount_print(twice, text), texts[i]);
    }
}

static void parse__any_other_text__corrupt(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "-",
        ".",
        "-.",
        "1.",
        ".5",
        "-.5",
        "+1",
        "-0",
        "00",
        "01",
        "-01",
        "1.0",
        "1.50",
        "0.0",
        "1e3",
        "1 ",
        " 1",
        "1..5",
        "1.5.5",
        "--1",
        "1-",
        "1.-5",
        "0x1",
        "a",
        "1,5",
        "-0.0",
        "1.0000000000000000000000000000000000001",    /* 37 digits behind the point */
        "170141183460469231731687303715884105728",    /* 2^127 */
        "-170141183460469231731687303715884105728.5", /* below -2^127 */
        "340282366920938463463374607431768211456",    /* 2^128: wraps to 0 */
        "340282366920938463463374607431768211457",    /* to 1 */
        "-340282366920938463463374607431768211457",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999",
        "0.340282366920938463463374607431768211457",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct amount amount = parsed_amount("42");
        assert_status(amount_parse(texts[i], strlen(texts[i]), &amount), STATUS_CORRUPT);
        assert_int_equal(amount_compare(amount, parsed_amount("42")), 0);
    }
    struct amount amount;
    assert_status(amount_parse(NULL, 0, &amount), STATUS_CORRUPT);
    assert_status(amount_parse("1\0", 2, &amount), STATUS_CORRUPT);
}

static void negate__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("negate");
    mpz_t value;
    mpz_init(value);
    for (int i = 0; i < RANDOM_CASES; i++) {
        random_value(&rng, value);
        struct amount amount = oracle_make_amount(value);
        struct amount negative = amount_negate(amount);
        mpz_neg(value, value);
        assert_amount(negative, value);
        assert_ok(amount_add(&negative, amount)); /* and together they are nothing */
        assert_int_equal(amount_compare(negative, amount_zero()), 0);
    }
    mpz_clear(value);
}

static void residue__random__as_the_oracle(void **state)
{
    (void)state;
    struct rng rng = rng_make("residue");
    mpz_t value;
    mpz_t modulus;
    mpz_init(value);
    mpz_init(modulus);
    mpz_ui_pow_ui(modulus, 2, 61);
    mpz_sub_ui(modulus, modulus, 1);
    assert_u64(mpz_get_ui(modulus), AMOUNT_RESIDUE_MODULUS);
    for (int i = 0; i < RANDOM_CASES; i++) {
        random_value(&rng, value);
        struct amount amount = oracle_make_amount(value);
        mpz_mod(value, value, modulus);
        assert_u64(amount_residue(amount), mpz_get_ui(value));
    }
    mpz_clear(value);
    mpz_clear(modulus);
}

static void residue__edges__as_counted(void **state)
{
    static const char least_text[] = "0.000000000000000000000000000000000001";
    static const char round_text[] = "0.000000000000000002305843009213693951"; /* 2^61 - 1 of it */
    struct amount least;
    struct amount round;
    (void)state;
    assert_ok(amount_parse(least_text, sizeof least_text - 1, &least));
    assert_ok(amount_parse(round_text, sizeof round_text - 1, &round));
    assert_u64(amount_residue(amount_zero()), 0);
    assert_u64(amount_residue(least), 1);
    assert_u64(amount_residue(amount_negate(least)), AMOUNT_RESIDUE_MODULUS - 1);
    assert_u64(amount_residue(round), 0);
    assert_u64(amount_residue(amount_negate(round)), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(product__edges__exact_or_refused),
    cmocka_unit_test(product__random__as_the_oracle),
    cmocka_unit_test(times__random__as_the_oracle),
    cmocka_unit_test(times__mantissa_or_scale_out_of_bounds__corrupt),
    cmocka_unit_test(sum__a_million_random__as_the_oracle),
    cmocka_unit_test(sum__of_the_largest__exact_for_10_to_the_12),
    cmocka_unit_test(sum__out_of_reach__refused_and_unchanged),
    cmocka_unit_test(sum_and_compare__random__as_the_oracle),
    cmocka_unit_test(round__cents__as_written),
    cmocka_unit_test(round__every_half__to_even),
    cmocka_unit_test(round__random__as_the_oracle),
    cmocka_unit_test(parse__what_print_gives__comes_back),
    cmocka_unit_test(parse__ends_of_the_range__come_back),
    cmocka_unit_test(parse__any_other_text__corrupt),
    cmocka_unit_test(negate__random__as_the_oracle),
    cmocka_unit_test(residue__random__as_the_oracle),
    cmocka_unit_test(residue__edges__as_counted),
};

TESTKIT_MAIN(tests)
