/* Who a token is: by keys that are held, taken away, expired, or of another store. */
#include <stdlib.h>

#include "billingd/base/sha256.h"
#include "billingd/rpc/keyring.h"
#include "billingd/rpc/object_id.h"
#include "proto/limits.h"
#include "tests/lib/memory_store.h"
#include "tests/lib/testkit.h"

enum {
    ID_KEY = 42,
    NOW_US = 1000,
};

static const int64_t hour_us = INT64_C(3600) * 1000000;

struct made {
    struct store_api_key key;
    char token[KEYRING_TOKEN_TEXT_MAX];
};

/* A key SEQ with a new secret, which KEYRING does not hold. */
static struct made make(struct keyring *keyring, uint64_t seq, enum key_role role)
{
    struct made made = {.key = {.seq = seq, .created = {.name = SLICE("ingest"), .role = role}}};
    char secret[KEYRING_SECRET_BYTES];
    keyring_new_secret(keyring, secret, made.key.created.hash);
    size_t length = keyring_print_token(keyring, seq, secret, made.token);
    assert_u64(strlen(made.token), length);
    return made;
}

static struct made add(struct keyring *keyring, uint64_t seq, enum key_role role)
{
    struct made made = make(keyring, seq, role);
    keyring_add(keyring, &made.key);
    return made;
}

static int identify(struct keyring *keyring, const char *token, struct identity *ret)
{
    return keyring_identify(keyring, slice_of(token), NOW_US, ret);
}

static void assert_nobody(struct keyring *keyring, const char *token)
{
    struct identity who;
    assert_status(identify(keyring, token, &who), STATUS_UNAUTHENTICATED);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void token__is_the_id_and_a_secret_of_256_bits(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct keyring *keyring = keyring_create(ID_KEY);
    char id[OBJECT_ID_TEXT_MAX];
    (void)state;
    object_id_print(OBJECT_KEY, 7, ID_KEY, id);
    struct made made = make(keyring, 7, KEY_READER);
    struct made other = make(keyring, 7, KEY_READER);
    const char *prefix = testkit_format("billing_%s_", id);
    assert_memory_equal(made.token, prefix, strlen(prefix));
    const char *secret = made.token + strlen(prefix);
    assert_u64(strlen(secret), 43); /* of 6 bits each, the last of 4 */
    assert_u64(strspn(secret, alphabet), 43);
    assert_u64((size_t)(strchr(alphabet, secret[42]) - alphabet) % 4, 0);
    assert_string_not_equal(made.token, other.token);
    keyring_destroy(keyring);
}

static void token__only_its_hash_is_kept(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct sha256 *sha = sha256_create();
    uint8_t hash[SHA256_BYTES];
    (void)state;
    struct made made = make(keyring, 7, KEY_READER);
    sha256_begin(sha);
    sha256_add(sha, made.token + strlen(made.token) - 43, 43);
    sha256_end(sha, hash);
    assert_memory_equal(made.key.created.hash, hash, sizeof hash);
    sha256_destroy(sha);
    keyring_destroy(keyring);
}

/* --- who it is -------------------------------------------------------------------------------- */

static void identify__each_role__is_what_the_key_says(void **state)
{
    static const enum role roles[] = {
        [KEY_READER] = ROLE_READER, [KEY_WRITER] = ROLE_WRITER, [KEY_ADMIN] = ROLE_ADMIN};
    struct keyring *keyring = keyring_create(ID_KEY);
    (void)state;
    for (enum key_role role = KEY_READER; role <= KEY_ADMIN; role++) {
        struct identity who;
        struct made made = make(keyring, role, role);
        made.key.created.services = role == KEY_WRITER ? SLICE("\x02S3") : (struct slice){0};
        keyring_add(keyring, &made.key);
        assert_ok(identify(keyring, made.token, &who));
        assert_int_equal(who.role, roles[role]);
        assert_u64(who.key, role);
        assert_text(who.name.data, who.name.length, "key:ingest");
        assert_u64(who.services.length, role == KEY_WRITER ? 3 : 0);
    }
    keyring_destroy(keyring);
}

static void identify__any_change_to_the_token__is_nobody(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct identity who;
    (void)state;
    add(keyring, 1, KEY_ADMIN);
    struct made made = add(keyring, 2, KEY_READER);
    size_t length = strlen(made.token);
    for (size_t i = 0; i < length; i++) {
        char before = made.token[i];
        for (int byte = 0; byte < 256; byte++) {
            made.token[i] = (char)byte;
            int rc = keyring_identify(keyring, (struct slice){made.token, length}, NOW_US, &who);
            assert_status(rc, (char)byte == before ? 0 : STATUS_UNAUTHENTICATED);
        }
        made.token[i] = before;
    }
    for (size_t cut = 0; cut < length; cut++) {
        struct slice head = {made.token, cut};
        struct slice tail = {made.token + length - cut, cut};
        assert_status(keyring_identify(keyring, head, NOW_US, &who), STATUS_UNAUTHENTICATED);
        assert_status(keyring_identify(keyring, tail, NOW_US, &who), STATUS_UNAUTHENTICATED);
    }
    assert_nobody(keyring, testkit_format("%s ", made.token));
    assert_nobody(keyring, testkit_format(" %s", made.token));
    assert_nobody(keyring, testkit_format("%s%s", made.token, made.token));
    keyring_destroy(keyring);
}

static void identify__secret_of_another_key_or_store__is_nobody(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct keyring *other = keyring_create(ID_KEY + 1);
    (void)state;
    struct made one = add(keyring, 1, KEY_ADMIN);
    struct made two = add(keyring, 2, KEY_READER);
    size_t id_bytes = strlen(one.token) - 43;
    memcpy(two.token + id_bytes, one.token + id_bytes, 43);
    assert_nobody(keyring, two.token);
    struct made foreign = add(other, 1, KEY_ADMIN);
    assert_nobody(keyring, foreign.token);
    keyring_destroy(other);
    keyring_destroy(keyring);
}

static void identify__expired_or_removed__is_nobody_from_then_on(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct identity who;
    (void)state;
    struct made made = make(keyring, 1, KEY_READER);
    made.key.created.expires_at_us = NOW_US;
    keyring_add(keyring, &made.key);
    struct slice token = slice_of(made.token);
    assert_ok(keyring_identify(keyring, token, NOW_US - 1, &who));
    assert_status(keyring_identify(keyring, token, NOW_US, &who), STATUS_UNAUTHENTICATED);
    struct made removed = add(keyring, 2, KEY_READER);
    assert_ok(identify(keyring, removed.token, &who));
    keyring_remove(keyring, 2);
    assert_nobody(keyring, removed.token);
    keyring_remove(keyring, 2);
    keyring_remove(keyring, 99);
    keyring_destroy(keyring);
}

static void identify__as_many_keys_as_there_may_be__finds_each(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct made *made = testkit_alloc(LIMIT_KEYS * sizeof *made);
    (void)state;
    for (uint64_t i = 0; i < LIMIT_KEYS; i++) {
        made[i] = add(keyring, 3 * i + 1, KEY_READER);
    }
    for (uint64_t i = 0; i < LIMIT_KEYS; i += 2) {
        keyring_remove(keyring, 3 * i + 1);
    }
    for (uint64_t i = 0; i < LIMIT_KEYS; i++) {
        struct identity who;
        assert_status(identify(keyring, made[i].token, &who),
                      i % 2 == 0 ? STATUS_UNAUTHENTICATED : 0);
    }
    keyring_destroy(keyring);
}

/* --- the store's ------------------------------------------------------------------------------ */

static void append(struct memory_store *memory, struct record record)
{
    struct store_txn *txn;
    assert_ok(store_begin(memory_store_handle(memory), 1, &txn));
    assert_ok(store_append(txn, &record));
    assert_ok(store_commit(txn));
}

static int reload(struct keyring *keyring, struct memory_store *memory)
{
    struct store_view *view;
    assert_ok(store_snapshot(memory_store_handle(memory), &view));
    int rc = keyring_reload(keyring, view);
    store_release(view);
    return rc;
}

static void reload__holds_what_the_store_has_and_no_others(void **state)
{
    struct memory_store *memory = memory_store_create();
    struct keyring *keyring = keyring_create(ID_KEY);
    struct identity who;
    (void)state;
    struct made kept = make(keyring, 1, KEY_WRITER);
    struct made revoked = make(keyring, 2, KEY_ADMIN);
    struct made stranger = add(keyring, 3, KEY_ADMIN); /* as if another store had been there */
    revoked.key.created.name = SLICE("old");
    append(memory, (struct record){.kind = RECORD_KEY_CREATED, .key_created = kept.key.created});
    append(memory, (struct record){.kind = RECORD_KEY_CREATED, .key_created = revoked.key.created});
    append(memory, (struct record){.kind = RECORD_KEY_REVOKED,
                                   .key_revoked = {.key = 2, .name = SLICE("old")}});
    assert_ok(reload(keyring, memory));
    assert_ok(identify(keyring, kept.token, &who));
    assert_nobody(keyring, revoked.token);
    assert_nobody(keyring, stranger.token);
    assert_ok(reload(keyring, memory));
    assert_i64(keyring_last_used(keyring, 1), NOW_US); /* which is written nowhere yet */
    keyring_add(keyring, &kept.key);                   /* the answer that a reload overtook */
    assert_i64(keyring_last_used(keyring, 1), NOW_US);
    memory_store_fail(memory, MEMORY_READ, STATUS_CORRUPT, 0, 1);
    assert_status(reload(keyring, memory), STATUS_CORRUPT);
    assert_ok(identify(keyring, kept.token, &who)); /* it is as it was */
    keyring_destroy(keyring);
    memory_store_destroy(memory);
}

/* --- uses ------------------------------------------------------------------------------------- */

static void use(struct keyring *keyring, const struct made *made, int64_t now_us)
{
    struct identity who;
    assert_ok(keyring_identify(keyring, slice_of(made->token), now_us, &who));
}

static void take_due__once_an_hour_a_key__or_all(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct key_use uses[KEY_USES_MAX];
    int64_t begin_us = 1000 * hour_us;
    (void)state;
    struct made one = add(keyring, 1, KEY_READER);
    struct made two = add(keyring, 2, KEY_READER);
    assert_false(keyring_is_due(keyring));
    assert_u64(keyring_take_due(keyring, true, uses), 0); /* none was used */
    use(keyring, &one, begin_us);
    use(keyring, &two, begin_us + 1);
    assert_true(keyring_is_due(keyring));
    assert_u64(keyring_take_due(keyring, false, uses), 2);
    assert_u64(uses[0].key, 1);
    assert_i64(uses[1].used_at_us, begin_us + 1);
    assert_false(keyring_is_due(keyring));
    keyring_note_written(keyring, uses, 2);
    use(keyring, &one, begin_us + hour_us - 1);
    assert_false(keyring_is_due(keyring));
    assert_u64(keyring_take_due(keyring, false, uses), 0);
    assert_u64(keyring_take_due(keyring, true, uses), 1); /* before it ends */
    use(keyring, &one, begin_us + hour_us);
    assert_u64(keyring_take_due(keyring, false, uses), 1);
    use(keyring, &one, begin_us); /* a clock that was set back */
    assert_i64(keyring_last_used(keyring, 1), begin_us + hour_us);
    keyring_remove(keyring, 1);
    keyring_note_written(keyring, uses, 1); /* it is gone meanwhile */
    assert_i64(keyring_last_used(keyring, 1), 0);
    keyring_destroy(keyring);
}

static void take_due__more_than_a_record_holds__the_rest_later(void **state)
{
    struct keyring *keyring = keyring_create(ID_KEY);
    struct key_use *uses = testkit_alloc(KEY_USES_MAX * sizeof *uses);
    (void)state;
    for (uint64_t seq = 1; seq <= KEY_USES_MAX + 1; seq++) {
        struct made made = add(keyring, seq, KEY_READER);
        use(keyring, &made, hour_us);
    }
    assert_u64(keyring_take_due(keyring, false, uses), KEY_USES_MAX);
    assert_true(keyring_is_due(keyring));
    keyring_note_written(keyring, uses, KEY_USES_MAX);
    assert_u64(keyring_take_due(keyring, false, uses), 1);
    assert_u64(uses[0].key, KEY_USES_MAX + 1);
    keyring_destroy(keyring);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(token__is_the_id_and_a_secret_of_256_bits),
    cmocka_unit_test(token__only_its_hash_is_kept),
    cmocka_unit_test(identify__each_role__is_what_the_key_says),
    cmocka_unit_test(identify__any_change_to_the_token__is_nobody),
    cmocka_unit_test(identify__secret_of_another_key_or_store__is_nobody),
    cmocka_unit_test(identify__expired_or_removed__is_nobody_from_then_on),
    cmocka_unit_test(identify__as_many_keys_as_there_may_be__finds_each),
    cmocka_unit_test(reload__holds_what_the_store_has_and_no_others),
    cmocka_unit_test(take_due__once_an_hour_a_key__or_all),
    cmocka_unit_test(take_due__more_than_a_record_holds__the_rest_later),
};

TESTKIT_MAIN(tests)
