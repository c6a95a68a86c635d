#include "billingd/net/http_csv.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "billingd/base/assert.h"
#include "billingd/rpc/json_field.h"
#include "proto/timestamp.h"

struct table {
    struct json_text *text;
    bool begun; /* the row has a cell */
    int status;
};

static void put(struct table *table, const char *bytes, size_t length)
{
    if (table->status == 0) {
        table->status = json_write_raw(table->text, bytes, length);
    }
}

/* --- cells ------------------------------------------------------------------------------------ */

static void begin_cell(struct table *table)
{
    put(table, ",", table->begun);
    table->begun = true;
}

static void end_row(struct table *table)
{
    put(table, "\r\n", 2);
    table->begun = false;
}

/* What spreadsheets take for a formula.  Names come from users, so such a cell could do anything
 * that a formula can on the machine of whoever opens the file. */
static bool is_formula(struct slice text)
{
    return text.length > 0 && strchr("=+-@", text.data[0]) != NULL;
}

/* Also what only some readers would trip over: a semicolon, blanks at the ends. */
static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\0' || strchr("\",;\r\n\t", text.data[i]) != NULL) {
            return true;
        }
    }
    return text.length > 0 && (text.data[0] == ' ' || text.data[text.length - 1] == ' ');
}

static void put_text(struct table *table, struct slice text)
{
    bool quoted = needs_quotes(text);
    put(table, "\"", quoted);
    put(table, "'", is_formula(text));
    for (size_t i = 0; i < text.length; i++) {
        put(table, "\"", text.data[i] == '"');
        put(table, text.data + i, 1);
    }
    put(table, "\"", quoted);
}

static void put_slice(struct table *table, struct slice text)
{
    put(table, text.data, text.length);
}

static void put_count(struct table *table, uint64_t value)
{
    char digits[24];
    IGNORE(snprintf(digits, sizeof digits, "%" PRIu64, value) < 0); /* fits */
    put_slice(table, slice_of(digits));
}

static void put_time(struct table *table, int64_t time_us)
{
    char text[TIMESTAMP_TEXT_MAX];
    put(table, text, timestamp_print(time_us, text));
}

static void put_enum(struct table *table, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    for (const char *c = row == NULL ? "" : row->name; *c != '\0'; c++) {
        char lower = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        put(table, &lower, 1);
    }
}

static void put_value(struct table *table, const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCBinaryData *data = at;
    switch (field_kind(field)) {
    case FIELD_TEXT:
        put_text(table, (struct slice){(const char *)data->data, data->len});
        break;
    case FIELD_DECIMAL:
        put(table, (const char *)data->data, data->len);
        break;
    case FIELD_TIME:
        put_time(table, *(const int64_t *)at);
        break;
    case FIELD_COUNT32:
        put_count(table, *(const uint32_t *)at);
        break;
    case FIELD_COUNT64:
        put_count(table, *(const uint64_t *)at);
        break;
    case FIELD_FLAG:
        put_slice(table, *(const protobuf_c_boolean *)at ? SLICE("true") : SLICE("false"));
        break;
    case FIELD_ENUM:
        put_enum(table, field->descriptor, *(const int *)at);
        break;
    case FIELD_MESSAGE:
    case FIELD_LABELS: /* no cell: is_cell() */
        break;
    }
}

/* The next cell of the row: FIELD of MESSAGE; empty where FIELD is NULL, or not set. */
static void put_cell(struct table *table, const ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field)
{
    begin_cell(table);
    if (field != NULL && field_is_set(message, field)) {
        put_value(table, field, (const char *)message + field->offset);
    }
}

static void put_name(struct table *table, struct slice name)
{
    begin_cell(table);
    put_slice(table, name);
}

static bool is_cell(const ProtobufCFieldDescriptor *field)
{
    return field->label != PROTOBUF_C_LABEL_REPEATED && field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct list {
    const ProtobufCMessageDescriptor *type; /* of the items */
    ProtobufCMessage *const *items;
    size_t n;
};

/* What the repeated FIELD of MESSAGE holds. */
static struct list list_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    return (struct list){
        .type = field->descriptor,
        .items = *(ProtobufCMessage *const *const *)(const void *)(base + field->offset),
        .n = *(const size_t *)(const void *)(base + field->quantifier_offset),
    };
}

static void write_list(struct table *table, const struct list *list)
{
    for (unsigned f = 0; f < list->type->n_fields; f++) {
        if (is_cell(&list->type->fields[f])) {
            put_name(table, slice_of(list->type->fields[f].name));
        }
    }
    end_row(table);
    for (size_t i = 0; i < list->n; i++) {
        for (unsigned f = 0; f < list->type->n_fields; f++) {
            if (is_cell(&list->type->fields[f])) {
                put_cell(table, list->items[i], &list->type->fields[f]);
            }
        }
        end_row(table);
    }
}

/* --- bills and invoices ----------------------------------------------------------------------- */

/* The columns in their order, and where the last row takes them from.  Else a column is the field
 * of this name of a row's own message, or of the bill. */
static const struct column {
    const char *name;
    const char *in_total;
} columns[] = {
    {"number", NULL}, /* of an invoice only */
    {"customer_id", NULL},
    {"start", NULL},
    {"end", NULL},
    {"currency", NULL},
    {"id", NULL},
    {"service", NULL},
    {"price_per_unit", NULL},
    {"units_consumed", NULL},
    {"exact_amount", "exact_total"},
    {"amount", "total"},
    {"records", NULL},
    {"voided", NULL},
    {"late", NULL},
    {"occurred_at", NULL},
    {"reason", NULL},
};

enum {
    N_COLUMNS = sizeof columns / sizeof columns[0],
};

static const ProtobufCFieldDescriptor *find(const ProtobufCMessage *message, const char *name)
{
    return json_field_find(message, slice_of(name));
}

static bool is_invoice(const ProtobufCMessage *bill)
{
    return find(bill, "number") != NULL;
}

static void write_bill_header(struct table *table, const ProtobufCMessage *bill)
{
    put_name(table, SLICE("kind"));
    for (unsigned c = is_invoice(bill) ? 0 : 1; c < N_COLUMNS; c++) {
        put_name(table, slice_of(columns[c].name));
    }
    end_row(table);
}

/* A row of KIND; ITEM NULL: the total. */
static void write_bill_row(struct table *table, const ProtobufCMessage *bill, struct slice kind,
                           const ProtobufCMessage *item)
{
    put_name(table, kind);
    for (unsigned c = is_invoice(bill) ? 0 : 1; c < N_COLUMNS; c++) {
        const char *name = columns[c].name;
        if (item == NULL && columns[c].in_total != NULL) {
            put_cell(table, bill, find(bill, columns[c].in_total));
        } else if (item != NULL && find(item, name) != NULL) {
            put_cell(table, item, find(item, name));
        } else {
            put_cell(table, bill, find(bill, name));
        }
    }
    end_row(table);
}

static void write_bill(struct table *table, const ProtobufCMessage *bill, bool is_last_page)
{
    write_bill_header(table, bill);
    for (unsigned f = 0; f < bill->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &bill->descriptor->fields[f];
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            continue;
        }
        struct list list = list_of(bill, field);
        struct slice kind = {field->name, strlen(field->name) - 1}; /* "lines": a line */
        for (size_t i = 0; i < list.n; i++) {
            write_bill_row(table, bill, kind, list.items[i]);
        }
    }
    if (is_last_page) {
        write_bill_row(table, bill, SLICE("total"), NULL);
    }
}

/* --- all of it -------------------------------------------------------------------------------- */

int http_csv_write(struct json_text *text, const ProtobufCMessage *reply)
{
    struct table table = {.text = text};
    const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[0];
    const ProtobufCFieldDescriptor *cursor = find(reply, "next_cursor");
    INVARIANT(field->type == PROTOBUF_C_TYPE_MESSAGE && cursor != NULL);
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        struct list list = list_of(reply, field);
        write_list(&table, &list);
    } else {
        const void *at = (const char *)reply + field->offset;
        write_bill(&table, *(ProtobufCMessage *const *)at, !field_is_set(reply, cursor));
    }
    return table.status;
}
