/* A ledger to test the rules with: a memory store, a clock that the test sets, and calls that are
 * a transaction each.  Main thread; everything that fails fails the test. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/usage.h"
#include "tests/lib/memory_store.h"

struct book {
    struct memory_store *memory;
    struct arena arena;    /* of all calls; roomy */
    struct ledger_env env; /* 2026-11-22T11:01:38Z, USD, until the test says otherwise */
};

struct book *book_open(void);
void book_close(struct book *book);

/* The decimal, or the time, that TEXT says. */
struct decimal book_decimal(const char *text);
int64_t book_time(const char *text);

/* N labels of name and value in turn, encoded: {"a", "1", "b", "2"}. */
struct slice book_labels(const char *const *texts, unsigned n);

/* --- writing ---------------------------------------------------------------------------------- */

/* A transaction at the book's time. */
struct store_txn *book_begin(struct book *book);

/* Create a customer of its own, with EXTERNAL_ID unless that is NULL.  Returns its number. */
uint64_t book_add_customer(struct book *book, const char *external_id);

/* Carry CREATE out in a transaction of its own, and commit where it recorded something. */
void book_create_customer(struct book *book, struct customer_create *create);
void book_rename_customer(struct book *book, struct customer_rename *rename);
void book_create_usage(struct book *book, struct usage_create *create);

/* "Database Hosting", 58 x 0.05, at no given time and without labels, to be recorded by "tester"
 * under REQUEST_ID for CUSTOMER. */
struct usage_create book_usage(uint64_t customer, const char *request_id);

/* Record UNITS x PRICE of SERVICE at TIME_US under an id of its own.  Returns its number. */
uint64_t book_add_usage(struct book *book, uint64_t customer, const char *service,
                        const char *units, const char *price, int64_t time_us);

/* --- reading ---------------------------------------------------------------------------------- */

/* The state of the last commit, until book_release(). */
struct store_view *book_view(struct book *book);
void book_release(struct store_view *view);

/* The committed record SEQ, with texts in the book's arena. */
struct record book_record(struct book *book, uint64_t seq);

/* How many records there are. */
uint64_t book_records(struct book *book);
