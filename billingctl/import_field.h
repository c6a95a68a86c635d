/* The fields of a row of our own formats: columns of CSV, members of NDJSON.  Main thread; pure but
 * for the heap. */
#pragma once

#include "billingctl/ctl_exit.h"
#include "billingctl/import_row.h"

enum import_field {
    IMPORT_FIELD_KIND, /* left out: usage */
    IMPORT_FIELD_CUSTOMER_ID,
    IMPORT_FIELD_EXTERNAL_ID,
    IMPORT_FIELD_REQUEST_ID,
    IMPORT_FIELD_SERVICE,
    IMPORT_FIELD_UNITS,
    IMPORT_FIELD_PRICE,
    IMPORT_FIELD_AMOUNT,
    IMPORT_FIELD_REASON,
    IMPORT_FIELD_VOIDED_REQUEST_ID,
    IMPORT_FIELD_TIME,
    IMPORT_FIELD_BILLS_AT,  /* the daemon's to say: an export has it, an import leaves it alone */
    IMPORT_FIELD_VOIDED_AT, /* likewise */
    IMPORT_FIELD__COUNT,
};

/* The field called NAME, or false. */
MUSTCHECK bool import_field_find(const char *name, enum import_field *ret);

/* What files call FIELD.  Static memory. */
const char *import_field_name(enum import_field field);

/* Whether FIELD is a number in JSON. */
bool import_field_is_number(enum import_field field);

/* FIELD of ROW is VALUE, which lives as the row. */
void import_field_set(struct import_row *row, enum import_field field, const char *value);

/* Reject ROW where it has fields that its kind has not, or has not those that it needs.  What the
 * daemon would refuse by itself is left to it. */
void import_field_check(struct import_row *row);
