/* Our own formats: CSV and NDJSON with the same fields, those that an import reads. */
#include "billingctl/export_format.h"

/* Which member of a row a field is. */
struct field {
    const char *name;
    bool is_number;
    void (*put)(const struct export_row *row, struct text *ret);
};

static void put_kind(const struct export_row *row, struct text *ret)
{
    text_puts(ret, export_kind_name(row->kind));
}

static void put_customer_id(const struct export_row *row, struct text *ret)
{
    export_put_customer(&row->customer, ret);
}

static void put_occurred_at(const struct export_row *row, struct text *ret)
{
    export_put_time(row->occurred_us, ret);
}

static void put_bills_at(const struct export_row *row, struct text *ret)
{
    export_put_time(row->bills_us, ret);
}

static void put_voided_at(const struct export_row *row, struct text *ret)
{
    if (row->voided_us >= 0) {
        export_put_time(row->voided_us, ret);
    }
}

static const struct field fields[] = {
    {"kind", false, put_kind},
    {"customer_id", false, put_customer_id},
    {"request_id", false, export_put_request_id},
    {"service", false, export_put_service},
    {"units_consumed", true, export_put_units},
    {"price_per_unit", true, export_put_price},
    {"amount", true, export_put_amount},
    {"reason", false, export_put_reason},
    {"voided_request_id", false, export_put_voided_request_id},
    {"occurred_at", false, put_occurred_at},
    {"bills_at", false, put_bills_at},
    {"voided_at", false, put_voided_at},
};

enum {
    FIELDS = sizeof fields / sizeof fields[0],
};

/* --- csv -------------------------------------------------------------------------------------- */

static void put_csv_header(struct text *ret)
{
    for (size_t i = 0; i < FIELDS; i++) {
        text_puts(ret, fields[i].name);
        text_puts(ret, ",");
    }
    text_puts(ret, "labels\n");
}

static void put_csv_row(const struct export_row *row, struct text *ret)
{
    struct text value = {0};
    for (size_t i = 0; i < FIELDS; i++) {
        text_clear(&value);
        fields[i].put(row, &value);
        text_put_csv(ret, text_of(&value));
        text_puts(ret, ",");
    }
    text_clear(&value);
    export_put_labels(row, NULL, &value);
    text_put_csv(ret, text_of(&value));
    text_puts(ret, "\n");
    text_done(&value);
}

const struct export_format export_csv = {put_csv_header, put_csv_row};

/* --- ndjson ----------------------------------------------------------------------------------- */

static void put_member(const struct field *field, const char *value, struct text *ret)
{
    text_puts(ret, "\"");
    text_puts(ret, field->name);
    text_puts(ret, "\": ");
    if (field->is_number) {
        text_puts(ret, value);
    } else {
        text_put_json(ret, value);
    }
}

/* What a row has not is left out. */
static void put_ndjson_row(const struct export_row *row, struct text *ret)
{
    struct text value = {0};
    const char *separator = "{";
    for (size_t i = 0; i < FIELDS; i++) {
        text_clear(&value);
        fields[i].put(row, &value);
        if (value.length > 0) {
            text_puts(ret, separator);
            put_member(&fields[i], text_of(&value), ret);
            separator = ", ";
        }
    }
    if (row->label_count > 0) {
        text_puts(ret, ", \"labels\": ");
        export_put_labels(row, NULL, ret);
    }
    text_puts(ret, "}\n");
    text_done(&value);
}

const struct export_format export_ndjson = {NULL, put_ndjson_row};

const struct export_format *const export_formats[] = {&export_csv, &export_ndjson, &export_focus};
