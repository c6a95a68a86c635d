/* Between the files of the checker. */
#pragma once

#include "tests/fault/checker.h"
#include "tests/fault/plain_ledger.h"

/* A customer that is there. */
struct checked_customer {
    uint64_t seq;
    const struct logged_request *request; /* its creation */
    struct plain_ledger *ledger;
    uint64_t records;        /* of it that stand on bills */
    int64_t billed_until_us; /* end of its last invoice; 0: none */
    int64_t *bills_at;       /* of all its records, to choose windows from */
    size_t n_bills_at;
};

struct checked_invoice {
    struct checked_customer *customer;
    uint64_t number;
    int64_t start_us;
    int64_t end_us;
};

struct check {
    struct request_log *log;
    struct store_view *view;
    const struct checker_options *options;
    struct checker_result *result;
    uint64_t until_tick;
    uint64_t id_key;
    struct memory memory; /* of this comparison */
    /* --- what is in the log --- */
    struct logged_request **by_key; /* those that count, by name space and request id */
    size_t n_by_key;
    uint64_t *found; /* by index of the request: the sequence number it is there under; 0: not */
    /* --- what is there, in the order of the journal --- */
    struct checked_customer **customers;
    size_t n_customers;
    struct checked_invoice *invoices;
    size_t n_invoices;
    uint64_t last_seq;
    uint64_t last_invoice_seq; /* whose entries may follow */
};

/* Note a violation, counted in *COUNT of the result, in printf()'s manner. */
__attribute__((format(printf, 3, 4))) void check_note(struct check *check, uint64_t *count,
                                                      const char *format, ...);

/* The name of STATUS, which may be 0. */
const char *check_status_name(int status);

/* The customer with the sequence number SEQ; NULL: there is none. */
struct checked_customer *check_customer(const struct check *check, uint64_t seq);

/* --- checker_payload.c: one record against the request that it comes from --------------------- */

/* Compare RECORD with what REQUEST asked for and was answered, and take it into its customer's
 * plain ledger. */
void check_record(struct check *check, const struct record *record,
                  const struct logged_request *request);

/* --- checker_bills.c -------------------------------------------------------------------------- */

void check_bills(struct check *check);
