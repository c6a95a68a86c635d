#include "billingctl/list.h"

#include <string.h>

/* --- rows ------------------------------------------------------------------------------------- */

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
        output_csv_field(&row, i, text_of(&cell));
    }
    output_csv_end(&row);
    text_done(&cell);
}

/* An item of which the columns alone are shown. */
static void print_picked(const struct list *list, const billing_object *item)
{
    const char *separator = "";
    output_text("{");
    for (size_t i = 0; i < list->view->column_count; i++) {
        if (output_json_member(separator, item, list->view->columns[i].name)) {
            separator = ", ";
        }
    }
    output_text("}");
}

static void print_json_row(const struct list *list, const billing_object *item)
{
    output_text(list->rows > 0 ? ", " : "");
    if (list->view->picks) {
        print_picked(list, item);
    } else {
        output_json(item);
    }
}

/* --- what is around them ---------------------------------------------------------------------- */

/* The object on PAGE that the list is in, with its members in front of the list. */
static void begin_json_object(const struct list *list, const billing_object *page)
{
    const char *member = list->view->member;
    const char *dot = strchr(member, '.');
    struct text parent = {0};
    const char *separator = "";
    const char *name;
    text_put(&parent, member, (size_t)(dot - member));
    const billing_object *object = billing_object_child(page, text_of(&parent));
    output_text("\"");
    output_text(text_of(&parent));
    output_text("\": {");
    for (size_t i = 0;
         (name = billing_object_field_name(object, i)) != NULL && strcmp(name, dot + 1) != 0; i++) {
        if (output_json_member(separator, object, name)) {
            separator = ", ";
        }
    }
    output_text(separator);
    text_done(&parent);
}

static void begin_json(const struct list *list, const billing_object *page)
{
    const char *dot = strchr(list->view->member, '.');
    output_text("{");
    if (dot != NULL) {
        begin_json_object(list, page);
    }
    output_text("\"");
    output_text(dot == NULL ? list->view->member : dot + 1);
    output_text("\": [");
}

/* What stands in front of the first row. */
static void begin(struct list *list, const billing_object *page)
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
        begin_json(list, page);
    }
}

/* --- public ----------------------------------------------------------------------------------- */

void list_measure(struct list *list, const billing_object *page, const char *member)
{
    const billing_object *item;
    measure_row(list, NULL);
    for (size_t i = 0; (item = billing_object_item(page, member, i)) != NULL; i++) {
        measure_row(list, item);
    }
}

static void print_item(struct list *list, const billing_object *item)
{
    switch (list->format) {
    case OUTPUT_TABLE:
        print_table_row(list, item);
        break;
    case OUTPUT_JSON:
        print_json_row(list, item);
        break;
    case OUTPUT_CSV:
        print_csv_row(list, item);
        break;
    case OUTPUT_ID:
        output_id(item);
        break;
    }
    list->rows++;
}

void list_add_item(struct list *list, const billing_object *item)
{
    if (list->format == OUTPUT_TABLE) {
        measure_row(list, item);
    }
    begin(list, NULL);
    print_item(list, item);
}

void list_add_page(struct list *list, const billing_object *page, size_t count)
{
    const billing_object *item;
    if (list->format == OUTPUT_TABLE) {
        list_measure(list, page, list->view->member);
    }
    begin(list, page);
    for (size_t i = 0;
         i < count && (item = billing_object_item(page, list->view->member, i)) != NULL; i++) {
        print_item(list, item);
    }
}

void list_end(struct list *list, const char *next_cursor)
{
    begin(list, NULL);
    if (list->format != OUTPUT_JSON) {
        return;
    }
    output_text(strchr(list->view->member, '.') == NULL ? "]" : "]}");
    if (next_cursor != NULL) {
        output_text(", \"next_cursor\": \"");
        output_text(next_cursor); /* needs no escape: [A-Za-z0-9_-] */
        output_text("\"");
    }
    output_text("}\n");
}
