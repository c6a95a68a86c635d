/* Blocks: their bytes are fixed for good, and nothing that is damaged is taken. */
#include <stdlib.h>

#include <xxhash.h>

#include "billingd/store/block.h"
#include "tests/lib/testkit.h"
#include "tests/store/records.h"

/* --- helpers ---------------------------------------------------------------------------------- */

struct sealed {
    uint8_t *bytes; /* exactly length of them, so that a sanitizer sees a read beyond */
    size_t length;
};

static struct block_heading heading_at(uint64_t first_seq)
{
    struct block_heading heading = {.first_seq = first_seq, .created_at_us = 1763809298000001};
    for (unsigned i = 0; i < BLOCK_HASH_BYTES; i++) {
        heading.previous_hash[i] = (uint8_t)(0xA0 + i);
    }
    return heading;
}

static struct sealed seal(struct block_writer *writer, uint64_t first_seq)
{
    struct block_heading heading = heading_at(first_seq);
    struct sealed sealed = {.length = block_writer_bytes(writer)};
    sealed.bytes = malloc(sealed.length);
    assert_non_null(sealed.bytes);
    block_writer_seal(writer, &heading, sealed.bytes);
    return sealed;
}

/* N random usages of one writer of blocks of BYTES_MAX; they must fit. */
static struct record *add_usages(struct block_writer *writer, struct rng *rng, unsigned n)
{
    struct record *records = testkit_alloc(n * sizeof *records);
    for (unsigned i = 0; i < n; i++) {
        records[i] = random_usage(rng, i + 1);
        assert_true(block_writer_add(writer, &records[i]));
    }
    return records;
}

static struct block_writer *make_writer(size_t bytes_max)
{
    struct block_writer *writer;
    assert_ok(block_writer_create(bytes_max, &writer));
    return writer;
}

static struct sealed small_block(uint64_t first_seq)
{
    struct rng rng = rng_make("small block");
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    IGNORE(add_usages(writer, &rng, 3) == NULL); /* the records do not matter here */
    struct sealed sealed = seal(writer, first_seq);
    block_writer_destroy(writer);
    return sealed;
}

static void put_u16(struct sealed *block, size_t at, unsigned value)
{
    block->bytes[at] = (uint8_t)value;
    block->bytes[at + 1] = (uint8_t)(value >> 8);
}

static void put_u64(struct sealed *block, size_t at, uint64_t value)
{
    for (size_t i = 0; i < 8; i++) {
        block->bytes[at + i] = (uint8_t)(value >> 8 * i);
    }
}

static void make_checksum_right(struct sealed *block)
{
    put_u64(block, block->length - 8, XXH3_64bits(block->bytes, block->length - 8));
}

static int open_sealed(const struct sealed *sealed, struct block *ret, const char **ret_problem)
{
    *ret_problem = NULL;
    return block_open(sealed->bytes, sealed->length, ret, ret_problem);
}

static void assert_corrupt(const struct sealed *sealed, const char *problem)
{
    struct block block;
    const char *found;
    assert_status(open_sealed(sealed, &block, &found), STATUS_CORRUPT);
    assert_contains(found, problem);
}

/* --- the format ------------------------------------------------------------------------------- */

static void seal__two_records__has_the_documented_bytes(void **state)
{
    static const uint8_t expected[] = {
        'B',  'L',  'K',  'J',                          /* magic */
        1,    0,    3,    0,                            /* formats */
        0x2A, 0,    0,    0,    0,    0,    0,    0,    /* first sequence number, 42 */
        2,    0,    0,    0,                            /* records */
        21,   0,    0,    0,                            /* bytes of records */
        0x81, 0xA8, 0xA8, 0xDA, 0x2C, 0x44, 0x06, 0x00, /* 1763809298000001 */
        0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, /* hash of the block before */
        0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB3,
        0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xBD, 0xBE, 0xBF,
        1,    0,    1,    'r',  0,    4,    'A',  'c',  'm',  'e',  0, /* customer created */
        2,    0,    0,    0,    42,   4,    'A',  'j',  'a',  'x',     /* customer renamed */
        0,    0,    0,    0,                                           /* offsets */
        11,   0,    0,    0,
    };
    struct record created = {.kind = RECORD_CUSTOMER_CREATED,
                             .request_id = SLICE("r"),
                             .customer_created = {.name = SLICE("Acme")}};
    struct record renamed = {.kind = RECORD_CUSTOMER_RENAMED,
                             .customer_renamed = {.customer = 42, .name = SLICE("Ajax")}};
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    (void)state;
    assert_true(block_writer_add(writer, &created));
    assert_true(block_writer_add(writer, &renamed));
    struct sealed sealed = seal(writer, 42);
    assert_u64(sealed.length, sizeof expected + 8);
    assert_memory_equal(sealed.bytes, expected, sizeof expected);
    make_checksum_right(&sealed); /* changes nothing */
    struct block block;
    const char *problem;
    assert_ok(open_sealed(&sealed, &block, &problem));
    free(sealed.bytes);
    block_writer_destroy(writer);
}

static void hash__known_answers(void **state)
{
    static const uint8_t empty[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    static const char text[] = "billing journal of store 00000000deadbeef";
    struct sha256 *sha;
    uint8_t hash[BLOCK_HASH_BYTES];
    uint8_t genesis[BLOCK_HASH_BYTES];
    (void)state;
    sha = sha256_create();
    assert_non_null(sha);
    block_hash(sha, (const uint8_t *)"", 0, hash);
    assert_memory_equal(hash, empty, sizeof empty);
    block_hash(sha, (const uint8_t *)text, sizeof text - 1, hash);
    block_genesis(sha, 0xDEADBEEF, genesis);
    assert_memory_equal(hash, genesis, sizeof genesis);
    block_genesis(sha, 0xDEADBEF0, genesis);
    assert_memory_not_equal(hash, genesis, sizeof genesis);
    sha256_destroy(sha);
}

/* --- reading back ----------------------------------------------------------------------------- */

static void open__sealed_block__has_its_records(void **state)
{
    struct rng rng = rng_make("read back");
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    (void)state;
    for (unsigned n = 1; n < 40; n += 7) {
        uint64_t first_seq = 1 + rng_next(&rng) / 2;
        struct record *records = add_usages(writer, &rng, n);
        assert_u64(block_writer_count(writer), n);
        struct sealed sealed = seal(writer, first_seq);
        assert_u64(block_writer_count(writer), 0);
        struct block block;
        const char *problem;
        assert_ok(open_sealed(&sealed, &block, &problem));
        assert_u64(block.heading.first_seq, first_seq);
        assert_u64(block.count, n);
        assert_memory_equal(block.heading.previous_hash, heading_at(1).previous_hash,
                            BLOCK_HASH_BYTES);
        assert_false(block_has(&block, first_seq - 1));
        assert_false(block_has(&block, first_seq + n));
        for (unsigned i = 0; i < n; i++) {
            struct record record;
            records[i].seq = first_seq + i;
            records[i].created_at_us = heading_at(1).created_at_us;
            assert_ok(block_record(&block, first_seq + i, &record));
            struct record again;
            assert_ok(block_record_again(sealed.bytes, sealed.length, first_seq + i, &again));
            assert_same_record(&again, &record);
            assert_same_record(&record, &records[i]);
        }
        free(sealed.bytes);
    }
    block_writer_destroy(writer);
}

static void writer__pending_records__can_be_read(void **state)
{
    struct rng rng = rng_make("pending");
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    struct record *records = add_usages(writer, &rng, 20);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct record record;
        assert_ok(block_writer_record(writer, i, &record));
        assert_same_content(&record, &records[i]);
    }
    block_writer_reset(writer);
    assert_u64(block_writer_count(writer), 0);
    block_writer_destroy(writer);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void add__up_to_the_bound_of_bytes(void **state)
{
    static const size_t bounds[] = {256, 1000, 4096, BLOCK_BYTES_MAX - 16, BLOCK_BYTES_MAX};
    struct rng rng = rng_make("bound");
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct block_writer *writer = make_writer(bounds[i]);
        struct record record = random_usage(&rng, 1);
        assert_true(block_writer_add(writer, &record));
        size_t one = block_writer_bytes(writer);
        while (block_writer_add(writer, &record)) {
            assert_in_range(block_writer_bytes(writer), 1, bounds[i]);
        }
        if (one <= bounds[i]) { /* and not one sooner than needed */
            assert_in_range(block_writer_bytes(writer) + one - 72, bounds[i] + 1, SIZE_MAX);
        }
        struct sealed sealed = seal(writer, 1);
        struct block block;
        const char *problem;
        assert_ok(open_sealed(&sealed, &block, &problem));
        assert_true(block_writer_add(writer, &record)); /* there is room again */
        free(sealed.bytes);
        block_writer_destroy(writer);
    }
}

static void add__first_record_longer_than_the_bound__is_taken_alone(void **state)
{
    struct rng rng = rng_make("long");
    struct record record = largest_usage(&rng);
    struct block_writer *writer = make_writer(256);
    (void)state;
    assert_true(block_writer_add(writer, &record));
    assert_false(block_writer_add(writer, &record));
    struct sealed sealed = seal(writer, UINT64_MAX - 1);
    struct block block;
    struct record back;
    const char *problem;
    assert_ok(open_sealed(&sealed, &block, &problem));
    assert_ok(block_record(&block, UINT64_MAX - 1, &back));
    assert_same_content(&back, &record);
    free(sealed.bytes);
    block_writer_destroy(writer);
}

static void add__smallest_records__fill_a_block(void **state)
{
    struct record record = {.kind = RECORD_CUSTOMER_CREATED};
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    (void)state;
    while (block_writer_add(writer, &record)) {
    }
    assert_u64(block_writer_count(writer), (BLOCK_BYTES_MAX - 72) / (6 + 4));
    struct sealed sealed = seal(writer, 1);
    struct block block;
    const char *problem;
    assert_ok(open_sealed(&sealed, &block, &problem));
    free(sealed.bytes);
    block_writer_destroy(writer);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void open__any_flipped_bit__corrupt(void **state)
{
    struct sealed sealed = small_block(1);
    struct block block;
    const char *problem;
    (void)state;
    for (size_t bit = 0; bit < sealed.length * 8; bit++) {
        sealed.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_status(open_sealed(&sealed, &block, &problem), STATUS_CORRUPT);
        assert_non_null(problem);
        sealed.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_ok(open_sealed(&sealed, &block, &problem));
    free(sealed.bytes);
}

static void open__any_cut__corrupt(void **state)
{
    struct sealed whole = small_block(1);
    (void)state;
    for (size_t length = 0; length < whole.length; length++) {
        struct sealed cut = {.bytes = malloc(length == 0 ? 1 : length), .length = length};
        assert_non_null(cut.bytes);
        memcpy(cut.bytes, whole.bytes, length);
        assert_corrupt(&cut, "its ");
        if (length >= 72) { /* also where it was cut on purpose */
            make_checksum_right(&cut);
            assert_corrupt(&cut, "its parts do not make up its length");
        }
        free(cut.bytes);
    }
    free(whole.bytes);
}

static void open__longer_than_a_block__corrupt(void **state)
{
    struct sealed sealed = {.bytes = calloc(1, BLOCK_BYTES_MAX + 1), .length = BLOCK_BYTES_MAX + 1};
    (void)state;
    assert_non_null(sealed.bytes);
    assert_corrupt(&sealed, "length is out of bounds");
    free(sealed.bytes);
}

static void open__another_magic__corrupt(void **state)
{
    struct sealed sealed = small_block(1);
    (void)state;
    sealed.bytes[0] = 'X';
    make_checksum_right(&sealed);
    assert_corrupt(&sealed, "does not begin as a block");
    free(sealed.bytes);
}

/* A whole block with right checksum, of a format yet to come. */
static void open__newer_formats__are_told_from_damage(void **state)
{
    struct sealed sealed = small_block(1);
    struct block block;
    const char *problem;
    (void)state;
    put_u16(&sealed, 4, 2);
    assert_corrupt(&sealed, "checksum"); /* a flipped bit, not a format */
    make_checksum_right(&sealed);
    assert_status(open_sealed(&sealed, &block, &problem), STATUS_NOT_IMPLEMENTED);
    assert_u64(block.format, 2);
    assert_u64(block.record_format, 3);
    put_u16(&sealed, 4, 1);
    put_u16(&sealed, 6, 7);
    make_checksum_right(&sealed);
    assert_status(open_sealed(&sealed, &block, &problem), STATUS_NOT_IMPLEMENTED);
    assert_u64(block.format, 1);
    assert_u64(block.record_format, 7);
    put_u16(&sealed, 6, 0);
    make_checksum_right(&sealed);
    assert_status(open_sealed(&sealed, &block, &problem), STATUS_NOT_IMPLEMENTED);
    free(sealed.bytes);
}

/* What was written before there were voids, or keys, is read, and holds nothing that came later. */
static void record__older_formats__have_the_kinds_of_their_time(void **state)
{
    struct rng rng = rng_make("formats");
    struct record records[] = {
        random_created(&rng),      random_renamed(&rng, 1),      random_usage(&rng, 1),
        random_voided(&rng, 1, 3), random_adjustment(&rng, 1),   random_invoice(&rng, 1, 1),
        random_entries(&rng, 6),   random_service_put(&rng),     random_service_deleted(&rng),
        random_key_created(&rng),  random_key_revoked(&rng, 10), random_key_used(&rng, 10, 1),
    };
    enum { KINDS = sizeof records / sizeof records[0] };
    static const enum record_kind last[] = {0, RECORD_USAGE, RECORD_SERVICE_DELETED};
    struct block_writer *writer = make_writer(BLOCK_BYTES_MAX);
    struct block block;
    const char *problem;
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        assert_true(block_writer_add(writer, &records[i]));
    }
    struct sealed sealed = seal(writer, 1);
    for (unsigned format = 3; format >= 1; format--) {
        put_u16(&sealed, 6, format);
        make_checksum_right(&sealed);
        assert_ok(open_sealed(&sealed, &block, &problem));
        assert_u64(block.record_format, format);
        for (int i = 0; i < KINDS; i++) {
            struct record back;
            bool known = format == 3 || records[i].kind <= last[format];
            assert_status(block_record(&block, (uint64_t)i + 1, &back), known ? 0 : STATUS_CORRUPT);
            if (known) {
                assert_same_content(&back, &records[i]);
            }
        }
    }
    free(sealed.bytes);
    block_writer_destroy(writer);
}

static void open__wrong_header_with_right_checksum__corrupt(void **state)
{
    static const struct {
        size_t at;
        uint64_t value; /* of 8 bytes */
        const char *problem;
    } wrongs[] = {
        {8, 0, "sequence numbers"},
        {8, UINT64_MAX - 2, "sequence numbers"},
        {16, 0, "do not make up its length"},
        {16, UINT64_C(4), "do not make up its length"},
        {16, UINT64_MAX, "do not make up its length"},
        {24, (uint64_t)TIMESTAMP_MAX + 1, "time"},
        {24, UINT64_MAX, "time"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct sealed sealed = small_block(1);
        put_u64(&sealed, wrongs[i].at, wrongs[i].value);
        make_checksum_right(&sealed);
        assert_corrupt(&sealed, wrongs[i].problem);
        free(sealed.bytes);
    }
}

static void open__wrong_offsets_with_right_checksum__corrupt(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 4; wrong++) {
        struct sealed sealed = small_block(1);
        uint8_t *table = sealed.bytes + sealed.length - 8 - 12; /* of 3 offsets */
        switch (wrong) {
        case 0: /* a gap before the first */
            table[0] = 1;
            break;
        case 1: /* equal */
            memcpy(table + 8, table + 4, 4);
            break;
        case 2: /* beyond the end */
            table[11] = 0x7F;
            break;
        default: /* backwards */
            memset(table + 8, 0, 4);
        }
        make_checksum_right(&sealed);
        assert_corrupt(&sealed, wrong == 0 ? "begin behind its header" : "out of order");
        free(sealed.bytes);
    }
}

/* Bytes that no record has, under a right checksum: found when the record is read. */
static void record__not_a_record__corrupt(void **state)
{
    struct sealed sealed = small_block(5);
    struct block block;
    struct record record;
    const char *problem;
    (void)state;
    sealed.bytes[64] = 99; /* the first one's kind */
    make_checksum_right(&sealed);
    assert_ok(open_sealed(&sealed, &block, &problem));
    assert_status(block_record(&block, 5, &record), STATUS_CORRUPT);
    assert_ok(block_record(&block, 6, &record));
    free(sealed.bytes);
}

/* Read all that can be read: whether it is any good is not the question. */
static void read_all(const struct sealed *sealed)
{
    struct block block;
    struct record record;
    const char *problem;
    if (open_sealed(sealed, &block, &problem) < 0) {
        return;
    }
    for (uint32_t i = 0; i < block.count; i++) {
        IGNORE(block_record(&block, block.heading.first_seq + i, &record) < 0); /* either */
    }
}

/* The same, without a look at the checksum. */
static void read_all_again(const struct sealed *sealed)
{
    struct record record;
    for (uint64_t seq = 4; seq < 9; seq++) {
        IGNORE(block_record_again(sealed->bytes, sealed->length, seq, &record) < 0); /* either */
    }
}

static void flip_bits(struct rng *rng, struct sealed *sealed, int n)
{
    for (int i = 0; i < n; i++) {
        size_t at = rng_below(rng, sealed->length);
        sealed->bytes[at] ^= (uint8_t)(1U << rng_below(rng, 8));
    }
}

/* Without a checksum to say so: nothing is read beyond the block. */
static void record_again__flipped_bits__no_harm(void **state)
{
    struct rng rng = rng_make("again");
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct sealed sealed = small_block(5);
        flip_bits(&rng, &sealed, 4);
        read_all_again(&sealed);
        free(sealed.bytes);
    }
}

static void record_again__not_in_the_block__is_said(void **state)
{
    (void)state;
    struct sealed sealed = small_block(5);
    struct record record;
    assert_status(block_record_again(sealed.bytes, sealed.length, 4, &record), STATUS_NOT_FOUND);
    assert_status(block_record_again(sealed.bytes, sealed.length, 8, &record), STATUS_NOT_FOUND);
    assert_status(block_record_again(sealed.bytes, 20, 5, &record), STATUS_CORRUPT);
    free(sealed.bytes);
}

static void open__random_bytes_with_right_frame__no_harm(void **state)
{
    struct rng rng = rng_make("garbage blocks");
    struct sealed whole = small_block(1);
    struct sealed sealed = {.bytes = malloc(whole.length), .length = whole.length};
    (void)state;
    assert_non_null(sealed.bytes);
    for (int i = 0; i < 20000; i++) {
        memcpy(sealed.bytes, whole.bytes, whole.length);
        for (size_t n = 1 + rng_below(&rng, 8); n > 0; n--) {
            sealed.bytes[8 + rng_below(&rng, sealed.length - 16)] = (uint8_t)rng_next(&rng);
        }
        make_checksum_right(&sealed);
        read_all(&sealed);
    }
    free(sealed.bytes);
    free(whole.bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(seal__two_records__has_the_documented_bytes),
    cmocka_unit_test(hash__known_answers),
    cmocka_unit_test(open__sealed_block__has_its_records),
    cmocka_unit_test(writer__pending_records__can_be_read),
    cmocka_unit_test(add__up_to_the_bound_of_bytes),
    cmocka_unit_test(add__first_record_longer_than_the_bound__is_taken_alone),
    cmocka_unit_test(add__smallest_records__fill_a_block),
    cmocka_unit_test(open__any_flipped_bit__corrupt),
    cmocka_unit_test(open__any_cut__corrupt),
    cmocka_unit_test(open__longer_than_a_block__corrupt),
    cmocka_unit_test(open__another_magic__corrupt),
    cmocka_unit_test(open__newer_formats__are_told_from_damage),
    cmocka_unit_test(record__older_formats__have_the_kinds_of_their_time),
    cmocka_unit_test(open__wrong_header_with_right_checksum__corrupt),
    cmocka_unit_test(open__wrong_offsets_with_right_checksum__corrupt),
    cmocka_unit_test(record__not_a_record__corrupt),
    cmocka_unit_test(record_again__flipped_bits__no_harm),
    cmocka_unit_test(record_again__not_in_the_block__is_said),
    cmocka_unit_test(open__random_bytes_with_right_frame__no_harm),
};

TESTKIT_MAIN(tests)
