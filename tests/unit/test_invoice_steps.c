/* Finalising in two steps: what happens between preparing and carrying out, and to a transaction
 * that fails. */
#include "tests/lib/bill_text.h"
#include "tests/lib/testkit.h"

enum {
    LAG_MAX = 10000, /* records that the committer catches up by itself */
};

static void assert_outdated(const struct invoice_finalize *finalize)
{
    assert_status(finalize->outcome.status, STATUS_OUTDATED);
}

static void assert_finalized(const struct invoice_finalize *finalize)
{
    assert_ok(finalize->outcome.status);
    assert_false(finalize->outcome.replayed);
}

/* NUMBER is the bill of its period, which it must be whatever came in between. */
static void assert_is_its_bill(struct book *book, const struct invoice_finalize *finalize)
{
    const struct invoice *invoice = &finalize->page.record.invoice;
    struct period period = {invoice->start_us, invoice->end_us};
    assert_string_equal(invoice_text(book, invoice->number, 1000),
                        bill_text(book, invoice->customer, period, 1000));
}

/* Many records of CUSTOMER in one transaction. */
static void add_many(struct book *book, uint64_t customer, unsigned n, const char *name)
{
    struct store_txn *txn = book_begin(book);
    for (unsigned i = 0; i < n; i++) {
        struct usage_create create = book_usage(customer, testkit_format("%s%u", name, i));
        create.asked.usage.occurred_at_given = true;
        create.asked.usage.occurred_at_us = i % 900;
        assert_ok(usage_create(txn, &book->arena, &book->env, &create));
        assert_ok(create.outcome.status);
    }
    assert_ok(store_commit(txn));
}

/* --- what comes in between -------------------------------------------------------------------- */

static void invoice_finalize__records_since_it_was_prepared__are_on_it(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t other = book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "10", "0.5", 100);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    book_prepare_invoice(book, f);
    assert_outdated(f);
    book_add_usage(book, customer, "S", "1", "0.5", 999);
    book_add_usage(book, customer, "S", "7", "0.5", 1000); /* the next one's */
    book_add_usage(book, customer, "T", "1", "1", 0);
    book_add_usage(book, other, "S", "100", "1", 500);
    book_add_void(book, customer, usage);
    book_add_adjustment(book, customer, "", "-1.5", 500);
    book_add_adjustment(book, other, "", "-1000", 500);
    uint64_t last = book_records(book);
    book_apply_invoice(book, f);
    assert_finalized(f);
    assert_u64(f->page.record.invoice.position, last);
    assert_string_equal(invoice_text(book, 1, 10), "S 0.5 x 1 = 0.5, 2 records, 1 voided, 0 late\n"
                                                   "T 1 x 1 = 1, 1 records, 0 voided, 0 late\n"
                                                   "adjustment 9 = -1.5\n"
                                                   "exact 0, total 0\n");
    assert_is_its_bill(book, f);
    book_close(book);
}

/* In the very transaction, before and behind it. */
static void invoice_finalize__records_of_the_same_transaction__land_by_their_order(void **state)
{
    struct book *book = book_open();
    struct usage_create before;
    struct usage_create behind;
    unsigned appended;
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    before = book_usage(customer, "before");
    behind = book_usage(customer, "behind");
    before.asked.usage.occurred_at_given = behind.asked.usage.occurred_at_given = true;
    before.asked.usage.occurred_at_us = behind.asked.usage.occurred_at_us = 999;
    book_prepare_invoice(book, f);
    struct store_txn *txn = book_begin(book);
    assert_ok(usage_create(txn, &book->arena, &book->env, &before));
    assert_ok(invoice_finalize(txn, &book->arena, &book->env, f, &appended));
    assert_ok(usage_create(txn, &book->arena, &book->env, &behind));
    assert_ok(store_commit(txn));
    assert_finalized(f);
    assert_u64(appended, 2);
    assert_i64(before.record.usage.bills_at_us, 999);
    assert_i64(behind.record.usage.bills_at_us, 1000);
    assert_u64(f->page.lines[0].records, 1);
    assert_is_its_bill(book, f);
    book_close(book);
}

static void
invoice_finalize__too_many_records_since__is_prepared_again_from_where_it_was(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t other = book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "10", "0.5", 100);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    book_prepare_invoice(book, f);
    add_many(book, other, LAG_MAX - 1, "o");
    book_add_usage(book, customer, "S", "1", "0.5", 100);
    struct invoice_finalize *just = book_invoice(book, customer, 1000, "r2");
    *just = *f; /* just not too many */
    struct store_txn *txn = book_begin(book);
    unsigned appended;
    assert_ok(invoice_finalize(txn, &book->arena, &book->env, just, &appended));
    assert_finalized(just);
    store_abort(txn);

    f = book_invoice(book, customer, 1000, "r3");
    f->asked.invoice.start_given = true; /* so that nobody has to look for the first record */
    book_prepare_invoice(book, f);
    add_many(book, other, LAG_MAX, "p");
    book_add_usage(book, customer, "S", "1", "0.5", 100);
    uint64_t records = book_records(book);
    book_apply_invoice(book, f);
    assert_outdated(f);
    assert_u64(book_records(book), records);
    /* What was read once is not read again: it could not be. */
    memory_store_damage(book->memory, usage);
    book_prepare_invoice(book, f);
    assert_outdated(f);
    book_apply_invoice(book, f);
    assert_finalized(f);
    assert_u64(f->page.record.invoice.position, records);
    assert_string_equal(invoice_text(book, 1, 10),
                        "S 0.5 x 12 = 6, 3 records, 0 voided, 0 late\nexact 6, total 6\n");
    book_close(book);
}

/* What all finalisations of one transaction read to catch up has one bound: everyone waits. */
static void invoice_finalize__the_sweep_of_a_transaction__is_bounded_in_all(void **state)
{
    struct book *book = book_open();
    uint64_t customers[3];
    struct invoice_finalize *f[3];
    unsigned appended[3];
    uint64_t sweep_left = 250;
    (void)state;
    for (int i = 0; i < 3; i++) {
        customers[i] = book_add_customer(book, NULL);
        book_add_usage(book, customers[i], "S", "1", "1", 100);
    }
    for (int i = 0; i < 3; i++) {
        f[i] = book_invoice(book, customers[i], 1000, "r");
        book_prepare_invoice(book, f[i]);
    }
    add_many(book, customers[0], 100, "m");
    book->env.sweep_left = &sweep_left;
    struct store_txn *txn = book_begin(book);
    for (int i = 0; i < 3; i++) {
        assert_ok(invoice_finalize(txn, &book->arena, &book->env, f[i], &appended[i]));
    }
    assert_finalized(f[0]); /* read 100 */
    assert_finalized(f[1]); /* read those, and what the first appended */
    assert_outdated(f[2]);
    assert_u64(appended[2], 0);
    assert_u64(sweep_left, 250 - 100 - (100 + appended[0]));
    assert_ok(store_commit(txn));
    sweep_left = 250;
    book_prepare_invoice(book, f[2]);
    book_apply_invoice(book, f[2]);
    assert_finalized(f[2]);
    for (int i = 0; i < 3; i++) {
        assert_is_its_bill(book, f[i]);
    }
    book_close(book);
}

static void invoice_finalize__an_earlier_first_record__moves_the_start(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    int64_t end_us = book_time("2026-11-01T00:00:00Z");
    book_add_usage(book, customer, "S", "1", "1", book_time("2026-10-10T00:00:00Z"));
    struct invoice_finalize *f = book_invoice(book, customer, end_us, "r1");
    book_prepare_invoice(book, f);
    book_add_usage(book, customer, "S", "1", "1", book_time("2026-09-10T00:00:00Z"));
    book_apply_invoice(book, f);
    assert_outdated(f);
    book_finalize_invoice(book, f);
    assert_finalized(f);
    assert_i64(f->page.record.invoice.start_us, book_time("2026-09-01T00:00:00Z"));
    assert_u64(f->page.lines[0].records, 2);
    assert_is_its_bill(book, f);
    book_close(book);
}

/* Refused although it was prepared: what it was told then no longer holds. */
static void invoice_finalize__what_is_wrong_by_now__is_refused(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    f->asked.invoice.start_given = true;
    f->asked.invoice.start_us = 500;
    book_prepare_invoice(book, f);
    assert_outdated(f);
    int64_t now_us = book->env.now_us;
    book->env.now_us = 999; /* the clock was set back */
    book_apply_invoice(book, f);
    assert_status(f->outcome.status, STATUS_PERIOD_NOT_CLOSED);
    book->env.now_us = now_us;
    book_add_usage(book, customer, "S", "1", "1", 499);
    book_apply_invoice(book, f);
    assert_status(f->outcome.status, STATUS_NOT_CONTIGUOUS);
    struct usage_create usage = book_usage(customer, "r1");
    book_create_usage(book, &usage);
    book_apply_invoice(book, f);
    assert_status(f->outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_u64(f->outcome.differs, DIFFERS_METHOD);
    book_close(book);
}

/* --- another finalisation in between ---------------------------------------------------------- */

static void invoice_finalize__two_at_once__are_one_invoice(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 100);
    struct invoice_finalize *one = book_invoice(book, customer, 1000, "r1");
    struct invoice_finalize *two = book_invoice(book, customer, 1000, "r2");
    struct invoice_finalize *retry = book_invoice(book, customer, 1000, "r1");
    struct invoice_finalize *reuse = book_invoice(book, customer, 2000, "r1");
    book_prepare_invoice(book, one);
    book_prepare_invoice(book, two);
    book_prepare_invoice(book, retry);
    book_prepare_invoice(book, reuse);
    book_apply_invoice(book, one);
    book_apply_invoice(book, two);
    book_apply_invoice(book, retry);
    book_apply_invoice(book, reuse);
    assert_finalized(one);
    assert_status(two->outcome.status, STATUS_ALREADY_FINALIZED);
    assert_u64(two->outcome.existing_seq, 1);
    assert_ok(retry->outcome.status);
    assert_true(retry->outcome.replayed);
    assert_u64(retry->page.record.seq, one->page.record.seq);
    assert_u64(retry->page.n_lines, 1);
    assert_status(reuse->outcome.status, STATUS_REQUEST_ID_REUSED);
    assert_u64(reuse->outcome.differs, DIFFERS_END);
    book_close(book);
}

static void invoice_finalize__another_up_to_an_earlier_end__leaves_the_rest(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 100);
    book_add_usage(book, customer, "S", "10", "1", 600);
    struct invoice_finalize *late = book_invoice(book, customer, 1000, "r1");
    book_prepare_invoice(book, late);
    book_add_invoice(book, customer, 500);
    book_apply_invoice(book, late);
    assert_outdated(late);
    book_finalize_invoice(book, late);
    assert_finalized(late);
    assert_u64(late->page.record.invoice.number, 2);
    assert_i64(late->page.record.invoice.start_us, 500);
    assert_u64(late->page.lines[0].records, 1);
    assert_is_its_bill(book, late);
    book_close(book);
}

/* --- a transaction that fails ----------------------------------------------------------------- */

static void invoice_finalize__a_commit_that_failed__is_prepared_anew_without_it(void **state)
{
    struct book *book = book_open();
    unsigned appended;
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "1", "1", 100);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    book_prepare_invoice(book, f);
    struct usage_create lost = book_usage(customer, "lost");
    lost.asked.usage.occurred_at_given = true;
    lost.asked.usage.occurred_at_us = 200;
    struct store_txn *txn = book_begin(book);
    assert_ok(usage_create(txn, &book->arena, &book->env, &lost));
    assert_ok(invoice_finalize(txn, &book->arena, &book->env, f, &appended));
    assert_finalized(f);
    memory_store_fail(book->memory, MEMORY_COMMIT, STATUS_STORAGE_FULL, 0, 1);
    assert_status(store_commit(txn), STATUS_STORAGE_FULL);

    book_apply_invoice(book, f); /* alone, as the committer tries again */
    assert_outdated(f);
    book_finalize_invoice(book, f);
    assert_finalized(f);
    assert_string_equal(invoice_text(book, 1, 10),
                        "S 1 x 1 = 1, 1 records, 0 voided, 0 late\nexact 1, total 1\n");
    assert_is_its_bill(book, f);
    book_close(book);
}

static void invoice_finalize__an_append_that_failed__leaves_nothing(void **state)
{
    (void)state;
    for (unsigned after = 0; after < 2; after++) { /* the invoice, its entries */
        struct book *book = book_open();
        unsigned appended;
        uint64_t customer = book_add_customer(book, NULL);
        book_add_usage(book, customer, "S", "1", "1", 100);
        uint64_t records = book_records(book);
        struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
        book_prepare_invoice(book, f);
        struct store_txn *txn = book_begin(book);
        memory_store_fail(book->memory, MEMORY_APPEND, STATUS_STORAGE_FULL, after, 1);
        assert_status(invoice_finalize(txn, &book->arena, &book->env, f, &appended),
                      STATUS_STORAGE_FULL);
        store_abort(txn);
        assert_u64(book_records(book), records);
        book_apply_invoice(book, f);
        assert_outdated(f);
        book_finalize_invoice(book, f);
        assert_finalized(f);
        assert_u64(f->page.record.invoice.number, 1);
        assert_is_its_bill(book, f);
        book_close(book);
    }
}

static void invoice_finalize__damage_since__is_an_error_and_then_prepared_anew(void **state)
{
    struct book *book = book_open();
    unsigned appended;
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
    f->asked.invoice.start_given = true; /* so that nobody has to look for the first record */
    book_prepare_invoice(book, f);
    memory_store_damage(book->memory, book_add_usage(book, customer, "S", "1", "1", 100));
    struct store_txn *txn = book_begin(book);
    assert_status(invoice_finalize(txn, &book->arena, &book->env, f, &appended), STATUS_CORRUPT);
    assert_ok(invoice_finalize(txn, &book->arena, &book->env, f, &appended));
    assert_outdated(f);
    assert_u64(appended, 0);
    store_abort(txn);
    struct store_view *view = book_view(book);
    assert_status(invoice_prepare(view, &book->arena, &book->env, f), STATUS_CORRUPT);
    book_release(view);
    book_close(book);
}

static void invoice_prepare__too_little_memory__is_too_large_and_records_nothing(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    for (int i = 0; i < 200; i++) {
        book_add_usage(book, customer, testkit_format("s%d", i), "1", "1", i);
    }
    struct store_view *view = book_view(book);
    for (size_t budget = 0; budget < 30000; budget += 1997) {
        struct arena arena;
        struct invoice_finalize *f = book_invoice(book, customer, 1000, "r1");
        arena_init(&arena, budget);
        invoice_finalize_init(f, &arena);
        assert_status(invoice_prepare(view, &arena, &book->env, f), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(invoice_finalize__records_since_it_was_prepared__are_on_it),
    cmocka_unit_test(invoice_finalize__records_of_the_same_transaction__land_by_their_order),
    cmocka_unit_test(invoice_finalize__too_many_records_since__is_prepared_again_from_where_it_was),
    cmocka_unit_test(invoice_finalize__the_sweep_of_a_transaction__is_bounded_in_all),
    cmocka_unit_test(invoice_finalize__an_earlier_first_record__moves_the_start),
    cmocka_unit_test(invoice_finalize__what_is_wrong_by_now__is_refused),
    cmocka_unit_test(invoice_finalize__two_at_once__are_one_invoice),
    cmocka_unit_test(invoice_finalize__another_up_to_an_earlier_end__leaves_the_rest),
    cmocka_unit_test(invoice_finalize__a_commit_that_failed__is_prepared_anew_without_it),
    cmocka_unit_test(invoice_finalize__an_append_that_failed__leaves_nothing),
    cmocka_unit_test(invoice_finalize__damage_since__is_an_error_and_then_prepared_anew),
    cmocka_unit_test(invoice_prepare__too_little_memory__is_too_large_and_records_nothing),
};

TESTKIT_MAIN(tests)
