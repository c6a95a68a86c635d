/* A ledger to test the rules with: a memory store, a clock that the test sets, and calls that are
 * a transaction each.  Main thread; everything that fails fails the test. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/ledger/adjustment.h"
#include "billingd/ledger/catalogue.h"
#include "billingd/ledger/customer.h"
#include "billingd/ledger/env.h"
#include "billingd/ledger/invoice.h"
#include "billingd/ledger/usage.h"
#include "billingd/ledger/void.h"
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
void book_create_void(struct book *book, struct void_create *create);
void book_create_adjustment(struct book *book, struct adjustment_create *create);
void book_put_service(struct book *book, struct catalogue_put *put);
void book_delete_service(struct book *book, struct catalogue_delete *delete);

/* "Database Hosting", 58 x 0.05, at no given time and without labels, to be recorded by "tester"
 * under REQUEST_ID for CUSTOMER. */
struct usage_create book_usage(uint64_t customer, const char *request_id);

/* Record UNITS x PRICE of SERVICE at TIME_US under an id of its own.  Returns its number. */
uint64_t book_add_usage(struct book *book, uint64_t customer, const char *service,
                        const char *units, const char *price, int64_t time_us);

/* A void of USAGE because of "an error", and a credit of 5 because of "goodwill" at no given time,
 * likewise. */
struct void_create book_void(uint64_t customer, uint64_t usage, const char *request_id);
struct adjustment_create book_adjustment(uint64_t customer, const char *request_id);

/* Carry these out under ids of their own.  Return their numbers. */
uint64_t book_add_void(struct book *book, uint64_t customer, uint64_t usage);
uint64_t book_add_adjustment(struct book *book, uint64_t customer, const char *service,
                             const char *amount, int64_t time_us);

/* Put NAME, without a unit, into the catalogue. */
void book_add_service(struct book *book, const char *name);

/* --- invoices --------------------------------------------------------------------------------- */

/* An invoice of CUSTOMER that ends at END_US, asked for by "tester" under REQUEST_ID; its page has
 * up to 1,000 entries.  Lives as long as the kit. */
struct invoice_finalize *book_invoice(struct book *book, uint64_t customer, int64_t end_us,
                                      const char *request_id);

/* One step of it: prepare it from a view of the last commit, or carry it out in a transaction that
 * is committed where it recorded something. */
void book_prepare_invoice(struct book *book, struct invoice_finalize *finalize);
void book_apply_invoice(struct book *book, struct invoice_finalize *finalize);

/* Both, once. */
void book_finalize_invoice(struct book *book, struct invoice_finalize *finalize);

/* Finalise under an id of its own.  Returns its number. */
uint64_t book_add_invoice(struct book *book, uint64_t customer, int64_t end_us);

/* --- reading ---------------------------------------------------------------------------------- */

/* The state of the last commit, until book_release(). */
struct store_view *book_view(struct book *book);
void book_release(struct store_view *view);

/* The committed record SEQ, with texts in the book's arena. */
struct record book_record(struct book *book, uint64_t seq);

/* How many records there are. */
uint64_t book_records(struct book *book);
