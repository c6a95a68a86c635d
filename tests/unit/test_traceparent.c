/* traceparent: what is valid by W3C Trace Context, and nothing else. */
#include "billingd/rpc/traceparent.h"
#include "tests/lib/testkit.h"

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static bool is_valid(const char *text)
{
    return traceparent_is_valid(slice_of(text));
}

static void traceparent__as_the_specification_has_it__is_valid(void **state)
{
    (void)state;
    assert_true(is_valid("00-" TRACE "-" PARENT "-01"));
    assert_true(is_valid("00-" TRACE "-" PARENT "-00"));
    assert_true(is_valid("00-" TRACE "-" PARENT "-ff")); /* flags of later versions */
    assert_u64(strlen("00-" TRACE "-" PARENT "-01"), TRACEPARENT_BYTES);
}

static void traceparent__a_later_version__may_go_on_behind_a_dash(void **state)
{
    (void)state;
    assert_true(is_valid("01-" TRACE "-" PARENT "-01"));
    assert_true(is_valid("cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like"));
    assert_false(is_valid("cc-" TRACE "-" PARENT "-01.what"));
    assert_false(is_valid("00-" TRACE "-" PARENT "-01-more"));
    assert_false(is_valid("ff-" TRACE "-" PARENT "-01"));
}

static void traceparent__anything_else__is_not_valid(void **state)
{
    static const char *const wrong[] = {
        "",
        "00",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-",
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-011",
        " 00-" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "-0x",
        "0-" TRACE "-" PARENT "-01",
        "0x-" TRACE "-" PARENT "-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "00-0af7651916cd43dd8448eb211c80319-" PARENT "f-01",
        "00-" TRACE "-" PARENT "-0g",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (is_valid(wrong[i])) {
            testkit_fail("'%s' counts as valid", wrong[i]);
        }
    }
}

static void traceparent__each_byte_in_turn_made_another__is_not_valid(void **state)
{
    static const char good[] = "00-" TRACE "-" PARENT "-01";
    char text[sizeof good];
    (void)state;
    for (size_t i = 0; i < TRACEPARENT_BYTES; i++) {
        memcpy(text, good, sizeof good);
        text[i] = 'A';
        assert_false(is_valid(text));
        text[i] = '\0';
        assert_false(traceparent_is_valid((struct slice){text, TRACEPARENT_BYTES}));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(traceparent__as_the_specification_has_it__is_valid),
    cmocka_unit_test(traceparent__a_later_version__may_go_on_behind_a_dash),
    cmocka_unit_test(traceparent__anything_else__is_not_valid),
    cmocka_unit_test(traceparent__each_byte_in_turn_made_another__is_not_valid),
};

TESTKIT_MAIN(tests)
