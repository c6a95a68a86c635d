/* Request ids made of what is recorded, and the tally behind them. */
#include <string.h>

#include "billingctl/derive.h"
#include "billingctl/tally.h"
#include "tests/lib/testkit.h"

static struct import_row plain_row(void)
{
    return (struct import_row){
        .line = 7,
        .customer = "cus_000000000001hpyr",
        .service = "Database Hosting",
        .units = "58",
        .price = "0.05",
        .has_time = true,
        .time_us = 1793491200000000,
        .labels = {{"a", "1"}, {"b", "2"}},
        .label_count = 2,
    };
}

static bool same(const struct import_row *a, const struct import_row *b)
{
    struct derive_hash hash_a = derive_hash_row(a);
    struct derive_hash hash_b = derive_hash_row(b);
    return memcmp(&hash_a, &hash_b, sizeof hash_a) == 0;
}

static void hash_row__recorded_alike__equal(void **state)
{
    (void)state;
    struct import_row a = plain_row();
    struct import_row b = plain_row();
    b.line = 900; /* where it stands is nothing */
    b.raw = "other text";
    b.units = "58.000";
    b.price = "5e-2";
    b.labels[0] = (struct import_label){"b", "2"};
    b.labels[1] = (struct import_label){"a", "1"};
    assert_true(same(&a, &b));
    a.units = "058";
    b.units = "+58.0";
    assert_true(same(&a, &b));
}

static void hash_row__any_field_differs__other(void **state)
{
    (void)state;
    struct import_row rows[12];
    for (size_t i = 0; i < 12; i++) {
        rows[i] = plain_row();
    }
    rows[1].customer = "cus_000000000002hpyr";
    rows[2].service = "Database";
    rows[3].units = "59";
    rows[4].price = "0.051";
    rows[5].time_us++;
    rows[6].has_time = false;
    rows[7].labels[1].value = "3";
    rows[8].label_count = 1;
    rows[9].labels[1].name = "c";
    /* Nothing may slide from one field into the next. */
    rows[10].labels[0] = (struct import_label){"a", "11:b"};
    rows[11].service = NULL;
    for (size_t i = 0; i < 12; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same(&rows[i], &rows[j])) {
                testkit_fail("rows %zu and %zu have one hash", i, j);
            }
        }
    }
}

/* A frozen value: what was imported with it must be found again by every later version. */
static void hash_row__adjustments__by_amount_and_reason(void **state)
{
    (void)state;
    struct import_row a = {
        .kind = IMPORT_ADJUSTMENT, .customer = "c", .amount = "-2.50", .why = "x"};
    struct import_row b = a;
    b.amount = "-2.5";
    assert_true(same(&a, &b));
    b.amount = "2.5";
    assert_false(same(&a, &b));
    b = a;
    b.why = "y";
    assert_false(same(&a, &b));
    /* What an export says of the amount of usage makes no other usage of it. */
    a = plain_row();
    b = plain_row();
    b.amount = "2.9";
    assert_true(same(&a, &b));
}

static void put_id__known_row__never_changes(void **state)
{
    (void)state;
    struct import_row row = plain_row();
    struct derive_hash hash = derive_hash_row(&row);
    struct text id = {0};
    derive_put_id(&hash, 3, &id);
    assert_string_equal(
        text_of(&id), "derived:0c3d2550ab4e7d6650119271bed8204bbc952e5e67af3e250123395042a2e0cb:3");
    assert_true(id.length <= BILLING_REQUEST_ID_BYTES_MAX);
    text_clear(&id);
    derive_put_id(&hash, UINT64_MAX, &id);
    assert_true(id.length <= BILLING_REQUEST_ID_BYTES_MAX);
    text_done(&id);
}

static void hash_parts__moved_border__other(void **state)
{
    (void)state;
    const char *a[] = {"ab", "c"};
    const char *b[] = {"a", "bc"};
    const char *c[] = {"abc"};
    struct derive_hash hash_a = derive_hash_parts(a, 2);
    struct derive_hash hash_b = derive_hash_parts(b, 2);
    struct derive_hash hash_c = derive_hash_parts(c, 1);
    assert_memory_not_equal(&hash_a, &hash_b, sizeof hash_a);
    assert_memory_not_equal(&hash_a, &hash_c, sizeof hash_a);
}

static void tally__many_things__counted_apart(void **state)
{
    (void)state;
    enum {
        THINGS = 20000,
    };
    struct tally tally = {0};
    for (uint64_t round = 0; round < 3; round++) {
        for (int i = 0; i < THINGS; i++) {
            const char *name = testkit_format("%d", i);
            struct derive_hash hash = derive_hash_parts(&name, 1);
            assert_u64(tally_add(&tally, &hash), round);
        }
    }
    assert_u64(tally.used, THINGS);
    assert_true(tally.used <= tally.capacity / 8 * 7);
    tally_done(&tally);
}

/* Even a key of zeros is a thing, not a free place; and equal low bits share no count. */
static void tally__awkward_keys__counted_apart(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct derive_hash hash = {{0}};
    assert_u64(tally_add(&tally, &hash), 0);
    assert_u64(tally_add(&tally, &hash), 1);
    for (int i = 1; i < 100; i++) {
        hash.bytes[15] = (unsigned char)i;
        assert_u64(tally_add(&tally, &hash), 0);
    }
    hash.bytes[15] = 0;
    assert_u64(tally_add(&tally, &hash), 2);
    assert_u64(tally.used, 100);
    tally_done(&tally);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hash_row__recorded_alike__equal),
    cmocka_unit_test(hash_row__any_field_differs__other),
    cmocka_unit_test(hash_row__adjustments__by_amount_and_reason),
    cmocka_unit_test(put_id__known_row__never_changes),
    cmocka_unit_test(hash_parts__moved_border__other),
    cmocka_unit_test(tally__many_things__counted_apart),
    cmocka_unit_test(tally__awkward_keys__counted_apart),
};

TESTKIT_MAIN(tests)
