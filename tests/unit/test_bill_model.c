/* Bills against an independent model in GMP: every figure to the last digit. */
#include <gmp.h>
#include <stdlib.h>

#include "billingd/ledger/bill.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

enum {
    SCALE = 36, /* a model's number is an integer, times 10^-36 */
};

/* --- the model -------------------------------------------------------------------------------- */

struct entry {
    enum record_kind kind;
    uint64_t seq;
    bool voided;
    const char *service;
    struct decimal units;
    struct decimal price;
    struct decimal amount; /* of an adjustment */
    int64_t bills_at_us;
    bool late;
};

struct line {
    const char *service;
    struct decimal price;
    mpz_t units;
    mpz_t exact;
    uint64_t records;
    uint64_t voided;
    uint64_t late;
};

/* *RET = VALUE x 10^36. */
static void mpz_of_decimal(mpz_t ret, struct decimal value)
{
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)(SCALE - decimal_scale(value)));
    mpz_set_si(ret, decimal_mantissa(value));
    mpz_mul(ret, ret, power);
    mpz_clear(power);
}

/* *RET = A x B, all of them x 10^36; A and B have 18 fraction digits at most, so it is exact. */
static void mpz_product(mpz_t ret, struct decimal a, struct decimal b)
{
    mpz_t other;
    mpz_t power;
    mpz_init(other);
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, SCALE);
    mpz_of_decimal(ret, a);
    mpz_of_decimal(other, b);
    mpz_mul(ret, ret, other);
    mpz_divexact(ret, ret, power);
    mpz_clear(other);
    mpz_clear(power);
}

/* VALUE half-even to DIGITS. */
static void mpz_round(mpz_t ret, const mpz_t value, int digits)
{
    mpz_t step;
    mpz_t quotient;
    mpz_t twice;
    mpz_inits(step, quotient, twice, NULL);
    mpz_ui_pow_ui(step, 10, (unsigned long)(SCALE - digits));
    mpz_abs(twice, value);
    mpz_fdiv_qr(quotient, twice, twice, step);
    mpz_mul_ui(twice, twice, 2);
    int half = mpz_cmp(twice, step);
    if (half > 0 || (half == 0 && mpz_odd_p(quotient))) {
        mpz_add_ui(quotient, quotient, 1);
    }
    mpz_mul(quotient, quotient, step);
    mpz_mul_si(ret, quotient, mpz_sgn(value));
    mpz_clears(step, quotient, twice, NULL);
}

/* VALUE x 10^-36 as amount_print() writes it. */
static const char *mpz_text(const mpz_t value)
{
    mpz_t magnitude;
    mpz_init(magnitude);
    mpz_abs(magnitude, value);
    char *digits = mpz_get_str(NULL, 10, magnitude);
    mpz_clear(magnitude);
    size_t length = strlen(digits);
    const char *padded = testkit_format("%0*d%s", length > SCALE ? 1 : (int)(SCALE + 1 - length), 0,
                                        digits); /* at least one digit before the point */
    free(digits);
    size_t whole = strlen(padded) - SCALE;
    while (*padded == '0' && whole > 1) {
        padded++;
        whole--;
    }
    int fraction = SCALE;
    while (fraction > 0 && padded[whole + (size_t)fraction - 1] == '0') {
        fraction--;
    }
    return testkit_format("%s%.*s%s%.*s", mpz_sgn(value) < 0 ? "-" : "", (int)whole, padded,
                          fraction > 0 ? "." : "", fraction, padded + whole);
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a;
    const struct line *right = b;
    int order = strcmp(left->service, right->service);
    return order != 0 ? order : decimal_compare(left->price, right->price);
}

static bool is_within(const struct entry *entry, struct period period)
{
    return entry->bills_at_us >= period.start_us && entry->bills_at_us < period.end_us;
}

/* Add ENTRY, a usage or a void, to LINE. */
static void add_to_line(struct line *line, const struct entry *entry)
{
    mpz_t value;
    mpz_init(value);
    bool is_void = entry->kind == RECORD_USAGE_VOIDED;
    void (*add)(mpz_t, const mpz_t, const mpz_t) = is_void ? mpz_sub : mpz_add;
    mpz_of_decimal(value, entry->units);
    add(line->units, line->units, value);
    mpz_product(value, entry->units, entry->price);
    add(line->exact, line->exact, value);
    line->records += !is_void;
    line->voided += is_void;
    line->late += !is_void && entry->late;
    mpz_clear(value);
}

/* The lines of ENTRIES within PERIOD; the caller clears them. */
static size_t model_lines(const struct entry *entries, size_t n_entries, struct period period,
                          struct line **ret)
{
    struct line *lines = testkit_alloc((n_entries + 1) * sizeof *lines);
    size_t n = 0;
    for (size_t i = 0; i < n_entries; i++) {
        const struct entry *entry = &entries[i];
        if (entry->kind == RECORD_ADJUSTMENT || !is_within(entry, period)) {
            continue;
        }
        size_t at = 0;
        while (at < n && (strcmp(lines[at].service, entry->service) != 0 ||
                          decimal_compare(lines[at].price, entry->price) != 0)) {
            at++;
        }
        if (at == n) {
            lines[n] = (struct line){.service = entry->service, .price = entry->price};
            mpz_inits(lines[n].units, lines[n].exact, NULL);
            n++;
        }
        add_to_line(&lines[at], entry);
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    *ret = lines;
    return n;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = *(const struct entry *const *)a;
    const struct entry *right = *(const struct entry *const *)b;
    if (left->bills_at_us != right->bills_at_us) {
        return left->bills_at_us < right->bills_at_us ? -1 : 1;
    }
    return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* The adjustments among ENTRIES within PERIOD, in their order. */
static size_t model_adjustments(const struct entry *entries, size_t n_entries, struct period period,
                                const struct entry ***ret)
{
    const struct entry **adjustments = testkit_alloc((n_entries + 1) * sizeof(void *));
    size_t n = 0;
    for (size_t i = 0; i < n_entries; i++) {
        if (entries[i].kind == RECORD_ADJUSTMENT && is_within(&entries[i], period)) {
            adjustments[n++] = &entries[i];
        }
    }
    qsort(adjustments, n, sizeof(void *), compare_entries);
    *ret = adjustments;
    return n;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void assert_amount(struct amount got, const mpz_t expected, const char *what)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(got, text);
    const char *wanted = mpz_text(expected);
    if (strcmp(text, wanted) != 0) {
        testkit_fail("%s is %s, expected %s", what, text, wanted);
    }
}

static void assert_line(const struct bill_line *got, const struct line *expected,
                        const struct ledger_env *env)
{
    mpz_t rounded;
    mpz_init(rounded);
    mpz_round(rounded, expected->exact, env->minor_digits);
    assert_text(got->service.data, got->service.length, expected->service);
    assert_int_equal(decimal_compare(got->price, expected->price), 0);
    assert_u64(got->records, expected->records);
    assert_u64(got->late, expected->late);
    assert_u64(got->voided, expected->voided);
    assert_amount(got->units, expected->units, "units");
    assert_amount(got->exact, expected->exact, "exact amount");
    assert_amount(bill_round(got->exact, env->minor_digits), rounded, "amount");
    mpz_clear(rounded);
}

static void assert_adjustment(const struct record *got, const struct entry *expected)
{
    assert_int_equal(got->kind, RECORD_ADJUSTMENT);
    assert_u64(got->seq, expected->seq);
    assert_true(decimal_equal(got->adjustment.amount, expected->amount));
    assert_text(got->adjustment.service.data, got->adjustment.service.length, expected->service);
    assert_text(got->adjustment.reason.data, got->adjustment.reason.length, "goodwill");
}

/* What a bill must be. */
struct model {
    struct line *lines;
    size_t n_lines;
    const struct entry **adjustments;
    size_t n_adjustments;
};

static void assert_totals(const struct bill_get *got, const struct model *model,
                          const struct ledger_env *env)
{
    mpz_t exact;
    mpz_t total;
    mpz_t value;
    uint64_t records = 0;
    uint64_t voided = 0;
    uint64_t late = 0;
    mpz_inits(exact, total, value, NULL);
    for (size_t i = 0; i < model->n_lines; i++) {
        const struct line *line = &model->lines[i];
        mpz_add(exact, exact, line->exact);
        mpz_round(value, line->exact, env->minor_digits);
        mpz_add(total, total, value);
        records += line->records;
        voided += line->voided;
        late += line->late;
    }
    for (size_t i = 0; i < model->n_adjustments; i++) {
        mpz_of_decimal(value, model->adjustments[i]->amount);
        mpz_add(exact, exact, value);
        mpz_round(value, value, env->minor_digits);
        mpz_add(total, total, value);
    }
    assert_amount(got->totals.exact, exact, "exact total");
    assert_amount(got->totals.total, total, "total");
    mpz_sub(total, total, exact);
    assert_amount(bill_rounding(got->totals.exact, got->totals.total), total, "rounding");
    assert_u64(got->totals.lines, model->n_lines);
    assert_u64(got->totals.records, records);
    assert_u64(got->totals.voided, voided);
    assert_u64(got->totals.late, late);
    assert_u64(got->totals.adjustments, model->n_adjustments);
    mpz_clears(exact, total, value, NULL);
}

static void get_bill(struct book *book, struct bill_get *get)
{
    struct store_view *view = book_view(book);
    assert_ok(bill_get(view, &book->arena, &book->env, get));
    book_release(view);
}

/* GET, a page of it, against MODEL from the entry SEEN on. */
static void check_page(struct book *book, const struct bill_get *get, const struct model *model,
                       size_t seen)
{
    size_t n = model->n_lines + model->n_adjustments;
    size_t left = n - seen;
    assert_totals(get, model, &book->env); /* of the whole, on every page */
    assert_u64(get->n_lines + get->n_adjustments, left < get->limit ? left : get->limit);
    assert_int_equal(get->more, left > get->limit);
    for (size_t i = 0; i < get->n_lines; i++, seen++) {
        assert_true(seen < model->n_lines);
        assert_line(get->lines[i], &model->lines[seen], &book->env);
    }
    for (size_t i = 0; i < get->n_adjustments; i++, seen++) {
        assert_true(seen >= model->n_lines && seen < n);
        assert_adjustment(&get->adjustments[i], model->adjustments[seen - model->n_lines]);
    }
}

/* The bill of PERIOD in pages of LIMIT against the model. */
static void check_bill(struct book *book, uint64_t customer, const struct entry *entries,
                       size_t n_entries, struct period period, unsigned limit)
{
    struct model model;
    size_t seen = 0;
    struct bill_get get = {.customer = {.seq = customer}, .period = period, .limit = limit};
    model.n_lines = model_lines(entries, n_entries, period, &model.lines);
    model.n_adjustments = model_adjustments(entries, n_entries, period, &model.adjustments);
    do {
        get_bill(book, &get);
        check_page(book, &get, &model, seen);
        seen += get.n_lines + get.n_adjustments;
        get.after = get.last;
    } while (get.more);
    assert_u64(seen, model.n_lines + model.n_adjustments);
    for (size_t i = 0; i < model.n_lines; i++) {
        mpz_clears(model.lines[i].units, model.lines[i].exact, NULL);
    }
}

/* --- random bills ----------------------------------------------------------------------------- */

enum {
    ENTRIES = 400,
    SPAN_US = 1000,
};

static struct decimal random_decimal(struct rng *rng)
{
    int64_t bound = 1;
    for (uint64_t digits = rng_below(rng, 13); digits > 0; digits--) {
        bound *= 10;
    }
    int64_t mantissa = (int64_t)rng_below(rng, (uint64_t)bound);
    const char *text = testkit_format("%llde-%d", (long long)mantissa, (int)rng_below(rng, 19));
    return book_decimal(text);
}

/* Prices that lie close to each other, and halves of a minor unit. */
static struct decimal random_price(struct rng *rng)
{
    static const char *const usual[] = {
        "0", "0.005", "0.5", "0.0005", "1", "0.05", "0.050000000000000001", "10", "0.015"};
    return rng_below(rng, 3) == 0 ? random_decimal(rng) : book_decimal(usual[rng_below(rng, 9)]);
}

static const char *random_service(struct rng *rng)
{
    static const char *const services[] = {"a",        "aa", "ab", "b", "Database Hosting",
                                           "\xC3\xA9", "A"};
    return services[rng_below(rng, 7)];
}

static void add_usage(struct book *book, struct rng *rng, uint64_t customer, int64_t time_us,
                      struct entry *entry)
{
    struct amount amount;
    struct usage_create create = book_usage(customer, "");
    do {
        entry->units = random_decimal(rng);
        entry->price = random_price(rng);
    } while (amount_product(entry->units, entry->price, &amount) < 0);
    entry->service = random_service(rng);
    create.asked.request_id =
        slice_of(testkit_format("r%llu", (unsigned long long)book_records(book)));
    create.asked.usage.service = slice_of(entry->service);
    create.asked.usage.units = entry->units;
    create.asked.usage.price = entry->price;
    create.asked.usage.occurred_at_given = true;
    create.asked.usage.occurred_at_us = time_us;
    book_create_usage(book, &create);
    assert_ok(create.outcome.status);
    entry->kind = RECORD_USAGE;
    entry->seq = create.record.seq;
    assert_int_equal(usage_is_late(&create.record.usage), entry->late);
}

static void add_adjustment(struct book *book, struct rng *rng, uint64_t customer, int64_t time_us,
                           struct entry *entry)
{
    static const char *const amounts[] = {"0", "0.005", "-0.005", "-0.015", "0.0005", "-2.5", "7"};
    const char *amount =
        rng_below(rng, 2) == 0
            ? amounts[rng_below(rng, 7)]
            : testkit_format("%llde-%d", (long long)rng_between(rng, -99999, 99999),
                             (int)rng_below(rng, 19));
    entry->kind = RECORD_ADJUSTMENT;
    entry->service = rng_below(rng, 2) == 0 ? "" : random_service(rng);
    entry->amount = book_decimal(amount);
    entry->seq = book_add_adjustment(book, customer, entry->service, amount, time_us);
}

/* Records of CUSTOMER within [0, SPAN_US), some of them late; of an invoice that ends in the
 * middle, what bills before it. */
static void record_entries(struct book *book, struct rng *rng, uint64_t customer,
                           struct entry *entries)
{
    int64_t billed_us = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &entries[i];
        struct entry *other = &entries[rng_below(rng, i + 1)];
        int64_t time_us = rng_between(rng, 0, SPAN_US - 1);
        uint64_t dice = rng_below(rng, 5);
        if (i == ENTRIES / 2) {
            billed_us = SPAN_US / 3;
            memory_store_set_billed_until(book->memory, customer, billed_us);
        }
        if (dice == 0 && other->kind == RECORD_USAGE && !other->voided) {
            *entry = *other;
            entry->kind = RECORD_USAGE_VOIDED;
            entry->seq = book_add_void(book, customer, other->seq);
            entry->bills_at_us = other->bills_at_us > billed_us ? other->bills_at_us : billed_us;
            other->voided = true;
            continue;
        }
        entry->bills_at_us = time_us > billed_us ? time_us : billed_us;
        entry->late = time_us < billed_us;
        if (dice == 1) {
            add_adjustment(book, rng, customer, time_us, entry);
        } else {
            add_usage(book, rng, customer, time_us, entry);
        }
    }
}

static void bill_get__random_records_any_window__is_exact_in_every_currency(void **state)
{
    static const struct {
        const char *currency;
        int minor_digits;
    } currencies[] = {{"JPY", 0}, {"USD", 2}, {"BHD", 3}};
    struct rng rng = rng_make("bills");
    struct book *book = book_open();
    struct entry *entries = testkit_alloc(ENTRIES * sizeof *entries);
    (void)state;
    uint64_t other = book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, other, "a", "1000", "1000", SPAN_US / 2); /* nobody else's business */
    record_entries(book, &rng, customer, entries);
    for (int i = 0; i < 60; i++) {
        struct period period = {rng_between(&rng, 0, SPAN_US), rng_between(&rng, 0, SPAN_US)};
        if (i < 3 || period.start_us >= period.end_us) {
            period = (struct period){0, SPAN_US};
        }
        book->env.currency = currencies[i % 3].currency;
        book->env.minor_digits = currencies[i % 3].minor_digits;
        check_bill(book, customer, entries, ENTRIES, period, (unsigned)rng_between(&rng, 1, 60));
    }
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bill_get__random_records_any_window__is_exact_in_every_currency),
};

TESTKIT_MAIN(tests)
