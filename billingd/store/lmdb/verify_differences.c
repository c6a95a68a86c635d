#include "billingd/store/lmdb/verify_differences.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/store/lmdb/row_merge.h"
#include "billingd/store/lmdb/verify_segments.h"

enum {
    ROWS_MAX = 128 * 1024, /* that are taken up at once, of either side */
    ROUNDS_MAX = 4,        /* of so many rows: a table that is lost altogether is told of soon */
    TOLD_MAX = 16,         /* one by one; then how many more */
    DESCRIPTION_BYTES = 320,
};

/* Rows of one side, in the buckets that are looked at. */
struct side {
    uint8_t *rows; /* owned: room for ROWS_MAX */
    size_t n;
};

struct difference {
    struct verify *verify;
    struct verify_unit *unit;
    enum segment_table table;
    bool *chosen; /* SKETCH_BUCKETS of them, owned */
    struct side expected;
    struct side found;
    struct side *into;    /* one of the two */
    unsigned told;        /* findings, of all rounds */
    uint64_t more;        /* that were not told of one by one */
    uint64_t first_more;  /* the record of the first of them */
    enum store_fault why; /* and how */
};

/* --- taking rows up --------------------------------------------------------------------------- */

static void put_in_order(enum segment_table table, struct side *side)
{
    size_t bytes = segment_row_bytes(table);
    qsort(side->rows, side->n, bytes,
          table == SEGMENT_REQUESTS ? request_row_order
          : table == SEGMENT_SUMS   ? sum_row_order
                                    : place_row_order);
}

/* Put SIDE in order; parts of a sum become one where they fit. */
static void settle(enum segment_table table, struct side *side)
{
    struct sum_row *sums = (struct sum_row *)(void *)side->rows;
    size_t n = 0;
    put_in_order(table, side);
    if (table != SEGMENT_SUMS) {
        return;
    }
    for (size_t i = 0; i < side->n; i++) {
        if (n == 0 || !sum_row_same(&sums[n - 1], &sums[i]) ||
            !sum_row_add(&sums[n - 1], &sums[i])) {
            sums[n++] = sums[i];
        }
    }
    side->n = n;
}

static int take_row(struct verify *verify, enum segment_table table, const void *row, void *arg)
{
    struct difference *difference = arg;
    struct side *side = difference->into;
    if (table != difference->table ||
        !difference->chosen[sketch_bucket(table, row, verify->seed)]) {
        return table == SEGMENT_USAGE ? verify_step(verify, 0) : 0;
    }
    if (side->n == ROWS_MAX) { /* of few sums in many parts: there is room afterwards */
        settle(table, side);
    }
    if (side->n < ROWS_MAX) {
        size_t bytes = segment_row_bytes(table);
        memcpy(side->rows + side->n * bytes, row, bytes);
        side->n++;
    }
    return 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

static uint64_t seq_of(enum segment_table table, const void *row)
{
    return table == SEGMENT_REQUESTS ? ((const struct request_row *)row)->seq
           : table == SEGMENT_SUMS   ? ((const struct sum_row *)row)->named_by
                                     : place_row_seq(row);
}

/* Of all rows of one sum. */
struct figures {
    uint64_t records;
    uint64_t voided;
    uint64_t late;
    uint64_t unused;
    struct amount units;
    struct amount amount;
    bool wrong; /* no records add up to a row */
};

static void describe_figures(const struct figures *figures, char text[DESCRIPTION_BYTES])
{
    char units[AMOUNT_TEXT_MAX];
    char amount[AMOUNT_TEXT_MAX];
    units[amount_print(figures->units, units)] = '\0';
    amount[amount_print(figures->amount, amount)] = '\0';
    IGNORE(snprintf(text, DESCRIPTION_BYTES,
                    "%" PRIu64 " records, %" PRIu64 " voided, %" PRIu64
                    " late, units %s, amount %s%s",
                    figures->records, figures->voided, figures->late, units, amount,
                    figures->wrong || figures->unused != 0 ? ", and what no sum can be" : "") <
           0); /* cut is fine */
}

static void describe(enum segment_table table, const void *row, char text[DESCRIPTION_BYTES])
{
    const struct request_row *request = row;
    const struct place_row *place = row;
    const struct sum_row *sum = row;
    int rc = 0;
    if (table == SEGMENT_REQUESTS) {
        rc = snprintf(text, DESCRIPTION_BYTES,
                      "the row %016" PRIx64 "%016" PRIx64 " of the request id of record %" PRIu64,
                      request->high, request->low, request->seq);
    } else if (table == SEGMENT_SUMS) {
        rc = snprintf(text, DESCRIPTION_BYTES,
                      "the sum of customer %" PRIu64 " in hour %" PRIu32
                      " of the service of record %" PRIu64 " at %" PRId64 "e%d by clocks %u",
                      sum->customer, sum->hour, sum->named_by, sum->price_mantissa,
                      -sum->price_scale, sum->clocks);
    } else {
        rc = snprintf(text, DESCRIPTION_BYTES,
                      "the row of customer %" PRIu64 " at %" PRId64 " of the usage %" PRIu64 "%s",
                      place->customer, place->time_us, place_row_seq(place),
                      place_row_is_late(place) ? ", which came late" : "");
    }
    IGNORE(rc < 0); /* cut is fine */
}

static struct verify_place place_of(const struct difference *difference, uint64_t seq)
{
    const struct segment *segment = difference->unit->segment;
    return (struct verify_place){
        .table = verify_table_name(difference->table),
        .seq = seq,
        .segment = segment == NULL ? 0 : segment->id,
        .chunk = -1,
    };
}

/* Whether one more finding is told of by itself. */
static bool is_told(struct difference *difference, enum store_fault fault, const void *row)
{
    if (difference->told < TOLD_MAX) {
        difference->told++;
        return true;
    }
    if (difference->more == 0) {
        difference->first_more = seq_of(difference->table, row);
        difference->why = fault;
    }
    difference->more++;
    return false;
}

static int tell_one(struct difference *difference, enum store_fault fault, const void *row)
{
    char text[DESCRIPTION_BYTES];
    if (!is_told(difference, fault, row)) {
        return 0;
    }
    describe(difference->table, row, text);
    return verify_found(difference->verify, fault,
                        place_of(difference, seq_of(difference->table, row)),
                        fault == STORE_MISSING ? "%s is not there"
                                               : "%s is there, and no record calls for it, or not "
                                                 "for so many",
                        text);
}

/* The rows of SIDE from *AT on that are of the same sum, added up; *AT is moved behind them. */
static struct figures add_figures(const struct side *side, size_t *at)
{
    struct figures figures = {.units = amount_zero(), .amount = amount_zero()};
    const struct sum_row *rows = (const struct sum_row *)(const void *)side->rows;
    size_t first = *at;
    for (; *at < side->n && sum_row_compare(&rows[*at], &rows[first]) == 0; ++*at) {
        const struct sum_row *row = &rows[*at];
        struct amount units;
        struct amount amount;
        figures.records += row->records;
        figures.voided += row->voided;
        figures.late += row->late;
        figures.unused += row->unused;
        figures.wrong |= sum_row_amounts(row, &units, &amount) < 0 ||
                         amount_add(&figures.units, units) < 0 ||
                         amount_add(&figures.amount, amount) < 0;
    }
    return figures;
}

static bool is_same(const struct figures *a, const struct figures *b)
{
    return a->records == b->records && a->voided == b->voided && a->late == b->late &&
           a->unused == b->unused && a->wrong == b->wrong &&
           amount_compare(a->units, b->units) == 0 && amount_compare(a->amount, b->amount) == 0;
}

/* One sum, in the rows of both sides from there on. */
static int compare_figures(struct difference *difference, size_t *expected_at, size_t *found_at)
{
    char text[DESCRIPTION_BYTES];
    char expected_text[DESCRIPTION_BYTES];
    char found_text[DESCRIPTION_BYTES];
    const struct sum_row *row =
        (const struct sum_row *)(const void *)difference->expected.rows + *expected_at;
    struct figures expected = add_figures(&difference->expected, expected_at);
    struct figures found = add_figures(&difference->found, found_at);
    if (is_same(&expected, &found) || !is_told(difference, STORE_WRONG, row)) {
        return 0;
    }
    describe(SEGMENT_SUMS, row, text);
    describe_figures(&expected, expected_text);
    describe_figures(&found, found_text);
    return verify_found(difference->verify, STORE_WRONG, place_of(difference, row->named_by),
                        "%s is to be: %s; and is: %s", text, expected_text, found_text);
}

static int tell_more(const struct difference *difference)
{
    struct verify_place place = place_of(difference, difference->first_more);
    place.rows = difference->more;
    return difference->more == 0
               ? 0
               : verify_found(difference->verify, difference->why, place,
                              "%" PRIu64 " more rows of this table are missing, wrong or too many",
                              difference->more);
}

/* --- comparing -------------------------------------------------------------------------------- */

/* Both sides, in order. */
static int compare_sides(struct difference *difference)
{
    int rc = 0;
    size_t i = 0;
    size_t at = 0;
    enum segment_table table = difference->table;
    const struct side *expected = &difference->expected;
    const struct side *found = &difference->found;
    size_t bytes = segment_row_bytes(table);
    while ((i < expected->n || at < found->n) && rc == 0) {
        const uint8_t *wanted = expected->rows + i * bytes;
        const uint8_t *there = found->rows + at * bytes;
        int order = i == expected->n ? 1 : at == found->n ? -1 : row_compare(table, wanted, there);
        if (order == 0 && table == SEGMENT_SUMS) {
            rc = compare_figures(difference, &i, &at);
            continue;
        }
        if (order != 0) {
            rc = tell_one(difference, order < 0 ? STORE_MISSING : STORE_SURPLUS,
                          order < 0 ? wanted : there);
        }
        i += order <= 0;
        at += order >= 0;
    }
    return rc;
}

static int compare_chosen(struct difference *difference)
{
    difference->expected.n = 0;
    difference->found.n = 0;
    difference->into = &difference->expected;
    int rc = verify_rows_expected(difference->verify, difference->unit, take_row, difference);
    if (rc == 0) {
        difference->into = &difference->found;
        rc = verify_rows_found(difference->verify, difference->unit, false, take_row, difference);
    }
    if (rc < 0) {
        return rc;
    }
    settle(difference->table, &difference->expected);
    put_in_order(difference->table, &difference->found);
    return compare_sides(difference);
}

/* Choose buckets from *AT on in which SKETCH differs, as many as there is room for the rows of, but
 * at least one.  Returns whether there are any. */
static bool choose(struct difference *difference, const struct sketch *sketch, unsigned *at)
{
    bool any = false;
    uint64_t rows = 0;
    memset(difference->chosen, 0, SKETCH_BUCKETS * sizeof *difference->chosen);
    for (; *at < SKETCH_BUCKETS; ++*at) {
        if (!sketch_differs(sketch, *at)) {
            continue;
        }
        rows += sketch->rows[*at];
        if (any && rows > ROWS_MAX) {
            break;
        }
        difference->chosen[*at] = true;
        any = true;
    }
    return any;
}

static int compare_all(struct difference *difference, const struct sketch *sketch)
{
    unsigned at = 0;
    int rc = 0;
    for (int i = 0; i < ROUNDS_MAX && rc == 0 && choose(difference, sketch, &at); i++) {
        rc = compare_chosen(difference);
    }
    for (; at < SKETCH_BUCKETS; at++) {
        difference->more += sketch_differs(sketch, at) ? sketch->rows[at] : 0;
    }
    return rc < 0 ? rc : tell_more(difference);
}

int verify_differences(struct verify *verify, struct verify_unit *unit, enum segment_table table,
                       const struct sketch *sketch)
{
    struct difference difference = {.verify = verify, .unit = unit, .table = table};
    unsigned at = 0;
    size_t bytes = ROWS_MAX * segment_row_bytes(table);
    while (at < SKETCH_BUCKETS && !sketch_differs(sketch, at)) {
        at++;
    }
    if (at == SKETCH_BUCKETS) {
        return 0;
    }
    difference.chosen = malloc(SKETCH_BUCKETS * sizeof *difference.chosen);
    difference.expected.rows = malloc(bytes);
    difference.found.rows = malloc(bytes);
    int rc = STATUS_NO_MEMORY;
    if (difference.chosen != NULL && difference.expected.rows != NULL &&
        difference.found.rows != NULL) {
        rc = compare_all(&difference, sketch);
    }
    free(difference.chosen);
    free(difference.expected.rows);
    free(difference.found.rows);
    return rc;
}
