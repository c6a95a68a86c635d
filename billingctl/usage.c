#include <stdlib.h>

#include "billingctl/ctl.h"
#include "billingctl/import.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/values.h"

/* --- create ----------------------------------------------------------------------------------- */

static int set_labels(const struct ctl *ctl, billing_usage_input *input)
{
    for (size_t i = 0; i < ctl->options.labels.count; i++) {
        struct reason reason;
        const char *value;
        char *name;
        if (!value_label(ctl->options.labels.values[i], &name, &value, &reason)) {
            return ctl_usage_value(ctl, FLAG_LABEL, &reason);
        }
        int status = billing_usage_input_add_label(input, name, value);
        free(name);
        if (status != 0) {
            return ctl_failed(ctl, status, NULL);
        }
    }
    return CTL_DONE;
}

static int set_time(const struct ctl *ctl, billing_usage_input *input)
{
    int64_t time_us = -1;
    int code = ctl_time(ctl, FLAG_AT, &time_us);
    return code != CTL_DONE || time_us < 0
               ? code
               : ctl_exit_status(billing_usage_input_set_time_us(input, time_us));
}

/* Where a setter fails for want of memory, so does the call: no need to look here. */
static void set_text(const struct ctl *ctl, billing_usage_input *input)
{
    (void)billing_usage_input_set_customer(input, ctl_value(ctl, FLAG_CUSTOMER));
    (void)billing_usage_input_set_service(input, ctl_value(ctl, FLAG_SERVICE));
    (void)billing_usage_input_set_units(input, ctl_value(ctl, FLAG_UNITS));
    (void)billing_usage_input_set_price(input, ctl_value(ctl, FLAG_PRICE));
    (void)billing_usage_input_set_request_id(input, ctl->request_id);
}

static int record(const struct ctl *ctl, const billing_usage_input *input)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_usage_create(ctl->client, input, &reply, &error);
    return ctl_finish(ctl, status, reply, error, "usage");
}

int usage_create(struct ctl *ctl)
{
    billing_usage_input *input = billing_usage_input_new();
    if (input == NULL) {
        return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
    }
    set_text(ctl, input);
    int code = set_time(ctl, input);
    if (code == CTL_DONE) {
        code = set_labels(ctl, input);
    }
    if (code == CTL_DONE) {
        code = record(ctl, input);
    }
    billing_usage_input_free(input);
    return code;
}

/* --- get and list ----------------------------------------------------------------------------- */

int usage_get(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_usage_get(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), ctl_arg(ctl, 0),
                                   &reply, &error);
    return ctl_finish(ctl, status, reply, error, "usage");
}

static int list_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    return billing_usage_list(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, ret_reply,
                              ret_error);
}

int usage_list(struct ctl *ctl)
{
    static const struct column columns[] = {
        {"id", true, false},
        {"customer_id", false, false},
        {"service", true, false},
        {"units_consumed", true, true},
        {"price_per_unit", true, true},
        {"amount", true, true},
        {"occurred_at", true, false},
        {"created_at", false, false},
        {"bills_at", false, false},
        {"late", true, false},
        {"request_id", false, false},
        {"recorded_by", false, false},
        {"labels", false, false},
        {"voided_at", true, false},
    };
    static const struct view view = {
        .member = "usage",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, pages_set_filter, &view, list_page);
}

/* --- void ------------------------------------------------------------------------------------- */

int usage_void(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_usage_void(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), ctl_arg(ctl, 0),
                                    ctl_value(ctl, FLAG_REASON), ctl->request_id, &reply, &error);
    return ctl_finish(ctl, status, reply, error, "void");
}

/* --- import ----------------------------------------------------------------------------------- */

static int import_settings(const struct ctl *ctl, struct import_settings *ret)
{
    const char *batch = ctl_value(ctl, FLAG_BATCH);
    const char *format = ctl_value(ctl, FLAG_FORMAT);
    struct reason reason;
    uint64_t rows = IMPORT_BATCH_ROWS;
    int word = -1;
    if (batch != NULL && !value_count(batch, 1, BILLING_BATCH_ITEMS_MAX, &rows, &reason)) {
        return ctl_usage_value(ctl, FLAG_BATCH, &reason);
    }
    if (format != NULL && !value_word(format, flag_table[FLAG_FORMAT].words, &word, &reason)) {
        return ctl_usage_value(ctl, FLAG_FORMAT, &reason);
    }
    *ret = (struct import_settings){
        .path = ctl_arg(ctl, 0),
        .format = word < 0 ? import_format_of(ctl_arg(ctl, 0)) : import_formats[word],
        .customer = ctl_value(ctl, FLAG_CUSTOMER),
        .rejects_path = ctl_value(ctl, FLAG_REJECTS),
        .batch_rows = (size_t)rows,
        .derive_ids = options_has(&ctl->options, FLAG_DERIVE_IDS),
        .quiet = options_has(&ctl->options, FLAG_QUIET),
    };
    return CTL_DONE;
}

int usage_import(struct ctl *ctl)
{
    struct import_settings settings;
    if (options_has(&ctl->options, FLAG_REQUEST_ID)) {
        return ctl_usage(ctl, "--request-id: the rows have request ids of their own");
    }
    int code = import_settings(ctl, &settings);
    return code != CTL_DONE ? code : import_run(ctl, &settings);
}
