/* Exact decimals: the numbers that callers send, and the amounts that are made of them.
 *
 * Two types.  A `struct decimal` is what a caller may send: at most 18 significant digits, at most
 * 18 of them fraction.  A `struct amount` is what comes of multiplying and summing: a whole part
 * and a 36-digit fraction of 128 bits each, exact for 10^12 of the largest products.
 *
 * No function here goes through floating point, and none rounds but amount_round().  Pure; any
 * thread; no allocation.  Nobody outside decimal.c looks inside either struct. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

enum {
    DECIMAL_DIGITS_MAX = 18,   /* significant, after trailing zeros are dropped */
    DECIMAL_FRACTION_MAX = 18, /* behind the point */
    DECIMAL_WHOLE_MAX = 26,    /* before the point: 10^12 of the largest still sum */
    DECIMAL_TEXT_MAX = 48,     /* of decimal_print(), NUL included */
    AMOUNT_FRACTION_MAX = 36,
    AMOUNT_TEXT_MAX = 80, /* of amount_print(), NUL included */
};

/* mantissa x 10^-scale.  Normal form: the mantissa has no trailing zero; zero is {0, 0}; so equal
 * values are equal members. */
struct decimal {
    int64_t mantissa;
    int8_t scale;
};

/* whole + fraction x 10^-36, 0 <= fraction < 10^36: the whole part of a negative amount is its
 * floor, so every value has one form. */
struct amount {
    __int128 whole;
    unsigned __int128 fraction;
};

/* Parse LENGTH bytes at TEXT: [+-] digits [. digits] [e [+-] digits], with a digit on each side of
 * a point.  Leading zeros are taken (files have them).
 *
 * Returns 0; STATUS_WRONG_TYPE if that is not a number; STATUS_OUT_OF_BOUNDS if it does not fit.
 * On failure *RETERR, where given, is a static text naming the bound that was broken. */
MUSTCHECK int decimal_parse(const char *text, size_t length, struct decimal *ret,
                            const char **reterr);

/* Make a decimal of stored members.  Returns 0, or STATUS_CORRUPT if they are not in normal form
 * or out of bounds. */
MUSTCHECK int decimal_make(int64_t mantissa, int scale, struct decimal *ret);

/* The members of VALUE, for storing. */
int64_t decimal_mantissa(struct decimal value);
int decimal_scale(struct decimal value);

/* Print VALUE canonically (no exponent, no trailing zeros, no "-0") into BUFFER of at least
 * DECIMAL_TEXT_MAX bytes.  Returns the length without the NUL. */
size_t decimal_print(struct decimal value, char *buffer);

/* Whether A and B are the same number. */
bool decimal_equal(struct decimal a, struct decimal b);

/* Whether VALUE is below 0. */
bool decimal_is_negative(struct decimal value);

/* Below 0, 0 or above 0 as A is below, equal to or above B. */
int decimal_compare(struct decimal a, struct decimal b);

/* UNITS x PRICE, exact.  Returns 0, or STATUS_AMOUNT_TOO_LARGE if it reaches 10^15 either way. */
MUSTCHECK int amount_product(struct decimal units, struct decimal price, struct amount *ret);

/* MANTISSA x 10^-SCALE x PRICE, exact: what many units of one price cost.  Returns 0, or
 * STATUS_CORRUPT where MANTISSA has more than 36 digits, SCALE is not that of a decimal, or the
 * amount is beyond all bounds. */
MUSTCHECK int amount_times(__int128 mantissa, int scale, struct decimal price, struct amount *ret);

/* 0, where sums begin. */
struct amount amount_zero(void);

/* VALUE as an amount; every decimal is one. */
struct amount amount_from_decimal(struct decimal value);

/* *SUM += VALUE (or -=).  Returns 0, or STATUS_OUT_OF_BOUNDS with *SUM as it was: out of reach
 * for 10^12 of the largest amounts. */
MUSTCHECK int amount_add(struct amount *sum, struct amount value);
MUSTCHECK int amount_subtract(struct amount *sum, struct amount value);

/* Below 0, 0 or above 0 as A is below, equal to or above B. */
int amount_compare(struct amount a, struct amount b);

/* VALUE rounded half-even to DIGITS fraction digits, 0 to 36.  The one place where anything is
 * rounded. */
struct amount amount_round(struct amount value, int digits);

/* As decimal_print(), into at least AMOUNT_TEXT_MAX bytes. */
size_t amount_print(struct amount value, char *buffer);

/* The amount that amount_print() prints as the LENGTH bytes at TEXT.  Returns 0, or STATUS_CORRUPT
 * for any other text. */
MUSTCHECK int amount_parse(const char *text, size_t length, struct amount *ret);

/* 0 - VALUE. */
struct amount amount_negate(struct amount value);

/* 2^61 - 1, a prime: what amount_residue() counts by. */
#define AMOUNT_RESIDUE_MODULUS ((UINT64_C(1) << 61) - 1)

/* VALUE x 10^36 modulo AMOUNT_RESIDUE_MODULUS: the residue of a sum is the sum of the residues, so
 * that sums can be compared without adding them up. */
uint64_t amount_residue(struct amount value);
