/* Text for other languages, values of flags, and the progress line. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "billingctl/progress.h"
#include "billingctl/text.h"
#include "billingctl/values.h"
#include "tests/lib/testkit.h"

static void puts_as(void (*put)(struct text *, const char *), const char *string,
                    const char *expected)
{
    struct text text = {0};
    put(&text, string);
    assert_text(text_of(&text), text.length, expected);
    text_done(&text);
}

static void json__special_bytes__escaped(void **state)
{
    (void)state;
    puts_as(text_put_json, "", "\"\"");
    puts_as(text_put_json, "a\"b\\c", "\"a\\\"b\\\\c\"");
    puts_as(text_put_json, "\x01\n\x7F\xC3\xA4", "\"\\u0001\\u000a\\u007f\xC3\xA4\"");
}

static void csv__special_bytes__quoted(void **state)
{
    (void)state;
    puts_as(text_put_csv, "", "");
    puts_as(text_put_csv, "plain text", "plain text");
    puts_as(text_put_csv, "a,b", "\"a,b\"");
    puts_as(text_put_csv, "say \"x\"", "\"say \"\"x\"\"\"");
    puts_as(text_put_csv, "two\nlines", "\"two\nlines\"");
    puts_as(text_put_csv, "a\rb", "\"a\rb\"");
    puts_as(text_put_csv, "=1+1", "=1+1"); /* the record's bytes, whatever a spreadsheet thinks */
}

static void shell__special_bytes__one_word(void **state)
{
    (void)state;
    puts_as(text_put_shell, "", "''");
    puts_as(text_put_shell, "--server=unix:///run/x.sock", "--server=unix:///run/x.sock");
    puts_as(text_put_shell, "two words", "'two words'");
    puts_as(text_put_shell, "it's $HOME", "'it'\\''s $HOME'");
    puts_as(text_put_shell, "~", "'~'");
}

static void visible__control_bytes__harmless(void **state)
{
    (void)state;
    puts_as(text_put_visible, "plain \xC3\xA4 \xE6\x97\xA5", "plain \xC3\xA4 \xE6\x97\xA5");
    puts_as(text_put_visible, "\x1B[31mred\n", "?[31mred?");
    puts_as(text_put_visible, "a\xFF\xFE", "a??");
    puts_as(text_put_visible, "cut \xE6\x97", "cut ??");
    puts_as(text_put_visible, "\xC2\x9B", "?"); /* a control character above ASCII */
}

static void columns__of_utf8__as_a_terminal_counts(void **state)
{
    (void)state;
    assert_u64(text_columns(""), 0);
    assert_u64(text_columns("abc"), 3);
    assert_u64(text_columns("\xC3\xA4\xC3\xB6"), 2);
    assert_u64(text_columns("\xE6\x97\xA5\xE6\x9C\xAC"), 4); /* two wide characters */
    assert_u64(text_columns("e\xCC\x81"), 1);                /* a combining accent */
    assert_u64(text_columns("\x1B\xFF"), 2);                 /* shown as "??" */
}

static void put__many_pieces__grows(void **state)
{
    (void)state;
    struct text text = {0};
    for (int i = 0; i < 10000; i++) {
        text_printf(&text, "%04d", i % 10000);
    }
    assert_u64(text.length, 40000);
    assert_text(text_of(&text) + 39996, 4, "9999");
    text_clear(&text);
    assert_string_equal(text_of(&text), "");
    text_pad(&text, 3);
    assert_text(text_of(&text), text.length, "   ");
    text_clear(&text);
    text_put_count(&text, 0);
    text_put_count(&text, 120);
    text_put_count(&text, UINT64_MAX);
    assert_string_equal(text_of(&text), "012018446744073709551615");
    text_done(&text);
    assert_string_equal(text_of(&text), "");
}

/* --- values ----------------------------------------------------------------------------------- */

static void time__date_or_rfc3339__taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_us;
    } cases[] = {
        {"1970-01-01", 0},
        {"2026-11-01", INT64_C(1793491200000000)},
        {"2026-11-01T00:00:00Z", INT64_C(1793491200000000)},
        {"2026-11-01T01:00:00+01:00", INT64_C(1793491200000000)},
        {"2026-11-01 00:00:00", INT64_C(1793491200000000)},
        {"2026-11-01T00:00:00.000001999Z", INT64_C(1793491200000001)},
    };
    struct reason reason;
    int64_t time_us;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(value_time(cases[i].text, &time_us, &reason));
        assert_i64(time_us, cases[i].time_us);
    }
    static const char *const bad[] = {"",           "now",        "2026-11-31",
                                      "2026-13-01", "1969-12-31", "2026-11-1",
                                      "26-11-01",   "2026/11/01", "2026-11-01T00:00:00ZZ",
                                      "20261101",   "aaaaaaaaaa"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(value_time(bad[i], &time_us, &reason));
    }
    assert_false(value_time("1969-12-31", &time_us, &reason));
    assert_contains(reason.text, "1970");
}

static void month__well_formed__half_open(void **state)
{
    (void)state;
    struct reason reason;
    int64_t start_us;
    int64_t end_us;
    assert_true(value_month("2026-12", &start_us, &end_us, &reason));
    assert_i64(start_us, INT64_C(1796083200000000));
    assert_i64(end_us - start_us, INT64_C(31) * 86400 * 1000000);
    assert_false(value_month("2026-13", &start_us, &end_us, &reason));
    assert_false(value_month("2026-1", &start_us, &end_us, &reason));
    assert_false(value_month("2026-11-01", &start_us, &end_us, &reason));
}

static void count__bounds__held(void **state)
{
    (void)state;
    struct reason reason;
    uint64_t n;
    assert_true(value_count("1", 1, 10, &n, &reason));
    assert_u64(n, 1);
    assert_true(value_count("0010", 1, 10, &n, &reason));
    assert_u64(n, 10);
    assert_true(value_count("18446744073709551615", 0, UINT64_MAX, &n, &reason));
    assert_u64(n, UINT64_MAX);
    static const char *const bad[] = {"",    "0",   "11", "-1", "+1",
                                      "1.0", "1e1", " 1", "x",  "18446744073709551617"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(value_count(bad[i], 1, 10, &n, &reason));
    }
    assert_false(value_count("18446744073709551617", 0, UINT64_MAX, &n, &reason));
}

static void word__exact__found(void **state)
{
    (void)state;
    struct reason reason;
    int index;
    assert_true(value_word("csv", "table json csv id", &index, &reason));
    assert_int_equal(index, 2);
    assert_false(value_word("cs", "table json csv id", &index, &reason));
    assert_false(value_word("", "table json csv id", &index, &reason));
    assert_false(value_word("json csv", "table json csv id", &index, &reason));
    assert_contains(reason.text, "table json csv id");
}

static void label__first_equals__splits(void **state)
{
    (void)state;
    struct reason reason;
    const char *value;
    char *name;
    assert_true(value_label("region=a=b", &name, &value, &reason));
    assert_string_equal(name, "region");
    assert_string_equal(value, "a=b");
    free(name);
    assert_true(value_label("empty=", &name, &value, &reason));
    assert_string_equal(value, "");
    free(name);
    assert_false(value_label("region", &name, &value, &reason));
}

static void progress__line__shows_part_and_rate(void **state)
{
    (void)state;
    struct text text = {0};
    progress_put_line(&text, 1000, 500, 3000, 2000);
    assert_string_equal(text_of(&text),
                        "[###############...............]  50%  3000 rows  1500 rows/s");
    text_clear(&text);
    progress_put_line(&text, 0, 500, 7, 0);
    assert_string_equal(text_of(&text), "7 rows");
    text_clear(&text);
    progress_put_line(&text, 10, UINT64_MAX, 1, 0);
    assert_string_equal(text_of(&text), "[##############################] 100%  1 rows");
    text_clear(&text);
    progress_put_steps(&text, 1, 4, 2999);
    assert_string_equal(text_of(&text), "[#######.......................]  25%  2 s");
    text_clear(&text);
    progress_put_steps(&text, 3, 0, 0);
    assert_string_equal(text_of(&text), "0 s");
    text_done(&text);
}

static void expiry__a_time_or_from_now_on__when_it_is(void **state)
{
    static const int64_t now_us = INT64_C(1795345298000000); /* 2026-11-22T11:01:38Z */
    static const struct {
        const char *text;
        const char *expected;
    } good[] = {
        {"2027-01-01", "2027-01-01T00:00:00.000000Z"},
        {"2026-11-22T12:00:00+01:00", "2026-11-22T11:00:00.000000Z"},
        {"90d", "2027-02-20T11:01:38.000000Z"},
        {"12h", "2026-11-22T23:01:38.000000Z"},
        {"30s", "2026-11-22T11:02:08.000000Z"},
        {"30m", "2026-11-22T11:31:38.000000Z"},
        {"0d", "2026-11-22T11:01:38.000000Z"},
        {"2900000d", "9966-10-28T11:01:38.000000Z"},
    };
    static const char *const bad[] = {
        "",
        "d",
        "90",
        "90D",
        "90ms",
        "90S",
        "s",
        "-1d",
        "1.5d",
        "90d ",
        "90dd",
        "d90",
        "3000000d",
        "99999999999999999999999999d",
        "99999999999999999999999999m",
        "99999999999999999999999999s",
    };
    struct reason reason;
    int64_t us;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[BILLING_TIME_TEXT_MAX];
        assert_true(value_expiry(good[i].text, now_us, &us, &reason));
        assert_i64(billing_time_format(us, text, sizeof text), 0);
        assert_string_equal(text, good[i].expected);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(value_expiry(bad[i], now_us, &us, &reason));
        assert_contains(reason.text, testkit_format("'%s'", bad[i]));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(json__special_bytes__escaped),
    cmocka_unit_test(csv__special_bytes__quoted),
    cmocka_unit_test(shell__special_bytes__one_word),
    cmocka_unit_test(visible__control_bytes__harmless),
    cmocka_unit_test(columns__of_utf8__as_a_terminal_counts),
    cmocka_unit_test(put__many_pieces__grows),
    cmocka_unit_test(time__date_or_rfc3339__taken),
    cmocka_unit_test(month__well_formed__half_open),
    cmocka_unit_test(count__bounds__held),
    cmocka_unit_test(word__exact__found),
    cmocka_unit_test(label__first_equals__splits),
    cmocka_unit_test(progress__line__shows_part_and_rate),
    cmocka_unit_test(expiry__a_time_or_from_now_on__when_it_is),
};

int main(int argc, char **argv)
{
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        return 1; /* as billingctl does: without it no width is right */
    }
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, NULL, NULL));
}
