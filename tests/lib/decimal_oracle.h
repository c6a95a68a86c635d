/* Decimals once more, by GMP and regular expressions and from the words of the contract: what
 * proto/decimal.c is judged by.  It shares no code and no method with it.
 *
 * A value is an integer, scaled by 10^36: every decimal and every amount is one.  Main thread. */
#pragma once

/* clang-format off: gmp.h declares its FILE functions only behind stdio.h */
#include <gmp.h>
#include <stdio.h>
/* clang-format on */

#include "proto/decimal.h"

enum {
    ORACLE_SCALE = 36,
    ORACLE_TEXT_MAX = 128, /* of oracle_print(), NUL included */
};

enum oracle_verdict {
    ORACLE_FITS,
    ORACLE_NOT_A_NUMBER,
    ORACLE_TOO_MANY_DIGITS,   /* significant */
    ORACLE_TOO_MANY_FRACTION, /* fraction digits */
    ORACLE_TOO_MANY_WHOLE,    /* digits before the point */
};

/* What the contract says of the LENGTH bytes at TEXT: "a sign, at most 18 significant digits
 * (after trailing zeros are dropped) and at most 18 fraction digits", exponents taken, and at most
 * 26 digits before the point.  Where it fits, RET is its value.  RET is initialised. */
enum oracle_verdict oracle_parse(const char *text, size_t length, mpz_t ret);

/* VALUE in its canonical text, into BUFFER of ORACLE_TEXT_MAX. */
void oracle_print(const mpz_t value, char *buffer);

/* RET = 10^N. */
void oracle_power(mpz_t ret, unsigned long n);

/* The value of what the module under test holds; RET is initialised. */
void oracle_of_decimal(struct decimal value, mpz_t ret);

/* The same of an amount, by the text that amount_print() gives, any number of whole digits. */
void oracle_of_amount(struct amount value, mpz_t ret);

/* An amount of VALUE (below 10^26 either way), made by the module's own public functions. */
struct amount oracle_make_amount(const mpz_t value);

/* VALUE rounded half-even to DIGITS fraction digits; RET may be VALUE. */
void oracle_round(const mpz_t value, unsigned long digits, mpz_t ret);
