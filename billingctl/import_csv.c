/* Our own CSV: the columns have the names of the REST fields. */
#include <stdlib.h>
#include <string.h>

#include "billingctl/import_format.h"
#include "billingctl/memory.h"

enum target {
    TARGET_CUSTOMER_ID,
    TARGET_EXTERNAL_ID,
    TARGET_SERVICE,
    TARGET_UNITS,
    TARGET_PRICE,
    TARGET_TIME,
    TARGET_REQUEST_ID,
    TARGET_LABEL,
};

static const struct {
    const char *name;
    bool required;
} targets[TARGET_LABEL] = {
    [TARGET_CUSTOMER_ID] = {"customer_id", false}, [TARGET_EXTERNAL_ID] = {"external_id", false},
    [TARGET_SERVICE] = {"service", true},          [TARGET_UNITS] = {"units_consumed", true},
    [TARGET_PRICE] = {"price_per_unit", true},     [TARGET_TIME] = {"occurred_at", false},
    [TARGET_REQUEST_ID] = {"request_id", false},
};

static const char label_prefix[] = "label.";

struct column {
    enum target target;
    char *label; /* owned; the name of TARGET_LABEL */
};

struct state {
    struct column *columns; /* owned */
    size_t count;           /* of those that are known */
};

static bool find_target(const char *name, struct column *ret)
{
    size_t prefix = sizeof label_prefix - 1;
    if (strncmp(name, label_prefix, prefix) == 0 && name[prefix] != '\0') {
        *ret = (struct column){.target = TARGET_LABEL, .label = memory_copy(name + prefix)};
        return true;
    }
    for (int i = 0; i < TARGET_LABEL; i++) {
        if (strcmp(targets[i].name, name) == 0) {
            *ret = (struct column){.target = (enum target)i};
            return true;
        }
    }
    return false;
}

static bool explain_unknown(const struct csv_reader *csv, const char *name, struct reason *reterr)
{
    for (size_t i = 0; i < csv->count; i++) {
        if (strcmp(csv_field(csv, i), "ChargeCategory") == 0) {
            return reason_set(reterr, "there is no column '%s'; a FOCUS file needs --format focus",
                              name);
        }
    }
    return reason_set(reterr, "there is no column '%s'", name);
}

/* The next column of CSV is the next one of ours. */
static bool add_column(struct state *state, const struct csv_reader *csv, struct reason *reterr)
{
    const char *name = csv_field(csv, state->count);
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(csv_field(csv, i), name) == 0) {
            return reason_set(reterr, "the column '%s' is there twice", name);
        }
    }
    if (!find_target(name, &state->columns[state->count])) {
        return explain_unknown(csv, name, reterr);
    }
    state->count++;
    return true;
}

static bool read_columns(struct import_reader *reader, struct reason *reterr)
{
    struct state *state = reader->state;
    unsigned seen = 0;
    state->columns = memory_resize(NULL, reader->column_count, sizeof *state->columns);
    for (size_t i = 0; i < reader->column_count; i++) {
        if (!add_column(state, &reader->csv, reterr)) {
            return false;
        }
        seen |= 1U << state->columns[i].target;
    }
    for (int i = 0; i < TARGET_LABEL; i++) {
        if (targets[i].required && (seen & (1U << i)) == 0) {
            return reason_set(reterr, "the column '%s' is missing", targets[i].name);
        }
    }
    return true;
}

static enum import_result begin(struct import_reader *reader, struct reason *reterr)
{
    return import_begin_csv(reader, sizeof(struct state), read_columns, reterr);
}

static void end(struct import_reader *reader)
{
    struct state *state = reader->state;
    for (size_t i = 0; i < state->count; i++) {
        free(state->columns[i].label);
    }
    free(state->columns);
}

static void set_customer(struct import_row *row, const char *id, const char *external_id)
{
    if (row->customer != NULL) {
        import_row_reject(row, "both customer_id and external_id are given");
    } else if (external_id != NULL) {
        import_row_set_external_id(row, external_id);
    } else {
        row->customer = id;
    }
}

/* An empty cell is a field that is left out. */
static void set_cell(struct import_row *row, const struct column *column, const char *value)
{
    switch (column->target) {
    case TARGET_CUSTOMER_ID:
        set_customer(row, value, NULL);
        break;
    case TARGET_EXTERNAL_ID:
        set_customer(row, NULL, value);
        break;
    case TARGET_SERVICE:
        row->service = value;
        break;
    case TARGET_UNITS:
        row->units = value;
        break;
    case TARGET_PRICE:
        row->price = value;
        break;
    case TARGET_TIME:
        import_row_set_time(row, targets[TARGET_TIME].name, value);
        break;
    case TARGET_REQUEST_ID:
        row->request_id = value;
        break;
    case TARGET_LABEL:
        import_row_add_label(row, column->label, value);
        break;
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    const struct state *state = reader->state;
    enum import_result result = import_read_row(reader, row, reterr);
    for (size_t i = 0; result == IMPORT_ROW && !row->rejected && i < state->count; i++) {
        const char *value = csv_field(&reader->csv, i);
        if (*value != '\0') {
            set_cell(row, &state->columns[i], value);
        }
    }
    return result;
}

const struct import_format import_csv = {"csv", begin, next, end};
