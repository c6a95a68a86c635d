/* A write, as all of them go: look at the fields, the customer, the request id; then at what the
 * call is about. */
#pragma once

#include "tests/model/parts.h"

struct write {
    struct model *model;
    const Billing__V1__Response *got;
    Billing__V1__Response *answer; /* to be filled */
    struct refusal *refusal;       /* or this */
    const char *method;
    const void *payload;
    const char *request_id; /* NULL: none is given */
    struct customer *scope; /* of the request id; NULL: the daemon */
    struct made *made;      /* under the same request id before, or NULL */
};

/* --- fields: what is wrong is noted in the refusal ------------------------------------------- */

void write_check_text(struct write *write, const char *field, bool required, size_t bytes_max);

/* The number of a field in VALUE, which is initialised. */
void write_check_number(struct write *write, const char *field, bool may_be_negative, mpz_t value);
void write_check_time(struct write *write, const char *field, bool given, int64_t time);
void write_check_request_id(struct write *write);

/* LABELS by name. */
void write_sort_labels(Billing__V1__Label **labels, size_t n);

/* --- from the fields to the answer ------------------------------------------------------------ */

/* Once the fields are looked at: find the customer, and what was made before, which is the answer
 * then.  Returns whether there is something new to do. */
bool write_begin(struct write *write);

/* The customer that it is about. */
struct customer *write_owner(const struct write *write);

/* Refuse it with STATUS, for FIELD.  Returns false. */
bool write_refuse(struct write *write, const char *field, int status);

/* A copy of TEXT (or NULL) in the model's own memory. */
const char *write_keep(struct write *write, const char *text);

#define KEEP_FIELD(write, message, field)                                                          \
    write_keep((write), TEXT_OF((write)->model->step, (message), field))

/* The text NAME of the object that was answered. */
const char *write_learn(struct write *write, const char *name);

/* The request id that the new thing is made under: the caller's, or one of the daemon's making. */
const char *write_request_id(struct write *write);

/* Remember what was made, and that the answer is what to say of it; fills in the rest of that. */
void write_end(struct write *write, struct customer *customer, const char *id,
               const char *request_id);

/* --- finalize.c ------------------------------------------------------------------------------- */

void write_finalize_invoice(struct write *write, const Billing__V1__FinalizeInvoice *m);
