/* FOCUS 1.0, the FinOps Open Cost and Usage Specification, https://focus.finops.org, "Columns":
 * all columns of version 1.0 in its order, which is that of the alphabet.  What no record says
 * stays null, which in CSV is an empty cell, rather than being made up: who the provider is, what
 * kind of service it was, how much of a commitment there is.
 *
 * What is true of our records, and not plain from the names:
 *
 * - The billing account, to which invoices go, is the customer.  The sub account is the customer
 *   as its users know it: by the external id, where it has one.
 * - The billing period is the calendar month in UTC in which the record bills.
 * - A record has a moment, not a period: its charge period is from there to the next whole second.
 * - There is one price, and nothing is spread over time: list, contracted, effective and billed
 *   cost are the same.
 * - A void is a row of its own with the usage's quantity and cost below zero, so that costs add up
 *   to the bill; a "Correction" where it bills in a later period than the usage, and only there,
 *   as the specification has it.
 * - A negative adjustment is a "Credit", any other an "Adjustment". */
#include <string.h>

#include "billingctl/export_format.h"
#include "billingctl/import_focus.h"

/* --- times ------------------------------------------------------------------------------------ */

enum {
    SECOND_US = 1000000,
    MONTH_CHARS = 7,   /* 2026-11 */
    SECOND_CHARS = 19, /* 2026-11-22T11:01:38 */
};

/* The form of the specification, to the second; a fraction is kept, as the record has it. */
static void put_time(int64_t time_us, struct text *ret)
{
    char time[BILLING_TIME_TEXT_MAX];
    if (billing_time_format(time_us, time, sizeof time) != 0) {
        return;
    }
    if (time_us % SECOND_US == 0) {
        text_put(ret, time, SECOND_CHARS);
        text_puts(ret, "Z");
    } else {
        text_puts(ret, time);
    }
}

static void get_month(int64_t time_us, int64_t *ret_start_us, int64_t *ret_end_us)
{
    char time[BILLING_TIME_TEXT_MAX];
    *ret_start_us = time_us;
    *ret_end_us = time_us;
    if (billing_time_format(time_us, time, sizeof time) == 0) {
        time[MONTH_CHARS] = '\0';
        (void)billing_month_parse(time, ret_start_us, ret_end_us); /* of a time that was printed */
    }
}

static int64_t month_start(int64_t time_us)
{
    int64_t start_us;
    int64_t end_us;
    get_month(time_us, &start_us, &end_us);
    return start_us;
}

static void put_billing_period_start(const struct export_row *row, struct text *ret)
{
    put_time(month_start(row->bills_us), ret);
}

static void put_billing_period_end(const struct export_row *row, struct text *ret)
{
    int64_t start_us;
    int64_t end_us;
    get_month(row->bills_us, &start_us, &end_us);
    put_time(end_us, ret);
}

static void put_charge_period_start(const struct export_row *row, struct text *ret)
{
    put_time(row->occurred_us, ret);
}

static void put_charge_period_end(const struct export_row *row, struct text *ret)
{
    put_time((row->occurred_us / SECOND_US + 1) * SECOND_US, ret);
}

/* --- labels ----------------------------------------------------------------------------------- */

static const char region[] = "region";
static const char resource[] = "resource";
static const char sku[] = "sku";

/* Whether LABEL has the column of what an import makes a label called NAME of.  An empty value has
 * none: the cell would be null. */
static bool is_column(const struct export_label *label, const char *name)
{
    return strcmp(label->name, name) == 0 && *label->value != '\0';
}

static bool is_tag(const struct export_label *label)
{
    return !is_column(label, region) && !is_column(label, resource) && !is_column(label, sku);
}

static void put_label(const struct export_row *row, const char *name, struct text *ret)
{
    for (size_t i = 0; i < row->label_count; i++) {
        text_puts(ret, is_column(&row->labels[i], name) ? row->labels[i].value : "");
    }
}

static void put_region(const struct export_row *row, struct text *ret)
{
    put_label(row, region, ret);
}

static void put_resource(const struct export_row *row, struct text *ret)
{
    put_label(row, resource, ret);
}

static void put_sku(const struct export_row *row, struct text *ret)
{
    put_label(row, sku, ret);
}

static void put_tags(const struct export_row *row, struct text *ret)
{
    export_put_labels(row, is_tag, ret);
}

/* --- whose ------------------------------------------------------------------------------------ */

static void put_customer_id(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->customer.id);
}

static void put_customer_name(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->customer.name);
}

static void put_external_id(const struct export_row *row, struct text *ret)
{
    bool has_one = *row->customer.external_id != '\0';
    text_puts(ret, has_one ? row->customer.external_id : row->customer.id);
}

/* --- charges ---------------------------------------------------------------------------------- */

static void put_currency(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->currency);
}

static void put_category(const struct export_row *row, struct text *ret)
{
    if (row->kind != EXPORT_ADJUSTMENT) {
        text_puts(ret, "Usage");
    } else {
        text_puts(ret, *row->amount == '-' ? "Credit" : "Adjustment");
    }
}

static void put_class(const struct export_row *row, struct text *ret)
{
    if (row->kind == EXPORT_VOID && month_start(row->bills_us) > month_start(row->usage_bills_us)) {
        text_puts(ret, "Correction");
    }
}

static void put_frequency(const struct export_row *row, struct text *ret)
{
    text_puts(ret, row->kind == EXPORT_ADJUSTMENT ? "One-Time" : "Usage-Based");
}

/* --- the columns ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*put)(const struct export_row *row, struct text *ret); /* NULL: no record says */
} columns[] = {
    {"AvailabilityZone", NULL},
    {"BilledCost", export_put_amount},
    {"BillingAccountId", put_customer_id},
    {"BillingAccountName", put_customer_name},
    {"BillingCurrency", put_currency},
    {"BillingPeriodEnd", put_billing_period_end},
    {"BillingPeriodStart", put_billing_period_start},
    {"ChargeCategory", put_category},
    {"ChargeClass", put_class},
    {"ChargeDescription", export_put_reason},
    {"ChargeFrequency", put_frequency},
    {"ChargePeriodEnd", put_charge_period_end},
    {"ChargePeriodStart", put_charge_period_start},
    {"CommitmentDiscountCategory", NULL},
    {"CommitmentDiscountId", NULL},
    {"CommitmentDiscountName", NULL},
    {"CommitmentDiscountStatus", NULL},
    {"CommitmentDiscountType", NULL},
    {"ConsumedQuantity", export_put_units},
    {"ConsumedUnit", NULL},
    {"ContractedCost", export_put_amount},
    {"ContractedUnitPrice", export_put_price},
    {"EffectiveCost", export_put_amount},
    {"InvoiceIssuerName", NULL},
    {"ListCost", export_put_amount},
    {"ListUnitPrice", export_put_price},
    {"PricingCategory", NULL},
    {"PricingQuantity", export_put_units},
    {"PricingUnit", NULL},
    {"ProviderName", NULL},
    {"PublisherName", NULL},
    {"RegionId", put_region},
    {"RegionName", NULL},
    {"ResourceId", put_resource},
    {"ResourceName", NULL},
    {"ResourceType", NULL},
    {"ServiceCategory", NULL},
    {"ServiceName", export_put_service},
    {"SkuId", put_sku},
    {"SkuPriceId", NULL},
    {"SubAccountId", put_external_id},
    {"SubAccountName", put_customer_name},
    {"Tags", put_tags},
    /* Custom columns stand behind those of the specification. */
    {IMPORT_FOCUS_REQUEST_ID, export_put_request_id},
    {IMPORT_FOCUS_VOIDED_REQUEST_ID, export_put_voided_request_id},
};

enum {
    COLUMNS = sizeof columns / sizeof columns[0],
};

static void put_header(struct text *ret)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        text_puts(ret, i > 0 ? "," : "");
        text_puts(ret, columns[i].name);
    }
    text_puts(ret, "\n");
}

static void put_row(const struct export_row *row, struct text *ret)
{
    struct text value = {0};
    for (size_t i = 0; i < COLUMNS; i++) {
        text_puts(ret, i > 0 ? "," : "");
        if (columns[i].put != NULL) {
            text_clear(&value);
            columns[i].put(row, &value);
            text_put_csv(ret, text_of(&value));
        }
    }
    text_puts(ret, "\n");
    text_done(&value);
}

const struct export_format export_focus = {put_header, put_row};
