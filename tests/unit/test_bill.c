/* Bills against an independent model in GMP: every figure to the last digit. */
#include <gmp.h>
#include <stdlib.h>

#include "billingd/ledger/bill.h"
#include "proto/timestamp.h"
#include "tests/lib/book.h"
#include "tests/lib/testkit.h"

enum {
    SCALE = 36, /* a model's number is an integer, times 10^-36 */
};

/* --- the model -------------------------------------------------------------------------------- */

struct entry {
    const char *service;
    struct decimal units;
    struct decimal price;
    int64_t bills_at_us;
    bool late;
};

struct line {
    const char *service;
    struct decimal price;
    mpz_t units;
    mpz_t exact;
    uint64_t records;
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

/* VALUE, at least 0, half-even to DIGITS. */
static void mpz_round(mpz_t ret, const mpz_t value, int digits)
{
    mpz_t step;
    mpz_t quotient;
    mpz_t twice;
    mpz_inits(step, quotient, twice, NULL);
    mpz_ui_pow_ui(step, 10, (unsigned long)(SCALE - digits));
    mpz_fdiv_qr(quotient, twice, value, step);
    mpz_mul_ui(twice, twice, 2);
    int half = mpz_cmp(twice, step);
    if (half > 0 || (half == 0 && mpz_odd_p(quotient))) {
        mpz_add_ui(quotient, quotient, 1);
    }
    mpz_mul(ret, quotient, step);
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

/* The lines of ENTRIES within [START, END); the caller clears them. */
static size_t model_lines(const struct entry *entries, size_t n_entries, struct period period,
                          struct line **ret)
{
    struct line *lines = testkit_alloc((n_entries + 1) * sizeof *lines);
    size_t n = 0;
    mpz_t value;
    mpz_init(value);
    for (size_t i = 0; i < n_entries; i++) {
        const struct entry *entry = &entries[i];
        if (entry->bills_at_us < period.start_us || entry->bills_at_us >= period.end_us) {
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
        mpz_of_decimal(value, entry->units);
        mpz_add(lines[at].units, lines[at].units, value);
        mpz_product(value, entry->units, entry->price);
        mpz_add(lines[at].exact, lines[at].exact, value);
        lines[at].records++;
        lines[at].late += entry->late;
    }
    mpz_clear(value);
    qsort(lines, n, sizeof *lines, compare_lines);
    *ret = lines;
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
    assert_u64(got->voided, 0);
    assert_amount(got->units, expected->units, "units");
    assert_amount(got->exact, expected->exact, "exact amount");
    assert_amount(bill_line_rounded(got, env), rounded, "amount");
    mpz_clear(rounded);
}

static void assert_totals(const struct bill_get *got, const struct line *lines, size_t n,
                          const struct ledger_env *env)
{
    mpz_t exact;
    mpz_t total;
    mpz_t rounded;
    mpz_inits(exact, total, rounded, NULL);
    for (size_t i = 0; i < n; i++) {
        mpz_add(exact, exact, lines[i].exact);
        mpz_round(rounded, lines[i].exact, env->minor_digits);
        mpz_add(total, total, rounded);
    }
    assert_amount(got->exact, exact, "exact total");
    assert_amount(got->total, total, "total");
    mpz_sub(total, total, exact);
    assert_amount(got->rounding, total, "rounding");
    mpz_clears(exact, total, rounded, NULL);
}

static void get_bill(struct book *book, struct bill_get *get)
{
    struct store_view *view = book_view(book);
    assert_ok(bill_get(view, &book->arena, &book->env, get));
    book_release(view);
}

/* The bill of PERIOD in pages of LIMIT lines against the model. */
static void check_bill(struct book *book, uint64_t customer, const struct entry *entries,
                       size_t n_entries, struct period period, unsigned limit)
{
    struct line *lines;
    size_t n = model_lines(entries, n_entries, period, &lines);
    size_t seen = 0;
    struct bill_get get = {.customer = {.seq = customer}, .period = period, .limit = limit};
    do {
        get_bill(book, &get);
        assert_totals(&get, lines, n, &book->env); /* of the whole, on every page */
        assert_true(get.n_lines <= limit && seen + get.n_lines <= n);
        assert_true(get.n_lines > 0 || n == 0);
        for (size_t i = 0; i < get.n_lines; i++, seen++) {
            assert_line(get.lines[i], &lines[seen], &book->env);
        }
        assert_int_equal(get.more, seen < n);
        if (get.n_lines > 0) {
            get.after = true;
            get.after_service = get.lines[get.n_lines - 1]->service;
            get.after_price = get.lines[get.n_lines - 1]->price;
        }
    } while (get.more);
    for (size_t i = 0; i < n; i++) {
        mpz_clears(lines[i].units, lines[i].exact, NULL);
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

/* Records of CUSTOMER within [0, SPAN_US), some of them late. */
static void record_entries(struct book *book, struct rng *rng, uint64_t customer,
                           struct entry *entries)
{
    struct amount amount;
    for (int i = 0; i < ENTRIES; i++) {
        struct entry *entry = &entries[i];
        struct usage_create create = book_usage(customer, "");
        if (i == ENTRIES / 2) {
            memory_store_set_billed_until(book->memory, customer, SPAN_US / 3);
        }
        do {
            entry->units = random_decimal(rng);
            entry->price = random_price(rng);
        } while (amount_product(entry->units, entry->price, &amount) < 0);
        entry->service = random_service(rng);
        create.asked.request_id = slice_of(testkit_format("r%d", i));
        create.asked.usage.service = slice_of(entry->service);
        create.asked.usage.units = entry->units;
        create.asked.usage.price = entry->price;
        create.asked.usage.occurred_at_given = true;
        create.asked.usage.occurred_at_us = rng_between(rng, 0, SPAN_US - 1);
        book_create_usage(book, &create);
        assert_ok(create.outcome.status);
        entry->bills_at_us = create.record.usage.bills_at_us;
        entry->late = i >= ENTRIES / 2 && create.asked.usage.occurred_at_us < SPAN_US / 3;
        assert_int_equal(usage_is_late(&create.record.usage), entry->late);
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

/* --- cases by hand ---------------------------------------------------------------------------- */

static void assert_amount_text(struct amount got, const char *expected)
{
    char text[AMOUNT_TEXT_MAX];
    amount_print(got, text);
    assert_string_equal(text, expected);
}

static void bill_get__halves__go_to_the_even_neighbour_once_a_line(void **state)
{
    static const struct {
        const char *units;
        const char *usd;
        const char *jpy;
        const char *bhd;
    } table[] = {
        /* at 0.0005 each */
        {"10", "0", "0", "0.005"},    /* 0.005 */
        {"30", "0.02", "0", "0.015"}, /* 0.015 */
        {"30.000001", "0.02", "0", "0.015"},
        {"29.999999", "0.01", "0", "0.015"},
        {"1000", "0.5", "0", "0.5"},
        {"3000", "1.5", "2", "1.5"},
        {"1", "0", "0", "0"},     /* 0.0005 */
        {"3", "0", "0", "0.002"}, /* 0.0015 */
        {"3.00000000000000001", "0", "0", "0.002"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_open();
        uint64_t customer = book_add_customer(book, NULL);
        book_add_usage(book, customer, "S", table[i].units, "0.0005", 5);
        const char *const expected[] = {table[i].jpy, NULL, table[i].usd, table[i].bhd};
        for (int digits = 0; digits <= 3; digits++) {
            if (expected[digits] != NULL) {
                struct bill_get get = {
                    .customer = {.seq = customer}, .period = {0, 10}, .limit = 1};
                book->env.minor_digits = digits;
                get_bill(book, &get);
                assert_amount_text(get.total, expected[digits]);
            }
        }
        book_close(book);
    }
}

/* Ten thousand records of a third of a cent are rounded once, not ten thousand times. */
static void bill_get__many_small_records__are_summed_before_rounding(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (int i = 0; i < 300; i++) {
        book_add_usage(book, customer, "S", "1", "0.0033", i);
        book_add_usage(book, customer, "T", "1", "0.004", i);
    }
    struct bill_get get = {.customer = {.seq = customer}, .period = {0, 300}, .limit = 10};
    get_bill(book, &get);
    assert_u64(get.n_lines, 2);
    assert_amount_text(get.exact, "2.19");
    assert_amount_text(get.total, "2.19");
    assert_amount_text(get.rounding, "0");
    get.period.end_us = 299;
    get_bill(book, &get);
    assert_amount_text(get.exact, "2.1827"); /* 0.9867 and 1.196 */
    assert_amount_text(get.total, "2.19");
    assert_amount_text(get.rounding, "0.0073");
    book_close(book);
}

static void bill_get__a_window__is_half_open_at_the_microsecond(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "S", "1", "1", 999);
    book_add_usage(book, customer, "S", "10", "1", 1000);
    book_add_usage(book, customer, "S", "100", "1", 1999);
    book_add_usage(book, customer, "S", "1000", "1", 2000);
    struct bill_get get = {.customer = {.seq = customer}, .period = {1000, 2000}, .limit = 10};
    get_bill(book, &get);
    assert_amount_text(get.total, "110");
    book_close(book);
}

static void bill_get__nothing_used__is_an_empty_bill_of_zero(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, "ext");
    (void)state;
    struct bill_get get = {
        .customer = {.external_id = SLICE("ext")}, .period = {0, 10}, .limit = 10, .after = true};
    get_bill(book, &get);
    assert_u64(get.customer_seq, customer);
    assert_u64(get.n_lines, 0);
    assert_false(get.more);
    assert_amount_text(get.total, "0");
    assert_amount_text(get.rounding, "0");
    book_close(book);
}

static void bill_get__a_cursor_at_a_line_that_is_gone__goes_on_behind_it(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "a", "1", "2", 5);
    book_add_usage(book, customer, "c", "1", "2", 5);
    struct bill_get get = {.customer = {.seq = customer},
                           .period = {0, 10},
                           .limit = 10,
                           .after = true,
                           .after_service = SLICE("b"),
                           .after_price = book_decimal("1")};
    get_bill(book, &get);
    assert_u64(get.n_lines, 1);
    assert_text(get.lines[0]->service.data, get.lines[0]->service.length, "c");
    assert_amount_text(get.total, "4");
    get.after_service = SLICE("z");
    get_bill(book, &get);
    assert_u64(get.n_lines, 0);
    assert_false(get.more);
    book_close(book);
}

/* The largest amounts, and their sum, to the last digit. */
static void bill_get__largest_amounts__are_summed_exactly(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    for (int i = 0; i < 3; i++) {
        book_add_usage(book, customer, "S", "999999999999999.999", "1", i);
    }
    book_add_usage(book, customer, "S", "0.000000000000000001", "0.000000000000000001", 4);
    struct bill_get get = {.customer = {.seq = customer}, .period = {0, 10}, .limit = 10};
    get_bill(book, &get);
    assert_amount_text(get.exact, "2999999999999999.997000000000000000000000000000000001");
    assert_amount_text(get.total, "3000000000000000");
    book_close(book);
}

static void bill_get__what_fails__is_an_error_and_no_smaller_bill(void **state)
{
    struct book *book = book_open();
    uint64_t customer = book_add_customer(book, NULL);
    struct arena arena;
    (void)state;
    for (int i = 0; i < 200; i++) {
        book_add_usage(book, customer, testkit_format("service %d", i), "1", "1", i);
    }
    struct bill_get get = {.customer = {.seq = 99}, .period = {0, 10}, .limit = 10};
    struct store_view *view = book_view(book);
    assert_status(bill_get(view, &book->arena, &book->env, &get), STATUS_CUSTOMER_NOT_FOUND);
    get = (struct bill_get){.customer = {.seq = customer}, .period = {0, 1000}, .limit = 10};
    for (size_t budget = 0; budget < 30000; budget += 997) { /* fails at every place in turn */
        arena_init(&arena, budget);
        assert_status(bill_get(view, &arena, &book->env, &get), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    memory_store_damage(book->memory, 50);
    assert_status(bill_get(view, &book->arena, &book->env, &get), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

/* --- the current bill ------------------------------------------------------------------------- */

static void bill_get__current__is_this_month_or_from_the_last_invoice(void **state)
{
    struct book *book = book_open(); /* 22 November 2026 */
    uint64_t customer = book_add_customer(book, NULL);
    (void)state;
    book_add_usage(book, customer, "S", "1", "1", book_time("2026-10-31T23:59:59.999999Z"));
    book_add_usage(book, customer, "S", "10", "1", book_time("2026-11-01T00:00:00Z"));
    book_add_usage(book, customer, "S", "100", "1", book_time("2026-11-22T12:00:00Z"));
    struct bill_get get = {.customer = {.seq = customer}, .current = true, .limit = 10};
    get_bill(book, &get);
    assert_i64(get.period.start_us, book_time("2026-11-01T00:00:00Z"));
    assert_i64(get.period.end_us, book_time("2026-12-01T00:00:00Z"));
    assert_amount_text(get.total, "110");

    memory_store_set_billed_until(book->memory, customer, book_time("2026-11-22T00:00:00Z"));
    book_add_usage(book, customer, "S", "1000", "1", book_time("2026-01-01T00:00:00Z"));
    get_bill(book, &get);
    assert_i64(get.period.start_us, book_time("2026-11-22T00:00:00Z"));
    assert_amount_text(get.total, "1100"); /* what came late is on it */
    assert_u64(get.lines[0]->late, 1);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bill_get__random_records_any_window__is_exact_in_every_currency),
    cmocka_unit_test(bill_get__halves__go_to_the_even_neighbour_once_a_line),
    cmocka_unit_test(bill_get__many_small_records__are_summed_before_rounding),
    cmocka_unit_test(bill_get__a_window__is_half_open_at_the_microsecond),
    cmocka_unit_test(bill_get__nothing_used__is_an_empty_bill_of_zero),
    cmocka_unit_test(bill_get__a_cursor_at_a_line_that_is_gone__goes_on_behind_it),
    cmocka_unit_test(bill_get__largest_amounts__are_summed_exactly),
    cmocka_unit_test(bill_get__what_fails__is_an_error_and_no_smaller_bill),
    cmocka_unit_test(bill_get__current__is_this_month_or_from_the_last_invoice),
};

TESTKIT_MAIN(tests)
