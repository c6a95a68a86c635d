/* Bills, invoices and lists against the plain ledgers. */
#include <inttypes.h>
#include <string.h>

#include "billingd/ledger/bill.h"
#include "billingd/ledger/invoice.h"
#include "billingd/ledger/invoice_verify.h"
#include "proto/timestamp.h"
#include "tests/fault/checker_parts.h"
#include "tests/lib/testkit.h"

enum {
    WINDOWS = 4, /* of each customer, chosen at random */
    MINOR_DIGITS = 2,
};

static const size_t arena_bytes_max = (size_t)1 << 30;

/* --- in words, as the plain ledger has them --------------------------------------------------- */

static const char *line_words(struct memory *memory, const char *words,
                              const struct bill_line *line)
{
    char price[DECIMAL_TEXT_MAX];
    char units[AMOUNT_TEXT_MAX];
    char exact[AMOUNT_TEXT_MAX];
    decimal_print(line->price, price);
    amount_print(line->units, units);
    amount_print(line->exact, exact);
    return memory_format(
        memory, "%s%.*s %s x %s = %s, %" PRIu64 " records, %" PRIu64 " voided, %" PRIu64 " late\n",
        words, (int)line->service.length, line->service.data, price, units, exact, line->records,
        line->voided, line->late);
}

static const char *adjustment_words(struct memory *memory, const char *words,
                                    const struct record *record)
{
    char amount[DECIMAL_TEXT_MAX];
    decimal_print(record->adjustment.amount, amount);
    return memory_format(memory, "%sadjustment %" PRIu64 " = %s\n", words, record->seq, amount);
}

static const char *total_words(struct memory *memory, const char *words, struct amount exact,
                               struct amount total)
{
    char printed[2][AMOUNT_TEXT_MAX];
    amount_print(exact, printed[0]);
    amount_print(total, printed[1]);
    return memory_format(memory, "%sexact %s, total %s\n", words, printed[0], printed[1]);
}

static const char *bill_words(struct memory *memory, const struct bill_get *bill)
{
    const char *words = "";
    for (size_t i = 0; i < bill->n_lines; i++) {
        words = line_words(memory, words, bill->lines[i]);
    }
    for (size_t i = 0; i < bill->n_adjustments; i++) {
        words = adjustment_words(memory, words, &bill->adjustments[i]);
    }
    return total_words(memory, words, bill->totals.exact, bill->totals.total);
}

static const char *invoice_words(struct memory *memory, const struct invoice_page *page)
{
    const char *words = "";
    for (size_t i = 0; i < page->n_lines; i++) {
        words = line_words(memory, words, &page->lines[i]);
    }
    for (size_t i = 0; i < page->n_adjustments; i++) {
        words = adjustment_words(memory, words, &page->adjustments[i]);
    }
    return total_words(memory, words, page->record.invoice.exact, page->record.invoice.total);
}

/* --- bills ------------------------------------------------------------------------------------ */

/* No bill has as many lines and adjustments. */
static unsigned entries_max(const struct checked_customer *customer)
{
    return (unsigned)customer->records + 1;
}

static void compare_bill(struct check *check, const struct checked_customer *customer,
                         struct period period)
{
    static const struct ledger_env env = {.currency = "USD", .minor_digits = MINOR_DIGITS};
    struct bill_get get = {
        .customer = {.seq = customer->seq}, .period = period, .limit = entries_max(customer)};
    struct memory memory = {0};
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    int rc = bill_get(check->view, &arena, &env, &get);
    const char *got = rc < 0 ? check_status_name(rc) : bill_words(&memory, &get);
    const char *expected =
        plain_ledger_bill(customer->ledger, &memory, period.start_us, period.end_us);
    check->result->bills++;
    if (strcmp(got, expected) != 0) {
        check_note(check, &check->result->wrong_bill,
                   "the bill of customer %" PRIu64 " for [%" PRId64 ", %" PRId64 ") is\n%s"
                   "in place of\n%s",
                   customer->seq, period.start_us, period.end_us, got, expected);
    }
    arena_done(&arena);
    memory_done(&memory);
}

/* All of it; all since the last invoice; and windows that begin and end with a record. */
static void check_customer_bills(struct check *check, const struct checked_customer *customer,
                                 struct rng *rng)
{
    unsigned windows = check->options->windows == 0 ? WINDOWS : check->options->windows;
    compare_bill(check, customer, (struct period){0, TIMESTAMP_MAX});
    if (customer->billed_until_us != 0) {
        compare_bill(check, customer, (struct period){customer->billed_until_us, TIMESTAMP_MAX});
    }
    for (unsigned i = 0; i < windows && customer->n_bills_at > 0; i++) {
        int64_t a = customer->bills_at[rng_below(rng, customer->n_bills_at)];
        int64_t b = customer->bills_at[rng_below(rng, customer->n_bills_at)];
        struct period period = {a < b ? a : b, a < b ? b : a};
        period.end_us += rng_below(rng, 2) == 0 || period.start_us == period.end_us;
        compare_bill(check, customer, period);
    }
}

/* --- invoices --------------------------------------------------------------------------------- */

static void verify_invoice(struct check *check, struct arena *arena, uint64_t number)
{
    struct invoice_verify verify = {.number = number};
    int rc = invoice_verify(check->view, arena, &verify);
    if (rc < 0 || verify.n_differences > 0) {
        struct slice what = rc < 0 ? slice_of(check_status_name(rc)) : verify.differences[0].what;
        check_note(check, &check->result->unsound,
                   "invoice %" PRIu64 " is not verified: %zu differences, %.*s", number,
                   verify.n_differences, (int)what.length, what.data);
    }
}

/* What bills in its period now is what it was made of: all that came later bills later. */
static void check_invoice(struct check *check, const struct checked_invoice *invoice)
{
    struct invoice_page page = {.limit = entries_max(invoice->customer)};
    struct memory memory = {0};
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    int rc = invoice_get(check->view, &arena, invoice->number, &page);
    const char *got = rc < 0 ? check_status_name(rc) : invoice_words(&memory, &page);
    const char *expected =
        plain_ledger_bill(invoice->customer->ledger, &memory, invoice->start_us, invoice->end_us);
    check->result->bills++;
    if (strcmp(got, expected) != 0) {
        check_note(check, &check->result->wrong_bill,
                   "invoice %" PRIu64 " of customer %" PRIu64 " is\n%sin place of\n%s",
                   invoice->number, invoice->customer->seq, got, expected);
    }
    verify_invoice(check, &arena, invoice->number);
    compare_bill(check, invoice->customer, (struct period){invoice->start_us, invoice->end_us});
    arena_done(&arena);
    memory_done(&memory);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct store_position last;
    uint64_t n;
    bool in_order;
};

static int see_row(struct store_position position, void *arg)
{
    struct listing *listing = arg;
    listing->in_order &=
        position.time_us > listing->last.time_us ||
        (position.time_us == listing->last.time_us && position.seq > listing->last.seq);
    listing->last = position;
    listing->n++;
    return 0;
}

/* A customer's lists have all its records, each once: none twice where they are in order. */
static void check_list(struct check *check, const struct checked_customer *customer,
                       enum store_clock by)
{
    struct store_range range = {
        .customer = customer->seq, .rows = STORE_BILLABLE, .by = by, .end_us = INT64_MAX};
    struct listing listing = {.last = {-1, 0}, .in_order = true};
    int rc = store_scan_positions(check->view, &range, see_row, &listing);
    if (rc < 0 || listing.n != customer->records || !listing.in_order) {
        check_note(check, &check->result->unsound,
                   "the list of customer %" PRIu64 " by clock %d: %s, %" PRIu64
                   " records of %" PRIu64 "%s",
                   customer->seq, (int)by, check_status_name(rc), listing.n, customer->records,
                   listing.in_order ? "" : ", out of order");
    }
}

static void check_row(struct check *check, const struct checked_customer *customer)
{
    struct store_customer row;
    int rc = store_customer(check->view, customer->seq, &row);
    if (rc < 0 || !slice_equal(row.name, slice_of(customer->request->payload.name)) ||
        row.billed_until_us != customer->billed_until_us) {
        check_note(check, &check->result->unsound,
                   "customer %" PRIu64 " is not as it was created and invoiced: %s", customer->seq,
                   check_status_name(rc));
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

void check_bills(struct check *check)
{
    struct rng rng = {check->options->seed};
    for (size_t i = 0; i < check->n_customers; i++) {
        const struct checked_customer *customer = check->customers[i];
        check_row(check, customer);
        check_list(check, customer, STORE_BY_OCCURRED);
        check_list(check, customer, STORE_BY_BILLED);
        check_customer_bills(check, customer, &rng);
    }
    for (size_t i = 0; i < check->n_invoices; i++) {
        check_invoice(check, &check->invoices[i]);
    }
}
