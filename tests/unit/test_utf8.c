/* UTF-8 against the table of RFC 3629, section 4, and against arithmetic: how many sequences of
 * each length there are is known. */
#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"
#include "tests/lib/testkit.h"

enum {
    RANDOM_CASES = 200000,
};

/* A row of the RFC's grammar: a lead byte's range, and those of the bytes behind it. */
struct row {
    size_t bytes;
    uint8_t low[4];
    uint8_t high[4];
};

static const struct row grammar[] = {
    {1, {0x00}, {0x7F}},
    {2, {0xC2, 0x80}, {0xDF, 0xBF}},
    {3, {0xE0, 0xA0, 0x80}, {0xE0, 0xBF, 0xBF}},
    {3, {0xE1, 0x80, 0x80}, {0xEC, 0xBF, 0xBF}},
    {3, {0xED, 0x80, 0x80}, {0xED, 0x9F, 0xBF}},
    {3, {0xEE, 0x80, 0x80}, {0xEF, 0xBF, 0xBF}},
    {4, {0xF0, 0x90, 0x80, 0x80}, {0xF0, 0xBF, 0xBF, 0xBF}},
    {4, {0xF1, 0x80, 0x80, 0x80}, {0xF3, 0xBF, 0xBF, 0xBF}},
    {4, {0xF4, 0x80, 0x80, 0x80}, {0xF4, 0x8F, 0xBF, 0xBF}},
};

/* The length of the sequence at AT by the grammar, or 0. */
static size_t grammar_length(const uint8_t *at, size_t left)
{
    for (size_t r = 0; r < sizeof grammar / sizeof grammar[0]; r++) {
        const struct row *row = &grammar[r];
        size_t i = 0;
        while (i < row->bytes && i < left && at[i] >= row->low[i] && at[i] <= row->high[i]) {
            i++;
        }
        if (i == row->bytes) {
            return i;
        }
    }
    return 0;
}

static bool grammar_valid(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t n = grammar_length(text + i, length - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

static bool valid(const uint8_t *bytes, size_t length)
{
    return utf8_valid((const char *)bytes, length);
}

static void valid__all_of_two_bytes__as_the_grammar(void **state)
{
    (void)state;
    int multibyte = 0;
    for (unsigned n = 0; n < 0x10000; n++) {
        uint8_t bytes[2] = {(uint8_t)(n >> 8), (uint8_t)n};
        bool got = valid(bytes, 2);
        assert_int_equal(got, grammar_valid(bytes, 2));
        multibyte += got && bytes[0] >= 0x80;
    }
    assert_int_equal(multibyte, 0x800 - 0x80);
}

static void valid__all_of_three_bytes__as_many_as_there_are(void **state)
{
    (void)state;
    int multibyte = 0;
    for (unsigned n = 0; n < 0x1000000; n++) {
        uint8_t bytes[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        bool got = valid(bytes, 3);
        multibyte += got && bytes[0] >= 0xE0;
        if (bytes[0] >= 0xE0 && got != grammar_valid(bytes, 3)) {
            testkit_fail("%02x %02x %02x is %s", bytes[0], bytes[1], bytes[2],
                         got ? "taken" : "refused");
        }
    }
    assert_int_equal(multibyte, 0x10000 - 0x800 - 0x800); /* without short ones and surrogates */
}

/* Leads from F0, any second and third byte, and of the fourth the edges. */
static void valid__four_bytes__as_the_grammar(void **state)
{
    (void)state;
    static const uint8_t fourths[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    int multibyte = 0;
    for (unsigned n = 0xF00000; n < 0x1000000; n++) {
        for (size_t i = 0; i < sizeof fourths; i++) {
            uint8_t bytes[4] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, fourths[i]};
            bool got = valid(bytes, 4);
            multibyte += got;
            if (got != grammar_valid(bytes, 4)) {
                testkit_fail("%02x %02x %02x %02x is %s", bytes[0], bytes[1], bytes[2], bytes[3],
                             got ? "taken" : "refused");
            }
        }
    }
    assert_int_equal(multibyte, 2 * 0x100000 / 64); /* 80 and BF behind each three */
}

/* POINT in UTF-8, surrogates and too large ones too; returns the length. */
static size_t encode(uint32_t point, uint8_t *out)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, point >>= 6) {
        out[i] = (uint8_t)(0x80 | (point & 0x3F));
    }
    out[0] = (uint8_t)((0xF00 >> n) | point);
    return n;
}

static void valid__every_code_point__but_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        uint8_t bytes[4];
        size_t n = encode(point, bytes);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
        bool good = !surrogate && point <= 0x10FFFF;
        assert_int_equal(valid(bytes, n), good);
        assert_int_equal(utf8_printable((const char *)bytes, n), good && !control);
    }
}

/* A sequence that ends too early, at the end of a text of exactly that size. */
static void valid__truncated__refused(void **state)
{
    (void)state;
    static const uint32_t points[] = {0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        uint8_t bytes[4];
        size_t n = encode(points[i], bytes);
        for (size_t kept = 1; kept < n; kept++) {
            char *text = malloc(kept + 1);
            assert_non_null(text);
            text[0] = 'a';
            memcpy(text + 1, bytes, kept);
            assert_false(utf8_valid(text, kept + 1));
            assert_false(utf8_printable(text, kept + 1));
            free(text);
        }
    }
}

static void valid__known_attacks__refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\xC0\x80",                 /* NUL, overlong */
        "\xC0\xAF",                 /* '/', overlong */
        "\xE0\x80\xAF",             /* the same in three */
        "\xF0\x80\x80\xAF",         /* and in four */
        "\xF8\x88\x80\x80\x80",     /* five bytes */
        "\xFC\x84\x80\x80\x80\x80", /* six bytes */
        "\xED\xA0\x80\xED\xB0\x80", /* a pair of surrogates, as CESU-8 has it */
        "\xF4\x90\x80\x80",         /* U+110000 */
        "\x80",
        "\xBF",
        "\xFE",
        "\xFF",
        "a\x80z",
        "\xC3(",
        "\xE2\x82(",
        "caf\xE9", /* Latin-1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(utf8_valid(cases[i], strlen(cases[i])));
        assert_false(utf8_printable(cases[i], strlen(cases[i])));
    }
}

static void empty__valid(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid(NULL, 0));
    assert_true(utf8_printable(NULL, 0));
}

static void valid__random_strings__as_the_grammar(void **state)
{
    (void)state;
    struct rng rng = rng_make("strings");
    int taken = 0;
    for (int i = 0; i < RANDOM_CASES; i++) {
        uint8_t text[64];
        size_t n = 0;
        for (uint64_t points = rng_below(&rng, 12); points > 0; points--) {
            static const uint32_t bounds[] = {0x80, 0x800, 0x10000, 0x110000};
            n += encode((uint32_t)rng_below(&rng, bounds[rng_below(&rng, 4)]), text + n);
        }
        if (n > 0 && rng_below(&rng, 2) == 0) {
            text[rng_below(&rng, n)] = (uint8_t)rng_next(&rng);
        }
        bool got = valid(text, n);
        taken += got;
        assert_int_equal(got, grammar_valid(text, n));
    }
    assert_true(taken > RANDOM_CASES / 10 && taken < RANDOM_CASES * 9 / 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(valid__all_of_two_bytes__as_the_grammar),
    cmocka_unit_test(valid__all_of_three_bytes__as_many_as_there_are),
    cmocka_unit_test(valid__four_bytes__as_the_grammar),
    cmocka_unit_test(valid__every_code_point__but_surrogates),
    cmocka_unit_test(valid__truncated__refused),
    cmocka_unit_test(valid__known_attacks__refused),
    cmocka_unit_test(empty__valid),
    cmocka_unit_test(valid__random_strings__as_the_grammar),
};

TESTKIT_MAIN(tests)
