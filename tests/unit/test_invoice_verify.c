/* Verifying invoices: what is untouched is verified, and what is not is named. */
#include "billingd/ledger/invoice_verify.h"
#include "tests/lib/bill_history.h"

#define DOES_NOT_FIT "damaged: what is stored does not fit together"
#define STRAY        "bills in this period, but was recorded behind the invoice's position"

static const int64_t hour_us = INT64_C(3600) * 1000000;

static struct invoice_verify verify(struct book *book, uint64_t number)
{
    struct invoice_verify verify = {.number = number};
    struct store_view *view = book_view(book);
    assert_ok(invoice_verify(view, &book->arena, &verify));
    book_release(view);
    return verify;
}

static void assert_verified(struct book *book, uint64_t number, uint64_t records)
{
    struct invoice_verify result = verify(book, number);
    struct invoice_page page = {.limit = 1};
    struct store_view *view = book_view(book);
    assert_ok(invoice_get(view, &book->arena, number, &page));
    book_release(view);
    assert_u64(result.n_differences, 0);
    assert_u64(result.records, records);
    assert_true(result.drafted);
    assert_memory_equal(result.digest, page.record.invoice.digest, SHA256_BYTES);
}

/* "what@seq kind: invoice | computed" a line; of digests only that they differ. */
static const char *differences_of(const struct invoice_verify *result)
{
    const char *text = "";
    for (size_t i = 0; i < result->n_differences; i++) {
        const struct invoice_difference *d = &result->differences[i];
        if (slice_equal(d->what, SLICE("digest"))) {
            assert_u64(d->invoice.length, SHA256_TEXT_BYTES);
            assert_u64(d->computed.length, SHA256_TEXT_BYTES);
            assert_false(slice_equal(d->invoice, d->computed));
            text = testkit_format("%sdigest\n", text);
            continue;
        }
        const char *about =
            d->seq == 0 ? "" : testkit_format("@%llu %d", (unsigned long long)d->seq, (int)d->kind);
        text = testkit_format("%s%.*s%s: %.*s | %.*s\n", text, (int)d->what.length, d->what.data,
                              about, (int)d->invoice.length, d->invoice.data,
                              (int)d->computed.length, d->computed.data);
    }
    return text;
}

static void assert_differs(struct book *book, uint64_t number, const char *expected)
{
    struct invoice_verify result = verify(book, number);
    assert_string_equal(differences_of(&result), expected);
}

/* --- what is untouched ------------------------------------------------------------------------ */

static void invoice_verify__untouched__is_verified_whatever_came_since(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "10", "0.5", 100);
    book_add_usage(book, customer, "S", "1", "0.5", 200);
    book_add_adjustment(book, customer, "", "-1", 300);
    uint64_t first = book_add_invoice(book, customer, 1000);
    assert_verified(book, first, 3);
    book_add_usage(book, customer, "S", "1", "1", 500); /* late */
    book_add_void(book, customer, usage);
    book_add_usage(book, customer, "S", "1", "1", 1000);
    assert_verified(book, first, 3);
    uint64_t second = book_add_invoice(book, customer, 2000);
    assert_verified(book, first, 3);
    assert_verified(book, second, 3);
    assert_verified(book, book_add_invoice(book, customer, 3000), 0); /* an empty one */
    book_close(book);
}

static void invoice_verify__random_histories__are_verified(void **state)
{
    struct rng rng = rng_make("verify");
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct book *book = book_open();
        struct history history = history_make(book, &rng, 10 * hour_us, 20 * hour_us, 150);
        uint64_t number = book_add_invoice(book, history.customer, 21 * hour_us);
        struct invoice_verify result = verify(book, number);
        assert_u64(result.n_differences, 0);
        assert_true(result.records > 0);
        book_close(book);
    }
}

/* --- one record is tampered with, and its checksum made good ---------------------------------- */

static void alter_units(struct record *record)
{
    record->usage.units = book_decimal("11");
}

static void alter_price(struct record *record)
{
    record->usage.price = book_decimal("5");
}

static void alter_identity(struct record *record)
{
    record->recorded_by = SLICE("nobody");
}

static void alter_away(struct record *record)
{
    record->usage.bills_at_us = 5000;
}

static void alter_usage_into(struct record *record)
{
    record->usage.bills_at_us = record->usage.occurred_at_us = 500;
}

static void alter_adjustment(struct record *record)
{
    record->adjustment.amount = book_decimal("-1.005");
}

static void alter_adjustment_away(struct record *record)
{
    record->adjustment.bills_at_us = 5000;
}

static void alter_void(struct record *record)
{
    record->usage_voided.usage = 3;
}

static void alter_totals(struct record *record)
{
    record->invoice.total = amount_from_decimal(book_decimal("4"));
    record->invoice.exact = amount_zero();
}

static void alter_digest(struct record *record)
{
    record->invoice.digest[31] ^= 1;
}

static void alter_lines(struct record *record)
{
    record->invoice.n_lines = UINT64_MAX;
}

static void alter_adjustments(struct record *record)
{
    record->invoice.n_adjustments = UINT64_MAX; /* no room for them is asked for */
}

static void alter_position(struct record *record)
{
    record->invoice.position = 5;
}

static void alter_customer(struct record *record)
{
    record->invoice.customer = 1;
}

/* Rebuild the entries: LINE is changed by CHANGE_CB, and behind it come N ADJUSTMENTS. */
static void rebuild(struct record *record, void (*change_cb)(struct bill_line *line),
                    const uint64_t *adjustments, size_t n)
{
    static uint8_t bytes[4 * INVOICE_ENTRY_BYTES_MAX];
    struct invoice_entry entry;
    struct slice rest = record->invoice_entries.entries;
    assert_true(invoice_entries_next(&rest, &entry));
    change_cb(&entry.line);
    size_t length = invoice_entry_encode(&entry, bytes);
    for (size_t i = 0; i < n; i++) {
        struct invoice_entry adjustment = {.adjustment = adjustments[i]};
        length += invoice_entry_encode(&adjustment, bytes + length);
    }
    record->invoice_entries.entries = (struct slice){(const char *)bytes, length};
}

static void change_nothing(struct bill_line *line)
{
    (void)line;
}

static void change_figures(struct bill_line *line)
{
    line->units = amount_zero();
    line->exact = amount_from_decimal(book_decimal("7"));
    line->records = 9;
    line->voided = 8;
    line->late = 7;
}

static void change_price(struct bill_line *line)
{
    line->price = book_decimal("0.25");
}

static void alter_entry(struct record *record)
{
    rebuild(record, change_figures, &(uint64_t){6}, 1);
}

static void alter_entry_price(struct record *record)
{
    rebuild(record, change_price, &(uint64_t){6}, 1);
}

static void alter_entry_adjustment(struct record *record)
{
    rebuild(record, change_nothing, &(uint64_t){77}, 1);
}

/* Customers 1 and 2; of 2 the usage 3, 4 and the void of 4, 5; the adjustment 6; the invoice 7 and
 * its entries 8; behind it the usage 9. */
static struct book *book_with_invoice(void)
{
    struct book *book = book_open();
    book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    book_add_usage(book, customer, "S", "10", "0.5", 100);
    uint64_t usage = book_add_usage(book, customer, "S", "2", "0.5", 200);
    assert_u64(book_add_void(book, customer, usage), 5);
    assert_u64(book_add_adjustment(book, customer, "", "-1", 300), 6);
    assert_u64(book_add_invoice(book, customer, 1000), 1);
    assert_u64(book_add_usage(book, customer, "S", "2", "0.5", 1000), 9);
    assert_verified(book, 1, 4);
    return book;
}

static void invoice_verify__anything_tampered_with__is_named(void **state)
{
    static const struct {
        uint64_t seq;
        void (*alter_cb)(struct record *record);
        const char *differences;
    } table[] = {
        {3, alter_units,
         "digest\nexact_total: 4 | 4.5\ntotal: 4 | 4.5\n"
         "lines[S 0.5].units_consumed: 10 | 11\nlines[S 0.5].exact_amount: 5 | 5.5\n"},
        {3, alter_price,
         "digest\nexact_total: 4 | 49\ntotal: 4 | 49\n"
         "lines[S 0.5].units_consumed: 10 | 0\nlines[S 0.5].exact_amount: 5 | 0\n"
         "lines[S 0.5].records: 2 | 1\nlines[S 5]:  | 50\n"},
        {3, alter_identity, "digest\n"},
        {3, alter_away,
         "digest\nexact_total: 4 | -1\ntotal: 4 | -1\n"
         "lines[S 0.5].units_consumed: 10 | 0\nlines[S 0.5].exact_amount: 5 | 0\n"
         "lines[S 0.5].records: 2 | 1\n"},
        {4, alter_units, "digest\n"}, /* its void takes away as much */
        {5, alter_void,
         "digest\nexact_total: 4 | 0\ntotal: 4 | 0\n"
         "lines[S 0.5].units_consumed: 10 | 2\nlines[S 0.5].exact_amount: 5 | 1\n"},
        {6, alter_adjustment, "digest\nexact_total: 4 | 3.995\n"},
        {6, alter_adjustment_away,
         "digest\nexact_total: 4 | 5\ntotal: 4 | 5\nadjustments@6 5: is on the invoice | \n"},
        {9, alter_usage_into, "records@9 3:  | " STRAY "\n"},
        {9, alter_units, ""}, /* of the next one */
        {7, alter_totals, "exact_total: 0 | 4\n"},
        {7, alter_digest, "digest\n"},
        {7, alter_lines, "entries:  | " DOES_NOT_FIT "\n"},
        {7, alter_adjustments, "entries:  | " DOES_NOT_FIT "\n"},
        {7, alter_position,
         "digest\nexact_total: 4 | 5\ntotal: 4 | 5\nadjustments@6 5: is on the invoice | \n"
         "records@6 5:  | " STRAY "\n"},
        {7, alter_customer,
         "digest\nexact_total: 4 | 0\ntotal: 4 | 0\nlines[S 0.5]: 5 | \n"
         "adjustments@6 5: is on the invoice | \n"},
        {8, alter_entry,
         "lines[S 0.5].units_consumed: 0 | 10\nlines[S 0.5].exact_amount: 7 | 5\n"
         "lines[S 0.5].records: 9 | 2\nlines[S 0.5].voided: 8 | 1\nlines[S 0.5].late: 7 | 0\n"},
        {8, alter_entry_price, "lines[S 0.25]: 5 | \nlines[S 0.5]:  | 5\n"},
        {8, alter_entry_adjustment,
         "adjustments@77 5: is on the invoice | \nadjustments@6 5:  | bills in this period\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_with_invoice();
        memory_store_alter(book->memory, table[i].seq, table[i].alter_cb);
        assert_differs(book, 1, table[i].differences);
        book_close(book);
    }
}

static void alter_entry_doubled(struct record *record)
{
    rebuild(record, change_nothing, (uint64_t[]){6, 6}, 2);
}

static void alter_adjustment_count(struct record *record)
{
    record->invoice.n_adjustments = 2;
}

/* Twice on the invoice is once too often. */
static void invoice_verify__an_adjustment_billed_twice__is_named(void **state)
{
    struct book *book = book_with_invoice();
    (void)state;
    memory_store_alter(book->memory, 8, alter_entry_doubled);
    memory_store_alter(book->memory, 7, alter_adjustment_count);
    assert_differs(book, 1, "adjustments@6 5: is on the invoice | \n");
    book_close(book);
}

static void alter_too_large(struct record *record)
{
    record->usage.units = book_decimal("999999999999999");
    record->usage.price = book_decimal("999999999999999");
}

/* What could never have been recorded is damage, although every checksum holds. */
static void invoice_verify__an_amount_beyond_its_bound__does_not_fit_together(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1);
    uint64_t number = book_add_invoice(book, customer, 100);
    uint64_t voided = book_add_void(book, customer, usage);
    uint64_t next = book_add_invoice(book, customer, 200);
    assert_verified(book, number, 1);
    assert_verified(book, next, 1);
    memory_store_alter(book->memory, usage, alter_too_large);
    memory_store_alter(book->memory, voided, alter_identity);
    struct invoice_verify result = verify(book, next);
    assert_false(result.drafted);
    assert_string_equal(differences_of(&result), "records@5 0:  | " DOES_NOT_FIT "\n");
    book_close(book);
}

/* --- one record is damaged -------------------------------------------------------------------- */

static void invoice_verify__a_damaged_record__is_named(void **state)
{
    static const struct {
        uint64_t seq;
        const char *what;
        bool drafted;
    } table[] = {
        {3, "records", false}, {4, "records", false}, {5, "records", false},
        {6, "records", false}, {7, "invoice", false}, {8, "entries", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct book *book = book_with_invoice();
        memory_store_damage(book->memory, table[i].seq);
        struct invoice_verify result = verify(book, 1);
        assert_int_equal(result.drafted, table[i].drafted);
        const char *damaged =
            testkit_format("@%llu 0:  | damaged: what is stored does not match its checksum\n",
                           (unsigned long long)table[i].seq);
        /* Behind the invoice, the search for strays meets it too. */
        const char *again = table[i].drafted ? testkit_format("records%s", damaged) : "";
        assert_string_equal(differences_of(&result),
                            testkit_format("%s%s%s", table[i].what, damaged, again));
        book_close(book);
    }
}

/* --- how much --------------------------------------------------------------------------------- */

static void invoice_verify__more_than_a_hundred_differences__are_cut(void **state)
{
    struct book *book = book_open();
    (void)state;
    book_add_customer(book, NULL);
    uint64_t customer = book_add_customer(book, NULL);
    for (int i = 0; i < 70; i++) {
        book_add_usage(book, customer, testkit_format("s%d", i), "1", "1", i);
        book_add_adjustment(book, customer, "", "1", i);
    }
    uint64_t number = book_add_invoice(book, customer, 1000);
    assert_verified(book, number, 140);
    memory_store_alter(book->memory, 143, alter_customer);
    struct invoice_verify result = verify(book, number); /* 3 and 140 */
    assert_u64(result.n_differences, INVOICE_DIFFERENCES_MAX);
    assert_text(result.differences[99].what.data, result.differences[99].what.length,
                "adjustments");
    book_close(book);
}

static void invoice_verify__thousands_of_strays__are_cut(void **state)
{
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    uint64_t number = book_add_invoice(book, customer, 1000);
    for (int i = 0; i < 150; i++) {
        uint64_t usage = book_add_usage(book, customer, "S", "1", "1", 1000);
        memory_store_alter(book->memory, usage, alter_usage_into);
    }
    struct invoice_verify result = verify(book, number);
    assert_u64(result.n_differences, INVOICE_DIFFERENCES_MAX);
    assert_int_equal(result.differences[99].kind, RECORD_USAGE);
    book_close(book);
}

static void invoice_verify__a_large_invoice__names_the_one_line(void **state)
{
    enum {
        RECORDS = 20000,
        LINES = 3000,
    };
    struct book *book = book_open();
    (void)state;
    uint64_t customer = book_add_customer(book, NULL);
    struct store_txn *txn = book_begin(book);
    for (int i = 0; i < RECORDS; i++) {
        struct usage_create create = book_usage(customer, testkit_format("r%d", i));
        create.asked.usage.price = book_decimal(testkit_format("0.%d1", i % LINES));
        create.asked.usage.occurred_at_given = true;
        create.asked.usage.occurred_at_us = RECORDS - i;
        assert_ok(usage_create(txn, &book->arena, &book->env, &create));
        assert_ok(create.outcome.status);
    }
    assert_ok(store_commit(txn));
    uint64_t number = book_add_invoice(book, customer, 100000);
    assert_verified(book, number, RECORDS);
    memory_store_alter(book->memory, 12 + 1 + 1, alter_units); /* the 13th */
    struct invoice_verify result = verify(book, number);
    const char *text = differences_of(&result);
    assert_contains(text, "digest\n");
    assert_contains(text, "lines[Database Hosting 0.121].units_consumed: 406 | 359\n");
    assert_u64(result.n_differences, 5);
    book_close(book);
}

static void invoice_verify__what_cannot_be_done__is_an_error(void **state)
{
    struct book *book = book_with_invoice();
    struct invoice_verify result = {.number = 2};
    struct store_view *view = book_view(book);
    (void)state;
    assert_status(invoice_verify(view, &book->arena, &result), STATUS_INVOICE_NOT_FOUND);
    result.number = 0;
    assert_status(invoice_verify(view, &book->arena, &result), STATUS_INVOICE_NOT_FOUND);
    result.number = 1;
    for (size_t budget = 0; budget < 6000; budget += 997) {
        struct arena arena;
        arena_init(&arena, budget);
        assert_status(invoice_verify(view, &arena, &result), STATUS_TOO_LARGE);
        arena_done(&arena);
    }
    book_release(view);
    book_close(book);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(invoice_verify__untouched__is_verified_whatever_came_since),
    cmocka_unit_test(invoice_verify__random_histories__are_verified),
    cmocka_unit_test(invoice_verify__anything_tampered_with__is_named),
    cmocka_unit_test(invoice_verify__an_adjustment_billed_twice__is_named),
    cmocka_unit_test(invoice_verify__an_amount_beyond_its_bound__does_not_fit_together),
    cmocka_unit_test(invoice_verify__a_damaged_record__is_named),
    cmocka_unit_test(invoice_verify__more_than_a_hundred_differences__are_cut),
    cmocka_unit_test(invoice_verify__thousands_of_strays__are_cut),
    cmocka_unit_test(invoice_verify__a_large_invoice__names_the_one_line),
    cmocka_unit_test(invoice_verify__what_cannot_be_done__is_an_error),
};

TESTKIT_MAIN(tests)
