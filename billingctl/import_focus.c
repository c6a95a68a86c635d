#include "billingctl/import_focus.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "billingctl/derive.h"
#include "billingctl/import_format.h"
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
    FOCUS_ID, /* not of the specification: exports have it */
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
    [FOCUS_ID] = "Id",
};

struct state {
    size_t index[FOCUS__COUNT]; /* of each column in the file; SIZE_MAX: it has none */
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

/* The value in COLUMN, or NULL: "NULL" is how exports write it, an empty cell how the specification
 * does. */
static const char *value_of(const struct import_reader *reader, enum focus_column column)
{
    const struct state *state = reader->state;
    if (state->index[column] == SIZE_MAX) {
        return NULL;
    }
    const char *value = csv_field(&reader->csv, state->index[column]);
    return *value == '\0' || strcmp(value, "NULL") == 0 ? NULL : value;
}

/* A decimal below zero; what is no decimal at all is for the daemon to refuse. */
static bool is_negative(const char *number)
{
    char canonical[BILLING_DECIMAL_TEXT_MAX];
    return billing_decimal_check(number, canonical, NULL) == 0 && canonical[0] == '-';
}

/* Quantity or price must be there and not below zero. */
static void check_number(struct import_row *row, enum focus_column column, const char *value)
{
    if (value == NULL) {
        import_row_reject(row, "not supported yet: %s is NULL", column_names[column]);
    } else if (is_negative(value)) {
        import_row_reject(row, "not supported yet: %s is negative: %s", column_names[column],
                          value);
    }
}

static void check_is_usage(const struct import_reader *reader, struct import_row *row)
{
    const char *category = value_of(reader, FOCUS_CHARGE_CATEGORY);
    if (category == NULL || strcmp(category, "Usage") != 0) {
        import_row_reject(row, "not supported yet: ChargeCategory is %s",
                          category == NULL ? "NULL" : category);
    }
    check_number(row, FOCUS_CONSUMED_QUANTITY, row->units);
    check_number(row, FOCUS_LIST_UNIT_PRICE, row->price);
}

static void set_customer(const struct import_reader *reader, struct import_row *row)
{
    const char *id = value_of(reader, FOCUS_SUB_ACCOUNT_ID);
    const char *name = value_of(reader, FOCUS_SUB_ACCOUNT_NAME);
    if (id != NULL) {
        import_row_set_external_id(row, id);
        row->customer_name = name == NULL ? id : name;
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
    if (id == NULL) {
        return;
    }
    if (import_focus_request_id(period == NULL ? "" : period, provider == NULL ? "" : provider, id,
                                &row->request_id_text, &reason)) {
        row->request_id = text_of(&row->request_id_text);
    } else {
        import_row_reject(row, "%s", reason.text);
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    enum import_result result = import_read_row(reader, row, reterr);
    if (result != IMPORT_ROW || row->rejected) {
        return result;
    }
    row->service = value_of(reader, FOCUS_SERVICE_NAME);
    row->units = value_of(reader, FOCUS_CONSUMED_QUANTITY);
    row->price = value_of(reader, FOCUS_LIST_UNIT_PRICE);
    row->currency = value_of(reader, FOCUS_BILLING_CURRENCY);
    check_is_usage(reader, row);
    set_customer(reader, row);
    const char *time = value_of(reader, FOCUS_CHARGE_PERIOD_START);
    if (time != NULL) {
        import_row_set_time(row, column_names[FOCUS_CHARGE_PERIOD_START], time);
    } else {
        import_row_reject(row, "ChargePeriodStart: is missing");
    }
    add_label(reader, row, "region", FOCUS_REGION_ID);
    add_label(reader, row, "resource", FOCUS_RESOURCE_ID);
    add_label(reader, row, "sku", FOCUS_SKU_ID);
    set_request_id(reader, row);
    return result;
}

const struct import_format import_focus = {"focus", begin, next, NULL};
