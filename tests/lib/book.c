#include "tests/lib/book.h"

#include <stdio.h>

#include "proto/timestamp.h"
#include "tests/lib/testkit.h"

struct book *book_open(void)
{
    struct book *book = testkit_alloc(sizeof *book);
    book->memory = memory_store_create();
    arena_init(&book->arena, (size_t)1 << 30);
    book->env = (struct ledger_env){
        .now_us = book_time("2026-11-22T11:01:38Z"),
        .currency = "USD",
        .minor_digits = 2,
    };
    return book;
}

void book_close(struct book *book)
{
    arena_done(&book->arena);
    memory_store_destroy(book->memory);
}

struct decimal book_decimal(const char *text)
{
    struct decimal value;
    assert_ok(decimal_parse(text, strlen(text), &value, NULL));
    return value;
}

int64_t book_time(const char *text)
{
    int64_t time_us;
    assert_ok(timestamp_parse(text, strlen(text), &time_us));
    return time_us;
}

struct slice book_labels(const char *const *texts, unsigned n)
{
    struct label labels[LIMIT_LABELS];
    assert_true(n <= LIMIT_LABELS);
    for (unsigned i = 0; i < n; i++) {
        labels[i] = (struct label){slice_of(texts[2 * i]), slice_of(texts[2 * i + 1])};
    }
    uint8_t *bytes = testkit_alloc(LABELS_BYTES_MAX);
    return (struct slice){(const char *)bytes, labels_encode(labels, n, bytes)};
}

/* --- writing ---------------------------------------------------------------------------------- */

struct store_txn *book_begin(struct book *book)
{
    struct store_txn *txn;
    assert_ok(store_begin(memory_store_handle(book->memory), book->env.now_us, &txn));
    return txn;
}

static void end(struct store_txn *txn, bool recorded)
{
    if (recorded) {
        assert_ok(store_commit(txn));
    } else {
        store_abort(txn);
    }
}

void book_create_customer(struct book *book, struct customer_create *create)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(customer_create(txn, &book->arena, create));
    end(txn, create->outcome.status == 0 && !create->outcome.replayed);
}

void book_rename_customer(struct book *book, struct customer_rename *rename)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(customer_rename(txn, &book->arena, rename));
    end(txn, rename->recorded);
}

void book_create_usage(struct book *book, struct usage_create *create)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(usage_create(txn, &book->arena, &book->env, create));
    end(txn, create->outcome.status == 0 && !create->outcome.replayed);
}

void book_create_void(struct book *book, struct void_create *create)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(void_create(txn, &book->arena, create));
    end(txn, create->outcome.status == 0 && !create->outcome.replayed);
}

void book_create_adjustment(struct book *book, struct adjustment_create *create)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(adjustment_create(txn, &book->arena, &book->env, create));
    end(txn, create->outcome.status == 0 && !create->outcome.replayed);
}

void book_put_service(struct book *book, struct catalogue_put *put)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(catalogue_put(txn, &book->arena, put));
    end(txn, put->recorded);
}

void book_delete_service(struct book *book, struct catalogue_delete *delete)
{
    struct store_txn *txn = book_begin(book);
    assert_ok(catalogue_delete(txn, delete));
    end(txn, delete->outcome.status == 0);
}

static struct slice own_request_id(struct book *book)
{
    return slice_of(testkit_format("own-%llu", (unsigned long long)book_records(book)));
}

uint64_t book_add_customer(struct book *book, const char *external_id)
{
    struct customer_create create = {
        .name = SLICE("A test customer name"),
        .request_id = own_request_id(book),
        .recorded_by = SLICE("tester"),
    };
    if (external_id != NULL) {
        create.external_id = slice_of(external_id);
    }
    book_create_customer(book, &create);
    assert_ok(create.outcome.status);
    return create.customer.seq;
}

struct usage_create book_usage(uint64_t customer, const char *request_id)
{
    return (struct usage_create){
        .customer = {.seq = customer},
        .asked = {.request_id = slice_of(request_id),
                  .recorded_by = SLICE("tester"),
                  .usage = {.service = SLICE("Database Hosting"),
                            .units = book_decimal("58"),
                            .price = book_decimal("0.05")}},
    };
}

uint64_t book_add_usage(struct book *book, uint64_t customer, const char *service,
                        const char *units, const char *price, int64_t time_us)
{
    struct usage_create create = book_usage(customer, "");
    create.asked.request_id = own_request_id(book);
    create.asked.usage.service = slice_of(service);
    create.asked.usage.units = book_decimal(units);
    create.asked.usage.price = book_decimal(price);
    create.asked.usage.occurred_at_us = time_us;
    create.asked.usage.occurred_at_given = true;
    book_create_usage(book, &create);
    assert_ok(create.outcome.status);
    return create.record.seq;
}

struct void_create book_void(uint64_t customer, uint64_t usage, const char *request_id)
{
    return (struct void_create){
        .customer = {.seq = customer},
        .asked = {.request_id = slice_of(request_id),
                  .recorded_by = SLICE("tester"),
                  .usage_voided = {.usage = usage, .reason = SLICE("an error")}},
    };
}

struct adjustment_create book_adjustment(uint64_t customer, const char *request_id)
{
    return (struct adjustment_create){
        .customer = {.seq = customer},
        .asked = {.request_id = slice_of(request_id),
                  .recorded_by = SLICE("tester"),
                  .adjustment = {.amount = book_decimal("-5"), .reason = SLICE("goodwill")}},
    };
}

uint64_t book_add_void(struct book *book, uint64_t customer, uint64_t usage)
{
    struct void_create create = book_void(customer, usage, "");
    create.asked.request_id = own_request_id(book);
    book_create_void(book, &create);
    assert_ok(create.outcome.status);
    return create.record.seq;
}

uint64_t book_add_adjustment(struct book *book, uint64_t customer, const char *service,
                             const char *amount, int64_t time_us)
{
    struct adjustment_create create = book_adjustment(customer, "");
    struct adjustment *adjustment = &create.asked.adjustment;
    create.asked.request_id = own_request_id(book);
    adjustment->service = slice_of(service);
    adjustment->amount = book_decimal(amount);
    adjustment->occurred_at_us = time_us;
    adjustment->occurred_at_given = true;
    book_create_adjustment(book, &create);
    assert_ok(create.outcome.status);
    return create.record.seq;
}

void book_add_service(struct book *book, const char *name)
{
    struct catalogue_put put = {.name = slice_of(name), .recorded_by = SLICE("tester")};
    book_put_service(book, &put);
}

/* --- invoices --------------------------------------------------------------------------------- */

struct invoice_finalize *book_invoice(struct book *book, uint64_t customer, int64_t end_us,
                                      const char *request_id)
{
    struct invoice_finalize *finalize = testkit_alloc(sizeof *finalize);
    finalize->customer.seq = customer;
    finalize->asked.request_id = slice_of(request_id);
    finalize->asked.recorded_by = SLICE("tester");
    finalize->asked.invoice.end_us = end_us;
    finalize->limit = LIMIT_PAGE_MAX;
    invoice_finalize_init(finalize, &book->arena);
    return finalize;
}

void book_prepare_invoice(struct book *book, struct invoice_finalize *finalize)
{
    struct store_view *view = book_view(book);
    assert_ok(invoice_prepare(view, &book->arena, &book->env, finalize));
    book_release(view);
}

void book_apply_invoice(struct book *book, struct invoice_finalize *finalize)
{
    unsigned appended;
    struct store_txn *txn = book_begin(book);
    assert_ok(invoice_finalize(txn, &book->arena, &book->env, finalize, &appended));
    end(txn, appended > 0);
}

void book_finalize_invoice(struct book *book, struct invoice_finalize *finalize)
{
    book_prepare_invoice(book, finalize);
    if (finalize->outcome.status == STATUS_OUTDATED) {
        book_apply_invoice(book, finalize);
    }
}

uint64_t book_add_invoice(struct book *book, uint64_t customer, int64_t end_us)
{
    struct invoice_finalize *finalize = book_invoice(book, customer, end_us, "");
    finalize->asked.request_id = own_request_id(book);
    book_finalize_invoice(book, finalize);
    assert_ok(finalize->outcome.status);
    return finalize->page.record.invoice.number;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct store_view *book_view(struct book *book)
{
    struct store_view *view;
    assert_ok(store_snapshot(memory_store_handle(book->memory), &view));
    return view;
}

void book_release(struct store_view *view)
{
    store_release(view);
}

static void keep(struct book *book, struct slice *text)
{
    assert_ok(arena_copy(&book->arena, *text, text));
}

struct record book_record(struct book *book, uint64_t seq)
{
    struct record record;
    struct store_view *view = book_view(book);
    assert_ok(store_record(view, seq, &record));
    struct slice *texts[RECORD_TEXTS_MAX];
    unsigned n = record_texts(&record, texts);
    for (unsigned i = 0; i < n; i++) {
        keep(book, texts[i]);
    }
    book_release(view);
    return record;
}

uint64_t book_records(struct book *book)
{
    return memory_store_counts(book->memory).records;
}
