/* The bytes of records: fixed for good, and nothing else is taken. */
#include "tests/unit/record_bytes.h"

/* --- helpers ---------------------------------------------------------------------------------- */

static struct record typical_usage(void)
{
    return (struct record){
        .kind = RECORD_USAGE,
        .request_id = SLICE("0192f3c8-7c1e-7b52-9f0a-3d4e5f607182"),
        .recorded_by = SLICE("uid:1000"),
        .usage = {.customer = 300,
                  .service = SLICE("Database Hosting"),
                  .units = make_decimal(58, 0),
                  .price = make_decimal(5, 2),
                  .occurred_at_us = 0x0102030405060708 % TIMESTAMP_MAX,
                  .bills_at_us = 0x0102030405060708 % TIMESTAMP_MAX,
                  .occurred_at_given = true},
    };
}

/* --- the format ------------------------------------------------------------------------------- */

static void encode__customer_created__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x01\x00\x02r1\x05uid:0\x04"
                                   "Acme\x03"
                                   "a-7";
    struct record record = {
        .kind = RECORD_CUSTOMER_CREATED,
        .request_id = SLICE("r1"),
        .recorded_by = SLICE("uid:0"),
        .customer_created = {.name = SLICE("Acme"), .external_id = SLICE("a-7")},
    };
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__customer_renamed__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x02\x00\x00\x05uid:0\xac\x02\x04"
                                   "Ajax";
    struct record record = {
        .kind = RECORD_CUSTOMER_RENAMED,
        .recorded_by = SLICE("uid:0"),
        .customer_renamed = {.customer = 300, .name = SLICE("Ajax")},
    };
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__usage_in_time__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x03\x01\x02r2\x00\x07\x02s3"
                                   "\x00\x74"                         /* 58 */
                                   "\x02\x0a"                         /* 0.05 */
                                   "\x08\x07\x06\x05\x04\x03\x02\x00" /* occurred_at */
                                   "\x00";                            /* no labels */
    struct record record = {
        .kind = RECORD_USAGE,
        .request_id = SLICE("r2"),
        .usage = {.customer = 7,
                  .service = SLICE("s3"),
                  .units = make_decimal(58, 0),
                  .price = make_decimal(5, 2),
                  .occurred_at_us = 0x0002030405060708,
                  .bills_at_us = 0x0002030405060708,
                  .occurred_at_given = true},
    };
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__late_usage_with_labels__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x03\x02\x00\x00\x01\x00"
                                   "\xfc\x02"                         /* 10000 = 1e4 */
                                   "\x00\x00"                         /* 0 */
                                   "\x01\x00\x00\x00\x00\x00\x00\x00" /* occurred_at */
                                   "\x02\x00\x00\x00\x00\x00\x00\x00" /* bills_at */
                                   "\x09\x01"
                                   "a\x00\x02"
                                   "bc\x02"
                                   "de";
    struct label labels[] = {{.name = SLICE("a")}, {.name = SLICE("bc"), .value = SLICE("de")}};
    uint8_t encoded[LABELS_BYTES_MAX];
    size_t length = labels_encode(labels, 2, encoded);
    struct record record = {
        .kind = RECORD_USAGE,
        .usage = {.customer = 1,
                  .units = make_decimal(100, -2),
                  .occurred_at_us = 1,
                  .bills_at_us = 2,
                  .labels = {(const char *)encoded, length}},
    };
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__typical_usage__is_about_a_hundred_bytes(void **state)
{
    struct record record = typical_usage();
    (void)state;
    assert_in_range(encode(&record)->length, 60, 100);
}

static void encode__largest_usage__fits(void **state)
{
    struct rng rng = rng_make("largest");
    struct record record = largest_usage(&rng);
    struct record back;
    (void)state;
    struct bytes *bytes = encode(&record);
    assert_in_range(bytes->length, LIMIT_LABELS * LIMIT_LABEL_VALUE_BYTES, RECORD_BYTES_MAX);
    assert_ok(record_decode(bytes->data, bytes->length, &back));
    assert_same_content(&back, &record);
}

/* --- round trips ------------------------------------------------------------------------------ */

static struct record random_record(struct rng *rng)
{
    uint64_t customer = 1 + (rng_next(rng) >> rng_below(rng, 64)) % UINT64_MAX;
    uint64_t other = 1 + (rng_next(rng) >> rng_below(rng, 64)) % UINT64_MAX;
    switch (rng_below(rng, 16)) {
    case 0:
        return random_created(rng);
    case 1:
        return random_renamed(rng, customer);
    case 2:
        return random_voided(rng, customer, other);
    case 3:
        return random_adjustment(rng, customer);
    case 4:
        return random_invoice(rng, customer, other);
    case 5:
        return random_entries(rng, other);
    case 6:
        return random_service_put(rng);
    case 7:
        return random_service_deleted(rng);
    case 8:
        return random_key_created(rng);
    case 9:
        return random_key_revoked(rng, other);
    case 10:
        return random_key_used(rng, 1 + other / 2, 1 + rng_below(rng, 20));
    default:
        return random_usage(rng, customer);
    }
}

static void decode__random_records__come_back(void **state)
{
    struct rng rng = rng_make("round trips");
    uint8_t *buffer = testkit_alloc(RECORD_BYTES_MAX);
    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct record record = random_record(&rng);
        struct record back = {.seq = 9, .created_at_us = 8};
        size_t length = record_encode(&record, buffer);
        assert_ok(record_decode(buffer, length, &back));
        assert_same_content(&back, &record);
        assert_u64(back.seq, 9);
        assert_i64(back.created_at_us, 8);
    }
}

static void decode__any_cut__corrupt(void **state)
{
    struct rng rng = rng_make("cuts");
    struct record back;
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct record record = random_record(&rng);
        struct bytes *bytes = encode(&record);
        for (size_t length = 0; length < bytes->length; length++) {
            assert_status(decode(bytes->data, length, &back), STATUS_CORRUPT);
        }
    }
}

static void decode__a_byte_behind_the_record__corrupt(void **state)
{
    struct rng rng = rng_make("trailing");
    struct record back;
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct record record = random_record(&rng);
        struct bytes *bytes = encode(&record);
        bytes->data[bytes->length++] = (uint8_t)rng_next(&rng);
        assert_status(decode(bytes->data, bytes->length, &back), STATUS_CORRUPT);
    }
}

/* Each record has one encoding: what decodes at all is what encoding it again gives. */
static void assert_canonical(const uint8_t *data, size_t length)
{
    struct record back;
    uint8_t again[RECORD_BYTES_MAX];
    if (record_decode(data, length, &back) == 0) {
        assert_u64(record_encode(&back, again), length);
        assert_memory_equal(again, data, length);
    }
}

static void decode__changed_bytes__corrupt_or_canonical(void **state)
{
    struct rng rng = rng_make("changes");
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct record record = random_record(&rng);
        struct bytes *bytes = encode(&record);
        for (int change = 0; change < 200; change++) {
            uint8_t *at = &bytes->data[rng_below(&rng, bytes->length)];
            uint8_t before = *at;
            *at = (uint8_t)rng_next(&rng);
            assert_canonical(bytes->data, bytes->length);
            *at = before;
        }
    }
}

static void decode__random_bytes__corrupt_or_canonical(void **state)
{
    struct rng rng = rng_make("garbage");
    uint8_t data[64];
    (void)state;
    for (int i = 0; i < 200000; i++) {
        size_t length = rng_below(&rng, sizeof data);
        rng_fill(&rng, data, length);
        data[0] = (uint8_t)(data[0] % (RECORD_KEY_USED + 2));
        data[1] = (uint8_t)(data[1] % 16);
        assert_canonical(data, length);
    }
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* A usage by hand. */
enum part {
    HEAD, /* kind and flags */
    REQUEST_ID,
    RECORDED_BY,
    CUSTOMER,
    SERVICE,
    UNITS,
    PRICE,
    TIMES,
    LABELS,
    PART__COUNT,
};

struct parts {
    struct slice part[PART__COUNT];
};

static struct parts well_formed(void)
{
    return (struct parts){{
        [HEAD] = SLICE("\x03\x00"),
        [REQUEST_ID] = SLICE("\x01r"),
        [RECORDED_BY] = SLICE("\x01u"),
        [CUSTOMER] = SLICE("\x01"),
        [SERVICE] = SLICE("\x01s"),
        [UNITS] = SLICE("\x00\x02"), /* 1 */
        [PRICE] = SLICE("\x00\x02"),
        [TIMES] = SLICE("\x01\0\0\0\0\0\0\0"),
        [LABELS] = SLICE("\x00"),
    }};
}

static int decode_parts(const struct parts *parts)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    struct record back;
    for (int i = 0; i < PART__COUNT; i++) {
        memcpy(bytes->data + bytes->length, parts->part[i].data, parts->part[i].length);
        bytes->length += parts->part[i].length;
    }
    return decode(bytes->data, bytes->length, &back);
}

/* A well-formed usage but for PART. */
static int decode_with(enum part part, struct slice bytes)
{
    struct parts parts = well_formed();
    parts.part[part] = bytes;
    return decode_parts(&parts);
}

static void decode__texts__up_to_their_limits(void **state)
{
    static const struct {
        enum part part;
        size_t limit;
    } texts[] = {
        {REQUEST_ID, LIMIT_REQUEST_ID_BYTES},
        {RECORDED_BY, RECORD_RECORDED_BY_BYTES},
        {SERVICE, LIMIT_SERVICE_BYTES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_ok(decode_with(texts[i].part, counted(0)));
        assert_ok(decode_with(texts[i].part, counted(texts[i].limit)));
        assert_status(decode_with(texts[i].part, counted(texts[i].limit + 1)), STATUS_CORRUPT);
    }
}

static int decode_customer_texts(size_t name, size_t external_id)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    struct record back;
    memcpy(bytes->data, "\x01\x00\x00\x00", 4);
    bytes->length = 4;
    put_filled(bytes, 'n', name);
    put_filled(bytes, 'e', external_id);
    return decode(bytes->data, bytes->length, &back);
}

static void decode__customer_texts__up_to_their_limits(void **state)
{
    (void)state;
    assert_ok(decode_customer_texts(LIMIT_CUSTOMER_NAME_BYTES, LIMIT_EXTERNAL_ID_BYTES));
    assert_status(decode_customer_texts(LIMIT_CUSTOMER_NAME_BYTES + 1, 0), STATUS_CORRUPT);
    assert_status(decode_customer_texts(0, LIMIT_EXTERNAL_ID_BYTES + 1), STATUS_CORRUPT);
}

static void decode__unknown_kinds_and_flags__corrupt(void **state)
{
    struct record back;
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        uint8_t bytes[] = {(uint8_t)kind, 0, 0, 0, 1, 0}; /* of the two kinds that read so */
        bool known = kind == RECORD_CUSTOMER_RENAMED || kind == RECORD_SERVICE_DELETED;
        assert_status(decode(bytes, sizeof bytes, &back), known ? 0 : STATUS_CORRUPT);
    }
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t created[] = {RECORD_CUSTOMER_CREATED, (uint8_t)flags, 0, 0, 0, 0};
        assert_status(decode(created, sizeof created, &back), flags == 0 ? 0 : STATUS_CORRUPT);
        struct parts parts = well_formed();
        char head[] = {RECORD_USAGE, (char)flags};
        parts.part[HEAD] = (struct slice){head, sizeof head};
        if (flags & 2) {
            parts.part[TIMES] = SLICE("\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0");
        }
        assert_status(decode_parts(&parts), flags < 4 ? 0 : STATUS_CORRUPT);
    }
}

static void decode__varints__only_in_their_shortest_form(void **state)
{
    (void)state;
    assert_ok(decode_with(CUSTOMER, SLICE("\x80\x01")));
    assert_ok(decode_with(CUSTOMER, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
    assert_status(decode_with(CUSTOMER, SLICE("\x00")), STATUS_CORRUPT); /* no customer */
    assert_status(decode_with(CUSTOMER, SLICE("\x81\x00")), STATUS_CORRUPT);
    assert_status(decode_with(CUSTOMER, SLICE("\x81\x80\x00")), STATUS_CORRUPT);
    assert_status(decode_with(CUSTOMER, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")),
                  STATUS_CORRUPT);
    assert_status(decode_with(CUSTOMER, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00")),
                  STATUS_CORRUPT);
}

static void decode__decimals__only_in_normal_form_and_bounds(void **state)
{
    (void)state;
    assert_ok(decode_with(UNITS, SLICE("\x12\x02")));                                 /* 1e-18 */
    assert_ok(decode_with(UNITS, SLICE("\x12\xfe\xff\x9f\xf6\xf4\xac\xdb\xe0\x1b"))); /* 18 nines */
    assert_ok(decode_with(UNITS, SLICE("\xf2\x02")));                                 /* 1e14 */
    assert_status(decode_with(UNITS, SLICE("\x13\x02")), STATUS_CORRUPT);             /* 1e-19 */
    assert_status(decode_with(UNITS, SLICE("\x12\x82\x80\xa0\xf6\xf4\xac\xdb\xe0\x1b")),
                  STATUS_CORRUPT);                                        /* 19 digits */
    assert_status(decode_with(UNITS, SLICE("\x00\x14")), STATUS_CORRUPT); /* 10, not 1e1 */
    assert_status(decode_with(UNITS, SLICE("\x01\x00")), STATUS_CORRUPT); /* 0.0 */
    assert_status(decode_with(UNITS, SLICE("\x00\x01")), STATUS_CORRUPT); /* -1 */
    assert_status(decode_with(PRICE, SLICE("\x00\x01")), STATUS_CORRUPT);
}

static void decode__amount_at_its_bound__corrupt(void **state)
{
    struct parts parts = well_formed();
    (void)state;
    parts.part[UNITS] = SLICE("\xf8\x02"); /* 1e8 */
    parts.part[PRICE] = SLICE("\xfa\x02"); /* 1e6 */
    assert_ok(decode_parts(&parts));
    parts.part[PRICE] = SLICE("\xf9\x02"); /* 1e7: 1e15 in all */
    assert_status(decode_parts(&parts), STATUS_CORRUPT);
}

static void decode__times__within_1970_to_9999_and_in_order(void **state)
{
    struct parts late = well_formed();
    (void)state;
    assert_ok(decode_with(TIMES, SLICE("\0\0\0\0\0\0\0\0")));
    assert_ok(decode_with(TIMES, SLICE("\xff\x5f\x73\xcc\x0c\x44\x84\x03")));
    assert_status(decode_with(TIMES, SLICE("\x00\x60\x73\xcc\x0c\x44\x84\x03")), STATUS_CORRUPT);
    assert_status(decode_with(TIMES, SLICE("\0\0\0\0\0\0\0\x80")), STATUS_CORRUPT);
    late.part[HEAD] = SLICE("\x03\x02");
    late.part[TIMES] = SLICE("\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0");
    assert_ok(decode_parts(&late));
    late.part[TIMES] = SLICE("\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0");
    assert_status(decode_parts(&late), STATUS_CORRUPT);
    late.part[TIMES] = SLICE("\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0");
    assert_status(decode_parts(&late), STATUS_CORRUPT);
    late.part[TIMES] = SLICE("\x01\0\0\0\0\0\0\0\x00\x60\x73\xcc\x0c\x44\x84\x03");
    assert_status(decode_parts(&late), STATUS_CORRUPT);
}

/* N labels named "a", "b", ...: NAME_BYTES and VALUE_BYTES long. */
static int decode_labels(unsigned n, size_t name_bytes, size_t value_bytes)
{
    struct bytes *labels = testkit_alloc(sizeof *labels);
    struct bytes *whole = testkit_alloc(sizeof *whole);
    for (unsigned i = 0; i < n; i++) {
        put_filled(labels, (char)('a' + i), name_bytes);
        put_filled(labels, 'v', value_bytes);
    }
    put_length(whole, labels->length);
    memcpy(whole->data + whole->length, labels->data, labels->length);
    whole->length += labels->length;
    return decode_with(LABELS, taken(whole));
}

static void decode__labels__up_to_their_limits(void **state)
{
    (void)state;
    assert_ok(decode_labels(LIMIT_LABELS, 1, 0));
    assert_ok(decode_labels(LIMIT_LABELS, LIMIT_LABEL_NAME_BYTES, LIMIT_LABEL_VALUE_BYTES));
    assert_ok(decode_labels(1, 0, 0));
    assert_status(decode_labels(LIMIT_LABELS + 1, 1, 0), STATUS_CORRUPT);
    assert_status(decode_labels(1, LIMIT_LABEL_NAME_BYTES + 1, 0), STATUS_CORRUPT);
    assert_status(decode_labels(1, 1, LIMIT_LABEL_VALUE_BYTES + 1), STATUS_CORRUPT);
}

static void decode__labels__sorted_whole_and_not_twice(void **state)
{
    (void)state;
    assert_ok(decode_with(LABELS, SLICE("\x08\x01"
                                        "a\x01v\x01"
                                        "b\x01w")));
    assert_status(decode_with(LABELS, SLICE("\x08\x01"
                                            "b\x01v\x01"
                                            "a\x01w")),
                  STATUS_CORRUPT);
    assert_status(decode_with(LABELS, SLICE("\x08\x01"
                                            "a\x01v\x01"
                                            "a\x01w")),
                  STATUS_CORRUPT);
    assert_status(decode_with(LABELS, SLICE("\x07\x01"
                                            "a\x01v\x01"
                                            "b\x01w")),
                  STATUS_CORRUPT);
    assert_status(decode_with(LABELS, SLICE("\x07\x01"
                                            "a\x01v\x01"
                                            "b\x01")),
                  STATUS_CORRUPT);
    assert_status(decode_with(LABELS, SLICE("\x03\x01"
                                            "a\x09")),
                  STATUS_CORRUPT);
}

/* --- labels ----------------------------------------------------------------------------------- */

static void labels_next__gives_back_what_was_encoded(void **state)
{
    struct label labels[] = {{.name = SLICE("")},
                             {.name = SLICE("region"), .value = SLICE("eu-central")},
                             {.name = SLICE("sku"), .value = SLICE("x")}};
    uint8_t encoded[LABELS_BYTES_MAX];
    (void)state;
    struct slice rest = {(const char *)encoded, labels_encode(labels, 3, encoded)};
    for (unsigned i = 0; i < 3; i++) {
        struct label label;
        assert_true(labels_next(&rest, &label));
        assert_same_text(label.name, labels[i].name);
        assert_same_text(label.value, labels[i].value);
    }
    assert_false(labels_next(&rest, &(struct label){0}));
    assert_u64(labels_encode(labels, 0, encoded), 0);
}

/* --- what the caller has to check ------------------------------------------------------------- */

static void encode__what_is_out_of_bounds__aborts(void **state)
{
    static char text[LIMIT_SERVICE_BYTES + 1];
    struct record record = typical_usage();
    (void)state;
    assert_false(encode_aborts(&record));
    record.usage.service = (struct slice){text, sizeof text};
    assert_true(encode_aborts(&record));
    record = typical_usage();
    record.usage.units = make_decimal(-1, 0);
    assert_true(encode_aborts(&record));
    record = typical_usage();
    record.usage.units = make_decimal(1, -20);
    assert_true(encode_aborts(&record));
    record = typical_usage();
    record.usage.bills_at_us = record.usage.occurred_at_us - 1;
    assert_true(encode_aborts(&record));
    record = typical_usage();
    record.usage.occurred_at_us = -1;
    assert_true(encode_aborts(&record));
    record = typical_usage();
    record.usage.labels = SLICE("\x05"
                                "a");
    assert_true(encode_aborts(&record));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(encode__customer_created__has_the_documented_bytes),
    cmocka_unit_test(encode__customer_renamed__has_the_documented_bytes),
    cmocka_unit_test(encode__usage_in_time__has_the_documented_bytes),
    cmocka_unit_test(encode__late_usage_with_labels__has_the_documented_bytes),
    cmocka_unit_test(encode__typical_usage__is_about_a_hundred_bytes),
    cmocka_unit_test(encode__largest_usage__fits),
    cmocka_unit_test(decode__random_records__come_back),
    cmocka_unit_test(decode__any_cut__corrupt),
    cmocka_unit_test(decode__a_byte_behind_the_record__corrupt),
    cmocka_unit_test(decode__changed_bytes__corrupt_or_canonical),
    cmocka_unit_test(decode__random_bytes__corrupt_or_canonical),
    cmocka_unit_test(decode__texts__up_to_their_limits),
    cmocka_unit_test(decode__customer_texts__up_to_their_limits),
    cmocka_unit_test(decode__unknown_kinds_and_flags__corrupt),
    cmocka_unit_test(decode__varints__only_in_their_shortest_form),
    cmocka_unit_test(decode__decimals__only_in_normal_form_and_bounds),
    cmocka_unit_test(decode__amount_at_its_bound__corrupt),
    cmocka_unit_test(decode__times__within_1970_to_9999_and_in_order),
    cmocka_unit_test(decode__labels__up_to_their_limits),
    cmocka_unit_test(decode__labels__sorted_whole_and_not_twice),
    cmocka_unit_test(labels_next__gives_back_what_was_encoded),
    cmocka_unit_test(encode__what_is_out_of_bounds__aborts),
};

TESTKIT_MAIN(tests)
