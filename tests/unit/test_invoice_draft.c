/* Drafts of invoices: the digest as it is documented, and the same draft whichever way it is
 * made. */
#include "billingd/ledger/invoice_draft.h"
#include "tests/lib/bill_history.h"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static struct invoice_draft build(struct book *book, uint64_t customer, struct period period,
                                  uint64_t position, size_t seqs_max)
{
    struct invoice_draft draft;
    struct store_view *view = book_view(book);
    invoice_draft_init(&draft, &book->arena);
    draft.seqs_max = seqs_max;
    assert_ok(invoice_draft_build(&draft, view, customer, period, position));
    book_release(view);
    return draft;
}

static void assert_same_draft(struct invoice_draft *a, struct invoice_draft *b)
{
    assert_ok(invoice_draft_finish(a, 2));
    assert_ok(invoice_draft_finish(b, 2));
    assert_u64(a->position, b->position);
    assert_u64(a->records, b->records);
    assert_u64(a->lines.n, b->lines.n);
    assert_u64(a->n_adjustments, b->n_adjustments);
    assert_memory_equal(a->digest, b->digest, SHA256_BYTES);
    assert_int_equal(amount_compare(a->totals.exact, b->totals.exact), 0);
    assert_int_equal(amount_compare(a->totals.total, b->totals.total), 0);
    assert_u64(a->totals.records, b->totals.records);
    assert_u64(a->totals.voided, b->totals.voided);
    assert_u64(a->totals.late, b->totals.late);
    for (size_t i = 0; i < a->lines.n; i++) {
        assert_true(slice_equal(a->sorted[i]->service, b->sorted[i]->service));
        assert_true(decimal_equal(a->sorted[i]->price, b->sorted[i]->price));
        assert_int_equal(amount_compare(a->sorted[i]->units, b->sorted[i]->units), 0);
        assert_int_equal(amount_compare(a->sorted[i]->exact, b->sorted[i]->exact), 0);
    }
    for (size_t i = 0; i < a->n_adjustments; i++) {
        assert_u64(a->adjustments[i].position.seq, b->adjustments[i].position.seq);
    }
}

/* --- the digest ------------------------------------------------------------------------------- */

static void hash(struct sha256 *sha, const void *a, size_t a_bytes, const void *b, size_t b_bytes,
                 uint8_t *ret)
{
    sha256_begin(sha);
    sha256_add(sha, a, a_bytes);
    sha256_add(sha, b, b_bytes);
    sha256_end(sha, ret);
}

/* By the words of invoice_draft.h over the records SEQS; the memory store's key is 42. */
static void expected_digest(struct book *book, uint64_t customer, struct period period,
                            const uint64_t *seqs, size_t n, uint8_t ret[SHA256_BYTES])
{
    struct sha256 *sha = sha256_create();
    uint8_t *bytes = testkit_alloc(16 + RECORD_BYTES_MAX);
    assert_non_null(sha);
    const char *text = testkit_format(
        "invoice of customer %llu from %lld to %lld in store 000000000000002a",
        (unsigned long long)customer, (long long)period.start_us, (long long)period.end_us);
    hash(sha, text, strlen(text), "", 0, ret);
    for (size_t i = 0; i < n; i++) {
        struct record record = book_record(book, seqs[i]);
        for (unsigned j = 0; j < 8; j++) {
            bytes[j] = (uint8_t)(record.seq >> (8 * j));
            bytes[8 + j] = (uint8_t)((uint64_t)record.created_at_us >> (8 * j));
        }
        size_t length = record_encode(&record, bytes + 16);
        hash(sha, ret, SHA256_BYTES, bytes, 16 + length, ret);
    }
    sha256_destroy(sha);
}

static void invoice_draft_build__digest__is_the_documented_chain(void **state)
{
    struct book *book = book_open();
    struct period period = {1000, 2000};
    uint8_t digest[SHA256_BYTES];
    (void)state;
    uint64_t other = book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    struct invoice_draft draft = build(book, customer, period, book_records(book), 100);
    expected_digest(book, customer, period, NULL, 0, digest);
    assert_memory_equal(draft.digest, digest, SHA256_BYTES);
    assert_u64(draft.records, 0);

    uint64_t seqs[4];
    book->env.now_us += 1;
    seqs[0] = book_add_usage(book, customer, "S", "1", "2", 1999); /* later in time, first in seq */
    book_add_usage(book, customer, "S", "1", "2", 999);
    book->env.now_us += 1;
    uint64_t usage = seqs[1] = book_add_usage(book, customer, "S", "1", "2", 1000);
    book_add_usage(book, other, "S", "1", "2", 1500);
    book_add_usage(book, customer, "S", "1", "2", 2000);
    seqs[2] = book_add_adjustment(book, customer, "", "-3", 1500);
    seqs[3] = book_add_void(book, customer, usage);
    draft = build(book, customer, period, book_records(book), 100);
    assert_u64(draft.records, 4);
    expected_digest(book, customer, period, seqs, 4, digest);
    assert_memory_equal(draft.digest, digest, SHA256_BYTES);
    /* Up to a position only. */
    draft = build(book, customer, period, seqs[2], 100);
    assert_u64(draft.records, 3);
    expected_digest(book, customer, period, seqs, 3, digest);
    assert_memory_equal(draft.digest, digest, SHA256_BYTES);
    book_close(book);
}

/* Each thing that a record says changes the digest. */
static void alter_request_id(struct record *record)
{
    record->request_id = SLICE("another");
}

static void alter_identity(struct record *record)
{
    record->recorded_by = SLICE("somebody");
}

static void alter_clock(struct record *record)
{
    record->created_at_us++;
}

static void alter_occurred(struct record *record)
{
    record->usage.occurred_at_us--;
}

static void alter_given(struct record *record)
{
    record->usage.occurred_at_given = false;
}

static void alter_split(struct record *record)
{
    record->usage.units = book_decimal("2");
    record->usage.price = book_decimal("1");
}

static void invoice_draft_build__anything_altered__is_another_digest(void **state)
{
    static void (*const alterations[])(struct record *) = {
        alter_request_id, alter_identity, alter_clock, alter_occurred, alter_given, alter_split};
    struct period period = {1000, 2000};
    (void)state;
    for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
        struct book *book = book_open();
        uint64_t customer = book_add_customer(book, NULL);
        uint64_t usage = book_add_usage(book, customer, "S", "1", "2", 1500);
        struct invoice_draft before = build(book, customer, period, usage, 100);
        memory_store_alter(book->memory, usage, alterations[i]);
        struct invoice_draft after = build(book, customer, period, usage, 100);
        assert_memory_not_equal(before.digest, after.digest, SHA256_BYTES);
        book_close(book);
    }
}

/* --- the ways to make one --------------------------------------------------------------------- */

static void invoice_draft__built_read_through_or_advanced__is_the_same(void **state)
{
    struct rng rng = rng_make("drafts");
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct book *book = book_open();
        struct history history = history_make(book, &rng, 10 * hour_us, 20 * hour_us, 150);
        struct period period = {rng_between(&rng, 9, 14) * hour_us,
                                rng_between(&rng, 15, 21) * hour_us};
        uint64_t last = book_records(book);
        struct invoice_draft whole = build(book, history.customer, period, last, 100000);
        struct invoice_draft swept = build(book, history.customer, period, last, 0);
        assert_same_draft(&whole, &swept);
        swept = build(book, history.customer, period, last, rng_below(&rng, 150));
        assert_same_draft(&whole, &swept);
        struct invoice_draft advanced =
            build(book, history.customer, period, rng_below(&rng, last + 1), 100000);
        struct store_view *view = book_view(book);
        assert_ok(invoice_draft_advance(&advanced, view, UINT64_MAX));
        assert_same_draft(&whole, &advanced);
        assert_ok(invoice_draft_advance(&advanced, view, 0)); /* there is nothing more */
        assert_same_draft(&whole, &advanced);
        book_release(view);
        book_close(book);
    }
}

static void invoice_draft_advance__too_far_behind__is_outdated_and_unchanged(void **state)
{
    struct book *book = book_open();
    struct period period = {0, 1000};
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    struct invoice_draft draft = build(book, customer, period, 1, 100);
    for (int i = 0; i < 5; i++) {
        book_add_usage(book, customer, "S", "1", "1", i);
    }
    struct store_view *view = book_view(book);
    assert_status(invoice_draft_advance(&draft, view, 4), STATUS_OUTDATED);
    assert_u64(draft.position, 1);
    assert_u64(draft.records, 0);
    assert_ok(invoice_draft_advance(&draft, view, 5));
    assert_u64(draft.position, 6);
    assert_u64(draft.records, 5);
    book_release(view);
    struct invoice_draft whole = build(book, customer, period, 6, 100);
    assert_same_draft(&whole, &draft);
    book_close(book);
}

/* --- what fails ------------------------------------------------------------------------------- */

static void invoice_draft_build__what_fails__is_an_error_and_no_draft(void **state)
{
    struct book *book = book_open();
    struct period period = {0, 1000};
    struct invoice_draft draft;
    struct arena arena;
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    for (int i = 0; i < 100; i++) {
        book_add_usage(book, customer, testkit_format("service %d", i), "1", "1", i);
        book_add_adjustment(book, customer, "", "1", i);
    }
    struct store_view *view = book_view(book);
    for (size_t budget = 0; budget < 15000; budget += 997) { /* fails at every place in turn */
        arena_init(&arena, budget);
        invoice_draft_init(&draft, &arena);
        assert_status(invoice_draft_build(&draft, view, customer, period, 201), STATUS_TOO_LARGE);
        assert_u64(draft.customer, 0);
        arena_done(&arena);
    }
    memory_store_damage(book->memory, 50);
    for (size_t seqs_max = 0; seqs_max < 2000; seqs_max += 1500) {
        invoice_draft_init(&draft, &book->arena);
        draft.seqs_max = seqs_max;
        assert_status(invoice_draft_build(&draft, view, customer, period, 201), STATUS_CORRUPT);
        assert_u64(draft.customer, 0);
    }
    draft = build(book, customer, (struct period){60, 1000}, 1, 100);
    assert_status(invoice_draft_advance(&draft, view, 1000), STATUS_CORRUPT);
    assert_u64(draft.customer, 0);
    book_release(view);
    book_close(book);
}

static void alter_voided(struct record *record)
{
    record->usage_voided.usage = 1; /* a customer */
}

static void alter_voided_beyond(struct record *record)
{
    record->usage_voided.usage = 1000;
}

static void invoice_draft_build__a_void_of_no_usage__is_corrupt(void **state)
{
    static void (*const alterations[])(struct record *) = {alter_voided, alter_voided_beyond};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct book *book = book_open();
        struct invoice_draft draft;
        uint64_t customer = book_add_customer(book, NULL);
        uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 5);
        memory_store_alter(book->memory, book_add_void(book, customer, usage), alterations[i]);
        struct store_view *view = book_view(book);
        invoice_draft_init(&draft, &book->arena);
        assert_status(invoice_draft_build(&draft, view, customer, (struct period){0, 10}, 3),
                      STATUS_CORRUPT);
        book_release(view);
        book_close(book);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(invoice_draft_build__digest__is_the_documented_chain),
    cmocka_unit_test(invoice_draft_build__anything_altered__is_another_digest),
    cmocka_unit_test(invoice_draft__built_read_through_or_advanced__is_the_same),
    cmocka_unit_test(invoice_draft_advance__too_far_behind__is_outdated_and_unchanged),
    cmocka_unit_test(invoice_draft_build__what_fails__is_an_error_and_no_draft),
    cmocka_unit_test(invoice_draft_build__a_void_of_no_usage__is_corrupt),
};

TESTKIT_MAIN(tests)
