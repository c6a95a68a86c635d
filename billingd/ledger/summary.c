#include "billingd/ledger/summary.h"

enum {
    PAGE_WORK_MAX = 100000, /* sums looked at for one page; a window's are looked at as a whole */
    WINDOW_WORK = 50,       /* what finding a window costs, in sums */
};

struct page {
    struct store_view *view;
    struct arena *arena;
    struct summary *summary;
    struct bill_lines lines;  /* of the window at hand: by service, without a price */
    struct bill_line **shown; /* the services that every window shows, used or not */
    size_t n_shown;
    unsigned work;
};

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct store_range range_of(const struct page *page, struct period period)
{
    return (struct store_range){
        .customer = page->summary->customer_seq,
        .rows = STORE_USAGE | STORE_VOIDS,
        .by = page->summary->by,
        .start_us = period.start_us,
        .end_us = period.end_us,
    };
}

/* --- adding up -------------------------------------------------------------------------------- */

static int add_sum_cb(const struct store_sum *sum, void *arg)
{
    struct page *page = arg;
    const struct summary *summary = page->summary;
    page->work++;
    if (summary->service.length > 0 && !slice_equal(sum->service, summary->service)) {
        return 0;
    }
    struct store_sum any_price = *sum;
    any_price.price = (struct decimal){0};
    if (!summary->by_service) {
        any_price.service = (struct slice){0};
    }
    return bill_lines_add(&page->lines, &any_price);
}

static int add_up(struct page *page, struct period period)
{
    struct store_range range = range_of(page, period);
    return store_scan_sums(page->view, &range, add_sum_cb, page);
}

static int add_nothing(struct page *page, struct slice service)
{
    struct store_sum nothing = {.service = service};
    return bill_lines_add(&page->lines, &nothing);
}

/* Find out what every window is to show. */
static int choose_shown(struct page *page)
{
    const struct summary *summary = page->summary;
    bill_lines_init(&page->lines, page->arena);
    int rc = 0;
    if (summary->by_service && summary->service.length == 0) {
        rc = add_up(page, summary->period);
        page->work = 0; /* as a bill's: it is what the page needs before it begins */
    } else {
        rc = add_nothing(page, summary->by_service ? summary->service : (struct slice){0});
    }
    page->n_shown = page->lines.n;
    return rc < 0 ? rc : bill_lines_sort(&page->lines, &page->shown);
}

/* --- windows ---------------------------------------------------------------------------------- */

/* Add the rows of WINDOW that lie behind the place where the page begins. */
static void add_rows(struct summary *summary, struct period window, struct bill_line **sums,
                     size_t n)
{
    bool is_first =
        summary->from.time_us >= window.start_us && summary->from.time_us < window.end_us;
    for (size_t i = 0; i < n; i++) {
        if (is_first && summary->from.after_service.length > 0 &&
            slice_compare(sums[i]->service, summary->from.after_service) <= 0) {
            continue;
        }
        if (summary->n == summary->limit) {
            summary->more = true; /* behind the last row */
            return;
        }
        summary->rows[summary->n++] = (struct summary_row){.period = window, .sum = sums[i]};
        summary->next = (struct summary_place){window.start_us, sums[i]->service};
    }
    summary->next = (struct summary_place){.time_us = window.end_us};
}

static int add_window(struct page *page, struct period window)
{
    struct bill_line **sums;
    int rc = 0;
    bill_lines_init(&page->lines, page->arena);
    for (size_t i = 0; i < page->n_shown && rc == 0; i++) {
        rc = add_nothing(page, page->shown[i]->service);
    }
    if (rc == 0) {
        rc = add_up(page, window);
    }
    if (rc == 0) {
        rc = bill_lines_sort(&page->lines, &sums);
    }
    if (rc == 0) {
        add_rows(page->summary, window, sums, page->lines.n);
    }
    page->work += WINDOW_WORK;
    return rc;
}

struct first {
    enum store_clock by;
    int64_t time_us;
};

static int first_cb(const struct record *record, void *arg)
{
    struct first *first = arg;
    int64_t occurred_us;
    int64_t bills_at_us;
    if (!record_times(record, &occurred_us, &bills_at_us)) {
        return STATUS_CORRUPT; /* asked for usage and voids */
    }
    first->time_us = first->by == STORE_BY_BILLED ? bills_at_us : occurred_us;
    return STORE_SCAN_STOP;
}

/* Move *TIME_US on to the next record, or to the end: an empty century costs one look. */
static int skip_empty(struct page *page, int64_t *time_us)
{
    const struct summary *summary = page->summary;
    struct store_range range = range_of(page, (struct period){*time_us, summary->period.end_us});
    struct first first = {.by = summary->by, .time_us = summary->period.end_us};
    int rc = store_scan(page->view, &range, first_cb, &first);
    *time_us = first.time_us;
    return rc;
}

static int fill(struct page *page)
{
    struct summary *summary = page->summary;
    int64_t time_us = later(summary->from.time_us, summary->period.start_us);
    int rc = 0;
    while (rc == 0 && !summary->more && time_us < summary->period.end_us) {
        if (!summary->include_empty) {
            rc = skip_empty(page, &time_us);
        }
        if (rc < 0 || time_us >= summary->period.end_us) {
            return rc;
        }
        if (summary->n == summary->limit || page->work >= PAGE_WORK_MAX) {
            summary->more = true; /* what arrives before time_us is still behind `next` */
            return 0;
        }
        struct period window = window_of(summary->window, time_us);
        window.start_us = later(window.start_us, summary->period.start_us);
        window.end_us = earlier(window.end_us, summary->period.end_us);
        rc = add_window(page, window);
        time_us = window.end_us;
    }
    return rc;
}

int summary_get(struct store_view *view, struct arena *arena, struct summary *summary)
{
    struct page page = {.view = view, .arena = arena, .summary = summary};
    struct store_customer customer;
    int rc = customer_resolve(view, &summary->customer, &customer);
    if (rc < 0) {
        return rc;
    }
    summary->customer_seq = customer.seq;
    summary->n = 0;
    summary->more = false;
    summary->rows = arena_alloc_array(arena, summary->limit, sizeof *summary->rows);
    if (summary->rows == NULL) {
        return STATUS_TOO_LARGE;
    }
    if (summary->include_empty) {
        rc = choose_shown(&page);
    }
    return rc < 0 ? rc : fill(&page);
}
