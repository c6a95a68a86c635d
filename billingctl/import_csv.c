/* Our own CSV: the columns have the names of the REST fields. */
#include <stdlib.h>
#include <string.h>

#include "billingctl/import_field.h"
#include "billingctl/import_format.h"
#include "billingctl/import_json.h"
#include "billingctl/memory.h"

enum sort {
    SORT_FIELD,
    SORT_LABEL,  /* one label: label.NAME */
    SORT_LABELS, /* all labels as a JSON object */
};

static const enum import_field required[] = {IMPORT_FIELD_SERVICE, IMPORT_FIELD_UNITS,
                                             IMPORT_FIELD_PRICE};

static const char label_prefix[] = "label.";

struct column {
    enum sort sort;
    enum import_field field; /* of SORT_FIELD */
    char *label;             /* owned; the name of SORT_LABEL */
};

struct state {
    struct column *columns; /* owned */
    size_t count;           /* of those that are known */
    struct import_json labels;
};

static bool find_column(const char *name, struct column *ret)
{
    size_t prefix = sizeof label_prefix - 1;
    *ret = (struct column){0};
    if (strncmp(name, label_prefix, prefix) == 0 && name[prefix] != '\0') {
        ret->sort = SORT_LABEL;
        ret->label = memory_copy(name + prefix);
        return true;
    }
    if (strcmp(name, "labels") == 0) {
        ret->sort = SORT_LABELS;
        return true;
    }
    return import_field_find(name, &ret->field);
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
    if (!find_column(name, &state->columns[state->count])) {
        return explain_unknown(csv, name, reterr);
    }
    state->count++;
    return true;
}

static bool has_field(const struct state *state, enum import_field field)
{
    for (size_t i = 0; i < state->count; i++) {
        if (state->columns[i].sort == SORT_FIELD && state->columns[i].field == field) {
            return true;
        }
    }
    return false;
}

static bool read_columns(struct import_reader *reader, struct reason *reterr)
{
    struct state *state = reader->state;
    state->columns = memory_resize(NULL, reader->column_count, sizeof *state->columns);
    for (size_t i = 0; i < reader->column_count; i++) {
        if (!add_column(state, &reader->csv, reterr)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (!has_field(state, required[i])) {
            return reason_set(reterr, "the column '%s' is missing", import_field_name(required[i]));
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
    import_json_done(&state->labels);
}

/* An empty cell is a field that is left out. */
static void set_cell(struct state *state, struct import_row *row, const struct column *column,
                     const char *value)
{
    switch (column->sort) {
    case SORT_FIELD:
        import_field_set(row, column->field, value);
        break;
    case SORT_LABEL:
        import_row_add_label(row, column->label, value);
        break;
    case SORT_LABELS:
        import_json_add_label_text(&state->labels, row, "labels", value);
        break;
    }
}

static enum import_result next(struct import_reader *reader, struct import_row *row,
                               struct reason *reterr)
{
    struct state *state = reader->state;
    enum import_result result = import_read_row(reader, row, reterr);
    for (size_t i = 0; result == IMPORT_ROW && !row->rejected && i < state->count; i++) {
        const char *value = csv_field(&reader->csv, i);
        if (*value != '\0') {
            set_cell(state, row, &state->columns[i], value);
        }
    }
    return result;
}

const struct import_format import_csv = {"csv", begin, next, end};
