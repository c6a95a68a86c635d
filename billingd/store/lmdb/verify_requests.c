#include "billingd/store/lmdb/verify_requests.h"

#include <inttypes.h>

#include "billingd/store/lmdb/row_merge.h"

/* Two rows with one fingerprint: two request ids may have that, and two records may not have one
 * request id. */
static int compare(struct verify *verify, const struct request_row *a, const struct request_row *b)
{
    struct journal_reader other = verify->view->journal;
    struct record first;
    struct record second;
    uint64_t first_seq = a->seq < b->seq ? a->seq : b->seq;
    uint64_t second_seq = a->seq < b->seq ? b->seq : a->seq;
    struct verify_place place = {.table = "journal", .seq = second_seq, .chunk = -1};
    if (first_seq == second_seq || journal_record(&verify->view->journal, first_seq, &first) < 0 ||
        journal_record(&other, second_seq, &second) < 0) {
        return 0; /* which was told of */
    }
    if (record_scope(&first) != record_scope(&second) ||
        !slice_equal(first.request_id, second.request_id)) {
        return 0;
    }
    return verify_found(
        verify, STORE_WRONG, place,
        "record %" PRIu64 " has the request id '%.*s', which record %" PRIu64 " has already",
        second_seq, (int)second.request_id.length, second.request_id.data, first_seq);
}

static int compare_all(struct verify *verify, struct row_merge *merge)
{
    struct request_row last = {0};
    int rc = 0;
    for (const struct request_row *row = row_merge_peek(merge); rc == 0 && row != NULL;
         row = row_merge_peek(merge)) {
        if (last.seq != 0 && last.high == row->high && last.low == row->low) {
            rc = compare(verify, &last, row);
        }
        last = *row;
        if (rc == 0) {
            rc = verify_step(verify, 1);
        }
        if (rc == 0) {
            rc = row_merge_step(merge);
        }
    }
    return rc;
}

static int add_unit(struct verify *verify, struct row_merge *merge, const struct verify_unit *unit)
{
    const struct lmdb_view *view = verify->view;
    const struct view_rows *rows = &view->rows;
    if (unit->segment != NULL) {
        struct segment_start start = {unit->segment->id, SEGMENT_REQUESTS, 0, 0};
        return unit->lost[SEGMENT_REQUESTS] || unit->segment->n_requests == 0
                   ? 0
                   : row_merge_add_segment(merge, view->env, view->txn, start);
    }
    for (size_t i = 0; i < rows->list->n; i++) {
        const struct run *run = rows->list->runs[i];
        if (view_rows_has(rows, run)) {
            row_merge_add_rows(merge, run->requests, run->n_requests);
        }
    }
    return 0;
}

int verify_requests(struct verify *verify, const struct verify_unit *units, size_t n)
{
    struct row_merge merge;
    int rc = row_merge_init(&merge, SEGMENT_REQUESTS, n + verify->view->rows.list->n);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = add_unit(verify, &merge, &units[i]);
    }
    if (rc == 0) {
        rc = compare_all(verify, &merge);
    }
    row_merge_done(&merge);
    return rc == STATUS_CORRUPT ? 0 : rc; /* what is out of order was told of */
}
