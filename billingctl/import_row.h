/* One row of an import, whatever the format of its file: what is to be recorded, or why it cannot
 * be.  Main thread; pure but for the heap. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <billing/billing.h>

#include "billingctl/text.h"

struct import_label {
    const char *name;
    const char *value;
};

enum import_kind {
    IMPORT_USAGE,
    IMPORT_ADJUSTMENT,
    IMPORT_VOID,
    IMPORT_KIND__COUNT,
};

/* NULL: the row does not say.  Texts are the reader's, valid until the next row. */
struct import_row {
    uint64_t line;      /* where it begins */
    uint64_t last_line; /* where it ends */
    const char *raw;    /* its text with its end of line */
    size_t raw_length;  /* 0: it was too long to be kept */

    enum import_kind kind;
    const char *customer;      /* an id, or external:ID */
    const char *customer_name; /* to create the customer with; NULL: it must be there */
    const char *service;
    const char *units;
    const char *price;
    const char *amount;            /* of an adjustment */
    const char *why;               /* the reason of an adjustment or a void */
    const char *voided_request_id; /* of a void: the request that recorded the usage */
    const char *request_id;
    const char *currency; /* of the price; NULL: the daemon's */
    int64_t time_us;      /* where has_time */
    struct import_label labels[BILLING_LABELS_MAX];
    size_t label_count;

    struct text customer_text;   /* what `customer` may point to */
    struct text request_id_text; /* likewise */
    struct text why_text;        /* likewise */
    struct reason reason;        /* why it is rejected */

    bool has_time;
    bool may_be_id; /* what stands behind external: is looked for as an id first */
    bool derives;   /* where it has no request id, one is derived without being asked for */
    bool rejected;
};

/* Make ROW empty for the next one.  It starts as {0}. */
void import_row_clear(struct import_row *row);

/* Free what ROW owns. */
void import_row_done(struct import_row *row);

/* ROW cannot be recorded, for the reason in printf()'s manner.  The first reason stays. */
__attribute__((format(printf, 2, 3))) void import_row_reject(struct import_row *row,
                                                             const char *format, ...);

/* Add the label NAME, or reject ROW where it has too many. */
void import_row_add_label(struct import_row *row, const char *name, const char *value);

/* ROW's time is TEXT, the value of FIELD, or ROW is rejected. */
void import_row_set_time(struct import_row *row, const char *field, const char *text);

/* ROW's customer is the one with EXTERNAL_ID. */
void import_row_set_external_id(struct import_row *row, const char *external_id);
