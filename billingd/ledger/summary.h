/* Summaries: what a customer used by the hour, the day or the month, for plots and quotas.
 * Reader threads. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/bill_lines.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/window.h"

enum {
    /* With include_empty: a year of hours is within it, and 27 years of days. */
    SUMMARY_WINDOWS_MAX = 10000,
};

/* A place between two rows.  It stands for what comes behind it, whatever arrives meanwhile. */
struct summary_place {
    int64_t time_us;            /* the windows from the one that this lies in on */
    struct slice after_service; /* of that one only the services behind this; empty: all */
};

struct summary_row {
    struct period period;        /* a window, as far as it lies within the range */
    const struct bill_line *sum; /* its service is empty where not by_service; no price */
};

struct summary {
    /* --- asked --- */
    struct customer_ref customer;
    struct period period; /* begins before it ends */
    enum store_clock by;
    enum window window;
    bool by_service;    /* a row for each service; else one for all */
    bool include_empty; /* rows of zero where nothing was used; at most SUMMARY_WINDOWS_MAX windows
                         */
    struct slice service;      /* only this; empty: all */
    unsigned limit;            /* rows on this page, at least 1 */
    struct summary_place from; /* zero: from the start */
    /* --- answered --- */
    uint64_t customer_seq;
    struct summary_row *rows; /* in the arena; by window, then service */
    unsigned n;
    bool more;                 /* there may be rows behind `next` */
    struct summary_place next; /* where the next page begins; in the arena */
};

/* Sum up usage less voids.  With include_empty and by_service, every window has a row for each
 * service (all of the range, or the one that was asked for).  A page ends at its limit, or at a
 * bound of sums looked through.  Returns 0, STATUS_CUSTOMER_NOT_FOUND, STATUS_TOO_LARGE (more
 * services than the arena holds), STATUS_OUT_OF_BOUNDS where a total leaves 128 bits, or the
 * store's error. */
MUSTCHECK int summary_get(struct store_view *view, struct arena *arena, struct summary *summary);
