/* Sums of a million records with all the digits that there can be, and every half of a cent. */
#include <inttypes.h>
#include <string.h>

#include "tests/lib/decimal_oracle.h"
#include "tests/model/office.h"

enum {
    BATCH = 10000,
    BATCHES = 100,
    LINES = 5,
    HALVES = 100, /* of cents, each way */
};

/* 2025, some month of it. */
#define START INT64_C(1738368000000000)
#define END   INT64_C(1740787200000000)

struct sum {
    char service[16];
    char price[32];
    mpz_t units;
    mpz_t exact;
    uint64_t records;
};

static const char *digits(struct office *office, struct rng *rng, unsigned whole, unsigned fraction)
{
    char text[64];
    for (unsigned i = 0; i < whole + fraction; i++) {
        text[i] = (char)('1' + rng_below(rng, 9)); /* no zeros: all of them count */
    }
    return memory_format(&office->memory, "%.*s.%.*s", (int)whole, text, (int)fraction,
                         text + whole);
}

static void sum_add(struct sum *sum, const char *units)
{
    mpz_t value;
    mpz_t price;
    mpz_t unit;
    mpz_inits(value, price, unit, NULL);
    oracle_power(unit, ORACLE_SCALE);
    assert_int_equal(oracle_parse(units, strlen(units), value), ORACLE_FITS);
    assert_int_equal(oracle_parse(sum->price, strlen(sum->price), price), ORACLE_FITS);
    mpz_add(sum->units, sum->units, value);
    mpz_mul(value, value, price);
    mpz_divexact(value, value, unit);
    mpz_add(sum->exact, sum->exact, value);
    sum->records++;
    mpz_clears(value, price, unit, NULL);
}

/* One after the other, as usage comes, but for one in a hundred. */
static int64_t time_of(struct rng *rng, unsigned batch, size_t item)
{
    int64_t step = (END - START) / BATCHES / BATCH;
    int64_t start = START + ((int64_t)batch * BATCH + (int64_t)item) * step;
    return rng_below(rng, 100) == 0 ? rng_between(rng, START, END - 1)
                                    : start + rng_between(rng, 0, step - 1);
}

static void record_batch(struct office *office, struct rng *rng, const char *customer,
                         struct sum *sums, unsigned batch)
{
    Billing__V1__CreateUsageBatch *m = OFFICE_NEW(office, CreateUsageBatch, create_usage_batch);
    PUT_TEXT(m, request_id, memory_format(&office->memory, "batch %u", batch));
    m->usage = memory_alloc(&office->memory, BATCH * sizeof *m->usage);
    for (; m->n_usage < BATCH; m->n_usage++) {
        struct sum *sum = &sums[rng_below(rng, LINES)];
        const char *units = digits(office, rng, 7, 11);
        m->usage[m->n_usage] = office_usage(office, customer, sum->service, units, sum->price);
        PUT(m->usage[m->n_usage], occurred_at, time_of(rng, batch, m->n_usage));
        sum_add(sum, units);
    }
    const Billing__V1__Response *answer = office_get(office, OFFICE_CALL(CREATE_USAGE_BATCH), m);
    const Billing__V1__UsageBatchReply *reply = answer->create_usage_batch;
    assert_u64(reply->n_results, BATCH);
    for (size_t i = 0; i < reply->n_results; i++) {
        assert_int_equal(reply->results[i]->status,
                         BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED);
    }
}

static void check_number(ProtobufCBinaryData got, const mpz_t expected)
{
    char text[ORACLE_TEXT_MAX];
    oracle_print(expected, text);
    assert_text(got.data, got.len, text);
}

static void check_lines(Billing__V1__BillLine *const *lines, size_t n, const struct sum *sums)
{
    assert_u64(n, LINES);
    for (size_t i = 0; i < LINES; i++) {
        mpz_t rounded;
        mpz_init(rounded);
        oracle_round(sums[i].exact, 2, rounded);
        assert_text(lines[i]->service.data, lines[i]->service.len, sums[i].service);
        assert_u64(lines[i]->records, sums[i].records);
        check_number(lines[i]->units_consumed, sums[i].units);
        check_number(lines[i]->exact_amount, sums[i].exact);
        check_number(lines[i]->amount, rounded);
        mpz_clear(rounded);
    }
}

static void a_million_records_sum_up_to_the_last_digit(void **state)
{
    struct office *office = *state;
    struct rng rng = rng_make("a million");
    const char *customer = office_customer(office);
    struct sum sums[LINES];
    mpz_t total;
    mpz_init(total);
    for (size_t i = 0; i < LINES; i++) { /* digits of price: 18, the product has all 36 */
        sums[i] = (struct sum){.records = 0};
        mpz_inits(sums[i].units, sums[i].exact, NULL);
        IGNORE(snprintf(sums[i].service, sizeof sums[i].service, "service %zu", i) < 0);
        IGNORE(snprintf(sums[i].price, sizeof sums[i].price, "%s", digits(office, &rng, 7, 11)) <
               0); /* both have room */
    }
    for (unsigned i = 0; i < BATCHES; i++) {
        record_batch(office, &rng, customer, sums, i);
        memory_done(&office->memory);
    }
    for (size_t i = 0; i < LINES; i++) {
        mpz_add(total, total, sums[i].exact);
    }
    const Billing__V1__Bill *bill = office_bill(office, customer, START, END);
    check_lines(bill->lines, bill->n_lines, sums);
    check_number(bill->exact_total, total);
    const Billing__V1__Response *finalized = office_get(
        office, OFFICE_CALL(FINALIZE_INVOICE), office_finalize(office, customer, END, NULL));
    const Billing__V1__Invoice *invoice = finalized->finalize_invoice->invoice;
    check_lines(invoice->lines, invoice->n_lines, sums);
    check_number(invoice->exact_total, total);
    office_verify(office, 1, (uint64_t)BATCH * BATCHES);
    for (size_t i = 0; i < LINES; i++) {
        mpz_clears(sums[i].units, sums[i].exact, NULL);
    }
    mpz_clear(total);
}

static void add_half(struct office *office, const char *customer, const char *sign, unsigned halves)
{
    Billing__V1__CreateAdjustment *m = OFFICE_NEW(office, CreateAdjustment, create_adjustment);
    PUT_TEXT(m, customer_id, customer);
    PUT_TEXT(
        m, amount,
        memory_format(&office->memory, "%s%u.%03u", sign, halves * 5 / 1000, halves * 5 % 1000));
    PUT_TEXT(m, reason, "half a cent");
    PUT(m, occurred_at, START + (int64_t)halves);
    IGNORE(office_get(office, OFFICE_CALL(CREATE_ADJUSTMENT), m) == NULL); /* it is recorded */
}

/* HALVES half cents, to the even cent, as the words of it: "-0.12". */
static const char *even_cents(struct office *office, const char *sign, unsigned halves)
{
    unsigned cents = halves / 2;
    cents += halves % 2 == 1 && cents % 2 == 1;
    if (cents == 0) {
        return "0";
    }
    const char *words = memory_format(&office->memory, "%s%u.%02u", sign, cents / 100, cents % 100);
    size_t length = strlen(words);
    while (words[length - 1] == '0') {
        length--;
    }
    return memory_format(&office->memory, "%.*s", (int)(length - (words[length - 1] == '.')),
                         words);
}

static void every_half_goes_to_the_even_cent(void **state)
{
    static const char *const signs[] = {"", "-"};
    struct office *office = *state;
    const char *customer = office_customer(office);
    for (unsigned halves = 0; halves < HALVES; halves++) {
        Billing__V1__UsageInput *usage =
            office_usage(office, customer, memory_format(&office->memory, "s%03u", halves),
                         memory_format(&office->memory, "%u", halves), "0.005");
        PUT(usage, occurred_at, START);
        IGNORE(office_get(office, OFFICE_CALL(CREATE_USAGE), usage) == NULL); /* it is recorded */
        add_half(office, customer, signs[0], halves);
        add_half(office, customer, signs[1], halves);
    }
    const Billing__V1__Bill *bill = office_bill(office, customer, START, END);
    assert_u64(bill->n_lines, HALVES);
    assert_u64(bill->n_adjustments, 2 * HALVES);
    for (unsigned i = 0; i < HALVES; i++) {
        assert_text(bill->lines[i]->amount.data, bill->lines[i]->amount.len,
                    even_cents(office, "", i));
    }
    for (unsigned i = 0; i < 2 * HALVES; i++) { /* by time, then as they came */
        assert_text(bill->adjustments[i]->amount.data, bill->adjustments[i]->amount.len,
                    even_cents(office, signs[i % 2], i / 2));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_million_records_sum_up_to_the_last_digit, office_open,
                                    office_close),
    cmocka_unit_test_setup_teardown(every_half_goes_to_the_even_cent, office_open, office_close),
};

OFFICE_MAIN(tests)
