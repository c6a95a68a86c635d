#include "billingctl/bill.h"

#include "billingctl/nouns.h"
#include "billingctl/statement.h"

/* --- the records behind it -------------------------------------------------------------------- */

static int records_page(const struct ctl *ctl, const billing_query *query,
                        billing_object **ret_reply, billing_error **ret_error)
{
    return billing_bill_records(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, ret_reply,
                                ret_error);
}

static int set_line(const struct ctl *ctl, billing_query *query)
{
    const char *service = ctl_value(ctl, FLAG_SERVICE);
    const char *price = ctl_value(ctl, FLAG_PRICE);
    if (price != NULL && service == NULL) {
        return ctl_usage(ctl, "--price is of a --service, which is missing");
    }
    int status = billing_query_set_service(query, service);
    if (status == 0) {
        status = billing_query_set_price(query, price);
    }
    return status == 0 ? pages_set_whole_window(ctl, query) : ctl_failed(ctl, status, NULL);
}

static int explain(const struct ctl *ctl)
{
    static const struct column columns[] = {
        {"kind", true, false},          {"id", true, false},
        {"usage_id", false, false},     {"service", true, false},
        {"price_per_unit", true, true}, {"units_consumed", true, true},
        {"exact_amount", true, true},   {"occurred_at", true, false},
        {"bills_at", true, false},      {"created_at", false, false},
        {"late", true, false},          {"reason", true, false},
        {"request_id", false, false},   {"recorded_by", false, false},
    };
    static const struct view view = {
        .member = "records",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, set_line, &view, records_page);
}

/* --- show ------------------------------------------------------------------------------------- */

static int show(const struct ctl *ctl, billing_query *query)
{
    struct statement bill = {0};
    int code = pages_set_whole_window(ctl, query);
    if (code == CTL_DONE) {
        code = statement_get(ctl, query, &bill);
    }
    if (code == CTL_DONE) {
        statement_print(ctl->format, &bill);
    }
    statement_done(&bill);
    return code;
}

/* What belongs to --explain alone is not given without it. */
static int check_show(const struct ctl *ctl)
{
    if (options_has(&ctl->options, FLAG_SERVICE)) {
        return ctl_usage(ctl, "--service goes with --explain");
    }
    if (options_has(&ctl->options, FLAG_PRICE)) {
        return ctl_usage(ctl, "--price goes with --explain");
    }
    if (ctl->format == OUTPUT_ID) {
        return ctl_usage(ctl, "--output: a bill has no id");
    }
    return CTL_DONE;
}

int bill_show(struct ctl *ctl)
{
    if (options_has(&ctl->options, FLAG_EXPLAIN)) {
        return explain(ctl);
    }
    int code = check_show(ctl);
    if (code != CTL_DONE) {
        return code;
    }
    billing_query *query = billing_query_new();
    code = query == NULL ? ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL) : show(ctl, query);
    billing_query_free(query);
    return code;
}

/* --- list ------------------------------------------------------------------------------------- */

static const struct column totals_columns[] = {
    {"customer_id", true, false}, {"name", true, false},       {"external_id", false, false},
    {"start", true, false},       {"end", true, false},        {"currency", true, false},
    {"lines", false, true},       {"records", true, true},     {"voided", true, true},
    {"late", true, true},         {"adjustments", true, true}, {"exact_total", true, true},
    {"total", true, true},        {"rounding", false, true},   {"problem", true, false},
};

const struct view bill_totals_view = {
    .member = "bills",
    .columns = totals_columns,
    .column_count = sizeof totals_columns / sizeof totals_columns[0],
};

int bill_totals_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    return billing_bill_list(ctl->client, query, ret_reply, ret_error);
}

/* Without a window it is of the current bills. */
static int set_totals_window(const struct ctl *ctl, billing_query *query)
{
    return options_has(&ctl->options, FLAG_START) ? pages_set_closed_window(ctl, query)
                                                  : pages_set_window(ctl, query);
}

int bill_list(struct ctl *ctl)
{
    return pages_list(ctl, set_totals_window, &bill_totals_view, bill_totals_page);
}
