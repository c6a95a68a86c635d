#include "billingctl/import_focus.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "billingctl/derive.h"
#include "billingctl/import_format.h"
#include "billingctl/import_json.h"
#include "billingctl/memory.h"

enum focus_column {
    FOCUS_CHARGE_CATEGORY,
    FOCUS_SUB_ACCOUNT_ID,
    FOCUS_SERVICE_NAME,
    FOCUS_CONSUMED_QUANTITY,
    FOCUS_LIST_UNIT_PRICE,
    FOCUS_CHARGE_PERIOD_START,
    FOCUS_BILLING_PERIOD_START,
    FOCUS_PROVIDER_NAME,
    FOCUS_SUB_ACCOUNT_NAME,
    FOCUS_REGION_ID,
    FOCUS_RESOURCE_ID,
    FOCUS_SKU_ID,
    FOCUS_BILLING_CURRENCY,
    FOCUS_BILLED_COST,
    FOCUS_CHARGE_DESCRIPTION,
    FOCUS_TAGS,
    FOCUS_ID,           /* not of the specification: exports of providers have it */
    FOCUS_X_REQUEST_ID, /* likewise: our own exports, see export_focus.c */
    FOCUS_X_VOIDED_REQUEST_ID,
    FOCUS__COUNT,
    FOCUS_REQUIRED__COUNT = FOCUS_SUB_ACCOUNT_NAME,
};

static const char *const column_names[FOCUS__COUNT] = {
    [FOCUS_CHARGE_CATEGORY] = "ChargeCategory",
    [FOCUS_SUB_ACCOUNT_ID] = "SubAccountId",
    [FOCUS_SERVICE_NAME] = "ServiceName",
    [FOCUS_CONSUMED_QUANTITY] = "ConsumedQuantity",
    [FOCUS_LIST_UNIT_PRICE] = "ListUnitPrice",
    [FOCUS_CHARGE_PERIOD_START] = "ChargePeriodStart",
    [FOCUS_BILLING_PERIOD_START] = "BillingPeriodStart",
    [FOCUS_PROVIDER_NAME] = "ProviderName",
    [FOCUS_SUB_ACCOUNT_NAME] = "SubAccountName",
    [FOCUS_REGION_ID] = "RegionId",
    [FOCUS_RESOURCE_ID] = "ResourceId",
    [FOCUS_SKU_ID] = "SkuId",
    [FOCUS_BILLING_CURRENCY] = "BillingCurrency",
    [FOCUS_BILLED_COST] = "BilledCost",
    [FOCUS_CHARGE_DESCRIPTION] = "ChargeDescription",
    [FOCUS_TAGS] = "Tags",
    [FOCUS_ID] = "Id",
    [FOCUS_X_REQUEST_ID] = IMPORT_FOCUS_REQUEST_ID,
    [FOCUS_X_VOIDED_REQUEST_ID] = IMPORT_FOCUS_VOIDED_REQUEST_ID,
};

struct state {
    size_t index[FOCUS__COUNT]; /* of each column in the file; SIZE_MAX: it has none */
    bool is_own;                /* the row: one of our exports */
    struct import_json tags;
};

/* --- the header ------------------------------------------------------------------------------- */

/* Columns of other names are nothing to us: the specification lets exporters add some. */
static bool read_columns(struct import_reader *reader, struct reason *reterr)
{
    struct state *state = reader->state;
    for (int i = 0; i < FOCUS__COUNT; i++) {
        state->index[i] = SIZE_MAX;
        for (size_t j = 0; j < reader->column_count; j++) {
            if (strcmp(csv_field(&reader->csv, j), column_names[i]) != 0) {
                continue;
            }
            if (state->index[i] != SIZE_MAX) {
                return reason_set(reterr, "the column '%s' is there twice", column_names[i]);
            }
            state->index[i] = j;
        }
        if (state->index[i] == SIZE_MAX && i < FOCUS_REQUIRED__COUNT) {
            return reason_set(reterr, "no FOCUS file: the column '%s' is missing", column_names[i]);
        }
    }
    return true;
}

static enum import_result begin(struct import_reader *reader, struct reason *reterr)
{
    return import_begin_csv(reader, sizeof(struct state), read_columns, reterr);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* The value in COLUMN, or NULL: "NULL" is how exports of providers write it, an empty cell how our
 * own do, where a text may well be "NULL". */
static const char *value_of(const struct import_reader *reader, enum focus_column column)
{
    const struct state *state = reader->state;
    if (state->index[column] == SIZE_MAX) {
        return NULL;
    }
    const char *value = csv_field(&reader->csv, state->index[column]);
    return *value == '\0' || (!state->is_own && strcmp(value, "NULL") == 0) ? NULL : value;
}

/* A decimal below zero; what is no decimal at all is for the daemon to refuse. */
static bool is_negative(const char *number)
{
    char canonical[BILLING_DECIMAL_TEXT_MAX];
    return billing_decimal_check(number, canonical, NULL) == 0 && canonical[0] == '-';
}

static bool is_plain_usage(const struct import_reader *reader)
{
    const char *category = value_of(reader, FOCUS_CHARGE_CATEGORY);
    const char *units = value_of(reader, FOCUS_CONSUMED_QUANTITY);
    const char *price = value_of(reader, FOCUS_LIST_UNIT_PRICE);
    return category != NULL && strcmp(category, "Usage") == 0 && units != NULL && price != NULL &&
           !is_negative(units) && !is_negative(price);
}

static void set_customer(const struct import_reader *reader, struct import_row *row)
{
    const char *id = value_of(reader, FOCUS_SUB_ACCOUNT_ID);
    const char *name = value_of(reader, FOCUS_SUB_ACCOUNT_NAME);
    if (id != NULL) {
        const struct state *state = reader->state;
        import_row_set_external_id(row, id);
        row->customer_name = name == NULL ? id : name;
        row->may_be_id = state->is_own;
    }
}

static void add_label(const struct import_reader *reader, struct import_row *row, const char *name,
                      enum focus_column column)
{
    const char *value = value_of(reader, column);
    if (value != NULL) {
        import_row_add_label(row, name, value);
    }
}

static void add_labels(struct import_reader *reader, struct import_row *row)
{
    struct state *state = reader->state;
    add_label(reader, row, "region", FOCUS_REGION_ID);
    add_label(reader, row, "resource", FOCUS_RESOURCE_ID);
    add_label(reader, row, "sku", FOCUS_SKU_ID);
    const char *tags = value_of(reader, FOCUS_TAGS);
    if (state->is_own && tags != NULL) {
        import_json_add_label_text(&state->tags, row, column_names[FOCUS_TAGS], tags);
    }
}

void import_focus_reason(const char *category, const char *description, struct text *ret)
{
    text_puts(ret, category == NULL ? "Charge" : category);
    if (description != NULL) {
        text_puts(ret, ": ");
        text_puts(ret, description);
    }
    if (ret->length > IMPORT_FOCUS_REASON_BYTES_MAX) {
        size_t end = IMPORT_FOCUS_REASON_BYTES_MAX;
        while (end > 0 && ((unsigned char)ret->data[end] & 0xC0) == 0x80) {
            end--; /* not in the middle of a character */
        }
        ret->length = end;
        ret->data[end] = '\0';
    }
}

/* An adjustment or a void: why it is made. */
static void set_reason(const struct import_reader *reader, struct import_row *row)
{
    const struct state *state = reader->state;
    const char *description = value_of(reader, FOCUS_CHARGE_DESCRIPTION);
    if (state->is_own && description != NULL) {
        row->why = description;
        return;
    }
    import_focus_reason(value_of(reader, FOCUS_CHARGE_CATEGORY), description, &row->why_text);
    row->why = text_of(&row->why_text);
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~' || *text == ':') {
            return false;
        }
    }
    return true;
}

bool import_focus_request_id(const char *period, const char *provider, const char *id,
                             struct text *ret, struct reason *reterr)
{
    char time[BILLING_TIME_TEXT_MAX];
    int64_t time_us;
    if (billing_time_parse(period, &time_us) != 0 ||
        billing_time_format(time_us, time, sizeof time) != 0) {
        return reason_set(reterr, "BillingPeriodStart: '%s' is not a time", period);
    }
    if (strcmp(time + 10, "T00:00:00.000000Z") == 0) {
        time[10] = '\0'; /* as nearly always: the date will do */
    }
    size_t length = strlen("focus:::") + strlen(time) + strlen(provider) + strlen(id);
    if (is_plain(provider) && is_plain(id) && length <= BILLING_REQUEST_ID_BYTES_MAX) {
        text_printf(ret, "focus:%s:%s:%s", time, provider, id);
        return true;
    }
    const char *parts[] = {time, provider, id};
    text_puts(ret, "focus:sha256:");
    derive_put_hash(parts, sizeof parts / sizeof parts[0], ret);
    return true;
}

static void set_request_id(const struct import_reader *reader, struct import_row *row)
{
    const char *id = value_of(reader, FOCUS_ID);
    const char *period = value_of(reader, FOCUS_BILLING_PERIOD_START);
    const char *provider = value_of(reader, FOCUS_PROVIDER_NAME);
    struct reason reason;
    row->derives = true;
    row->request_id = value_of(reader, FOCUS_X_REQUEST_ID);
    if (row->request_id != NULL || id == NULL) {
        return;
    }
    if (import_focus_request_id(period == NULL ? "" : period, provider == NULL ? "" : provider, id,
                                &row->request_id_text, &reason)) {
        row->request_id = text_of(&row->request_id_text);
    } else {
        import_row_reject(row, "%s", reason.text);
    }
}

static void set_time(const struct import_reader *reader, struct import_row *row)
{
    const char *time = value_of(reader, FOCUS_CHARGE_PERIOD_START);
    if (time != NULL) {
        import_row_set_time(row, column_names[FOCUS_CHARGE_PERIOD_START], time);
    } else {
        import_row_reject(row, "ChargePeriodStart: is missing");
    }
}

/* What the row is, and what only that has. */
static void set_charge(struct import_reader *reader, struct import_row *row)
{
    row->voided_request_id = value_of(reader, FOCUS_X_VOIDED_REQUEST_ID);
    if (row->voided_request_id != NULL) {
        row->kind = IMPORT_VOID;
        set_reason(reader, row);
    } else if (is_plain_usage(reader)) {
        row->units = value_of(reader, FOCUS_CONSUMED_QUANTITY);
        row->price = value_of(reader, FOCUS_LIST_UNIT_PRICE);
        add_labels(reader, row);
    } else {
        row->kind = IMPORT_ADJUSTMENT;
        row->amount = value_of(reader, FOCUS_BILLED_COST);
        set_reason(reader, row);
        if (row->amount == NULL) {
            import_row_reject(row, "BilledCost: is missing");
        }
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    struct state *state = reader->state;
    enum import_result result = import_read_row(reader, row, reterr);
    if (result != IMPORT_ROW || row->rejected) {
        return result;
    }
    state->is_own = false;
    state->is_own = value_of(reader, FOCUS_X_REQUEST_ID) != NULL;
    row->service = value_of(reader, FOCUS_SERVICE_NAME);
    row->currency = value_of(reader, FOCUS_BILLING_CURRENCY);
    set_charge(reader, row);
    set_customer(reader, row);
    set_time(reader, row);
    set_request_id(reader, row);
    return result;
}

static void end(struct import_reader *reader)
{
    struct state *state = reader->state;
    import_json_done(&state->tags);
}

const struct import_format import_focus = {"focus", begin, next, end};
