/* `usage export`: what was recorded, streamed page by page to standard output, so that the memory
 * needed is that of one page. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "billingctl/ctl.h"
#include "billingctl/export_format.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/say.h"
#include "billingctl/values.h"

struct export_settings {
    const struct export_format *format;
    const char *customer; /* NULL: all of them */
    bool by_billed;       /* a void stands where it bills, else where its usage does */
    bool quiet;
};

struct export
{
    const struct ctl *ctl;
    const struct export_settings *settings;
    billing_query *query;            /* owned; the window, by the clock */
    billing_query *bill_query;       /* owned; the window, of what bills in it */
    struct export_customer customer; /* whose rows are read */
    struct text currency;
    struct text line; /* used again and again */
    uint64_t rows;
    uint64_t customers;
};

/* --- pages ------------------------------------------------------------------------------------ */

/* One of the library's lists; of those without customers, that one is nothing. */
typedef int (*list_fn)(billing_client *client, const char *customer_id, const billing_query *query,
                       billing_object **ret_reply, billing_error **ret_error);

typedef int (*take_fn)(struct export *export, const billing_object *item);

/* Hand the items of PAGE, a list called MEMBER, to TAKE. */
static int take_page(struct export *export, const billing_object *page, const char *member,
                     take_fn take)
{
    const billing_object *item;
    int code = CTL_DONE;
    for (size_t i = 0; code == CTL_DONE && (item = billing_object_item(page, member, i)) != NULL;
         i++) {
        code = take(export, item);
    }
    return code;
}

/* Hand all items of what CALL lists for QUERY to TAKE, page by page. */
static int take_pages(struct export *export, billing_query *query, list_fn call, const char *member,
                      take_fn take)
{
    billing_object *page = NULL;
    billing_error *error;
    const char *cursor = NULL;
    int code;
    do {
        int status = billing_query_set_cursor(query, cursor);
        billing_object_free(page);
        if (status == 0) {
            status = billing_query_set_limit(query, BILLING_PAGE_MAX);
        }
        if (status != 0) {
            return ctl_failed(export->ctl, status, NULL);
        }
        status = call(export->ctl->client, export->customer.id, query, &page, &error);
        if (status != 0) {
            return ctl_failed(export->ctl, status, error);
        }
        code = take_page(export, page, member, take);
        cursor = billing_object_text(page, "next_cursor");
    } while (code == CTL_DONE && cursor != NULL);
    billing_object_free(page);
    return code;
}

/* --- rows ------------------------------------------------------------------------------------- */

static struct export_row new_row(const struct export *export, enum export_kind kind,
                                 const billing_object *record)
{
    return (struct export_row){
        .kind = kind,
        .customer = export->customer,
        .currency = text_of(&export->currency),
        .request_id = output_value(record, "request_id"),
        .voided_request_id = "",
        .service = output_value(record, "service"),
        .units = output_value(record, "units_consumed"),
        .price = output_value(record, "price_per_unit"),
        .amount = output_value(record, "amount"),
        .reason = output_value(record, "reason"),
        .occurred_us = billing_object_time_us(record, "occurred_at"),
        .bills_us = billing_object_time_us(record, "bills_at"),
        .voided_us = billing_object_time_us(record, "voided_at"),
    };
}

static void set_labels(struct export_row *row, const billing_object *usage)
{
    const billing_object *label;
    while (row->label_count < BILLING_LABELS_MAX &&
           (label = billing_object_item(usage, "labels", row->label_count)) != NULL) {
        row->labels[row->label_count++] = (struct export_label){
            .name = output_value(label, "name"),
            .value = output_value(label, "value"),
        };
    }
}

/* A failed write is found out at the end of each page at the latest, and ends the export. */
static int put_row(struct export *export, const struct export_row *row)
{
    text_clear(&export->line);
    export->settings->format->put_row(row, &export->line);
    output_bytes(export->line.data, export->line.length);
    export->rows++;
    return export->rows % BILLING_PAGE_MAX == 0 && !output_flush() ? CTL_REFUSED : CTL_DONE;
}

/* --- voids ------------------------------------------------------------------------------------ */

/* The row of VOID, whose amount is in the member AMOUNT, of USAGE. */
static int put_void(struct export *export, const billing_object *usage, const billing_object *entry,
                    const char *amount)
{
    struct export_row row = new_row(export, EXPORT_VOID, usage);
    struct text units = {0};
    text_puts(&units, strcmp(row.units, "0") == 0 ? "" : "-");
    text_puts(&units, row.units);
    row.units = text_of(&units);
    row.voided_request_id = row.request_id;
    row.usage_bills_us = row.bills_us;
    row.voided_us = -1;
    row.request_id = output_value(entry, "request_id");
    row.amount = output_value(entry, amount);
    row.reason = output_value(entry, "reason");
    row.bills_us = billing_object_time_us(entry, "bills_at");
    set_labels(&row, usage);
    int code = put_row(export, &row);
    text_done(&units);
    return code;
}

/* By the time when it was used, a void stands where its usage does. */
static int take_void_of(struct export *export, const billing_object *usage)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_void_get(export->ctl->client, export->customer.id,
                                  output_value(usage, "id"), &reply, &error);
    if (status != 0) {
        return ctl_failed(export->ctl, status, error);
    }
    int code = put_void(export, usage, billing_object_child(reply, "void"), "amount");
    billing_object_free(reply);
    return code;
}

/* By the time when it bills, a void stands apart from its usage, which may be outside the window:
 * the records behind the bill have it. */
static int take_billed_void(struct export *export, const billing_object *record)
{
    billing_object *reply;
    billing_error *error;
    if (strcmp(output_value(record, "kind"), "void") != 0) {
        return CTL_DONE;
    }
    int status = billing_usage_get(export->ctl->client, export->customer.id,
                                   output_value(record, "usage_id"), &reply, &error);
    if (status != 0) {
        return ctl_failed(export->ctl, status, error);
    }
    int code = put_void(export, billing_object_child(reply, "usage"), record, "exact_amount");
    billing_object_free(reply);
    return code;
}

/* --- what is exported ------------------------------------------------------------------------- */

static int take_usage(struct export *export, const billing_object *usage)
{
    struct export_row row = new_row(export, EXPORT_USAGE, usage);
    set_labels(&row, usage);
    int code = put_row(export, &row);
    bool has_void_here = row.voided_us >= 0 && !export->settings->by_billed;
    return code == CTL_DONE && has_void_here ? take_void_of(export, usage) : code;
}

static int take_adjustment(struct export *export, const billing_object *adjustment)
{
    struct export_row row = new_row(export, EXPORT_ADJUSTMENT, adjustment);
    return put_row(export, &row);
}

static int take_customer(struct export *export, const billing_object *customer)
{
    export->customer = (struct export_customer){
        .id = output_value(customer, "id"),
        .name = output_value(customer, "name"),
        .external_id = output_value(customer, "external_id"),
    };
    export->customers++;
    int code = take_pages(export, export->query, billing_usage_list, "usage", take_usage);
    if (code == CTL_DONE && export->settings->by_billed) {
        code = take_pages(export, export->bill_query, billing_bill_records, "records",
                          take_billed_void);
    }
    if (code == CTL_DONE) {
        code = take_pages(export, export->query, billing_adjustment_list, "adjustments",
                          take_adjustment);
    }
    return code;
}

static int list_customers(billing_client *client, const char *customer_id,
                          const billing_query *query, billing_object **ret_reply,
                          billing_error **ret_error)
{
    (void)customer_id;
    return billing_customer_list(client, query, ret_reply, ret_error);
}

static int take_all_customers(struct export *export)
{
    billing_query *query = billing_query_new();
    if (query == NULL) {
        return ctl_failed(export->ctl, BILLING_E_NO_MEMORY, NULL);
    }
    int code = take_pages(export, query, list_customers, "customers", take_customer);
    billing_query_free(query);
    return code;
}

static int take_one_customer(struct export *export)
{
    billing_object *reply;
    billing_error *error;
    int status =
        billing_customer_get(export->ctl->client, export->settings->customer, &reply, &error);
    if (status != 0) {
        return ctl_failed(export->ctl, status, error);
    }
    int code = take_customer(export, billing_object_child(reply, "customer"));
    billing_object_free(reply);
    return code;
}

static int get_currency(struct export *export)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_server_info(export->ctl->client, &reply, &error);
    if (status != 0) {
        return ctl_failed(export->ctl, status, error);
    }
    text_puts(&export->currency, output_value(reply, "server.currency"));
    billing_object_free(reply);
    return CTL_DONE;
}

static void put_header(struct export *export)
{
    if (export->settings->format->put_header != NULL) {
        export->settings->format->put_header(&export->line);
        output_bytes(export->line.data, export->line.length);
    }
}

/* Without a window of its own a bill is the current one; here it is all that ever bills. */
static int make_queries(struct export *export)
{
    int64_t start_us;
    int64_t end_us;
    export->query = billing_query_new();
    export->bill_query = billing_query_new();
    if (export->query == NULL || export->bill_query == NULL) {
        return ctl_failed(export->ctl, BILLING_E_NO_MEMORY, NULL);
    }
    if (billing_time_parse("1970-01-01T00:00:00Z", &start_us) != 0 ||
        billing_time_parse("9999-12-31T23:59:59Z", &end_us) != 0 ||
        billing_query_set_start_us(export->bill_query, start_us) != 0 ||
        billing_query_set_end_us(export->bill_query, end_us) != 0) {
        return ctl_failed(export->ctl, BILLING_E_ARGUMENT, NULL);
    }
    int code = pages_set_filter(export->ctl, export->query);
    return code != CTL_DONE ? code : pages_set_window(export->ctl, export->bill_query);
}

static int put_all(struct export *export)
{
    int code = get_currency(export);
    if (code != CTL_DONE) {
        return code;
    }
    put_header(export);
    code =
        export->settings->customer == NULL ? take_all_customers(export) : take_one_customer(export);
    if (code != CTL_DONE) {
        say("the export is not whole: it ends after %" PRIu64 " rows", export->rows);
    } else if (!export->settings->quiet) {
        say("%" PRIu64 " rows of %" PRIu64 " customers", export->rows, export->customers);
    }
    return code;
}

/* Export what SETTINGS say, in the window and by the clock of the command line.  Returns an enum
 * ctl_exit, having said why it is not CTL_DONE. */
static int run(const struct ctl *ctl, const struct export_settings *settings)
{
    struct export export = {.ctl = ctl, .settings = settings};
    int code = make_queries(&export);
    if (code == CTL_DONE) {
        code = put_all(&export);
    }
    billing_query_free(export.query);
    billing_query_free(export.bill_query);
    text_done(&export.currency);
    text_done(&export.line);
    return code;
}

/* --- the command ------------------------------------------------------------------------------ */

int usage_export(struct ctl *ctl)
{
    const char *format = ctl_value(ctl, FLAG_FORMAT);
    const char *by = ctl_value(ctl, FLAG_BY);
    struct reason reason;
    int word = 0;
    if (options_has(&ctl->options, FLAG_OUTPUT)) {
        return ctl_usage(ctl, "--output: an export has a --format instead");
    }
    if (format != NULL && !value_word(format, flag_table[FLAG_FORMAT].words, &word, &reason)) {
        return ctl_usage_value(ctl, FLAG_FORMAT, &reason);
    }
    struct export_settings settings = {
        .format = export_formats[word],
        .customer = ctl_value(ctl, FLAG_CUSTOMER),
        .by_billed = by != NULL && strcmp(by, "billed") == 0,
        .quiet = options_has(&ctl->options, FLAG_QUIET),
    };
    return run(ctl, &settings);
}
