#include "billingctl/export_row.h"

const char *export_kind_name(enum export_kind kind)
{
    static const char *const names[] = {
        [EXPORT_USAGE] = "usage", [EXPORT_VOID] = "void", [EXPORT_ADJUSTMENT] = "adjustment"};
    return names[kind];
}

void export_put_time(int64_t time_us, struct text *ret)
{
    char time[BILLING_TIME_TEXT_MAX];
    if (billing_time_format(time_us, time, sizeof time) == 0) {
        text_puts(ret, time);
    }
}

void export_put_customer(const struct export_customer *customer, struct text *ret)
{
    bool has_external_id = *customer->external_id != '\0';
    text_puts(ret, has_external_id ? "external:" : "");
    text_puts(ret, has_external_id ? customer->external_id : customer->id);
}

void export_put_request_id(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->request_id);
}

void export_put_voided_request_id(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->voided_request_id);
}

void export_put_service(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->service);
}

void export_put_units(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->units);
}

void export_put_price(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->price);
}

void export_put_amount(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->amount);
}

void export_put_reason(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->reason);
}

void export_put_labels(const struct export_row *row,
                       bool (*is_wanted)(const struct export_label *label), struct text *ret)
{
    const char *separator = "{";
    for (size_t i = 0; i < row->label_count; i++) {
        if (is_wanted == NULL || is_wanted(&row->labels[i])) {
            text_puts(ret, separator);
            text_put_json(ret, row->labels[i].name);
            text_puts(ret, ": ");
            text_put_json(ret, row->labels[i].value);
            separator = ", ";
        }
    }
    text_puts(ret, *separator == '{' ? "" : "}");
}
