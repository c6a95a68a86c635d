/* SHA-256 by the examples of FIPS 180-4 and of the NIST's test vectors. */
#include <string.h>

#include "billingd/base/sha256.h"
#include "tests/lib/testkit.h"

static void assert_hash(struct sha256 *sha, const char *expected)
{
    uint8_t hash[SHA256_BYTES];
    char text[SHA256_TEXT_BYTES];
    sha256_end(sha, hash);
    sha256_print(hash, text);
    assert_text(text, sizeof text, expected);
}

static void sha256__known_messages__have_the_hashes_of_the_standard(void **state)
{
    static const struct {
        const char *message;
        const char *hash;
    } table[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "mnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    struct sha256 *sha = sha256_create();
    (void)state;
    assert_non_null(sha);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        sha256_begin(sha);
        sha256_add(sha, table[i].message, strlen(table[i].message));
        assert_hash(sha, table[i].hash);
    }
    sha256_destroy(sha);
}

static void sha256__a_million_bytes_in_pieces__hash_as_one_message(void **state)
{
    struct sha256 *sha = sha256_create();
    char piece[997];
    size_t left = 1000000;
    (void)state;
    assert_non_null(sha);
    memset(piece, 'a', sizeof piece);
    sha256_begin(sha);
    while (left > 0) {
        size_t length = left < sizeof piece ? left : sizeof piece;
        sha256_add(sha, piece, length);
        left -= length;
    }
    assert_hash(sha, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_destroy(sha);
}

/* What was begun and not ended leaves nothing behind. */
static void sha256_begin__in_the_middle_of_a_message__begins_anew(void **state)
{
    struct sha256 *sha = sha256_create();
    (void)state;
    assert_non_null(sha);
    sha256_begin(sha);
    sha256_add(sha, "xyz", 3);
    sha256_begin(sha);
    sha256_add(sha, "a", 1);
    sha256_add(sha, "", 0);
    sha256_add(sha, "bc", 2);
    assert_hash(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_destroy(sha);
    sha256_destroy(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sha256__known_messages__have_the_hashes_of_the_standard),
    cmocka_unit_test(sha256__a_million_bytes_in_pieces__hash_as_one_message),
    cmocka_unit_test(sha256_begin__in_the_middle_of_a_message__begins_anew),
};

TESTKIT_MAIN(tests)
