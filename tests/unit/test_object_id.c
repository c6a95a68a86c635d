/* Identifiers: what is written is kept, so their form is fixed; and what is mistyped names
 * nothing. */
#include "billingd/rpc/object_id.h"
#include "tests/lib/testkit.h"

static const uint64_t key = UINT64_C(0x0123456789abcdef);
static const uint64_t last_seq = (UINT64_C(1) << 56) - 1;

static const char *print(enum object_kind kind, uint64_t seq)
{
    char *text = testkit_alloc(OBJECT_ID_TEXT_MAX);
    assert_u64(object_id_print(kind, seq, key, text), 20);
    assert_u64(strlen(text), 20);
    return text;
}

static void object_id__known_numbers__have_their_known_text(void **state)
{
    (void)state;
    assert_string_equal(print(OBJECT_CUSTOMER, 1), "cus_000000000001bxk0");
    assert_string_equal(print(OBJECT_USAGE, 1), "use_000000000001dx0a");
    assert_string_equal(print(OBJECT_USAGE, 1000000), "use_00000000ygj086vz");
    assert_string_equal(print(OBJECT_CUSTOMER, last_seq), "cus_1zzzzzzzzzzz53r4");
}

static void object_id_parse__printed__is_the_number_again(void **state)
{
    struct rng rng = rng_make("object ids");
    (void)state;
    for (int i = 0; i < 2000; i++) {
        uint64_t seq = rng_next(&rng) >> (8 + rng_below(&rng, 55));
        seq = i == 0 ? last_seq : seq == 0 ? 1 : seq;
        enum object_kind kind = i % 2 ? OBJECT_USAGE : OBJECT_CUSTOMER;
        assert_u64(object_id_parse(kind, slice_of(print(kind, seq)), key), seq);
    }
}

/* One wrong digit of 16, each of 31 ways: none of them is some other record. */
static void object_id_parse__one_digit_mistyped__names_nothing(void **state)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    const char *right = print(OBJECT_CUSTOMER, 123456);
    char wrong[OBJECT_ID_TEXT_MAX];
    (void)state;
    for (size_t at = 4; at < 20; at++) {
        for (size_t d = 0; d < 32; d++) {
            memcpy(wrong, right, OBJECT_ID_TEXT_MAX);
            wrong[at] = digits[d];
            assert_u64(object_id_parse(OBJECT_CUSTOMER, slice_of(wrong), key),
                       strcmp(wrong, right) == 0 ? 123456 : 0);
        }
    }
}

static void object_id_parse__two_digits_swapped__names_nothing(void **state)
{
    const char *right = print(OBJECT_USAGE, UINT64_C(9876543210));
    char wrong[OBJECT_ID_TEXT_MAX];
    (void)state;
    for (size_t at = 4; at + 1 < 20; at++) {
        memcpy(wrong, right, OBJECT_ID_TEXT_MAX);
        wrong[at] = right[at + 1];
        wrong[at + 1] = right[at];
        if (strcmp(wrong, right) != 0) {
            assert_u64(object_id_parse(OBJECT_USAGE, slice_of(wrong), key), 0);
        }
    }
}

static void object_id_parse__another_stores__names_nothing(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        const char *text = print(OBJECT_CUSTOMER, seq);
        assert_u64(object_id_parse(OBJECT_CUSTOMER, slice_of(text), key), seq);
        assert_u64(object_id_parse(OBJECT_CUSTOMER, slice_of(text), key + 1), 0);
        assert_u64(object_id_parse(OBJECT_CUSTOMER, slice_of(text), 0), 0);
    }
}

static void object_id_parse__another_kind__names_nothing(void **state)
{
    char text[OBJECT_ID_TEXT_MAX];
    (void)state;
    memcpy(text, print(OBJECT_CUSTOMER, 7), sizeof text);
    assert_u64(object_id_parse(OBJECT_USAGE, slice_of(text), key), 0);
    memcpy(text, "use_", 4); /* the check is over the prefix, too */
    assert_u64(object_id_parse(OBJECT_USAGE, slice_of(text), key), 0);
}

static void object_id_parse__malformed__names_nothing(void **state)
{
    char upper[OBJECT_ID_TEXT_MAX];
    char version[OBJECT_ID_TEXT_MAX];
    const char *right = print(OBJECT_CUSTOMER, 0xABCDEF);
    (void)state;
    memcpy(upper, right, sizeof upper);
    for (size_t i = 4; i < 20; i++) {
        upper[i] = (char)(upper[i] >= 'a' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    memcpy(version, right, sizeof version);
    version[4] = '2'; /* the lowest bit of the layout's version */
    const char *table[] = {
        "",
        "cus_",
        "1",
        "cus_0000000000000000",
        "cus_ooooooooooooooooo",
        upper,
        version,
        testkit_format("%s0", right),
        testkit_format(" %s", right),
        testkit_format("%.19s", right),
        testkit_format("%.19su", right), /* no digit of this base */
        testkit_format("CUS_%s", right + 4),
        testkit_format("cus-%s", right + 4),
        "cus_\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_u64(object_id_parse(OBJECT_CUSTOMER, slice_of(table[i]), key), 0);
    }
    assert_u64(object_id_parse(OBJECT_CUSTOMER, (struct slice){0}, key), 0);
}

static void object_kind_of__every_record__is_what_it_made(void **state)
{
    (void)state;
    assert_int_equal(object_kind_of(RECORD_CUSTOMER_CREATED), OBJECT_CUSTOMER);
    assert_int_equal(object_kind_of(RECORD_USAGE), OBJECT_USAGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(object_id__known_numbers__have_their_known_text),
    cmocka_unit_test(object_id_parse__printed__is_the_number_again),
    cmocka_unit_test(object_id_parse__one_digit_mistyped__names_nothing),
    cmocka_unit_test(object_id_parse__two_digits_swapped__names_nothing),
    cmocka_unit_test(object_id_parse__another_stores__names_nothing),
    cmocka_unit_test(object_id_parse__another_kind__names_nothing),
    cmocka_unit_test(object_id_parse__malformed__names_nothing),
    cmocka_unit_test(object_kind_of__every_record__is_what_it_made),
};

TESTKIT_MAIN(tests)
