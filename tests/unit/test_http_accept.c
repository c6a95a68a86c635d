/* What a client wants to read. */
#include <string.h>

#include "billingd/net/http_accept.h"
#include "tests/lib/testkit.h"

struct accept_case {
    const char *accept; /* several headers: a line each */
    enum http_media media;
};

static void check(const struct accept_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct http_accept accept = {0};
        for (const char *at = cases[i].accept; *at != '\0';) {
            size_t length = strcspn(at, "\n");
            http_accept_note(&accept, (struct slice){at, length});
            at += length + (at[length] == '\n');
        }
        if (http_accept_choose(&accept) != cases[i].media) {
            testkit_fail("'%s' gets the other one", cases[i].accept);
        }
    }
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases)[0])

static void accept__csv__by_name_or_kind(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"text/csv", HTTP_MEDIA_CSV},
        {"Text/CSV", HTTP_MEDIA_CSV},
        {" text/csv ;\tcharset=utf-8", HTTP_MEDIA_CSV},
        {"text/csv;header=present", HTTP_MEDIA_CSV},
        {"text/*", HTTP_MEDIA_CSV},
        {"text/html, text/csv", HTTP_MEDIA_CSV},
        {"text/html\ntext/csv", HTTP_MEDIA_CSV},
        {"text/csv;q=0.001", HTTP_MEDIA_CSV},
        {",,text/csv,", HTTP_MEDIA_CSV},
    };
    CHECK(cases);
}

static void accept__nothing_better__is_json(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"", HTTP_MEDIA_JSON},
        {"*/*", HTTP_MEDIA_JSON},
        {"application/json", HTTP_MEDIA_JSON},
        {"application/*", HTTP_MEDIA_JSON},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTTP_MEDIA_JSON},
        {"image/png", HTTP_MEDIA_JSON}, /* a body that it cannot read says more than 406 does */
        {"text/csv;q=0", HTTP_MEDIA_JSON},
        {"text/csv;q=0.000, text/plain", HTTP_MEDIA_JSON},
        {"text/csvx", HTTP_MEDIA_JSON},
        {"text", HTTP_MEDIA_JSON},
        {"csv", HTTP_MEDIA_JSON},
        {"*", HTTP_MEDIA_JSON},
    };
    CHECK(cases);
}

static void accept__of_both__the_weightier_then_the_preciser(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"application/json, text/csv", HTTP_MEDIA_JSON},
        {"text/csv, application/json", HTTP_MEDIA_JSON},
        {"text/csv, application/json;q=0.9", HTTP_MEDIA_CSV},
        {"text/csv;q=0.9, application/json", HTTP_MEDIA_JSON},
        {"text/csv;q=0.9, application/json;q=0.899", HTTP_MEDIA_CSV},
        {"application/json;Q=0.5\ntext/csv;q=0.6", HTTP_MEDIA_CSV},
        {"text/csv, */*", HTTP_MEDIA_CSV},
        {"*/*, text/csv", HTTP_MEDIA_CSV},
        {"text/csv;q=0.5, */*", HTTP_MEDIA_JSON},
        {"text/*, application/json", HTTP_MEDIA_JSON},
        {"text/csv, application/*", HTTP_MEDIA_CSV},
        {"*/*;q=1, text/*;q=0.9, text/csv;q=0.1", HTTP_MEDIA_JSON},
        {"application/json;q=0, */*", HTTP_MEDIA_CSV}, /* anything but JSON */
    };
    CHECK(cases);
}

static void accept__malformed_weights__count_as_not_written(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "1.001", "2",    "0.1234", "-1", "0,5",
                                        ".5", "0.x",   "high", "0x1",    "10", "1 0"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct http_accept accept = {0};
        http_accept_note(&accept, slice_of(testkit_format("text/csv;q=%s", wrong[i])));
        assert_int_equal(http_accept_choose(&accept), HTTP_MEDIA_JSON);
    }
    static const struct accept_case right[] = {
        {"text/csv;q=1", HTTP_MEDIA_CSV},
        {"text/csv;q=1.", HTTP_MEDIA_CSV},
        {"text/csv;x=1;q=0.1", HTTP_MEDIA_CSV},
    };
    CHECK(right);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(accept__csv__by_name_or_kind),
    cmocka_unit_test(accept__nothing_better__is_json),
    cmocka_unit_test(accept__of_both__the_weightier_then_the_preciser),
    cmocka_unit_test(accept__malformed_weights__count_as_not_written),
};

TESTKIT_MAIN(tests)
