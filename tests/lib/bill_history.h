/* Random histories of one customer: usage, voids and adjustments in a book, and beside it a plain
 * list of what stands on which bill, made without the rules.  Main thread. */
#pragma once

#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

struct history_row {
    enum record_kind kind;
    uint64_t seq;
    uint64_t usage;      /* of a void: what it voids */
    const char *service; /* "": none */
    struct decimal price;
    struct amount units; /* as it adds to a bill: of a void negative */
    struct amount exact;
    int64_t occurred_us; /* of a void: the usage's */
    int64_t bills_at_us;
    bool late;
};

struct history {
    struct book *book;
    uint64_t customer;
    int64_t billed_until_us;  /* the end of an invoice, set for the customer */
    struct history_row *rows; /* in order of seq */
    size_t n;
};

/* N random records of a new customer around the times from START_US to END_US, often at the very
 * beginning or end of an hour; invoices end now and then, so that some are late.  Voids are because
 * of "an error", adjustments because of "goodwill". */
struct history history_make(struct book *book, struct rng *rng, int64_t start_us, int64_t end_us,
                            size_t n);
