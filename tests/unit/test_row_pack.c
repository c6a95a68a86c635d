/* Packed rows: any come back as they were, in the order of their table they take little room, and
 * what is none of them is refused. */
#include "billingd/store/lmdb/row_pack.h"
#include "tests/lib/testkit.h"

enum {
    ROWS = 600,
    BYTES_MAX = ROWS * ROW_PACK_BYTES_MAX,
};

union rows {
    struct request_row requests[ROWS];
    struct place_row places[ROWS];
    struct sum_row sums[ROWS];
    uint8_t bytes[ROWS * sizeof(struct sum_row)];
};

static const enum segment_table tables[] = {SEGMENT_REQUESTS, SEGMENT_USAGE, SEGMENT_LATE,
                                            SEGMENT_SUMS};

/* ROWS of TABLE at BYTES.  Returns how many bytes they take. */
static size_t pack(enum segment_table table, const union rows *rows, uint8_t *bytes)
{
    struct row_packing packing;
    size_t length = 0;
    row_pack_begin(&packing, table);
    for (size_t i = 0; i < ROWS; i++) {
        size_t row = row_pack(&packing, rows->bytes + i * segment_row_bytes(table), bytes + length);
        assert_true(row > 0 && row <= ROW_PACK_BYTES_MAX);
        length += row;
    }
    return length;
}

/* Whatever is behind them. */
static void assert_come_back(enum segment_table table, const union rows *rows)
{
    static uint8_t bytes[BYTES_MAX + 1];
    static union rows found;
    size_t length = pack(table, rows, bytes);
    for (size_t more = 0; more < 2; more++) {
        memset(&found, 0x5A, sizeof found);
        bytes[length] = 0x5A;
        assert_ok(row_unpack(table, bytes, length + more, ROWS, &found));
        assert_memory_equal(&found, rows, ROWS * segment_row_bytes(table));
    }
}

/* --- any rows --------------------------------------------------------------------------------- */

static uint64_t any_number(struct rng *rng)
{
    return rng_next(rng) >> rng_below(rng, 64);
}

/* Bytes at random, of which some are those of the row before. */
static void fill_at_random(struct rng *rng, enum segment_table table, union rows *rows)
{
    size_t bytes = segment_row_bytes(table);
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t *row = rows->bytes + i * bytes;
        for (size_t at = 0; at < bytes; at += 8) {
            uint64_t number = any_number(rng);
            bool repeats = i > 0 && rng_below(rng, 2) == 0;
            memcpy(row + at, repeats ? row + at - bytes : (const uint8_t *)&number, 8);
        }
        if (table == SEGMENT_SUMS) {
            rows->sums[i].unused = 0;
        }
    }
}

static void unpack__any_rows__are_as_they_were(void **state)
{
    static union rows rows;
    struct rng rng = rng_make("rows");
    (void)state;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
            fill_at_random(&rng, tables[i], &rows);
            assert_come_back(tables[i], &rows);
        }
    }
}

static void unpack__the_largest_and_the_least__are_as_they_were(void **state)
{
    static union rows rows;
    (void)state;
    for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++) {
        size_t bytes = segment_row_bytes(tables[k]);
        for (size_t i = 0; i < ROWS; i++) {
            memset(rows.bytes + i * bytes, i % 3 == 0 ? 0xFF : i % 3 == 1 ? 0x80 : 0, bytes);
            if (tables[k] == SEGMENT_SUMS) {
                rows.sums[i].unused = 0;
            }
        }
        assert_come_back(tables[k], &rows);
    }
}

/* --- rows as they are ------------------------------------------------------------------------- */

/* So many services that two have one place, each at two prices; an hour has three of them. */
static void fill_sums(struct rng *rng, union rows *rows)
{
    for (uint64_t i = 0; i < ROWS; i++) {
        uint64_t service = rng_below(rng, 400);
        rows->sums[i] = (struct sum_row){
            .customer = 7 + i / 72,
            .service_high = service * UINT64_C(0x9e3779b97f4a7c15),
            .service_low = service * UINT64_C(0xc2b2ae3d27d4eb4f),
            .price_mantissa = 5 + (int64_t)(service % 2),
            .hour = 480000 + (uint32_t)(i % 72 / 3),
            .price_scale = 3,
            .clocks = SUM_BY_OCCURRED | SUM_BY_BILLED,
            .named_by = rng_below(rng, 260000),
            .units_low = 1000 + rng_below(rng, 1000),
            .records = 1,
        };
    }
}

static void unpack__sums_of_many_services__are_as_they_were(void **state)
{
    static union rows rows;
    struct rng rng = rng_make("services");
    (void)state;
    for (int round = 0; round < 20; round++) {
        fill_sums(&rng, &rows);
        assert_come_back(SEGMENT_SUMS, &rows);
    }
}

/* Eight bytes, where a row has 64. */
static void pack__sums_of_few_services__take_little(void **state)
{
    static union rows rows;
    static uint8_t bytes[BYTES_MAX];
    struct rng rng = rng_make("few");
    struct row_packing packing;
    size_t length = 0;
    (void)state;
    fill_sums(&rng, &rows);
    row_pack_begin(&packing, SEGMENT_SUMS);
    for (size_t i = 0; i < ROWS; i++) {
        rows.sums[i].service_high = 1;
        rows.sums[i].service_low = i % 3;
        rows.sums[i].price_mantissa = 5;
        row_pack_share_name(&packing, &rows.sums[i]);
        length += row_pack(&packing, &rows.sums[i], bytes + length);
    }
    assert_true(length <= (size_t)8 * ROWS);
    assert_come_back(SEGMENT_SUMS, &rows);
}

/* Only of one's own kind, and one's own customer. */
static void share_name__is_of_kind_and_customer(void **state)
{
    struct row_packing packing;
    uint8_t bytes[ROW_PACK_BYTES_MAX];
    struct sum_row first = {.customer = 1, .service_low = 3, .named_by = 10, .records = 1};
    (void)state;
    row_pack_begin(&packing, SEGMENT_SUMS);
    IGNORE(row_pack(&packing, &first, bytes) == 0);
    struct sum_row row = first;
    row.named_by = 20;
    row.hour = 5;
    row_pack_share_name(&packing, &row);
    assert_u64(row.named_by, 10);
    for (int variant = 0; variant < 4; variant++) {
        row = first;
        row.named_by = 20;
        row.customer += variant == 0;
        row.service_low += variant == 1;
        row.price_mantissa += variant == 2;
        row.clocks = (uint8_t)(row.clocks + (variant == 3));
        row_pack_share_name(&packing, &row);
        assert_u64(row.named_by, 20);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

static void unpack__cut_short__is_corrupt(void **state)
{
    static union rows rows;
    static union rows found;
    static uint8_t bytes[BYTES_MAX];
    struct rng rng = rng_make("cut");
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        fill_at_random(&rng, tables[i], &rows);
        size_t length = pack(tables[i], &rows, bytes);
        for (size_t cut = 1; cut <= length; cut += 1 + cut / 8) {
            uint8_t *exact = testkit_alloc(length - cut + 1);
            memcpy(exact, bytes, length - cut);
            assert_status(row_unpack(tables[i], exact, length - cut, ROWS, &found), STATUS_CORRUPT);
        }
    }
}

/* It is refused or gives other rows, and reads nothing beyond it. */
static void unpack__any_bytes__ends(void **state)
{
    static union rows found;
    struct rng rng = rng_make("bytes");
    int refused = 0;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t length = 1 + rng_below(&rng, 300);
        uint8_t *bytes = testkit_alloc(length);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)rng_next(&rng);
        }
        refused += row_unpack(tables[round % 4], bytes, length, 40, &found) < 0;
    }
    assert_true(refused > 1000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(unpack__any_rows__are_as_they_were),
    cmocka_unit_test(unpack__the_largest_and_the_least__are_as_they_were),
    cmocka_unit_test(unpack__sums_of_many_services__are_as_they_were),
    cmocka_unit_test(pack__sums_of_few_services__take_little),
    cmocka_unit_test(share_name__is_of_kind_and_customer),
    cmocka_unit_test(unpack__cut_short__is_corrupt),
    cmocka_unit_test(unpack__any_bytes__ends),
};

TESTKIT_MAIN(tests)
