/* What a browser's headers say: the daemon's name, the page's origin, the credentials. */
#include "billingd/net/http_authorize.h"
#include "billingd/net/http_guard.h"
#include "tests/lib/testkit.h"

static const char *const hosts[] = {"localhost", "127.0.0.1", "[::1]"};
static const char *const origins[] = {"https://a.example", "http://b.example:8080"};
static const struct http_guard guard = {hosts, 3, origins, 2};

static void knows_host__table(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool known;
    } cases[] = {
        {"localhost", true},
        {"localhost:3001", true},
        {"LocalHost:1", true},
        {"localhost:", true},
        {"127.0.0.1", true},
        {"127.0.0.1:65535", true},
        {"[::1]", true},
        {"[::1]:3001", true},
        {"", false},
        {":3001", false},
        {"localhost.", false},
        {"evil.example:3001", false},
        {"localhost.evil", false},
        {"evil.localhost", false},
        {"127.0.0.10", false},
        {"127.0.0.1:80:80", false},
        {"::1", false},
        {"[::1", false},
        {"localhost:80x", false},
        {"3001", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (http_guard_knows_host(&guard, slice_of(cases[i].host)) != cases[i].known) {
            testkit_fail("'%s'", cases[i].host);
        }
    }
}

static void origin__exactly_one_that_was_named(void **state)
{
    (void)state;
    assert_string_equal(http_guard_origin(&guard, SLICE("https://a.example")), origins[0]);
    assert_string_equal(http_guard_origin(&guard, SLICE("http://b.example:8080")), origins[1]);
    static const char *const others[] = {
        "",
        "null",
        "*",
        "https://a.example:443",
        "http://a.example",
        "https://a.example/",
        "https://a.example.evil",
        "https://A.example",
        "http://b.example",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_null(http_guard_origin(&guard, slice_of(others[i])));
    }
    assert_null(http_guard_origin(&(struct http_guard){0}, SLICE("https://a.example")));
}

static void authorize__table(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *token; /* "": one that does not count */
    } cases[] = {
        {"Bearer abc", "abc"},
        {"bearer abc", "abc"},
        {"BEARER   a-._~+/9==", "a-._~+/9=="},
        {"Bearer", ""},
        {"Bearer ", ""},
        {"Bearer a b", ""},
        {"Bearer a,b", ""},
        {"Bearer ==", ""},
        {"Bearer a=b", ""},
        {"Bearer \"abc\"", ""},
        {"Basic YTpi", ""},
        {"Bearerabc", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice token = http_authorize_token(slice_of(cases[i].value));
        assert_non_null(token.data);
        if (!slice_equal(token, slice_of(cases[i].token))) {
            testkit_fail("'%s'", cases[i].value);
        }
    }
    assert_null(http_authorize_token((struct slice){0}).data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(knows_host__table),
    cmocka_unit_test(origin__exactly_one_that_was_named),
    cmocka_unit_test(authorize__table),
};

TESTKIT_MAIN(tests)
