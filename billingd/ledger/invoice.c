#include "billingd/ledger/invoice.h"

#include "billingd/ledger/idempotency.h"
#include "billingd/ledger/invoice_entries.h"
#include "billingd/ledger/invoice_period.h"
#include "billingd/ledger/record_keep.h"

enum {
    LAG_RECORDS_MAX = 10000, /* that the committer catches up by itself: some milliseconds */
};

/* --- one page of what there is ---------------------------------------------------------------- */

struct paging {
    struct store_view *view;
    struct arena *arena;
    struct invoice_page *page;
    uint64_t at; /* entries seen so far */
};

static int take_line(struct paging *paging, const struct bill_line *line)
{
    struct bill_line *kept = &paging->page->lines[paging->page->n_lines];
    *kept = *line;
    paging->page->n_lines++;
    return arena_copy(paging->arena, line->service, &kept->service);
}

static int take_adjustment(struct paging *paging, uint64_t seq)
{
    struct record *kept = &paging->page->adjustments[paging->page->n_adjustments];
    int rc = store_record(paging->view, seq, kept);
    if (rc == STATUS_NOT_FOUND || (rc == 0 && kept->kind != RECORD_ADJUSTMENT)) {
        return STATUS_CORRUPT;
    }
    paging->page->n_adjustments++;
    return rc < 0 ? rc : record_keep(paging->arena, kept);
}

static int take_entry_cb(const struct invoice_entry *entry, void *arg)
{
    struct paging *paging = arg;
    struct invoice_page *page = paging->page;
    if (paging->at++ < page->after) {
        return 0;
    }
    if (page->n_lines + page->n_adjustments == page->limit) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    return entry->adjustment == 0 ? take_line(paging, &entry->line)
                                  : take_adjustment(paging, entry->adjustment);
}

/* Read the page of the invoice RECORD. */
static int read_page(struct store_view *view, struct arena *arena, const struct record *record,
                     struct invoice_page *page)
{
    struct paging paging = {.view = view, .arena = arena, .page = page};
    page->record = *record;
    page->n_lines = 0;
    page->n_adjustments = 0;
    page->more = false;
    page->lines = arena_alloc_array(arena, page->limit, sizeof *page->lines);
    page->adjustments = arena_alloc_array(arena, page->limit, sizeof *page->adjustments);
    if (page->lines == NULL || page->adjustments == NULL) {
        return STATUS_TOO_LARGE;
    }
    int rc = record_keep(arena, &page->record);
    return rc < 0 ? rc : invoice_entries_scan(view, &page->record, take_entry_cb, &paging);
}

int invoice_get(struct store_view *view, struct arena *arena, uint64_t number,
                struct invoice_page *page)
{
    struct record record;
    int rc = store_invoice(view, number, &record);
    if (rc == STATUS_NOT_FOUND) {
        return STATUS_INVOICE_NOT_FOUND;
    }
    return rc < 0 ? rc : read_page(view, arena, &record, page);
}

/* --- finalising ------------------------------------------------------------------------------- */

void invoice_finalize_init(struct invoice_finalize *finalize, struct arena *arena)
{
    finalize->asked.kind = RECORD_INVOICE;
    finalize->page.limit = finalize->limit;
    invoice_draft_init(&finalize->draft, arena);
}

/* Whether nothing was said yet that ends the matter. */
static bool is_open(const struct invoice_finalize *finalize)
{
    return finalize->outcome.status == 0 && !finalize->outcome.replayed;
}

/* The rules, up to which records it is.  Where all is well, is_open() and *RET_PERIOD is what the
 * invoice is to cover. */
static int decide(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                  struct invoice_finalize *finalize, struct period *ret_period)
{
    struct store_customer customer;
    struct record first;
    struct invoice *asked = &finalize->asked.invoice;
    int rc = customer_resolve(view, &finalize->customer, &customer);
    if (rc == STATUS_CUSTOMER_NOT_FOUND) {
        finalize->outcome = (struct outcome){.status = rc};
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    asked->customer = customer.seq;
    rc = idempotency_check(view, &finalize->asked, &first, &finalize->outcome);
    if (rc < 0 || finalize->outcome.status != 0) {
        return rc;
    }
    if (finalize->outcome.replayed) {
        return read_page(view, arena, &first, &finalize->page);
    }
    return invoice_period(view, env, &customer, asked, ret_period, &finalize->outcome);
}

/* Whether there is a draft of PERIOD that can still be brought up to date. */
static bool is_drafted(const struct invoice_finalize *finalize, struct period period)
{
    const struct invoice_draft *draft = &finalize->draft;
    return !finalize->used && draft->customer == finalize->asked.invoice.customer &&
           draft->period.start_us == period.start_us && draft->period.end_us == period.end_us;
}

static int draft_anew(struct store_view *view, struct invoice_finalize *finalize,
                      struct period period)
{
    struct store_info info;
    int rc = store_info(view, &info);
    if (rc < 0) {
        return rc;
    }
    finalize->used = false;
    return invoice_draft_build(&finalize->draft, view, finalize->asked.invoice.customer, period,
                               info.last_seq);
}

int invoice_prepare(struct store_view *view, struct arena *arena, const struct ledger_env *env,
                    struct invoice_finalize *finalize)
{
    struct period period = {0};
    int rc = decide(view, arena, env, finalize, &period);
    if (rc < 0 || !is_open(finalize)) {
        return rc;
    }
    rc = is_drafted(finalize, period) ? invoice_draft_advance(&finalize->draft, view, UINT64_MAX)
                                      : draft_anew(view, finalize, period);
    finalize->outcome.status = STATUS_OUTDATED;
    return rc < 0 ? rc : invoice_draft_finish(&finalize->draft, env->minor_digits);
}

/* Append the invoice that is drafted, and what it consists of. */
static int append(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                  struct invoice_finalize *finalize, unsigned *ret_appended)
{
    struct store_view *view = store_txn_view(txn);
    struct invoice_draft *draft = &finalize->draft;
    struct record record = finalize->asked;
    struct store_info info = {0};
    unsigned pieces = 0;
    int rc = invoice_draft_finish(draft, env->minor_digits);
    if (rc == 0) {
        rc = store_info(view, &info);
    }
    if (rc < 0) {
        return rc;
    }
    record.invoice.number = info.invoices + 1;
    record.invoice.start_us = draft->period.start_us;
    record.invoice.position = draft->position;
    record.invoice.minor_digits = env->minor_digits;
    record.invoice.n_lines = draft->totals.lines;
    record.invoice.n_adjustments = draft->totals.adjustments;
    record.invoice.exact = draft->totals.exact;
    record.invoice.total = draft->totals.total;
    memcpy(record.invoice.digest, draft->digest, sizeof record.invoice.digest);
    rc = store_append(txn, &record);
    if (rc == 0) {
        rc = invoice_entries_append(txn, &record, draft, &pieces);
    }
    *ret_appended = 1 + pieces;
    return rc < 0 ? rc : read_page(view, arena, &record, &finalize->page);
}

/* Bring DRAFT up to date, if that is little work: for it alone, and with all others that were
 * brought up to date in this transaction, since everyone waits for it. */
static int catch_up(struct store_view *view, const struct ledger_env *env,
                    struct invoice_draft *draft)
{
    uint64_t before = draft->position;
    uint64_t records_max = LAG_RECORDS_MAX;
    if (env->sweep_left != NULL && *env->sweep_left < records_max) {
        records_max = *env->sweep_left;
    }
    int rc = invoice_draft_advance(draft, view, records_max);
    if (rc == 0 && env->sweep_left != NULL) {
        *env->sweep_left -= draft->position - before;
    }
    return rc;
}

int invoice_finalize(struct store_txn *txn, struct arena *arena, const struct ledger_env *env,
                     struct invoice_finalize *finalize, unsigned *ret_appended)
{
    struct store_view *view = store_txn_view(txn);
    struct period period = {0};
    *ret_appended = 0;
    int rc = decide(view, arena, env, finalize, &period);
    if (rc < 0 || !is_open(finalize)) {
        return rc;
    }
    if (!is_drafted(finalize, period)) {
        finalize->outcome.status = STATUS_OUTDATED;
        return 0;
    }
    rc = catch_up(view, env, &finalize->draft);
    if (rc == STATUS_OUTDATED) {
        finalize->outcome.status = rc;
        return 0;
    }
    finalize->used = true; /* if TXN fails, what was added may never have been */
    return rc < 0 ? rc : append(txn, arena, env, finalize, ret_appended);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct arena *arena;
    struct invoice_list *list;
};

static int list_row_cb(const struct record *record, void *arg)
{
    struct listing *listing = arg;
    struct invoice_list *list = listing->list;
    if (list->n == list->limit) {
        list->more = true;
        return STORE_SCAN_STOP;
    }
    struct record *kept = &list->records[list->n];
    *kept = *record;
    list->n++;
    return record_keep(listing->arena, kept);
}

int invoice_list(struct store_view *view, struct arena *arena, struct invoice_list *list)
{
    struct listing listing = {.arena = arena, .list = list};
    struct store_customer customer = {0};
    int rc = list->of_customer ? customer_resolve(view, &list->customer, &customer) : 0;
    if (rc < 0) {
        return rc;
    }
    list->n = 0;
    list->more = false;
    list->records = arena_alloc_array(arena, list->limit, sizeof *list->records);
    if (list->records == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan_invoices(view, customer.seq, list->after_number, list_row_cb, &listing);
}
