#include "tests/lib/decimal_oracle.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/testkit.h"

void oracle_power(mpz_t ret, unsigned long n)
{
    mpz_ui_pow_ui(ret, 10, n);
}

/* --- reading ---------------------------------------------------------------------------------- */

enum {
    PART_SIGN = 1,
    PART_WHOLE,
    PART_FRACTION = 4,
    PART_EXPONENT = 6,
    PARTS = 7,
};

/* Whether the LENGTH bytes at TEXT are a number, and where its parts are. */
static bool split(const char *text, size_t length, regmatch_t *parts)
{
    static const char form[] = "^([+-]?)([0-9]+)(\\.([0-9]+))?([eE]([+-]?[0-9]+))?$";
    static regex_t compiled;
    static bool ready;
    if (!ready) {
        if (regcomp(&compiled, form, REG_EXTENDED) != 0) {
            abort();
        }
        ready = true;
    }
    parts[0] = (regmatch_t){.rm_so = 0, .rm_eo = (regoff_t)length};
    return regexec(&compiled, text, PARTS, parts, REG_STARTEND) == 0 && parts[0].rm_so == 0 &&
           parts[0].rm_eo == (regoff_t)length;
}

/* The integer that the texts of the parts A and B make, one behind the other. */
static void join(const char *text, const regmatch_t *a, const regmatch_t *b, mpz_t ret)
{
    size_t a_bytes = (size_t)(a->rm_eo - a->rm_so);
    size_t b_bytes = b != NULL && b->rm_so >= 0 ? (size_t)(b->rm_eo - b->rm_so) : 0;
    char *digits = malloc(a_bytes + b_bytes + 1);
    if (digits == NULL) {
        abort();
    }
    memcpy(digits, text + a->rm_so, a_bytes);
    if (b_bytes > 0) {
        memcpy(digits + a_bytes, text + b->rm_so, b_bytes);
    }
    digits[a_bytes + b_bytes] = '\0';
    if (mpz_set_str(ret, digits[0] == '+' ? digits + 1 : digits, 10) != 0) {
        abort(); /* they are digits */
    }
    free(digits);
}

static unsigned long digits_of(const mpz_t value)
{
    char *text = mpz_get_str(NULL, 10, value);
    unsigned long digits = strlen(text);
    free(text);
    return digits;
}

/* MAGNITUDE x 10^EXPONENT, which is not 0, against the bounds; where it fits, MAGNITUDE becomes
 * the value. */
static enum oracle_verdict judge(mpz_t magnitude, mpz_t exponent)
{
    mpz_t ten;
    mpz_init_set_ui(ten, 10);
    unsigned long zeros = mpz_remove(magnitude, magnitude, ten);
    mpz_add_ui(exponent, exponent, zeros);
    mpz_clear(ten);
    unsigned long digits = digits_of(magnitude);
    if (digits > 18) {
        return ORACLE_TOO_MANY_DIGITS;
    }
    if (mpz_cmp_si(exponent, -18) < 0) {
        return ORACLE_TOO_MANY_FRACTION;
    }
    if (mpz_cmp_si(exponent, 26 - (long)digits) > 0) {
        return ORACLE_TOO_MANY_WHOLE;
    }
    mpz_t power;
    mpz_init(power);
    oracle_power(power, (unsigned long)(mpz_get_si(exponent) + ORACLE_SCALE));
    mpz_mul(magnitude, magnitude, power);
    mpz_clear(power);
    return ORACLE_FITS;
}

enum oracle_verdict oracle_parse(const char *text, size_t length, mpz_t ret)
{
    regmatch_t parts[PARTS];
    if (!split(text, length, parts)) {
        return ORACLE_NOT_A_NUMBER;
    }
    mpz_t exponent;
    mpz_init(exponent);
    join(text, &parts[PART_WHOLE], &parts[PART_FRACTION], ret);
    if (parts[PART_EXPONENT].rm_so >= 0) {
        join(text, &parts[PART_EXPONENT], NULL, exponent);
    }
    if (parts[PART_FRACTION].rm_so >= 0) {
        mpz_sub_ui(exponent, exponent,
                   (unsigned long)(parts[PART_FRACTION].rm_eo - parts[PART_FRACTION].rm_so));
    }
    enum oracle_verdict verdict = mpz_sgn(ret) == 0 ? ORACLE_FITS : judge(ret, exponent);
    mpz_clear(exponent);
    if (parts[PART_SIGN].rm_eo > parts[PART_SIGN].rm_so && text[parts[PART_SIGN].rm_so] == '-') {
        mpz_neg(ret, ret);
    }
    return verdict;
}

/* --- printing --------------------------------------------------------------------------------- */

void oracle_print(const mpz_t value, char *buffer)
{
    mpz_t unit;
    mpz_t whole;
    mpz_t fraction;
    char digits[ORACLE_SCALE + 1];
    mpz_inits(unit, whole, fraction, NULL);
    oracle_power(unit, ORACLE_SCALE);
    mpz_tdiv_qr(whole, fraction, value, unit);
    mpz_abs(whole, whole);
    mpz_abs(fraction, fraction);
    gmp_snprintf(digits, sizeof digits, "%036Zd", fraction);
    size_t n = ORACLE_SCALE;
    while (n > 0 && digits[n - 1] == '0') {
        digits[--n] = '\0';
    }
    gmp_snprintf(buffer, ORACLE_TEXT_MAX, "%s%Zd%s%s", mpz_sgn(value) < 0 ? "-" : "", whole,
                 n > 0 ? "." : "", digits);
    mpz_clears(unit, whole, fraction, NULL);
}

/* --- to and from the module under test -------------------------------------------------------- */

void oracle_of_decimal(struct decimal value, mpz_t ret)
{
    oracle_power(ret, (unsigned long)(ORACLE_SCALE - decimal_scale(value)));
    mpz_mul_si(ret, ret, decimal_mantissa(value));
}

void oracle_of_amount(struct amount value, mpz_t ret)
{
    char text[AMOUNT_TEXT_MAX];
    size_t length = amount_print(value, text);
    regmatch_t parts[PARTS];
    if (!split(text, length, parts) || parts[PART_EXPONENT].rm_so >= 0) {
        testkit_fail("amount_print() gives '%s'", text);
    }
    const regmatch_t *fraction = &parts[PART_FRACTION];
    size_t fraction_digits = fraction->rm_so >= 0 ? (size_t)(fraction->rm_eo - fraction->rm_so) : 0;
    mpz_t power;
    mpz_init(power);
    join(text, &parts[PART_WHOLE], fraction, ret);
    oracle_power(power, ORACLE_SCALE - fraction_digits);
    mpz_mul(ret, ret, power);
    if (text[0] == '-') {
        mpz_neg(ret, ret);
    }
    mpz_clear(power);
}

static struct decimal decimal_of(const mpz_t mantissa, const char *exponent)
{
    struct decimal result;
    char text[ORACLE_TEXT_MAX];
    int length = gmp_snprintf(text, sizeof text, "%Zde%s", mantissa, exponent);
    assert_ok(decimal_parse(text, (size_t)length, &result, NULL));
    return result;
}

struct amount oracle_make_amount(const mpz_t value)
{
    static const char *const exponents[] = {"-18", "-18", "0", "18"}; /* of each 18 digits */
    struct amount sum = amount_zero();
    mpz_t rest;
    mpz_t digits;
    mpz_t unit;
    mpz_inits(rest, digits, unit, NULL);
    oracle_power(unit, 18);
    mpz_set(rest, value);
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        mpz_tdiv_qr(rest, digits, rest, unit);
        struct decimal part = decimal_of(digits, exponents[i]);
        struct amount addend = amount_from_decimal(part);
        if (i == 0) { /* 18 digits further down than a decimal reaches */
            mpz_set_ui(digits, 1);
            assert_ok(amount_product(part, decimal_of(digits, "-18"), &addend));
        }
        assert_ok(amount_add(&sum, addend));
    }
    assert_int_equal(mpz_sgn(rest), 0);
    mpz_clears(rest, digits, unit, NULL);
    return sum;
}

void oracle_round(const mpz_t value, unsigned long digits, mpz_t ret)
{
    mpz_t step;
    mpz_t rest;
    mpz_t steps;
    mpz_inits(step, rest, steps, NULL);
    oracle_power(step, ORACLE_SCALE - digits);
    /* away from nothing: by magnitude and sign, not by floor as the module does it */
    mpz_tdiv_qr(steps, rest, value, step);
    mpz_abs(rest, rest);
    mpz_mul_ui(rest, rest, 2);
    int against_half = mpz_cmp(rest, step);
    if (against_half > 0 || (against_half == 0 && mpz_odd_p(steps))) {
        if (mpz_sgn(value) < 0) {
            mpz_sub_ui(steps, steps, 1);
        } else {
            mpz_add_ui(steps, steps, 1);
        }
    }
    mpz_mul(ret, steps, step);
    mpz_clears(step, rest, steps, NULL);
}
