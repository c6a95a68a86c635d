/* The bytes of what was added to the journal for bills: voids, adjustments, invoices, services.
 * As test_record.c. */
#include "tests/unit/record_bytes.h"

/* --- examples --------------------------------------------------------------------------------- */

static struct record a_void(void)
{
    return (struct record){
        .kind = RECORD_USAGE_VOIDED,
        .request_id = SLICE("v1"),
        .recorded_by = SLICE("uid:0"),
        .usage_voided = {.customer = 7,
                         .usage = 300,
                         .occurred_at_us = 1,
                         .bills_at_us = 2,
                         .reason = SLICE("twice")},
    };
}

static struct record an_adjustment(void)
{
    return (struct record){
        .kind = RECORD_ADJUSTMENT,
        .request_id = SLICE("a1"),
        .adjustment = {.customer = 7,
                       .service = SLICE("s3"),
                       .reason = SLICE("sorry"),
                       .amount = make_decimal(-5, 2),
                       .occurred_at_us = 1,
                       .bills_at_us = 1,
                       .occurred_at_given = true},
    };
}

static struct amount amount_of_text(const char *text)
{
    struct amount amount;
    assert_ok(amount_parse(text, strlen(text), &amount));
    return amount;
}

static struct record an_invoice(void)
{
    return (struct record){
        .kind = RECORD_INVOICE,
        .request_id = SLICE("i1"),
        .invoice = {.customer = 7,
                    .number = 9,
                    .start_us = 1,
                    .end_us = 2,
                    .start_given = true,
                    .position = 300,
                    .minor_digits = 2,
                    .n_lines = 1,
                    .n_adjustments = 128,
                    .exact = amount_of_text("-0.125"),
                    .total = amount_of_text("-0.12"),
                    .digest = "0123456789abcdef0123456789abcde"},
    };
}

/* --- the format ------------------------------------------------------------------------------- */

static void encode__void__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x04\x02\x02v1\x05uid:0\x07\xac\x02"
                                   "\x01\0\0\0\0\0\0\0" /* occurred_at */
                                   "\x02\0\0\0\0\0\0\0" /* bills_at */
                                   "\x05twice";
    struct record record = a_void();
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__adjustment__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x05\x01\x02"
                                   "a1\x00\x07\x02s3\x05sorry"
                                   "\x02\x09"            /* -0.05 */
                                   "\x01\0\0\0\0\0\0\0"; /* occurred_at and bills_at */
    struct record record = an_adjustment();
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__invoice__has_the_documented_bytes(void **state)
{
    static const char expected[] = "\x06\x04\x02i1\x00\x07\x09"
                                   "\x01\0\0\0\0\0\0\0"               /* start */
                                   "\x02\0\0\0\0\0\0\0"               /* end */
                                   "\xac\x02\x02"                     /* position, minor digits */
                                   "\x01\x80\x01"                     /* lines, adjustments */
                                   "\x06-0.125\x05-0.12"              /* exact, total */
                                   "0123456789abcdef0123456789abcde"; /* digest, with its NUL */
    struct record record = an_invoice();
    (void)state;
    assert_encodes(&record, expected, sizeof expected);
}

static void encode__entries__have_the_documented_bytes(void **state)
{
    static const char expected[] = "\x07\x00\x00\x00\xac\x02"
                                   "\x13" /* bytes of all */
                                   "\x00\x02s3\x02\x0a\x02"
                                   "58\x03"
                                   "2.9"              /* line, s3, 0.05, 58 */
                                   "\x03\x01\x80\x01" /* records, voided, late */
                                   "\xac\x02"         /* adjustment 300 */
        ;
    struct invoice_entry line = {
        .line = {.service = SLICE("s3"),
                 .price = make_decimal(5, 2),
                 .units = amount_of_text("58"),
                 .exact = amount_of_text("2.9"),
                 .records = 3,
                 .voided = 1,
                 .late = 128},
    };
    struct invoice_entry adjustment = {.adjustment = 300};
    uint8_t entries[2 * INVOICE_ENTRY_BYTES_MAX];
    size_t length = invoice_entry_encode(&line, entries);
    length += invoice_entry_encode(&adjustment, entries + length);
    struct record record = {
        .kind = RECORD_INVOICE_ENTRIES,
        .invoice_entries = {.invoice = 300, .entries = {(const char *)entries, length}},
    };
    (void)state;
    assert_encodes(&record, expected, sizeof expected - 1);
}

static void encode__services__have_the_documented_bytes(void **state)
{
    static const char put[] = "\x08\x00\x00\x05uid:0\x02s3\x02GB";
    static const char deleted[] = "\x09\x00\x00\x05uid:0\x02s3";
    struct record record = {
        .kind = RECORD_SERVICE_PUT,
        .recorded_by = SLICE("uid:0"),
        .service_put = {.name = SLICE("s3"), .unit = SLICE("GB")},
    };
    (void)state;
    assert_encodes(&record, put, sizeof put - 1);
    record = (struct record){
        .kind = RECORD_SERVICE_DELETED,
        .recorded_by = SLICE("uid:0"),
        .service_deleted = {.name = SLICE("s3")},
    };
    assert_encodes(&record, deleted, sizeof deleted - 1);
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* Every flag of every kind: only its own are taken. */
static void decode__flags__only_those_of_the_kind(void **state)
{
    static const struct {
        enum record_kind kind;
        unsigned flags; /* but for 2, late, which brings a time with it */
    } kinds[] = {
        {RECORD_CUSTOMER_CREATED, 0}, {RECORD_CUSTOMER_RENAMED, 0}, {RECORD_USAGE, 1},
        {RECORD_USAGE_VOIDED, 0},     {RECORD_ADJUSTMENT, 1},       {RECORD_INVOICE, 4},
        {RECORD_INVOICE_ENTRIES, 0},  {RECORD_SERVICE_PUT, 0},      {RECORD_SERVICE_DELETED, 0},
    };
    struct rng rng = rng_make("flags");
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct record records[] = {
            [RECORD_CUSTOMER_CREATED] = random_created(&rng),
            [RECORD_CUSTOMER_RENAMED] = random_renamed(&rng, 1),
            [RECORD_USAGE] = random_usage(&rng, 1),
            [RECORD_USAGE_VOIDED] = random_voided(&rng, 1, 2),
            [RECORD_ADJUSTMENT] = random_adjustment(&rng, 1),
            [RECORD_INVOICE] = random_invoice(&rng, 1, 1),
            [RECORD_INVOICE_ENTRIES] = random_entries(&rng, 1),
            [RECORD_SERVICE_PUT] = random_service_put(&rng),
            [RECORD_SERVICE_DELETED] = random_service_deleted(&rng),
        };
        struct record *record = &records[kinds[i].kind];
        if (record->kind == RECORD_USAGE) { /* in time, all of them */
            record->usage.bills_at_us = record->usage.occurred_at_us;
        } else if (record->kind == RECORD_USAGE_VOIDED) {
            record->usage_voided.bills_at_us = record->usage_voided.occurred_at_us;
        } else if (record->kind == RECORD_ADJUSTMENT) {
            record->adjustment.bills_at_us = record->adjustment.occurred_at_us;
        }
        struct bytes *bytes = encode(record);
        for (unsigned flags = 0; flags < 256; flags++) {
            struct record back;
            bytes->data[1] = (uint8_t)flags;
            int rc = decode(bytes->data, bytes->length, &back);
            if ((flags & 2) == 0 || (flags & ~(kinds[i].flags | 2)) != 0) {
                assert_status(rc, (flags & ~kinds[i].flags) == 0 ? 0 : STATUS_CORRUPT);
            }
        }
    }
}

/* HEAD, a text of LENGTH bytes behind its length, and TAIL. */
static int decode_around(struct slice head, size_t length, struct slice tail)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    struct record back;
    memcpy(bytes->data, head.data, head.length);
    bytes->length = head.length;
    put_filled(bytes, 'x', length);
    memcpy(bytes->data + bytes->length, tail.data, tail.length);
    bytes->length += tail.length;
    return decode(bytes->data, bytes->length, &back);
}

#define TIME "\x01\0\0\0\0\0\0\0"

static void decode__texts__up_to_their_limits(void **state)
{
    static const struct {
        struct slice head;
        size_t shortest;
        size_t longest;
        struct slice tail;
    } texts[] = {
        {SLICE("\x04\x00\x00\x00\x01\x02" TIME), 0, LIMIT_REASON_BYTES, SLICE("")},
        {SLICE("\x05\x00\x00\x00\x01"), 0, LIMIT_SERVICE_BYTES, SLICE("\x00\x00\x00" TIME)},
        {SLICE("\x05\x00\x00\x00\x01\x00"), 0, LIMIT_REASON_BYTES, SLICE("\x00\x00" TIME)},
        {SLICE("\x08\x00\x00\x00"), 1, LIMIT_SERVICE_BYTES, SLICE("\x00")},
        {SLICE("\x08\x00\x00\x00\x01s"), 0, LIMIT_UNIT_BYTES, SLICE("")},
        {SLICE("\x09\x00\x00\x00"), 1, LIMIT_SERVICE_BYTES, SLICE("")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_ok(decode_around(texts[i].head, texts[i].shortest, texts[i].tail));
        assert_ok(decode_around(texts[i].head, texts[i].longest, texts[i].tail));
        assert_status(decode_around(texts[i].head, texts[i].longest + 1, texts[i].tail),
                      STATUS_CORRUPT);
        if (texts[i].shortest > 0) {
            assert_status(decode_around(texts[i].head, 0, texts[i].tail), STATUS_CORRUPT);
        }
    }
}

static int decode_bytes(struct slice bytes)
{
    struct record back;
    return decode((const uint8_t *)bytes.data, bytes.length, &back);
}

static void decode__links__lead_somewhere(void **state)
{
    (void)state;
    assert_ok(decode_bytes(SLICE("\x04\x00\x00\x00\x01\x02" TIME "\x00")));
    assert_status(decode_bytes(SLICE("\x04\x00\x00\x00\x00\x02" TIME "\x00")), STATUS_CORRUPT);
    assert_status(decode_bytes(SLICE("\x04\x00\x00\x00\x01\x00" TIME "\x00")), STATUS_CORRUPT);
    assert_status(decode_bytes(SLICE("\x05\x00\x00\x00\x00\x00\x00\x00\x00" TIME)), STATUS_CORRUPT);
    assert_ok(decode_bytes(SLICE("\x07\x00\x00\x00\x01\x01\x05")));
    assert_status(decode_bytes(SLICE("\x07\x00\x00\x00\x00\x01\x05")), STATUS_CORRUPT);
}

static void decode__voids_and_adjustments__times_in_order(void **state)
{
    static const char earlier[] = "\0\0\0\0\0\0\0\0";
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct record record = i == 0 ? a_void() : an_adjustment();
        if (i == 1) {
            record.adjustment.bills_at_us = 2;
        }
        struct bytes *bytes = encode(&record);
        struct record back;
        size_t at = bytes->length - (i == 0 ? 14 : 8); /* of bills_at */
        assert_ok(decode(bytes->data, bytes->length, &back));
        bytes->data[at] = 1; /* as late as it occurred: then it is not late */
        assert_status(decode(bytes->data, bytes->length, &back), STATUS_CORRUPT);
        memcpy(bytes->data + at, earlier, 8);
        assert_status(decode(bytes->data, bytes->length, &back), STATUS_CORRUPT);
    }
}

static void decode__adjustments_amount__of_either_sign_below_its_bound(void **state)
{
    static const struct {
        struct slice amount;
        int status;
    } cases[] = {
        {SLICE("\x00\x00"), 0},
        {SLICE("\xf2\x02"), 0},              /* 1e14 */
        {SLICE("\xf2\x01"), 0},              /* -1e14 */
        {SLICE("\x12\x01"), 0},              /* -1e-18 */
        {SLICE("\xf1\x02"), STATUS_CORRUPT}, /* 1e15 */
        {SLICE("\xf1\x01"), STATUS_CORRUPT}, /* -1e15 */
        {SLICE("\x01\x00"), STATUS_CORRUPT}, /* 0.0 */
        {SLICE("\x00\x14"), STATUS_CORRUPT}, /* 10, not 1e1 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes *bytes = testkit_alloc(sizeof *bytes);
        static const struct slice head = SLICE("\x05\x00\x00\x00\x01\x00\x00");
        static const struct slice tail = SLICE(TIME);
        struct record back;
        memcpy(bytes->data, head.data, head.length);
        memcpy(bytes->data + head.length, cases[i].amount.data, cases[i].amount.length);
        memcpy(bytes->data + head.length + 2, tail.data, tail.length);
        assert_status(decode(bytes->data, head.length + 2 + tail.length, &back), cases[i].status);
    }
}

/* Set the LENGTH bytes at AT of an invoice. */
static int decode_invoice_with(size_t at, const char *changed, size_t length)
{
    struct record record = an_invoice();
    struct bytes *bytes = encode(&record);
    struct record back;
    assert_ok(decode(bytes->data, bytes->length, &back));
    memcpy(bytes->data + at, changed, length);
    return decode(bytes->data, bytes->length, &back);
}

static void decode__invoice__within_its_bounds(void **state)
{
    enum { CUSTOMER = 6, NUMBER = 7, START = 8, END = 16, MINOR = 26, EXACT = 31 };
    (void)state;
    assert_ok(decode_invoice_with(CUSTOMER, "\x01", 1));
    assert_status(decode_invoice_with(CUSTOMER, "\x00", 1), STATUS_CORRUPT);
    assert_status(decode_invoice_with(NUMBER, "\x00", 1), STATUS_CORRUPT);
    assert_status(decode_invoice_with(START, "\x02", 1), STATUS_CORRUPT); /* of no time */
    assert_status(decode_invoice_with(START, "\x03", 1), STATUS_CORRUPT);
    assert_status(decode_invoice_with(END, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), STATUS_CORRUPT);
    assert_ok(decode_invoice_with(MINOR, "\x24", 1));
    assert_status(decode_invoice_with(MINOR, "\x25", 1), STATUS_CORRUPT);
    assert_ok(decode_invoice_with(EXACT, "999999", 6));
    assert_status(decode_invoice_with(EXACT, "099999", 6), STATUS_CORRUPT);
    assert_status(decode_invoice_with(EXACT, "-0.120", 6), STATUS_CORRUPT);
    assert_status(decode_invoice_with(EXACT, "-.1234", 6), STATUS_CORRUPT);
    assert_status(decode_invoice_with(EXACT, "1.234 ", 6), STATUS_CORRUPT);
}

static int decode_entries(struct slice entries)
{
    struct bytes *bytes = testkit_alloc(sizeof *bytes);
    struct record back;
    memcpy(bytes->data, "\x07\x00\x00\x00\x01", 5);
    bytes->length = 5;
    put_length(bytes, entries.length);
    if (entries.length > 0) {
        memcpy(bytes->data + bytes->length, entries.data, entries.length);
    }
    bytes->length += entries.length;
    return decode(bytes->data, bytes->length, &back);
}

static void decode__entries__whole_and_within_their_bounds(void **state)
{
    static char many[INVOICE_ENTRIES_BYTES_MAX + 1];
    (void)state;
    assert_status(decode_entries((struct slice){0}), STATUS_CORRUPT); /* at least one */
    assert_ok(decode_entries(SLICE("\x05\x06")));
    assert_ok(decode_entries(SLICE("\x00\x00\x00\x02\x01"
                                   "1\x01"
                                   "1\x01\x00\x00")));
    assert_ok(decode_entries(SLICE("\x00\x00\x00\x02\x02-1\x02-1\x00\x01\x00")));
    assert_status(decode_entries(SLICE("\x00\x00\x00\x01\x01"
                                       "1\x01"
                                       "1\x01\x00\x00")),
                  STATUS_CORRUPT); /* a price below 0 */
    assert_status(decode_entries(SLICE("\x00\x00\x00\x02\x00\x01"
                                       "1\x01\x00\x00")),
                  STATUS_CORRUPT); /* no units */
    assert_status(decode_entries(SLICE("\x00\x00\x00\x02\x01"
                                       "1\x01"
                                       "1\x01\x00")),
                  STATUS_CORRUPT); /* cut */
    assert_status(decode_entries(SLICE("\x05\x86")), STATUS_CORRUPT);
    memset(many, 1, sizeof many);
    assert_ok(decode_entries((struct slice){many, sizeof many - 1}));
    assert_status(decode_entries((struct slice){many, sizeof many}), STATUS_CORRUPT);
}

/* Every text and number of an entry at its bound. */
static void encode__largest_entry__fits(void **state)
{
    static char text[LIMIT_SERVICE_BYTES];
    struct amount largest = amount_of_text("-170141183460469231731687303715884105727."
                                           "123456789012345678901234567890123456");
    struct invoice_entry entry = {
        .line = {.service = {text, sizeof text},
                 .price = make_decimal(999999999999999999, 18),
                 .units = largest,
                 .exact = largest,
                 .records = UINT64_MAX,
                 .voided = UINT64_MAX,
                 .late = UINT64_MAX},
    };
    uint8_t bytes[INVOICE_ENTRY_BYTES_MAX];
    struct invoice_entry back;
    (void)state;
    size_t length = invoice_entry_encode(&entry, bytes);
    assert_in_range(length, 400, sizeof bytes);
    struct slice rest = {(const char *)bytes, length};
    assert_true(invoice_entries_next(&rest, &back));
    assert_int_equal(amount_compare(back.line.exact, largest), 0);
    assert_false(invoice_entries_next(&rest, &back));
}

static void entries_next__gives_back_what_was_encoded(void **state)
{
    struct rng rng = rng_make("entries");
    uint8_t bytes[20 * INVOICE_ENTRY_BYTES_MAX];
    struct invoice_entry entries[20];
    size_t length = 0;
    (void)state;
    for (int i = 0; i < 20; i++) {
        entries[i] = random_entry(&rng);
        length += invoice_entry_encode(&entries[i], bytes + length);
    }
    struct slice rest = {(const char *)bytes, length};
    for (int i = 0; i < 20; i++) {
        struct invoice_entry entry;
        assert_true(invoice_entries_next(&rest, &entry));
        assert_u64(entry.adjustment, entries[i].adjustment);
        if (entry.adjustment == 0) {
            assert_same_text(entry.line.service, entries[i].line.service);
            assert_true(decimal_equal(entry.line.price, entries[i].line.price));
            assert_int_equal(amount_compare(entry.line.units, entries[i].line.units), 0);
            assert_int_equal(amount_compare(entry.line.exact, entries[i].line.exact), 0);
            assert_u64(entry.line.records, entries[i].line.records);
            assert_u64(entry.line.voided, entries[i].line.voided);
            assert_u64(entry.line.late, entries[i].line.late);
        }
    }
    assert_false(invoice_entries_next(&rest, &(struct invoice_entry){0}));
}

/* --- what a record is about ------------------------------------------------------------------- */

static void about__every_kind(void **state)
{
    static const struct {
        struct record record;
        uint64_t customer;
        uint64_t scope;
        bool on_bills;
    } cases[] = {
        {{.kind = RECORD_CUSTOMER_CREATED, .seq = 4}, 4, 0, false},
        {{.kind = RECORD_CUSTOMER_RENAMED, .customer_renamed = {.customer = 5}}, 5, 5, false},
        {{.kind = RECORD_USAGE, .usage = {.customer = 6, .occurred_at_us = 1, .bills_at_us = 2}},
         6,
         6,
         true},
        {{.kind = RECORD_USAGE_VOIDED,
          .usage_voided = {.customer = 7, .occurred_at_us = 1, .bills_at_us = 2}},
         7,
         7,
         true},
        {{.kind = RECORD_ADJUSTMENT,
          .adjustment = {.customer = 8, .occurred_at_us = 1, .bills_at_us = 2}},
         8,
         8,
         true},
        {{.kind = RECORD_INVOICE, .invoice = {.customer = 9}}, 9, 9, false},
        {{.kind = RECORD_INVOICE_ENTRIES, .seq = 4, .invoice_entries = {.invoice = 5}},
         0,
         0,
         false},
        {{.kind = RECORD_SERVICE_PUT, .seq = 4}, 0, 0, false},
        {{.kind = RECORD_SERVICE_DELETED, .seq = 4}, 0, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t occurred_at_us = 0;
        int64_t bills_at_us = 0;
        assert_u64(record_customer(&cases[i].record), cases[i].customer);
        assert_u64(record_scope(&cases[i].record), cases[i].scope);
        assert_int_equal(record_times(&cases[i].record, &occurred_at_us, &bills_at_us),
                         cases[i].on_bills);
        if (cases[i].on_bills) {
            assert_i64(occurred_at_us, 1);
            assert_i64(bills_at_us, 2);
        }
    }
}

/* What is copied by its texts lives on without the bytes that it was read from. */
static void texts__of_every_kind__are_all_that_points(void **state)
{
    struct rng rng = rng_make("texts");
    struct record records[] = {
        random_created(&rng),      random_renamed(&rng, 1),    random_usage(&rng, 1),
        random_voided(&rng, 1, 2), random_adjustment(&rng, 1), random_invoice(&rng, 1, 1),
        random_entries(&rng, 1),   random_service_put(&rng),   random_service_deleted(&rng),
    };
    (void)state;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct bytes *bytes = encode(&records[i]);
        struct record back;
        struct slice *texts[RECORD_TEXTS_MAX];
        assert_ok(record_decode(bytes->data, bytes->length, &back));
        unsigned n = record_texts(&back, texts);
        assert_in_range(n, 2, RECORD_TEXTS_MAX);
        for (unsigned j = 0; j < n; j++) {
            if (texts[j]->length > 0) {
                texts[j]->data =
                    memcpy(testkit_alloc(texts[j]->length), texts[j]->data, texts[j]->length);
            }
        }
        memset(bytes->data, 0xEE, bytes->length);
        assert_same_content(&back, &records[i]);
    }
}

/* --- what the caller has to check ------------------------------------------------------------- */

static void encode__what_is_out_of_bounds__aborts(void **state)
{
    struct record records[9];
    for (int i = 0; i < 9; i++) {
        records[i] = i < 3 ? a_void() : i < 5 ? an_adjustment() : an_invoice();
        assert_false(encode_aborts(&records[i]));
    }
    (void)state;
    records[0].usage_voided.usage = 0;
    records[1].usage_voided.bills_at_us = 0;
    records[2].usage_voided.customer = 0;
    records[3].adjustment.amount = make_decimal(-1, -15);
    records[4].adjustment.bills_at_us = 0;
    records[5].invoice.number = 0;
    records[6].invoice.end_us = records[6].invoice.start_us;
    records[7].invoice.minor_digits = AMOUNT_FRACTION_MAX + 1;
    records[8] = (struct record){.kind = RECORD_SERVICE_PUT}; /* without a name */
    for (int i = 0; i < 9; i++) {
        assert_true(encode_aborts(&records[i]));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(encode__void__has_the_documented_bytes),
    cmocka_unit_test(encode__adjustment__has_the_documented_bytes),
    cmocka_unit_test(encode__invoice__has_the_documented_bytes),
    cmocka_unit_test(encode__entries__have_the_documented_bytes),
    cmocka_unit_test(encode__services__have_the_documented_bytes),
    cmocka_unit_test(decode__flags__only_those_of_the_kind),
    cmocka_unit_test(decode__texts__up_to_their_limits),
    cmocka_unit_test(decode__links__lead_somewhere),
    cmocka_unit_test(decode__voids_and_adjustments__times_in_order),
    cmocka_unit_test(decode__adjustments_amount__of_either_sign_below_its_bound),
    cmocka_unit_test(decode__invoice__within_its_bounds),
    cmocka_unit_test(decode__entries__whole_and_within_their_bounds),
    cmocka_unit_test(encode__largest_entry__fits),
    cmocka_unit_test(entries_next__gives_back_what_was_encoded),
    cmocka_unit_test(about__every_kind),
    cmocka_unit_test(texts__of_every_kind__are_all_that_points),
    cmocka_unit_test(encode__what_is_out_of_bounds__aborts),
};

TESTKIT_MAIN(tests)
