#include "billingctl/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "billingctl/say.h"

/* Why the first write that failed did; 0: none. */
static int write_error;

void output_bytes(const char *bytes, size_t length)
{
    if (write_error == 0 && length > 0 && fwrite(bytes, 1, length, stdout) != length) {
        write_error = errno != 0 ? errno : EIO;
    }
}

void output_text(const char *text)
{
    output_bytes(text, strlen(text));
}

bool output_flush(void)
{
    if (fflush(stdout) != 0 && write_error == 0) {
        write_error = errno;
    }
    return write_error == 0;
}

int output_finish(int code)
{
    bool flushed = output_flush();
    /* Also what only closing finds out: a full quota, a server that is gone. */
    if (fclose(stdout) != 0 && flushed) {
        write_error = errno;
    }
    if (write_error == 0) {
        return code;
    }
    say("cannot write the result: %s", strerror(write_error));
    return code == CTL_DONE ? CTL_REFUSED : code;
}

void output_json(const billing_object *object)
{
    char *json;
    size_t length;
    int status = billing_object_json(object, &json, &length);
    if (status == 0) {
        output_bytes(json, length);
        billing_text_free(json);
    } else if (write_error == 0) {
        write_error = ENOMEM;
    }
}

/* --- cells ------------------------------------------------------------------------------------ */

static void put_labels(const billing_object *object, const char *name, struct text *ret)
{
    const billing_object *label;
    text_puts(ret, "{");
    for (size_t i = 0; (label = billing_object_item(object, name, i)) != NULL; i++) {
        text_puts(ret, i > 0 ? ", " : "");
        text_put_json(ret, billing_object_text(label, "name"));
        text_puts(ret, ": ");
        text_put_json(ret, billing_object_text(label, "value"));
    }
    text_puts(ret, "}");
}

const char *output_value(const billing_object *object, const char *path)
{
    const char *text = billing_object_text(object, path);
    return text == NULL ? "" : text;
}

void output_cell(const billing_object *object, const char *name, struct text *ret)
{
    if (billing_object_kind(object, name) == BILLING_FIELD_LIST) {
        put_labels(object, name, ret);
        return;
    }
    text_puts(ret, output_value(object, name));
}

static void put_csv_field(struct text *row, size_t index, const char *field)
{
    text_puts(row, index > 0 ? "," : "");
    text_put_csv(row, field);
}

/* Print ROW with an end of line, and free it.  A line feed alone, not RFC 4180's two bytes: the
 * other tools of a pipeline would take the first of them for a part of the last field. */
static void end_csv_row(struct text *row)
{
    text_puts(row, "\n");
    output_bytes(row->data, row->length);
    text_done(row);
}

void output_csv_row(const char *const *fields, size_t count)
{
    struct text row = {0};
    for (size_t i = 0; i < count; i++) {
        put_csv_field(&row, i, fields[i]);
    }
    end_csv_row(&row);
}

/* --- one object ------------------------------------------------------------------------------- */

static void print_pair(const char *name, const char *prefix, const char *value, size_t width)
{
    struct text line = {0};
    text_puts(&line, prefix);
    text_put_visible(&line, name);
    size_t columns = text_columns(text_of(&line));
    text_pad(&line, (columns < width ? width - columns : 0) + 2);
    text_put_visible(&line, value);
    text_puts(&line, "\n");
    output_bytes(line.data, line.length);
    text_done(&line);
}

static void print_pairs(const billing_object *object)
{
    static const char label_prefix[] = "label.";
    const billing_object *label;
    const char *name;
    size_t width = 0;
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        width = strlen(name) > width ? strlen(name) : width;
    }
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        const char *value = billing_object_text(object, name);
        if (value != NULL) {
            print_pair(name, "", value, width);
        }
        for (size_t j = 0; (label = billing_object_item(object, name, j)) != NULL; j++) {
            print_pair(billing_object_text(label, "name"), label_prefix,
                       billing_object_text(label, "value"), width);
        }
    }
}

static void print_object_csv(const billing_object *object)
{
    struct text header = {0};
    struct text row = {0};
    struct text cell = {0};
    const char *name;
    for (size_t i = 0; (name = billing_object_field_name(object, i)) != NULL; i++) {
        put_csv_field(&header, i, name);
        text_clear(&cell);
        output_cell(object, name, &cell);
        put_csv_field(&row, i, text_of(&cell));
    }
    end_csv_row(&header);
    end_csv_row(&row);
    text_done(&cell);
}

void output_object(enum output_format format, const billing_object *reply, const char *member)
{
    const billing_object *object = member == NULL ? reply : billing_object_child(reply, member);
    switch (format) {
    case OUTPUT_TABLE:
        print_pairs(object);
        break;
    case OUTPUT_JSON:
        output_json(reply);
        output_text("\n");
        break;
    case OUTPUT_CSV:
        print_object_csv(object);
        break;
    case OUTPUT_ID:
        output_text(output_value(object, "id"));
        output_text("\n");
        break;
    }
}

/* --- lists ------------------------------------------------------------------------------------ */

/* The heading of a column: its name in capitals. */
static void put_heading(const char *name, struct text *ret)
{
    for (; *name != '\0'; name++) {
        text_printf(ret, "%c", *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
    }
}

/* A cell of a table, or its heading where ITEM is NULL. */
static void put_table_cell(const billing_object *item, const struct column *column,
                           struct text *ret)
{
    text_clear(ret);
    if (item == NULL) {
        put_heading(column->name, ret);
    } else {
        output_cell(item, column->name, ret);
    }
}

static void measure_row(struct list *list, const billing_object *item)
{
    struct text cell = {0};
    for (size_t i = 0; i < list->view->column_count; i++) {
        put_table_cell(item, &list->view->columns[i], &cell);
        size_t columns = text_columns(text_of(&cell));
        list->widths[i] = columns > list->widths[i] ? columns : list->widths[i];
    }
    text_done(&cell);
}

static void print_table_row(const struct list *list, const billing_object *item)
{
    struct text line = {0};
    struct text cell = {0};
    size_t owed = 0; /* blanks that stand in front of the next cell, if there is one */
    for (size_t i = 0; i < list->view->column_count; i++) {
        const struct column *column = &list->view->columns[i];
        if (!column->in_table) {
            continue;
        }
        put_table_cell(item, column, &cell);
        size_t spare = list->widths[i] - text_columns(text_of(&cell));
        text_pad(&line, owed + (column->right ? spare : 0));
        text_put_visible(&line, text_of(&cell));
        owed = 2 + (column->right ? 0 : spare);
    }
    while (line.length > 0 && line.data[line.length - 1] == ' ') {
        line.length--;
    }
    text_puts(&line, "\n");
    output_bytes(line.data, line.length);
    text_done(&line);
    text_done(&cell);
}

static void print_csv_row(const struct list *list, const billing_object *item)
{
    struct text row = {0};
    struct text cell = {0};
    for (size_t i = 0; i < list->view->column_count; i++) {
        const char *name = list->view->columns[i].name;
        text_clear(&cell);
        if (item == NULL) {
            text_puts(&cell, name);
        } else {
            output_cell(item, name, &cell);
        }
        put_csv_field(&row, i, text_of(&cell));
    }
    end_csv_row(&row);
    text_done(&cell);
}

void output_list_measure(struct list *list, const billing_object *page)
{
    const billing_object *item;
    measure_row(list, NULL);
    for (size_t i = 0; (item = billing_object_item(page, list->view->member, i)) != NULL; i++) {
        measure_row(list, item);
    }
}

/* What stands in front of the first row. */
static void list_begin(struct list *list)
{
    if (list->begun) {
        return;
    }
    list->begun = true;
    if (list->format == OUTPUT_TABLE) {
        measure_row(list, NULL);
        print_table_row(list, NULL);
    } else if (list->format == OUTPUT_CSV) {
        print_csv_row(list, NULL);
    } else if (list->format == OUTPUT_JSON) {
        output_text("{\"");
        output_text(list->view->member);
        output_text("\": [");
    }
}

static void print_item(struct list *list, const billing_object *item)
{
    switch (list->format) {
    case OUTPUT_TABLE:
        print_table_row(list, item);
        break;
    case OUTPUT_JSON:
        output_text(list->rows > 0 ? ", " : "");
        output_json(item);
        break;
    case OUTPUT_CSV:
        print_csv_row(list, item);
        break;
    case OUTPUT_ID:
        output_text(output_value(item, "id"));
        output_text("\n");
        break;
    }
    list->rows++;
}

void output_list_page(struct list *list, const billing_object *page, size_t count)
{
    const billing_object *item;
    if (list->format == OUTPUT_TABLE) {
        output_list_measure(list, page);
    }
    list_begin(list);
    for (size_t i = 0;
         i < count && (item = billing_object_item(page, list->view->member, i)) != NULL; i++) {
        print_item(list, item);
    }
}

void output_list_end(struct list *list, const char *next_cursor)
{
    list_begin(list);
    if (list->format != OUTPUT_JSON) {
        return;
    }
    output_text("]");
    if (next_cursor != NULL) {
        output_text(", \"next_cursor\": \"");
        output_text(next_cursor); /* needs no escape: [A-Za-z0-9_-] */
        output_text("\"");
    }
    output_text("}\n");
}
