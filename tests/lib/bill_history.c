#include "tests/lib/bill_history.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static int64_t random_time(struct rng *rng, int64_t start_us, int64_t end_us)
{
    int64_t time_us = rng_between(rng, start_us, end_us - 1);
    if (rng_below(rng, 2) == 0) {
        time_us -= time_us % hour_us; /* its first microsecond, or the one before */
        time_us -= rng_below(rng, 2) == 0;
    }
    return time_us < 0 ? 0 : time_us;
}

static const char *random_service(struct rng *rng)
{
    static const char *const services[] = {"a", "aa", "Database Hosting", "\xC3\xA9"};
    return services[rng_below(rng, 4)];
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct history_row add_usage(struct history *history, struct rng *rng, int64_t time_us)
{
    static const char *const prices[] = {"0", "0.05", "0.000000000000000001", "3"};
    const char *units = testkit_format("%llu.%llu", (unsigned long long)rng_below(rng, 50),
                                       (unsigned long long)rng_below(rng, 1000));
    const char *price = prices[rng_below(rng, 4)];
    struct history_row row = {
        .kind = RECORD_USAGE,
        .service = random_service(rng),
        .price = book_decimal(price),
        .units = amount_from_decimal(book_decimal(units)),
        .occurred_us = time_us,
        .bills_at_us = later(time_us, history->billed_until_us),
    };
    assert_ok(amount_product(book_decimal(units), row.price, &row.exact));
    row.seq = book_add_usage(history->book, history->customer, row.service, units, price, time_us);
    return row;
}

static struct history_row add_adjustment(struct history *history, struct rng *rng, int64_t time_us)
{
    const char *amount = testkit_format("%lld.5", (long long)rng_between(rng, -9, 9));
    struct history_row row = {
        .kind = RECORD_ADJUSTMENT,
        .service = rng_below(rng, 2) == 0 ? "" : random_service(rng),
        .exact = amount_from_decimal(book_decimal(amount)),
        .occurred_us = time_us,
        .bills_at_us = later(time_us, history->billed_until_us),
    };
    row.seq = book_add_adjustment(history->book, history->customer, row.service, amount, time_us);
    return row;
}

static bool is_voided(const struct history *history, uint64_t usage)
{
    for (size_t i = 0; i < history->n; i++) {
        if (history->rows[i].usage == usage) {
            return true;
        }
    }
    return false;
}

/* Void any usage that is not yet; without one *RET stays. */
static bool add_void(struct history *history, struct rng *rng, struct history_row *ret)
{
    if (history->n == 0) {
        return false;
    }
    const struct history_row *usage = &history->rows[rng_below(rng, history->n)];
    if (usage->kind != RECORD_USAGE || is_voided(history, usage->seq)) {
        return false;
    }
    *ret = *usage;
    ret->kind = RECORD_USAGE_VOIDED;
    ret->usage = usage->seq;
    ret->units = amount_negate(usage->units);
    ret->exact = amount_negate(usage->exact);
    ret->bills_at_us = later(usage->bills_at_us, history->billed_until_us);
    ret->seq = book_add_void(history->book, history->customer, usage->seq);
    return true;
}

struct history history_make(struct book *book, struct rng *rng, int64_t start_us, int64_t end_us,
                            size_t n)
{
    struct history history = {.book = book, .customer = book_add_customer(book, NULL)};
    history.rows = testkit_alloc(n * sizeof *history.rows);
    while (history.n < n) {
        struct history_row *row = &history.rows[history.n];
        int64_t time_us = random_time(rng, start_us, end_us);
        uint64_t dice = rng_below(rng, 20);
        if (dice == 0 && time_us < start_us + (end_us - start_us) / 2) {
            history.billed_until_us = later(history.billed_until_us, time_us);
            memory_store_set_billed_until(book->memory, history.customer, history.billed_until_us);
        } else if (dice < 5 && add_void(&history, rng, row)) {
            history.n++;
        } else if (dice < 8) {
            *row = add_adjustment(&history, rng, time_us);
            row->late = row->bills_at_us > row->occurred_us;
            history.n++;
        } else {
            *row = add_usage(&history, rng, time_us);
            row->late = row->bills_at_us > row->occurred_us;
            history.n++;
        }
    }
    return history;
}
