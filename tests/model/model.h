/* The whole product once more, in lists and sums: what the daemon is judged by.
 *
 * It is handed each request as the daemon was, and says what the answer has to be.  Nothing here is
 * quick, has an index, or shares code with the daemon; numbers are GMP's, scaled by 10^36.  What
 * only the daemon can know (the ids that it gives out, its clock, its digests, prose) is taken from
 * its answer.  One thread. */
#pragma once

/* clang-format off: gmp.h declares its FILE functions only behind stdio.h */
#include <gmp.h>
#include <stdio.h>
/* clang-format on */

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/message.h"

struct customer {
    const char *id;
    const char *name;
    const char *external_id; /* NULL: none */
    int64_t created_at;
    int64_t updated_at;
};

/* What stands on bills. */
struct entry {
    Billing__V1__BillRecord__Kind kind;
    struct customer *customer;
    const char *id;
    const char *service; /* NULL: an adjustment of none */
    mpz_t units;         /* of a void: negative */
    mpz_t price;
    mpz_t amount; /* what it adds to the bill */
    int64_t occurred_at;
    int64_t created_at;
    int64_t bills_at;
    const char *reason; /* of a void or an adjustment */
    const char *request_id;
    struct entry *usage;         /* of a void: what it voids */
    struct entry *voided;        /* of a usage: its void, or NULL */
    Billing__V1__Label **labels; /* by name */
    size_t n_labels;
};

struct invoice {
    struct customer *customer;
    Billing__V1__Invoice *message; /* as it was answered first */
    uint64_t records;              /* that it was made of */
};

struct service {
    const char *name;
    const char *unit; /* NULL: none */
    int64_t created_at;
    int64_t updated_at;
};

/* What was recorded under a request id. */
struct made {
    struct customer *scope; /* NULL: the daemon's */
    struct customer *customer;
    const char *request_id;
    const char *method;
    const char *id;
    int64_t created_at;
    const void *payload;           /* the message of the call */
    Billing__V1__Response *answer; /* the first */
};

struct model {
    /* --- the deployment --- */
    const char *recorded_by;
    bool listed; /* only services of the catalogue */
    /* --- what there is --- */
    struct customer **customers;
    size_t n_customers;
    struct entry **entries; /* in the order of their recording */
    size_t n_entries;
    struct invoice **invoices; /* by number, from 1 */
    size_t n_invoices;
    struct service **services;
    size_t n_services;
    struct made **made;
    size_t n_made;
    /* --- the request at hand --- */
    int64_t now;           /* the daemon's clock */
    bool maybe_recorded;   /* its first try got no answer */
    struct memory *memory; /* of the model */
    struct memory *step;   /* of the answer */
};

/* A model of an empty store; what it keeps is in MEMORY. */
void model_init(struct model *model, struct memory *memory);
void model_done(struct model *model);

/* What the daemon has to answer to REQUEST (all of a list, whatever its limit and cursor) where
 * its clock was at NOW and it answered GOT.  The answer is in STEP. */
Billing__V1__Response *model_answer(struct model *model, struct memory *step, int64_t now,
                                    const Billing__V1__Request *request,
                                    const Billing__V1__Response *got);

/* The customer that REF, an id or external:..., names; NULL: none. */
struct customer *model_customer(const struct model *model, const char *ref);

/* The end of CUSTOMER's last invoice; 0: it has none. */
int64_t model_billed_until(const struct model *model, const struct customer *customer);
