#include "billingd/store/lmdb/verify_rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "billingd/store/lmdb/verify_differences.h"
#include "billingd/store/lmdb/verify_filter.h"
#include "billingd/store/lmdb/verify_journal.h"
#include "billingd/store/lmdb/verify_requests.h"
#include "billingd/store/lmdb/verify_segments.h"

/* --- what the records call for ---------------------------------------------------------------- */

struct expected {
    struct verify *verify;
    struct verify_unit *unit;
    verify_row_fn row_cb;
    void *arg;
};

static int expect_request(const struct expected *expected, const struct record *record)
{
    struct store_key key = {record_scope(record), record->request_id};
    struct request_row row = {.seq = record->seq};
    if (key.request_id.length == 0) {
        return 0;
    }
    row_fingerprint(key, expected->verify->view->id_key, &row.high, &row.low);
    return expected->row_cb(expected->verify, SEGMENT_REQUESTS, &row, expected->arg);
}

static int expect_places(const struct expected *expected, const struct record *record)
{
    const struct usage *usage = &record->usage;
    bool late = usage->bills_at_us != usage->occurred_at_us;
    struct place_row row = {usage->customer, usage->occurred_at_us, record->seq << 1 | late};
    int rc = expected->row_cb(expected->verify, SEGMENT_USAGE, &row, expected->arg);
    if (rc < 0 || !late) {
        return rc;
    }
    row.time_us = usage->bills_at_us;
    return expected->row_cb(expected->verify, SEGMENT_LATE, &row, expected->arg);
}

/* What RECORD, which is a usage or voids one, adds to the sums; USAGE is the one or the other. */
static int expect_sums(const struct expected *expected, const struct record *record,
                       const struct record *usage)
{
    struct sum_row rows[2];
    int rc = 0;
    unsigned n =
        sum_rows_of(record, &usage->usage, usage->seq, expected->verify->view->id_key, rows);
    for (unsigned i = 0; i < n && rc == 0; i++) {
        rc = expected->row_cb(expected->verify, SEGMENT_SUMS, &rows[i], expected->arg);
    }
    return rc;
}

/* RECORD voids USAGE, which may be something else: told of once. */
static int tell_voided(const struct expected *expected, const struct record *record)
{
    const struct usage_voided *voided = &record->usage_voided;
    struct verify_place place = {.table = "journal", .seq = record->seq, .chunk = -1};
    expected->unit->sums_unknown = true;
    return expected->unit->expected
               ? 0
               : verify_found(expected->verify, STORE_WRONG, place,
                              "record %" PRIu64 " voids %" PRIu64
                              ", which is no usage of customer %" PRIu64 " at that time",
                              record->seq, voided->usage, voided->customer);
}

static int expect_void(const struct expected *expected, const struct record *record)
{
    struct record usage;
    const struct usage_voided *voided = &record->usage_voided;
    int rc = verify_record(expected->verify, voided->usage, &usage);
    if (rc == STATUS_CORRUPT) {
        expected->unit->sums_unknown = true;
        return 0;
    }
    if (rc == STATUS_NOT_FOUND ||
        (rc == 0 && (usage.kind != RECORD_USAGE || usage.usage.customer != voided->customer ||
                     usage.usage.occurred_at_us != voided->occurred_at_us))) {
        return tell_voided(expected, record);
    }
    return rc < 0 ? rc : expect_sums(expected, record, &usage);
}

static int expect_record(const struct record *record, void *arg)
{
    const struct expected *expected = arg;
    int rc = expect_request(expected, record);
    if (rc == 0 && record->kind == RECORD_USAGE) {
        rc = expect_places(expected, record);
        return rc < 0 ? rc : expect_sums(expected, record, record);
    }
    return rc == 0 && record->kind == RECORD_USAGE_VOIDED ? expect_void(expected, record) : rc;
}

int verify_rows_expected(struct verify *verify, struct verify_unit *unit, verify_row_fn row_cb,
                         void *arg)
{
    struct expected expected = {verify, unit, row_cb, arg};
    int rc = verify_records(verify, unit->first_seq, unit->last_seq, expect_record, &expected);
    unit->expected = true;
    return rc;
}

/* --- what is there ---------------------------------------------------------------------------- */

struct found {
    const struct verify_unit *unit;
    bool tell;
    verify_row_fn row_cb;
    void *arg;
};

/* Whether ROW is about a record that cannot be read, so that it cannot be judged. */
static bool is_about_hole(const struct verify *verify, enum segment_table table, const void *row)
{
    if (verify->n_holes == 0 || table == SEGMENT_SUMS) {
        return false;
    }
    return verify_is_hole(verify, table == SEGMENT_REQUESTS ? ((const struct request_row *)row)->seq
                                                            : place_row_seq(row));
}

static int give_rows(struct verify *verify, const struct found *found, enum segment_table table,
                     const uint8_t *rows, size_t n)
{
    int rc = 0;
    size_t bytes = segment_row_bytes(table);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const uint8_t *row = rows + i * bytes;
        rc = verify_step(verify, found->tell);
        if (rc == 0 && !is_about_hole(verify, table, row)) {
            rc = found->row_cb(verify, table, row, found->arg);
        }
    }
    return rc;
}

static int give_chunk(struct verify *verify, const struct segment_chunk *chunk, void *arg)
{
    const struct found *found = arg;
    if (found->tell) {
        verify->result.rows += chunk->n;
    }
    return chunk->table == SEGMENT_FILTER
               ? 0
               : give_rows(verify, found, chunk->table, chunk->rows, chunk->n);
}

/* The rows of RUN in TABLE, which are to be in order. */
static int give_run(struct verify *verify, const struct found *found, const struct run *run,
                    enum segment_table table)
{
    size_t n;
    const uint8_t *rows = view_rows_of_run(run, table, &n);
    size_t bytes = segment_row_bytes(table);
    if (found->tell) {
        verify->result.rows += n;
    }
    for (size_t i = 1; i < n && found->tell; i++) {
        if (!verify_in_order(table, rows + (i - 1) * bytes, rows + i * bytes)) {
            struct verify_place place = {
                .table = verify_table_name(table), .seq = run->first_seq, .chunk = -1};
            int rc = verify_found(verify, STORE_WRONG, place,
                                  "row %zu of the records %" PRIu64 " to %" PRIu64
                                  " in memory does not come behind the one before it",
                                  i, run->first_seq, run->last_seq);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return give_rows(verify, found, table, rows, n);
}

static int give_head(struct verify *verify, const struct found *found)
{
    int rc = 0;
    const struct view_rows *rows = &verify->view->rows;
    for (size_t i = 0; i < rows->list->n && rc == 0; i++) {
        const struct run *run = rows->list->runs[i];
        for (enum segment_table table = SEGMENT_REQUESTS;
             table <= SEGMENT_SUMS && rc == 0 && view_rows_has(rows, run); table++) {
            rc = give_run(verify, found, run, table);
        }
    }
    return rc;
}

int verify_rows_found(struct verify *verify, struct verify_unit *unit, bool tell,
                      verify_row_fn row_cb, void *arg)
{
    struct found found = {unit, tell, row_cb, arg};
    struct verify_chunks chunks = {unit->segment, tell, give_chunk, &found, {false}};
    if (unit->segment == NULL) {
        return give_head(verify, &found);
    }
    int rc = verify_chunks(verify, &chunks);
    memcpy(unit->lost, chunks.lost, sizeof unit->lost);
    return rc;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* One for each table of rows. */
struct sketches {
    struct sketch of[SEGMENT_SUMS + 1];
};

static int add_expected(struct verify *verify, enum segment_table table, const void *row, void *arg)
{
    struct sketches *sketches = arg;
    sketch_add(&sketches->of[table], table, row, verify->seed);
    return table == SEGMENT_USAGE ? verify_step(verify, 0) : 0;
}

/* The sum ROW must lead to the name of its service, and be about something. */
static int check_sum(struct verify *verify, const struct sum_row *row)
{
    struct record record;
    uint64_t high;
    uint64_t low;
    struct verify_place place = {
        .table = verify_table_name(SEGMENT_SUMS), .seq = row->named_by, .chunk = -1};
    if (row->records == 0 && row->voided == 0) {
        return verify_found(verify, STORE_SURPLUS, place,
                            "there is a sum of customer %" PRIu64 " of no records", row->customer);
    }
    int rc = verify_record(verify, row->named_by, &record);
    if (rc == 0 && record.kind == RECORD_USAGE) {
        row_service_hash(record.usage.service, verify->view->id_key, &high, &low);
        if (high == row->service_high && low == row->service_low) {
            return 0;
        }
    }
    if (rc == STATUS_CORRUPT) {
        return 0;
    }
    return rc < 0 && rc != STATUS_NOT_FOUND
               ? rc
               : verify_found(verify, STORE_WRONG, place,
                              "a sum of customer %" PRIu64 " is to find the name of its service in "
                              "record %" PRIu64 ", which is no usage of it",
                              row->customer, row->named_by);
}

static int take_found(struct verify *verify, enum segment_table table, const void *row, void *arg)
{
    struct sketches *sketches = arg;
    sketch_take(&sketches->of[table], table, row, verify->seed);
    return table == SEGMENT_SUMS ? check_sum(verify, row) : 0;
}

/* Say which sums were not compared. */
static int tell_unknown(struct verify *verify, const struct verify_unit *unit)
{
    struct verify_place place = {
        .table = verify_table_name(SEGMENT_SUMS),
        .seq = unit->first_seq,
        .segment = unit->segment == NULL ? 0 : unit->segment->id,
        .chunk = -1,
    };
    return verify_found(verify, STORE_UNCHECKED, place,
                        "the sums of the records %" PRIu64 " to %" PRIu64
                        " are not compared, since not all of what they are made of can be read",
                        unit->first_seq, unit->last_seq);
}

static int compare(struct verify *verify, struct verify_unit *unit, const struct sketches *sketches)
{
    int rc = 0;
    for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS && rc == 0; table++) {
        if (table == SEGMENT_SUMS && unit->sums_unknown) {
            rc = tell_unknown(verify, unit);
        } else {
            rc = verify_differences(verify, unit, table, &sketches->of[table]);
        }
    }
    return rc == 0 && unit->segment != NULL ? verify_filter(verify, unit) : rc;
}

static int check_unit(struct verify *verify, struct verify_unit *unit, struct sketches *sketches)
{
    memset(sketches, 0, sizeof *sketches);
    unit->sums_unknown = verify_has_hole(verify, unit->first_seq, unit->last_seq);
    int rc = verify_rows_expected(verify, unit, add_expected, sketches);
    if (rc == 0) {
        verify->done += unit->last_seq + 1 - unit->first_seq;
        rc = verify_rows_found(verify, unit, true, take_found, sketches);
    }
    return rc < 0 ? rc : compare(verify, unit, sketches);
}

static int check_units(struct verify *verify, struct verify_unit *units, size_t n)
{
    int rc = 0;
    struct sketches *sketches = malloc(sizeof *sketches);
    if (sketches == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = check_unit(verify, &units[i], sketches);
    }
    free(sketches);
    return rc < 0 ? rc : verify_requests(verify, units, n);
}

int verify_rows(struct verify *verify)
{
    const struct view_rows *rows = &verify->view->rows;
    size_t n = rows->segments.n + 1;
    struct verify_unit *units = calloc(n, sizeof *units);
    if (units == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        const struct segment *segment = &rows->segments.segments[i];
        units[i] = (struct verify_unit){
            .segment = segment, .first_seq = segment->first_seq, .last_seq = segment->last_seq};
    }
    units[n - 1] =
        (struct verify_unit){.first_seq = rows->sealed_seq + 1, .last_seq = verify->last_seq};
    int rc = check_units(verify, units, n);
    free(units);
    return rc;
}
