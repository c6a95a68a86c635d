/* Sums: of whole hours out of the rows that have them added up, of the rest record by record. */
#include <stdlib.h>

#include "billingd/store/lmdb/cursor.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/scan.h"
#include "billingd/store/sum.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

enum {
    NAMES_FIRST = 64,
};

/* The name of a service, by its hash. */
struct name {
    uint64_t high;
    uint64_t low;
    struct slice text; /* in the view; NULL: a free slot */
};

struct sum_scan {
    struct store_view *view;
    const struct store_range *range;
    store_sum_fn row_cb;
    void *arg;
    struct name *names; /* owned: a hash table, at most half full */
    size_t n_slots;
    size_t n_names;
    bool stopped; /* by the callback, in the middle of records */
};

/* --- names ------------------------------------------------------------------------------------ */

static struct name *find_name(struct name *names, size_t n_slots, uint64_t high, uint64_t low)
{
    size_t at = high & (n_slots - 1);
    while (names[at].text.data != NULL && (names[at].high != high || names[at].low != low)) {
        at = (at + 1) & (n_slots - 1);
    }
    return &names[at];
}

static int make_room(struct sum_scan *scan)
{
    if (scan->n_names < scan->n_slots / 2) {
        return 0;
    }
    size_t n_slots = scan->n_slots == 0 ? NAMES_FIRST : scan->n_slots * 2;
    struct name *names = calloc(n_slots, sizeof *names);
    if (names == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < scan->n_slots; i++) {
        const struct name *name = &scan->names[i];
        if (name->text.data != NULL) {
            *find_name(names, n_slots, name->high, name->low) = *name;
        }
    }
    free(scan->names);
    scan->names = names;
    scan->n_slots = n_slots;
    return 0;
}

/* The name of the service that ROW is about: that of the record that it was taken from. */
static int name_of(struct sum_scan *scan, const struct sum_row *row, struct slice *ret)
{
    struct record record;
    uint64_t high;
    uint64_t low;
    int rc = make_room(scan);
    if (rc < 0) {
        return rc;
    }
    struct name *name = find_name(scan->names, scan->n_slots, row->service_high, row->service_low);
    if (name->text.data == NULL) {
        rc = lookup_promised(scan->view, row->named_by, RECORD_USAGE, &record);
        if (rc < 0) {
            return rc;
        }
        row_service_hash(record.usage.service, ((struct lmdb_view *)scan->view)->id_key, &high,
                         &low);
        if (high != row->service_high || low != row->service_low) {
            return STATUS_CORRUPT;
        }
        *name = (struct name){high, low, record.usage.service};
        scan->n_names++;
    }
    *ret = name->text;
    return 0;
}

/* --- whole hours ------------------------------------------------------------------------------ */

static int give_row(struct sum_scan *scan, const struct sum_row *row)
{
    struct store_sum sum = {
        .hour_us = row->hour * hour_us,
        .records = row->records,
        .voided = row->voided,
        .late = row->late,
    };
    int rc = decimal_make(row->price_mantissa, row->price_scale, &sum.price);
    if (rc == 0) {
        rc = sum_row_amounts(row, &sum.units, &sum.amount);
    }
    if (rc == 0) {
        rc = name_of(scan, row, &sum.service);
    }
    return rc < 0 ? rc : scan->row_cb(&sum, scan->arg);
}

/* Take up ROW: into *SUM, what runs and segments have of the same, or after that in its place. */
static int take_row(struct sum_scan *scan, struct sum_row *sum, const struct sum_row *row)
{
    bool any = sum->customer != 0;
    if (any && sum_row_same(sum, row) && sum_row_add(sum, row)) {
        return 0;
    }
    int rc = any ? give_row(scan, sum) : 0;
    *sum = *row;
    return rc;
}

/* The rows from the hour FIRST to before LAST, both since 1970. */
static int give_hours(struct sum_scan *scan, uint64_t first, uint64_t last)
{
    struct lmdb_view *view = (struct lmdb_view *)scan->view; /* its first member */
    unsigned clock = 1U << scan->range->by;
    struct row_merge merge;
    struct sum_row sum = {.customer = 0}; /* none yet: no customer is 0 */
    int rc = view_rows_merge(&view->rows, SEGMENT_SUMS, scan->range->customer, first, &merge);
    if (rc < 0) {
        return rc;
    }
    for (const struct sum_row *row = row_merge_peek(&merge);
         rc == 0 && row != NULL && row->customer == scan->range->customer && row->hour < last;
         row = row_merge_peek(&merge)) {
        rc = (row->clocks & clock) != 0 ? take_row(scan, &sum, row) : 0;
        if (rc == 0) {
            rc = row_merge_step(&merge);
        }
    }
    row_merge_done(&merge);
    return rc == 0 && sum.customer != 0 ? give_row(scan, &sum) : rc;
}

/* --- the rest --------------------------------------------------------------------------------- */

/* The usage that VOIDED voids. */
static int read_voided(struct store_view *view, const struct usage_voided *voided,
                       struct record *ret)
{
    int rc = lookup_promised(view, voided->usage, RECORD_USAGE, ret);
    if (rc < 0) {
        return rc;
    }
    return ret->usage.customer == voided->customer ? 0 : STATUS_CORRUPT;
}

static int give_record(const struct record *record, void *arg)
{
    struct sum_scan *scan = arg;
    const struct usage *usage = &record->usage;
    struct record voided;
    struct store_sum sum;
    int rc = 0;
    if (record->kind == RECORD_USAGE_VOIDED) {
        rc = read_voided(scan->view, &record->usage_voided, &voided);
        usage = &voided.usage;
    }
    if (rc == 0) {
        rc = store_sum_of(record, usage, scan->range->by, &sum);
    }
    if (rc == 0) {
        rc = scan->row_cb(&sum, scan->arg);
        scan->stopped = rc == STORE_SCAN_STOP;
    }
    return rc;
}

/* What lies from START_US to before END_US. */
static int give_records(struct sum_scan *scan, int64_t start_us, int64_t end_us)
{
    struct store_range part = *scan->range;
    part.rows = STORE_USAGE | STORE_VOIDS;
    part.after = (struct store_position){0};
    part.start_us = start_us;
    part.end_us = end_us;
    int rc = start_us < end_us ? scan_billable(scan->view, &part, give_record, scan) : 0;
    return rc == 0 && scan->stopped ? STORE_SCAN_STOP : rc;
}

/* --- all -------------------------------------------------------------------------------------- */

static int give_all(struct sum_scan *scan)
{
    int64_t start_us = scan->range->start_us > 0 ? scan->range->start_us : 0;
    int64_t end_us = scan->range->end_us;
    if (start_us >= end_us) {
        return 0;
    }
    int64_t first = start_us / hour_us + (start_us % hour_us != 0);
    int64_t last = end_us / hour_us;
    if (first >= last) {
        return give_records(scan, start_us, end_us);
    }
    int rc = give_records(scan, start_us, first * hour_us);
    if (rc == 0) {
        rc = give_hours(scan, (uint64_t)first, (uint64_t)last);
    }
    return rc != 0 ? rc : give_records(scan, last * hour_us, end_us);
}

int scan_sums(struct store_view *view, const struct store_range *range, store_sum_fn row_cb,
              void *arg)
{
    struct sum_scan scan = {.view = view, .range = range, .row_cb = row_cb, .arg = arg};
    int rc = give_all(&scan);
    free(scan.names);
    return cursor_ended(rc);
}
