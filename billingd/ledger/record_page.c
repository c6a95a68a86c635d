#include "billingd/ledger/record_page.h"

#include "billingd/ledger/record_keep.h"

enum {
    PAGE_BYTES_MAX = 4 * 1024 * 1024, /* of texts in one page: keeps answers far below a frame */
    PAGE_SCAN_MAX = 100000,           /* rows looked through for one page */
};

struct listing {
    struct store_view *view;
    struct arena *arena;
    struct record_page *page;
    size_t bytes;
    unsigned scanned;
};

static struct store_position position_of(const struct record *record, enum store_clock by)
{
    int64_t occurred_us = 0;
    int64_t bills_at_us = 0;
    IGNORE(record_times(record, &occurred_us, &bills_at_us)); /* only such are scanned */
    return (struct store_position){
        .time_us = by == STORE_BY_BILLED ? bills_at_us : occurred_us,
        .seq = record->seq,
    };
}

/* The service that RECORD names itself; empty: none. */
static struct slice service_of(const struct record *record)
{
    if (record->kind == RECORD_USAGE) {
        return record->usage.service;
    }
    return record->kind == RECORD_ADJUSTMENT ? record->adjustment.service : (struct slice){0};
}

static int is_wanted(const struct listing *listing, const struct record *record)
{
    const struct record_page *page = listing->page;
    if (page->service.length > 0 && !slice_equal(page->service, service_of(record))) {
        return 0;
    }
    return page->choose_cb == NULL ? 1 : page->choose_cb(listing->view, record, page->choose_arg);
}

static int page_row_cb(const struct record *record, void *arg)
{
    struct listing *listing = arg;
    struct record_page *page = listing->page;
    if (page->n == page->limit || listing->bytes > PAGE_BYTES_MAX ||
        listing->scanned == PAGE_SCAN_MAX) {
        page->more = true;
        return STORE_SCAN_STOP;
    }
    listing->scanned++;
    page->last = position_of(record, page->range.by);
    int wanted = is_wanted(listing, record);
    if (wanted <= 0) {
        return wanted;
    }
    struct record *kept = &page->records[page->n];
    *kept = *record;
    page->n++;
    listing->bytes += record_text_bytes(record);
    return record_keep(listing->arena, kept);
}

int record_page_read(struct store_view *view, struct arena *arena, struct record_page *page)
{
    struct listing listing = {.view = view, .arena = arena, .page = page};
    struct store_customer customer;
    int rc = customer_resolve(view, &page->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    page->n = 0;
    page->more = false;
    page->range.customer = customer.seq;
    page->records = arena_alloc_array(arena, page->limit, sizeof *page->records);
    if (page->records == NULL) {
        return STATUS_TOO_LARGE;
    }
    return store_scan(view, &page->range, page_row_cb, &listing);
}
