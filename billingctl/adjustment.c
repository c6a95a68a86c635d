#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"

/* Where a setter of a text fails for want of memory, so does the call: no need to look here. */
static int set_input(const struct ctl *ctl, billing_adjustment_input *input)
{
    int64_t time_us = -1;
    (void)billing_adjustment_input_set_customer(input, ctl_value(ctl, FLAG_CUSTOMER));
    (void)billing_adjustment_input_set_amount(input, ctl_value(ctl, FLAG_AMOUNT));
    (void)billing_adjustment_input_set_reason(input, ctl_value(ctl, FLAG_REASON));
    (void)billing_adjustment_input_set_service(input, ctl_value(ctl, FLAG_SERVICE));
    (void)billing_adjustment_input_set_request_id(input, ctl->request_id);
    int code = ctl_time(ctl, FLAG_AT, &time_us);
    return code != CTL_DONE || time_us < 0
               ? code
               : ctl_exit_status(billing_adjustment_input_set_time_us(input, time_us));
}

int adjustment_create(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    billing_adjustment_input *input = billing_adjustment_input_new();
    if (input == NULL) {
        return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
    }
    int code = set_input(ctl, input);
    if (code == CTL_DONE) {
        int status = billing_adjustment_create(ctl->client, input, &reply, &error);
        code = ctl_finish(ctl, status, reply, error, "adjustment");
    }
    billing_adjustment_input_free(input);
    return code;
}

static int list_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    return billing_adjustment_list(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, ret_reply,
                                   ret_error);
}

int adjustment_list(struct ctl *ctl)
{
    static const struct column columns[] = {
        {"id", true, false},          {"customer_id", false, false}, {"amount", true, true},
        {"reason", true, false},      {"service", true, false},      {"occurred_at", true, false},
        {"created_at", false, false}, {"bills_at", false, false},    {"late", true, false},
        {"request_id", false, false}, {"recorded_by", false, false},
    };
    static const struct view view = {
        .member = "adjustments",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, pages_set_filter, &view, list_page);
}
