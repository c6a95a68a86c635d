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
    keep(book, &record.request_id);
    keep(book, &record.recorded_by);
    switch (record.kind) {
    case RECORD_CUSTOMER_CREATED:
        keep(book, &record.customer_created.name);
        keep(book, &record.customer_created.external_id);
        break;
    case RECORD_CUSTOMER_RENAMED:
        keep(book, &record.customer_renamed.name);
        break;
    case RECORD_USAGE:
        keep(book, &record.usage.service);
        keep(book, &record.usage.labels);
        break;
    }
    book_release(view);
    return record;
}

uint64_t book_records(struct book *book)
{
    return memory_store_counts(book->memory).records;
}
