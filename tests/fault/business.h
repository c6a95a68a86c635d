/* A small business that is done in a book and logged as a client would have logged it, so that log
 * and store agree until a test changes the one or the other.  What it is there for is to be judged
 * by the checker.  Main thread; everything that fails fails the test. */
#pragma once

#include "tests/fault/checker.h"
#include "tests/lib/book.h"

struct business {
    struct book *book;
    struct request_log *log;
    struct checker_result result;    /* of business_check() */
    struct logged_request *customer; /* Acme, external id acme; the log's */
    uint64_t customer_seq;
};

/* A customer and nothing else.  The log is also kept in a new file at LOG_PATH, unless that is
 * NULL.  To be given to business_close(). */
void business_open(struct business *business, const char *log_path);
void business_close(struct business *business);

/* Log that REQUEST was answered: it is record SEQ, at the book's time. */
void business_acknowledge(struct business *business, struct logged_request *request, uint64_t seq);

/* Log that the book's usage is sent under REQUEST_ID, at OCCURRED_AT_US (0: at no given time). */
struct logged_request *business_log_usage(struct business *business, const char *request_id,
                                          int64_t occurred_at_us);

/* Record the same, unlogged.  Returns its number. */
uint64_t business_record_usage(struct business *business, const char *request_id,
                               int64_t occurred_at_us);

/* Log, record and acknowledge: usage as above; a void of USAGE because of "an error" ("v"); a
 * credit of 5 because of "goodwill" ("a"). */
struct logged_request *business_do_usage(struct business *business, const char *request_id,
                                         int64_t occurred_at_us);
void business_do_void(struct business *business, const struct logged_request *usage);
void business_do_adjustment(struct business *business);

/* Compare log and store. */
void business_check(struct business *business);
