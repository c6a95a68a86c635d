/* Decimals: whatever is taken is what the oracle takes, prints to what parses to it again, and is
 * multiplied, added, compared and rounded exactly.  The input is two numbers with a '*' between. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/lib/decimal_oracle.h"

enum {
    TEXT_MAX = 256, /* of one: longer ones only take longer */
};

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
    return STATUS_INTERNAL;
}

static void check_printed(struct decimal value, const mpz_t expected)
{
    char text[DECIMAL_TEXT_MAX];
    char oracle_text[ORACLE_TEXT_MAX];
    struct decimal again;
    size_t length = decimal_print(value, text);
    oracle_print(expected, oracle_text);
    FUZZ_CHECK(length < sizeof text && strlen(text) == length);
    FUZZ_CHECK(strcmp(text, oracle_text) == 0);
    FUZZ_CHECK(decimal_parse(text, length, &again, NULL) == 0 && decimal_equal(again, value));
    FUZZ_CHECK(decimal_make(decimal_mantissa(value), decimal_scale(value), &again) == 0);
    FUZZ_CHECK(decimal_equal(again, value));
}

static bool take(struct slice text, struct decimal *ret, mpz_t expected)
{
    char *copy = fuzz_copy(text);
    char *string = fuzz_string(text); /* the sanitizer's regexec() wants one */
    const char *why = NULL;
    int status = decimal_parse(copy, text.length, ret, &why);
    FUZZ_CHECK(status == status_of(oracle_parse(string, text.length, expected)));
    FUZZ_CHECK(status != STATUS_OUT_OF_BOUNDS || why != NULL);
    free(string);
    free(copy);
    if (status == 0) {
        check_printed(*ret, expected);
    }
    return status == 0;
}

static void check_amount(struct amount value, const mpz_t expected)
{
    char text[AMOUNT_TEXT_MAX];
    char oracle_text[ORACLE_TEXT_MAX];
    struct amount again;
    size_t length = amount_print(value, text);
    oracle_print(expected, oracle_text);
    FUZZ_CHECK(length < sizeof text && strcmp(text, oracle_text) == 0);
    FUZZ_CHECK(amount_parse(text, length, &again) == 0 && amount_compare(again, value) == 0);
    FUZZ_CHECK(amount_compare(amount_negate(amount_negate(value)), value) == 0);
    for (int digits = 0; digits <= AMOUNT_FRACTION_MAX; digits += 2) {
        mpz_t rounded;
        mpz_init(rounded);
        oracle_round(expected, (unsigned long)digits, rounded);
        oracle_print(rounded, oracle_text);
        IGNORE(amount_print(amount_round(value, digits), text) == 0);
        FUZZ_CHECK(strcmp(text, oracle_text) == 0);
        mpz_clear(rounded);
    }
}

static void check_product(struct decimal a, struct decimal b, const mpz_t x, const mpz_t y)
{
    struct amount product;
    mpz_t expected;
    mpz_t bound;
    mpz_inits(expected, bound, NULL);
    oracle_power(bound, ORACLE_SCALE);
    mpz_mul(expected, x, y);
    mpz_tdiv_q(expected, expected, bound); /* exact: at most 36 digits behind the point */
    oracle_power(bound, ORACLE_SCALE + 15);
    int status = amount_product(a, b, &product);
    FUZZ_CHECK(status == (mpz_cmpabs(expected, bound) < 0 ? 0 : STATUS_AMOUNT_TOO_LARGE));
    if (status == 0) {
        check_amount(product, expected);
    }
    mpz_clears(expected, bound, NULL);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void check_pair(struct decimal a, struct decimal b, const mpz_t x, const mpz_t y)
{
    struct amount sum = amount_from_decimal(a);
    mpz_t expected;
    mpz_init(expected);
    mpz_add(expected, x, y);
    FUZZ_CHECK(amount_add(&sum, amount_from_decimal(b)) == 0);
    check_amount(sum, expected);
    FUZZ_CHECK(amount_subtract(&sum, amount_from_decimal(b)) == 0);
    FUZZ_CHECK(amount_compare(sum, amount_from_decimal(a)) == 0);
    FUZZ_CHECK(sign(decimal_compare(a, b)) == sign(mpz_cmp(x, y)));
    FUZZ_CHECK(decimal_equal(a, b) == (mpz_cmp(x, y) == 0));
    FUZZ_CHECK(decimal_is_negative(a) == (mpz_sgn(x) < 0));
    mpz_clear(expected);
    check_product(a, b, x, y);
}

/* What is no amount's print is no amount. */
static void check_amount_text(struct slice text)
{
    char printed[AMOUNT_TEXT_MAX];
    struct amount value;
    char *copy = fuzz_copy(text);
    if (amount_parse(copy, text.length, &value) == 0) {
        size_t length = amount_print(value, printed);
        FUZZ_CHECK(slice_equal((struct slice){printed, length}, text));
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = {(const char *)data, size < 2 * TEXT_MAX ? size : 2 * TEXT_MAX};
    const char *star = all.length == 0 ? NULL : memchr(all.data, '*', all.length);
    size_t first = star == NULL ? all.length : (size_t)(star - all.data);
    struct slice second =
        star == NULL ? SLICE("1") : (struct slice){star + 1, all.length - first - 1};
    struct decimal a;
    struct decimal b;
    mpz_t x;
    mpz_t y;
    mpz_inits(x, y, NULL);
    check_amount_text((struct slice){all.data, first});
    bool both = take((struct slice){all.data, first}, &a, x);
    both = take(second, &b, y) && both;
    if (both) {
        check_pair(a, b, x, y);
    }
    mpz_clears(x, y, NULL);
    return 0;
}
