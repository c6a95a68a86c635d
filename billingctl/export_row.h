/* One row of an export, whatever its format: a usage record, a void or an adjustment.  Main thread;
 * pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <billing/billing.h>

#include "billingctl/text.h"

enum export_kind {
    EXPORT_USAGE,
    EXPORT_VOID,
    EXPORT_ADJUSTMENT,
};

struct export_label {
    const char *name;
    const char *value;
};

/* Whose rows follow. */
struct export_customer {
    const char *id;
    const char *name;
    const char *external_id; /* "": none */
};

/* Texts are those of replies and are never NULL: "" is what the record has not. */
struct export_row {
    enum export_kind kind;
    struct export_customer customer;
    const char *currency; /* of the price and the amount */
    const char *request_id;
    const char *voided_request_id; /* of a void: the request that recorded the usage */
    const char *service;
    const char *units; /* of a void what it takes away: negative */
    const char *price;
    const char *amount;  /* exact: what it adds to the bill */
    const char *reason;  /* of a void or an adjustment */
    int64_t occurred_us; /* of a void: when the usage occurred */
    int64_t bills_us;
    int64_t usage_bills_us; /* of a void: when the usage billed */
    int64_t voided_us;      /* of usage; -1: it is not voided */
    struct export_label labels[BILLING_LABELS_MAX];
    size_t label_count;
};

/* The word for KIND. */
const char *export_kind_name(enum export_kind kind);

/* Append TIME_US as 2026-11-22T11:01:38.000000Z. */
void export_put_time(int64_t time_us, struct text *ret);

/* Append the id by which an import finds ROW's customer: external: and the external id, which is
 * the same in each daemon, else the id. */
void export_put_customer(const struct export_customer *customer, struct text *ret);

/* Append what the name says of ROW, nothing where it has none. */
void export_put_request_id(const struct export_row *row, struct text *ret);
void export_put_voided_request_id(const struct export_row *row, struct text *ret);
void export_put_service(const struct export_row *row, struct text *ret);
void export_put_units(const struct export_row *row, struct text *ret);
void export_put_price(const struct export_row *row, struct text *ret);
void export_put_amount(const struct export_row *row, struct text *ret);
void export_put_reason(const struct export_row *row, struct text *ret);

/* Append the labels of ROW for which IS_WANTED says so (NULL: all of them) as a JSON object, or
 * nothing where there are none. */
void export_put_labels(const struct export_row *row,
                       bool (*is_wanted)(const struct export_label *label), struct text *ret);
