#include "billingd/store/lmdb/cursor.h"
#include "billingd/store/lmdb/index.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/lookup.h"
#include "billingd/store/lmdb/scan.h"

/* Of each kind of record the rows by occurred_at, or by bills_at those of them that came in time
 * and those that came late: so many sorted sources, merged. */
enum {
    SOURCES_MAX = 2 * (INDEX_BILLABLE_KINDS + 1),
};

/* The rows of one kind within the range: of usage out of runs and segments, else out of a table. */
struct source {
    MDB_cursor *cursor;     /* owned; NULL: it is a merge */
    struct row_merge merge; /* owned */
    enum record_kind kind;
    bool in_time_only;        /* pass over what the rows of what came late have */
    bool done;                /* nothing more in the range */
    struct store_position at; /* of the row that is next */
};

struct billable_scan {
    struct store_view *view;
    const struct store_range *range;
    unsigned n;
    struct source sources[SOURCES_MAX]; /* the first n */
};

static bool is_before(struct store_position a, struct store_position b)
{
    return a.time_us != b.time_us ? a.time_us < b.time_us : a.seq < b.seq;
}

/* Where RANGE begins.  Times are from 0 on and sequence numbers from 1. */
static struct store_position first_position(const struct store_range *range)
{
    struct store_position start = {range->start_us > 0 ? range->start_us : 0, 0};
    struct store_position after = range->after;
    if (is_before(after, start)) {
        return start;
    }
    if (after.seq == UINT64_MAX) {
        return (struct store_position){after.time_us + (after.time_us < INT64_MAX), 0};
    }
    return (struct store_position){after.time_us, after.seq + 1};
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Go to the next row: by OP from KEY, then on and on. */
static int advance_cursor(struct source *source, const struct store_range *range, MDB_val key,
                          MDB_cursor_op op)
{
    MDB_val value;
    uint64_t customer;
    do {
        int rc = cursor_move(source->cursor, op, &key, &value, &source->done);
        if (rc < 0 || source->done) {
            return rc;
        }
        rc = key_parse_position(key, &customer, &source->at);
        if (rc < 0) {
            return rc;
        }
        source->done = customer != range->customer || source->at.time_us >= range->end_us;
        op = MDB_NEXT;
    } while (!source->done && source->in_time_only && index_is_late(value));
    return 0;
}

static int add_table(struct billable_scan *scan, enum record_kind kind, enum env_table table,
                     bool in_time_only)
{
    struct key key;
    struct source *source = &scan->sources[scan->n];
    *source = (struct source){.kind = kind, .in_time_only = in_time_only};
    int rc = cursor_open(scan->view, table, &source->cursor);
    if (rc < 0) {
        return rc;
    }
    scan->n++;
    return advance_cursor(source, scan->range,
                          key_position(&key, scan->range->customer, first_position(scan->range)),
                          MDB_SET_RANGE);
}

/* --- usage ------------------------------------------------------------------------------------ */

/* Take up the row that the merge has next, but for those before FIRST and those that are not
 * wanted. */
static int find_place(struct source *source, const struct store_range *range,
                      struct store_position first)
{
    for (;;) {
        const struct place_row *row = row_merge_peek(&source->merge);
        source->done =
            row == NULL || row->customer != range->customer || row->time_us >= range->end_us;
        if (source->done) {
            return 0;
        }
        source->at = (struct store_position){row->time_us, place_row_seq(row)};
        if (!is_before(source->at, first) && !(source->in_time_only && place_row_is_late(row))) {
            return 0;
        }
        int rc = row_merge_step(&source->merge);
        if (rc < 0) {
            return rc;
        }
    }
}

static int add_usage(struct billable_scan *scan, enum segment_table table, bool in_time_only)
{
    struct lmdb_view *view = (struct lmdb_view *)scan->view; /* its first member */
    struct source *source = &scan->sources[scan->n];
    struct store_position first = first_position(scan->range);
    *source = (struct source){.kind = RECORD_USAGE, .in_time_only = in_time_only};
    int rc = view_rows_merge(&view->rows, table, scan->range->customer, (uint64_t)first.time_us,
                             &source->merge);
    if (rc < 0) {
        return rc;
    }
    scan->n++;
    return find_place(source, scan->range, first);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int advance(struct source *source, const struct store_range *range)
{
    if (source->cursor != NULL) {
        return advance_cursor(source, range, (MDB_val){0}, MDB_NEXT);
    }
    int rc = row_merge_step(&source->merge);
    return rc < 0 ? rc : find_place(source, range, (struct store_position){0});
}

static int add_sources(struct billable_scan *scan)
{
    bool billed = scan->range->by == STORE_BY_BILLED;
    bool usage = (scan->range->rows & STORE_USAGE) != 0;
    int rc = usage ? add_usage(scan, SEGMENT_USAGE, billed) : 0;
    if (rc == 0 && usage && billed) {
        rc = add_usage(scan, SEGMENT_LATE, false);
    }
    for (int i = 0; i < INDEX_BILLABLE_KINDS && rc == 0; i++) {
        const struct index_billable *tables = &index_billable[i];
        if ((scan->range->rows & tables->row) == 0) {
            continue;
        }
        rc = add_table(scan, tables->kind, tables->by_occurred, billed);
        if (rc == 0 && billed) {
            rc = add_table(scan, tables->kind, tables->late, false);
        }
    }
    return rc;
}

static void close_sources(struct billable_scan *scan)
{
    for (unsigned i = 0; i < scan->n; i++) {
        if (scan->sources[i].cursor != NULL) {
            mdb_cursor_close(scan->sources[i].cursor);
        } else {
            row_merge_done(&scan->sources[i].merge);
        }
    }
}

/* The source whose row comes next; NULL: all are done. */
static struct source *next_source(struct billable_scan *scan)
{
    struct source *next = NULL;
    for (unsigned i = 0; i < scan->n; i++) {
        struct source *source = &scan->sources[i];
        if (!source->done && (next == NULL || is_before(source->at, next->at))) {
            next = source;
        }
    }
    return next;
}

/* The record that SOURCE has next must be what its row says of it. */
static int read_promised(const struct billable_scan *scan, const struct source *source,
                         struct record *ret)
{
    int64_t occurred_at_us;
    int64_t bills_at_us;
    int rc = lookup_promised(scan->view, source->at.seq, source->kind, ret);
    if (rc < 0) {
        return rc;
    }
    if (record_customer(ret) != scan->range->customer ||
        !record_times(ret, &occurred_at_us, &bills_at_us)) {
        return STATUS_CORRUPT;
    }
    int64_t time_us = scan->range->by == STORE_BY_BILLED ? bills_at_us : occurred_at_us;
    return time_us == source->at.time_us ? 0 : STATUS_CORRUPT;
}

/* What is to be done with each row. */
struct taker {
    int (*take)(const struct billable_scan *scan, const struct source *source,
                const struct taker *taker);
    store_record_fn record_cb;     /* of take_record() */
    store_position_fn position_cb; /* of take_position() */
    void *arg;
};

static int take_record(const struct billable_scan *scan, const struct source *source,
                       const struct taker *taker)
{
    struct record record;
    int rc = read_promised(scan, source, &record);
    return rc < 0 ? rc : taker->record_cb(&record, taker->arg);
}

static int take_position(const struct billable_scan *scan, const struct source *source,
                         const struct taker *taker)
{
    (void)scan;
    return taker->position_cb(source->at, taker->arg);
}

static int give_rows(struct billable_scan *scan, const struct taker *taker)
{
    int rc = 0;
    for (struct source *next = next_source(scan); rc == 0 && next != NULL;
         next = next_source(scan)) {
        rc = taker->take(scan, next, taker);
        if (rc == 0) {
            rc = advance(next, scan->range);
        }
    }
    return rc;
}

static int scan_with(struct store_view *view, const struct store_range *range,
                     const struct taker *taker)
{
    struct billable_scan scan = {.view = view, .range = range};
    int rc = add_sources(&scan);
    if (rc == 0) {
        rc = give_rows(&scan, taker);
    }
    close_sources(&scan);
    return cursor_ended(rc);
}

int scan_billable(struct store_view *view, const struct store_range *range, store_record_fn row_cb,
                  void *arg)
{
    struct taker taker = {.take = take_record, .record_cb = row_cb, .arg = arg};
    return scan_with(view, range, &taker);
}

int scan_positions(struct store_view *view, const struct store_range *range,
                   store_position_fn row_cb, void *arg)
{
    struct taker taker = {.take = take_position, .position_cb = row_cb, .arg = arg};
    return scan_with(view, range, &taker);
}
