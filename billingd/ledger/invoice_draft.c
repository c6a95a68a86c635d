#include "billingd/ledger/invoice_draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "billingd/store/sum.h"

enum {
    SEQS_FIRST = 1024,
    SEQS_MAX = 4 * 1024 * 1024, /* 32 MiB */
    ADJUSTMENTS_FIRST = 16,
    STAMP_BYTES = 16, /* sequence number, created_at */
};

void invoice_draft_init(struct invoice_draft *draft, struct arena *arena)
{
    *draft = (struct invoice_draft){.arena = arena, .seqs_max = SEQS_MAX};
}

/* --- one record ------------------------------------------------------------------------------- */

static void begin_digest(struct invoice_draft *draft, uint64_t id_key)
{
    char text[160];
    int length = snprintf(text, sizeof text,
                          "invoice of customer %" PRIu64 " from %" PRId64 " to %" PRId64
                          " in store %016" PRIx64,
                          draft->customer, draft->period.start_us, draft->period.end_us, id_key);
    INVARIANT(length > 0 && (size_t)length < sizeof text);
    sha256_begin(draft->sha);
    sha256_add(draft->sha, text, (size_t)length);
    sha256_end(draft->sha, draft->digest);
}

static void add_to_digest(struct invoice_draft *draft, const struct record *record)
{
    uint8_t bytes[STAMP_BYTES + RECORD_BYTES_MAX];
    bytes_put_le64(bytes, record->seq);
    bytes_put_le64(bytes + 8, (uint64_t)record->created_at_us);
    size_t length = STAMP_BYTES + record_encode(record, bytes + STAMP_BYTES);
    sha256_begin(draft->sha);
    sha256_add(draft->sha, draft->digest, sizeof draft->digest);
    sha256_add(draft->sha, bytes, length);
    sha256_end(draft->sha, draft->digest);
}

static int add_adjustment(struct invoice_draft *draft, const struct record *record)
{
    if (draft->n_adjustments == draft->adjustments_max) {
        size_t max = draft->adjustments_max == 0 ? ADJUSTMENTS_FIRST : draft->adjustments_max * 2;
        struct draft_adjustment *rows = arena_alloc_array(draft->arena, max, sizeof *rows);
        if (rows == NULL) {
            return STATUS_TOO_LARGE;
        }
        if (draft->n_adjustments > 0) {
            memcpy(rows, draft->adjustments, draft->n_adjustments * sizeof *rows);
        }
        draft->adjustments = rows;
        draft->adjustments_max = max;
    }
    draft->adjustments[draft->n_adjustments] = (struct draft_adjustment){
        .position = {record->adjustment.bills_at_us, record->seq},
        .amount = record->adjustment.amount,
    };
    draft->n_adjustments++;
    return 0;
}

static int add_sum(struct invoice_draft *draft, const struct record *record,
                   const struct usage *usage)
{
    struct store_sum sum;
    int rc = store_sum_of(record, usage, STORE_BY_BILLED, &sum);
    return rc < 0 ? rc : bill_lines_add(&draft->lines, &sum);
}

/* A void takes away what its usage says. */
static int add_void(struct invoice_draft *draft, struct store_view *view,
                    const struct record *record)
{
    struct record voided;
    int rc = store_record(view, record->usage_voided.usage, &voided);
    if (rc == STATUS_NOT_FOUND || (rc == 0 && voided.kind != RECORD_USAGE)) {
        return STATUS_CORRUPT;
    }
    return rc < 0 ? rc : add_sum(draft, record, &voided.usage);
}

static int add_record(struct invoice_draft *draft, struct store_view *view,
                      const struct record *record)
{
    add_to_digest(draft, record);
    draft->records++;
    draft->finished = false;
    switch (record->kind) {
    case RECORD_USAGE:
        return add_sum(draft, record, &record->usage);
    case RECORD_USAGE_VOIDED:
        return add_void(draft, view, record);
    default:
        return add_adjustment(draft, record);
    }
}

bool invoice_draft_is_about(const struct invoice_draft *draft, const struct record *record)
{
    int64_t occurred_at_us;
    int64_t bills_at_us;
    return record_times(record, &occurred_at_us, &bills_at_us) &&
           record_customer(record) == draft->customer && bills_at_us >= draft->period.start_us &&
           bills_at_us < draft->period.end_us;
}

/* --- out of the journal ----------------------------------------------------------------------- */

struct sweep {
    struct invoice_draft *draft;
    struct store_view *view;
    uint64_t position; /* up to here */
};

static int sweep_cb(const struct record *record, void *arg)
{
    const struct sweep *sweep = arg;
    if (record->seq > sweep->position) {
        return STORE_SCAN_STOP;
    }
    sweep->draft->reading = record->seq;
    return invoice_draft_is_about(sweep->draft, record)
               ? add_record(sweep->draft, sweep->view, record)
               : 0;
}

/* Add what is behind AFTER_SEQ, up to POSITION. */
static int sweep_journal(struct invoice_draft *draft, struct store_view *view, uint64_t after_seq,
                         uint64_t position)
{
    struct sweep sweep = {.draft = draft, .view = view, .position = position};
    return store_scan_journal(view, after_seq, sweep_cb, &sweep);
}

/* --- out of the index ------------------------------------------------------------------------- */

/* Where the records are that are to be read. */
struct seqs {
    uint64_t *all; /* owned */
    size_t n;
    size_t max;        /* that there is room for */
    size_t n_max;      /* that are collected */
    bool too_many;     /* `all` is not complete */
    uint64_t first;    /* the least of them, also of those that are not in `all` */
    uint64_t position; /* none behind this one */
};

static int grow(struct seqs *seqs)
{
    size_t max = seqs->max == 0 ? SEQS_FIRST : seqs->max * 2;
    uint64_t *all = realloc(seqs->all, max * sizeof *all);
    if (all == NULL) {
        return STATUS_NO_MEMORY;
    }
    seqs->all = all;
    seqs->max = max;
    return 0;
}

static int collect_cb(struct store_position position, void *arg)
{
    struct seqs *seqs = arg;
    if (position.seq > seqs->position) {
        return 0;
    }
    seqs->first = position.seq < seqs->first ? position.seq : seqs->first;
    if (seqs->n == seqs->n_max) {
        seqs->too_many = true;
        return 0;
    }
    if (seqs->n == seqs->max) {
        int rc = grow(seqs);
        if (rc < 0) {
            return rc;
        }
    }
    seqs->all[seqs->n++] = position.seq;
    return 0;
}

static int compare_seqs(const void *a, const void *b)
{
    uint64_t seq_a = *(const uint64_t *)a;
    uint64_t seq_b = *(const uint64_t *)b;
    return (seq_a > seq_b) - (seq_a < seq_b);
}

static int add_collected(struct invoice_draft *draft, struct store_view *view, struct seqs *seqs)
{
    struct record record;
    int rc = 0;
    if (seqs->too_many) {
        return sweep_journal(draft, view, seqs->first - 1, seqs->position);
    }
    if (seqs->n > 0) {
        qsort(seqs->all, seqs->n, sizeof *seqs->all, compare_seqs);
    }
    for (size_t i = 0; i < seqs->n && rc == 0; i++) {
        draft->reading = seqs->all[i];
        rc = store_record(view, draft->reading, &record);
        if (rc == STATUS_NOT_FOUND || (rc == 0 && !invoice_draft_is_about(draft, &record))) {
            return STATUS_CORRUPT; /* it is not where the store says that it stands */
        }
        if (rc == 0) {
            rc = add_record(draft, view, &record);
        }
    }
    return rc;
}

static int build(struct invoice_draft *draft, struct store_view *view)
{
    struct seqs seqs = {.n_max = draft->seqs_max, .first = UINT64_MAX, .position = draft->position};
    struct store_range range = {
        .customer = draft->customer,
        .rows = STORE_BILLABLE,
        .by = STORE_BY_BILLED,
        .start_us = draft->period.start_us,
        .end_us = draft->period.end_us,
    };
    int rc = store_scan_positions(view, &range, collect_cb, &seqs);
    if (rc == 0) {
        rc = add_collected(draft, view, &seqs);
    }
    free(seqs.all);
    return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int begin_adding(struct invoice_draft *draft)
{
    draft->sha = sha256_create();
    return draft->sha == NULL ? STATUS_NO_MEMORY : 0;
}

/* After a failure nobody knows what is in it. */
static int end_adding(struct invoice_draft *draft, int rc)
{
    sha256_destroy(draft->sha);
    draft->sha = NULL;
    draft->customer = rc < 0 ? 0 : draft->customer;
    return rc;
}

static int begin_anew(struct invoice_draft *draft, struct store_view *view, uint64_t customer,
                      struct period period, uint64_t position)
{
    struct store_info info;
    int rc = store_info(view, &info);
    if (rc == 0) {
        rc = begin_adding(draft);
    }
    if (rc < 0) {
        return rc;
    }
    draft->customer = customer;
    draft->period = period;
    draft->position = position;
    draft->records = 0;
    draft->n_adjustments = 0;
    bill_lines_init(&draft->lines, draft->arena);
    draft->finished = false;
    begin_digest(draft, info.id_key);
    return 0;
}

int invoice_draft_build(struct invoice_draft *draft, struct store_view *view, uint64_t customer,
                        struct period period, uint64_t position)
{
    int rc = begin_anew(draft, view, customer, period, position);
    return rc < 0 ? rc : end_adding(draft, build(draft, view));
}

int invoice_draft_recompute(struct invoice_draft *draft, struct store_view *view, uint64_t customer,
                            struct period period, uint64_t position)
{
    int rc = begin_anew(draft, view, customer, period, position);
    return rc < 0 ? rc : end_adding(draft, sweep_journal(draft, view, customer, position));
}

int invoice_draft_advance(struct invoice_draft *draft, struct store_view *view,
                          uint64_t records_max)
{
    struct store_info info;
    int rc = store_info(view, &info);
    if (rc < 0) {
        return rc;
    }
    if (info.last_seq - draft->position > records_max) {
        return STATUS_OUTDATED;
    }
    if (info.last_seq == draft->position) {
        return 0;
    }
    rc = begin_adding(draft);
    if (rc == 0) {
        rc = sweep_journal(draft, view, draft->position, info.last_seq);
    }
    draft->position = info.last_seq;
    return end_adding(draft, rc);
}

static int compare_adjustments(const void *a, const void *b)
{
    const struct draft_adjustment *adjustment_a = a;
    const struct draft_adjustment *adjustment_b = b;
    struct store_position at = adjustment_a->position;
    struct store_position other = adjustment_b->position;
    if (at.time_us != other.time_us) {
        return at.time_us < other.time_us ? -1 : 1;
    }
    return (at.seq > other.seq) - (at.seq < other.seq);
}

int invoice_draft_finish(struct invoice_draft *draft, int minor_digits)
{
    struct bill_totals totals = {0};
    if (draft->finished) {
        return 0;
    }
    int rc = bill_lines_sort(&draft->lines, &draft->sorted);
    for (size_t i = 0; i < draft->lines.n && rc == 0; i++) {
        rc = bill_totals_add_line(&totals, draft->sorted[i], minor_digits);
    }
    if (draft->n_adjustments > 0) {
        qsort(draft->adjustments, draft->n_adjustments, sizeof *draft->adjustments,
              compare_adjustments);
    }
    for (size_t i = 0; i < draft->n_adjustments && rc == 0; i++) {
        rc = bill_totals_add_adjustment(&totals, draft->adjustments[i].amount, minor_digits);
    }
    draft->totals = totals;
    draft->finished = rc == 0;
    return rc;
}
