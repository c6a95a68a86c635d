#include "billingctl/import_row.h"

#include <stdarg.h>
#include <stdio.h>

#include "billingctl/values.h"

void import_row_clear(struct import_row *row)
{
    struct text customer_text = row->customer_text;
    struct text request_id_text = row->request_id_text;
    struct text why_text = row->why_text;
    text_clear(&customer_text);
    text_clear(&request_id_text);
    text_clear(&why_text);
    *row = (struct import_row){
        .customer_text = customer_text, .request_id_text = request_id_text, .why_text = why_text};
}

void import_row_done(struct import_row *row)
{
    text_done(&row->customer_text);
    text_done(&row->request_id_text);
    text_done(&row->why_text);
}

void import_row_reject(struct import_row *row, const char *format, ...)
{
    if (row->rejected) {
        return;
    }
    va_list args;
    va_start(args, format);
    if (vsnprintf(row->reason.text, sizeof row->reason.text, format, args) < 0) {
        row->reason.text[0] = '\0';
    }
    va_end(args);
    row->rejected = true;
}

void import_row_add_label(struct import_row *row, const char *name, const char *value)
{
    if (row->label_count == BILLING_LABELS_MAX) {
        import_row_reject(row, "labels: more than %d", BILLING_LABELS_MAX);
        return;
    }
    row->labels[row->label_count++] = (struct import_label){.name = name, .value = value};
}

void import_row_set_time(struct import_row *row, const char *field, const char *text)
{
    struct reason reason;
    row->has_time = value_time(text, &row->time_us, &reason);
    if (!row->has_time) {
        import_row_reject(row, "%s: %s", field, reason.text);
    }
}

void import_row_set_external_id(struct import_row *row, const char *external_id)
{
    text_clear(&row->customer_text);
    text_puts(&row->customer_text, "external:");
    text_puts(&row->customer_text, external_id);
    row->customer = text_of(&row->customer_text);
}
