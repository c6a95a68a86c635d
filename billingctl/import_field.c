#include "billingctl/import_field.h"

#include <string.h>

static const struct {
    const char *name;
    bool is_number;
} fields[IMPORT_FIELD__COUNT] = {
    [IMPORT_FIELD_KIND] = {"kind", false},
    [IMPORT_FIELD_CUSTOMER_ID] = {"customer_id", false},
    [IMPORT_FIELD_EXTERNAL_ID] = {"external_id", false},
    [IMPORT_FIELD_REQUEST_ID] = {"request_id", false},
    [IMPORT_FIELD_SERVICE] = {"service", false},
    [IMPORT_FIELD_UNITS] = {"units_consumed", true},
    [IMPORT_FIELD_PRICE] = {"price_per_unit", true},
    [IMPORT_FIELD_AMOUNT] = {"amount", true},
    [IMPORT_FIELD_REASON] = {"reason", false},
    [IMPORT_FIELD_VOIDED_REQUEST_ID] = {"voided_request_id", false},
    [IMPORT_FIELD_TIME] = {"occurred_at", false},
    [IMPORT_FIELD_BILLS_AT] = {"bills_at", false},
    [IMPORT_FIELD_VOIDED_AT] = {"voided_at", false},
};

bool import_field_find(const char *name, enum import_field *ret)
{
    for (int i = 0; i < IMPORT_FIELD__COUNT; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            *ret = (enum import_field)i;
            return true;
        }
    }
    return false;
}

const char *import_field_name(enum import_field field)
{
    return fields[field].name;
}

bool import_field_is_number(enum import_field field)
{
    return fields[field].is_number;
}

/* --- setting ---------------------------------------------------------------------------------- */

static void set_kind(struct import_row *row, const char *value)
{
    if (strcmp(value, "usage") == 0) {
        row->kind = IMPORT_USAGE;
    } else if (strcmp(value, "adjustment") == 0) {
        row->kind = IMPORT_ADJUSTMENT;
    } else if (strcmp(value, "void") == 0) {
        row->kind = IMPORT_VOID;
    } else {
        import_row_reject(row, "kind: '%s' is not usage, adjustment or void", value);
    }
}

static void set_customer(struct import_row *row, const char *id, const char *external_id)
{
    if (row->customer != NULL) {
        import_row_reject(row, "both customer_id and external_id are given");
    } else if (external_id != NULL) {
        import_row_set_external_id(row, external_id);
    } else {
        row->customer = id;
    }
}

void import_field_set(struct import_row *row, enum import_field field, const char *value)
{
    switch (field) {
    case IMPORT_FIELD_KIND:
        set_kind(row, value);
        break;
    case IMPORT_FIELD_CUSTOMER_ID:
        set_customer(row, value, NULL);
        break;
    case IMPORT_FIELD_EXTERNAL_ID:
        set_customer(row, NULL, value);
        break;
    case IMPORT_FIELD_REQUEST_ID:
        row->request_id = value;
        break;
    case IMPORT_FIELD_SERVICE:
        row->service = value;
        break;
    case IMPORT_FIELD_UNITS:
        row->units = value;
        break;
    case IMPORT_FIELD_PRICE:
        row->price = value;
        break;
    case IMPORT_FIELD_AMOUNT:
        row->amount = value;
        break;
    case IMPORT_FIELD_REASON:
        row->why = value;
        break;
    case IMPORT_FIELD_VOIDED_REQUEST_ID:
        row->voided_request_id = value;
        break;
    case IMPORT_FIELD_TIME:
        import_row_set_time(row, fields[field].name, value);
        break;
    case IMPORT_FIELD_BILLS_AT:
    case IMPORT_FIELD_VOIDED_AT:
    case IMPORT_FIELD__COUNT:
        break;
    }
}

/* --- checking --------------------------------------------------------------------------------- */

static void has_none(struct import_row *row, const char *what, enum import_field field,
                     const char *value)
{
    if (value != NULL) {
        import_row_reject(row, "%s: %s has none", fields[field].name, what);
    }
}

/* A usage row may have an amount and a void all that its usage has, as an export writes them: the
 * daemon knows them by itself. */
void import_field_check(struct import_row *row)
{
    switch (row->kind) {
    case IMPORT_USAGE:
        has_none(row, "usage", IMPORT_FIELD_REASON, row->why);
        has_none(row, "usage", IMPORT_FIELD_VOIDED_REQUEST_ID, row->voided_request_id);
        break;
    case IMPORT_ADJUSTMENT:
        has_none(row, "an adjustment", IMPORT_FIELD_UNITS, row->units);
        has_none(row, "an adjustment", IMPORT_FIELD_PRICE, row->price);
        has_none(row, "an adjustment", IMPORT_FIELD_VOIDED_REQUEST_ID, row->voided_request_id);
        if (row->label_count > 0) {
            import_row_reject(row, "labels: an adjustment has none");
        }
        break;
    case IMPORT_VOID:
        if (row->voided_request_id == NULL) {
            import_row_reject(row, "voided_request_id: is missing");
        }
        break;
    case IMPORT_KIND__COUNT:
        break;
    }
}
