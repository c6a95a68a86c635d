#include "billingctl/invoice.h"

#include "billingctl/nouns.h"
#include "billingctl/say.h"
#include "billingctl/statement.h"
#include "billingctl/values.h"

/* The invoice that the command line names.  Returns CTL_DONE, or CTL_USAGE, having said why. */
static int get_number(const struct ctl *ctl, uint64_t *ret)
{
    struct reason reason;
    if (!value_count(ctl_arg(ctl, 0), 1, UINT64_MAX, ret, &reason)) {
        return ctl_usage(ctl, "NUMBER: %s", reason.text);
    }
    return CTL_DONE;
}

/* --- list ------------------------------------------------------------------------------------- */

static const struct column totals_columns[] = {
    {"number", true, true},         {"customer_id", true, false},
    {"start", true, false},         {"end", true, false},
    {"currency", true, false},      {"exact_total", true, true},
    {"total", true, true},          {"rounding", false, true},
    {"finalized_at", false, false}, {"journal_position", false, true},
    {"digest", false, false},
};

const struct view invoice_totals_view = {
    .member = "invoices",
    .columns = totals_columns,
    .column_count = sizeof totals_columns / sizeof totals_columns[0],
    .picks = true, /* an invoice that was just made has its lines too */
};

int invoice_totals_page(const struct ctl *ctl, const billing_query *query,
                        billing_object **ret_reply, billing_error **ret_error)
{
    return billing_invoice_list(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, ret_reply,
                                ret_error);
}

int invoice_list(struct ctl *ctl)
{
    return pages_list(ctl, NULL, &invoice_totals_view, invoice_totals_page);
}

/* --- show ------------------------------------------------------------------------------------- */

int invoice_show(struct ctl *ctl)
{
    struct statement invoice = {0};
    int code = get_number(ctl, &invoice.number);
    if (code != CTL_DONE) {
        return code;
    }
    billing_query *query = billing_query_new();
    code = query == NULL ? ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL)
                         : statement_get(ctl, query, &invoice);
    if (code == CTL_DONE) {
        statement_print(ctl->format, &invoice);
    }
    statement_done(&invoice);
    billing_query_free(query);
    return code;
}

/* --- verify ----------------------------------------------------------------------------------- */

/* The differences, or in a table ok where there is none. */
static void print_differences(enum output_format format, const billing_object *reply)
{
    static const struct column columns[] = {
        {"what", true, false},
        {"invoice", true, false},
        {"computed", true, false},
    };
    static const struct view view = {
        .member = "verification.differences",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    struct list list = {.format = format, .view = &view};
    if (format == OUTPUT_TABLE && billing_object_flag(reply, "verification.verified")) {
        output_text("ok\n");
        return;
    }
    list_add_page(&list, reply, SIZE_MAX);
    list_end(&list, NULL);
}

int invoice_verify(struct ctl *ctl)
{
    uint64_t number;
    billing_object *reply;
    billing_error *error;
    int code = get_number(ctl, &number);
    if (code != CTL_DONE) {
        return code;
    }
    int status = billing_invoice_verify(ctl->client, number, &reply, &error);
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    if (ctl->format == OUTPUT_JSON) {
        output_object(OUTPUT_JSON, reply, NULL);
    } else {
        print_differences(ctl->format, reply);
    }
    if (!billing_object_flag(reply, "verification.verified")) {
        say("invoice %s differs from what its records come to", ctl_arg(ctl, 0));
        code = CTL_REFUSED;
    }
    billing_object_free(reply);
    return code;
}
