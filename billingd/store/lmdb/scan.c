#include "billingd/store/lmdb/scan.h"

#include "billingd/store/lmdb/customer_row.h"
#include "billingd/store/lmdb/index.h"
#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/lookup.h"

/* What a scan returns that RC, of a callback or of ours, ended. */
static int ended(int rc)
{
    return rc == STORE_SCAN_STOP ? 0 : rc;
}

/* Move CURSOR.  *RET_END: there is nothing more. */
static int move(MDB_cursor *cursor, MDB_cursor_op op, MDB_val *key, MDB_val *ret_value,
                bool *ret_end)
{
    int rc = mdb_cursor_get(cursor, key, ret_value, op);
    *ret_end = rc == MDB_NOTFOUND;
    return *ret_end ? 0 : env_status(rc);
}

static int open_cursor(struct store_view *base, enum env_table table, MDB_cursor **ret)
{
    const struct lmdb_view *view = (const struct lmdb_view *)base; /* its first member */
    return env_status(mdb_cursor_open(view->txn, view->env->tables[table], ret));
}

/* --- customers -------------------------------------------------------------------------------- */

static int give_customer(MDB_val key, MDB_val row, store_customer_fn row_cb, void *arg)
{
    uint64_t seq;
    struct store_customer customer;
    int rc = key_parse_seq(key, &seq);
    if (rc == 0) {
        rc = customer_row_read(seq, row.mv_data, row.mv_size, &customer);
    }
    return rc < 0 ? rc : row_cb(&customer, arg);
}

int scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb, void *arg)
{
    struct key buffer;
    MDB_cursor *cursor;
    MDB_val row;
    bool end;
    if (after_seq == UINT64_MAX) {
        return 0;
    }
    int rc = open_cursor(view, ENV_CUSTOMERS, &cursor);
    if (rc < 0) {
        return rc;
    }
    MDB_val key = key_seq(&buffer, after_seq + 1);
    rc = move(cursor, MDB_SET_RANGE, &key, &row, &end);
    while (rc == 0 && !end) {
        rc = give_customer(key, row, row_cb, arg);
        if (rc == 0) {
            rc = move(cursor, MDB_NEXT, &key, &row, &end);
        }
    }
    mdb_cursor_close(cursor);
    return ended(rc);
}

/* --- usage ------------------------------------------------------------------------------------ */

/* One table of usage within the range. */
struct source {
    MDB_cursor *cursor;       /* owned; NULL: not used */
    bool in_time_only;        /* pass over what `usage_late` has */
    bool done;                /* nothing more in the range */
    struct store_position at; /* of the row that is next */
};

struct usage_scan {
    struct store_view *view;
    const struct store_usage_range *range;
    struct source sources[2];
};

static bool is_before(struct store_position a, struct store_position b)
{
    return a.time_us != b.time_us ? a.time_us < b.time_us : a.seq < b.seq;
}

/* Where RANGE begins.  Times are from 0 on and sequence numbers from 1. */
static struct store_position first_position(const struct store_usage_range *range)
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

/* Go to the next row: by OP from KEY, then on and on. */
static int advance(struct source *source, const struct store_usage_range *range, MDB_val key,
                   MDB_cursor_op op)
{
    MDB_val value;
    uint64_t customer;
    do {
        int rc = move(source->cursor, op, &key, &value, &source->done);
        if (rc < 0 || source->done) {
            return rc;
        }
        rc = key_parse_usage(key, &customer, &source->at);
        if (rc < 0) {
            return rc;
        }
        source->done = customer != range->customer || source->at.time_us >= range->end_us;
        op = MDB_NEXT;
    } while (!source->done && source->in_time_only && index_is_late(value));
    return 0;
}

static int open_source(struct usage_scan *scan, struct source *source, enum env_table table)
{
    struct key key;
    struct store_position first = first_position(scan->range);
    int rc = open_cursor(scan->view, table, &source->cursor);
    if (rc < 0) {
        return rc;
    }
    return advance(source, scan->range, key_usage(&key, scan->range->customer, first),
                   MDB_SET_RANGE);
}

/* The record at POSITION must be what the tables say of it. */
static int read_promised(const struct usage_scan *scan, struct store_position position,
                         struct record *ret)
{
    int rc = lookup_record(scan->view, position.seq, ret);
    if (rc < 0) {
        return rc == STATUS_NOT_FOUND ? STATUS_CORRUPT : rc;
    }
    if (ret->kind != RECORD_USAGE || ret->usage.customer != scan->range->customer) {
        return STATUS_CORRUPT;
    }
    int64_t time_us =
        scan->range->by == STORE_BY_BILLED ? ret->usage.bills_at_us : ret->usage.occurred_at_us;
    return time_us == position.time_us ? 0 : STATUS_CORRUPT;
}

static struct source *next_source(struct usage_scan *scan)
{
    struct source *a = &scan->sources[0];
    struct source *b = &scan->sources[1];
    if (a->done || b->done) {
        return a->done ? b : a;
    }
    return is_before(b->at, a->at) ? b : a;
}

static int give_rows(struct usage_scan *scan, store_record_fn row_cb, void *arg)
{
    struct record record;
    int rc = 0;
    for (struct source *next = next_source(scan); rc == 0 && !next->done;
         next = next_source(scan)) {
        rc = read_promised(scan, next->at, &record);
        if (rc == 0) {
            rc = row_cb(&record, arg);
        }
        if (rc == 0) {
            rc = advance(next, scan->range, (MDB_val){0}, MDB_NEXT);
        }
    }
    return rc;
}

int scan_usage(struct store_view *view, const struct store_usage_range *range,
               store_record_fn row_cb, void *arg)
{
    bool billed = range->by == STORE_BY_BILLED;
    struct usage_scan scan = {
        .view = view,
        .range = range,
        .sources = {{.in_time_only = billed, .done = true}, {.done = true}},
    };
    int rc = open_source(&scan, &scan.sources[0], ENV_USAGE);
    if (rc == 0 && billed) {
        rc = open_source(&scan, &scan.sources[1], ENV_USAGE_LATE);
    }
    if (rc == 0) {
        rc = give_rows(&scan, row_cb, arg);
    }
    for (int i = 0; i < 2; i++) {
        if (scan.sources[i].cursor != NULL) {
            mdb_cursor_close(scan.sources[i].cursor);
        }
    }
    return ended(rc);
}

/* --- sums ------------------------------------------------------------------------------------- */

struct sum_scan {
    const struct store_usage_range *range;
    store_sum_fn row_cb;
    void *arg;
};

static int give_sum(const struct record *record, void *arg)
{
    static const int64_t hour_us = INT64_C(3600) * 1000000;
    const struct sum_scan *scan = arg;
    const struct usage *usage = &record->usage;
    int64_t time_us =
        scan->range->by == STORE_BY_BILLED ? usage->bills_at_us : usage->occurred_at_us;
    struct store_sum sum = {
        .service = usage->service,
        .price = usage->price,
        .hour_us = time_us - time_us % hour_us,
        .records = 1,
        .late = usage->bills_at_us != usage->occurred_at_us,
        .units = amount_from_decimal(usage->units),
    };
    int rc = amount_product(usage->units, usage->price, &sum.amount);
    return rc < 0 ? STATUS_CORRUPT : scan->row_cb(&sum, scan->arg);
}

int scan_sums(struct store_view *view, const struct store_usage_range *range, store_sum_fn row_cb,
              void *arg)
{
    struct store_usage_range all = *range;
    struct sum_scan scan = {.range = &all, .row_cb = row_cb, .arg = arg};
    all.after = (struct store_position){0};
    return scan_usage(view, &all, give_sum, &scan);
}
