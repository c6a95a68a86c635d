/* Between the files of the model. */
#pragma once

#include "tests/lib/decimal_oracle.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"
#include "tests/model/model.h"

/* --- model.c: what answers are made of -------------------------------------------------------- */

enum {
    WRONG_MAX = 16,
};

/* Why something is refused. */
struct refusal {
    int status;           /* 0: it is not */
    const char *existing; /* what stands in the way, or NULL */
    unsigned n_wrong;
    struct {
        const char *field;
        int status;
    } wrong[WRONG_MAX];
};

/* Note that FIELD is wrong. */
void refusal_add(struct refusal *refusal, const char *field, int status);

/* Give REFUSAL the status of its wrong fields, unless it has one. */
void refusal_settle(struct refusal *refusal);

/* The problem that says so.  Prose is GOT's, where that is of the same kind. */
Billing__V1__Problem *problem_message(struct model *model, const struct refusal *refusal,
                                      const char *request_id, const Billing__V1__Problem *got);

/* VALUE, in the step's memory. */
const char *number_words(struct model *model, const mpz_t value);

Billing__V1__Usage *usage_message(struct model *model, const struct entry *entry, bool read_later);
Billing__V1__Void *void_message(struct model *model, const struct entry *entry);
Billing__V1__Adjustment *adjustment_message(struct model *model, const struct entry *entry);

Billing__V1__Customer *customer_message(struct model *model, const struct customer *customer);
Billing__V1__Service *service_message(struct model *model, const struct service *service);

/* Whether A and B are both missing or the same. */
bool same_text(const char *a, const char *b);

/* The entry with ID of CUSTOMER's, of KIND; NULL: none. */
struct entry *find_entry(const struct model *model, const struct customer *customer,
                         Billing__V1__BillRecord__Kind kind, const char *id);

struct service *find_service(const struct model *model, const char *name);

bool entry_is_late(const struct entry *entry);

/* Where the next invoice of CUSTOMER begins unless it is said, if it ends at END. */
int64_t invoice_start(const struct model *model, const struct customer *customer, int64_t end);

/* --- writes.c --------------------------------------------------------------------------------- */

/* Carry REQUEST out, if it is a write, and set ANSWER's result; what is refused is in *REFUSAL.
 * Returns whether it is one. */
bool write_answer(struct model *model, const Billing__V1__Request *request,
                  const Billing__V1__Response *got, Billing__V1__Response *answer,
                  struct refusal *refusal);

/* --- reads.c ---------------------------------------------------------------------------------- */

/* Likewise for what only reads. */
bool read_answer(struct model *model, const Billing__V1__Request *request,
                 Billing__V1__Response *answer, struct refusal *refusal);

/* --- sheet.c: adding up ----------------------------------------------------------------------- */

struct line {
    const char *service;
    mpz_t price;
    mpz_t units;
    mpz_t exact;
    uint64_t records;
    uint64_t voided;
    uint64_t late;
};

/* A bill. */
struct sheet {
    struct line *lines; /* by service, then price */
    size_t n_lines;
    const struct entry **adjustments; /* by bills_at, then the order of recording */
    size_t n_adjustments;
    uint64_t records;
    uint64_t voided;
    uint64_t late;
    uint64_t entries; /* all that was added up */
    mpz_t exact;
    mpz_t total;
    mpz_t rounding;
};

/* The bill of CUSTOMER for what bills from START to before END; sheet_done() it. */
void sheet_init(struct sheet *sheet, struct model *model, const struct customer *customer,
                int64_t start, int64_t end);
void sheet_done(struct sheet *sheet);

/* Its lines and adjustments as messages. */
Billing__V1__BillLine **sheet_lines(const struct sheet *sheet, struct model *model);
Billing__V1__BillAdjustment **sheet_adjustments(const struct sheet *sheet, struct model *model);

/* The rows that SUMMARIZE asks for about CUSTOMER. */
Billing__V1__SummaryRow **summary_rows(struct model *model, const struct customer *customer,
                                       const Billing__V1__SummarizeUsage *summarize, size_t *ret_n);

/* --- calendar: by libc, not by ours ----------------------------------------------------------- */

/* The start of the hour, day or month in UTC that TIME_US lies in, and of the next. */
int64_t window_start(Billing__V1__SummarizeUsage__Window window, int64_t time_us);
int64_t window_end(Billing__V1__SummarizeUsage__Window window, int64_t time_us);
