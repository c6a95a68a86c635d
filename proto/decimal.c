#include "proto/decimal.h"

#include <string.h>

typedef unsigned __int128 u128;
typedef __int128 i128;

/* 10^N for N up to 36, which is within 128 bits (10^38 < 2^127). */
static u128 power_of_ten(int n)
{
    static const uint64_t small[] = {
        1ULL,
        10ULL,
        100ULL,
        1000ULL,
        10000ULL,
        100000ULL,
        1000000ULL,
        10000000ULL,
        100000000ULL,
        1000000000ULL,
        10000000000ULL,
        100000000000ULL,
        1000000000000ULL,
        10000000000000ULL,
        100000000000000ULL,
        1000000000000000ULL,
        10000000000000000ULL,
        100000000000000000ULL,
        1000000000000000000ULL,
    };
    return n <= 18 ? small[n] : (u128)small[18] * small[n - 18];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- parsing ---------------------------------------------------------------------------------- */

struct scan {
    const char *at;
    const char *end;
    uint64_t mantissa;   /* of the first DECIMAL_DIGITS_MAX that count */
    int64_t digits;      /* that count: from the first that is not 0 */
    int64_t zeros;       /* of them, the zeros at the end */
    int64_t point_shift; /* digits behind the point */
};

static void scan_digit(struct scan *s, char c)
{
    if (s->digits == 0 && c == '0') {
        return;
    }
    s->digits++;
    s->zeros = c == '0' ? s->zeros + 1 : 0;
    if (s->digits <= DECIMAL_DIGITS_MAX) {
        s->mantissa = s->mantissa * 10 + (uint64_t)(c - '0');
    }
}

/* A run of at least one digit. */
static bool scan_digits(struct scan *s, bool behind_point)
{
    const char *start = s->at;
    for (; s->at < s->end && is_digit(*s->at); s->at++) {
        scan_digit(s, *s->at);
        s->point_shift += behind_point;
    }
    return s->at > start;
}

static bool scan_exponent(struct scan *s, int64_t *ret_exponent)
{
    bool negative = false;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
        negative = *s->at++ == '-';
    }
    const char *start = s->at;
    int64_t exponent = 0;
    for (; s->at < s->end && is_digit(*s->at); s->at++) {
        if (exponent < INT32_MAX) { /* far beyond any bound: no need to know more */
            exponent = exponent * 10 + (*s->at - '0');
        }
    }
    *ret_exponent = negative ? -exponent : exponent;
    return s->at > start;
}

static bool scan_number(struct scan *s, bool *ret_negative, int64_t *ret_exponent)
{
    *ret_negative = false;
    *ret_exponent = 0;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
        *ret_negative = *s->at++ == '-';
    }
    if (!scan_digits(s, false)) {
        return false;
    }
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s, true)) {
            return false;
        }
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (!scan_exponent(s, ret_exponent)) {
            return false;
        }
    }
    return s->at == s->end;
}

static int fail(int status, const char *text, const char **reterr)
{
    if (reterr != NULL) {
        *reterr = text;
    }
    return status;
}

int decimal_parse(const char *text, size_t length, struct decimal *ret, const char **reterr)
{
    if (length == 0) { /* TEXT may be NULL, which has no end */
        return fail(STATUS_WRONG_TYPE, "not a decimal number", reterr);
    }
    struct scan s = {.at = text, .end = text + length};
    bool negative;
    int64_t exponent;
    if (!scan_number(&s, &negative, &exponent)) {
        return fail(STATUS_WRONG_TYPE, "not a decimal number", reterr);
    }
    if (s.digits == 0) {
        *ret = (struct decimal){0};
        return 0;
    }
    int64_t significant = s.digits - s.zeros;
    if (significant > DECIMAL_DIGITS_MAX) {
        return fail(STATUS_OUT_OF_BOUNDS, "more than 18 significant digits", reterr);
    }
    int64_t scale = s.point_shift - exponent - s.zeros;
    if (scale > DECIMAL_FRACTION_MAX) {
        return fail(STATUS_OUT_OF_BOUNDS, "more than 18 fraction digits", reterr);
    }
    if (significant - scale > DECIMAL_WHOLE_MAX) {
        return fail(STATUS_OUT_OF_BOUNDS, "more than 26 digits before the point", reterr);
    }
    int64_t kept = s.digits < DECIMAL_DIGITS_MAX ? s.digits : DECIMAL_DIGITS_MAX;
    int64_t mantissa = (int64_t)(s.mantissa / (uint64_t)power_of_ten((int)(kept - significant)));
    ret->mantissa = negative ? -mantissa : mantissa;
    ret->scale = (int8_t)scale;
    return 0;
}

int decimal_make(int64_t mantissa, int scale, struct decimal *ret)
{
    if (scale > DECIMAL_FRACTION_MAX || scale < -(DECIMAL_WHOLE_MAX - 1)) {
        return STATUS_CORRUPT;
    }
    /* what the scale leaves of the digits before the point, or all that are significant */
    int digits_max = DECIMAL_WHOLE_MAX + scale;
    const int64_t bound =
        (int64_t)power_of_ten(digits_max < DECIMAL_DIGITS_MAX ? digits_max : DECIMAL_DIGITS_MAX);
    if (mantissa <= -bound || mantissa >= bound || (mantissa == 0 && scale != 0) ||
        (mantissa != 0 && mantissa % 10 == 0)) {
        return STATUS_CORRUPT;
    }
    *ret = (struct decimal){.mantissa = mantissa, .scale = (int8_t)scale};
    return 0;
}

int64_t decimal_mantissa(struct decimal value)
{
    return value.mantissa;
}

int decimal_scale(struct decimal value)
{
    return value.scale;
}

/* --- printing --------------------------------------------------------------------------------- */

static size_t print_u64(uint64_t value, int width, char *out)
{
    char digits[20]; /* the last of them is the last here */
    int n = 0;
    while (value > 0 || n < width) {
        digits[sizeof digits - (size_t)++n] = (char)('0' + (int)(value % 10));
        value /= 10;
    }
    memcpy(out, digits + sizeof digits - n, (size_t)n);
    return (size_t)n;
}

enum {
    LOW_DIGITS = 18, /* fit 64 bits, whatever they are */
};

/* At least WIDTH digits.  Dividing 128 bits is a call, and takes ten times as long as 64: so it is
 * not done for each digit. */
static size_t print_digits(u128 value, int width, char *out)
{
    if (value <= UINT64_MAX && width <= LOW_DIGITS) {
        return print_u64((uint64_t)value, width, out);
    }
    u128 unit = power_of_ten(LOW_DIGITS);
    size_t n = print_digits(value / unit, width > LOW_DIGITS ? width - LOW_DIGITS : 1, out);
    return n + print_u64((uint64_t)(value % unit), LOW_DIGITS, out + n);
}

/* WHOLE and, behind a point, FRACTION of SCALE digits without its trailing zeros. */
static size_t print_parts(bool negative, u128 whole, u128 fraction, int scale, char *buffer)
{
    size_t n = 0;
    if (negative) {
        buffer[n++] = '-';
    }
    n += print_digits(whole, 1, buffer + n);
    if (fraction > 0) {
        buffer[n++] = '.';
        if (scale > LOW_DIGITS && fraction % power_of_ten(LOW_DIGITS) == 0) { /* as most are */
            fraction /= power_of_ten(LOW_DIGITS);
            scale -= LOW_DIGITS;
        }
        n += print_digits(fraction, scale, buffer + n);
        while (buffer[n - 1] == '0') {
            n--;
        }
    }
    buffer[n] = '\0';
    return n;
}

size_t decimal_print(struct decimal value, char *buffer)
{
    u128 magnitude = (u128)(value.mantissa < 0 ? -(i128)value.mantissa : value.mantissa);
    bool negative = value.mantissa < 0;
    if (value.scale <= 0) {
        /* at most 26 digits, as decimal_parse() saw to */
        return print_parts(negative, magnitude * power_of_ten(-value.scale), 0, 0, buffer);
    }
    uint64_t unit = (uint64_t)power_of_ten(value.scale);
    return print_parts(negative, (uint64_t)magnitude / unit, (uint64_t)magnitude % unit,
                       value.scale, buffer);
}

size_t amount_print(struct amount value, char *buffer)
{
    bool negative = value.whole < 0;
    u128 whole = (u128)value.whole;
    u128 fraction = value.fraction;
    if (negative) { /* from floor and fraction to sign and magnitude */
        whole = -whole;
        if (fraction > 0) {
            whole--;
            fraction = power_of_ten(AMOUNT_FRACTION_MAX) - fraction;
        }
    }
    return print_parts(negative, whole, fraction, AMOUNT_FRACTION_MAX, buffer);
}

/* --- comparing and summing -------------------------------------------------------------------- */

bool decimal_equal(struct decimal a, struct decimal b)
{
    return a.mantissa == b.mantissa && a.scale == b.scale;
}

bool decimal_is_negative(struct decimal value)
{
    return value.mantissa < 0;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    return amount_compare(amount_from_decimal(a), amount_from_decimal(b));
}

struct amount amount_zero(void)
{
    return (struct amount){0};
}

/* MAGNITUDE x 10^-SCALE, 0 <= SCALE <= 36, with a sign. */
static struct amount amount_of(bool negative, u128 magnitude, int scale)
{
    u128 unit = power_of_ten(scale);
    struct amount result;
    u128 rest;
    if (magnitude >> 64 == 0 && unit >> 64 == 0) { /* as most are: divided in hardware */
        result.whole = (i128)((uint64_t)magnitude / (uint64_t)unit);
        rest = (uint64_t)magnitude % (uint64_t)unit;
    } else {
        result.whole = (i128)(magnitude / unit);
        rest = magnitude % unit;
    }
    result.fraction = rest * power_of_ten(AMOUNT_FRACTION_MAX - scale);
    return negative ? amount_negate(result) : result;
}

struct amount amount_from_decimal(struct decimal value)
{
    u128 magnitude = (u128)(value.mantissa < 0 ? -(i128)value.mantissa : value.mantissa);
    if (value.scale < 0) {
        return amount_of(value.mantissa < 0, magnitude * power_of_ten(-value.scale), 0);
    }
    return amount_of(value.mantissa < 0, magnitude, value.scale);
}

/* The digits at *AT up to END, moving *AT behind them.  Wraps where they are too many: the caller
 * prints what came of them and compares. */
static u128 take_digits(const char **at, const char *end)
{
    u128 value = 0;
    for (; *at < end && is_digit(**at); (*at)++) {
        value = value * 10 + (unsigned)(**at - '0');
    }
    return value;
}

int amount_parse(const char *text, size_t length, struct amount *ret)
{
    if (length == 0) { /* TEXT may be NULL, which has no end */
        return STATUS_CORRUPT;
    }
    const char *at = text;
    const char *end = text + length;
    char canonical[AMOUNT_TEXT_MAX];
    bool negative = *at == '-';
    at += negative;
    struct amount value = {.whole = (i128)take_digits(&at, end)};
    if (at < end && *at == '.') {
        const char *first = ++at;
        u128 fraction = take_digits(&at, end);
        if (at - first > AMOUNT_FRACTION_MAX) {
            return STATUS_CORRUPT;
        }
        value.fraction = fraction * power_of_ten(AMOUNT_FRACTION_MAX - (int)(at - first));
    }
    value = negative ? amount_negate(value) : value;
    if (at != end || amount_print(value, canonical) != length ||
        memcmp(canonical, text, length) != 0) {
        return STATUS_CORRUPT;
    }
    *ret = value;
    return 0;
}

struct amount amount_negate(struct amount value)
{
    u128 whole = -(u128)value.whole; /* an amount is far from -2^127 */
    if (value.fraction == 0) {
        return (struct amount){.whole = (i128)whole};
    }
    return (struct amount){
        .whole = (i128)(whole - 1),
        .fraction = power_of_ten(AMOUNT_FRACTION_MAX) - value.fraction,
    };
}

int amount_product(struct decimal units, struct decimal price, struct amount *ret)
{
    static const uint64_t bound = 1000000000000000ULL; /* 10^15 */
    i128 product = (i128)units.mantissa * price.mantissa;
    bool negative = product < 0;
    u128 magnitude = (u128)(negative ? -product : product);
    int scale = units.scale + price.scale;
    if (magnitude == 0) {
        *ret = amount_zero();
        return 0;
    }
    for (; scale < 0; scale++) { /* at most 15 times: it leaves at the bound */
        if (magnitude >= bound) {
            return STATUS_AMOUNT_TOO_LARGE;
        }
        magnitude *= 10;
    }
    if (magnitude / power_of_ten(scale) >= bound) {
        return STATUS_AMOUNT_TOO_LARGE;
    }
    *ret = amount_of(negative, magnitude, scale);
    return 0;
}

/* MAGNITUDE x 10^-SCALE with a sign. */
static int amount_of_any(bool negative, u128 magnitude, int scale, struct amount *ret)
{
    for (; scale < 0 && magnitude != 0; scale++) {
        if (__builtin_mul_overflow(magnitude, (u128)10, &magnitude)) {
            return STATUS_CORRUPT;
        }
    }
    if (magnitude >> 127 != 0 || scale > AMOUNT_FRACTION_MAX) {
        return STATUS_CORRUPT;
    }
    *ret = amount_of(negative, magnitude, scale < 0 ? 0 : scale);
    return 0;
}

int amount_times(__int128 mantissa, int scale, struct decimal price, struct amount *ret)
{
    static const uint64_t split = 1000000000000000000ULL; /* 10^18: each product is below 10^36 */
    bool negative = (mantissa < 0) != (price.mantissa < 0);
    u128 units = mantissa < 0 ? -(u128)mantissa : (u128)mantissa;
    u128 each = (u128)(price.mantissa < 0 ? -(i128)price.mantissa : price.mantissa);
    struct amount high = amount_zero();
    int rc = 0;
    scale += price.scale;
    if (units >= split) {
        if (units / split >= split) {
            return STATUS_CORRUPT;
        }
        rc = amount_of_any(negative, units / split * each, scale - 18, &high);
        units %= split;
    }
    if (rc == 0) {
        rc = amount_of_any(negative, units * each, scale, ret);
    }
    if (rc == 0 && amount_add(ret, high) < 0) {
        rc = STATUS_CORRUPT;
    }
    return rc;
}

int amount_add(struct amount *sum, struct amount value)
{
    i128 whole;
    u128 fraction = sum->fraction + value.fraction; /* below 2 x 10^36: fits */
    int carry = fraction >= power_of_ten(AMOUNT_FRACTION_MAX);
    if (__builtin_add_overflow(sum->whole, value.whole, &whole) ||
        __builtin_add_overflow(whole, (i128)carry, &whole)) {
        return STATUS_OUT_OF_BOUNDS;
    }
    sum->whole = whole;
    sum->fraction = carry ? fraction - power_of_ten(AMOUNT_FRACTION_MAX) : fraction;
    return 0;
}

int amount_subtract(struct amount *sum, struct amount value)
{
    i128 whole;
    int borrow = sum->fraction < value.fraction;
    if (__builtin_sub_overflow(sum->whole, value.whole, &whole) ||
        __builtin_sub_overflow(whole, (i128)borrow, &whole)) {
        return STATUS_OUT_OF_BOUNDS;
    }
    sum->whole = whole;
    sum->fraction += borrow ? power_of_ten(AMOUNT_FRACTION_MAX) : 0;
    sum->fraction -= value.fraction;
    return 0;
}

int amount_compare(struct amount a, struct amount b)
{
    if (a.whole != b.whole) {
        return a.whole < b.whole ? -1 : 1;
    }
    return a.fraction < b.fraction ? -1 : a.fraction > b.fraction;
}

struct amount amount_round(struct amount value, int digits)
{
    /* Floor and fraction serve both signs alike: half-even looks at the distance to the two
     * neighbours and at whether the lower is even, and both are the same seen from below. */
    u128 step = power_of_ten(AMOUNT_FRACTION_MAX - digits);
    u128 rest = value.fraction % step;
    u128 steps = value.fraction / step;
    bool odd = digits == 0 ? (value.whole & 1) != 0 : (steps & 1) != 0;
    if (rest > step / 2 || (rest == step / 2 && rest > 0 && odd)) {
        steps++;
    }
    struct amount result = {.whole = value.whole, .fraction = steps * step};
    if (result.fraction == power_of_ten(AMOUNT_FRACTION_MAX)) {
        result.whole++; /* an amount is far from 2^127 */
        result.fraction = 0;
    }
    return result;
}

uint64_t amount_residue(struct amount value)
{
    u128 modulus = AMOUNT_RESIDUE_MODULUS;
    bool negative = value.whole < 0;
    u128 magnitude = negative ? -(u128)value.whole : (u128)value.whole;
    u128 whole = magnitude % modulus * (power_of_ten(AMOUNT_FRACTION_MAX) % modulus) % modulus;
    whole = negative ? modulus - whole : whole;
    return (uint64_t)((whole + value.fraction % modulus) % modulus);
}
