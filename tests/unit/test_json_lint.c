/* What is JSON and what is not, byte for byte; and that json-c then keeps every digit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "billingd/rpc/json_lint.h"
#include "tests/lib/testkit.h"

struct text_case {
    const char *bytes;
    size_t length;
};

#define T(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

/* In memory of its own, so that a read beyond the end shows. */
static int lint(const char *bytes, size_t length, struct json_lint *ret)
{
    char *copy = malloc(length + (length == 0));
    memcpy(copy, bytes, length);
    int rc = json_lint((struct slice){copy, length}, ret);
    free(copy);
    return rc;
}

static void json_lint__lawful_texts__pass(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        T("{}"),
        T("[]"),
        T(" \t\r\n{ \"a\" : [ 1 , -2.5e-7 , true , false , null , \"x\" ] } \n"),
        T("0"),
        T("-0"),
        T("-0.0"),
        T("0.000000000000000001"),
        T("1E5"),
        T("1e+400"),
        T("123456789012345678901234567890"),
        T("\"\""),
        T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u0000\""),
        T("\"\\ud83d\\ude00 \xF0\x9F\x98\x80 \xC3\xA4 \x7F\""),
        T("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"),
        T("{\"a\":1,\"A\":2,\"\\u0061b\":3}"),
        T("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    };
    struct json_lint ret;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = lint(cases[i].bytes, cases[i].length, &ret);
        if (rc != 0) {
            testkit_fail("'%s': %s at %zu", cases[i].bytes, ret.reason, ret.position);
        }
    }
}

static const struct text_case malformed[] = {
    T(""),
    T(" "),
    T("{"),
    T("}"),
    T("[1,]"),
    T("[,1]"),
    T("[1 2]"),
    T("{\"a\"}"),
    T("{\"a\":}"),
    T("{\"a\":1,}"),
    T("{,}"),
    T("{a:1}"),
    T("{1:1}"),
    T("{'a':1}"),
    T("['a']"),
    T("[NaN]"),
    T("[nan]"),
    T("[Infinity]"),
    T("[-Infinity]"),
    T("[inf]"),
    T("[1.]"),
    T("[.5]"),
    T("[+1]"),
    T("[-]"),
    T("[01]"),
    T("[-01]"),
    T("[00]"),
    T("[1e]"),
    T("[1e+]"),
    T("[1.e5]"),
    T("[0x10]"),
    T("[1_000]"),
    T("[True]"),
    T("[NULL]"),
    T("[tru]"),
    T("[nul"),
    T("[true false]"),
    T("\"abc"),
    T("\"\\"),
    T("\"\\u12"),
    T("[\"\\x41\"]"),
    T("[\"\\u12g4\"]"),
    T("[\"\\ud800\"]"),
    T("[\"\\ud800x\"]"),
    T("[\"\\ud800\\u0041\"]"),
    T("[\"\\udc00\"]"),
    T("[\"\\udc00\\ud800\"]"),
    T("[\"a\nb\"]"),
    T("[\"a\tb\"]"),
    T("[\"a\0b\"]"),
    T("[\0]"),
    T("[1]\0"),
    T("{\"a\\u0000b\":1}"),
    T("[\"\xC0\x80\"]"),         /* overlong */
    T("[\"\xE0\x80\xAF\"]"),     /* likewise */
    T("[\"\xED\xA0\x80\"]"),     /* a surrogate in UTF-8 */
    T("[\"\xF4\x90\x80\x80\"]"), /* past U+10FFFF */
    T("[\"\xFF\"]"),
    T("[\"\xE2\x82\"]"),
    T("\xEF\xBB\xBF{}"),
    T("{} {}"),
    T("{}x"),
    T("[1]]"),
    T("/* c */ {}"),
    T("// c\n{}"),
    T("{\"a\":1,\"a\":1}"),
    T("{\"a\":1,\"\\u0061\":2}"),
    T("{\"\xC3\xA4\":1,\"\\u00e4\":2}"),
    T("{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\ude00\":2}"),
    T("{\"\\n\":1,\"\\u000a\":2}"),
    T("{\"\":1,\"\":2}"),
    T("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
};

static void json_lint__what_json_c_lets_through__is_refused(void **state)
{
    (void)state;
    struct json_lint ret;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        int rc = lint(malformed[i].bytes, malformed[i].length, &ret);
        if (rc != STATUS_MALFORMED_JSON) {
            testkit_fail("'%s' is not refused", malformed[i].bytes);
        }
        assert_non_null(ret.reason);
        assert_true(ret.position <= malformed[i].length);
    }
}

static void json_lint__position__is_where_it_goes_wrong(void **state)
{
    (void)state;
    struct json_lint ret;
    assert_status(lint("{\"a\": NaN}", 10, &ret), STATUS_MALFORMED_JSON);
    assert_u64(ret.position, 6);
    assert_status(lint("{\"a\":1, \"a\":2}", 14, &ret), STATUS_MALFORMED_JSON);
    assert_u64(ret.position, 8);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static char *repeat(const char *before, const char *unit, size_t times, const char *after)
{
    char *text = testkit_alloc(strlen(before) + strlen(unit) * times + strlen(after) + 1);
    char *at = stpcpy(text, before);
    for (size_t i = 0; i < times; i++) {
        at = stpcpy(at, unit);
    }
    stpcpy(at, after);
    return text;
}

static int lint_text(const char *text)
{
    struct json_lint ret;
    return lint(text, strlen(text), &ret);
}

static void json_lint__deep_nesting__is_refused_not_followed(void **state)
{
    (void)state;
    assert_status(lint_text(repeat("", "[", 1000000, "")), STATUS_MALFORMED_JSON);
    assert_status(lint_text(repeat("", "{\"a\":", 200000, "")), STATUS_MALFORMED_JSON);
}

static void json_lint__counts__at_the_bound_and_past_it(void **state)
{
    (void)state;
    assert_ok(lint_text(repeat("[0", ",0", JSON_SCALARS_MAX - 1, "]")));
    assert_status(lint_text(repeat("[0", ",0", JSON_SCALARS_MAX, "]")), STATUS_TOO_LARGE);
    assert_ok(lint_text(repeat("[{}", ",{}", JSON_CONTAINERS_MAX - 2, "]")));
    assert_status(lint_text(repeat("[{}", ",{}", JSON_CONTAINERS_MAX - 1, "]")), STATUS_TOO_LARGE);
}

static void json_lint__members__at_the_bound_and_past_it(void **state)
{
    (void)state;
    for (size_t n = JSON_MEMBERS_MAX; n <= JSON_MEMBERS_MAX + 1; n++) {
        const char *text = "{";
        for (size_t i = 0; i < n; i++) {
            text = testkit_format("%s%s\"k%zu\":0", text, i == 0 ? "" : ",", i);
        }
        assert_status(lint_text(testkit_format("%s}", text)),
                      n <= JSON_MEMBERS_MAX ? 0 : STATUS_TOO_LARGE);
    }
}

/* --- digits ----------------------------------------------------------------------------------- */

static void widen__long_integers__keep_their_digits_in_json_c(void **state)
{
    (void)state;
    static const char text[] = "[123456789012345678, 1234567890123456789, -9223372036854775809,"
                               "18446744073709551616, 100000000000000000000000000, \"1234567890"
                               "1234567890\", 0.1234567890123456789012, 5e0]";
    static const char *const digits[] = {
        "123456789012345678",
        "1234567890123456789e0",
        "-9223372036854775809e0",
        "18446744073709551616e0",
        "100000000000000000000000000e0",
        "12345678901234567890",
        "0.1234567890123456789012",
        "5e0",
    };
    char wide[sizeof text + 64];
    struct json_lint ret;
    struct slice whole = {text, sizeof text - 1};
    assert_ok(json_lint(whole, &ret));
    assert_u64(ret.long_integers, 4);
    memset(wide, 0, sizeof wide);
    json_lint_widen(whole, wide);
    assert_u64(strlen(wide), whole.length + 8);
    json_object *array = json_tokener_parse(wide);
    assert_non_null(array);
    for (size_t i = 0; i < sizeof digits / sizeof digits[0]; i++) {
        assert_string_equal(json_object_get_string(json_object_array_get_idx(array, i)), digits[i]);
    }
    json_object_put(array);
}

/* --- chance ----------------------------------------------------------------------------------- */

/* What passes is what json-c takes too: nothing that we let through may stop behind us. */
static void json_lint__mutants__that_pass_json_c_takes(void **state)
{
    (void)state;
    static const char seed[] = "{\"usage\": [{\"a\": 1.5e3, \"b\": \"x\\u00e9\\n\", \"c\": [true, "
                               "null], \"d\": {}}, -0, \"\xC3\xA4\", 12345678901234567890]}";
    struct rng rng = rng_make("json mutants");
    unsigned passed = 0;
    for (unsigned i = 0; i < 50000; i++) {
        char text[sizeof seed + 8];
        size_t length = sizeof seed - 1;
        memcpy(text, seed, sizeof seed);
        for (uint64_t times = 1 + rng_below(&rng, 2); times > 0; times--) {
            static const char spice[] = "{}[]\",:\\u0eE+-.19 \ntfn\0\x80";
            size_t at = (size_t)rng_below(&rng, length);
            if (rng_below(&rng, 2) == 0) {
                memmove(text + at, text + at + 1, length - at - 1);
                length--;
            } else {
                text[at] = spice[rng_below(&rng, sizeof spice - 1)];
            }
        }
        struct json_lint ret;
        if (lint(text, length, &ret) == 0) {
            json_tokener *tokener = json_tokener_new();
            json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
            json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
            if (object == NULL) {
                testkit_fail("json-c refuses %.*s", (int)length, text);
            }
            json_object_put(object);
            json_tokener_free(tokener);
            passed++;
        }
    }
    assert_true(passed > 1000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(json_lint__lawful_texts__pass),
    cmocka_unit_test(json_lint__what_json_c_lets_through__is_refused),
    cmocka_unit_test(json_lint__position__is_where_it_goes_wrong),
    cmocka_unit_test(json_lint__deep_nesting__is_refused_not_followed),
    cmocka_unit_test(json_lint__counts__at_the_bound_and_past_it),
    cmocka_unit_test(json_lint__members__at_the_bound_and_past_it),
    cmocka_unit_test(widen__long_integers__keep_their_digits_in_json_c),
    cmocka_unit_test(json_lint__mutants__that_pass_json_c_takes),
};

TESTKIT_MAIN(tests)
