/* UUIDs of version 7: the RFC's own example, and their bits. */
#include <string.h>

#include "proto/uuid.h"
#include "tests/lib/testkit.h"

static void print__example_of_rfc_9562__as_there(void **state)
{
    (void)state;
    static const uint8_t random[UUID_RANDOM_BYTES] = {0x0C, 0xC3, 0x18, 0xC4, 0xDC,
                                                      0x0C, 0x0C, 0x07, 0x39, 0x8F};
    char text[UUID_TEXT_BYTES + 1];
    uuid7_print(UINT64_C(0x017F22E279B0), random, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void print__any_bits__version_and_variant_stand(void **state)
{
    (void)state;
    struct rng rng = rng_make("uuid");
    char last[UUID_TEXT_BYTES + 1] = "";
    for (uint64_t ms = 0; ms < 10000; ms++) {
        uint8_t random[UUID_RANDOM_BYTES];
        char text[UUID_TEXT_BYTES + 1];
        rng_fill(&rng, random, sizeof random);
        uuid7_print(ms * 1000003, random, text);
        assert_u64(strlen(text), UUID_TEXT_BYTES);
        assert_u64(strspn(text, "0123456789abcdef-"), UUID_TEXT_BYTES);
        assert_true(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
        assert_true(text[14] == '7' && strchr("89ab", text[19]) != NULL);
        assert_true(strcmp(last, text) < 0); /* later ones sort behind */
        memcpy(last, text, sizeof last);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(print__example_of_rfc_9562__as_there),
    cmocka_unit_test(print__any_bits__version_and_variant_stand),
};

TESTKIT_MAIN(tests)
